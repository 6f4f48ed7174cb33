"""What a track says of its pictures: sizes, colours, the way up (RFC 9559, sections 5.1.4.1.28).

Rule: each number is known, lies within its bounds and is rounded to what it can mean.
"""

from sanitizer.errors import Malformed
from sanitizer.matroska import ids
from sanitizer.matroska.ebml import children, double, element, floating, natural, unsigned

_MAX_SIDE = 65_535
_CROPS = (ids.CROP_BOTTOM, ids.CROP_TOP, ids.CROP_LEFT, ids.CROP_RIGHT)
_UNIT_PIXELS, _UNIT_ASPECT = 0, 3
_SMALL = (
    (ids.FLAG_INTERLACED, frozenset({1, 2})),
    (ids.FIELD_ORDER, frozenset({1, 2, 6, 9, 14})),
    (ids.STEREO_MODE, frozenset(range(1, 15))),
)
# Matrix, bits a channel, subsampling and siting, range, transfer, primaries: small numbers all.
_COLOURS = {
    0x55B1: 14, 0x55B2: 16, 0x55B3: 4, 0x55B4: 4, 0x55B5: 4, 0x55B6: 4, 0x55B7: 2, 0x55B8: 2,
    0x55B9: 3, 0x55BA: 18, 0x55BB: 22, 0x55BC: 65_535, 0x55BD: 65_535,
}  # fmt: skip
# Of the screen that was mastered on: the places of its colours, and how bright it is.
_CHROMATICITIES = range(0x55D1, 0x55D9)
_LUMINANCES = {0x55D9: 100_000.0, 0x55DA: 100.0}
_STEPS = 50_000
_DARK_STEPS = 10_000
_MOST_DEGREES = 180
_FLAT, _SPHERE = 0, 1


def video_settings(untrusted: bytes, *, may_have_alpha: bool) -> tuple[bool, bytes]:
    """Return (whether there is alpha, a Video element of ours); raises Malformed."""
    told = dict(children(untrusted))
    width, height = (unsigned(told.get(k, b"")) for k in (ids.PIXEL_WIDTH, ids.PIXEL_HEIGHT))
    if not 0 < width <= _MAX_SIDE or not 0 < height <= _MAX_SIDE:
        raise Malformed("a video without a size")
    made = natural(ids.PIXEL_WIDTH, width) + natural(ids.PIXEL_HEIGHT, height)
    crops = [unsigned(told.get(kind, b"")) for kind in _CROPS]
    if crops[0] + crops[1] < height and crops[2] + crops[3] < width:
        made += b"".join(natural(k, v) for k, v in zip(_CROPS, crops, strict=True) if v)
    made += _display(told)
    for kind, allowed in _SMALL:
        value = unsigned(told.get(kind, b""))
        if value in allowed:
            made += natural(kind, value)
    has_alpha = may_have_alpha and unsigned(told.get(ids.ALPHA_MODE, b"")) == 1
    if has_alpha:
        made += natural(ids.ALPHA_MODE, 1)
    made += _colour(told.get(ids.COLOUR, b"")) + _projection(told.get(ids.PROJECTION, b""))
    return has_alpha, element(ids.VIDEO, made)


def _display(told: dict[int, bytes]) -> bytes:
    """Return the size that the picture is shown at, where it is told in pixels or as a ratio."""
    width, height = (unsigned(told.get(k, b"")) for k in (ids.DISPLAY_WIDTH, ids.DISPLAY_HEIGHT))
    unit = unsigned(told.get(ids.DISPLAY_UNIT, b""))
    if not 0 < width <= _MAX_SIDE or not 0 < height <= _MAX_SIDE:
        return b""
    if unit not in {_UNIT_PIXELS, _UNIT_ASPECT}:
        return b""
    made = natural(ids.DISPLAY_WIDTH, width) + natural(ids.DISPLAY_HEIGHT, height)
    return made + natural(ids.DISPLAY_UNIT, unit) if unit else made


def _colour(untrusted: bytes) -> bytes:
    told = dict(children(untrusted))
    made = b""
    for kind, most in _COLOURS.items():
        if kind in told and unsigned(told[kind]) <= most:
            made += natural(kind, unsigned(told[kind]))
    mastering = _mastering(dict(children(told.get(ids.MASTERING, b""))))
    made += element(ids.MASTERING, mastering) if mastering else b""
    return element(ids.COLOUR, made) if made else b""


def _mastering(told: dict[int, bytes]) -> bytes:
    """Return a screen's numbers in the steps in which SMPTE ST 2086 tells them."""
    made = b""
    for kind in _CHROMATICITIES:
        if kind in told and 0 <= floating(told[kind]) <= 1:
            made += double(kind, round(floating(told[kind]) * _STEPS) / _STEPS)
    for kind, most in _LUMINANCES.items():
        if kind in told and 0 <= floating(told[kind]) <= most:
            made += double(kind, round(floating(told[kind]) * _DARK_STEPS) / _DARK_STEPS)
    return made


def _projection(untrusted: bytes) -> bytes:
    """Return which way up the picture is, in whole degrees, and whether it is a sphere."""
    told = dict(children(untrusted))
    kind = unsigned(told.get(ids.PROJECTION_TYPE, b""))
    made = natural(ids.PROJECTION_TYPE, kind) if kind == _SPHERE else b""
    if kind not in {_FLAT, _SPHERE}:
        return b""
    for pose in ids.POSES:
        degrees = round(floating(told.get(pose, b"")))
        if degrees and abs(degrees) <= _MOST_DEGREES:
            made += double(pose, degrees)
    return element(ids.PROJECTION, made) if made else b""
