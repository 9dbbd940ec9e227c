"""A feature is run, and what it used is charged."""

import asyncio
from datetime import timedelta

import pytest

from application.features.prepare import MARGIN
from domain.catalog.errors import FeatureMissing
from domain.credits import MICRO, PICO, Price, Quantity
from domain.features.errors import InvalidInput, ModelNotConfigured, PromptUnrenderable
from domain.features.fault import Fault
from domain.features.tokens import about_tokens, most_tokens
from domain.usage.errors import FeatureNotInPlan, InsufficientCredits
from domain.usage.limits import Limit, RateLimited, Standing
from domain.usage.reservation import State
from tests.fakes.features import a_feature, said
from tests.fakes.runs import opened

UNTOUCHED = (1000 * MICRO, 0, 0)
LIST_IN = {"type": "object", "properties": {"text": {"type": "array"}}}


async def test_it_answers_and_charges_what_was_used() -> None:
    stage = await opened()
    result = await stage.run()
    assert result.output == {"text": "hi"}
    assert result.usage == Quantity(input_tokens=3, output_tokens=10)
    assert (result.charged, result.available) == (2 * MICRO, 998 * MICRO)
    assert (result.feature, result.model, result.replayed) == ("echo", "scripted", False)
    assert (result.account, result.id) == (stage.customer.account, stage.reservation.id)
    assert stage.books == (998 * MICRO, 0, 2 * MICRO)


async def test_the_usage_is_recorded_with_the_key_the_model_and_its_time() -> None:
    stage = await opened()
    stage.model.gate.clear()
    running = asyncio.create_task(stage.run())
    await stage.model.asked.wait()
    stage.clock.pass_by(milliseconds=1500)
    stage.model.gate.set()
    await running
    (record,) = stage.desk.records
    assert (record.key, record.feature) == (stage.customer.key, "echo")
    assert (record.model, record.latency_ms) == ("scripted", 1500)
    assert record.charged == 2 * MICRO


async def test_a_clock_that_is_set_back_makes_no_negative_time() -> None:
    stage = await opened()
    stage.model.gate.clear()
    running = asyncio.create_task(stage.run())
    await stage.model.asked.wait()
    stage.clock.pass_by(seconds=-5)
    stage.model.gate.set()
    await running
    assert stage.desk.records[0].latency_ms == 0


async def test_the_model_gets_the_prompt_and_the_bounds() -> None:
    stage = await opened()
    await stage.run("hello")
    (call,) = stage.model.calls
    assert (call.feature, call.prompt, call.document) == ("echo", "Say: hello", {"text": "hello"})
    assert (call.max_output_tokens, call.timeout) == (100, 20)


async def test_the_most_that_it_may_cost_is_held_while_the_model_thinks() -> None:
    stage = await opened()
    stage.model.gate.clear()
    running = asyncio.create_task(stage.run("hello"))
    await stage.model.asked.wait()
    held = stage.reservation
    assert held.state is State.STARTED
    assert held.held == 11 * MICRO
    assert held.estimate.input_tokens == most_tokens("Say: hello", stage.model.calls[0].schema)
    assert held.expires_at == stage.clock.now() + timedelta(seconds=20) + MARGIN
    stage.model.gate.set()
    await running
    assert stage.reservation.state is State.COMMITTED


async def test_holding_and_starting_is_one_step() -> None:
    stage = await opened()
    await stage.run()
    assert stage.away.asked == ["Begin", "Commit"]


async def test_what_a_model_does_not_count_is_charged_by_its_length() -> None:
    stage = await opened()
    answer = '{"text": "' + "x" * 80 + '"}'
    stage.model.answer = said(answer, tokens=None)
    result = await stage.run("hello")
    assert result.usage == Quantity(
        input_tokens=about_tokens("Say: hello"), output_tokens=about_tokens(answer)
    )


async def test_nothing_uncounted_is_charged_above_the_bound() -> None:
    stage = await opened(a_feature(max_output_tokens=5))
    stage.model.answer = said('{"text": "' + "x" * 80 + '"}', tokens=None)
    assert (await stage.run()).usage.output_tokens == 5


async def test_units_are_counted_in_the_input() -> None:
    feature = a_feature(price=Price(per_unit=PICO), units_from="text", input_schema=LIST_IN)
    stage = await opened(feature)
    result = await stage.run(["a", "b", "c"])
    assert (result.usage.units, result.charged) == (3, 3 * MICRO)


async def test_a_test_key_goes_through_everything_and_pays_nothing() -> None:
    stage = await opened()
    stage.as_test()
    result = await stage.run()
    assert (result.charged, result.output) == (0, {"text": "hi"})
    assert stage.books == UNTOUCHED
    (record,) = stage.desk.records
    assert (record.test, record.cost) == (True, 2 * MICRO)


async def test_where_the_credits_are_few_fewer_tokens_are_asked_for() -> None:
    stage = await opened(granted=4)
    assert (await stage.run()).charged == 2 * MICRO
    assert stage.model.calls[0].max_output_tokens == 30


async def test_what_cannot_be_paid_at_all_is_not_run() -> None:
    stage = await opened(granted=1)
    with pytest.raises(InsufficientCredits):
        await stage.run()
    assert stage.model.calls == []


async def test_input_that_breaks_the_schema_is_refused_before_anything_is_counted() -> None:
    stage = await opened(per_minute=1)
    with pytest.raises(InvalidInput) as refusal:
        await stage.run(7)
    assert refusal.value.faults == (Fault("/text", 'the value is not of type "string"'),)
    assert stage.away.asked == []
    await stage.run()


async def test_the_limits_of_the_plan_are_kept_and_told() -> None:
    stage = await opened(per_minute=2)
    assert (await stage.run()).standings == (Standing(Limit("minute", 2, 60), 1, 60),)
    await stage.run()
    with pytest.raises(RateLimited):
        await stage.run()
    assert len(stage.model.calls) == 2


async def test_a_feature_that_is_not_there_is_missing() -> None:
    stage = await opened()
    with pytest.raises(FeatureMissing):
        await stage.run_feature(stage.customer, "nothing", {})


async def test_a_feature_that_the_plan_lacks_is_denied() -> None:
    stage = await opened(tariffs={})
    with pytest.raises(FeatureNotInPlan):
        await stage.run()
    assert stage.model.calls == []


async def test_without_an_endpoint_for_its_model_a_feature_does_not_run() -> None:
    stage = await opened(a_feature(model="other"), per_minute=1)
    with pytest.raises(ModelNotConfigured):
        await stage.run()
    assert stage.away.asked == []


async def test_a_prompt_that_cannot_be_filled_in_holds_nothing() -> None:
    stage = await opened(a_feature(prompt="{{ input.text / 2 }}"))
    with pytest.raises(PromptUnrenderable):
        await stage.run()
    assert stage.away.asked == []
