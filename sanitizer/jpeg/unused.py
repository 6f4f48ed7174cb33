"""What a Huffman table says that no code of its data says: letters of a word, for all we know.

Rule: codes stay as long as they are (ITU-T T.81, annex C), so the data stays bit by bit; a symbol
that was never met becomes 0.  It is known of data that was decoded in full; long baseline data is
decoded so if one of its tables is not ``plausible``.
"""

from dataclasses import dataclass, field

from sanitizer.jpeg.standard import STANDARD

_SYMBOLS = 17
_STANDARD = {(kind, table[1:]) for (kind, _), table in STANDARD.items()}
_LARGEST_DC, _LARGEST_AC, _NO_SIZE = 11, 10, {0x00, 0xF0}
_MORE_BITS = 4


def is_standard(table: bytes) -> bool:
    """Tell whether a table is one of annex K, which everybody writes."""
    return (table[0] >> 4, table[1:]) in _STANDARD


def is_plausible(table: bytes, precision: int) -> bool:
    """Tell whether an encoder may have written such a table: each symbol once, and in range."""
    values, more = table[_SYMBOLS:], _MORE_BITS if precision > 8 else 0  # noqa: PLR2004 - bits
    if len(set(values)) != len(values):
        return False
    if table[0] >> 4 == 0:
        return all(value <= _LARGEST_DC + more for value in values)
    return all(0 < value & 15 <= _LARGEST_AC + more or value in _NO_SIZE for value in values)


@dataclass(slots=True)
class Met:
    """A table as it was written at ``place`` of a result, and its symbols that scans have used.

    ``symbols`` is None once a scan has used it that was not decoded.
    """

    table: bytes
    place: int
    symbols: set[int] | None = field(default_factory=set)

    def take(self, met: set[int] | None) -> None:
        """Take the symbols that one more scan has used."""
        self.symbols = None if met is None or self.symbols is None else self.symbols | met

    def emptied(self) -> bytes:
        """Return the table without symbols that nothing uses."""
        used = self.symbols
        if used is None or is_standard(self.table):
            return self.table
        kept = bytes(value if value in used else 0 for value in self.table[_SYMBOLS:])
        return self.table[:_SYMBOLS] + kept
