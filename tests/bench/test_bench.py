"""The bench itself: that it counts what happened, and tells a wrong answer from a right one."""

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.bench import plan, stage
from tests.bench.budgets import (
    BUSY,
    CALM,
    CROWD,
    DATABASE,
    FLOWING,
    HOT,
    IDLE,
    LIMITED,
    MODEL,
    PAIRS,
    QUIET,
    SERVER,
    Figures,
    Flow,
    Row,
    judge,
)
from tests.bench.plan import Outcome, Plan, percentile


def outcome(rate: float, *, p50_ms: float = 1.0, cpu: float = 0.1) -> Outcome:
    return Outcome(
        requests=round(rate),
        seconds=1.0,
        p50_ms=p50_ms,
        p99_ms=2.0,
        max_ms=3.0,
        generator_cpu=0.2,
        cpu_seconds={SERVER: cpu, DATABASE: 0.0},
        unexpected=0,
        sample="",
    )


def figures(*rows: tuple[str, Outcome]) -> Figures:
    return Figures(
        rows=[Row(name=name, clients=CROWD, workers=1, outcome=each) for name, each in rows],
        pgbench=500,
        growth=1.0,
        memory_mb=120,
        ready_seconds=2,
        ceiling=100_000,
        sign_ins=20,
        flows=[Flow(way="RabbitMQ", rate=1200, p50_ms=10, p99_ms=300)],
    )


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([1, 2, 3, 4], 0.5) == 2
    assert percentile([1, 2, 3, 4], 0.99) == 4
    assert percentile([], 0.5) == 0


def test_a_budget_is_judged_by_the_run_of_median_rate() -> None:
    runs = [(IDLE, outcome(rate)) for rate in (900, 1000, 5000)] + [
        (HOT, outcome(600)),
        (MODEL, outcome(100)),
        (PAIRS, outcome(500, cpu=0.1)),
        (LIMITED, outcome(500, cpu=0.2)),
        (QUIET, outcome(500)),
        (BUSY, replace(outcome(500), p99_ms=4.0)),
        (CALM, outcome(500)),
        (FLOWING, outcome(400)),
    ]
    verdicts = {each.budget: each for each in judge(figures(*runs))}
    reserve, model = verdicts["reserve / no-op endpoint"], verdicts["run through openai / no-op endpoint"]
    assert (reserve.measured, reserve.met) == (0.6, True)
    assert (model.measured, model.met) == (0.1, False)
    assert verdicts["CPU of the server per reserve, us"].met
    limits = verdicts["cost with a key's spend limit / without"]
    assert (limits.measured, limits.met) == (2.0, False)
    calm = verdicts["p99 of reserve during 20 sign-ins a second / quiet"]
    assert (calm.measured, calm.met) == (2.0, False)
    assert verdicts["sign-ins a second meanwhile"].met
    assert verdicts["events a second by RabbitMQ"].met
    assert not verdicts["p99 from commit to handled by RabbitMQ, ms"].met
    slowed = verdicts["reserve, quiet / during 1000 events a second"]
    assert (slowed.measured, slowed.met) == (1.25, False)


@pytest.mark.parametrize(("expect", "wrong"), [({200}, False), ({201}, True)])
def test_the_generator_counts_answers_and_keeps_a_wrong_one(
    tmp_path: Path, *, expect: set[int], wrong: bool
) -> None:
    with stage.upstream(log=tmp_path / "log") as nothing:
        counted = plan.run(
            Plan(
                port=nothing.port,
                connections=4,
                warm_up=0.05,
                seconds=0.2,
                requests=[plan.request("GET", "/", headers={"Idempotency-Key": "{nonce}"})],
                expect=frozenset(expect),
                watch={SERVER: nothing.pid},
            )
        )
    assert counted.requests > 0
    assert counted.p50_ms <= counted.p99_ms <= counted.max_ms
    assert counted.unexpected == (counted.requests if wrong else 0)
    assert counted.sample.startswith("200") is wrong


def test_a_request_that_follows_counts_with_the_first_as_one(tmp_path: Path) -> None:
    with stage.upstream(log=tmp_path / "log") as service:
        counted = plan.run(
            Plan(
                port=service.port,
                connections=2,
                warm_up=0.05,
                seconds=0.2,
                requests=[plan.request("POST", "/chat/completions", body={})],
                then=plan.request("POST", "/{id}/commit", body={}),
                watch={},
            )
        )
    assert counted.requests > 0
    assert not counted.unexpected


def test_what_does_not_start_is_told_with_what_it_said(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="No module named"),
        stage.service(
            ["python3", "-m", "no_such_module_here"],
            port=stage.free_port(),
            probe="/",
            log=tmp_path / "log",
            env={"PATH": os.environ["PATH"]},
        ),
    ):
        pytest.fail("it started")
