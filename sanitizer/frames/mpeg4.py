"""MPEG-4 part 2: pictures and headers, without what encoders sign and when cameras filmed.

Rule (ISO/IEC 14496-2, 6.2.1, table 6-3): a picture stays whole; what leads the first picture of a
packet is written anew; all other units go, and all bytes that belong to none. The clock of groups
of pictures, where camcorders count the hours of a day, begins at zero.
Of user data two short words of ours stay where Xvid or DivX had signed: decoders take from them
how a stream is to be read (which transform, two pictures in a packet), and would decode it
differently without. They are always the same, whatever build wrote them.
"""

import re

from sanitizer.errors import Unsupported
from sanitizer.frames import mpeg4_setup

_UNIT = re.compile(rb"\x00\x00\x01(.)", re.DOTALL)
_SEQUENCE, _END, _USER_DATA, _GROUP, _OBJECT, _PICTURE = 0xB0, 0xB1, 0xB2, 0xB3, 0xB5, 0xB6
_VOP = b"\0\0\1\xb6"
_XVID = re.compile(rb"XviD(\d{1,6})")
_DIVX = re.compile(rb"DivX(\d{1,6})(?:Build|b)(\d{1,6})(p?)")
# Builds from here on write what the standard says.
_SOUND_XVID, _SOUND_DIVX = 33, 1814


class Pictures:
    """The packets of one stream, whose clock is set back to zero."""

    def __init__(self) -> None:
        """Begin with no group of pictures known."""
        self._begin: int | None = None

    def strip(self, untrusted: bytes) -> bytes:
        """Return a packet without its messages; raises Unsupported, Malformed."""
        starts = list(_UNIT.finditer(untrusted))
        if not starts:
            # As some writers note a picture that was dropped.
            return b""
        ends = [*(unit.start() for unit in starts[1:]), len(untrusted)]
        made: list[bytes] = []
        has_picture = False
        for unit, end in zip(starts, ends, strict=True):
            code = unit[1][0]
            if code == _PICTURE:
                has_picture = True
                made.append(untrusted[unit.start() : end])
            elif not has_picture:
                made.append(self._leading(code, untrusted[unit.end() : end]))
        return b"".join(made)

    def _leading(self, code: int, told: bytes) -> bytes:
        """Return a unit that leads a picture, empty where it is of no known kind."""
        head = b"\0\0\1" + bytes([code])
        if code < 0x20 or code == _END:  # noqa: PLR2004 - video objects, which say their number alone
            return head
        if code < 0x30:  # noqa: PLR2004 - layers of them
            return head + mpeg4_setup.layer(told)
        if code == _SEQUENCE:
            return head + told[:1] if told else b""
        if code == _OBJECT:
            return head + mpeg4_setup.visual_object(told)
        if code == _GROUP:
            made, now = mpeg4_setup.group(told, self._begin)
            self._begin = now if self._begin is None else self._begin
            return head + made
        return _signed(told) if code == _USER_DATA else b""


def strip(untrusted: bytes) -> bytes:
    """Return a decoder's setup, or one packet alone, without its messages; raises Unsupported."""
    return Pictures().strip(untrusted)


def _signed(told: bytes) -> bytes:
    """Return the word of ours that stands for an encoder's signature; empty for most."""
    xvid, divx = _XVID.match(told), _DIVX.match(told)
    word = b""
    if xvid:
        if int(xvid[1]) < _SOUND_XVID:
            raise Unsupported("a video of an early Xvid, which needs its exact version")
        word = b"XviD0050"
    elif divx:
        version, build = int(divx[1]), int(divx[2])
        # Versions 4, 5.0.0 to 5.0.2, and 5.0.3 on; builds before and after the last mistake.
        known = 412 if version < 500 else 501 if version < 503 else 503  # noqa: PLR2004 - versions
        word = b"DivX%db%d%s" % (known, 1393 if build < _SOUND_DIVX else 1830, divx[3])
    return b"\0\0\1\xb2" + word if word else b""


def signature(untrusted: bytes) -> bytes | None:
    """Return which encoder signed: ``XviD``, ``DivX``, empty for another, None for nobody."""
    told = [untrusted[unit.end() :] for unit in _UNIT.finditer(untrusted) if unit[1] == b"\xb2"]
    known = [word[:4] for word in told if _XVID.match(word) or _DIVX.match(word)]
    return (known or [b""])[0] if told else None


def is_key(frame: bytes) -> bool:
    """Tell whether a packet begins with a picture that is coded alone."""
    at = frame.find(_VOP)
    return 0 <= at < len(frame) - 4 and frame[at + 4] >> 6 == 0
