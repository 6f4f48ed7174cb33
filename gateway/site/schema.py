"""The form as values: categories, sections, questions, advice.  Read by ``form_reader``, frozen.

An institution edits the data (gateway/forms/categories.json, docs/FORMS.md), never this code.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROWS = "list:rows"
CHOICES = frozenset({"radio", "select", "checks"})
SINGLE = frozenset(
    {"text", "textarea", "url", "phone", "email", "digits", "decimal"}
    | {"approx_date", "approx_datetime"}
)
LISTS = frozenset({"list:url", "list:phone", "list:text"})
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Condition:
    """True where the answer to ``field``, or one of several, is one of ``values``.

    ``line`` is where it stands in the data.
    """

    field: str
    values: tuple[str, ...]
    line: int = dataclasses.field(default=0, compare=False, repr=False)

    def holds(self, answers: Mapping[str, object]) -> bool:
        """Judge typed answers; a field without an answer never holds."""
        found = answers.get(self.field)
        several = found if isinstance(found, list) else [found]
        return any(one in self.values for one in several)


@dataclass(frozen=True, slots=True)
class Field:
    """One question.  ``min`` and ``max`` are characters, ``max_items`` rows; ids name inputs.

    ``line`` is where it stands in the data, for what is wrong with it.
    """

    id: str
    type: str
    scope: tuple[str, ...] = ()
    required: bool = False
    options: tuple[str, ...] = ()
    vocabulary: str = ""
    unknown: bool = False
    min: int = 0
    max: int = 1000
    max_items: int = 1
    columns: tuple[Field, ...] = ()
    show_if: Condition | None = None
    unless_given: tuple[str, ...] = ()
    ongoing: bool = False
    ltr: bool = False
    default: str = ""
    seal: str = "operators"
    one_of: tuple[str, ...] = ()
    folded: bool = False
    line: int = field(default=0, compare=False, repr=False)

    def keys(self, kind: str) -> tuple[str, ...]:
        """Catalogue keys of its words, the most particular first: ``field.fraud.amount``."""
        return (*(f"{kind}.{owner}.{self.id}" for owner in self.scope[-1:]), f"{kind}.{self.id}")

    def option_keys(self, value: str) -> tuple[str, ...]:
        """Catalogue keys of an option's words, the most particular first."""
        shared = (f"option.{self.vocabulary}.{value}",) if self.vocabulary else ()
        return (*(f"{key}.{value}" for key in self.keys("option")), *shared, f"option.{value}")

    def about_keys(self, value: str) -> tuple[str, ...]:
        """Catalogue keys of what an option means, where that is said."""
        return tuple(f"{key}.{value}" for key in self.keys("about"))


@dataclass(frozen=True, slots=True)
class Section:
    """A group of questions under one heading."""

    id: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """Advice that is shown where an answer calls for it, with the emergency numbers if urgent."""

    id: str
    condition: Condition
    numbers: bool = False


@dataclass(frozen=True, slots=True)
class CategoryForm:
    """Everything that one category asks.  ``line`` is where it stands in the data."""

    id: str
    sections: tuple[Section, ...]
    cards: tuple[Card, ...] = ()
    files: bool = True
    no_files_if: Condition | None = None
    files_note: bool = False
    help: tuple[str, ...] = ()
    line: int = field(default=0, compare=False, repr=False)

    def fields(self) -> Iterator[Field]:
        """All questions in the order of the page."""
        for section in self.sections:
            yield from section.fields

    def question(self, name: str) -> Field:
        """Return a question that is known to be there, as a checked condition names it."""
        return next(one for one in self.fields() if one.id == name)

    def cards_for(self, answers: Mapping[str, object]) -> tuple[Card, ...]:
        """The advice that these answers call for."""
        return tuple(card for card in self.cards if card.condition.holds(answers))

    def files_allowed(self, answers: Mapping[str, object]) -> bool:
        """Whether files may be received with these answers; checked again by the server."""
        forbidden = self.no_files_if is not None and self.no_files_if.holds(answers)
        return self.files and not forbidden


@dataclass(frozen=True, slots=True)
class FormSchema:
    """All categories, and the version that travels inside every sealed report.

    ``words`` are the institution's own sentences, by key and language; they come before ours.
    """

    version: int
    categories: tuple[CategoryForm, ...]
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)

    def category(self, untrusted: str) -> CategoryForm | None:
        """Return the form of a category, or None for a name that is none."""
        return next((form for form in self.categories if form.id == untrusted), None)
