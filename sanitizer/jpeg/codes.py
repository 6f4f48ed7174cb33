"""Huffman-coded data of a JPEG, stepped over several codes at a time (ITU-T T.81, annex F.2.2).

Rule: nothing is decoded that is not needed to know where a block ends and which of its
coefficients are not zero.  A look at 16 bits is remembered with all the codes that lie in it, so
that the next look of the same bits costs one step.
"""

from functools import lru_cache

from sanitizer.errors import Malformed

_BITS = 16
_REFILL = 32
_ENDS = 1 << 12
_SYMBOL_BITS = 6
_SIXTEEN_ZEROS = 0xF0


class Bits:
    """Bits of unstuffed data, most significant first; ones behind the end."""

    __slots__ = ("at", "data", "have", "value")

    def __init__(self, data: bytes) -> None:
        """Begin at the first bit of ``data``."""
        self.data = data
        self.at = self.have = self.value = 0

    def refill(self) -> None:
        """Add 32 bytes."""
        block = self.data[self.at : self.at + _REFILL].ljust(_REFILL, b"\xff")
        self.at += _REFILL
        self.value = (self.value & ((1 << self.have) - 1)) << 256 | int.from_bytes(block, "big")
        self.have += 256

    def take(self, width: int) -> int:
        """Return the next ``width`` bits (at most 64) as a number."""
        if self.have < width:
            self.refill()
        self.have -= width
        return self.value >> self.have & ((1 << width) - 1)

    def symbol(self, table: list[int]) -> int:
        """Return the next symbol of a table made by ``symbols``."""
        if self.have < _BITS:
            self.refill()
        entry = table[self.value >> (self.have - _BITS) & 0xFFFF]
        if not entry:
            raise Malformed("the coded data breaks its own code")
        self.have -= entry & 63
        return entry >> _SYMBOL_BITS

    @property
    def used(self) -> int:
        """Bits taken so far; more than there were where the data was too short."""
        return self.at * 8 - self.have


@lru_cache(maxsize=16)
def symbols(table: bytes, *, short_ends: bool = False) -> list[int]:
    """Return, for each 16 bits ahead, ``symbol << 6 | bits`` of the code; 0 where there is none.

    ``short_ends`` turns every symbol that ends a sequential block into 0: any without a size, but
    that of sixteen zeros.
    """
    entries = [0] * (1 << _BITS)
    at, place = 17, 0
    for bits, count in enumerate(table[1:17], 1):
        width = 1 << (_BITS - bits)
        for symbol in table[at : at + count]:
            if short_ends and not symbol & 15 and symbol < _SIXTEEN_ZEROS:
                symbol = 0  # noqa: PLW2901 - as the docstring says
            entries[place : place + width] = [symbol << _SYMBOL_BITS | bits] * width
            place += width
        at += count
    return entries


class Chain:
    """An AC table: what each 16 bits ahead do to a block, worked out when they are first met.

    ``runs`` tells that an end of block may stand for many blocks, as in a progressive pass;
    ``met`` are the symbols that data may have used so far.
    """

    __slots__ = ("entries", "met", "single")

    def __init__(self, table: bytes, *, runs: bool) -> None:
        """Take a table as a DHT segment holds it."""
        self.single = symbols(table, short_ends=not runs)
        self.entries = [0] * (1 << _BITS)
        self.met = set[int]()

    def look(self, key: int) -> int:
        """Return what 16 bits do: coefficients, whether the block ends, how far, bits used.

        ``mask << 13 | ends << 12 | step << 5 | bits``; for a run of ends of blocks, minus
        ``exponent << 5 | bits``. Raises Malformed where no code begins so.
        """
        used = step = mask = ends = 0
        while used < _BITS and step < 64:  # noqa: PLR2004 - a block has no more
            entry = self.single[key << used & 0xFFFF]
            bits, zeros, size = entry & 63, entry >> 10, entry >> _SYMBOL_BITS & 15
            if not entry or used + bits > _BITS:
                break
            self.met.add(entry >> _SYMBOL_BITS)
            if size == 0 and zeros < 15:  # noqa: PLR2004 - 15 means sixteen zeros
                if zeros == 0:
                    ends, used = 1, used + bits
                elif used == 0:
                    used = -(zeros << 5 | bits)
                break
            step += zeros
            mask |= bool(size) << step
            step += 1
            used += bits + size
        if not used:
            raise Malformed("the coded data breaks its own code")
        made = used if used < 0 else (mask << 1 | ends) << 12 | step << 5 | used
        self.entries[key] = made
        return made


@lru_cache(maxsize=8)
def chain(table: bytes, *, runs: bool) -> Chain:
    """Return the chain of a table; what it has learnt is kept for the next scan."""
    return Chain(table, runs=runs)


def block(bits: Bits, codes: Chain, k: int, end: int) -> tuple[int, int]:
    """Step over a block's coefficients from ``k`` up to ``end``, which is not among them.

    Return the set of those that are not zero, and how many blocks (this one and what follows) end
    here by one code: 0 where none said so. Raises Malformed where the code is broken.
    """
    entries, look = codes.entries, codes.look
    value, have, seen = bits.value, bits.have, 0
    while k < end:
        if have < 48:  # noqa: PLR2004 - the longest code and the number behind it
            bits.have = have
            bits.refill()
            value, have = bits.value, bits.have
        key = value >> (have - 16) & 0xFFFF
        entry = entries[key] or look(key)
        if entry < 0:
            exponent = -entry >> 5
            bits.have = have - (-entry & 31)
            return seen, (1 << exponent) + bits.take(exponent)
        after = k + (entry >> 5 & 127)
        if after + (entry >> 12 & 1) > end:
            # What comes after this block's last coefficient is the next block's: one code alone.
            entry = codes.single[key]
            zeros, size = entry >> 10, entry >> 6 & 15
            have -= (entry & 63) + size
            k += zeros
            seen |= bool(size) << k
            k += 1
            continue
        have -= entry & 31
        seen |= entry >> 13 << k
        if entry & _ENDS:
            bits.have = have
            return seen, 1
        k = after
    bits.have = have
    if k > end:
        raise Malformed("the coded data breaks its own code")
    return seen, 0
