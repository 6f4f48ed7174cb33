"""What a video or a sound is, once read: tracks, and for each frame where it lies and when.

Rule: plain numbers in flat arrays; 20 bytes a frame, so that hours of video stay small.
"""

from array import array
from dataclasses import dataclass, field

from sanitizer.mp4.entry import Entry

Edit = tuple[int, int]
"""(duration in the movie's ticks, first tick of the media or -1 for a pause), at normal speed."""


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
    """One track that is kept.

    Where the entry has a unit (uncompressed sound), a frame here is a block of many units.
    """

    number: int
    is_video: bool
    timescale: int
    matrix: bytes
    size: bytes
    entry: Entry
    samples: Samples = field(default_factory=Samples)
    edits: list[Edit] = field(default_factory=list)
    is_enabled: bool = True
    group: int = 0
    """Tracks of one group are alternatives to each other; 0 is no group."""

    @property
    def height(self) -> int:
        """Height of its pictures, in lines."""
        return int.from_bytes(self.size[4:6], "big")

    @property
    def duration(self) -> int:
        """Length of all its frames, in its own ticks."""
        return sum(self.samples.durations)


@dataclass(slots=True)
class Movie:
    """A video or a sound: its kept tracks in their order, and the kinds of what is left out."""

    timescale: int
    tracks: list[Track] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)

    @property
    def is_video(self) -> bool:
        """Whether there are pictures in it."""
        return any(track.is_video for track in self.tracks)

    @property
    def is_quicktime(self) -> bool:
        """Whether a codec of it is at home in QuickTime files alone."""
        return any(track.entry.is_quicktime for track in self.tracks)
