"""Step through the passes of a progressive JPEG, to know where each one ends (T.81, annex G).

Rule: no coefficient is kept, only which ones are no longer zero, because refining passes spend
a bit on each of those. Always in full: a refining pass cannot be judged by its tail.
"""

from collections.abc import Sequence

from sanitizer.errors import Malformed

History = dict[int, list[int]]
"""Component id → for each block a bit set of its coefficients that are not zero."""


class Bits:
    """Bits of unstuffed data, most significant first; ones behind the end."""

    __slots__ = ("_at", "_data", "_have", "_value")

    def __init__(self, data: bytes) -> None:
        """Begin at the first bit of ``data``."""
        self._data = data
        self._at = self._have = self._value = 0

    def _refill(self) -> None:
        block = self._data[self._at : self._at + 64].ljust(64, b"\xff")
        self._at += 64
        self._value = (self._value & ((1 << self._have) - 1)) << 512 | int.from_bytes(block, "big")
        self._have += 512

    def take(self, width: int) -> int:
        """Return the next ``width`` bits (at most 16) as a number."""
        if self._have < width:
            self._refill()
        self._have -= width
        return self._value >> self._have & ((1 << width) - 1)

    def symbol(self, table: Sequence[int]) -> int:
        """Return the next symbol; ``table`` gives ``symbol << 6 | bits`` for 16 bits ahead."""
        if self._have < 16:  # noqa: PLR2004 - the longest code
            self._refill()
        entry = table[self._value >> (self._have - 16) & 0xFFFF]
        if not entry:
            raise Malformed("the coded data breaks its own code")
        self._have -= entry & 63
        return entry >> 6

    @property
    def used(self) -> int:
        """Bits taken so far; more than there were where the data was too short."""
        return self._at * 8 - self._have


def symbols(table: bytes) -> list[int]:
    """Return, for each 16 bits ahead, ``symbol << 6 | bits`` of the code; 0 where there is none."""
    entries = [0] * (1 << 16)
    at, place = 17, 0
    for bits, count in enumerate(table[1:17], 1):
        width = 1 << (16 - bits)
        for symbol in table[at : at + count]:
            entries[place : place + width] = [symbol << 6 | bits] * width
            place += width
        at += count
    return entries


def first_dc(bits: Bits, tables: Sequence[Sequence[int]], units: int) -> None:
    """Step over ``units`` units of a first DC pass; ``tables`` has one table for each block."""
    for _ in range(units):
        for table in tables:
            bits.take(min(16, bits.symbol(table)))


def first_ac(
    bits: Bits, table: Sequence[int], blocks: list[int], span: range, band: tuple[int, int]
) -> None:
    """Step over a first pass of the coefficients in ``band`` for the blocks in ``span``."""
    first, last = band
    run = 0
    for block in span:
        if run:
            run -= 1
            continue
        k, seen = first, blocks[block]
        while k <= last:
            symbol = bits.symbol(table)
            zeros, size = symbol >> 4, symbol & 15
            if size == 0 and zeros < 15:  # noqa: PLR2004 - 15 means sixteen zeros
                run = (1 << zeros) - 1 + bits.take(zeros)
                break
            k += zeros
            if size:
                bits.take(size)
                seen |= 1 << k
            k += 1
        if k > last + 1:
            raise Malformed("the coded data breaks its own code")
        blocks[block] = seen


def refine_ac(
    bits: Bits, table: Sequence[int], blocks: list[int], span: range, band: tuple[int, int]
) -> None:
    """Step over a refining pass of the coefficients in ``band`` for the blocks in ``span``."""
    first, last = band
    inside = (1 << (last + 1)) - (1 << first)
    run = 0
    for block in span:
        k, seen = first, blocks[block]
        while not run and k <= last:
            symbol = bits.symbol(table)
            zeros, size = symbol >> 4, symbol & 15
            if size == 0 and zeros < 15:  # noqa: PLR2004 - 15 means sixteen zeros
                run = (1 << zeros) + bits.take(zeros)
                break
            if size:
                bits.take(1)
            k = _skip(bits, seen, k, last, zeros)
            if size and k <= last:
                blocks[block] |= 1 << k
            k += 1
        if run:
            for _ in range((seen & inside & -(1 << k)).bit_count()):
                bits.take(1)
            run -= 1


def _skip(bits: Bits, seen: int, k: int, last: int, zeros: int) -> int:
    """Pass over ``zeros`` coefficients that are still zero; return where the next one is."""
    while k <= last:
        if seen >> k & 1:
            bits.take(1)
        elif zeros == 0:
            break
        else:
            zeros -= 1
        k += 1
    return k
