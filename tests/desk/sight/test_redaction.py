"""Copies with something blacked out: nothing is under it, nothing else is changed."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.header import Kind
from crypto.ids import Day
from crypto.manifest import EntryBody
from desk import acts
from desk.cases import Cases
from desk.errors import ActRefused, NothingToSee, RedactionRefused
from desk.evidence import open_evidence, views
from desk.export import export_case
from desk.outbox import CONTENT_MOST, append
from desk.sending import send_waiting
from desk.sight import redaction, shown
from desk.sight.closing import close
from desk.sight.redaction import BLOCKS, blacked_out, parse_box, places_of, redact, redact_answer
from desk.summary import case_json
from desk.text_folding import folded, places
from sanitizer.errors import Malformed
from sanitizer.sight.boxes import Box
from tests.desk.sight import kit
from tests.desk.world import TODAY, of_kind
from tests.sanitizer.jailed import needs_seccomp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desk.cases import Case
    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer
    from tests.desk.world import Reporter, World

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

pytestmark = needs_seccomp
BOXES = [Box(40, 30, 50, 40)]
WORDS = "Samira Alaoui took my money, said samira."


@pytest.fixture
def photo(reporter: Reporter, sync: Synced) -> str:
    row = reporter.evidence("photo-1.png", "image/png", kit.picture("PNG", (400, 300)))
    sync(*reporter.report([row], description=WORDS))
    return row.id.hex()


def copy_of(desk: Desk, case: Case) -> bytes:
    (made,) = [one for one in views(desk, case) if one.is_copy]
    return b"".join(open_evidence(desk, case, made.id).whole())


@pytest.mark.claim("C-REDACTED")
def test_a_copy_is_black_in_its_boxes_and_the_same_everywhere_else(
    desk: Desk, photo: str, read: Read
) -> None:
    before = kit.opened(shown.picture(desk, read(), photo).content)
    assert redact(desk, read(), photo, BOXES)
    content = copy_of(desk, read())
    after = kit.opened(content)
    assert after.size == before.size
    for y in range(300):
        for x in range(400):
            inside = 38 <= x < 92 and 28 <= y < 72
            assert after.getpixel((x, y)) == ((0, 0, 0) if inside else before.getpixel((x, y)))
    assert sorted({content[at + 4 : at + 8] for at in _chunks(content)}) == [
        b"IDAT", b"IEND", b"IHDR",
    ]  # fmt: skip


def _chunks(png: bytes) -> list[int]:
    at, found = 8, []
    while at < len(png):
        found.append(at)
        at += 12 + int.from_bytes(png[at : at + 4])
    return found


@pytest.mark.claim("C-REDACTED")
def test_the_copy_is_a_new_item_and_the_original_stays(
    desk: Desk, photo: str, read: Read, tmp_path: Path
) -> None:
    redact(desk, read(), photo, BOXES)
    original, copy = views(desk, read())
    assert (original.id, original.problem) == (photo, "")
    assert (copy.copy_of, copy.is_copy, copy.problem) == (photo, True, "")
    assert copy.to_json()["copy_of"] == photo
    (entry,) = read().work.of(acts.REDACTION)
    assert entry.body.data["boxes"] == [[40, 30, 50, 40]]
    done = export_case(desk, read(), tmp_path / "out")
    assert sorted(done.files) == ["evidence/photo-1.png", f"redacted/{copy.name}"]
    shown_files = case_json(desk, read())["files"]
    assert isinstance(shown_files, list)
    assert len(shown_files) == 2
    assert shown.picture(desk, read(), copy.id).width == 400


@pytest.mark.claim("C-REDACTED")
def test_another_desk_reads_the_copy_after_a_sync(
    desk: Desk, photo: str, read: Read, theirs: Desk, they_sync: Callable[[], None]
) -> None:
    redact(desk, read(), photo, BOXES)
    they_sync()
    case = Cases(theirs).find(read().id.hex())
    assert copy_of(theirs, case) == copy_of(desk, read())
    assert case.alarms == ()


def test_a_copy_that_waits_is_sealed_anew_with_what_it_carries(
    desk: Desk, photo: str, read: Read, server: FakeServer
) -> None:
    server.answers["/v1/envelopes"] = (503, b"")
    assert not redact(desk, read(), photo, BOXES)
    content = copy_of(desk, read())
    (old,) = of_kind(desk, Kind.ENTRY)
    server.answers.clear()
    tomorrow = replace(desk, today=lambda: Day(TODAY + 1))
    assert send_waiting(tomorrow).posted == 1
    (new,) = of_kind(desk, Kind.ENTRY)
    assert (new.id != old.id, new.header.day, new.posted) == (True, TODAY + 1, True)
    assert copy_of(desk, read()) == content
    assert not desk.store.part_path(old.id, 1).exists()
    assert server.rows[new.id].parts == [desk.store.part_path(new.id, 1).read_bytes()]


def test_a_copy_that_waits_on_its_own_day_goes_as_it_lies(
    desk: Desk, photo: str, read: Read, server: FakeServer
) -> None:
    server.answers["/v1/envelopes"] = (503, b"")
    redact(desk, read(), photo, BOXES)
    (old,) = of_kind(desk, Kind.ENTRY)
    server.answers.clear()
    assert send_waiting(desk).posted == 1
    assert [one.id for one in of_kind(desk, Kind.ENTRY)] == [old.id]


@pytest.mark.claim("C-QUARANTINE")
def test_a_copy_that_waits_and_is_put_in_quarantine_goes_out_without_its_bytes(
    desk: Desk, photo: str, read: Read, server: FakeServer
) -> None:
    server.answers["/v1/envelopes"] = (503, b"")
    redact(desk, read(), photo, BOXES)
    close(desk, read(), views(desk, read())[0], "custodian 1")
    server.answers.clear()
    assert send_waiting(desk).posted == 3
    sent = [row for row in server.rows.values() if row.header.kind is Kind.ENTRY]
    assert [len(row.parts) for row in sent] == [0, 0, 0]


@pytest.mark.parametrize(
    ("boxes", "words"),
    [
        ([], "Nothing is blacked out"),
        ([Box(400, 0, 5, 5)], "beside"),
        ([Box(0, 300, 5, 5)], "beside"),
    ],
    ids=["none", "right", "below"],
)
def test_boxes_that_black_nothing_out_are_refused(
    desk: Desk, photo: str, read: Read, boxes: list[Box], words: str
) -> None:
    with pytest.raises(RedactionRefused, match=words):
        redact(desk, read(), photo, boxes)
    assert of_kind(desk, Kind.ENTRY) == []


@pytest.mark.parametrize("typed", ["", "1,2,3", "1,2,3,4,5", "a,2,3,4", "-1,2,3,4", "1,2,0,4",
                                   "1,2,3,0", "1,2,3,999999999", "1,2,3,²"])  # fmt: skip
def test_a_box_is_read_strictly(typed: str) -> None:
    with pytest.raises(RedactionRefused):
        parse_box(typed)


def test_a_box_is_read() -> None:
    assert parse_box(" 1, 2,3,4 ") == Box(1, 2, 3, 4)


def test_a_page_of_a_document_is_copied_as_a_picture(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read
) -> None:
    row = reporter.evidence("doc-1.pdf", "application/pdf", kit.document(("One", "Two")))
    sync(*reporter.report([row]))
    redact(desk, read(), row.id.hex(), [Box(0, 0, 2000, 2000)], part=1)
    assert set(kit.opened(copy_of(desk, read())).tobytes()) == {0}


def test_a_copy_that_would_be_too_long_is_made_smaller_and_its_boxes_with_it(
    desk: Desk, photo: str, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redaction, "SIDE", 400)
    monkeypatch.setattr(redaction, "_SIDES", (400, 200, 100))
    monkeypatch.setattr(redaction, "CONTENT_MOST", 9_000)
    redact(desk, read(), photo, [Box(200, 150, 200, 150)])
    copy = kit.opened(copy_of(desk, read()))
    assert max(copy.size) < 400
    width, height = copy.size
    corner = copy.crop((width // 2, height // 2, width, height))
    assert set(corner.tobytes()) == {0}
    assert copy.getpixel((2, 2)) != (0, 0, 0)


@pytest.mark.claim("C-REDACTED")
@pytest.mark.parametrize("spoilt", ["unfilled", "unreadable"])
def test_a_copy_that_is_not_what_it_must_be_is_not_signed(
    desk: Desk, photo: str, read: Read, monkeypatch: pytest.MonkeyPatch, spoilt: str
) -> None:
    if spoilt == "unfilled":
        monkeypatch.setattr(redaction, "filled", lambda sight, _boxes: sight)
    else:

        def unreadable(*_: object) -> None:
            raise Malformed

        monkeypatch.setattr(redaction, "see", unreadable)
    with pytest.raises((RedactionRefused, NothingToSee), match="Nothing was written"):
        redact(desk, read(), photo, BOXES)
    assert of_kind(desk, Kind.ENTRY) == []


def test_a_copy_that_never_fits_is_refused(
    desk: Desk, photo: str, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redaction, "CONTENT_MOST", 9)
    with pytest.raises(RedactionRefused, match="too long"):
        redact(desk, read(), photo, BOXES)


# --- words


@pytest.mark.claim("C-REDACTED")
@pytest.mark.usefixtures("photo")
def test_words_of_an_answer_are_gone_and_their_length_with_them(desk: Desk, read: Read) -> None:
    found = places_of(WORDS, ["samira", "ALAOUI"])
    assert {one: len(several) for one, several in found.items()} == {"samira": 2, "ALAOUI": 1}
    spans = [one for several in found.values() for one in several]
    assert redact_answer(desk, read(), "description", spans)
    text = copy_of(desk, read()).decode()
    assert text == f"{BLOCKS} {BLOCKS} took my money, said {BLOCKS}."
    copy = next(one for one in views(desk, read()) if one.is_copy)
    assert (copy.copy_of_answer, copy.to_json()["copy_of"]) == ("description", "description")
    assert shown.words(desk, read(), copy.id) == text
    assert read().fields["description"] == WORDS


@pytest.mark.parametrize(
    ("field", "spans", "words"),
    [
        ("description", [], "none of these words"),
        ("description", [(0, 900)], "A span"),
        ("description", [(5, 5)], "A span"),
        ("description", [(-1, 5)], "A span"),
        ("nothing", [(0, 1)], "no such answer"),
        ("urls", [(0, 1)], "no such answer"),
    ],
)
def test_spans_that_are_none_are_refused(  # noqa: PLR0913, PLR0917 - rows of the table
    desk: Desk, reporter: Reporter, sync: Synced, read: Read, field: str,
    spans: list[tuple[int, int]], words: str,
) -> None:  # fmt: skip
    sync(*reporter.report(description=WORDS, urls=["x"]))
    with pytest.raises(RedactionRefused, match=words):
        redact_answer(desk, read(), field, spans)


@pytest.mark.parametrize(
    ("text", "phrases", "left"),
    [
        ("aXbXc", ["x"], f"a{BLOCKS}b{BLOCKS}c"),
        ("abcdef", ["bcd", "cde"], f"a{BLOCKS}f"),
        ("abcdef", [], "abcdef"),
        ("ananan.", ["anan"], f"{BLOCKS}."),
        ("İstanbul istanbul Hauptstraße", ["istanbul"], f"{BLOCKS} {BLOCKS} Hauptstraße"),
        ("in der Straße", ["stras"], f"in der {BLOCKS}e"),
        ("Samira\nAlaoui, Samira \u00a0 Alaoui, Samira\u200bAlaoui", ["samira alaoui"],
         f"{BLOCKS}, {BLOCKS}, {BLOCKS}"),
        ("Sami\u200bra and Sa\u00admira", ["Samira"], f"{BLOCKS} and {BLOCKS}"),
        ("Hélène, Hélène\u0301\u200d.", ["Helene"], f"{BLOCKS}, {BLOCKS}."),
        ("سميرة سَمِيرَةُ هنا", ["سميرة"], f"{BLOCKS} {BLOCKS} هنا"),
        ("0612345678, 06 12-34.56 78; +212 (6) 1234", ["06 12 34 56 78"],
         f"{BLOCKS}, {BLOCKS}; +212 (6) 1234"),
        ("a.b axb", ["a.b"], f"{BLOCKS} axb"),
        ("4 200, 4.200 and ٤٢٠٠, not 420", ["4200"],
         f"{BLOCKS}, {BLOCKS} and {BLOCKS}, not 420"),
        ("RIB 011 780 0000 (rib:0117800000) Rib 011-780-0000", ["RIB 0117800000"],
         f"{BLOCKS} ({BLOCKS}) {BLOCKS}"),
        ("RIB0117800000; n° 12-34", ["rib 011 780 00 00", "N° 1234"], f"{BLOCKS}; {BLOCKS}"),
        ("tel +212 6 12, tel 212612.", ["Tel +212612"], f"{BLOCKS}, {BLOCKS}."),
        ("B 5 and B5", ["b 5"], f"{BLOCKS} and {BLOCKS}"),
        ("06_12_34_56_78, 06 . . 12 34 56 78, RIB 011_780", ["0612345678", "RIB 011780"],
         f"{BLOCKS}, {BLOCKS}, {BLOCKS}"),
        ("Om\u3164ar Kanari, Om\uffa0ar\u2065 Kanari, 06\u316412\u115f34",
         ["Omar Kanari", "061234"],
         f"{BLOCKS}, {BLOCKS}, {BLOCKS}"),
        ("Omar\u2800Kanari 06\u280012 34", ["Omar Kanari", "061234"], f"{BLOCKS} {BLOCKS}"),
        ("O m a r Kanari, O.M.A.R. K-a-n-a-r-i, O_m_a_r_Kanari", ["omar kanari"],
         f"{BLOCKS}, {BLOCKS}, {BLOCKS}"),
        ("omar.kanari@example.org, Omar_Kanari, Kanari, Omar", ["Omar Kanari"],
         f"{BLOCKS}@example.org, {BLOCKS}, Kanari, Omar"),
        ("voilà librement, a l'instant, et A. L. I.", ["Ali"],
         f"voilà librement, a l'instant, et {BLOCKS}."),
        ("la mine, Al et a l'", ["al"], f"la mine, {BLOCKS} et a l'"),
        ("(o) m a r", ["(o) m"], f"{BLOCKS} a r"),
    ],
    ids=["every-time", "overlap", "nothing", "itself", "capitals", "half-a-letter", "spaces",
         "invisible", "accents", "arabic", "number", "pattern", "short-number", "number-in-words",
         "grouped-phrase", "plus-in-words", "one-digit", "low-line", "blank-letters",
         "braille-space", "letter-by-letter", "signs-between-words", "no-other-words",
         "two-letters", "signs-in-the-phrase"],
)  # fmt: skip
def test_words_are_found_wherever_they_stand(text: str, phrases: list[str], left: str) -> None:
    found = places_of(text, phrases)
    assert list(found) == phrases
    assert blacked_out(text, [one for several in found.values() for one in several]) == left


ALIKE = {
    "name": ["El-Amrani", "El Amrani", "el_amrani", "El. Amrani", "El  -  Amrani", "El\nAmrani",
             "E l  A m r a n i", "El-A.m.r.a.n.i", "E.l. Amrani"],
    "initial": ["M. Kanari", "M Kanari", "M.Kanari", "m - Kanari"],
    "arabic": ["عبد-الله", "عبد الله", "عبد، الله", "عبد_الله"],
    "account": ["RIB 011780", "RIB: 011780", "RIB-011780", "RIB_011 780", "RIB011780",
                "R I B 011780"],
    "card": ["BK123456", "BK 123456", "BK-123456", "BK: 123.456", "bk_12 34 56", "B K123456"],
    "street": ["rue Zerktouni 12", "rue Zerktouni, 12", "Rue-Zerktouni12", "rue « Zerktouni » 1.2"],
    "number-first": ["12bis rue", "12 bis, rue", "12-bis rue", "+12 bis rue", "12b i s rue"],
    "short": ["Bo Li", "B o L i", "Bo-Li", "B.o. L.i", "Bo L i"],
    "apostrophes": ["l'Amrani", "l’Amrani", "l‘Amrani", "lʼAmrani", "l´Amrani", "l′Amrani",
                    "l`Amrani", "l Amrani", "L'AMRANI", "L`AMRANI"],
    "mailbox": ["samira@gmail.com", "samira @ gmail.com", "samira@gmail .com", "samira gmail com"],
    "edges": ["«Samira»", "Samira", "-Samira", "Samira »", "(Samira", "S a m i r a»"],
    "plus": ["(+212) 612", "212612", "+212 6 12", "(212612)"],
}  # fmt: skip
"""Ways to write what a reader takes for the same."""


@pytest.mark.claim("C-REDACTED")
@pytest.mark.parametrize("kind", ALIKE)
def test_whichever_way_it_was_typed_it_is_found_whichever_way_it_was_written(kind: str) -> None:
    text = "; ".join(f"a {written} z" for written in ALIKE[kind])
    for typed in ALIKE[kind]:
        found = places(text, typed)
        assert len(found) == len(ALIKE[kind]), (typed, blacked_out(text, found))


def test_every_apostrophe_is_one_to_a_search_too() -> None:
    assert {folded(one) for one in ALIKE["apostrophes"]} == {"l'amrani", "l amrani"}
    assert len({folded(one) for one in ("d'Arc", "d´Arc", "d`Arc")}) == 1


def test_the_sign_before_a_number_goes_with_it() -> None:
    assert blacked_out("(+212) 612", places("(+212) 612", "212612")) == f"({BLOCKS}"


@pytest.mark.parametrize("written", ["ElAmrani", "El ----- Amrani", "E L A M R A N I", "el amrani"])
def test_more_signs_are_found_where_as_many_were_typed_and_none_where_none_are(
    written: str,
) -> None:
    assert blacked_out(written, places(written, "El ----- Amrani")) == BLOCKS


@pytest.mark.claim("C-REDACTED")
@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Om ar Kanari", "Omar Kanari"),
        ("Omar Kanari", "OmarKanari"),
        ("Omar .... Kanari", "Omar Kanari"),
        ("Omar and Kanari, Omar1Kanari", "Omar Kanari"),
        ("l'instant, voilà librement", "ali"),
        ("(x) and x", "x)."),
        ("00 212 612", "+212612 5"),
    ],
    ids=["cut-elsewhere", "as-one", "four-signs", "between", "within", "few-letters", "digits"],
)
def test_what_is_another_word_or_number_is_left(text: str, phrase: str) -> None:
    assert places(text, phrase) == []


@pytest.mark.claim("C-REDACTED")
@pytest.mark.parametrize(
    ("text", "phrase", "times"),
    [
        ("call +212 6 12 34 56 78", "+212612345678", 1),
        ("+212612345678 or 212 6.12.34.56.78", "+212612345678", 2),
        ("ananan", "anan", 1),
        ("AliAli", "ali", 2),
        ("sum 4 200 then 4200", "4200", 2),
        ("00000", "00", 1),
        ("ﬃ", "f", 1),
    ],
    ids=["plus", "two", "overlap", "side-by-side", "short", "zeros", "ligature"],
)
def test_how_often_words_were_found_is_never_more_than_they_stood_there(
    text: str, phrase: str, times: int
) -> None:
    assert len(places(text, phrase)) == times


@pytest.mark.claim("C-REDACTED")
@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("0________" * 4000, "0" * 60),
        ("o . " * 8000, "o" * 40),
        ("ana - " * 6000, "ana ana ana ana ana anb"),
        ("." * 30_000, " ".join("." * 20)),
        ("_" * 30_000, "Omar Kanari"),
        ("a" + "-" * 199_999, "a" + "-" * 500 + "b"),
        ("a--" * 66_667, "a-" * 30 + "b"),
        ("1-a-" * 50_000, "1a" * 15 + "b"),
        ("+1" * 100_000, "+1 a " * 12 + "b"),
        ("ab a b " * 28_572, "ab " * 12 + "c"),
        ("(" * 200_000, "(" * 30 + "abc" + ")" * 30),
    ],
    ids=[
        "digits",
        "letters",
        "words",
        "signs",
        "no-words",
        "long-run",
        "letters-and-signs",
        "digits-and-letters",
        "plus",
        "words-two-ways",
        "edges",
    ],
)
def test_no_text_makes_looking_for_words_long(text: str, phrase: str) -> None:
    begun = time.process_time()
    places(text, phrase)
    assert time.process_time() - begun < 5


@pytest.mark.claim("C-REDACTED")
@pytest.mark.parametrize("phrases", [["samira", "Yassmina"], [""], ["\u200b"]], ids=repr)
def test_a_phrase_that_stands_nowhere_is_refused(phrases: list[str]) -> None:
    with pytest.raises(RedactionRefused, match="This stands nowhere in it: \u201c"):
        places_of(WORDS, phrases)


@given(st.text(max_size=30), st.text(min_size=1, max_size=8), st.text(max_size=30))
def test_nothing_of_what_was_marked_is_found_in_the_copy(
    before: str, phrase: str, after: str
) -> None:
    text = f"{before}{phrase}{after}"
    if not folded(phrase):
        return
    spans = places_of(text, [phrase])[phrase]
    assert all(0 <= start < stop <= len(text) for start, stop in spans)
    copy = blacked_out(text, spans)
    # A phrase of nothing but blocks is the one that a copy holds.
    assert "▮" in phrase or not places(copy, phrase)


# --- what others may write


@pytest.mark.usefixtures("photo")
def test_an_entry_that_carries_too_much_is_not_written(desk: Desk, read: Read) -> None:
    with pytest.raises(ActRefused, match="too long"):
        append(desk, read(), acts.NOTE, {"text": "x"}, bytes(CONTENT_MOST + 1))


def _redaction(**changes: object) -> dict[str, object]:
    usual: dict[str, object] = {
        "file": "00" * 16, "answer": "", "part": 0, "boxes": [[1, 2, 3, 4]], "spans": [],
        "media_type": "image/png", "length": 5, "sha256": hashlib.sha256(b"bytes").hexdigest(),
    }  # fmt: skip
    return usual | changes


@pytest.mark.parametrize(
    "changes",
    [{"boxes": [[1, 2, 3]]}, {"boxes": [[1, 2, 3, -4]]}, {"boxes": "x"},
     {"boxes": [[1, 2, 3, True]]}, {"boxes": [[1, 2, 3, 4]] * 65}, {"media_type": "text/html"},
     {"length": -1}, {"file": "zz"},
     {"part": 1.5}, {"spans": [[1]]}, {"boxes": [7]}],
    ids=repr,
)  # fmt: skip
def test_a_redaction_of_another_shape_does_nothing(changes: dict[str, object]) -> None:
    assert acts.is_shaped(acts.REDACTION, _redaction())  # type: ignore[arg-type]  # JSON
    assert not acts.is_shaped(acts.REDACTION, _redaction(**changes))  # type: ignore[arg-type]  # the same


def test_a_redaction_without_its_part_is_named_as_missing(
    desk: Desk, world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    body = EntryBody(type="redaction", data=_redaction()).to_json()  # type: ignore[arg-type]  # JSON
    sync(*reporter.report(), world.by_operator(Kind.ENTRY, reporter.case, body))
    (copy,) = views(desk, read())
    assert copy.problem == "missing"
    with pytest.raises(Exception, match="not whole"):
        open_evidence(desk, read(), copy.id)


def test_a_redaction_whose_part_is_not_here_yet_says_so(  # noqa: PLR0913, PLR0917 - two desks
    desk: Desk, photo: str, read: Read, theirs: Desk, they_sync: Callable[[], None],
    server: FakeServer,
) -> None:  # fmt: skip
    redact(desk, read(), photo, BOXES)
    server.answers["/v1/parts"] = (404, b"{}")
    they_sync()
    copy = next(one for one in views(theirs, Cases(theirs).find(read().id.hex())) if one.is_copy)
    assert copy.problem == "not-fetched"
