"""What the jailed ffmpeg may ask of the kernel: an allow-list of system calls (seccomp).

Rule: start once, load libraries, have threads, compute, read and write what is open. Whatever is
not listed fails with EPERM: no call that changes a file's rights, times, attributes, name or
length, none that signals, watches or limits another process, none that makes one, no socket, and
no memory that was written becomes a program. What may be opened and started says Landlock.
Numbers: the kernel's syscall_64.tbl and the generic table of arm64.
"""

from sanitizer.jail import filters
from sanitizer.jail.filters import ALLOW, ANSWER, BITS, DENY, EQUAL, LOAD, place, step

ALLOWED = {
    "x86_64": {
        "read": 0, "write": 1, "close": 3, "fstat": 5, "munmap": 11, "brk": 12,
        "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "pread64": 17, "writev": 20,
        "sched_yield": 24, "mremap": 25, "madvise": 28, "dup": 32, "nanosleep": 35, "execve": 59,
        "exit": 60, "gettimeofday": 96, "getrusage": 98, "futex": 202, "set_tid_address": 218,
        "restart_syscall": 219, "clock_gettime": 228, "clock_nanosleep": 230, "exit_group": 231,
        "set_robust_list": 273, "getrandom": 318, "rseq": 334,
    },
    "aarch64": {
        "read": 63, "write": 64, "close": 57, "fstat": 80, "munmap": 215, "brk": 214,
        "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "pread64": 67,
        "writev": 66, "sched_yield": 124, "mremap": 216, "madvise": 233, "dup": 23,
        "nanosleep": 101, "execve": 221, "exit": 93, "gettimeofday": 169, "getrusage": 165,
        "futex": 98, "set_tid_address": 96, "restart_syscall": 128, "clock_gettime": 113,
        "clock_nanosleep": 115, "exit_group": 94, "set_robust_list": 99, "getrandom": 278,
        "rseq": 293,
    },
}  # fmt: skip
"""By architecture and name, whatever the arguments. ``execve`` is how ffmpeg begins."""
CONDITIONAL = {
    "x86_64": {
        "mmap": 9, "mprotect": 10, "clone": 56, "fcntl": 72, "arch_prctl": 158, "openat": 257,
        "newfstatat": 262, "prlimit64": 302,
    },
    "aarch64": {
        "mmap": 222, "mprotect": 226, "clone": 220, "fcntl": 25, "openat": 56, "newfstatat": 79,
        "prlimit64": 261,
    },
}  # fmt: skip
"""By architecture and name: allowed with some arguments."""
_CLONE3 = 435
_PROT_WRITE, _PROT_EXEC, _MAP_ANONYMOUS = 2, 4, 0x20
_F_SETFD = 2
_ARCH_SET_FS = 0x1002
_O_RDONLY_CLOEXEC = 0o2000000
_AT_EMPTY_PATH = 0x1000
_CLONE_THREAD = 0x00010000
# VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, SETTLS, PARENT_SETTID, CHILD_CLEARTID, DETACHED.
_THREADS = 0x007D0F00


def filter_program(machine: str, *, stat_by_path: bool) -> bytes:
    """Return ffmpeg's filter for this machine as an array of ``struct sock_filter``.

    ``stat_by_path`` is for a C library whose loader asks for the length of an open file by
    ``newfstatat``: its path stands behind a pointer, so that any file can be asked about.
    """
    number = CONDITIONAL[machine]
    program = filters.only_this(machine) + filters.answered(ALLOWED[machine].values())
    # Its flags lie behind a pointer: the C library falls back to clone.
    program += filters.answered([_CLONE3], filters.MISSING)
    program += filters.allowed_if(
        number["clone"],
        filters.has(0, _CLONE_THREAD),
        filters.lacks(0, ~_THREADS & 0xFFFFFFFF),
    )
    program += _mapped(number["mmap"])
    program += filters.allowed_if(number["mprotect"], filters.lacks(2, _PROT_EXEC))
    program += filters.allowed_if(number["fcntl"], filters.equal(1, _F_SETFD))
    # To read, and nothing else: with O_PATH Landlock would not be asked.
    program += filters.allowed_if(number["openat"], filters.equal(2, _O_RDONLY_CLOEXEC))
    # One's own limits, to look at.
    program += filters.allowed_if(number["prlimit64"], filters.equal(0, 0), *filters.null(2))
    if "arch_prctl" in number:
        program += filters.allowed_if(number["arch_prctl"], filters.equal(0, _ARCH_SET_FS))
    if stat_by_path:
        program += filters.allowed_if(number["newfstatat"], filters.equal(3, _AT_EMPTY_PATH))
    return b"".join([*program, step(ANSWER, DENY)])


def _mapped(number: int) -> list[bytes]:
    """Let mmap pass for memory that cannot be run, or for a library's code as it lies on disk."""
    return [
        step(EQUAL, number, 0, 7),
        step(LOAD, place(2)),
        step(BITS, _PROT_EXEC, 0, 3),
        step(BITS, _PROT_WRITE, 3, 0),
        step(LOAD, place(3)),
        step(BITS, _MAP_ANONYMOUS, 1, 0),
        step(ANSWER, ALLOW),
        step(ANSWER, DENY),
    ]


def count(machine: str, *, stat_by_path: bool) -> int:
    """Return how many system calls are left to ffmpeg, with whatever arguments."""
    return len(ALLOWED[machine]) + len(CONDITIONAL[machine]) - (not stat_by_path)
