"""The institution's file: what it can say, and how a mistake in it is named."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import desk
from desk.errors import RulesMalformed
from desk.rules import FACTS, LANGUAGES, load

if TYPE_CHECKING:
    from collections.abc import Callable

    Changed = Callable[[str, str], str]

OURS = Path(desk.__file__).with_name("workflow.toml")
STATES = (
    "received", "triage", "imminent", "assessment", "info_requested", "seriousness_check", "ready",
    "transmitted", "returned", "prosecutor_informed", "instructed", "investigation", "closed",
)  # fmt: skip


@pytest.fixture
def refusal(tmp_path: Path) -> Changed:
    """Change one thing in our file and return how it is refused."""

    def change(old: str, new: str) -> str:
        text = OURS.read_text("utf-8")
        assert old in text
        copy = tmp_path / "workflow.toml"
        copy.write_text(text.replace(old, new, 1), "utf-8")
        with pytest.raises(RulesMalformed) as refused:
            load(copy)
        return str(refused.value)

    return change


def test_our_own_rules_have_the_thirteen_states_and_two_more_ends() -> None:
    rules = load()
    assert set(rules.states) == {*STATES, "duplicate", "out_of_scope"}
    assert (rules.urgent, rules.usual) == ("P1", "P3")
    assert rules.states["ready"].leads_to == ("transmitted", "assessment")
    assert rules.states["imminent"].fast
    assert rules.clocks["acknowledge"].days == 7
    assert rules.clocks["feedback"].days == 91
    assert rules.outcomes["presented"].ends == "wanted"
    assert rules.state("closed") == "Closed"
    assert rules.state("closed", "fr") == "Clos"
    assert rules.state("nothing of ours") == "Unknown state"


def test_every_word_is_in_every_language() -> None:
    rules = load()
    for section in ("states", "priorities", "clocks", "reasons", "instructions", "outcomes",
                    "services", "bases", "tags"):  # fmt: skip
        for one in getattr(rules, section).values():
            assert set(one.words) == set(LANGUAGES)
            assert re.search("[\u0600-\u06ff]", one.words["ar"]), one
            assert one.said("zgh") == one.words["en"]


def test_every_state_can_be_reached_and_left_for_an_end() -> None:
    states = load().states
    reached, waiting = set(), ["received"]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += states[name].leads_to
    assert reached == set(states)
    assert all(one.leads_to for one in states.values())


def test_an_institution_renames_a_state_and_adds_a_mark(tmp_path: Path) -> None:
    copy = tmp_path / "workflow.toml"
    shutil.copy(OURS, copy)
    assert load(copy).digest == load().digest
    text = copy.read_text("utf-8").replace('en = "Triage"', 'en = "First sorting"')
    text += '\n[tags.dam]\nwords = { en = "Dam", fr = "Barrage", ar = "سد" }\n'
    copy.write_text(text, "utf-8")
    rules = load(copy)
    assert rules.state("triage") == "First sorting"
    assert rules.tags["dam"].said("ar") == "سد"
    assert rules.digest != load().digest


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('leads_to = ["triage"]', 'leads_to = ["tirage"]', "'tirage', which there is not"),
        ('leads_to = ["triage"]', 'leads_to = "triage"', "`leads_to` is a list of texts"),
        ('leads_to = ["triage"]', 'leads_to = ["triage", "triage"]', "something twice"),
        ('leads_to = ["triage"]', 'lead_to = ["triage"]', "an unknown key"),
        ('leads_to = ["triage"]', 'leads_to = ["triage", "transmitted"]',
         "[states.received]: `leads_to` names 'transmitted', which takes two operators"),
        ("fast = true", "fast = false", "ask for the service here, too, or be `fast`"),
        ("days = 91", "days = 91\nhours = 3", "an unknown key"),
        ("days = 91", 'days = "91"', "`days` is a number from 0 to"),
        ("days = 91", "days = true", "`days` is a number from 0 to"),
        ("days = 91", "days = -1", "`days` is a number from 0 to"),
        ('from = "transmitted"', 'from = "sent"', "'sent', which there is not"),
        ('from = "transmitted"', "from = 4", "`from` is a text"),
        ('until = ["second_look"]', "until = []", "`until` names ''"),
        ('only = "identified"', 'only = "somebody"', "`only` is one of identified, anonymous"),
        ('priority = ["P1"]', 'priority = ["P9"]', "'P9', which there is not"),
        ('asks = ["court", "day"]', 'asks = ["court", "hour"]', "not 'hour'"),
        ('needs = ["other_operator"]', 'needs = ["luck"]', "not 'luck'"),
        ('reporter = "sent"', 'reporter = "gone"', "`reporter` is one of received"),
        ("fast = true", "fast = 1", "`fast` is true or false"),
        ("person = true\nends", 'person = "yes"\nends', "`person` is true or false"),
        ('ends = "wanted"', 'ends = "hunted"', "'hunted', which there is not"),
        ('ends = "wanted"', "ends = 3", "`ends` is a text"),
        ('bases = ["place_of_act", "residence_of_suspect", "unknown_place"]', "bases = []",
         "names no legal basis"),
        ('"unknown_place"]\nusual', '"moon"]\nusual', "'moon', which there is not"),
        ('en = "Triage", fr = "Tri", ar', 'en = "Triage", ar', "`words` needs en, fr, ar"),
        ('en = "Triage"', 'en = " "', "each a short text"),
        ('en = "Triage"', f'en = "{"x" * 200}"', "each a short text"),
        ('en = "Triage"', "en = 7", "each a short text"),
        ("[states.triage]", '[states."a b"]', "is no id"),
        ("version = 1", "version = 2", "`version = 1` is missing"),
        ("version = 1", "version = 1\nstate = 4", "[state] is no section"),
        ("[tags.daesh]", "[tag.daesh]", "[tag] is no section"),
        ("usual = true\n[priorities.P4]", "[priorities.P4]", "one priority, and only one"),
        ("[states.received]", "[states.arrived]", "which there is not"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(refusal: Changed, old: str, new: str, why: str) -> None:
    assert why in refusal(old, new)


def test_a_mistake_is_named_with_its_line(refusal: Changed) -> None:
    told = refusal('leads_to = ["triage"]', 'leads_to = ["tirage"]')
    line = OURS.read_text("utf-8").splitlines().index("[states.received]") + 1
    assert f"workflow.toml, line {line}, [states.received]" in told
    assert "at line" in refusal("[states.triage]", "[states.triage")


def test_a_section_that_is_no_table_or_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "workflow.toml"
    file.write_text("version = 1\nstates = 4\n")
    with pytest.raises(RulesMalformed, match=r"\[states\] holds no entries"):
        load(file)
    file.write_text("version = 1\n")
    with pytest.raises(RulesMalformed, match="every case begins there"):
        load(file)
    words = '{ en = "a", fr = "a", ar = "a" }'
    file.write_text(f"version = 1\n[states.received]\nwords = {words}\nasks = ['service']\n")
    with pytest.raises(RulesMalformed, match="there is none"):
        load(file)
    file.write_text("version = 1\n[tags]\nloose = 4\n")
    with pytest.raises(RulesMalformed, match="'loose' is no id"):
        load(file)


def test_a_file_that_is_no_text_or_no_file_or_huge(tmp_path: Path) -> None:
    with pytest.raises(RulesMalformed, match="cannot be read as text"):
        load(tmp_path / "nowhere.toml")
    odd = tmp_path / "odd.toml"
    odd.write_bytes(b"\xff\xfe")
    with pytest.raises(RulesMalformed, match="cannot be read as text"):
        load(odd)
    odd.write_text("#" * 300_000)
    with pytest.raises(RulesMalformed, match="longer than 256 KiB"):
        load(odd)


def test_the_facts_are_those_that_acts_can_check() -> None:
    from desk.acts import wrong_facts  # noqa: PLC0415  # beside what it is compared with

    assert set(wrong_facts(dict.fromkeys(FACTS))) == set(FACTS)
