"""Judge the streams of a finished PDF: drawing, pictures, functions, profiles.

Rule: shares no code with the writer. Compressed data ends with its last byte; drawing is one
operation a line, of operators and operands on the list; a picture has exactly the bytes that its
numbers ask for, or is of a codec whose parts are on the list.
"""

import io
import re
import struct
import zlib
from dataclasses import dataclass, field

from sanitizer.errors import MetadataSurvived
from sanitizer.jpeg import check as jpeg_check
from sanitizer.pdf.check_shown import Seen
from sanitizer.source import BytesSource

INK = r"Ink\d+|All|None|Cyan|Magenta|Yellow|Black|Red|Green|Blue"
"""What a spot colour may be called."""
_MOST = 256 << 20
_BOX = 8
_BARE = rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]{0,7}[1-9])?"
_N = _BARE + rb" "
_S = rb"<(?:[0-9a-f]{2})*>"
_PART = rb"(?:" + _S + rb"|" + _BARE + rb")"
_LINE = re.compile(
    rb"(?:[qQhnSsfFB]|f\*|B\*|b|b\*|W|W\*|BT|ET|T\*)"
    rb"|" + _N + rb"(?:[wJjMiGg]|T[cwzLrs])"
    rb"|(?:" + _N + rb"){2}(?:[ml]|Td|TD|d0)"
    rb"|(?:" + _N + rb"){3}(?:RG|rg)"
    rb"|(?:" + _N + rb"){4}(?:[vykK]|re)"
    rb"|(?:" + _N + rb"){6}(?:c|cm|Tm|d1)"
    rb"|\[(?:" + _BARE + rb"(?: " + _BARE + rb")*)?\] " + _N + rb"d"
    rb"|" + _S + rb" (?:Tj|')"
    rb"|(?:" + _N + rb"){2}" + _S + rb' "'
    rb"|\[(?:" + _PART + rb"(?: " + _PART + rb")*)?\] TJ"
    rb"|/(?:Absolute|Relative)Colorimetric ri|/(?:Saturation|Perceptual) ri"
    rb"|(?:" + _N + rb"){0,32}(?:sc|SC|scn|SCN)"
)
_NAMING = re.compile(
    rb"/(F\d+) " + _N + rb"(Tf)|/(G\d+) (gs)|/(X\d+) (Do)|/(S\d+) (sh)|/(C\d+) (cs|CS)"
    rb"|(?:" + _N + rb"){0,32}/(P\d+) (scn|SCN)"
    rb"|/(DeviceGray|DeviceRGB|DeviceCMYK|Pattern) (cs|CS)"
)
_KINDS = {
    b"Tf": "Font", b"gs": "ExtGState", b"Do": "XObject", b"sh": "Shading", b"cs": "ColorSpace",
    b"CS": "ColorSpace", b"scn": "Pattern", b"SCN": "Pattern",
}  # fmt: skip
_SHOWS = (b" Tj", b" TJ", b" '", b' "')
_CALCULATOR = re.compile(
    rb"(?:[{}]|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?|[a-z]{2,8})(?: (?:[{}]|-?(?:0|[1-9][0-9]*)"
    rb"(?:\.[0-9]+)?|[a-z]{2,8}))*"
)
_PROFILE_NAMES = (b"", b"sRGB", b"Display P3", b"Adobe RGB")


def _require(fits: bool) -> None:  # noqa: FBT001 - the one thing that it asks
    if not fits:
        raise MetadataSurvived("a stream of the result holds more than is seen")


def inflated(data: bytes | None) -> bytes:
    """Return what a compressed stream holds; nothing may stand behind its end."""
    _require(data is not None)
    unpacker = zlib.decompressobj()
    try:
        made = unpacker.decompress(data or b"", _MOST)
    except zlib.error:
        raise MetadataSurvived("a stream of the result is broken") from None
    _require(unpacker.eof and not unpacker.unused_data)
    return made


# --- drawing -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Used:
    """The resources that drawing names, and the fonts whose letters it does not show."""

    names: dict[str, set[str]] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=set)
    states: frozenset[str] = frozenset()
    """The states that set a font."""
    seen: dict[str, Seen] = field(default_factory=dict)
    """What is shown of each font, by the name of what sets it."""


