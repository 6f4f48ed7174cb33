"""The desk's own pages: who works here, and what syncs shouted about.

Rule: what is cleared is what was shown: the form bears the keys of the alarms on its page, and one
that came in between stays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from flask import redirect, render_template, request, url_for

from desk.about import about
from desk.sentence import Counted, Sentence

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.wrappers import Response as BaseResponse

    from desk.desk import Desk
    from desk.unfinished import Rest

PAGE = 500
"""Alarms on one page: their keys still fit into its form."""


class Shared(Protocol):
    """What this needs of the pages: the desk, and one notice to show next."""

    desk: Desk

    def say(self, notice: str) -> None:
        """Say it on the page that follows."""
        ...

    def take_notice(self) -> str:
        """The notice, which is then gone."""
        ...


@dataclass(slots=True)
class _Home:
    """The routes, and what was found unfinished while the pages are open."""

    pages: Shared
    rests: dict[str, Rest] = field(default_factory=dict)

    def desk(self) -> str:
        """Who works here."""
        told = about(self.pages.desk)
        # What was removed is told once by the ledger, and here for as long as the pages are open.
        self.rests |= {one.place: one for one in told.unfinished}
        return render_template("home.html", about=told, rests=list(self.rests.values()))

    def alarms(self) -> str:
        """What syncs shouted about."""
        return self._alarms()

    def clear(self) -> BaseResponse | tuple[str, int]:
        """Forget one alarm, or those that the page showed."""
        chosen = request.form.get("one", "")
        if not chosen and not request.form.get("read"):
            why = Sentence("Say that they were read and seen to. Nothing was cleared.")
            return self._alarms(why), 422
        keys = {chosen} if chosen else set(request.form.get("shown", "").split())
        store = self.pages.desk.store
        gone = store.quieten(*(one for one in store.alarms() if one.key in keys))
        self.pages.say(
            Sentence("Cleared: {alarms}.", alarms=Counted(gone, "alarm"))
            if gone
            else Sentence("That was gone already. Nothing was cleared.")
        )
        return redirect(url_for("alarms"), 303)

    def _alarms(self, problem: str = "") -> str:
        store = self.pages.desk.store
        found = sorted(store.alarms())
        return render_template(
            "alarms.html",
            alarms=found[:PAGE],
            total=len(found),
            known={case.hex() for case in store.cases()},
            problem=problem,
            notice=self.pages.take_notice(),
        )


def register(app: Flask, pages: Shared) -> None:
    """Add the routes."""
    ours = _Home(pages)
    app.add_url_rule("/desk", "home", ours.desk)
    app.add_url_rule("/alarms", "alarms", ours.alarms)
    app.add_url_rule("/alarms/clear", "clear_alarms", ours.clear, methods=["POST"])
