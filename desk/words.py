"""How field ids, values and strangers' text read to an operator.

Rule: what somebody else wrote is shown as text and never as an instruction: no link is
clickable, no control character reaches a terminal, no direction override leaks, nothing
invisible stands between the letters, and no length of it costs more than its length.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING

from crypto.manifest import IDENTITY_LATER, WITHDRAWAL
from desk.form_ids import CHOICES
from desk.public_status import public_words
from desk.sentence import Counted, Label, Sentence, Several, Sized
from desk.whose import sender

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crypto.manifest import FollowUpBody
    from crypto.strict_json import Json
    from desk.cases import Case
    from desk.verify import FollowUp, Reply

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
    "harassment": "Harassment or stalking",
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
    "what": "What it is about",
    "ip": "IP address",
    "incident_reported_to_macert": "Reported to maCERT",
    "in_real_life": "In real life",
    "ddos": "Blocked service (DDoS)",
    "sim_swap": "SIM swap",
    "it_is_me": "The child is the reporter",
    "MAD": "MAD",
    "EUR": "EUR",
    "USD": "USD",
    "GBP": "GBP",
}

REMOVED: dict[str, str] = {
    "annotations": "annotations and links",
    "attachments": "attached files",
    "author": "author",
    "c2pa": "provenance record (C2PA)",
    "camera_model": "camera model",
    "camera_serial": "camera serial number",
    "capture_time": "time of capture",
    "chapters": "chapters",
    "comment": "comment",
    "cover": "cover picture",
    "cut_frames": "(still inside: frames from before its beginning, needed to decode it)",
    "earlier_versions": "earlier versions of the document",
    "exif": "other EXIF data",
    "form_fields": "form fields (what they showed stays)",
    "gps": "GPS position",
    "hidden_frames": "frames or tracks that nobody is shown",
    "hidden_text": "invisible characters",
    "icc_description": "colour profile's description",
    "iptc": "IPTC description",
    "layers": "layers (what was shown stays)",
    "location_track": "track of positions",
    "maker_note": "maker's private data",
    "other_metadata": "other metadata",
    "outline": "outline",
    "scripts": "scripts",
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
    "quarantined": "in quarantine: nothing opens it any more",
}

WITHDRAWN = (
    "WITHDRAWN: the reporter asks that this be erased. Erase what may be erased, and pass it on no "
    "further; what was already transmitted, or the law holds, stays. They can read no answer now."
)

REHEARSAL = "REHEARSAL: these are practice keys. Entrust nothing real to them."

LANGUAGES = {"ar": "Arabic", "en": "English", "fr": "French", "zgh": "Amazigh"}

_FIRST = ("danger_now", "imminent", "description", "exact_words", "role")
_SHOWN_ELSEWHERE = {"identity_mode", "notice_read"}
_MONEY = {"value", "currency"}
_KILO = 1000
_SCHEME = re.compile(r"\b(h)tt(ps?)(://)", re.IGNORECASE)
_DOT = re.compile(r"(?<=[^\W_])\.(?=[^\W\d_]{2})")
# Each of these looks at a character a bounded number of times, whatever the text.
_RUN = re.compile(r"\S+")
_LINKISH = re.compile(r"://|\bwww\.", re.IGNORECASE)
_ID = re.compile(r"[A-Za-z0-9_]{1,41}")
_ESCAPED = {"Cc", "Cs", "Co", "Zl", "Zp"}
_TURNING = {"\u202a", "\u202b", "\u202c", "\u202d", "\u202e"}
_TURNING |= {"\u2066", "\u2067", "\u2068", "\u2069"}
# Invisible by Unicode's book, and part of how Arabic, Persian or Syriac is written: the two
# joiners, and signs that stand around a number.
_NEEDED = {"\u200c", "\u200d", "\u06dd", "\u070f", "\u0890", "\u0891", "\u08e2"}
_NEEDED |= {chr(code) for code in range(0x0600, 0x0606)}
_DEPTH_MOST = 8
CUT_AT = 20_000
"""Characters of one answer or message at a terminal; twice what any form takes."""
CELL = 32
"""Characters of a name of ours in a line or a table, where somebody else may have written it."""


def label(name: str) -> Label:
    """A field's or a value's id, readable."""
    if name in LABELS:
        return Label(LABELS[name])
    words = name.replace("_", " ").strip()
    return Label(words[:1].upper() + words[1:])


def defanged(text: str) -> str:
    """Links in the text, written so that nothing makes them clickable: `hxxps://example[.]org`."""
    return _RUN.sub(_defanged_run, text)


def _defanged_run(found: re.Match[str]) -> str:
    run = found[0]
    if not _LINKISH.search(run):
        return run
    return _DOT.sub("[.]", _SCHEME.sub(r"\1xx\2\3", run))


def plain(text: str) -> str:
    """A stranger's text: control and direction characters made visible, invisible ones dropped."""
    return "".join(_visible(one) for one in text.replace("\r\n", "\n"))


