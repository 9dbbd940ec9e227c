"""What a process is made of. Only it, and `people`, `messaging` and `jobs` beside it, name adapters."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from secrets import token_bytes

from dishka import (
    STRICT_VALIDATION,
    AsyncContainer,
    Provider,
    Scope,
    from_context,
    make_async_container,
    provide,
)
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from uuid_utils.compat import uuid7

from adapters.catalog_file.files import TomlCatalogFiles
from adapters.catalog_file.schemas import JsonSchemaRules
from adapters.catalog_file.templates import JinjaTemplateRules
from adapters.clock import SystemClock
from adapters.memory.limits import MemoryRateLimiter
from adapters.metrics import PoolUse, PrometheusMeter
from adapters.models.echo import EchoModel
from adapters.models.prompts import JinjaPrompts
from adapters.models.routed import RoutedModels
from adapters.postgres.audit import SqlAuditor
from adapters.postgres.catalog_cache import SqlCatalog
from adapters.postgres.directory import SqlAccountDirectory, SqlKeyring
from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.health import SqlHealth
from adapters.postgres.key_uses import SqlKeyUses
from adapters.postgres.ledger import SqlLedger
from adapters.postgres.listener import CATALOG_CHANGED, KEYS_CHANGED, OUTBOX_FILLED, Listener
from adapters.postgres.queued_runs import SqlQueuedRuns
from adapters.postgres.readers.usage import SqlUsageReader
from adapters.postgres.runs import SqlRuns
from adapters.postgres.terms import SqlTerms
from adapters.postgres.unit_of_work import SqlUnitOfWork
from adapters.security.schemas import JsonSchemas
from application.audit.ports import AuditTx
from application.catalog.check import CheckCatalog
from application.catalog.ports import Catalog, CatalogTx
from application.events.bell import Bell
from application.features.ports import Models, Prompts, Runs, Schemas
from application.features.queued import QueuedRuns
from application.features.run import RunFeature
from application.features.tell import TellTx
from application.health import CheckHealth, Dependency
from application.keys.ports import AccountDirectory, Keyring, KeysTx, KeyUses, Secrets
from application.metrics import Meter
from application.ports import Clock, NewId, UnitOfWork
from application.usage.grants import GrantsTx
from application.usage.ports import Auditor, Ledger, RateLimiter, UsageReader
from application.usage.spend_limits import SpendLimitsTx
from application.workspaces.ports import WorkspacesTx
from entrypoints.billing import Billing
from entrypoints.jobs import Jobs
from entrypoints.messaging import Messaging
from entrypoints.people import People
from entrypoints.settings import Profile, Settings
from entrypoints.use_cases import UseCases


@dataclass(frozen=True, slots=True)
class Limits:
    """Who counts calls, and what that needs."""

    limiter: RateLimiter
    needs: tuple[Dependency, ...] = ()


class Platform(Provider):
    scope = Scope.APP

    settings = from_context(Settings)
    sql_health = provide(SqlHealth)
    clock = provide(SystemClock, provides=Clock)

    @provide
    def check_catalog(self) -> CheckCatalog:
        return check_catalog()

    @provide
    def health(self, database: SqlHealth, limits: Limits) -> CheckHealth:
        return CheckHealth((database, *limits.needs))

    @provide
    def new_id(self) -> NewId:
        return uuid7

    @provide
    def secrets(self) -> Secrets:
        return token_bytes

    @provide
    async def engine(self, settings: Settings) -> AsyncIterator[AsyncEngine]:
        engine = make_engine(
            settings.database_url,
            pool_size=settings.pool_size,
            max_overflow=settings.max_overflow,
            pool_pre_ping=settings.pool_pre_ping,
            pool_recycle=settings.pool_recycle,
            command_timeout=settings.command_timeout,
        )
        yield engine
        await engine.dispose()

    @provide
    def sessions(self, engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
        return make_sessions(engine)

    @provide
    def registry(self, engine: AsyncEngine) -> CollectorRegistry:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        registry.register(PoolUse(engine))
        return registry

    @provide
    def meter(self, registry: CollectorRegistry) -> Meter:
        return PrometheusMeter(registry)

    @provide
    async def limits(self, settings: Settings) -> AsyncIterator[Limits]:
        own = MemoryRateLimiter()
        if settings.redis_url is None:
            yield Limits(own)
            return
        from adapters.redis.shared import shared_limits  # noqa: PLC0415 - large, and only some have a Redis

        async with shared_limits(settings.redis_url, own) as (limiter, health):
            yield Limits(limiter, (health,))

    @provide
    def limiter(self, limits: Limits) -> RateLimiter:
        return limits.limiter


class Books(Provider):
    """Everything that is kept in PostgreSQL."""

    scope = Scope.APP

    reader = provide(SqlUsageReader, provides=UsageReader)
    auditor = provide(SqlAuditor, provides=Auditor)
    runs = provide(SqlRuns, provides=Runs)
    queued_runs = provide(SqlQueuedRuns, provides=QueuedRuns)
    work = provide(SqlUnitOfWork)

    @provide
    def terms(self) -> SqlTerms:
        return SqlTerms()

    @provide
    async def ledger(
        self, engine: AsyncEngine, terms: SqlTerms, new_id: NewId, meter: Meter
    ) -> AsyncIterator[Ledger]:
        ledger = SqlLedger(engine, terms, new_id, meter)
        yield ledger
        await ledger.close()

    @provide
    def catalog_work(self, work: SqlUnitOfWork) -> UnitOfWork[CatalogTx]:
        return work

    @provide
    def audit_work(self, work: SqlUnitOfWork) -> UnitOfWork[AuditTx]:
        return work

    @provide
    def grants_work(self, work: SqlUnitOfWork) -> UnitOfWork[GrantsTx]:
        return work

    @provide
    def limits_work(self, work: SqlUnitOfWork) -> UnitOfWork[SpendLimitsTx]:
        return work

    @provide
    def keys_work(self, work: SqlUnitOfWork) -> UnitOfWork[KeysTx]:
        return work

    @provide
    def tell_work(self, work: SqlUnitOfWork) -> UnitOfWork[TellTx]:
        return work

    @provide
    def workspaces_work(self, work: SqlUnitOfWork) -> UnitOfWork[WorkspacesTx]:
        return work

    @provide
    def sql_catalog(self, sessions: async_sessionmaker[AsyncSession]) -> SqlCatalog:
        return SqlCatalog(sessions, monotonic=time.monotonic)

    @provide
    def catalog(self, catalog: SqlCatalog) -> Catalog:
        return catalog

    @provide
    def sql_keyring(self, sessions: async_sessionmaker[AsyncSession]) -> SqlKeyring:
        return SqlKeyring(sessions, time.monotonic)

    @provide
    async def key_uses(self, sessions: async_sessionmaker[AsyncSession]) -> AsyncIterator[KeyUses]:
        uses = SqlKeyUses(sessions)
        yield uses
        await uses.close()

    @provide
    def keyring(self, keyring: SqlKeyring) -> Keyring:
        return keyring

    @provide
    def directory(self, sessions: async_sessionmaker[AsyncSession]) -> AccountDirectory:
        return SqlAccountDirectory(sessions, time.monotonic)

    @provide
    async def listener(
        self, engine: AsyncEngine, keyring: SqlKeyring, catalog: SqlCatalog, bell: Bell
    ) -> AsyncIterator[Listener]:
        channels = {
            KEYS_CHANGED: lambda digest: keyring.cache.forget(bytes.fromhex(digest)),
            CATALOG_CHANGED: lambda _: catalog.forget(),
            OUTBOX_FILLED: lambda _: bell.ring(),
        }
        listener = Listener(engine, channels)
        listener.start()
        yield listener
        await listener.close()


class LanguageModels(Provider):
    scope = Scope.APP

    schemas = provide(JsonSchemas, provides=Schemas)
    prompts = provide(JinjaPrompts, provides=Prompts)

    @provide
    async def models(self, settings: Settings, clock: Clock) -> AsyncIterator[Models]:
        otherwise = EchoModel() if settings.profile is Profile.EMBEDDED else None
        if not settings.models:
            yield RoutedModels({}, otherwise=otherwise)
            return
        from adapters.models.connected import Endpoint, SchemaBy, connected  # noqa: PLC0415 - large, as above

        endpoints = {
            alias: Endpoint(
                base_url=each.url,
                model=each.name,
                api_key=each.key,
                schema_by=SchemaBy(each.response_format),
                limit=each.max_tokens_parameter,
            )
            for alias, each in settings.models.items()
        }
        async with connected(endpoints, clock, connections=settings.model_connections) as configured:
            yield RoutedModels(configured, otherwise=otherwise)


def check_catalog() -> CheckCatalog:
    """Needs no settings and no database."""
    return CheckCatalog(TomlCatalogFiles(), JsonSchemaRules(), JinjaTemplateRules())


def build(settings: Settings) -> AsyncContainer:
    """HTTP, the command line and whatever comes later all begin here. Close it when the process ends."""
    return make_async_container(
        UseCases(),
        Platform(),
        Books(),
        LanguageModels(),
        People(),
        Messaging(),
        Jobs(),
        Billing(),
        context={Settings: settings},
        validation_settings=STRICT_VALIDATION,
    )


async def listen(services: AsyncContainer) -> None:
    """Hear at once what other processes change. For a server; a command is over before that matters.

    Has at hand, too, what is large to load, so that no request has to wait for it.
    """
    await services.get(Listener)
    await services.get(RunFeature)
