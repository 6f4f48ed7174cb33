"""Make texts alike that a reader would take for the same, so that a search finds them.

Rule: folding forgets capitals, accents, vowel signs, ways to write a letter or a digit, and what
is invisible; it never forgets a letter.  It is for finding alone: nothing folded is ever shown.

```
Arabic     no vowel signs, no tatweel; أ إ آ ٱ → ا   ى ی ئ → ي   ؤ → و   ة → ه
           گ ک ڭ ݣ → ك   ڤ → ف   پ → ب   چ → ج
digits     of every script → 0 to 9
Tifinagh   the letters of regional spellings → those of the standard one   ⴲ → ⴱ   ⵗ → ⵖ   ⵝ → ⵜ
others     no accents, no capitals, ligatures and full width as single letters
```
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SAME = str.maketrans(
    {
        # Arabic; what NFKD takes apart (أ إ آ ؤ ئ) has lost its sign by then.
        "ٱ": "ا", "ة": "ه", "ى": "ي", "ی": "ي", "ې": "ي", "ک": "ك", "گ": "ك", "ڭ": "ك", "ݣ": "ك",
        "ڤ": "ف", "ڥ": "ف", "پ": "ب", "چ": "ج", "ھ": "ه", "ہ": "ه", "ە": "ه", "ـ": "",
        # Tifinagh
        "ⴲ": "ⴱ", "ⴴ": "ⴳ", "ⴵ": "ⴳ", "ⴶ": "ⴳ", "ⴸ": "ⴷ", "ⴺ": "ⴹ", "ⴾ": "ⴽ", "ⴿ": "ⴽ", "ⵁ": "ⵀ",
        "ⵆ": "ⵅ", "ⵈ": "ⵇ", "ⵋ": "ⵊ", "ⵌ": "ⵊ", "ⵐ": "ⵏ", "ⵑ": "ⵏ", "ⵗ": "ⵖ", "ⵘ": "ⵖ", "ⵝ": "ⵜ",
        "ⵞ": "ⵛ", "ⵤ": "ⵣ",
        # Latin letters that nothing takes apart
        "ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ı": "i", "œ": "oe", "æ": "ae", "’": "'", "‘": "'",
    }
)  # fmt: skip
_DROPPED = {"Mn", "Me", "Cf", "Cc"}
_BLANK = frozenset("\u115f\u1160\U0001d159") | frozenset(
    map(chr, (0x2065, *range(0xFFF0, 0xFFF9), *range(0xE0000, 0xE1000)))
)
"""Letters that show nothing (the others of their kind fold to these), a note's empty head, and what
a later Unicode may name: all of it is passed over where text is shown."""
_BRAILLE_SPACE = "\u2800"

# Every digit is looked at a bounded number of times: a run ends where its sixth does not follow.
_NUMBER = re.compile(r"\+?\d(?:[ ./()-]{0,2}\d){5,}")
_NOT_DIGITS = re.compile(r"\D+")
_SIGN = r"(?:[^\w▮]|_)"
"""What is neither a letter nor a digit, nor the blocks that stand for what was blacked out."""
_APART = rf"{_SIGN}{{0,8}}"
"""What may stand between two digits of one number, whichever way it was grouped."""
_BESIDE = rf"{_SIGN}{{0,3}}"
"""What may stand between two words, as in a name of somebody's mailbox."""
_LETTER_BY_LETTER = rf"{_SIGN}{{1,3}}"
_SPACED_FROM = 3
"""Letters of a word that is looked for letter by letter, too: two are any two words."""
_GROUPED = re.compile(rf"\+?\d(?:{_APART}\d)+")
"""A number in a phrase: two digits or more."""


class _Letters(dict[int, str]):
    """What each character becomes; worked out once for each that was ever met."""

    def __missing__(self, code: int) -> str:
        taken_apart = unicodedata.normalize("NFKD", chr(code))
        self[code] = found = "".join(_folded(one) for one in taken_apart)
        return found


