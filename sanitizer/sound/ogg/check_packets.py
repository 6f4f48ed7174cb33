"""Re-read the packets of a clean Ogg, each codec by its own list.

Rule: shares no code with the writer. Comments are empty, byte by byte; packets hold frames alone,
as far as that can be told without decoding them; positions are the sum of what was heard.
"""

from abc import ABC, abstractmethod

from sanitizer.errors import MetadataSurvived
from sanitizer.sound.flac import check_frame

_DIRTY = "a packet of the result is not as it must be"
_OPUS_MICROSECONDS = (10000, 20000, 40000, 60000)
_MOST_VORBIS = 8192
_ANY = 3
_NEGATIVE = 1 << 63
_SPEEX_NARROW = dict(enumerate((5, 43, 119, 160, 220, 300, 364, 492, 79)))
_SPEEX_WIDE = dict(enumerate((4, 36, 112, 192, 352)))


class Sounds(ABC):
    """The packets of one stream, its first header read already."""

    fixed: tuple[bytes, ...] = ()
    """The headers that must follow, byte by byte."""

    def __init__(self, head: bytes) -> None:
        """Take the first header."""
        self.head = head
        self.packets = 0
        self.headers = 0
        self.samples = 0
        self._last = 0
        self._since = 0

    def take(self, packet: bytes) -> None:
        """Read one packet; raises MetadataSurvived."""
        if self.headers < len(self.fixed):
            if packet != self.fixed[self.headers]:
                raise MetadataSurvived("a header of the result is not as it must be")
            self.headers += 1
            return
        samples = self.sound(packet)
        self.samples += samples
        self._since += samples
        self.packets += 1

    @abstractmethod
    def sound(self, packet: bytes) -> int:
        """Return the most samples that a packet can complete; raises MetadataSurvived."""

    def is_at(self, granule: int, *, is_last: bool) -> bool:
        """Tell whether a page may have this position.

        Exactly what has been counted; only the last may be less, and the first where the sound
        begins unheard.
        """
        is_first, self._last, before = self._last == 0, granule, self._last
        since, self._since = self._since, 0
        if is_last or is_first:
            return granule - before <= since and granule < _NEGATIVE and granule >= before
        return granule - before == since


class OpusSounds(Sounds):
    """Opus: no padding anywhere, every position exact (RFC 6716, 3.2; RFC 7845, 4)."""

    fixed = (b"OpusTags" + bytes(8),)

    def __init__(self, head: bytes) -> None:
        """Take the first header."""
        super().__init__(head)
        self._streams = head[19] if head[18] else 1
        if len(head) != 19 + (2 + head[9] if head[18] else 0):
            raise MetadataSurvived("a header of the result is not as it must be")

    def sound(self, packet: bytes) -> int:
        """Walk one packet, and the packets of several streams in it."""
        rest, samples = packet, 0
        for stream in range(self._streams):
            if not rest:
                raise MetadataSurvived(_DIRTY)
            code = rest[0] % 4
            shape = (rest[1:2] or b"\0")[0] if code == _ANY else (1, 2, 130)[code]
            if shape & 64 or not shape & 63:
                raise MetadataSurvived(_DIRTY)
            samples = _opus_samples(rest[0] >> 3) * (shape & 63)
            if stream < self._streams - 1:
                rest = _behind(rest, shape & 63, is_variable=shape & 128 > 0)
        return samples


def _opus_samples(configuration: int) -> int:
    if configuration < 12:  # noqa: PLR2004 - SILK
        microseconds = _OPUS_MICROSECONDS[configuration % 4]
    elif configuration < 16:  # noqa: PLR2004 - hybrid
        microseconds = _OPUS_MICROSECONDS[configuration % 2]
    else:
        microseconds = 2500 << configuration % 4
    return microseconds * 48 // 1000


