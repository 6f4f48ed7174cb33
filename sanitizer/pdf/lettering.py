"""Text of form fields, set in lines (ISO 32000-1, 12.7.3.3).

Rule: what does not fit is set smaller, and what would still not be seen is not written. The
widths are Helvetica's or Courier's: only where a line ends depends on them.
"""

import codecs
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from sanitizer.errors import Unsupported
from sanitizer.pdf.markings import spelled

ADVICE = "a form field without an appearance: print the document into a new PDF"
LARGEST = 12.0
LEADING = 1.15
SPACE = 2.0
_SMALLEST = 4.0
# The widths of Helvetica from the space to the tilde, in thousandths of its size.
_WIDTHS = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
    *[556] * 10, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
    333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
    556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
# Looked up now: a jailed worker can load nothing later.
_LATIN = codecs.lookup("cp1252")
_FIRST, _WIDEST, _USUAL = 32, 1000, 600


@dataclass(frozen=True, slots=True)
class Hand:
    """How a field's text is written: a font, its size (0: as it fits), a colour."""

    font: str = ""
    size: float = 0.0
    colour: bytes = b"0 g"


def coded(text: str) -> bytes:
    """Return the codes of a text's letters; raises Unsupported where there are none."""
    try:
        return _LATIN.encode(text)[0]
    except UnicodeEncodeError:
        raise Unsupported(ADVICE) from None


def _length(text: str, font: str) -> float:
    """Return about how long a line is at a size of one."""
    if font.startswith("Courier"):
        return len(text) * _USUAL / 1000
    return sum(map(_letter_width, text)) / 1000


@lru_cache(maxsize=1024)
def _letter_width(letter: str) -> int:
    plain = ord(unicodedata.normalize("NFD", letter)[0]) - _FIRST
    return _WIDTHS[plain] if 0 <= plain < len(_WIDTHS) else _WIDEST


def _left(side: int, wide: float, length: float) -> float:
    return max(SPACE, (SPACE, (wide - length) / 2, wide - length - SPACE)[side])


def placed(items: list[tuple[float, float, bytes]], hand: Hand, size: float) -> list[bytes]:
    """Return text at its places."""
    lines = [b"BT", hand.colour, b"/F %b Tf" % spelled(size)]
    for x, y, text in items:
        lines += [b"1 0 0 1 %b %b Tm" % (spelled(x), spelled(y)), b"<%b> Tj" % text.hex().encode()]
    return [*lines, b"ET"]


def combed(text: str, cells: int, hand: Hand, box: tuple[float, float]) -> list[bytes]:
    """Write each letter in a cell of its own."""
    wide, tall = box
    size = hand.size or min(LARGEST, 0.67 * tall)
    cell = wide / cells
    items = [
        ((number + 0.5) * cell - _length(each, hand.font) * size / 2, tall / 2 - 0.4 * size, each)
        for number, each in enumerate(text)
    ]
    return placed([(x, y, coded(each)) for x, y, each in items], hand, size)


def line(text: str, side: int, hand: Hand, box: tuple[float, float]) -> list[bytes]:
    """Write one line, as far as it is seen."""
    wide, tall = box
    length = _length(text, hand.font)
    size = hand.size or max(_SMALLEST, min(0.67 * tall, (wide - 2 * SPACE) / max(length, 0.001)))
    if length * size > wide:
        side, text = 0, text[: _fitting(text, hand.font, wide / size) + 1]
    item = (_left(side, wide, length * size), tall / 2 - 0.4 * size, coded(text))
    return placed([item], hand, size)


def paragraphs(
    text: str, side: int, hand: Hand, box: tuple[float, float], spend: Callable[[int], None]
) -> list[bytes]:
    """Write lines from the top, smaller where they would not all be seen."""
    wide, tall = box
    size = hand.size or LARGEST
    while True:
        spend(len(text))
        lines = _broken(text, hand.font, (wide - 2 * SPACE) / size)
        if len(lines) * LEADING * size <= tall - SPACE or size <= _SMALLEST:
            break
        size = max(_SMALLEST, 0.9 * size)
    items = []
    for number, line in enumerate(lines):
        low = tall - SPACE - (number + 0.85) * LEADING * size
        if low > -size:
            items.append((_left(side, wide, _length(line, hand.font) * size), low, line))
    return placed([(x, y, coded(line)) for x, y, line in items], hand, size)


def _broken(text: str, font: str, width: float) -> list[str]:
    """Return lines that are no longer than a width, broken between words where there are any."""
    made: list[str] = []
    space = _length(" ", font)
    for paragraph in text.split("\n"):
        words: list[str] = []
        total = 0.0
        for word in paragraph.split(" "):
            length = _length(word, font)
            if words and total + space + length <= width:
                words.append(word)
                total += space + length
                continue
            if words:
                made.append(" ".join(words))
            *parts, last = _parts(word, font, width)
            made += parts
            words, total = [last], _length(last, font)
        made.append(" ".join(words))
    return made


def _parts(word: str, font: str, width: float) -> list[str]:
    """Return a word in parts that fit, of at least one letter each."""
    made, start, total = [], 0, 0.0
    for number, each in enumerate(word):
        total += _length(each, font)
        if total > width and number > start:
            made.append(word[start:number])
            start, total = number, _length(each, font)
    return [*made, word[start:]]


def _fitting(text: str, font: str, width: float) -> int:
    """Return how many letters begin within a width."""
    total = 0.0
    for number, each in enumerate(text):
        if total > width:
            return number
        total += _length(each, font)
    return len(text)
