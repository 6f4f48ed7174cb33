"""English sentences that remember what they were made of, so that a page can say them otherwise.

Rule: the engine speaks English, and whoever prints what it says gets plain text.  What is filled
into a sentence stays apart from it: a page in another language translates the sentence, never the
fact, and nobody has to look for our words in a text that may hold a stranger's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Sentence(str):
    """`Sentence("linked it with {ref}", ref=ref)`: reads as the English sentence, filled in."""

    __slots__ = ("facts", "pattern")
    pattern: str
    facts: Mapping[str, object]

    def __new__(cls, pattern: str, /, **facts: object) -> Self:
        """Fill the facts into the pattern; without any it stands as it is."""
        made = super().__new__(cls, pattern.format(**facts) if facts else pattern)
        made.pattern, made.facts = pattern, facts
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, object]]:
        """A copy is made as this one was."""
        return (self.pattern,), dict(self.facts)


class Worded(str):
    """What the institution's rules name: reads in one language, and knows its words in all."""

    __slots__ = ("words",)
    words: Mapping[str, str]

    def __new__(cls, words: Mapping[str, str], language: str = "en") -> Self:
        """Read in a language, or in English where that is none of the rules'."""
        made = super().__new__(cls, words.get(language, words["en"]))
        made.words = words
        return made

    def __getnewargs__(self) -> tuple[Mapping[str, str]]:  # type: ignore[override]  # not str's own
        """A copy is made of the same words."""
        return (self.words,)


class Label(str):
    """What an id reads as: ours where the id is one of ours, and else made of the id."""

    __slots__ = ()


class Several(str):
    """Things said one after the other: `Several("; ", reasons)`; `capital`: they begin a sentence.

    `separator` is `", "` or `"; "` or `" and "`, which each language writes in its own way.
    """

    __slots__ = ("capital", "items", "separator")
    separator: str
    items: tuple[str, ...]
    capital: bool

    def __new__(cls, separator: str, items: Iterable[str], *, capital: bool = False) -> Self:
        """Join them as English does."""
        several = tuple(items)
        joined = separator.join(several)
        made = super().__new__(cls, f"{joined[:1].upper()}{joined[1:]}" if capital else joined)
        made.separator, made.items, made.capital = separator, several, capital
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[str, tuple[str, ...]], dict[str, bool]]:
        """A copy is made as this one was."""
        return (self.separator, self.items), {"capital": self.capital}


class Counted(str):
    """A number of things: `Counted(2, "case")` reads `2 cases`."""

    __slots__ = ("number", "one")
    number: int
    one: str

    def __new__(cls, number: int, one: str) -> Self:
        """Add the English plural's `s` where there is not exactly one."""
        made = super().__new__(cls, f"{number} {one}" if number == 1 else f"{number} {one}s")
        made.number, made.one = number, one
        return made

    def __getnewargs__(self) -> tuple[int, str]:  # type: ignore[override]  # not str's own
        """A copy is made as this one was."""
        return self.number, self.one


class Sized(str):
    """A length in bytes as a person reads it, which remembers how many there are."""

    __slots__ = ("length",)
    length: int

    def __new__(cls, text: str, length: int) -> Self:
        """`text` is what English says of the length."""
        made = super().__new__(cls, text)
        made.length = length
        return made

    def __getnewargs__(self) -> tuple[str, int]:  # type: ignore[override]  # not str's own
        """A copy is made as this one was."""
        return str(self), self.length


def reason(error: BaseException) -> Sentence:
    """An error's message as it was raised; `str()` would make plain text of a sentence."""
    first = error.args[0] if error.args else ""
    return first if isinstance(first, Sentence) else Sentence(str(error))
