"""This desk, as it would introduce itself: who works here, whom it believes, what waits.

Rule: what is told here is the operator's own or public; nothing of a report, and no secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from desk.cases import REF_DIGITS, iso
from desk.unfinished import Ledger

if TYPE_CHECKING:
    from crypto.ids import Day
    from desk.desk import Desk
    from desk.unfinished import Rest


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case in which something was written that the server does not have yet; how much."""

    case: str
    number: int

    @property
    def ref(self) -> str:
        """The case's reference."""
        return f"{self.case[:4]}-{self.case[4:REF_DIGITS]}"


@dataclass(frozen=True, slots=True)
class About:
    """What a desk says of itself; `number` is the member's in the roster, 0 where it names none.

    `fingerprint` is of this desk's own keys, as keygen prints it; `root` of the pinned root.
    """

    label: str
    role: str
    number: int
    fingerprint: str
    deployment: str
    root: str
    server: str
    rehearsal: bool
    epoch: int
    first: Day
    last: Day
    in_force: bool
    operators: int
    custodians: int
    quorum: int
    last_sync: str
    waiting: tuple[Waiting, ...]
    alarms: int
    unfinished: tuple[Rest, ...]

    def to_json(self) -> dict[str, object]:
        """The stable shape of `about --json`."""
        return {
            "label": self.label,
            "role": self.role,
            "number": self.number,
            "fingerprint": self.fingerprint,
            "deployment": self.deployment,
            "root_fingerprint": self.root,
            "server": self.server,
            "rehearsal": self.rehearsal,
            "roster": {
                "epoch": self.epoch, "first": iso(self.first), "last": iso(self.last),
                "in_force": self.in_force, "operators": self.operators,
                "custodians": self.custodians, "quorum": self.quorum,
            },
            "last_sync": self.last_sync,
            "waiting": [{"case": one.case, "number": one.number} for one in self.waiting],
            "alarms": self.alarms,
            "unfinished": [{"place": one.place, "gone": one.gone} for one in self.unfinished],
        }  # fmt: skip


def about(desk: Desk) -> About:
    """Everything; what a killed program left in clear is removed by asking, and told.

    Raises:
        NotEnrolled: the roster that this desk pinned is lost.
    """
    keyring, roster = desk.keyring, desk.trust.newest
    mine = (
        roster.custodian_of(keyring.sign.public.kid)
        if desk.is_custodian
        else roster.operator_of(keyring.sign.public.kid)
    )
    return About(
        label=keyring.label,
        role=keyring.role,
        number=mine.number if mine else 0,
        fingerprint=keyring.enrolment.fingerprint,
        deployment=desk.trust.deployment.hex(),
        root=desk.trust.root.fingerprint,
        server=desk.server,
        rehearsal=roster.rehearsal,
        epoch=roster.epoch,
        first=roster.not_before,
        last=roster.not_after,
        in_force=roster.not_before <= desk.today() <= roster.not_after,
        operators=len(roster.operators),
        custodians=len(roster.custodians),
        quorum=roster.quorum,
        last_sync=desk.store.noted("last_sync"),
        waiting=waiting(desk),
        alarms=len(desk.store.alarms()),
        unfinished=tuple(Ledger.of(desk).rests()),
    )


def waiting(desk: Desk) -> tuple[Waiting, ...]:
    """What was written here and not sent yet, case by case."""
    counts: dict[str, int] = {}
    for one in desk.store.unposted():
        counts[one.case.hex()] = counts.get(one.case.hex(), 0) + 1
    return tuple(Waiting(case, number) for case, number in sorted(counts.items()))
