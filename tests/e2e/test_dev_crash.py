"""`cuebx dev` alone: it is killed in the middle of a thousand runs, and started again."""

from pathlib import Path
from typing import Any

import httpx

from tests.cli.processes import started
from tests.cli.test_dev import facts_of, up
from tests.servers import cuebx, wait_for

MANY = 1000


def test_a_thousand_runs_survive_the_only_process_and_its_database(tmp_path: Path) -> None:
    data = tmp_path / ".cuebx"

    def batch(path: str) -> dict[str, Any]:
        facts = facts_of(data)
        headers = {"Authorization": f"Bearer {facts['live_key']}"}
        answer: dict[str, Any] = httpx.get(facts["url"] + path, headers=headers, timeout=30).json()
        return answer

    with started("dev", "--port", "0", folder=tmp_path) as dev:
        wait_for(lambda: dev.poll() is not None or up(data))
        facts = facts_of(data)
        headers = {"Authorization": f"Bearer {facts['live_key']}"}
        inputs = [{"text": f"text {number}"} for number in range(MANY)]
        url = f"{facts['url']}/v1/features/echo/batches"
        queued = httpx.post(url, json={"inputs": inputs}, headers=headers, timeout=30)
        assert queued.status_code == 202, queued.text
        path = f"/v1/batches/{queued.json()['id']}"
        wait_for(lambda: batch(path)["done"] >= MANY // 10)
        dev.kill()
        dev.wait()
    with started("dev", "--port", "0", folder=tmp_path) as dev:
        wait_for(lambda: dev.poll() is not None or up(data))
        assert dev.poll() is None, (tmp_path / "err").read_text()
        wait_for(lambda: batch(path)["queued"] + batch(path)["running"] == 0, seconds=120)
        ended = batch(path)
        assert (ended["done"], ended["failed"]) == (MANY, 0)
        balance = batch("/v1/balance")
        assert balance["held"] == "0"
        assert float(balance["available"]) == 1_000_000 - float(ended["charged"])
        sums = batch("/v1/usage?by=feature")["items"]
        assert [(each["feature"], each["calls"]) for each in sums] == [("echo", MANY)]
        audited = cuebx(facts_of(data)["database_url"], "audit")
        assert (audited.returncode, audited.stdout) == (0, "The books add up.\n"), audited.stderr
