"""Runs one PostgreSQL program, as the user that it accepts, and ends it when its starter ends.

A program of its own, for what must happen between fork and exec:
``launch.py STARTER UID GID REACH PROGRAM...``.

PostgreSQL refuses to run as root, so root lends its data directory to another user. Where that user may not
walk to the directory or to the programs (a home of mode 0700), REACH keeps the one capability of root that
walks there, instead of opening the home to everybody (ADR 0007). See capabilities(7) and prctl(2).
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
# Without it access(2), with which PostgreSQL finds its programs, forgets the capabilities of who is not root.
SECBIT_NO_SETUID_FIXUP = 4
CAPABILITY_VERSION_3 = 0x20080522
# Reading only where it is to be had; a container often grants only the second.
CAP_DAC_READ_SEARCH = 2
CAP_DAC_OVERRIDE = 1


def prctl(option: int, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    padded = (*arguments, 0, 0, 0, 0)[:4]
    if libc.prctl(option, *map(ctypes.c_ulong, padded)) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")


def permitted() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapPrm:"):
            return int(line.split()[1], 16)
    return 0


def keep_only(capability: int) -> None:
    """Drops every other capability, and passes this one on to the program."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    mask = 1 << capability
    sets = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    if libc.capset(header, sets) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def become(uid: int, gid: int, *, reach: bool) -> None:
    held = permitted() if reach else 0
    if reach:
        prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if reach:
        keep_only(CAP_DAC_READ_SEARCH if held >> CAP_DAC_READ_SEARCH & 1 else CAP_DAC_OVERRIDE)


def main(starter: int, uid: int, gid: int, reach: bool, program: list[str]) -> None:  # noqa: FBT001
    if os.geteuid() != uid:
        try:
            become(uid, gid, reach=reach)
        except OSError as error:
            sys.exit(f"could not become user {uid}: {error}")
    if sys.platform == "linux":
        prctl(PR_SET_PDEATHSIG, signal.SIGINT)  # to a postmaster: end all sessions and stop
        if os.getppid() != starter:
            sys.exit("the starting process has ended")
    os.umask(0o077)
    os.execv(program[0], program)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "1", sys.argv[5:])
