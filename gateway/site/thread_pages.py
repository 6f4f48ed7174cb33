"""The conversation: a code opens it, answers are read, messages and files are added.

A code with nothing to show (unknown, new, no answer yet) gets the very same page: the same work,
the same sizes, the same headers, at the same steps of time.  Claim C-ALIKE.  The reporter's own
words are never shown back.  A code that is malformed stays in its field, in an answer that is not
stored anywhere, because typing 28 digits again on a phone is how people give up; a well-formed code
is never written into a page.
"""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from flask import Response, request

from crypto.body import open_manifest
from crypto.errors import CodeMalformed, TokenInvalid
from crypto.header import Kind
from crypto.ids import HeaderHash, date_of
from crypto.manifest import ReplyBody, SignedManifest
from crypto.receipt import ReceiptCode
from gateway.errors import NoValidRoster
from gateway.handed import Message
from gateway.intake import Busy, FilesGone, look_at
from gateway.site import files
from gateway.site.codes import code_mistake
from gateway.site.mistakes import shown
from gateway.site.removed import sentence
from gateway.site.tokens import ThreadToken, TokenExpired
from gateway.site.values import BadValue, FieldError, clean_text, read_text
from gateway.site.view import MessageView
from vault.errors import ThreadMoved

if TYPE_CHECKING:
    from markupsafe import Markup

    from crypto.ids import CaseId, Day
    from crypto.receipt import ReceiptKeys
    from crypto.roster import Roster
    from gateway.site.context import Site
    from gateway.upload import UploadRequest
    from vault.outside import StoredEnvelope

PADDED_BYTES = (32 * 1024, 128 * 1024, 512 * 1024)
TEXT_MOST = 10_000
_WRONG = 422
_CLOSED = 503


@dataclass(frozen=True, slots=True)
class ShownReply:
    """An operator's answer that was opened and whose signature holds."""

    day: str
    text: str = field(repr=False)
    hash: HeaderHash
    parents: tuple[HeaderHash, ...]
    author_day: Day


@dataclass(frozen=True, slots=True)
class Visit:
    """What one code has to show; ``case`` is its own, or the one a first message would open."""

    case: CaseId
    replies: tuple[ShownReply, ...]
    unproven: int
    used: str


