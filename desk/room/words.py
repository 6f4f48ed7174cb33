"""The room's words: headings, rows, and how a number reads.  Ids stay, words may change.

Rule: a row's words are ours, or the institution's from its rules; nobody else's are ever shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from desk import words
from desk.room.tables import Median, Ratio, Share
from desk.sentence import Sentence, Several

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from desk.room.tables import Cell
    from desk.rules import Rules, Thing

TITLES = {
    "overview": "At a glance",
    "nature": "Technology crime and terrorism",
    "categories": "Technology crime, by kind",
    "choices": "What reporters chose, and what operators confirmed",
    "tags": "Marks",
    "identity": "Who reports",
    "origin": "From where",
    "regions": "From abroad, by region",
    "languages": "Languages",
    "priorities": "Priorities",
    "losses": "Money that reporters say they lost",
    "clocks": "Clocks",
    "backlog": "Waiting for this desk, by age",
    "states": "Where the period’s reports stand",
    "transmitted": "Transmitted, by service",
    "closed": "Closed, by reason",
    "outcomes": "Outcomes",
    "series": "Reports over time",
}

NOTES = {
    "overview": "A report counts on the day it came, an event on the day it happened. Shares are "
    "of the period’s reports unless they say otherwise.",
    "nature": "Terrorism is counted apart; every other category is technology crime.",
    "categories": "The category that an operator confirmed, or else the reporter’s own choice. "
    "Shares are of technology crime.",
    "choices": "Chosen: by the reporter. Counted: in these figures. Confirmed: by an operator. "
    "Moved: chosen so, and confirmed as something else.",
    "tags": "The institution’s own marks. A case can bear several.",
    "identity": "The most that was given, with the report or later.",
    "origin": "By the reporter’s own word: Amana does not look where anybody is.",
    "regions": "By the reporter’s own word. Shares are of those who write from abroad.",
    "languages": "The language in which the form was filled in.",
    "priorities": "As they are now.",
    "losses": "As reporters typed it; nobody has checked it. Attempts are left out.",
    "clocks": "Clocks that began in the period, as they stand today. Kept is a share of those "
    "that were kept, late or overdue.",
    "backlog": "Cases that are neither with a service nor ended, at the end of the period.",
    "states": "At the end of the period.",
    "transmitted": "Cases that were transmitted in the period.",
    "closed": "Cases that were closed in the period.",
    "outcomes": "Events of the period. One person in several cases is one person.",
    "series": "By day; of a long period by week, from its Monday; of a longer one by month.",
}

COLUMNS = {
    "figure": "Figure", "reports": "Reports", "cases": "Cases", "persons": "Persons",
    "chosen": "Chosen", "counted": "Counted", "confirmed": "Confirmed", "moved": "Moved",
    "of_terrorism": "Of terrorism", "of_all": "Of all reports", "sum": "Sum", "median": "Median",
    "kept": "Kept", "late": "Late", "overdue": "Overdue", "running": "Running",
    "technology": "Technology crime", "terrorism": "Terrorism",
}  # fmt: skip

ROWS = {
    "received": "Reports",
    "per_day": "Reports a day",
    "technology": "Technology crime",
    "terrorism": "Terrorism and radicalisation",
    "full_identity": "By full identity",
    "contact_only": "With a contact alone",
    "anonymous": "Anonymous",
    "not_by_name": "Anonymous or with a contact alone",
    "abroad": "From abroad",
    "in_country": "From this country",
    "not_said": "Not said",
    "urgent": "Of the first priority",
    "duplicates": "Repeat another report",
    "withdrawn": "Withdrawn by the reporter",
    "looked_at": "Looked at",
    "first_look": "Days to the first look (median)",
    "answered_questions": "Questions that the reporter answered",
    "backlog": "Waiting for this desk",
    "backlog_age": "Days that they have waited (median)",
    "transmitted": "Transmitted to a service",
    "returned": "Of these, came back",
    "identified": "Suspects identified",
    "presented": "Brought before justice",
    "notices_issued": "Wanted notices issued",
    "wanted": "Of these, in force",
    "investigated": "Identified and still investigated",
    "yield": "Reports for each suspect identified",
    "europe": "Europe",
    "asia": "Asia",
    "middle_east": "Middle East",
    "north_africa": "North Africa",
    "sub_saharan_africa": "Sub-Saharan Africa",
    "americas": "The Americas",
    "oceania": "Oceania",
    "0_1": "1 day or less",
    "2_7": "2 to 7 days",
    "8_30": "8 to 30 days",
    "31_90": "31 to 90 days",
    "91_more": "91 days or more",
    "other": "Other",
    "unknown": "Unknown state",
    "ar": "Arabic", "fr": "French", "en": "English", "zgh": "Amazigh",
}  # fmt: skip

PERIODS = {
    "today": "Today",
    "week": "This week",
    "month": "This month",
    "quarter": "This quarter",
    "year": "This year",
}

WALL = {
    "today": "Reports today",
    "week": "Reports this week",
    "oldest": "Days that half of them have waited",
    "overdue": "Clocks that ran out",
    "trend": "Reports of the last thirty days",
    "wanted": "Wanted notices in force",
}

PUBLIC_TITLES = {
    "reports": "Reports",
    "nature": "Technology crime and terrorism",
    "categories": "Technology crime, by kind",
    "identity": "Who reports",
    "origin": "From where, by the reporter’s own word",
    "regions": "From abroad, by region",
    "languages": "Languages",
    "months": "By month",
    "repeats": "Reports that repeat another",
    "sent": "Transmitted to a service",
    "returned": "Of the transmitted",
    "suspects": "Suspects",
    "persons": "Of the suspects identified, at the end of the period",
}
PUBLIC_ROWS = {
    "fraud": "Fraud and scams",
    "sextortion": "Sexual blackmail",
    "defamation": "Defamation and insult",
    "threats": "Threats, violence and harassment",
    "incitement": "Incitement and other kinds",
    "anonymous": "Anonymous",
    "elsewhere": "Elsewhere",
    "en": "English or another",
    "first": "Not known to repeat another",
    "repeated": "Repeat another",
    "kept": "Taken on",
    "returned": "Came back: another service is competent",
    "investigated": "Still investigated",
    "wanted": "Wanted",
    "marked": "Marked so",
    "unmarked": "Not marked so",
}


def row(table: str, name: str, rules: Rules) -> str:
    """What a row is called."""
    known: Mapping[str, Mapping[str, Thing]] = {
        "clocks": rules.clocks, "tags": rules.tags, "outcomes": rules.outcomes,
        "states": rules.states, "priorities": rules.priorities, "transmitted": rules.services,
        "closed": rules.reasons,
    }  # fmt: skip
    thing = known.get(table, {}).get(name)
    if table == "priorities" and thing:
        return Sentence("{name}: {said}", name=name, said=thing.said())
    if table == "clocks" and rules.clocks[name].priorities:
        clock = rules.clocks[name]
        priorities = Several(", ", clock.priorities)
        return Sentence("{clock} ({priorities})", clock=clock.said(), priorities=priorities)
    if thing:
        return thing.said()
    if table in ("categories", "choices"):
        return words.label(name)
    return Sentence(ROWS[name]) if name in ROWS else name


def number(value: Decimal | int | None) -> str:
    """`7,083`, `58.1`; a dash where there is none."""
    if value is None:
        return "–"
    whole = isinstance(value, int) or value == value.to_integral_value()
    return f"{int(value):,}" if whole else f"{value:,}"


def percent(value: Decimal | None) -> str:
    """`58.1 %`, always with its decimal, on one line; a dash where there is none."""
    return "–" if value is None else f"{value:,.1f}\N{NO-BREAK SPACE}%"


class Shown(NamedTuple):
    """A figure, and what it was computed from."""

    head: str
    rest: str


def parts(cell: Cell) -> Shown:
    """A cell in its two parts: `4,117` and `of 7,083 (58.1 %)`."""
    if isinstance(cell, Share):
        return Shown(number(cell.count), f"of {number(cell.of)} ({percent(cell.percent)})")
    if isinstance(cell, Ratio):
        return Shown(number(cell.value), f"({number(cell.count)} / {number(cell.of)})")
    if isinstance(cell, Median):
        return Shown(number(cell.value), f"(of {number(cell.count)})")
    return Shown(number(cell), "")


def shown(cell: Cell) -> str:
    """A cell on one line, with all that it was computed from."""
    return " ".join(filter(None, parts(cell)))


def unreadable(count: int) -> str:
    """What is left out, where something is."""
    if count == 1:
        return Sentence(
            "{number} case of the period was not sealed to this desk, and stand in no figure.",
            number=number(count),
        )
    return Sentence(
        "{number} cases of the period were not sealed to this desk, and stand in no figure.",
        number=number(count),
    )


def public_title(table: str, rules: Rules) -> str:
    """The heading of a table of the bulletin; a mark's is the institution's own word for it."""
    if table in PUBLIC_TITLES:
        return Sentence(PUBLIC_TITLES[table])
    name = Sentence(ROWS["terrorism"])
    return Sentence("{name}: {said}", name=name, said=rules.tags[table.removeprefix("tag_")].said())


def public_row(name: str) -> str:
    """A row of the bulletin; one that is a month stays as it is written."""
    known = PUBLIC_ROWS.get(name) or ROWS.get(name, "")
    return Sentence(known) if known else name


def written(kept_back: int) -> str:
    """What a new bulletin keeps back."""
    return f"Written and signed. {_kept_back(kept_back)}"


def would_keep_back(kept_back: int) -> str:
    """What one that is only looked at would keep back."""
    return f"Nothing was written. {_kept_back(kept_back)}"


def _kept_back(count: int) -> str:
    return f"{number(count)} {'count is' if count == 1 else 'counts are'} kept back."


def proven(days: str, signer: str) -> str:
    """That a bulletin holds."""
    return f"The bulletin of {days} holds: every file is as {words.cell(signer)} signed it."
