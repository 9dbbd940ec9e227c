import pytest

from adapters.models.prompts import JinjaPrompts
from domain.features.errors import PromptUnrenderable
from tests.fakes.features import a_feature


def rendered(template: str, **document: object) -> str:
    return JinjaPrompts().render(a_feature(prompt=template), document)


def test_a_template_is_filled_in_with_the_input() -> None:
    assert rendered("Say: {{ input.text }}!", text="hello") == "Say: hello!"


def test_the_input_is_never_a_template_itself() -> None:
    assert rendered("{{ input.text }}", text="{{ 1 + 1 }}{% raise %}") == "{{ 1 + 1 }}{% raise %}"


def test_nothing_is_escaped_for_html() -> None:
    assert rendered("{{ input.text }} {{ input | tojson }}", text="<ä>") == '<ä> {"text": "<ä>"}'


def test_a_member_that_is_not_there_reads_as_nothing() -> None:
    template = "[{{ input.tone }}{{ input.a.b.c }}{% if input.tone is defined %}x{% endif %}]"
    assert rendered(template) == "[]"


def test_a_member_comes_before_the_method_of_that_name() -> None:
    assert (
        rendered("{{ input.items | join(' ') }} {{ input['keys'] }}", items=["a", "b"], keys="k") == "a b k"
    )


def test_members_can_be_gone_through() -> None:
    template = "{% for name, value in input.items() %}\n{{ name }}={{ value }}\n{% endfor %}"
    assert rendered(template, a=1, b=2) == "a=1\nb=2\n"


@pytest.mark.parametrize(
    "template",
    [
        "{{ input.text.__class__.__mro__[1].__subclasses__() }}",
        "{{ input.text / 2 }}",
        "{{ missing() }}",
        "{% for i in range(10 ** 12) %}{% endfor %}",
        "{{ input.list.append(1) }}",
        "{% unknown %}",
    ],
)
def test_a_template_that_goes_wrong_is_the_fault_of_its_author(template: str) -> None:
    with pytest.raises(PromptUnrenderable):
        rendered(template, text="hello", list=[])


def test_the_newest_version_is_what_counts() -> None:
    prompts = JinjaPrompts()
    assert prompts.render(a_feature(), {"text": "a"}) == "Say: a"
    assert prompts.render(a_feature(), {"text": "b"}) == "Say: b"
    assert prompts.render(a_feature(version=2, prompt="Sing: {{ input.text }}"), {"text": "c"}) == "Sing: c"
