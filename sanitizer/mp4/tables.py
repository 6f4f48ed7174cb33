"""Read the sample tables of a track (ISO/IEC 14496-12, sections 8.6 and 8.7).

Rule: no table is believed to be longer than its box, and nothing is made as long as a number says
before the file is known to be. Uncompressed sound, whose tables count single numbers, is taken up
in blocks.
"""

import sys
from array import array
from collections.abc import Iterator

from sanitizer.errors import Malformed, TooComplex, Unsupported
from sanitizer.mp4.boxes import child, needed
from sanitizer.mp4.entry import Entry
from sanitizer.mp4.model import Samples
from sanitizer.numbers import unpack

Table = memoryview
_FROM_BIG_ENDIAN = {"little": array.byteswap, "big": array.tolist}[sys.byteorder]
_GRID = 4096
"""Where blocks of uncompressed sound begin, in ticks: so cutting twice cuts at the same places."""


def read(stbl: Table, entry: Entry, most: int, length: int) -> Samples:
    """Return the frames of a track. Raises TooComplex beyond ``most``, Malformed, Unsupported.

    ``length`` is the file's, in bytes.
    """
    (count,) = unpack("I", needed(stbl, b"stsz"), 8)
    if entry.unit and count:
        return _uncompressed(stbl, entry, most, length)
    if count > most:
        raise TooComplex("too many frames")
    (one,) = unpack("I", needed(stbl, b"stsz"), 4)
    samples = Samples(sizes=array("I", [one]) * count if one else _table(stbl, b"stsz", 1, 12))
    if sum(samples.sizes) > 2 * length:
        raise Malformed("frames that are longer together than their file")
    _times(stbl, samples, count)
    keys = child(stbl, b"stss")
    if keys is not None:
        told = _table(stbl, b"stss", 1)
        # Where all are keys, no table of them is needed.
        is_all = len(told) == count and told == array("I", range(1, count + 1))
        samples.keys = None if is_all else {number - 1 for number in told}
    _places(stbl, samples, count)
    return samples


def description_used(stbl: Table) -> int | None:
    """Return the number of the only description that frames use, or None where there is no one."""
    if child(stbl, b"stsc") is None:
        return None
    used = set(_table(stbl, b"stsc", 3)[2::3])
    return used.pop() if len(used) == 1 else None


def counted(stbl: Table, entry: Entry) -> Entry:
    """Return an entry without its unit where the tables count packets, as for coded sound."""
    (size,) = unpack("I", needed(stbl, b"stsz"), 4)
    return entry._replace(unit=0) if entry.ticks > 1 and size != 1 else entry


def is_still(stbl: Table) -> bool:
    """Tell whether a picture track is one picture: a cover or a preview."""
    return unpack("I", needed(stbl, b"stsz"), 8)[0] <= 1


def numbers(code: str, untrusted: Table) -> "array[int]":
    """Return big-endian numbers of array type ``code`` (those that are whole)."""
    values = array(code)
    values.frombytes(untrusted[: len(untrusted) // values.itemsize * values.itemsize])
    _FROM_BIG_ENDIAN(values)
    return values


def _table(stbl: Table, kind: bytes, width: int, head: int = 8) -> "array[int]":
    """Return a table of 32-bit numbers, ``width`` to a row, after its count."""
    content = needed(stbl, kind)
    (count,) = unpack("I", content, head - 4)
    if len(content) < head + 4 * width * count:
        raise Malformed("a table longer than its box")
    return numbers("I", content[head : head + 4 * width * count])


def _times(stbl: Table, samples: Samples, count: int) -> None:
    rows = _table(stbl, b"stts", 2)
    for repeat, length in zip(rows[::2], rows[1::2], strict=True):
        room = count - len(samples.durations)
        samples.durations.extend(array("I", [length]) * min(repeat, room))
    if len(samples.durations) != count:
        raise Malformed("frames without a time")
    if child(stbl, b"ctts") is None:
        return
    rows = _table(stbl, b"ctts", 2)
    for repeat, shift in zip(rows[::2], rows[1::2], strict=True):
        room = count - len(samples.shifts)
        signed = shift - (1 << 32) if shift >> 31 else shift
        samples.shifts.extend(array("i", [signed]) * min(repeat, room))
    samples.shifts.extend(array("i", bytes(4 * (count - len(samples.shifts)))))


def _chunks(stbl: Table) -> Iterator[tuple[int, int]]:
    """Yield (place, number of frames) of each chunk."""
    if child(stbl, b"co64") is not None:
        content = needed(stbl, b"co64")
        (number,) = unpack("I", content, 4)
        chunks = numbers("Q", content[8 : 8 + 8 * number])
        short = len(chunks) != number
    else:
        chunks, short = _table(stbl, b"stco", 1), False
    rows = _table(stbl, b"stsc", 3)
    if short or not rows or rows[0] != 1 or 0 in rows[1::3]:
        raise Malformed("a table of places that is broken")
    for row in range(0, len(rows), 3):
        first, each = rows[row], rows[row + 1]
        last = rows[row + 3] if row + 3 < len(rows) else len(chunks) + 1
        for place in chunks[first - 1 : max(first, last) - 1]:
            yield place, each


def _places(stbl: Table, samples: Samples, count: int) -> None:
    """Work out where each frame lies from chunks and sizes."""
    sizes, offsets, at = samples.sizes, samples.offsets, 0
    for place, each in _chunks(stbl) if count else ():
        for size in sizes[at : at + each]:
            offsets.append(place)
            place += size  # noqa: PLW2901 - the next frame lies behind this one
        at += each
        if at >= count:
            break
    if len(offsets) != count:
        raise Malformed("frames without a place")


def _uncompressed(stbl: Table, entry: Entry, most: int, length: int) -> Samples:
    """Take up sound whose frames are numbers, in blocks that begin on a grid."""
    size, count = unpack("II", needed(stbl, b"stsz"), 4)
    # QuickTime says 1 byte and counts ticks; others say how long a unit is, or several together.
    each_ticks = size // entry.unit if size > 1 else 1
    if size not in {1, each_ticks * entry.unit}:
        raise Unsupported("uncompressed sound in packets of its own")
    ticks = count * each_ticks
    if ticks // entry.ticks * entry.unit > length:
        raise Malformed("the sound ends before its last number")
    times = _table(stbl, b"stts", 2)
    if sum(times[::2]) != count or set(times[1::2]) != {each_ticks}:
        raise Unsupported("uncompressed sound in packets of its own")
    samples, now = Samples(), 0
    for place, each in _chunks(stbl):
        left = min(each * each_ticks, ticks - now)
        while left:
            step = min(left, _GRID - now % _GRID)
            samples.sizes.append(step * entry.unit // entry.ticks)
            samples.offsets.append(place)
            samples.durations.append(step)
            place += step * entry.unit // entry.ticks  # noqa: PLW2901 - the next block
            now, left = now + step, left - step
        if len(samples) > most:
            raise TooComplex("too many frames")
    if now != ticks or any(step % entry.ticks for step in samples.durations):
        raise Malformed("frames without a place")
    return samples
