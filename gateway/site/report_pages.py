"""The pages of a report: start, write, send, receipt, confirm.

Walk: (1) receive  (2)…(5) files, each at once  (6) answers read  (7) report sealed and stored
(8) the receipt, in the answer to the POST.  Whatever goes wrong on the way, the page comes back
with everything that was typed and every file that arrived whole.  Claim C-TYPED.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from flask import Response, request

from crypto.errors import TokenInvalid
from gateway.errors import Busy, NoValidRoster
from gateway.handed import ANONYMOUS, Report
from gateway.intake import FilesGone
from gateway.site import files
from gateway.site.headers import sending
from gateway.site.identity import identity_of, too_much
from gateway.site.mistakes import shown
from gateway.site.promise import CANNOT, PROMISE
from gateway.site.qr import picture
from gateway.site.removed import sentence
from gateway.site.rescued import BOX, as_message, boxed
from gateway.site.tokens import FormToken, ThreadToken, TokenExpired
from gateway.site.values import FieldError, plain_digits
from gateway.site.view import FormView
from gateway.site.waiting import admitted, report_must_wait, source
from vault.errors import AlreadyAccepted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.datastructures import MultiDict

    from crypto.strict_json import Json
    from gateway.site.answers import Answers
    from gateway.site.context import Site
    from gateway.site.schema import CategoryForm
    from gateway.upload import UploadRequest
    from vault.outside import CaseRow

DANGER = ("no", "yes", "unsure")
SEND = "send"
_DIGITS_TYPED = 64
_WRONG = 422
_CLOSED = 503


@dataclass(frozen=True, slots=True)
class Draft:
    """One request of the write form: its token, its category's form, what became of its files."""

    token: FormToken
    form: CategoryForm
    batch: files.Batch
    lang: str
    errors: tuple[FieldError, ...] = field(default=(), repr=False)


