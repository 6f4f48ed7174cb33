"""Mistakes as a page shows them: beside their inputs, and listed at the top in the page's order.

Each names its question, in the list too; what is wrong in the same way at the same input is said
once, with a count.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.site.schema import CategoryForm, Field
    from gateway.site.values import FieldError
    from gateway.site.words import Words

EXAMPLE_DATE = "22/11/2026"
EXAMPLE_TIME = "22/11/2026 14:30"
_EXAMPLES = {"error.amount": "1500,50", "error.email": "name@example.org"}
# Questions that stand in no category's form.
_OTHERS = {
    "danger_now": "field.danger_now",
    "category": "field.category",
    "code": "thread.code",
    "text": "talk.text",
    "originals_sure": "files.originals",
}


@dataclass(frozen=True, slots=True)
class ShownError:
    """One mistake; ``order`` is its place on the page, ``count`` how often it was made there."""

    name: str
    key: str
    facts: dict[str, object] = field(default_factory=dict)
    label: Markup | str = ""
    order: tuple[int, ...] = ()
    count: int = 1


@dataclass(frozen=True, slots=True)
class Place:
    """Which question an input belongs to, which line and which part of it."""

    order: tuple[int, ...]
    asked: Field
    row: int | None = None
    column: Field | None = None

    def label(self, words: Words) -> Markup:
        """Name the question, and the part of it: ``Payments, Line 2, Sum``."""
        parts = [words(*self.asked.keys("field"))]
        if self.row is not None:
            parts.append(words("write.row", number=self.row + 1))
        if self.column is not None:
            parts.append(words(*self.column.keys("field")))
        return Markup(" › ").join(parts)


def place(form: CategoryForm, name: str) -> Place | None:
    """Find the question of an input by its name; None for what belongs to no question."""
    for at, asked in enumerate(form.fields()):
        if name == asked.id:
            return Place((at,), asked)
        if name.startswith(f"{asked.id}-"):
            *rows, last = name.removeprefix(f"{asked.id}-").split("-")
            for number, column in enumerate(asked.columns):
                if column.id == last:
                    row = int(rows[0]) if rows else None
                    return Place((at, row or 0, number), asked, row, column)
            return Place((at,), asked)
    return None


def shown(
    errors: Iterable[FieldError], words: Words, form: CategoryForm | None = None
) -> tuple[ShownError, ...]:
    """Give the errors their question's words, their place, and what their sentences need."""
    found = []
    for error in errors:
        at = None if form is None else place(form, error.name)
        label: Markup | str = ""
        if at is not None:
            label = at.label(words)
        elif error.name in _OTHERS:
            label = words(_OTHERS[error.name])
        facts = {"example": _EXAMPLES.get(error.key, EXAMPLE_DATE), **error.facts}
        if form is not None and "controller" in facts:
            facts |= _words_of_condition(facts, words, form)
        found.append(
            ShownError(error.name, error.key, facts, label, () if at is None else at.order)
        )
    return collapsed(found)


def collapsed(errors: Iterable[ShownError]) -> tuple[ShownError, ...]:
    """Say once what is the same at the same input, and how often."""
    kept: dict[tuple[object, ...], ShownError] = {}
    counts: Counter[tuple[object, ...]] = Counter()
    for one in errors:
        same = (one.name, one.key, one.label, repr(one.facts))
        kept.setdefault(same, one)
        counts[same] += 1
    return tuple(replace(one, count=counts[same]) for same, one in kept.items())


def quoted(words: Words, answers: Iterable[Markup], between: Markup) -> Markup:
    """Put each answer into quotation marks of its own."""
    return between.join(words("write.quoted", answer=answer) for answer in answers)


def _words_of_condition(
    facts: dict[str, object], words: Words, form: CategoryForm
) -> dict[str, object]:
    """Fill in which answer switches off the inputs in which something stands."""
    controller = form.question(str(facts["controller"]))
    filled = [place(form, name) for name in str(facts["filled"]).split()]
    labels = [words(*(at.column or at.asked).keys("field")) for at in filled if at is not None]
    said: dict[str, object] = {
        "filled": quoted(words, dict.fromkeys(labels), words("write.comma")),
        "question": words(*controller.keys("field")),
    }
    if facts["chosen"]:
        said["answer"] = words(*controller.option_keys(str(facts["chosen"])))
    return said
