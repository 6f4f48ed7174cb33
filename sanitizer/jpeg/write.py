"""JPEG by segments: an allow-list of what a decoder needs, scan data kept bit by bit.

Rule: every segment of the result is written by this module from numbers it has understood
(ITU-T T.81, annex B); of the source only entropy-coded data is kept, by its place. Whatever is
not named here goes: APPn, COM, MPF, stray and fill bytes, tables nobody uses, all after EOI.
"""

import re
import struct
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sanitizer import exif, icc
from sanitizer.errors import Malformed, TooComplex, TooManyPixels, Unsupported
from sanitizer.jpeg.entropy import CodedScan
from sanitizer.jpeg.tables import Component, Frame, Scan, Tables, parse_frame, parse_scan
from sanitizer.jpeg.unused import Met
from sanitizer.limits import Limits
from sanitizer.pieces import WINDOW, Piece, Plan, Range, read_exactly, view
from sanitizer.ratio import common, ratio
from sanitizer.source import UntrustedSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from sanitizer.jpeg.progressive import History

_SOI, _EOI, _SOS, _DQT, _DHT, _DRI, _DNL, _COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xDC, 0xFE
_APP0, _APP1, _APP2, _APP11, _APP13, _APP14 = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE
_FRAMES = {0xC0, 0xC1, 0xC2}
_UNUSUAL = {_DNL, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xDE, 0xDF}
# Conditioning of arithmetic coding means nothing to a frame that is coded by Huffman.
_DAC = 0xCC
_APPLICATION = {*range(0xE0, 0xF0), _COM}
_ALONE = {0x01, *range(0xD0, 0xD8)}
_MARKER = re.compile(rb"\xff+[^\x00\xff]")
_IN_SCAN = re.compile(rb"\xff[^\x00]")
_FILL = re.compile(rb"\xff+")
_HELD_BYTES = 1 << 18
_MAX_SCANS = 200
_MOST_VISITS = 24
_FREE_VISITS = 2_000_000
_JFIF_LENGTH = 14
_ADOBE_LENGTH = 12
_CMYK = 4
_TRANSFORMS = {3: 1, _CMYK: 2}
_RGB = b"RGB"


