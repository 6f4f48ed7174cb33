"""Fonts written by hand: a letter that is a square, in each of the forms that PDFs embed."""

import struct

SQUARE = ((100, 0), (100, 700), (600, 700), (600, 0))
TAIL = ((100, -200), (300, 0), (500, -200))


def sfnt(tables: dict[bytes, bytes], version: bytes = b"\0\1\0\0") -> bytes:
    """Return a font of these tables, with wrong sums and gaps between them."""
    head = version + struct.pack(">HHHH", len(tables), 0, 0, 0)
    at, directory, body = 12 + 16 * len(tables), b"", b""
    for tag, table in tables.items():
        directory += tag + struct.pack(">III", 0, at + len(body), len(table))
        body += table + b"gap!"
    return head + directory + body


def outline(points: tuple[tuple[int, int], ...], spare: bytes = b"", program: bytes = b"") -> bytes:
    """Return a simple glyph, with long steps, and bytes behind its end."""
    across, up = zip(*points, strict=True)
    body = struct.pack(">hhhhh", 1, min(across), min(up), max(across), max(up))
    body += struct.pack(">HH", len(points) - 1, len(program)) + program
    body += bytes([0x01 | 8, len(points) - 1])
    before = 0
    for row in (across, up):
        before = 0
        for each in row:
            body += struct.pack(">h", each - before)
            before = each
    return body + spare


