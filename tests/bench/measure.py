"""How things are measured: pairs in turn, medians, and the kernel's own accounts of a process."""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MIB = 1 << 20
TICKS = os.sysconf("SC_CLK_TCK")


def seconds(action: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def in_turn(
    ours: Callable[[], object], theirs: Callable[[], object], rounds: int
) -> tuple[float, float, float]:
    """Run both in turn, after one round that does not count.

    Returns:
        Median seconds of ours, of theirs, and the median of the ratios pair by pair: a machine
        that slows down slows both halves of a pair.
    """
    ours()
    theirs()
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
    )


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time that these processes have used so far."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def resident_peak(pid: int) -> int:
    """Bytes: the most that was resident since the last reset."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(pid)


def reset_peak(pid: int) -> int:
    """Start the peak anew from what is resident now.

    Only root may, of a process that lets nobody look into it; else the peak so far stands.

    Returns:
        That, in bytes.
    """
    with contextlib.suppress(PermissionError):
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    return resident_peak(pid)


def row(what: str, figure: str, goal: str) -> None:
    """Print one line of the table."""
    print(f"  {what:<66} {figure:>22}   goal {goal}", flush=True)  # noqa: T201  # a benchmark prints
