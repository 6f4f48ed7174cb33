"""The program that locks itself in and then becomes ffmpeg. Started by jail.program alone.

Rule: standard library only, run as ``python -I -S -E launcher.py JSON``: nothing of the gateway
is imported, nothing is inherited but three descriptors. Each lock is taken or the program dies;
which locks this kernel has was decided by the parent, who refuses to start without the first.
"""

import ctypes
import json
import os
import resource
import struct
import sys
from pathlib import Path

# Numbers of Linux: <linux/prctl.h>, <linux/landlock.h>, <linux/seccomp.h>, <linux/filter.h>.
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_LANDLOCK_VERSION = 1
_RULE_PATH = 1
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_ACCESS_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_ACCESS_LATEST = (1 << 16) - 1
_NET_ABI, _SCOPE_ABI = 4, 6
_O_PATH = 0o10000000
_SIGKILL = 9


def die(step: str) -> None:  # pragma: no cover - runs in the jailed child
    """Leave at once: a lock that does not close is worse than no cleaning."""
    os.write(2, b"jail: " + step.encode() + b"\n")
    os._exit(125)


def die_with(libc: ctypes.CDLL, parent: int) -> None:  # pragma: no cover - child
    """Have the kernel kill this process when its parent ends; it may have ended already."""
    libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        die("parent")


def shut(libc: ctypes.CDLL) -> None:  # pragma: no cover - runs in the jailed child
    """Gain no rights from a program that has some, and let nobody of this account look in."""
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        die("no_new_privs")
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def landlock_access(abi: int) -> tuple[int, int, int]:
    """Return (file system, network, scope) rights that this kernel can take away."""
    return (
        _ACCESS_BY_ABI.get(abi, _ACCESS_LATEST),
        3 if abi >= _NET_ABI else 0,
        3 if abi >= _SCOPE_ABI else 0,
    )


def landlock_abi() -> int:
    """Return the kernel's Landlock version, 0 where there is none."""
    libc = ctypes.CDLL(None, use_errno=True)
    version = int(libc.syscall(_LANDLOCK_CREATE, None, 0, _LANDLOCK_VERSION))
    return max(0, version)


def landlock(libc: ctypes.CDLL, abi: int, paths: list[str]) -> None:  # pragma: no cover - child
    """Take away every right that this kernel knows, but reading and running ``paths``."""
    files, network, scope = landlock_access(abi)
    attributes = struct.pack("<QQQ", files, network, scope)
    size = 8 if abi < _NET_ABI else 16 if abi < _SCOPE_ABI else 24
    ruleset = libc.syscall(_LANDLOCK_CREATE, attributes, ctypes.c_size_t(size), 0)
    if ruleset < 0:
        die("landlock ruleset")
    for path in paths:
        rights = _EXECUTE | _READ_FILE | (_READ_DIR if Path(path).is_dir() else 0)
        rule = struct.pack("<Qi", rights, os.open(path, _O_PATH | os.O_CLOEXEC))
        if libc.syscall(_LANDLOCK_ADD, ruleset, _RULE_PATH, rule, 0) != 0:
            die("landlock rule")
    if libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0) != 0:
        die("landlock")
    os.close(ruleset)


def seccomp(libc: ctypes.CDLL, program: bytes) -> None:  # pragma: no cover - child
    """Put a filter over this process for good, or die."""
    held = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(held))
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0) != 0:
        die("seccomp")


def limit(limits: dict[str, int]) -> None:  # pragma: no cover - runs in the jailed child
    """Take away what this process may ask the kernel for."""
    for name, most in limits.items():
        resource.setrlimit(getattr(resource, name), (most, most))


def main() -> None:  # pragma: no cover - runs in the jailed child
    """(1) die with the parent (2) close (3) limits (4) landlock (5) seccomp (6) become ffmpeg."""
    order = json.loads(sys.argv[1])
    libc = ctypes.CDLL(None, use_errno=True)
    die_with(libc, order["parent"])
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    os.chdir("/")
    os.umask(0o077)
    shut(libc)
    if order["landlock"]:
        landlock(libc, order["landlock"], order["paths"])
    limit(order["limits"])
    seccomp(libc, bytes.fromhex(order["filter"]))
    try:
        os.execve(order["argv"][0], order["argv"], {"LC_ALL": "C"})  # noqa: S606 - that is its job
    except OSError:
        die("exec")


if __name__ == "__main__":  # pragma: no cover - runs in the jailed child
    main()
