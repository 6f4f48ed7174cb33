"""The small chunks of a PNG in the few forms that a picture's look needs (W3C PNG, 11.3).

Rule: a number that could be anything says anything.  Colours are snapped to those of a known
space, or rounded so coarsely that nobody sees it; a ratio of pixels is in lowest small terms; what
is out of its range is left out.  ``form`` of a form is itself.
"""

import struct

from sanitizer.ratio import ratio

_GAMMAS = (45455, 45471, 55556, 50994, 41667, 38462, 100000)
"""1/2.2, Adobe RGB, 1/1.8, BT.709 as a power, 1/2.4, 1/2.6 and linear light, times 100 000."""
_GAMMA_NEAR, _GAMMA_STEP, _GAMMA_MOST = 300, 1000, 500_000
_D65, _D50, _DCI = (31270, 32900), (34570, 35850), (31400, 35100)
_PRIMARIES = (
    (*_D65, 64000, 33000, 30000, 60000, 15000, 6000),  # sRGB, BT.709
    (*_D65, 68000, 32000, 26500, 69000, 15000, 6000),  # Display P3
    (*_DCI, 68000, 32000, 26500, 69000, 15000, 6000),  # DCI-P3
    (*_D65, 64000, 33000, 21000, 71000, 15000, 6000),  # Adobe RGB
    (*_D65, 70800, 29200, 17000, 79700, 13100, 4600),  # BT.2020
    (*_D65, 63000, 34000, 31000, 59500, 15500, 7000),  # SMPTE-C
    (*_D65, 64000, 33000, 29000, 60000, 15000, 6000),  # PAL
    (*_D65, 62500, 34000, 28000, 59500, 15500, 7000),  # Apple RGB
    (*_D50, 73470, 26530, 15960, 84040, 3660, 10),  # ProPhoto
)
"""White, red, green and blue, x and y of each, times 100 000."""
_PRIMARY_NEAR, _PRIMARY_STEP, _WHOLE = 400, 500, 100_000
_CICP_PRIMARIES = {1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 22}
_CICP_TRANSFERS = {1, *range(4, 19)}
_MOST_PLAYS = 1000


def form(kind: bytes, untrusted: bytes, depth: int) -> bytes | None:
    """Return what of a chunk of the right length stays, or None; ``depth`` in bits a sample."""
    match kind:
        case b"gAMA":
            return _gamma(int.from_bytes(untrusted, "big"))
        case b"cHRM":
            return _primaries(struct.unpack(">8I", untrusted))
        case b"pHYs":
            terms = ratio(*struct.unpack_from(">II", untrusted))
            return struct.pack(">IIB", *terms, 0) if terms else None
        case b"tRNS":
            # Of a sample, decoders look at as many bits as the picture has.
            most = (1 << depth) - 1
            each = struct.unpack(f">{len(untrusted) // 2}H", untrusted)
            return struct.pack(f">{len(each)}H", *(value & most for value in each))
        case b"sRGB":
            fits = untrusted[0] <= 3  # noqa: PLR2004 - four rendering intents
        case b"sBIT":
            fits = all(1 <= bits <= depth for bits in untrusted)
        case _:  # cICP; its matrix must be that of RGB
            primaries, transfer, matrix, is_full = untrusted
            fits = primaries in _CICP_PRIMARIES and transfer in _CICP_TRANSFERS
            fits = fits and matrix == 0 and is_full <= 1
    return untrusted if fits else None


def plays(untrusted: int) -> int:
    """Return how often an animation plays; 0, for ever, where nobody would count."""
    return untrusted if untrusted < _MOST_PLAYS else 0


def _gamma(value: int) -> bytes | None:
    if value % _GAMMA_STEP:
        known = min(_GAMMAS, key=lambda each: abs(each - value))
        near = abs(known - value) <= _GAMMA_NEAR
        value = known if near else round(value / _GAMMA_STEP) * _GAMMA_STEP
    return struct.pack(">I", value) if 0 < value <= _GAMMA_MOST else None


def _primaries(values: tuple[int, ...]) -> bytes | None:
    for known in _PRIMARIES if any(value % _PRIMARY_STEP for value in values) else ():
        if all(abs(a - b) <= _PRIMARY_NEAR for a, b in zip(values, known, strict=True)):
            return struct.pack(">8I", *known)
    values = tuple(round(value / _PRIMARY_STEP) * _PRIMARY_STEP for value in values)
    if any(x + y > _WHOLE or not y for x, y in zip(values[::2], values[1::2], strict=True)):
        return None
    return struct.pack(">8I", *values)