def _visible(character: str) -> str:
    if character in "\n\t":
        return character
    category = unicodedata.category(character)
    if character in _TURNING or category in _ESCAPED:
        return f"\\u{ord(character):04x}"
    if category == "Cf" and character not in _NEEDED:
        return ""
    return character


def cell(text: str, most: int = CELL) -> str:
    """A stranger's text where one short line is expected: plain, on one line, and cut with `…`."""
    line = " ".join(plain(text[: 4 * most]).split())
    return line if len(line) <= most and len(text) <= 4 * most else f"{line[: most - 1]}…"


def cut(text: str, most: int = CUT_AT) -> str:
    """A text that no form would have taken is cut, and says that it was and where the rest is."""
    if len(text) <= most:
        return text
    return (
        f"{text[:most]}\n[cut here: {len(text):,} characters in all; `amana-desk open` writes the "
        "whole]"
    )


def language(code: str) -> str:
    """A language's name; an unknown one's code, short."""
    return LANGUAGES.get(code, cell(code))


def removed(kind: str) -> str:
    """A kind of thing that was removed from a file, readable."""
    return REMOVED.get(kind, cell(kind.replace("_", " ")))


def answers(fields: Mapping[str, Json]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A report's answers as they are read: what happened first, then the rest by name."""
    first = {name: fields[name] for name in _FIRST if name in fields}
    rest = {
        name: fields[name] for name in sorted(fields) if name not in {*first, *_SHOWN_ELSEWHERE}
    }
    return flat({**first, **rest})


def said(body: FollowUpBody, number: int) -> str:
    """What the reporter did with a message, as its heading says it."""
    if body.type == WITHDRAWAL:
        return Sentence("asked that everything be erased (message {number})", number=number)
    if body.type == IDENTITY_LATER:
        return Sentence(
            "gave an identity (message {number}): {how}, locked, sealed to the custodians",
            number=number, how=Sentence(cell(label(body.identity_mode)).lower()),
        )  # fmt: skip
    return Sentence("wrote message {number}", number=number)


def writer(case: Case, one: FollowUp) -> str:
    """Who wrote a message, as its heading says it: of several senders, which."""
    name = sender(one)
    if not name:
        return Sentence("The reporter")
    if one.of in {each.envelope.id for each in case.origin.claims}:
        return Sentence("Whoever first wrote {name}", name=name)
    return Sentence("Whoever sent report {name}", name=name)


def told(reply: Reply) -> str:
    """What an operator's answer did, as its heading says it."""
    body = reply.body
    if reply.elsewhere:
        return Sentence("answered, to another receipt than this case's")
    if body.status is None:
        return Sentence("answered")
    page = Sentence(public_words(body.status))
    if body.text:
        return Sentence("answered and set the reporter's page to \u201c{page}\u201d", page=page)
    return Sentence("set the reporter's page to \u201c{page}\u201d", page=page)


def count(number: int, one: str) -> str:
    """`1 case`, `2 cases`."""
    return Counted(number, one)


def flat(fields: Mapping[str, Json]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each answered field as its label and the lines of its value; what is empty is left out."""
    yield from _flat(fields, _DEPTH_MOST)


def _flat(fields: Mapping[str, Json], depth: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, value in fields.items():
        lines = tuple(_lines(value, depth, chosen=name in CHOICES))
        if lines:
            yield label(name), lines


def _lines(value: Json, depth: int, *, chosen: bool) -> Iterator[str]:
    if depth == 0:
        # No manifest is as deep (crypto.strict_json); whoever calls this without one is answered.
        yield "…"
        return
    if value is None or value == "":
        return
    if isinstance(value, bool):
        yield Sentence("Yes") if value else Sentence("No")
    elif isinstance(value, str):
        # An id of the form reads as words; whatever was typed stays as it was typed.
        yield label(value) if chosen and _ID.fullmatch(value) else defanged(value)
    elif isinstance(value, (int, float)):
        yield str(value)
    elif isinstance(value, Mapping):
        amount, currency = value.get("value"), value.get("currency")
        if value.keys() == _MONEY and isinstance(amount, str) and isinstance(currency, str):
            # How much money: a number with its currency, and no list of two things.
            known = label(currency) if _ID.fullmatch(currency) else defanged(currency)
            yield Sentence("{amount} {currency}", amount=defanged(amount), currency=known)
            return
        inner = [
            Sentence("{name}: {values}", name=name, values=Several(", ", lines))
            for name, lines in _flat(value, depth - 1)
        ]
        if inner:
            yield Several("; ", inner)
    else:
        for one in value:
            yield from _lines(one, depth - 1, chosen=chosen)


def size(length: int) -> str:
    """A length in bytes as a person reads it."""
    amount, unit = float(length), "bytes"
    for following in ("KB", "MB", "GB"):
        if amount < _KILO:
            break
        amount, unit = amount / _KILO, following
    said = f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
    return Sized(said, length)
