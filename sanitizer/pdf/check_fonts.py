"""Judge the fonts of a finished PDF: tables, dictionaries and programs without a history.

Rule: shares no code with the writer. A TrueType font is its table of tables and the tables that
draw, without a gap; a compact font is called F and has the operators that draw; a Type 1 program
is the one that we write, around another font's numbers; a map is tables in a frame.
"""

import re
import struct
from collections.abc import Iterator
from itertools import pairwise

from sanitizer.errors import MetadataSurvived
from sanitizer.pdf.check_shown import is_letter

ORDERINGS = {b"Identity", b"Japan1", b"GB1", b"CNS1", b"Korea1", b"KR", b"UCS", b"Japan2"}
"""The collections of characters that every reader knows."""
TABLES = set(b"CFF |cmap|cvt |fpgm|glyf|head|hhea|hmtx|loca|maxp|post|prep".split(b"|")) | {
    b"vhea",
    b"vmtx",
    b"VORG",
}  # fmt: skip
"""The tables that an embedded font may have."""
_TOP = {5, 15, 16, 17, 18, 1205, 1207, 1208, 1230, 1234, 1236, 1237}
_CODE = rb"<(?:[0-9a-f]{2}){1,4}>"
_TEXT = rb"<(?:[0-9a-f]{2}){1,8}>"
_NUMBER = rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?"
_NUMBERS = rb"(?:" + _NUMBER + rb"(?: " + _NUMBER + rb")*)?"
_MAP_LINE = re.compile(
    rb"/CIDInit /ProcSet findresource begin|12 dict begin|begincmap|/CMapName /F def"
    rb"|/CMapType [12] def|/WMode 1 def|endcmap|CMapName currentdict /CMap defineresource pop|end"
    rb"|(?:[1-9][0-9]{0,2} begin|end)"
    rb"(?:codespacerange|notdefchar|notdefrange|cidchar|cidrange|bfchar)"
    rb"|(?:" + _CODE + rb" ){1,2}[0-9]{1,10}|" + _CODE + rb" " + _TEXT + rb"?"
)
_CLEAR = re.compile(
    rb"%!FontType1-1\.0: F\n11 dict begin\n/FontName /F def\n/FontType 1 def\n"
    rb"/PaintType [0-3] def\n(?:/StrokeWidth " + _NUMBER + rb" def\n)?"
    rb"/FontMatrix \[" + _NUMBERS + rb"\] readonly def\n"
    rb"/FontBBox \{" + _NUMBERS + rb"\} readonly def\n"
    rb"(?:/Encoding StandardEncoding def\n|/Encoding 256 array\n"
    rb"0 1 255 \{1 index exch /\.notdef put\} for\n((?:dup [0-9]{1,3} /[A-Za-z0-9._]+ put\n)*)"
    rb"readonly def\n)currentdict end\ncurrentfile eexec\n"
)
_PRIVATE = re.compile(
    rb"dup /Private 20 dict dup begin\n"
    rb"/RD \{string currentfile exch readstring pop\} executeonly def\n"
    rb"/ND \{noaccess def\} executeonly def\n/NP \{noaccess put\} executeonly def\n"
    rb"/MinFeature \{16 16\} def\n/password 5839 def\n"
    rb"(?:/(?:BlueValues|OtherBlues|FamilyBlues|FamilyOtherBlues|StdHW|StdVW|StemSnapH|StemSnapV)"
    rb" \[" + _NUMBERS + rb"\] def\n"
    rb"|/(?:BlueScale|BlueShift|BlueFuzz|LanguageGroup|ExpansionFactor) " + _NUMBER + rb" def\n"
    rb"|/ForceBold true def\n)*"
    rb"/OtherSubrs \[\{\} \{\} \{\} \{\}\] def\n/Subrs ([0-9]+) array\n"
)
_SUBR = re.compile(rb"dup ([0-9]+) ([0-9]+) RD ")
_BEGIN = re.compile(rb"ND\n2 index /CharStrings ([0-9]+) dict dup begin\n")
_GLYPH = re.compile(rb"/([A-Za-z0-9._]+) ([0-9]+) RD ")
_END = (
    b"end\nend\nreadonly put\nnoaccess put\ndup /FontName get exch definefont pop\n"
    b"mark currentfile closefile\n"
)


