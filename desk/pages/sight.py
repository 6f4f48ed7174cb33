"""What the pages show of files: veils, previews, and the forms that black out and close.

Rule: a page holds a veil (some grey dots) until its operator asks for the picture, and what is then
sent was rebuilt (desk.sight.shown).  Each asks `desk.evidence.open_evidence` first, so that what is
in quarantine is not even served from memory.  Everything works without a script.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from flask import Response, redirect, render_template, request, url_for
from markupsafe import escape

from crypto.ids import EnvelopeId
from desk import acts, words
from desk.cases import Cases
from desk.errors import DeskError, NothingToSee, RedactionRefused
from desk.evidence import open_evidence, views
from desk.pages import media
from desk.pages.seen import require_seen
from desk.sentence import Sentence, Several, reason
from desk.sight import redaction, shown
from desk.sight.closing import close, custodians
from desk.sight.export import find_file
from desk.sight.memory import BREAK_EVERY, Drawn, Exposure
from desk.sight.veil import PLAIN, Busy, Veils
from sanitizer.sight.boxes import Box

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from werkzeug.wrappers import Response as BaseResponse

    from desk.cases import Case
    from desk.desk import Desk
    from desk.evidence import FileView
    from desk.sight.shown import Shown

WORKBENCH = 800
"""Longest side in pixels of the picture that boxes are drawn on."""
WORDS_MOST = 3_000
"""Words of an answer that can be chosen one by one."""
_MARK = 8
_DIGITS_MOST = 7
_WORD = re.compile(r"\S+")
_NOT_SEEN = Sentence(
    "This is another copy than the one that was shown. Look at it below, and sign it then."
)
_BEGUN = Sentence("A box was begun and not added: add it, or take it back.")
_REDACTED = {
    True: "The redacted copy was signed and sent.",
    False: "The redacted copy was signed; it goes out at the next sync.",
}
_QUARANTINED = {
    True: "The file is in quarantine, and the entry was sent.",
    False: "The file is in quarantine; the entry goes out at the next sync.",
}


class Pages(Protocol):
    """What this needs of the pages it is part of."""

    desk: Desk

    def say(self, notice: str) -> None:
        """Say it on the page that follows."""
        ...

    def refused(self, case: Case, kind: str, why: str) -> tuple[str, int]:
        """The case's page with the reason why an act of one kind was refused."""
        ...


