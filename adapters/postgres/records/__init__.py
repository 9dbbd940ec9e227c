"""Every table. Importing this package fills ``Base.metadata``."""

from adapters.postgres.records.catalog import CatalogEntryRecord
from adapters.postgres.records.keys import KeyRecord
from adapters.postgres.records.ledger import LotRecord, RepaymentRecord, ReservationRecord
from adapters.postgres.records.runs import RunRecord
from adapters.postgres.records.usage import UsageHourRecord, UsageRecordRecord
from adapters.postgres.records.workspaces import AccountRecord, WorkspaceRecord

__all__ = [
    "AccountRecord",
    "CatalogEntryRecord",
    "KeyRecord",
    "LotRecord",
    "RepaymentRecord",
    "ReservationRecord",
    "RunRecord",
    "UsageHourRecord",
    "UsageRecordRecord",
    "WorkspaceRecord",
]