def _require(fits: bool) -> None:  # noqa: FBT001 - the one thing that it asks
    if not fits:
        raise MetadataSurvived("a font of the result holds more than its letters")


def mapping(data: bytes) -> None:
    """Judge a map from codes to characters, line by line."""
    _require(data.endswith(b"end\nend\n"))
    for line in data[:-1].split(b"\n"):
        _require(_MAP_LINE.fullmatch(line) is not None)


def program(table: dict[str, object], data: bytes) -> None:
    """Judge an embedded font program by its first bytes."""
    try:
        if data.startswith((b"\0\1\0\0", b"OTTO")):
            _sfnt(data)
        elif data.startswith(b"%!"):
            _type1(data, table)
        else:
            _compact(data)
    except (struct.error, IndexError, ValueError):
        raise MetadataSurvived("a font of the result is broken") from None


def _sfnt(data: bytes) -> None:
    (count,) = struct.unpack_from(">H", data, 4)
    at = 12 + 16 * count
    widest = wide = 0
    characters: set[int] | None = None if data.startswith(b"OTTO") else set()
    for number in range(count):
        tag, total, offset, length = struct.unpack_from(">4sIII", data, 12 + 16 * number)
        body = data[offset : offset + length]
        _require(tag in TABLES and offset == at and len(body) == length)
        at += length + -length % 4
        _require(not any(data[offset + length : at]))
        words = struct.unpack(f">{(length + 3) // 4}I", body + bytes(-length % 4))
        if tag == b"head":
            _require(body[20:36] == bytes(16) and body[44:46] == bytes(2))
            _require(body[4:8] == b"\0\1\0\0" and total == (sum(words) - words[2]) & 0xFFFFFFFF)
        else:
            _require(total == sum(words) & 0xFFFFFFFF)
        if tag == b"maxp":
            _bounds(body)
        elif tag in {b"hhea", b"vhea"}:
            _require(body[:4] == b"\0\1\0\0" and body[12:34] == bytes(6) + b"\0\1" + bytes(14))
            widest, wide = struct.unpack_from(">H22xH", body, 10)
        elif tag in {b"hmtx", b"vmtx"}:
            many = min(length // 2, 2 * wide)
            _require(widest == max(struct.unpack_from(f">{many}H", body)[::2], default=0))
        elif tag == b"post":
            _letters(body, characters)
        elif tag == b"CFF ":
            _compact(body)
        elif tag == b"cmap":
            found = _characters(body)
            characters = None if characters is None else found
    _require(at == len(data))


def _bounds(table: bytes) -> None:
    """Judge that how much a font may hold is told roughly: a power of two, or all that goes."""
    for each in struct.unpack(f">{(len(table) - 6) // 2}H", table[6:]):
        _require(each & each - 1 == 0 or each == 0xFFFF)  # noqa: PLR2004 - the most that goes


def _letters(table: bytes, characters: set[int] | None) -> None:
    at = 32
    if table[:4] == b"\0\2\0\0":
        at += 2 + 2 * struct.unpack_from(">H", table, 32)[0]
    while at < len(table):
        _require(is_letter(table[at + 1 : at + 1 + table[at]], characters))
        at += 1 + table[at]
    _require(at == len(table) and table[4:15] == bytes(11) and table[15] in {0, 1})
    _require(table[16:32] == bytes(16))


def _runs(table: bytes, at: int, form: int, length: int) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of each run of characters in a map."""
    if form == 12:  # noqa: PLR2004 - groups
        words = struct.unpack_from(f">{length - 16 >> 2}I", table, at + 16)
        return zip(words[::3], words[1::3], strict=True)
    many = length - 16 >> 3
    words = struct.unpack_from(f">{2 * many + 1}H", table, at + 14)
    return zip(words[many + 1 :], words[:many], strict=True)


def _characters(table: bytes) -> set[int]:
    """Judge that maps of known forms follow each other without a gap; return the characters."""
    (count,) = struct.unpack_from(">H", table, 2)
    at = 4 + 8 * count
    characters: set[int] = set()
    for number in range(count):
        platform, offset = struct.unpack_from(">HxxI", table, 4 + 8 * number)
        form, length = struct.unpack_from(">HH", table, offset)
        if form == 12:  # noqa: PLR2004 - groups
            (length,) = struct.unpack_from(">I", table, offset + 4)
        _require(form in {4, 12} and offset == at)
        if platform != 1:
            for first, last in _runs(table, offset, form, length):
                characters.update(range(first, last + 1))
        at += length
    _require(at == len(table))
    return characters


def index(data: bytes, at: int) -> tuple[list[bytes], int]:
    """Return the items of an index, and where it ends."""
    (count,) = struct.unpack_from(">H", data, at)
    if not count:
        return [], at + 2
    size = data[at + 2]
    ends = [
        int.from_bytes(data[n : n + size], "big")
        for n in range(at + 3, at + 3 + (count + 1) * size, size)
    ]
    base = at + 2 + (count + 1) * size
    _require(ends[0] == 1 and base + ends[-1] <= len(data))
    return [data[base + a : base + b] for a, b in pairwise(ends)], base + ends[-1]


def _compact(data: bytes) -> None:
    names, at = index(data, 4)
    tops, at = index(data, at)
    strings, at = index(data, at)
    _, at = index(data, at)
    _require(data[:4] == b"\1\0\4\4" and names == [b"F"] and len(tops) == 1)
    found = operators(tops[0])
    _require(set(found) <= _TOP)
    known = [b"Adobe", b"Identity"] if 1230 in found else []  # noqa: PLR2004 - by number
    _require(strings[: len(known)] == known and all(map(is_letter, strings[len(known) :])))
    places = [found[key][-1] for key in (15, 16, 17, 1236, 1237) if found.get(key, [0])[-1] > 2]  # noqa: PLR2004
    # The first of the parts begins where the tables of the head end.
    _require(min(places) == at)


def operators(data: bytes) -> dict[int, list[int]]:
    """Return operators and operands; real numbers count as 0."""
    found: dict[int, list[int]] = {}
    operands: list[int] = []
    at = 0
    while at < len(data):
        first = data[at]
        at += 1
        if first <= 21:  # noqa: PLR2004 - an operator
            if first == 12:  # noqa: PLR2004 - of two bytes
                first = 1200 + data[at]
                at += 1
            _require(first not in found)
            found[first], operands = operands, []
        elif first == 30:  # noqa: PLR2004 - a real number
            while data[at] & 15 != 15 and data[at] >> 4 != 15:  # noqa: PLR2004 - its end
                at += 1
            operands.append(0)
            at += 1
        else:
            width = {28: 2, 29: 4}.get(first, 0 if first < 247 else 1)  # noqa: PLR2004 - its bytes
            operands.append(int.from_bytes(data[at : at + width], "big"))
            at += width
    return found


def _decoded(coded: bytes) -> bytes:
    key, made = 55665, bytearray()
    for byte in coded:
        made.append(byte ^ key >> 8)
        key = (byte + key) * 52845 + 22719 & 0xFFFF
    return bytes(made)


def _type1(data: bytes, table: dict[str, object]) -> None:
    found = _CLEAR.match(data)
    if found is None:
        raise MetadataSurvived("a font of the result is another program than ours")
    for line in (found[1] or b"").splitlines():
        _require(is_letter(line.split(b"/")[1][:-4]))
    coded = data[found.end() :]
    _require((table.get("Length1"), table.get("Length2")) == (found.end(), len(coded)))
    plain = _decoded(coded)
    private = _PRIVATE.match(plain, 4)
    if private is None or plain[:4] != bytes(4):
        raise MetadataSurvived("a font of the result is another program than ours")
    at = private.end()
    while item := _SUBR.match(plain, at):
        at = _coded(plain, item, b" NP\n")
    begin = _BEGIN.match(plain, at)
    if begin is None:
        raise MetadataSurvived("a font of the result is another program than ours")
    at, count = begin.end(), 0
    while item := _GLYPH.match(plain, at):
        _require(is_letter(item[1]))
        at, count = _coded(plain, item, b" ND\n"), count + 1
    _require(plain[at:] == _END and count == int(begin[1]))


def _coded(plain: bytes, item: re.Match[bytes], ending: bytes) -> int:
    """Judge one letter; the bytes that its code begins with must hold nothing but zeros."""
    at = item.end() + int(item[2])
    key, lead = 4330, plain[item.end() : item.end() + 4]
    for byte in lead:
        _require(byte == key >> 8)
        key = (byte + key) * 52845 + 22719 & 0xFFFF
    _require(len(lead) == 4 and plain[at : at + len(ending)] == ending)  # noqa: PLR2004 - bytes
    return at + len(ending)
