"""Two parts of H.265's parameter sets whose length depends on their numbers.

Rule (ITU-T H.265, 7.3.4, 7.3.7 and 7.4.8): scaling lists, and the sets of reference pictures of
a sequence, each of which may be told by its difference from the one before.
"""

from sanitizer.errors import Malformed
from sanitizer.frames.set_bits import SetBits

_MAX_SETS = 64
_MAX_PICTURES = 16
_LARGEST = 3


def lists(bits: SetBits) -> None:
    """Read scaling lists (7.3.4)."""
    for size in range(4):
        for _ in range(2 if size == _LARGEST else 6):
            if not bits.take(1):
                bits.golomb()
            else:
                # Larger ones than 4x4 name 64 numbers; above 8x8, one more for the mean.
                bits.golombs((16, 64, 65, 65)[size])


def reference_sets(bits: SetBits) -> None:
    """Read the sets of reference pictures that a sequence names (7.3.7)."""
    before: list[int] = []
    after: list[int] = []
    for place in range(bits.few(_MAX_SETS)):
        if place and bits.take(1):
            before, after = _predicted(bits, before, after)
        else:
            counts = bits.few(_MAX_PICTURES), bits.few(_MAX_PICTURES)
            before, after = _told(bits, counts[0], -1), _told(bits, counts[1], 1)
        if len(before) + len(after) > _MAX_PICTURES:
            raise Malformed("a parameter set that says what cannot be")


def _told(bits: SetBits, count: int, sign: int) -> list[int]:
    """Return how far away the pictures are, the nearest first."""
    made, distance = [], 0
    for _ in range(count):
        distance += sign * (bits.golomb() + 1)
        bits.take(1)
        made.append(distance)
    return made


def _predicted(bits: SetBits, before: list[int], after: list[int]) -> tuple[list[int], list[int]]:
    """Return a set as moved from the last one: equations 7-61 and 7-62."""
    is_negative = bits.take(1)
    shift = (1 - 2 * is_negative) * (bits.golomb() + 1)
    moved = []
    for distance in [*before, *after, 0]:
        is_used = bits.take(1) or bits.take(1)
        if is_used:
            moved.append(distance + shift)
    # The standard's order is that of distance, for the set before it had that order too.
    return (
        sorted((distance for distance in moved if distance < 0), reverse=True),
        sorted(distance for distance in moved if distance > 0),
    )
