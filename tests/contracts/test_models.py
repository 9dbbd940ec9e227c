"""What every model does, the echo and a service alike."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest

from adapters.clock import SystemClock
from adapters.models.echo import EchoModel
from adapters.models.http import ModelHttp
from adapters.models.openai import Endpoint, OpenAIModel
from adapters.models.routed import RoutedModels
from application.features.ports import Model
from domain.features.errors import ModelNotConfigured
from domain.features.run import Call, Finish
from tests.fakes.upstream import Upstream

TEXT = "Warum ist der Himmel blau?"
ANY = "{}"


def call(text: str = TEXT, *, schema: str = ANY, max_output_tokens: int = 100) -> Call:
    document: Mapping[str, object] = {"text": text}
    return Call(
        feature="echo",
        document=document,
        prompt=f'"{text}"',
        schema=schema,
        max_output_tokens=max_output_tokens,
        timeout=30,
    )


@pytest.fixture
async def openai() -> AsyncIterator[Model]:
    http = ModelHttp()
    async with Upstream() as upstream:
        yield OpenAIModel(http, Endpoint(base_url=upstream.url, model="local"), SystemClock())
        await http.close()


@pytest.fixture
def echo() -> Model:
    return EchoModel()


@pytest.fixture(params=["echo", "openai"])
def model(request: pytest.FixtureRequest) -> Model:
    chosen: Model = request.getfixturevalue(request.param)
    return chosen


async def test_it_answers_and_counts(model: Model) -> None:
    completion = await model.complete(call())
    assert completion.text == f'"{TEXT}"'
    assert completion.finish is Finish.COMPLETE
    assert completion.usage is not None
    assert completion.usage.input_tokens == 7
    assert completion.usage.output_tokens == 7


async def test_it_says_by_which_name_the_usage_is_recorded(model: Model) -> None:
    assert (await model.complete(call())).model in {"echo", "local"}


async def test_it_says_the_same_again(model: Model) -> None:
    assert await model.complete(call()) == await model.complete(call())


async def test_calls_at_once_get_each_their_own_answer(model: Model) -> None:
    texts = [f"text {number}" for number in range(50)]
    completions = await asyncio.gather(*(model.complete(call(text)) for text in texts))
    assert [each.text for each in completions] == [f'"{text}"' for text in texts]


async def test_it_keeps_to_the_bound_of_output_tokens(model: Model) -> None:
    completion = await model.complete(call("x" * 1000, max_output_tokens=5))
    assert completion.usage is not None
    assert completion.usage.output_tokens <= 5


async def test_an_alias_finds_its_model_and_any_other_the_rest(echo: Model, openai: Model) -> None:
    models = RoutedModels({"fast": openai}, otherwise=echo)
    assert models.find("fast") is openai
    assert models.find("slow") is echo


@pytest.mark.parametrize("alias", ["gpt-4.1", "gpt_4_1", "gpt.4-1"])
async def test_dots_and_dashes_of_an_alias_are_underscores_in_settings(
    echo: Model, openai: Model, alias: str
) -> None:
    assert RoutedModels({"gpt_4_1": openai}, otherwise=echo).find(alias) is openai


async def test_an_alias_without_a_model_is_not_configured(openai: Model) -> None:
    with pytest.raises(ModelNotConfigured) as refusal:
        RoutedModels({"fast": openai}).find("slow")
    assert refusal.value.model == "slow"
    assert "'slow'" in str(refusal.value)
