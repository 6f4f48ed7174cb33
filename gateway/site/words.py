"""The site's words in each language, from gettext catalogues that are read once at start.

A key names a sentence (``start.heading``); English is one of the translations.  Whatever is filled
into a sentence is escaped and isolated, so that digits and names keep their order in Arabic.
"""

from __future__ import annotations

import datetime as dt
import functools
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from babel.dates import format_date
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from gateway.errors import FormRefused
from gateway.site.bidi import isolated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gateway.site.schema import CategoryForm, Field, FormSchema

_KIB = 1024
_UNITS = (("size.gb", _KIB**3), ("size.mb", _KIB**2), ("size.kb", _KIB))
PLACE = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Language:
    """A language of the site: the prefix of its pages, its own name, its direction.

    ``locale`` names its customs for days and numbers: in Arabic those of the Maghreb.
    ``letters``: whether many phones lack its letters, so that its pages bring a face for them.
    """

    code: str
    name: str
    direction: str
    locale: str
    letters: bool = False


LANGUAGES = (
    Language("ar", "العربية", "rtl", "ar_MA"),
    Language("zgh", "ⵜⴰⵎⴰⵣⵉⵖⵜ", "ltr", "zgh", letters=True),
    Language("fr", "Français", "ltr", "fr"),
    Language("en", "English", "ltr", "en_GB"),
)


class UnknownWords(KeyError):
    """A page asked for a sentence that the catalogue does not hold."""


class Words:
    """One language's sentences: ``words("talk.used", day=day)``."""

    def __init__(self, language: Language, messages: Mapping[str, str]) -> None:
        self.language = language
        self._messages = messages

    def with_own(self, own: Mapping[str, Mapping[str, str]]) -> Words:
        """Return the same with an institution's own sentences before ours."""
        said = {key: sentences[self.language.code] for key, sentences in own.items()}
        return Words(self.language, {**self._messages, **said})

    def __call__(self, *keys: str, **facts: object) -> Markup:
        """Return the first sentence there is, filled in.  Raises UnknownWords."""
        found = self.find(*keys, **facts)
        if found is None:
            raise UnknownWords(keys)
        return found

    def find(self, *keys: str, **facts: object) -> Markup | None:
        """Return the first sentence there is, filled in, or None."""
        sentence = next((self._messages[key] for key in keys if key in self._messages), None)
        if sentence is None:
            return None
        return Markup("").join(
            escape(piece) if index % 2 == 0 else self._filled_in(facts[piece])
            for index, piece in enumerate(PLACE.split(sentence))
        )

    def _filled_in(self, value: object) -> Markup:
        """Isolate one fact; words of ours run as this language does, whatever stands in them."""
        if isinstance(value, Markup):
            return Markup('<bdi dir="{}">{}</bdi>').format(self.language.direction, value)
        return isolated(value)

    def text(self, *keys: str, **facts: object) -> str:
        """Return the first sentence there is as plain text, for an attribute of a tag."""
        sentence = next((self._messages[key] for key in keys if key in self._messages), None)
        if sentence is None:
            raise UnknownWords(keys)
        return PLACE.sub(lambda found: str(facts[found[1]]), sentence)

    def day(self, iso: str) -> str:
        """Return a day such as ``2026-11-22`` as people of this language write it out."""
        return format_date(dt.date.fromisoformat(iso), "long", locale=self.language.locale)

    def number(self, number: float) -> str:
        """Return a number with this language's separators."""
        return format_decimal(number, locale=self.language.locale)

    def size(self, count: int) -> str:
        """Return a number of bytes as people read it: ``1.4 MB``."""
        key, unit = next((one for one in _UNITS if count >= one[1]), _UNITS[-1])
        rounded = float(f"{count / unit:.3g}") if unit > _KIB else max(1, round(count / unit))
        return self.text(key, number=self.number(rounded))

    def has(self, *keys: str) -> bool:
        """Whether there is such a sentence."""
        return any(key in self._messages for key in keys)


def load_words(folder: Path) -> dict[str, Words]:
    """Read ``<folder>/<language>/messages.po`` for every language of the site."""
    return {one.code: Words(one, read_messages(folder, one.code)) for one in LANGUAGES}


def read_messages(folder: Path, code: str) -> dict[str, str]:
    """Read one catalogue as key → sentence; fuzzy and empty ones are left out."""
    return dict(_parsed((folder / code / "messages.po").read_bytes(), code))


@functools.lru_cache(maxsize=16)
def _parsed(catalogue: bytes, code: str) -> Mapping[str, str]:
    return {
        str(message.id): str(message.string)
        for message in read_po(io.BytesIO(catalogue), locale=code, charset="utf-8")
        if message.id and message.string and not message.fuzzy
    }


def keys_of_form(schema: FormSchema) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give (place, candidate keys) of every word that the form's data needs."""
    for form in schema.categories:
        here = f"line {form.line}: {form.id}"
        yield here, (f"category.{form.id}",)
        yield here, (f"hint.category.{form.id}",)
        yield here, (f"advice.{form.id}",)
        for card in form.cards:
            yield f"{here}: cards: {card.id}", (f"card.{card.id}",)
        if form.files_note:
            yield f"{here}: files_note", (f"files.note.{form.id}",)
        for section in form.sections:
            yield f"{here}: sections: {section.id}", (f"section.{section.id}",)
        yield from _keys_of_fields(form)


def _keys_of_fields(form: CategoryForm) -> Iterator[tuple[str, tuple[str, ...]]]:
    for asked in form.fields():
        for one in (asked, *asked.columns):
            column = "" if one is asked else f": {one.id}"
            place = f"line {one.line}: {form.id}: {asked.id}{column}"
            yield place, one.keys("field")
            yield from _keys_of_options(place, one)


def _keys_of_options(place: str, asked: Field) -> Iterator[tuple[str, tuple[str, ...]]]:
    for value in asked.options:
        yield f"{place}: option {value}", asked.option_keys(value)


def require_words(
    schema: FormSchema, catalogues: Mapping[str, Words], name: str = "categories.json"
) -> None:
    """Refuse a form that would meet a reporter without words.  Raises FormRefused."""
    for place, keys in keys_of_form(schema):
        for words in catalogues.values():
            if not words.has(*keys):
                lacking = f"no words in {words.language.code} ({keys[-1]})"
                raise FormRefused(f"{name}, {place}: {lacking}")
