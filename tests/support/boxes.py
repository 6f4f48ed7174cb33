"""The tests' own small writer of MP4 boxes: turns a plain video into a phone's, or a long one."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path

TIME = 3_850_000_000
"""A moment in the year 2025, counted as QuickTime counts (seconds since 1904)."""
_SIDEWAYS = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 120 << 16, 0, 1 << 30)
_IDENTITY = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)


def box(kind: bytes, *content: bytes) -> bytes:
    data = b"".join(content)
    return struct.pack(">I4s", len(data) + 8, kind) + data


def full(kind: bytes, *content: bytes, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", flags), *content)


def split(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (type, content) of the boxes in ``data``."""
    at = 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        size = size or len(data) - at
        yield kind, data[at + head : at + size]
        at += size


def find(data: bytes, *path: bytes) -> bytes:
    """Return the content of the first box on a path of types."""
    for kind in path:
        data = next(content for name, content in split(data) if name == kind)
    return data


def replaced(data: bytes, path: tuple[bytes, ...], change: dict[bytes, bytes]) -> bytes:
    """Return boxes with those named in ``change`` replaced, in every container on ``path``."""
    made = []
    for kind, content in split(data):
        if kind in change:
            made.append(box(kind, change[kind]))
        elif path and kind == path[0]:
            made.append(box(kind, replaced(content, path[1:], change)))
        else:
            made.append(box(kind, content))
    return b"".join(made)


def track(  # noqa: PLR0913, PLR0917 - a track has so many sides
    number: int, handler: bytes, entry: bytes, place: int, length: int, name: bytes
) -> bytes:
    """Return a trak of one sample of one second."""
    times = struct.pack(">II", TIME, TIME)
    header = times + struct.pack(">II", number, 0) + struct.pack(">I", 1000) + bytes(16) + _IDENTITY
    table = box(
        b"stbl",
        full(b"stsd", struct.pack(">I", 1), entry),
        full(b"stts", struct.pack(">III", 1, 1, 1000)),
        full(b"stsc", struct.pack(">IIII", 1, 1, 1, 1)),
        full(b"stsz", struct.pack(">II", length, 1)),
        full(b"stco", struct.pack(">II", 1, place)),
    )
    reference = box(b"dinf", full(b"dref", struct.pack(">I", 1), full(b"url ", flags=1)))
    information = box(b"minf", full(b"nmhd"), reference, table)
    media = full(b"mdhd", times, struct.pack(">IIHH", 1000, 1000, 0x55C4, 0))
    told = full(b"hdlr", b"mhlr", handler, bytes(12), bytes([len(name)]), name)
    return box(
        b"trak", full(b"tkhd", header, bytes(8), flags=15), box(b"mdia", media, told, information)
    )


def as_from_a_phone(plain: bytes, canary: bytes, position: bytes) -> bytes:
    """Return the video (its index last) with everything a phone adds, index still last."""
    tops = list(split(plain))
    moov = find(plain, b"moov")
    handler = bytes(8) + b"vide" + bytes(12)
    header = find(moov, b"mvhd")
    moov = replaced(
        moov,
        (b"trak", b"mdia"),
        {b"mvhd": header[:4] + struct.pack(">II", TIME, TIME) + header[12:]},
    )
    traks = [content for kind, content in split(moov) if kind == b"trak"]
    turned = find(traks[0], b"tkhd")
    turned = turned[:4] + struct.pack(">II", TIME, TIME) + turned[12:40] + _SIDEWAYS + turned[76:]
    traks[0] = replaced(traks[0], (), {b"tkhd": turned})
    traks[0] = replaced(traks[0], (b"mdia",), {b"hdlr": handler + b"Core " + canary + b"\0"})
    front = b"".join(box(kind, content) for kind, content in tops if kind != b"moov")
    sample = b"GPMF" + canary + position
    slack = b"nobody owns this " + canary
    place = len(front) + 8
    data = box(b"mdat", sample, slack)
    entry = box(b"mebx", bytes(6), b"\0\1", canary)
    chapter = box(b"text", bytes(6), b"\0\1", bytes(43))
    rest = [content for kind, content in split(moov) if kind == b"mvhd"]
    keys = full(
        b"keys", struct.pack(">I", 1), box(b"mdta", b"com.apple.quicktime.location.ISO6709")
    )
    value = box(b"ilst", box(b"\0\0\0\1", box(b"data", struct.pack(">II", 1, 0), position, canary)))
    told = full(b"hdlr", bytes(4), b"mdta", bytes(13))
    text = struct.pack(">HH", len(position), 0x15C7) + position
    udta = box(b"udta", box(b"\xa9xyz", text), box(b"\xa9mak", b"\0\4\x15\xc7", canary), bytes(4))
    index = box(
        b"moov",
        box(b"mvhd", rest[0]),
        *[box(b"trak", trak) for trak in traks],
        track(90, b"meta", entry, place, len(sample), canary),
        track(91, b"text", chapter, place, len(sample), b"Chapters"),
        box(b"meta", told, keys, value),
        udta,
        box(b"free", canary),
    )
    return front + data + index + box(b"uuid", bytes(16), canary) + b"SEFT" + canary


def write_big(plain: bytes, path_or_fd: Path | int, size: int) -> int:
    """Repeat a video of key frames alone until it is about ``size`` bytes; return the length."""
    moov = find(plain, b"moov")
    trak = find(moov, b"trak")
    table = find(trak, b"mdia", b"minf", b"stbl")
    sizes_box = find(table, b"stsz")
    (count,) = struct.unpack_from(">I", sizes_box, 8)
    sizes = struct.unpack_from(f">{count}I", sizes_box, 12)
    (place,) = struct.unpack_from(">I", find(table, b"stco"), 8)
    frames = plain[place : place + sum(sizes)]
    times = max(1, size // len(frames))
    head = box(b"ftyp", b"qt  \0\0\2\0qt  ")
    data = struct.pack(">I4sQ", 1, b"mdat", 16 + times * len(frames))
    total = times * count
    begin = len(head) + len(data)
    media = find(trak, b"mdia", b"mdhd")
    (timescale,) = struct.unpack_from(">I", media, 12)
    change = {
        b"stts": struct.pack(">IIII", 0, 1, total, timescale // 10),
        b"stsc": struct.pack(">IIIII", 0, 1, 1, count, 1),
        b"stsz": struct.pack(">III", 0, 0, total) + sizes_box[12 : 12 + 4 * count] * times,
    }
    places = struct.pack(f">{times}Q", *(begin + i * len(frames) for i in range(times)))
    index = replaced(box(b"moov", moov), (b"moov", b"trak", b"mdia", b"minf", b"stbl"), change)
    index = _swap(index, struct.pack(">II", 0, times) + places)
    descriptor = (
        path_or_fd
        if isinstance(path_or_fd, int)
        else os.open(path_or_fd, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    )
    try:
        _write(descriptor, head + data)
        for _ in range(times):
            _write(descriptor, frames)
        _write(descriptor, index)
    finally:
        if descriptor is not path_or_fd:
            os.close(descriptor)
    return begin + times * len(frames) + len(index)


def _swap(index: bytes, places: bytes) -> bytes:
    """Return an index with 64-bit places instead of its 32-bit ones, and without edits."""

    def walk(data: bytes) -> bytes:
        made = b""
        for kind, content in split(data):
            if kind == b"stco":
                made += box(b"co64", places)
            elif kind in {b"moov", b"trak", b"mdia", b"minf", b"stbl"}:
                made += box(kind, walk(content))
            elif kind not in {b"edts", b"udta"}:
                made += box(kind, content)
        return made

    return walk(index)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
