"""How much of anything one file may ask for.

Rule: every bound is here, with its unit, frozen, and handed down by hand.
"""

from dataclasses import dataclass

MiB = 1024 * 1024
GiB = 1024 * MiB


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one cleaning. The defaults suit a gateway with 1 GiB of memory to spare."""

    file_bytes: int = 2 * GiB
    """Longest file of any format, in bytes."""
    image_bytes: int = 256 * MiB
    """Longest JPEG or PNG, in bytes."""
    image_pixels: int = 200_000_000
    """Most pixels one image may declare (width times height, over all frames together)."""
    image_side: int = 65_535
    """Longest side of an image, in pixels."""
    image_parts: int = 20_000
    """Most segments or chunks in one image."""
    video_boxes: int = 200_000
    """Most boxes in one video file, input or output."""
    video_samples: int = 8_000_000
    """Most samples (frames, audio packets) in one video file."""
    video_tracks: int = 32
    """Most tracks in one video file, kept or not."""
    moov_bytes: int = 64 * MiB
    """Longest index of a video, in bytes."""
    sample_bytes: int = 64 * MiB
    """Longest single frame, in bytes."""
    child_seconds: int = 900
    """Wall clock for one run of ffmpeg, in seconds."""
    child_cpu_seconds: int = 600
    """CPU time for one run of ffmpeg, in seconds."""
    child_memory_bytes: int = 1 * GiB
    """Address space of ffmpeg, in bytes."""
    output_slack_bytes: int = 16 * MiB
    """How many bytes longer than its input a cleaned video may be."""
