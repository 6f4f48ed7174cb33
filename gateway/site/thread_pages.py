"""The conversation: a code opens it; answers are read and deleted, messages, files, a name added.

A code with nothing to show (unknown, new, no answer yet, withdrawn) gets the very same page: the
same work, the same sizes, the same headers, at the same steps of time.  Claim C-ALIKE.  The
reporter's own words are never shown back.  A code that is malformed stays in its field, in an
answer that is not stored anywhere, because typing 28 digits again on a phone is how people give up;
a well-formed code is never written into a page.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from flask import Response, request
from werkzeug.datastructures import MultiDict

from crypto.errors import CodeMalformed, TokenInvalid
from crypto.ids import EnvelopeId
from crypto.manifest import IDENTITY_LATER, MESSAGE, WITHDRAWAL
from gateway.errors import Busy, NoValidRoster
from gateway.handed import Identity, Message
from gateway.intake import FilesGone
from gateway.places import VALID_SECONDS
from gateway.site import files
from gateway.site.answers import AnswerReader
from gateway.site.codes import code_mistake
from gateway.site.headers import sending
from gateway.site.identity import identity_form, identity_of, too_much
from gateway.site.message import envelope_id, id_of, too_long
from gateway.site.mistakes import shown
from gateway.site.padding import padded
from gateway.site.removed import sentence
from gateway.site.rescued import carried
from gateway.site.thread_files import came_too_late, came_with, files_before, thread_token
from gateway.site.tokens import ThreadToken, TokenExpired
from gateway.site.values import FieldError, clean_text
from gateway.site.view import FormView, MessageView
from gateway.site.visits import STATUS_WORDS, Visit, visit
from gateway.site.waiting import admitted, asked_code, code_must_wait, message_must_wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from crypto.receipt import ReceiptKeys
    from gateway.handed import StagedFile
    from gateway.site.context import Site
    from gateway.site.mistakes import ShownError
    from gateway.site.schema import CategoryForm
    from gateway.upload import UploadRequest

_DONE = 200
_WRONG = 422
_CLOSED = 503
# What the withdrawal's box must say, so that nobody withdraws by a slip of the thumb.
_SURE = "yes"


@dataclass(frozen=True, slots=True)
class Step:
    """One request of an open conversation: its token, its code's keys, what came with it."""

    lang: str
    token: ThreadToken
    keys: ReceiptKeys = field(repr=False)
    text: str = field(repr=False)
    batch: files.Batch


