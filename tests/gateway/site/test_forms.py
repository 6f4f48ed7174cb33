"""What an institution writes itself: its folder, its help lines, its words, its national number."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from gateway.errors import FormRefused
from gateway.site.forms import FORMS, load_forms
from gateway.site.help import HelpLines
from gateway.site.words import LANGUAGES
from tests.support.site import Writer, errors_of

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from tests.support.rehearsal import Rehearsal

HELP = json.loads((FORMS / "help.json").read_bytes())
CODES = [one.code for one in LANGUAGES]
NAMES = {**dict.fromkeys(CODES, "x"), "ar": "خط النساء", "fr": "Ligne des femmes"}


def shipped(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FORMS / name).read_bytes())
    return found


def client_with(rehearsal: Rehearsal, folder: Path) -> FlaskClient:
    config = dataclasses.replace(rehearsal.config, forms=folder)
    return dataclasses.replace(rehearsal, config=config).site_client()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"police": "call us"}, "help.json, line 3: police: must be a telephone number"),
        ({"police": 19}, "help.json, line 3: police: 'police' must be a text"),
        ({"as_of": "yesterday"}, "help.json, line 2: as_of: must be a day such as 2026-11-22"),
        ({"as_of": "2026-02-30"}, "help.json, line 2: as_of: must be a day"),
        ({"fire": "15"}, "help.json, line 6: the top: unknown key 'fire'"),
        ({"lines": {}}, "help.json, line 6: the top: 'lines' must be a list"),
        ({"lines": [{"number": "1"}]}, "help.json, line 7: lines: 'for' is missing"),
        (
            {"lines": [{"number": "1", "for": [], "name": NAMES}]},
            "help.json, line 8: number: must be a telephone number",
        ),
        (
            {"lines": [{"number": "8350", "for": [], "name": NAMES}]},
            "help.json, line 9: lines: 'for' must be a list with something in it",
        ),
        (
            {"lines": [{"number": "8350", "for": ["fraud"], "name": {"fr": "x"}}]},
            "help.json, line 12: lines: name: 'ar' is missing",
        ),
    ],
)
def test_a_mistake_in_the_help_lines_is_named_by_its_line(
    changes: dict[str, object], said: str
) -> None:
    data = json.dumps({**HELP, **changes}, indent=1)
    with pytest.raises(FormRefused) as refused:
        HelpLines.from_json(data.encode())
    assert str(refused.value).startswith(said)


def test_help_lines_that_are_missing_stop_the_start() -> None:
    with pytest.raises(FormRefused, match=r"help\.json, line 1: the top: 'as_of' is missing"):
        HelpLines.from_json(b'{"police": "19"}')


def test_a_category_that_is_no_more_has_no_lines_of_its_own() -> None:
    forms = load_forms(None)
    assert forms.help.others(forms.words["en"], None) == []


def test_a_folder_of_the_institution_s_own_comes_first_and_the_rest_is_ours(
    tmp_path: Path,
) -> None:
    (tmp_path / "help.json").write_text(json.dumps({**HELP, "police": "190"}))
    forms = load_forms(tmp_path)
    assert forms.help.police == "190"
    assert forms.schema == load_forms(None).schema


def test_a_folder_that_holds_nothing_of_ours_is_a_mistake(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(FormRefused, match=r"AMANA_FORMS: .* holds neither categories.json"):
            load_forms(folder)
    (tmp_path / "help.json").mkdir()
    with pytest.raises(FormRefused, match=r"help.json cannot be read: Is a directory"):
        load_forms(tmp_path)


def test_a_mistake_in_the_institution_s_file_names_that_file(tmp_path: Path) -> None:
    path = tmp_path / "categories.json"
    path.write_text('{"version": 3,\n}')
    with pytest.raises(FormRefused) as refused:
        load_forms(tmp_path)
    assert str(refused.value).startswith(f"{path}, line 2: not JSON")
    lines = [{"number": "8350", "for": ["women"], "name": NAMES}]
    path.unlink()
    (tmp_path / "help.json").write_text(json.dumps({**HELP, "lines": lines}, indent=1))
    with pytest.raises(FormRefused, match=r"help.json, line 7: no category 'women'"):
        load_forms(tmp_path)


@pytest.mark.parametrize("lang", ["ar", "zgh", "fr", "en"])
def test_an_institution_s_line_is_shown_to_the_victims_it_is_for(
    rehearsal: Rehearsal, tmp_path: Path, lang: str
) -> None:
    lines = [{"number": "+212 8350", "for": ["harassment"], "name": NAMES}]
    folder = tmp_path / "forms"
    folder.mkdir()
    (folder / "help.json").write_text(json.dumps({**HELP, "lines": lines}))
    client = client_with(rehearsal, folder)
    form = Writer(client, lang, "harassment").begin()
    for page in (form, Writer(client, lang, "harassment").send(form)):
        assert (
            '<a href="tel:+2128350"><bdi dir="ltr">+212 8350</bdi></a> ' + NAMES[lang] in page.text
        )
    assert "8350" not in Writer(client, lang, "fraud").begin().text


def test_an_institution_s_own_question_has_its_own_words(
    rehearsal: Rehearsal, tmp_path: Path
) -> None:
    data = shipped("categories.json")
    data["version"] = 7
    data["categories"][0]["fields"].append({"id": "shop", "type": "text", "unknown": True})
    data["words"] = {
        "field.shop": {**dict.fromkeys(CODES, "The shop"), "fr": "Le magasin"},
        "hint.shop": {**dict.fromkeys(CODES, "Or {police}"), "fr": "Ou {police}"},
    }
    folder = tmp_path / "forms"
    folder.mkdir()
    (folder / "categories.json").write_text(json.dumps(data))
    client = client_with(rehearsal, folder)
    page = Writer(client, "fr").begin()
    assert "Le magasin" in page.text
    assert 'Ou <bdi dir="ltr">19</bdi>' in page.text
    assert Writer(client, "fr").send(page, changes={"shop-unknown": "yes"}).status_code == 200
    report = rehearsal.report(rehearsal.only_case())
    assert (report.form_version, dict(report.fields)["shop"]) == (7, "unknown")


def test_the_national_number_is_not_asked_unless_the_institution_turns_it_on(
    rehearsal: Rehearsal, client: FlaskClient, tmp_path: Path
) -> None:
    named: dict[str, object] = {
        "identity_mode": "full_identity",
        "identity-name": "Fatima Example",
        "identity-phone": "0600000000",
        "identity-id_number": "AB123456",
    }
    page = Writer(client).begin()
    assert "id_number" not in page.text
    assert "CIN" not in page.text
    refused = Writer(client).send(page, changes=named)
    assert refused.status_code == 422
    assert rehearsal.stored() == ()

    folder = tmp_path / "forms"
    folder.mkdir()
    data = (FORMS / "categories.json").read_text("utf-8")
    assert data.count('"off": true') == 1
    (folder / "categories.json").write_text(data.replace('"off": true', '"off": false'))
    asked = client_with(rehearsal, folder)
    for lang in ("ar", "zgh", "fr", "en"):
        assert 'name="identity-id_number"' in Writer(asked, lang).begin().text
    # Also beside the longest of everything else it fits into the one size of identities.
    longest = {
        "identity-name": "ظ" * 100,
        "identity-city": "ظ" * 80,
        "identity-email": "ظ" * 60 + "@" + "ظ" * 50 + ".المغرب",
        "identity-phone": "+" + "1" * 20,
        "identity-birth_year": "1990",
        "safe_contact-hours": "ظ" * 80,
        "safe_contact-channel": "phone_call",
        "safe_contact-language": "zgh",
    }
    page = Writer(asked).send(Writer(asked).begin(), changes={**named, **longest})
    assert page.status_code == 200, errors_of(page)
    (sealed,) = [one for one in rehearsal.stored() if one.header.kind.name == "IDENTITY"]
    assert rehearsal.identity(sealed).identity["id_number"] == "AB123456"
    assert "id_number" not in rehearsal.report(rehearsal.only_case()).fields


@pytest.mark.parametrize("lang", ["ar", "zgh", "fr", "en"])
def test_what_each_way_of_reporting_means_is_said_beside_it(client: FlaskClient, lang: str) -> None:
    """Also the check of seriousness for a report without a name, and the prosecutor's decision."""
    page = Writer(client, lang).begin().text
    modes = re.search(r'<fieldset id="f-identity_mode".*?</fieldset>', page, flags=re.DOTALL)
    assert modes
    choices = re.findall(r'value="(\w+)"( checked)?> <span>(.*?)</span></label>', modes[0])
    assert [(value, bool(checked)) for value, checked, _ in choices] == [
        ("anonymous", True),
        ("contact_only", False),
        ("full_identity", False),
    ]
    said = load_forms(None).words[lang]
    for value, _, words in choices:
        assert f"<small>{said(f'about.identity_mode.{value}')}</small>" in words
    law = {"ar": ("جدية", "النيابة العامة"), "fr": ("sérieux", "procureur")}
    law["en"] = ("seriousness", "prosecutor")
    gate, decision = law.get(lang, ("", ""))
    assert gate in choices[0][2]
    assert all(decision in words for _, _, words in choices)
