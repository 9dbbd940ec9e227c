"""How a command runs: with the services of a process, and with one clear line where something is wrong."""

import os
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import click
import uvloop

from application.access import Credential, authorize
from domain.errors import DomainError
from entrypoints import settings

if TYPE_CHECKING:
    from dishka import AsyncContainer

P = ParamSpec("P")


def facts_file() -> Path:
    """What the `cuebx dev` of this folder tells about itself."""
    return Path(os.environ.get("CUEBX_DATA", ".cuebx")) / "dev.json"


def asynchronous(command: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """A known fault of what is asked, or of the surroundings, is one line and exit 1."""

    @wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            uvloop.run(command(*args, **kwargs))
        except DomainError as error:
            raise click.ClickException(f"{error} [{error.code}]") from error

    return wrapper


def with_services(
    operation: str,
) -> Callable[
    [Callable[Concatenate["AsyncContainer", P], Coroutine[Any, Any, None]]],
    Callable[P, None],
]:
    """Runs an async command with a container that is closed afterwards, if an operator may do ``operation``.

    It works on the database that the environment names, or else on that of the `cuebx dev` of this folder,
    once it is known to be there and up to date.
    """

    def make(
        command: Callable[Concatenate["AsyncContainer", P], Coroutine[Any, Any, None]],
    ) -> Callable[P, None]:
        @wraps(command)
        async def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
            from entrypoints import container  # noqa: PLC0415 - large, and not every command needs them
            from migrations import schema  # noqa: PLC0415

            authorize(operation, Credential.OPERATOR)
            here = settings.load(local=facts_file())
            await schema.require(here.database_url)
            services = container.build(here)
            try:
                await command(services, *args, **kwargs)
            finally:
                await services.close()

        return asynchronous(wrapper)

    return make
