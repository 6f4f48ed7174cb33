"""The cover sheet: what it says in two languages, how it is printed, and where."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from desk.errors import TransmissionRefused
from desk.transmission import cover, printer, words
from desk.transmission.items import Load
from desk.transmission.printable import FOLDER, _ranges, printable
from sanitizer.jail.launcher import landlock_abi
from tests.desk.world import Reporter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.desk.transmission.conftest import Handing

ARABIC = "اتصل بي شخص وطلب مبلغ 500 درهم"
needs_poppler = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="poppler is not installed: nobody to read the PDF"
)


def text_of(pdf: Path) -> str:
    done = subprocess.run(
        ["pdftotext", "-raw", str(pdf), "-"], capture_output=True, text=True, check=True
    )
    # The marks of direction that poppler writes around runs are not part of the words.
    return "".join(one for one in done.stdout if one not in "\u202a\u202b\u202c\u200e\u200f")


def strings(thing: object) -> Iterator[str]:
    if isinstance(thing, dict):
        for one in thing.values():
            yield from strings(one)
    elif isinstance(thing, str):
        yield thing


@pytest.fixture
def told(ready: Handing) -> dict[str, Any]:
    """What a cover says: caught on its way to the printer."""
    caught: list[dict[str, Any]] = []

    def catch(one: dict[str, Any]) -> bytes:
        caught.append(one)
        return b"%PDF"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("desk.transmission.transmit.print_cover", catch)
        ready.transmit("print", in_clear=True)
    return caught[0]


@needs_poppler
def test_both_sheets_say_who_is_competent_and_every_page_its_number_and_digest(
    handing: Handing,
) -> None:
    handing.begin(description=ARABIC, exact_words="#pagebreak() $x$ *non*")
    handing.ready()
    folder = handing.transmit("print", in_clear=True).path
    manifest = json.loads((folder / "manifest.json").read_bytes())
    text = text_of(folder / "cover.pdf")
    for said in (
        handing.case.ref, handing.case.id.hex(), manifest["package"], "operator 1", "operator 2",
        "Unité spécialisée de cybercriminalité", "Lieu des faits", "المختصة", "التوصل", "درهم",
        "#pagebreak() $x$ *non*", "2026-11-22",
    ):  # fmt: skip
        assert said in text, said
    pages = [page for page in text.split("\f") if page.strip()]
    for number, page in enumerate(pages, 1):
        assert f"{number} / {len(pages)}" in page
        assert manifest["contents"] in page
        assert handing.case.ref in page


@needs_poppler
def test_a_case_with_more_than_one_report_is_not_handed_over_as_if_it_had_one(
    handing: Handing,
) -> None:
    handing.begin()
    beside = Reporter(handing.world, case=handing.reporter.case)
    handing.sync(*beside.report(description="A knife at the door", danger_now="yes"))
    handing.ready()
    folder = handing.transmit("print", in_clear=True).path
    text = " ".join(text_of(folder / "cover.pdf").split())
    assert "plusieurs personnes" in text.lower()
    for name in ("report.html", "case.json"):
        assert "A knife at the door" in (folder / name).read_text()


@needs_poppler
def test_arabic_letters_are_joined_and_stand_from_right_to_left(tmp_path: Path) -> None:
    """What is drawn are not the letters one by one, and the line begins at the right margin."""
    (tmp_path / "a.pdf").write_bytes(cover.print_cover(sheet(ARABIC)))
    boxes = subprocess.run(
        ["pdftotext", "-bbox", str(tmp_path / "a.pdf"), "-"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    # Poppler tells a word's letters as they are drawn, from left to right.
    places = {
        word: float(line.split('xMin="')[1].split('"')[0])
        for line in boxes.splitlines()
        for word in ARABIC.split()
        if f">{word[::-1]}<" in line
    }
    ordered = [places[word] for word in ("اتصل", "بي", "شخص", "وطلب", "درهم")]
    assert ordered == sorted(ordered, reverse=True)


def sheet(text: str) -> dict[str, object]:
    one = {
        "lang": "ar", "practice": "", "title": "", "under": "", "rows": [], "notes": [],
        "signatures": [],
    }  # fmt: skip
    return {
        "title": "t", "ref": "1a2b-3c4d", "contents": "SHA-256", "rehearsal": False, "ar": one,
        "fr": one, "words": words.HEADINGS, "items": [], "left": [],
        "account": [{"name": "", "text": text, "rtl": cover.is_rtl(text)}],
    }  # fmt: skip


def test_the_same_words_give_the_same_bytes() -> None:
    first = cover.print_cover(sheet(ARABIC))
    assert first == cover.print_cover(sheet(ARABIC))
    assert first != cover.print_cover(sheet("x"))
    for told_of_the_machine in (b"CreationDate", b"ModDate", b"/Author"):
        assert told_of_the_machine not in first


def test_a_printer_that_fails_says_nothing_of_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TransmissionRefused) as refusal:
        cover.print_cover({"title": ARABIC})
    assert ARABIC not in str(refusal.value)
    monkeypatch.setattr(cover, "_PRINTER", Path("/no/such/program"))
    with pytest.raises(TransmissionRefused):
        cover.print_cover(sheet(""))


def test_what_we_say_can_be_printed_and_is_said_in_both_languages() -> None:
    for table in (
        words.CATEGORIES, words.MODES, words.REPORT_LANGUAGES, words.LEFT_OUT, words.SHEET,
        words.NOTES, words.HEADINGS,
    ):  # fmt: skip
        assert all({"ar", "fr"} <= set(one) for one in table.values())
        assert [one for one in strings(table) if printable(one) != one] == []


def test_a_sign_without_a_letter_is_spelled_and_not_left_out() -> None:
    assert printable("a \N{GRINNING FACE}\nⴰⵣⵓⵍ é") == "a [U+1F600]\nⴰⵣⵓⵍ é"
    assert "Open Font License" in " ".join((FOLDER / "OFL.txt").read_text().split()).title()


def test_a_map_of_another_format_is_passed_over() -> None:
    font = (FOLDER / "NotoSans-Regular.ttf").read_bytes()
    (path,) = FOLDER.glob("NotoSans-Regular.ttf")
    assert list(_ranges(font))[:2] == list(_ranges(path.read_bytes()))[:2]
    cmap = struct.unpack(">I", font[font.index(b"cmap") + 8 :][:4])[0]
    (first,) = struct.unpack(">I", font[cmap + 8 : cmap + 12])
    spoilt = bytearray(font)
    spoilt[cmap + first : cmap + first + 2] = b"\0\x0c"
    assert len(list(_ranges(bytes(spoilt)))) < len(list(_ranges(font)))


def test_the_direction_follows_the_first_letter_that_has_one() -> None:
    assert cover.is_rtl("12 (ا) b")
    assert not cover.is_rtl("12 (b) ا")
    assert not cover.is_rtl("12")


def test_an_unknown_priority_and_an_empty_one_do_not_hinder(
    handing: Handing, told: dict[str, Any]
) -> None:
    names = [row["name"] for row in told["fr"]["rows"]]
    assert "Fondement de la compétence" in names
    assert len(names) == len(told["ar"]["rows"])
    handing.act("priority", {"priority": "P9"})
    # After its transmission nothing more is handed over; the sheet can still be written.
    load = Load((), ())
    occasion = cover.Occasion(
        "00" * 16, "cyber_unit", "place_of_act", "me", "", "d", has_annex=False
    )
    rows = cover.cover(handing.desk, handing.case, occasion, load)["fr"]["rows"]  # type: ignore[index]
    values = {row["name"]: row["value"] for row in rows}
    assert values["Priorité"] == "P9"
    assert "Préparé par" not in values


# --- where it is printed


def test_no_process_that_holds_keys_imports_the_printer() -> None:
    program = (
        "import sys, desk.cli, desk.pages.app, desk.transmission.cli\n"
        "print([one for one in sys.modules if 'typst' in one or 'printer' in one])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(landlock_abi() == 0, reason="this kernel has no Landlock")
@pytest.mark.parametrize(
    "attempt",
    [
        "open('/etc/passwd').read()",
        "open(sys.executable, 'rb').read()",
        "open('/tmp/printed', 'w')",
        "socket.socket()",
        "os.execv('/bin/true', ['true'])",
    ],
    ids=["read", "read ours", "write", "socket", "run"],
)
def test_the_printer_can_do_nothing_but_print(attempt: str) -> None:
    program = (
        "import os, socket, sys\nfrom desk.transmission import printer\nprinter.lock()\n"
        f"try:\n    {attempt}\nexcept OSError as error:\n    print(type(error).__name__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "PermissionError", done.stderr


def test_the_positive_control_can_do_it_before_the_lock() -> None:
    program = (
        "import os, socket, sys\nfrom desk.transmission import printer\n"
        "open('/etc/passwd').read(); socket.socket(); print('could')"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "could"
    assert Path(printer.__file__).parent == FOLDER.parent
