"""What the form's templates ask for: one page's words, what was typed, what is wrong where."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markupsafe import Markup

from gateway.site.answers import row_count
from gateway.site.context import size_text
from gateway.site.schema import LISTS
from gateway.site.words import isolated

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from werkzeug.datastructures import MultiDict

    from gateway.intake import StagedFile
    from gateway.site.files import RefusedFile
    from gateway.site.schema import CategoryForm, Field
    from gateway.site.values import FieldError
    from gateway.site.words import Words

EXAMPLE_DATE = "22/11/2026"
EXAMPLE_TIME = "22/11/2026 14:30"
EXAMPLE_SUM = "1500,50"
_EXAMPLES = {"error.amount": EXAMPLE_SUM}
_INPUT_MODES = {"phone": "tel", "list:phone": "tel", "digits": "numeric", "decimal": "decimal"}
_LEFT_TO_RIGHT = frozenset(
    {"url", "list:url", "phone", "list:phone", "digits", "decimal", "money"}
    | {"approx_date", "approx_datetime"}
)


@dataclass(frozen=True, slots=True)
class ShownError:
    """One mistake as the page shows it: beside its input, and in the list at the top."""

    name: str
    key: str
    facts: dict[str, object]
    label: Markup | str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesView:
    """What a page with a file field shows.  Sizes in bytes."""

    t: Words
    token: str = field(repr=False)
    files: Sequence[StagedFile] = ()
    refused: Sequence[RefusedFile] = ()
    errors: Sequence[ShownError] = ()
    file_bytes: int
    files_most: int

    @property
    def all_errors(self) -> list[ShownError]:
        """Everything that is wrong, refused files included, for the list at the top."""
        facts: dict[str, object] = {"size": size_text(self.file_bytes), "most": self.files_most}
        refused = [
            ShownError("evidence", f"refused.{one.reason}", facts, isolated(one.name))
            for one in self.refused
        ]
        return [*self.errors, *refused]

    @staticmethod
    def size(count: int) -> str:
        """Return a size as people read it."""
        return size_text(count)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView(FilesView):
    """The conversation's form; ``text`` is what was typed in this request, never from storage."""

    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormView(FilesView):
    """The write form of one category."""

    form: CategoryForm
    typed: MultiDict[str, str] = field(repr=False)
    danger: bool = False
    destroyed: bool = False
    hours: int
    grown: str = ""

    def label(self, asked: Field) -> Markup:
        """The question's words."""
        return self.t(*asked.keys("field"))

    def hint(self, asked: Field) -> Markup | str:
        """Advice under the question, where there is any."""
        found = self.t.find(*asked.keys("hint"), example=EXAMPLE_DATE, example_time=EXAMPLE_TIME)
        if found is None and asked.type == "approx_date":
            found = self.t("hint.when", example=EXAMPLE_DATE)
        return found or ""

    def only_if(self, asked: Field) -> Markup | str:
        """A plain sentence where a script would hide the question."""
        if asked.show_if is None:
            return ""
        other = next(one for one in self.form.fields() if one.id == asked.show_if.field)
        answers = [self.t(*other.option_keys(value)) for value in asked.show_if.values]
        joined = Markup(" {} ").format(self.t("write.or")).join(answers)
        return self.t("write.only_if", question=self.label(other), answers=joined)

    def options(self, asked: Field) -> list[tuple[str, Markup, str]]:
        """(value, words, more) of each option."""
        return [(value, self.t(*asked.option_keys(value)), "") for value in asked.options]

    def chosen(self, asked: Field) -> str | list[str]:
        """What was chosen so far, or the default."""
        if asked.type == "checks":
            return self.typed.getlist(asked.id)
        return self.typed.get(asked.id, asked.default)

    def value(self, name: str) -> str:
        """What was typed into one input."""
        return self.typed.get(name, "")

    def rows(self, asked: Field) -> int:
        """How many rows to show: those there were, and one more where that was asked."""
        more = 1 if self.grown == asked.id else 0
        return min(row_count(asked, self.typed) + more, asked.max_items)

    def lines(self, asked: Field, name: str) -> list[str]:
        """The inputs of a simple list, with what was typed; at least one."""
        typed = self.typed.getlist(name) or [""]
        more = [""] if self.grown == name else []
        return (typed + more)[: max(asked.max_items, len(typed))]

    def unfolded(self, asked: Field) -> bool:
        """Whether a folded question must be open: something stands in it, or is wrong in it."""
        inside = re.compile(rf"{asked.id}-")
        grown = inside.match(self.grown + "-") is not None
        typed = any(inside.match(name) and value for name, value in self.typed.items())
        return grown or typed or any(inside.match(one.name + "-") for one in self.errors)

    def can_grow(self, asked: Field, name: str) -> bool:
        """Whether one more row may be asked for."""
        if asked.type in LISTS:
            return len(self.lines(asked, name)) < asked.max_items
        return self.rows(asked) < asked.max_items

    @staticmethod
    def attributes(asked: Field) -> Markup:
        """Direction and keyboard of a text input.

        No ``maxlength``: a browser would cut what is pasted without a word.
        """
        left = asked.ltr or asked.type in _LEFT_TO_RIGHT
        direction = Markup(' dir="{}"').format("ltr" if left else "auto")
        mode = _INPUT_MODES.get(asked.type)
        if mode is None:
            return direction
        return direction + Markup(' inputmode="{}"').format(mode)


def shown(
    errors: Iterable[FieldError], form: CategoryForm | None = None, words: Words | None = None
) -> tuple[ShownError, ...]:
    """Give the errors the label of their question, and the examples that their sentences need."""
    found = []
    for error in errors:
        asked = None
        if form is not None:
            asked = next(
                (
                    one
                    for one in form.fields()
                    if error.name == one.id or error.name.startswith(f"{one.id}-")
                ),
                None,
            )
        label = words(*asked.keys("field")) if words is not None and asked is not None else ""
        facts = {"example": _EXAMPLES.get(error.key, EXAMPLE_DATE), **error.facts}
        found.append(ShownError(error.name, error.key, facts, label))
    return tuple(found)
