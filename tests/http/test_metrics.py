from typing import Any

import httpx
import pytest
from dishka import Provider, Scope, make_async_container
from litestar import Litestar
from litestar.datastructures import State
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from adapters.metrics import PoolUse, PrometheusMeter
from entrypoints.http.metrics import HttpMetrics, metrics, serve_metrics


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


async def scrape(registry: CollectorRegistry, accept: str = "*/*") -> httpx.Response:
    provider = Provider(scope=Scope.APP)
    provider.provide(lambda: registry, provides=CollectorRegistry)
    services = make_async_container(provider)
    app: Any = Litestar(
        [metrics], state=State({"services": services}), openapi_config=None, logging_config=None
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get("/metrics", headers={"Accept": accept})
    await services.close()
    return answer


async def test_a_scrape_gets_everything_that_was_counted(registry: CollectorRegistry) -> None:
    meter = PrometheusMeter(registry)
    meter.batch(3, 0.002)
    meter.command("reserve", "done")
    meter.command("reserve", "done")
    meter.command("reserve", "insufficient_credits")
    HttpMetrics(registry).request("POST", "/v1/reservations", 201, 0.003)
    answer = await scrape(registry)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples["cuebx_batch_size_bucket", "2.0"] == 0
    assert samples["cuebx_batch_size_bucket", "4.0"] == 1
    assert samples["cuebx_batch_seconds_sum",] == 0.002
    assert samples["cuebx_commands_total", "reserve", "done"] == 2
    assert samples["cuebx_commands_total", "reserve", "insufficient_credits"] == 1
    assert samples["cuebx_http_requests_total", "POST", "/v1/reservations", "201"] == 1


async def test_a_prometheus_that_asks_for_openmetrics_gets_it(registry: CollectorRegistry) -> None:
    answer = await scrape(registry, accept="application/openmetrics-text; version=1.0.0")
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


async def test_the_use_of_the_pool_is_told_as_it_is_now(
    engine: AsyncEngine, registry: CollectorRegistry
) -> None:
    registry.register(PoolUse(engine))

    def connections(state: str) -> float | None:
        return registry.get_sample_value("cuebx_pool_connections", {"state": state})

    assert registry.get_sample_value("cuebx_pool_size") == 20
    async with engine.connect():
        assert (connections("in_use"), connections("idle")) == (1, 0)
    assert (connections("in_use"), connections("idle")) == (0, 1)


def test_an_engine_without_a_pool_has_no_use_of_it_to_tell(registry: CollectorRegistry) -> None:
    registry.register(PoolUse(create_async_engine("postgresql+asyncpg://nowhere/", poolclass=NullPool)))
    assert registry.get_sample_value("cuebx_pool_size") is None


async def test_a_process_also_answers_on_a_port_of_its_own(registry: CollectorRegistry) -> None:
    HttpMetrics(registry).request("GET", "/health/live", 200, 0.001)
    with serve_metrics(registry, host="127.0.0.1", port=0) as port:
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"http://127.0.0.1:{port}/metrics")
    assert 'cuebx_http_requests_total{method="GET",route="/health/live",status="200"} 1.0' in answer.text
