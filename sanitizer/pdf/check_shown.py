"""Judge that a font of a finished PDF speaks of what is shown, and of nothing else.

Rule: shares no code with the writer, but the standard's table of letters' names. A code that no
content shows has no name, no width and no text; a drawn letter that nothing shows is not there.
"""

import re
from collections.abc import Callable, Container
from dataclasses import dataclass, field

from sanitizer.errors import MetadataSurvived
from sanitizer.pdf.check_values import Held
from sanitizer.pdf.letter_names import NAMES
from sanitizer.pdf.letter_names_more import NAMES as MORE_NAMES

_OURS = re.compile(rb"xqz(?:0|[1-9][0-9]{0,5})")
_ALSO = re.compile(rb"\.notdef|\.null|nonmarkingreturn|a(?:[1-9][0-9]?|1[0-9]{2}|20[0-6])")
_NUMBERED = re.compile(rb"uni[0-9A-F]{4}|u[0-9A-F]{4,6}")
_STRING = re.compile(rb"<((?:[0-9a-f]{2})*)>")
_LINE = re.compile(rb"<((?:[0-9a-f]{2}){1,4})> <(?:[0-9a-f]{2}){1,8}>")
_SMALL_M = 109


def _require(fits: bool) -> None:  # noqa: FBT001 - the one thing that it asks
    if not fits:
        raise MetadataSurvived("a font of the result speaks of letters that are not shown")


def is_letter(name: bytes, characters: Container[int] | None = None) -> bool:
    """Tell whether a letter's name is a standard's, ours, or one of a font's characters."""
    if name in NAMES or name in MORE_NAMES or _OURS.fullmatch(name) or _ALSO.fullmatch(name):
        return True
    if characters is None or _NUMBERED.fullmatch(name) is None:
        return False
    return int(name.removeprefix(b"uni").removeprefix(b"u"), 16) in characters


@dataclass(slots=True)
class Seen:
    """What content shows of a font: its bytes, and its pairs of bytes by where they begin."""

    single: set[int] = field(default_factory=set)
    even: set[bytes] = field(default_factory=set)
    odd: set[bytes] = field(default_factory=set)

    def add(self, line: bytes) -> None:
        """Take down the strings of an operation."""
        for found in _STRING.findall(line):
            text = bytes.fromhex(found.decode())
            self.single.update(text)
            self.even.update(text[n : n + 2] for n in range(0, len(text) - 1, 2))
            self.odd.update(text[n : n + 2] for n in range(1, len(text) - 1, 2))

    def join(self, other: "Seen") -> None:
        """Add what was seen elsewhere."""
        self.single |= other.single
        self.even |= other.even
        self.odd |= other.odd


def judge(
    font: dict[str, object],
    seen: Seen,
    resolved: Callable[[object], Held],
    inflated: Callable[[bytes | None], bytes],
) -> None:
    """Raise MetadataSurvived unless a font speaks only of what is ``seen``."""
    subtype = font.get("Subtype")
    text = resolved(font.get("ToUnicode"))
    if text.data is not None:
        codes = str(resolved(font.get("Encoding")).value)
        is_paired = re.match(r"Identity-|.*-UCS2-", codes) is not None
        _texts(inflated(text.data), seen, is_simple=subtype != "Type0", is_paired=is_paired)
    if subtype == "Type0":
        return
    descriptor = resolved(font.get("FontDescriptor")).value
    told_of = descriptor if isinstance(descriptor, dict) else {}
    files = {key for key in told_of if "FontFile" in key}
    _widths(font, seen.single | (set() if files or subtype == "Type3" else {_SMALL_M}), resolved)
    encoding = resolved(font.get("Encoding")).value
    told = encoding.get("Differences", []) if isinstance(encoding, dict) else []
    letters = _listed(told)
    _require(set(letters) <= seen.single)
    if subtype == "Type3":
        order = [f"xqz{n}" for n in range(len(set(letters.values())))]
        procedures = font.get("CharProcs")
        _require(list(dict.fromkeys(letters.values())) == order)
        _require(isinstance(procedures, dict) and list(procedures) == order)
        return
    # Only a font that is asked by characters is served by their numbers.
    characters = None if files - {"FontFile2"} else range(0x110000)
    for name in letters.values():
        _require(is_letter(name.encode(), characters))


def _listed(told: object) -> dict[int, str]:
    """Return which codes have which names; codes must go up, and none be told without need."""
    found: dict[int, str] = {}
    code = -1
    for each in told if isinstance(told, list) else []:
        if isinstance(each, int):
            _require(each > code)
            code = each
        else:
            _require(0 <= code < 256)  # noqa: PLR2004 - a byte
            found[code] = str(each)
            code += 1
    return found


def _widths(font: dict[str, object], kept: set[int], resolved: Callable[[object], Held]) -> None:
    widths, first = resolved(font.get("Widths")).value, font.get("FirstChar")
    if not isinstance(widths, list) or not isinstance(first, int):
        _require(widths is None)
        return
    _require(font.get("LastChar") == first + len(widths) - 1)
    for code, width in enumerate(widths, first):
        _require(code in kept or width == 0)
    _require(len(widths) == 1 or {first, first + len(widths) - 1} <= kept)


def _texts(data: bytes, seen: Seen, *, is_simple: bool, is_paired: bool) -> None:
    """Judge that each line gives a short text to a code that is shown, and codes go up."""
    before = (0, b"")
    within = False
    for line in data.split(b"\n"):
        if line.endswith((b" beginbfchar", b"endbfchar")):
            within = line.endswith(b" beginbfchar")
        elif within:
            found = _LINE.fullmatch(line)
            code = bytes.fromhex(found[1].decode()) if found else b""
            _require(before < (len(code), code) and _is_shown(code, seen, is_simple, is_paired))
            before = (len(code), code)
        else:
            _require(not line.startswith(b"<") or set(line) <= set(b"<0f> "))
            _require(b"range" not in line or line.endswith(b"codespacerange"))


def _is_shown(code: bytes, seen: Seen, is_simple: bool, is_paired: bool) -> bool:  # noqa: FBT001
    if is_simple or len(code) == 1:
        return int.from_bytes(code, "big") in seen.single
    if is_paired:
        return all(code[n : n + 2] in seen.even for n in range(0, len(code) - 1, 2))
    return all(code[n : n + 2] in seen.even | seen.odd for n in range(len(code) - 1))
