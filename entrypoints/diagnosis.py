"""What CueBX needs, whether it is there, and what to do where it is not."""

import asyncio
import platform
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from time import perf_counter

import httpx
from dishka import AsyncContainer
from msgspec import Struct

from application.catalog.ports import Catalog
from application.events.ports import Publisher
from application.health import CheckHealth, Finding
from domain.catalog.feature import settable
from domain.errors import DomainError
from entrypoints import container, settings
from entrypoints.settings import BadSettings, ModelEndpoint, Profile, Settings
from migrations import schema

_LEAST_FREE = 1 << 30  # bytes
_PATIENCE = 5.0  # seconds for a model's endpoint
_REFUSED = (401, 403)

_MENDING = {
    "database": "start it, or correct CUEBX_DATABASE_URL",
    "redis": "start it, or correct CUEBX_REDIS_URL; until then each process counts the limits for itself",
}


class Check(Struct, frozen=True, kw_only=True):
    """``needed``: without it CueBX does not do its work here. ``latency_ms`` where something was asked."""

    name: str
    ok: bool
    detail: str
    needed: bool = True
    mend: str = ""
    latency_ms: float | None = None


async def diagnose(facts: Path) -> list[Check]:
    """``facts`` are those of a `cuebx dev`, examined where the environment names no database."""
    checks = [_python(), _disk(facts.parent)]
    try:
        here = settings.load(local=facts)
    except BadSettings as error:
        mend = "see .env.example, or start `cuebx dev` here"
        return [*checks, *(Check(name="settings", ok=False, detail=each, mend=mend) for each in error.faults)]
    checks.append(Check(name="settings", ok=True, detail=f"profile {here.profile}"))
    services = container.build(here)
    try:
        findings = (await (await services.get(CheckHealth))()).findings
        checks += [_finding(each) for each in findings]
        checks.append(await _schema(here))
        checks += [each async for each in _rabbitmq(here, services)]
        checks += await asyncio.gather(*(_model(alias, each) for alias, each in here.models.items()))
        checks += [each async for each in _unmapped(here, await services.get(Catalog))]
    finally:
        await services.close()
    return checks


def _python() -> Check:
    ok = sys.version_info >= (3, 11)
    return Check(
        name="python", ok=ok, detail=platform.python_version(), mend="" if ok else "use Python 3.11 or newer"
    )


def _disk(data: Path) -> Check:
    place = next(each for each in (data.absolute(), *data.absolute().parents) if each.exists())
    free = shutil.disk_usage(place).free
    return Check(
        name="disk",
        ok=free >= _LEAST_FREE,
        needed=False,
        detail=f"{free / _LEAST_FREE:.1f} GiB free at {place}",
        mend="" if free >= _LEAST_FREE else "make room: PostgreSQL stops when a disk is full",
    )


def _finding(found: Finding) -> Check:
    return Check(
        name=found.name,
        ok=found.ok,
        detail=found.detail,
        mend="" if found.ok else _MENDING.get(found.name, ""),
        latency_ms=round(found.latency * 1000, 1),
    )


async def _schema(here: Settings) -> Check:
    try:
        drift = await schema.drift(here.database_url)
    except DomainError as error:
        return Check(name="schema", ok=False, detail=str(error), mend=_MENDING["database"])
    if drift.revisions:
        detail = f"missing: {', '.join(drift.revisions)}"
        return Check(name="schema", ok=False, detail=detail, mend="run `cuebx db upgrade`")
    if drift.statements:
        detail = f"{len(drift.statements)} differences"
        return Check(name="schema", ok=False, detail=detail, mend="`cuebx db check` names them")
    return Check(name="schema", ok=True, detail="up to date")


async def _rabbitmq(here: Settings, services: AsyncContainer) -> AsyncIterator[Check]:
    if here.rabbitmq_url is None:
        return
    started = perf_counter()
    try:
        await (await services.get(Publisher)).publish([])
    except DomainError as error:
        mend = "start it, or correct CUEBX_RABBITMQ_URL; until then what is committed waits in the database"
        yield Check(name="rabbitmq", ok=False, detail=str(error), mend=mend)
        return
    latency = round((perf_counter() - started) * 1000, 1)
    yield Check(name="rabbitmq", ok=True, detail="answers, and has its queues", latency_ms=latency)


async def _model(alias: str, endpoint: ModelEndpoint) -> Check:
    """Asks for the list of models, which costs nothing."""
    name = f"model {alias}"
    headers = {"authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
    started = perf_counter()
    try:
        async with httpx.AsyncClient(timeout=_PATIENCE) as client:
            answer = await client.get(f"{endpoint.url.rstrip('/')}/models", headers=headers)
    except httpx.HTTPError as error:
        mend = f"start it, or correct CUEBX_MODEL_{alias.upper()}_URL"
        return Check(name=name, ok=False, detail=f"no answer: {type(error).__name__}", mend=mend)
    ok = answer.status_code not in _REFUSED
    return Check(
        name=name,
        ok=ok,
        detail=f"{endpoint.name}, answers with status {answer.status_code}",
        mend="" if ok else f"correct CUEBX_MODEL_{alias.upper()}_KEY",
        latency_ms=round((perf_counter() - started) * 1000, 1),
    )


async def _unmapped(here: Settings, catalog: Catalog) -> AsyncIterator[Check]:
    if here.profile is Profile.EMBEDDED:
        return
    try:
        features = await catalog.features()
    except (DomainError, OSError):
        return  # the database is away, and said to be so
    for alias in sorted({each.model for each in features if settable(each.model) not in here.models}):
        keys = ", ".join(each.key for each in features if each.model == alias)
        yield Check(
            name=f"model {alias}",
            ok=False,
            needed=False,
            detail=f"not set, so these cannot be run: {keys}",
            mend=f"set CUEBX_MODEL_{settable(alias).upper()}_URL, _NAME and _KEY",
        )
