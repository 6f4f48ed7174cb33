"""Print the cover sheet: JSON comes in by standard input, a PDF goes out by standard output.

Rule: a process of its own, started by desk.transmission.cover alone, which holds no key and nothing
but what will be printed.  It locks itself in before it reads a word: it can open the letters that
we ship and no other file, no socket, and start no program.  No desk process ever imports typst.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import sys
from pathlib import Path

import typst

from sanitizer.jail import filters, launcher

HERE = Path(__file__).parent
LETTERS = HERE / "letters"
_LIMITS = {
    "RLIMIT_AS": 2 * 1024**3, "RLIMIT_CPU": 60, "RLIMIT_FSIZE": 0, "RLIMIT_CORE": 0,
    "RLIMIT_NOFILE": 64,
}  # fmt: skip
_DENIED = {
    # socket, connect, socketpair, execve, execveat, ptrace, kill, process_vm_readv and _writev
    "x86_64": (41, 42, 53, 59, 322, 101, 62, 310, 311),
    "aarch64": (198, 203, 199, 221, 281, 117, 129, 270, 271),
}
"""By machine: calls that a printer has no use for."""


def lock() -> None:  # pragma: no cover - runs in the locked process
    """(1) die with the desk (2) gain no rights (3) limits (4) Landlock (5) seccomp, or die."""
    libc = ctypes.CDLL(None, use_errno=True)
    launcher.die_with(libc, os.getppid())
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    launcher.shut(libc)
    if abi := launcher.landlock_abi():
        launcher.landlock(libc, abi, [str(LETTERS)])
    launcher.limit(_LIMITS)
    machine = platform.machine()
    if machine in _DENIED:
        denied = filters.only_this(machine) + filters.answered(_DENIED[machine], filters.DENY)
        launcher.seccomp(libc, b"".join([*denied, filters.step(filters.ANSWER, filters.ALLOW)]))


def main() -> None:  # pragma: no cover - runs in the locked process
    """Read the template, lock, read what is to be printed, print it."""
    template = (HERE / "cover.typ").read_bytes()
    platform.machine()
    lock()
    told = sys.stdin.buffer.read().decode()
    press = typst.Compiler(root=str(LETTERS), font_paths=[str(LETTERS)], ignore_system_fonts=True)
    printed = press.compile(input=template, sys_inputs={"told": told})
    if isinstance(printed, bytes):
        sys.stdout.buffer.write(printed)


if __name__ == "__main__":  # pragma: no cover - runs in the locked process
    main()
