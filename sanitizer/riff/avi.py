"""AVI: packets kept in their order, messages taken out of them, everything around them ours.

Rule: (1) the reader finds streams and packets (2) each packet that can hold a message is cleaned
once to learn its new length (3) the writer lays the file out (4) the packets are cleaned again
as they are written, for nothing is kept between (5) the checker reads the result as it streams.
"""

from array import array
from collections.abc import Callable, Iterator

from sanitizer.errors import Unsupported
from sanitizer.frames.strip import Strip
from sanitizer.limits import Limits
from sanitizer.pieces import read_exactly
from sanitizer.riff import avi_write, coded_sound
from sanitizer.riff.avi_check import Checker
from sanitizer.riff.avi_read import Reader
from sanitizer.riff.coded_sound import Cutter, Joined
from sanitizer.riff.model import Stream
from sanitizer.riff.picture import Picture
from sanitizer.source import UntrustedSource
from sanitizer.streaming import through

_ENOUGH = 1 << 20


class Avi:
    """One AVI on its way through: its packets are found at once, and cleaned as they stream."""

    media_type = "video/x-msvideo"
    extension = "avi"

    def __init__(self, source: UntrustedSource, limits: Limits) -> None:
        """Find the packets; raises a leaf of Refused."""
        self._source = source
        reader = Reader(source, limits)
        reader.run()
        self.kinds = reader.kinds
        self._streams = reader.streams
        self._packets = reader.packets
        self._strips = [_strip(stream) for stream in reader.streams]
        self._keys = [_key(stream) for stream in reader.streams]

    def chunks(self) -> Iterator[bytes]:
        """Return the clean file; raises a leaf of Refused, in the middle or at the end."""
        checker = Checker(len(self._packets), len(self._streams))
        return through(self._made(), checker.feed, checker.finish)

    def _made(self) -> Iterator[bytes]:
        sizes, flags = self._measure()
        waiting: list[bytes] = []
        pending = 0
        cutters = self._cutters()
        writer = avi_write.Writer(self._streams, sizes, flags)
        for data in writer.chunks(lambda place: self._clean(place, sizes[place], cutters)):
            waiting.append(data)
            pending += len(data)
            if pending >= _ENOUGH:
                yield b"".join(waiting)
                waiting, pending = [], 0
        yield b"".join(waiting)

    def _measure(self) -> tuple["array[int]", "array[int]"]:
        """Return how long each packet will be, and its flag."""
        packets = self._packets
        sizes, flags = packets.sizes[:], packets.streams[:]
        for place, number in enumerate(packets.streams):
            strip, is_key = self._strips[number], self._keys[number]
            if strip:
                data = strip(self._read(place))
                sizes[place] = len(data)
                if len(data) != packets.sizes[place]:
                    self.kinds.add("sei")
                if is_key and not is_key(data):
                    continue
            flags[place] |= avi_write.KEY
        for number in range(len(self._streams)):
            self._measure_sound(number, sizes)
        return sizes, flags

    def _measure_sound(self, number: int, sizes: "array[int]") -> None:
        """Take off the last packets of a stream what is no whole frame of sound."""
        made = self._sound(number)
        if made is None:
            return
        left = sum(len(data) for data in made)
        for place, owner in enumerate(self._packets.streams):
            if owner == number:
                sizes[place] = min(left, sizes[place])
                if sizes[place] != self._packets.sizes[place]:
                    self.kinds.add("trailing_data")
                    if not self._streams[number].sample:
                        # A packet is a tick of the clock here: cut elsewhere, sound would slip.
                        raise Unsupported("sound with bytes between its frames")
                left -= sizes[place]

    def _sound(self, number: int) -> Iterator[bytes] | None:
        """Return the clean run of bytes of a stream that is cleaned as one, or None."""
        coding = self._streams[number].coding
        whole = None if isinstance(coding, Picture) else coded_sound.whole(coding.codec)
        if whole is None:
            return None
        packets = self._packets
        mine = [place for place, owner in enumerate(packets.streams) if owner == number]
        places = array("Q", (packets.offsets[place] for place in mine))
        lengths = array("I", (packets.sizes[place] for place in mine))
        return whole(Joined(self._source, places, lengths))

    def _cutters(self) -> dict[int, Cutter]:
        """Return what cuts the streams that are cleaned as one, by their numbers."""
        made = {number: self._sound(number) for number in range(len(self._streams))}
        return {number: Cutter(run) for number, run in made.items() if run is not None}

    def _clean(self, place: int, size: int, cutters: dict[int, Cutter]) -> bytes:
        """Return a packet, clean; they are asked for in their order."""
        number = self._packets.streams[place]
        if number in cutters:
            return cutters[number].take(size)
        strip, data = self._strips[number], self._read(place)
        return strip(data) if strip else data

    def _read(self, place: int) -> bytes:
        packets = self._packets
        return read_exactly(self._source, packets.offsets[place], packets.sizes[place])


def _strip(stream: Stream) -> Strip | None:
    coding = stream.coding
    return coding.strip if isinstance(coding, Picture) else coded_sound.packet(coding.codec)


def _key(stream: Stream) -> Callable[[bytes], bool] | None:
    return stream.coding.is_key if isinstance(stream.coding, Picture) else None
