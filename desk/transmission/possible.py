"""Whether a case may be handed over now, to whom, and what stands against it.

Rule: whoever asks, a page, a command or the hand-over itself at its last step, asks the same
questions of the case as it is at that moment; nothing is opened or written here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desk import work
from desk.errors import ActRefused, ServiceKeyRefused, TransmissionRefused
from desk.export import inside
from desk.fold import Why
from desk.sentence import Sentence, Several
from desk.transmission import services
from desk.transmission.items import files_of

if TYPE_CHECKING:
    from pathlib import Path

    from crypto.ids import Kid
    from crypto.keys import ServicePublicKey
    from crypto.strict_json import Json
    from desk.cases import Case
    from desk.custody import Agreed
    from desk.desk import Desk

STATE = "transmitted"
HOLD = "legal_hold"
"""The mark that lets a case be handed over whose reporter asked that it be erased."""


@dataclass(frozen=True, slots=True)
class Competence:
    """Who is competent, and on which legal basis; ids of the rules."""

    service: str
    basis: str

    def to_facts(self) -> dict[str, Json]:
        """What the entry says, but for the package."""
        return {"state": STATE, "service": self.service, "basis": self.basis}


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done: a new file, or with `in_clear` a new or empty folder, to be printed.

    `agreed` is what custodians agreed to open, for the annex; None without one.  `key` is the key
    that was shown as the service's, where somebody looked at it: it is sealed to that one, or not.
    """

    target: Path
    to: Competence
    in_clear: bool = False
    agreed: Agreed | None = None
    key: Kid | None = None


def competence(case: Case, service: str = "", basis: str = "") -> Competence:
    """Say who is competent: as the newest states say, or else as it is given (the fast lane).

    Raises:
        ActRefused: nobody said who is, or two said different things.
    """
    told = _told(case)
    chosen = Competence(*next(iter(told), (service, basis)))
    given = Competence(service or chosen.service, basis or chosen.basis)
    if len(told) > 1 or given != chosen:
        raise ActRefused(
            "Whoever made this case ready named another service or basis. Set it back to "
            "assessment and make it ready anew. Nothing was written."
        )
    if not (chosen.service and chosen.basis):
        raise ActRefused(
            "Say who is competent and why: --service and --basis. Nothing was written."
        )
    return chosen


def _told(case: Case) -> set[tuple[str, str]]:
    """Every service, with its basis, that a state names which nothing took the place of."""
    newest = [one.body.data for one in case.next_word.front]
    return {(str(one["service"]), str(one.get("basis", ""))) for one in newest if "service" in one}


def reasons_against(desk: Desk, case: Case, chosen: Competence) -> tuple[Why, ...]:
    """Why this operator may not hand the case over now; empty where they may."""
    why = list(work.allowed(desk, case, chosen.to_facts()))
    if len(_told(case)) > 1:
        said = Sentence(
            "two operators named different services or bases: set it back to assessment and make "
            "it ready anew"
        )
        why.append(Why("competence", said))
    if case.withdrawals and HOLD not in case.work.tags:
        said = Sentence(
            "the reporter asks that this be erased and passed on no further; where the law says "
            "otherwise, mark it {mark} first",
            mark=HOLD,
        )
        why.append(Why("withdrawn", said))
    if not case.readable or (case.report is None and not case.follow_ups):
        why.append(Why("unreadable", Sentence("nothing of it can be read on this desk")))
    return tuple(why)


def require_allowed(desk: Desk, case: Case, chosen: Competence) -> None:
    """Say why a case may not be handed over now, if it may not.

    Raises:
        StateUnknown: the rules know no such state.
        ActRefused: they, or the reporter's wish, do not allow it.
    """
    work.parse_state(STATE, desk.rules)
    known = desk.rules.services.get(chosen.service)
    if known is None or chosen.basis not in known.bases:
        raise ActRefused(
            "The rules know no such service, or not on that basis: `amana-desk rules` lists them. "
            "Nothing was written."
        )
    problems = reasons_against(desk, case, chosen)
    if problems:
        why = Several("; ", (one.words for one in problems), capital=True)
        raise ActRefused(Sentence("{why}. Nothing was written.", why=why))
    # A colleague may have made it ready anew, for another service, since this was chosen.
    competence(case, chosen.service, chosen.basis)


def require_possible(desk: Desk, case: Case, order: Order) -> None:
    """Say what stands against an order before anything is opened or written for it.

    Raises:
        StateUnknown, ActRefused, ServiceKeyRefused, TransmissionRefused: as `transmit` does.
    """
    require_allowed(desk, case, order.to)
    if not order.in_clear:
        key_of(desk, order)
    files_of(desk, case)
    target = order.target.absolute()
    try:
        # A page keeps what it sealed among the desk's packages.
        kept = target.parent == desk.home.packages.absolute() and not order.in_clear
        if desk.home.holds(target) and not kept:
            raise TransmissionRefused(inside(target))
        free_folder = order.in_clear and target.is_dir() and not any(target.iterdir())
        taken = target.is_symlink() or (target.exists() and not free_folder)
        # What is there, and may be a volume of its own, is built inside itself.
        where = target if free_folder else target.parent
        is_open = where.is_dir() and os.access(where, os.W_OK | os.X_OK)
    except OSError as error:
        raise TransmissionRefused(
            Sentence("{path} cannot be written: {why}.", path=str(target), why=str(error.strerror))
        ) from None
    if not is_open:
        raise TransmissionRefused(
            Sentence(
                "{path} cannot be written: there is no folder for it that takes anything.",
                path=str(target),
            )
        )
    if taken:
        raise TransmissionRefused(
            Sentence(
                "{target} is not a new or empty folder. Nothing was written."
                if order.in_clear
                else "{target} is not a new file. Nothing was written.",
                target=str(target),
            )
        )


def key_of(desk: Desk, order: Order) -> ServicePublicKey:
    """What the package is sealed to; raises ServiceKeyRefused."""
    key = services.key_of(desk, order.to.service)
    if order.key not in (None, key.kid):
        raise ServiceKeyRefused(
            "The key of this service is not the one that was shown any more: another window took "
            "it in. Nothing was written."
        )
    return key
