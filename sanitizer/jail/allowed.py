"""What a jailed worker may ask of the kernel: an allow-list of system calls (seccomp).

Rule: compute, and talk over what is open already. Whatever is not listed fails with EPERM:
nothing here opens, connects, makes a process, sends a signal or looks at another process, and no
memory becomes a program. Numbers: the kernel's syscall_64.tbl and the generic table of arm64.
"""

from sanitizer.jail import filters

ALLOWED = {
    "x86_64": {
        "read": 0, "write": 1, "munmap": 11, "brk": 12, "rt_sigprocmask": 14, "rt_sigreturn": 15,
        "mremap": 25, "madvise": 28, "exit": 60, "gettimeofday": 96, "futex": 202,
        "clock_gettime": 228, "exit_group": 231, "getrandom": 318,
    },
    "aarch64": {
        "read": 63, "write": 64, "munmap": 215, "brk": 214, "rt_sigprocmask": 135,
        "rt_sigreturn": 139, "mremap": 216, "madvise": 233, "exit": 93, "gettimeofday": 169,
        "futex": 98, "clock_gettime": 113, "exit_group": 94, "getrandom": 278,
    },
}  # fmt: skip
"""By architecture and name; with them mmap and mprotect, unless the memory could be run."""
_MEMORY = {"x86_64": {"mmap": 9, "mprotect": 10}, "aarch64": {"mmap": 222, "mprotect": 226}}
_PROT_EXEC = 4


def filter_program(machine: str) -> bytes:
    """Return the worker's filter for this machine as an array of ``struct sock_filter``."""
    program = filters.only_this(machine) + filters.answered(ALLOWED[machine].values())
    for number in _MEMORY[machine].values():
        program += filters.allowed_if(number, filters.lacks(2, _PROT_EXEC))
    return b"".join([*program, filters.step(filters.ANSWER, filters.DENY)])


def count(machine: str) -> int:
    """Return how many system calls are left to a worker."""
    return len(ALLOWED[machine]) + len(_MEMORY[machine])
