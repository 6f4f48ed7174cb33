"""What the tests of jailed workers share: a pool whose cleaner runs the file as a program."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sanitizer.detect import Format
from sanitizer.jail.pool import Lease, Pool, shared_pool
from sanitizer.limits import Limits
from sanitizer.source import BytesSource
from tests.sanitizer.kit import CANARY, clean
from tests.support.media import phone_photo

HOSTILE = Path(__file__).with_name("hostile.py")
PHOTO = phone_photo(CANARY)
needs_seccomp = pytest.mark.skipif(shared_pool() is None, reason="this kernel has no seccomp")


@contextlib.contextmanager
def hostile(folder: Path, name: str = "hostile") -> Iterator[Pool]:
    program = folder / f"{name}.py"
    program.symlink_to(HOSTILE)
    pool = Pool(program=program)
    try:
        yield pool
    finally:
        pool.close()


def told(lease: Lease, program: str, limits: Limits | None = None) -> list[object]:
    """Return what a program tells, ``["done"]`` where it is silent, or an error's name."""
    planned = lease.clean(Format.GIF, BytesSource(b"GIF89a" + program.encode()), limits or Limits())
    heard: list[object] = json.loads(b"".join(planned.plan.chunks())[6:])
    return heard


def once(pool: Pool, program: str, limits: Limits | None = None) -> list[object]:
    with pool.lease() as lease:
        return told(lease, program, limits)


def open_now(pid: int | str = "self") -> set[str]:
    """What a process holds open, by where each leads: a socket, a pipe, a path.

    Others' leftovers may go at any time; what a test opened and left would be new in here.
    """
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(f"{link.name} {link.readlink()}")
    # The folder is open while it is read.
    return {one for one in found if " /proc/" not in one}


def serves(pool: Pool) -> bool:
    """Whether the next person's file is cleaned as ever."""
    with pool.lease() as lease:
        made = lease.clean(Format.JPEG, BytesSource(PHOTO), Limits())
    return b"".join(made.plan.chunks()) == clean(PHOTO)
