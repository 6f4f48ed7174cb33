"""Every page of the desk is in its language: no English sentence, and no Latin letter in Arabic.

What stands in a <bdi>, a <code>, a <kbd> or a field is somebody's, or an id: it keeps its own
language.  A label of ours can stand there, too; tests/desk/pages/test_catalogues.py judges those.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from desk.pages.language import FOLDER, PLACE, Catalogue, read
from tests.desk.pages.sentences import sentences

if TYPE_CHECKING:
    from tests.desk.looks.pages import Pages, Walk

APART = {"bdi", "code", "kbd", "style", "script", "textarea", "time"}
VOID = {"meta", "link", "img", "input", "br", "rect", "line", "polyline", "source"}
READ_ALOUD = ("aria-label", "title", "alt", "placeholder")
_LATIN = re.compile(r"[A-Za-z]{2,}")
_ISOLATED = re.compile("\u2068[^\u2069]*\u2069")
_SHORTEST = 12
"""Letters of a piece of a sentence that no other language has by chance."""


class Heard(HTMLParser):
    """What a page says in its own language: its text and what is read aloud, run by run."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.language = ""
        self.direction = ""
        self.runs: list[str] = []
        self.fallbacks = 0
        self._open: list[tuple[str, bool]] = []
        self.feed(html)

    @property
    def _apart(self) -> bool:
        return any(apart for _, apart in self._open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what is open, and what of a tag is read aloud."""
        given = dict(attrs)
        if tag == "html":
            self.language, self.direction = given["lang"] or "", given["dir"] or ""
        self.fallbacks += tag == "bdi" and given.get("lang") == "en"
        other = given.get("lang", self.language) != self.language
        # Nothing can be isolated in an option: a value that is its own words is somebody's label.
        is_name = tag == "option" and "value" not in given
        if tag not in VOID:
            self._open.append((tag, tag in APART or other or is_name))
        if not self._apart:
            self.runs += [_without_isolated(given.get(name) or "") for name in READ_ALOUD]

    def handle_endtag(self, tag: str) -> None:
        """Note that it is closed."""
        if tag not in VOID and self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        """Note what is said."""
        if not self._apart and data.strip():
            self.runs.append(" ".join(_without_isolated(data).split()))


def _without_isolated(text: str) -> str:
    return _ISOLATED.sub("", text)


def english(runs: list[str], catalogue: Catalogue) -> set[str]:
    """The English sentences, and long pieces of them, that are said and should not be."""
    said = {*catalogue.sentences.values(), *catalogue.labels.values()}
    whole = sentences() - said
    pieces = {
        piece.strip()
        for sentence in whole
        for piece in PLACE.split(sentence)[::2]
        if len(piece.strip()) >= _SHORTEST and " " in piece.strip()
    }
    text = "\n".join(run for run in runs if run not in said)
    return {run for run in runs if run in whole} | {piece for piece in pieces if piece in text}


def latin(runs: list[str], names: set[str]) -> list[str]:
    """The runs with Latin letters in them, but for the names of people and files."""
    found = []
    for run in runs:
        rest = run
        for name in sorted(names, key=len, reverse=True):
            rest = rest.replace(name, "")
        if _LATIN.search(rest):
            found.append(run)
    return found


def names(walk: Walk) -> set[str]:
    """What stands in titles, options and descriptions of pictures, where no tag can isolate it."""
    people = {one.label for one in walk.office.world.operators}
    people |= {one.label for one in walk.office.world.custodians}
    return people | {"P1", "P2", "P3", "P4", "first suspect"}


@pytest.mark.parametrize("code", ["ar", "fr"])
def test_no_page_says_anything_in_english(all_pages: dict[str, Pages], code: str) -> None:
    catalogue = read(FOLDER, code)
    found: dict[str, object] = {}
    for name, page in all_pages[code].items():
        heard = Heard(page.answer.text)
        assert heard.language == code, name
        said = english(heard.runs, catalogue)
        if said or heard.fallbacks:
            found[name] = (said, heard.fallbacks)
    assert not found


def test_no_page_in_arabic_has_a_latin_letter_that_is_not_isolated(
    walk: Walk, all_pages: dict[str, Pages]
) -> None:
    known = names(walk)
    found = {}
    for name, page in all_pages["ar"].items():
        heard = Heard(page.answer.text)
        assert heard.direction == "rtl", name
        if said := latin(heard.runs, known):
            found[name] = said
    assert not found


def test_the_judges_find_english_where_it_is(walk: Walk, all_pages: dict[str, Pages]) -> None:
    # Positive control: every page in English.
    catalogue = read(FOLDER, "ar")
    for name, page in all_pages["en"].items():
        heard = Heard(page.answer.text)
        assert english(heard.runs, catalogue), name
        assert latin(heard.runs, names(walk)), name
