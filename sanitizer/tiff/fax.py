"""Black and white as fax machines send it (ITU-T T.4 and T.6): from codes back to samples.

Rule: every row is as wide as the picture, every code is on the list, and what stands behind the
last row is not read. Rewritten without this coding, a picture has no place for fill bits.
"""

from functools import lru_cache

from sanitizer.errors import Malformed, Unsupported
from sanitizer.tiff.page import Page

_MODIFIED_HUFFMAN, _T4 = 2, 3
_LOOK = 13
_TWO_DIMENSIONAL, _UNCOMPRESSED = 1, 2
# T.4, table 2: the terminating codes 0 to 63; table 3a: the make-up codes 64 to 1728.
_WHITE = (
    "00110101 000111 0111 1000 1011 1100 1110 1111 10011 10100 00111 01000 001000 000011 110100 "
    "110101 101010 101011 0100111 0001100 0001000 0010111 0000011 0000100 0101000 0101011 0010011 "
    "0100100 0011000 00000010 00000011 00011010 00011011 00010010 00010011 00010100 00010101 "
    "00010110 00010111 00101000 00101001 00101010 00101011 00101100 00101101 00000100 00000101 "
    "00001010 00001011 01010010 01010011 01010100 01010101 00100100 00100101 01011000 01011001 "
    "01011010 01011011 01001010 01001011 00110010 00110011 00110100 "
    "11011 10010 010111 0110111 00110110 00110111 01100100 01100101 01101000 01100111 011001100 "
    "011001101 011010010 011010011 011010100 011010101 011010110 011010111 011011000 011011001 "
    "011011010 011011011 010011000 010011001 010011010 011000 010011011"
)
_BLACK = (
    "0000110111 010 11 10 011 0011 0010 00011 000101 000100 0000100 0000101 0000111 00000100 "
    "00000111 000011000 0000010111 0000011000 0000001000 00001100111 00001101000 00001101100 "
    "00000110111 00000101000 00000010111 00000011000 000011001010 000011001011 000011001100 "
    "000011001101 000001101000 000001101001 000001101010 000001101011 000011010010 000011010011 "
    "000011010100 000011010101 000011010110 000011010111 000001101100 000001101101 000011011010 "
    "000011011011 000001010100 000001010101 000001010110 000001010111 000001100100 000001100101 "
    "000001010010 000001010011 000000100100 000000110111 000000111000 000000100111 000000101000 "
    "000001011000 000001011001 000000101011 000000101100 000001011010 000001100110 000001100111 "
    "0000001111 000011001000 000011001001 000001011011 000000110011 000000110100 000000110101 "
    "0000001101100 0000001101101 0000001001010 0000001001011 0000001001100 0000001001101 "
    "0000001110010 0000001110011 0000001110100 0000001110101 0000001110110 0000001110111 "
    "0000001010010 0000001010011 0000001010100 0000001010101 0000001011010 0000001011011 "
    "0000001100100 0000001100101"
)
# T.4, table 3b: the make-up codes 1792 to 2560 of both colours.
_LONG = (
    "00000001000 00000001100 00000001101 000000010010 000000010011 000000010100 000000010101 "
    "000000010110 000000010111 000000011100 000000011101 000000011110 000000011111"
)
_PASS, _HORIZONTAL = 100, 101
# T.6, table 1: how far a change lies from the one above it.
_MODES = {
    "0001": _PASS, "001": _HORIZONTAL, "1": 0, "011": 1, "000011": 2, "0000011": 3,
    "010": -1, "000010": -2, "0000010": -3,
}  # fmt: skip
_MODE_LOOK = 7


def _table(codes: dict[str, int], look: int) -> dict[str, tuple[int, int]]:
    """Return, for every ``look`` bits, the value of the code they begin with, and its length."""
    table = {}
    for code, value in codes.items():
        spare = look - len(code)
        for rest in range(1 << spare):
            table[code + f"{rest:0{spare}b}" if spare else code] = value, len(code)
    return table


@lru_cache(maxsize=2)
def _runs(colour: int) -> dict[str, tuple[int, int]]:
    codes: dict[str, int] = {}
    for number, code in enumerate((_BLACK if colour else _WHITE).split()):
        codes[code] = number if number < 64 else 64 * (number - 63)  # noqa: PLR2004 - terminating
    for number, code in enumerate(_LONG.split()):
        codes[code] = 1792 + 64 * number
    return _table(codes, _LOOK)


