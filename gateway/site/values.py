"""One typed answer out of what was typed.  Raises BadValue with the key of the sentence to show.

Digits of any script are read with ``unicodedata.decimal``: ``digit`` would take a superscript two.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass, field

FIRST_YEAR, LAST_YEAR = 1900, 2100
# Characters of one line: what is looked at, unless the field has room for more, and what the page
# shows again when it is too much.
LINE_MOST = 1000
LINE_SHOWN = 10_000
_YEAR = re.compile(r"(\d{4})\Z")
_MONTH = re.compile(r"(?:(\d{1,2})[/.\- ](\d{4})|(\d{4})[/.\-](\d{1,2}))\Z")
_DAY = re.compile(
    r"(?:(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4})|(\d{4})[/.\-](\d{1,2})[/.\-](\d{1,2}))\Z"
)
# Each run of separators is tried once, as a whole: linear for whatever is typed.
_TIME = re.compile(r"(?<![ T،,])[ T،,]+(\d{1,2})[:hH.](\d{2})?\Z")
_SUM = re.compile(r"[0-9]{1,18}(\.[0-9]{1,8})?\Z")
_PHONE_DIGITS = (3, 20)
_WORDS_MOST = 40
_BIDI = dict.fromkeys(
    map(ord, "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
)
_SEPARATORS = {
    ord(" "): None,
    ord("\u00a0"): None,
    ord("\u202f"): None,
    ord("'"): None,
    ord("٬"): None,
}


# What people write where they do not know, in the site's languages; signs apart.
_UNKNOWN = frozenset(
    {"", "unknown", "not known", "i do not know", "do not know", "dont know", "i dont know", "idk"}
    | {"no idea", "je ne sais pas", "ne sais pas", "inconnu", "inconnue", "nsp"}
    | {"لا أعرف", "لا اعرف", "لا أدري", "لا ادري", "غير معروف", "مجهول"}
)
_SIGNS = re.compile(r"[?؟.…!\-–_/'’]+")


class BadValue(ValueError):
    """What was typed is no answer of this type; ``key`` names the sentence, ``facts`` fills it."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key)
        self.key = key
        self.facts = facts


@dataclass(frozen=True, slots=True)
class FieldError:
    """One mistake, at one input."""

    name: str
    key: str
    facts: dict[str, object] = field(default_factory=dict)


def plain_digits(text: str) -> str:
    """Turn every decimal digit of any script into its ASCII digit; leave the rest as it is."""
    return "".join(
        character if (value := unicodedata.decimal(character, None)) is None else str(value)
        for character in text
    )


def clean_text(text: str) -> str:
    """Return text with the browser's line ends made one, and no control characters but those."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in unified if c in "\n\t" or unicodedata.category(c) != "Cc").strip()


def is_unknown(text: str) -> bool:
    """Whether somebody wrote that they do not know: in words, or with a sign alone."""
    if len(text) > _WORDS_MOST:
        return False
    words = _SIGNS.sub("", text.translate(_BIDI)).casefold()
    return " ".join(words.split()) in _UNKNOWN


def require_line(text: str, most: int) -> None:
    """Refuse one line's text by its length alone, before anything looks at its characters."""
    if len(text) > LINE_SHOWN:
        raise BadValue("error.far_too_long", most=most)
    if len(text) > max(most, LINE_MOST):
        raise BadValue("error.too_long", most=most, over=len(text) - most)


def read_text(text: str, least: int, most: int) -> str:
    """Return the text; refuses fewer or more characters than allowed."""
    if len(text) > most:
        raise BadValue("error.too_long", most=most, over=len(text) - most)
    if len(text) < least:
        raise BadValue("error.too_short", least=least)
    return text


def read_digits(text: str, least: int, most: int) -> str:
    """Return ASCII digits; refuses anything else between them than spaces."""
    digits = plain_digits(text).replace(" ", "").translate(_BIDI)
    if not digits.isascii() or not digits.isdigit() or not least <= len(digits) <= most:
        raise BadValue("error.digits", count=most)
    return digits


def read_decimal(text: str) -> str:
    """Return a sum as ASCII digits with a point; both 1.500,50 and 1,500.50 are read."""
    plain = plain_digits(text).translate({**_SEPARATORS, **_BIDI}).replace("٫", ",")
    if "," in plain and "." in plain:
        thousands = "," if plain.rindex(",") < plain.rindex(".") else "."
        plain = plain.replace(thousands, "")
    elif re.fullmatch(r"\d{1,3}([.,]\d{3})+", plain):
        plain = re.sub(r"[.,]", "", plain)
    plain = plain.replace(",", ".")
    # Never through a number: "1e9999999" is one, and ten million digits long.
    if not _SUM.match(plain):
        raise BadValue("error.amount")
    return plain


def read_phone(text: str) -> str:
    """Return a phone number as typed, with plain digits; words around it are kept."""
    plain = plain_digits(text).translate(_BIDI)
    count = sum(character.isdigit() for character in plain)
    if not _PHONE_DIGITS[0] <= count <= _PHONE_DIGITS[1]:
        raise BadValue("error.phone")
    return plain


def read_email(text: str) -> str:
    """Return an e-mail address; looks only for what a slip of the finger leaves out."""
    plain = text.translate(_BIDI)
    name, _, domain = plain.partition("@")
    parts = domain.split(".")
    if not name or "@" in domain or len(parts) == 1 or not all(parts) or len(plain.split()) > 1:
        raise BadValue("error.email")
    return plain


def read_date(text: str, *, with_time: bool = False) -> str:
    """Return ``2026``, ``2026-11`` or ``2026-11-22``, with ``T14:30`` behind where allowed."""
    plain = plain_digits(text).translate(_BIDI).strip()
    clock = ""
    if with_time and (found := _TIME.search(plain)):
        plain, hour, minute = plain[: found.start()].strip(), int(found[1]), int(found[2] or 0)
        if hour > 23 or minute > 59:  # noqa: PLR2004 a clock's own numbers
            raise BadValue("error.date")
        clock = f"T{hour:02d}:{minute:02d}"
    return _calendar(plain) + clock


def _calendar(plain: str) -> str:
    year, month, day = 0, 0, 0
    if found := _YEAR.match(plain):
        year = int(found[1])
    elif found := _MONTH.match(plain):
        year, month = int(found[2] or found[3]), int(found[1] or found[4])
    elif found := _DAY.match(plain):
        year, month, day = (
            int(found[3] or found[4]),
            int(found[2] or found[5]),
            int(found[1] or found[6]),
        )
    else:
        raise BadValue("error.date")
    try:
        dt.date(year, month if found.re is not _YEAR else 1, day if found.re is _DAY else 1)
    except ValueError:
        raise BadValue("error.date") from None
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise BadValue("error.date")
    parts = [f"{year:04d}", f"{month:02d}", f"{day:02d}"]
    return "-".join(parts[: {_YEAR: 1, _MONTH: 2, _DAY: 3}[found.re]])
