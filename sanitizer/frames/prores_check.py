"""Walk one frame of ProRes of a result (SMPTE RDD 36): its pictures, and no name.

Rule: shares no code with what stripped it.
"""

from sanitizer.errors import MetadataSurvived


def check(frame: bytes) -> None:
    """Raise MetadataSurvived unless ``frame`` is a header without a creator, and its pictures."""
    matrices = (frame[27] & 1) + (frame[27] >> 1 & 1)
    header = int.from_bytes(frame[8:10], "big")
    if (
        int.from_bytes(frame[:4], "big") != len(frame)
        or frame[4:8] != b"icpf"
        or header != 20 + 64 * matrices
        or any(frame[12:16])
        or frame[27] > 3  # noqa: PLR2004 - two flags
    ):
        raise MetadataSurvived("a message inside a picture")
    at = 8 + header
    for _ in range(2 if frame[20] & 12 else 1):
        at += int.from_bytes(frame[at + 1 : at + 5], "big")
    if at != len(frame):
        raise MetadataSurvived("a message inside a picture")
