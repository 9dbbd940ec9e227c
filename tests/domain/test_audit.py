from domain.audit.entry import changes


def test_only_what_differs_is_told() -> None:
    assert changes({"a": 1, "b": 2}, {"a": 1, "b": 3}) == ({"b": 2}, {"b": 3})


def test_what_is_new_was_nothing_before() -> None:
    assert changes({"a": 1}, {"b": None, "a": 1, "c": 2}) == ({"c": None}, {"c": 2})
