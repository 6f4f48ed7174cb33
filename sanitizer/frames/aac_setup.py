"""The setup of an AAC decoder (AudioSpecificConfig, ISO/IEC 14496-3, 1.6.2.1), written anew.

Rule: main, low complexity and long-term prediction, with or without spectral band replication;
every bit is understood, the layout of channels (4.5.1.1, program_config_element) loses its
comment, and nothing follows.
"""

from sanitizer.errors import Unsupported
from sanitizer.frames.bits import Bits

_PLAIN = frozenset({1, 2, 4})
_SBR, _PS = 5, 29
_SYNC_SBR, _SYNC_PS = 0x2B7, 0x548
_ESCAPE = 15


class _Writer:
    """Copies bits that were understood."""

    def __init__(self, untrusted: bytes) -> None:
        self._bits = Bits(untrusted)
        self._length = 8 * len(untrusted)
        self._made = 1
        self._taken = 0

    def copy(self, width: int) -> int:
        """Copy a number and return it; raises Malformed behind the end."""
        value = self._bits.take(width)
        self._made = self._made << width | value
        self._taken += width
        return value

    def skip(self, width: int) -> int:
        """Return a number that is not copied as it is."""
        self._taken += width
        return self._bits.take(width)

    def put(self, width: int, value: int = 0) -> None:
        """Write a number of ours."""
        self._made = self._made << width | value

    def align(self) -> None:
        """Go to the next whole byte, of both."""
        self.skip(-self._taken % 8)
        self.put(-(self._made.bit_length() - 1) % 8)

    @property
    def left(self) -> int:
        """How many bits are left to read."""
        return self._length - self._taken

    def result(self) -> bytes:
        """Return what was written, in whole bytes."""
        self.put(-(self._made.bit_length() - 1) % 8)
        return self._made.to_bytes(self._made.bit_length() // 8 + 1, "big")[1:]


def rewritten(untrusted: bytes) -> bytes:
    """Return a setup of ours; raises Unsupported, or Malformed where it is cut short."""
    bits = _Writer(untrusted)
    kind = bits.copy(5)
    _rate(bits)
    channels = bits.copy(4)
    if kind in {_SBR, _PS}:
        _rate(bits)
    core = bits.copy(5) if kind in {_SBR, _PS} else kind
    # A frame of 960 samples stays; a core coder and extensions belong to other kinds of AAC.
    bits.copy(1)
    if core not in _PLAIN or bits.copy(2):
        raise Unsupported("a kind of AAC that cannot be cleaned here")
    if not channels:
        _layout(bits)
    if kind in _PLAIN and bits.left >= 17:  # noqa: PLR2004 - a mark, a kind, a flag
        _extension(bits)
    return bits.result()


def _rate(bits: _Writer) -> None:
    if bits.copy(4) == _ESCAPE:
        bits.copy(24)


def _extension(bits: _Writer) -> None:
    """Copy what says, behind the old setup, that there is band replication."""
    if bits.skip(11) != _SYNC_SBR or bits.skip(5) != _SBR:
        return
    bits.put(11, _SYNC_SBR)
    bits.put(5, _SBR)
    if bits.copy(1):
        _rate(bits)
        if bits.left >= 12 and bits.skip(11) == _SYNC_PS:  # noqa: PLR2004 - a mark and a flag
            bits.put(11, _SYNC_PS)
            bits.copy(1)


def _layout(bits: _Writer) -> None:
    """Copy a program config element without its comment."""
    bits.copy(10)
    pairs = sum(bits.copy(4) for _ in range(3))
    low, data = bits.copy(2), bits.skip(3)
    # Data that sounds are said to carry is none of them: a frame may have it without being told.
    bits.put(3)
    pairs += (coupled := bits.copy(4))
    for width in (4, 4, 3):
        if bits.copy(1):
            bits.copy(width)
    # Which channels are pairs, and the numbers of all: front, side, back; low; coupled.
    bits.copy(5 * (pairs - coupled) + 4 * low)
    bits.skip(4 * data)
    bits.copy(5 * coupled)
    bits.align()
    length = bits.skip(8)
    bits.put(8)
    bits.skip(8 * length)
