"""The palette of a picture, without the colours that no sample of it has (ISO 32000-1, 8.6.6.3).

Rule: what is not used is black, and behind the last that is used there is nothing: the unused
entries of a palette are room for a message, and may hold the colours of what was cut away.
"""

import math

from sanitizer.errors import Malformed
from sanitizer.pdf.model import Number, Text, Value, number

_DEPTHS = {1, 2, 4, 8}


def bare(space: Value, samples: bytes, bits: int, decode: Value) -> Value:
    """Return an indexed space with the entries that ``samples`` use; raises Malformed."""
    kind, base, last, table = space if isinstance(space, list) else [None] * 4
    if not isinstance(table, Text) or not isinstance(last, Number) or bits not in _DEPTHS:
        raise Malformed("a picture whose colours nobody can look up")
    highest = int(last)
    used = _used(samples, bits, _ends(decode), highest)
    step, top = len(table) // (highest + 1), max(used)
    kept = [
        table[at * step : at * step + step] if at in used else bytes(step) for at in range(top + 1)
    ]
    return [kind, base, number(top), Text(b"".join(kept))]


def _ends(decode: Value) -> list[float] | None:
    told = decode[:2] if isinstance(decode, list) else []
    return [float(each) for each in told if isinstance(each, Number)] or None


def _used(samples: bytes, bits: int, decode: list[float] | None, highest: int) -> set[int]:
    """Return the numbers of the colours that occur; the first is what bits behind a row name."""
    most = (1 << bits) - 1
    low, high = decode or (0, most)
    found = {0}
    for byte in set(samples):
        for shift in range(0, 8, bits):
            place = low + (byte >> shift & most) * (high - low) / most
            found |= {min(max(each, 0), highest) for each in (math.floor(place), math.ceil(place))}
    return found
