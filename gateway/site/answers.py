"""What was posted, made into typed answers: (1) names, (2) values, (3) pruning, (4) requirements.

Unknown names are refused, answers to questions that do not apply are pruned, and every mistake is
collected so that the person sees all of them at once with everything they typed.  What was written
where another answer says that nothing is asked is such a mistake: it is never dropped in silence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from werkzeug.datastructures import MultiDict

from gateway.site import values
from gateway.site.schema import LISTS, ROWS, SINGLE, UNKNOWN, CategoryForm, Condition, Field
from gateway.site.values import BadValue, FieldError, clean_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Posted = MultiDict[str, str]

# What the form itself sends beside the questions.
PAGE_NAMES = frozenset(
    {"stay", "token", "category", "action", "more", "drop", "originals", "originals_sure"}
    | {"work", "asked", "kept"}
)
YES = "yes"
# Answers of one form only: where a person writes that they do not know, they are left empty.
FACTS = SINGLE - {"text", "textarea"} | {"list:url", "list:phone", "money"}
IDENTITY_SEAL = "identity"


@dataclass(frozen=True, slots=True)
class Answers:
    """Typed answers; ``fields`` for the operators, ``sealed_apart`` for the custodians alone."""

    fields: dict[str, object] = field(repr=False)
    sealed_apart: dict[str, object] = field(repr=False)
    errors: tuple[FieldError, ...]

    @property
    def identity_mode(self) -> str:
        """One of ``anonymous contact_only full_identity``."""
        return str(self.fields.get("identity_mode", "anonymous"))


def row_count(asked: Field, posted: Posted) -> int:
    """How many rows of a list the person's page had (at least one, at most what is allowed)."""
    if asked.type in LISTS:
        return min(max(1, len(posted.getlist(asked.id))), asked.max_items)
    pattern = re.compile(rf"{asked.id}-(\d{{1,3}})-")
    indices = [int(found[1]) for name in posted if (found := pattern.match(name))]
    return min(max(indices, default=0) + 1, asked.max_items)


def filled_inputs(asked: Field, posted: Posted) -> list[str]:
    """Names of a question's inputs in which something stands.

    A radio button does not count: once pressed, no browser without a script lets go of it.  Nor
    does a currency: one of them is always chosen.
    """
    names = [asked.id]
    if asked.type == ROWS:
        rows = range(row_count(asked, posted))
        names = [f"{asked.id}-{row}-{column.id}" for row in rows for column in asked.columns]
    elif asked.type == "group":
        names = [f"{asked.id}-{column.id}" for column in asked.columns]
    elif asked.type == "radio":
        names = []
    elif asked.ongoing:
        names.append(f"{asked.id}-ongoing")
    return [name for name in names if any(text.strip() for text in posted.getlist(name))]


def _left_over(
    name: str, filled: list[str], condition: Condition, found: dict[str, object]
) -> Iterator[FieldError]:
    """What was written where the answer to another question says that nothing is asked."""
    if filled:
        chosen = found.get(condition.field, "")
        key = "error.left_over" if chosen else "error.left_over_open"
        facts = {"controller": condition.field, "chosen": chosen, "filled": " ".join(filled)}
        yield FieldError(name, key, facts)


def input_names(form: CategoryForm) -> re.Pattern[str]:
    """All names that a form may post: anything else is refused."""
    names = [name for asked in form.fields() for name in _names(asked)]
    return re.compile("(?:" + "|".join((*PAGE_NAMES, *names)) + r")\Z")


def _single_names(form: CategoryForm) -> re.Pattern[str]:
    """Names of inputs that a page sends once: all but lists and boxes of one question."""
    names = [
        name
        for asked in form.fields()
        if asked.type not in {"checks", *LISTS}
        for name in _names(asked)
    ]
    several = [
        f"{asked.id}-{column.id}"
        for asked in form.fields()
        for column in asked.columns
        if column.type in LISTS
    ]
    return re.compile(f"(?!(?:{'|'.join(several) or '-'})\\Z)(?:{'|'.join(names) or '-'})\\Z")


def _repeated(posted: Posted) -> Iterator[str]:
    """Names of inputs for which different texts came."""
    return (name for name, said in posted.lists() if len(set(said)) > 1)