class ThreadPages:
    """The views of a conversation; one object for the application."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def ask(self, lang: str) -> Response:
        """Show the field for the code."""
        return self._ask(lang, (), 200)

    def open(self, lang: str) -> Response:
        """Take a code and show what there is for it."""
        began = self._site.clock.monotonic()
        try:
            code = ReceiptCode.parse(request.form.get("code", ""))
        except CodeMalformed as bad:
            error, typed = code_mistake(request.form.get("code", ""), bad)
            return self._ask(lang, (error,), _WRONG, code=typed)
        try:
            keys = self._site.intake.keys_of(code)
            visit = self._visit(keys)
        except Busy:
            return self._ask(lang, (FieldError("", "error.busy"),), _CLOSED)
        token = ThreadToken.new(case=visit.case, code=code, now=self._site.clock.now())
        answer = self._talk(lang, token, visit, text=request.form.get("text", ""))
        self._wait_for_step(began)
        return answer

    def message(self, lang: str) -> Response:
        """Take a message and files; ``action=add`` keeps the files and goes on writing."""
        began = self._site.clock.monotonic()
        text = clean_text(request.form.get("text", ""))
        try:
            token = self._token()
        except (TokenInvalid, TokenExpired) as refused:
            if isinstance(refused, TokenExpired):
                self._site.intake.drop(refused.token.files)
            error = FieldError("", "error.old_form")
            return self._ask(lang, (error,), _WRONG, text=text)
        answer = self._take(lang, token, text)
        self._wait_for_step(began)
        return answer

    def _token(self) -> ThreadToken:
        return ThreadToken.open(
            self._site.intake.token_key,
            request.form.get("token", ""),
            now=self._site.clock.now(),
            seconds=self._site.config.times.form_seconds,
        )

    def _take(self, lang: str, token: ThreadToken, text: str) -> Response:
        upload = cast("UploadRequest", request)
        batch = files.Batch(kept=token.files)
        try:
            keys = self._site.intake.keys_of(token.code)
            batch = files.receive(
                upload,
                self._site.intake,
                token.case,
                token.files,
                most=self._site.config.site.files,
            )
            error = None if request.form.get("action") == "add" else _mistake(text, batch, upload)
            if error is None and request.form.get("action") != "add" and not batch.refused:
                return self._store(lang, token, keys, batch, text)
            wrong = error is not None or bool(batch.refused)
            return self._talk(
                lang,
                token.with_files(batch.kept),
                self._visit(keys),
                batch=batch,
                text=text,
                errors=() if error is None else (error,),
                status=_WRONG if wrong else 200,
            )
        except (Busy, NoValidRoster) as refused:
            key = "error.busy" if isinstance(refused, Busy) else "error.closed"
            return self._talk(
                lang,
                token.with_files(batch.kept),
                Visit(token.case, (), 0, ""),
                text=text,
                errors=(FieldError("", key),),
                status=_CLOSED,
            )

    def _store(
        self, lang: str, token: ThreadToken, keys: ReceiptKeys, batch: files.Batch, text: str
    ) -> Response:
        message = Message(
            case=token.case, id=token.message, text=text, language=lang, files=batch.kept
        )
        now = self._site.clock.now()
        try:
            self._site.intake.seal_follow_up(message, keys)
        except FilesGone:
            visit = self._visit(keys)
            again = ThreadToken.new(case=visit.case, code=token.code, now=now)
            gone = FieldError("", "error.files_gone")
            return self._talk(lang, again, visit, text=text, errors=(gone,), status=_WRONG)
        visit = self._visit(keys)
        after = ThreadToken.new(case=visit.case, code=token.code, now=now)
        removed = sentence(self._site.words[lang], batch.kept)
        return self._talk(lang, after, visit, sent=True, removed=removed)

    def _visit(self, keys: ReceiptKeys) -> Visit:
        """Read what a code may see; the same work, a write included, whether there is a case."""
        site = self._site
        roster = site.roster()
        row = site.vault.case_by_locator(keys.locator)
        # All pages of one code agree on its case, also while there is none: were it drawn for each,
        # files of one page would be lost once another had sent, and only where a code is unknown.
        case = keys.first_case_id if row is None else row.case_id
        kept = site.vault.envelopes_of(case, {Kind.REPLY})
        replies = [_opened(envelope, keys, roster) for envelope in kept]
        proven = tuple(reply for reply in replies if reply is not None)
        used = ""
        if row is not None and proven:
            used = date_of(keys.open_thread_state(row.thread_state).last_used).isoformat()
        old, new = look_at(keys, row, site.clock.today())
        with suppress(ThreadMoved):  # another page of the same person was faster
            site.vault.touch_thread(None if row is None else case, old_state=old, new_state=new)
        return Visit(case, _in_order(proven), len(replies) - len(proven), used)

    def _talk(  # noqa: PLR0913 each is something the page shows
        self,
        lang: str,
        token: ThreadToken,
        visit: Visit,
        *,
        batch: files.Batch | None = None,
        text: str = "",
        errors: tuple[FieldError, ...] = (),
        sent: bool = False,
        removed: Markup | None = None,
        status: int = 200,
    ) -> Response:
        words = self._site.words[lang]
        limits = self._site.config.site
        view = MessageView(
            t=words,
            token=token.seal(self._site.intake.token_key),
            files=token.files,
            refused=() if batch is None else batch.refused,
            errors=shown(errors, words),
            text=text,
            file_bytes=limits.file_bytes,
            files_most=limits.files,
        )
        answer = self._site.page(
            "talk.html",
            lang,
            status=status,
            page=view,
            replies=visit.replies,
            unproven=visit.unproven,
            used=visit.used,
            sent=sent,
            removed=removed,
        )
        return padded(answer)

    def _ask(
        self,
        lang: str,
        errors: tuple[FieldError, ...],
        status: int,
        *,
        code: str = "",
        text: str = "",
    ) -> Response:
        shown_errors = shown(errors, self._site.words[lang])
        return self._site.page(
            "thread.html", lang, status=status, errors=shown_errors, code=code, text=text
        )

    def _wait_for_step(self, began: float) -> None:
        """Answer at the floor, or whole steps after it: never at a time that tells something."""
        times = self._site.config.times
        if not times.floor_ms:
            return
        spent = (self._site.clock.monotonic() - began) * 1000
        steps = math.ceil(max(0.0, spent - times.floor_ms) / times.step_ms)
        self._site.clock.sleep((times.floor_ms + steps * times.step_ms - spent) / 1000)


def padded(answer: Response) -> Response:
    """Bring a page to one of few sizes with blank lines behind its end."""
    body = answer.get_data()
    largest = PADDED_BYTES[-1]
    whole = -(-len(body) // largest) * largest
    size = next((one for one in PADDED_BYTES if len(body) <= one), whole)
    answer.set_data(body + b"\n" * (size - len(body)))
    return answer


def _mistake(text: str, batch: files.Batch, upload: UploadRequest) -> FieldError | None:
    if files.unexpected(upload):
        return FieldError("", "error.unknown_field")
    if not text and not batch.kept:
        return FieldError("text", "talk.empty")
    try:
        read_text(text, 0, TEXT_MOST)
    except BadValue as bad:
        return FieldError("text", bad.key, bad.facts)
    return None


def _opened(envelope: StoredEnvelope, keys: ReceiptKeys, roster: Roster) -> ShownReply | None:
    """Open one reply and prove who wrote it; None where that cannot be proven.

    Or where it cannot be shown: one reply that makes no sense must not take the others, and the
    whole conversation, with it.
    """
    header = envelope.header
    try:
        data_key = keys.open_reply(header, envelope.wraps)
        signed = SignedManifest.from_json(open_manifest(data_key, header, envelope.manifest))
        author = roster.operator_of(signed.signer)
        if author is None:
            return None
        body = signed.verify(header, author.sign, keys.reply_public.kid)
        reply = ReplyBody.from_json(body)
        day = date_of(reply.author_day).isoformat()
        return ShownReply(day, reply.text, header.hash, signed.parents, reply.author_day)
    except Exception:  # noqa: BLE001 whatever is wrong in what another machine made
        return None


def _in_order(replies: tuple[ShownReply, ...]) -> tuple[ShownReply, ...]:
    """Earlier days first; within a day, a reply after those that it names as its parents."""
    waiting = {reply.hash: reply for reply in replies}
    ordered: list[ShownReply] = []
    while waiting:
        free = [one for one in waiting.values() if not any(p in waiting for p in one.parents)]
        # Hashes cannot name each other in a circle; were it so, all would be shown all the same.
        first = min(free or waiting.values(), key=lambda one: (one.author_day, one.hash))
        ordered.append(waiting.pop(first.hash))
    return tuple(ordered)
