"""MPEG transport streams, also a camcorder's .MTS: their pictures and sound in an MP4.

Rule: (1) the scan lists the pictures and the sounds that players show (2) only the packets of
these go into the jail, behind tables of ours (3) ffmpeg takes coded frames out of them (4)
sanitizer.mp4.remux cleans these and writes an MP4 (5) what came out of each stream is compared
with what went in.
Tables, times, text, data, private bytes and stuffing are left behind: they are in no frame.
"""

from collections.abc import Iterator

from sanitizer.errors import Empty, MetadataSurvived
from sanitizer.jail.program import Jail
from sanitizer.limits import Limits
from sanitizer.mp4.remux import Passed, Remuxed, arguments
from sanitizer.mpegts.packets import Packets, Passing
from sanitizer.mpegts.tables import VIDEO
from sanitizer.source import UntrustedSource

_AAC = 0x0F
_SPARE = 2


class TransportStream:
    """One transport stream on its way through: looked at once, then streamed."""

    media_type = "video/mp4"
    extension = "mp4"

    def __init__(self, source: UntrustedSource, limits: Limits, jail: Jail) -> None:
        """Look at every packet; raises a leaf of Refused."""
        self._packets = Packets(source)
        self._packets.scan()
        self.kinds = self._packets.kinds
        streams = self._packets.tables.streams
        if not VIDEO & set(streams.values()):
            raise Empty("a transport stream without pictures")
        # Pictures first, as players expect.
        self._order = sorted(streams, key=lambda number: streams[number] not in VIDEO)
        filters = {
            place: "aac_adtstoasc"
            for place, number in enumerate(self._order)
            if streams[number] == _AAC
        }
        wanted = arguments("mpegts", [f"0:i:{number}" for number in self._order], filters)
        most = source.length + limits.output_slack_bytes
        self._made = Remuxed(jail, wanted, self._packets.chunks(), limits, most)

    def chunks(self) -> Iterator[bytes]:
        """Yield the clean video; raises a leaf of Refused, in the middle or at the end."""
        yield from self._made.chunks()
        self.kinds |= self._made.kinds
        streams = self._packets.tables.streams
        if len(self._made.passed) != len(self._order):
            raise MetadataSurvived("a stream was lost")
        for number, passed in zip(self._order, self._made.passed, strict=True):
            compare(self._packets.passing[number], passed, is_video=streams[number] in VIDEO)


def compare(began: Passing, passed: Passed, *, is_video: bool) -> None:
    """Raise MetadataSurvived if less came out of a stream than went in."""
    if passed.is_video != is_video:
        raise MetadataSurvived("the streams changed their order")
    if is_video:
        # A part is a picture, or one of the two fields that make one.
        whole = passed.frames >= began.parts - _SPARE
        halves = abs(2 * passed.frames - began.parts) <= 2 * _SPARE
        if not whole and not halves:
            raise MetadataSurvived("frames were lost")
    seconds = began.seconds
    if seconds is not None and abs(passed.seconds - seconds) > max(1.0, seconds / 50):
        raise MetadataSurvived("the result has another length")
