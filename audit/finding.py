"""One thing that was looked at, and what was seen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """A check by name, whether it holds, and in words what was seen (never a secret)."""

    check: str
    holds: bool
    seen: str
