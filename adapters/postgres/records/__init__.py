"""Every table. Importing this package fills ``Base.metadata``."""

from adapters.postgres.records.catalog import CatalogEntryRecord
from adapters.postgres.records.identity import (
    CodeRecord,
    IdentityRecord,
    RecoveryCodeRecord,
    RefreshTokenRecord,
    SessionRecord,
    SigningKeyRecord,
    UserRecord,
)
from adapters.postgres.records.jobs import JobTickRecord
from adapters.postgres.records.keys import KeyRecord
from adapters.postgres.records.ledger import (
    CreditAlertRecord,
    LimitCarryRecord,
    LotRecord,
    RepaymentRecord,
    ReservationRecord,
    ShadowRefusalRecord,
    SpendLimitRecord,
)
from adapters.postgres.records.members import AuditEntryRecord, InvitationRecord, MemberRecord
from adapters.postgres.records.runs import RunRecord
from adapters.postgres.records.usage import UsageHourRecord, UsageRecordRecord
from adapters.postgres.records.workspaces import AccountRecord, WorkspaceRecord

__all__ = [
    "AccountRecord",
    "AuditEntryRecord",
    "CatalogEntryRecord",
    "CodeRecord",
    "CreditAlertRecord",
    "IdentityRecord",
    "InvitationRecord",
    "JobTickRecord",
    "KeyRecord",
    "LimitCarryRecord",
    "LotRecord",
    "MemberRecord",
    "RecoveryCodeRecord",
    "RefreshTokenRecord",
    "RepaymentRecord",
    "ReservationRecord",
    "RunRecord",
    "SessionRecord",
    "ShadowRefusalRecord",
    "SigningKeyRecord",
    "SpendLimitRecord",
    "UsageHourRecord",
    "UsageRecordRecord",
    "UserRecord",
    "WorkspaceRecord",
]
