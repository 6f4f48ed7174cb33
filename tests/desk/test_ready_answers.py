"""Answers that an institution has ready: put before an operator, and sent by nobody else."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from typing import TYPE_CHECKING

import pytest

from crypto.manifest import STATUSES
from desk.cases import Cases
from desk.errors import NothingToSay, RulesMalformed
from desk.origins import Origin
from desk.outbox import TEXT_MOST
from desk.pages.app import create_pages
from desk.pages.door import Bind, OneTimeLink
from desk.public_status import NEEDS_WORDS
from desk.ready_answers import begin
from desk.rules import REPORTERS, load
from tests.desk.pages.test_pages import FORM
from tests.desk.running import done

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desk.cases import Case
    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.running import Run
    from tests.desk.server import FakeServer
    from tests.desk.world import Reporter

    Synced = Callable[..., SyncReport]

RULES = load()
ARABIC = re.compile("[\u0621-\u064a]")
ENTRY = """
[answers.thanks]
words = { en = "Thanks", fr = "Merci", ar = "شكرا" }
"""


@pytest.fixture
def case(desk: Desk, sync: Synced, reporter: Reporter) -> Case:
    """A report, written in French."""
    sync(*reporter.report())
    found = Cases(desk).find(reporter.case.hex())
    assert found.report is not None
    return written_in(found, "fr")


def written_in(case: Case, language: str) -> Case:
    (told,) = case.origin.told
    told = told._replace(manifest=replace(told.manifest, language=language))
    return replace(case, origin=replace(case.origin, told=(told,)))


def test_ours_can_be_sent_as_they_are_in_the_languages_that_they_are_in() -> None:
    assert len(RULES.answers) >= 6
    for one in RULES.answers.values():
        assert list(one.text) == ["ar", "fr", "en"]
        assert {code: bool(ARABIC.search(text)) for code, text in one.text.items()} == {
            "ar": True, "fr": False, "en": False,
        }  # fmt: skip
        assert one.status in {"", *STATUSES}
        for text in one.text.values():
            assert text == text.strip()
            assert len(text) < TEXT_MOST
    # Whatever needs words has them.
    assert set(NEEDS_WORDS) <= {one.status for one in RULES.answers.values()}


@pytest.mark.parametrize(
    ("language", "written"), [("ar", "ar"), ("fr", "fr"), ("en", "en"), ("zgh", "ar"), ("", "ar")]
)
def test_one_comes_in_the_reporters_language_or_in_the_files_first(
    case: Case, language: str, written: str
) -> None:
    found = begin(RULES, written_in(case, language), " being_examined ")
    ours = RULES.answers["being_examined"]
    assert found == (ours.text[written], written, "examined")


def test_what_was_typed_stays_above_it(case: Case) -> None:
    text = RULES.answers["keep_evidence"].text["fr"]
    assert begin(RULES, case, "keep_evidence", "  Bonjour.\n").text == f"Bonjour.\n\n{text}"
    assert begin(RULES, case, "keep_evidence", " \n").text == text


def test_a_case_without_a_report_gets_the_first(case: Case) -> None:
    assert begin(RULES, replace(case, origin=Origin()), "blackmail").language == "ar"


def test_what_there_is_not_is_refused_with_what_there_is(case: Case) -> None:
    with pytest.raises(NothingToSay, match="being_examined, more_details"):
        begin(RULES, case, "nothing of ours")
    with pytest.raises(NothingToSay, match="no ready answers"):
        begin(replace(RULES, answers={}), case, "being_examined")


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("", "`text` is by language: some of ar, zgh, fr, en"),
        ('text = "Thanks"', "`text` is by language"),
        ("text = {}", "`text` is by language"),
        ('text = { de = "Danke" }', "`text` is by language"),
        ('text = { ar = " " }', "`text` has at most 4000 characters"),
        ("text = { ar = 4 }", "`text` has at most 4000 characters"),
        (f'text = {{ ar = "{"x" * 4001}" }}', "`text` has at most 4000 characters"),
        ('text = { ar = "x" }\nstatus = "gone"', "`status` is one of received, examined"),
        ('text = { ar = "x" }\nsent = true', "an unknown key"),
    ],
    ids=lambda one: one[:30],
)
def test_one_that_cannot_be_meant_is_refused(tmp_path: Path, told: str, why: str) -> None:
    file = tmp_path / "workflow.toml"
    file.write_text(
        '\nversion = 1\n[states.received]\nwords = { en = "a", fr = "a", ar = "a" }\n'
        '[priorities.P1]\nwords = { en = "a", fr = "a", ar = "a" }\nusual = true\n'
        f"{ENTRY}{told}\n",
        "utf-8",
    )
    with pytest.raises(RulesMalformed) as refused:
        load(file)
    assert why in str(refused.value)
    assert "[answers.thanks]" in str(refused.value)


def test_one_language_is_enough(tmp_path: Path, case: Case) -> None:
    file = tmp_path / "workflow.toml"
    file.write_text(
        'version = 1\n[states.received]\nwords = { en = "a", fr = "a", ar = "a" }\n'
        '[priorities.P1]\nwords = { en = "a", fr = "a", ar = "a" }\nusual = true\n'
        f'{ENTRY}text = {{ zgh = " ⵜⴰⵏⵎⵎⵉⵔⵜ " }}\n',
        "utf-8",
    )
    assert "zgh" in REPORTERS
    assert begin(load(file), case, "thanks") == ("ⵜⴰⵏⵎⵎⵉⵔⵜ", "zgh", "")


# --- at a terminal


@pytest.fixture
def ref(run: Run, reporter: Reporter, server: FakeServer) -> str:
    """A case that came."""
    server.put(*reporter.report())
    done(run("sync"))
    return reporter.case.hex()[:8]


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """The operator's editor, which does one thing with the file."""

    def does(what: str) -> None:
        program = tmp_path / "editor"
        program.write_text(f"#!/bin/sh\n{what}\n")
        program.chmod(0o700)
        monkeypatch.setenv("EDITOR", str(program))
        monkeypatch.delenv("VISUAL", raising=False)

    return does


