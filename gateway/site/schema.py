"""The form as data: read once at start, checked, frozen.  Source: gateway/forms/categories.json.

An institution edits the data, never this code.  What does not fit is refused at start with the
place of the mistake ("categories.json: fraud: amount: unknown type 'sum'"), never at a reporter.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gateway.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROWS = "list:rows"
CHOICES = frozenset({"radio", "select", "checks"})
SINGLE = frozenset(
    {"text", "textarea", "url", "phone", "email", "digits", "decimal"}
    | {"approx_date", "approx_datetime"}
)
LISTS = frozenset({"list:url", "list:phone", "list:text"})
TYPES = CHOICES | SINGLE | LISTS | {ROWS, "group", "money", "files", "checkbox", "notice"}
COLUMN_TYPES = SINGLE | LISTS | {"select"}
ROW_TYPES = SINGLE | {"select"}

UNKNOWN = "unknown"
_ID = re.compile(r"[a-z][a-z0-9_]{0,40}\Z")
_CATEGORY_PLACE = "@category"
# What the page itself posts; a field of one of these names could not be told from it.
RESERVED = frozenset({"token", "category", "action", "more", "drop", "code", "danger_now", "text"})
_FIELD_KEYS = {
    "id", "type", "required", "options", "unknown", "min", "max", "max_items", "columns",
    "show_if", "unless_given", "ongoing", "ltr", "default", "seal", "one_of", "section", "folded",
}  # fmt: skip
_CATEGORY_KEYS = {"id", "fields", "cards", "files", "no_files_if", "files_note"}
_TOP_KEYS = {"version", "options", "columns", "sections", "fields", "categories"}


class FormRefused(GatewayError):
    """The form's data does not fit; the message names the place."""


@dataclass(frozen=True, slots=True)
class Condition:
    """True where the answer to ``field`` is one of ``values``."""

    field: str
    values: tuple[str, ...]

    def holds(self, answers: Mapping[str, object]) -> bool:
        """Judge typed answers; a field without an answer never holds."""
        return answers.get(self.field) in self.values


@dataclass(frozen=True, slots=True)
class Field:
    """One question.  ``min`` and ``max`` are characters, ``max_items`` rows; ids name inputs."""

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

    def keys(self, kind: str) -> tuple[str, ...]:
        """Catalogue keys of its words, the most particular first: ``field.fraud.amount``."""
        return (*(f"{kind}.{owner}.{self.id}" for owner in self.scope[-1:]), f"{kind}.{self.id}")

    def option_keys(self, value: str) -> tuple[str, ...]:
        """Catalogue keys of an option's words, the most particular first."""
        shared = (f"option.{self.vocabulary}.{value}",) if self.vocabulary else ()
        return (*(f"{key}.{value}" for key in self.keys("option")), *shared, f"option.{value}")


@dataclass(frozen=True, slots=True)
class Section:
    """A group of questions under one heading."""

    id: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """Advice that is shown where an answer calls for it."""

    id: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class CategoryForm:
    """Everything that one category asks."""

    id: str
    sections: tuple[Section, ...]
    cards: tuple[Card, ...] = ()
    files: bool = True
    no_files_if: Condition | None = None
    files_note: bool = False

    def fields(self) -> Iterator[Field]:
        """All questions in the order of the page."""
        for section in self.sections:
            yield from section.fields

    def question(self, name: str) -> Field:
        """Return a question that is known to be there, as a checked condition names it."""
        return next(one for one in self.fields() if one.id == name)

    def files_allowed(self, answers: Mapping[str, object]) -> bool:
        """Whether files may be received with these answers; checked again by the server."""
        forbidden = self.no_files_if is not None and self.no_files_if.holds(answers)
        return self.files and not forbidden


@dataclass(frozen=True, slots=True)
class FormSchema:
    """All categories, and the version that travels inside every sealed report."""

    version: int
    categories: tuple[CategoryForm, ...]

    def category(self, untrusted: str) -> CategoryForm | None:
        """Return the form of a category, or None for a name that is none."""
        return next((form for form in self.categories if form.id == untrusted), None)

    @classmethod
    def from_json(cls, untrusted: bytes, name: str = "categories.json") -> FormSchema:
        """Read and check the data.  Raises FormRefused naming the place."""
        return _Reader(name).read(untrusted)


