"""Make texts alike that a reader would take for the same, so that a search finds them.

Rule: folding forgets capitals, accents, vowel signs, ways to write a letter or a digit, and what
is invisible; it never forgets a letter.  It is for finding alone: nothing folded is ever shown.

```
Arabic     no vowel signs, no tatweel; أ إ آ ٱ → ا   ى ی ئ → ي   ؤ → و   ة → ه
           گ ک ڭ ݣ → ك   ڤ → ف   پ → ب   چ → ج
digits     of every script → 0 to 9
Tifinagh   the letters of regional spellings → those of the standard one   ⴲ → ⴱ   ⵗ → ⵖ   ⵝ → ⵜ
others     no accents, no capitals, ligatures and full width as single letters; ’ ‘ ʼ ´ ′ ` → '
```
"""

from __future__ import annotations

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
        "ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ı": "i", "œ": "oe", "æ": "ae",
        # Apostrophes, and what is typed for one
        "’": "'", "‘": "'", "ʼ": "'", "´": "'", "′": "'", "`": "'",
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
_BESIDE = 3
"""Signs at most between two runs of letters or digits, as in a name of somebody's mailbox."""
_LETTER_BY_LETTER = rf"{_SIGN}{{1,3}}"
_SPACED_FROM = 3
"""Letters and digits of a phrase whose words are looked for letter by letter, too, and whose first
and last signs need not stand there: two letters are any two words."""
_RUNS = re.compile(rf"\d(?:{_APART}\d)*|[^\W\d_]+|▮+")
"""What a phrase holds besides signs: a number, the letters of a word, or the blocks of a copy."""


class _Letters(dict[int, str]):
    """What each character becomes; worked out once for each that was ever met."""

    def __missing__(self, code: int) -> str:
        # Before it is taken apart, too: an acute accent alone would be a space by then.
        taken_apart = unicodedata.normalize("NFKD", chr(code).translate(_SAME))
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
    is_plain = text.isascii() and text.isprintable() and "`" not in text
    low = text.lower() if is_plain else text.translate(_LETTERS)
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

    What is alike to a search is alike here, a number in whichever groups, and words and numbers
    with a space, a few signs or nothing between them, whichever of these was typed, or a word
    written letter by letter.  Each place reaches over the signs and the invisible characters after
    its last letter: none of them is left to tell of it.  Places that overlap are one: who counts
    them counts what goes, and never more than stood there.
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
    """What finds a folded phrase in a folded text.

    What follows a sign that may be there or not is never a sign itself: one way alone leads through
    each text, and no time is spent on others.
    """
    runs = list(_RUNS.finditer(wanted))
    if not runs:
        return _as_typed(wanted)
    is_spaced = sum(map(str.isalnum, wanted)) >= _SPACED_FROM
    may_lack = "?" if is_spaced else ""
    first, last, at = wanted[: runs[0].start()], wanted[runs[-1].end() :], 0
    plus = ""
    if runs[0][0][0].isdigit():
        first, plus = first.removesuffix("+"), r"\+?"
    parts = [f"(?:{_as_typed(first)}){may_lack}", plus]
    for run in runs:
        if at:
            # As many as were typed are found in any case.
            parts.append(rf"{_SIGN}{{0,{max(_BESIDE, run.start() - at)}}}")
        parts.append(_run(run[0], is_spaced=is_spaced))
        at = run.end()
    return "".join([*parts, f"(?:{_as_typed(last)}){may_lack}"])


def _as_typed(signs: str) -> str:
    return " ?".join(map(re.escape, signs.split(" ")))


def _run(run: str, *, is_spaced: bool) -> str:
    """What finds a number, or a word; both begin with what is no sign."""
    if run[0].isdigit():
        return _APART.join(_NOT_DIGITS.sub("", run))
    if not is_spaced or len(run) == 1:
        return run
    return rf"(?:{run}|(?<![^\W\d_]){_LETTER_BY_LETTER.join(run)}(?![^\W\d_]))"


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
