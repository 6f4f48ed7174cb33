"""What the form's templates ask for: one page's words, what was typed, what is wrong where."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markupsafe import Markup

from gateway.site.answers import row_count
from gateway.site.bidi import isolated, prose
from gateway.site.files import copies
from gateway.site.mistakes import EXAMPLE_DATE, EXAMPLE_TIME, ShownError, collapsed, quoted
from gateway.site.removed import sentence
from gateway.site.schema import LISTS
from gateway.site.sending import for_script, refusal_facts, times
from gateway.site.values import LINE_SHOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.datastructures import MultiDict

    from crypto.ids import EnvelopeId
    from gateway.handed import StagedFile
    from gateway.site.files import RefusedFile
    from gateway.site.help import HelpLines
    from gateway.site.schema import Card, CategoryForm, Field
    from gateway.site.words import Words

_INPUT_MODES = {
    "phone": "tel",
    "list:phone": "tel",
    "email": "email",
    "digits": "numeric",
    "decimal": "decimal",
}
_LEFT_TO_RIGHT = frozenset(
    {"url", "list:url", "phone", "list:phone", "email", "digits", "decimal", "money"}
    | {"approx_date", "approx_datetime"}
)


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
    def copies(self) -> list[StagedFile]:
        """The clean copies that arrived."""
        return copies(self.files)

    @property
    def with_original(self) -> frozenset[EnvelopeId]:
        """Those clean copies whose untouched original lies beside them."""
        return frozenset(one.original_of for one in self.files if one.original_of is not None)

    @property
    def removed(self) -> Markup | None:
        """What was taken out of the files that arrived, in one sentence."""
        return sentence(self.t, self.copies)

    @property
    def all_errors(self) -> list[ShownError]:
        """Everything that is wrong, refused files included, in the order of the page."""
        return sorted([*self.errors, *self.refused_files], key=lambda one: one.order)

    @property
    def limits(self) -> Markup:
        """What may be less long than the longest file."""
        facts = refusal_facts(self.t, file_bytes=self.file_bytes, files_most=self.files_most)
        return self.t("files.limits", text=facts["text_size"], pdf=facts["pdf_size"])

    @property
    def times(self) -> Markup:
        """How long a file takes on the way, from the limits."""
        return times(self.t, self.file_bytes)

    @property
    def sending(self) -> str:
        """What the script needs that sends files in pieces."""
        return for_script(self.t, None, file_bytes=self.file_bytes, files_most=self.files_most)

    @property
    def refused_files(self) -> tuple[ShownError, ...]:
        """Each file that was not kept, by the person's own name for it, and why."""
        facts = refusal_facts(self.t, file_bytes=self.file_bytes, files_most=self.files_most)
        return collapsed(
            ShownError(
                "evidence", f"refused.{one.reason}", facts, isolated(one.name), self.files_order
            )
            for one in self.refused
        )

    @property
    def files_order(self) -> tuple[int, ...]:
        """Where on the page files are chosen: after everything else."""
        return (sys.maxsize,)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView(FilesView):
    """The conversation's form; ``text`` is what was typed in this request, never from storage."""

    text: str = field(default="", repr=False)

    @staticmethod
    def prose(text: str) -> Markup:
        """What an operator wrote, each number in its own order also inside Arabic."""
        return prose(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormView(FilesView):
    """The write form of one category."""

    form: CategoryForm
    typed: MultiDict[str, str] = field(repr=False)
    danger: bool = False
    destroyed: bool = False
    hours: int
    grown: str = ""
    kept: str = field(default="", repr=False)
    originals: bool = False
    originals_doubted: bool = False
    help: HelpLines
    cards: Sequence[Card] = ()

    @property
    def sending(self) -> str:
        """What the script needs; here also which answers decide whether a file may be sent."""
        return for_script(self.t, self.form, file_bytes=self.file_bytes, files_most=self.files_most)

    @property
    def files_order(self) -> tuple[int, ...]:
        """Where on the page files are chosen."""
        return next(((at,) for at, one in enumerate(self.form.fields()) if one.type == "files"), ())

    def label(self, asked: Field) -> Markup:
        """The question's words."""
        return self.t(*asked.keys("field"))

    def hint(self, asked: Field) -> Markup | str:
        """Advice under the question, where there is any."""
        found = self.t.find(
            *asked.keys("hint"),
            example=EXAMPLE_DATE,
            example_time=EXAMPLE_TIME,
            least=self.t.number(asked.min),
            most=self.t.number(asked.max),
            **self.help.facts,
        )
        if found is None and asked.type == "approx_date":
            found = self.t("hint.when", example=EXAMPLE_DATE)
        return found or ""

    def only_if(self, asked: Field) -> Markup | str:
        """A plain sentence where a script would hide the question."""
        if asked.show_if is None:
            return ""
        other = self.form.question(asked.show_if.field)
        answers = [self.t(*other.option_keys(value)) for value in asked.show_if.values]
        either = quoted(self.t, answers, Markup(" {} ").format(self.t("write.or")))
        return self.t("write.only_if", question=self.label(other), answers=either)

    def options(self, asked: Field) -> list[tuple[str, Markup, Markup | str]]:
        """(value, words, what it means) of each option."""
        return [
            (value, self.t(*asked.option_keys(value)), self.t.find(*asked.about_keys(value)) or "")
            for value in asked.options
        ]

    def chosen(self, asked: Field) -> str | list[str]:
        """What was chosen so far, or the default."""
        if asked.type == "checks":
            return self.typed.getlist(asked.id)
        return self.typed.get(asked.id, asked.default)

    def value(self, name: str) -> str:
        """What was typed into one input."""
        return self.typed.get(name, "")

    @staticmethod
    def line(text: str) -> str:
        """What is shown again of one line; ``error.far_too_long`` says so where it is less."""
        return text[:LINE_SHOWN]

    def rows(self, asked: Field) -> int:
        """How many rows to show: those there were, and one more where that was asked."""
        more = 1 if self.grown == asked.id else 0
        return min(row_count(asked, self.typed) + more, asked.max_items)

    def lines(self, asked: Field, name: str) -> list[str]:
        """The inputs of a simple list, with what was typed; at least one."""
        typed = self.typed.getlist(name)
        if len(typed) > asked.max_items:
            # No page of ours sends so many; each would come back as an input of its own.
            typed = [text for text in typed if text.strip()]
        more = [""] if self.grown == name or not typed else []
        return (typed + more)[: asked.max_items]

    def unfolded(self, asked: Field) -> bool:
        """Whether a folded question must be open: something stands in it, or is wrong in it."""
        inside = re.compile(rf"{asked.id}-")
        grown = inside.match(self.grown + "-") is not None
        typed = any(inside.match(name) and value for name, value in self.typed.items())
        return grown or typed or any(inside.match(one.name + "-") for one in self.errors)

    def focused(self, name: str) -> bool:
        """Whether this input is the line that was just asked for: there the writing goes on."""
        if self.refused or not self.grown:
            return False
        asked = next((one for one in self.form.fields() if one.id == self.grown), None)
        if asked is None or not asked.columns:
            return name == self.grown
        return name == f"{asked.id}-{self.rows(asked) - 1}-{asked.columns[0].id}"

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
