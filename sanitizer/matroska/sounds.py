"""What hides in packets of sound, and in what their decoders are told beforehand.

Rule: setups are written anew from their numbers; in packets, what a decoder steps over is blanked
or cut, and headers that come again are dropped (an empty packet is left out).
"""

from sanitizer.errors import Malformed, Unsupported
from sanitizer.frames import packets, setup
from sanitizer.frames.strip import Strip
from sanitizer.numbers import unpack
from sanitizer.sound.flac.frame import clean as clean_frame
from sanitizer.sound.flac.header import INFO_BYTES, StreamInfo, parse
from sanitizer.sound.ogg.opus import Opus
from sanitizer.sound.ogg.vorbis import Vorbis

_RATES = (
    96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
)  # fmt: skip
_AAC_PROFILES = {b"MAIN": 1, b"LC": 2, b"SSR": 3, b"LTP": 4}
_VORBIS_IDENT = 30
_FLAC_HEADER = 16
_ALAC = 24


def opus_track(private: bytes) -> tuple[bytes, Strip]:
    """Return an OpusHead of ours (RFC 7845, section 5.1), and what takes padding out of packets."""
    if private[:8] != b"OpusHead":
        raise Malformed("a sound set up in an impossible way")
    stream = Opus(private)

    def strip(untrusted: bytes) -> bytes:
        is_header = untrusted[:8] in {b"OpusHead", b"OpusTags"}
        return b"" if is_header else stream.packet(untrusted)[0]

    return stream.setup([private, b"OpusTags"])[0], strip


def vorbis_track(private: bytes) -> tuple[bytes, Strip]:
    """Return Vorbis' three headers (Vorbis I, section 4.2): numbers, no comment, codebooks.

    Its packets are all that is not one more header.
    """
    (count,) = unpack("B", private)
    at, sizes = 1, [0, 0]
    for place in range(2):
        byte = 255
        while byte == 255:  # noqa: PLR2004 - 255 says that more follows
            (byte,) = unpack("B", private, at)
            at += 1
            sizes[place] += byte
    middle = at + sizes[0]
    last = middle + sizes[1]
    if count != 2 or private[at : at + 7] != b"\1vorbis" or sizes[0] != _VORBIS_IDENT:  # noqa: PLR2004 - of three
        raise Malformed("a sound set up in an impossible way")
    stream = Vorbis(private[at:middle])
    headers = stream.setup([private[at:middle], private[middle:last], private[last:]])
    lengths = bytes([2, len(headers[0]), len(headers[1])])
    return lengths + b"".join(headers), lambda untrusted: b"" if untrusted[0] & 1 else untrusted


def flac_track(private: bytes) -> tuple[bytes, Strip]:
    """Return FLAC's numbers (RFC 9639, section 8.2), and what cuts a frame where it ends."""
    if private[:4] != b"fLaC" or private[4:5] not in {b"\0", b"\x80"}:
        raise Malformed("a sound set up in an impossible way")
    info = StreamInfo.from_bytes(private[8 : 8 + INFO_BYTES])

    def strip(untrusted: bytes) -> bytes:
        header = parse(untrusted[:_FLAC_HEADER], info)
        if header is None:
            raise Malformed("a packet of sound whose parts do not add up")
        return clean_frame(untrusted, header, header.number)

    return b"fLaC\x80\0\0\x22" + info.to_bytes(0), strip


def alac_track(private: bytes) -> tuple[bytes, Strip]:
    """Return the numbers of ALAC's setup, and what looks at its packets."""
    if len(private) < _ALAC:
        raise Malformed("a sound set up in an impossible way")
    return private[:_ALAC], packets.alac


def aac_setup(codec: bytes, untrusted: bytes, rate: int, channels: int) -> bytes:
    """Return an AudioSpecificConfig; made from an old codec name where the file has none."""
    if untrusted:
        return setup.aac(untrusted)
    names = codec.split(b"/")
    profile = next((_AAC_PROFILES[name] for name in names if name in _AAC_PROFILES), 0)
    if not profile or rate not in _RATES or not 0 < channels < 8:  # noqa: PLR2004 - a table of seven
        raise Unsupported("a codec that cannot be cleaned here")
    return (profile << 11 | _RATES.index(rate) << 7 | channels << 3).to_bytes(2, "big")
