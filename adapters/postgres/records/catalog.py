from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from adapters.postgres.base import Base


class CatalogEntryRecord(Base):
    """A version of a product, a plan (key ``product/plan``) or a feature. Never changed once written.

    ``retired_at`` marks the newest version of what was left out of the catalog since.
    """

    __tablename__ = "catalog_entry"

    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    published_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
