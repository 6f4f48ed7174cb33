"""The form's data is read and checked at start; a mistake is named by its place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import gateway.site.app
from gateway.site.help import HelpLines
from gateway.site.schema import FormRefused, FormSchema
from gateway.site.words import load_words, require_words

if TYPE_CHECKING:
    from pathlib import Path

DATA = gateway.site.app.FORMS / "categories.json"
TRANSLATIONS = gateway.site.app.HERE / "translations"


def small(**field: Any) -> dict[str, Any]:
    one = {"id": "amount", "type": "text", **field}
    return {
        "version": 1,
        "options": {"places": ["here", "there"]},
        "columns": {"pair": [{"id": "left", "type": "text"}]},
        "sections": [{"id": "what", "fields": ["role", "@category"]}],
        "fields": [{"id": "role", "type": "radio", "options": ["victim", "witness"]}],
        "categories": [{"id": "fraud", "fields": [one]}],
    }


def read(data: object) -> FormSchema:
    return FormSchema.from_json(json.dumps(data).encode())


def test_the_form_that_is_shipped_is_accepted_and_has_words_in_every_language() -> None:
    schema = FormSchema.from_json(DATA.read_bytes())
    require_words(schema, load_words(TRANSLATIONS))
    assert {form.id for form in schema.categories} >= {"fraud", "sextortion", "threats"}
    assert schema.version == 1


@pytest.mark.parametrize(
    ("field", "place"),
    [
        ({"type": "sum"}, "categories.json: fraud: amount: unknown type 'sum'"),
        ({"colour": "red"}, "categories.json: fraud: unknown key 'colour'"),
        ({"id": "Amount"}, "fraud: Amount: is not an id"),
        ({"id": "token"}, "fraud: token: this name is the page's own"),
        ({"type": "radio"}, "fraud: amount: a choice has options"),
        ({"options": ["a"]}, "fraud: amount: a choice has options, and nothing else has"),
        ({"type": "select", "options": "towns"}, "fraud: amount: no options called 'towns'"),
        ({"type": "radio", "options": ["a", "a"]}, "fraud: amount: options are different words"),
        ({"type": "radio", "options": ["a"], "default": "b"}, "the default 'b' is no option"),
        ({"min": "three"}, "fraud: amount: min must be a whole number"),
        ({"min": True}, "fraud: amount: min must be a whole number"),
        ({"max": -1}, "fraud: amount: max must be a whole number"),
        ({"type": "group"}, "fraud: amount: rows and groups have columns"),
        ({"type": "group", "columns": "trio"}, "fraud: amount: no columns called 'trio'"),
        ({"columns": "pair"}, "rows and groups have columns, and nothing else has"),
        (
            {"type": "list:rows", "columns": [{"id": "x", "type": "list:url"}]},
            "fraud: amount: x: no 'list:url' inside 'list:rows'",
        ),
        ({"show_if": {"field": "role"}}, "fraud: amount: condition: 'in' is missing"),
        ({"show_if": {"field": "nobody", "in": ["a"]}}, "'nobody' is no earlier choice"),
        ({"show_if": {"field": "role", "in": ["boss"]}}, "'role' has no option 'boss'"),
        ({"unless_given": ["urls"]}, "fraud: amount: no field 'urls'"),
    ],
)
def test_a_mistake_in_a_field_is_named_by_its_place(field: dict[str, Any], place: str) -> None:
    with pytest.raises(FormRefused) as refused:
        read(small(**field))
    assert place in str(refused.value)


def test_a_mistake_elsewhere_is_named_by_its_place() -> None:
    def broken(**changes: Any) -> str:
        with pytest.raises(FormRefused) as refused:
            read({**small(), **changes})
        return str(refused.value)

    assert "unknown key 'extra'" in broken(extra=1)
    assert "categories: must be a list with something in it" in broken(categories=[])
    assert "'id' is missing" in broken(categories=[{"fields": []}])
    assert "'A B' is not an id" in broken(categories=[{"id": "A B", "fields": []}])
    assert "must be an object" in broken(categories=["fraud"])
    twice = [{"id": "fraud", "fields": []}, {"id": "fraud", "fields": []}]
    assert "categories: the same id twice" in broken(categories=twice)
    role = small()["fields"][0]
    assert "fields: role: the same id twice" in broken(fields=[role, role])
    assert "sections: what: no field 'who'" in broken(sections=[{"id": "what", "fields": ["who"]}])
    again = [{"id": "what", "fields": ["role", "role"]}]
    assert "fraud: role: the same id twice" in broken(sections=again)
    card = {"id": "fraud", "fields": [], "cards": [{"id": "c", "if": {"field": "x", "in": []}}]}
    assert "'x' is no earlier choice" in broken(categories=[card])
    with pytest.raises(FormRefused, match="not JSON"):
        FormSchema.from_json(b"{")


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


def test_words_that_are_missing_in_one_language_stop_the_start() -> None:
    words = load_words(TRANSLATIONS)
    with pytest.raises(FormRefused, match=r"fraud: colour: no words in ar \(field.colour\)"):
        require_words(read(small(id="colour")), words)


def test_help_lines_that_do_not_fit_stop_the_start(tmp_path: Path) -> None:
    assert HelpLines.from_json((gateway.site.app.FORMS / "help.json").read_bytes()).police == "19"
    with pytest.raises(FormRefused):
        HelpLines.from_json(b'{"police": "19"}')
    with pytest.raises(FormRefused):
        HelpLines.from_json((tmp_path / "none").name.encode())