class ReportPages:
    """The views of a report; one object for the application."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def start(self, lang: str) -> Response:
        """Show the first page.  Raises NoValidRoster: what cannot be received is not asked for."""
        self._site.roster()
        return self._start(lang, {}, (), 200)

    def write(self, lang: str) -> Response:
        """Show the form of the chosen category; in danger, first whom to call."""
        self._site.roster()
        typed = request.form
        danger, category = typed.get("danger_now", ""), typed.get("category", "")
        form = self._site.schema.category(category)
        errors = [] if danger in DANGER else [FieldError("danger_now", "error.choose")]
        if form is None:
            errors.append(FieldError("category", "error.choose"))
        kept = typed.get(BOX, "")
        if kept and not danger and not category:
            # Words for which a place is looked for, from another page.
            return self._start(lang, {}, (), 200, kept)
        if errors or form is None:
            return self._start(lang, typed, tuple(errors), _WRONG, kept)
        if danger != "no" and not typed.get("go_on"):
            return self._site.page("danger.html", lang, danger=danger, form=form, kept=kept)
        token = FormToken.new(category=form.id, danger=danger, now=self._site.clock.now())
        token = replace(token, turn=self._site.turns.early(source()))
        return self._form(Draft(token, form, files.Batch(kept=()), lang), 200)

    def send(self, lang: str) -> Response:
        """Receive the form.  Only ``action=send`` sends; everything else keeps writing."""
        is_old = False
        try:
            token = self._token()
        except TokenInvalid:
            return self._fresh_form(lang)
        except TokenExpired as expired:
            token, is_old = self._renewed(cast("FormToken", expired.token)), True
        return self._take(lang, token, is_old=is_old)

    def _take(  # noqa: PLR0911 one answer for each thing that can be wrong
        self, lang: str, token: FormToken, *, is_old: bool
    ) -> Response:
        form = self._site.schema.category(token.category)
        if form is None:  # the category was taken out of the data since the page was made
            return self._category_gone(lang, token)
        row = self._site.vault.case(token.case)
        if row is not None:
            return self._received(lang, token, row)
        answers = self._site.readers[form.id].read(request.form)
        draft = Draft(token, form, files.Batch(kept=token.files), lang)
        try:
            draft = replace(draft, batch=self._files(draft, answers))
        except NoValidRoster:
            return self._form(_with(draft, "error.closed"), _CLOSED)
        if is_old:
            key = "error.old_form_kept" if draft.batch.kept else "error.old_form"
            return self._form(_with(draft, key), _WRONG, answers)
        if not _is_to_be_sent():
            if not _is_to_go_on():
                return self._form(_with(draft, "error.not_sent"), _WRONG, answers)
            return self._form(draft, _WRONG if draft.batch.refused else 200, answers)
        errors = (*answers.errors, *too_much(identity_of(answers)), *_doubted(draft, answers))
        if files.unexpected(_upload()):
            errors = (*errors, FieldError("", "error.unknown_field"))
        if errors or draft.batch.refused:
            return self._form(replace(draft, errors=errors), _WRONG, answers)
        return self._seal(draft, answers)

    def confirm(self, lang: str) -> Response:
        """Take the last four digits; afterwards the code is never shown again."""
        token = self._token_of_any_age()
        row = None if token is None else self._site.vault.case(token.case)
        if token is None or row is None:
            return self._said(lang, "no_receipt")
        if not self._shown_still(row):
            return self._said(lang, "received")
        typed = "".join(plain_digits(request.form.get("last_four", "")[:_DIGITS_TYPED]).split())
        if not hmac.compare_digest(typed.encode(), token.code.digits[-4:].encode()):
            return self._receipt(lang, token, wrong=True, status=_WRONG)
        self._site.vault.close_receipt_window(row.case_id)
        return self._said(lang, "done")

    def forget(self) -> None:
        """Close the receipt of what is being left: a receipt's page, or a form that had arrived."""
        token = self._token_of_any_age()
        row = None if token is None else self._site.vault.case(token.case)
        if row is not None:
            self._site.vault.close_receipt_window(row.case_id)

    def _token(self) -> FormToken:
        return FormToken.open(
            self._site.intake.token_key,
            request.form.get("token", ""),
            now=self._site.clock.now(),
            seconds=self._site.config.times.form_seconds,
        )

    def _token_of_any_age(self) -> FormToken | None:
        """The page's token where only its case matters: that may be younger than the form."""
        try:
            return self._token()
        except TokenExpired as expired:
            return cast("FormToken", expired.token)
        except TokenInvalid:
            return None

    def _files(self, draft: Draft, answers: Answers) -> files.Batch:
        """(2)…(5), unless the answers say that no file may be here."""
        if not _files_allowed(draft.form, answers):
            return files.destroy(self._site.intake, draft.token.files, _upload())
        return files.receive(
            _upload(),
            self._site.intake,
            draft.token.case,
            draft.token.files,
            most=self._site.config.site.files,
            with_originals="originals" in request.form,
        )

    def _seal(self, draft: Draft, answers: Answers) -> Response:
        """(7) and (8)."""
        if not self._site.watermark.has_room_for_text():
            return self._form(_with(draft, "error.closed"), _CLOSED)
        token = draft.token.with_files(draft.batch.kept)
        report = Report(
            case=token.case,
            code=token.code,
            form_version=self._site.schema.version,
            language=draft.lang,
            category=draft.form.id,
            fields=cast("Mapping[str, Json]", {"danger_now": token.danger, **answers.fields}),
            identity=identity_of(answers),
            files=token.files,
            no_files=not _files_allowed(draft.form, answers),
        )
        try:
            late = admitted(self._site, token.turn)
            self._site.intake.seal_report(report, late)
        except AlreadyAccepted:
            return self._second_of_two(draft)
        except FilesGone:
            kept = self._site.intake.still_there(token.files)
            left = replace(draft, batch=files.Batch(kept=kept))
            return self._form(_with(left, files.gone_key(kept)), _WRONG)
        except NoValidRoster:
            return self._form(_with(draft, "error.closed"), _CLOSED)
        except Busy:
            return report_must_wait(self._site, draft.lang, token)
        return self._receipt(
            draft.lang,
            token,
            cards=draft.form.cards_for(answers.fields),
            destroyed=draft.batch.destroyed,
            files=files.copies(token.files),
            originals=len(token.files) > len(files.copies(token.files)),
            removed=sentence(self._site.words[draft.lang], files.copies(token.files)),
        )

    def _second_of_two(self, draft: Draft) -> Response:
        """The same form twice at once: the other one was stored, this one's files are not."""
        self._site.intake.drop(draft.batch.new)
        row = self._site.vault.case(draft.token.case)
        if row is None:  # pragma: no cover — a case that was accepted is there
            raise AlreadyAccepted
        return self._received(draft.lang, draft.token, row)

    def _received(self, lang: str, token: FormToken, row: CaseRow) -> Response:
        """The same form again: the same code for a while, then a calm page."""
        form = self._site.schema.category(token.category)
        words = self._site.words[lang]
        second = (
            boxed(request.form, None) if form is None else as_message(words, form, request.form)
        )
        if not self._shown_still(row):
            return self._said(lang, "received", second=second, second_to="thread")
        talk = ThreadToken.new(case=row.case_id, code=token.code, now=self._site.clock.now())
        sealed = talk.seal(self._site.intake.token_key)
        return self._receipt(
            lang, token, again=True, second=second, second_to="message", second_token=sealed
        )

    def _shown_still(self, row: CaseRow) -> bool:
        return self._site.intake.received_recently(row, self._site.config.times.receipt_seconds)

    def _receipt(
        self, lang: str, token: FormToken, *, status: int = 200, **facts: object
    ) -> Response:
        sealed = token.with_files(()).seal(self._site.intake.token_key)
        return self._site.page(
            "receipt.html",
            lang,
            status=status,
            code=token.code.grouped(),
            picture=picture(token.code),
            token=sealed,
            answer_by=self._site.answer_by(),
            minutes=self._site.config.times.receipt_seconds // 60,
            form=self._site.schema.category(token.category),
            **facts,
        )

    def _said(self, lang: str, key: str, **more: object) -> Response:
        return self._site.page("said.html", lang, key=key, facts={}, status=200, **more)

    def _renewed(self, old: FormToken) -> FormToken:
        """A form past its time: the same report, with what is still there of its files."""
        if self._site.vault.case(old.case) is not None:
            return old
        kept = self._site.intake.still_there(old.files)
        return replace(old, files=kept, issued=self._site.clock.now(), turn=None)

    def _fresh_form(self, lang: str) -> Response:
        """A token that is not ours: a new form with everything that was typed.

        Whether somebody was in danger stood in the token: it is not guessed that nobody is.
        """
        category, danger = request.form.get("category", ""), DANGER[-1]
        form = self._site.schema.category(category)
        if form is None:
            old = (FieldError("", "error.old_form"),)
            return self._start(lang, {}, old, _WRONG, boxed(request.form, None))
        token = FormToken.new(category=form.id, danger=danger, now=self._site.clock.now())
        draft = Draft(token, form, files.Batch(kept=()), lang)
        return self._form(_with(draft, "error.old_form"), _WRONG)

    def _category_gone(self, lang: str, token: FormToken) -> Response:
        """Let another kind be chosen; the words are still there, the files cannot be."""
        self._site.intake.drop(token.files)
        errors = [FieldError("category", "error.choose")]
        if token.files or files.arrived(_upload()):
            errors.append(FieldError("", "error.files_gone"))
        typed = {"danger_now": token.danger}
        return self._start(lang, typed, tuple(errors), _WRONG, boxed(request.form, None))

    def _start(
        self,
        lang: str,
        typed: Mapping[str, str],
        errors: tuple[FieldError, ...],
        status: int,
        kept: str = "",
    ) -> Response:
        words = self._site.words[lang]
        return self._site.page(
            "start.html",
            lang,
            status=status,
            typed=typed,
            kept=kept,
            errors=shown(errors, words),
            promise=PROMISE,
            cannot=CANNOT,
            danger_options=[(value, words(f"option.{value}"), "") for value in DANGER],
            category_options=[
                (form.id, words(f"category.{form.id}"), words(f"hint.category.{form.id}"))
                for form in self._site.schema.categories
            ],
        )

    def _form(self, draft: Draft, status: int, answers: Answers | None = None) -> Response:
        """Show the form with what was typed, what arrived, and what is wrong."""
        typed: MultiDict[str, str] = request.form
        words = self._site.words[draft.lang]
        config = self._site.config
        token = draft.token.with_files(draft.batch.kept)
        view = FormView(
            t=words,
            form=draft.form,
            token=token.seal(self._site.intake.token_key),
            typed=typed,
            files=token.files,
            refused=draft.batch.refused,
            errors=shown(draft.errors, words, draft.form),
            destroyed=draft.batch.destroyed,
            danger=token.danger != DANGER[0],
            hours=config.times.form_seconds // 3600,
            grown=typed.get("more", ""),
            kept=boxed(typed, self._site.readers[draft.form.id]),
            file_bytes=config.site.file_bytes,
            files_most=config.site.files,
            help=self._site.help,
            cards=draft.form.cards_for(answers.fields) if answers else (),
            originals="originals" in typed,
            originals_doubted="originals_sure" in typed
            or any(one.name == "originals_sure" for one in draft.errors),
        )
        answer = self._site.page("write.html", draft.lang, status=status, page=view)
        return sending(answer) if draft.form.files else answer


def _upload() -> UploadRequest:
    return cast("UploadRequest", request)


def _files_allowed(form: CategoryForm, answers: Answers) -> bool:
    """Whether files may come; of several answers to one question the most careful one counts."""
    posted = {name: request.form.getlist(name) for name in request.form}
    return form.files_allowed(answers.fields) and form.files_allowed(posted)


def _is_to_be_sent() -> bool:
    """Whether the button was pressed that sends, and no other one."""
    return request.form.getlist("action") == [SEND] and "more" not in request.form


def _is_to_go_on() -> bool:
    return "more" in request.form or request.form.getlist("action") == ["add"]


def _with(draft: Draft, key: str) -> Draft:
    return replace(draft, errors=(FieldError("", key),))


def _doubted(draft: Draft, answers: Answers) -> tuple[FieldError, ...]:
    """Somebody who stays anonymous is asked a second time before an original goes along."""
    has_originals = len(draft.batch.kept) > len(files.copies(draft.batch.kept))
    if not has_originals or answers.identity_mode != ANONYMOUS or "originals_sure" in request.form:
        return ()
    return (FieldError("originals_sure", "error.originals_sure"),)
