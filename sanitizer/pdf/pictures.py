"""Pictures of the new file (ISO 32000-1, 8.9): the same samples, and nothing behind them.

Rule: a JPEG goes through the cleaner of JPEGs, JPEG 2000 and JBIG2 lose every part that is no
picture, fax pages and all others are unpacked to exactly the samples that width, height and depth
ask for, and packed again. An inline image becomes a picture like any other.
"""

import io
import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import pikepdf
from PIL import TiffImagePlugin, UnidentifiedImageError

from sanitizer.errors import Malformed, TooComplex, TooManyPixels, Unsupported
from sanitizer.jpeg import write as jpeg
from sanitizer.limits import Limits
from sanitizer.pdf import colour, jbig2, jpx, palettes, reading
from sanitizer.pdf.filters import Coded, Decoder, Predictor, Room, filters_of
from sanitizer.pdf.model import Name, NewDocument, Ref, Stream, Value, number, packed, written
from sanitizer.pdf.tokens import Tokens

_SHORT_KEYS = {
    "Width": "W", "Height": "H", "BitsPerComponent": "BPC", "ColorSpace": "CS", "Decode": "D",
    "DecodeParms": "DP", "Filter": "F", "ImageMask": "IM", "Interpolate": "I",
}  # fmt: skip
_INTENTS = {b"AbsoluteColorimetric", b"RelativeColorimetric", b"Saturation", b"Perceptual"}
_DEPTHS = {1, 2, 4, 8, 16}
_MOST_MISSING = 8
_INLINE_END = re.compile(rb"[\0\t\n\f\r ]EI(?=[\0\t\n\f\r /<>\[%]|$)")
_TEXT_AFTER = re.compile(rb"[\t\n\f\r\x20-\x7e\0]{0,16}")
_FIRST_FRAME = re.compile(rb"\xff[\xc0-\xc2]..\x08(..)(..)(.)", re.DOTALL)
_APP1, _APP2 = 0xE1, 0xE2


