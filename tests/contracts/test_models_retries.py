"""What is worth another attempt gets one, in its time."""

from collections.abc import AsyncIterator
from datetime import timedelta
from email.utils import format_datetime

import pytest

from adapters.models.openai import ATTEMPTS
from domain.features.errors import ModelFailed
from tests.contracts.test_models import call
from tests.fakes.endpoint import Setting, a_setting, cases
from tests.fakes.features import SetClock
from tests.fakes.upstream import Part, answers, breaks_off, hangs_up, says


@pytest.fixture
async def setting() -> AsyncIterator[Setting]:
    async with a_setting() as setting:
        yield setting


@pytest.mark.parametrize("status", [302, 400, 401, 404, 422])
async def test_a_refusal_is_not_asked_for_again(setting: Setting, status: int) -> None:
    with pytest.raises(ModelFailed) as failure:
        await setting.complete(call(), answers({}, status=status, location="http://127.0.0.1:1/"))
    assert failure.value.upstream_status == status
    assert len(setting.upstream.received) == 1


@pytest.mark.parametrize(
    "part",
    cases(
        error=answers({}, status=500),
        unavailable=answers({}, status=503),
        too_many=answers({}, status=429),
        no_answer=hangs_up,
        half_an_answer=breaks_off,
    ),
)
async def test_what_may_pass_is_tried_again(setting: Setting, part: Part) -> None:
    assert (await setting.complete(call(), part, part, says("[]"))).text == "[]"
    first, second = setting.pauses
    assert 0.125 <= first <= 0.25
    assert 0.25 <= second <= 0.5


@pytest.mark.parametrize(
    ("part", "status"), cases(error=(answers({}, status=502), 502), no_answer=(hangs_up, None))
)
async def test_after_three_attempts_it_gives_up(setting: Setting, part: Part, status: int | None) -> None:
    with pytest.raises(ModelFailed) as failure:
        await setting.complete(call(), *[part] * (ATTEMPTS + 1))
    assert failure.value.upstream_status == status
    assert len(setting.upstream.received) == ATTEMPTS


async def test_a_service_that_is_not_there_is_tried_again(setting: Setting) -> None:
    with pytest.raises(ModelFailed) as failure:
        await setting.model(base_url="http://127.0.0.1:1/v1").complete(call())
    assert failure.value.upstream_status is None
    assert len(setting.pauses) == ATTEMPTS - 1


def in_seconds(seconds: int) -> str:
    return format_datetime(SetClock().now() + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    "said", cases(seconds="7", date=in_seconds(7), without_zone=in_seconds(7).replace("GMT", "-0000"))
)
async def test_it_waits_as_long_as_it_is_told(setting: Setting, said: str) -> None:
    await setting.complete(call(), answers({}, status=429, retry_after=said), says("{}"))
    assert setting.pauses == [7.0]


@pytest.mark.parametrize(
    "said", cases(now="0", word="soon", negative="-5", past=in_seconds(-60), not_ascii="١٢")
)
async def test_a_time_that_is_none_is_not_waited_for(setting: Setting, said: str) -> None:
    said = said.encode().decode("latin-1")
    await setting.complete(call(), answers({}, status=429, retry_after=said), says("{}"))
    assert setting.pauses[0] <= 0.25


@pytest.mark.parametrize("said", cases(at_its_end="30", tomorrow="86400", never="9" * 400))
async def test_it_does_not_wait_past_its_time(setting: Setting, said: str) -> None:
    with pytest.raises(ModelFailed) as failure:
        await setting.complete(call(), answers({}, status=429, retry_after=said))
    assert failure.value.upstream_status == 429
    assert setting.pauses == []
