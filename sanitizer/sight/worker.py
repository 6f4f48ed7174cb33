"""The jailed end of a look at a file: one worker, one order, and then no more.

Rule: as sanitizer.jail.worker; a library that fails in whatever way becomes a refusal.
"""

import contextlib
import mmap
from collections.abc import Callable

from sanitizer.errors import Malformed, Refused, TooComplex
from sanitizer.jail import wire
from sanitizer.jail.ends import GatewayGone, RemoteSource, SharedSource, Stream
from sanitizer.sight import pages, picture
from sanitizer.sight.order import Order, Sight, Subject, seen
from sanitizer.source import UntrustedSource

DRAWN: dict[Subject, Callable[[UntrustedSource, Order], Sight]] = {
    Subject.PICTURE: picture.draw,
    Subject.PAGE: pages.draw,
}
"""Who draws which kind of file."""


def serve(stream: Stream, memory: mmap.mmap | None = None) -> None:
    """Say that the lock is closed, and draw until whoever asks has gone."""
    with contextlib.suppress(GatewayGone):
        stream.put(wire.frame(b"H"))
        while True:
            _, payload = stream.next()
            order = Order.from_bytes(payload)
            source = (
                SharedSource(memory, order.length)
                if memory is not None and order.is_shared
                else RemoteSource(stream, order.length)
            )
            for data in _drawn(source, order):
                stream.put(data)


def _drawn(source: UntrustedSource, order: Order) -> list[bytes]:
    """Draw; whatever a parser does over the file becomes a leaf of Refused."""
    try:
        return seen(DRAWN[order.subject](source, order))
    except Refused as refused:
        told = refused
    except (MemoryError, RecursionError):
        told = TooComplex("the file asks for more memory than a worker has")
    except Exception:  # noqa: BLE001 - a library may raise what it likes: it drew nothing
        told = Malformed("the file broke its reader")
    return [wire.refusal(told)]
