"""What a Matroska file is, once read: its tracks, and its blocks one after the other."""

from dataclasses import dataclass, field
from typing import NamedTuple

from sanitizer.frames.strip import Strip


@dataclass(slots=True)
class Track:
    """One track that is kept.

    ``settings`` are the elements of its entry that we wrote; ``prefix`` is what a compression
    took from the front of each frame; ``duration`` is that of a frame in nanoseconds, or 0;
    ``rate`` is that of the sound in samples a second, or 0. ``frames``, ``blocks``, ``times``
    (the sum of their times) and ``last`` (the latest, in ticks) are counted by the reader.
    """

    number: int
    is_video: bool
    codec: bytes
    private: bytes
    settings: bytes
    strip: Strip | None
    prefix: bytes = b""
    has_alpha: bool = False
    duration: int = 0
    rate: int = 0
    frames: int = 0
    blocks: int = 0
    times: int = 0
    last: int = 0


class Block(NamedTuple):
    """Frames of one track that share one time, in ticks of the result."""

    track: Track
    time: int
    is_key: bool
    frames: tuple[bytes, ...]
    duration: int = 0
    padding: int = 0
    alpha: bytes = b""


@dataclass(slots=True)
class Facts:
    """What a file says of itself beside its tracks; times are in nanoseconds.

    ``scale`` is a tick of the source, ``tick`` one of the result.
    """

    scale: int = 1_000_000
    tick: int = 1_000_000
    kinds: set[str] = field(default_factory=set)
