"""The command room's pages: figures with their charts, and a wall view that refreshes itself.

Rule: these pages show numbers, our own words and the institution's, and nothing that a reporter,
or another operator, wrote; the wall can hang where everybody sees it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Response, abort, make_response, render_template, request
from markupsafe import Markup, escape

from crypto.ids import date_of
from desk.desk import local_stamp
from desk.pages.choosing import ours, spoken
from desk.room import wall, words
from desk.room.figures import figures
from desk.room.gather import facts as gathered
from desk.room.output import to_csv, to_json
from desk.room.period import PeriodMalformed, between, parse_period
from desk.room.tables import Median, Ratio, Share, size
from desk.room.words import Shown
from desk.sentence import reason
from desk.words import label

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from flask import Flask

    from desk.desk import Desk
    from desk.room.period import Period
    from desk.room.tables import Cell, Figures

WALL_SECONDS = wall.SECONDS
_LAYOUT = (
    "nature", "categories", "choices", "tags", "identity", "origin", "regions", "languages",
    "series", "transmitted", "outcomes", "closed", "states", "clocks", "backlog", "priorities",
    "losses",
)  # fmt: skip


@dataclass(slots=True)
class Room:
    """The room's routes, over one unlocked desk."""

    desk: Desk
    now: Callable[[], str] = local_stamp

    def figures(self, period: Period) -> Figures:
        """The figures of a period, as the cases here are now."""
        return figures(gathered(self.desk), period, self.desk.rules, self.desk.today())

    def asked(self) -> Period:
        """The period that the address asks for; this month without one.  PeriodMalformed."""
        today = self.desk.today()
        first, last = request.args.get("from", ""), request.args.get("to", "")
        if first or last:
            return between(first, last, today)
        return parse_period(request.args.get("period", "month"), today)

    # --- pages

    def page(self) -> Response:
        """Every figure of a period, each chart with its table."""
        problem = ""
        try:
            period = self.asked()
        except PeriodMalformed as malformed:
            problem = reason(malformed)
            period = parse_period("month", self.desk.today())
        found = self.figures(period)
        response = make_response(
            render_template(
                "room.html",
                figures=found,
                layout=[found[name] for name in _LAYOUT],
                chosen=request.args.get("period", "" if request.args.get("from") else "month"),
                periods=words.PERIODS,
                first=str(date_of(period.first)),
                last=str(date_of(period.last)),
                unreadable=words.unreadable(found.unreadable) if found.unreadable else "",
                problem=problem,
                **self._words(),
            )
        )
        response.status_code = 422 if problem else 200
        return response

    def wall(self) -> Response:
        """The same on a screen for the room: large, dark, and without anybody's words."""
        try:
            period = self.asked()
        except PeriodMalformed:
            abort(404)
        response = make_response(
            render_template(
                "wall.html",
                wall=wall.wall(self.desk, period, self.now()),
                first=str(date_of(period.first)),
                last=str(date_of(period.last)),
                **self._words(),
            )
        )
        response.headers["Refresh"] = str(WALL_SECONDS)
        return response

    def csv(self, table: str) -> Response:
        """One table, or `all`, as CSV."""
        found = self._found()
        if table != "all" and table not in found:
            abort(404)
        tables = found.tables if table == "all" else (found[table],)
        return _file(to_csv(tables, self.desk.rules), "text/csv", f"{table}.csv")

    def json(self) -> dict[str, object]:
        """What `stats --json` prints."""
        return to_json(self._found(), rehearsal=self.desk.trust.rehearsal)

    def _found(self) -> Figures:
        try:
            return self.figures(self.asked())
        except PeriodMalformed:
            abort(404)

    def _row_name(self, table: str, name: str) -> str:
        """What a row is called: in words, or the days it is of."""
        said = label(name) if table == "losses" else words.row(table, name, self.desk.rules)
        return spoken().plainly(said) if ours(said) else spoken().days(said)

    def _words(self) -> dict[str, object]:
        return {
            "titles": words.TITLES,
            "notes": words.NOTES,
            "columns": words.COLUMNS,
            "row_name": self._row_name,
            "shown": _shown,
            "number": _number,
        }


def register(app: Flask, desk: Desk) -> None:
    """Add the room to a desk's pages."""
    room = Room(desk)
    app.jinja_env.filters["cell_size"] = size
    app.add_url_rule("/room", "room", room.page)
    app.add_url_rule("/room/wall", "room_wall", room.wall)
    app.add_url_rule("/room/figures.json", "room_json", room.json)
    app.add_url_rule("/room/<table>.csv", "room_csv", room.csv)


def _number(value: Decimal | int | None) -> str:
    """A number in the page's language; a dash where there is none."""
    return "–" if value is None else spoken().number(value)


def _shown(cell: Cell) -> Shown:
    """A cell in its two parts, as desk.room.words has them in English."""
    say = spoken()
    if isinstance(cell, Share):
        share = "–" if cell.percent is None else say.percent(cell.percent)
        whole = say.number(cell.of)
        rest = say("of {whole} ({share})", whole=escape(whole), share=escape(share))
        return Shown(_number(cell.count), rest)
    if isinstance(cell, Ratio):
        ratio = Markup('<bdi dir="ltr">({} / {})</bdi>')
        return Shown(_number(cell.value), ratio.format(_number(cell.count), _number(cell.of)))
    if isinstance(cell, Median):
        return Shown(_number(cell.value), say("(of {whole})", whole=escape(_number(cell.count))))
    return Shown(_number(cell), "")


def _file(content: str, media_type: str, name: str) -> Response:
    response = Response(content, content_type=f"{media_type}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
