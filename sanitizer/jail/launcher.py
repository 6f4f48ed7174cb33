"""The program that locks itself in and then becomes ffmpeg. Started by jail.program alone.

Rule: standard library only, run as ``python -I -S -E launcher.py JSON``: nothing of the gateway
is imported, nothing is inherited but three descriptors. Each lock is taken or the program dies;
which locks this kernel has was decided by the parent, who refuses to start without the first.
"""

import ctypes
import json
import os
import platform
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
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_EPERM, _ENOSYS = 1, 38
_CLONE_THREAD = 0x00010000
_SIGKILL = 9
# Audit architecture, then the numbers: x86-64 and the generic table that arm64 uses.
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_DENIED = {
    "x86_64": {
        "socket": 41, "connect": 42, "accept": 43, "sendto": 44, "sendmsg": 46, "bind": 49,
        "listen": 50, "socketpair": 53, "fork": 57, "vfork": 58, "kill": 62, "ptrace": 101,
        "link": 86, "symlink": 88, "unlink": 87, "rename": 82, "mkdir": 83, "rmdir": 84,
        "chmod": 90, "chown": 92, "mknod": 133, "personality": 135, "pivot_root": 155,
        "chroot": 161, "mount": 165, "umount2": 166, "swapon": 167, "reboot": 169,
        "init_module": 175, "delete_module": 176, "add_key": 248, "request_key": 249,
        "keyctl": 250, "shmget": 29, "msgget": 68, "semget": 64, "mq_open": 240,
        "tkill": 200, "prctl": 157, "setns": 308, "finit_module": 313,
        "memfd_create": 319,
    },
    "aarch64": {
        "socket": 198, "socketpair": 199, "bind": 200, "listen": 201, "accept": 202,
        "connect": 203, "sendto": 206, "sendmsg": 211, "kill": 129, "tkill": 130,
        "ptrace": 117, "pivot_root": 41, "chroot": 51, "mount": 40, "umount2": 39,
        "personality": 92, "reboot": 142, "init_module": 105, "delete_module": 106,
        "add_key": 217, "request_key": 218, "keyctl": 219, "shmget": 194, "msgget": 186,
        "semget": 190, "mq_open": 180, "prctl": 167, "setns": 268, "finit_module": 273,
        "memfd_create": 279, "unlinkat": 35, "renameat": 38, "mkdirat": 34,
    },
}  # fmt: skip
_DENIED_NEW = {
    "x86_64": {
        "process_vm_readv": 310, "process_vm_writev": 311, "unshare": 272, "bpf": 321,
        "userfaultfd": 323, "perf_event_open": 298, "kcmp": 312, "execveat": 322,
        "sendmmsg": 307, "accept4": 288, "unlinkat": 263, "renameat2": 316, "mkdirat": 258,
        "linkat": 265, "symlinkat": 266, "fchmodat": 268, "open_by_handle_at": 304,
    },
    "aarch64": {
        "process_vm_readv": 270, "process_vm_writev": 271, "unshare": 97, "bpf": 280,
        "userfaultfd": 282, "perf_event_open": 241, "kcmp": 272, "execveat": 281,
        "sendmmsg": 269, "accept4": 242, "renameat2": 276, "linkat": 37, "symlinkat": 36,
        "fchmodat": 53, "open_by_handle_at": 265,
    },
}  # fmt: skip
# The same numbers on every architecture since Linux 5.1.
_DENIED_EVERYWHERE = {
    "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426,
    "io_uring_register": 427, "open_tree": 428, "move_mount": 429, "fsopen": 430,
    "fsmount": 432, "pidfd_open": 434, "pidfd_getfd": 438, "memfd_secret": 447,
}  # fmt: skip
_CLONE = {"x86_64": 56, "aarch64": 220}
_CLONE3 = 435


def die(step: str) -> None:  # pragma: no cover - runs in the jailed child
    """Leave at once: a lock that does not close is worse than no cleaning."""
    os.write(2, b"jail: " + step.encode() + b"\n")
    os._exit(125)


def denied(machine: str) -> list[int]:
    """Return the numbers of the system calls that fail with EPERM inside."""
    tables = (_DENIED[machine], _DENIED_NEW[machine], _DENIED_EVERYWHERE)
    return sorted({number for table in tables for number in table.values()})


def filter_program(machine: str) -> bytes:
    """Return the seccomp filter for this machine as an array of ``struct sock_filter``."""

    def op(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("<HBBI", code, yes, no, value)

    load, equal, bits, answer = 0x20, 0x15, 0x45, 0x06
    program = [op(load, 4), op(equal, ARCHITECTURES[machine], 1, 0), op(answer, _KILL), op(load, 0)]
    if machine == "x86_64":
        # x32 calls have a table of their own, which would walk around this one.
        program += [op(bits, 0x40000000, 0, 1), op(answer, _KILL)]
    for number in denied(machine):
        program += [op(equal, number, 0, 1), op(answer, _ERRNO | _EPERM)]
    # clone3 keeps its flags behind a pointer: the C library falls back to clone.
    program += [op(equal, _CLONE3, 0, 1), op(answer, _ERRNO | _ENOSYS)]
    program += [op(equal, _CLONE[machine], 0, 3), op(load, 16)]
    program += [op(bits, _CLONE_THREAD, 1, 0), op(answer, _ERRNO | _EPERM), op(answer, _ALLOW)]
    return b"".join(program)


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


def _landlock(libc: ctypes.CDLL, abi: int, paths: list[str]) -> None:  # pragma: no cover - child
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


def _seccomp(libc: ctypes.CDLL) -> None:  # pragma: no cover - runs in the jailed child
    program = filter_program(platform.machine())
    held = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(held))
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0) != 0:
        die("seccomp")


def _limits(limits: dict[str, int]) -> None:  # pragma: no cover - runs in the jailed child
    for name, most in limits.items():
        resource.setrlimit(getattr(resource, name), (most, most))


def main() -> None:  # pragma: no cover - runs in the jailed child
    """(1) die with the parent (2) close (3) limits (4) landlock (5) seccomp (6) become ffmpeg."""
    order = json.loads(sys.argv[1])
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if os.getppid() != order["parent"]:
        die("parent")
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    os.chdir("/")
    os.umask(0o077)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        die("no_new_privs")
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    if order["landlock"]:
        _landlock(libc, order["landlock"], order["paths"])
    _limits(order["limits"])
    if order["seccomp"]:
        _seccomp(libc)
    try:
        os.execve(order["argv"][0], order["argv"], {"LC_ALL": "C"})  # noqa: S606 - that is its job
    except OSError:
        die("exec")


if __name__ == "__main__":  # pragma: no cover - runs in the jailed child
    main()
