"""The bulletin's page, below the room: what would be public is shown first, and signed then.

Rule: the page asks desk.room.bulletin and decides nothing.  Signing is a press of its own, and
signs what was shown or nothing; days that were published are offered again only once the warning
was read.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask import render_template, request
from markupsafe import escape

from crypto.ids import Day, date_of, day_of
from desk.errors import DeskError
from desk.pages.choosing import ours, spoken
from desk.pages.places import place
from desk.room import words
from desk.room.bulletin import BulletinOverlaps, Edition, check, draft, publish, published
from desk.room.disclosure import LEAST, STEP
from desk.room.gather import facts
from desk.room.period import Period, PeriodMalformed, between, parse_period
from desk.sentence import Sentence, reason

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

    from desk.desk import Desk
    from desk.room.bulletin import Draft, Proven
    from desk.room.public import Line

_MONTHS = (1, 3)
"""How long what is offered is: the last month that is over, the last quarter."""


@dataclass(slots=True)
class _Shown:
    """What one answer shows beside the forms."""

    problem: str = ""
    warned: bool = False
    draft: Draft | None = None
    written: Path | None = None
    kept_back: int = 0
    proven: Proven | None = None
    unproven: str = ""
    tables: dict[str, list[Line]] = field(default_factory=dict)


@dataclass(slots=True)
class _Bulletin:
    """The routes, over one unlocked desk."""

    desk: Desk

    def page(self) -> str:
        """The forms, and which days were published."""
        return self._show(_Shown())

    def preview(self) -> str | tuple[str, int]:
        """What would be public; nothing is written."""
        try:
            made = draft(self.desk, facts(self.desk), self._edition(), self._folder())
        except DeskError as error:
            return self._refused(error)
        return self._show(_Shown(draft=made, tables=_tables(made), warned=self._is_warned()))

    def sign(self) -> str | tuple[str, int]:
        """Sign what was shown and write it; then read it again, as a stranger would."""
        edition = None
        try:
            edition, folder = self._edition(), self._folder()
            seen = request.form.get("seen", "") or "nothing"
            found = publish(self.desk, facts(self.desk), edition, folder, seen)
            proven = check(self.desk, folder)
        except DeskError as error:
            return self._refused(error)
        kept_back = sum(one.count is None for one in found)
        return self._show(_Shown(written=folder, kept_back=kept_back, proven=proven))

    def prove(self) -> str | tuple[str, int]:
        """Prove a bulletin that lies in a folder of this machine."""
        try:
            return self._show(_Shown(proven=check(self.desk, place(request.form.get("at", "")))))
        except DeskError as error:
            return self._show(_Shown(unproven=reason(error))), 422

    # --- what was typed

    def _edition(self) -> Edition:
        form = request.form
        if not (form.get("from", "").strip() and form.get("to", "").strip()):
            raise PeriodMalformed(Sentence("Choose a first and a last day."))
        period = between(form["from"], form["to"], self.desk.today())
        return Edition(period, tuple(form.getlist("tag")), form.get("overlapping") == "yes")

    @staticmethod
    def _folder() -> Path:
        return place(request.form.get("folder", ""))

    @staticmethod
    def _is_warned() -> bool:
        return "overlapping" in request.form

    def _refused(self, error: DeskError) -> tuple[str, int]:
        warned = isinstance(error, BulletinOverlaps) or self._is_warned()
        return self._show(_Shown(problem=reason(error), warned=warned)), 422

    # --- what is shown

    def _show(self, shown: _Shown) -> str:
        today, form = self.desk.today(), request.form
        offered = [_over(today, months) for months in _MONTHS]
        chosen = self._offered(offered[0])
        return render_template(
            "bulletin.html",
            shown=shown,
            offered=offered,
            first=form.get("from", str(date_of(chosen.first))),
            last=form.get("to", str(date_of(chosen.last))),
            latest=str(date_of(Day(today - 1))),
            tags=self.desk.rules.tags,
            chosen_tags=form.getlist("tag"),
            overlapping=form.get("overlapping") == "yes",
            # The operator's own words come back to the letter.
            folder=escape(form.get("folder", "")),
            typed_folder=form.get("folder", ""),
            at=escape(form.get("at", "")),
            published=[
                (str(date_of(one.first)), str(date_of(one.last))) for one in published(self.desk)
            ],
            least=LEAST,
            step=STEP,
            title=lambda name: words.public_title(name, self.desk.rules),
            row_name=_row_name,
        )

    def _offered(self, usual: Period) -> Period:
        """The days that the address asks for, or the last month."""
        try:
            return parse_period(request.args["period"], self.desk.today())
        except (KeyError, PeriodMalformed):
            return usual


def register(app: Flask, desk: Desk) -> None:
    """Add the routes."""
    own = _Bulletin(desk)
    app.add_url_rule("/room/bulletin", "bulletin", own.page)
    app.add_url_rule("/room/bulletin", "bulletin_preview", own.preview, methods=["POST"])
    app.add_url_rule("/room/bulletin/sign", "bulletin_sign", own.sign, methods=["POST"])
    app.add_url_rule("/room/bulletin/prove", "bulletin_prove", own.prove, methods=["POST"])


def _tables(made: Draft) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for one in made.lines:
        found.setdefault(one.table, []).append(one)
    return found


def _row_name(name: str) -> str:
    said = words.public_row(name)
    return spoken().plainly(said) if ours(said) else spoken().days(said)


def _over(today: Day, months: int) -> Period:
    """The last month, or the last so many that the calendar puts together, that is over."""
    now = date_of(today)
    begun = now.replace(day=1, month=now.month - (now.month - 1) % months)
    last = begun - dt.timedelta(days=1)
    return Period(day_of(last.replace(day=1, month=last.month - months + 1)), day_of(last))
