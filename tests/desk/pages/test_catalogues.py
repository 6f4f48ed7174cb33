"""The catalogues have every sentence of the pages, whole, and write it as their language does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from babel.messages.pofile import read_po

from desk import rules
from desk.pages.language import ENGLISH, FOLDER, LABEL, LANGUAGES, PLACE, read
from tests.desk.pages.sentences import counted, labels, sentences

if TYPE_CHECKING:
    from babel.messages.catalog import Message

OTHERS = tuple(code for code, one in LANGUAGES.items() if one is not ENGLISH)
_PLACE = re.compile(r"\{[a-z_0-9]+(?::,)?\}")
_TYPED = re.compile(r"`[^`]*`")
_ARABIC = re.compile(r"[\u0621-\u064a]")
_LATIN_SIGN = re.compile(r"[,;?](?!\d)|\"|'")
_BREAKABLE = re.compile(r"(?<=\w) [:;?!»]|« |[’'\w»)}][;?!»]|[’'\w»)}]:(?!\d)|'")


def messages(code: str) -> list[Message]:
    with (FOLDER / f"{code}.po").open("rb") as file:
        return [one for one in read_po(file, locale=code) if one.id]


def said(one: Message) -> tuple[str, ...]:
    return (one.string,) if isinstance(one.string, str) else tuple(one.string or ())


def own_words(one: str) -> str:
    """A sentence without what is filled in or typed at a terminal."""
    return _PLACE.sub("x", _TYPED.sub("x", one))


def badly_arabic(one: str) -> bool:
    return bool(_LATIN_SIGN.search(own_words(one)))


def badly_french(one: str) -> bool:
    return bool(_BREAKABLE.search(own_words(one)))


@pytest.mark.parametrize("code", OTHERS)
def test_every_sentence_is_there_and_none_that_no_page_says(code: str) -> None:
    catalogue = read(FOLDER, code)
    assert sentences() - set(catalogue.sentences) == set()
    assert set(catalogue.sentences) - sentences() == set()
    assert labels() - set(catalogue.labels) == set()
    assert {f"{{number}} {one}" for one in counted()} == set(catalogue.plurals)


@pytest.mark.parametrize("code", OTHERS)
def test_none_is_fuzzy_empty_or_filled_in_otherwise(code: str) -> None:
    for one in messages(code):
        assert not one.fuzzy, one.id
        assert all(said(one)), one.id
        if isinstance(one.id, str):
            places = sorted(_PLACE.findall(one.id))
            assert sorted(_PLACE.findall(said(one)[0])) == places, one.id
        else:
            assert len(said(one)) == len(LANGUAGES[code].forms), one.id


def test_arabic_is_written_with_arabic_letters_and_signs() -> None:
    of_signs_alone = {"{alarm} ({why})", "{clock} ({priorities})", "{done} {complaint}", "{done}."}
    of_signs_alone |= {"{label} (\u201c{reason}\u201d)", "{name}, {number}", "{name}: {said}"}
    of_signs_alone |= {"{amount} {currency}"}
    of_signs_alone |= {
        "{name}: {values}",
        "{service}: {basis}",
        "{who} {did}",
        "{path} is {refused}.",
    }
    for one in messages("ar"):
        for form in said(one):
            assert not badly_arabic(form), form
            assert one.id in of_signs_alone or _ARABIC.search(form), form
    # Positive control.
    assert badly_arabic("نعم, لا")
    assert badly_arabic("لماذا?")
    assert not badly_arabic("نعم، `a, b` 1,5 لا؛")


def test_french_does_not_break_before_its_signs() -> None:
    for one in messages("fr"):
        for form in said(one):
            assert not badly_french(form), form
    # Positive control.
    for wrong in ("Oui : non", "Oui:", "Pourquoi ?", "« oui", "l'état", "Oui;"):
        assert badly_french(wrong), wrong
    assert not badly_french("Oui\u00a0: l’état, «\u00a0non\u00a0»\u00a0; `a ? b` 10:16")


@pytest.mark.parametrize("code", OTHERS)
def test_what_the_rules_name_has_words_in_each_language(code: str) -> None:
    ours = rules.load()
    for things in (
        ours.states, ours.priorities, ours.clocks, ours.reasons, ours.instructions, ours.outcomes,
        ours.services, ours.bases, ours.tags,
    ):  # fmt: skip
        for one in things.values():
            assert one.words[code], one.id


def test_places_are_found_with_and_without_a_format() -> None:
    assert PLACE.split("{count:,} of {most}") == ["", "count", " of ", "most", ""]
    assert LABEL == "label"
