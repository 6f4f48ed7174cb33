"""Which codes of a font a document shows.

Rule: what a font says of a code that no content shows is nobody's letter and does not exist in
the result. Codes of a font with many letters may have any length; a code counts as shown if its
bytes follow each other in what is shown, which errs to the side of keeping.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sanitizer.errors import TooComplex

_MOST_STEPS = 4_000_000
_LONG = 2


@dataclass(slots=True)
class Shown:
    """What content shows of one font.

    ``stride``: 0 where each byte is a code, 2 where each pair is, 1 where a code begins anywhere.
    """

    stride: int = 0
    bytes_: set[int] = field(default_factory=set)
    pairs: set[int] = field(default_factory=set)
    _left: int = _MOST_STEPS
    _sorted: dict[bool, list[int]] = field(default_factory=dict)

    def note(self, text: bytes) -> None:
        """Take down what one operator shows."""
        self.bytes_.update(text)
        if self.stride:
            found = zip(text[:: self.stride], text[1 :: self.stride], strict=False)
            self.pairs.update(first << 8 | second for first, second in found)

    def has(self, code: bytes) -> bool:
        """Tell whether a code is shown."""
        if not self.stride:
            return int.from_bytes(code, "big") in self.bytes_
        if len(code) == 1:
            return code[0] in self.bytes_
        step = self.stride
        starts = range(0, len(code) - 1, step)
        return all(code[at] << 8 | code[at + 1] in self.pairs for at in starts)

    def _in_order(self, *, is_single: bool) -> list[int]:
        """Return the codes of one byte, or of two, sorted once for all lines of a map."""
        known = self.bytes_ if is_single else self.pairs
        if len(self._sorted.get(is_single, [])) != len(known):
            self._sorted[is_single] = sorted(known)
        return self._sorted[is_single]

    def within(self, low: bytes, high: bytes) -> Iterator[bytes]:
        """Yield the codes from ``low`` to ``high`` that are shown; raises TooComplex."""
        first, last, size = int.from_bytes(low, "big"), int.from_bytes(high, "big"), len(low)
        known = self._in_order(is_single=size == 1 or not self.stride)
        small = size <= _LONG or not self.stride
        many: Sequence[int] = range(first, last + 1)
        if small:
            many = known[bisect_left(known, first) : bisect_right(known, last)]
        self._left -= 1 + len(many)
        if self._left < 0:
            raise TooComplex("a map with too many codes")
        for number in many:
            code = number.to_bytes(size, "big")
            if self.has(code):
                yield code
