"""GIF by blocks: every one of them written by us, from numbers and pixels that were understood.

Rule (GIF89a; NETSCAPE2.0): what stays is the screen, colours that pixels use, for each frame its
place, delay, disposal and transparent colour, and how often it loops. Comments, plain texts and
all other applications' blocks go, with reserved bits, aspect, sort flags, resolution and whatever
stands behind the end. Frames outside the screen are refused: nobody would see what they hold.
"""

import struct
from dataclasses import dataclass, field

from sanitizer.errors import Empty, Malformed, TooComplex, TooManyPixels
from sanitizer.gif import check
from sanitizer.gif.blocks import Cursor
from sanitizer.gif.pixels import Pixels, recode
from sanitizer.limits import Limits
from sanitizer.pieces import Piece, Plan
from sanitizer.result import Planned
from sanitizer.source import UntrustedSource

_EXTENSION, _IMAGE, _TRAILER, _NOTHING = 0x21, 0x2C, 0x3B, 0x00
_CONTROL, _COMMENT, _PLAIN_TEXT, _APPLICATION = 0xF9, 0xFE, 0x01, 0xFF
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_APPLICATIONS = {b"XMP DataXMP": "xmp", b"ICCRGBG1012": "icc_description"}
_SHORT = 64
_HAS_TABLE, _INTERLACED, _TRANSPARENT = 0x80, 0x40, 0x01
_RESOLUTION = 0x70
_PREVIOUS = 3


@dataclass(slots=True)
class _Control:
    """A graphic control: disposal 0 to 3, delay in hundredths, the transparent colour's number."""

    disposal: int = 0
    delay: int = 0
    transparent: int | None = None

    def block(self) -> bytes:
        """Return the extension, or nothing where it would say nothing."""
        if not self.disposal and not self.delay and self.transparent is None:
            return b""
        flags = self.disposal << 2 | (self.transparent is not None)
        return struct.pack("<BBBBHBB", 0x21, 0xF9, 4, flags, self.delay, self.transparent or 0, 0)


@dataclass(frozen=True, slots=True)
class _Frame:
    """One image: its place and size, its own colours if it has some, its pixels."""

    control: _Control
    place: tuple[int, int, int, int]
    table: bytes
    pixels: Pixels

    def used(self) -> set[int]:
        """Return the colours that must stay what they are."""
        shown = self.control.transparent
        return set(self.pixels.used) | ({shown} if shown is not None else set())


