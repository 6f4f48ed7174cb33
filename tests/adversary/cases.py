"""All cases: a real file, one hiding place, one spelling of a word that is nowhere else.

Rule: a family's module has ``PLACES``, from a place in a few words to the suffix of its file and
how it is made, and ``REFUSABLE``, those of them where no two decoders agree on what is shown, so
that a refusal is as good; it may have ``REFUSED``, from those that must be refused to how the
reason begins.  Which word is planted, and how it is spelled, is decided here: no two
files share one.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType

from tests.adversary.words import SPELLINGS, Word, canary, positions, unseen
from tests.support.leaks import leaks

Build = Callable[[Word], bytes]
"""Plants a word: the file in bytes."""


@dataclass(frozen=True)
class Case:
    """One file, made when it is asked for."""

    family: str
    suffix: str
    place: str
    word: Word
    build: Build
    is_refusable: bool
    refused_as: str = ""
    """How the reason begins for which the file must be refused; empty: it need not be."""

    @property
    def name(self) -> str:
        """A file's name that says what it is."""
        told = "".join(letter if letter.isalnum() else "_" for letter in self.place)
        return f"{self.family}/{self.suffix}_{told.strip('_')}.{self.suffix}"

    @functools.cached_property
    def data(self) -> bytes:
        """The dirty file."""
        return self.build(self.word)

    @property
    def has_number(self) -> bool:
        """Tell whether the word stands there as a number alone, where no text search finds it."""
        return not leaks(self.word.canary, self.data) and not self.has_position

    @property
    def has_position(self) -> bool:
        """Tell whether a GPS position was planted."""
        return any(place in self.data for place in positions())

    def told_by(self, data: bytes) -> set[str]:
        """Return what ``data``, this file or what a cleaner made of it, tells of the planted."""
        found = leaks(self.word.canary, data)
        found |= {"a number" for code in self.word.numbers() if code in data}
        found |= {"signs without a shape" for code in unseen(self.word.canary) if code in data}
        found |= {"a position" for code in positions() if code in data}
        return found


def of(name: str, family: ModuleType) -> Iterator[Case]:
    """Yield the cases of one family."""
    places: dict[str, tuple[str, Build]] = family.PLACES
    refused: dict[str, str] = getattr(family, "REFUSED", {})
    for number, (place, (suffix, build)) in enumerate(places.items()):
        word = Word(canary(f"{name} {suffix} {place}"), SPELLINGS[number % len(SPELLINGS)])
        is_refusable = place in family.REFUSABLE
        yield Case(name, suffix, place, word, build, is_refusable, refused.get(place, ""))
