"""What stands in a stream, once its filters are undone (ISO 32000-1, 7.4).

Rule: every step is bounded before it is taken, each stream alone and all of them together. What
a decoder meets behind the end of its data is not data. Picture codecs are left as they are, for
the part that knows pictures.
"""

import base64
import contextlib
import re
import zlib
from dataclasses import dataclass

import pikepdf
import pikepdf.settings

from sanitizer.errors import Malformed, TooComplex, Unsupported
from sanitizer.limits import Limits
from sanitizer.pdf import reading

_SHORT = {
    b"Fl": b"FlateDecode",
    b"LZW": b"LZWDecode",
    b"A85": b"ASCII85Decode",
    b"AHx": b"ASCIIHexDecode",
    b"RL": b"RunLengthDecode",
    b"CCF": b"CCITTFaxDecode",
    b"DCT": b"DCTDecode",
}
_CODECS = {b"DCTDecode", b"JPXDecode", b"JBIG2Decode", b"CCITTFaxDecode"}
_MOST_FILTERS = 8
_PNG = 10
_LONG = 1 << 20
# What a row may ask for is held against the same limit, also in a very small picture.
_LEAST_MEMORY = 1 << 16
_NOT_HEX = re.compile(rb"[^0-9A-Fa-f]")
_NOT_BASE85 = re.compile(rb"[^!-uz]")
_LZW_CLEAR, _LZW_END, _LZW_WIDEST = 256, 257, 12


@dataclass(frozen=True, slots=True)
class Predictor:
    """How rows were made easier to compress: a PNG predictor's shape."""

    colors: int
    bits: int
    columns: int


@dataclass(frozen=True, slots=True)
class Coded:
    """A stream's bytes with what could be undone undone.

    ``codec`` is the picture codec that is left, or empty; ``parameters`` its dictionary;
    ``rows`` is set where PNG predictors were left in place because the caller asked for that.
    """

    data: bytes
    codec: bytes = b""
    parameters: reading.Source | None = None
    rows: Predictor | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """How much may come out of a stream.

    ``cuts``: more is not refused but cut off.  ``rows``: a predictor that may stay in place.
    """

    bytes: int
    cuts: bool = False
    rows: Predictor | None = None


class Decoder:
    """Decodes streams within one file's budget."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._left = limits.pdf_decoded_bytes
        self._packed = self._plain = 0

    def plain(self, untrusted: pikepdf.Stream) -> bytes:
        """Return the decoded bytes of a stream that is no picture.

        Raises TooComplex beyond the limits, Malformed for a picture codec.
        """
        coded = self.coded(untrusted, Room(self._limits.pdf_stream_bytes))
        self._packed += len(untrusted.get_raw_stream_buffer())
        self._plain += len(coded.data)
        # Of all streams together: a bomb may be in many parts.
        if self._plain > max(_LONG, self._packed * self._limits.pdf_expansion):
            raise TooComplex("streams that unpack to far more than they are")
        if coded.codec:
            raise Malformed("a picture where there should be none")
        return coded.data

    def coded(self, untrusted: pikepdf.Stream, room: "Room") -> Coded:
        """Undo all filters but a picture codec."""
        names = filters_of(reading.value_of(untrusted, "Filter"))
        told = reading.value_of(untrusted, "DecodeParms")
        return self.decoded(untrusted.read_raw_bytes(), names, reading.items(told) or [told], room)

    def decoded(
        self, data: bytes, names: list[bytes], parameters: list[object], room: "Room"
    ) -> Coded:
        """Undo filters by name; raises TooComplex beyond the limits."""
        if len(names) > _MOST_FILTERS:
            raise TooComplex("too many filters on one stream")
        for index, name in enumerate(names):
            given = reading.dictionary(parameters[index]) if index < len(parameters) else None
            is_last = index + 1 == len(names)
            if name in _CODECS:
                if not is_last:
                    raise Unsupported("a picture codec within another filter")
                self._spend(len(data))
                return Coded(data, name, given)
            predictor = _predictor(given) if name in {b"FlateDecode", b"LZWDecode"} else None
            # A predictor adds at most one byte to each byte.
            most = min(room.bytes * (1 if predictor is None else 2), self._left)
            data = _undone(name, data, given, most)
            if len(data) > most and not (is_last and room.cuts):
                raise TooComplex("a stream unpacks to more than the limit")
            if predictor is not None:
                kind, shape = predictor
                if kind >= _PNG and shape == room.rows and is_last:
                    self._spend(len(data))
                    return Coded(data, rows=room.rows)
                data = _predicted(data, kind, shape)
        self._spend(len(data))
        return Coded(data)

    def _spend(self, length: int) -> None:
        self._left -= length
        if self._left < 0:
            raise TooComplex("the document unpacks to more than the limit")


def filters_of(untrusted: object) -> list[bytes]:
    """Return the full names of a stream's filters."""
    only = reading.name(untrusted)
    found = (
        [only] if only is not None else [reading.name(each) for each in reading.items(untrusted)]
    )
    return [full_name(each or b"") for each in found]


