"""Compact fonts, built anew from their parts (Adobe Technical Note 5176).

Rule: the outlines and what is needed to find and hint them; names, notices, copyrights, unique
numbers and everything between the parts go. Names of letters pass ``glyphs.Names``. The result is
one font, called F, its parts in an order of ours with no byte between them.
"""

import struct
from dataclasses import dataclass, field
from itertools import pairwise

from sanitizer.errors import Malformed, TooComplex
from sanitizer.numbers import unpack
from sanitizer.pdf import cff_numbers
from sanitizer.pdf.cff_strings import STANDARD
from sanitizer.pdf.glyphs import Names

Operands = list[int | str]
_CHARSET, _ENCODING, _CHARSTRINGS, _PRIVATE = 15, 16, 17, 18
_SUBRS, _FD_ARRAY, _FD_SELECT, _ROS = 19, 1236, 1237, 1230
_BBOX, _MATRIX, _PAINT, _STROKE, _CID_COUNT, _KIND = 5, 1207, 1205, 1208, 1234, 1206
_TOP_KEPT = {_BBOX, _MATRIX, _PAINT, _STROKE, _CID_COUNT}
_PRIVATE_KEPT = {6, 7, 8, 9, 10, 11, 20, 21, 1209, 1210, 1211, 1212, 1213, 1214, 1217, 1218}
_MOST_OPERANDS = 513
_MOST_FONTS = 256
_LAST_STANDARD = 390
_PREDEFINED = 2
_NOTHING = b"\x0e"
"""A letter that draws nothing: endchar."""


@dataclass(slots=True)
class _Font:
    """One font's parts, understood."""

    top: dict[int, Operands]
    strings: list[bytes]
    globals_: list[bytes]
    charstrings: list[bytes]
    charset: list[int] | int = 0
    encoding: bytes | int = 0
    supplement: list[tuple[int, int]] = field(default_factory=list)
    selected: list[int] = field(default_factory=list)
    privates: list[tuple[dict[int, Operands], dict[int, Operands], list[bytes]]] = field(
        default_factory=list
    )


def cleaned(untrusted: bytes, names: Names, wanted: set[int] | None = None) -> bytes:
    """Return the font anew; raises Malformed.

    Of a font whose letters have numbers, ``wanted`` are those that have to be drawn (None: all).
    """
    font = _read(untrusted)
    if wanted is not None and _ROS in font.top and isinstance(font.charset, list):
        asked = [True, *(each in wanted for each in font.charset)]
        told = zip(font.charstrings, asked, strict=True)
        font.charstrings = [code if is_asked else _NOTHING for code, is_asked in told]
    return _write(font, names)


# --- reading ---------------------------------------------------------------------------------


def _read(data: bytes) -> _Font:
    head = unpack("BBBB", data)
    if head[0] != 1:
        raise Malformed("a compact font of another kind")
    fonts, at = _index(data, head[2])
    tops, at = _index(data, at)
    strings, at = _index(data, at)
    globals_, _ = _index(data, at)
    if not fonts or not tops:
        raise Malformed("a compact font without a font")
    top = _dictionary(tops[0])
    if top.get(_KIND, [2]) != [2]:
        raise Malformed("a compact font of an old kind")
    charstrings, _ = _index(data, _offset(top, _CHARSTRINGS))
    if not charstrings:
        raise Malformed("a font without letters")
    font = _Font(top, strings, globals_, charstrings)
    count, is_cid = len(charstrings), _ROS in top
    place = _offset(top, _CHARSET)
    is_own = place > _PREDEFINED or is_cid
    font.charset = _charset(data, place, count) if is_own else place
    if is_cid:
        _read_numbered(font, data)
        return font
    font.privates.append(({}, *_private(data, top)))
    place = _offset(top, _ENCODING)
    font.encoding = place
    if place > 1:
        font.encoding, font.supplement = _encoding(data, place, count)
    return font


def _read_numbered(font: _Font, data: bytes) -> None:
    """Read the fonts within a font whose letters have numbers, and which is whose."""
    array, _ = _index(data, _offset(font.top, _FD_ARRAY))
    if len(array) > _MOST_FONTS:
        raise Malformed("a letter of no font")
    size = 0
    for each in array:
        inner = _dictionary(each)
        font.privates.append((inner, *_private(data, inner)))
        size += sum(map(len, font.privates[-1][2]))
        if size > 2 * len(data):
            raise TooComplex("a font that unfolds without end")
    font.selected = _selection(data, _offset(font.top, _FD_SELECT), len(font.charstrings))
    if any(each >= len(array) for each in font.selected):
        raise Malformed("a letter of no font")


