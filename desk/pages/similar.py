"""The part of a case's page that names the cases which resemble it, and why.

Rule: a page that would have to read hundreds of cases anew asks first whether it may.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from flask import request
from markupsafe import Markup

from desk import words
from desk.cases import REF_DIGITS
from desk.pages.choosing import spoken
from desk.pages.markup import isolated
from desk.similar_cases import SimilarCases, told

if TYPE_CHECKING:
    from flask import Flask

    from desk.cases import Case
    from desk.desk import Desk
    from desk.similar import Reason, Similar

SHOWN = 10
REASONS_SHOWN = 6
REASON_CHARACTERS = 160
ASKED = "compare"


class Row(NamedTuple):
    """One case that resembles: its id and reference, what links the two, the reasons in words."""

    case: str
    ref: str
    link: str
    reasons: tuple[Markup, ...]
    more: int


def register(app: Flask, desk: Desk) -> None:
    """Give the case's page `similar_to`."""
    cases = SimilarCases(desk)

    def similar_to(case: Case) -> list[Row] | None:
        """The rows; or None where nobody has compared these cases yet, which takes a while."""
        if request.args.get(ASKED) is None:
            found = cases.quickly(case, most=SHOWN)
        else:
            found = cases.to(case, most=SHOWN)
        return None if found is None else [_row(one) for one in found]

    app.jinja_env.globals["similar_to"] = similar_to


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
