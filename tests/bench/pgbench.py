r"""What PostgreSQL does by itself: pgbench, one reserving transaction a request, all on one account.

Twice: as a program would say it, statement by statement, and as one statement, the least that there could be.
Each locks the account, looks whether the request was made before, holds credits where they are free, and
writes the reservation, as the service does; pgbench spends nothing on HTTP, keys, limits or prices.
"""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from adapters.embedded.postgres import binaries
from adapters.postgres.engine import make_engine
from tests.bench.plan import Outcome, percentile

_PATTERN = """
SELECT account_id AS account, key_id, feature, rate::text, estimate::text, holds::text, opening::text,
       holds->0->>0 AS lot, (holds->0->>1)::bigint AS amount
FROM reservation WHERE account_id = $1 AND state = 'held' AND jsonb_array_length(holds) = 1 LIMIT 1
"""
# To pgbench a colon before a letter begins a variable; jsonb is written with a space after each.
_REQUEST = r"\set request random(1, 1000000000000000000)"
_LOCK = "SELECT id FROM account WHERE id = '{account}' FOR UPDATE"
_BEFORE = "SELECT id FROM reservation WHERE account_id = '{account}' AND request = :request::text"
_LOTS = """SELECT id, granted - held - spent FROM lot
WHERE account_id = '{account}' AND usable AND expires_at > statement_timestamp()"""
_HOLD = """UPDATE lot SET held = held + {amount}
WHERE account_id = '{account}' AND id = '{lot}' AND held + spent + {amount} <= granted"""
_INSERT = """INSERT INTO reservation (account_id, id, request, fingerprint, key_id, feature, rate,
    test, state, estimate, holds, opening, created_at, expires_at)
SELECT '{account}', uuidv7(), :request::text, repeat('f', 43), '{key_id}', '{feature}', '{rate}',
    false, 'held', '{estimate}', '{holds}', '{opening}', now(), now() + interval '15 minutes'"""
STEPS = f"BEGIN;\n{_LOCK};\n{_BEFORE};\n{_LOTS};\n{_HOLD};\n{_INSERT};\nCOMMIT"
WHOLE = " ".join(
    [
        *("WITH locked AS (", _LOCK, "), held AS (", _HOLD, "AND EXISTS (SELECT FROM locked) RETURNING id)"),
        *(_INSERT, "FROM held ON CONFLICT (account_id, request) DO NOTHING"),
    ]
)


async def script(url: str, account: UUID, text: str) -> str:
    """``text`` filled like a reservation of ``account`` that the service made and that is still held."""
    engine = make_engine(url)
    try:
        async with engine.connect() as connection:
            made = (await connection.exec_driver_sql(_PATTERN, (account,))).one()
    finally:
        await engine.dispose()
    values = {name: str(value).replace("'", "''") for name, value in made._asdict().items()}
    return f"{_REQUEST}\n{text.format(**values)};\n"


def measure(url: str, text: str, *, clients: int, seconds: int) -> Outcome:
    """Runs the script ``text`` for as long. Raises subprocess.SubprocessError."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "reserve.sql")
        file.write_text(text)
        command = [binaries() / "pgbench", "--no-vacuum", "--protocol=prepared", f"--file={file}"]
        command += [f"--client={clients}", f"--time={seconds}", "--log", f"--log-prefix={folder}/log", url]
        done = subprocess.run(  # noqa: S603 - the program is the wheel's
            [str(part) for part in command], stdout=subprocess.PIPE, check=True, cwd=folder
        )
        ordered = sorted(_latencies(Path(folder)))
    said = done.stdout.decode()
    tps, failed = re.search(r"tps = ([\d.]+)", said), re.search(r"failed transactions: (\d+)", said)
    if tps is None:
        raise subprocess.SubprocessError(said)
    return Outcome(
        requests=len(ordered),
        seconds=len(ordered) / float(tps[1]),
        p50_ms=percentile(ordered, 0.50),
        p99_ms=percentile(ordered, 0.99),
        max_ms=percentile(ordered, 1.0),
        generator_cpu=0.0,
        cpu_seconds={},
        unexpected=int(failed[1]) if failed else 0,
        sample="",
    )


def _latencies(folder: Path) -> Iterator[float]:
    """Milliseconds. A line of the log: client, transaction, microseconds, script, time, time."""
    for file in folder.glob("log.*"):
        with file.open() as lines:
            yield from (int(line.split()[2]) / 1e3 for line in lines)
