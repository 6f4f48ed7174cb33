"""AMR and AMR-WB voice recordings (RFC 4867, section 5; 3GPP TS 26.101 and 26.201).

Rule: frames of known lengths, their unused bits set to zero. Frames carry no mark to find them
by, so what is behind the last believable one goes, with the third of a second before it; but not
with it where fewer than eight bytes are behind frames that are all of one kind.
"""

import re
from collections.abc import Iterator

from sanitizer.errors import Malformed, TooComplex, Unsupported
from sanitizer.limits import Limits
from sanitizer.pieces import WINDOW
from sanitizer.sound import tags
from sanitizer.sound.window import Window
from sanitizer.source import UntrustedSource

_NARROW, _WIDE = b"#!AMR\n", b"#!AMR-WB\n"
_NARROW_BITS = {0: 95, 1: 103, 2: 118, 3: 134, 4: 148, 5: 159, 6: 204, 7: 244, 8: 39, 15: 0}
_WIDE_BITS = {
    0: 132, 1: 177, 2: 253, 3: 285, 4: 317, 5: 365, 6: 397, 7: 461, 8: 477, 9: 40, 14: 0, 15: 0,
}  # fmt: skip
_GOOD = 4
_READY = 1 << 14
_NONE = (0, 0)
_SHORT = 18
_LOOK = 1 << 18
_MOST_TAIL = 1 << 16
# What is not sound may look like a frame until it does not: as much before is not believed.
_UNSURE = 16
_STRAY = 8
# Speech is never made of letters alone; shorter frames might be, once in many hours.
_WORDS = re.compile(rb"[\t\n\r\x20-\x7e]{18,}")


class AmrWriter:
    """Makes one clean AMR file."""

    def __init__(self, source: UntrustedSource, limits: Limits) -> None:
        """Read the magic; raises Unsupported for several channels."""
        self.kinds: set[str] = set()
        self.frames = 0
        self._window = Window(source)
        self._most = limits.sound_frames
        head = self._window.take(0, len(_WIDE))
        self.is_wide = head == _WIDE
        if not self.is_wide and not head.startswith(_NARROW):
            raise Unsupported("a sound of several channels")
        self._magic = _WIDE if self.is_wide else _NARROW
        self._shapes = _shapes(_WIDE_BITS if self.is_wide else _NARROW_BITS)
        self._is_unsure = self._is_stray = False
        self._end = tags.sound_end(self._window, limits.sound_parts)
        if self._end < self._window.length:
            self.kinds |= {"trailing_data"} | tags.kinds(self._window.take(self._end, _LOOK))

    def chunks(self) -> Iterator[bytes]:
        """Yield the clean file; raises a leaf of Refused."""
        lead, held = self._magic, list[bytes]()
        for made in self._found():
            held.append(made)
            if len(held) > _READY:
                yield lead + self._joined(held[:-_UNSURE])
                lead, held = b"", held[-_UNSURE:]
        kinds = {frame[0] for frame in held[-_UNSURE:]}
        if self._is_unsure and not (self._is_stray and len(kinds) == 1):
            del held[-_UNSURE:]
        yield lead + self._joined(held)

    def _joined(self, frames: list[bytes]) -> bytes:
        self.frames += len(frames)
        if self.frames > self._most:
            raise TooComplex("too many frames")
        return b"".join(frames)

    def _found(self) -> Iterator[bytes]:
        """Yield the believable frames, cleaned; notes how they ended."""
        at, before = len(self._magic), 0
        while at < self._end:
            data = self._window.take(at, min(WINDOW, self._end - at))
            place = 0
            while place < len(data):
                head = data[place]
                size, mask = self._shapes.get(head, _NONE)
                end = place + size
                if not size or (size > _SHORT and _WORDS.fullmatch(data, place + 1, end)):
                    self._stop(at + place, is_sure=False)
                    return
                if end > len(data):
                    break
                last = data[end - 1]
                if last & mask != last:
                    self.kinds.add("other_metadata")
                    yield data[place : end - 1] + bytes([last & mask])
                else:
                    yield data[place:end]
                place, before = end, head
            if place == 0:
                # The recording was cut off in a frame: one more of what was there before.
                self._stop(at, is_sure=head == before)
                return
            at += place

    def _stop(self, at: int, *, is_sure: bool) -> None:
        """End the recording here; raises Malformed where more would be lost than is kept."""
        if self._end - at > max(at, _MOST_TAIL):
            raise Malformed("a recording that is damaged")
        self.kinds.add("trailing_data")
        self._is_unsure = not is_sure
        self._is_stray = self._end - at < _STRAY


def _shapes(bits: dict[int, int]) -> dict[int, tuple[int, int]]:
    """Return, for each first byte there may be, a frame's length and the mask of its last byte."""
    shapes = {}
    for kind, number in bits.items():
        mask = 0xFF << -number % 8 & 0xFF
        # A frame that its recorder calls bad has no sound; what is no frame often looks like one.
        for quality in (_GOOD,) if number else (0, _GOOD):
            shapes[kind << 3 | quality] = (1 + (number + 7) // 8, mask)
    return shapes