def _names(asked: Field) -> Iterator[str]:
    if asked.type == ROWS:
        columns = "|".join(column.id for column in asked.columns)
        most = asked.max_items - 1
        digits = "|".join(str(index) for index in range(most + 1))
        yield f"{asked.id}-(?:{digits})-(?:{columns})"
    elif asked.type == "group":
        for column in asked.columns:
            yield f"{asked.id}-{column.id}"
    elif asked.type not in {"files", "notice"}:
        yield asked.id
    if asked.unknown and not asked.options:
        yield f"{asked.id}-unknown"
    if asked.type == "money":
        yield f"{asked.id}-currency"
    if asked.ongoing:
        yield f"{asked.id}-ongoing"


class AnswerReader:
    """Reads posts for one category; made once, used by any number of requests."""

    def __init__(self, form: CategoryForm) -> None:
        self.form = form
        self._names = input_names(form)
        self._single = _single_names(form)

    def knows(self, name: str) -> bool:
        """Whether the form has an input of this name."""
        return self._names.match(name) is not None

    def read(self, posted: Posted) -> Answers:
        """Give the typed answers and all mistakes; never raises for what a person can type."""
        errors = [
            FieldError("", "error.unknown_field") for name in posted if not self._names.match(name)
        ][:1]
        if not errors and any(self._single.match(name) for name in _repeated(posted)):
            # No page of ours says two things at once: which one was meant is asked, not guessed.
            errors.append(FieldError("", "error.unknown_field"))
        found: dict[str, object] = {}
        asked_here: list[Field] = []
        for asked in self.form.fields():
            # (3) Pruned: a question that does not apply has no answer, whatever was posted.
            if asked.show_if is not None and not asked.show_if.holds(found):
                errors += _left_over(asked.id, filled_inputs(asked, posted), asked.show_if, found)
                continue
            asked_here.append(asked)
            value = _read_field(asked, posted, found, errors)
            if value is not None:
                found[asked.id] = value
        errors += _requirements(asked_here, found, {error.name for error in errors})
        apart = {asked.id for asked in asked_here if asked.seal == IDENTITY_SEAL}
        return Answers(
            fields={name: value for name, value in found.items() if name not in apart},
            sealed_apart={name: value for name, value in found.items() if name in apart},
            errors=tuple(errors),
        )


def _requirements(
    asked_here: list[Field], found: dict[str, object], wrong: set[str]
) -> Iterator[FieldError]:
    """(4) What must be there.  An input that is wrong already is not reported a second time."""
    for asked in asked_here:
        if not asked.required or asked.id in found:
            continue
        if any(name == asked.id or name.startswith(f"{asked.id}-") for name in wrong):
            continue
        # Not to know an address is no address.
        if any(found.get(other, UNKNOWN) != UNKNOWN for other in asked.unless_given):
            continue
        yield FieldError(_first_input(asked), _missing_key(asked))


def _first_input(asked: Field) -> str:
    if asked.type == ROWS:
        return f"{asked.id}-0-{asked.columns[0].id}"
    return asked.id


def _missing_key(asked: Field) -> str:
    if asked.type == "checkbox":
        return "error.tick"
    if asked.options:
        return "error.choose"
    if asked.unless_given:
        return "error.describe" if asked.type == "textarea" else "error.address"
    return "error.required"


def _read_field(
    asked: Field, posted: Posted, found: dict[str, object], errors: list[FieldError]
) -> object | None:
    """(2) One question's typed answer, or None where there is none; mistakes go to ``errors``."""
    if asked.unknown and not asked.options and posted.get(f"{asked.id}-unknown"):
        if filled_inputs(asked, posted):
            errors.append(FieldError(asked.id, "error.unknown_filled"))
        return UNKNOWN
    if asked.type == "group":
        return _read_group(asked, posted, found, errors)
    if asked.type in LISTS:
        return _read_list(asked, asked.id, posted, errors)
    if (reader := _READERS.get(asked.type)) is not None:
        return reader(asked, posted, errors)
    return None  # files and notices ask nothing here


def _read_single(asked: Field, posted: Posted, errors: list[FieldError]) -> object | None:
    value = _read_one(asked, asked.id, posted.get(asked.id, ""), errors)
    if not asked.ongoing:
        return value
    dated: dict[str, object] = {"date": value} if value else {}
    if posted.get(f"{asked.id}-ongoing"):
        dated["ongoing"] = True
    return dated or None


