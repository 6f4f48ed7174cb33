"""Re-read a cleaned text and refuse it if anything invisible is left that tells nothing.

Rule: shares no code with the writer. Judged by the categories of the Unicode database and not by
the writer's lists: whatever is a format character, a filler or a selector must stand where the
few patterns below allow it, and never two of them beside each other outside an emoji.
"""

import re
import unicodedata
from typing import BinaryIO

from sanitizer.errors import MetadataSurvived

CONTROLS = "\t\n\f"
"""The control characters that may stand in a result."""
# Format characters that are seen: signs over or under numbers and abbreviations.
_SEEN = (
    set(map(chr, [*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2]))
    | {"\U000110bd", "\U000110cd"}
)  # fmt: skip
_DIRECTIONS = "\u061c\u200e\u200f\u202a-\u202c\u2066-\u2069"
_SELECTORS = "\u180b-\u180d\ufe0e\ufe0f"
_INVISIBLE = f"{_DIRECTIONS}{_SELECTORS}\u200c\u200d\U000e0061-\U000e007f"
_FILLERS = set("\u034f\u115f\u1160\u17b4\u17b5\u180f\u2800\u3164\uffa0\ufffc")
_PAIRS = re.compile(f"[{_INVISIBLE}]{{2}}")
_EMOJI_JOIN = re.compile("\ufe0f\u200d")
_TAGS = re.compile("\U0001f3f4[\U000e0061-\U000e007a]{5}\U000e007f")
_STRAY_TAG = re.compile("[\U000e0000-\U000e0fff]")
_RIGHT_TO_LEFT = {"R", "AL"}
_DIRECTED = re.compile(f"[{_DIRECTIONS}]")
_RUNS = re.compile(f"[{_INVISIBLE}]+")
_LONGEST_RUN = 7


def check(file: BinaryIO) -> None:
    """Raise MetadataSurvived unless ``file`` holds UTF-8 text with nothing hidden in it."""
    try:
        text = file.read().decode()
    except UnicodeDecodeError:
        raise MetadataSurvived("the result is no text") from None
    if not unicodedata.is_normalized("NFC", text):
        raise MetadataSurvived("the result is spelt in more than one way")
    if any(not _is_allowed(sign) for sign in set(text)):
        raise MetadataSurvived("the result holds a character that cannot be seen")
    if _STRAY_TAG.search(_TAGS.sub("", text)):
        raise MetadataSurvived("the result holds tags outside a flag")
    if text.endswith("\n\n"):
        raise MetadataSurvived("blank lines at the end of the result")
    for line in text.split("\n"):
        if line != line.rstrip():
            raise MetadataSurvived("blanks at the end of a line of the result")
        if not line.isascii():
            _check_line(line)


def _is_allowed(sign: str) -> bool:
    """Judge one character by its category alone."""
    category = unicodedata.category(sign)
    if category == "Cc":
        return sign in CONTROLS
    if category == "Cf":
        return sign in _SEEN or re.match(f"[{_INVISIBLE}]", sign) is not None
    if "\ufe00" <= sign <= "\ufe0f":
        return sign in "\ufe0e\ufe0f"
    if category in {"Zs", "Zl", "Zp"}:
        return sign in " \u3000"
    is_lost = 0xFDD0 <= ord(sign) <= 0xFDEF or ord(sign) & 0xFFFE == 0xFFFE  # noqa: PLR2004 - Unicode
    return sign not in _FILLERS and category not in {"Cs", "Co"} and not is_lost


def _check_line(line: str) -> None:
    """Judge the invisible characters of a line by where they stand."""
    plain = _EMOJI_JOIN.sub("\u200d", _TAGS.sub("", line))
    for pair in _PAIRS.finditer(plain):
        # A direction mark may stand beside a joiner, and at the edge of an embedding.
        if not _DIRECTED.search(pair[0]):
            raise MetadataSurvived("invisible characters beside each other in the result")
    if any(len(run[0]) > _LONGEST_RUN for run in _RUNS.finditer(plain)):
        raise MetadataSurvived("a pile of invisible characters in the result")
    if _DIRECTED.search(plain) and not any(
        unicodedata.bidirectional(sign) in _RIGHT_TO_LEFT
        for sign in plain
        if unicodedata.category(sign) != "Cf"
    ):
        raise MetadataSurvived("direction marks in a line that has one direction")
