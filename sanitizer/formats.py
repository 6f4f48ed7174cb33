"""Which cleaner streams which family of files; all other families are planned.

Rule: one line a family. A streamed cleaner runs in this process and is Python code, but for what
sanitizer.jail.program locks in; sanitizer.planned has the others, which run in jailed workers.
"""

from collections.abc import Callable

from sanitizer.detect import Format
from sanitizer.iff.aiff import Aiff
from sanitizer.jail.program import Jail, ffmpeg_jail
from sanitizer.limits import Limits
from sanitizer.matroska.file import Matroska
from sanitizer.mp4.video import Video
from sanitizer.mpegts.video import TransportStream
from sanitizer.result import Streamed
from sanitizer.riff.avi import Avi
from sanitizer.riff.wav import Wav
from sanitizer.sound import open as sound
from sanitizer.source import UntrustedSource


def _matroska(source: UntrustedSource, limits: Limits, _jail: Jail | None) -> Streamed:
    return Matroska(source, limits)


def _mp4(source: UntrustedSource, limits: Limits, _jail: Jail | None) -> Streamed:
    return Video(source, limits)


def _wav(source: UntrustedSource, limits: Limits, _jail: Jail | None) -> Streamed:
    return Wav(source, limits)


def _avi(source: UntrustedSource, limits: Limits, _jail: Jail | None) -> Streamed:
    return Avi(source, limits)


def _mpegts(source: UntrustedSource, limits: Limits, jail: Jail | None) -> Streamed:
    return TransportStream(source, limits, jail or ffmpeg_jail())


def _aiff(source: UntrustedSource, limits: Limits, _jail: Jail | None) -> Streamed:
    return Aiff(source, limits)


def _ogg(source: UntrustedSource, limits: Limits, _jail: Jail | None) -> Streamed:
    return sound.ogg(source, limits)


def _mp3(source: UntrustedSource, limits: Limits, _jail: Jail | None) -> Streamed:
    return sound.mp3(source, limits)


def _adts(source: UntrustedSource, limits: Limits, _jail: Jail | None) -> Streamed:
    return sound.adts(source, limits)


def _flac(source: UntrustedSource, limits: Limits, _jail: Jail | None) -> Streamed:
    return sound.flac(source, limits)


def _amr(source: UntrustedSource, limits: Limits, _jail: Jail | None) -> Streamed:
    return sound.amr(source, limits)


STREAMED: dict[Format, Callable[[UntrustedSource, Limits, Jail | None], Streamed]] = {
    Format.MP4: _mp4,
    Format.OGG: _ogg,
    Format.MP3: _mp3,
    Format.AAC: _adts,
    Format.FLAC: _flac,
    Format.AMR: _amr,
    Format.MATROSKA: _matroska,
    Format.WAV: _wav,
    Format.AIFF: _aiff,
    Format.AVI: _avi,
    Format.MPEG_TS: _mpegts,
}
