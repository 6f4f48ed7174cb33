"""The site's words in each language, from gettext catalogues that are read once at start.

A key names a sentence (``start.heading``); English is one of the translations.  Whatever is filled
into a sentence is escaped and isolated, so that digits and names keep their order in Arabic.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from babel.messages.pofile import read_po
from markupsafe import Markup, escape

from gateway.site.schema import FormRefused, FormSchema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gateway.site.schema import CategoryForm, Field

_PLACE = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Language:
    """A language of the site: the prefix of its pages, its own name, its direction."""

    code: str
    name: str
    direction: str


LANGUAGES = (
    Language("ar", "العربية", "rtl"),
    Language("fr", "Français", "ltr"),
    Language("en", "English", "ltr"),
)


class UnknownWords(KeyError):
    """A page asked for a sentence that the catalogue does not hold."""


class Words:
    """One language's sentences: ``words("talk.used", day=day)``."""

    def __init__(self, language: Language, messages: Mapping[str, str]) -> None:
        self.language = language
        self._messages = messages

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
            escape(piece) if index % 2 == 0 else isolated(facts[piece])
            for index, piece in enumerate(_PLACE.split(sentence))
        )

    def text(self, *keys: str, **facts: object) -> str:
        """Return the first sentence there is as plain text, for an attribute of a tag."""
        sentence = next((self._messages[key] for key in keys if key in self._messages), None)
        if sentence is None:
            raise UnknownWords(keys)
        return _PLACE.sub(lambda found: str(facts[found[1]]), sentence)

    def has(self, *keys: str) -> bool:
        """Whether there is such a sentence."""
        return any(key in self._messages for key in keys)


def isolated(value: object) -> Markup:
    """Wrap a value so that its direction and its neighbours' do not mix."""
    if isinstance(value, Markup):
        return Markup("<bdi>{}</bdi>").format(value)
    text = str(value)
    if text.isascii():
        return Markup('<bdi dir="ltr">{}</bdi>').format(text)
    return Markup("<bdi>{}</bdi>").format(text)


def load_words(folder: Path) -> dict[str, Words]:
    """Read ``<folder>/<language>/messages.po`` for every language of the site."""
    return {one.code: Words(one, read_messages(folder, one.code)) for one in LANGUAGES}


def read_messages(folder: Path, code: str) -> dict[str, str]:
    """Read one catalogue as key → sentence; fuzzy and empty ones are left out."""
    with (folder / code / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale=code, charset="utf-8")
    return {
        str(message.id): str(message.string)
        for message in catalogue
        if message.id and message.string and not message.fuzzy
    }


def keys_of_form(schema: FormSchema) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give (place, candidate keys) of every word that the form's data needs."""
    for form in schema.categories:
        yield form.id, (f"category.{form.id}",)
        yield form.id, (f"hint.category.{form.id}",)
        yield form.id, (f"advice.{form.id}",)
        for card in form.cards:
            yield f"{form.id}: cards: {card.id}", (f"card.{card.id}",)
        if form.files_note:
            yield f"{form.id}: files_note", (f"files.note.{form.id}",)
        for section in form.sections:
            yield f"sections: {section.id}", (f"section.{section.id}",)
        yield from _keys_of_fields(form)


def _keys_of_fields(form: CategoryForm) -> Iterator[tuple[str, tuple[str, ...]]]:
    for asked in form.fields():
        for one in (asked, *asked.columns):
            place = f"{form.id}: {asked.id}" + ("" if one is asked else f": {one.id}")
            yield place, one.keys("field")
            yield from _keys_of_options(place, one)


def _keys_of_options(place: str, asked: Field) -> Iterator[tuple[str, tuple[str, ...]]]:
    for value in asked.options:
        yield f"{place}: option {value}", asked.option_keys(value)


def require_words(schema: FormSchema, catalogues: Mapping[str, Words]) -> None:
    """Refuse a form that would meet a reporter without words.  Raises FormRefused."""
    for place, keys in keys_of_form(schema):
        for words in catalogues.values():
            if not words.has(*keys):
                raise FormRefused(f"{place}: no words in {words.language.code} ({keys[-1]})")
