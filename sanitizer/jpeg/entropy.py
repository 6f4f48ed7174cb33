"""Where the coded data of a JPEG scan really ends (ITU-T T.81, annexes F and G).

Rule: bytes after the last coded block, before the next marker, are skipped by every decoder and
so can hold anything: they go. Up to ``EXACT_BYTES`` a scan is decoded in full and cut exactly.
A longer baseline scan is judged by its last kilobyte: Huffman codes find their own step again,
so decoding from anywhere ends on the last bit of the last block, unless something was appended;
then, too, the whole scan is decoded. Progressive scans are always decoded in full. What the tail
cannot show (bytes made to look like blocks, or behind an earlier restart interval of a long
scan) is named in threat_model.md.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from sanitizer.errors import Malformed, TooComplex
from sanitizer.jpeg import progressive
from sanitizer.jpeg.codes import Bits, Chain, block, chain, symbols
from sanitizer.jpeg.tables import Component, Frame, Scan
from sanitizer.jpeg.unused import is_plausible, is_standard
from sanitizer.pieces import Piece, Range, read_exactly
from sanitizer.source import UntrustedSource

EXACT_BYTES = 24 * 1024
"""A scan up to this length is always decoded in full."""
_TAIL_BYTES = 1024
_TAIL_STARTS = 3
_MAX_CODED = 48 << 20
_BLOCK = 64
_INVALID = 0
_BITS = 16


@lru_cache(maxsize=16)
def _lookup(table: bytes, *, dc: bool) -> list[int]:
    """Return, for each 16-bit look-ahead, ``step << 6 | bits``; 0 where no code begins so.

    ``bits`` counts the code and the number behind it; ``step`` is how many coefficients an AC
    code moves on (64 and more: the block ends), and is 1 for DC.
    """
    entries = [_INVALID] * (1 << _BITS)
    at, place = 17, 0
    for bits, count in enumerate(table[1:17], 1):
        for _ in range(count):
            symbol = table[at]
            at += 1
            run, size = symbol >> 4, symbol & 15
            step = 1 if dc else run + 1
            if not dc and size == 0:
                step = _BITS if run == _BITS - 1 else _BLOCK
            width = 1 << (_BITS - bits)
            size = symbol if dc else size
            entries[place : place + width] = [step << 6 | bits + size] * width
            place += width
    return entries


class _Bits:
    """Bits of unstuffed data, most significant first, padded with ones at its end."""

    __slots__ = ("_at", "_data", "have", "value")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self.value = 0
        self.have = 0

    def refill(self) -> None:
        """Add 64 bytes (ones behind the end)."""
        block = self._data[self._at : self._at + 64]
        self._at += 64
        block += b"\xff" * (64 - len(block))
        self.value = (self.value & ((1 << self.have) - 1)) << 512 | int.from_bytes(block, "big")
        self.have += 512

    @property
    def used(self) -> int:
        """Bits consumed so far; more than there were where the data was too short."""
        return self._at * 8 - self.have


@dataclass(frozen=True, slots=True)
class _Plane:
    """One component of a scan: its tables and its blocks per unit."""

    component: Component
    dc: list[int]
    ac: list[int]
    blocks: int


@dataclass(frozen=True, slots=True)
class CodedScan:
    """One scan, its tables, and how to find its end.

    ``met`` takes the symbols of each table that the scan uses, if it is decoded in full.
    """

    frame: Frame
    scan: Scan
    huffman: dict[tuple[int, int], bytes]
    restart: int
    history: progressive.History
    met: dict[tuple[int, int], set[int]] | None = None
    _chains: dict[bytes, Chain] = field(default_factory=dict)

    def without_slack(
        self, source: UntrustedSource, kept: list[Range], *, has_end: bool = True
    ) -> list[Piece] | None:
        """Return the scan's pieces with appended bytes cut off, or None if there are none.

        Data that no marker ends is counted block by block: it may be cut anywhere. Raises
        Malformed where the data ends before the last block.
        """
        total = sum(piece.length for piece in kept)
        whole = self.frame.progressive or total <= EXACT_BYTES or not has_end
        strange = self.met is not None and not all(
            is_plausible(table, self.frame.precision) for table in self.huffman.values()
        )
        if not (whole or strange) and self.tail_is_tight(source, kept):
            return None
        if total > _MAX_CODED:
            raise TooComplex("coded data too long to be checked")
        data = b"".join(read_exactly(source, piece.start, piece.length) for piece in kept)
        clean = self._cut(data)
        for table, known in self._chains.items():
            self._met((1, table[0] & 15)).update(known.met)
        return None if clean == data else [clean]

    def _planes(self) -> list[_Plane]:
        single = len(self.scan.components) == 1
        return [
            _Plane(
                component,
                _lookup(self.huffman[0, dc], dc=True),
                _lookup(self.huffman[1, ac], dc=False),
                1 if single else component.across * component.down,
            )
            for component, dc, ac in zip(
                self.scan.components, self.scan.dc, self.scan.ac, strict=True
            )
        ]

    def units(self) -> int:
        """Return how many units (MCUs) the scan has."""
        widest = max(c.across for c in self.frame.components)
        tallest = max(c.down for c in self.frame.components)
        width, height = self.frame.width, self.frame.height
        if len(self.scan.components) == 1:
            only = self.scan.components[0]
            width = -(-width * only.across // widest)
            height = -(-height * only.down // tallest)
            return -(-width // 8) * -(-height // 8)
        return -(-width // (8 * widest)) * -(-height // (8 * tallest))

    def _cut(self, data: bytes) -> bytes:
        """Decode everything; return the coded data without what no block needs."""
        parts, markers = _intervals(data)
        left, clean = self.units(), []
        for number, part in enumerate(parts):
            if left == 0:
                break
            units = min(left, self.restart) if self.restart else left
            begin = self.units() - left
            left -= units
            if number:
                clean.append(markers[number - 1])
            clean.append(self._cut_interval(part, range(begin, begin + units)))
        if left:
            raise Malformed("the coded data ends before the picture does")
        return b"".join(clean)

    def _cut_interval(self, part: bytes, units: range) -> bytes:
        plain = part.replace(b"\xff\0", b"\xff")
        used = (self._refined if self.frame.progressive else self._decoded)(plain, units)
        needed = -(-used // 8)
        if needed > len(plain):
            raise Malformed("the coded data ends before the picture does")
        if needed == len(plain):
            return part
        return plain[:needed].replace(b"\xff", b"\xff\0")

    def _decoded(self, plain: bytes, units: range) -> int:
        """Return how many bits a sequential scan's units take."""
        bits = Bits(plain)
        alone = len(self.scan.components) == 1
        order = [
            (symbols(self.huffman[0, dc]), self._met((0, dc)), self._chain(ac, runs=False))
            for c, dc, ac in zip(self.scan.components, self.scan.dc, self.scan.ac, strict=True)
            for _ in range(1 if alone else c.across * c.down)
        ]
        for _ in units:
            for first, met, rest in order:
                symbol = bits.symbol(first)
                met.add(symbol)
                bits.take(min(16, symbol))
                block(bits, rest, 1, _BLOCK)
            if bits.used > len(plain) * 8 + 7:
                raise Malformed("the coded data ends before the picture does")
        return bits.used

    def _refined(self, plain: bytes, units: range) -> int:
        """Return how many bits a progressive scan's units take."""
        scan = self.scan
        bits = Bits(plain)
        if scan.first == 0:
            alone = len(scan.components) == 1
            each = [1 if alone else c.across * c.down for c in scan.components]
            if scan.high:
                return len(units) * sum(each)
            tables = [
                (symbols(self.huffman[0, dc]), self._met((0, dc)))
                for dc, number in zip(scan.dc, each, strict=True)
                for _ in range(number)
            ]
            progressive.first_dc(bits, tables, len(units))
            return bits.used
        blocks = self.history.setdefault(scan.components[0].id, [0] * self.units())
        table = self._chain(scan.ac[0], runs=True)
        step = progressive.refine_ac if scan.high else progressive.first_ac
        step(bits, table, blocks, units, (scan.first, scan.last))
        return bits.used

    def _met(self, key: tuple[int, int]) -> set[int]:
        return set() if self.met is None else self.met.setdefault(key, set())

    def _chain(self, identity: int, *, runs: bool) -> Chain:
        """Return an AC table's chain: one that knows nothing yet, where what it meets is asked."""
        table = self.huffman[1, identity]
        if self.met is None or is_standard(table):
            return chain(table, runs=runs)
        if table not in self._chains:
            self._chains[table] = Chain(table, runs=runs)
        return self._chains[table]

    def tail_is_tight(self, source: UntrustedSource, kept: list[Range]) -> bool:
        """Tell whether the last bytes decode, without an error, exactly to their end."""
        last = kept[-1]
        length = min(last.length, _TAIL_BYTES)
        data = read_exactly(source, last.start + last.length - length, length)
        data = _intervals(data)[0][-1]
        # A zero that belongs to a stuffed 0xFF before the window is no data.
        plain = data.replace(b"\xff\0", b"\xff")
        planes = self._planes()
        order = [plane for plane in planes for _ in range(plane.blocks)]
        met: dict[tuple[int, int], tuple[int, int]] = {}
        ends: list[tuple[int, int]] = []
        for start in range(_TAIL_STARTS):
            ends.append(_walk(plain, order, start, met))
            used, phase = max(ends, key=ends.count)
            # Whatever the others would find: this is what most of them do.
            if ends.count((used, phase)) * 2 > _TAIL_STARTS:
                break
        else:
            return False
        spare = len(plain) * 8 - used
        padding = (1 << max(spare, 0)) - 1
        return (
            phase == 0
            and 0 <= spare < 8  # noqa: PLR2004 - bits of a byte
            and plain[-1] & padding in {padding, 0}
        )


