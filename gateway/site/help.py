"""Whom to call: the numbers of help lines, from a dated file that the institution keeps.

No number is written anywhere else.  Grammar: docs/FORMS.md.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from gateway.site.form_values import Values
from gateway.site.lined_json import LinedObject, read_lined
from gateway.site.words import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.site.schema import CategoryForm
    from gateway.site.words import Words

_NUMBER = re.compile(r"\+?[0-9][0-9 ]{1,19}\Z")
_KEYS = {"as_of", "police", "gendarmerie", "children"}


@dataclass(frozen=True, slots=True)
class HelpLine:
    """A line of the institution's choice: for which categories, and its name in each language."""

    number: str
    categories: tuple[str, ...]
    name: Mapping[str, str]
    line: int = 0


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A number as a page shows it; ``dialled`` is what a telephone is given."""

    number: str
    name: Markup

    @property
    def dialled(self) -> str:
        """The number without its spaces."""
        return self.number.replace(" ", "")


@dataclass(frozen=True, slots=True)
class HelpLines:
    """Telephone numbers; ``as_of`` is the day on which somebody checked them."""

    as_of: str
    police: str
    gendarmerie: str
    children: str
    lines: tuple[HelpLine, ...] = field(default=())

    @property
    def facts(self) -> dict[str, object]:
        """The numbers that a sentence may be filled with."""
        return {
            "police": self.police,
            "gendarmerie": self.gendarmerie,
            "children": self.children,
        }

    def emergency(self, words: Words) -> list[ShownLine]:
        """Whom to call when somebody is in danger."""
        return [
            ShownLine(self.police, words("danger.police")),
            ShownLine(self.gendarmerie, words("danger.gendarmerie")),
        ]

    def others(self, words: Words, form: CategoryForm | None) -> list[ShownLine]:
        """Who else helps the victims of one category."""
        if form is None:
            return []
        shown = [ShownLine(self.children, words("danger.children"))] if form.help else []
        code = words.language.code
        shown += [
            ShownLine(one.number, escape(one.name[code]))
            for one in self.lines
            if form.id in one.categories
        ]
        return shown

    @classmethod
    def from_json(cls, untrusted: bytes, name: str = "help.json") -> HelpLines:
        """Read the file.  Raises FormRefused naming the file, the line and the place."""
        return _Reader(name).read(read_lined(untrusted, name))


class _Reader(Values):
    def read(self, data: object) -> HelpLines:
        top = self.keyed("the top", data, 1, {*_KEYS, "lines"}, _KEYS)
        day = self.text("the top", top, "as_of")
        try:
            dt.date.fromisoformat(day)
        except ValueError:
            raise self.refuse(
                top.lines["as_of"], "as_of", "must be a day such as 2026-11-22"
            ) from None
        return HelpLines(
            as_of=day,
            police=self._number(top, "police"),
            gendarmerie=self._number(top, "gendarmerie"),
            children=self._number(top, "children"),
            lines=tuple(
                self._line(item, line) for item, line in self.items("the top", top, "lines")
            ),
        )

    def _line(self, item: object, line: int) -> HelpLine:
        codes = {one.code for one in LANGUAGES}
        keys = {"number", "for", "name"}
        data = self.keyed("lines", item, line, keys, keys)
        names = self.keyed("lines: name", data["name"], data.lines["name"], codes, codes)
        return HelpLine(
            number=self._number(data, "number"),
            categories=self.strings("lines", data, "for", least=1),
            name={code: self.text("lines: name", names, code) for code in codes},
            line=line,
        )

    def _number(self, data: LinedObject, key: str) -> str:
        number = self.text(key, data, key)
        if not _NUMBER.match(number):
            raise self.refuse(data.lines[key], key, "must be a telephone number")
        return number
