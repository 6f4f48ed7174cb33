"""Type 1 fonts, written anew from what was understood of them (Adobe Type 1 Font Format).

Rule: a Type 1 font is a program. Only its outlines, its hints, its matrix and its encoding are
read out, by the forms in which every tool writes them; the program around them is ours. The
random bytes before each letter, comments, notices, unique numbers and names go.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from sanitizer.errors import Malformed, TooComplex
from sanitizer.pdf.glyphs import Names
from sanitizer.pdf.model import number

_EEXEC, _CHARSTRING = 55665, 4330
_SEGMENT = re.compile(rb"\x80[\x01\x02](....)", re.DOTALL)
_HEX = re.compile(rb"[0-9A-Fa-f\s]{8}")
_LONGEST = 8 << 20
_MOST_LETTERS = 70_000
_NUMBERS = rb"\s*[\[{]([-+0-9.eE\s]{0,600})[\]}]"
_MATRIX = re.compile(rb"/FontMatrix" + _NUMBERS)
_BBOX = re.compile(rb"/FontBBox" + _NUMBERS)
_PAINT = re.compile(rb"/PaintType\s+([0-3])\b")
_STROKE = re.compile(rb"/StrokeWidth\s+([-+0-9.]{1,20})")
_STANDARD = re.compile(rb"/Encoding\s+StandardEncoding\b")
_ENCODED = re.compile(
    rb"dup\s+(\d{1,3}|8#[0-7]{1,3}|16#[0-9A-Fa-f]{1,2})\s*/([^\s()<>\[\]{}/%]{1,127})\s+put\b"
)
_LEN_IV = re.compile(rb"/lenIV\s+(-?\d{1,2})\b")
_LISTS = (
    b"BlueValues", b"OtherBlues", b"FamilyBlues", b"FamilyOtherBlues", b"StdHW", b"StdVW",
    b"StemSnapH", b"StemSnapV",
)  # fmt: skip
_SINGLE = (b"BlueScale", b"BlueShift", b"BlueFuzz", b"LanguageGroup", b"ExpansionFactor")
_LIST = {key: re.compile(rb"/" + key + _NUMBERS) for key in _LISTS}
_ONE = {key: re.compile(rb"/" + key + rb"\s+([-+0-9.eE]{1,20})\s") for key in _SINGLE}
_BOLD = re.compile(rb"/ForceBold\s+true\b")
_SUBR = re.compile(rb"dup\s+(\d{1,5})\s+(\d{1,5})\s+(?:RD|-\||[^\s\d/]{1,12}) ")
_LETTER = re.compile(rb"/([^\s()<>\[\]{}/%]{1,127})\s+(\d{1,5})\s+(?:RD|-\||[^\s\d/]{1,12}) ")
_SUBRS = re.compile(rb"/Subrs\s+(\d{1,5})\s+array")
_CHARSTRINGS = re.compile(rb"/CharStrings\s+\d{1,5}\s+dict")
_GAP = 400


@dataclass(slots=True)
class _Font:
    """What was understood of a font."""

    matrix: bytes
    box: bytes
    head: list[bytes] = field(default_factory=list)
    encoding: dict[int, bytes] | None = None
    private: list[bytes] = field(default_factory=list)
    subroutines: dict[int, bytes] = field(default_factory=dict)
    letters: dict[bytes, bytes] = field(default_factory=dict)


def cleaned(untrusted: bytes, names: Names) -> tuple[bytes, tuple[int, int]]:
    """Return the font anew, and the lengths of its clear and its coded part.

    Raises Malformed or TooComplex.
    """
    if len(untrusted) > _LONGEST:
        raise TooComplex("a font longer than the limit")
    data = _without_segments(untrusted)
    split = data.find(b"eexec")
    if split < 0:
        raise Malformed("a font without letters")
    clear, coded = data[:split], _coded(data[split + 5 :])
    font = _read(clear, _decoded(coded, _EEXEC)[4:])
    return _written(font, names)


def _without_segments(data: bytes) -> bytes:
    """Return a font without the frames in which a disk would hold it."""
    made, at = [], 0
    while found := _SEGMENT.match(data, at):
        length = int.from_bytes(found[1], "little")
        made.append(data[at + 6 : at + 6 + length])
        at += 6 + length
    return b"".join(made) if made else data


def _coded(data: bytes) -> bytes:
    """Return the coded part as bytes, without the blanks before it."""
    start = len(data) - len(data.lstrip(b" \t\r\n"))
    body = data[start:]
    if _HEX.match(body):
        digits = re.sub(rb"[^0-9A-Fa-f]", b"", body)
        return bytes.fromhex(digits[: len(digits) // 2 * 2].decode())
    # One line's end alone belongs to the word before: the next byte may look like a blank.
    first = 2 if data.startswith(b"\r\n") else 1
    return data[first:]


def _decoded(coded: bytes, key: int) -> bytes:
    made = bytearray(len(coded))
    for place, byte in enumerate(coded):
        made[place] = byte ^ key >> 8
        key = (byte + key) * 52845 + 22719 & 0xFFFF
    return bytes(made)


def _encoded(plain: bytes, key: int) -> bytes:
    made = bytearray(len(plain))
    for place, byte in enumerate(plain):
        code = byte ^ key >> 8
        made[place] = code
        key = (code + key) * 52845 + 22719 & 0xFFFF
    return bytes(made)


@lru_cache(maxsize=4096)
def _letter_encoded(plain: bytes) -> bytes:
    return _encoded(bytes(4) + plain, _CHARSTRING)


# --- reading ---------------------------------------------------------------------------------


def _read(clear: bytes, private: bytes) -> _Font:
    matrix, box = _MATRIX.search(clear), _BBOX.search(clear)
    font = _Font(
        _list(matrix[1] if matrix else b"0.001 0 0 0.001 0 0"), _list(box[1] if box else b"0 0 0 0")
    )
    paint, stroke = _PAINT.search(clear), _STROKE.search(clear)
    font.head.append(b"/PaintType %s def" % (paint[1] if paint else b"0"))
    if stroke:
        font.head.append(b"/StrokeWidth %s def" % number(stroke[1]))
    if not _STANDARD.search(clear):
        font.encoding = {}
        for found in _ENCODED.finditer(clear, max(0, clear.find(b"/Encoding"))):
            base, _, digits = found[1].rpartition(b"#")
            code = int(digits, int(base or b"10"))
            if code < 256:  # noqa: PLR2004 - a byte
                font.encoding[code] = found[2]
    for key, pattern in _LIST.items():
        told = pattern.search(private)
        if told:
            font.private.append(b"/%s [%s] def" % (key, _list(told[1])))
    for key, pattern in _ONE.items():
        told = pattern.search(private)
        if told:
            font.private.append(b"/%s %s def" % (key, number(told[1])))
    if _BOLD.search(private):
        font.private.append(b"/ForceBold true def")
    _read_letters(font, private)
    return font


def _list(told: bytes) -> bytes:
    return b" ".join(number(each) for each in told.split())


def _read_letters(font: _Font, private: bytes) -> None:
    """Read subroutines and letters, which are bytes among words."""
    lead_told = _LEN_IV.search(private)
    lead = int(lead_told[1]) if lead_told else 4
    begin = _CHARSTRINGS.search(private)
    subrs = _SUBRS.search(private)
    if subrs is not None:
        at = subrs.end()
        for found, body in _coded_items(_SUBR, private, at):
            font.subroutines[int(found[1])] = _plain(body, lead)
            at = found.end() + len(body)
        begin = _CHARSTRINGS.search(private, at) or begin
    if begin is None:
        raise Malformed("a font without letters")
    for found, body in _coded_items(_LETTER, private, begin.end()):
        font.letters.setdefault(found[1], _plain(body, lead))
    if not font.letters:
        raise Malformed("a font without letters")


def _coded_items(
    pattern: re.Pattern[bytes], data: bytes, at: int
) -> list[tuple[re.Match[bytes], bytes]]:
    """Return items that follow each other with few words between."""
    made: list[tuple[re.Match[bytes], bytes]] = []
    while len(made) <= _MOST_LETTERS:
        found = pattern.search(data, at, at + _GAP)
        if found is None:
            return made
        length = int(found[2])
        body = data[found.end() : found.end() + length]
        if len(body) != length:
            return made
        made.append((found, body))
        at = found.end() + length
    raise TooComplex("a font with too many letters")


def _plain(coded: bytes, lead: int) -> bytes:
    return coded if lead < 0 else _decoded(coded, _CHARSTRING)[lead:]


# --- writing ---------------------------------------------------------------------------------


def _written(font: _Font, names: Names) -> tuple[bytes, tuple[int, int]]:
    """Return the program, ours around its outlines."""
    lines = [
        b"%!FontType1-1.0: F",
        b"11 dict begin",
        b"/FontName /F def",
        b"/FontType 1 def",
        *font.head,
        b"/FontMatrix [%s] readonly def" % font.matrix,
        b"/FontBBox {%s} readonly def" % font.box,
    ]
    if font.encoding is None:
        lines.append(b"/Encoding StandardEncoding def")
    else:
        lines += [b"/Encoding 256 array", b"0 1 255 {1 index exch /.notdef put} for"]
        lines += [
            b"dup %d /%s put" % (code, names.of(name))
            for code, name in sorted(font.encoding.items())
        ]
        lines.append(b"readonly def")
    clear = b"\n".join([*lines, b"currentdict end", b"currentfile eexec\n"])
    most = max(font.subroutines, default=-1) + 1
    inner = [
        b"dup /Private 20 dict dup begin",
        b"/RD {string currentfile exch readstring pop} executeonly def",
        b"/ND {noaccess def} executeonly def",
        b"/NP {noaccess put} executeonly def",
        b"/MinFeature {16 16} def",
        b"/password 5839 def",
        *font.private,
        b"/OtherSubrs [{} {} {} {}] def",
        b"/Subrs %d array" % most,
        *(
            b"dup %d %d RD %s NP" % (place, len(code), code)
            for place, code in sorted(
                (place, _letter_encoded(body)) for place, body in font.subroutines.items()
            )
        ),
        b"ND",
        b"2 index /CharStrings %d dict dup begin" % len(font.letters),
        *(
            b"/%s %d RD %s ND" % (names.of(name), len(code), code)
            for name, code in ((name, _letter_encoded(body)) for name, body in font.letters.items())
        ),
        b"end",
        b"end",
        b"readonly put",
        b"noaccess put",
        b"dup /FontName get exch definefont pop",
        b"mark currentfile closefile\n",
    ]
    coded = _encoded(bytes(4) + b"\n".join(inner), _EEXEC)
    return clear + coded, (len(clear), len(coded))