@dataclass(slots=True)
class _Reader:
    """One walk through one GIF."""

    cursor: Cursor
    limits: Limits
    width: int = 0
    height: int = 0
    background: int = 0
    table: bytes = b""
    loops: bytes | None = None
    control: _Control = field(default_factory=_Control)
    frames: list[_Frame] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    pixels: int = 0

    def run(self) -> None:
        """Walk from the header to the trailer, or to the end of a file without one."""
        _, self.width, self.height, flags, self.background, _ = struct.unpack(
            "<6sHHBBB", self.cursor.take(13)
        )
        self.table = self._table(flags)
        for _ in range(self.limits.image_parts):
            mark = self.cursor.some(1)
            if not mark or mark[0] == _TRAILER:
                break
            if mark[0] == _EXTENSION:
                self._extension(self.cursor.take(1)[0])
            elif mark[0] == _IMAGE:
                self._image()
            elif mark[0] != _NOTHING:
                raise Malformed("bytes between the blocks")
        else:
            raise TooComplex("too many blocks")
        if not self.frames:
            raise Empty("a GIF without an image")
        if self.cursor.at < self.cursor.source.length:
            self.kinds.add("trailing_data")

    def _table(self, flags: int) -> bytes:
        return self.cursor.take(6 << (flags & 7)) if flags & _HAS_TABLE else b""

    def _extension(self, label: int) -> None:
        data = self.cursor.chain(_SHORT)
        if label == _CONTROL and len(data) >= 4:  # noqa: PLR2004 - its length
            flags, delay, number = struct.unpack_from("<BHB", data)
            # Values above are reserved; readers take them for the last one.
            disposal = min(flags >> 2 & 7, _PREVIOUS)
            transparent = number if flags & _TRANSPARENT else None
            self.control = _Control(disposal, delay, transparent)
        elif label == _APPLICATION and data[:11] in _LOOPS and data[11:12] == b"\1":
            if self.loops is None and len(data) >= 14:  # noqa: PLR2004 - with the number
                self.loops = data[12:14]
        elif label == _APPLICATION:
            self.kinds.add(_APPLICATIONS.get(data[:11], "other_metadata"))
        elif label in {_COMMENT, _PLAIN_TEXT}:
            self.kinds.add("comment")
        else:
            self.kinds.add("other_metadata")

    def _image(self) -> None:
        left, top, width, height, flags = struct.unpack("<HHHHB", self.cursor.take(9))
        if not width or not height:
            raise Malformed("a frame without a pixel")
        if not self.frames:
            # Every reader makes the screen as large as its first image.
            self.width = max(self.width, left + width)
            self.height = max(self.height, top + height)
        if left + width > self.width or top + height > self.height:
            raise Malformed("a frame outside its screen")
        self._count(width, height)
        table = self._table(flags)
        bits = self.cursor.take(1)[0]
        data = self.cursor.chain(self.limits.image_bytes)
        made = recode((width, height), bits, data, interlaced=bool(flags & _INTERLACED))
        if made.had_more:
            self.kinds.add("trailing_data")
        frame = _Frame(self.control, (left, top, width, height), table, made)
        colours = len(table or self.table) // 3
        if max(made.used - {self.control.transparent}, default=0) >= colours:
            raise Malformed("a pixel of a colour that is not there")
        self.frames.append(frame)
        self.control = _Control()

    def _count(self, width: int, height: int) -> None:
        self.pixels += width * height
        screen = self.width * self.height
        if (
            max(self.width, self.height) > self.limits.image_side
            or screen > self.limits.image_pixels
            or width * height > self.limits.decoded_pixels
            or self.pixels > self._most_pixels()
        ):
            raise TooManyPixels("more pixels than the limit")

    def _most_pixels(self) -> int:
        """Return how many pixels all frames may have: more in a long file, for they cost time."""
        limits = self.limits
        more = limits.animation_pixels_per_byte * self.cursor.source.length
        return min(limits.animation_pixels, limits.small_animation_pixels + more)

    def pieces(self) -> list[Piece]:
        """Return the clean GIF."""
        colours = len(self.table) // 3
        background = self.background if self.background < colours else 0
        shared = {background}.union(*(frame.used() for frame in self.frames if not frame.table))
        flags = _RESOLUTION | _table_flags(self.table)
        screen = struct.pack("<HHBBB", self.width, self.height, flags, background, 0)
        made: list[Piece] = [b"GIF89a", screen, _emptied(self.table, shared)]
        if self.loops is not None and len(self.frames) > 1:
            made.append(b"\x21\xff\x0bNETSCAPE2.0\3\1" + self.loops + b"\0")
        for frame in self.frames:
            place = struct.pack("<BHHHHB", 0x2C, *frame.place, _table_flags(frame.table))
            table = _emptied(frame.table, frame.used())
            head = frame.control.block() + place + table + bytes((frame.pixels.bits,))
            made += [head, frame.pixels.chain]
        return [*made, bytes((_TRAILER,))]


def _table_flags(table: bytes) -> int:
    """Return the flag and the size of a colour table."""
    return _HAS_TABLE | ((len(table) // 3).bit_length() - 2) if table else 0


def _emptied(table: bytes, used: set[int]) -> bytes:
    """Return a colour table with black for every colour that nothing uses.

    A table of greys in their order says nothing, and readers recognise it: it stays.
    """
    count = len(table) // 3
    if table == bytes(number for number in range(count) for _ in range(3)):
        return table
    return b"".join(
        table[3 * number : 3 * number + 3] if number in used else b"\0\0\0"
        for number in range(count)
    )


def clean(source: UntrustedSource, limits: Limits) -> Planned:
    """Return a GIF with nothing but its pictures; raises a leaf of Refused."""
    reader = _Reader(Cursor(source, limits.gif_blocks), limits)
    reader.run()
    plan = Plan(source, reader.pieces())
    check.check(plan.open())
    return Planned(plan, reader.kinds, "image/gif", "gif", is_rebuilt=True)
