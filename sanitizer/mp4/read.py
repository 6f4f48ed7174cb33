"""Read the index of an MP4 or QuickTime file: what is in it and where each frame lies.

Rule: bounded, in Python, trusting no number; only sound and pictures are taken up, everything
else is named by its kind and left behind. Fragments are read by sanitizer.mp4.fragments.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sanitizer.errors import Empty, Malformed, TooComplex, TooLarge, Unsupported
from sanitizer.limits import Limits
from sanitizer.mp4 import edits as mp4_edits
from sanitizer.mp4 import fragments as mp4_fragments
from sanitizer.mp4 import shape, tables
from sanitizer.mp4.boxes import TopBox, child, children, needed, read_box, top_boxes
from sanitizer.mp4.entries import STILLS, canonical
from sanitizer.mp4.entry import UnknownCodec
from sanitizer.mp4.model import Edit, Movie, Track
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
    b"camm": "location_track",
    b"tmcd": "capture_time",
}
_TOP = {b"ftyp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide", b"styp", b"sidx", b"mfra"}
_MOOV = {b"mvhd", b"trak", b"iods", b"mvex"}
_TRAK = {b"tkhd", b"edts", b"mdia", b"tref", b"tapt", b"load"}
_MAX_LOOKED_AT = 1 << 20
_NORMAL_SPEED = 1 << 16
_SMALL = 8
_IDENTITY = b"\0\1\0\0".ljust(16, b"\0") + b"\0\1\0\0".ljust(16, b"\0") + b"\x40\0\0\0"


@dataclass(slots=True)
class _Index:
    """What is known while the tracks of a moov are read."""

    movie: Movie
    limits: Limits
    length: int
    chapters: set[int] = field(default_factory=set)
    """Numbers of the tracks that others name as their chapters."""
    unknown: list[tuple[bool, int]] = field(default_factory=list)
    """Whether a track of an unknown codec is enabled, and its group."""


def read(source: UntrustedSource, limits: Limits) -> Movie:
    """Return what the file holds. Raises a leaf of Refused."""
    tops = list(top_boxes(source, limits.video_boxes))
    indexes = [top for top in tops if top.kind == b"moov"]
    if len(indexes) != 1:
        raise Malformed("the video has no index, or two")
    moov = read_box(source, indexes[0], limits.moov_bytes)
    movie = read_index(moov, limits, source.length)
    _note_rest(source, tops, movie.kinds)
    if any(top.kind == b"moof" for top in tops):
        mp4_fragments.read(source, tops, movie, extends(moov), limits)
    _check(movie, source.length, limits)
    _choose(movie)
    shape.set_clock(movie)
    for track in movie.tracks:
        movie.kinds |= mp4_edits.trim(track, movie.timescale)
    _drop_empty(movie)
    _number_groups(movie)
    return movie


def read_index(moov: bytes, limits: Limits, length: int) -> Movie:
    """Return the kept tracks of a moov, and the frames that its own tables name.

    ``length`` is the file's, in bytes. Raises a leaf of Refused.
    """
    view = memoryview(moov)
    if child(view, b"cmov") is not None:
        raise Unsupported("a compressed index")
    header = bytes(needed(view, b"mvhd"))
    (timescale,) = unpack("I", header, 20 if header[:1] == b"\1" else 12)
    index = _Index(Movie(timescale), limits, length)
    kinds = index.movie.kinds
    _note_times(header, kinds)
    traks = [content for name, content in children(view) if name == b"trak"]
    if len(traks) > limits.video_tracks:
        raise TooComplex("too many tracks")
    for trak in traks:
        _note_boxes(trak, _TRAK, kinds)
        named = child(child(trak, b"tref") or trak[:0], b"chap") or trak[:0]
        index.chapters.update(tables.numbers("I", named))
    _note_boxes(view, _MOOV, kinds)
    for trak in traks:
        _read_track(trak, index)
    _let_go(index)
    return index.movie


def extends(moov: bytes) -> dict[int, tuple[int, ...]]:
    """Return what fragments leave unsaid, by the number of their track (trex)."""
    return {
        unpack("I", content, 4)[0]: unpack("IIII", content, 8)
        for name, content in children(child(moov, b"mvex") or b"")
        if name == b"trex"
    }


def _let_go(index: _Index) -> None:
    """Leave out a track of an unknown codec where another says the same, or where nobody saw it."""
    movie = index.movie
    groups = Counter(track.group for track in movie.tracks)
    for is_enabled, group in index.unknown:
        if not movie.tracks or (is_enabled and not (group and groups[group])):
            raise Unsupported("a codec that cannot be cleaned here")
        movie.kinds.add("other_metadata")
    _number_groups(movie)


def _number_groups(movie: Movie) -> None:
    """Count the groups of alternatives from 1; one alone is no group."""
    groups = Counter(track.group for track in movie.tracks)
    shared = sorted(group for group, count in groups.items() if group and count > 1)
    for track in movie.tracks:
        track.group = shared.index(track.group) + 1 if track.group in shared else 0


def _check(movie: Movie, length: int, limits: Limits) -> None:
    """Raise unless there is something to see or to hear, all of it within the file."""
    if not movie.tracks or not movie.timescale:
        raise Unsupported("no pictures and no sound in it, or none that can be cleaned")
    _drop_empty(movie)
    whole = 0
    for track in movie.tracks:
        samples = track.samples
        if sum(map(samples.sizes.count, range(_SMALL))) > limits.video_small_frames:
            raise TooComplex("too many empty frames")
        whole += sum(samples.sizes)
        ends = (o + s for o, s in zip(samples.offsets, samples.sizes, strict=True))
        if max(ends) > length:
            raise Malformed("the video ends before its last frame")
    if whole > length + limits.output_slack_bytes:
        raise TooLarge("frames that are longer together than their file")


def _drop_empty(movie: Movie) -> None:
    """Leave out tracks without frames; raises Empty where no picture or no sound is left."""
    is_video = movie.is_video
    movie.tracks = [track for track in movie.tracks if len(track.samples)]
    if not movie.tracks or movie.is_video != is_video:
        raise Empty("a video without frames")


def _choose(movie: Movie) -> None:
    """Leave out what players do not show: all pictures but the first, and sounds turned off.

    A second camera's pictures go too, where an app put them into the same file: nobody who looked
    at the video would know that they are sent.
    """
    pictures = [track for track in movie.tracks if track.is_video]
    sounds = [track for track in movie.tracks if not track.is_video]
    shown = [track for track in pictures if track.is_enabled] or pictures
    heard = [track for track in sounds if track.is_enabled] or sounds
    numbers = {id(track) for track in [*shown[:1], *heard]}
    kept = [track for track in movie.tracks if id(track) in numbers]
    if kept != movie.tracks:
        movie.kinds.add("hidden_frames")
    movie.tracks = kept


def _note_times(header: bytes, kinds: set[str]) -> None:
    if any(unpack("QQ" if header[:1] == b"\1" else "II", header, 4)):
        kinds.add("capture_time")


def _note_rest(source: UntrustedSource, tops: Iterable[TopBox], kinds: set[str]) -> None:
    """Name the kinds of what stands beside the index."""
    for top in tops:
        if not top.kind:
            kinds.add("trailing_data")
        elif top.kind in {b"free", b"skip"}:
            if any(source.read_at(top.content, min(top.end - top.content, _MAX_LOOKED_AT))):
                kinds.add("other_metadata")
        elif top.kind not in _TOP:
            _note(source.read_at(top.content, _MAX_LOOKED_AT), kinds)


def _note_boxes(untrusted: memoryview, known: set[bytes], kinds: set[str]) -> None:
    for name, content in children(untrusted):
        if name not in known and (name != b"free" or any(content)):
            _note(bytes(content[:_MAX_LOOKED_AT]), kinds)


def _note(untrusted: bytes, kinds: set[str]) -> None:
    found = {kind for token, kind in _TOLD.items() if token in untrusted}
    kinds |= found or {"other_metadata"}


def _read_track(trak: memoryview, index: _Index) -> None:
    movie = index.movie
    mdia, header = needed(trak, b"mdia"), bytes(needed(trak, b"tkhd"))
    kind = bytes(needed(mdia, b"hdlr")[8:12])
    long = header[:1] == b"\1"
    (number,) = unpack("I", header, 20 if long else 12)
    if number in index.chapters:
        movie.kinds.add("chapters")
        return
    if kind not in {b"vide", b"soun"}:
        movie.kinds.add(_TRACKS.get(kind, "other_metadata"))
        return
    media = bytes(needed(mdia, b"mdhd"))
    _note_times(header, movie.kinds)
    _note_times(media, movie.kinds)
    (timescale,) = unpack("I", media, 20 if media[:1] == b"\1" else 12)
    at = 52 if long else 40
    if not 0 < timescale <= shape.FASTEST or len(header) < at + 44:
        raise Malformed("a track header that says what cannot be")
    information = needed(mdia, b"minf")
    _check_here(information)
    table = needed(information, b"stbl")
    description = bytes(needed(table, b"stsd"))
    is_video = kind == b"vide"
    first = [name for name, _ in children(description, 8)][:1]
    if is_video and STILLS & set(first) and tables.is_still(table):
        movie.kinds.add("cover")
        return
    is_enabled, (group,) = bool(header[3] & 1), unpack("H", header, at - 6)
    try:
        entry = canonical(description, is_video=is_video, used=tables.description_used(table))
    except UnknownCodec:
        index.unknown.append((is_enabled, group))
        return
    size = shape.size(entry.data, header[at + 36 : at + 44]) if is_video else bytes(8)
    matrix = shape.matrix(header[at : at + 36], size) if is_video else _IDENTITY
    entry = tables.counted(table, entry)
    samples = tables.read(table, entry, index.limits.video_samples, index.length)
    numbers = (number, is_video, timescale, matrix, size, entry, samples, _edits(trak))
    movie.tracks.append(Track(*numbers, is_enabled=is_enabled, group=group))


def _check_here(information: memoryview) -> None:
    """Raise Unsupported where a track's frames lie in another file."""
    references = child(needed(information, b"dinf"), b"dref") or information[:0]
    for _, content in children(references, 8):
        if not unpack("I", content)[0] & 1:
            raise Unsupported("a video whose frames are in another file")


def _edits(trak: memoryview) -> list[Edit]:
    table = child(child(trak, b"edts") or trak[:0], b"elst")
    if table is None:
        return []
    (count,) = unpack("I", table, 4)
    layout, step = ("QqI", 20) if table[0] == 1 else ("IiI", 12)
    if len(table) < 8 + step * count or count > 1024:  # noqa: PLR2004 - no editor cuts so much
        raise Malformed("an edit list longer than its box")
    edits = []
    for at in range(8, 8 + step * count, step):
        length, start, rate = unpack(layout, table, at)
        if start >= 0 and rate != _NORMAL_SPEED:
            raise Unsupported("a video that changes its speed")
        edits.append((length, start))
    return edits
