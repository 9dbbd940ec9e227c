"""What happens to a reservation: started, extended, committed, released, or expired."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa
from dishka import AsyncContainer
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.ids import AccountId, ReservationId, parse_account, parse_reservation, reservation_text
from domain.usage.lot import Source
from tests.shop import CHARGED, HELD, USAGE, Caller, Seller, Shop, Tenant


@pytest.fixture
async def overdue(services: AsyncContainer, seller: Seller, tenant: Tenant) -> str:
    """A reservation whose deadline has passed, and that nobody has settled."""
    id = await seller.reserved(tenant)
    await pass_deadline(services, id)
    return id


async def pass_deadline(services: AsyncContainer, reservation: str) -> None:
    account, id = parse_reservation(reservation)
    late = sa.text("UPDATE reservation SET expires_at = now() WHERE account_id = :account AND id = :id")
    async with (await services.get(AsyncEngine)).begin() as connection:
        assert (await connection.execute(late, {"account": account, "id": id})).rowcount == 1


async def balance(customer: Caller) -> tuple[str, str]:
    body = (await customer.get("/v1/balance")).json()
    return body["available"], body["held"]


async def test_a_start_says_when(seller: Seller, tenant: Tenant) -> None:
    reserved = (await seller.reserve(tenant)).json()
    answer = await seller.start(reserved["id"])
    assert answer.status_code == 200
    body = answer.json()
    expires = datetime.fromisoformat(body["expires_at"])
    assert timedelta(0) < expires - datetime.fromisoformat(body.pop("started_at")) < timedelta(seconds=900)
    assert body == {"id": reserved["id"], "state": "started", "expires_at": reserved["expires_at"]}


async def test_a_second_start_changes_nothing(seller: Seller, tenant: Tenant) -> None:
    id = await seller.reserved(tenant)
    first = await seller.start(id)
    assert (await seller.start(id)).json() == first.json()


@pytest.mark.parametrize("started", [True, False])
async def test_a_commit_charges_what_was_used_and_gives_back_the_rest(
    seller: Seller, tenant: Tenant, customer: Caller, *, started: bool
) -> None:
    id = await seller.reserved(tenant)
    if started:
        await seller.start(id)
    assert await balance(customer) == ("998", HELD)
    answer = await seller.commit(id, model="some-model", latency_ms=1234)
    assert answer.status_code == 200
    assert answer.json() == {
        "id": id,
        "state": "committed",
        "charged": CHARGED,
        "uncollected": "0",
        "available": "998.48",
    }
    assert await balance(customer) == ("998.48", "0")


async def test_a_repeated_commit_gets_the_same_answer(
    seller: Seller, tenant: Tenant, customer: Caller
) -> None:
    id = await seller.reserved(tenant)
    first = await seller.commit(id)
    assert "idempotency-replayed" not in first.headers
    await seller.reserved(tenant)  # what is available changes, and the answer does not
    repeat = await seller.commit(id)
    assert (repeat.status_code, repeat.json()) == (200, first.json())
    assert repeat.headers["idempotency-replayed"] == "true"
    assert await balance(customer) == ("996.48", HELD)


@pytest.mark.parametrize(
    "other",
    [
        {"usage": {**USAGE, "units": 1}},
        {"model": "another"},
        {"latency_ms": 1},
    ],
)
async def test_a_commit_with_other_figures_is_a_conflict(
    seller: Seller, tenant: Tenant, other: dict[str, object]
) -> None:
    id = await seller.reserved(tenant)
    await seller.commit(id)
    answer = await seller.post(f"/v1/reservations/{id}/commit", {"usage": USAGE, **other})
    body = answer.json()
    assert (answer.status_code, body["code"], body["state"]) == (409, "reservation_settled", "committed")
    assert datetime.fromisoformat(body["settled_at"])


async def test_a_release_gives_everything_back(seller: Seller, tenant: Tenant, customer: Caller) -> None:
    id = await seller.reserved(tenant)
    await seller.start(id)
    answer = await seller.release(id)
    assert answer.status_code == 200
    assert answer.json() == {
        "id": id,
        "state": "released",
        "charged": "0",
        "uncollected": "0",
        "available": "1000",
    }
    repeat = await seller.release(id)
    assert (repeat.status_code, repeat.json()) == (200, answer.json())
    assert repeat.headers["idempotency-replayed"] == "true"
    assert await balance(customer) == ("1000", "0")
    assert (await customer.get("/v1/usage/records")).json()["items"] == []


async def test_what_is_released_is_not_charged_and_what_is_charged_is_not_released(
    seller: Seller, tenant: Tenant
) -> None:
    released, committed = await seller.reserved(tenant), await seller.reserved(tenant)
    await seller.release(released)
    await seller.commit(committed)
    for answer, state in (
        (await seller.commit(released), "released"),
        (await seller.start(released), "released"),
        (await seller.extend(released, expires_in=60), "released"),
        (await seller.release(committed), "committed"),
        (await seller.start(committed), "committed"),
        (await seller.extend(committed, expires_in=60), "committed"),
    ):
        told = answer.json()
        assert (answer.status_code, told["code"], told["state"]) == (409, "reservation_settled", state)


async def test_after_its_deadline_a_hold_is_void_though_nothing_has_run(
    overdue: str, seller: Seller, customer: Caller
) -> None:
    assert await balance(customer) == ("1000", "0")
    look = (await seller.look(overdue)).json()
    assert (look["state"], look["held"], look["charge"]["charged"]) == ("expired", "0", "0")


async def test_after_its_deadline_a_reservation_cannot_be_settled(
    overdue: str, seller: Seller, customer: Caller
) -> None:
    for answer in (
        await seller.commit(overdue),
        await seller.release(overdue),
        await seller.start(overdue),
        await seller.extend(overdue, expires_in=60),
    ):
        body = answer.json()
        assert (answer.status_code, body["code"]) == (409, "reservation_expired")
        assert datetime.fromisoformat(body["expired_at"])
    assert await balance(customer) == ("1000", "0")


async def test_the_credits_of_an_expired_hold_can_be_held_again(
    services: AsyncContainer, seller: Seller, shop: Shop
) -> None:
    tenant = await shop.tenant(amount="2")
    await pass_deadline(services, await seller.reserved(tenant))
    assert (await seller.reserve(tenant)).status_code == 201


async def test_extending_raises_the_hold_to_the_new_estimate(
    seller: Seller, tenant: Tenant, customer: Caller
) -> None:
    reserved = (await seller.reserve(tenant)).json()
    answer = await seller.extend(
        reserved["id"], estimate={"input_tokens": 1000, "max_output_tokens": 1000, "units": 0}
    )
    assert answer.status_code == 200
    assert answer.json() == {
        "id": reserved["id"],
        "state": "held",
        "held": "4.8",
        "available": "995.2",
        "expires_at": reserved["expires_at"],
    }
    assert await balance(customer) == ("995.2", "4.8")


async def test_extending_moves_the_deadline_from_now_on(seller: Seller, tenant: Tenant) -> None:
    reserved = (await seller.reserve(tenant)).json()
    body = (await seller.extend(reserved["id"], expires_in=3600)).json()
    moved = datetime.fromisoformat(body["expires_at"]) - datetime.fromisoformat(reserved["expires_at"])
    assert timedelta(seconds=2700) <= moved < timedelta(seconds=2760)
    assert body["held"] == HELD


async def test_extending_never_lowers_anything(seller: Seller, tenant: Tenant) -> None:
    reserved = (await seller.reserve(tenant)).json()
    body = (await seller.extend(reserved["id"], estimate={"input_tokens": 1}, expires_in=1)).json()
    assert (body["held"], body["expires_at"]) == (HELD, reserved["expires_at"])


async def test_what_cannot_be_extended_whole_is_not_extended_at_all(seller: Seller, shop: Shop) -> None:
    poor = await shop.tenant(amount="2.5")
    reserved = (await seller.reserve(poor)).json()
    dear = {"input_tokens": 1000, "max_output_tokens": 1000}
    answer = await seller.extend(reserved["id"], estimate=dear, expires_in=3600)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (402, "insufficient_credits")
    assert (body["needed"], body["available"]) == ("2.8", "0.5")
    look = (await seller.look(reserved["id"])).json()
    assert (look["held"], look["expires_at"]) == (HELD, reserved["expires_at"])


async def test_an_extension_says_what_to_extend(seller: Seller, tenant: Tenant) -> None:
    answer = await seller.extend(await seller.reserved(tenant))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "`estimate`, `expires_in`" in answer.json()["detail"]


async def test_a_frozen_workspace_settles_what_it_holds_but_extends_nothing(
    seller: Seller, shop: Shop, tenant: Tenant
) -> None:
    ids = [await seller.reserved(tenant) for _ in range(2)]
    await shop.freeze(tenant)
    refused = await seller.extend(ids[0], expires_in=3600)
    assert (refused.status_code, refused.json()["code"]) == (403, "workspace_frozen")
    assert (await seller.start(ids[0])).status_code == 200
    assert (await seller.commit(ids[0])).status_code == 200
    assert (await seller.release(ids[1])).status_code == 200


async def test_a_call_that_cost_more_than_its_hold_takes_the_rest_from_what_is_free(
    seller: Seller, shop: Shop
) -> None:
    tenant = await shop.tenant(amount="3")
    id = await seller.reserved(tenant)
    body = (await seller.commit(id, {"input_tokens": 1000, "output_tokens": 400})).json()
    assert (body["charged"], body["uncollected"], body["available"]) == ("2.4", "0", "0.6")


async def test_what_is_not_there_is_never_taken_and_is_told(seller: Seller, shop: Shop) -> None:
    tenant = await shop.tenant(amount="3")
    id = await seller.reserved(tenant)
    body = (await seller.commit(id, {"input_tokens": 1000, "output_tokens": 1000})).json()
    assert (body["charged"], body["uncollected"], body["available"]) == ("3", "1.8", "0")
    program = Caller(seller.http, tenant.live)
    (record,) = (await program.get("/v1/usage/records")).json()["items"]
    assert (record["cost"], record["charged"], record["uncollected"]) == ("4.8", "3", "1.8")


async def test_a_plan_with_an_overdraft_lends_what_is_missing_until_the_next_credits(
    seller: Seller, shop: Shop
) -> None:
    team = await shop.tenant("api/team", amount="3")
    program = Caller(seller.http, team.live)
    id = await seller.reserved(team)
    body = (await seller.commit(id, {"input_tokens": 1000, "output_tokens": 1000})).json()
    assert (body["charged"], body["uncollected"], body["available"]) == ("4.8", "0", "0")
    assert (await program.get("/v1/balance")).json()["overdrawn"] == "1.8"
    assert (await seller.reserve(team)).status_code == 402  # lent credits are never reserved
    await shop.grant(team.account, "10", Source.ALLOCATION)
    after = (await program.get("/v1/balance")).json()
    assert (after["available"], after["overdrawn"]) == ("8.2", "0")


STEPS = {"start": None, "commit": {"usage": USAGE}, "release": None, "extend": {"expires_in": 60}}
"""And what each is sent."""


@pytest.mark.parametrize("step", STEPS)
async def test_a_reservation_that_never_was_is_missing(seller: Seller, tenant: Tenant, step: str) -> None:
    never = reservation_text(parse_account(tenant.account), ReservationId(uuid4()))
    answer = await seller.post(f"/v1/reservations/{never}/{step}", STEPS[step])
    assert (answer.status_code, answer.json()["code"]) == (404, "reservation_missing")


@pytest.mark.parametrize("step", STEPS)
async def test_a_reservation_of_one_tenant_is_missing_under_the_name_of_another(
    seller: Seller, shop: Shop, tenant: Tenant, step: str
) -> None:
    mine = await seller.reserved(tenant)
    _, id = parse_reservation(mine)
    foreign = reservation_text(parse_account((await shop.tenant()).account), id)
    answer = await seller.post(f"/v1/reservations/{foreign}/{step}", STEPS[step])
    assert (answer.status_code, answer.json()["code"]) == (404, "reservation_missing")
    assert (await seller.look(foreign)).status_code == 404
    assert (await seller.look(mine)).json()["state"] == "held"


@pytest.mark.parametrize("step", STEPS)
async def test_a_reservation_of_no_account_is_missing(seller: Seller, step: str) -> None:
    nobodys = reservation_text(AccountId(uuid4()), ReservationId(uuid4()))
    answer = await seller.post(f"/v1/reservations/{nobodys}/{step}", STEPS[step])
    assert (answer.status_code, answer.json()["code"]) == (404, "reservation_missing")
    assert (await seller.look(nobodys)).json()["code"] == "reservation_missing"
