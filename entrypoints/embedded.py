"""What only `cuebx dev` has: a database, there before a container is made with its address, and a catalog."""

from adapters.catalog_file.files import SAMPLE
from adapters.embedded.postgres import EmbeddedPostgresError, embedded_postgres

__all__ = ["SAMPLE", "EmbeddedPostgresError", "embedded_postgres"]
