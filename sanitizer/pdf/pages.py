"""The pages of an untrusted document, in their order, with what they inherit (ISO 32000-1, 7.7.3).

Rule: the tree is walked without trust: every node once, no deeper and no longer than the limits.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pikepdf

from sanitizer.errors import Malformed, TooComplex
from sanitizer.pdf import reading
from sanitizer.pdf.model import Value, number

_INHERITED = ("MediaBox", "CropBox", "Rotate", "Resources")
_DEEPEST = 64
_MOST_NODES = 50_000
_LETTER = [number(0), number(0), number(612), number(792)]
_TURN = 90
_LONGEST_SIDE = 20_000_000.0


@dataclass(frozen=True, slots=True)
class Page:
    """A page and the values that it has or inherits."""

    source: reading.Source
    inherited: dict[str, object]

    def geometry(self) -> dict[bytes, Value]:
        """Return the boxes, the turn and the unit of a page that differ from the usual."""
        made: dict[bytes, Value] = {
            b"MediaBox": _box(self.inherited.get("MediaBox")) or list(_LETTER)
        }
        crop = _box(self.inherited.get("CropBox"))
        if crop is not None and crop != made[b"MediaBox"]:
            made[b"CropBox"] = crop
        turn = reading.whole(self.inherited.get("Rotate"), -(1 << 31), 1 << 31) or 0
        if turn % 360 and turn % _TURN == 0:
            made[b"Rotate"] = number(turn % 360)
        unit = reading.real(reading.value_of(self.source, "UserUnit"))
        if unit is not None and float(unit) > 0 and unit != b"1":
            made[b"UserUnit"] = unit
        return made

    def contents(self) -> Iterator[pikepdf.Stream]:
        """Yield the streams that are the page's content, one after the other."""
        told = reading.value_of(self.source, "Contents")
        for each in [told] if reading.stream(told) is not None else reading.items(told):
            stream = reading.stream(each)
            if stream is not None:
                yield stream


def _box(untrusted: object) -> list[Value] | None:
    """Return a rectangle with its corners in order, or None for one without an inside."""
    found = reading.floats(untrusted, 4)
    told = reading.numbers(untrusted, 4, 4)
    if found is None or told is None:
        return None
    across, up = sorted((0, 2), key=found.__getitem__), sorted((1, 3), key=found.__getitem__)
    order = [across[0], up[0], across[1], up[1]]
    sides = found[order[2]] - found[order[0]], found[order[3]] - found[order[1]]
    if min(sides) <= 0 or max(map(abs, found)) > _LONGEST_SIDE:
        return None
    return [told[place] for place in order]


def walk(catalog: reading.Source, most: int) -> Iterator[Page]:
    """Yield the pages; raises Malformed for a tree that bites its tail, TooComplex."""
    root = reading.dictionary(reading.value_of(catalog, "Pages"))
    if root is None:
        raise Malformed("a document without a tree of pages")
    waiting: list[tuple[reading.Source, dict[str, object], int]] = [(root, {}, 0)]
    seen = set[tuple[int, int]]()
    pages = nodes = 0
    while waiting:
        source, inherited, depth = waiting.pop()
        nodes += 1
        if depth > _DEEPEST or nodes > _MOST_NODES:
            raise TooComplex("a tree of pages without an end")
        held = {
            key: found for key in _INHERITED if (found := reading.value_of(source, key)) is not None
        }
        told = {**inherited, **held}
        kids = reading.value_of(source, "Kids")
        if kids is None:
            pages += 1
            if pages > most:
                raise TooComplex("too many pages")
            yield Page(source, told)
            continue
        key = reading.identity(source)
        if key is not None and key in seen:
            raise Malformed("a tree of pages that contains itself")
        if key is not None:
            seen.add(key)
        inner = [reading.dictionary(each) for each in reading.items(kids)]
        waiting += [(each, told, depth + 1) for each in reversed(inner) if each is not None]
