"""What other services tell CueBX."""

from http import HTTPStatus
from typing import Annotated

from dishka import FromDishka
from litestar.params import JSONBody
from msgspec import Meta, Struct

from application.actor import MailService
from application.notifications.suppressions import NoteMailEvent
from entrypoints.http.lean import Reply, lean_post

TAG = "Operation"


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


HANDLERS = [brevo_webhook]
