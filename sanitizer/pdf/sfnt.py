"""TrueType and OpenType fonts, built anew from the tables that draw (ISO 14496-22).

Rule: tables by allow-list, each of exactly the length that its numbers need; glyphs stand one
after the other without a gap; the map of characters is written by us from what it says; names,
signatures, dates, makers and versions go. Names of letters pass ``glyphs.Names``.
"""

import struct
from itertools import accumulate, pairwise

from sanitizer.errors import Malformed, TooComplex
from sanitizer.numbers import unpack
from sanitizer.pdf import cff, outlines
from sanitizer.pdf.glyphs import Names
from sanitizer.pdf.numbered import ALL, Wanted

_KEPT = (b"CFF ", b"cmap", b"cvt ", b"fpgm", b"glyf", b"head", b"hhea", b"hmtx")
_KEPT_TOO = (b"loca", b"maxp", b"post", b"prep", b"vhea", b"vmtx", b"VORG")
_VERSIONS = {b"\0\1\0\0": b"\0\1\0\0", b"true": b"\0\1\0\0", b"OTTO": b"OTTO"}
_MOST_TABLES = 100
_MOST_GLYPHS = 65_535
_MAGIC = 0x5F0F3CF5
_SUM = 0xB1B0AFBA
_MAC_NAMES = 258
_MOST_CODES = 400_000
_SLACK = 1 << 16
_LAST_CHARACTER = 0x10FFFF


def cleaned(untrusted: bytes, names: Names, wanted: Wanted = ALL) -> bytes:
    """Return the font anew, with the letters that are wanted; raises Malformed or TooComplex."""
    if untrusted.startswith(b"ttcf"):
        (at,) = unpack("I", untrusted, 12)
        return _of_tables(untrusted, at, names, wanted)
    return _of_tables(untrusted, 0, names, wanted)


def _of_tables(data: bytes, at: int, names: Names, wanted: Wanted) -> bytes:
    version = _VERSIONS.get(data[at : at + 4])
    (count,) = unpack("H", data, at + 4)
    if version is None or count > _MOST_TABLES:
        raise Malformed("a font of an unknown kind")
    tables: dict[bytes, bytes] = {}
    for number in range(count):
        place = at + 12 + 16 * number
        tag = data[place : place + 4]
        offset, length = unpack("II", data, place + 8)
        if tag in _KEPT + _KEPT_TOO:
            tables.setdefault(tag, data[offset : offset + length])
    made = _rewritten(tables, names, wanted)
    return _assembled(b"OTTO" if b"CFF " in made else b"\0\1\0\0", made)


def _rewritten(tables: dict[bytes, bytes], names: Names, wanted: Wanted) -> dict[bytes, bytes]:
    """Return the new tables."""
    made: dict[bytes, bytes] = {}
    (count,) = unpack("H", tables.get(b"maxp", b"").ljust(6, b"\0"), 4)
    if b"maxp" in tables:
        made[b"maxp"] = _bounds(tables[b"maxp"])
    if b"head" in tables:
        made[b"head"] = _head(tables[b"head"], is_long=b"glyf" in tables)
    if b"CFF " in tables:
        made[b"CFF "] = cff.cleaned(tables[b"CFF "], names, wanted.by_number)
    elif {b"head", b"glyf", b"loca"} <= set(tables):
        is_long = unpack("H", tables[b"head"], 50)[0] == 1
        glyphs = _glyphs(tables, count, is_long=is_long)
        if wanted.by_glyph is not None:
            # Asked by places alone: no characters and no names lead to its letters.
            asked = outlines.closure(glyphs, wanted.by_glyph)
            glyphs = [each if place in asked else b"" for place, each in enumerate(glyphs)]
            tables = outlines.bare(tables, asked, count)
        made[b"glyf"], made[b"loca"] = b"".join(glyphs), _places(glyphs, count)
    else:
        raise Malformed("a font without letters")
    _put_metrics(tables, made, count)
    made |= {tag: tables[tag] for tag in (b"cvt ", b"fpgm", b"prep") if tag in tables}
    if b"cmap" in tables:
        made[b"cmap"] = _characters(tables[b"cmap"], count, names if b"glyf" in made else Names())
    if b"post" in tables:
        made[b"post"] = _names(tables[b"post"], count, names)
    return {tag: each for tag, each in made.items() if each or tag == b"glyf"}


