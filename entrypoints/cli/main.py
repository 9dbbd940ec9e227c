import click

from entrypoints.cli.accounts import accounts
from entrypoints.cli.audit import audit
from entrypoints.cli.db import db
from entrypoints.cli.dev import dev
from entrypoints.cli.doctor import doctor
from entrypoints.cli.keys import keys
from entrypoints.cli.openapi import openapi
from entrypoints.cli.serve import serve
from entrypoints.cli.workspaces import workspaces


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="cuebx")
def main() -> None:
    """Exact, immediate and explained metering of AI features.

    Commands work on the database that CUEBX_DATABASE_URL names, or else on that of `cuebx dev`.
    """


for command in (accounts, audit, db, dev, doctor, keys, openapi, serve, workspaces):
    main.add_command(command)

if __name__ == "__main__":
    main()