@dataclass(slots=True)
class Sight:
    """The routes, around what they share."""

    pages: Pages
    drawn: Drawn = field(default_factory=Drawn)
    exposure: Exposure = field(default_factory=Exposure)
    veils: Veils = field(default_factory=Veils)

    @property
    def desk(self) -> Desk:
        """The unlocked desk."""
        return self.pages.desk

    def offered(self, case: Case) -> dict[str, object]:
        """What a case's page shows of its files, and offers to do with them."""
        files = views(self.desk, case)
        today = self.desk.today()
        try:
            keepers = custodians(self.desk)
        except DeskError:
            # Without a roster in force nothing can be sealed; the page still reads.
            keepers = ()
        return {
            "files": {one.id: self._on_page(case, one) for one in files},
            "copies": [one.id for one in files if one.is_copy],
            "keepers": keepers,
            "answers_in_words": [name for name, said in case.fields.items() if _in_words(said)],
            "messages_in_words": {
                number: redaction.message_named(case, number)
                for number, one in enumerate(case.follow_ups, 1)
                if one.body.text
            },
            "opened_today": self.exposure.count(today),
            "break_is_due": self.exposure.is_time_for_a_break(today),
        }

    def _on_page(self, case: Case, file: FileView) -> dict[str, object]:
        manifest = file.manifest
        return {
            "id": file.id,
            "name": file.name,
            "manifest": manifest,
            "kind": shown.kind_of(file),
            "why_not": self.drawn.why_not((file.id, "veil", 0)),
            "is_original": file.is_original,
            "is_copy": file.is_copy,
            "copy_of": file.copy_of,
            "copy_of_answer": file.copy_of_answer,
            "copy_of_message": _message_number(case, file.copy_of_answer),
            "closing": file.closing,
            "problem": words.PROBLEMS.get(file.problem, ""),
            "removed": Several(", ", map(_removed, manifest.removed)) if manifest else "",
            # What was typed into this file's form, where that is refused.
            "given": request.form if (request.view_args or {}).get("file_id") == file.id else {},
        }

    # --- what an <img>, a <video> and an <audio> fetch

    def veil(self, ref: str, file_id: str) -> Response:
        """Some grey dots in a picture's place: enough to see that there is one."""
        try:
            return self._sent(
                ref, file_id, "veil", 0, lambda case: self.veils.of(self.desk, case, file_id)
            )
        except Busy:
            return media.preview(PLAIN, None)

    def picture(self, ref: str, file_id: str, part: int) -> Response:
        """The picture, a page, or a film's contact sheet: somebody asked to see it."""
        made = self._sent(
            ref, file_id, "picture", part,
            lambda case: shown.picture(self.desk, case, file_id, part=part),
        )  # fmt: skip
        self.exposure.opened((file_id, part), self.desk.today())
        return made

    def clip(self, ref: str, file_id: str) -> Response:
        """The beginning of a film, small."""
        made = self._sent(
            ref, file_id, "clip", 0, lambda case: shown.clip(self.desk, case, file_id)
        )
        self.exposure.opened((file_id, "clip"), self.desk.today())
        return made

    def sound(self, ref: str, file_id: str) -> Response:
        """What is heard."""
        return self._sent(
            ref, file_id, "sound", 0, lambda case: shown.sound(self.desk, case, file_id)
        )

    def redacted(self, ref: str, file_id: str, part: int) -> Response:
        """What a copy would show, while its boxes are being drawn."""
        case = Cases(self.desk).find(ref)
        boxes = [*_boxes(request.args.get("boxes", "")), *_marks(request.args.get("corner", ""))]
        return media.preview(redaction.look(self.desk, case, file_id, boxes, part=part), None)

    def _sent(
        self, ref: str, file_id: str, what: str, part: int, make: Callable[[Case], Shown]
    ) -> Response:
        case = Cases(self.desk).find(ref)
        # The one door, before anything comes from memory.
        open_evidence(self.desk, case, file_id)
        made = self.drawn.get((file_id, what, part), lambda: make(case))
        return media.preview(made, request.headers.get("Range"))

    # --- one file on a page of its own

    def look(self, ref: str, file_id: str, part: int) -> str | tuple[str, int]:
        """A page of a document, a text, or why there is nothing to see."""
        case = Cases(self.desk).find(ref)
        open_evidence(self.desk, case, file_id)
        file = find_file(self.desk, case, file_id)
        kind, text, why, parts = shown.kind_of(file), "", "", 1
        try:
            if kind == shown.TEXT:
                text = shown.words(self.desk, case, file_id)
            elif kind in (shown.PAGES, shown.PICTURE, shown.FILM):
                parts = self.drawn.get(
                    (file_id, "picture", part),
                    lambda: shown.picture(self.desk, case, file_id, part=part),
                ).parts
            elif kind != shown.SOUND:
                why = shown.NO_KIND
        except NothingToSee as nothing:
            why = reason(nothing)
        return render_template(
            "look.html", case=case, file=file, kind=kind, text_of_file=text, why=why, part=part,
            parts=parts if kind != shown.FILM else 1,
        ), 422 if why else 200  # fmt: skip

    # --- blacking out

    def redact(self, ref: str, file_id: str, part: int) -> BaseResponse | str | tuple[str, int]:
        """Draw boxes: by two clicks on the picture, or by numbers; look; sign."""
        case = Cases(self.desk).find(ref)
        form = request.form
        boxes, corner, why = _boxes(form.get("boxes", "")), form.get("corner", ""), ""
        typed = {name: form.get(name, "0") for name in "xywh"}
        is_begun = bool(corner) or any(one.strip(" 0") for one in typed.values())
        sight = redaction.still(self.desk, case, file_id, part=part)
        small = min(1.0, WORKBENCH / max(sight.width, sight.height))
        width, height = max(1, int(sight.width * small)), max(1, int(sight.height * small))
        try:
            if "sign" in form:
                if is_begun:
                    # What it was for would stay in a copy that is called redacted.
                    raise RedactionRefused(_BEGUN)
                sent = redaction.redact(self.desk, case, file_id, boxes, part=part)
                return self._done(case, _REDACTED[sent])
            if "at.x" in form:
                # Where it was clicked, in pixels of the preview.
                here = (_place(form.get("at.x"), sight.width, width),
                        _place(form.get("at.y"), sight.height, height))  # fmt: skip
                boxes, corner = _clicked(boxes, corner, here)
            elif "add" in form:
                boxes, typed = [*boxes, redaction.parse_box(",".join(typed.values()))], {}
            elif "undo" in form:
                boxes, corner, typed = boxes if is_begun else boxes[:-1], "", {}
        except DeskError as refused:
            why = reason(refused)
        self.exposure.opened((file_id, part), self.desk.today())
        return render_template(
            "redact.html", case=case, file=find_file(self.desk, case, file_id), part=part,
            boxes=boxes, told=_told(boxes), corner=corner, why=why, width=width, height=height,
            of=sight,
            typed={name: one for name, one in typed.items() if _is_number(one) and int(one)},
        ), 422 if why else 200  # fmt: skip

    def redact_answer(self, ref: str, name: str) -> BaseResponse | str | tuple[str, int]:
        """Choose words of an answer or of a message; look; sign what was looked at."""
        case = Cases(self.desk).find(ref)
        form, text = request.form, redaction.answer_of(case, name)
        pieces = list(_WORD.finditer(text))[:WORDS_MOST]
        chosen = {int(one) for one in form.getlist("word") if _is_number(one)}
        phrase, found, why = form.get("phrase", ""), {}, ""
        try:
            found = redaction.places_of(text, [phrase] if phrase.strip() else [])
        except DeskError as refused:
            why = reason(refused)
        typed = [one for several in found.values() for one in several]
        chosen |= {
            number for number, one in enumerate(pieces)
            if any(start <= one.start() and one.end() <= stop for start, stop in typed)
        }  # fmt: skip
        spans = [*_runs([one.span() for one in pieces], chosen), *typed]
        preview = redaction.blacked_out(text, spans)
        seen = hashlib.sha256(preview.encode("utf-8", "replace")).hexdigest()
        if "sign" in form and spans and form.get("seen") != seen:
            why = why or _NOT_SEEN
        if "sign" in form and not why:
            try:
                sent = redaction.redact_answer(self.desk, case, name, spans)
                return self._done(case, _REDACTED[sent])
            except DeskError as refused:
                why = reason(refused)
        return render_template(
            "redact_answer.html", case=case, name=name, message=_message_number(case, name),
            pieces=[one[0] for one in pieces], chosen=chosen, preview=preview, seen=seen, why=why,
            found={one: len(several) for one, several in found.items()},
            phrase=escape(phrase),
        ), 422 if why else 200  # fmt: skip

    # --- closing

    def quarantine(self, ref: str, file_id: str) -> BaseResponse | tuple[str, int]:
        """Close a file for good."""
        case = Cases(self.desk).find(ref)
        form = request.form
        try:
            require_seen(case)
            file = find_file(self.desk, case, file_id)
            sent = close(self.desk, case, file, form.get("custodian", ""), form.get("text", ""))
        except DeskError as refused:
            return self.pages.refused(case, "quarantine", reason(refused))
        self.drawn.forget()
        return self._done(case, _QUARANTINED[sent])

    def _done(self, case: Case, notice: str) -> BaseResponse:
        self.pages.say(notice)
        return redirect(url_for("case", ref=case.id.hex()), 303)


