"""What a video is, once read: tracks, and for each frame where it lies and when it is shown.

Rule: plain numbers in flat arrays; 20 bytes a frame, so that hours of video stay small.
"""

from array import array
from dataclasses import dataclass, field

Edit = tuple[int, int, int]
"""(duration in the movie's ticks, first tick of the media or -1 for a pause, rate as 16.16)."""


@dataclass(slots=True)
class Samples:
    """The frames of a track, in decoding order."""

    sizes: "array[int]" = field(default_factory=lambda: array("I"))
    offsets: "array[int]" = field(default_factory=lambda: array("Q"))
    durations: "array[int]" = field(default_factory=lambda: array("I"))
    shifts: "array[int]" = field(default_factory=lambda: array("i"))
    """Presentation minus decoding time of each frame; empty where they never differ."""
    keys: set[int] | None = None
    """Numbers of the frames that can be decoded alone; None means all."""

    def __len__(self) -> int:
        return len(self.sizes)


@dataclass(slots=True)
class Track:
    """One track that is kept."""

    number: int
    is_video: bool
    timescale: int
    matrix: bytes
    size: bytes
    codec: bytes
    entry: bytes
    samples: Samples
    edits: list[Edit] = field(default_factory=list)

    @property
    def duration(self) -> int:
        """Length of all its frames, in its own ticks."""
        return sum(self.samples.durations)


@dataclass(slots=True)
class Movie:
    """A video: its kept tracks in their order, and the kinds of what is left out."""

    timescale: int
    tracks: list[Track] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