def _put_metrics(tables: dict[bytes, bytes], made: dict[bytes, bytes], count: int) -> None:
    """Copy how wide and high letters are."""
    for head, metrics in ((b"hhea", b"hmtx"), (b"vhea", b"vmtx")):
        if head in tables and metrics in tables:
            told = tables[head][:36].ljust(36, b"\0")
            (wide,) = unpack("H", told, 34)
            made[metrics] = tables[metrics][: 4 * wide + 2 * max(0, count - wide)]
            words = len(made[metrics][: 4 * wide]) // 2
            most = max(struct.unpack_from(f">{words}H", made[metrics])[::2], default=0)
            # What is told of margins and of the pen's slope draws nothing.
            made[head] = struct.pack(">I6sH6sH14sH", 0x10000, told[4:10], most, b"", 1, b"", wide)
    if b"VORG" in tables:
        made[b"VORG"] = tables[b"VORG"][: 8 + 4 * unpack("H", tables[b"VORG"], 6)[0]]


def _head(table: bytes, *, is_long: bool) -> bytes:
    """Return the head without revision, dates and style; long offsets, as we write them."""
    if len(table) < 54:  # noqa: PLR2004 - its length
        raise Malformed("a font's head is too short")
    flags, units = unpack("HH", table, 16)
    box = table[36:44]
    size, direction = unpack("Hh", table, 46)
    return (
        struct.pack(">IIIIHHQQ", 0x10000, 0x10000, 0, _MAGIC, flags, units, 0, 0)
        + box
        + struct.pack(">HHhHH", 0, size, direction, int(is_long), 0)
    )


def _bounds(table: bytes) -> bytes:
    """Return how much a font may hold, each bound rounded up so far that it can say little."""
    if table[:2] != b"\0\1":
        return table[:6]
    told = struct.unpack(">13H", table[6:32].ljust(26, b"\0"))
    rough = (min(1 << (each - 1).bit_length(), 0xFFFF) if each else 0 for each in told)
    return table[:6].ljust(6, b"\0") + struct.pack(">13H", *rough)


# --- glyphs ----------------------------------------------------------------------------------


