"""One frame of Motion JPEG: tables, headers and coded data, and none of what a camera adds.

Rule (ITU-T T.81, annex B; OpenDML AVI 1.02, annex A for ``AVI1``): a segment stays as it was
where every byte of it is a number that the picture needs; of the application segments four stay,
each in one fixed form (the field order, the shape of a pixel, Adobe's and ITU's colours). A frame
may leave out its Huffman tables, which are then those of T.81, K.3. Coded data ends where
sanitizer.jpeg.entropy says it does. Interface: ``strip(frame)``, or ``Frames(height).strip`` for
a whole video; the independent reader is sanitizer.frames.jpeg_check.
"""

import hashlib
import re
import struct
from dataclasses import dataclass, field

from sanitizer.errors import Malformed, TooComplex, Unsupported
from sanitizer.jpeg.entropy import CodedScan
from sanitizer.jpeg.standard import STANDARD
from sanitizer.jpeg.tables import Frame, Scan, Tables, parse_frame, parse_scan
from sanitizer.pieces import Range

_EOI, _SOS, _DQT, _DHT, _DRI, _COM = 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xFE
_APP0, _APP14, _APP15 = 0xE0, 0xEE, 0xEF
_BASELINE = {0xC0, 0xC1}
_MARKER = re.compile(rb"\xff+[^\x00\xff]")
_STOP = re.compile(rb"\xff[^\x00]")
_FILL = re.compile(rb"\xff+(?=\xff)")
_MAX_SEGMENTS = 1000
_MAX_SCANS = 4
_EXACT_BYTES = 4096
_MAX_EXACT = 256 << 20
_MOST_REMEMBERED = 200_000
_FIELD_ORDERS = {1, 2}
_JFIF_LENGTH, _ADOBE_LENGTH = 14, 12
_ITU = b"CS=ITU601"
_FLIPPED = (b"AVID", b"Intel(R) JPEG Library, version 1", b"Metasoft MJPEG Codec")


def strip(untrusted: bytes) -> bytes:
    """Return one frame without its messages; raises Malformed, Unsupported or TooComplex.

    A second field is kept where the first says that it is one (``AVI1``).
    """
    return Frames().strip(untrusted)


@dataclass(slots=True)
class Frames:
    """The frames of one video, which share a bound on the work.

    ``height`` is the container's, in lines (0: unknown): frames much lower than it are fields.
    """

    height: int = 0
    _exact_left: int = _MAX_EXACT
    _whole: set[bytes] = field(default_factory=set)
    """Digests of scans that were seen to end where they must: most are asked about twice."""

    def strip(self, untrusted: bytes) -> bytes:
        """Return one frame without its messages; an empty one (the picture stands) is empty."""
        if not untrusted:
            return untrusted
        first = self._field(untrusted, untrusted.find(b"\xff\xd8"))
        again = untrusted.find(b"\xff\xd8", first.at)
        if again < 0 or not self._is_field(first):
            return first.result()
        second = self._field(untrusted, again)
        if second.frame != first.frame:
            raise Malformed("two fields of different pictures")
        return first.result() + second.result()

    def _is_field(self, picture: "_Field") -> bool:
        lines = picture.frame.height if picture.frame else 0
        return picture.order in _FIELD_ORDERS or lines * 4 < self.height * 3

    def _field(self, untrusted: bytes, at: int) -> "_Field":
        if at < 0:
            raise Malformed("a frame that is no picture")
        made = _Field(untrusted, at + 2, self._exact_left, self._whole)
        made.run()
        self._exact_left = made.exact_left
        return made


@dataclass(slots=True)
class _Kept:
    """One segment: bytes that stay, or tables of which those stay that a scan uses."""

    marker: int
    parts: list[tuple[tuple[int, int], bytes]] = field(default_factory=list)
    live: set[int] = field(default_factory=set)

    def result(self) -> bytes:
        stay = b"".join(part for index, (_, part) in enumerate(self.parts) if index in self.live)
        return _segment(self.marker, stay) if stay else b""


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def _default_tables() -> Tables:
    tables = Tables()
    tables.define_huffman(b"".join(STANDARD.values()))
    return tables


