from collections.abc import Iterator

from jinja2 import StrictUndefined, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from application.catalog.ports import TemplateFault, TemplateRead, TemplateRules

_INPUT = "input"
_OTHERS = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)
_METHODS = frozenset(dir(dict))


class JinjaTemplateRules(TemplateRules):
    """Prompts are text for a model, so nothing is escaped."""

    def __init__(self) -> None:
        self._environment = ImmutableSandboxedEnvironment(
            undefined=StrictUndefined,
            autoescape=False,
        )

    def faults(self, source: str) -> Iterator[TemplateFault]:
        try:
            tree = self._environment.parse(source)
            self._environment.compile(source)
        except TemplateSyntaxError as error:
            yield TemplateFault(error.lineno, f"not a Jinja2 template: {error.message}")
            return
        except RecursionError:
            yield TemplateFault(1, "not a Jinja2 template: nested too deeply")
            return
        for other in tree.find_all(_OTHERS):
            yield TemplateFault(other.lineno, "a prompt cannot use other templates")
        unknown = meta.find_undeclared_variables(tree) - {_INPUT} - self._environment.globals.keys()
        for name in tree.find_all(nodes.Name):
            if name.name in unknown:
                yield TemplateFault(
                    name.lineno, f'there is no variable "{name.name}"; a prompt has only "input"'
                )

    def reads(self, source: str) -> Iterator[TemplateRead]:
        try:
            tree = self._environment.parse(source)
        except (TemplateSyntaxError, RecursionError):
            return
        called = {id(call.node) for call in tree.find_all(nodes.Call)}
        for each in tree.find_all(nodes.Getattr):
            if _of_input(each) and not (id(each) in called and each.attr in _METHODS):
                yield TemplateRead(each.lineno, each.attr)
        for item in tree.find_all(nodes.Getitem):
            if _of_input(item) and isinstance(item.arg, nodes.Const) and isinstance(item.arg.value, str):
                yield TemplateRead(item.lineno, item.arg.value)


def _of_input(node: nodes.Getattr | nodes.Getitem) -> bool:
    return isinstance(node.node, nodes.Name) and node.node.name == _INPUT
