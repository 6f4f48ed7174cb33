"""The page that writes a case into a folder, in clear.

Rule: the page asks desk.export and decides nothing; it writes only where a tick and a path both
say so, only what the page said would lie there, and names what it wrote and what it left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import render_template, request
from markupsafe import escape

from desk import words
from desk.cases import Cases
from desk.errors import DeskError, ExportRefused
from desk.evidence import views
from desk.export import CUSTODIAN, export_case
from desk.pages.places import place
from desk.pages.seen import require_seen
from desk.sentence import Sentence, reason

if TYPE_CHECKING:
    from flask import Flask

    from desk.cases import Case
    from desk.desk import Desk
    from desk.export import Export


@dataclass(frozen=True, slots=True)
class _Clear:
    """The two routes, over one unlocked desk."""

    desk: Desk

    def page(self, ref: str) -> str:
        """What would lie there, and for whom."""
        return self._show(Cases(self.desk).find(ref), CUSTODIAN if self.desk.is_custodian else "")

    def write(self, ref: str) -> str | tuple[str, int]:
        """Write it, and name what was left out."""
        case = Cases(self.desk).find(ref)
        try:
            require_seen(case)
            if "in_clear" not in request.form:
                raise ExportRefused(
                    Sentence("Tick that it is to lie there in clear. Nothing was written.")
                )
            folder = place(request.form.get("folder", ""))
            return self._show(case, done=export_case(self.desk, case, folder))
        except DeskError as error:
            return self._show(case, reason(error)), 422

    def _show(self, case: Case, problem: str = "", done: Export | None = None) -> str:
        files = {one.id: one for one in views(self.desk, case)}
        left = [files[name] for name in done.left_out] if done else []
        return render_template(
            "clear.html",
            case=case,
            problem=problem,
            custodian_desk=self.desk.is_custodian,
            done=done,
            left=[(one, words.PROBLEMS.get(one.problem, "") or _UNSOUND) for one in left],
            originals=sum(one.is_original for one in files.values()),
            count=sum(not one.problem for one in files.values()),
            # The operator's own words come back to the letter.
            folder=escape(request.form.get("folder", "")),
            in_clear="in_clear" in request.form,
        )


_UNSOUND = Sentence("not what its manifest says")


def register(app: Flask, desk: Desk) -> None:
    """Add the routes."""
    own = _Clear(desk)
    app.add_url_rule("/case/<ref>/clear", "clear", own.page)
    app.add_url_rule("/case/<ref>/clear", "clear_write", own.write, methods=["POST"])
