"""The process that workers are forked from: warm, locked, and blind.  Started by jail.pool alone.

Rule: run as ``python -I -S -E zygote.py`` with one socket as its standard input.  It imports
every cleaner once, gives up all files and the network (Landlock), and then only does as it is
told: fork a worker around a stream, end a worker.  It never reads a byte of anybody's file: the
streams and memories go by it closed.  A worker takes its own, narrower lock before its first byte.
"""

import ctypes
import encodings.ascii
import encodings.cp437
import encodings.cp1252
import encodings.idna
import encodings.latin_1
import encodings.mac_roman
import encodings.raw_unicode_escape
import encodings.shift_jis
import encodings.unicode_escape
import encodings.utf_8_sig
import encodings.utf_16
import encodings.utf_16_be
import encodings.utf_16_le
import encodings.utf_32
import gc
import heapq
import json
import os
import platform
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

FORK, END = b"F", b"K"
COMMAND = struct.Struct(">cQ")
"""What the pool tells: which deed, which worker.

A fork brings the worker's stream along, and the memory that it shares with the gateway, if any.
"""
Serve = Callable[[Any, Any], None]
"""What a worker does with its stream and with the memory that it shares, until the end of both."""
READY = b"ready"
MOST_ORDER = 64 << 10
"""Longest order, in bytes: it fits one packet."""
_MOMENT = 0.02
_MOST_DESCRIPTORS = 16
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_PAGE = resource.getpagesize()


_WARM = (
    encodings.ascii, encodings.cp437, encodings.cp1252, encodings.idna, encodings.latin_1,
    encodings.mac_roman, encodings.raw_unicode_escape, encodings.shift_jis,
    encodings.unicode_escape, encodings.utf_8_sig, encodings.utf_16, encodings.utf_16_be,
    encodings.utf_16_le, encodings.utf_32, heapq,
)  # fmt: skip
"""What libraries import at their first use, when nothing can be opened any more."""


def _lock(order: dict[str, int]) -> ctypes.CDLL:  # pragma: no cover - runs in the jailed child
    """No new rights, no files, no network, no core dump; return the C library for later."""
    from sanitizer.jail import launcher  # noqa: PLC0415 - only now is it known where it lies

    libc = ctypes.CDLL(None, use_errno=True)
    os.chdir("/")
    os.umask(0o077)
    launcher.shut(libc)
    # Memory that one file has used serves the next without asking the kernel again.
    libc.mallopt(_M_MMAP_THRESHOLD, 32 << 20)
    libc.mallopt(_M_TRIM_THRESHOLD, 256 << 20)
    if order["landlock"]:
        launcher.landlock(libc, order["landlock"], [])
    launcher.limit({"RLIMIT_FSIZE": 0, "RLIMIT_CORE": 0, "RLIMIT_NOFILE": _MOST_DESCRIPTORS})
    return libc


def _work(
    order: dict[str, int], libc: ctypes.CDLL, parent: int, descriptors: list[int], serve: Serve
) -> None:  # pragma: no cover - child
    """(1) die with the zygote (2) take the stream, map the memory, close all else (3) limits.

    (4) System calls (5) serve one lease (6) die.
    """
    from sanitizer.jail import allowed, ends, launcher, shared  # noqa: PLC0415 - imported before

    launcher.die_with(libc, parent)
    # The control socket is gone with this.
    os.dup2(descriptors[0], 0)
    memory = shared.read_only(descriptors[1]) if len(descriptors) > 1 else None
    # The mapping stays, and what it was made from is closed with the rest.
    os.closerange(3, _MOST_DESCRIPTORS)
    launcher.limit(
        {
            "RLIMIT_AS": order["memory"] + (len(memory) if memory is not None else 0),
            "RLIMIT_CPU": order["seconds"],
            "RLIMIT_NOFILE": 3,
            "RLIMIT_NPROC": 0,
        }
    )
    launcher.seccomp(libc, allowed.filter_program(platform.machine()))
    serve(ends.Stream(0), memory)


def _cleaning() -> Serve:  # pragma: no cover - runs in the jailed child
    from sanitizer.jail import worker  # noqa: PLC0415 - only now is it known where it lies

    return worker.serve


def main(
    prepare: Callable[[], None] | None = None, work: Callable[[], Serve] = _cleaning
) -> None:  # pragma: no cover - jailed child
    """(1) learn where the code lies (2) import (3) lock (4) fork and end workers as told.

    ``work`` imports what the workers do.  ``prepare`` is for tests, which bring cleaners that try
    to get out: it runs before (3).
    """
    with socket.socket(fileno=0) as control:
        order = json.loads(control.recv(MOST_ORDER))
        sys.path[:] = order.pop("path")
        from sanitizer.jail import allowed, ends, shared  # noqa: F401, PLC0415 - for the workers

        serve = work()
        image = sys.modules.get("PIL.Image")
        if image is not None:
            image.init()
        if prepare is not None:
            prepare()
        # Measured before the lock, which hides /proc.
        begun = int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE
        order["memory"] += begun
        libc = _lock(order)
        gc.collect()
        gc.freeze()
        control.send(READY)
        _obey(control, order, libc, serve)


def _obey(
    control: socket.socket, order: dict[str, int], libc: ctypes.CDLL, serve: Serve
) -> None:  # pragma: no cover - runs in the jailed child
    """Fork and end until the gateway has gone; its workers die with this process."""
    me, workers, ended = os.getpid(), dict[int, int](), set[int]()
    while True:
        ended -= {pid for pid in ended if os.waitpid(pid, os.WNOHANG)[0]}
        control.settimeout(_MOMENT if ended else None)
        try:
            message, descriptors, _, _ = socket.recv_fds(control, COMMAND.size, 2)
        except TimeoutError:
            continue
        if not message:
            return
        deed, number = COMMAND.unpack(message)
        if deed == FORK:
            pid = os.fork()
            if pid == 0:
                try:
                    _work(order, libc, me, descriptors, serve)
                finally:
                    os._exit(1)
            workers[number] = pid
            for descriptor in descriptors:
                os.close(descriptor)
        elif number in workers:
            # Not waited for before, so that its number can be nobody else's by now.
            pid = workers.pop(number)
            os.kill(pid, signal.SIGKILL)
            ended.add(pid)


if __name__ == "__main__":  # pragma: no cover - runs in the jailed child
    main()
