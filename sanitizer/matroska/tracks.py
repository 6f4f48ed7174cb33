"""Read the entries of the tracks, and write each anew from what was understood (RFC 9559, 5.1.4).

Rule: an allow-list of numbers, each within its bounds and rounded to what it can mean; names,
identifiers, languages and flags do not come along, and neither do tracks that players do not show.
"""

from collections.abc import Sequence

from sanitizer.errors import Encrypted, Malformed, Unsupported
from sanitizer.matroska import codecs, ids
from sanitizer.matroska.ebml import children, double, element, floating, natural, unsigned
from sanitizer.matroska.model import Track
from sanitizer.matroska.video_settings import video_settings

_VIDEO, _AUDIO = 1, 2
_SUBTITLES, _METADATA = 0x11, 0x21
_KINDS = {_SUBTITLES: "subtitles", _METADATA: "location_track"}
_SECOND = 1_000_000_000
_MAX_RATE = 1_000_000
_MAX_DELAY = 10 * _SECOND
_MAX_SAMPLES = 8192
_MAX_PREFIX = 1024
_OPUS_RATE, _OPUS_PRE_ROLL = 48000, 80_000_000
_AVC, _TOLD_BY = b"V_MPEG4/ISO/AVC", {b"A_VORBIS": "software"}
_HEADER_STRIPPING = 3
_FRAMES, _PRIVATE = 1, 2
_KNOWN = ids.FLAGS | {
    ids.TRACK_NUMBER, ids.TRACK_UID, ids.TRACK_TYPE, ids.CODEC_ID, ids.CODEC_PRIVATE, ids.VIDEO,
    ids.AUDIO, ids.LANGUAGE, ids.DEFAULT_DURATION, ids.CODEC_DELAY, ids.SEEK_PRE_ROLL,
    ids.MAX_BLOCK_ADDITION_ID, ids.TRACK_TIMESTAMP_SCALE, ids.CONTENT_ENCODINGS, ids.VOID,
    ids.CRC_32, ids.NAME,
}  # fmt: skip
_RATES = sorted(
    [(n, 1) for n in range(1, 241)]
    + [(n * 1000, 1001) for n in range(1, 241)]
    + [(n, 2) for n in range(1, 121, 2)]
)


def shown(entries: Sequence[bytes], kinds: set[str]) -> list[bytes]:
    """Return the entries without those of tracks that players do not show (RFC 9559, 19.1).

    Of the pictures the first stays that is enabled, one that may be chosen unasked before others;
    of the sounds all that are enabled. The others go unread. Raises Malformed for two tracks of
    sound or pictures with one number: the frames of one would pass as the other's.
    """
    told = [dict(children(entry)) for entry in entries]
    types = [unsigned(each.get(ids.TRACK_TYPE, b"")) for each in told]
    pictures = [at for at, kind in enumerate(types) if kind == _VIDEO]
    sounds = [at for at, kind in enumerate(types) if kind == _AUDIO]
    numbers = {unsigned(told[at].get(ids.TRACK_NUMBER, b"")) for at in pictures + sounds}
    if len(numbers) != len(pictures) + len(sounds):
        raise Malformed("two tracks with one number")
    watched = _with(ids.FLAG_DEFAULT, told, _with(ids.FLAG_ENABLED, told, pictures))[:1]
    heard = _with(ids.FLAG_ENABLED, told, sounds)
    gone = {*pictures, *sounds} - {*watched, *heard}
    if gone:
        kinds.add("hidden_frames")
    return [entry for at, entry in enumerate(entries) if at not in gone]


def _with(flag: int, told: Sequence[dict[int, bytes]], places: list[int]) -> list[int]:
    """Return those of the places whose flag is set, as it is by default; all where none is."""
    return [at for at in places if unsigned(told[at].get(flag) or b"\1")] or places


def read(untrusted: bytes, kinds: set[str]) -> Track | None:
    """Return a track from the content of its entry; None where it is neither sound nor picture.

    Raises Encrypted, Unsupported (a codec that is not kept), Malformed.
    """
    entry = dict(children(untrusted))
    number = unsigned(entry.get(ids.TRACK_NUMBER, b""))
    kind = unsigned(entry.get(ids.TRACK_TYPE, b""))
    _note(entry, number, kinds)
    if kind not in {_VIDEO, _AUDIO}:
        kinds.add(_KINDS.get(kind, "other_metadata"))
        return None
    if not number:
        raise Malformed("a track without a number")
    if floating(entry.get(ids.TRACK_TIMESTAMP_SCALE, b"")) not in {0.0, 1.0}:
        raise Unsupported("a track with a clock of its own")
    prefix, private = _unpacked(entry)
    name = entry.get(ids.CODEC_ID, b"").rstrip(b"\0")
    make = _video if kind == _VIDEO else _audio
    track = make(number, name, private, prefix, entry)
    # What follows H.264's sets is a few numbers that they say as well.
    is_same = track.private == private or (name == _AVC and private.startswith(track.private))
    if private and not is_same:
        kinds.add("sei" if track.is_video else _TOLD_BY.get(name, "other_metadata"))
    return track


def _note(entry: dict[int, bytes], number: int, kinds: set[str]) -> None:
    if entry.get(ids.NAME):
        kinds.add("comment")
    language = entry.get(ids.LANGUAGE, b"").rstrip(b"\0")
    uid = unsigned(entry.get(ids.TRACK_UID, b""))
    if (
        entry.keys() - _KNOWN
        or language not in {b"", b"und"}
        or uid not in {0, number}
        or entry.get(ids.VOID, b"").strip(b"\0")
    ):
        kinds.add("other_metadata")