def content(data: bytes, used: Used) -> None:
    """Judge drawing; note in ``used`` what it names."""
    mode, font = b"0", ""
    saved: list[tuple[bytes, str]] = []
    _require(not data.endswith(b"\n"))
    for ended in io.BytesIO(data):
        line = ended.removesuffix(b"\n")
        if line == b"q":
            saved.append((mode, font))
        elif line == b"Q":
            _require(bool(saved))
            mode, font = saved.pop()
        elif line.startswith(b"/") or line.endswith((b" scn", b" SCN")):
            font = _names(line, used, font)
        else:
            _require(_LINE.fullmatch(line) is not None)
            if line.endswith(b" Tr"):
                mode = line[:-3]
            elif line.endswith(_SHOWS):
                used.seen.setdefault(font, Seen()).add(line)
                if mode == b"3":
                    used.unseen.add(font)
    _require(not saved)


def _names(line: bytes, used: Used, font: str) -> str:
    """Note what a line names; return the font that is set behind it."""
    found = _NAMING.fullmatch(line)
    if found is None:
        _require(_LINE.fullmatch(line) is not None)
        return font
    name, operator = (each for each in found.groups() if each is not None)
    if not name.startswith((b"Device", b"Pattern")):
        used.names.setdefault(_KINDS[operator], set()).add(name.decode())
    is_set = operator == b"Tf" or (operator == b"gs" and name.decode() in used.states)
    return name.decode() if is_set else font


# --- pictures ----------------------------------------------------------------------------------


def image(table: dict[str, object], data: bytes | None, components: int) -> None:
    """Judge a picture, by its codec."""
    codec = table.get("Filter")
    width, height = table.get("Width"), table.get("Height")
    bits = table.get("BitsPerComponent", 8)
    if not isinstance(width, int) or not isinstance(height, int) or not isinstance(bits, int):
        raise MetadataSurvived("a picture of the result has no size")
    if codec == "DCTDecode":
        jpeg_check.check(BytesSource(data or b""))
        _require(b"ICC_PROFILE" not in (data or b"")[:65536])
    elif codec == "JPXDecode":
        jpx(data or b"")
    elif codec == "JBIG2Decode":
        jbig2(data or b"")
    else:
        _samples(table, inflated(data), (width, height, bits * components))


def palette(table: dict[str, object], data: bytes | None, space: list[object]) -> None:
    """Judge the colours of a picture: those that no sample has are black."""
    if table.get("Filter") != "FlateDecode":
        return
    _require("DecodeParms" not in table and len(space) == 4)  # noqa: PLR2004 - its four parts
    bits, last, colours = table.get("BitsPerComponent"), space[2], space[3]
    if not isinstance(bits, int) or not isinstance(last, int) or not isinstance(colours, bytes):
        raise MetadataSurvived("a palette of the result has no colours")
    _require(bits in {1, 2, 4, 8})
    digits = "".join(f"{byte:08b}" for byte in set(inflated(data)))
    named = {int(digits[at : at + bits], 2) for at in range(0, len(digits), bits)}
    ranges = table.get("Decode")
    start, end = ranges[:2] if isinstance(ranges, list) else (0, 2**bits - 1)
    exact = [start + each * (end - start) / (2**bits - 1) for each in named]
    near = {0, *(int(each // 1) for each in exact), *(-int(-each // 1) for each in exact)}
    seen = {sorted((0, each, last))[1] for each in near}
    _require(max(seen) == last)
    step = len(colours) // (last + 1)
    for index in set(range(last + 1)) - seen:
        _require(not any(colours[index * step : index * step + step]))


def _samples(table: dict[str, object], data: bytes, size: tuple[int, int, int]) -> None:
    width, height, bits = size
    row, spare = -(-width * bits // 8), -(width * bits) % 8
    parameters = table.get("DecodeParms")
    if isinstance(parameters, dict):
        _require(len(data) == (row + 1) * height and not spare)
        _require(parameters.get("Predictor") == 15 and max(data[:: row + 1]) < 5)  # noqa: PLR2004
    else:
        _require(len(data) == row * height)
        if spare:
            low = (1 << spare) - 1
            _require(not any(byte & low for byte in set(data[row - 1 :: row])))


def jpx(data: bytes) -> None:
    """Judge JPEG 2000: known boxes in order, known segments, nothing behind the end."""
    if data.startswith(b"\xff\x4f"):
        _codestream(data)
        return
    kinds, at = [], 0
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8].ljust(8, b"\0"))
        _require(_BOX <= length <= len(data) - at)
        kinds.append(kind)
        if kind == b"jp2h":
            _box_of_boxes(data[at + 8 : at + length])
        elif kind == b"jp2c":
            _codestream(data[at + 8 : at + length])
        at += length
    _require(kinds == [b"jP  ", b"ftyp", b"jp2h", b"jp2c"] and data[12:32].endswith(b"jp2 "))


def _box_of_boxes(data: bytes) -> None:
    at = 0
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8].ljust(8, b"\0"))
        _require(_BOX <= length <= len(data) - at)
        _require(kind in {b"ihdr", b"bpcc", b"colr", b"pclr", b"cmap", b"cdef"})
        if kind == b"colr" and data[at + 8] == 2:  # noqa: PLR2004 - a profile
            profile(data[at + 11 : at + length])
        at += length


