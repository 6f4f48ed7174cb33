"""What a hostile operator, reporter or gateway may write, and what a screen makes of it."""

# ruff: noqa: PLR0913, PLR0917 - a test names the fixtures that it needs

from __future__ import annotations

import time
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from crypto.header import Kind
from crypto.ids import Day
from crypto.manifest import EntryBody, ReplyBody
from desk import names as desk_names
from desk import telling, words
from desk.alarms import Sign
from desk.cases import Cases
from desk.commands_of_list import print_rows
from desk.console import print_case
from desk.desk import Desk
from desk.export import export_case
from desk.names import Names
from desk.outbox import answer
from desk.progress import Silence
from desk.rules import RECEIVED, UNKNOWN, load
from desk.sync import synchronise
from tests.desk.world import JPEG, TODAY, Reporter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crypto.strict_json import Json
    from desk.cases import Case
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer
    from tests.desk.world import World

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

LONG = 200_000
SHAPES = {
    "dots": "a." * (LONG // 2),
    "schemes": "a:" * (LONG // 2),
    "slashes": "a://" * (LONG // 4),
    "www": "www." * (LONG // 4),
    "one word": "a" * LONG,
    "plus": "a+" * (LONG // 2),
    "dashes": "a-b" * (LONG // 3),
    "underscores": "ab_" * (LONG // 3) + "!",
    "digits": "1 " * (LONG // 2),
    "spaces": "http://" + " " * LONG,
    "link": "http://" + "a." * (LONG // 2),
    "overrides": "\u202e" * LONG,
}


def printed(print_it: Callable[..., None], *arguments: Any) -> str:
    console = Console(width=100, highlight=False)
    with console.capture() as capture:
        print_it(console, *arguments)
    return capture.get()


@pytest.mark.parametrize("shape", SHAPES)
def test_text_of_any_shape_costs_no_more_than_its_length(shape: str) -> None:
    text = SHAPES[shape]
    began = time.process_time()
    words.plain(words.defanged(text))
    list(words.answers({"description": text, "rows": [{"handle": text}]}))
    # What was quadratic took minutes.
    assert time.process_time() - began < 5


@pytest.mark.parametrize("shape", SHAPES)
def test_a_report_with_a_text_of_any_shape_is_shown_at_once_and_cut(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read, shape: str
) -> None:
    sync(*reporter.report(description=SHAPES[shape][:LONG]))
    began = time.process_time()
    shown = printed(print_case, desk, read())
    assert time.process_time() - began < 10
    assert "cut here" in " ".join(shown.split())
    assert len(shown) < 20 * words.CUT_AT


def test_a_message_and_a_removed_kind_are_cut_as_well(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read
) -> None:
    photo = reporter.evidence("p.jpg", "image/jpeg", JPEG, removed=("x" * 200,) * 2_000)
    sync(*reporter.report([photo]), *reporter.follow_up("b" * 150_000))
    shown = printed(print_case, desk, read())
    assert shown.count("b") < words.CUT_AT + 500
    assert shown.count("cut here") == 2


def test_answers_nested_without_end_are_shown_as_far_as_anybody_reads() -> None:
    nested: Json = "deep"
    for _ in range(100_000):
        nested = [nested]
    assert list(words.answers({"accounts": nested})) == [("Accounts", ("…",))]
    mapped: Json = "deep"
    for _ in range(20):
        mapped = {"x": mapped}
    (found,) = words.answers({"accounts": mapped})
    assert found[1][0].endswith("…")
    while isinstance(nested, list):  # taken apart by hand: freeing it would recurse as deep
        nested = nested[0]


@pytest.mark.claim("C-FORGED")
@pytest.mark.parametrize(
    ("state", "sign"),
    [
        ("A" * 150_000, Sign.ACT_MALFORMED), ("\u202eclosed", Sign.ACT_MALFORMED),
        ("Closed", Sign.STATE_UNKNOWN), ("A" * 150, Sign.STATE_UNKNOWN),
        ("", Sign.ACT_MALFORMED), (7, Sign.ACT_MALFORMED), (None, Sign.ACT_MALFORMED),
        (["closed"], Sign.ACT_MALFORMED),
    ],
)  # fmt: skip
def test_a_state_that_is_none_of_ours_is_unknown_shouted_and_never_repeated(  # the room
    desk: Desk, world: World, reporter: Reporter, sync: Synced, read: Read, state: Any, sign: Sign
) -> None:
    body = EntryBody(type="status", data={"state": state}).to_json()
    sync(*reporter.report(), world.by_operator(Kind.ENTRY, reporter.case, body))
    case = read()
    assert case.state == (UNKNOWN if sign == Sign.STATE_UNKNOWN else RECEIVED)
    assert {alarm.sign for alarm in case.alarms} == {sign}
    listed = printed(print_rows, desk, desk.index.rows())
    assert ("Unknown state" in listed) == (case.state == UNKNOWN)
    assert max(len(line) for line in listed.splitlines()) <= 100
    assert len(listed.splitlines()) <= 3
    shown = printed(print_case, desk, case)
    assert len(shown) < 5_000
    if isinstance(state, str) and state:
        assert state not in listed + shown


@pytest.mark.claim("C-FORGED")
def test_an_unknown_state_is_overtaken_by_one_that_is_known(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    report = reporter.report()
    odd = world.entry(reporter.case, "of_a_newer_desk", parents=[report[0].header.hash])
    sync(*report, odd, world.entry(reporter.case, "triage", parents=[odd.header.hash]))
    assert (read().state, read().state_conflict) == ("triage", ())


def test_the_list_keeps_its_columns_whatever_a_gateway_sealed(
    desk: Desk, reporter: Reporter, sync: Synced
) -> None:
    sync(*reporter.report(category="写\n\t" * 60))
    sync(*Reporter(reporter.world).report())
    listed = printed(print_rows, desk, desk.index.rows())
    assert max(len(line) for line in listed.splitlines()) <= 100
    assert len(listed.splitlines()) <= 6
    assert "Fraud or scam" in listed
    assert listed.count("Received") == 2
    assert listed.count("unanswered") == 2


def test_an_entry_of_a_long_kind_takes_one_line() -> None:
    assert len(telling.act("k" * 200_000, {}, load())) < 100
    assert "\n" not in telling.act("a\nb", {}, load())


def test_a_cell_is_one_short_line() -> None:
    assert words.cell("Fraud or scam") == "Fraud or scam"
    assert words.cell("a\n\u202eb\t c") == "a \\u202eb c"
    assert words.cell("x" * 33) == "x" * 31 + "…"
    assert words.cell(" " * 500 + "hidden") == "…"
    assert words.language("\u202e") == "\\u202e"


def test_what_is_invisible_is_dropped_and_what_arabic_needs_is_kept() -> None:
    hidden = "\u200b\u00ad\u2060\ufeff\u200e\u200f\u061c\u180e" + "".join(
        chr(0xE0000 + ord(one)) for one in "tag"
    )
    assert words.plain(f"a{hidden}b") == "ab"
    for needed in ("می\u200cخواهم", "لا\u200d", "\u06dd١٢", "\u0600١"):
        assert words.plain(needed) == needed
    for turning in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069":
        assert words.plain(turning) == f"\\u{ord(turning):04x}"
    assert words.plain("a\r\nb\rc") == "a\nb\\u000dc"


@given(st.text())
def test_no_text_at_all_keeps_an_invisible_character(text: str) -> None:
    left = {one for one in words.plain(text) if unicodedata.category(one) == "Cf"}
    assert left <= words._NEEDED


def test_links_are_found_wherever_they_stand_in_a_word() -> None:
    assert words.defanged("(https://a.example/x)see") == "(hxxps://a[.]example/x)see"
    assert words.defanged("x" * 50 + "://a.example") == "x" * 50 + "://a[.]example"
    assert words.defanged("awww.nothing.example") == "awww.nothing.example"


# --- days


@pytest.mark.claim("C-FORGED")
@pytest.mark.parametrize(
    ("days", "odd"), [(0, False), (1, False), (-1, False), (2, True), (-2, True)]
)
def test_an_answer_that_bears_another_day_than_its_envelope_is_shouted(
    world: World, reporter: Reporter, sync: Synced, read: Read, days: int, *, odd: bool
) -> None:
    body = ReplyBody(text="When?", author_day=Day(TODAY + days)).to_json()
    said = world.by_operator(Kind.REPLY, reporter.case, body, reply_key=reporter.reply_key)
    sync(*reporter.report(), said)
    assert [one.body.text for one in read().messages] == ["When?"]
    assert {alarm.sign for alarm in read().alarms} == ({Sign.REPLY_MISDATED} if odd else set())


@pytest.mark.claim("C-FORGED")
def test_an_answer_of_a_day_beyond_the_calendar_is_no_answer(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    body = f'{{"v":1,"text":"x","author_day":{2**53 - 1}}}'.encode()
    said = world.by_operator(Kind.REPLY, reporter.case, body, reply_key=reporter.reply_key)
    sync(*reporter.report(), said)
    assert read().messages == ()
    assert {alarm.sign for alarm in read().alarms} == {Sign.REPLY_FORGED}


def test_an_answer_that_waited_for_days_is_no_alarm_when_it_goes_out(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced
) -> None:
    sync(*reporter.report())
    server.answers["/v1/envelopes"] = (503, b"")
    answer(desk, Cases(desk).all()[0], "Late.")
    server.answers.clear()
    server.today = TODAY + 3
    later = Desk.open(desk.home, desk.keyring, today=lambda: Day(TODAY + 3))
    assert synchronise(later, Silence()).posted == 1
    (case,) = Cases(later).all()
    assert case.alarms == ()
    assert [one.node.day for one in case.messages] == [TODAY + 3]


# --- exports


def test_a_file_called_as_another_ones_quarantine_stops_no_export(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read, tmp_path: Path
) -> None:
    first = reporter.evidence("a.unproven", "image/jpeg", JPEG)
    second = reporter.evidence("a", "image/jpeg", JPEG + b"2")
    third = reporter.evidence("a.jpg", "image/jpeg", JPEG + b"3", sha256=bytes(32))
    sync(*reporter.report([first, second, third]))
    done = export_case(desk, read(), tmp_path / "out")
    assert done.files == ("evidence/a.jpg", "evidence/a-2.jpg")
    assert done.left_out == (third.id.hex(),)
    assert sorted(one.name for one in (tmp_path / "out/evidence").iterdir()) == ["a-2.jpg", "a.jpg"]


def test_two_files_of_which_one_is_named_as_the_others_quarantine_are_both_written(
    desk: Desk,
    reporter: Reporter,
    sync: Synced,
    read: Read,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # An end that is allowed: nothing but the random name keeps the two apart.
    monkeypatch.setitem(desk_names._ENDS, "image/jpeg", "")
    monkeypatch.setitem(desk_names._ENDS, "image/png", ".unproven")
    first = reporter.evidence("a", "image/png", JPEG)
    second = reporter.evidence("a", "image/jpeg", JPEG + b"2")
    sync(*reporter.report([first, second]))
    done = export_case(desk, read(), tmp_path / "out")
    assert done.files == ("evidence/a.unproven", "evidence/a")


@pytest.mark.parametrize(
    ("name", "media_type", "given"),
    [
        ("photo-1.jpg", "image/jpeg", "photo-1.jpg"),
        ("photo-1.exe", "image/jpeg", "photo-1.jpg"),
        ("photo-1", "video/mp4", "photo-1.mp4"),
        ("x.html", "text/html", "file-4.bin"),
        ("x.lnk", "application/x-ms-shortcut", "file-4.bin"),
        ("x.svg", "image/svg+xml", "file-4.bin"),
        ("x.html", "IMAGE/JPEG", "file-4.bin"),
        ("CON", "image/jpeg", "file-4.jpg"),
        ("con.jpg", "image/jpeg", "file-4.jpg"),
        ("Lpt1.png", "image/png", "file-4.png"),
        ("aux", "text/html", "file-4.bin"),
        ("../x", "image/png", "file-4.png"),
    ],
)
def test_the_end_of_a_name_follows_from_what_the_file_is(
    name: str, media_type: str, given: str
) -> None:
    assert Names().of(name, media_type, 4, 0) == given
    assert Names().of(name, media_type, 4, 2) == f"message-2-{given}"
