"""Re-read a parameter set of a result by its shape: it closes, and it is one unit.

Rule (ITU-T H.264, 7.3.1 and 7.3.2.11; H.265, 7.3.1.1 and 7.3.2.11): the last byte holds the stop
bit, so that no zeros follow; inside are no zeros that a start code would have; a set is no longer
than its longest lists. This shares no code with what wrote it, and so it does not read the syntax
a second time: that a set ends where its syntax ends is proven in the tests, by ffmpeg's own
reader (``trace_headers``), for all that encoders here can make and for many that devices made.
"""

import re

from sanitizer.errors import MetadataSurvived

_LONGEST = 4100
_BROKEN = re.compile(rb"\x00\x00(?:[\x00-\x02]|\x03(?:[^\x00-\x03]|\Z))")


def check(unit: bytes) -> None:
    """Raise MetadataSurvived unless ``unit``, header included, has the shape of one set."""
    if not unit or unit[-1] == 0 or len(unit) > _LONGEST or _BROKEN.search(unit):
        raise MetadataSurvived("a parameter set holds more than it may")