def _codestream(data: bytes) -> None:
    at, end = 2, len(data) - 2
    _require(data[:2] == b"\xff\x4f" and data[end:] == b"\xff\xd9")
    while at < end:
        marker, length = struct.unpack(">HH", data[at : at + 4].ljust(4, b"\0"))
        if marker == 0xFF90:  # noqa: PLR2004 - a tile
            (whole,) = struct.unpack(">I", data[at + 6 : at + 10].ljust(4, b"\0"))
            place = at + 12
            while data[place : place + 2] != b"\xff\x93":
                place = _segment(data, place)
            _require(place < at + whole)
            at += whole
        else:
            at = _segment(data, at)
            _require(length > 1)
    _require(at == end)


def _segment(data: bytes, at: int) -> int:
    marker: int
    length: int
    marker, length = struct.unpack(">HH", data[at : at + 4].ljust(4, b"\0"))
    _require(marker in {*range(0xFF51, 0xFF54), *range(0xFF5C, 0xFF62), 0xFF63})
    return at + 2 + length


def jbig2(data: bytes) -> None:
    """Judge JBIG2: known segments to the last byte."""
    at = 0
    while at < len(data):
        flags, referred = data[at + 4 : at + 6].ljust(2, b"\0")
        number = int.from_bytes(data[at : at + 4], "big")
        count = referred >> 5
        place = at + 6
        if count == 7:  # noqa: PLR2004 - the long form
            count = int.from_bytes(data[at + 5 : at + 9], "big") & 0x1FFFFFFF
            place = at + 9 + (count + 8) // 8
        place += count * (1 if number <= 256 else 2 if number <= 65536 else 4)  # noqa: PLR2004
        place += 4 if flags & 0x40 else 1
        length = int.from_bytes(data[place : place + 4], "big")
        kinds = {0, 4, 6, 7, 16, 20, 22, 23, 36, 38, 39, 40, 42, 43, 48, 50, 53}
        _require(flags & 0x3F in kinds)
        if flags & 0x3F == 48:  # noqa: PLR2004 - a page: how many dots make an inch is not told
            _require(data[place + 12 : place + 20] == bytes(8) and length == 19)  # noqa: PLR2004
        at = place + 4 + length
    _require(at == len(data))


# --- numbers -----------------------------------------------------------------------------------


def function(table: dict[str, object], data: bytes) -> None:
    """Judge a function's stream: a table of exactly its size, or a calculator."""
    made = inflated(data)
    if table.get("FunctionType") == 4:  # noqa: PLR2004 - a calculator
        _require(_CALCULATOR.fullmatch(made) is not None)
        return
    size, reach, bits = table.get("Size"), table.get("Range"), table.get("BitsPerSample")
    if not isinstance(size, list) or not isinstance(reach, list) or not isinstance(bits, int):
        raise MetadataSurvived("a function of the result has no size")
    total = len(reach) // 2 * bits
    for each in size:
        total *= each
    _require(len(made) == -(-total // 8))


def profile(data: bytes) -> None:
    """Judge a colour profile: no date, no maker, no name that is not ours."""
    _require(len(data) > 132 and data[4:8] == bytes(4) and data[24:36] == bytes(12))  # noqa: PLR2004
    _require(data[40:68] == bytes(28) and data[80:128] == bytes(48))
    (count,) = struct.unpack(">I", data[128:132])
    _require(132 + 12 * count <= len(data))
    for number in range(count):
        at = 132 + 12 * number
        tag, offset, length = struct.unpack(">4sII", data[at : at + 12])
        body = data[offset : offset + length]
        if tag in {b"desc", b"cprt"}:
            text = body[28:].decode("utf-16-be", "replace").encode("utf-8", "replace")
            is_short = body[:4] == b"mluc" and text in _PROFILE_NAMES
            _require(is_short or not body[12:].strip(b"\0") or body == b"text\0\0\0\0\0")
        else:
            _require(body[:4] in {b"XYZ ", b"curv", b"para", b"mft1", b"mft2"})
