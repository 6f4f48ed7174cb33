"""What a visit does to a thread's state, alike whether or not there is a case.  Claim C-ALIKE."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from crypto.ids import HASH_BYTES, Day, HeaderHash
from crypto.receipt import ReceiptKeys, ThreadState

if TYPE_CHECKING:
    from vault.outside import CaseRow


@dataclass(frozen=True, slots=True)
class Look:
    """A thread's state before a visit, and its sealed forms for the vault to exchange."""

    before: ThreadState = field(repr=False)
    old: bytes = field(repr=False)
    new: bytes = field(repr=False)


def look_at(keys: ReceiptKeys, row: CaseRow | None, today: Day) -> Look:
    """Open the state of a code's thread; without a case, one that says nothing.

    The work is the same for both: one opening, one sealing.
    """
    if row is None:
        old = keys.seal_thread_state(ThreadState(0, HeaderHash(bytes(HASH_BYTES)), today))
    else:
        old = row.thread_state
    before = keys.open_thread_state(old)
    return Look(before, old, keys.seal_thread_state(replace(before, last_used=today)))
