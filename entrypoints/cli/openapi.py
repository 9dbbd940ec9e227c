from pathlib import Path

import click

from entrypoints.process import openapi_document


@click.command()
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="A file, instead of the screen."
)
def openapi(output: Path | None) -> None:
    """Write the OpenAPI document of the HTTP interface."""
    document = openapi_document()
    if output is None:
        click.echo(document, nl=False)
    else:
        output.write_bytes(document)