class ThreadPages:
    """The views of a conversation; one object for the application."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._identity = identity_form(site.schema)
        self._acts: dict[str, Callable[[Step], Response]] = {
            "send": self._send,
            "add": self._again,
            "back": self._again,
            "forget": self._forget,
            "withdraw": self._withdraw,
        }
        self._names = None if self._identity is None else AnswerReader(self._identity)
        if self._names is not None:
            self._acts |= {"name": self._ask_name, "identity": self._give_name}

    def ask(self, lang: str) -> Response:
        """Show the field for the code."""
        return self._ask(lang, (), 200)

    def open(self, lang: str) -> Response:
        """Take a code and show what there is for it."""
        began = self._site.clock.monotonic()
        if not {"code", "turn"} & set(request.form):
            return self._ask(lang, (), 200)  # not its own form, but a way to it from another page
        try:
            asked = asked_code(self._site)
        except CodeMalformed as bad:
            error, typed = code_mistake(request.form.get("code", ""), bad)
            text, old = request.form.get("text", ""), request.form.get("old", "")
            return self._ask(lang, (error,), _WRONG, code=typed, text=text, old=old)
        try:
            late = admitted(self._site, asked.turn)
            keys = self._site.intake.keys_of(asked.code, late)
            found = visit(self._site, keys)
        except Busy:
            return padded(code_must_wait(self._site, lang, asked))
        token = ThreadToken.new(case=found.case, code=asked.code, now=self._site.clock.now())
        token = token.with_files(files_before(self._site, token))
        answer = self._talk(lang, token, found, text=request.form.get("text", ""))
        self._wait_for_step(began)
        return answer

    def message(self, lang: str) -> Response:
        """Take what the conversation's page sends: ``action`` says which of its buttons."""
        began = self._site.clock.monotonic()
        text = clean_text(request.form.get("text", ""))
        try:
            token = thread_token(self._site)
        except TokenExpired as expired:
            answer = self._too_late(lang, cast("ThreadToken", expired.token), text)
        except TokenInvalid:
            answer = self._ask(lang, (FieldError("", "error.old_form"),), _WRONG, text=text)
        else:
            answer = self._take(lang, token, text)
        self._wait_for_step(began)
        return answer

    def _too_late(self, lang: str, old: ThreadToken, text: str) -> Response:
        """Ask for the code again: an expired token opens nothing, and keeps what came with it."""
        batch, key = came_too_late(self._site, old, withdrawing=_is_withdrawal())
        view = self._view(lang, old, batch)
        sealed = old.with_files(batch.kept).seal(self._site.intake.token_key)
        error = FieldError("", key)
        return self._ask(lang, (error,), _WRONG, text=text, old=sealed, refused=view.refused_files)

    def _late(self, token: ThreadToken) -> float | None:
        """How late for its turn; a page cannot hold files: who brings some is as good as late."""
        if files.arrived(cast("UploadRequest", request)):
            return VALID_SECONDS
        return admitted(self._site, token.turn)

    def _take(self, lang: str, token: ThreadToken, text: str) -> Response:
        kept = token.files
        try:
            keys = self._site.intake.keys_of(token.code, self._late(token))
            batch = came_with(self._site, token, keys, withdrawing=_is_withdrawal())
            kept = batch.kept
            act = self._acts.get(_asked_for(), self._not_sent)
            return act(Step(lang, token.with_files(kept), keys, text, batch))
        except Busy:
            return padded(message_must_wait(self._site, lang, token.with_files(kept)))
        except NoValidRoster:
            return self._talk(
                lang,
                token.with_files(kept),
                Visit(token.case),
                text=text,
                errors=(FieldError("", "error.closed"),),
                status=_CLOSED,
            )

    # What the buttons do.

    def _again(self, step: Step) -> Response:
        """The same page with what arrived since; nothing is sent."""
        wrong = bool(step.batch.refused) or step.batch.destroyed
        return self._shown(step, status=_WRONG if wrong else 200)

    def _not_sent(self, step: Step) -> Response:
        """No button that this page has, or part of one: nothing is done."""
        error = FieldError("", "error.not_sent")
        return self._shown(step, errors=(error,), status=_WRONG)

    def _send(self, step: Step) -> Response:
        error = _mistake(step)
        if error is not None:
            return self._shown(step, errors=(error,), status=_WRONG)
        if step.batch.refused or (step.batch.destroyed and not step.text):
            return self._again(step)
        return self._store(step, MESSAGE, "talk.sent")

    def _forget(self, step: Step) -> Response:
        """Delete the reporter's copies of the answers that this page showed."""
        ids = {EnvelopeId(one) for one in map(id_of, request.form.getlist("read")) if one}
        self._site.intake.forget_answers(step.token.case, ids)
        return self._shown(step, said="talk.forgotten")

    def _withdraw(self, step: Step) -> Response:
        """Ask the operators to erase everything; from now on the code shows nothing."""
        if not _is_withdrawal():
            error = FieldError("sure", "talk.withdraw_unsure")
            return self._shown(step, errors=(error,), status=_WRONG)
        mistake = too_long(step.text)
        if mistake is not None:
            return self._shown(step, errors=(mistake,), status=_WRONG)
        answer = self._store(step, WITHDRAWAL, "talk.withdrawn")
        if answer.status_code == _DONE:
            self._site.intake.forget_answers(step.token.case)
        return answer

    def _ask_name(self, step: Step) -> Response:
        return self._name_page(step, ())

    def _give_name(self, step: Step) -> Response:
        # What was being written to the operators is carried along, and is no part of a name.
        posted = MultiDict((name, text) for name, text in request.form.items(multi=True))
        posted.pop("text", None)
        answers = cast("AnswerReader", self._names).read(posted)
        identity = identity_of(answers)
        errors = (*answers.errors, *too_much(identity))
        if errors:
            return self._name_page(step, errors)
        return self._store(step, IDENTITY_LATER, "talk.named", identity)

    def _store(
        self, step: Step, kind: str, said: str, identity: Identity | None = None
    ) -> Response:
        """(3)(4)(5) Seal and store; then the page anew, with a fresh token."""
        if not self._site.watermark.has_room_for_text():
            closed = FieldError("", "error.closed")
            return self._shown(step, errors=(closed,), status=_CLOSED)
        named = kind == IDENTITY_LATER
        text = "" if named else step.text
        message = Message(
            case=step.token.case,
            id=envelope_id(step.token, kind, text),
            text=text,
            language=step.lang,
            files=() if named else step.batch.kept,
            type=kind,
            identity=identity or Identity(),
        )
        try:
            self._site.intake.seal_follow_up(message, step.keys)
        except FilesGone:
            kept = self._still_there(step)
            gone = FieldError("", files.gone_key(kept))
            fresh = replace(step, token=step.token.with_files(kept), batch=files.Batch(kept=kept))
            return self._shown(fresh, errors=(gone,), status=_WRONG, renew=True)
        if named:
            return self._shown(step, said=said, renew=True)
        removed = sentence(self._site.words[step.lang], step.batch.kept)
        after = replace(
            step, text="", token=step.token.with_files(()), batch=replace(step.batch, kept=())
        )
        return self._shown(after, said=said, removed=removed, renew=True)

    def _still_there(self, step: Step) -> tuple[StagedFile, ...]:
        """What can still be sent of the files; what is of another case by now never can."""
        row = self._site.vault.case_by_locator(step.keys.locator)
        if row is not None and row.case_id != step.token.case:
            self._site.intake.drop(step.batch.kept)
        return self._site.intake.still_there(step.batch.kept)

    # Pages.

    def _shown(
        self,
        step: Step,
        *,
        renew: bool = False,
        status: int = 200,
        **facts: Any,  # noqa: ANN401 handed on to _talk as they are
    ) -> Response:
        """The conversation as it stands now; ``renew`` gives it the token of a new message."""
        found = visit(self._site, step.keys)
        token = step.token
        if renew:
            now = self._site.clock.now()
            fresh = ThreadToken.new(case=found.case, code=token.code, now=now)
            token = fresh.with_files(token.files)
        return self._talk(
            step.lang, token, found, batch=step.batch, text=step.text, status=status, **facts
        )

    def _talk(  # noqa: PLR0913 each is something the page shows
        self,
        lang: str,
        token: ThreadToken,
        found: Visit,
        *,
        batch: files.Batch | None = None,
        text: str = "",
        errors: tuple[FieldError, ...] = (),
        status: int = 200,
        **facts: object,
    ) -> Response:
        view = self._view(lang, token, batch, text=text, errors=errors)
        answer = self._site.page(
            "talk.html",
            lang,
            status=status,
            page=view,
            visit=found,
            status_words=STATUS_WORDS,
            destroyed=batch is not None and batch.destroyed,
            may_name=self._identity is not None,
            carried=() if facts.get("said") else carried(request.form, self._names),
            **facts,
        )
        return padded(sending(answer))

    def _view(
        self,
        lang: str,
        token: ThreadToken,
        batch: files.Batch | None,
        *,
        text: str = "",
        errors: tuple[FieldError, ...] = (),
    ) -> MessageView:
        words, limits = self._site.words[lang], self._site.config.site
        return MessageView(
            t=words,
            token=token.seal(self._site.intake.token_key),
            files=token.files,
            refused=() if batch is None else batch.refused,
            errors=shown(errors, words),
            text=text,
            file_bytes=limits.file_bytes,
            files_most=limits.files,
        )

    def _name_page(self, step: Step, errors: tuple[FieldError, ...]) -> Response:
        words, config = self._site.words[step.lang], self._site.config
        form = cast("CategoryForm", self._identity)
        view = FormView(
            t=words,
            form=form,
            token=step.token.seal(self._site.intake.token_key),
            typed=request.form,
            errors=shown(errors, words, form),
            hours=config.times.form_seconds // 3600,
            help=self._site.help,
            file_bytes=config.site.file_bytes,
            files_most=config.site.files,
        )
        status = _WRONG if errors else 200
        return padded(
            self._site.page("name.html", step.lang, status=status, page=view, text=step.text)
        )

    def _ask(  # noqa: PLR0913 each is something the page shows
        self,
        lang: str,
        errors: tuple[FieldError, ...],
        status: int,
        *,
        code: str = "",
        text: str = "",
        old: str = "",
        refused: tuple[ShownError, ...] = (),
    ) -> Response:
        # The field for files is on the page behind this one: nothing here can be gone to.
        others = [replace(one, name="") for one in refused]
        return self._site.page(
            "thread.html",
            lang,
            status=status,
            errors=[*shown(errors, self._site.words[lang]), *others],
            code=code,
            text=text,
            carried=[*carried(request.form, self._names), *([("old", old)] if old else [])],
        )

    def _wait_for_step(self, began: float) -> None:
        """Answer at the floor, or whole steps after it: never at a time that tells something."""
        times = self._site.config.times
        if not times.floor_ms:
            return
        spent = (self._site.clock.monotonic() - began) * 1000
        steps = math.ceil(max(0.0, spent - times.floor_ms) / times.step_ms)
        self._site.clock.sleep((times.floor_ms + steps * times.step_ms - spent) / 1000)


def _asked_for() -> str:
    """The one button that was pressed; nothing where none was, or where two were."""
    pressed = request.form.getlist("action")
    return pressed[0] if len(pressed) == 1 else ""


def _is_withdrawal() -> bool:
    return _asked_for() == "withdraw" and request.form.get("sure") == _SURE


def _mistake(step: Step) -> FieldError | None:
    if files.unexpected(cast("UploadRequest", request)):
        return FieldError("", "error.unknown_field")
    if not step.text and not step.batch.kept and not step.batch.destroyed:
        return FieldError("text", "talk.empty")
    return too_long(step.text)
