"""A clean file as a list of pieces: read at any place, looked at in place, held whole."""

import pytest

from sanitizer.pieces import HELD, Piece, Plan, Range, view
from sanitizer.source import BytesSource, MemorySource

SOURCE = bytes(range(100))


def plan_over(source: BytesSource | MemorySource) -> Plan:
    return Plan(source, [b"ab", b"", Range(10, 20), Range(50, 0), b"cd", Range(40, 3)])


WHOLE = b"ab" + SOURCE[10:30] + b"cd" + SOURCE[40:43]


@pytest.mark.parametrize("kind", [BytesSource, MemorySource])
def test_a_look_and_a_reading_find_the_same_everywhere(
    kind: type[BytesSource | MemorySource],
) -> None:
    plan = plan_over(kind(SOURCE))
    assert plan.length == len(WHOLE)
    for at in range(plan.length + 3):
        for length in range(plan.length + 3):
            wanted = WHOLE[at : at + length]
            assert plan.read_at(at, length) == plan.view_at(at, length) == wanted
            assert view(plan, at, length) == wanted


def test_a_look_into_memory_is_no_copy() -> None:
    plan = plan_over(BytesSource(SOURCE))
    assert isinstance(plan.view_at(3, 5), memoryview)
    assert isinstance(plan.view_at(0, 2), memoryview)
    assert isinstance(plan.view_at(1, 2), bytes)
    with MemorySource(SOURCE) as source:
        assert isinstance(plan_over(source).view_at(3, 5), bytes)


def test_long_files_come_in_windows() -> None:
    long = bytes(HELD + 1)
    cases: list[list[Piece]] = [[long], [Range(0, HELD + 1)], [b"a", b"b"]]
    for pieces in cases:
        plan = Plan(BytesSource(long), pieces)
        parts = list(plan.chunks())
        assert b"".join(parts) == plan.read_at(0, plan.length)
        assert max(map(len, parts)) <= 1 << 20
