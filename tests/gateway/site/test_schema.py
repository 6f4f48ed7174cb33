"""The form's data is read and checked at start; a mistake is named by its file, line and place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gateway.errors import FormRefused
from gateway.site.form_reader import read_schema
from gateway.site.forms import FORMS, TRANSLATIONS, load_forms
from gateway.site.lined_json import read_lined
from gateway.site.words import LANGUAGES, load_words, require_words

if TYPE_CHECKING:
    from gateway.site.schema import FormSchema

SAID = dict.fromkeys([one.code for one in LANGUAGES], "x")
NINE = {
    "fraud",
    "sextortion",
    "defamation",
    "threats",
    "incitement",
    "terrorism",
    "csam",
    "hacking_other",
    "harassment",
}


def small(**field: Any) -> dict[str, Any]:
    one = {"id": "amount", "type": "text", **field}
    return {
        "version": 1,
        "options": {"places": ["here", "there"]},
        "columns": {"pair": [{"id": "left", "type": "text"}]},
        "sections": [
            {"id": "what", "fields": ["role", "@category"]},
            {"id": "where", "fields": []},
        ],
        "fields": [
            {"id": "role", "type": "radio", "options": ["victim", "witness"]},
            {"id": "spare", "type": "text"},
            {"id": "unseen", "type": "text", "off": True},
        ],
        "categories": [{"id": "fraud", "fields": [one]}],
    }


def written(data: object) -> str:
    return json.dumps(data, indent=1)


def read(data: object) -> FormSchema:
    return read_schema(written(data).encode())


def refusal(data: object) -> str:
    with pytest.raises(FormRefused) as refused:
        read(data)
    return str(refused.value)


def line_of(data: object, marker: str) -> int:
    """The line on which a text stands for the last time: categories come after what is shared."""
    lines = written(data).split("\n")
    return max(at for at, line in enumerate(lines, 1) if marker in line)


def test_the_form_that_is_shipped_has_all_nine_categories_and_words_in_every_language() -> None:
    forms = load_forms(None)
    assert {form.id for form in forms.schema.categories} == NINE
    assert forms.schema.version == 2
    assert set(forms.words) == {one.code for one in LANGUAGES}


@pytest.mark.parametrize(
    ("field", "marker", "place"),
    [
        ({"type": "sum"}, '"sum"', "fraud: amount: unknown type 'sum'"),
        ({"type": 4}, '"type": 4', "fraud: amount: 'type' must be a text"),
        ({"colour": "red"}, '"colour"', "fraud: unknown key 'colour'"),
        ({"id": "Amount"}, '"Amount"', "fraud: 'Amount' is not an id"),
        ({"id": "token"}, "", "fraud: token: this name is the page's own"),
        ({"type": "radio"}, "", "fraud: amount: a choice has options, and nothing else has"),
        ({"options": ["a"]}, '"options"', "fraud: amount: a choice has options"),
        ({"type": "select", "options": "towns"}, '"towns"', "no options called 'towns'"),
        (
            {"type": "radio", "options": ["a", "a"]},
            '"a"',
            "fraud: amount: 'options' must be a list of different words",
        ),
        ({"type": "radio", "options": ["a", 4]}, "     4", "must be a list of different words"),
        ({"type": "radio", "options": {}}, '"options": {}', "'options' must be a list"),
        (
            {"type": "radio", "options": ["a"], "default": "b"},
            '"default"',
            "fraud: amount: the default 'b' is no option",
        ),
        ({"min": "three"}, '"min"', "fraud: amount: 'min' must be a whole number"),
        ({"min": True}, '"min"', "fraud: amount: 'min' must be a whole number"),
        ({"max": -1}, '"max"', "fraud: amount: 'max' must be a whole number"),
        ({"max": 0}, '"max"', "fraud: amount: 'max' is too small"),
        ({"min": 9, "max": 8}, '"max"', "fraud: amount: 'max' is too small"),
        ({"max_items": 0}, '"max_items"', "fraud: amount: 'max_items' is too small"),
        ({"required": "yes"}, '"required"', "'required' must be true or false"),
        ({"type": "files", "unknown": True}, '"unknown"', "'files' cannot be unknown"),
        (
            {"type": "checks", "options": ["a"], "ongoing": True},
            '"ongoing"',
            "'checks' cannot be ongoing",
        ),
        ({"seal": "nobody"}, '"seal"', "fraud: amount: unknown seal 'nobody'"),
        ({"type": "group"}, "", "fraud: amount: rows and groups have columns"),
        ({"type": "group", "columns": "trio"}, '"trio"', "no columns called 'trio'"),
        ({"columns": "pair"}, '"columns"', "rows and groups have columns, and nothing else has"),
        (
            {"type": "list:rows", "columns": [{"id": "x", "type": "list:url"}]},
            "",
            "fraud: amount: x: no 'list:url' inside 'list:rows'",
        ),
        (
            {"type": "list:rows", "columns": [{"id": "x", "type": "text", "required": True}]},
            '"required"',
            "fraud: amount: unknown key 'required'",
        ),
        (
            {"type": "group", "columns": [{"id": "x", "type": "text"}] * 2},
            "",
            "fraud: amount: x: the same id twice",
        ),
        (
            {"type": "group", "columns": "pair", "one_of": ["right"]},
            '"one_of"',
            "fraud: amount: one_of: unknown 'right'",
        ),
        ({"show_if": {"field": "role"}}, '"show_if"', "fraud: amount: condition: 'in' is missing"),
        ({"show_if": {"field": "role", "in": []}}, '"in"', "'in' must be a list with something"),
        ({"show_if": {"field": 4, "in": ["a"]}}, '"field"', "condition: 'field' must be a text"),
        ({"show_if": {"field": "nobody", "in": ["a"]}}, '"show_if"', "is no earlier choice"),
        ({"show_if": {"field": "role", "in": ["boss"]}}, '"show_if"', "has no option 'boss'"),
        ({"unless_given": ["urls"]}, "", "fraud: amount: no field 'urls'"),
        ({"section": "where"}, "", "fraud: amount: no section 'where' holds '@category'"),
        ({"section": "nowhere"}, "", "fraud: amount: no section 'nowhere' holds '@category'"),
        ({"id": "spare"}, "", "fraud: spare: no section holds this field"),
        (
            {"id": "identity_mode", "type": "radio", "options": ["anonymous", "masked"]},
            "",
            "its options are anonymous, contact_only, full_identity",
        ),
    ],
)
def test_a_mistake_in_a_field_is_named_by_its_line_and_place(
    field: dict[str, Any], marker: str, place: str
) -> None:
    data = small(**field)
    said = refusal(data)
    assert place in said
    assert said.startswith("categories.json, line ")
    if marker:
        assert said.startswith(f"categories.json, line {line_of(data, marker)}: ")
    else:  # the question as a whole
        lines = range(line_of(data, '"categories"'), len(written(data).split("\n")))
        assert int(said.removeprefix("categories.json, line ").split(":")[0]) in lines


def category(**changes: Any) -> dict[str, Any]:
    return {"categories": [{"id": "fraud", "fields": [], **changes}]}


@pytest.mark.parametrize(
    ("changes", "marker", "place"),
    [
        ({"extra": 1}, '"extra"', "the top: unknown key 'extra'"),
        ({"version": "two"}, '"version"', "the top: 'version' must be a whole number"),
        ({"categories": []}, '"categories"', "the top: 'categories' must be a list with something"),
        ({"categories": {}}, '"categories"', "the top: 'categories' must be a list"),
        ({"categories": [{"fields": []}]}, "", "categories: 'id' is missing"),
        (category(id="A B"), '"A B"', "categories: 'A B' is not an id"),
        ({"categories": ["fraud"]}, '"fraud"', "categories: must be an object"),
        ({"categories": [{"id": "x", "fields": []}] * 2}, "", "categories: x: the same id twice"),
        ({"fields": [{"id": "x", "type": "text"}] * 2}, "", "fields: x: the same id twice"),
        ({"fields": [{"id": "x", "type": "text", "section": "a"}]}, '"section"', "unknown key"),
        (
            {"sections": [{"id": "w", "fields": ["@category", "who"]}]},
            "",
            "sections: w: no field 'who'",
        ),
        ({"sections": [{"id": "w", "fields": []}] * 2}, "", "sections: w: the same id twice"),
        (
            {"sections": [{"id": "w", "fields": ["role"]}, {"id": "x", "fields": ["role"]}]},
            "",
            "fraud: amount: no section 'w' holds '@category'",
        ),
        (
            {"options": {"places": []}},
            '"places"',
            "options: 'places' must be a list with something",
        ),
        ({"options": []}, '"options": []', "options: must be an object"),
        ({"columns": []}, '"columns": []', "columns: must be an object"),
        (category(files="no"), '"files"', "fraud: 'files' must be true or false"),
        (category(help=["the_moon"]), '"help"', "fraud: help: unknown 'the_moon'"),
        (category(without=["nothing"]), '"without"', "fraud: without: unknown 'nothing'"),
        (
            category(no_files_if={"field": "role", "in": ["boss"]}),
            '"no_files_if"',
            "fraud: 'role' has no option 'boss'",
        ),
        (
            category(cards=[{"id": "c", "if": {"field": "x", "in": ["y"]}}]),
            '"if"',
            "fraud: 'x' is no earlier choice",
        ),
        (category(cards=[{"id": "c"}]), "", "fraud: cards: 'if' is missing"),
        (
            {"cards": [{"id": "c", "if": {"field": "role", "in": ["boss"]}}]},
            '"if"',
            "fraud: 'role' has no option 'boss'",
        ),
        (
            category(fields=[{"id": "role", "type": "text"}] * 2),
            "",
            "fraud: role: the same id twice",
        ),
        ({"words": {"start.heading": {}}}, '"start.heading"', "this sentence is the site's own"),
        ({"words": {"hint.x": {"fr": "x"}}}, '"hint.x"', "words: hint.x: 'ar' is missing"),
        (
            {"words": {"hint.x": {**SAID, "en": " "}}},
            '"en"',
            "words: hint.x: 'en' is empty",
        ),
        (
            {"words": {"hint.x": {**SAID, "en": "{code}"}}},
            '"en"',
            "words: hint.x: nothing is called {code} here",
        ),
    ],
)
def test_a_mistake_elsewhere_is_named_by_its_line_and_place(
    changes: dict[str, Any], marker: str, place: str
) -> None:
    data = {**small(), **changes}
    said = refusal(data)
    assert place in said
    assert said.startswith("categories.json, line ")
    if marker:
        assert said.startswith(f"categories.json, line {line_of(data, marker)}: ")


def test_the_same_question_in_two_sections_is_refused() -> None:
    sections = [
        {"id": "what", "fields": ["@category", "role"]},
        {"id": "where", "fields": ["role"]},
    ]
    assert "fraud: role: the same id twice" in refusal({**small(), "sections": sections})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{\n "a": 1,\n "b": 2,,\n}', "line 3: not JSON: Expecting property name"),
        ('{\n "a": 1\n "b": 2\n}', "line 3: not JSON: Expecting ',' delimiter"),
        ('{\n "a": "\n"}', "line 2: not JSON: Invalid control character"),
        ("{", "line 1: not JSON"),
        ("", "line 1: not JSON"),
        ('{\n\n "a": [1,\n NaN]}', "line 4: no such number"),
        ('{"a":\n-Infinity}', "line 2: no such number"),
        ('{\n "a": ' + "9" * 5000 + "}", "line 2: no such number"),
        ('{\n "a": 1,\n "b": {"a": 1,\n "a": 2}}', "line 4: 'a' stands here twice"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ("\n\n\x00", "line 3: not JSON"),
    ],
    ids=[
        *("comma", "no comma", "line end", "one brace", "nothing", "nan", "infinity", "digits"),
        *("twice", "deep", "nul"),
    ],
)
def test_what_is_no_json_is_refused_at_its_line(text: str, said: str) -> None:
    with pytest.raises(FormRefused, match=r"^categories\.json") as refused:
        read_schema(text.encode())
    assert said in str(refused.value)


def test_what_is_no_utf8_is_refused_at_its_line() -> None:
    with pytest.raises(FormRefused, match=r"^x\.json, line 3: not UTF-8 text"):
        read_lined(b'{\n"a":\n"\xff"}', "x.json")


def test_a_file_reads_as_json_reads_it_and_knows_its_lines() -> None:
    for path in sorted(FORMS.glob("*.json")):
        text = path.read_text("utf-8")
        assert read_lined(text.encode("utf-8-sig"), path.name) == json.loads(text)
    odd = '{"a\\"{": ["]", {}, [], null, true, -1.5e3, "\\u00e9:,"],\r\n "b"\n:\n\n{"c": 1}}'
    found = read_lined(odd.encode(), "x.json")
    assert found == json.loads(odd)
    assert found.lines == {'a"{': 1, "b": 2}
    assert found["b"].lines == {"c": 5}


def test_a_category_without_files_has_no_file_field_at_all() -> None:
    data = small()
    data["fields"].append({"id": "evidence", "type": "files"})
    data["sections"][0]["fields"].append("evidence")
    with_files = read(data).categories[0]
    data["categories"][0]["files"] = False
    without = read(data).categories[0]
    assert "evidence" in [field.id for field in with_files.fields()]
    assert "evidence" not in [field.id for field in without.fields()]
    assert with_files.files_allowed({})
    assert not without.files_allowed({})


def test_a_category_may_leave_a_common_question_out_or_ask_it_in_its_own_way() -> None:
    data = small()
    data["sections"][1]["fields"] = ["spare", "unseen"]
    assert [one.id for one in read(data).categories[0].fields()] == ["role", "amount", "spare"]
    data["categories"][0]["fields"].append({"id": "spare", "type": "phone"})
    own = read(data).categories[0].question("spare")
    assert (own.type, own.scope) == ("phone", ("fraud",))
    assert [one.id for one in read(data).categories[0].fields()] == ["role", "amount", "spare"]
    data["categories"][0]["fields"][-1]["section"] = "what"
    assert [one.id for one in read(data).categories[0].sections[0].fields][-1] == "spare"
    data["categories"][0]["fields"][-1:] = []
    data["categories"][0]["without"] = ["spare", "unseen"]
    assert [one.id for one in read(data).categories[0].fields()] == ["role", "amount"]


def test_a_question_that_is_switched_off_is_not_asked_and_can_be_switched_on() -> None:
    data = small(off=True)
    assert [one.id for one in read(data).categories[0].fields()] == ["role"]
    data["categories"][0]["fields"][0]["off"] = False
    assert [one.id for one in read(data).categories[0].fields()] == ["role", "amount"]
    columns = [{"id": "a", "type": "text"}, {"id": "b", "type": "text", "off": True}]
    group = read(small(type="group", columns=columns)).categories[0].question("amount")
    assert [one.id for one in group.columns] == ["a"]


def test_advice_may_hang_on_one_of_several_answers() -> None:
    data = small(type="checks", options=["gold", "rice"])
    data["categories"][0]["cards"] = [{"id": "c", "if": {"field": "amount", "in": ["rice"]}}]
    data["cards"] = [{"id": "d", "if": {"field": "role", "in": ["witness"]}, "numbers": True}]
    form = read(data).categories[0]
    assert form.cards_for({}) == ()
    assert [one.id for one in form.cards_for({"amount": ["gold", "rice"]})] == ["c"]
    assert [one.numbers for one in form.cards_for({"role": "witness"})] == [True]
    # Beside a question, words can name one answer only.
    data["categories"][0]["fields"].append(
        {"id": "x", "type": "text", "show_if": {"field": "amount", "in": ["rice"]}}
    )
    assert "fraud: x: 'amount' is no earlier choice" in refusal(data)


def test_words_that_are_missing_in_one_language_stop_the_start() -> None:
    words = load_words(TRANSLATIONS)
    data = small(id="colour")
    line = line_of(data, '"colour"') - 1
    with pytest.raises(FormRefused) as refused:
        require_words(read(data), words)
    where = f"categories.json, line {line}: fraud: colour"
    assert str(refused.value) == f"{where}: no words in ar (field.colour)"