def _index(data: bytes, at: int) -> tuple[list[bytes], int]:
    """Return an index's items and where it ends."""
    (count,) = unpack("H", data, at)
    if count == 0:
        return [], at + 2
    (size,) = unpack("B", data, at + 2)
    table = data[at + 3 : at + 3 + (count + 1) * size]
    if not 1 <= size <= 4 or len(table) != (count + 1) * size:  # noqa: PLR2004 - bytes of a number
        raise Malformed("a font's index is broken")
    places = [int.from_bytes(table[n : n + size], "big") for n in range(0, len(table), size)]
    base = at + 2 + len(table)
    items = []
    for start, end in pairwise(places):
        if not 1 <= start <= end or base + end > len(data):
            raise Malformed("a font's index is broken")
        items.append(data[base + start : base + end])
    return items, base + places[-1]


def _dictionary(data: bytes) -> dict[int, Operands]:
    """Return operators and their operands; reals as our spelling of them."""
    found: dict[int, Operands] = {}
    operands: Operands = []
    at = 0
    while at < len(data):
        first = data[at]
        at += 1
        if first <= 21:  # noqa: PLR2004 - an operator
            if first == 12:  # noqa: PLR2004 - of two bytes
                first = 1200 + unpack("B", data, at)[0]
                at += 1
            found.setdefault(first, operands)
            operands = []
        elif first == 30:  # noqa: PLR2004 - a real number
            text, at = cff_numbers.real(data, at)
            operands.append(text)
        else:
            value, at = cff_numbers.whole(data, at, first)
            operands.append(value)
        if len(operands) > _MOST_OPERANDS:
            raise Malformed("a font's dictionary without an end")
    return found


def _offset(top: dict[int, Operands], key: int) -> int:
    found = top.get(key, [0])
    value = found[-1] if found else 0
    if not isinstance(value, int) or value < 0:
        raise Malformed("a font's part is nowhere")
    return value


def _private(data: bytes, holder: dict[int, Operands]) -> tuple[dict[int, Operands], list[bytes]]:
    """Return a private dictionary and its own subroutines."""
    told = holder.get(_PRIVATE, [0, 0])
    if len(told) != 2 or not all(isinstance(n, int) and n >= 0 for n in told):  # noqa: PLR2004
        raise Malformed("a font's part is nowhere")
    size, place = int(told[0]), int(told[1])
    found = _dictionary(data[place : place + size])
    inner = _offset(found, _SUBRS)
    return found, _index(data, place + inner)[0] if inner else []


def _charset(data: bytes, at: int, count: int) -> list[int]:
    """Return the name (or the number of the character) of each letter but the first."""
    if at <= _PREDEFINED:
        return list(range(1, count))
    (kind,) = unpack("B", data, at)
    at += 1
    if kind == 0:
        return list(unpack(f"{count - 1}H", data, at))
    made: list[int] = []
    layout, step = {1: ("HB", 3), 2: ("HH", 4)}.get(kind, ("", 0))
    while len(made) < count - 1:
        if not step:
            raise Malformed("a font's names in an unknown form")
        first, more = unpack(layout, data, at)
        at += step
        made.extend(range(first, first + more + 1))
    return made[: count - 1]


def _encoding(data: bytes, at: int, count: int) -> tuple[bytes, list[tuple[int, int]]]:
    """Return each letter's code, and further codes with the names that they stand for."""
    form, number = unpack("BB", data, at)
    at += 2
    codes: list[int] = []
    for _ in range(number):
        if form & 0x7F == 0:
            codes += unpack("B", data, at)
            at += 1
        else:
            first, more = unpack("BB", data, at)
            codes += range(first, first + more + 1)
            at += 2
    codes = [code & 0xFF for code in codes[: min(count - 1, 255)]]
    further: list[tuple[int, int]] = []
    if form & 0x80:
        (number,) = unpack("B", data, at)
        for place in range(number):
            code, sid = unpack("BH", data, at + 1 + 3 * place)
            further.append((code, sid))
    return bytes([len(codes), *codes]), further


def _selection(data: bytes, at: int, count: int) -> list[int]:
    (kind,) = unpack("B", data, at)
    if kind == 0:
        return list(unpack(f"{count}B", data, at + 1))
    if kind != 3:  # noqa: PLR2004 - the other form
        raise Malformed("a font's parts in an unknown form")
    (ranges,) = unpack("H", data, at + 1)
    at += 3
    made: list[int] = []
    for _ in range(ranges):
        first, which, following = unpack("HBH", data, at)
        at += 3
        if first != len(made) or not first < following <= count:
            raise Malformed("a font's parts are out of order")
        made += [which] * (following - first)
    if len(made) != count:
        raise Malformed("a font's parts are out of order")
    return made


# --- writing ---------------------------------------------------------------------------------


