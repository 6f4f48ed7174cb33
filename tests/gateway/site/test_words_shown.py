"""Every page of every language: each word on it is of that language's catalogue, or is data."""

from __future__ import annotations

import datetime as dt
import html.parser
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from gateway.site.app import HERE
from gateway.site.context import TITLE
from gateway.site.words import LANGUAGES, PLACE, load_words, read_messages
from tests.support.pages import every_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.rehearsal import Rehearsal

CODES = [one.code for one in LANGUAGES]
NAMES = {one.code: one.name for one in LANGUAGES}
TOKEN = re.compile(r"[^\W\d_]+")
# The neutral name that the site gave a file, and the name of a claim: data in every language.
DATA = re.compile(r"\b(?:[a-z]+-\d+\.[a-z0-9]+|C-[A-Z][A-Z-]+)\b")
SPOKEN = ("aria-label", "aria-description", "alt", "title", "placeholder", "label")
VOID = {"meta", "link", "input", "br", "img", "hr"}
# What is no text of a page: what a person typed or an operator wrote, and drawings.
NOT_OURS = {"textarea", "script", "style", "svg"}


@dataclass
class Shown(html.parser.HTMLParser):
    """Collects (language, text) of every text node and of every attribute that is read aloud."""

    found: list[tuple[str, str]] = field(default_factory=list)
    open: list[tuple[str, str, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the attributes that are read aloud."""
        given = {name: value or "" for name, value in attrs}
        _, lang, hidden = self.open[-1] if self.open else ("", "en", False)
        lang = given.get("lang", lang)
        classes = given.get("class", "").split()
        hidden = hidden or tag in NOT_OURS or "words" in classes
        self.found += [(lang, given[name]) for name in SPOKEN if name in given]
        # What the page tells its script to say.
        told = json.loads(given.get("data-told", '{"words": {}, "units": []}'))
        self.found += [
            (lang, PLACE.sub(" ", one)) for one in (*told["words"].values(), *told["units"])
        ]
        if tag == "input" and given.get("type") in {"submit", "button"}:
            self.found.append((lang, given.get("value", "")))
        if tag not in VOID:
            self.open.append((tag, lang, hidden))

    def handle_endtag(self, tag: str) -> None:
        """Close what was open, and what a page may leave open within it."""
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Note a text."""
        _, lang, hidden = self.open[-1] if self.open else ("", "en", False)
        if not hidden and data.strip():
            self.found.append((lang, data))


def shown(page: str) -> list[tuple[str, str]]:
    """Every text of a page with its language."""
    parser = Shown()
    parser.feed(page)
    return parser.found


class Vocabulary:
    """The pieces of a language's sentences, to cover a text with."""

    def __init__(self, code: str) -> None:
        self._pieces: dict[str, set[tuple[str, ...]]] = {}
        for sentence in read_messages(HERE / "translations", code).values():
            for piece in PLACE.split(sentence)[::2]:
                self.add(piece)
        self.add(TITLE)
        self.add(NAMES[code])

    def add(self, piece: str) -> None:
        """Let these words, in this order, stand on a page."""
        tokens = tuple(TOKEN.findall(piece))
        if tokens:
            self._pieces.setdefault(tokens[0], set()).add(tokens)

    def strangers(self, text: str) -> Iterator[str]:
        """The words of a text that belong to no sentence of ours."""
        tokens = TOKEN.findall(DATA.sub("", text))
        at = 0
        while at < len(tokens):
            fits = [
                len(piece)
                for piece in self._pieces.get(tokens[at], ())
                if tuple(tokens[at : at + len(piece)]) == piece
            ]
            if not fits:
                yield tokens[at]
            at += max(fits, default=1)


@pytest.fixture(scope="module")
def known() -> dict[str, Vocabulary]:
    """Each language's sentences, and its months."""
    found = {code: Vocabulary(code) for code in CODES}
    for code, words in load_words(HERE / "translations").items():
        for month in range(1, 13):
            found[code].add(words.day(dt.date(2026, month, 22).isoformat()))
    return found


@pytest.mark.parametrize("lang", CODES)
def test_every_word_of_every_page_is_of_its_language_s_catalogue(
    rehearsal: Rehearsal, known: dict[str, Vocabulary], lang: str
) -> None:
    pages = every_page(rehearsal, lang)
    assert len(pages) > 30
    for name, page in pages.items():
        texts = shown(page.text)
        strange = {text: list(known[of].strangers(text)) for of, text in texts}
        assert {text: words for text, words in strange.items() if words} == {}, name
        in_all = name in {"languages", "problem in all languages"}
        assert {of for of, _ in texts} == (set(CODES) | {"en"} if in_all else {lang}), name


@pytest.mark.parametrize("lang", CODES)
def test_a_word_of_no_catalogue_is_seen_wherever_it_stands(
    known: dict[str, Vocabulary], lang: str
) -> None:
    """The positive control of the test above."""
    page = (
        f'<html lang="{lang}"><body aria-label="Alone"><p>Send the zebra <b>or</b> 12 text-1.txt'
        '</p><textarea>a person</textarea><input type="submit" value="Off"><br>C-REST</body></html>'
    )
    found = {word for of, text in shown(page) for word in known[of].strangers(text)}
    assert {"zebra", "Alone", "Off"} <= found
    assert found <= {"zebra", "Alone", "Off", "Send", "the", "or"}
    ours = known[lang].strangers(load_words(HERE / "translations")[lang].text("start.intro"))
    assert list(ours) == []
