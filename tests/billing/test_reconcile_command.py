"""What an operator reads of both books."""

import asyncio
import json

import pytest
from click.testing import Result

from entrypoints.settings import Settings
from tests.billing.conftest import Till
from tests.cli.processes import command


@pytest.fixture
async def selling(till: Till, monkeypatch: pytest.MonkeyPatch) -> Till:
    """Commands find the same database, and the same Stripe."""
    settings = await till.services.get(Settings)
    for name in ("database_url", "stripe_api_key", "stripe_url", "billing_return_url", "secret", "profile"):
        monkeypatch.setenv(f"CUEBX_{name.upper()}", str(getattr(settings, name)))
    return till


async def reconcile(*arguments: str) -> Result:
    return await asyncio.to_thread(command, "billing", "reconcile", *arguments)


async def test_each_difference_is_a_row_with_its_remedy(selling: Till) -> None:
    agree = await reconcile()
    assert (agree.exit_code, agree.stdout) == (0, "No drift: both books agree.\n")
    id = await selling.subscribe()
    selling.there.events()
    found = await reconcile()
    assert found.exit_code == 1
    assert "read the subscription again" in found.stdout
    assert found.stderr.startswith("Error: the books differ in ")
    rows = json.loads((await reconcile("--json")).stdout)
    assert id in {row["about"] for row in rows}
    assert {row["account"] for row in rows} == {selling.account_id}


async def test_what_a_machine_can_put_right_it_does(selling: Till) -> None:
    await selling.subscribe()
    selling.there.events()
    mended = await reconcile("--apply")
    assert (mended.exit_code, mended.stderr) == (0, "0 left.\n")
    assert await selling.credits() == [("allocation", "300000")]
    assert (await reconcile()).exit_code == 0


async def test_what_it_cannot_is_left_and_said(selling: Till) -> None:
    await selling.subscribe()
    await selling.hear()
    with selling.there.changing():
        [invoice] = selling.there.state.all("invoice")
        invoice["status"] = "void"
    left = await reconcile("--apply")
    assert left.exit_code == 1
    assert "1 left." in left.stderr
    assert "the books differ in 1 place" in left.stderr