@lru_cache(maxsize=1)
def _modes() -> dict[str, tuple[int, int]]:
    return _table(_MODES, _MODE_LOOK)


class _Decoder:
    """A place in the bits of one strip or tile."""

    def __init__(self, untrusted: bytes, width: int) -> None:
        """Spread the bits out, with as many behind them as the longest code has."""
        self.bits = bin(int.from_bytes(b"\1" + untrusted, "big"))[3:] + "0" * _LOOK
        self.end = 8 * len(untrusted)
        self.at = 0
        self.width = width

    def run(self, colour: int) -> int:
        """Return the length of a run: make-up codes, and a terminating one."""
        table, total = _runs(colour), 0
        while True:
            length, bits = table.get(self.bits[self.at : self.at + _LOOK], (0, 0))
            self.at += bits
            total += length
            if not bits or self.at > self.end or total > self.width:
                raise Malformed("a fax with a run that cannot be")
            if length < 64:  # noqa: PLR2004 - the first make-up code
                return total

    def row(self) -> list[int]:
        """Return where the colour changes in a row that is coded alone (T.4, 4.1)."""
        changes, at, colour = list[int](), 0, 0
        while at < self.width:
            at += self.run(colour)
            colour ^= 1
            changes.append(at)
            if at > self.width:
                raise Malformed("a fax with a row that is too long")
        return changes

    def row_below(self, above: list[int]) -> list[int]:
        """Return where the colour changes in a row that is coded by the one above (T.4, 4.2)."""
        changes, at, colour, place = list[int](), -1, 0, 0
        table, width = _modes(), self.width
        above = [*above, width, width, width]
        while at < width:
            while place and above[place - 1] > at:
                place -= 1
            while above[place] <= at:
                place += 1
            place += (place & 1) != colour
            mode, bits = table.get(self.bits[self.at : self.at + _MODE_LOOK], (0, 0))
            self.at += bits
            if not bits or self.at > self.end:
                raise Malformed("a fax with a code that cannot be")
            if mode == _PASS:
                at = above[place + 1]
                continue
            if mode == _HORIZONTAL:
                first = max(at, 0) + self.run(colour)
                at = first + self.run(colour ^ 1)
                changes.append(first)
            else:
                moved = above[place] + mode
                if moved < max(at, 0):
                    raise Malformed("a fax with a change that cannot be")
                at, colour = moved, colour ^ 1
            changes.append(at)
            if at > width:
                raise Malformed("a fax with a row that is too long")
        return changes

    def skip_line_end(self) -> None:
        """Stand behind an end of line and the fill before it, if there is one (T.4, 4.1.2)."""
        one = self.bits.find("1", self.at)
        if one - self.at >= 11:  # noqa: PLR2004 - eleven zeros or more, and a one
            self.at = one + 1


def unpack(untrusted: bytes, page: Page, place: int) -> bytes:
    """Return the samples, black as ones; raises Malformed, Unsupported."""
    if page.fax_options & _UNCOMPRESSED:
        raise Unsupported("a fax that is partly not coded")
    decoder = _Decoder(untrusted, page.columns)
    rows = page.rows if page.is_tiled else page.rows_of(place)
    stride = -(-page.columns // 8)
    made, changes = list[bytes](), list[int]()
    for _ in range(rows):
        if page.coding == _MODIFIED_HUFFMAN:
            decoder.at += -decoder.at % 8
            changes = decoder.row()
        elif page.coding == _T4:
            decoder.skip_line_end()
            is_alone = True
            if page.fax_options & _TWO_DIMENSIONAL:
                is_alone = decoder.bits[decoder.at] == "1"
                decoder.at += 1
            changes = decoder.row() if is_alone else decoder.row_below(changes)
        else:
            changes = decoder.row_below(changes)
        made.append(_painted(changes, stride))
    return b"".join(made)


def _painted(changes: list[int], stride: int) -> bytes:
    """Return a row as bits: black from each odd change to the next one."""
    value = 0
    for start, end in zip(changes[::2], changes[1::2], strict=False):
        value |= ((1 << end - start) - 1) << 8 * stride - end
    return value.to_bytes(stride, "big")
