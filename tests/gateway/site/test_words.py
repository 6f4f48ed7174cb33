"""The words: complete in four languages, and typeset as their readers expect."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from babel.messages.pofile import read_po
from markupsafe import Markup

from desk import words as desk_words
from gateway.site.app import HERE
from gateway.site.bidi import isolated, prose
from gateway.site.form_reader import read_schema
from gateway.site.forms import FORMS
from gateway.site.words import (
    LANGUAGES,
    UnknownWords,
    Words,
    keys_of_form,
    load_words,
    read_messages,
)

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = HERE / "translations"
CODES = [one.code for one in LANGUAGES]
MESSAGES = {code: read_messages(FOLDER, code) for code in CODES}
PLATFORMS = [text for key, text in MESSAGES["en"].items() if key.startswith("option.platforms.")]
# Sentences that are a list's sign, a name, or a fact between quotation marks.
NO_LETTERS = {"write.comma", "write.quoted", "device.tor_heading", "option.channel.sms"}
ARABIC = re.compile("[\u0600-\u06ff]")


@pytest.mark.parametrize("code", CODES)
def test_no_message_is_missing_fuzzy_or_empty(code: str) -> None:
    with (FOLDER / code / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale=code)
    messages = [message for message in catalogue if message.id]
    assert [str(one.id) for one in messages if one.fuzzy or not one.string] == []
    assert list(catalogue.obsolete) == []
    assert set(MESSAGES[code]) == set(MESSAGES["en"])


@pytest.mark.parametrize("code", CODES)
def test_each_sentence_fills_in_the_same_facts(code: str) -> None:
    for key, sentence in MESSAGES[code].items():
        assert sorted(re.findall(r"\{\w+\}", sentence)) == sorted(
            re.findall(r"\{\w+\}", MESSAGES["en"][key])
        ), key


@pytest.mark.parametrize("code", ["fr", "ar", "zgh"])
def test_no_sentence_was_left_in_english(code: str) -> None:
    same = {key for key, text in MESSAGES[code].items() if text == MESSAGES["en"][key]}
    names = {key for key in same if key.startswith("option.platforms.")}
    shared = {
        "option.reporting_from.europe", "field.date", "field.accounts.platform",
        "option.ids_given_away.photos", "option.channel.sms",
        "option.currencies.MAD", "option.currencies.EUR", "write.comma",
    }  # fmt: skip
    if code == "zgh":
        shared = {"write.comma", "device.tor_heading", "option.channel.sms"}
    assert same - names <= (set() if code == "ar" else shared)


def test_every_arabic_sentence_is_in_arabic_with_arabic_punctuation() -> None:
    for key, sentence in MESSAGES["ar"].items():
        words = re.sub(r"\{\w+\}", "0", sentence)
        assert ARABIC.search(words) or key == "write.quoted", key
        # Latin words, such as the name of a format, stand alone: no sentence is half translated.
        latin = set(re.findall(r"[A-Za-z]+", words))
        allowed = {"JPEG", "PNG", "MP", "MOV", "RIB", "IBAN", "MAD", "EUR", "USD", "GBP", "https"}
        allowed |= {"HEIC", "WebP", "PDF", "IP", "maCERT", "Shift"}
        assert latin <= allowed, (key, latin)
        assert not re.search(r"[,;?%]", words), key
        assert "  " not in sentence, key
        assert not re.search(r"\s[،؛؟.:!]", words), key
        assert not re.search(r"[\u0640\u200e\u200f]", sentence), key


def test_every_french_sentence_keeps_its_punctuation_on_its_line() -> None:
    for key, sentence in MESSAGES["fr"].items():
        assert not re.search(r"(?<!\u00a0)[?!;»]", sentence), key
        assert not re.search(r"«(?!\u00a0)", sentence), key
        assert not re.search(r"(?<![\u00a0s]):(?!/)", sentence), key
        assert "'" not in sentence, key
        assert not re.search(r" [?!:;]", sentence), key


def test_every_amazigh_sentence_is_in_tifinagh() -> None:
    """The letters of IRCAM's alphabet; Latin ones in names and formats alone."""
    alphabet = set("ⴰⴱⴳⴷⴹⴻⴼⴽⵀⵃⵄⵅⵇⵉⵊⵍⵎⵏⵓⵔⵕⵖⵙⵚⵛⵜⵟⵡⵢⵣⵥⵯ")
    allowed = {"JPEG", "PNG", "HEIC", "WebP", "PDF", "IP", "SMS", "SIM", "CIN", "RIB", "IBAN"}
    allowed |= {"MAD", "EUR", "USD", "GBP", "https", "maCERT", "Shift", "Tor", "Browser"}
    allowed |= set(re.findall(r"\w+", " ".join(PLATFORMS)))
    for key, sentence in MESSAGES["zgh"].items():
        words = re.sub(r"\{\w+\}", "0", sentence)
        assert set(re.findall(r"[A-Za-z]+", words)) <= allowed, key
        letters = {one for one in words if one.isalpha() and not one.isascii()}
        assert letters <= alphabet, (key, letters - alphabet)
        nothing_to_say = key.startswith("option.platforms.") or key in NO_LETTERS
        assert letters or nothing_to_say, key
        # A labio-velar mark follows its consonant; the neutral vowel stands between two alike.
        assert not re.search("(?<![ⴳⴽ])ⵯ", words), key
        assert not re.search(r"(\w)\1\1", re.sub(r"\d", "", words)), key
        assert "'" not in sentence, key
        assert '"' not in sentence, key
        assert "  " not in sentence, key
        assert not re.search(r"\s[,;?!.:»]", words), key
        assert "« " not in words, key


