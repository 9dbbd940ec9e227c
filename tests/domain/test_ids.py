"""TypeIDs, held against the specification's own cases (github.com/jetify-com/typeid, spec/valid.yml)."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import (
    AccountId,
    KeyId,
    LotId,
    MalformedId,
    PlanRef,
    ReservationId,
    WorkspaceId,
    account_text,
    key_text,
    lot_text,
    parse_account,
    parse_key,
    parse_reservation,
    parse_typeid,
    parse_workspace,
    reservation_text,
    typeid,
    workspace_text,
)

UUIDS = st.uuids()
NIL = "00000000-0000-0000-0000-000000000000"
VALID = "01h455vb4pex5vsknk084sn02q"


@pytest.mark.parametrize(
    ("prefix", "text", "uuid"),
    [
        ("nil", "nil_00000000000000000000000000", NIL),
        ("one", "one_00000000000000000000000001", "00000000-0000-0000-0000-000000000001"),
        ("ten", "ten_0000000000000000000000000a", "00000000-0000-0000-0000-00000000000a"),
        ("sixteen", "sixteen_0000000000000000000000000g", "00000000-0000-0000-0000-000000000010"),
        ("thirtytwo", "thirtytwo_00000000000000000000000010", "00000000-0000-0000-0000-000000000020"),
        ("max", "max_7zzzzzzzzzzzzzzzzzzzzzzzzz", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
        ("prefix", "prefix_0123456789abcdefghjkmnpqrs", "0110c853-1d09-52d8-d73e-1194e95b5f19"),
        ("prefix", "prefix_01h455vb4pex5vsknk084sn02q", "01890a5d-ac96-774b-bcce-b302099a8057"),
    ],
)
def test_ids_are_written_as_the_specification_says(prefix: str, text: str, uuid: str) -> None:
    assert typeid(prefix, UUID(uuid)) == text
    assert parse_typeid(prefix, text) == (UUID(uuid),)


@given(id=UUIDS)
def test_an_id_comes_back_as_it_was_written(id: UUID) -> None:
    assert parse_workspace(workspace_text(WorkspaceId(id))) == id
    assert parse_account(account_text(AccountId(id))) == id
    assert parse_key(key_text(KeyId(id))) == id
    assert lot_text(LotId(id)) == typeid("lot", id)


@given(account=UUIDS, id=UUIDS)
def test_a_reservations_id_names_its_account_too(account: UUID, id: UUID) -> None:
    text = reservation_text(AccountId(account), ReservationId(id))
    assert parse_reservation(text) == (account, id)


@given(first=UUIDS, second=UUIDS)
def test_ids_sort_as_their_uuids_do(first: UUID, second: UUID) -> None:
    assert (first < second) == (typeid("ws", first) < typeid("ws", second))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "_",
        "acc",
        "acc_",
        VALID,
        f"_{VALID}",
        f"ACC_{VALID}",
        f"ws_{VALID}",
        f"acc__{VALID}",
        f"acc-{VALID}",
        f"acc_{VALID}\n",
        f" acc_{VALID}",
        f"acc_{VALID[:-1]}",
        f"acc_{VALID}0",
        f"acc_{VALID}{VALID}",
        f"acc_{VALID.upper()}",
        f"acc_8{VALID[1:]}",
        f"acc_z{VALID[1:]}",
        f"acc_{VALID[:-1]}i",
        f"acc_{VALID[:-1]}l",
        f"acc_{VALID[:-1]}o",
        f"acc_{VALID[:-1]}u",
        f"acc_{VALID[:-1]}-",
        f"acc_{VALID[:-1]}\x00",
        f"acc_{VALID[:-1]}\ud800",
        f"acc_{VALID[:-1]}٣",
        "acc_01890a5d-ac96-774b-bcce-b302099a8057",
        "a" * 500,
    ],
)
def test_what_is_no_id_of_that_kind_is_refused_and_said(text: str) -> None:
    with pytest.raises(MalformedId) as refusal:
        parse_account(text)
    assert refusal.value.given == text[:80]
    assert str(refusal.value).endswith("is not an id of the form acc_...")


@pytest.mark.parametrize(
    "digits", [VALID, VALID + "8" + VALID[1:], "8" + VALID[1:] + VALID, VALID * 3, VALID + "_" + VALID]
)
def test_a_reservations_id_is_two_or_none(digits: str) -> None:
    with pytest.raises(MalformedId):
        parse_reservation(f"rsv_{digits}")


def test_a_plan_is_named_with_its_version() -> None:
    assert str(PlanRef("api", "team", 3)) == "api/team@3"
