"""The jailed end of a look at a file: one worker, one order, and then no more.

Rule: as sanitizer.jail.worker; a library that fails in whatever way becomes a refusal.
"""

import mmap
from collections.abc import Callable

from sanitizer.jail import ends
from sanitizer.sight import pages, picture
from sanitizer.sight.order import Order, Sight, Subject, seen
from sanitizer.source import UntrustedSource

DRAWN: dict[Subject, Callable[[UntrustedSource, Order], Sight]] = {
    Subject.PICTURE: picture.draw,
    Subject.PAGE: pages.draw,
}
"""Who draws which kind of file."""


def serve(stream: ends.Stream, memory: mmap.mmap | None = None) -> None:
    """Say that the lock is closed, and draw until whoever asks has gone."""
    ends.serve(stream, memory, Order.from_bytes, _draw)


def _draw(source: UntrustedSource, order: Order) -> list[bytes]:
    return seen(DRAWN[order.subject](source, order))
