"""``python -m migrations.revise MESSAGE``: writes a migration from what changed in the records.

Needs no database: it starts one, brings it to the newest revision and compares.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from adapters.embedded.postgres import EmbeddedPostgres
from migrations import schema


def main(message: str) -> None:
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder), durable=False) as server:
        asyncio.run(schema.upgrade(server.url))
        asyncio.run(schema.revise(server.url, message))


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]))