def register(app: Flask, pages: Pages) -> Sight:
    """Add the routes; returns what a case's page asks."""
    sight = Sight(pages)
    one = "/case/<ref>/file/<file_id>"
    app.add_url_rule(f"{one}/veil.png", "veil", sight.veil)
    app.add_url_rule(f"{one}/picture-<int:part>.png", "picture", sight.picture)
    app.add_url_rule(f"{one}/clip.webm", "clip", sight.clip)
    app.add_url_rule(f"{one}/sound.wav", "sound", sight.sound)
    app.add_url_rule(f"{one}/look/<int:part>", "look", sight.look)
    app.add_url_rule(f"{one}/redact/<int:part>", "redact", sight.redact, methods=["GET", "POST"])
    app.add_url_rule(f"{one}/redacted-<int:part>.png", "redacted", sight.redacted)
    app.add_url_rule(f"{one}/quarantine", "quarantine", sight.quarantine, methods=["POST"])
    app.add_url_rule(
        "/case/<ref>/answers/<name>/redact", "redact_answer", sight.redact_answer,
        methods=["GET", "POST"],
    )  # fmt: skip
    app.jinja_env.globals["break_every"] = BREAK_EVERY
    return sight


def _removed(kind: str) -> str:
    """What was removed from a file; a kind that a newer gateway names is another's word."""
    said = words.removed(kind)
    return Sentence(said) if kind in words.REMOVED else said


