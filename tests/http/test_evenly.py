"""What might tell whether an address is known takes the same time, known or not."""

import inspect

import pytest

from domain.identity.code import CodeRefused
from entrypoints.http import evenly as module
from entrypoints.http import identity
from entrypoints.http.evenly import evenly


class Watch:
    """Time passes by work and by sleep alone."""

    def __init__(self) -> None:
        self.now = 100.0

    async def work(self, seconds: float, refusal: Exception | None = None) -> str:
        self.now += seconds
        if refusal is not None:
            raise refusal
        return "done"

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.2])
async def test_it_takes_as_long_whatever_was_done(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(module, "FLOOR", 0.25)
    watch = Watch()
    answer = await evenly(watch.work(seconds), monotonic=lambda: watch.now, sleep=watch.sleep)
    assert (answer, watch.now) == ("done", 100.25)


async def test_a_refusal_takes_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FLOOR", 0.25)
    watch = Watch()
    with pytest.raises(CodeRefused):
        await evenly(watch.work(0.1, CodeRefused()), monotonic=lambda: watch.now, sleep=watch.sleep)
    assert watch.now == 100.25


def test_all_that_asks_for_an_address_and_does_more_for_a_known_one_is_even() -> None:
    source = inspect.getsource(identity)
    for name in ("sign_up", "confirm_email", "resend_code", "request_password_reset", "reset_password"):
        body = source.partition(f"async def {name}(")[2].partition("@lean_post")[0]
        assert "await evenly(" in body, name
