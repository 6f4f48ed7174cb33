"""Step through the passes of a progressive JPEG, to know where each one ends (T.81, annex G).

Rule: no coefficient is kept, only which ones are no longer zero, because refining passes spend
a bit on each of those. Always in full: a refining pass cannot be judged by its tail.
"""

from collections.abc import Iterable, Sequence

from sanitizer.errors import Malformed
from sanitizer.jpeg.codes import Bits, Chain, block

_LONGEST = 128
"""More bits than one code takes with its number and a bit for each coefficient of its block."""

History = dict[int, list[int]]
"""Component id → for each block a bit set of its coefficients that are not zero."""


def first_dc(bits: Bits, tables: Sequence[tuple[list[int], set[int]]], units: int) -> None:
    """Step over ``units`` units of a first DC pass.

    ``tables`` has a table for each block, and a set that takes the symbols met.
    """
    for _ in range(units):
        for table, met in tables:
            symbol = bits.symbol(table)
            met.add(symbol)
            bits.take(min(16, symbol))


def first_ac(
    bits: Bits, codes: Chain, blocks: list[int], span: range, band: tuple[int, int]
) -> None:
    """Step over a first pass of the coefficients in ``band`` for the blocks in ``span``."""
    first, end = band[0], band[1] + 1
    place = span.start
    while place < span.stop:
        seen, ended = block(bits, codes, first, end)
        blocks[place] |= seen
        place += ended or 1


def refine_ac(
    bits: Bits, codes: Chain, blocks: list[int], span: range, band: tuple[int, int]
) -> None:
    """Step over a refining pass of the coefficients in ``band`` for the blocks in ``span``."""
    first, end = band[0], band[1] + 1
    inside, table, place = (1 << end) - (1 << first), codes.single, span.start
    met = set[int]()
    value, have = bits.value, bits.have
    while place < span.stop:
        # One set bit for each coefficient of the band that is still zero, from k on.
        k, seen, run = first, blocks[place], 0
        zero = (seen & inside ^ inside) >> k
        while k < end:
            if have < _LONGEST:
                bits.have = have
                bits.refill()
                value, have = bits.value, bits.have
            entry = table[value >> (have - 16) & 0xFFFF]
            if not entry:
                raise Malformed("the coded data breaks its own code")
            met.add(entry >> 6)
            have -= entry & 63
            zeros, size = entry >> 10, entry >> 6 & 15
            if size == 0 and zeros < 15:  # noqa: PLR2004 - 15 means sixteen zeros
                have -= zeros
                run = (1 << zeros) + (value >> have & ((1 << zeros) - 1))
                break
            for _ in range(zeros):
                zero &= zero - 1
            after = k + (zero & -zero).bit_length() - 1 if zero else end
            # A bit for the new one's sign, and one for each of the others that is passed over.
            have -= bool(size) + (seen >> k & ((1 << (after - k)) - 1)).bit_count()
            if size and zero:
                blocks[place] |= 1 << after
            zero = (seen & inside ^ inside) >> after + 1
            k = after + 1
        if run:
            # Of the blocks that end here too, only those that are not empty take bits.
            ended = blocks[place + 1 : min(place + run, span.stop)]
            place += len(ended)
            bits.have = have
            _step_over(bits, (seen & -(1 << k), *filter(None, ended)), inside)
            value, have = bits.value, bits.have
        place += 1
    bits.have = have
    codes.met |= met


def _step_over(bits: Bits, blocks: Iterable[int], inside: int) -> None:
    """Step over one bit for each coefficient inside the band that is not zero."""
    left = sum((seen & inside).bit_count() for seen in blocks)
    while left > bits.have:
        left -= bits.have
        bits.have = 0
        bits.refill()
    bits.have -= left
