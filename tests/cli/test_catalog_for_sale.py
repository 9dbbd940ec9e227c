"""A catalog is published, and what it sells is made at Stripe."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.catalog_file.files import SAMPLE
from tests.cli.operator import asked, refused
from tests.cli.processes import command
from tests.fakes.stripe.wire import Object
from tests.fakes.stripe_server import StripeServer, stripe_server


@pytest.fixture
def there(own_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeServer]:
    with stripe_server(held=True) as server:
        monkeypatch.setenv("CUEBX_STRIPE_API_KEY", server.api_key)
        monkeypatch.setenv("CUEBX_STRIPE_URL", server.url)
        monkeypatch.setenv("CUEBX_BILLING_RETURN_URL", "https://app.example/billing")
        yield server


def prices(there: StripeServer) -> dict[str, tuple[int, bool]]:
    """What each asks for, and whether it can be bought; by lookup key."""
    found: list[Object] = there.state.all("price")
    return {each["lookup_key"]: (each["unit_amount"], each["active"]) for each in found}


def outcomes(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {f"{row['key']}@{row['version']}": row["outcome"] for row in rows if row["kind"] == "price"}


def dearer(folder: Path) -> Path:
    file = folder / "catalog.toml"
    file.write_text(SAMPLE.read_text().replace('"499.00"', '"599.00"'))
    return file


def test_what_would_be_made_is_shown_first_and_made_then_and_once(there: StripeServer) -> None:
    plan = command("catalog", "publish", str(SAMPLE), "--stripe", "--dry-run")
    assert plan.exit_code == 0, plan.output
    assert "stripe:plan api/scale" in plan.stdout
    assert plan.stdout.endswith("new. Nothing was published: this was a dry run.\n")
    assert (prices(there), there.state.all("product")) == ({}, [])
    foretold = asked("catalog", "publish", str(SAMPLE), "--stripe", "--dry-run")
    assert asked("catalog", "publish", str(SAMPLE), "--stripe") == foretold
    made = prices(there)
    assert made["cuebx:plan:api:scale:1"] == (49900, True)
    assert made.keys() == {each["lookup_key"] for each in there.state.all("price")}
    assert set(outcomes(asked("catalog", "publish", str(SAMPLE), "--stripe")).values()) == {"unchanged"}
    assert prices(there) == made


def test_a_price_that_somebody_pays_is_never_edited(there: StripeServer, tmp_path: Path) -> None:
    asked("catalog", "publish", str(SAMPLE), "--stripe")
    changes = outcomes(asked("catalog", "publish", str(dearer(tmp_path)), "--stripe"))
    counted = Counter(changes.values())
    assert (counted["new"], counted["unchanged"]) == (2, 7)
    found = prices(there)
    assert found["cuebx:plan:api:scale:1"] == (49900, True)
    assert found["cuebx:plan:api:scale:2"] == (59900, True)


def test_a_price_that_does_not_fit_is_named_and_nothing_is_published(
    there: StripeServer, tmp_path: Path
) -> None:
    asked("catalog", "publish", str(SAMPLE), "--stripe")
    [price] = there.state.all("price", lookup_key="cuebx:plan:api:scale:1")
    price["metadata"]["cuebx"] = "cuebx:plan:api:scale:2"
    before = prices(there)
    line = refused("catalog", "publish", str(dearer(tmp_path)), "--stripe")
    assert f"plan api/scale@2 ({price['id']})" in line
    assert line.endswith("[prices_clash]")
    assert prices(there) == before
    rows = asked("catalog", "publish", str(SAMPLE), "--dry-run")
    assert {row["outcome"] for row in rows} == {"unchanged"}


def test_without_a_key_nothing_is_published(own_database: str) -> None:
    line = refused("catalog", "publish", str(SAMPLE), "--stripe")
    assert line == "Error: this installation sells nothing: it has no Stripe key [billing_off]"
    rows = asked("catalog", "publish", str(SAMPLE), "--dry-run")
    assert {row["outcome"] for row in rows} == {"new"}
