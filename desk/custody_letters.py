"""Open the letters that custodians and operators carry to each other, and prove who wrote them.

Rule: what is returned was sealed to this desk, belongs to its installation and is signed by a
member of the roster in force today, in the role that the letter needs; what it asks or answers is
the caller's to judge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from crypto.custody_letters import CustodyAnswer, CustodyRequest
from crypto.errors import CryptoError, LetterMalformed
from crypto.letter import Letter, LetterKind, from_text, open_letter
from crypto.roster import Roster
from desk.custody_words import Why, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from crypto.ids import Day, Kid
    from crypto.keys import SigningPublicKey
    from crypto.roster import Custodian, Operator
    from desk.desk import Desk

_T = TypeVar("_T")
DAYS_MOST = 30
"""Days that a request may be old: what custodians agree to is about now."""
BLOCKS_MOST = 64
_DAYS_AHEAD = 1


def blocks(untrusted_text: str) -> list[str]:
    """The letters that stand one after the other in a text, each by itself; at most 64.

    What stands outside them goes with the next one, which then is refused.
    """
    found: list[list[str]] = [[]]
    for line in untrusted_text.split("\n"):
        found[-1].append(line)
        if line.strip().startswith("-----END "):
            found.append([])
    texts = ["\n".join(lines) for lines in found]
    return [text for text in texts if text.strip()][:BLOCKS_MOST]


def opened(desk: Desk, untrusted_text: str, kind: LetterKind) -> Letter:
    """Open a letter; its signature was not looked at yet.

    Raises:
        CustodyRefused: not a letter, of the other kind, not for this desk or installation.
    """
    try:
        letter = open_letter(desk.keyring.key, from_text(untrusted_text))
    except LetterMalformed:
        raise refused(Why.NOT_A_LETTER) from None
    except CryptoError:
        raise refused(Why.NOT_FOR_US) from None
    if letter.deployment != desk.trust.deployment:
        raise refused(Why.OTHER_DEPLOYMENT)
    if letter.kind is not kind:
        raise refused(Why.OTHER_LETTER)
    return letter


def request_of(desk: Desk, untrusted_text: str) -> tuple[Letter, Operator, CustodyRequest]:
    """A request, signed by an operator who asks for themself.

    Raises:
        CustodyRefused: it is none, or not signed so.
        RosterNotTrusted: no roster is in force today to judge it by.
    """
    letter = opened(desk, untrusted_text, LetterKind.REQUEST)
    operator = _signer(desk, letter, Roster.operator_of, Why.NOT_AN_OPERATOR)
    request = _proven(desk, letter, operator.sign, CustodyRequest.from_json)
    if (request.operator, request.label) != (operator.evidence.kid, operator.label):
        raise refused(Why.FORGED)
    return letter, operator, request


def answer_of(desk: Desk, untrusted_text: str) -> tuple[Custodian, CustodyAnswer]:
    """An answer, signed by a custodian who gives their own shares; raises as `request_of`."""
    letter = opened(desk, untrusted_text, LetterKind.ANSWER)
    custodian = _signer(desk, letter, Roster.custodian_of, Why.NOT_A_CUSTODIAN)
    answer = _proven(desk, letter, custodian.sign, CustodyAnswer.from_json)
    if (answer.custodian, answer.label) != (custodian.custodian.kid, custodian.label):
        raise refused(Why.FORGED)
    return custodian, answer


def is_late(desk: Desk, day: Day) -> bool:
    """Whether a request of that day is out of date, or of a day that has not come."""
    return not -_DAYS_AHEAD <= desk.today() - day <= DAYS_MOST


def _signer(
    desk: Desk, letter: Letter, named: Callable[[Roster, Kid], _T | None], stranger: Why
) -> _T:
    """Who signed a letter, in the role that it needs, by the roster in force today."""
    roster = desk.trust.in_force(desk.today())
    found = named(roster, letter.signer)
    if found is None:
        raise refused(stranger, epoch=roster.epoch)
    return found


def _proven(
    desk: Desk, letter: Letter, public: SigningPublicKey, parse: Callable[[bytes], _T]
) -> _T:
    try:
        # Another key of theirs than the signing one fails here, by its id.
        return parse(letter.verify(public, desk.keyring.key.public.kid))
    except CryptoError:
        raise refused(Why.FORGED) from None
