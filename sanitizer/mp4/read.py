"""Read the index of an MP4 or QuickTime video: what is in it and where each frame lies.

Rule: bounded, in Python, trusting no number; only sound and pictures are taken up, everything
else is named by its kind and left behind. Fragments are read by sanitizer.mp4.fragments.
"""

from array import array
from collections.abc import Iterable

from sanitizer.errors import Empty, Malformed, TooComplex, Unsupported
from sanitizer.limits import Limits
from sanitizer.mp4 import edits as mp4_edits
from sanitizer.mp4 import fragments as mp4_fragments
from sanitizer.mp4.boxes import TopBox, child, children, needed, read_box, top_boxes
from sanitizer.mp4.entries import canonical
from sanitizer.mp4.model import Edit, Movie, Samples, Track
from sanitizer.numbers import unpack
from sanitizer.source import UntrustedSource

_TOLD = {
    b"\xa9xyz": "gps",
    b"loci": "gps",
    b"location": "gps",
    b"\xa9mak": "camera_model",
    b"\xa9mod": "camera_model",
    b"quicktime.make": "camera_model",
    b"quicktime.model": "camera_model",
    b"creationdate": "capture_time",
    b"\xa9day": "capture_time",
    b"\xa9too": "software",
    b"\xa9swr": "software",
    b"software": "software",
    b"covr": "cover",
    b"chpl": "chapters",
    b"\xa9ART": "author",
    b"\xa9cmt": "comment",
    b"\xa9nam": "comment",
    b"xmpmeta": "xmp",
}
_TRACKS = {
    b"text": "subtitles",
    b"sbtl": "subtitles",
    b"subt": "subtitles",
    b"clcp": "subtitles",
    b"meta": "location_track",
    b"tmcd": "capture_time",
}
_TOP = {b"ftyp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide", b"styp", b"sidx", b"mfra"}
_MOOV = {b"mvhd", b"trak", b"iods", b"mvex"}
_TRAK = {b"tkhd", b"edts", b"mdia", b"tref", b"tapt", b"load"}
_MAX_LOOKED_AT = 1 << 20
_MAX_SAMPLES_A_CHUNK = 1 << 24


def read(source: UntrustedSource, limits: Limits) -> Movie:
    """Return what the video holds. Raises a leaf of Refused."""
    tops = list(top_boxes(source, limits.video_boxes))
    indexes = [top for top in tops if top.kind == b"moov"]
    if len(indexes) != 1:
        raise Malformed("the video has no index, or two")
    moov = read_box(source, indexes[0], limits.moov_bytes)
    if child(moov, b"cmov") is not None:
        raise Unsupported("a compressed index")
    header = needed(moov, b"mvhd")
    (timescale,) = unpack("I", header, 20 if header[:1] == b"\1" else 12)
    movie = Movie(timescale)
    _note_times(header, movie.kinds)
    _note_rest(source, tops, moov, movie.kinds)
    extends = {
        unpack("I", content, 4)[0]: unpack("IIII", content, 8)
        for name, content in children(child(moov, b"mvex") or b"")
        if name == b"trex"
    }
    traks = [content for name, content in children(moov) if name == b"trak"]
    if len(traks) > limits.video_tracks:
        raise TooComplex("too many tracks")
    for trak in traks:
        _read_track(trak, movie, limits)
    if any(top.kind == b"moof" for top in tops):
        mp4_fragments.read(source, tops, movie, extends, limits)
    _check(movie, source.length)
    trimmed = [mp4_edits.trim(track, timescale) for track in movie.tracks]
    if any(trimmed):
        movie.kinds.add("hidden_frames")
    return movie


def _check(movie: Movie, length: int) -> None:
    """Raise unless there are pictures, and every frame lies within the file."""
    if movie.tracks and not any(track.is_video for track in movie.tracks):
        raise Unsupported("sound without pictures")
    if not movie.tracks:
        raise Unsupported("no pictures in it, or none that can be cleaned")
    movie.tracks = [track for track in movie.tracks if len(track.samples)]
    if not any(track.is_video for track in movie.tracks):
        raise Empty("a video without frames")
    for track in movie.tracks:
        samples = track.samples
        ends = (o + s for o, s in zip(samples.offsets, samples.sizes, strict=True))
        if max(ends) > length:
            raise Malformed("the video ends before its last frame")


def _note_times(header: bytes, kinds: set[str]) -> None:
    if any(unpack("QQ" if header[:1] == b"\1" else "II", header, 4)):
        kinds.add("capture_time")


def _note_rest(
    source: UntrustedSource, tops: Iterable[TopBox], moov: bytes, kinds: set[str]
) -> None:
    """Name the kinds of what stands beside the tracks."""
    for top in tops:
        if not top.kind:
            kinds.add("trailing_data")
        elif top.kind in {b"free", b"skip"}:
            if any(source.read_at(top.content, min(top.end - top.content, _MAX_LOOKED_AT))):
                kinds.add("other_metadata")
        elif top.kind not in _TOP:
            _note(source.read_at(top.content, _MAX_LOOKED_AT), kinds)
    for name, content in children(moov):
        if name == b"trak":
            _note_boxes(content, _TRAK, kinds)
    _note_boxes(moov, _MOOV, kinds)


def _note_boxes(untrusted: bytes, known: set[bytes], kinds: set[str]) -> None:
    for name, content in children(untrusted):
        if name not in known and (name != b"free" or any(content)):
            _note(content, kinds)


