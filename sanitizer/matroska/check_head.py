"""Re-read what a result says of itself before its frames (RFC 9559, sections 5.1.1 to 5.1.5).

Rule: shares no code with what wrote it; each number within bounds and rounded as it should be.
"""

import struct
from dataclasses import dataclass

from sanitizer.matroska.check_frames import Finish, FrameCheck, frame_check
from sanitizer.matroska.check_walk import (
    Rule,
    eight,
    elements,
    exactly,
    fail,
    in_order,
    natural,
    up_to,
)

_SECOND = 1_000_000_000
_SIDE = 65_535
_WITH_DEPTH = (b"A_PCM/", b"A_FLAC", b"A_ALAC")
_OPUS_RATE = 48_000
_ENTRY, _UID = 0xAE, 0x73C5
_VIDEO_SETTINGS, _AUDIO_SETTINGS = 0xE0, 0xE1
_DURATION, _DELAY, _PRE_ROLL, _ADDITIONS = 0x23E383, 0x56AA, 0x56BB, 0x55EE
_WIDTH, _HEIGHT, _SHOWN_WIDTH, _SHOWN_HEIGHT, _ALPHA = 0xB0, 0xBA, 0x54B0, 0x54BA, 0x53C0
_RATE, _DEPTH = 0xB5, 0x6264
_TEN_SECONDS = 10 * _SECOND


def _float(least: float, most: float, steps: int) -> Rule:
    """Return a rule for a floating-point number in whole steps of ``1 / steps``."""

    def rule(content: bytes) -> bool:
        if len(content) != 8:  # noqa: PLR2004 - a double
            return False
        value: float = struct.unpack(">d", content)[0]
        return least <= value <= most and round(value * steps) / steps == value

    return rule


def _group(rules: dict[int, Rule]) -> Rule:
    """Return a rule for an element that holds others, and at least one of them."""
    return lambda content: bool(in_order(content, rules))


_MASTERING: dict[int, Rule] = {
    **{kind: _float(0, 1, 50_000) for kind in range(0x55D1, 0x55D9)},
    0x55D9: _float(0, 100_000, 10_000),
    0x55DA: _float(0, 100, 10_000),
}
_COLOUR: dict[int, Rule] = {
    0x55B1: up_to(14), 0x55B2: up_to(16), 0x55B3: up_to(4), 0x55B4: up_to(4), 0x55B5: up_to(4),
    0x55B6: up_to(4), 0x55B7: up_to(2), 0x55B8: up_to(2), 0x55B9: up_to(3), 0x55BA: up_to(18),
    0x55BB: up_to(22), 0x55BC: up_to(_SIDE), 0x55BD: up_to(_SIDE), 0x55D0: _group(_MASTERING),
}  # fmt: skip
_PROJECTION: dict[int, Rule] = {
    0x7671: exactly(b"\1"),
    **dict.fromkeys((0x7673, 0x7674, 0x7675), _float(-180, 180, 1)),
}
VIDEO: dict[int, Rule] = {
    _WIDTH: up_to(_SIDE, 1), _HEIGHT: up_to(_SIDE, 1), 0x54AA: up_to(_SIDE, 1),
    0x54BB: up_to(_SIDE, 1), 0x54CC: up_to(_SIDE, 1), 0x54DD: up_to(_SIDE, 1),
    _SHOWN_WIDTH: up_to(_SIDE, 1), _SHOWN_HEIGHT: up_to(_SIDE, 1), 0x54B2: exactly(b"\3"),
    0x9A: up_to(2, 1), 0x9D: exactly(b"\1", b"\2", b"\6", b"\x09", b"\x0e"), 0x53B8: up_to(14, 1),
    _ALPHA: exactly(b"\1"), 0x55B0: _group(_COLOUR), 0x7670: _group(_PROJECTION),
}  # fmt: skip
"""What a track may say of its pictures."""
AUDIO: dict[int, Rule] = {
    _RATE: _float(1, 1_000_000, 1),
    0x78B5: _float(1, 2_000_000, 1),
    0x9F: up_to(255, 1),
    _DEPTH: up_to(64, 1),
}
"""What a track may say of its sound."""
TRACK: dict[int, Rule] = {
    0xD7: up_to(126, 1), _UID: up_to(126, 1), 0x22B59C: exactly(b"und"),
    0x86: lambda content: len(content) < 32, 0x83: up_to(2, 1), 0x63A2: bool,  # noqa: PLR2004 - a name
    _DURATION: up_to(_TEN_SECONDS, 1), _DELAY: up_to(_TEN_SECONDS, 1),
    _PRE_ROLL: exactly((80_000_000).to_bytes(4, "big")), _ADDITIONS: exactly(b"\1"),
    _VIDEO_SETTINGS: bool, _AUDIO_SETTINGS: bool,
}  # fmt: skip
"""What a track may say of itself."""
_NAME = exactly(b"amana")
INFO: dict[int, Rule] = {
    0x2AD7B1: lambda content: natural(content) in {1_000_000, 100_000, 10_000},
    0x4D80: _NAME, 0x5741: _NAME, 0x4489: _float(0, 1 << 45, 1),
}  # fmt: skip
"""What a file may say of itself."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a track of the result says of itself; ``duration`` in nanoseconds, or 0."""

    is_video: bool
    codec: bytes
    duration: int
    rate: int
    has_alpha: bool
    check: FrameCheck
    finish: Finish


