"""Put the packets of one Ogg stream together again (RFC 3533, section 6).

Rule: a packet is whole or it is dropped; of one that is longer than any real one, only the
beginning is held.
"""

from sanitizer.sound.ogg.pages import CONTINUED, Page

_OPEN = 255


class Packets:
    """The packets of one stream, page by page."""

    def __init__(self, most: int) -> None:
        """Hold at most ``most`` bytes of a packet."""
        self._most = most
        self._parts: list[bytes] = []
        self._held = 0
        self._is_open = False
        self._next = -1
        self.has_lost = False

    def feed(self, page: Page) -> list[bytes]:
        """Return the packets that end on a page, cut to one byte more than may be held."""
        is_next = page.sequence == self._next
        self._next = page.sequence + 1 & 0xFFFFFFFF
        is_continued = bool(page.flags & CONTINUED)
        is_lost = is_continued and not (self._is_open and is_next)
        if self._is_open and not (is_continued and is_next):
            self._drop()
            self.has_lost = True
        ended: list[bytes] = []
        at = size = 0
        for value in page.lacing:
            size += value
            if value < _OPEN:
                ended.append(page.body[at : at + size])
                at += size
                size = 0
        if is_lost:
            # What this page begins with belongs to a packet that nobody has seen the start of.
            self.has_lost = True
            if not ended:
                return []
            ended.pop(0)
        elif ended and self._is_open:
            self._hold(ended[0])
            ended[0] = b"".join(self._parts)
            self._drop()
        if page.lacing and page.lacing[-1] == _OPEN:
            self._hold(page.body[at:])
            self._is_open = True
        return ended

    def _hold(self, part: bytes) -> None:
        part = part[: self._most + 1 - self._held]
        if part:
            self._parts.append(part)
            self._held += len(part)

    def _drop(self) -> None:
        self._parts, self._held, self._is_open = [], 0, False
