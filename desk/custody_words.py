"""What is said where custody refuses, in one place, for the command line and the pages."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from desk import words
from desk.errors import CustodyRefused
from desk.sentence import Sentence, Several

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crypto.ids import HeaderHash

LABEL_MOST = 64
REASON_SHOWN = 500


class Why(Enum):
    """Why custody refuses; the values are sentences, with fields for `refused`."""

    OPERATORS_ONLY = "This is a custodian's desk: an operator asks, and an operator opens."
    CUSTODIANS_ONLY = "This is an operator's desk: a custodian answers. Carry the request to them."
    REASON = "A reason is needed, of {most:,} characters at most. Nothing was written."
    NOTHING = "The reporter gave neither a name nor a contact: there is nothing to open."
    UNSURE = (
        "Nobody here can say which report of this case is the reporter's, so nobody can say whose "
        "identity this would be. Nothing was written."
    )
    MISSING = (
        "The identity that the reporter gave is not on this machine as they sealed it: "
        "`amana-desk sync`, then `amana-desk verify`."
    )
    NOT_A_LETTER = (
        "This is no letter between desks, or a part of it was lost: it begins with "
        "-----BEGIN AMANA CUSTODY and ends with a line of the same kind."
    )
    OTHER_LETTER = "This letter is of the other kind: a request is read, an answer opens."
    NOT_FOR_US = "This letter is not sealed to this desk, or it was changed on its way."
    OTHER_DEPLOYMENT = "This letter belongs to another installation than this desk."
    NOT_AN_OPERATOR = (
        "Who signed this request is no operator of the roster in force here (epoch {epoch}): it is "
        "forged, or by somebody who was removed. If they joined only now, `amana-desk sync` first."
    )
    NOT_A_CUSTODIAN = (
        "Who signed this answer is no custodian of the roster in force here (epoch {epoch}): it is "
        "forged, or by somebody who was removed. If they joined only now, `amana-desk sync` first."
    )
    FORGED = "This letter does not hold: it was not signed as it says, or names another's key."
    ROSTER = (
        "The request names a roster that this desk does not believe: `amana-desk sync`, and if it "
        "stays so, speak with the operator."
    )
    LATE = "The request is of {day}, and {most} days are the most. Ask anew."
    NOT_HERE = (
        "The request is about an identity that is not on this desk as it says: `amana-desk sync`; "
        "if it stays so, the request or the server is not honest."
    )
    ANOTHER_HERE = (
        "This desk holds another identity under the id that the request names, and not the one "
        "that it names. The request, the server, or what came here first is not honest. Nothing "
        "was answered, and nothing here is replaced. `amana-desk sync` fetches what the request "
        "names, if the server shows it, and keeps both: then read the request again. If it stays "
        "so, or in any doubt: compare with a colleague custodian, and ask another operator."
    )
    COMPARE = (
        "This desk holds another identity under the same id. Nothing was answered: read the "
        "request, compare as is said there, and say so with your yes (`--compared`)."
    )
    NO_SHARE = (
        "This desk holds no share of that identity: it was sealed to others, before this custodian "
        "was in the roster, or changed."
    )
    RECORD = (
        "The record of what this desk answered was changed on the disk, or belongs to other keys. "
        "Nothing was answered. To begin another record, move store.sqlite out of this desk's "
        "folder, keep it for whoever audits, enrol and sync again."
    )
    NO_REQUEST = "The journal of this case has no such request of this desk's operator."
    ALREADY = (
        "This request was opened already, on {day}. A request opens once: ask the custodians anew."
    )
    OTHER_REQUEST = "{label} answered another request than this one. Nothing was opened."
    OTHER_CASE = "{label} answered about another case than this one. Nothing was opened."
    ABOUT_ANOTHER = "{label} asked about another case than this one. Nothing was opened."
    NOT_A_REFUSAL = "{label} said yes: open with that answer. Nothing was written."
    BOTH = "{label} said yes and no to one request. Speak with them. Nothing was opened."
    TOO_FEW = (
        "{needed} custodians must say yes to this one request. Yes: {agreed}. No: {refusals}. "
        "Nothing was opened."
    )
    STOPPED = (
        "It was stopped while the journal was being sent, and nothing is shown. The journal says "
        "already that the identity was opened: the request to the custodians is used up. Ask them "
        "anew."
    )
    UNKNOWN_ROSTER = (
        "The identity was sealed under a roster that this desk does not believe, so how many "
        "custodians it needs is not known: `amana-desk sync`."
    )
    NOT_OPENED = (
        "The shares do not open this identity: one of them is false, or the identity was sealed to "
        "custodians who have not answered. Nothing was opened."
    )
    NO_ANSWERS = "The answers name no identity of this case. Nothing was opened."


CONTESTED = Sentence(
    "This desk holds another identity under the same id as this request names: the request, the "
    "server, or what came here first is not honest, and nobody at this desk can tell which. Before "
    "you agree, compare with a colleague custodian, and have another operator than the one who "
    "asks tell you which digest stands on the case's page, under Identity."
)
"""What a custodian reads before anything else of such a request."""
_DIGEST_DIGITS = 32
_GROUP = 4


def digest_of(name: HeaderHash) -> str:
    """An envelope's name, to be read aloud: 128 bits of the digest over its header, in groups.

    Not its id: whoever seals one chooses that, and can take another's.
    """
    digits = name.hex()[:_DIGEST_DIGITS]
    return " ".join(digits[at : at + _GROUP] for at in range(0, _DIGEST_DIGITS, _GROUP))


def refused(why: Why, **told: object) -> CustodyRefused:
    """The refusal to be raised, in words."""
    return CustodyRefused(Sentence(why.value, **told))


def people(labels: Sequence[str]) -> str:
    """Names in a row, or that there are none."""
    if not labels:
        return Sentence("nobody")
    return Several(", ", (words.cell(one, LABEL_MOST) for one in sorted(labels)))


def refusals(said: Sequence[tuple[str, str]]) -> str:
    """Who said no, and why."""
    if not said:
        return Sentence("nobody")
    return Several(
        "; ",
        (
            Sentence(
                "{label} (\u201c{reason}\u201d)",
                label=words.cell(label, LABEL_MOST),
                reason=words.cell(reason, REASON_SHOWN),
            )
            for label, reason in sorted(said)
        ),
    )
