"""Who may ask: a key in the Authorization header, of the right kind."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from domain.ids import key_text
from domain.keys.key import KeyKind
from domain.keys.key import key_text as secret_text
from tests.shop import Caller, Seller, Shop, Tenant

CUSTOMERS = ["/v1/balance", "/v1/features", "/v1/usage", "/v1/usage/records"]
STEPS = ["start", "commit", "release", "extend"]
SERVICES = ["/v1/reservations", *(f"/v1/reservations/rsv_/{step}" for step in STEPS)]
NO_CREDENTIAL = [
    None,
    "",
    "Bearer",
    "Bearer ",
    "Basic dXNlcjpwYXNz",
    "cbx_live_x",
    "Bearer " + "x" * 2001,
    "Bearer ü",
]


async def ask(http: httpx.AsyncClient, path: str, authorization: str | None) -> httpx.Response:
    """As a customer asks for it, or else a service."""
    method = "GET" if path in CUSTOMERS else "POST"
    given = [] if authorization is None else [(b"Authorization", authorization.encode("latin-1"))]
    return await http.request(method, path, headers=given)


@pytest.mark.parametrize("authorization", NO_CREDENTIAL)
@pytest.mark.parametrize("path", ["/v1/balance", "/v1/reservations", "/v1/reservations/rsv_"])
async def test_without_a_key_nobody_is_served(
    http: httpx.AsyncClient, path: str, authorization: str | None
) -> None:
    answer = await ask(http, path, authorization)
    if path.endswith("rsv_"):
        answer = await http.get(path)
    assert (answer.status_code, answer.json()["code"]) == (401, "credential_missing")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", [*CUSTOMERS, *SERVICES])
async def test_every_endpoint_wants_a_key(http: httpx.AsyncClient, path: str) -> None:
    answer = await ask(http, path, None)
    assert (answer.status_code, answer.json()["code"]) == (401, "credential_missing")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", SERVICES)
@pytest.mark.parametrize("key", ["live", "test", "unknown", "mistyped"])
async def test_a_service_is_known_by_a_service_key_alone(
    http: httpx.AsyncClient, tenant: Tenant, path: str, key: str
) -> None:
    keys = {
        "live": tenant.live,
        "test": tenant.test,
        "unknown": secret_text(KeyKind.SERVICE, bytes(32)),
        "mistyped": "cbx_svc_" + "0" * 49,
    }
    answer = await ask(http, path, f"Bearer {keys[key]}")
    assert (answer.status_code, answer.json()["code"]) == (401, "service_key_refused")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_revoked_service_key_is_refused(http: httpx.AsyncClient, shop: Shop, tenant: Tenant) -> None:
    made = await shop.service_key()
    await shop.revoke(key_text(made.key.id))
    answer = await Seller(http, made.text).reserve(tenant)
    assert (answer.status_code, answer.json()["code"]) == (401, "service_key_refused")


@pytest.mark.parametrize("path", CUSTOMERS)
async def test_a_service_key_is_no_customers_key(seller: Seller, path: str) -> None:
    answer = await seller.get(path)
    assert (answer.status_code, answer.json()["code"]) == (401, "customer_key_needed")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", CUSTOMERS)
async def test_a_customers_key_opens_his_account_live_or_test(
    http: httpx.AsyncClient, tenant: Tenant, path: str
) -> None:
    for key in (tenant.live, tenant.test):
        assert (await Caller(http, key).get(path)).status_code == 200


@pytest.mark.parametrize("path", CUSTOMERS)
async def test_a_customers_key_that_is_not_good_is_refused_with_its_reason(
    http: httpx.AsyncClient, shop: Shop, tenant: Tenant, path: str
) -> None:
    expired = await shop.key(tenant.account, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    revoked = await shop.key(tenant.account)
    await shop.revoke(key_text(revoked.key.id))
    unknown = secret_text(KeyKind.LIVE, bytes(32))
    for key, code in (
        (unknown, "api_key_unknown"),
        ("nonsense", "api_key_unknown"),
        (revoked.text, "api_key_revoked"),
        (expired.text, "api_key_expired"),
    ):
        answer = await Caller(http, key).get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, code)


async def test_a_key_that_expires_later_is_good_until_then(
    http: httpx.AsyncClient, shop: Shop, tenant: Tenant
) -> None:
    lasting = await shop.key(tenant.account, expires_at=datetime.now(UTC) + timedelta(days=1))
    assert (await Caller(http, lasting.text).get("/v1/balance")).status_code == 200


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
async def test_the_scheme_is_told_in_any_case(http: httpx.AsyncClient, tenant: Tenant, scheme: str) -> None:
    answer = await ask(http, "/v1/balance", f"{scheme} {tenant.live}")
    assert answer.status_code == 200


async def test_a_key_is_never_in_an_answer(
    seller: Seller, shop: Shop, tenant: Tenant, customer: Caller
) -> None:
    id = await seller.reserved(tenant)
    answers = [await seller.commit(id), await seller.look(id)]
    answers += [await customer.get(path) for path in CUSTOMERS]
    await shop.revoke(tenant.live_id)
    answers += [await customer.get("/v1/balance"), await seller.reserve(tenant)]
    for answer in answers:
        assert tenant.live not in answer.text
        assert seller.key not in answer.text
