"""What every table shares."""

from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, MetaData, Table, Text, Uuid
from sqlalchemy.ext.asyncio import AsyncAttrs
from sqlalchemy.orm import DeclarativeBase


class Base(AsyncAttrs, DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads a plain dictionary
        datetime: DateTime(timezone=True),
        int: BigInteger,
        str: Text,
        UUID: Uuid(),
    }


def table(record: type[Base]) -> Table:
    """The Core table of ``record``, for statements that return plain rows."""
    return cast("Table", record.__table__)
