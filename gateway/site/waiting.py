"""The page for whoever must wait: what they typed, and the turn at which it goes on.

A turn is no refusal.  The page holds the whole form that was sent, sealed files included, and sends
it again: by its button, or by itself where a browser runs our script.  No answer, no puzzle and no
script is asked for.  Claim C-TURN.
"""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self, cast

from flask import request

from crypto.errors import CodeMalformed, TokenInvalid
from crypto.receipt import ReceiptCode
from crypto.token import open_token, seal_token
from gateway.patience import PatientSocket
from gateway.places import CODES, LONGEST_SECONDS, VALID_SECONDS
from gateway.site import files
from gateway.upload import TEXT_BYTES, UploadRequest
from gateway.work import BITS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Response

    from crypto.token import TokenKey
    from gateway.site.context import Site
    from gateway.site.tokens import FormToken, ThreadToken

_PURPOSE = "turn"
_SECONDS = int(LONGEST_SECONDS + VALID_SECONDS)
_WAITING = 503
_WORK_LETTERS = 12
# What the page itself says: the token with the turn in it.
_NOT_COPIED = frozenset({"stay", "token", "turn", "work", "asked"})
_ASKED = "asked"
_LATE = "amana.late"
_TOO_MANY = 429
# Above all turns, which are milliseconds of one machine.
_NUMBERS = 1 << 62
# Somebody who cannot be promised a turn asks again after this.
_ASK_AGAIN_SECONDS = 300


def source() -> bytes | None:
    """Return whose this request is, as far as may be known: a tag, never an address."""
    connection = request.environ.get("gunicorn.socket")
    return connection.source if isinstance(connection, PatientSocket) else None


@dataclass(frozen=True, slots=True)
class CodeTurn:
    """A code that waits for its turn: sealed, because no page ever shows a code."""

    code: ReceiptCode = field(repr=False)
    turn: int | None
    issued: int

    def seal(self, key: TokenKey) -> str:
        """Return the text of the page's hidden field."""
        facts = {"code": self.code.digits, "turn": self.turn, "issued": self.issued}
        return seal_token(key, _PURPOSE, json.dumps(facts).encode())

    @classmethod
    def read(cls, key: TokenKey, untrusted_turn: str, untrusted_code: str, now: int) -> Self:
        """Read what was sealed, else what was typed.  Raises CodeMalformed."""
        # One that is too old, or of an earlier key: the code is asked for again.
        with suppress(TokenInvalid):
            facts = json.loads(open_token(key, _PURPOSE, untrusted_turn))
            if 0 <= now - facts["issued"] < _SECONDS:
                return cls(ReceiptCode.parse(facts["code"]), facts["turn"], facts["issued"])
        return cls(ReceiptCode.parse(untrusted_code), None, now)


def typed_fields() -> list[tuple[str, str]]:
    """Give every field of this request that the page must send again."""
    return [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name not in _NOT_COPIED and value
    ]


def waiting_page(  # noqa: PLR0913 each is something the page shows
    site: Site,
    lang: str,
    endpoint: str,
    turn: int | None,
    hidden: Iterable[tuple[str, str]],
    *,
    work: bool = True,
) -> Response:
    """Show the page; ``hidden`` is the form that goes on from here, ``work`` may be offered."""
    seconds = _ASK_AGAIN_SECONDS if turn is None else site.turns.seconds_until(turn)
    # What was done already is not asked for again: the same turn has the same work.
    done = request.form.get("work", "")[:_WORK_LETTERS]
    answer = site.page(
        "turn.html",
        lang,
        status=_WAITING,
        endpoint=endpoint,
        hidden=list(hidden),
        promised=turn is not None,
        seconds=seconds,
        minutes=-(-seconds // 60),
        done=done,
        work="" if turn is None or done or not work else site.turns.challenge(turn),
        bits=BITS,
    )
    answer.headers["Retry-After"] = str(seconds)
    return answer


def admitted(site: Site, turn: int | None) -> float | None:
    """Let this request on to the gate; returns how late it is.  Raises Busy.

    Whoever waited for asking has waited for this, too: one promise, one wait.
    """
    late: float | None = request.environ.get(_LATE)
    if late is not None:
        return late
    return site.turns.admit(source(), turn, request.form.get("work", ""))


def asked_code(site: Site) -> CodeTurn:
    """Return the code of this request.  Raises CodeMalformed."""
    typed, now = request.form, site.clock.now()
    return CodeTurn.read(site.intake.token_key, typed.get("turn", ""), typed.get("code", ""), now)


def code_must_wait(site: Site, lang: str, asked: CodeTurn) -> Response:
    """Not yet.  It is said before a code is looked up, so that it says nothing about the code."""
    turn = site.turns.place(source(), asked.turn, CODES)
    sealed = CodeTurn(asked.code, turn, site.clock.now()).seal(site.intake.token_key)
    others = [one for one in typed_fields() if one[0] != "code"]
    return waiting_page(site, lang, "open", turn, [("turn", sealed), *others])


def message_must_wait(site: Site, lang: str, token: ThreadToken) -> Response:
    """The same for a message, its files and its button."""
    turn = site.turns.place(source(), token.turn)
    sealed = replace(token, turn=turn).seal(site.intake.token_key)
    return waiting_page(site, lang, "message", turn, [("token", sealed), *typed_fields()])


def report_must_wait(site: Site, lang: str, token: FormToken) -> Response:
    """The same for a report: everything that was sent waits in a page."""
    turn = site.turns.place(source(), token.turn)
    sealed = replace(token, turn=turn).seal(site.intake.token_key)
    return waiting_page(site, lang, "send", turn, [("token", sealed), *typed_fields()])


def asking_must_wait(site: Site) -> Response | None:
    """Answer who asks for too much with a page that keeps what they wrote.

    None where it cannot be kept: a body that is too long to be read for nothing, or files, which
    no page can hold.
    """
    length = request.content_length
    if length is None or length > TEXT_BYTES or files.arrived(cast("UploadRequest", request)):
        return None
    turn = site.turns.place_to_ask(source())
    now = site.clock.now()
    sealed = {"turn": turn, "number": _NUMBERS + secrets.randbits(61), "issued": now}
    hidden = [(_ASKED, seal_token(site.intake.token_key, _ASKED, json.dumps(sealed).encode()))]
    typed = typed_fields()
    if request.endpoint == "open":
        # No page shows a code; one that is mistyped is none.
        with suppress(CodeMalformed):
            asked = asked_code(site)
            hidden.append(("turn", replace(asked, issued=now).seal(site.intake.token_key)))
            typed = [one for one in typed if one[0] != "code"]
    else:
        hidden += [("token", one) for one in request.form.getlist("token")[:1]]
    lang = cast("dict[str, str]", request.view_args)["lang"]
    answer = waiting_page(site, lang, str(request.endpoint), turn, [*hidden, *typed], work=False)
    answer.status_code = _TOO_MANY
    return answer


def may_ask_now(site: Site) -> bool:
    """Whether this is the form of such a page, and its time is there."""
    length = request.content_length
    if length is None or length > TEXT_BYTES:
        return False
    with suppress(TokenInvalid):
        untrusted = request.form.get(_ASKED, "")
        facts = json.loads(open_token(site.intake.token_key, _ASKED, untrusted))
        if 0 <= site.clock.now() - facts["issued"] < _SECONDS and facts["turn"] is not None:
            request.environ[_LATE] = site.turns.late_to_ask(facts["turn"], facts["number"])
    return request.environ.get(_LATE) is not None