def _glyphs(tables: dict[bytes, bytes], count: int, *, is_long: bool) -> list[bytes]:
    """Return the outlines."""
    loca, glyf = tables[b"loca"], tables[b"glyf"]
    width = 4 if is_long else 2
    have = min(count + 1, len(loca) // width)
    if not 1 < have <= _MOST_GLYPHS + 1:
        raise Malformed("a font without letters")
    raw = struct.unpack_from(f">{have}{'I' if is_long else 'H'}", loca)
    places = raw if is_long else tuple(2 * each for each in raw)
    if sum(end - start for start, end in pairwise(places) if start < end) > 2 * len(glyf) + _SLACK:
        raise TooComplex("a font that unfolds without end")
    return [_glyph(glyf[start:end]) if start < end else b"" for start, end in pairwise(places)]


def _places(glyphs: list[bytes], count: int) -> bytes:
    """Return where each outline begins."""
    starts = [0, *accumulate(map(len, glyphs))]
    starts += [starts[-1]] * (count + 1 - len(starts))
    return struct.pack(f">{count + 1}I", *starts)


def _glyph(data: bytes) -> bytes:
    """Return one outline of exactly its own length, filled up to a multiple of four."""
    if len(data) < 12:  # noqa: PLR2004 - a header and something
        return b""
    (contours,) = unpack("h", data)
    try:
        end = _end_of_composite(data) if contours < 0 else _end_of_simple(data, contours)
    except Malformed:
        # A letter that nobody can draw is an empty letter.
        return b""
    made = data[:end]
    return made + bytes(-len(made) % 4)


def _end_of_simple(data: bytes, contours: int) -> int:
    if contours == 0:
        return 10
    points = unpack("H", data, 10 + 2 * (contours - 1))[0] + 1
    at = 10 + 2 * contours
    at += 2 + unpack("H", data, at)[0]
    left, wide = points, 0
    limit = len(data)
    while left > 0:
        if at >= limit:
            raise Malformed("an outline that ends too early")
        flag = data[at]
        times = 1
        at += 1
        if flag & 8:
            times = min(1 + data[at] if at < limit else 1, left)
            at += 1
        left -= times
        # One byte for a short step, none for no step, two for a long one; for x and for y.
        step = (1 if flag & 2 else 0 if flag & 16 else 2) + (
            1 if flag & 4 else 0 if flag & 32 else 2
        )
        wide += times * step
    if at + wide > limit:
        raise Malformed("an outline that ends too early")
    return at + wide


def _end_of_composite(data: bytes) -> int:
    at, flags = 10, 0x20
    while flags & 0x20:
        (flags,) = unpack("H", data, at)
        at += 4 + (4 if flags & 1 else 2)
        at += 2 if flags & 8 else 4 if flags & 0x40 else 8 if flags & 0x80 else 0
    if flags & 0x100:
        at += 2 + unpack("H", data, at)[0]
    if at > len(data):
        raise Malformed("an outline that ends too early")
    return at


# --- characters ------------------------------------------------------------------------------


def _characters(table: bytes, count: int, names: Names) -> bytes:
    """Return the maps from characters to glyphs, written anew; empty where there is none.

    ``names`` then know by which characters the font can be asked.
    """
    (number,) = unpack("H", table, 2)
    maps: dict[tuple[int, int], dict[int, int]] = {}
    for index in range(min(number, 32)):
        platform, encoding, at = unpack("HHI", table, 4 + 8 * index)
        if platform in {0, 1, 3} and encoding <= 10 and (platform, encoding) not in maps:  # noqa: PLR2004
            found = _map(table, at)
            kept = {code: glyph for code, glyph in found.items() if 0 < glyph < max(count, 1)}
            if kept:
                maps[platform, encoding] = kept
                names.characters |= kept.keys() if platform != 1 else set()
            if sum(map(len, maps.values())) > _MOST_CODES:
                raise TooComplex("a font with more characters than there are")
    head, body = b"", b""
    start = 4 + 8 * len(maps)
    for (platform, encoding), each in sorted(maps.items()):
        head += struct.pack(">HHI", platform, encoding, start + len(body))
        body += _written_map(each)
    return struct.pack(">HH", 0, len(maps)) + head + body if maps else b""


def _map(table: bytes, at: int) -> dict[int, int]:
    (form,) = unpack("H", table, at)
    if form == 0:
        return dict(enumerate(table[at + 6 : at + 262]))
    if form == 4:  # noqa: PLR2004 - segments
        return _segments(table, at)
    if form == 6:  # noqa: PLR2004 - one run
        first, length = unpack("HH", table, at + 6)
        return dict(enumerate(unpack(f"{length}H", table, at + 10), first))
    if form == 12:  # noqa: PLR2004 - groups
        (groups,) = unpack("I", table, at + 12)
        found: dict[int, int] = {}
        for number in range(groups):
            first, last, glyph = unpack("III", table, at + 16 + 12 * number)
            if not first <= last <= _LAST_CHARACTER or len(found) + last - first > _MOST_CODES:
                raise Malformed("a font's characters are out of order")
            found.update(
                zip(range(first, last + 1), range(glyph, glyph + last - first + 1), strict=True)
            )
        return found
    return {}


def _segments(table: bytes, at: int) -> dict[int, int]:
    (double,) = unpack("H", table, at + 6)
    count = double // 2
    ends = unpack(f"{count}H", table, at + 14)
    starts = unpack(f"{count}H", table, at + 16 + double)
    deltas = unpack(f"{count}H", table, at + 16 + 2 * double)
    offsets_at = at + 16 + 3 * double
    offsets = unpack(f"{count}H", table, offsets_at)
    found: dict[int, int] = {}
    work = 0
    for number, (start, end, delta, offset) in enumerate(
        zip(starts, ends, deltas, offsets, strict=True)
    ):
        work += max(0, end - start)
        if work > _MOST_CODES:
            raise TooComplex("a font with more characters than there are")
        for code in range(start, end + 1):
            glyph = code
            if offset and offset != 0xFFFF:  # noqa: PLR2004 - some fonts' last segment
                place = offsets_at + 2 * number + offset + 2 * (code - start)
                glyph = int.from_bytes(table[place : place + 2], "big")
                if glyph == 0:
                    continue
            found[code] = glyph + delta & 0xFFFF
    found.pop(0xFFFF, None)
    return found


def _written_map(found: dict[int, int]) -> bytes:
    """Return a map as runs that count up: form 4, or form 12 where characters are large."""
    runs: list[list[int]] = []
    for code in sorted(found):
        if runs and code == runs[-1][1] + 1 and found[code] == runs[-1][2] + code - runs[-1][0]:
            runs[-1][1] = code
        else:
            runs.append([code, code, found[code]])
    if max(found) <= 0xFFFF and len(runs) < 8000:  # noqa: PLR2004 - its length must fit
        return _form_4([*runs, [0xFFFF, 0xFFFF, 0]] if runs[-1][1] != 0xFFFF else runs)  # noqa: PLR2004
    groups = b"".join(struct.pack(">III", *run) for run in runs)
    return struct.pack(">HHIII", 12, 0, 16 + len(groups), 0, len(runs)) + groups


def _form_4(runs: list[list[int]]) -> bytes:
    count = len(runs)
    power = 1 << count.bit_length() - 1
    return struct.pack(
        f">7H{count}HH{count}H{count}H{count}H",
        4,
        16 + 8 * count,
        0,
        2 * count,
        2 * power,
        power.bit_length() - 1,
        2 * (count - power),
        *(run[1] for run in runs),
        0,
        *(run[0] for run in runs),
        *(run[2] - run[0] & 0xFFFF for run in runs),
        *[0] * count,
    )


# --- names of letters --------------------------------------------------------------------------


def _names(table: bytes, count: int, names: Names) -> bytes:
    """Return a post table: names that letters are asked for by, and nothing else."""
    if len(table) < 16:  # noqa: PLR2004 - what is read of it
        return b""
    (fixed,) = unpack("I", table, 12)
    tail = struct.pack(">ihhI4I", 0, 0, 0, int(bool(fixed)), 0, 0, 0, 0)
    form = table[:4]
    if form == b"\0\1\0\0":
        return form + tail
    if form != b"\0\2\0\0" or len(table) < 34:  # noqa: PLR2004 - its head and a number
        return b"\0\3\0\0" + tail
    number = min(unpack("H", table, 32)[0], count)
    indices = list(unpack(f"{number}H", table, 34))
    texts = _pascal_strings(table[34 + 2 * unpack("H", table, 32)[0] :])
    made: list[bytes] = []
    for place, index in enumerate(indices):
        if index >= _MAC_NAMES:
            old = index - _MAC_NAMES
            made.append(names.of(texts[old] if old < len(texts) else b".notdef")[:63])
            indices[place] = _MAC_NAMES + len(made) - 1
    body = struct.pack(f">H{number}H", number, *indices)
    return form + tail + body + b"".join(bytes([len(text)]) + text for text in made)


def _pascal_strings(data: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(data):
        found.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return found


# --- the whole ---------------------------------------------------------------------------------


def _sum(data: bytes) -> int:
    padded = data + bytes(-len(data) % 4)
    words: tuple[int, ...] = struct.unpack(f">{len(padded) // 4}I", padded)
    return sum(words) & 0xFFFFFFFF


def _assembled(version: bytes, tables: dict[bytes, bytes]) -> bytes:
    count = len(tables)
    power = 1 << count.bit_length() - 1
    head = version + struct.pack(
        ">HHHH", count, 16 * power, power.bit_length() - 1, 16 * (count - power)
    )
    at = 12 + 16 * count
    body, directory = b"", b""
    for tag, table in sorted(tables.items()):
        directory += tag + struct.pack(">III", _sum(table), at + len(body), len(table))
        body += table + bytes(-len(table) % 4)
    whole = head + directory + body
    if b"head" in tables:
        (place,) = (
            unpack("I", directory, 16 * n + 8)[0]
            for n in range(count)
            if directory[16 * n : 16 * n + 4] == b"head"
        )
        adjustment = (_SUM - _sum(whole)) & 0xFFFFFFFF
        whole = whole[: place + 8] + struct.pack(">I", adjustment) + whole[place + 12 :]
    return whole