@dataclass(slots=True)
class _Head:
    """What the application segments say that a picture needs to look right."""

    density: tuple[int, int, int] | None = None
    adobe: int | None = None
    told: exif.Exif | None = None
    xmp_orientation: int | None = None
    profile: dict[int, bytes] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)

    def application(self, marker: int, payload: bytes) -> None:
        """Take one APPn or COM segment: note what it is and let it go."""
        if marker == _COM:
            self.kinds.add("comment")
        elif marker == _APP0 and payload.startswith(b"JFIF\0") and len(payload) >= _JFIF_LENGTH:
            unit, across, down = struct.unpack_from(">BHH", payload, 7)
            self.density = (unit, across, down)
            if len(payload) > _JFIF_LENGTH:
                self.kinds.add("thumbnail")
        elif marker == _APP0:
            self.kinds.add("thumbnail" if payload.startswith(b"JFXX\0") else "other_metadata")
        elif marker == _APP14 and payload.startswith(b"Adobe") and len(payload) >= _ADOBE_LENGTH:
            self.adobe = payload[11]
        elif marker == _APP2 and payload.startswith(b"ICC_PROFILE\0"):
            self.profile.setdefault(payload[12] if len(payload) > 12 else 0, payload[14:])  # noqa: PLR2004 - "ICC_PROFILE\0", number, of how many
        else:
            self._metadata(marker, payload)

    def _metadata(self, marker: int, payload: bytes) -> None:
        if marker == _APP1 and payload.startswith(b"Exif\0"):
            block = exif.read(payload[6:])
            self.kinds |= block.kinds
            # Decoders believe the first block; later ones are only reported.
            self.told = self.told or block
        elif marker == _APP1 and payload.startswith(b"http://ns.adobe.com/"):
            self.kinds.add("xmp")
            self.xmp_orientation = self.xmp_orientation or exif.xmp_orientation(payload)
        elif marker == _APP13:
            self.kinds.add("iptc")
        elif marker == _APP11:
            self.kinds.add("c2pa")
        else:
            self.kinds.add("other_metadata")

    def orientation(self) -> int:
        """Return how decoders turn this picture: EXIF first, then XMP, else 1."""
        told = self.told.orientation if self.told else None
        return told or self.xmp_orientation or 1

    def pieces(self, components: int) -> list[Piece]:
        """Return the few segments of ours that stand before the tables."""
        made: list[Piece] = []
        if self.density is not None:
            unit, across, down = self.density
            inch = common(across, down) if unit == 1 else None
            terms = (1, inch, inch) if inch else (0, *(ratio(across, down) or (1, 1)))
            made.append(_segment(_APP0, b"JFIF\0\1\1" + struct.pack(">BHHBB", *terms, 0, 0)))
        if self.orientation() != 1:
            made.append(_segment(_APP1, exif.of_orientation(self.orientation())))
        if self.adobe is not None and components in _TRANSFORMS:
            # Decoders take any other number for the transform that a picture like this may have.
            transform = min(self.adobe, 1) * _TRANSFORMS[components]
            made.append(_segment(_APP14, b"Adobe\0\x64\0\0\0\0" + bytes([transform])))
        made += self._profile(components)
        return made

    def _profile(self, components: int) -> list[Piece]:
        if not self.profile:
            return []
        self.kinds.add("icc_description")
        colour = icc.replace(b"".join(self.profile[number] for number in sorted(self.profile)))
        if colour.profile is None or colour.is_srgb:
            return []
        space = {1: b"GRAY", 3: b"RGB ", _CMYK: b"CMYK"}.get(components)
        if colour.profile[16:20] != space:
            return []
        step = 65519
        parts = [colour.profile[at : at + step] for at in range(0, len(colour.profile), step)]
        return [
            _segment(_APP2, b"ICC_PROFILE\0" + bytes([number, len(parts)]) + part)
            for number, part in enumerate(parts, 1)
        ]


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


class _Window:
    """Some of the source, held so that looking on from where one stands reads nothing twice."""

    def __init__(self, source: UntrustedSource) -> None:
        self._source = source
        self._start = 0
        self._data: bytes | memoryview = b""

    def of(self, at: int) -> tuple[bytes | memoryview, int]:
        """Return bytes, and where in them the source's byte ``at`` stands, with one behind it."""
        end = self._start + len(self._data)
        if not (self._start <= at < end - 1 or (end == self._source.length and self._data)):
            self._start = at
            self._data = view(self._source, at, _HELD_BYTES)
        return self._data, at - self._start


