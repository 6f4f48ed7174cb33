"""AAC in ADTS frames (ISO/IEC 13818-7, 6.2, and ISO/IEC 14496-3, 1.A.3).

Rule: frames that agree on what the sound is, each with a header written anew, without checksum.
The elements that a frame begins with lose what they say (sanitizer.frames.strip); a frame without
sound goes.
"""

from collections.abc import Iterator

from sanitizer.errors import Unsupported
from sanitizer.frames import strip
from sanitizer.limits import Limits
from sanitizer.sound import tags
from sanitizer.sound.walk import Walk
from sanitizer.source import UntrustedSource

_HEAD, _CHECKSUM = 7, 2
_READY = 1 << 18
# Frames at the end, whose headers alone are longer than a tag without a length.
_HELD = 64
_RATES = 13
_DATA, _LAYOUT, _FILL, _END = 4, 5, 6, 7
# Buffer fullness of a stream whose rate is not constant; more than one block is refused.
_FULLNESS = 0x7FF << 2


def measure(head: bytes) -> tuple[object, int] | None:
    """Return what an ADTS header says of the sound, and the length of its frame."""
    if len(head) < _HEAD or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:  # noqa: PLR2004 - twelve ones, layer 0
        return None
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    least = _HEAD + (0 if head[1] & 1 else _CHECKSUM)
    if head[2] >> 2 & 15 >= _RATES or length < least:
        return None
    return (head[1] & 0xF8, head[2] & 0xFD, head[3] & 0xC0), length


class AdtsWriter:
    """Makes one clean ADTS stream."""

    def __init__(self, source: UntrustedSource, limits: Limits) -> None:
        """Find the first frame; raises a leaf of Refused."""
        self._walk = Walk(source, limits, measure)
        self.kinds = self._walk.kinds
        self.frames = 0

    def chunks(self) -> Iterator[bytes]:
        """Yield the clean stream; raises a leaf of Refused."""
        ready: list[bytes] = []
        size = 0
        for frame, is_whole in self._walk.frames():
            made = self._clean(frame) if is_whole else b""
            if not made:
                self.kinds.add("other_metadata")
                continue
            ready.append(made)
            size += len(made)
            self.frames += 1
            if size > _READY:
                yield b"".join(ready[:-_HELD])
                ready, size = ready[-_HELD:], 0
        while tags.ends_in_tag(b"".join(ready[-_HELD:])):
            # Behind these frames others stood that are gone: now the end would pass for a tag.
            del ready[-1]
            self.frames -= 1
        yield b"".join(ready)

    def _clean(self, frame: bytes) -> bytes:
        """Return a clean frame, or nothing where none of it sounds."""
        if frame[6] & 3:
            raise Unsupported("several blocks of sound in a frame")
        if not frame[2] & 1 and not frame[3] & 0xC0:
            raise Unsupported("a sound layout that cannot be cleaned here")
        body = frame[_HEAD if frame[1] & 1 else _HEAD + _CHECKSUM :]
        made = strip.aac(body)
        if made != body:
            self.kinds.add("other_metadata")
        kind = _first_element(made)
        if kind == _LAYOUT:
            raise Unsupported("a sound layout that cannot be cleaned here")
        if kind == _END:
            return b""
        length = _HEAD + len(made)
        return bytes([
            0xFF, frame[1] & 0xF8 | 1, frame[2] & 0xFD, frame[3] & 0xC0 | length >> 11,
            length >> 3 & 0xFF, length << 5 & 0xE0 | _FULLNESS >> 8, _FULLNESS & 0xFF,
        ]) + made  # fmt: skip


def _first_element(data: bytes) -> int:
    """Return the first element of a block that is neither data nor fill (4.4.2.1, table 4.3)."""
    if data and data[0] >> 5 not in {_DATA, _FILL}:
        return data[0] >> 5
    bits = format(int.from_bytes(b"\1" + data, "big"), "b")[1:]
    at = 0
    while at + 3 <= len(bits):
        kind = int(bits[at : at + 3], 2)
        if kind not in {_DATA, _FILL}:
            return kind
        width = 4 if kind == _FILL else 8
        at += 3 if kind == _FILL else 8
        is_aligned = kind == _DATA and bits[at - 1 : at] == "1"
        length = int(bits[at : at + width] or "0", 2)
        at += width
        if length == (1 << width) - 1:
            length += int(bits[at : at + 8] or "0", 2) - (1 if kind == _FILL else 0)
            at += 8
        at += (-at % 8 if is_aligned else 0) + 8 * length
    return _END
