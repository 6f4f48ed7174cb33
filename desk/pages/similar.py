"""The part of a case's page that names the cases which resemble it, and why.

Rule: what would hold the page up, reading hundreds of cases anew or looking at pictures, is asked
for by a button, and done as a job (desk.pages.background); the page then shows what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from flask import abort, redirect, request, url_for
from markupsafe import Markup

from desk import words
from desk.cases import REF_DIGITS, Cases
from desk.errors import WorkRefused
from desk.pages.background import Job
from desk.pages.choosing import spoken
from desk.pages.markup import isolated
from desk.sentence import Sentence, reason
from desk.similar_cases import SimilarCases, told

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.wrappers import Response as BaseResponse

    from desk.cases import Case
    from desk.desk import Desk
    from desk.pages.background import Background
    from desk.progress import Progress
    from desk.similar import Reason, Similar

SHOWN = 10
REASONS_SHOWN = 6
REASON_CHARACTERS = 160
COMPARE, PICTURES = "compare", "pictures"
ANCHOR = "h-similar"
"""Where in the case's page what was found stands."""


class Row(NamedTuple):
    """One case that resembles: its id and reference, what links the two, the reasons in words."""

    case: str
    ref: str
    link: str
    reasons: tuple[Markup, ...]
    more: int


class Part(NamedTuple):
    """What the part shows.

    `rows` are None where these cases are not compared yet, which takes a while.  `looked` is how
    many pictures the last job looked at, where it was about this case; `problem` why it ended.
    """

    rows: tuple[Row, ...] | None = ()
    has_new_pictures: bool = False
    is_running: bool = False
    looked: int | None = None
    problem: str = ""


class Shared(Protocol):
    """What this needs of the pages."""

    desk: Desk
    background: Background

    def refused(self, case: Case, kind: str, why: str) -> tuple[str, int]:
        """The case's page, with the reason why something was refused."""
        ...


@dataclass(slots=True)
class SimilarPart:
    """The part of the case's page, and the form that begins what takes a while."""

    pages: Shared
    cases: SimilarCases = field(init=False)

    def __post_init__(self) -> None:
        self.cases = SimilarCases(self.pages.desk)

    def of(self, case: Case) -> Part:
        """What resembles a case, as far as that can be said at once."""
        job = self.pages.background.of(COMPARE, PICTURES)
        is_running = job is not None and job.is_running
        if job is not None and is_running and job.kind == COMPARE:
            return Part(rows=None, is_running=True)
        mine = job is not None and job.about == case.id.hex()
        problem = job.problem if job is not None and mine else ""
        if not case.readable:
            return Part(problem=problem)
        found = self.cases.quickly(case, most=SHOWN)
        if found is None:
            return Part(None, is_running=is_running, problem=problem)
        looked = job.result if job is not None and mine and job.kind == PICTURES else None
        return Part(
            rows=tuple(_row(one) for one in found),
            has_new_pictures=not is_running and self.cases.has_new_pictures(),
            is_running=is_running,
            looked=looked if isinstance(looked, int) else None,
            problem=problem,
        )

    def begin(self, ref: str) -> BaseResponse | tuple[str, int]:
        """Compare all cases, or look at the pictures that are new, beside the requests."""
        case, kind = Cases(self.pages.desk).find(ref), request.form.get("what", "")
        about = case.id.hex()
        titles = {
            COMPARE: Sentence("Comparing the cases"),
            PICTURES: Sentence("Looking at pictures that are new"),
        }
        if kind not in titles:
            abort(400)

        def work(doing: Progress) -> int:
            looked = self.cases.look(doing) if kind == PICTURES else 0
            self.cases.to(case, most=SHOWN, progress=doing)
            return looked

        where = url_for("case", ref=about, _anchor=ANCHOR)
        try:
            self.pages.background.begin(Job(kind, titles[kind], where, about), work)
        except WorkRefused as refused:
            return self.pages.refused(case, kind, reason(refused))
        return redirect(url_for("work"), 303)


def register(app: Flask, pages: Shared) -> SimilarPart:
    """Give the case's page `similar_to`, and add its form."""
    part = SimilarPart(pages)
    app.jinja_env.globals["similar_to"] = part.of
    app.add_url_rule("/case/<ref>/similar", "begin_similar", part.begin, methods=["POST"])
    return part


def _told(reason: Reason) -> Markup:
    """A reason in the page's language; what two cases have in common is a stranger's, and short."""
    said = told(reason)
    value = isolated(words.cell(str(said.facts["value"]), REASON_CHARACTERS))
    return spoken()(said.pattern, value=Markup("<bdi>{}</bdi>").format(value))


def _row(one: Similar) -> Row:
    digits = one.case.hex()
    return Row(
        case=digits,
        ref=f"{digits[:4]}-{digits[4:REF_DIGITS]}",
        link=one.link,
        reasons=tuple(_told(reason) for reason in one.reasons[:REASONS_SHOWN]),
        more=max(0, len(one.reasons) - REASONS_SHOWN),
    )
