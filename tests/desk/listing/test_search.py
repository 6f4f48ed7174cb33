"""What a search finds, whatever the spelling, and what it refuses."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.ids import CaseId, Day
from desk.acts import STATUS
from desk.alarms import Alarm, Sign
from desk.clocks import Due
from desk.errors import SearchRefused
from desk.row import Act
from desk.rules import load
from desk.search import QUERY_MOST, TERMS_MOST, Here, is_unchecked, understood
from desk.text_folding import digits_of, folded, searchable
from tests.desk.listing.rows import a_row
from tests.desk.world import TODAY

if TYPE_CHECKING:
    from desk.row import Row

RULES = load()
HERE = Here(RULES, "operator 1", TODAY)


def finds(query: str, *rows: Row) -> list[bool]:
    chosen = understood(query, HERE).chosen(rows)
    return [one in chosen for one in rows]


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("ÉCOLE Mohammed", "ecole mohammed"),
        ("Ｆｕｌｌ ｗｉｄｔｈ", "full width"),
        ("straße ŒUVRE Łódź", "STRASSE oeuvre lodz"),
        ("الرِّسَالَة", "الرسالة"),
        ("رسالة", "رساله"),
        ("أحمد وإدريس وآدم ٱلكتاب", "احمد وادريس وادم الكتاب"),
        ("على", "علي"),
        ("مسؤول شاطئ", "مسوول شاطي"),
        ("مـــال", "مال"),
        ("یک", "يك"),
        ("أگادير", "اكادير"),
        ("أڭادير", "اكادير"),
        ("ڤيديو", "فيديو"),
        ("٠٦١٢٣٤٥٦٧٨", "0612345678"),
        ("۰۶۱۲", "0612"),
        ("06 12-34.56 78", "0612345678"),
        ("+212 (0) 612 345 678", "2120612345678"),
        ("0612345678", "06 12 34 56 78"),
        ("ⵜⴰⵎⴰⵣⵉⵖⵜ", "ⵝⴰⵎⴰⵤⵉⵗⵜ"),
        ("la\u200bbel\u00adle", "labelle"),
        ("one\u00a0two\nthree", "one two three"),
        ("one\u2800two", "one two"),
        ("O\u3164m\uffa0a\u115fr\u2065\ufff0\U000e0fff", "omar"),
        ("ﷲ", "الله"),
        ("l\u2019argent", "l'argent"),
        ("caf\u0065\u0301", "CAFÉ"),
    ],
)
def test_a_word_is_found_however_it_is_spelt(written: str, typed: str) -> None:
    row = a_row(folded=searchable([written]))
    assert finds(f'"{typed}"', row) == [True]
    assert finds(f'-"{typed}"', row) == [False]


@pytest.mark.parametrize(("one", "other"), [("كلب", "قلب"), ("ⵣ", "ⵥ"), ("قال", "فال")])
def test_letters_that_are_different_stay_different(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@given(st.text(max_size=60))
def test_folding_twice_folds_no_further(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(st.text(max_size=40), st.text(max_size=10), st.text(max_size=40))
def test_what_stands_in_a_text_is_found_in_it(before: str, word: str, after: str) -> None:
    assert folded(word) in folded(f"{before} {word} {after}")


def test_a_number_is_told_from_what_only_holds_one() -> None:
    assert digits_of("06 12 34 56 78") == "0612345678"
    assert digits_of("call 0612345678") == digits_of("12345") == ""


def test_folding_takes_time_in_proportion() -> None:
    begun = time.process_time()
    searchable(["1 " * 50_000 + "-" * 50_000, "12 --" * 20_000, "\u0651" * 100_000])
    assert time.process_time() - begun < 2


def test_a_text_of_nothing_but_numbers_holds_nobody_up() -> None:
    numbers = [f"{one:06}" for one in range(100_000, 122_000)]
    begun = time.process_time()
    told = searchable([",".join(f"{one[:2]} {one[2:4]} {one[4:]}" for one in numbers)])
    assert time.process_time() - begun < 2
    # What each is without its spaces; and what was written without them is not said twice.
    assert told.split("\n")[1:] == numbers
    assert searchable(["0612345678 +212612345678"]) == "0612345678 +212612345678"


def test_all_words_must_occur_and_phrases_in_order() -> None:
    row = a_row(folded=searchable(["They took my money", "in Casablanca"]))
    assert finds("money casablanca", row) == [True]
    assert finds("money rabat", row) == [False]
    assert finds('"took my"', row) == [True]
    assert finds('"my took"', row) == [False]
    # A phrase does not reach from one text into the next.
    assert finds('"money in"', row) == [False]
    assert finds("money -rabat", row) == [True]
    assert finds("“took my”", row) == finds("«took my»", row) == [True]
    assert finds('"took my', row) == [True]


def test_what_is_no_filter_is_a_word() -> None:
    row = a_row(folded=searchable(["see https://evil.example/x at 12:30, mine: state: - yes"]))
    for typed in ("https://evil.example", "12:30", "mine:", "state:", '"mine"', "-", '""', ""):
        assert finds(typed, row) == [True], typed


CLOSED = a_row(state="closed")
DUE = Due(RULES.clocks["first_look"], Day(TODAY - 1), TODAY, None)
FULL = a_row(
    id=CaseId(bytes.fromhex("1a2b3c4d" + "00" * 12)),
    day=Day(TODAY - 1),
    state="triage",
    assigned="Operator 1",
    tags=("daesh",),
    danger=True,
    withdrawn=True,
    alarms=(Alarm(Sign.MISSING),),
    state_conflict=("triage", "closed"),
    file_ids=("00" * 16,),
    identity_mode="full_identity",
    is_anonymous=False,
    priority="P1",
    due=DUE,
    language="ar",
    category="terrorism",
)
MINE = a_row(assigned="operator 1", unanswered=False)
LOCKED = a_row(readable=False, identity_mode="", language="")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", (1, 1, 1, 1)),
        ("mine", (0, 0, 1, 0)),
        ("-mine", (1, 1, 0, 1)),
        ("is:mine", (0, 0, 1, 0)),
        ("IS:mine", (0, 0, 1, 0)),
        ("is:unassigned", (1, 0, 0, 1)),
        ("is:open", (0, 1, 1, 1)),
        ("is:closed", (1, 0, 0, 0)),
        ("is:closed,danger", (1, 1, 0, 0)),
        ("is:danger", (0, 1, 0, 0)),
        ("is:urgent", (0, 1, 0, 0)),
        ("is:unanswered", (1, 1, 0, 0)),
        ("is:withdrawn", (0, 1, 0, 0)),
        ("is:anonymous", (1, 0, 1, 0)),
        ("is:unchecked", (0, 0, 1, 0)),
        ("is:alarmed", (0, 1, 0, 0)),
        ("is:conflict", (0, 1, 0, 0)),
        ("is:files", (0, 1, 0, 0)),
        ("is:unreadable", (0, 0, 0, 1)),
        ("due:today", (0, 1, 0, 0)),
        ("due:overdue", (0, 0, 0, 0)),
        ("due:week", (0, 1, 0, 0)),
        ("due:none,today", (1, 1, 1, 1)),
        ("state:triage", (0, 1, 0, 0)),
        ("state:closed,triage", (1, 1, 0, 0)),
        ('state:"أُغلق"', (1, 0, 0, 0)),
        ('state:"Ready to transmit"', (0, 0, 0, 0)),
        ("priority:p1", (0, 1, 0, 0)),
        ("priority:immediat", (0, 1, 0, 0)),
        ("tag:Daech", (0, 1, 0, 0)),
        ("-tag:daesh", (1, 0, 1, 1)),
        ("category:terrorism", (0, 1, 0, 0)),
        ('category:"fraud or scam"', (1, 0, 1, 1)),
        ("category:nothing", (0, 0, 0, 0)),
        ("assigned:OPERATOR", (0, 0, 0, 0)),
        ('assigned:"operator 1"', (0, 1, 1, 0)),
        ("who:name,contact", (0, 1, 0, 0)),
        ("language:ar", (0, 1, 0, 0)),
        ("ref:1a2b-3c", (0, 1, 0, 0)),
        ("day:2026-11-21", (0, 1, 0, 0)),
        ("day:2026-11", (1, 1, 1, 1)),
        ("day:2026-11-22..", (1, 0, 1, 1)),
        ("day:2026-10..2026-11-21", (0, 1, 0, 0)),
    ],
)
def test_filters(query: str, expected: tuple[int, ...]) -> None:
    assert finds(query, CLOSED, FULL, MINE, LOCKED) == [bool(one) for one in expected]


@pytest.mark.parametrize(
    ("query", "known"),
    [
        ("state:nowhere", "received, triage"),
        ('state:""', "received"),
        ("state:triage,", "received"),
        ("priority:P9", "P1, P2"),
        ("tag:x", "daesh"),
        ("is:tall", "mine, unassigned"),
        ("due:yesterday", "today, overdue"),
        ("who:me", "anonymous, contact, name"),
        ("day:x", "day:2026-11"),
        ("day:2024-Q9", "day:2026-11"),
        ("day:2026-1", "day:2026-11"),
        ("day:2026-11-22..soon", "day:2026-11"),
        ("day:..", "day:2026-11"),
        ("day:٢٠٢٦", "day:2026-11"),
        ("x" * (QUERY_MOST + 1), "500 characters"),
        ("a " * (TERMS_MOST + 1), "40 words"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_filter_that_is_not_known_says_what_is(query: str, known: str) -> None:
    with pytest.raises(SearchRefused, match=known):
        understood(query, HERE)


def test_a_case_that_one_desk_closed_and_another_did_not_stays_open() -> None:
    torn = a_row(state="closed", state_conflict=("triage", "closed"), danger=True)
    both = a_row(state="closed", state_conflict=("out_of_scope", "duplicate"))
    assert finds("is:open is:urgent", torn, both) == [True, False]
    assert finds("is:closed", torn, both) == [False, True]


def test_an_operator_whom_the_roster_does_not_name_has_no_cases() -> None:
    nobody = Here(RULES, "", TODAY)
    assert understood("mine", nobody).chosen([a_row(assigned="")]) == []


@pytest.mark.parametrize(
    ("states", "unchecked"),
    [
        ((), True),
        (("triage",), True),
        (("seriousness_check",), True),
        (("seriousness_check", "ready"), False),
        (("imminent", "transmitted"), False),
        (("closed",), False),
        (("from_a_newer_desk",), True),
    ],
)
def test_an_anonymous_report_is_to_be_checked_until_it_was(
    states: tuple[str, ...], unchecked: bool  # noqa: FBT001  # pytest's way
) -> None:  # fmt: skip
    row = a_row(
        state=states[-1] if states else "received",
        acts=tuple(Act(STATUS, TODAY, "operator 2", {"state": one}) for one in states),
    )
    assert is_unchecked(row, RULES) is unchecked
