from uuid import UUID

import pytest

from domain.features.errors import (
    RUN_FAILURES,
    InvalidInput,
    ModelFailed,
    ModelLate,
    ModelNotConfigured,
    ModelRefused,
    OutputInvalid,
    OutputTruncated,
    OutputUnaffordable,
    PromptUnrenderable,
    RunInProgress,
    RunInterrupted,
    ServerStopping,
)
from domain.features.fault import Fault, pointer
from domain.features.run import run_text
from domain.features.tokens import PER_CALL, about_tokens, most_tokens, units_of
from domain.ids import AccountId, ReservationId, parse_typeid


def test_a_run_is_named_after_its_account_and_its_reservation() -> None:
    account, id = UUID(int=1), UUID(int=2)
    text = run_text(AccountId(account), ReservationId(id))
    assert text.startswith("run_")
    assert parse_typeid("run", text, count=2) == (account, id)


@pytest.mark.parametrize(
    ("steps", "path"), [([], ""), (["a", 0], "/a/0"), (["a/b", "c~d"], "/a~1b/c~0d"), ([""], "/")]
)
def test_a_place_is_told_as_a_json_pointer(steps: list[str | int], path: str) -> None:
    assert pointer(steps) == path


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("ää", 1), ("äää", 2)]
)
def test_the_usual_number_of_tokens_is_a_quarter_of_the_bytes(text: str, tokens: int) -> None:
    assert about_tokens(text) == tokens


def test_no_tokenizer_makes_more_tokens_than_there_are_bytes() -> None:
    assert most_tokens("abc", "äö") == PER_CALL + 3 + 4


@pytest.mark.parametrize(
    ("document", "units_from", "units"),
    [
        ({"items": [1, 2, 3]}, "items", 3),
        ({"items": []}, "items", 0),
        ({"items": "text"}, "items", 0),
        ({}, "items", 0),
        ([1, 2], "items", 0),
        ({"items": [1]}, None, 0),
    ],
)
def test_units_are_counted_in_the_array_that_the_feature_names(
    document: object, units_from: str | None, units: int
) -> None:
    assert units_of(document, units_from) == units


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (InvalidInput((Fault("/text", "too long"), Fault("", "x"))), "/text: too long"),
        (InvalidInput((Fault("", "no object"),)), "the whole: no object"),
        (RunInProgress(), "not ended yet"),
        (RunInterrupted(), "new Idempotency-Key"),
        (ServerStopping(), "send it again"),
        (ModelNotConfigured("fast"), "'fast'"),
        (PromptUnrenderable(), "template"),
        (ModelFailed(), "gave no answer"),
        (ModelFailed(200), "cannot be read"),
        (ModelFailed(503), "status 503"),
        (ModelLate(20), "within 20 s"),
        (ModelRefused(), "refused"),
        (OutputInvalid(path="/a", reason="too long"), "(too long)"),
        (OutputTruncated(100), "100 output tokens"),
        (OutputUnaffordable(7), "pay for 7 output tokens"),
    ],
)
def test_every_error_says_what_is_wrong(error: Exception, told: str) -> None:
    assert told in str(error)


def test_every_failure_of_a_run_has_a_code_of_its_own_and_says_that_nothing_was_charged() -> None:
    assert len({failure.code for failure in RUN_FAILURES}) == len(RUN_FAILURES)
    failures = [
        ModelFailed(),
        ModelLate(1),
        ModelRefused(),
        OutputInvalid("", ""),
        OutputTruncated(1),
        OutputUnaffordable(1),
    ]
    assert {type(each) for each in failures} == set(RUN_FAILURES)
    assert all("nothing was charged" in str(each) for each in failures)
