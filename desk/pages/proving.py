"""The page that proves every signature, name and digest of all cases, or of one.

Rule: proving takes as long as the cases are many and their files large, so it is a job
(desk.pages.background); what it says is what `amana-desk verify` says, from the same engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from flask import redirect, render_template, request, url_for

from desk.cases import Cases
from desk.errors import WorkRefused
from desk.pages.background import Job
from desk.proving import Proven, prove
from desk.sentence import Sentence, reason

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.wrappers import Response as BaseResponse

    from desk.desk import Desk
    from desk.pages.background import Background

KIND = "verify"
SHOWN, EACH = 200, 20
"""Cases with alarms on the page, and alarms of each; the case's own page has all of its own."""


class Shared(Protocol):
    """What this needs of the pages."""

    desk: Desk
    background: Background


@dataclass(slots=True)
class Proving:
    """The page's routes."""

    pages: Shared

    def page(self, problem: str = "") -> str:
        """What was proven last, as long as it is remembered, and the button that proves anew."""
        background = self.pages.background
        job = background.of(KIND)
        done = job.result if job is not None and isinstance(job.result, Proven) else None
        return render_template(
            "verify.html",
            job=job,
            done=done,
            odd=done.odd[:SHOWN] if done else (),
            more=max(0, len(done.odd) - SHOWN) if done else 0,
            each=EACH,
            problem=problem,
            busy=background.job is not None and background.job.is_running,
        )

    def begin(self) -> BaseResponse | tuple[str, int]:
        """Prove all cases, or the one that the form names."""
        desk, ref = self.pages.desk, request.form.get("case", "")
        case = Cases(desk).find(ref) if ref else None
        about = case.id.hex() if case else ""
        title = (
            Sentence("Proving case {ref}", ref=case.ref) if case else Sentence("Proving all cases")
        )
        job = Job(KIND, title, url_for("verify"), about)
        try:
            self.pages.background.begin(job, lambda doing: prove(desk, doing, about))
        except WorkRefused as refused:
            return self.page(reason(refused)), 422
        return redirect(url_for("work"), 303)


def register(app: Flask, pages: Shared) -> None:
    """Add the page and its form."""
    proving = Proving(pages)
    app.add_url_rule("/verify", "verify", proving.page)
    app.add_url_rule("/verify", "begin_verify", proving.begin, methods=["POST"])