def test_a_language_that_says_so_waits_for_a_native_reader() -> None:
    """Until somebody who speaks it has read it, the catalogue and the README say so."""
    header = (FOLDER / "zgh" / "messages.po").read_text("utf-8").split("msgid", 1)[0]
    assert "Awaiting a native reader" in header
    readme = (HERE.parents[1] / "README.md").read_text("utf-8")
    assert "awaits a native reader" in " ".join(readme.split())


@pytest.mark.parametrize("code", CODES)
def test_the_desk_knows_each_language_of_the_site_by_its_name(code: str) -> None:
    assert desk_words.language(code).istitle()


def test_english_is_typeset_too() -> None:
    for key, sentence in MESSAGES["en"].items():
        assert "'" not in sentence, key
        assert '"' not in sentence, key
        assert "  " not in sentence, key


def test_no_word_stands_in_the_catalogues_that_no_page_uses() -> None:
    # What an institution may switch on has its words, too.
    data = (FORMS / "categories.json").read_bytes().replace(b'"off": true', b'"off": false')
    schema = read_schema(data)
    used = {key for _, keys in keys_of_form(schema) for key in keys}
    sources = [*HERE.glob("*.py"), *(HERE / "templates").glob("*.html")]
    text = "\n".join(path.read_text("utf-8") for path in sources)
    computed = (
        "problem.", "code.", "refused.", "card.", "hint.", "about.", "advice.", "error.",
        "start.promise_", "start.cannot_", "device.", "notice.", "option.", "done.",
        "received.", "size.", "no_receipt.", "removed.",
    )  # fmt: skip
    for key in MESSAGES["en"]:
        assert key in used or key in text or key.startswith(computed), key


def test_a_sentence_isolates_what_is_filled_in() -> None:
    words = load_words(FOLDER)["ar"]
    filled = str(words("talk.used", day="2026-11-22"))
    assert '<bdi dir="ltr">2026-11-22</bdi>' in filled
    asked = words("write.only_if", question=words("start.heading"), answers=Markup("<i>1</i>"))
    assert '<bdi dir="rtl"><i>1</i></bdi>' in asked
    assert isolated("نص") == "<bdi>نص</bdi>"
    assert isolated("<b>") == '<bdi dir="ltr">&lt;b&gt;</bdi>'
    assert words.text("write.row", number=2).endswith("2")


