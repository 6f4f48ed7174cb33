"""Checksums of frames: FLAC (RFC 9639, 9.1.8 and 9.3), MPEG audio (ISO/IEC 11172-3, 2.4.3.1).

Rule: CRC-16 is division by (x+1)(x^15+x+1). Modulo the second, x^(15s) is x^s + 1 for every power
of two s, so a frame, taken as one large number, is folded in half again and again.
"""

_POLYNOMIAL = 0b1000000000000011


def _table() -> bytes:
    made = []
    for value in range(256):
        rest = value
        for _ in range(8):
            rest = rest << 1 ^ (0x107 if rest & 0x80 else 0)
        made.append(rest)
    return bytes(made)


_CRC8 = _table()


def crc8(data: bytes) -> int:
    """Return the checksum of a frame header; 0 for one that ends with its own checksum."""
    value = 0
    for byte in data:
        value = _CRC8[value ^ byte]
    return value


def crc16(data: bytes) -> int:
    """Return the checksum of a frame; 0 for one that ends with its own checksum."""
    whole = int.from_bytes(data, "big")
    rest = whole << 16
    step = 1 << (rest.bit_length() // 15).bit_length()
    while step:
        while high := rest >> 15 * step:
            rest ^= high << 15 * step ^ high << step ^ high
        step >>= 1
    # The remainder modulo x+1 is the parity; of two candidates, one has it.
    is_odd = (rest.bit_count() ^ whole.bit_count()) & 1
    return rest ^ _POLYNOMIAL if is_odd else rest
