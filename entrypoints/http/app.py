from dishka import AsyncContainer
from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, License, Tag

from entrypoints.http import (
    account,
    audit_log,
    auto_top_ups,
    billing,
    dead_letters,
    elsewhere,
    explained,
    features,
    health,
    identity,
    invitations,
    jwks,
    keys,
    limits,
    me,
    members,
    metrics,
    plans,
    queued,
    reservations,
    second_factor,
    sessions,
    subscriptions,
    usage,
    webhooks,
    workspaces,
)
from entrypoints.http.auth import (
    SCHEMES,
    authorize_request,
    provide_customer,
    provide_member,
    provide_operator,
    provide_person,
)
from entrypoints.http.bodies import LARGEST_BODY
from entrypoints.http.openapi import ClosedStructs, operation_id
from entrypoints.http.problems import HANDLERS
from entrypoints.http.query import check_query
from entrypoints.http.reference import Reference

VERSION = "0.1.0"
TAGS = {
    "Reservations": "For the seller's services: hold credits before an AI call, settle them after it.",
    "Runs": "For customers: CueBX runs a feature itself.",
    "Account": "For customers: what they have, and what they may call.",
    "Usage": "For customers: what was used and charged, in sums and one by one.",
    "Identity": "For people: sign up, sign in, and everything about oneself.",
    "Workspaces": "For members: workspaces, who belongs to them, their keys, limits, and audit log.",
    "Billing": "What is for sale; for members: subscriptions, packs of credits, invoices.",
    "Operation": "For whoever runs CueBX.",
}

OPERATION = [*health.HANDLERS, metrics.metrics, jwks.jwks]
API = [
    *identity.HANDLERS,
    *elsewhere.HANDLERS,
    *second_factor.HANDLERS,
    *sessions.HANDLERS,
    *me.HANDLERS,
    *workspaces.HANDLERS,
    *members.HANDLERS,
    *invitations.HANDLERS,
    *keys.HANDLERS,
    *limits.HANDLERS,
    *audit_log.HANDLERS,
    *reservations.HANDLERS,
    explained.reservation,
    *account.HANDLERS,
    *usage.HANDLERS,
    *features.HANDLERS,
    *queued.HANDLERS,
    *dead_letters.HANDLERS,
    *plans.HANDLERS,
    *billing.HANDLERS,
    *subscriptions.HANDLERS,
    *auto_top_ups.HANDLERS,
    *webhooks.HANDLERS,
]


def create_app(services: AsyncContainer) -> Litestar:
    """The HTTP interface over ``services``, which whoever made them closes."""
    return Litestar(
        route_handlers=[
            Router("/", route_handlers=OPERATION, guards=[authorize_request]),
            Router("/", route_handlers=API, guards=[authorize_request], before_request=check_query),
        ],
        dependencies={
            "customer": Provide(provide_customer),
            "person": Provide(provide_person),
            "operator": Provide(provide_operator),
            "member": Provide(provide_member),
        },
        exception_handlers=HANDLERS,
        openapi_config=OpenAPIConfig(
            title="CueBX",
            version=VERSION,
            summary="Metering of AI features: exact, immediate, explained.",
            license=License(name="Apache-2.0", identifier="Apache-2.0"),
            components=Components(security_schemes=SCHEMES),
            operation_id_creator=operation_id,
            path="/docs",
            render_plugins=[Reference()],
            use_handler_docstrings=True,
            tags=[Tag(name=name, description=text) for name, text in TAGS.items()],
        ),
        plugins=[ClosedStructs()],
        request_max_body_size=LARGEST_BODY,
        state=State({"services": services, "uses": {}}),
        debug=False,
        logging_config=None,
    )
