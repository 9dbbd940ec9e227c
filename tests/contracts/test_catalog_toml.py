"""The reader of TOML agrees with the parser, and knows the line of everything."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.catalog_file.files import SAMPLE
from adapters.catalog_file.toml import read
from application.catalog.source import Document, Fault, Path

BRIEFLY = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def valid(source: str) -> bool:
    try:
        tomllib.loads(source)
    except (ValueError, RecursionError):
        return False
    return True


def said(source: str) -> list[tuple[int, str]]:
    return [(fault.line, fault.message) for fault in read(source).faults]


@dataclass
class Writer:
    """Writes a document in the way that ``draw`` decides, and notes on which line everything stands."""

    draw: st.DataObject
    lines: dict[Path, int] = field(default_factory=dict)
    source: str = ""
    count: int = 0

    def choose(self, *ways: str) -> str:
        return self.draw.draw(st.sampled_from(ways))

    def name(self) -> str:
        self.count += 1
        return f"k{self.count}"

    def key(self, name: str) -> str:
        return self.choose(name, f'"{name}"', f"'{name}'", f' "{name}" ')

    def put(self, text: str, *paths: Path) -> None:
        for path in paths:
            self.lines.setdefault(path, self.source.count("\n") + 1)
        self.source += text

    def gap(self) -> None:
        self.put(self.choose("", "\n", "# [x]\n", "  \n\n", "#' \"\n"))

    def table(self, path: Path, depth: int) -> None:
        for _ in range(self.draw.draw(st.integers(0, 3))):
            self.gap()
            self.pair(path, depth)

    def pair(self, path: Path, depth: int) -> None:
        name = self.name()
        here = (*path, name)
        if self.draw.draw(st.booleans()):
            inner = self.name()
            self.put(f"{self.key(name)}.{self.key(inner)} = ", here, (*here, inner))
            here = (*here, inner)
        else:
            self.put(f"{self.key(name)}= ", here)
        self.value(here, depth)
        self.put(self.choose("\n", "  # = '''\n"))

    def value(self, path: Path, depth: int) -> None:
        match self.choose("scalar", "scalar", "array", "table") if depth else "scalar":
            case "array":
                self.put("[", path)
                for at in range(self.draw.draw(st.integers(0, 3))):
                    self.put(self.choose("", "\n", " # ]\n"))
                    self.value((*path, at), depth - 1)
                    self.put(self.choose(",", ",\n", "\n,"))
                self.put("]")
            case "table":
                self.put("{", path)
                for at in range(self.draw.draw(st.integers(0, 2))):
                    name = self.name()
                    self.put("," if at else "")
                    self.put(f"{self.key(name)} =", (*path, name))
                    self.value((*path, name), depth - 1)
                self.put("}")
            case _:
                self.put(self.scalar(), path)

    def scalar(self) -> str:
        return self.choose(
            "1",
            "-0.5e3",
            "true",
            "1979-05-27 07:32:00",
            "inf",
            '"a # \\" = [b"',
            "'c \\ = ]'",
            '"""d\n"" = [\n[x]\ne"""',
            "'''\nf' = {\n''g'''",
            "''''h'''''",
            '"""\\\n  i"""',
        )

    def document(self) -> None:
        self.table((), 2)
        for _ in range(self.draw.draw(st.integers(0, 3))):
            self.gap()
            outer, inner = self.name(), self.name()
            if self.draw.draw(st.booleans()):
                for at in range(2):
                    self.put(f"[[{self.key(outer)}]]\n", (outer,), (outer, at))
                    self.table((outer, at), 1)
                self.put(f"[{outer}.{inner}]\n", (outer, 1, inner))
                self.table((outer, 1, inner), 1)
            else:
                self.put(f"[{self.key(outer)}.{self.key(inner)}] # z\n", (outer,), (outer, inner))
                self.table((outer, inner), 2)


def paths(value: object, path: Path = ()) -> set[Path]:
    """All that are in ``value``."""
    if isinstance(value, Mapping):
        inner = [paths(each, (*path, key)) for key, each in value.items()]
    elif isinstance(value, list):
        inner = [paths(each, (*path, at)) for at, each in enumerate(value)]
    else:
        inner = []
    return ({path} if path else set[Path]()).union(*inner)


@BRIEFLY
@given(st.data())
def test_everything_that_is_written_is_found_on_its_line(data: st.DataObject) -> None:
    writer = Writer(data)
    writer.document()
    document = read(writer.source)
    assert document.faults == ()
    assert document.data == tomllib.loads(writer.source)
    assert document.lines.keys() == paths(document.data)
    assert document.lines == writer.lines


WORDS = ["a", "b", "1", "true", "é", ".", "=", " = ", ",", " ", "#", "\\", "\0"]
QUOTES = ['"', "'", '"""', "'''", "[", "]", "{", "}"]
LINES = ["\n", "\r\n", "\r", "[a]\n", "a = 1\n", "[[b]]\n", "[a.b]\n", "b.c = {}\n"]
SNIPPETS = st.sampled_from([*WORDS, *QUOTES, *LINES])


@settings(BRIEFLY, max_examples=400)
@given(st.lists(SNIPPETS, max_size=14).map("".join))
def test_whatever_is_written_there_are_faults_where_the_parser_finds_one(source: str) -> None:
    document = read(source)
    assert bool(document.faults) != valid(source)
    last = source.count("\n") + 1
    assert all(1 <= fault.line <= last for fault in document.faults)
    if not document.faults:
        assert document.data == tomllib.loads(source)


@settings(BRIEFLY, max_examples=30)
@given(st.data())
def test_a_damaged_catalog_is_read_all_the_same(data: st.DataObject) -> None:
    source = SAMPLE.read_text()
    at = data.draw(st.integers(0, len(source)))
    damaged = source[:at] + data.draw(SNIPPETS) + source[at + data.draw(st.integers(0, 3)) :]
    assert bool(read(damaged).faults) != valid(damaged)


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ('a = "x', (1, "not TOML: unterminated string")),
        ("\n\nb = [1, 2", (3, "not TOML: unclosed array")),
        ("a = 1\na = 2", (2, "a is defined twice: first on line 1")),
        ("[a]\nb = 1\n[c]\n[a]", (4, "a is defined twice: first on line 1")),
        ("a.b = 1\na.b.c = 2", (2, "a.b is defined twice: first on line 1")),
        ("a = 1\n[a.b]", (2, "a is defined twice: first on line 1")),
        ("a = 1\n[[a]]", (2, "a is defined twice: first on line 1")),
        ("[[a]]\n[a]", (2, "a is defined twice: first on line 1")),
        ("a = {}\n\na.b = 1\n", (3, "not TOML: cannot mutate immutable namespace a")),
        ("a.b = 1\n[a]\n", (2, "not TOML: cannot declare a twice")),
        ("a = {b = 1,\nc = 2}", (1, "not TOML: an inline table { ... } ends on the line that it begins on")),
        ("a = " + "[" * 9000, (1, "not TOML: nested too deeply")),
        ("a = [\n1,\n2 3]", (3, "not TOML: unclosed array")),
        ('a = """\r\nb\r\r\n"""', (2, "not TOML: illegal character '\\r'")),
    ],
)
def test_a_fault_is_said_with_its_line(source: str, fault: tuple[int, str]) -> None:
    assert said(source) == [fault]