def last_said(run: Run, ref: str) -> tuple[str, str]:
    last = json.loads(done(run("show", ref, "--json")))["conversation"][-1]
    return last["text"], last["status"]


def test_the_editor_begins_with_one_and_what_is_saved_is_sent(
    run: Run, ref: str, editor: Callable[[str], None]
) -> None:
    editor('printf "One more line." >> "$1"')
    assert "sealed and sent" in done(run("reply", ref, "--ready", "keep_evidence"))
    text, status = last_said(run, ref)
    assert text == RULES.answers["keep_evidence"].text["fr"] + "One more line."
    assert status == ""


def test_an_editor_that_was_left_at_once_sends_nothing(
    run: Run, ref: str, editor: Callable[[str], None]
) -> None:
    editor("true")
    told = run("reply", ref, "--ready", "being_examined")
    assert told.exit_code == 1
    assert "--unedited sends it so" in told.stderr
    assert json.loads(done(run("show", ref, "--json")))["conversation"] == []


def test_one_goes_as_it_is_where_somebody_says_so_with_its_status_or_another(
    run: Run, ref: str
) -> None:
    done(run("reply", ref, "--ready", "being_examined", "--unedited"))
    text, status = last_said(run, ref)
    assert text == RULES.answers["being_examined"].text["fr"]
    assert status == "examined"
    done(run("reply", ref, "--ready", "being_examined", "--unedited", "--status", "sent"))
    assert last_said(run, ref)[1] == "sent"


def test_the_options_are_not_mixed(run: Run, ref: str, tmp_path: Path) -> None:
    file = tmp_path / "answer.txt"
    file.write_text("x")
    for other in (("--text", "x"), ("--text-file", str(file))):
        told = run("reply", ref, "--ready", "blackmail", *other)
        assert (told.exit_code, "Choose one" in told.stderr) == (2, True)
    told = run("reply", ref, "--text", "from the option", "--text-file", str(file))
    assert (told.exit_code, "Choose one" in told.stderr) == (2, True)
    assert json.loads(done(run("show", ref, "--json")))["conversation"] == []
    told = run("reply", ref, "--unedited", "--text", "x")
    assert (told.exit_code, "--ready ID --unedited" in told.stderr) == (2, True)
    told = run("reply", ref, "--ready", "nothing")
    assert (told.exit_code, "being_examined" in told.stderr) == (1, True)


def test_the_rules_list_them(run: Run) -> None:
    assert "answer blackmail: Blackmail: you are not to blame (ar, fr, en)" in done(run("rules"))
    told = json.loads(done(run("rules", "--json")))["answers"]
    assert [one["id"] for one in told] == list(RULES.answers)
    assert told[0]["text"] == dict(RULES.answers["being_examined"].text)


# --- on a page


def test_a_page_puts_one_into_the_field_and_sends_nothing(
    desk: Desk, sync: Synced, reporter: Reporter
) -> None:
    sync(*reporter.report())
    link = OneTimeLink()
    page = create_pages(desk, Bind("127.0.0.1", 8002), link).test_client()
    page.get(f"/link/{link.token}", headers=FORM)
    path = f"/case/{reporter.case.hex()}/answer"
    seen = Cases(desk).find(reporter.case.hex()).seen
    ready = RULES.answers["more_details"].text["fr"]

    def press(**form: str) -> str:
        answer = page.post(path, headers=FORM, data={"begin": "yes", **form})
        assert answer.status_code == (422 if form["ready"] not in RULES.answers else 200)
        return unescape(answer.text)

    shown = press(ready="more_details", text="Hello <b>.", status="")
    assert f"Hello <b>.\n\n{ready}</textarea>" in shown
    assert '<option value="question" selected>' in shown
    assert "Nothing was sent yet." in shown
    # A status that was chosen stays.
    assert '<option value="sent" selected>' in press(ready="more_details", text="", status="sent")
    refused = press(ready="none of ours", text="My own words.", status="sent")
    assert "No ready answer is called so" in refused
    assert "My own words.</textarea>" in refused
    assert Cases(desk).find(reporter.case.hex()).seen == seen
