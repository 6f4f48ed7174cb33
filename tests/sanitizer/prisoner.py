"""A program without a library that makes whatever system calls it is told to make.

It stands for an ffmpeg that a file has taken over, and needs less than any other program does:
so it runs behind exactly the filter that ffmpeg runs behind. x86-64 machine code, made here.
"""

import dataclasses
import os
import platform
import stat
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sanitizer.jail.program import Jail, ffmpeg_jail
from sanitizer.limits import Limits

needs_locks = pytest.mark.skipif(
    not ffmpeg_jail().is_whole, reason="this kernel has no Landlock or no seccomp"
)
needs_prisoner = pytest.mark.skipif(
    platform.machine() != "x86_64" or not ffmpeg_jail().is_whole,
    reason="the prisoner is machine code of x86-64, and the jail needs both locks",
)
_RECORD = 512
_HEAD = 56
_CODE, _DATA, _ROOM = 0x400000, 0x600000, 2 << 20
TEXT = _DATA + _HEAD
"""Where the text of a call lies in the prisoner's memory."""
SPIN = 1 << 63
"""In the number's place: compute without end."""
_PROGRAM = bytes.fromhex(
    # loop: if read(0, data, 512) != 512: goto end
    "31ff be00006000 ba00020000 31c0 0f05 3d00020000 7562"
    # seven registers out of the record; a negative number computes for ever
    "488b042500006000 488b3c2508006000 488b342510006000 488b142518006000"
    "4c8b142520006000 4c8b042528006000 4c8b0c2530006000 4885c0 78fe"
    # the call; write(1, its result, 8); goto loop
    "0f05 4889042500006000 b801000000 bf01000000 be00006000 ba08000000 0f05 e987ffffff"
    # the end: leave with success
    "31ff b8e7000000 0f05"
)


def made(folder: Path) -> Path:
    """Write the prisoner into a folder."""
    at = 64 + 2 * 56
    head = b"\x7fELF\2\1\1".ljust(16, b"\0")
    head += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, _CODE + at, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    size = at + len(_PROGRAM)
    head += struct.pack("<IIQQQQQQ", 1, 5, 0, _CODE, _CODE, size, size, 4096)
    head += struct.pack("<IIQQQQQQ", 1, 6, 0, _DATA, _DATA, 0, _ROOM, 4096)
    path = folder / "prisoner"
    path.write_bytes(head + _PROGRAM)
    path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    return path


def locked(path: Path) -> Jail:
    """Return a jail around the prisoner, with the filter that ffmpeg has on this machine."""
    return dataclasses.replace(Jail.around(str(path)), stat_by_path=ffmpeg_jail().stat_by_path)


def call(number: int, *arguments: int, text: bytes = b"") -> bytes:
    """Return the record that asks for one call."""
    six = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    registers = struct.pack("<7Q", number, *(value % (1 << 64) for value in six))
    assert len(text) < _RECORD - _HEAD
    return (registers + text).ljust(_RECORD, b"\0")


def told(jail: Jail, records: Iterator[bytes], limits: Limits | None = None) -> bytes:
    """Return all that the prisoner writes, sooner than a call that is let through may wait."""
    return b"".join(jail.run([], records, limits or Limits(child_seconds=30), 1 << 20))


def results(jail: Jail, *records: bytes, limits: Limits | None = None) -> list[int]:
    """Return what each call returned: negative is the number of an error."""
    return [value for (value,) in struct.iter_unpack("<q", told(jail, iter(records), limits))]


def at_large(path: Path, *records: bytes) -> list[int]:
    """Return what the same calls return where nothing is locked."""
    done = subprocess.run([str(path)], input=b"".join(records), capture_output=True, check=True)
    return [value for (value,) in struct.iter_unpack("<q", done.stdout)]


def children() -> list[int]:
    """Return the processes that this one has begun."""
    tasks = Path("/proc/self/task").glob("*/children")
    return [
        int(pid) for task in tasks for pid in task.read_text().split() if int(pid) != os.getpid()
    ]