class _Reader:
    """Checks while it reads; ``at`` is the place that an error names."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._options: dict[str, list[str]] = {}
        self._columns: dict[str, list[Any]] = {}

    def refuse(self, at: str, what: str) -> FormRefused:
        return FormRefused(f"{self._name}: {at}: {what}")

    def read(self, untrusted: bytes) -> FormSchema:
        try:
            data = json.loads(untrusted)
        except ValueError as error:
            raise self.refuse("not JSON", str(error)) from None
        top = self._object("the top", data, _TOP_KEYS, {"version", "sections", "categories"})
        self._options = top.get("options", {})
        self._columns = top.get("columns", {})
        common = self._common(top)
        forms = tuple(
            self._category(common, top["sections"], item) for item in self._list("categories", top)
        )
        ids = [form.id for form in forms]
        if len(set(ids)) != len(ids):
            raise self.refuse("categories", "the same id twice")
        return FormSchema(version=self._number("the top", top, "version", 0), categories=forms)

    def _common(self, top: dict[str, Any]) -> dict[str, Field]:
        fields: dict[str, Field] = {}
        for item in top.get("fields", []):
            field = self._field("fields", item, ())
            if field.id in fields:
                raise self.refuse(f"fields: {field.id}", "the same id twice")
            fields[field.id] = field
        return fields

    def _list(self, at: str, data: dict[str, Any]) -> list[Any]:
        found = data.get(at)
        if not isinstance(found, list) or not found:
            raise self.refuse(at, "must be a list with something in it")
        return found

    def _object(self, at: str, data: object, known: set[str], needed: set[str]) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise self.refuse(at, "must be an object")
        if unknown := sorted(set(data) - known):
            raise self.refuse(at, f"unknown key {unknown[0]!r}")
        if missing := sorted(needed - set(data)):
            raise self.refuse(at, f"{missing[0]!r} is missing")
        return data

    def _category(
        self, common: dict[str, Field], layout: list[dict[str, Any]], item: object
    ) -> CategoryForm:
        data = self._object("categories", item, _CATEGORY_KEYS, {"id", "fields"})
        name = data["id"]
        if not isinstance(name, str) or not _ID.match(name):
            raise self.refuse("categories", f"{name!r} is not an id")
        own: dict[str, list[Field]] = {}
        for entry in data["fields"]:
            field = self._field(name, entry, (name,))
            own.setdefault(entry.get("section", "what"), []).append(field)
        files = bool(data.get("files", True))
        sections = tuple(
            self._section(name, section, common, own, files=files) for section in layout
        )
        form = CategoryForm(
            id=name,
            sections=tuple(section for section in sections if section.fields),
            cards=tuple(
                Card(card["id"], self._condition(f"{name}: cards", card["if"]))
                for card in data.get("cards", [])
            ),
            files=files,
            no_files_if=self._optional_condition(name, data.get("no_files_if")),
            files_note=bool(data.get("files_note", False)),
        )
        self._check_references(form)
        return form

    def _section(
        self,
        category: str,
        section: dict[str, Any],
        common: dict[str, Field],
        own: dict[str, list[Field]],
        *,
        files: bool,
    ) -> Section:
        at = f"sections: {section.get('id')}"
        replaced = {field.id for fields in own.values() for field in fields}
        placed: list[Field] = []
        for name in section["fields"]:
            if name == _CATEGORY_PLACE:
                placed += own.get(section["id"], [])
            elif name not in common:
                raise self.refuse(at, f"no field {name!r}")
            elif name not in replaced and (files or common[name].type != "files"):
                placed.append(replace(common[name], scope=(category,)))
        return Section(section["id"], tuple(placed))

    def _field(self, at: str, item: object, scope: tuple[str, ...]) -> Field:
        data = self._object(at, item, _FIELD_KEYS, {"id", "type"})
        here = f"{at}: {data['id']}"
        if not isinstance(data["id"], str) or not _ID.match(data["id"]):
            raise self.refuse(here, "is not an id")
        if data["id"] in RESERVED:
            raise self.refuse(here, "this name is the page's own")
        kind = data["type"]
        if kind not in TYPES:
            raise self.refuse(here, f"unknown type {kind!r}")
        options = self._choices(here, data, kind)
        columns = self._own_columns(here, data, kind, (*scope, data["id"]))
        default = data.get("default", "")
        if default and default not in options:
            raise self.refuse(here, f"the default {default!r} is no option")
        return Field(
            id=data["id"],
            type=kind,
            scope=scope,
            required=bool(data.get("required", False)),
            options=options,
            vocabulary=data["options"] if isinstance(data.get("options"), str) else "",
            unknown=bool(data.get("unknown", False)),
            min=self._number(here, data, "min", 0),
            max=self._number(here, data, "max", 4000 if kind == "textarea" else 1000),
            max_items=self._number(here, data, "max_items", 1),
            columns=columns,
            show_if=self._optional_condition(here, data.get("show_if")),
            unless_given=tuple(data.get("unless_given", ())),
            ongoing=bool(data.get("ongoing", False)),
            ltr=bool(data.get("ltr", False)),
            default=default,
            seal=data.get("seal", "operators"),
            one_of=tuple(data.get("one_of", ())),
            folded=bool(data.get("folded", False)),
        )

    def _number(self, at: str, data: dict[str, Any], key: str, default: int) -> int:
        value = data.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.refuse(at, f"{key} must be a whole number")
        return value

    def _choices(self, at: str, data: dict[str, Any], kind: str) -> tuple[str, ...]:
        options = data.get("options", [])
        if isinstance(options, str):
            if options not in self._options:
                raise self.refuse(at, f"no options called {options!r}")
            options = self._options[options]
        if kind == "money":
            options = options or self._options.get("currencies", [])
        if (kind in CHOICES or kind == "money") != bool(options):
            raise self.refuse(at, "a choice has options, and nothing else has")
        if len(set(options)) != len(options) or not all(isinstance(one, str) for one in options):
            raise self.refuse(at, "options are different words")
        if data.get("unknown") and kind in CHOICES:
            options = [*options, UNKNOWN]
        return tuple(options)

    def _own_columns(
        self, at: str, data: dict[str, Any], kind: str, scope: tuple[str, ...]
    ) -> tuple[Field, ...]:
        columns = data.get("columns", [])
        if isinstance(columns, str):
            if columns not in self._columns:
                raise self.refuse(at, f"no columns called {columns!r}")
            columns = self._columns[columns]
        if (kind in {ROWS, "group"}) != bool(columns):
            raise self.refuse(at, "rows and groups have columns, and nothing else has")
        allowed = ROW_TYPES if kind == ROWS else COLUMN_TYPES
        read = tuple(self._field(at, column, scope) for column in columns)
        for column in read:
            if column.type not in allowed:
                raise self.refuse(f"{at}: {column.id}", f"no {column.type!r} inside {kind!r}")
        return read

    def _optional_condition(self, at: str, data: object) -> Condition | None:
        return None if data is None else self._condition(at, data)

    def _condition(self, at: str, data: object) -> Condition:
        read = self._object(f"{at}: condition", data, {"field", "in"}, {"field", "in"})
        return Condition(read["field"], tuple(read["in"]))

    def _check_references(self, form: CategoryForm) -> None:
        """Every condition names an earlier choice of the same form, and options that it has."""
        seen: dict[str, Field] = {}
        for field in form.fields():
            if field.id in seen:
                raise self.refuse(f"{form.id}: {field.id}", "the same id twice")
            for column in (field, *field.columns):
                self._check_condition(f"{form.id}: {column.id}", column.show_if, seen)
            seen[field.id] = field
        for field in form.fields():
            for other in field.unless_given:
                if other not in seen:
                    raise self.refuse(f"{form.id}: {field.id}", f"no field {other!r}")
        for condition in (form.no_files_if, *(card.condition for card in form.cards)):
            self._check_condition(form.id, condition, seen)

    def _check_condition(
        self, at: str, condition: Condition | None, seen: dict[str, Field]
    ) -> None:
        if condition is None:
            return
        asked = seen.get(condition.field)
        if asked is None or asked.type not in {"radio", "select"}:
            raise self.refuse(at, f"{condition.field!r} is no earlier choice")
        if unknown := [value for value in condition.values if value not in asked.options]:
            raise self.refuse(at, f"{condition.field!r} has no option {unknown[0]!r}")
