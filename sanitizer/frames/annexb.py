"""H.264 and H.265 as AVI and transport streams carry them: units led by start codes.

Rule (ITU-T H.264 and H.265, annex B): pictures and ends stay, each whole, and parameter sets,
each up to where its syntax ends; the other units, and those of further layers, go with their start
codes. Between units there may be zeros and nothing else.
"""

import re
from collections.abc import Callable
from functools import partial
from itertools import pairwise

from sanitizer.errors import Malformed
from sanitizer.frames import parameter_sets_hevc
from sanitizer.frames.parameter_sets import AvcSets
from sanitizer.frames.strip import AVC_SHORT, HEVC_SHORT

_START = re.compile(rb"\x00\x00\x01")
# Zeros that lead to no start code: no coded picture holds them.
_BROKEN = re.compile(rb"\x00{3}(?=[^\x00\x01])")
_AVC_KEPT = frozenset({1, 5, 7, 8, 9, 10, 11})
_HEVC_KEPT = frozenset({*range(10), *range(16, 22), *range(32, 38)})
_AVC_SETS, _HEVC_SETS = frozenset({7, 8}), frozenset({32, 33, 34})
# Enough of a unit to know it by, and to see that a short one ends: zeros lead to no more text.
_LOOK = 11
_AVC_KEY = frozenset({5})
_HEVC_KEY = frozenset(range(16, 22))


def avc(untrusted: bytes) -> bytes:
    """Take the messages out of a packet of H.264; raises Malformed, Unsupported."""
    return _strip(untrusted, _avc_kind, _AVC_KEPT, (_AVC_SETS, AvcSets().clean))


def hevc(untrusted: bytes) -> bytes:
    """Take the messages out of a packet of H.265; raises Malformed, Unsupported."""
    return _strip(untrusted, _hevc_kind, _HEVC_KEPT, (_HEVC_SETS, parameter_sets_hevc.clean))


def _avc_kind(head: bytes) -> int:
    """Return the type of a unit, -1 for a delimiter or an end that says more than it may."""
    short = AVC_SHORT.get(head[0] & 31)
    return -1 if short and head.rstrip(b"\0") not in short else head[0] & 31


def _hevc_kind(head: bytes) -> int:
    """Return the type of a unit, -1 also for one of a further layer."""
    short = HEVC_SHORT.get(head[0])
    if head[0] & 1 or head[1:2] > b"\7" or (short and head.rstrip(b"\0") not in short):
        return -1
    return head[0] >> 1 & 63


def _strip(
    untrusted: bytes,
    kind_of: Callable[[bytes], int],
    kept: frozenset[int],
    sets: tuple[frozenset[int], Callable[[bytes], bytes]],
) -> bytes:
    starts = [match.start() for match in _START.finditer(untrusted)]
    if not untrusted.strip(b"\0"):
        return b""
    if not starts or untrusted[: starts[0]].strip(b"\0") or _BROKEN.search(untrusted):
        raise Malformed("a picture whose parts do not add up")
    ends = [*starts[1:], len(untrusted)]
    heads = [untrusted[at + 3 : min(at + _LOOK, end)] for at, end in zip(starts, ends, strict=True)]
    kinds = [kind_of(head) if head else -1 for head in heads]
    if all(kind in kept and kind not in sets[0] for kind in kinds):
        return untrusted
    # The zero before a start code belongs to what it leads.
    starts = [at - (at > 0 and untrusted[at - 1] == 0) for at in starts]
    made: list[bytes] = []
    for kind, (begin, end) in zip(kinds, pairwise([*starts, len(untrusted)]), strict=True):
        if kind in sets[0]:
            body = untrusted.index(b"\1", begin) + 1
            made += [untrusted[begin:body], sets[1](untrusted[body:end])]
        elif kind in kept:
            made.append(untrusted[begin:end])
    return b"".join(made)


def _is_key(keys: frozenset[int], shift: int, mask: int, frame: bytes) -> bool:
    units = (frame[match.end() : match.end() + 1] for match in _START.finditer(frame))
    return any(unit and unit[0] >> shift & mask in keys for unit in units)


avc_is_key: Callable[[bytes], bool] = partial(_is_key, _AVC_KEY, 0, 31)
"""Tell whether a packet of H.264 can be decoded alone."""
hevc_is_key: Callable[[bytes], bool] = partial(_is_key, _HEVC_KEY, 1, 63)
"""Tell whether a packet of H.265 can be decoded alone."""
