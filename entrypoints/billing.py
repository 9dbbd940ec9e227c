"""What billing is made of: Stripe where there is a key, else nothing is sold."""

from collections.abc import AsyncIterator

from dishka import Provider, Scope, provide, provide_all

from adapters.postgres.unit_of_work import SqlUnitOfWork
from application.billing.auto import BuyAutomatically, SetAutoTopUp, TopUpLow
from application.billing.change import EndSubscription, FindSubscription, MakeChange, PreviewChange
from application.billing.dunning import TellOverdue
from application.billing.leave import CloseCustomer
from application.billing.notices import TellAdmins
from application.billing.off import NoPayments
from application.billing.ports import BillingTx, Payments
from application.billing.prices import PublishForSale, PublishPrices
from application.billing.queries import ListPlans, LookAtBilling, OpenPortal
from application.billing.reconcile import Reconcile, ReconcileDaily
from application.billing.subscribe import BuyCredits, OpenCheckout, Subscribe
from application.billing.sweep import SweepStripeEvents
from application.billing.sync import SyncInvoice, SyncSubscription
from application.billing.told import ActOnStripeEvent, CheckSignature, KeepStripeEvent, NoSignature
from application.ports import Clock, UnitOfWork
from entrypoints.settings import Settings


class Billing(Provider):
    scope = Scope.APP

    use_cases = provide_all(
        *(
            ListPlans,
            LookAtBilling,
            OpenPortal,
            PublishPrices,
            PublishForSale,
            Subscribe,
            BuyCredits,
            OpenCheckout,
        ),
        *(CloseCustomer, TellAdmins, TellOverdue),
        *(SetAutoTopUp, BuyAutomatically, TopUpLow),
        *(Reconcile, ReconcileDaily, SweepStripeEvents),
        *(FindSubscription, PreviewChange, MakeChange, EndSubscription),
        *(SyncSubscription, SyncInvoice, KeepStripeEvent, ActOnStripeEvent),
    )

    @provide
    def work(self, work: SqlUnitOfWork) -> UnitOfWork[BillingTx]:
        return work

    @provide
    async def payments(self, settings: Settings) -> AsyncIterator[Payments]:
        if settings.stripe_api_key is None:
            yield NoPayments()
            return
        from adapters.stripe.client import StripeAccount, client_of  # noqa: PLC0415 - large, and not all sell
        from adapters.stripe.payments import StripePayments  # noqa: PLC0415

        account = StripeAccount(
            api_key=settings.stripe_api_key,
            return_url=settings.billing_return_url or "",
            url=settings.stripe_url,
        )
        async with client_of(account) as client:
            yield StripePayments(client, account)

    @provide
    def signature(self, settings: Settings, clock: Clock) -> CheckSignature:
        if settings.stripe_webhook_secret is None:
            return NoSignature()
        from adapters.stripe.signature import StripeSignature  # noqa: PLC0415 - as above

        return StripeSignature(settings.stripe_webhook_secret.split(","), clock)