def _read_checkbox(asked: Field, posted: Posted, _: list[FieldError]) -> object | None:
    return YES if posted.get(asked.id) else None


def _read_one(asked: Field, name: str, raw: str, errors: list[FieldError]) -> str | None:
    """One input's text as a value of its type."""
    try:
        if asked.type != "textarea":
            values.require_line(raw.strip(), asked.max)
        text = clean_text(raw)
        # Whoever writes "I don't know" where a number is asked has answered: nothing is wrong.
        if asked.type in FACTS and values.is_unknown(text):
            text = ""
        return _typed(asked, text) if text else asked.default or None
    except BadValue as bad:
        errors.append(FieldError(name, bad.key, bad.facts))
        return None


def _typed(asked: Field, text: str) -> str:
    if asked.options and asked.type != "money":
        if text not in asked.options:
            raise BadValue("error.choose")
        return text
    if asked.type in {"approx_date", "approx_datetime"}:
        return values.read_date(text, with_time=asked.type == "approx_datetime")
    if asked.type in {"decimal", "money"}:
        return values.read_decimal(text)
    if asked.type == "digits":
        return values.read_digits(text, asked.min, asked.max)
    checked = values.read_text(text, asked.min, asked.max)
    if asked.type == "email":
        return values.read_email(checked)
    return values.read_phone(checked) if asked.type in {"phone", "list:phone"} else checked


def _read_checks(asked: Field, posted: Posted, errors: list[FieldError]) -> object | None:
    chosen = list(dict.fromkeys(posted.getlist(asked.id)))
    if any(value not in asked.options for value in chosen):
        errors.append(FieldError(asked.id, "error.choose"))
        return None
    return chosen or None


def _read_list(
    asked: Field, name: str, posted: Posted, errors: list[FieldError]
) -> list[str] | None:
    typed = [text for text in posted.getlist(name) if text.strip()]
    if len(typed) > asked.max_items:
        errors.append(FieldError(name, "error.too_many", {"most": asked.max_items}))
        return None
    read = [_read_one(asked, name, text, errors) for text in typed]
    return [value for value in read if value is not None] or None


def _read_rows(asked: Field, posted: Posted, errors: list[FieldError]) -> object | None:
    rows = []
    for index in range(row_count(asked, posted)):
        row: dict[str, object] = {}
        for column in asked.columns:
            name = f"{asked.id}-{index}-{column.id}"
            value = _read_one(column, name, posted.get(name, ""), errors)
            if value is not None:
                row[column.id] = value
        if row:
            rows.append(row)
    return rows or None


def _read_group(
    asked: Field, posted: Posted, found: dict[str, object], errors: list[FieldError]
) -> object | None:
    group: dict[str, object] = {}
    filled = filled_inputs(asked, posted)
    left_over: list[FieldError] = []
    before = len(errors)
    for column in asked.columns:
        name = f"{asked.id}-{column.id}"
        if column.show_if is not None and not column.show_if.holds(found):
            typed = [name] if name in filled else []
            left_over += _left_over(name, typed, column.show_if, found)
            continue
        value: object | None
        if column.type in LISTS:
            value = _read_list(column, name, posted, errors)
        else:
            value = _read_one(column, name, posted.get(name, ""), errors)
        if value is not None:
            group[column.id] = value
        elif column.required and len(errors) == before:
            errors.append(FieldError(name, "error.required"))
    if asked.one_of and len(errors) == before and not set(group) & set(asked.one_of):
        errors.append(FieldError(f"{asked.id}-{asked.one_of[0]}", "error.contact"))
    errors += left_over
    return group or None


def _read_money(asked: Field, posted: Posted, errors: list[FieldError]) -> object | None:
    amount = _read_one(asked, asked.id, posted.get(asked.id, ""), errors)
    if amount is None:
        return None
    currency = posted.get(f"{asked.id}-currency", "") or asked.options[0]
    if currency not in asked.options:
        errors.append(FieldError(f"{asked.id}-currency", "error.choose"))
        return None
    return {"value": amount, "currency": currency}


_READERS: dict[str, Callable[[Field, Posted, list[FieldError]], object | None]] = {
    "checks": _read_checks,
    "checkbox": _read_checkbox,
    "money": _read_money,
    ROWS: _read_rows,
    **dict.fromkeys(("radio", "select", *SINGLE), _read_single),
}
