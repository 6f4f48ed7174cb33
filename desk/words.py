"""How field ids, values and strangers' text read to an operator.

Rule: what a reporter typed is shown as text and never as an instruction: no link is
clickable, no control character reaches a terminal, no direction override leaks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING

from desk.workflow import STATE_FIELD, STATUS_ENTRY, state_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crypto.strict_json import Json

LABELS: dict[str, str] = {
    # categories
    "fraud": "Fraud or scam",
    "sextortion": "Sexual blackmail",
    "defamation": "Defamation or insult",
    "threats": "Threats or violence",
    "incitement": "Incitement, drugs, exploitation",
    "terrorism": "Terrorism",
    "csam": "Child abuse material",
    "hacking_other": "Hacking or other",
    "": "No category",
    # identity
    "anonymous": "Anonymous",
    "contact_only": "Contact only",
    "full_identity": "By name",
    # fields whose ids do not read by themselves
    "danger_now": "Somebody in danger now",
    "urls": "Addresses (links)",
    "urls_or_accounts": "Links or accounts",
    "when": "When it happened",
    "place": "Where it happened",
    "reporting_from": "Reporting from",
    "device_shared": "Device shared with others",
    "ids_given_away": "Documents given away",
    "rib_or_iban": "RIB or IBAN",
    "card_last4": "Card, last four digits",
    "mtcn_or_ref": "Transfer reference",
    "tx_hash": "Transaction hash",
    "image_kind": "Kind of image",
    "self_harm_thoughts": "Thoughts of self-harm",
    "for_someone_else": "For someone else",
}

REMOVED: dict[str, str] = {
    "author": "author",
    "c2pa": "provenance record (C2PA)",
    "camera_model": "camera model",
    "camera_serial": "camera serial number",
    "capture_time": "time of capture",
    "chapters": "chapters",
    "comment": "comment",
    "cover": "cover picture",
    "exif": "other EXIF data",
    "gps": "GPS position",
    "icc_description": "colour profile's description",
    "iptc": "IPTC description",
    "location_track": "track of positions",
    "maker_note": "maker's private data",
    "other_metadata": "other metadata",
    "sei": "data hidden in the video stream",
    "software": "name of the software",
    "subtitles": "subtitles",
    "thumbnail": "embedded thumbnail",
    "trailing_data": "data after the end of the file",
    "xmp": "XMP description",
}

PROBLEMS: dict[str, str] = {
    "missing": "named by the report, and not on this machine",
    "not-fetched": "not fetched yet: sync again",
    "cannot-open": "does not open: changed or swapped",
}

# Answers of one plain word that the form offers; in a field of free text they were typed.
_ANSWERS = {
    "americas",
    "apology",
    "asia",
    "company",
    "ddos",
    "death",
    "drugs",
    "europe",
    "far",
    "financing",
    "group",
    "hate",
    "impersonation",
    "insult",
    "login",
    "me",
    "medicines",
    "meeting",
    "minor",
    "money",
    "no",
    "oceania",
    "onion",
    "open",
    "organisation",
    "other",
    "paid",
    "personal",
    "photos",
    "physical",
    "professional",
    "public",
    "ransomware",
    "real",
    "recruitment",
    "relative",
    "romance",
    "school",
    "sexual",
    "silence",
    "stalking",
    "unknown",
    "unsure",
    "victim",
    "weapons",
    "witness",
    "yes",
}
_FIRST = ("danger_now", "imminent", "description", "exact_words", "role")
_SHOWN_ELSEWHERE = {"identity_mode", "notice_read"}
_KILO = 1000
_SCHEME = re.compile(r"\b(h)tt(ps?)(://)", re.IGNORECASE)
_DOT = re.compile(r"(?<=[^\W_])\.(?=[^\W\d_]{2,})")
_LINKISH = re.compile(r"(?:\b[a-z][a-z0-9+.-]*://|\bwww\.)\S+", re.IGNORECASE)
_TURNING = {"\u202a", "\u202b", "\u202c", "\u202d", "\u202e"}
_TURNING |= {"\u2066", "\u2067", "\u2068", "\u2069", "\u200e", "\u200f", "\u061c"}


def label(name: str) -> str:
    """A field's or a value's id, readable."""
    if name in LABELS:
        return LABELS[name]
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def defanged(text: str) -> str:
    """Links in the text, written so that nothing makes them clickable: `hxxps://example[.]org`."""
    return _LINKISH.sub(lambda found: _DOT.sub("[.]", _SCHEME.sub(r"\1xx\2\3", found[0])), text)


def plain(text: str) -> str:
    """A stranger's text for a terminal: control and direction characters made visible."""
    return "".join(_visible(one) for one in text)


def _visible(character: str) -> str:
    if character in "\n\t":
        return character
    if character in _TURNING or unicodedata.category(character) in ("Cc", "Cs", "Co", "Zl", "Zp"):
        return f"\\u{ord(character):04x}"
    return character


def removed(kind: str) -> str:
    """A kind of thing that was removed from a file, readable."""
    return REMOVED.get(kind, kind.replace("_", " "))


def answers(fields: Mapping[str, Json]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A report's answers as they are read: what happened first, then the rest by name."""
    first = {name: fields[name] for name in _FIRST if name in fields}
    rest = {
        name: fields[name] for name in sorted(fields) if name not in {*first, *_SHOWN_ELSEWHERE}
    }
    return flat({**first, **rest})


def act(kind: str, data: Mapping[str, Json]) -> str:
    """What an entry says its author did."""
    state = data.get(STATE_FIELD)
    if kind == STATUS_ENTRY and isinstance(state, str):
        return f"set the state to {state_words(state)}"
    return f"wrote an entry of the kind {kind}"


def count(number: int, one: str) -> str:
    """`1 case`, `2 cases`."""
    return f"{number} {one}" if number == 1 else f"{number} {one}s"


def flat(fields: Mapping[str, Json]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each answered field as its label and the lines of its value; empty answers are left out."""
    for name, value in fields.items():
        lines = tuple(_lines(value))
        if lines:
            yield label(name), lines


def _lines(value: Json) -> Iterator[str]:
    if value is None or value == "" or value is False:
        return
    if value is True:
        yield "Yes"
    elif isinstance(value, str):
        yield _value(value)
    elif isinstance(value, (int, float)):
        yield str(value)
    elif isinstance(value, Mapping):
        inner = [f"{name}: {', '.join(lines)}" for name, lines in flat(value)]
        if inner:
            yield "; ".join(inner)
    else:
        for one in value:
            yield from _lines(one)


def _value(text: str) -> str:
    """An id of the form reads as words; whatever was typed stays as it was typed."""
    if text in LABELS or text in _ANSWERS or re.fullmatch(r"[a-z]{2,}(_[a-z0-9]+)+", text):
        return label(text)
    return defanged(text)


def size(length: int) -> str:
    """A length in bytes as a person reads it."""
    amount, unit = float(length), "bytes"
    for following in ("KB", "MB", "GB"):
        if amount < _KILO:
            break
        amount, unit = amount / _KILO, following
    return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
