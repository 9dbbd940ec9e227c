from importlib import import_module

import click


class Commands(click.Group):
    """Loads a command, and the libraries that it works with, when it is asked for."""

    names = (
        "accounts",
        "audit",
        "audit-log",
        "billing",
        "catalog",
        "db",
        "dead-letters",
        "dev",
        "doctor",
        "jobs",
        "keys",
        "limits",
        "mail",
        "openapi",
        "serve",
        "signing-keys",
        "users",
        "worker",
        "workspaces",
    )

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click gives it
        return list(self.names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self.names:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"entrypoints.cli.{name}"), name)
        return command


@click.command(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="cuebx")
def main() -> None:
    """Exact, immediate and explained metering of AI features.

    Commands work on the database that CUEBX_DATABASE_URL names, or else on that of `cuebx dev`.
    """


if __name__ == "__main__":
    main()