@dataclass(slots=True)
class _Field:
    """One walk from SOI to EOI, or to the end of the frame: cameras leave EOI out."""

    data: bytes
    at: int
    exact_left: int
    whole: set[bytes]
    frame: Frame | None = None
    order: int | None = None
    tables: Tables = field(default_factory=_default_tables)
    head: dict[int, bytes] = field(default_factory=dict)
    made: list[_Kept | bytes] = field(default_factory=list)
    defined: dict[tuple[int, int, int], tuple[_Kept, int]] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)

    def run(self) -> None:
        """Walk; raises a leaf of Refused."""
        for _ in range(_MAX_SEGMENTS):
            match = _MARKER.search(self.data, self.at)
            if match is None:
                break
            self.at = match.end()
            marker = self.data[match.end() - 1]
            if marker == _EOI:
                break
            self._take(marker)
        else:
            raise TooComplex("too many segments in a frame")
        if self.frame is None or self.seen != {c.id for c in self.frame.components}:
            raise Malformed("a frame without a picture")

    def result(self) -> bytes:
        """Return the field from SOI to EOI."""
        head = b"".join(self.head[place] for place in sorted(self.head))
        body = b"".join(part if isinstance(part, bytes) else part.result() for part in self.made)
        return b"\xff\xd8" + head + body + b"\xff\xd9"

    def _take(self, marker: int) -> None:
        if len(self.data) < self.at + 2:
            raise Malformed("a frame ends inside a segment")
        (length,) = struct.unpack_from(">H", self.data, self.at)
        payload = self.data[self.at + 2 : self.at + length]
        if len(payload) != length - 2:
            raise Malformed("a frame ends inside a segment")
        self.at += length
        if marker in {_DQT, _DHT}:
            self._define(marker, payload)
        elif marker == _DRI:
            self.tables.define_restart(payload)
            self.made.append(_segment(_DRI, payload))
        elif marker in _BASELINE and self.frame is None:
            self.frame = parse_frame(marker, payload)
            self.made.append(_segment(marker, payload))
        elif marker == _SOS and self.frame is not None:
            self._scan(parse_scan(self.frame, payload))
        elif _APP0 <= marker <= _APP15 or marker == _COM:
            self._application(marker, payload)
        else:
            raise Unsupported("a kind of JPEG that video is not made of")

    def _define(self, marker: int, payload: bytes) -> None:
        """Take the tables of a segment; each is kept once a scan uses it."""
        kept, at = _Kept(marker), 0
        while at < len(payload):
            key = (payload[at] >> 4, payload[at] & 15)
            if marker == _DQT:
                length, key = 65 + 64 * key[0], (0, key[1])
            else:
                length = 17 + sum(payload[at + 1 : at + 17])
            self.defined[marker, *key] = kept, len(kept.parts)
            kept.parts.append((key, payload[at : at + length]))
            at += length
        define = self.tables.define_quantization
        (define if marker == _DQT else self.tables.define_huffman)(payload)
        self.made.append(kept)

    def _application(self, marker: int, payload: bytes) -> None:
        """Keep what changes the look of a picture, in a form of ours; once."""
        if marker == _APP0 and payload[:4] == b"AVI1" and len(payload) > 4:  # noqa: PLR2004 - the name
            self.order = payload[4] if payload[4] in _FIELD_ORDERS else 0
            form = b"AVI1" + bytes([self.order]) + bytes(9)
            self.head.setdefault(0, _segment(_APP0, form))
        elif marker == _APP0 and payload[:5] == b"JFIF\0" and len(payload) >= _JFIF_LENGTH:
            across, down = struct.unpack_from(">HH", payload, 8)
            # The ratio changes how the picture looks; dots per inch only tell its maker.
            ratio = (across, down) if across and down and across != down else (1, 1)
            form = b"JFIF\0\1\1\0" + struct.pack(">HHxx", *ratio)
            self.head.setdefault(1, _segment(_APP0, form))
        elif marker == _APP14 and payload[:5] == b"Adobe" and len(payload) >= _ADOBE_LENGTH:
            form = b"Adobe\0\x64\0\0\0\0" + payload[11:12]
            self.head.setdefault(2, _segment(_APP14, form))
        elif marker == _COM and payload.startswith(_ITU):
            self.head.setdefault(3, _segment(_COM, _ITU + b"\0"))
        elif marker == _COM and payload.startswith(_FLIPPED):
            raise Unsupported("a picture that some programs show upside down")

    def _scan(self, scan: Scan) -> None:
        if sum(isinstance(part, _Kept) for part in self.made) > _MAX_SEGMENTS or (
            self.seen & {c.id for c in scan.components} or len(self.seen) >= _MAX_SCANS
        ):
            raise Malformed("a frame with too many scans")
        self.seen |= {c.id for c in scan.components}
        needed = [(_DQT, 0, c.quantization) for c in scan.components]
        needed += [(_DHT, *key) for key in scan.huffman()]
        for key in needed:
            if key in self.defined:
                kept, index = self.defined[key]
                kept.live.add(index)
            elif key[0] == _DQT:
                raise Malformed("a quantization table is missing")
        self.made.append(_segment(_SOS, scan.to_bytes()))
        self.made.append(self._without_slack(scan, self._entropy_coded()))

    def _entropy_coded(self) -> bytes:
        """Return the coded data up to the next marker that is no restart, without fill bytes."""
        start, restarts, at, parts = self.at, 0, self.at, list[bytes]()
        while True:
            match = _STOP.search(self.data, at)
            if match is None:
                self.at = len(self.data)
                break
            self.at = match.start()
            code = self.data[self.at + 1]
            if code == 0xFF:  # noqa: PLR2004 - a fill byte
                parts.append(self.data[start : self.at])
                fill = _FILL.match(self.data, self.at)
                start = at = fill.end() if fill else self.at
            elif self.tables.restart and code == 0xD0 + restarts % 8:
                restarts += 1
                at = match.end()
            elif 0xD0 <= code <= 0xD7:  # noqa: PLR2004 - restart markers
                raise Malformed("coded data whose parts are out of order")
            else:
                break
        return b"".join([*parts, self.data[start : self.at]])

    def _without_slack(self, scan: Scan, coded: bytes) -> bytes:
        """Cut off what was appended to the coded data."""
        frame = self.frame
        if frame is None or not coded:
            raise Malformed("a frame without a picture")
        huffman = self.tables.huffman_of(scan)
        has_end = self.at < len(self.data)
        digest = _digest(coded, frame, scan, huffman, self.tables.restart, has_end)
        if digest in self.whole:
            return coded
        judge = CodedScan(frame, scan, huffman, self.tables.restart, {})
        held, whole = _Held(coded, len(coded)), [Range(0, len(coded))]
        # Data that no marker ends may be cut anywhere: then it is counted block by block.
        if len(coded) > _EXACT_BYTES and has_end and judge.tail_is_tight(held, whole):
            self._remember(digest)
            return coded
        self.exact_left -= len(coded)
        if self.exact_left < 0:
            raise TooComplex("too many frames that must be decoded to be cleaned")
        cut = judge.without_slack(held, whole, has_end=has_end)
        if cut is None:
            self._remember(digest)
            return coded
        return b"".join(part for part in cut if isinstance(part, bytes))

    def _remember(self, digest: bytes) -> None:
        if len(self.whole) < _MOST_REMEMBERED:
            self.whole.add(digest)


def _digest(coded: bytes, *numbers: object) -> bytes:
    """Return a digest of all that decides where a scan ends."""
    digest = hashlib.blake2b(repr((len(coded), *numbers)).encode(), digest_size=16)
    digest.update(coded)
    return digest.digest()


@dataclass(frozen=True, slots=True)
class _Held:
    """A frame that is in memory, as a source."""

    data: bytes
    length: int

    def read_at(self, offset: int, length: int) -> bytes:
        """Return a part of it."""
        return self.data[offset : offset + length]
