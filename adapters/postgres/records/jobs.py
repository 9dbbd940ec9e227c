from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from adapters.postgres.base import Base


class JobTickRecord(Base):
    """The last tick of each job that a process claimed. ``claimed_until`` is null once it is over."""

    __tablename__ = "job_tick"

    job: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    claimed_until: Mapped[datetime | None]
    claimed_by: Mapped[str | None]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    failures: Mapped[int] = mapped_column(server_default="0")

    __table_args__ = (CheckConstraint("failures >= 0", name="failures"),)
