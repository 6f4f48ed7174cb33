"""The language of seccomp filters, as far as ours speak it: a list of what is allowed.

Rule (the kernel's seccomp_filter.rst, <linux/filter.h>): a call of another architecture kills, a
call that is listed passes if its arguments do, every other fails with EPERM. A filter sees the
numbers a call is made with and not what its pointers point at.
"""

import struct
from collections.abc import Iterable

ALLOW, KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
DENY, MISSING = _ERRNO | 1, _ERRNO | 38
"""Answers: the call fails with EPERM; with ENOSYS, as on a kernel that has no such call."""
LOAD, EQUAL, BITS, ANSWER = 0x20, 0x15, 0x45, 0x06
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""The audit architecture by the name of the machine."""
_X32 = 0x40000000

Test = tuple[int, int, int, bool]
"""Of a call's argument: where its half word lies, how it is compared, with what, what must hold."""


def step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    """Return one ``struct sock_filter``."""
    return struct.pack("<HBBI", code, yes, no, value)


def place(argument: int) -> int:
    """Return where the low half of an argument (from 0) lies in ``struct seccomp_data``."""
    return 16 + 8 * argument


def only_this(machine: str) -> list[bytes]:
    """Return the first steps of a filter: kill foreign calls, load the call's number."""
    program = [step(LOAD, 4), step(EQUAL, ARCHITECTURES[machine], 1, 0), step(ANSWER, KILL)]
    program.append(step(LOAD, 0))
    if machine == "x86_64":
        # x32 calls have a table of their own, which would walk around this one.
        program += [step(BITS, _X32, 0, 1), step(ANSWER, KILL)]
    return program


def answered(numbers: Iterable[int], answer: int = ALLOW) -> list[bytes]:
    """Return the steps that answer these calls, whatever their arguments."""
    return [
        part
        for number in sorted(numbers)
        for part in (step(EQUAL, number, 0, 1), step(ANSWER, answer))
    ]


def equal(argument: int, value: int) -> Test:
    """The low half of an argument is ``value``: enough where the kernel takes 32 bits."""
    return place(argument), EQUAL, value, True


def null(argument: int) -> tuple[Test, Test]:
    """An argument is zero in all its 64 bits."""
    return equal(argument, 0), (place(argument) + 4, EQUAL, 0, True)


def has(argument: int, bit: int) -> Test:
    """An argument has a bit."""
    return place(argument), BITS, bit, True


def lacks(argument: int, bits: int) -> Test:
    """An argument has none of some bits."""
    return place(argument), BITS, bits, False


def allowed_if(number: int, *tests: Test) -> list[bytes]:
    """Return the steps that let a call pass if every test holds, and deny it otherwise."""
    program = [step(EQUAL, number, 0, 2 * len(tests) + 2)]
    for left, (at, code, value, wanted) in zip(reversed(range(len(tests))), tests, strict=True):
        away = 2 * left + 1
        program += [step(LOAD, at), step(code, value, *((0, away) if wanted else (away, 0)))]
    return [*program, step(ANSWER, ALLOW), step(ANSWER, DENY)]