def _behind(rest: bytes, count: int, *, is_variable: bool) -> bytes:
    """Return what follows a self-delimited packet of ``count`` frames (RFC 6716, appendix B)."""
    at, sizes = 2 if rest[0] & 3 == 3 else 1, []  # noqa: PLR2004 - a second byte of its own
    for _ in range(count if is_variable else 1):
        first, second = (rest[at : at + 2] + b"\0\0")[:2]
        sizes.append(first + 4 * second if first >= 252 else first)  # noqa: PLR2004 - two bytes
        at += 2 if first >= 252 else 1  # noqa: PLR2004 - as above
    at += sum(sizes) if is_variable else sizes[0] * count
    return rest[at:]


class VorbisSounds(Sounds):
    """Vorbis: the setup header ends with its last bit; packets are of sound."""

    fixed = (b"\3vorbis" + bytes(8) + b"\1", b"")

    def take(self, packet: bytes) -> None:
        """Read one packet; the third header is of any content, and of an exact end."""
        if self.headers == 1:
            _judge_setup(packet)
            self.headers += 1
            return
        super().take(packet)

    def sound(self, packet: bytes) -> int:
        """Look at the one bit that can be told without the tables."""
        if not packet or packet[0] & 1:
            raise MetadataSurvived(_DIRTY)
        return _MOST_VORBIS

    def is_at(self, granule: int, *, is_last: bool) -> bool:
        """Tell whether a position lies behind the last one, and not further than is possible."""
        before, self._last, since, self._since = self._last, granule, self._since, 0
        return before <= granule <= before + since or (is_last and granule == before)


def _judge_setup(packet: bytes) -> None:
    """Find, from its end, the framing bit and one mode, whose 32 bits before it are zero."""
    bits = int.from_bytes(packet, "little")
    framing = bits.bit_length() - 1
    mode = bits >> max(0, framing - 40) & (1 << 32) - 1
    if packet[:7] != b"\5vorbis" or framing >> 3 != len(packet) - 1 or mode:
        raise MetadataSurvived("a header of the result is not as it must be")


class FlacSounds(Sounds):
    """FLAC: every packet one frame, in the order of its numbers."""

    fixed = (b"\x84\0\0\x08" + bytes(8),)

    def sound(self, packet: bytes) -> int:
        """Read the frame's header and its checksums."""
        seen = check_frame.header(packet[:16])
        if seen is None or not check_frame.is_whole(packet):
            raise MetadataSurvived(_DIRTY)
        if seen.number != (self.samples if seen.is_variable else self.packets):
            raise MetadataSurvived(_DIRTY)
        return seen.block


class SpeexSounds(Sounds):
    """Speex: every packet as long as the header says; the fill at its end is the usual one."""

    fixed = (bytes(8),)

    def sound(self, packet: bytes) -> int:
        """Walk the frames; what stands between them may ask for stereo, and say nothing else."""
        bits = "".join(f"{byte:08b}" for byte in packet)
        frames = at = 0
        while len(bits) - at > 4:  # noqa: PLR2004 - the shortest of them
            mode = int(bits[at + 1 : at + 5], 2)
            if bits[at] == "1":
                length = _SPEEX_WIDE.get(mode >> 1, 0)
            elif mode == 14:  # noqa: PLR2004 - a request
                told = int(bits[at + 5 : at + 9], 2)
                length = 9 + (1 if told < 2 else 4 if told < 8 else 8 << max(0, told - 8) // 2)  # noqa: PLR2004 - as the codec asks
                if told != 9 and "1" in bits[at + 9 : at + length]:  # noqa: PLR2004 - stereo
                    raise MetadataSurvived(_DIRTY)
            elif mode == 13:  # noqa: PLR2004 - a message of the user
                length = 14 + 8 * int(bits[at + 5 : at + 9], 2)
                if "1" in bits[at + 9 : at + length]:
                    raise MetadataSurvived(_DIRTY)
            else:
                length = _SPEEX_NARROW.get(mode, 0)
            if not length or at + length > len(bits):
                break
            frames += bits[at] == "0" and mode in _SPEEX_NARROW
            at += length
        if bits[at:] != "0111111"[: len(bits) - at] or not 0 < frames <= self.head[64]:
            raise MetadataSurvived(_DIRTY)
        return int.from_bytes(self.head[56:60], "little") * int.from_bytes(
            self.head[64:68], "little"
        )
