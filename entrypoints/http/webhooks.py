"""What other services tell CueBX."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from dishka import FromDishka
from litestar.params import HeaderParameter, JSONBody
from msgspec import Meta, Struct

from application.actor import MailService
from application.billing.ports import Happened
from application.billing.told import KeepStripeEvent
from application.notifications.suppressions import NoteMailEvent
from domain.billing.errors import SignatureRefused
from entrypoints.http.lean import Reply, Sent, lean_post

TAG = "Operation"
_ID = "^[A-Za-z0-9_.:-]*$"
LATEST = 32_503_680_000  # the year 3000


class BrevoEvent(Struct, frozen=True, kw_only=True):
    """Of all that Brevo says (https://developers.brevo.com/docs/transactional-webhooks), what is acted on."""

    event: Annotated[str, Meta(max_length=100)]
    email: Annotated[str, Meta(max_length=1000)] = ""


@lean_post("/v1/webhooks/brevo", tag=TAG, status=HTTPStatus.NO_CONTENT, refuses=())
async def brevo_webhook(
    service: MailService,
    data: JSONBody[BrevoEvent],
    note: FromDishka[NoteMailEvent],
) -> Reply[None]:
    """Brevo tells what became of a mail.

    An address that bounces, or whose owner complains, gets no more mail. Have Brevo's webhook authenticate
    with the bearer token of `CUEBX_BREVO_WEBHOOK_TOKEN`.
    """
    await note(service, data.event, data.email)
    return Reply(None)


class StripeObject(Struct, frozen=True, kw_only=True):
    """Only what names the thing: what it is like is asked at Stripe. An invoice to come has no name yet."""

    id: Annotated[str, Meta(max_length=255, pattern=_ID)] | None = None
    payment_intent: Annotated[str, Meta(max_length=255, pattern=_ID)] | None = None


class StripeData(Struct, frozen=True, kw_only=True):
    object: StripeObject


class StripeEvent(Struct, frozen=True, kw_only=True):
    """https://docs.stripe.com/api/events/object."""

    id: Annotated[str, Meta(min_length=1, max_length=255, pattern=_ID)]
    type: Annotated[str, Meta(min_length=1, max_length=255, pattern=_ID)]
    created: Annotated[int, Meta(ge=0, le=LATEST)]
    data: StripeData


class StripeAnswer(Struct, frozen=True, kw_only=True):
    """``new``: it was not told before."""

    new: bool


Signature = Annotated[
    str, HeaderParameter(name="Stripe-Signature", description="Made with the endpoint's secret")
]


@lean_post("/v1/webhooks/stripe", tag=TAG, refuses=(SignatureRefused,))
async def stripe_webhook(
    data: JSONBody[StripeEvent],
    sent: Sent,
    keep: FromDishka[KeepStripeEvent],
    signature: Signature,
) -> Reply[StripeAnswer]:
    """Stripe tells what happened there.

    It is kept under its id, and acted on later: Stripe is asked what it has now.
    """
    told = Happened(
        event=data.id,
        type=data.type,
        about=data.data.object.id or "",
        payment=data.data.object.payment_intent,
        at=datetime.fromtimestamp(data.created, UTC),
    )
    return Reply(StripeAnswer(new=await keep(told, sent, signature)))


HANDLERS = [brevo_webhook, stripe_webhook]