def _write(font: _Font, names: Names) -> bytes:
    is_cid = _ROS in font.top
    strings = [b"Adobe", b"Identity"] if is_cid else []
    charset, new = b"", dict[int, int]()
    if isinstance(font.charset, list):
        sids = font.charset if is_cid else _renamed(font, names, strings)
        new = dict(zip(font.charset, sids, strict=True))
        charset = b"\0" + struct.pack(f">{len(sids)}H", *(sid & 0xFFFF for sid in sids))
    top: dict[int, Operands] = {}
    if is_cid:
        top[_ROS] = [_LAST_STANDARD + 1, _LAST_STANDARD + 2, 0]
    top |= {key: font.top[key] for key in sorted(_TOP_KEPT & set(font.top))}
    parts: list[tuple[int, bytes]] = []
    if charset:
        parts.append((_CHARSET, charset))
    elif font.charset:
        top[_CHARSET] = [int(font.charset)]  # type: ignore[arg-type]
    if isinstance(font.encoding, bytes):
        further = [(code, new[sid]) for code, sid in font.supplement if sid in new]
        packed = b"".join(struct.pack(">BH", *each) for each in further)
        form = b"\x80" if further else b"\0"
        ending = bytes([len(further)]) + packed if further else b""
        parts.append((_ENCODING, form + font.encoding + ending))
    elif font.encoding:
        top[_ENCODING] = [font.encoding]
    if is_cid:
        parts.append((_FD_SELECT, _packed_selection(font.selected)))
    parts.append((_CHARSTRINGS, _packed_index(font.charstrings)))
    return _laid_out(font, top, parts, strings)


def _laid_out(
    font: _Font, top: dict[int, Operands], parts: list[tuple[int, bytes]], strings: list[bytes]
) -> bytes:
    """Return the whole font: every place is a number of five bytes, so lengths are known."""
    is_cid = _ROS in top
    keys = [key for key, _ in parts] + [_FD_ARRAY if is_cid else _PRIVATE]
    empty = _packed_dictionary(top, {key: [0] * (1 + (key == _PRIVATE)) for key in keys})
    head = b"\1\0\4\4" + _packed_index([b"F"])
    rest = _packed_index(strings) + _packed_index(font.globals_)
    at = len(head) + len(_packed_index([empty])) + len(rest)
    places: dict[int, list[int]] = {}
    body = b""
    for key, part in parts:
        places[key] = [at + len(body)]
        body += part
    inner: list[bytes] = []
    for holder, private, subroutines in font.privates:
        kept = {key: private[key] for key in sorted(_PRIVATE_KEPT & set(private))}
        packed = _packed_dictionary(kept, {_SUBRS: [0]} if subroutines else {})
        if subroutines:
            packed = _packed_dictionary(kept, {_SUBRS: [len(packed)]})
        place = [len(packed), at + len(body)]
        body += packed + (_packed_index(subroutines) if subroutines else b"")
        told = {_MATRIX: holder[_MATRIX]} if _MATRIX in holder else {}
        inner.append(_packed_dictionary(told, {_PRIVATE: place}))
        places[_PRIVATE] = place
    if is_cid:
        del places[_PRIVATE]
        places[_FD_ARRAY] = [at + len(body)]
        body += _packed_index(inner)
    return head + _packed_index([_packed_dictionary(top, places)]) + rest + body


def _renamed(font: _Font, names: Names, strings: list[bytes]) -> list[int]:
    """Return each letter's name by number, and put the names that are needed into ``strings``."""
    known = {name: sid for sid, name in enumerate(STANDARD)}
    made = []
    for sid in font.charset if isinstance(font.charset, list) else []:
        if sid <= _LAST_STANDARD:
            made.append(sid)
            continue
        place = sid - _LAST_STANDARD - 1
        name = names.of(font.strings[place] if place < len(font.strings) else b"")
        if name not in known:
            known[name] = _LAST_STANDARD + 1 + len(strings)
            strings.append(name)
        made.append(known[name])
    return made


def _packed_selection(selected: list[int]) -> bytes:
    starts = [n for n in range(len(selected)) if n == 0 or selected[n] != selected[n - 1]]
    ranges = b"".join(struct.pack(">HB", start, selected[start]) for start in starts)
    return struct.pack(">BH", 3, len(starts)) + ranges + struct.pack(">H", len(selected))


def _packed_index(items: list[bytes]) -> bytes:
    if not items:
        return b"\0\0"
    places, at = [1], 1
    for item in items:
        at += len(item)
        places.append(at)
    size = 1 if at < 1 << 8 else 2 if at < 1 << 16 else 3 if at < 1 << 24 else 4
    table = b"".join(place.to_bytes(size, "big") for place in places)
    return struct.pack(">HB", len(items), size) + table + b"".join(items)


def _packed_dictionary(short: dict[int, Operands], places: dict[int, list[int]]) -> bytes:
    """Return a dictionary; ``places`` are written in five bytes each."""
    made = b""
    for key, operands in short.items():
        made += b"".join(cff_numbers.packed(each) for each in operands) + _packed_operator(key)
    for key, numbers in places.items():
        made += b"".join(struct.pack(">Bi", 29, each) for each in numbers)
        made += _packed_operator(key)
    return made


def _packed_operator(key: int) -> bytes:
    return bytes([12, key - 1200]) if key >= 1200 else bytes([key])  # noqa: PLR2004 - see above


def is_by_number(data: bytes) -> bool:
    """Tell whether a font of ours asks for its letters by number, and not by name."""
    _, at = _index(data, 4)
    return _ROS in _dictionary(_index(data, at)[0][0])
