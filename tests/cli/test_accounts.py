import asyncio
from datetime import datetime

import pytest

from application.usage.ports import UsageReader
from domain.credits import format_credits
from domain.ids import parse_account, parse_typeid
from domain.usage.lot import Lot
from tests.cli.operator import asked, made, misused, refused
from tests.cli.processes import command
from tests.shop import services_on

pytestmark = pytest.mark.usefixtures("sold")
NOBODY = "acc_" + "0" * 26


def lots(database: str, account: str) -> list[Lot]:
    async def ask() -> list[Lot]:
        async with services_on(database) as services:
            return list((await (await services.get(UsageReader)).balance(parse_account(account))).lots)

    return asyncio.run(ask())


def test_a_grant_says_what_it_gave(sold: str) -> None:
    account = made()["account_id"]
    row = asked("accounts", "grant", account, "12.5")
    (lot,) = lots(sold, account)
    assert parse_typeid("lot", row.pop("lot_id")) == (lot.id,)
    assert row == {
        "account_id": account,
        "source": "top_up",
        "granted": "12.5",
        "expires_at": None,
        "available": "12.5",
        "granted_before": False,
    }
    assert format_credits(lot.free) == "12.5"
    assert asked("accounts", "grant", account, "0.000001")["available"] == "12.500001"


@pytest.mark.parametrize(("source", "priority"), [("top_up", 40), ("promotion", 10), ("adjustment", 30)])
def test_a_grant_burns_in_the_turn_of_its_kind_unless_said(sold: str, source: str, priority: int) -> None:
    account = made()["account_id"]
    asked("accounts", "grant", account, "1", "--source", source)
    asked("accounts", "grant", account, "1", "--source", source, "--priority", "5")
    assert [(lot.source, lot.priority) for lot in lots(sold, account)] == [(source, 5), (source, priority)]


def test_a_grant_may_end(sold: str) -> None:
    account = made()["account_id"]
    row = asked("accounts", "grant", account, "1", "--expires", "2999-12-31T12:00Z")
    (lot,) = lots(sold, account)
    assert lot.expires_at == datetime.fromisoformat(row["expires_at"])
    assert row["expires_at"] == "2999-12-31T12:00:00Z"


def test_one_reference_grants_once() -> None:
    account = made()["account_id"]
    first = asked("accounts", "grant", account, "5", "--reference", "invoice 7")
    again = asked("accounts", "grant", account, "5", "--reference", "invoice 7")
    assert again == first | {"granted_before": True}
    elsewhere = asked("accounts", "grant", made()["account_id"], "5", "--reference", "invoice 7")
    assert not elsewhere["granted_before"]


@pytest.mark.parametrize("other", [["6"], ["5", "--source", "promotion"]])
def test_one_reference_names_one_grant(other: list[str]) -> None:
    account = made()["account_id"]
    asked("accounts", "grant", account, "5", "--reference", "invoice 7")
    line = refused("accounts", "grant", account, *other, "--reference", "invoice 7")
    assert line.endswith("[grant_reference_reused]")
    assert "'invoice 7'" in line


def test_people_read_the_same_as_programs() -> None:
    account = made()["account_id"]
    shown = command("accounts", "grant", account, "12.5").stdout.splitlines()
    assert [line.split()[-1] for line in shown][1:] == [account, "top_up", "12.5", "-", "12.5", "False"]


def test_an_unknown_account_is_told() -> None:
    assert refused("accounts", "grant", NOBODY, "1") == "Error: there is no such account [account_missing]"


@pytest.mark.parametrize(
    "amount",
    ["", "-5", "-x", "0", "0.0", "1e3", "1,5", ".5", "5.", "nan", "0.0000001", "9007199254.740993", "9" * 30],
)
def test_an_amount_is_a_decimal_number_of_credits(amount: str) -> None:
    assert "AMOUNT" in misused("accounts", "grant", NOBODY, amount)


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ([NOBODY, "--", "-1"], "is not a decimal number"),
        (["ws_" + "0" * 26, "1"], "is not an id of the form acc_..."),
        ([NOBODY, "1", "--source", "overdraft"], "'overdraft' is not one of"),
        ([NOBODY, "1", "--source", "allocation"], "'allocation' is not one of"),
        ([NOBODY, "1", "--priority", "-1"], "not in the range"),
        ([NOBODY, "1", "--priority", "1001"], "not in the range"),
        ([NOBODY, "1", "--expires", "never"], "is neither a day"),
        ([NOBODY, "1", "--expires", "2020-01-01"], "is over"),
        ([NOBODY, "1", "--reference", "\udcff"], "printable"),
        ([NOBODY, "1", "--reference", ""], "printable"),
        ([NOBODY], "Missing argument 'AMOUNT'"),
    ],
)
def test_what_makes_no_sense_is_told(arguments: list[str], fault: str) -> None:
    assert fault in misused("accounts", "grant", *arguments)
