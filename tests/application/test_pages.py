import pytest

from application.pages import Page


@pytest.mark.parametrize(
    ("found", "items", "more"),
    [([], [], False), ([1], [1], False), ([1, 2], [1, 2], False), ([1, 2, 3], [1, 2], True)],
)
def test_a_page_of_two_knows_whether_anything_follows(
    found: list[int], items: list[int], *, more: bool
) -> None:
    assert Page.of(found, 2) == Page(items, more=more)