def test_days_numbers_and_sizes_are_said_as_people_of_each_language_say_them() -> None:
    words = load_words(FOLDER)
    assert {code: words[code].day("2026-11-22") for code in CODES} == {
        "ar": "22 نونبر 2026",
        "zgh": "22 ⵏⵓⵡⴰⵏⴱⵉⵔ 2026",
        "fr": "22 novembre 2026",
        "en": "22 November 2026",
    }
    assert [words[code].number(10_000) for code in CODES] == [
        "10.000", "10\u00a0000", "10\u202f000", "10,000",
    ]  # fmt: skip
    sizes = (10, 200_000, 1024**2 * 3 // 2, 20 * 1024**2, 1020 * 1024**2, 2 * 1024**3)
    assert [[words[code].size(size) for size in sizes] for code in CODES] == [
        [
            "1 كيلوبايت",
            "195 كيلوبايت",
            "1,5 ميغابايت",
            "20 ميغابايت",
            "1.020 ميغابايت",
            "2 غيغابايت",
        ],
        [
            "1 ⴽⵉⵍⵓⴱⴰⵢⵜ",
            "195 ⴽⵉⵍⵓⴱⴰⵢⵜ",
            "1,5 ⵎⵉⴳⴰⴱⴰⵢⵜ",
            "20 ⵎⵉⴳⴰⴱⴰⵢⵜ",
            "1\u00a0020 ⵎⵉⴳⴰⴱⴰⵢⵜ",
            "2 ⵊⵉⴳⴰⴱⴰⵢⵜ",
        ],
        ["1 Ko", "195 Ko", "1,5 Mo", "20 Mo", "1\u202f020 Mo", "2 Go"],
        ["1 KB", "195 KB", "1.5 MB", "20 MB", "1,020 MB", "2 GB"],
    ]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("اتصل بالرقم 0612 34 56 78 غدا", ["0612 34 56 78"]),
        ("الهاتف:+212 6-12.34/56", ["+212 6-12.34/56"]),
        ("بين 1,500.50 و1 500 درهم.", ["1,500.50", "1 500"]),
        ("يوم 22/11/2026، 14:30", ["22/11/2026", "14:30"]),
        ("٠٦١٢ ٣٤ ٥٦", ["٠٦١٢ ٣٤ ٥٦"]),
        ("اطلب *123*456# الآن", ["123*456"]),
        ("من 9 - 12 صباحا", ["9 - 12"]),
        ("سنة 2025. 3 أشخاص", ["2025", "3"]),
        (
            "(https://example.org/2026/11?a=1-2/). الساعة 10h30 ملف MA-1234 (19)",
            ["https://example.org/2026/11?a=1-2/", "10h30", "MA-1234", "19"],
        ),
        ("x.example:8080 4G", ["x.example:8080 4G"]),
        (
            "الحساب GB29 NWBK 6016 1331 9268 19، أو MA64 0117 8000",
            ["GB29 NWBK 6016 1331 9268 19", "MA64 0117 8000"],
        ),
        ("على WhatsApp 0612 34 أو wa.me/0612", ["0612 34", "wa.me/0612"]),
        ("الهاتف MA-12 0612 34 56 غدا", ["MA-12 0612 34 56"]),
        ("اكتب: a@example.org! أو PDF.", ["a@example.org"]),
        ("", []),
    ],
)
def test_numbers_and_addresses_keep_their_order_between_arabic_words(
    text: str, numbers: list[str]
) -> None:
    marked = prose(text)
    assert re.findall('<bdi dir="ltr">(.*?)</bdi>', marked) == numbers
    assert marked.striptags() == " ".join(text.split())


def test_a_text_with_numbers_is_escaped_and_read_in_one_go() -> None:
    escaped = '&lt;<bdi dir="ltr">b&gt;1 2&lt;/b&gt;&amp;</bdi>&#34;'
    assert prose('<b>1 2</b>&"') == escaped
    began = time.process_time()
    for hostile in (
        "1" * 300_000,
        "1 " * 150_000 + "a",
        "+" * 300_000,
        "1a" * 150_000,
        "." * 300_000,
        "1a " * 100_000,
        "a. " * 100_000,
        "(a/" * 100_000,
        "MA64 1 " * 40_000,
    ):
        prose(hostile + "x")
    assert time.process_time() - began < 10


def test_a_sentence_that_does_not_exist_is_an_error_and_not_a_blank(tmp_path: Path) -> None:
    words = Words(LANGUAGES[0], {"a": "b"})
    assert words.find("c") is None
    for ask in (words, words.text):
        with pytest.raises(UnknownWords):
            ask("c")
    folder = tmp_path / "ar"
    folder.mkdir()
    (folder / "messages.po").write_text(
        '#, fuzzy\nmsgid "a"\nmsgstr "b"\n\nmsgid "c"\nmsgstr ""\n\nmsgid "d"\nmsgstr "e"\n'
    )
    assert read_messages(tmp_path, "ar") == {"d": "e"}
