"""Files as rows of units that can be moved about: lengths and checksums come right by themselves.

Rule: a mutation of single bytes seldom gets past a checksum.  So a file is cut into units here,
a unit is changed, doubled, moved or left out, and all are closed again with the lengths and
checksums that a reader expects.  What cannot be cut stays whole.  Nothing is shared with the
sanitizer, whose parsers are what is being tried.
"""

import itertools
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Unit = tuple[bytes, bytes]
"""A unit's kind, and its payload; with an empty kind, bytes that stand as they are."""
_BOXES = {
    b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"udta", b"moof", b"traf",
    b"mvex", b"meta", b"iprp", b"ipco", b"stsd", b"avc1", b"mp4a", b"hvc1", b"iinf",
}  # fmt: skip
# How many bytes stand before the first box inside.
_BEFORE = {b"meta": 4, b"stsd": 8, b"avc1": 78, b"hvc1": 78, b"mp4a": 28, b"iinf": 6}
_MASTERS = {
    b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\x15\x49\xa9\x66", b"\x16\x54\xae\x6b",
    b"\x1f\x43\xb6\x75", b"\x1c\x53\xbb\x6b", b"\xae", b"\xe0", b"\xe1", b"\xa0",
}  # fmt: skip
_LISTS = {b"RIFF", b"LIST", b"FORM", b"ANMF"}
CODED = frozenset(
    {
        b"mdat", b"idat", b"\xa3", b"\xa1", b"VP8 ", b"VP8L", b"ALPH", b"data", b"SSND", b"OggS",
        b"frame",
        *(b"%02d%s" % (number, kind) for number in range(32) for kind in (b"dc", b"db", b"wb")),
    }
)  # fmt: skip
"""The kinds of units that hold coded pictures and sound, and nothing else in a clean file."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """How one family of files is cut, closed, and which of its units hold others."""

    cut: Callable[[bytes, bytes], list[Unit]]
    """Cuts the payload of a unit of a kind (empty: of the whole file)."""
    close: Callable[[bytes, bytes], bytes]
    """Returns a unit in bytes."""
    nests: Callable[[bytes], bool] = lambda _: False

    def joined(self, units: list[Unit]) -> bytes:
        """Return units in bytes."""
        return b"".join(self.close(kind, data) if kind else data for kind, data in units)

    def mended(self, data: bytes, within: bytes = b"", depth: int = 9) -> bytes:
        """Return a file with its lengths and checksums set right."""
        units = [
            (kind, self.mended(body, kind, depth - 1) if depth and self.nests(kind) else body)
            for kind, body in self.cut(data, within)
        ]
        return self.joined(units)


def _png(data: bytes, _within: bytes) -> list[Unit]:
    units, at = [(b"", data[:8])], 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = min(at + 12 + length, len(data))
        units.append((data[at + 4 : at + 8], data[at + 8 : end - 4]))
        at = end
    return [*units, (b"", data[at:])]


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _jpeg(data: bytes, _within: bytes) -> list[Unit]:
    units, at = [(b"", data[:2])], 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        kind, (length,) = data[at : at + 2], struct.unpack_from(">H", data, at + 2)
        end = at + 2 + max(2, length)
        units.append((kind, data[at + 4 : end]))
        at = end
        if kind == b"\xff\xda":
            found = re.search(rb"\xff[\x01-\xcf\xd8-\xfe]", data[at:])
            end = at + found.start() if found else len(data)
            units.append((b"", data[at:end]))
            at = end
        if data[at : at + 2] == b"\xff\xd9":
            break
    return [*units, (b"", data[at:])]


def _jpeg_segment(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack(">H", min(len(data), 65533) + 2) + data[:65533]


def _riff(order: str) -> Grammar:
    def cut(data: bytes, within: bytes) -> list[Unit]:
        at = {b"": 0, b"ANMF": 16}.get(within, 4)
        units = [(b"", data[:at])]
        while at + 8 <= len(data):
            kind, length = struct.unpack_from(f"{order}4sI", data, at)
            units.append((kind, data[at + 8 : at + 8 + length]))
            at = min(at + 8 + length + (length & 1), len(data))
        return [*units, (b"", data[at:])]

    def close(kind: bytes, data: bytes) -> bytes:
        return kind + struct.pack(f"{order}I", len(data)) + data + bytes(len(data) & 1)

    return Grammar(cut, close, _LISTS.__contains__)


def _boxes(data: bytes, within: bytes) -> list[Unit]:
    at = _BEFORE.get(within, 0)
    units = [(b"", data[:at])]
    while at + 8 <= len(data):
        (size, kind), head = struct.unpack_from(">I4s", data, at), 8
        if size == 1 and at + 16 <= len(data):
            (size,), head = struct.unpack_from(">Q", data, at + 8), 16
        if size < head:
            break
        units.append((kind, data[at + head : at + size]))
        at = min(at + size, len(data))
    return [*units, (b"", data[at:])]


def _box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data) + 8) + kind + data


def _ebml(data: bytes, _within: bytes) -> list[Unit]:
    units: list[Unit] = []
    at = 0
    while at + 2 <= len(data) and data[at]:
        wide = 9 - data[at].bit_length()
        kind = data[at : at + wide]
        at += wide
        if at >= len(data) or not data[at]:
            return [*units, (b"", kind + data[at:])]
        wide = 9 - data[at].bit_length()
        size = int.from_bytes(data[at : at + wide], "big") & (1 << 7 * wide) - 1
        end = len(data) if size == (1 << 7 * wide) - 1 else min(at + wide + size, len(data))
        units.append((kind, data[at + wide : end]))
        at = end
    return [*units, (b"", data[at:])]


def _element(kind: bytes, data: bytes) -> bytes:
    return kind + (1 << 56 | len(data)).to_bytes(8, "big") + data


def _ogg(data: bytes, _within: bytes) -> list[Unit]:
    starts = [*(match.start() for match in re.finditer(b"OggS", data)), len(data)]
    pages = [data[a:b] for a, b in itertools.pairwise(starts)]
    # A header's page ends at no sample.
    kinds = [b"head" if page[6:14] == bytes(8) else b"OggS" for page in pages]
    return [(b"", data[: starts[0]]), *zip(kinds, pages, strict=True)]


def _remainders(polynomial: int, width: int) -> list[int]:
    made = []
    for value in range(256):
        rest = value << (width - 8)
        for _ in range(8):
            rest = (rest << 1) ^ (polynomial if rest >> (width - 1) & 1 else 0)
        made.append(rest & (1 << width) - 1)
    return made


_TABLES = {
    width: _remainders(polynomial, width)
    for width, polynomial in ((8, 7), (16, 0x8005), (32, 0x04C11DB7))
}


def checksum(width: int, data: bytes) -> int:
    """Return the plain CRC of Ogg (32 bits) and FLAC (8 and 16), most significant bit first."""
    table, rest, most = _TABLES[width], 0, (1 << width) - 1
    for byte in data:
        rest = (rest << 8 & most) ^ table[rest >> (width - 8) ^ byte]
    return rest


def _ogg_page(_kind: bytes, page: bytes) -> bytes:
    zeroed = page[:22] + bytes(4) + page[26:]
    return page[:22] + struct.pack("<I", checksum(32, zeroed)) + page[26:]


def _flac(data: bytes, _within: bytes) -> list[Unit]:
    units, at = [(b"", data[:4])], 4
    while at + 4 <= len(data) and data[at] != 0xFF:
        length = int.from_bytes(data[at + 1 : at + 4], "big")
        units.append((data[at : at + 1], data[at + 4 : at + 4 + length]))
        at = min(at + 4 + length, len(data))
        if units[-1][0][0] & 0x80:
            break
    found = [at + match.start() for match in re.finditer(rb"\xff[\xf8\xf9]", data[at:])]
    starts = [*found, len(data)]
    frames = [(b"frame", data[a:b]) for a, b in itertools.pairwise(starts)]
    return [*units, (b"", data[at : starts[0]]), *frames]


def _flac_unit(kind: bytes, data: bytes) -> bytes:
    if kind != b"frame":
        return kind + len(data).to_bytes(3, "big") + data
    if len(data) < 8:
        return data
    # The number of the frame is written as UTF-8 would write it.
    number = max(1, 8 - (data[4] ^ 0xFF).bit_length())
    end = (
        4 + number + {6: 1, 7: 2}.get(data[2] >> 4, 0) + {12: 1, 13: 2, 14: 2}.get(data[2] & 15, 0)
    )
    head = data[:end] + bytes([checksum(8, data[:end])])
    body = head + data[end + 1 : -2]
    return body + checksum(16, body).to_bytes(2, "big")


def _pieces(pattern: bytes, kind: bytes = b"") -> Callable[[bytes, bytes], list[Unit]]:
    """Return a cut before every place where a pattern begins."""
    found = re.compile(pattern)

    def cut(data: bytes, _within: bytes) -> list[Unit]:
        starts = [0, *(match.start() for match in found.finditer(data)), len(data)]
        return [(kind, data[a:b]) for a, b in itertools.pairwise(starts)]

    return cut


def _packets(data: bytes, _within: bytes) -> list[Unit]:
    size = 192 if data[4:5] == b"G" else 188
    return [(b"", data[at : at + size]) for at in range(0, max(1, len(data)), size)]


def _pdf(data: bytes, _within: bytes) -> list[Unit]:
    return list(_streams(data))


def _streams(data: bytes) -> Iterator[Unit]:
    at = 0
    for found in re.finditer(rb"/FlateDecode[^\0]{0,99}?stream\r?\n", data):
        inside = zlib.decompressobj()
        try:
            plain = inside.decompress(data[found.end() :], 1 << 20)
        except zlib.error:
            continue
        if found.end() >= at and inside.eof:
            yield b"", data[at : found.end()]
            yield b"flate", plain
            at = len(data) - len(inside.unused_data)
    yield b"", data[at:]


def _flate(_kind: bytes, data: bytes) -> bytes:
    return zlib.compress(data)


def _whole(_kind: bytes, data: bytes) -> bytes:
    return data


_FRAMES = {
    "MP3": rb"\xff[\xe2-\xff]",
    "AAC": rb"\xff[\xf0\xf1\xf8\xf9]",
    "AMR": rb"[\x04\x0c\x14\x1c\x24\x2c\x34\x3c]",
}
_BLOCKS = {
    "GIF": rb"[!,]|;$",
    "TIFF": rb"II\*|MM\0|[\xfe\x00\x01][\x00\x01\xfe]",
    "BMP": rb"BM",
    "plain text": rb"\s",
}
GRAMMARS: dict[str, Grammar] = {
    "JPEG": Grammar(_jpeg, _jpeg_segment),
    "PNG": Grammar(_png, _png_chunk),
    "WebP": _riff("<"),
    "WAV": _riff("<"),
    "AVI": _riff("<"),
    "AIFF": _riff(">"),
    "HEIC or AVIF": Grammar(_boxes, _box, _BOXES.__contains__),
    "MP4 or QuickTime": Grammar(_boxes, _box, _BOXES.__contains__),
    "Matroska or WebM": Grammar(_ebml, _element, _MASTERS.__contains__),
    "Ogg": Grammar(_ogg, _ogg_page),
    "FLAC": Grammar(_flac, _flac_unit),
    "MPEG transport stream": Grammar(_packets, _whole),
    "PDF": Grammar(_pdf, _flate),
    **{name: Grammar(_pieces(pattern, b"frame"), _whole) for name, pattern in _FRAMES.items()},
    **{name: Grammar(_pieces(pattern), _whole) for name, pattern in _BLOCKS.items()},
}
"""By the names of sanitizer.detect."""
