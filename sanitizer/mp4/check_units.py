"""Walk one coded frame of a result by its codec: no unit in it may carry a message."""

from sanitizer.frames import check
from sanitizer.mp4.check_index import Description


def check_units(description: Description, frame: bytes) -> None:
    """Raise MetadataSurvived if ``frame`` holds a unit that is not on its codec's list."""
    codec = description.codec
    if codec in {b"avc1", b"avc3"}:
        check.avc(frame, description.nal_length)
    elif codec in {b"hvc1", b"hev1"}:
        check.hevc(frame, description.nal_length)
    elif codec == b"av01":
        check.av1(frame)
    elif codec == b"mp4v":
        check.mpeg4(frame)
