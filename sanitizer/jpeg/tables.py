"""The parts of a JPEG that have numbers in them: frame, tables, scan header.

Rule: parsing accounts for every byte or raises Malformed; writing starts from the numbers
(ITU-T T.81, B.2.2 to B.2.4). A table is written only for a scan that uses it.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from sanitizer.errors import Malformed, Unsupported
from sanitizer.jpeg.standard import STANDARD

_PROGRESSIVE = 0xC2
_BLOCK = 64


@dataclass(frozen=True, slots=True)
class Component:
    """One colour plane: its id, sampling factors and quantization table."""

    id: int
    across: int
    down: int
    quantization: int


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture's size and planes."""

    marker: int
    precision: int
    width: int
    height: int
    components: tuple[Component, ...]

    @property
    def progressive(self) -> bool:
        """Whether the picture comes in refining passes."""
        return self.marker == _PROGRESSIVE

    def to_bytes(self) -> bytes:
        """Return the payload of the frame's segment."""
        head = struct.pack(">BHHB", self.precision, self.height, self.width, len(self.components))
        return head + b"".join(
            bytes([c.id, c.across << 4 | c.down, c.quantization]) for c in self.components
        )


def parse_frame(marker: int, untrusted: bytes) -> Frame:
    """Parse a SOF0, SOF1 or SOF2 payload."""
    if len(untrusted) < 6:  # noqa: PLR2004 - the fixed part
        raise Malformed("a frame header is too short")
    precision, height, width, count = struct.unpack_from(">BHHB", untrusted)
    if len(untrusted) != 6 + 3 * count or not 1 <= count <= 4:  # noqa: PLR2004 - T.81 B.2.2
        raise Malformed("a frame header has the wrong length")
    if height == 0 or width == 0:
        raise Unsupported("a picture that does not state its size")
    if precision not in {8, 12} or (precision == 12 and marker == 0xC0):  # noqa: PLR2004 - bits
        raise Unsupported("an unusual sample precision")
    components = []
    for at in range(6, len(untrusted), 3):
        identity, sampling, quantization = untrusted[at : at + 3]
        across, down = sampling >> 4, sampling & 15
        if not (1 <= across <= 4 and 1 <= down <= 4 and quantization <= 3):  # noqa: PLR2004 - T.81
            raise Malformed("a component's numbers are out of range")
        components.append(Component(identity, across, down, quantization))
    if len({c.id for c in components}) != count:
        raise Malformed("two components share an id")
    return Frame(marker, precision, width, height, tuple(components))


@dataclass(frozen=True, slots=True)
class Scan:
    """Which planes and coefficients one pass carries, and the tables that code them."""

    components: tuple[Component, ...]
    dc: tuple[int, ...]
    ac: tuple[int, ...]
    first: int
    last: int
    high: int
    low: int

    def to_bytes(self) -> bytes:
        """Return the payload of the scan's segment."""
        each = b"".join(
            bytes([c.id, dc << 4 | ac])
            for c, dc, ac in zip(self.components, self.dc, self.ac, strict=True)
        )
        tail = bytes([self.first, self.last, self.high << 4 | self.low])
        return bytes([len(self.components)]) + each + tail

    def huffman(self) -> list[tuple[int, int]]:
        """Return (class, id) of each table that this scan decodes with."""
        needed = []
        if self.first == 0 and self.high == 0:
            needed += [(0, identity) for identity in self.dc]
        if self.last > 0:
            needed += [(1, identity) for identity in self.ac]
        return list(dict.fromkeys(needed))


def parse_scan(frame: Frame, untrusted: bytes) -> Scan:
    """Parse a SOS payload for this frame."""
    count = untrusted[0] if untrusted else 0
    if not 1 <= count <= 4 or len(untrusted) != 4 + 2 * count:  # noqa: PLR2004 - T.81 B.2.3
        raise Malformed("a scan header has the wrong length")
    known = {c.id: c for c in frame.components}
    components, dc, ac = [], [], []
    for at in range(1, 1 + 2 * count, 2):
        identity, tables = untrusted[at], untrusted[at + 1]
        if identity not in known or known[identity] in components:
            raise Malformed("a scan names a component that is not there")
        if tables >> 4 > 3 or tables & 15 > 3:  # noqa: PLR2004 - table ids are 0 to 3
            raise Malformed("a scan names a table that cannot be")
        components.append(known[identity])
        dc.append(tables >> 4)
        ac.append(tables & 15)
    first, last, bits = untrusted[-3:]
    scan = Scan(tuple(components), tuple(dc), tuple(ac), first, last, bits >> 4, bits & 15)
    if not frame.progressive:
        # Decoders do not look at these three numbers here, so nothing may hide in them.
        return Scan(scan.components, scan.dc, scan.ac, 0, _BLOCK - 1, 0, 0)
    return _progressive(scan)