def full_name(name: bytes) -> bytes:
    """Return a filter's name, also for the short ones of inline images."""
    return _SHORT.get(name, name)


def _undone(name: bytes, data: bytes, given: reading.Source | None, most: int) -> bytes:
    if name == b"FlateDecode":
        return _inflated(data, most)
    if name == b"LZWDecode":
        early = reading.whole(reading.value_of(given, "EarlyChange"), 0, 1) if given else None
        return _unlzw(data, 1 if early is None else early, most)
    if name == b"ASCIIHexDecode":
        digits = _NOT_HEX.sub(b"", data.partition(b">")[0])
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())
    if name == b"ASCII85Decode":
        return _unbase85(data)
    if name == b"RunLengthDecode":
        return _unrun(data, most)
    if name == b"Crypt":
        return data
    raise Unsupported("a filter that nobody knows")


def _inflated(data: bytes, most: int) -> bytes:
    """Inflate; what a damaged stream still gives is kept, as every reader does."""
    try:
        return zlib.decompressobj().decompress(data, most + 1)
    except zlib.error:
        return _salvaged(data, most)


def _salvaged(data: bytes, most: int) -> bytes:
    """Inflate in small steps, up to the byte that breaks."""
    unpacker, made = zlib.decompressobj(), list[bytes]()
    places = range(0, len(data), 256)
    with contextlib.suppress(zlib.error):
        # What came before the error stays in the list.
        made.extend(unpacker.decompress(data[at : at + 256], most + 1) for at in places)
    return b"".join(made)


def _unbase85(data: bytes) -> bytes:
    body = data.strip(b"\0\t\n\f\r ").removeprefix(b"<~").partition(b"~")[0]
    body = _NOT_BASE85.sub(b"", body)
    try:
        return base64.a85decode(body)
    except ValueError:
        raise Malformed("a stream that breaks its own encoding") from None


def _unrun(data: bytes, most: int) -> bytes:
    made, at, length = list[bytes](), 0, 0
    while at < len(data) and data[at] != 128:  # noqa: PLR2004 - the end of data
        count = data[at]
        if count < 128:  # noqa: PLR2004 - a copy
            step = data[at + 1 : at + 2 + count]
            at += 2 + count
        else:
            step = data[at + 1 : at + 2] * (257 - count)
            at += 2
        made.append(step)
        length += len(step)
        if length > most:
            break
    return b"".join(made)


def _unlzw(data: bytes, early: int, most: int) -> bytes:
    first = [bytes([byte]) for byte in range(256)] + [b"", b""]
    table, made, length, width, previous = list(first), list[bytes](), 0, 9, b""
    have = bits = 0
    for byte in data:
        have, bits = (have << 8 | byte) & 0xFFFFFF, bits + 8
        if bits < width:
            continue
        bits -= width
        code = have >> bits & ((1 << width) - 1)
        if code == _LZW_END:
            break
        if code == _LZW_CLEAR:
            table, width, previous = list(first), 9, b""
            continue
        if code < len(table):
            entry = table[code]
        elif previous:
            entry = previous + previous[:1]
        else:
            break
        made.append(entry)
        length += len(entry)
        if length > most:
            break
        if previous and len(table) < 1 << _LZW_WIDEST:
            table.append(previous + entry[:1])
        previous = entry
        width = min(max(9, (len(table) + early).bit_length()), _LZW_WIDEST)
    return b"".join(made)


def _predictor(given: reading.Source | None) -> tuple[int, Predictor] | None:
    if given is None:
        return None
    kind = reading.whole(reading.value_of(given, "Predictor"), 2, 15)
    if kind is None:
        return None
    colors, bits, columns = (
        reading.whole(reading.value_of(given, key), 1, most) or default
        for key, most, default in (
            ("Colors", 32, 1),
            ("BitsPerComponent", 16, 8),
            ("Columns", 1 << 20, 1),
        )
    )
    return kind, Predictor(colors, bits, columns)


def _predicted(data: bytes, kind: int, shape: Predictor) -> bytes:
    """Undo a predictor, by qpdf: it makes nothing longer, so our own bound still holds."""
    carrier = pikepdf.Pdf.new()
    parameters = pikepdf.Dictionary(
        Predictor=kind, Colors=shape.colors, BitsPerComponent=shape.bits, Columns=shape.columns
    )
    made = carrier.make_stream(
        zlib.compress(data, 1), Filter=pikepdf.Name.FlateDecode, DecodeParms=parameters
    )
    # The data has just been measured: qpdf may unpack it whatever its own limit.
    before = pikepdf.settings.set_qpdf_limits(flate_max_memory=len(data) + _LEAST_MEMORY)
    try:
        return made.read_bytes()
    finally:
        pikepdf.settings.set_qpdf_limits(flate_max_memory=before["flate_max_memory"])
