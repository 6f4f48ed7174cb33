"""The cover sheet as a PDF, in Arabic and French: what it says, and the process that prints it.

Rule: the printer is a program of its own (desk.transmission.printer), fed with plain words by a
pipe; typst, which lays the page out, is never imported where keys are.  The same words give the
same bytes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from desk import acts
from desk import words as read_words
from desk.cases import iso
from desk.errors import TransmissionRefused
from desk.transmission import words
from desk.transmission.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from desk.cases import Case
    from desk.desk import Desk
    from desk.transmission.items import Load

_PRINTER = Path(__file__).with_name("printer.py")
_SECONDS = 90
# One thread, one arena: on a machine of many cores the others' stacks alone would meet the limit.
_ENVIRONMENT = {"RAYON_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
_TOLD = ("description", "exact_words")
_LABEL = 80


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a transmission is, beside the case: which, to whom, on which basis, by whom."""

    package: str
    service: str
    basis: str
    operator: str
    prepared: str
    day: str
    has_annex: bool


def print_cover(told: Mapping[str, object]) -> bytes:
    """Have a cover sheet printed.

    Raises:
        TransmissionRefused: the printer failed; what it said stays here, for it may quote a report.
    """
    try:
        done = subprocess.run(  # noqa: S603  # our own program, without arguments
            [sys.executable, "-I", str(_PRINTER)],
            input=json.dumps(told).encode(),
            capture_output=True,
            timeout=_SECONDS,
            check=True,
            env=_ENVIRONMENT,
        )
    except (OSError, subprocess.SubprocessError):
        raise TransmissionRefused("The cover sheet could not be printed.") from None
    return done.stdout


def cover(desk: Desk, case: Case, occasion: Occasion, load: Load) -> dict[str, object]:
    """Return what the cover sheet says; `load` is everything but itself."""
    return {
        "title": case.ref,
        "ref": case.ref,
        "contents": f"SHA-256 {load.digest}",
        "rehearsal": desk.trust.rehearsal,
        **{one: _sheet(desk, case, occasion, load, one) for one in words.LANGUAGES},
        "words": words.HEADINGS,
        "account": _account(case),
        "items": [
            {"path": one.path, "size": read_words.size(one.size), "sha256": one.sha256}
            for one in load.items
        ],
        "left": [{"why": words.LEFT_OUT[one.why], "pointer": one.pointer} for one in load.left],
    }


def _sheet(
    desk: Desk, case: Case, occasion: Occasion, load: Load, language: str
) -> dict[str, object]:
    rules = desk.rules
    urgency = rules.priorities.get(case.priority)
    mode = words.MODES.get(case.identity_mode, words.MODES[""])
    written = case.report.language if case.report else ""
    values = {
        "ref": (f"{case.ref} ({case.id.hex()})", True),
        "package": (occasion.package, True),
        "received": (iso(case.day), True),
        "transmitted": (occasion.day, True),
        "category": (words.CATEGORIES.get(case.category, words.CATEGORIES[""])[language], False),
        "priority": (urgency.said(language) if urgency else case.priority, False),
        "service": (rules.services[occasion.service].said(language), False),
        "basis": (rules.bases[occasion.basis].said(language), False),
        "prepared": (_line(occasion.prepared), False),
        "operator": (_line(occasion.operator), False),
        "reporter": (mode[language], False),
        "language": (words.REPORT_LANGUAGES.get(written, words.MODES[""])[language], False),
        "files": (str(load.files), True),
        "left_out": (str(len(load.left)), True),
        "acts": (str(sum(one.body.type != acts.NOTE for one in case.work.entries)), True),
        "rules": (rules.digest[:16], True),
    }
    notes = ["annex" if occasion.has_annex else "locked", "digest", "untrue"]
    if case.origin.is_odd:
        notes.insert(0, "after_a_message" if case.origin.message else "several")
    return {
        "lang": language,
        "practice": words.SHEET["practice"][language],
        "title": words.SHEET["title"][language],
        "under": words.SHEET["under"][language],
        "rows": [
            {"name": words.SHEET[name][language], "value": printable(value), "ltr": ltr}
            for name, (value, ltr) in values.items()
            if value
        ],
        "notes": [words.NOTES[name][language] for name in notes],
        "signatures": [words.SHEET[name][language] for name in ("sign_from", "sign_to")],
    }


def _account(case: Case) -> list[dict[str, object]]:
    """What happened, in the reporter's words; everything else that they said is in report.html."""
    found = []
    for name in _TOLD:
        said = case.fields.get(name)
        if isinstance(said, str) and said.strip():
            text = read_words.cut(read_words.plain(read_words.defanged(said.strip())))
            text = printable(text.expandtabs(4))
            found.append({"name": "", "text": text, "rtl": is_rtl(text)})
    return found


def is_rtl(text: str) -> bool:
    """Whether the first letter with a direction goes from right to left."""
    strong = (unicodedata.bidirectional(one) for one in text)
    return next((one for one in strong if one in {"L", "R", "AL"}), "L") != "L"


def _line(untrusted: str) -> str:
    return read_words.cell(untrusted, _LABEL)