def _progressive(scan: Scan) -> Scan:
    """Check a progressive scan's ranges; zero the table ids that it does not use."""
    is_dc = scan.first == 0
    if (
        scan.last >= _BLOCK
        or scan.first > scan.last
        or (is_dc and scan.last != 0)
        or (not is_dc and len(scan.components) != 1)
        or (scan.high != 0 and scan.high != scan.low + 1)
        or scan.low > 13  # noqa: PLR2004 - T.81 G.1.1.1.2
    ):
        raise Malformed("a progressive scan's numbers are out of range")
    nothing = (0,) * len(scan.components)
    dc = scan.dc if is_dc and scan.high == 0 else nothing
    ac = nothing if is_dc else scan.ac
    return Scan(scan.components, dc, ac, scan.first, scan.last, scan.high, scan.low)


@dataclass(slots=True)
class Tables:
    """The tables as they stand at this point of the file, and those written so far."""

    quantization: dict[int, bytes] = field(default_factory=dict)
    huffman: dict[tuple[int, int], bytes] = field(default_factory=dict)
    restart: int = 0
    _written_quantization: dict[int, bytes] = field(default_factory=dict)
    _written_huffman: dict[tuple[int, int], bytes] = field(default_factory=dict)
    _written_restart: int = 0

    def define_quantization(self, untrusted: bytes) -> None:
        """Take a DQT payload, which may define several tables."""
        at = 0
        while at < len(untrusted):
            wide, identity = untrusted[at] >> 4, untrusted[at] & 15
            length = 1 + _BLOCK * (wide + 1)
            table = untrusted[at : at + length]
            if wide > 1 or identity > 3 or len(table) != length:  # noqa: PLR2004 - T.81 B.2.4.1
                raise Malformed("a quantization table is broken")
            self.quantization[identity] = table
            at += length

    def define_huffman(self, untrusted: bytes) -> None:
        """Take a DHT payload, which may define several tables."""
        at = 0
        while at < len(untrusted):
            kind, identity = untrusted[at] >> 4, untrusted[at] & 15
            counts = untrusted[at + 1 : at + 17]
            length = 17 + sum(counts)
            table = untrusted[at : at + length]
            room = 1 << 16
            for bits, number in enumerate(counts, 1):
                room -= number << (16 - bits)
            if kind > 1 or identity > 3 or len(table) != length or room < 0 or length > 273:  # noqa: PLR2004 - T.81 B.2.4.2
                raise Malformed("a Huffman table is broken")
            self.huffman[kind, identity] = table
            at += length

    def define_restart(self, untrusted: bytes) -> None:
        """Take a DRI payload."""
        if len(untrusted) != 2:  # noqa: PLR2004 - one 16-bit number
            raise Malformed("a restart interval has the wrong length")
        (self.restart,) = struct.unpack(">H", untrusted)

    def new_quantization(self, components: Sequence[Component]) -> list[bytes]:
        """Return the tables these components need and that were not written yet."""
        made = []
        for identity in dict.fromkeys(c.quantization for c in components):
            table = self.quantization.get(identity)
            if table is None:
                raise Malformed("a quantization table is missing")
            if self._written_quantization.get(identity) != table:
                self._written_quantization[identity] = table
                made.append(table)
        return made

    def huffman_of(self, scan: Scan) -> dict[tuple[int, int], bytes]:
        """Return the Huffman tables that a scan decodes with; annex K has some that may lack."""
        known = STANDARD | self.huffman
        if not all(key in known for key in scan.huffman()):
            raise Malformed("a Huffman table is missing")
        return {key: known[key] for key in scan.huffman()}

    def new_huffman(self, scan: Scan) -> list[bytes]:
        """Return the tables this scan needs and that were not written yet."""
        made = []
        for key, table in self.huffman_of(scan).items():
            if self._written_huffman.get(key) != table:
                self._written_huffman[key] = table
                made.append(table)
        return made

    def restart_of(self, units: int) -> int:
        """Return the restart interval of a scan of so many units; 0 where none restarts."""
        return self.restart if self.restart < units else 0

    def new_restart(self, restart: int) -> int | None:
        """Return a restart interval if it changed since one was last written."""
        if restart == self._written_restart:
            return None
        self._written_restart = restart
        return restart
