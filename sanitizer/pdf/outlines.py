"""The outlines of a TrueType font that are shown, and what comes with them (ISO 14496-22, glyf).

Rule: a letter made of others keeps those that it is made of; every other letter is empty, as wide
as nothing, and neither a character nor a name leads to it.
"""

from sanitizer.numbers import unpack

_MORE, _WORDS, _SCALE, _TWO_SCALES, _MATRIX = 0x20, 1, 8, 0x40, 0x80


def closure(glyphs: list[bytes], asked: set[int]) -> set[int]:
    """Return the places of the letters that are asked for, and of all that those are made of."""
    found: set[int] = set()
    waiting = [0, *asked]
    while waiting:
        place = waiting.pop()
        if place in found or place >= len(glyphs):
            continue
        found.add(place)
        waiting += _parts(glyphs[place])
    return found


def _parts(glyph: bytes) -> list[int]:
    """Return what a letter is made of; nothing for one that has an outline of its own."""
    if not glyph or glyph[0] < 128:  # noqa: PLR2004 - a sign
        return []
    made, at, flags = [], 10, _MORE
    while flags & _MORE:
        flags, part = unpack("HH", glyph, at)
        made.append(part)
        at += 8 if flags & _WORDS else 6
        at += 2 if flags & _SCALE else 4 if flags & _TWO_SCALES else 8 if flags & _MATRIX else 0
    return made


def bare(tables: dict[bytes, bytes], asked: set[int], count: int) -> dict[bytes, bytes]:
    """Return the tables without what they say of letters that are not asked for."""
    made = {tag: table for tag, table in tables.items() if tag not in {b"cmap", b"post"}}
    for head, metrics in ((b"hhea", b"hmtx"), (b"vhea", b"vmtx")):
        if head in tables and metrics in tables:
            (wide,) = unpack("H", tables[head][:36].ljust(36, b"\0"), 34)
            made[metrics] = _metrics(tables[metrics], asked, min(wide, count), count)
    if b"VORG" in tables:
        del made[b"VORG"]
    if b"post" in tables:
        made[b"post"] = b"\0\3\0\0" + tables[b"post"][4:]
    return made


def _metrics(table: bytes, asked: set[int], wide: int, count: int) -> bytes:
    """Return how wide letters are, and where they begin; all zeros for those not asked for."""
    made = bytearray(len(table))
    # The last width is that of all letters behind it.
    last = max(wide - 1, 0)
    tail = any(place >= last for place in asked)
    for place in range(count):
        at, size = (4 * place, 4) if place < wide else (2 * wide + 2 * place, 2)
        if place in asked:
            made[at : at + size] = table[at : at + size]
        elif place == last and tail:
            made[at : at + 2] = table[at : at + 2]
    return bytes(made)