def _message_number(case: Case, name: str) -> int:
    """Which of the reporter's messages a redaction calls so; 0 for an answer of the report."""
    message = acts.message_of(name)
    return case.number_of(EnvelopeId(bytes.fromhex(message))) if message else 0


def _in_words(said: object) -> bool:
    return isinstance(said, str) and len(said) > 1


def _is_number(untrusted: str) -> bool:
    return untrusted.isascii() and untrusted.isdigit() and len(untrusted) <= _DIGITS_MOST


def _boxes(untrusted: str) -> list[Box]:
    """The boxes of a form's field; raises RedactionRefused."""
    parts = [one for one in untrusted.split(";") if one]
    if len(parts) > redaction.BOXES_MOST:
        raise RedactionRefused(
            Sentence("A copy has {most} boxes at most.", most=redaction.BOXES_MOST)
        )
    return [redaction.parse_box(one) for one in parts]


def _told(boxes: list[Box]) -> str:
    return ";".join(",".join(map(str, one)) for one in boxes)


def _corner(untrusted: str) -> tuple[int, int] | None:
    x, _, y = untrusted.partition(",")
    return (int(x), int(y)) if _is_number(x) and _is_number(y) else None


def _marks(untrusted: str) -> list[Box]:
    """A small mark where the first corner was set."""
    corner = _corner(untrusted)
    return [Box(*corner, _MARK, _MARK)] if corner else []


def _place(untrusted: str | None, of: int, shown_as: int) -> int:
    """A place on the picture, from where it was clicked on the smaller one."""
    clicked = int(untrusted) if untrusted and _is_number(untrusted) else 0
    return min(clicked, shown_as - 1) * of // shown_as


def _clicked(boxes: list[Box], corner: str, here: tuple[int, int]) -> tuple[list[Box], str]:
    """The first click sets a corner, the second the opposite one."""
    first = _corner(corner)
    if first is None:
        return boxes, f"{here[0]},{here[1]}"
    (left, right), (top, bottom) = sorted((first[0], here[0])), sorted((first[1], here[1]))
    made = Box(left, top, max(1, right - left), max(1, bottom - top))
    return _boxes(_told([*boxes, made])), ""


def _runs(spans: list[tuple[int, int]], chosen: set[int]) -> list[tuple[int, int]]:
    """The chosen words; between neighbours the space goes, too."""
    runs: list[tuple[int, int]] = []
    for number in sorted(one for one in chosen if one < len(spans)):
        start, stop = spans[number]
        if runs and number - 1 in chosen:
            runs[-1] = (runs[-1][0], stop)
        else:
            runs.append((start, stop))
    return runs