def _intervals(data: bytes) -> tuple[list[bytes], list[bytes]]:
    """Split coded data at its restart markers; return the parts and the markers."""
    places = [-2]
    at = data.find(b"\xff")
    while at >= 0:
        if at + 1 < len(data) and data[at + 1] != 0:
            places.append(at)
        at = data.find(b"\xff", at + 2)
    places.append(len(data))
    parts = [data[left + 2 : right] for left, right in pairwise(places)]
    return parts, [data[at : at + 2] for at in places[1:-1]]


def _block(bits: _Bits, plane: _Plane) -> bool:
    """Step over one block of a sequential scan; False where the code is broken."""
    # A block is at most 64 codes of 31 bits; four refills hold it, one is nearly always enough.
    if bits.have < 2048:  # noqa: PLR2004 - bits in a longest block, rounded up
        for _ in range(4):
            bits.refill()
    value, have = bits.value, bits.have
    entry = plane.dc[value >> (have - 16) & 0xFFFF]
    have -= entry & 63
    k = 1
    ac = plane.ac
    while entry:
        entry = ac[value >> (have - 16) & 0xFFFF]
        have -= entry & 63
        k += entry >> 6
        if k >= _BLOCK:
            bits.have = have
            # An end-of-block code jumps far beyond; a run must stop at the last coefficient.
            return k == _BLOCK or entry >> 6 == _BLOCK
    return False


def _walk(
    plain: bytes, order: list[_Plane], start: int, met: dict[tuple[int, int], tuple[int, int]]
) -> tuple[int, int]:
    """Decode from byte ``start`` on, stepping over errors; return (bits used, phase) at the end.

    The position is that of the last block that ended within the data. Two walks that meet go on
    as one: ``met`` holds where earlier ones came by, and where those ended.
    """
    bits = _Bits(plain[start:])
    limit, at = (len(plain) - start) * 8, start * 8
    phase = start % len(order)
    good = (0, -1)
    mine: list[tuple[int, int]] = []
    used = 0
    while True:
        before = used
        fits = _block(bits, order[phase])
        used = bits.used
        if limit - before < 8 or used > limit:  # noqa: PLR2004 - the padding of a byte
            break
        if fits:
            phase = (phase + 1) % len(order)
            good = (used + at, phase)
            if good in met:
                return met[good]
            mine.append(good)
        else:
            # Not in step yet: try again one bit further on.
            bits.have -= max(0, before + 1 - used)
            used = bits.used
            phase, good = 0, (0, -1)
            mine.clear()
    met.update(dict.fromkeys(mine, good))
    return good
