"""CueBX's side of billing, in memory: the use cases of the real one, over fakes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.catalog_file.files import SAMPLE, TomlCatalogFiles
from adapters.catalog_file.schemas import JsonSchemaRules
from adapters.catalog_file.templates import JinjaTemplateRules
from adapters.memory.ledger import MemoryLedger
from adapters.memory.usage import MemoryUsageReader
from application.actor import Operator
from application.billing.leave import CloseCustomer
from application.billing.notices import TellAdmins
from application.billing.ports import Payments
from application.billing.prices import PublishPrices
from application.billing.reconcile import Reconcile
from application.billing.subscribe import OpenCheckout, Subscribe
from application.billing.sync import SyncInvoice, SyncSubscription
from application.billing.told import ActOnStripeEvent
from application.catalog.check import CheckCatalog
from application.notifications.post import PostMail
from domain.billing.drift import Drift, Granted
from domain.ids import PlanRef
from domain.usage.lot import Lot
from domain.usage.terms import Terms
from domain.workspaces.role import Role
from tests.fakes.catalog import FakeCatalog
from tests.fakes.clock import NOON
from tests.fakes.ids import CountedIds
from tests.fakes.office import FakeOffice
from tests.fakes.people import PlainSecrecy

FREE = PlanRef("api", "free", 1)


async def _terms(plan: PlanRef) -> Terms:
    """Nothing is run here, and no free month brings anything."""
    return Terms(plan=plan, rates={})


@dataclass
class Books:
    """A team on the free plan, and all that has to do with its money. All books have the same ids."""

    payments: Payments
    office: FakeOffice = field(default_factory=lambda: FakeOffice(FREE, new_id=CountedIds(1 << 64)))

    def __post_init__(self) -> None:
        office = self.office
        draft = CheckCatalog(TomlCatalogFiles(), JsonSchemaRules(), JinjaTemplateRules())(SAMPLE)
        self.catalog = FakeCatalog.of(*draft.products, *draft.plans, *draft.features, at=NOON)
        self.owner = office.joined(Role.OWNER)
        self.ledger = MemoryLedger(_terms, office.clock, office.new_id)
        self.reader = MemoryUsageReader(self.ledger, office.clock)
        shared: dict[str, Any] = {
            "payments": self.payments,
            "catalog": self.catalog,
            "uow": office.work,
        }
        tell = TellAdmins(PostMail(PlainSecrecy()), office.clock)
        self.subscription = SyncSubscription(**shared, record=office.record, tell=tell, clock=office.clock)
        self.invoice = SyncInvoice(**shared, ledger=self.ledger, new_id=office.new_id)
        self.act = ActOnStripeEvent(
            payments=self.payments, uow=office.work, subscription=self.subscription, invoice=self.invoice
        )
        checkouts = OpenCheckout(payments=self.payments, uow=office.work, act=self.act, clock=office.clock)
        self.subscribe = Subscribe(
            catalog=self.catalog,
            uow=office.work,
            checkouts=checkouts,
            clock=office.clock,
            new_id=office.new_id,
            record=office.record,
        )
        self.publish = PublishPrices(self.payments, self.catalog)
        self.reconcile = Reconcile(
            **shared,
            subscription=self.subscription,
            invoice=self.invoice,
            close=CloseCustomer(self.payments, office.work, office.clock),
        )

    async def open(self) -> None:
        await self.ledger.open(self.office.account)

    def lots(self) -> dict[str, Lot]:
        """Those that came of invoices, by reference."""
        lots = self.ledger.desks[self.office.account.id].lots.values()
        named = {each.reference or "": each for each in lots}
        return {name: each for name, each in named.items() if name.startswith("stripe:")}

    async def drifts(self) -> Sequence[Drift]:
        """Where both books differ."""
        lots = self.lots().items()
        kept = {name: Granted(each.granted + each.refunded, each.refunded) for name, each in lots}
        self.office.work.till.lots[self.office.account.id] = kept
        return await self.reconcile(Operator())

    def standing(self) -> dict[str, object]:
        """All that billing decides but credits."""
        work, account = self.office.work, self.office.account.id
        return {
            "plan": work.accounts[account].plan,
            "seats": work.workspaces[self.office.workspace.id].seats,
            "freezes_at": work.freezes.get(account),
            "subscriptions": {id: each for id, (each, _) in work.till.subscriptions.items()},
            "invoices": dict(work.till.invoices),
        }