@dataclass(frozen=True, slots=True)
class _Held:
    """Bytes as a source: a jailed worker may open nothing."""

    data: bytes

    @property
    def length(self) -> int:
        return len(self.data)

    def read_at(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a picture's samples are."""

    width: int
    height: int
    bits: int
    components: int

    @property
    def row(self) -> int:
        """Bytes of one row."""
        return -(-self.width * self.bits * self.components // 8)

    @property
    def spare(self) -> int:
        """Bits at the end of each row that mean nothing."""
        return -(self.width * self.bits * self.components) % 8


@dataclass(frozen=True, slots=True)
class _Told:
    """What an image's dictionary says; short keys are those of inline images."""

    source: reading.Source
    is_inline: bool = False

    def get(self, key: str) -> object:
        found = reading.value_of(self.source, key)
        if found is None and self.is_inline and key in _SHORT_KEYS:
            return reading.value_of(self.source, _SHORT_KEYS[key])
        return found


@dataclass(slots=True)
class PictureCopier:
    """Copies the pictures of one document, within one budget of pixels."""

    document: NewDocument
    decoder: Decoder
    limits: Limits
    kinds: set[str]
    _pixels: int = field(default=0, init=False)

    def copy(self, source: pikepdf.Stream, ref: Ref) -> None:
        """Copy an image XObject, with its masks."""
        told = _Told(source)
        made = self._picture(told, {}, lambda room: self.decoder.coded(source, room))
        mask, soft = reading.stream(told.get("Mask")), reading.stream(told.get("SMask"))
        entries = made.entries
        if soft is not None:
            entries[b"SMask"] = self._mask(soft)
        elif mask is not None:
            entries[b"Mask"] = self._mask(mask)
        elif b"ImageMask" not in entries:
            colours = reading.numbers(told.get("Mask"), 2, 64)
            if colours is not None:
                entries[b"Mask"] = colours
        for key in ("Alternates", "Metadata", "OPI", "PieceInfo", "Measure"):
            if told.get(key) is not None:
                self.kinds.add("xmp" if key == "Metadata" else "other_metadata")
        self.document.fill(ref, made)

    def _mask(self, source: pikepdf.Stream) -> Ref:
        key = ("mask", reading.identity(source))
        if key not in self.document.copies:
            told = _Told(source)
            made = self._picture(told, {}, lambda room: self.decoder.coded(source, room))
            matte = reading.numbers(told.get("Matte"), 1, 32)
            if matte is not None:
                made.entries[b"Matte"] = matte
            self.document.copies[key] = self.document.add(made)
        return self.document.copies[key]

    def inline(self, tokens: Tokens, spaces: dict[bytes, object]) -> Ref | None:
        """Read an inline image up to and with its EI; None for one that is none."""
        start = tokens.at
        operator, _ = next(tokens.operations(), (b"", []))
        if operator != b"ID":
            return None
        text = tokens.data[start : tokens.at - 2]
        begin = tokens.at + 1
        try:
            source = pikepdf.Object.parse(b"<<" + text + b">>")
        except pikepdf.PdfError:
            source = pikepdf.Dictionary()
        told = _Told(source, is_inline=True)
        names = filters_of(told.get("Filter"))
        parameters = told.get("DecodeParms")

        def take(room: Room) -> Coded:
            data = tokens.data
            if not names:
                tokens.at = _behind_end(data, begin + room.bytes)
                return self.decoder.decoded(data[begin : begin + room.bytes], [], [], room)
            end = begin
            if names[0] == b"FlateDecode":
                end = max(begin, _behind_zlib(data, begin, room) - 1)
            tokens.at = _behind_end(data, end)
            body = data[begin : max(begin, tokens.at - 3)]
            return self.decoder.decoded(
                body, names, reading.items(parameters) or [parameters], room
            )

        try:
            made = self._picture(told, spaces, take)
        except Malformed:
            tokens.at = max(tokens.at, _behind_end(tokens.data, begin))
            return None
        # The same little picture again and again is one.
        key = ("inline", written(made.entries), made.data)
        if key not in self.document.copies:
            self.document.copies[key] = self.document.add(made)
        return self.document.copies[key]

    def _picture(
        self, told: _Told, spaces: dict[bytes, object], take: Callable[[Room], Coded]
    ) -> Stream:
        """Return a picture without masks."""
        width = reading.whole(told.get("Width"), 1, self.limits.image_side)
        height = reading.whole(told.get("Height"), 1, self.limits.image_side)
        if width is None or height is None:
            raise Malformed("a picture without a size")
        self._pixels += width * height
        if self._pixels > self.limits.image_pixels:
            raise TooManyPixels("more pixels than the limit")
        is_mask = bool(reading.truth(told.get("ImageMask")))
        copier = colour.Spaces(self.decoder, self.document, self.kinds, spaces)
        space = None if is_mask else copier.copy(told.get("ColorSpace"))
        bits = 1 if is_mask else reading.whole(told.get("BitsPerComponent"), 1, 16) or 8
        if bits not in _DEPTHS:
            raise Malformed("a picture of a strange depth")
        components = 1 if space is None else space.components
        shape = _Shape(width, height, bits, components)
        entries: dict[bytes, Value] = {
            b"Type": Name(b"XObject"),
            b"Subtype": Name(b"Image"),
            b"Width": number(width),
            b"Height": number(height),
        }
        if is_mask:
            entries[b"ImageMask"] = True
        elif space is not None:
            entries[b"ColorSpace"] = space.value
        self._looks(told, entries, components)
        length = shape.row * height
        names = filters_of(told.get("Filter"))
        if length > self.limits.pdf_image_bytes and not _CODECS & set(names):
            raise TooManyPixels("a picture that unpacks to more than the limit")
        rows = Predictor(components, bits, width) if _may_stay(shape, space) else None
        coded = take(Room(length, cuts=True, rows=rows))
        if coded.codec in _CODECS:
            return self._of_codec(coded, entries, shape, space)
        if space is None and not is_mask:
            raise Malformed("a picture without colours")
        entries[b"BitsPerComponent"] = number(bits)
        if coded.codec:
            coded = Coded(_unfaxed(coded, shape))
        return _flat(coded, entries, shape, space)

    def _looks(self, told: _Told, entries: dict[bytes, Value], components: int) -> None:
        """Copy what changes how samples are shown."""
        ranges = reading.numbers(told.get("Decode"), 2, 64)
        if ranges is not None and len(ranges) >= 2 * components:
            entries[b"Decode"] = ranges[: 2 * components] if components else ranges
        if reading.truth(told.get("Interpolate")):
            entries[b"Interpolate"] = True
        intent = reading.name(told.get("Intent"))
        if intent in _INTENTS:
            entries[b"Intent"] = intent
        kept = reading.whole(told.get("SMaskInData"), 1, 2)
        if kept is not None:
            entries[b"SMaskInData"] = number(kept)

    def _of_codec(
        self, coded: Coded, entries: dict[bytes, Value], shape: _Shape, space: colour.Space | None
    ) -> Stream:
        """Return a picture whose own codec stays."""
        entries[b"Filter"] = Name(coded.codec)
        if coded.codec == b"DCTDecode":
            entries[b"BitsPerComponent"] = number(8)
            transform = reading.whole(_parameter(coded, "ColorTransform"), 0, 1)
            if transform is not None:
                entries[b"DecodeParms"] = {b"ColorTransform": number(transform)}
            return Stream(entries, self._jpeg(coded.data, shape, entries, space))
        if coded.codec == b"JPXDecode":
            made = jpx.cleaned(coded.data, self.kinds)
            if (made.width, made.height) != (shape.width, shape.height):
                raise Malformed("a picture's size contradicts itself")
            return Stream(entries, made.data)
        entries[b"BitsPerComponent"] = number(1)
        shared = reading.stream(_parameter(coded, "JBIG2Globals"))
        data = jbig2.cleaned(coded.data, self.kinds, (shape.width, shape.height))
        if shared is not None:
            tables = jbig2.cleaned(self.decoder.plain(shared), self.kinds, None)
            entries[b"DecodeParms"] = {b"JBIG2Globals": self.document.add_packed({}, tables)}
        return Stream(entries, data)

    def _jpeg(
        self, data: bytes, shape: _Shape, entries: dict[bytes, Value], space: colour.Space | None
    ) -> bytes:
        start = max(0, data.find(b"\xff\xd8\xff"))
        plan, found = jpeg.plan(_Held(data[start:]), self.limits)
        self.kinds |= found - {"other_metadata"}
        made = _without_profile(b"".join(plan.chunks()))
        frame = _FIRST_FRAME.search(made)
        size = struct.pack(">HHB", shape.height, shape.width, shape.components)
        if frame is None or frame[1] + frame[2] != size[:4]:
            raise Malformed("a picture's size contradicts itself")
        if space is None:
            colours = {1: b"DeviceGray", 3: b"DeviceRGB", 4: b"DeviceCMYK"}.get(frame[3][0])
            if colours is None:
                raise Malformed("a picture without colours")
            entries[b"ColorSpace"] = Name(colours)
            entries.pop(b"ImageMask", None)
        elif frame[3] != size[4:]:
            raise Malformed("a picture's colours contradict each other")
        return made


_CODECS = {b"DCTDecode", b"JPXDecode", b"JBIG2Decode"}


def _parameter(coded: Coded, key: str) -> object:
    return None if coded.parameters is None else reading.value_of(coded.parameters, key)


def _without_profile(data: bytes) -> bytes:
    """Return a clean JPEG without orientation and profile: in a PDF they mean nothing."""
    made, at = [data[:2]], 2
    while data[at + 1] != 0xDA and data[at] == 0xFF:  # noqa: PLR2004 - start of scan, a marker
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] not in {_APP1, _APP2}:
            made.append(data[at:end])
        at = end
    return b"".join([*made, data[at:]])


def _may_stay(shape: _Shape, space: colour.Space | None) -> bool:
    """Tell whether samples may stay predicted: nothing lies between rows, or is to be looked up."""
    return not shape.spare and (space is None or not space.highest)


def _flat(
    coded: Coded, entries: dict[bytes, Value], shape: _Shape, space: colour.Space | None
) -> Stream:
    """Return samples, in their predictors or without any."""
    if coded.rows is None:
        samples = _exact(coded.data, shape)
        if space is not None and space.highest:
            decode = entries.get(b"Decode")
            entries[b"ColorSpace"] = palettes.bare(space.value, samples, shape.bits, decode)
        return packed(entries, samples)
    step = shape.row + 1
    data = _filled(coded.data, step * shape.height)
    if max(data[::step]) > 4:  # noqa: PLR2004 - the last of PNG's predictors
        raise Malformed("a picture whose rows nobody can read")
    entries[b"DecodeParms"] = {
        b"Predictor": number(15),
        b"Colors": number(shape.components),
        b"BitsPerComponent": number(shape.bits),
        b"Columns": number(shape.width),
    }
    return packed(entries, data)


def _filled(data: bytes, length: int) -> bytes:
    """Return data of exactly a length; a little that is missing is black, or white."""
    if len(data) < length - length // _MOST_MISSING - _MOST_MISSING:
        raise Malformed("a picture that ends too early")
    return data[:length].ljust(length, b"\0")


def _exact(data: bytes, shape: _Shape) -> bytes:
    """Return samples of exactly the length they need, the bits behind each row at zero."""
    data = _filled(data, shape.row * shape.height)
    if not shape.spare:
        return data
    mask = 0xFF << shape.spare & 0xFF
    made = bytearray(data)
    ends = slice(shape.row - 1, None, shape.row)
    made[ends] = data[ends].translate(bytes(byte & mask for byte in range(256)))
    return bytes(made)


def _unfaxed(coded: Coded, shape: _Shape) -> bytes:
    """Unpack a fax page (ITU-T T.4, T.6) with libtiff; returns one bit a pixel."""
    kind = reading.whole(_parameter(coded, "K"), -(1 << 30), 1 << 30) or 0
    flags = {
        key: bool(reading.truth(_parameter(coded, key)))
        for key in ("BlackIs1", "EncodedByteAlign", "EndOfLine")
    }
    columns = reading.whole(_parameter(coded, "Columns"), 1, 1 << 16) or 1728
    if columns != shape.width or shape.bits * shape.components != 1:
        raise Malformed("a fax page of another width")
    if kind < 0 and flags["EncodedByteAlign"]:
        raise Unsupported("a fax page in an uncommon code")
    is_plain = (
        kind == 0 and not flags["EndOfLine"] and not coded.data.startswith((b"\0\x01", b"\0\x80"))
    )
    compression = 4 if kind < 0 else 2 if is_plain and flags["EncodedByteAlign"] else 3
    options = (1 if kind > 0 else 0) | (4 if flags["EncodedByteAlign"] else 0)
    tags = [
        (256, 4, 1, shape.width),
        (257, 4, 1, shape.height),
        (258, 3, 1, 1),
        (259, 3, 1, compression),
        (262, 3, 1, 0),
        (273, 4, 1, 8),
        (277, 3, 1, 1),
        (278, 4, 1, shape.height),
        (279, 4, 1, len(coded.data)),
        *([(292, 4, 1, options)] if compression == 3 else []),  # noqa: PLR2004 - T.4
    ]
    table = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    body = coded.data + b"\0" * (len(coded.data) % 2)
    head = b"II*\0" + struct.pack("<I", 8 + len(body))
    try:
        picture = TiffImagePlugin.TiffImageFile(io.BytesIO(head + body + table + bytes(4)))
        picture.load()
    except (OSError, SyntaxError, UnidentifiedImageError, ValueError, KeyError):
        raise Malformed("a fax page that cannot be read") from None
    made = picture.tobytes()
    return made.translate(bytes(range(255, -1, -1))) if flags["BlackIs1"] else made


def _behind_zlib(data: bytes, begin: int, room: Room) -> int:
    """Return where a compressed inline image ends."""
    unpacker = zlib.decompressobj()
    try:
        made = unpacker.decompress(data[begin:], room.bytes * 2 + 64)
    except zlib.error:
        return begin
    if len(made) >= room.bytes * 2 + 64:
        raise TooComplex("an inline image unpacks to more than it is")
    return len(data) - len(unpacker.unused_data) if unpacker.eof else begin


def _behind_end(data: bytes, at: int) -> int:
    """Return the place behind the EI that ends an inline image, looked for from ``at``."""
    for found in _INLINE_END.finditer(data, at):
        after = data[found.end() : found.end() + 16]
        if _TEXT_AFTER.fullmatch(after):
            return found.end()
    return len(data)
