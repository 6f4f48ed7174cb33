"""Frames of AC-3 and MPEG audio in a packet, and nothing behind them.

Rule: a frame says its own length in its header; what no frame owns goes.
"""

from sanitizer.errors import Malformed

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