def truetype(  # noqa: PLR0913 - a font has this many parts
    glyphs: list[bytes],
    cmap: bytes | None = None,
    *,
    is_long: bool = False,
    gap: bytes = b"",
    post: bytes = b"",
    more: dict[bytes, bytes] | None = None,
) -> bytes:
    """Return a TrueType font of these glyphs."""
    glyf, places = b"", [0]
    for glyph in glyphs:
        glyf += glyph + bytes(-len(glyph) % 4)
        places.append(len(glyf))
    glyf += gap
    loca = struct.pack(
        f">{len(places)}{'I' if is_long else 'H'}",
        *(place if is_long else place // 2 for place in places),
    )
    head = struct.pack(">IIIIHHQQhhhhHHhhh", 0x10000, 0x33333, 9, 0x5F0F3CF5, 3, 1000, 77, 88,
                       0, 0, 700, 700, 3, 8, 2, int(is_long), 0)  # fmt: skip
    count = len(glyphs)
    tables = {
        b"head": head,
        b"maxp": struct.pack(">IH", 0x10000, count) + bytes(26),
        b"hhea": struct.pack(">Ihhh", 0x10000, 800, -200, 0) + bytes(24) + struct.pack(">H", count),
        b"hmtx": struct.pack(">HH", 700, 0) * count,
        b"loca": loca,
        b"glyf": glyf,
    }
    if cmap is not None:
        tables[b"cmap"] = cmap
    if post:
        tables[b"post"] = post
    return sfnt({**tables, **(more or {})})


def cmap(*maps: tuple[int, int, bytes]) -> bytes:
    """Return a cmap table of these maps."""
    head, body = struct.pack(">HH", 0, len(maps)), b""
    start = 4 + 8 * len(maps)
    for platform, encoding, each in maps:
        head += struct.pack(">HHI", platform, encoding, start + len(body))
        body += each + b"slack"
    return head + body


FORM_0 = struct.pack(">HHH", 0, 262, 0) + bytes(65) + b"\1\2" + bytes(189)
FORM_6 = struct.pack(">HHHHHHH", 6, 14, 0, 65, 2, 1, 2)
FORM_12 = struct.pack(">HHIIIIIIIII", 12, 0, 40, 0, 2, 65, 66, 1, 0x1F600, 0x1F600, 1)
# A segment by delta, one by a table with a hole in it, and the last one.
FORM_4 = struct.pack(
    ">HHHHHHH3HH3H3H3H3H", 4, 0, 0, 6, 0, 0, 0, 65, 68, 0xFFFF, 0, 65, 66, 0xFFFF,
    0x10000 - 64, 0, 1, 0, 4, 0xFFFF, 2, 0, 1,
)  # fmt: skip


def post(names: list[bytes], indices: list[int]) -> bytes:
    """Return a post table of names."""
    head = b"\0\2\0\0" + bytes(4) + struct.pack(">hhIIIII", -100, 50, 1, 11, 22, 33, 44)
    body = struct.pack(f">H{len(indices)}H", len(indices), *indices)
    return head + body + b"".join(bytes([len(name)]) + name for name in names)


# --- compact fonts -------------------------------------------------------------------------------


def index(items: list[bytes]) -> bytes:
    """Return an index with offsets of two bytes."""
    if not items:
        return b"\0\0"
    places = [1]
    for item in items:
        places.append(places[-1] + len(item))
    table = struct.pack(f">HB{len(places)}H", len(items), 2, *places)
    return table + b"".join(items)


def number(value: float) -> bytes:
    """Return a number of a dictionary: always of five bytes, or a real one."""
    if isinstance(value, int):
        return b"\x1d" + struct.pack(">i", value)
    digits = [{".": 10, "-": 14}.get(sign, ord(sign) - 48) for sign in f"{value}"] + [15]
    digits += [15] * (len(digits) % 2)
    return b"\x1e" + bytes(a << 4 | b for a, b in zip(digits[::2], digits[1::2], strict=True))


def operator(key: int, *values: float) -> bytes:
    """Return an operator of a dictionary behind its operands; 1200 and more are of two bytes."""
    code = bytes([12, key - 1200]) if key >= 1200 else bytes([key])
    return b"".join(map(number, values)) + code


def short(value: int) -> bytes:
    """Return a number of a letter's program."""
    return b"\x1c" + struct.pack(">h", value)


# A width, then a square; the second begins with a call of the first subroutine.
LETTER = (
    short(100) + short(0) + b"\x15" + short(0) + short(700) + short(500) + short(0) + short(0)
    + short(-700) + b"\x05\x0e"
)  # fmt: skip


def compact(  # noqa: PLR0913 - a font has this many parts
    top: bytes = b"",
    *,
    strings: tuple[bytes, ...] = (),
    charset: bytes = struct.pack(">BHH", 0, 34, 35),
    encoding: bytes = b"\0\2AB",
    private: bytes = operator(6, -10, 10) + operator(20, 700) + operator(14, 1),
    subroutines: tuple[bytes, ...] = (b"\x0b",),
    cid: tuple[bytes, bytes] | None = None,
    fonts: int = 2,
) -> bytes:
    """Return a compact font of three letters; ``cid`` holds FDSelect and the top's operands."""
    letters = index([b"\x0e", LETTER, LETTER])
    local = index(list(subroutines)) if subroutines else b""
    inner = private + (operator(19, len(private) + 6) if subroutines else b"")
    head = b"\1\0\4\2" + index([b"ABCDEF+Some-Name"])
    rest = index(list(strings)) + index([b"\x0b"])
    ending = (operator(1236, 0) + operator(1237, 0)) if cid else operator(18, 0, 0)
    size = len(top) + len(cid[1] if cid else b"") + len(operator(15, 0) * 3) + len(ending)
    at = len(head) + 7 + size + len(rest)
    parts = {"charset": charset, "encoding": encoding, "letters": letters}
    places = {}
    body = b""
    for name, part in parts.items():
        places[name] = at + len(body)
        body += part
    private_at = at + len(body)
    body += inner + local
    made = (cid[1] if cid else b"") + top + operator(15, places["charset"])
    made += operator(16, places["encoding"]) + operator(17, places["letters"])
    if cid:
        select_at = at + len(body)
        body += cid[0]
        array_at = at + len(body)
        told = operator(1238, 400) + operator(1207, 0.001, 0, 0, 0.001, 0, 0)
        body += index([told + operator(18, len(inner), private_at)] * fonts)
        made += operator(1236, array_at) + operator(1237, select_at)
    else:
        made += operator(18, len(inner), private_at)
    assert len(made) == size
    return head + index([made]) + rest + body


# --- Type 1 --------------------------------------------------------------------------------------


def coded(plain: bytes, key: int) -> bytes:
    """Return what a Type 1 font makes of its secrets."""
    made = bytearray()
    for byte in plain:
        made.append(byte ^ key >> 8)
        key = (made[-1] + key) * 52845 + 22719 & 0xFFFF
    return bytes(made)


def _small(value: int) -> bytes:
    if -107 <= value <= 107:
        return bytes([value + 139])
    if value > 0:
        return struct.pack(">H", value - 108 + (247 << 8))
    return struct.pack(">H", -value - 108 + (251 << 8))


# A width, then a square.
TYPE1_LETTER = (
    _small(100) + _small(700) + b"\x0d" + _small(0) + _small(0) + b"\x15" + _small(700) + b"\x07"
    + _small(500) + b"\x06" + _small(-700) + b"\x07\x09\x0e"
)  # fmt: skip


def type1(  # noqa: PLR0913 - a font has this many parts
    *,
    clear: bytes = b"%!PS-AdobeFont-1.0: Some 1.0\n/FontMatrix[0.001 0 0 0.001 0 0]readonly def\n"
    b"/FontBBox{0 0 700 700}readonly def\n/PaintType 0 def\n",
    encoding: bytes = b"/Encoding 256 array\n0 1 255{1 index exch/.notdef put}for\n"
    b"dup 65/A put\ndup 8#102 /B put readonly def\n",
    private: bytes = b"/BlueValues[-10 0 700 710]def/BlueScale 0.04 def\n/lenIV 4 def\n",
    names: tuple[bytes, ...] = (b".notdef", b"A", b"B"),
    lead: bytes = b"lead",
    subroutines: tuple[bytes, ...] = (b"\x0b",),
    hexadecimal: bool = False,
    tail: bytes = b"0" * 64 + b"\ncleartomark\n",
) -> tuple[bytes, int]:
    """Return a Type 1 font and where its clear part ends."""
    text = clear + encoding + b"currentfile eexec\n"
    inner = b"Rand" + b"dup/Private 9 dict dup begin\n/RD{string currentfile}def\n" + private
    if subroutines:
        inner += b"/Subrs %d array\n" % len(subroutines)
        for place, each in enumerate(subroutines):
            body = coded(lead + each, 4330) if lead else each
            inner += b"dup %d %d RD " % (place, len(body)) + body + b" NP\n"
        inner += b"ND\n"
    inner += b"2 index/CharStrings %d dict dup begin\n" % len(names)
    for name in names:
        body = coded(lead + TYPE1_LETTER, 4330) if lead else TYPE1_LETTER
        inner += b"/%s %d RD " % (name, len(body)) + body + b" ND\n"
    secret = coded(inner + b"end end\nmark currentfile closefile\n", 55665)
    if hexadecimal:
        secret = b"\n".join(secret[at : at + 32].hex().encode() for at in range(0, len(secret), 32))
    return text + secret + tail, len(text)
