"""What the embedded profile keeps for itself, in the folder of its data."""

import os
from base64 import b64encode
from contextlib import suppress
from pathlib import Path

from entrypoints.settings import Profile, Settings

FOLDER = Path(os.environ.get("CUEBX_DATA", ".cuebx"))
_BYTES = 32


def local_secret(folder: Path) -> str:
    """Made at the first need, for the folder's owner alone. Of processes that ask at once, one makes it."""
    file = folder / "secret"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = folder / f"secret.{os.getpid()}"
    part.touch(mode=0o600)
    part.write_text(b64encode(os.urandom(_BYTES)).decode())
    with suppress(FileExistsError):
        os.link(part, file)
    part.unlink()
    return file.read_text()


def secret_of(settings: Settings) -> str | None:
    if settings.secret is None and settings.profile is Profile.EMBEDDED:
        return local_secret(FOLDER)
    return settings.secret
