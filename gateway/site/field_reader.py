"""Read one question of the form's data: its type, its options, its columns, its condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.site.form_values import Values
from gateway.site.lined_json import LinedObject
from gateway.site.schema import CHOICES, LISTS, ROWS, SINGLE, UNKNOWN, Condition, Field

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

TYPES = CHOICES | SINGLE | LISTS | {ROWS, "group", "money", "files", "checkbox", "notice"}
SEALS = frozenset({"operators", "identity"})
IDENTITY_MODES = frozenset({"anonymous", "contact_only", "full_identity"})

# What the page itself posts; a field of one of these names could not be told from it.
RESERVED = frozenset(
    {"token", "category", "action", "more", "drop", "code", "danger_now", "text"}
    | {"originals", "originals_sure", "work"}
)
# What may stand at a column says also what works there: nothing is ignored in silence.
_ROW_TYPES = SINGLE | {"select"}
_ROW_KEYS = frozenset({"id", "type", "options", "min", "max", "ltr", "off"})
_GROUP_TYPES = _ROW_TYPES | LISTS
_GROUP_KEYS = _ROW_KEYS | {"required", "show_if", "max_items"}
COMMON_KEYS = _GROUP_KEYS | {
    "unknown", "columns", "unless_given", "ongoing", "default", "seal", "one_of", "folded",
}  # fmt: skip
_FIELD_KEYS = COMMON_KEYS | {"section"}
_CAN_BE_UNKNOWN = CHOICES | SINGLE | LISTS | {ROWS}


class FieldReader(Values):
    """Reads questions; the lists that several of them share are set before the first."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._options: Mapping[str, tuple[str, ...]] = {}
        self._columns = LinedObject(1)

    def read_shared(self, top: LinedObject) -> None:
        """Read the lists of options and of columns that questions name."""
        shared = self.inner("options", top, "options")
        self._options = {name: self.strings("options", shared, name, least=1) for name in shared}
        self._columns = self.inner("columns", top, "columns")

    def field(
        self,
        at: str,
        item: object,
        line: int,
        scope: tuple[str, ...],
        keys: AbstractSet[str] = _FIELD_KEYS,
    ) -> Field | None:
        """Return one question, or None where the data has switched it off."""
        data = self.keyed(at, item, line, keys, {"id", "type"})
        name = self.id(at, data)
        here = f"{at}: {name}"
        if name in RESERVED:
            raise self.refuse(line, here, "this name is the page's own")
        kind = self.text(here, data, "type")
        if kind not in TYPES:
            raise self.refuse(data.lines["type"], here, f"unknown type {kind!r}")
        columns = self._own_columns(here, data, kind, (*scope, name))
        seal = self.text(here, data, "seal", "operators")
        if seal not in SEALS:
            raise self.refuse(data.lines["seal"], here, f"unknown seal {seal!r}")
        one = Field(
            id=name,
            type=kind,
            scope=scope,
            required=self.flag(here, data, "required"),
            options=self._choices(here, data, kind),
            vocabulary=data["options"] if isinstance(data.get("options"), str) else "",
            unknown=self.flag(here, data, "unknown"),
            min=self.number(here, data, "min", 0),
            max=self.number(here, data, "max", 4000 if kind == "textarea" else 1000),
            max_items=self.number(here, data, "max_items", 1),
            columns=columns,
            show_if=self.optional_condition(here, data, "show_if"),
            unless_given=self.strings(here, data, "unless_given"),
            ongoing=self.flag(here, data, "ongoing"),
            ltr=self.flag(here, data, "ltr"),
            default=self.text(here, data, "default"),
            seal=seal,
            one_of=self.known(here, data, "one_of", {one.id for one in columns}),
            folded=self.flag(here, data, "folded"),
            line=line,
        )
        self._require_sense(here, one, data)
        return None if self.flag(here, data, "off") else one

    def optional_condition(self, at: str, data: LinedObject, key: str) -> Condition | None:
        """Return the condition under a key, or None where there is none."""
        return self.condition(at, data, key) if key in data else None

    def condition(self, at: str, data: LinedObject, key: str) -> Condition:
        """Return the condition under a key; that it names something is checked with the whole."""
        line = data.lines[key]
        read = self.keyed(f"{at}: condition", data[key], line, {"field", "in"}, {"field", "in"})
        values = self.strings(f"{at}: condition", read, "in", least=1)
        return Condition(self.text(f"{at}: condition", read, "field"), values, line)

    def _require_sense(self, here: str, one: Field, data: LinedObject) -> None:
        """Refuse what each key alone allows and the question as a whole does not."""
        if one.default and one.default not in one.options:
            line = data.lines["default"]
            raise self.refuse(line, here, f"the default {one.default!r} is no option")
        if one.unknown and one.type not in _CAN_BE_UNKNOWN:
            raise self.refuse(data.lines["unknown"], here, f"{one.type!r} cannot be unknown")
        if one.ongoing and one.type not in SINGLE:
            raise self.refuse(data.lines["ongoing"], here, f"{one.type!r} cannot be ongoing")
        if one.max < max(one.min, 1) or one.max_items < 1:
            key = "max" if one.max < max(one.min, 1) else "max_items"
            raise self.refuse(data.lines.get(key, one.line), here, f"{key!r} is too small")
        if one.id == "identity_mode" and not set(one.options) <= IDENTITY_MODES:
            known = ", ".join(sorted(IDENTITY_MODES))
            raise self.refuse(one.line, here, f"its options are {known}")

    def _choices(self, at: str, data: LinedObject, kind: str) -> tuple[str, ...]:
        if isinstance(called := data.get("options"), str):
            if called not in self._options:
                raise self.refuse(data.lines["options"], at, f"no options called {called!r}")
            options = self._options[called]
        else:
            options = self.strings(at, data, "options")
        if kind == "money":
            options = options or self._options.get("currencies", ())
        if (kind in CHOICES or kind == "money") != bool(options):
            line = data.lines.get("options", data.line)
            raise self.refuse(line, at, "a choice has options, and nothing else has")
        if data.get("unknown") is True and kind in CHOICES:
            options = (*options, UNKNOWN)
        return options

    def _own_columns(
        self, at: str, data: LinedObject, kind: str, scope: tuple[str, ...]
    ) -> tuple[Field, ...]:
        holder, key = data, "columns"
        if isinstance(called := data.get("columns"), str):
            if called not in self._columns:
                raise self.refuse(data.lines["columns"], at, f"no columns called {called!r}")
            holder, key = self._columns, called
        types, keys = (_ROW_TYPES, _ROW_KEYS) if kind == ROWS else (_GROUP_TYPES, _GROUP_KEYS)
        columns: dict[str, Field] = {}
        items = list(self.items(at, holder, key))
        if (kind in {ROWS, "group"}) != bool(items):
            line = data.lines.get("columns", data.line)
            raise self.refuse(line, at, "rows and groups have columns, and nothing else has")
        for item, line in items:
            column = self.field(at, item, line, scope, keys)
            if column is None:
                continue
            if column.type not in types:
                where = f"{at}: {column.id}"
                raise self.refuse(line, where, f"no {column.type!r} inside {kind!r}")
            if column.id in columns:
                raise self.refuse(line, f"{at}: {column.id}", "the same id twice")
            columns[column.id] = column
        return tuple(columns.values())
