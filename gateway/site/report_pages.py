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
from gateway.site.tokens import FormToken, TokenExpired
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
        if errors or form is None:
            return self._start(lang, typed, tuple(errors), _WRONG)
        if danger != "no" and not typed.get("go_on"):
            return self._site.page("danger.html", lang, danger=danger, form=form)
        token = FormToken.new(category=form.id, danger=danger, now=self._site.clock.now())
        token = replace(token, turn=self._site.turns.early(source()))
        return self._form(Draft(token, form, files.Batch(kept=()), lang), 200)

    def send(self, lang: str) -> Response:  # noqa: PLR0911 one answer for each thing that can be wrong
        """Receive the form: ``action=add`` or ``more`` keep writing, anything else sends."""
        try:
            token = self._token()
        except TokenInvalid:
            return self._fresh_form(lang, None)
        except TokenExpired as expired:
            return self._too_old(lang, cast("FormToken", expired.token))
        form = self._site.schema.category(token.category)
        if form is None:  # the category was taken out of the data since the page was made
            return self._start(lang, {}, (FieldError("category", "error.choose"),), _WRONG)
        row = self._site.vault.case(token.case)
        if row is not None:
            return self._received(lang, token, row)
        answers = self._site.readers[form.id].read(request.form)
        draft = Draft(token, form, files.Batch(kept=token.files), lang)
        try:
            draft = replace(draft, batch=self._files(draft, answers))
        except NoValidRoster:
            return self._form(_with(draft, "error.closed"), _CLOSED)
        if "more" in request.form or request.form.get("action") == "add":
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
        typed = plain_digits(request.form.get("last_four", "")[:_DIGITS_TYPED]).strip()
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
        if not draft.form.files_allowed(answers.fields):
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
            no_files=not draft.form.files_allowed(answers.fields),
        )
        try:
            late = admitted(self._site, token.turn)
            self._site.intake.seal_report(report, late)
        except AlreadyAccepted:
            return self._second_of_two(draft)
        except FilesGone:
            gone = replace(draft, batch=files.Batch(kept=()))
            return self._form(_with(gone, "error.files_gone"), _WRONG)
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
        if not self._shown_still(row):
            return self._said(lang, "received")
        return self._receipt(lang, token, again=True)

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

    def _said(self, lang: str, key: str) -> Response:
        return self._site.page("said.html", lang, key=key, facts={})

    def _too_old(self, lang: str, old: FormToken) -> Response:
        """A form past its time: what had arrived before stays one report; else, a new form."""
        row = self._site.vault.case(old.case)
        if row is not None:
            return self._received(lang, old, row)
        # What this page had staged is named by nothing else any more.
        self._site.intake.drop(old.files)
        return self._fresh_form(lang, old)

    def _fresh_form(self, lang: str, old: FormToken | None) -> Response:
        """A token that is too old or not ours: a new form with everything that was typed."""
        if old is not None:
            category, danger = old.category, old.danger
        else:
            category, danger = request.form.get("category", ""), DANGER[0]
        form = self._site.schema.category(category)
        if form is None:
            return self._start(lang, {}, (FieldError("", "error.old_form"),), _WRONG)
        token = FormToken.new(category=form.id, danger=danger, now=self._site.clock.now())
        draft = Draft(token, form, files.Batch(kept=()), lang)
        return self._form(_with(draft, "error.old_form"), _WRONG)

    def _start(
        self, lang: str, typed: Mapping[str, str], errors: tuple[FieldError, ...], status: int
    ) -> Response:
        words = self._site.words[lang]
        return self._site.page(
            "start.html",
            lang,
            status=status,
            typed=typed,
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


def _with(draft: Draft, key: str) -> Draft:
    return replace(draft, errors=(FieldError("", key),))


def _doubted(draft: Draft, answers: Answers) -> tuple[FieldError, ...]:
    """Somebody who stays anonymous is asked a second time before an original goes along."""
    has_originals = len(draft.batch.kept) > len(files.copies(draft.batch.kept))
    if not has_originals or answers.identity_mode != ANONYMOUS or "originals_sure" in request.form:
        return ()
    return (FieldError("originals_sure", "error.originals_sure"),)