def test_a_number_too_long_for_python_is_a_fault() -> None:
    ((line, message),) = said("a = 1\nb = " + "9" * 5000)
    assert line == 2
    assert message.startswith("not TOML: exceeds the limit")


def test_one_fault_does_not_hide_the_next() -> None:
    source = 'a = "x\nb = 1\nc d = 3\n[e f]\ng = 1\n[h]\ni = [1\n[j]\nk = """\nl\n[m]\nn = 1\nn = 2\n'
    document = read(source)
    assert [fault.line for fault in document.faults] == [1, 3, 4, 7, 9, 13]
    assert document.lost == {("a",), (), ("h", "i"), ("j", "k")}
    assert document.data == {"b": 1, "h": {}, "j": {}, "m": {"n": 1}}


@pytest.mark.parametrize(
    ("source", "lost"),
    [
        ("[a]\nb = 1\n'c' . d = x", {("a", "c", "d")}),
        ("[a]\nb c = 1", {("a",)}),
        ("b c = 1", {()}),
        ("[a.b c]", {("a",)}),
        ("[[a.b.c]\n", {("a", "b")}),
        ("[a", {()}),
        ("[", {()}),
        ("[a.b c]\nd = x", {("a",)}),
        ("a = '''\n[b]\nc = '''d", {()}),
        ("[a]\n[a]\nb = x", set[Path]()),
    ],
)
def test_what_could_not_be_read_is_known(source: str, lost: set[Path]) -> None:
    assert read(source).lost == lost


def test_what_follows_a_header_that_cannot_be_read_belongs_to_no_table() -> None:
    assert read("[a]\n[b c]\nd = 1\n[e]\nf = 1").data == {"a": {}, "e": {"f": 1}}


def test_a_table_defined_again_is_not_mixed_with_the_first() -> None:
    document = read("[a]\nb = 1\n[a]\nb = 2\nc = 3")
    assert document.data == {"a": {"b": 1}}
    assert not document.lost


def test_lines_are_counted_alike_in_windows() -> None:
    assert read("a = 1\r\n\r\nb = '''\r\nc'''\r\n").lines == {("a",): 1, ("b",): 3}


@pytest.mark.parametrize(
    ("source", "span"),
    [
        ("a = 'x'", (1, 1)),
        ("a = '''x'''", (1, 1)),
        ("a = '''\nx\ny'''", (2, 3)),
        ('\na = """x\ny\n"""', (2, 4)),
        ('a = """\\\n x"""', (1, 2)),
    ],
)
def test_the_lines_between_the_quotes_are_known(source: str, span: tuple[int, int]) -> None:
    assert read(source).texts == {("a",): span}


def test_an_empty_document_is_empty() -> None:
    assert read("  \n# nothing") == Document(data={})
    assert Fault(1, "a") < Fault(2, "a")