def _folded(character: str) -> str:
    category = unicodedata.category(character)
    if character.isspace() or character == _BRAILLE_SPACE:
        return " "
    if category in _DROPPED or character in _BLANK:
        return ""
    if category == "Nd":
        return str(unicodedata.decimal(character))
    low = unicodedata.normalize("NFKD", character.casefold())
    return "".join(one for one in low if unicodedata.category(one) not in _DROPPED).translate(_SAME)


_LETTERS = _Letters()


def folded(text: str) -> str:
    """A text as searches compare it: one line, single spaces."""
    low = text.lower() if text.isascii() and text.isprintable() else text.translate(_LETTERS)
    return " ".join(low.split())


def searchable(texts: Iterable[str]) -> str:
    """The texts of one case, folded, a line each; numbers also as they are without their spaces.

    A phone or an account number is found whichever way it was grouped.
    """
    lines = [line for line in map(folded, texts) if line]
    whole = "\n".join(lines)
    # Only what was grouped is said again: to look each of them up in the whole text would let one
    # message of nothing but numbers hold up every list for seconds.
    grouped = {
        _NOT_DIGITS.sub("", one[0])
        for one in _NUMBER.finditer(whole)
        if not one[0].removeprefix("+").isdigit()
    }
    return "\n".join([whole, *sorted(grouped)])


def places(text: str, phrase: str) -> list[tuple[int, int]]:
    """Where a phrase stands in a text, from and to in the text's own characters.

    What is alike to a search is alike here, a number in whichever groups, alone or among words, and
    words with a space, a few signs or nothing between them, or written letter by letter.  Each
    place reaches over the signs and the invisible characters after its last letter: none of them
    is left to tell of it.  Places that overlap are one: who counts them counts what goes, and never
    more than stood there.
    """
    wanted = folded(phrase)
    if not wanted:
        return []
    low, came_from = _with_places(text)
    found: list[tuple[int, int]] = []
    for one in re.finditer(f"(?=({_pattern(wanted)}))", low):
        start, stop = one.span(1)
        # One character can have become several: it goes whole.
        last = came_from[stop - 1]
        while came_from[stop] == last:
            stop += 1
        if found and came_from[start] < found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], came_from[stop]))
        else:
            found.append((came_from[start], came_from[stop]))
    return found


def _pattern(wanted: str) -> str:
    """What finds a folded phrase in a folded text."""
    parts, at = [], 0
    for number in _GROUPED.finditer(wanted):
        digits = _NOT_DIGITS.sub("", number[0])
        parts += [_literal(wanted[at : number.start()]), rf"\+?{_APART.join(digits)}"]
        at = number.end()
    return "".join([*parts, _literal(wanted[at:])])


def _literal(piece: str) -> str:
    """What finds a piece without numbers.

    What follows a sign that may be there or not is never a sign itself: one way alone leads through
    each text, and no time is spent on others.
    """
    words = piece.split(" ")
    parts = [_word(words[0])]
    for before, word in itertools.pairwise(words):
        is_between = before[-1:].isalpha() and word[:1].isalpha()
        parts += [_BESIDE if is_between else " ?", _word(word)]
    return "".join(parts)


def _word(word: str) -> str:
    if len(word) < _SPACED_FROM or not word.isalpha():
        return re.escape(word)
    return rf"(?:{word}|(?<![^\W_]){_LETTER_BY_LETTER.join(word)}(?![^\W_]))"


def _with_places(text: str) -> tuple[str, list[int]]:
    """A text folded, and where each of its characters came from; the text's end comes last."""
    low: list[str] = []
    came_from: list[int] = []
    for place, character in enumerate(text):
        for one in _LETTERS[ord(character)]:
            if one != " " or low[-1:] != [" "]:
                low.append(one)
                came_from.append(place)
    return "".join(low), [*came_from, len(text)]


def digits_of(low: str) -> str:
    """The digits of a folded text that is one long number and nothing else, or empty."""
    return _NOT_DIGITS.sub("", low) if _NUMBER.fullmatch(low) else ""
