"""Write into a case: answers to the reporter, and entries of the journal.

Rule: what is written is signed for this case and these readers, sealed, and kept here
before it is sent (desk.sending); an answer is sealed to the reply key of the *sealed report*
and to no other.  What is kept was said: from then on nothing is told as if it were not, and whoever
stops the program stops the sending alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crypto.header import Kind
from crypto.ids import new_word_id
from crypto.manifest import EntryBody, ReplyBody
from desk.acts import is_shaped
from desk.delivery import deliver_in_turn
from desk.errors import ActRefused, CaseMoved, NotAnswerable, NothingToSay, Stopped
from desk.locks import alone
from desk.public_status import NEEDS_WORDS, parse_public
from desk.sealing import discard, sealed
from desk.sending import OTHER_SECONDS
from desk.sentence import Sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crypto.keys import ReplyPublicKey
    from crypto.strict_json import Json
    from desk.cases import Case
    from desk.desk import Desk
    from desk.store import Envelope

TEXT_MOST = 20_000
"""Characters of an answer at most: what the reporter's page can show."""

CONTENT_MOST = 5 * 1024 * 1024
"""Bytes of what an entry carries at most: sealed, it fits what the server takes at once."""

_STOPS = (KeyboardInterrupt, SystemExit)
"""Ctrl-C; and the order to end, while something is handed over (desk.unfinished)."""


def answer(desk: Desk, case: Case, text: str, untrusted_status: str = "") -> bool:
    """Seal an answer to the reporter, keep it, and send it; raises as `say`.

    Returns:
        True when the server has it, False when it waits here for the next sync.
    """
    return send(desk, say(desk, case, text, untrusted_status))


def say(desk: Desk, case: Case, text: str, untrusted_status: str = "") -> Envelope:
    """Seal an answer to the reporter and keep it: it is said, and `send` may take its time.

    With a public status the text may be empty, but for a question and for closing.

    Raises:
        NothingToSay: no text where one is needed, or too much of it.
        StateUnknown: the status is none of the five that a reporter sees.
        NotAnswerable: the case has no reply key that is certain.
        RosterNotTrusted: no roster is in force today to seal under.
        CaseMoved: something came to the case, or was written into it, since it was read.
    """
    _require_operator(desk)
    said = text.replace("\r\n", "\n").strip()
    status = parse_public(untrusted_status) if untrusted_status else None
    if not said and status in NEEDS_WORDS:
        lacking = Sentence(NEEDS_WORDS[status])
        raise NothingToSay(Sentence("{lacking} Nothing was sent.", lacking=lacking))
    if not said and status is None:
        raise NothingToSay("The answer is empty. Nothing was sent.")
    if len(said) > TEXT_MOST:
        raise NothingToSay(
            Sentence(
                "The answer has {count:,} characters, and {most:,} is the most. Nothing was sent.",
                count=len(said),
                most=TEXT_MOST,
            )
        )
    reply_key = _certain(case)
    body = ReplyBody(
        text=said, author_day=desk.today(), status=status, word=new_word_id()
    ).to_json()
    reply = sealed(desk, Kind.REPLY, case.id, body, parents=case.answers_to, reply_key=reply_key)
    _keep(desk, case, reply)
    return reply


def append(  # noqa: PLR0913  # what an entry is, and whether something follows it
    desk: Desk, case: Case, kind: str, data: Mapping[str, Json], content: bytes | None = None, *,
    is_last: bool = True,
) -> bool:  # fmt: skip
    """Append a signed entry of one type (desk.acts); returns as `answer`.

    `content` goes into the entry's envelope as its one content part; the data says its digest.

    Raises:
        ActRefused: the data is not of the type's shape, the content is too long to be sent, or
            this is a custodian's desk.
        RosterNotTrusted, CaseMoved: as `say` raises them.
        Stopped: somebody stopped the program, and this is not the last thing that it was to do.
    """
    entry = drafted(desk, case, kind, data, content)
    if _keep(desk, case, entry):
        return _waits(is_last=is_last)
    return send(desk, entry, is_last=is_last)


def send(desk: Desk, envelope: Envelope, *, is_last: bool = True) -> bool:
    """Send what was kept, and what waits before it; returns as `answer`.

    Raises:
        Stopped: somebody stopped the program, and this is not the last thing that it was to do.
    """
    try:
        # Not while a sync seals anew what waits: one thing would be said in two envelopes.
        with alone(desk.home.sending, OTHER_SECONDS) as is_mine:
            return is_mine and deliver_in_turn(desk, envelope)
    except _STOPS:
        return _waits(is_last=is_last)
    except Exception:  # noqa: BLE001  # a connection that broke, a disk that is full, whatever
        # It is kept, so it was said: nobody is told that it was not, or they would say it again.
        # Why the server has not taken it is told by the next sync, or by an alarm in the case.
        return False


def drafted(
    desk: Desk, case: Case, kind: str, data: Mapping[str, Json], content: bytes | None = None
) -> Envelope:
    """Sign and seal what `append` would, and keep it nowhere yet; raises as `append`."""
    _require_operator(desk)
    if content is not None and len(content) > CONTENT_MOST:
        raise ActRefused("This is too long to be kept with an entry. Nothing was written.")
    if not is_shaped(kind, data):
        raise ActRefused("Something in this is too long, empty, or no date. Nothing was written.")
    body = EntryBody(type=kind, data=data, word=new_word_id()).to_json()
    return sealed(desk, Kind.ENTRY, case.id, body, parents=case.heads, content=content)


def keep(desk: Desk, case: Case, envelope: Envelope) -> None:
    """Keep a draft, durably, without sending it: the next sync does, if nobody does before.

    Raises:
        CaseMoved: something came to the case, or was written into it, since it was read.
    """
    is_kept = False
    try:
        is_kept = desk.store.keep_after(case.known, envelope)
    finally:
        if not is_kept:
            discard(desk, [envelope])
    if not is_kept:
        raise CaseMoved(
            "Something has come to this case since it was read. Look at it again; nothing was "
            "written."
        )


def _require_operator(desk: Desk) -> None:
    if desk.is_custodian:
        raise ActRefused(
            "A custodian's desk answers requests and writes nothing into a case. Nothing was "
            "written."
        )


def _certain(case: Case) -> ReplyPublicKey:
    if case.reply_key is not None:
        return case.reply_key
    if case.origin.words:
        raise NotAnswerable(case.origin.words)
    raise NotAnswerable(
        "This case has no reply key that is certain on this machine, so an answer might reach "
        "a forger. `amana-desk verify` says why."
    )


def _keep(desk: Desk, case: Case, envelope: Envelope) -> bool:
    """Keep it, and tell whether somebody stopped the program in that instant.

    A signal that comes between the commit and the word of it looks as if nothing were kept.
    """
    try:
        keep(desk, case, envelope)
    except _STOPS:
        if not desk.store.some([envelope.id]):
            raise
        return True
    return False


def _waits(*, is_last: bool) -> bool:
    """Somebody stopped the program: what is kept waits, and nothing that was to follow is done."""
    if not is_last:
        raise Stopped(
            "It was stopped while it was being sent. What was signed until then is kept, and goes "
            "out with the next sync; nothing more was done."
        )
    return False
