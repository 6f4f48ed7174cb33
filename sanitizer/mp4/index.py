"""Write the index of an MP4 from numbers alone.

Rule: names are empty, times zero, languages undetermined; every box is ours.
"""

import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from sanitizer.mp4.boxes import box, full_box
from sanitizer.mp4.model import Movie, Track

_UND = 0x55C4
_TOGETHER = 1 << 16
_IDENTITY = struct.pack(">9I", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)


@dataclass(slots=True)
class Layout:
    """Where a track's chunks lie in the file that is written, and how many frames each has."""

    places: "array[int]" = field(default_factory=lambda: array("Q"))
    counts: "array[int]" = field(default_factory=lambda: array("I"))


def moov(movie: Movie, layouts: Sequence[Layout]) -> bytes:
    """Return the index of a movie whose frames lie as ``layouts`` says."""
    ticks = [_ticks(track, movie.timescale) for track in movie.tracks]
    header = struct.pack(">QQIQIH10x", 0, 0, movie.timescale, max(ticks), 1 << 16, 1 << 8)
    header += _IDENTITY + bytes(24) + struct.pack(">I", len(movie.tracks) + 1)
    traks = [
        _trak(number, track, ticks[number - 1], layouts[number - 1])
        for number, track in enumerate(movie.tracks, 1)
    ]
    return box(b"moov", full_box(b"mvhd", header, version=1), *traks)


def _ticks(track: Track, timescale: int) -> int:
    """Return how long a track is shown, in the movie's ticks."""
    edited = sum(length for length, _ in track.edits)
    return edited or track.duration * timescale // track.timescale


def _trak(number: int, track: Track, ticks: int, layout: Layout) -> bytes:
    volume = 0 if track.is_video else 1 << 8
    header = struct.pack(">QQIIQ8xHHHH", 0, 0, number, 0, ticks, 0, track.group, volume, 0)
    header += track.matrix + track.size
    edits = b""
    if track.edits:
        rows = b"".join(struct.pack(">QqI", *edit, 1 << 16) for edit in track.edits)
        table = full_box(b"elst", struct.pack(">I", len(track.edits)), rows, version=1)
        edits = box(b"edts", table)
    media = struct.pack(">QQIQHH", 0, 0, track.timescale, track.duration, _UND, 0)
    handler = bytes(4) + (b"vide" if track.is_video else b"soun") + bytes(13)
    kind = full_box(b"vmhd", bytes(8), flags=1) if track.is_video else full_box(b"smhd", bytes(4))
    reference = full_box(b"dref", struct.pack(">I", 1), full_box(b"url ", flags=1))
    return box(
        b"trak",
        full_box(b"tkhd", header, version=1, flags=2 | track.is_enabled),
        edits,
        box(
            b"mdia",
            full_box(b"mdhd", media, version=1),
            full_box(b"hdlr", handler),
            box(b"minf", kind, box(b"dinf", reference), _stbl(track, layout)),
        ),
    )


def _stbl(track: Track, layout: Layout) -> bytes:
    samples = track.samples
    rows, first = array("I"), 1
    for count, same in groupby(layout.counts):
        rows.extend((first, count, 1))
        first += sum(1 for _ in same)
    tables = [
        full_box(b"stsd", struct.pack(">I", 1), track.entry.data),
        full_box(b"stts", _durations(track)),
        full_box(b"stsc", struct.pack(">I", len(rows) // 3), big_endian(rows)),
        full_box(b"stsz", _sizes(track)),
        full_box(b"co64", struct.pack(">I", len(layout.places)), big_endian(layout.places)),
    ]
    if samples.shifts:
        tables.append(full_box(b"ctts", _runs(samples.shifts), version=1))
    keys = array("I", sorted(key + 1 for key in samples.keys or () if key < len(samples)))
    # Where all are keys, no table of them is needed.
    if samples.keys is not None and len(keys) < len(samples):
        tables.append(full_box(b"stss", struct.pack(">I", len(keys)), big_endian(keys)))
    return box(b"stbl", *tables)


def _sizes(track: Track) -> bytes:
    """Return the table of sizes; uncompressed sound has one for all of its units."""
    sizes, entry = track.samples.sizes, track.entry
    if not entry.unit:
        return struct.pack(">II", 0, len(sizes)) + big_endian(sizes)
    # QuickTime counts ticks of sound; where these are less than a unit, each is said to be 1 byte.
    size = entry.unit if entry.ticks == 1 else 1
    return struct.pack(">II", size, sum(sizes) // entry.unit * entry.ticks)


def _durations(track: Track) -> bytes:
    if track.entry.unit:
        return struct.pack(">III", 1, track.duration, 1)
    return _runs(track.samples.durations)


def _runs(values: "array[int]") -> bytes:
    """Return values as (repeat, value) rows."""
    layout = f">I{values.typecode}"
    rows = [struct.pack(layout, sum(1 for _ in same), value) for value, same in groupby(values)]
    return struct.pack(">I", len(rows)) + b"".join(rows)


def big_endian(values: "array[int]") -> bytes:
    """Return numbers as the file format wants them."""
    parts = (values[at : at + _TOGETHER] for at in range(0, len(values), _TOGETHER))
    return b"".join(struct.pack(f">{len(part)}{part.typecode}", *part) for part in parts)