class _Writer:
    """One walk through one JPEG; ``pieces`` is what remains of it."""

    def __init__(self, source: UntrustedSource, limits: Limits) -> None:
        self.source = source
        self.window = _Window(source)
        self.limits = limits
        self.pieces: list[Piece] = [b"\xff\xd8"]
        self.head = _Head()
        self.frame: Frame | None = None
        self.told_frame: Frame | None = None
        self.tables = Tables()
        self.started = False
        self.seen: set[int] = set()
        self.low: dict[tuple[int, int], int] = {}
        self.history: History = {}
        self.scans = 0
        self.written: dict[tuple[int, int], Met] = {}
        self.defined: list[Met] = []
        self.visits = 0
        self.parts = 0
        self.at = 2

    def run(self) -> None:
        """Walk from SOI to EOI."""
        while True:
            marker = self._next_marker()
            if marker == _EOI:
                break
            if marker not in _ALONE:
                self._segment(marker)
        if self.frame is None or self.seen != {c.id for c in self.frame.components}:
            raise Malformed("the picture has components without data")
        self._write_huffman()
        self.pieces.append(b"\xff\xd9")
        if self.at < self.source.length:
            self.head.kinds.add("trailing_data")

    def _next_marker(self) -> int:
        """Return the next marker's code and stand behind it; garbage before it is skipped."""
        self.parts += 1
        if self.parts > self.limits.image_parts:
            raise TooComplex("too many segments")
        while self.at < self.source.length:
            window, place = self.window.of(self.at)
            match = _MARKER.search(window, place)
            if match:
                if match.end() - place > 2:  # noqa: PLR2004 - a marker is two bytes
                    self.head.kinds.add("other_metadata")
                self.at += match.end() - place
                return window[match.end() - 1]
            # The last byte may be the first half of a marker.
            self.at += max(1, len(window) - place - 1)
        if self._is_complete():
            # Cut behind its last block, as some phones and messengers do: decoders show it whole.
            return _EOI
        raise Malformed("the picture ends before its end marker")

    def _is_complete(self) -> bool:
        """Tell whether every plane has come, and in a progressive picture every bit of it."""
        if self.frame is None or self.seen != {c.id for c in self.frame.components}:
            return False
        every = {(c.id, k) for c in self.frame.components for k in range(64)}
        return not self.frame.progressive or {k for k, low in self.low.items() if not low} == every

    def _segment(self, marker: int) -> None:
        if marker == _SOI:
            raise Malformed("a picture begins inside the picture")
        if marker in _UNUSUAL:
            raise Unsupported("a kind of JPEG that browsers do not show")
        (length,) = struct.unpack(">H", read_exactly(self.source, self.at, 2))
        if length < 2:  # noqa: PLR2004 - the length counts itself
            raise Malformed("a segment is shorter than its own length")
        payload = read_exactly(self.source, self.at + 2, length - 2)
        self.at += length
        take: dict[int, Callable[[bytes], None]] = {
            _DQT: self.tables.define_quantization,
            _DHT: self.tables.define_huffman,
            _DRI: self.tables.define_restart,
            _SOS: self._scan,
        }
        if marker in _FRAMES:
            self._frame(marker, payload)
        elif marker in take:
            take[marker](payload)
        elif marker not in _APPLICATION and marker != _DAC:
            raise Unsupported("a segment of an unknown kind")
        elif self.started or marker == _DAC:
            self.head.kinds.add("other_metadata")
        else:
            self.head.application(marker, payload)

    def _frame(self, marker: int, payload: bytes) -> None:
        if self.frame is not None:
            raise Malformed("two frames in one picture")
        self.told_frame = frame = parse_frame(marker, payload)
        # Ids are names: 1, 2, 3, but for those by which decoders know a picture that is RGB.
        names = bytes(c.id for c in frame.components)
        names = names if names == _RGB else bytes(range(1, len(names) + 1))
        components = (replace(c, id=name) for c, name in zip(frame.components, names, strict=True))
        self.frame = replace(frame, components=tuple(components))
        if max(self.frame.width, self.frame.height) > self.limits.image_side or (
            self.frame.width * self.frame.height > self.limits.image_pixels
        ):
            raise TooManyPixels("more pixels than the limit")

    def _scan(self, payload: bytes) -> None:
        if self.frame is None or self.told_frame is None:
            raise Malformed("a scan before the frame")
        self.scans += 1
        if self.scans > _MAX_SCANS:
            raise TooComplex("too many scans")
        scan = parse_scan(self.told_frame, payload)
        ours = dict(zip(self.told_frame.components, self.frame.components, strict=True))
        scan = replace(scan, components=tuple(ours[c] for c in scan.components))
        self._follows(scan)
        if not self.started:
            self.started = True
            self.pieces += self.head.pieces(len(self.frame.components))
            for table in self.tables.new_quantization(self.frame.components):
                self.pieces.append(_segment(_DQT, table))
            self.pieces.append(_segment(self.frame.marker, self.frame.to_bytes()))
        coded = CodedScan(self.frame, scan, self.tables.huffman_of(scan), 0, self.history, {})
        restart = self.tables.restart_of(coded.units())
        coded = replace(coded, restart=restart)
        self._visit(coded)
        self._tables_of(scan, restart)
        self.pieces.append(_segment(_SOS, scan.to_bytes()))
        first = len(self.pieces)
        has_end = self._entropy_coded(restart)
        kept = [piece for piece in self.pieces[first:] if isinstance(piece, Range)]
        cut = coded.without_slack(self.source, kept, has_end=has_end)
        for key in scan.huffman():
            self.written[key].take(coded.met.get(key) if coded.met else None)
        if cut is not None:
            self.head.kinds.add("trailing_data")
            self.pieces[first:] = cut

    def _follows(self, scan: Scan) -> None:
        """Note which bits a scan brings; raises Malformed where they came already, or too early.

        A picture brings each bit of a coefficient once (T.81, B.2.3 and G.1.1.1): twice would be
        a second picture under the first, or work without end.
        """
        for key in ((c.id, k) for c in scan.components for k in range(scan.first, scan.last + 1)):
            if self.low.get(key) != (scan.high or None):
                raise Malformed("a scan brings again what came before, or too early")
            self.low[key] = scan.low
        self.seen |= {c.id for c in scan.components}

    def _visit(self, coded: CodedScan) -> None:
        """Count a scan's blocks; raises TooComplex where they are too many for such a picture."""
        self.visits += coded.units()
        blocks = -(-coded.frame.width // 8) * -(-coded.frame.height // 8)
        if self.visits > max(_FREE_VISITS, _MOST_VISITS * len(coded.frame.components) * blocks):
            raise TooComplex("too many scans for such a picture")

    def _tables_of(self, scan: Scan, restart: int) -> None:
        """Write the tables that this scan needs and that were not written yet."""
        components: list[Component] = list(scan.components)
        self.pieces += [_segment(_DQT, table) for table in self.tables.new_quantization(components)]
        for table in self.tables.new_huffman(scan):
            met = Met(table, len(self.pieces))
            self.written[table[0] >> 4, table[0] & 15] = met
            self.defined.append(met)
            self.pieces.append(b"")
        changed = self.tables.new_restart(restart)
        if changed is not None:
            self.pieces.append(_segment(_DRI, struct.pack(">H", changed)))

    def _write_huffman(self) -> None:
        """Put each Huffman table in its place, without what nothing uses, and once."""
        last: dict[int, bytes] = {}
        for met in self.defined:
            table = met.emptied()
            if last.get(table[0]) != table:
                self.pieces[met.place] = _segment(_DHT, table)
            last[table[0]] = table

    def _entropy_coded(self, restart: int) -> bool:
        """Keep the coded data up to the next marker that is no restart; drop fill bytes.

        Return whether there is such a marker: else the file ends here.
        """
        start, restarts = self.at, 0
        while True:
            window, begin = self.window.of(self.at)
            origin = self.at - begin
            for match in _IN_SCAN.finditer(window, begin):
                place, code = origin + match.start(), window[match.start() + 1]
                # Any other restart marker ends the data, as decoders see it.
                if restart and code == 0xD0 + restarts % 8:
                    restarts += 1
                    continue
                self.pieces.append(Range(start, place - start))
                self.at = place
                if code != 0xFF:  # noqa: PLR2004 - not a fill byte
                    return True
                start = self._skip_fill(place)
                break
            else:
                # The last byte may be the first half of a marker.
                self.at += max(1, len(window) - begin - 1)
                if self.at >= self.source.length:
                    half = window[-1:] == b"\xff"
                    self.pieces.append(Range(start, self.source.length - half - start))
                    return False

    def _skip_fill(self, place: int) -> int:
        """Step over a run of 0xFF but its last; return where the data goes on."""
        self.parts += 1
        if self.parts > self.limits.image_parts:
            raise TooComplex("too many fill bytes")
        end = place
        while True:
            match = _FILL.match(self.source.read_at(end, WINDOW))
            if match is None or match.end() < WINDOW:
                end += match.end() if match else 0
                break
            end += match.end()
        self.head.kinds.add("other_metadata")
        self.at = end - 1
        return self.at


def plan(source: UntrustedSource, limits: Limits) -> tuple[Plan, set[str]]:
    """Return the clean JPEG as a plan, and the kinds of what it leaves out.

    Raises a leaf of Refused.
    """
    writer = _Writer(source, limits)
    writer.run()
    return Plan(source, writer.pieces), writer.head.kinds