def _unpacked(entry: dict[int, bytes]) -> tuple[bytes, bytes]:
    """Return (what stands before each frame, decoder setup) after undoing the encodings."""
    private, prefix = entry.get(ids.CODEC_PRIVATE, b""), b""
    encodings = list(children(entry.get(ids.CONTENT_ENCODINGS, b"")))
    for _, content in encodings:
        encoding = dict(children(content))
        if unsigned(encoding.get(ids.ENCODING_TYPE, b"")):
            raise Encrypted("the video is locked")
        packing = dict(children(encoding.get(ids.COMPRESSION, b"")))
        scope = unsigned(encoding.get(ids.ENCODING_SCOPE, b"\1"))
        taken = packing.get(ids.COMPRESSION_SETTINGS, b"")
        if (
            unsigned(packing.get(ids.COMPRESSION_ALGORITHM, b"")) != _HEADER_STRIPPING
            or len(encodings) != 1
            or len(taken) > _MAX_PREFIX
            or scope not in {_FRAMES, _PRIVATE, _FRAMES | _PRIVATE}
        ):
            raise Unsupported("compressed frames")
        prefix = taken if scope & _FRAMES else b""
        private = taken + private if scope & _PRIVATE else private
    return prefix, private


def _video(
    number: int, name: bytes, private: bytes, prefix: bytes, entry: dict[int, bytes]
) -> Track:
    codec = codecs.video(name, private)
    if ids.VIDEO not in entry:
        raise Malformed("a video without a size")
    has_alpha, settings = video_settings(entry[ids.VIDEO], may_have_alpha=name in codecs.WITH_ALPHA)
    duration = _of_rates(unsigned(entry.get(ids.DEFAULT_DURATION, b"")))
    return Track(
        number,
        is_video=True,
        codec=codec.name,
        private=codec.private,
        settings=_timing(duration, 0, 0)
        + (natural(ids.MAX_BLOCK_ADDITION_ID, 1) if has_alpha else b"")
        + settings,
        strip=codec.strip,
        prefix=prefix,
        has_alpha=has_alpha,
        duration=duration,
    )


def _of_rates(told: int) -> int:
    """Return a frame's duration in nanoseconds by the frame rate that it must mean, or 0.

    A frame's duration has thirty digits of room; a frame rate is one of a few hundred.
    """
    for above, below in _RATES:
        exact = _SECOND * below // above
        if abs(told - exact) * 5000 <= exact:
            return exact
    return 0


def _audio(
    number: int, name: bytes, private: bytes, prefix: bytes, entry: dict[int, bytes]
) -> Track:
    told = dict(children(entry.get(ids.AUDIO, b"")))
    rate = round(floating(told.get(ids.SAMPLING_FREQUENCY, b""))) or 8000
    above = round(floating(told.get(ids.OUTPUT_FREQUENCY, b"")))
    channels = unsigned(told.get(ids.CHANNELS, b"\1"))
    bits = unsigned(told.get(ids.BIT_DEPTH, b""))
    if not 0 < rate <= _MAX_RATE or not 0 < channels < 256 or bits > 64:  # noqa: PLR2004 - bounds
        raise Malformed("a sound that says what cannot be")
    codec = codecs.audio(name, private, rate, channels)
    inner = double(ids.SAMPLING_FREQUENCY, rate)
    if above == 2 * rate:
        inner += double(ids.OUTPUT_FREQUENCY, above)
    inner += natural(ids.CHANNELS, channels)
    if bits and name.startswith(codecs.WITH_DEPTH):
        inner += natural(ids.BIT_DEPTH, bits)
    clock = _OPUS_RATE if name == codecs.OPUS else rate
    duration = unsigned(entry.get(ids.DEFAULT_DURATION, b""))
    samples = round(duration * clock / _SECOND)
    is_whole = abs(duration - samples * _SECOND / clock) * clock * 20 <= _SECOND
    duration = round(samples * _SECOND / clock) if is_whole and samples <= _MAX_SAMPLES else 0
    delay = whole_samples(unsigned(entry.get(ids.CODEC_DELAY, b"")), clock)
    pre_roll = _OPUS_PRE_ROLL if name == codecs.OPUS else 0
    return Track(
        number,
        is_video=False,
        codec=codec.name,
        private=codec.private,
        settings=_timing(duration, delay, pre_roll) + element(ids.AUDIO, inner),
        strip=codec.strip,
        prefix=prefix,
        duration=duration,
        rate=clock,
    )


def whole_samples(told: int, rate: int) -> int:
    """Return nanoseconds rounded to whole samples at ``rate``, or 0 where there are too many."""
    samples = round(told * rate / _SECOND)
    return round(samples * _SECOND / rate) if rate and abs(told) <= _MAX_DELAY else 0


def _timing(duration: int, delay: int, pre_roll: int) -> bytes:
    """Return the elements of a track's times that are not 0."""
    told = (
        (ids.DEFAULT_DURATION, duration),
        (ids.CODEC_DELAY, delay),
        (ids.SEEK_PRE_ROLL, pre_roll),
    )
    return b"".join(natural(kind, value) for kind, value in told if value)


def entry_of(track: Track, place: int) -> bytes:
    """Return the entry of ours for a track that becomes number ``place``."""
    return element(
        ids.TRACK_ENTRY,
        natural(ids.TRACK_NUMBER, place),
        natural(ids.TRACK_UID, place),
        element(ids.LANGUAGE, b"und"),
        element(ids.CODEC_ID, track.codec),
        natural(ids.TRACK_TYPE, _VIDEO if track.is_video else _AUDIO),
        element(ids.CODEC_PRIVATE, track.private) if track.private else b"",
        track.settings,
    )
