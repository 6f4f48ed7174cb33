"""One mutation: of bytes, or of units, whose lengths and checksums then come right again."""

import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from tests.fuzz.grammar import Grammar, Unit

Bytewise = Callable[[bytes, int], bytes]
"""libFuzzer's own mutation: bytes, and the most that may come out."""
_DEEPEST = 8
_MORE = 64
_UNPACKED = 1 << 20
# How often of a hundred: begin with a whole file again, since most of a corpus is refused early;
# change bytes alone; go one level deeper; change bytes as well, which a checksum would have told.
_ANEW, _BYTES, _DEEPER, _ALSO = 40, 25, 80, 15


@dataclass(frozen=True, slots=True)
class Mutator:
    """What mutations of one format are made of; ``words`` are planted, ``whole`` files are good."""

    grammar: Grammar
    bytewise: Bytewise
    words: list[bytes]
    whole: list[bytes]

    def mutated(self, data: bytes, most: int, seed: int) -> bytes:
        """Return a mutation of ``data``, of ``most`` bytes at most; ``seed`` decides which."""
        chance = random.Random(seed)  # noqa: S311 - libFuzzer wants its runs repeatable
        made = chance.choice(self.whole) if chance.randrange(100) < _ANEW else data
        if chance.randrange(100) < _BYTES:
            return self.bytewise(made, most)
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            made = self._in_units(made, chance)
        if chance.randrange(100) < _ALSO:
            made = self.bytewise(made, most)
        return made[:most]

    def _in_units(self, data: bytes, chance: random.Random) -> bytes:
        """Return a file with one thing done in one of its rows of units, at whatever depth."""
        units = self.grammar.cut(data, b"")
        path: list[tuple[list[Unit], int]] = []
        place = chance.randrange(len(units))
        while (
            len(path) < _DEEPEST
            and self.grammar.nests(units[place][0])
            and chance.randrange(100) < _DEEPER
        ):
            path.append((units, place))
            units = self.grammar.cut(units[place][1], units[place][0])
            place = chance.randrange(len(units))
        self._change(units, place, chance)
        made = self.grammar.joined(units)
        for outer, at in reversed(path):
            outer[at] = (outer[at][0], made)
            made = self.grammar.joined(outer)
        return made

    def _change(self, units: list[Unit], place: int, chance: random.Random) -> None:
        """Do one thing to a row of units."""
        kind, data = units[place]
        other = chance.randrange(len(units))
        match chance.randrange(9):
            case 0:
                units.insert(other, units[place])
            case 1:
                del units[place]
            case 2:
                units[place], units[other] = units[other], units[place]
            case 3:
                units[place] = (units[other][0], data)
            case 4:
                units[place] = (kind, self._inside(data, chance))
            case 5:
                at = chance.randrange(len(data) + 1)
                units[place] = (kind, data[:at] + chance.choice(self.words) + data[at:])
            case 6:
                units[place] = (kind, data[: chance.randrange(len(data) + 1)])
            case _:
                changed = self.bytewise(data, len(data) + _MORE) if data else b"\0"
                units[place] = (kind, changed)

    def _inside(self, data: bytes, chance: random.Random) -> bytes:
        """Return compressed bytes changed inside; others, with a few bits turned over."""
        for start in (0, data.find(b"\0\0") + 2):
            try:
                plain = zlib.decompressobj().decompress(data[start:], _UNPACKED)
            except zlib.error:
                continue
            if plain:
                return data[:start] + zlib.compress(self.bytewise(plain, len(plain) + _MORE), 1)
        made = bytearray(data)
        for _ in range(chance.choice((1, 2, 8)) if made else 0):
            made[chance.randrange(len(made))] ^= 1 << chance.randrange(8)
        return bytes(made)
