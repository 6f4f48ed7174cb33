"""Decoder setups: the parameter sets that a codec needs to begin, and nothing behind them.

Rule: each setup is written anew from its parts, and its head from what the sets say; takes and
returns the record alone (the content of ``avcC``, ``hvcC``, ``av1C``; a Matroska CodecPrivate),
whatever container it stood in.
"""

from sanitizer.errors import Malformed
from sanitizer.frames import aac_setup, parameter_sets_hevc, sequence
from sanitizer.frames.parameter_sets import PICTURE, SEQUENCE, AvcSets
from sanitizer.numbers import unpack

_MAX_CONFIG = 4096
_HEVC_SETS = {32, 33, 34}
_OBU_SEQUENCE, _SEQUENCE_HEVC = 1, 33
# Of a profile: what is known today, without the bits that are reserved (H.265, 7.3.3).
_KNOWN = int("1" * 20 + "0" * 20 + "1" * 14 + "0" * 33 + "1" * 9, 2)


def avc(data: bytes, sets: AvcSets | None = None) -> bytes:
    """Rebuild avcC (ISO/IEC 14496-15, 5.3.3.1) with its parameter sets and nothing behind.

    ``sets`` gets to know them.
    """
    (sizes,) = unpack("B", data, 4)
    clean = (sets or AvcSets()).clean
    found: dict[int, list[bytes]] = {}
    at = 5
    for mask, kind in ((0x1F, SEQUENCE), (0xFF, PICTURE)):
        (count,) = unpack("B", data, at)
        found[kind], at = [], at + 1
        for _ in range(count & mask):
            nal, at = _sized(data, at)
            if nal[:1] and nal[0] & 0x9F == kind:
                found[kind].append(clean(nal))
    head = found[SEQUENCE][0][1:4] if found[SEQUENCE] else bytes([data[1], data[2] & 0xFC, data[3]])
    return b"".join(
        [
            b"\1" + head + bytes([0xFC | sizes & 3, 0xE0 | len(found[SEQUENCE])]),
            *map(_led, found[SEQUENCE]),
            bytes([len(found[PICTURE])]),
            *map(_led, found[PICTURE]),
        ]
    )


def _led(nal: bytes) -> bytes:
    return len(nal).to_bytes(2, "big") + nal


def _sized(data: bytes, at: int) -> tuple[bytes, int]:
    (length,) = unpack("H", data, at)
    nal = data[at + 2 : at + 2 + length]
    if len(nal) != length or length > _MAX_CONFIG:
        raise Malformed("a parameter set is cut short")
    return nal, at + 2 + length


def hevc(data: bytes) -> bytes:
    """Rebuild hvcC (ISO/IEC 14496-15, 8.3.3.1) with VPS, SPS and PPS arrays alone."""
    (count,) = unpack("B", data, 22)
    arrays: list[tuple[int, list[bytes]]] = []
    at = 23
    for _ in range(count):
        head, number = unpack("BH", data, at)
        kind = head & 63
        at += 3
        nals = []
        for _ in range(number):
            nal, at = _sized(data, at)
            # Sets of further layers belong to pictures that do not stay.
            if kind in _HEVC_SETS and nal[:1] == bytes([kind << 1]) and nal[1:2] <= b"\7":
                nals.append(parameter_sets_hevc.clean(nal))
        if kind in _HEVC_SETS:
            arrays.append((head & 0xBF, nals))
    sequences = [nals[0] for head, nals in arrays if head & 63 == _SEQUENCE_HEVC and nals]
    return b"".join(
        [
            _hevc_head(data, sequences),
            bytes([len(arrays)]),
            *(
                bytes([head]) + len(nals).to_bytes(2, "big") + b"".join(map(_led, nals))
                for head, nals in arrays
            ),
        ]
    )


def _hevc_head(data: bytes, sequences: list[bytes]) -> bytes:
    """Return what leads an hvcC: as its first sequence says, or, without one, as it was told."""
    profile = (int.from_bytes(data[1:13], "big") & _KNOWN).to_bytes(12, "big")
    chroma, luma, colour, layers = data[16], data[17], data[18], data[21]
    if sequences:
        told = parameter_sets_hevc.sequence_of(sequences[0])
        profile, chroma = told.profile, told.chroma
        luma, colour = told.depths[0] - 8, told.depths[1] - 8
        layers = told.layers << 3 | told.nested << 2
    shape = [0xFC | chroma & 3, 0xF8 | luma & 7, 0xF8 | colour & 7, 0, 0]
    return b"\1" + profile + b"\xf0\0\xfc" + bytes([*shape, layers & 0x3C | data[21] & 3])


def av1(data: bytes) -> bytes:
    """Rebuild av1C (AV1 in ISOBMFF, 2.3) with its sequence header alone."""
    kept = b"\x81" + bytes(unpack("BB", data, 1)) + b"\0"
    at = 4
    while at < len(data):
        head = data[at]
        at += 2 if head & 4 else 1
        length = shift = 0
        while head & 2:
            (byte,) = unpack("B", data, at)
            at += 1
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128 or shift > 28:  # noqa: PLR2004 - the last byte of a LEB128
                break
        end = at + length if head & 2 else len(data)
        if head >> 3 & 15 == _OBU_SEQUENCE:
            return kept + sequence.unit(data[at:end])
        at = end
    return kept


def aac(data: bytes) -> bytes:
    """Return an AudioSpecificConfig of ours; raises Unsupported, Malformed."""
    return aac_setup.rewritten(data)