def check_info(data: bytes) -> tuple[int, int]:
    """Return (nanoseconds in a tick, duration in ticks)."""
    told = in_order(data, INFO)
    if told.keys() != INFO.keys():
        raise fail()
    return natural(told[0x2AD7B1]), int(struct.unpack(">d", told[0x4489])[0])


def check_tracks(data: bytes) -> list[Description]:
    """Return what each track says of itself, in their order."""
    found: list[Description] = []
    for kind, content in elements(data):
        told = in_order(content, TRACK)
        place = len(found) + 1
        if kind != _ENTRY or not {0xD7, _UID, 0x83, 0x22B59C, 0x86} <= told.keys():
            raise fail()
        if natural(told[0xD7]) != place or natural(told[_UID]) != place:
            raise fail()
        found.append(_video(told) if told[0x83] == b"\1" else _audio(told))
    if sum(each.is_video for each in found) > 1:
        # Players show one of them, and nobody would know of the other.
        raise fail()
    return found


def _video(told: dict[int, bytes]) -> Description:
    video = in_order(told.get(_VIDEO_SETTINGS, b""), VIDEO)
    duration = natural(told.get(_DURATION, b"\0"))
    has_alpha = _ALPHA in video
    if not {_WIDTH, _HEIGHT} <= video.keys() or told.keys() & {_AUDIO_SETTINGS, _DELAY, _PRE_ROLL}:
        raise fail()
    if has_alpha != (_ADDITIONS in told) or (_SHOWN_WIDTH in video) != (_SHOWN_HEIGHT in video):
        raise fail()
    if duration and duration not in _frame_durations(duration):
        raise fail()
    codec = told[0x86]
    check, finish = frame_check(codec, told.get(0x63A2, b""), is_video=True)
    return Description(True, codec, duration, 0, has_alpha, check, finish)  # noqa: FBT003 - a picture


def _frame_durations(near: int) -> set[int]:
    """Return the durations of a frame at the usual frame rates next to one of ``near``."""
    rates = {round(_SECOND / near), round(_SECOND / near * 1.001)} - {0}
    halves = {round(2 * _SECOND / near)} - {0}
    return (
        {_SECOND // n for n in rates}
        | {_SECOND * 1001 // (1000 * n) for n in rates}
        | {_SECOND * 2 // n for n in halves}
    )


def _audio(told: dict[int, bytes]) -> Description:
    audio = in_order(told.get(_AUDIO_SETTINGS, b""), AUDIO)
    codec = told[0x86]
    if not {_RATE, 0x9F} <= audio.keys() or told.keys() & {_VIDEO_SETTINGS, _ADDITIONS}:
        raise fail()
    rate = _OPUS_RATE if codec == b"A_OPUS" else int(struct.unpack(">d", audio[_RATE])[0])
    if (_DEPTH in audio and not codec.startswith(_WITH_DEPTH)) or (
        (_PRE_ROLL in told) != (codec == b"A_OPUS")
    ):
        raise fail()
    duration = natural(told.get(_DURATION, b"\0"))
    for value in (duration, natural(told.get(_DELAY, b"\0"))):
        if not is_whole(value, rate):
            raise fail()
    check, finish = frame_check(codec, told.get(0x63A2, b""), is_video=False)
    return Description(False, codec, duration, rate, False, check, finish)  # noqa: FBT003 - a sound


def is_whole(nanoseconds: int, rate: int) -> bool:
    """Tell whether a time is that of a number of samples, rounded to nanoseconds."""
    return bool(rate) and nanoseconds == round(round(nanoseconds * rate / _SECOND) * _SECOND / rate)


def check_seeks(data: bytes) -> list[tuple[int, int]]:
    """Return (id, place) of the parts that a seek head names."""
    found = []
    for kind, content in elements(data):
        told = in_order(content, {0x53AB: lambda c: len(c) == 4, 0x53AC: lambda c: len(c) == 8})  # noqa: PLR2004 - lengths
        if kind != 0x4DBB or len(told) != 2:  # noqa: PLR2004 - an id and a place
            raise fail()
        found.append((int.from_bytes(told[0x53AB], "big"), eight(told[0x53AC])))
    return found


def check_cues(data: bytes) -> tuple[int, dict[int, int]]:
    """Return (track, times by the place of their cluster)."""
    found: dict[int, int] = {}
    tracks: set[int] = set()
    last = 0
    for kind, content in elements(data):
        point = in_order(content, {0xB3: bool, 0xB7: bool})
        where = in_order(point.get(0xB7, b""), {0xF7: bool, 0xF1: bool})
        if kind != 0xBB or len(point) != 2 or len(where) != 2:  # noqa: PLR2004 - a time, a place
            raise fail()
        tracks.add(natural(where[0xF7]))
        place, time = eight(where[0xF1]), eight(point[0xB3])
        if place <= last:
            raise fail()
        found[place] = time
        last = place
    if len(tracks) != 1:
        raise fail()
    return tracks.pop(), found
