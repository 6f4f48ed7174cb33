"""MP3 among other tracks: what stands between the sounds of its frames is set to zero.

Rule: a frame's sound may begin in the frames before it, so a frame is passed on when no later one
can reach into it; what comes between waits with it, in order and bounded. The bits are judged by
sanitizer.sound.mp3.reservoir, the same that cleans an MP3 file.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sanitizer.errors import Malformed, Unsupported
from sanitizer.matroska.model import Block
from sanitizer.sound.mp3.frame import layout, measure
from sanitizer.sound.mp3.reservoir import Reservoir

CODEC = b"A_MPEG/L3"
# How much may wait for the next frame of a sound: more than any file lays between two of them.
_MOST = 16 << 20


@dataclass(slots=True)
class _Held:
    """A block that waits until ``missing`` frames of MPEG audio have come back."""

    block: Block
    missing: int = 0
    parts: list[bytes] = field(default_factory=list)

    def done(self) -> Block:
        """Return the block with the frames that came back, cut as they were."""
        if not self.parts:
            return self.block
        data, frames, at = b"".join(self.parts), [], 0
        for frame in self.block.frames:
            frames.append(data[at : at + len(frame)])
            at += len(frame)
        return self.block._replace(frames=tuple(frames))


class _Sound:
    """The frames of one track that later ones may still reach into."""

    def __init__(self, first: bytes) -> None:
        self._same = _measured(first)[0]
        self.reservoir = Reservoir(layout(first), first[3] & 3)
        self._waiting: deque[tuple[_Held, int]] = deque()

    def add(self, held: _Held) -> None:
        """Take the frames of a block."""
        for packet in held.block.frames:
            at = 0
            while at < len(packet):
                same, length = _measured(packet[at : at + 4])
                if same != self._same:
                    raise Unsupported("a sound that changes its kind")
                self.reservoir.add(packet[at : at + length])
                self._waiting.append((held, length))
                held.missing += 1
                at += length

    def give(self, *, is_over: bool = False) -> None:
        """Hand the frames that are done back to their blocks; at the end, all of them."""
        data, count = self.reservoir.take(is_over=is_over)
        at = 0
        for _ in range(count):
            held, length = self._waiting.popleft()
            held.parts.append(data[at : at + length])
            held.missing -= 1
            at += length


def _measured(head: bytes) -> tuple[object, int]:
    found = measure(head)
    if found is None:
        raise Malformed("a packet of sound whose parts do not add up")
    return found


class _Queue:
    """Blocks in their order, those in front of which nothing waits any more at its head."""

    def __init__(self) -> None:
        self.sounds: dict[int, _Sound] = {}
        self._held: deque[_Held] = deque()
        self._size = 0

    def __bool__(self) -> bool:
        return bool(self._held)

    def add(self, block: Block) -> None:
        """Take the next block."""
        held = _Held(block)
        self._held.append(held)
        self._size += sum(map(len, block.frames))
        if block.track.codec == CODEC:
            number = block.track.number
            if number not in self.sounds:
                self.sounds[number] = _Sound(block.frames[0])
            self.sounds[number].add(held)
            self.sounds[number].give()
        if self._size > _MOST:
            self.end()

    def end(self) -> None:
        """Let nothing wait any longer."""
        for sound in self.sounds.values():
            sound.give(is_over=True)

    def ready(self) -> Iterator[Block]:
        """Yield the blocks that wait for nothing."""
        while self._held and not self._held[0].missing:
            done = self._held.popleft().done()
            self._size -= sum(map(len, done.frames))
            yield done


def blanked(blocks: Iterable[Block], kinds: set[str]) -> Iterator[Block]:
    """Pass blocks on in their order, those of MP3 without ancillary data.

    Raises Malformed, or Unsupported where a track changes between mono and stereo.
    """
    queue = _Queue()
    for block in blocks:
        if not queue and block.track.codec != CODEC:
            yield block
        else:
            queue.add(block)
            yield from queue.ready()
    queue.end()
    yield from queue.ready()
    if any(sound.reservoir.has_blanked for sound in queue.sounds.values()):
        kinds.add("other_metadata")