def _note(untrusted: bytes, kinds: set[str]) -> None:
    found = {kind for token, kind in _TOLD.items() if token in untrusted[:_MAX_LOOKED_AT]}
    kinds |= found or {"other_metadata"}


def _read_track(trak: bytes, movie: Movie, limits: Limits) -> None:
    mdia = needed(trak, b"mdia")
    kind = needed(mdia, b"hdlr")[8:12]
    if kind not in {b"vide", b"soun"}:
        movie.kinds.add(_TRACKS.get(kind, "other_metadata"))
        return
    header, media = needed(trak, b"tkhd"), needed(mdia, b"mdhd")
    _note_times(header, movie.kinds)
    _note_times(media, movie.kinds)
    long = header[:1] == b"\1"
    (number,) = unpack("I", header, 20 if long else 12)
    (timescale,) = unpack("I", media, 20 if media[:1] == b"\1" else 12)
    at = 52 if long else 40
    if timescale == 0 or len(header) < at + 44:
        raise Malformed("a track header that says what cannot be")
    information = needed(mdia, b"minf")
    _check_here(information)
    table = needed(information, b"stbl")
    description = needed(table, b"stsd")
    entries = [name for name, _ in children(description, 8)]
    if kind == b"vide" and entries and entries[0] in {b"jpeg", b"png ", b"mjpa"}:
        movie.kinds.add("cover")
        if _is_still(table):
            return
    codec, entry = canonical(description, is_video=kind == b"vide")
    movie.tracks.append(
        Track(
            number,
            kind == b"vide",
            timescale,
            header[at : at + 36],
            header[at + 36 : at + 44],
            codec,
            entry,
            _samples(table, limits.video_samples),
            _edits(trak),
        )
    )


def _is_still(table: bytes) -> bool:
    """Tell whether a picture track is one picture: a cover or a preview."""
    return unpack("I", needed(table, b"stsz"), 8)[0] <= 1


def _check_here(information: bytes) -> None:
    """Raise Unsupported where a track's frames lie in another file."""
    references = child(needed(information, b"dinf"), b"dref") or b""
    for _, content in children(references, 8):
        if not unpack("I", content)[0] & 1:
            raise Unsupported("a video whose frames are in another file")


def _edits(trak: bytes) -> list[Edit]:
    table = child(child(trak, b"edts") or b"", b"elst")
    if table is None:
        return []
    (count,) = unpack("I", table, 4)
    layout, step = ("QqI", 20) if table[:1] == b"\1" else ("IiI", 12)
    if len(table) < 8 + step * count or count > 1024:  # noqa: PLR2004 - no editor cuts so much
        raise Malformed("an edit list longer than its box")
    edits = []
    for at in range(8, 8 + step * count, step):
        length, start, rate = unpack(layout, table, at)
        edits.append((length, start, rate))
    return edits


def numbers(code: str, untrusted: bytes) -> "array[int]":
    """Return big-endian numbers of array type ``code`` (those that are whole)."""
    return array(code, unpack(f"{len(untrusted) // array(code).itemsize}{code}", untrusted))


def _table(stbl: bytes, kind: bytes, width: int, head: int = 8) -> "array[int]":
    """Return a table of 32-bit numbers, ``width`` to a row, after its count."""
    content = needed(stbl, kind)
    (count,) = unpack("I", content, head - 4)
    if len(content) < head + 4 * width * count:
        raise Malformed("a table longer than its box")
    return numbers("I", content[head : head + 4 * width * count])


def _samples(stbl: bytes, most: int) -> Samples:
    """Read the tables of ISO/IEC 14496-12, sections 8.6 and 8.7."""
    sizes = needed(stbl, b"stsz")
    one, count = unpack("II", sizes, 4)
    if count > most:
        raise TooComplex("too many frames")
    samples = Samples(sizes=array("I", [one]) * count if one else _table(stbl, b"stsz", 1, 12))
    _times(stbl, samples, count)
    keys = child(stbl, b"stss")
    if keys is not None:
        samples.keys = {number - 1 for number in _table(stbl, b"stss", 1)}
    _places(stbl, samples, count)
    return samples


def _times(stbl: bytes, samples: Samples, count: int) -> None:
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


def _places(stbl: bytes, samples: Samples, count: int) -> None:
    """Work out where each frame lies from chunks and sizes."""
    if child(stbl, b"co64") is not None:
        content = needed(stbl, b"co64")
        (number,) = unpack("I", content, 4)
        chunks = numbers("Q", content[8 : 8 + 8 * number])
        short = len(chunks) != number
    else:
        chunks, short = _table(stbl, b"stco", 1), False
    rows = _table(stbl, b"stsc", 3)
    if short or (count and (not rows or rows[0] != 1)):
        raise Malformed("a table of places that is broken")
    sizes, offsets, at = samples.sizes, samples.offsets, 0
    for row in range(0, len(rows), 3):
        first, each = rows[row], rows[row + 1]
        last = rows[row + 3] if row + 3 < len(rows) else len(chunks) + 1
        for chunk in range(first - 1, min(last - 1, len(chunks))):
            place = chunks[chunk]
            for size in sizes[at : at + each]:
                offsets.append(place)
                place += size
            at += each
            if at >= count:
                break
    if len(offsets) != count:
        raise Malformed("frames without a place")
