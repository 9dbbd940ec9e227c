"""Every table. Importing this package fills ``Base.metadata``."""

from adapters.postgres.records.billing import (
    BillingCustomerRecord,
    BillingNoticeRecord,
    CheckoutRecord,
    InvoiceRecord,
    QuoteRecord,
    StripeEventRecord,
    StripeSweepRecord,
    SubscriptionRecord,
    TopUpRecord,
)
from adapters.postgres.records.catalog import CatalogEntryRecord
from adapters.postgres.records.events import (
    DeadLetterRecord,
    DeliveryRecord,
    InboxRecord,
    OutboxRecord,
    SuppressionRecord,
)
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
from adapters.postgres.records.runs import QueuedRunRecord, RunBatchRecord, RunRecord
from adapters.postgres.records.usage import UsageHourRecord, UsageRecordRecord
from adapters.postgres.records.workspaces import AccountRecord, WorkspaceRecord

__all__ = [
    "AccountRecord",
    "AuditEntryRecord",
    "BillingCustomerRecord",
    "BillingNoticeRecord",
    "CatalogEntryRecord",
    "CheckoutRecord",
    "CodeRecord",
    "CreditAlertRecord",
    "DeadLetterRecord",
    "DeliveryRecord",
    "IdentityRecord",
    "InboxRecord",
    "InvitationRecord",
    "InvoiceRecord",
    "JobTickRecord",
    "KeyRecord",
    "LimitCarryRecord",
    "LotRecord",
    "MemberRecord",
    "OutboxRecord",
    "QueuedRunRecord",
    "QuoteRecord",
    "RecoveryCodeRecord",
    "RefreshTokenRecord",
    "RepaymentRecord",
    "ReservationRecord",
    "RunBatchRecord",
    "RunRecord",
    "SessionRecord",
    "ShadowRefusalRecord",
    "SigningKeyRecord",
    "SpendLimitRecord",
    "StripeEventRecord",
    "StripeSweepRecord",
    "SubscriptionRecord",
    "SuppressionRecord",
    "TopUpRecord",
    "UsageHourRecord",
    "UsageRecordRecord",
    "UserRecord",
    "WorkspaceRecord",
]
