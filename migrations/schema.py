"""Brings a database to the schema of this version, and says how far it is from it.

There is no alembic.ini: the migrations stand beside this file, in a clone and in a wheel alike.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from alembic import command
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations.ops import MigrateOperation, UpgradeOps
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from sqlalchemy import Connection, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from adapters.postgres.engine import asyncpg_url
from adapters.postgres.records import WorkspaceRecord
from domain.errors import Conflict, Unavailable

T = TypeVar("T")
METADATA = WorkspaceRecord.metadata  # whole: importing one record imports all
# Any number that nothing else on the database locks: "cuebx" in ASCII.
_LOCK = 0x6375656278
CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What a database lacks: revisions not yet run, or statements that would bring it in line."""

    revisions: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()


@dataclass(eq=False)
class SchemaUnreachable(Unavailable):
    code: ClassVar[str] = "database_unreachable"
    reason: str

    def __str__(self) -> str:
        return f"the database cannot be reached: {self.reason}"


@dataclass(eq=False)
class SchemaNewer(Conflict):
    code: ClassVar[str] = "schema_newer"
    revision: str

    def __str__(self) -> str:
        return f"the database is at revision {self.revision}, which only a newer version of CueBX knows"


@dataclass(eq=False)
class SchemaBehind(Conflict):
    code: ClassVar[str] = "schema_behind"
    revisions: tuple[str, ...]

    def __str__(self) -> str:
        return "the database is behind this version: run `cuebx db upgrade`"


def config() -> Config:
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    made.set_main_option("file_template", "m%%(year)d%%(month).2d%%(day).2d_%%(slug)s")
    hook = {"hooks": "ruff", "ruff.type": "module", "ruff.module": "ruff"}
    for name, value in (hook | {"ruff.options": "format REVISION_SCRIPT_FILENAME"}).items():
        made.set_section_option("post_write_hooks", name, value)
    return made


async def upgrade(url: str) -> None:
    """Runs what is missing, in one transaction. Processes that start at once take turns."""
    await _connected(url, lambda connection: _command(connection, command.upgrade, "heads"))


async def downgrade(url: str, revision: str = "base") -> None:
    await _connected(url, lambda connection: _command(connection, command.downgrade, revision))


async def revise(url: str, message: str) -> None:
    """Writes a migration of what the records have and the database has not."""

    def write(settings: Config, message: str) -> None:
        command.revision(settings, message, autogenerate=True)

    await _connected(url, lambda connection: _command(connection, write, message))


async def missing(url: str) -> tuple[str, ...]:
    """The revisions, oldest first, that the database has not seen: nothing if it is up to date.

    Raises SchemaNewer and, like everything here, SchemaUnreachable.
    """
    return await _connected(url, _missing)


async def require(url: str) -> None:
    """Raises SchemaUnreachable, SchemaNewer or SchemaBehind where this version cannot work on it."""
    if revisions := await missing(url):
        raise SchemaBehind(revisions)


async def drift(url: str) -> Drift:
    """Compares the whole schema where no revision is missing."""
    return await _connected(url, _drift)


async def _connected(url: str, work: Callable[[Connection], T]) -> T:
    try:
        engine = create_async_engine(
            asyncpg_url(url), poolclass=NullPool, connect_args={"timeout": CONNECT_SECONDS}
        )
        connection = await engine.connect()
    except (OSError, ArgumentError, DBAPIError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        said = str(reason).splitlines() or [f"it did not answer within {CONNECT_SECONDS:g} s"]
        raise SchemaUnreachable(reason=said[0]) from error
    try:
        async with connection.begin():
            return await connection.run_sync(work)
    finally:
        await connection.close()


def _command(connection: Connection, run: Callable[[Config, str], None], revision: str) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    _missing(connection)
    settings = config()
    settings.attributes["connection"] = connection
    run(settings, revision)


def _missing(connection: Connection) -> tuple[str, ...]:
    scripts = ScriptDirectory.from_config(config())
    current = MigrationContext.configure(connection).get_current_heads()
    try:
        ahead = tuple(scripts.iterate_revisions("heads", current or "base"))
    except RevisionError as error:
        raise SchemaNewer(", ".join(current)) from error
    return tuple(f"{each.revision} ({each.doc})" for each in reversed(ahead))


def _drift(connection: Connection) -> Drift:
    revisions = _missing(connection)
    if revisions:
        return Drift(revisions=revisions)
    context = MigrationContext.configure(connection, opts=comparison(connection))
    operations = produce_migrations(context, METADATA).upgrade_ops or UpgradeOps()
    return Drift(statements=tuple(map(_shown, operations.ops)))


def _shown(operation: MigrateOperation) -> str:
    lines = render_python_code(UpgradeOps([operation])).splitlines()
    return " ".join(line.strip() for line in lines if not line.lstrip().startswith("#"))


def comparison(connection: Connection) -> dict[str, Any]:
    """How the database is compared with the records, which know nothing of partitions."""
    partitions = set(connection.scalars(text("SELECT relname FROM pg_class WHERE relispartition")))

    def include_name(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or name not in partitions

    return {
        "target_metadata": METADATA,
        "include_name": include_name,
        "compare_type": True,
        "compare_server_default": True,
    }
