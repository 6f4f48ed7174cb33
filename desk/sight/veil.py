"""What stands in a picture's place until somebody asks for it: some grey dots."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from desk.errors import NotLockedIn, TooMuchToSee
from desk.sight import shown
from desk.sight.export import find_file
from desk.sight.shown import Shown
from sanitizer.sight import png
from sanitizer.sight.ask import LIMITS, looking
from sanitizer.sight.order import CHANNELS

if TYPE_CHECKING:
    from desk.cases import Case
    from desk.desk import Desk
    from sanitizer.sight.order import Sight

DOTS = 16
"""Along the longer side: enough to tell a page from a face, and not whose."""
_SIDE = 96
_WIDTH, _HEIGHT, _GREY = 4, 3, b"\x9a"
# Nobody has asked for it: whatever a file would like to cost, the pages are there for the rest.
_QUICK = replace(LIMITS, worker_seconds=2, worker_wait_seconds=1, child_seconds=3)
PLAIN = Shown(
    "image/png",
    png.written(_WIDTH, _HEIGHT, _GREY * (_WIDTH * _HEIGHT * CHANNELS)),
    _WIDTH,
    _HEIGHT,
)
"""What veils a film, a document, and a picture that is not drawn in a moment: one grey."""


class Busy(Exception):
    """Other files are being looked at: `PLAIN` serves meanwhile."""


class Veils:
    """Draws the veils of pictures: one at a time, and quickly or not at all."""

    def __init__(self) -> None:
        self._drawing = threading.Lock()

    def of(self, desk: Desk, case: Case, file_id: str) -> Shown:
        """A file's veil.

        Raises Busy where others are being drawn, and NothingToSee where this cannot be read.
        """
        if shown.kind_of(find_file(desk, case, file_id)) in {shown.FILM, shown.PAGES}:
            return PLAIN
        if not self._drawing.acquire(blocking=False):
            raise Busy
        try:
            return veil(shown.pixels(desk, case, file_id, side=_SIDE, limits=_QUICK))
        except TooMuchToSee:
            return PLAIN
        except NotLockedIn:
            if looking() is not None:
                raise Busy from None
            raise
        finally:
            self._drawing.release()


def veil(sight: Sight) -> Shown:
    """Grey dots, each of one pixel in the middle of what it stands for."""
    longest = max(sight.width, sight.height)
    width = max(1, DOTS * sight.width // longest)
    height = max(1, DOTS * sight.height // longest)
    dots = bytearray()
    for y in range(height):
        row = (2 * y + 1) * sight.height // (2 * height)
        for x in range(width):
            column = (2 * x + 1) * sight.width // (2 * width)
            at = (row * sight.width + column) * CHANNELS
            grey = sum(sight.pixels[at : at + CHANNELS]) // CHANNELS
            dots += bytes([grey]) * CHANNELS
    content = png.written(width, height, bytes(dots))
    return Shown("image/png", content, width, height, sight.of_width, sight.of_height, sight.parts)
