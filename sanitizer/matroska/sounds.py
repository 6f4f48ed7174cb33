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
_AC3_RATES = (
    32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640,
)  # fmt: skip
_LAYER_1, _LAYER_2, _LAYER_3 = 3, 2, 1
_MPEG_RATES = {
    (True, _LAYER_1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, _LAYER_2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, _LAYER_3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, _LAYER_1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, _LAYER_2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, _LAYER_3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_TOLD, _TOLD_WITHIN = (b"Xing", b"Info", b"VBRI"), 44


def opus(untrusted: bytes) -> bytes:
    """Return a packet of Opus (RFC 6716, section 3.2.5) of the same length, its padding empty."""
    if untrusted[:8] in {b"OpusHead", b"OpusTags"}:
        return b""
    if untrusted[0] & 3 != 3 or len(untrusted) < 2 or not untrusted[1] & 0x40:  # noqa: PLR2004 - code 3
        return untrusted
    at, padding = 2, 0
    while True:
        (byte,) = unpack("B", untrusted, at)
        at += 1
        padding += min(byte, 254)
        if byte < 255:  # noqa: PLR2004 - 255 says that more follows
            break
    if at + padding > len(untrusted):
        raise Malformed("a packet of sound whose parts do not add up")
    return untrusted[: len(untrusted) - padding] + bytes(padding)


def flac(untrusted: bytes) -> bytes:
    """Return a frame of FLAC (RFC 9639, section 9.1) once it begins like one."""
    if untrusted[0] != 0xFF or untrusted[1:2] not in {b"\xf8", b"\xf9"}:  # noqa: PLR2004 - the sync code
        raise Malformed("a packet of sound whose parts do not add up")
    return untrusted


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


def ac3(untrusted: bytes) -> bytes:
    """Return the frames of AC-3 or E-AC-3 (ETSI TS 102 366) in a packet, and nothing behind."""
    at, end = 0, len(untrusted)
    while at + 6 <= end and untrusted[at : at + 2] == b"\x0bw":
        following = at + _ac3_length(untrusted[at : at + 6])
        if following > end:
            break
        at = following
    if not at:
        raise Malformed("a packet of sound whose parts do not add up")
    return untrusted[:at]


def _ac3_length(head: bytes) -> int:
    if head[5] >> 3 > 10:  # noqa: PLR2004 - E-AC-3
        return (((head[2] & 7) << 8 | head[3]) + 1) * 2
    clock, code = head[4] >> 6, head[4] & 63
    if clock == 3 or code >> 1 >= len(_AC3_RATES):  # noqa: PLR2004 - reserved
        raise Malformed("a packet of sound whose parts do not add up")
    rate = _AC3_RATES[code >> 1]
    return (rate * 4, (rate * 320 // 147 + (code & 1)) * 2, rate * 6)[clock]


def mpeg(untrusted: bytes) -> bytes:
    """Return the frames of MPEG audio (ISO/IEC 11172-3) in a packet, and nothing behind.

    A frame that tells of the encoder instead of sounding (Xing, LAME) becomes silence.
    """
    at, end, stay = 0, len(untrusted), []
    while at + 4 <= end:
        head = untrusted[at : at + 4]
        following = at + _mpeg_length(head)
        if following > end or following == at:
            break
        frame = untrusted[at:following]
        if any(word in frame[:_TOLD_WITHIN] for word in _TOLD):
            frame = head + bytes(len(frame) - 4)
        stay.append(frame)
        at = following
    if not stay:
        raise Malformed("a packet of sound whose parts do not add up")
    return b"".join(stay)


def _mpeg_length(head: bytes) -> int:
    """Return the length of a frame of MPEG audio, or 0 where this is no frame."""
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    rate_code, clock = head[2] >> 4, head[2] >> 2 & 3
    if head[0] != 0xFF or head[1] < 0xE0 or version == 1 or not layer:  # noqa: PLR2004 - the sync code
        return 0
    if rate_code in {0, 15} or clock == 3:  # noqa: PLR2004 - free format, reserved
        return 0
    is_1 = version == 3  # noqa: PLR2004 - MPEG-1
    rate = _MPEG_RATES[is_1, layer][rate_code - 1] * 1000
    frequency = (44100, 48000, 32000)[clock] >> {3: 0, 2: 1, 0: 2}[version]
    padding = head[2] >> 1 & 1
    if layer == _LAYER_1:
        return (12 * rate // frequency + padding) * 4
    return (144 if is_1 or layer == _LAYER_2 else 72) * rate // frequency + padding
