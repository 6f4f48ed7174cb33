"""The institution's own questions and help lines, as its administrator meets them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from crypto.ids import Day, date_of
from gateway import check as check_module
from gateway import cli as cli_module
from gateway.check import HELP_DAYS, Finding, check
from gateway.cli import cli
from gateway.config import GatewayConfig
from gateway.errors import FormRefused
from gateway.site.institution import PARTS
from gateway.site.words import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.gateway.deployment import Deployment

HELP = {"as_of": "2026-11-22", "police": "19", "gendarmerie": "177", "children": "2511"}


def no_jail() -> Iterator[Finding]:
    yield from ()


def looked(config: GatewayConfig) -> dict[str, Finding]:
    return {one.what: one for one in check(config, no_jail)}


def test_the_folder_is_a_setting_and_ours_is_the_default(tmp_path: Path) -> None:
    assert GatewayConfig.from_environment({}).forms is None
    config = GatewayConfig.from_environment({"AMANA_FORMS": str(tmp_path)})
    assert config.forms == tmp_path


def test_check_says_which_form_is_asked_and_when_its_numbers_were_checked(
    deployment: Deployment, tmp_path: Path
) -> None:
    found = looked(deployment.config)
    assert found["forms"].state == "ok"
    assert "version 2, 9 categories, from this program" in found["forms"].found
    assert found["help lines"].found == "numbers checked on 2026-11-22"
    (tmp_path / "help.json").write_text(json.dumps(HELP))
    mine = looked(dataclasses.replace(deployment.config, forms=tmp_path))
    assert mine["forms"].found.endswith(f"from {tmp_path}")


def test_check_warns_of_a_notice_that_nobody_filled_in(
    deployment: Deployment, tmp_path: Path
) -> None:
    found = looked(deployment.config)["data protection notice"]
    languages = [one.code for one in LANGUAGES]
    words = f"NOT FILLED IN for {', '.join(languages)}: pages say so"
    assert found == Finding("data protection notice", "note", words)
    texts = dict.fromkeys(PARTS, "a text")
    notice = {"answer_days": None, "notice": dict.fromkeys(languages, texts)}
    (tmp_path / "institution.json").write_text(json.dumps(notice))
    mine = looked(dataclasses.replace(deployment.config, forms=tmp_path))
    assert mine["data protection notice"] == Finding("data protection notice", "ok", "filled in")


@pytest.mark.parametrize(("days", "state"), [(HELP_DAYS, "ok"), (HELP_DAYS + 1, "note")])
def test_check_notes_numbers_that_nobody_has_checked_for_long(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, days: int, state: str
) -> None:
    class Later:
        def today(self) -> Day:
            return Day((dt.date(2026, 11, 22) - date_of(Day(0))).days + days)

    monkeypatch.setattr(check_module, "SystemClock", Later)
    assert looked(deployment.config)["help lines"].state == state


def test_a_bad_file_is_one_calm_line_of_the_check_and_the_rest_is_looked_at(
    deployment: Deployment, tmp_path: Path
) -> None:
    (tmp_path / "help.json").write_text(json.dumps({**HELP, "police": "?"}, indent=1))
    found = looked(dataclasses.replace(deployment.config, forms=tmp_path))
    assert found["forms"] == Finding(
        "forms",
        "wrong",
        f"{tmp_path / 'help.json'}, line 3: police: must be a telephone number",
    )
    assert [one.what for one in found.values() if one.state == "wrong"] == ["forms"]


def test_the_site_does_not_start_with_a_bad_file_and_the_desks_door_does(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[object] = []
    monkeypatch.setattr(cli_module, "serve", lambda *given: served.append(given))
    (tmp_path / "categories.json").write_text('{\n "version": 3,\n "colour": 1\n}')
    environment = {"AMANA_FORMS": str(tmp_path)}
    home = str(deployment.config.home.parent)
    bad = CliRunner().invoke(cli, ["serve", "site", "--home", home], env=environment)
    assert isinstance(bad.exception, FormRefused)
    assert str(bad.exception).endswith("line 3: the top: unknown key 'colour'")
    assert served == []
    good = CliRunner().invoke(cli, ["serve", "sync", "--home", home], env=environment)
    assert good.exception is None
    assert len(served) == 1
