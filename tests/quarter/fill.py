"""Put the sealed quarter into a gateway's vault, day by day, by the vault's own doors.

Rule: the vault takes what was sealed on its own day alone; here its day is the quarter's.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from crypto.receipt import ThreadState
from tests.quarter.plan import FIRST, LAST, Said
from tests.quarter.seal import CaseSealer
from vault.outside import NewCase, StoredEnvelope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crypto.envelope import SealedEnvelope
    from crypto.ids import Day
    from tests.quarter.plan import Planned
    from tests.quarter.seal import Hands
    from vault.vault import Vault

_WINDOW_BYTES = 48


@dataclass(slots=True)
class Filler:
    """Fills one vault; `open_vault` opens it on a day, for as long as that day lasts."""

    hands: Hands
    open_vault: Callable[[Day], Vault]
    envelopes: int = 0
    _open: dict[int, tuple[CaseSealer, ThreadState, bytes]] = field(default_factory=dict)

    def fill(self, reports: Sequence[Planned], announce: Callable[[str], None]) -> None:
        """Put everything in, from the first day to the last."""
        for day in range(FIRST, LAST + 1):
            vault = self.open_vault(day)  # type: ignore[arg-type]  # a day, counted
            try:
                for one in reports:
                    if one.day == day:
                        self._begin(vault, one)
                    elif one.day < day:
                        self._go_on(vault, one, day)
            finally:
                vault.close()
            if (day - FIRST) % 10 == 9:
                announce(f"{day - FIRST + 1} of {LAST - FIRST + 1} days")

    def _begin(self, vault: Vault, one: Planned) -> None:
        sealer = CaseSealer(self.hands, one)
        sealed = sealer.report()
        report = sealed[0].header_hash
        for said in one.history:
            if said.day == one.day:
                sealed += sealer.later(said)
        state = ThreadState(0, report, sealed[0].header.day)
        kept = sealer.keys.seal_thread_state(state)
        window = secrets.token_bytes(_WINDOW_BYTES)
        row = NewCase(sealer.case, sealer.keys.locator, kept, window)
        vault.accept_report(row, [_stored(each) for each in sealed])
        self.envelopes += len(sealed)
        self._open[one.number] = (sealer, state, kept)

    def _go_on(self, vault: Vault, one: Planned, day: int) -> None:
        for said in one.history:
            if said.day == day:
                sealer, state, kept = self._open[one.number]
                sealed = [_stored(each) for each in sealer.later(said)]
                self.envelopes += len(sealed)
                if isinstance(said, Said):
                    last, day_of_it = sealed[0].header.hash, sealed[0].header.day
                    after = replace(
                        state, sequence=state.sequence + 1, last=last, last_used=day_of_it
                    )
                    fresh = sealer.keys.seal_thread_state(after)
                    vault.accept_follow_up(sealer.case, sealed, old_state=kept, new_state=fresh)
                    self._open[one.number] = (sealer, after, fresh)
                else:
                    vault.append(sealed[0])


def _stored(sealed: SealedEnvelope) -> StoredEnvelope:
    return StoredEnvelope(sealed.header, sealed.wraps, sealed.manifest)
