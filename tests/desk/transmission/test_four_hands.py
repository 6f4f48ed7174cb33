"""Whoever receives a package is told whether two people stand behind it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from desk.errors import ActRefused
from desk.pages.app import create_pages
from desk.pages.door import Bind, OneTimeLink
from desk.transmission import cli, proof, receiving
from desk.transmission.cover import cover
from desk.transmission.proof import Act
from tests.desk.test_statuses import FORM
from tests.desk.transmission.conftest import SERVICE, UNIT
from tests.desk.transmission.test_proof import rewritten, run

if TYPE_CHECKING:
    from pathlib import Path

    from desk.transmission.cover import Occasion
    from tests.desk.transmission.conftest import Handing

ONE = Act("operator 1", "aa", "ready", "cyber_unit", "place_of_act", "01")
TWO = Act("operator 2", "bb", "ready", "cyber_unit", "place_of_act", "02")
LOOKED = TWO._replace(state="triage", service="", basis="")
DANGER = TWO._replace(state="imminent", service="", basis="")
ME = Act("operator 1", "aa")
READY = {"from": ["ready"], "fast": False, "two": True}
IMMINENT = {"from": ["imminent"], "fast": True, "two": True}
TO = {"service": {"id": "cyber_unit"}, "basis": {"id": "place_of_act"}}


def stood(*acts: Act, **lane: object) -> dict[str, object]:
    """A lane that names the acts that nothing took the place of."""
    return {**READY, "acts": [one.id for one in acts], **lane}


@pytest.mark.claim("C-FOUR-EYES")
@pytest.mark.parametrize(
    ("lane", "acts", "said", "is_wrong"),
    [
        (READY, [TWO], "", False),
        (READY, [ONE], "four eyes", True),
        (READY, [ONE._replace(author="under another name")], "four eyes", True),
        (READY, [ONE._replace(key="of an older roster")], "four eyes", True),
        (READY, [TWO, ONE], "four eyes", True),
        (READY, [ONE, TWO], "another did so, and nothing took the place of that", False),
        (READY, [], "no act of the journal sets", True),
        (READY, [ONE._replace(state="")], "no act of the journal sets", True),
        ({**READY, "from": [""]}, [ONE._replace(state="")], "no act of the journal sets", True),
        ({**READY, "two": False}, [ONE], "ask for no second", False),
        ({**READY, "two": "?"}, [ONE], "is not told here", False),
        ({**READY, "fast": "yes"}, [ONE], "four eyes", True),
        ({**READY, "from": ["received"]}, [], "four eyes", True),
        ({**READY, "from": ["received"], "two": False}, [], "ask for no second", False),
        (IMMINENT, [ONE._replace(state="imminent")], "the fast lane", False),
        (IMMINENT, [DANGER], "the fast lane", False),
        (IMMINENT, [TWO._replace(state="imminent")], "", False),
        (IMMINENT, [ONE], "no act of the journal sets", True),
        (None, [TWO], "", False),
        (None, [ONE], "is not told here", False),
        (None, [], "is not told here", False),
        ({"from": "ready"}, [ONE], "is not told here", False),
        ("ready", [ONE], "is not told here", False),
        # What another did is no making ready, whatever the sender's lane calls it.
        ({**READY, "from": ["triage"]}, [LOOKED], "four eyes", True),
        ({**READY, "from": ["triage"], "two": False}, [LOOKED], "ask for no second", False),
        ({**READY, "from": ["triage"], "fast": True}, [LOOKED], "the fast lane", False),
        ({**READY, "from": ["triage", "ready"]}, [LOOKED, ONE], "four eyes", True),
        (READY, [TWO._replace(service="regional_unit")], "four eyes", True),
        (READY, [TWO._replace(basis="place_of_arrest")], "four eyes", True),
        (READY, [TWO._replace(service="", basis="")], "four eyes", True),
        # Two who pressed it without knowing of each other, in both orders.
        (stood(ONE, TWO), [ONE, TWO], "another did so", False),
        (stood(ONE, TWO), [TWO, ONE], "another did so", False),
        (stood(TWO), [ONE, TWO], "another did so", False),
        (stood(TWO), [TWO], "", False),
        (stood(ONE), [TWO, ONE], "four eyes", True),
        (stood(TWO), [TWO, ONE], "leaves out the act", True),
        (stood(), [TWO], "leaves out the act", True),
        (stood(ONE, TWO), [TWO._replace(service="regional_unit"), ONE], "four eyes", True),
        (stood(ONE, TWO), [ONE, TWO._replace(service="regional_unit")], "four eyes", True),
        (stood(DANGER, **IMMINENT), [DANGER], "the fast lane", False),
        (stood(**{"from": ["received"]}), [], "four eyes", True),
        ({**READY, "acts": "02"}, [TWO], "", False),
    ],
)
def test_who_made_it_ready_is_held_against_who_handed_it_over(
    lane: object,
    acts: list[Act],
    said: str,
    is_wrong: bool,  # noqa: FBT001
) -> None:
    manifest = TO if lane is None else {**TO, "lane": lane}
    words, wrong = proof._hands(manifest, acts, ME)
    assert wrong == is_wrong
    assert said in words
    assert bool(words) == bool(said)


@pytest.mark.claim("C-FOUR-EYES")
@pytest.mark.parametrize("to", [{}, {"service": "", "basis": []}, {"service": {}, "basis": {}}])
def test_a_package_that_names_no_service_was_made_ready_by_nobody(to: dict[str, object]) -> None:
    silent = TWO._replace(service="", basis="")
    words, wrong = proof._hands({**to, "lane": READY}, [silent], ME)
    assert (wrong, "four eyes" in words) == (True, True)


@pytest.mark.parametrize("body", ["x", "[]", "{}", '{"type":"status"}', "[" * 100_000, "null",
                                  '{"type":"status","data":[]}'])  # fmt: skip
def test_an_act_whose_words_cannot_be_read_sets_no_state(body: str) -> None:
    assert proof._step(body) == ("", "", "")


@pytest.mark.claim("C-FOUR-EYES")
def test_two_people_are_nothing_to_remark(ready: Handing) -> None:
    folder = ready.transmit("print", in_clear=True).path
    found = proof.verify_folder(folder, ready.root_line)
    assert (found.code, found.remarks) == (0, ())
    (acted,) = ready.case.work.of("status")[3:4]
    assert found.manifest["lane"] == {**READY, "acts": [acted.envelope.id.hex()]}


@pytest.mark.claim("C-FOUR-EYES")
def test_the_fast_lane_is_remarked_and_proven_all_the_same(
    handing: Handing, tmp_path: Path
) -> None:
    handing.begin(danger_now="yes")
    handing.state("triage", by=0)
    handing.state("imminent", by=0)
    sealed = handing.transmit().path
    opened = handing.folder / "opened"
    found = receiving.open_sealed(sealed, SERVICE, handing.root_line, opened)
    assert found.code == 0
    (remark,) = found.remarks
    assert "'operator 1' alone stands behind it" in remark
    assert "fast lane for danger to life" in remark
    root = tmp_path / "root.pub"
    root.write_text(handing.root_line)
    said = run(opened, "--root", str(root))
    assert (said.returncode, f"MIND: {remark}" in said.stdout.splitlines()) == (0, True)
    assert "PROVEN: signed by 'operator 1'" in said.stdout
    arguments = ["verify", str(opened), "--root", str(root)]
    told = CliRunner().invoke(cli.main, [*arguments, "--json"])
    assert json.loads(told.stdout)["remarks"] == [remark]
    assert f"MIND: {remark}" in CliRunner().invoke(cli.main, arguments).stdout


@pytest.mark.claim("C-FOUR-EYES")
def test_a_changed_desk_that_hands_over_alone_is_named_to_the_receiver(
    handing: Handing, monkeypatch: pytest.MonkeyPatch
) -> None:
    handing.begin()
    handing.ready(by=0)
    monkeypatch.setattr("desk.transmission.possible.reasons_against", lambda *_: ())
    monkeypatch.setattr("desk.work.allowed", lambda *_: ())
    sealed = handing.transmit().path
    opened = handing.folder / "opened"
    found = receiving.open_sealed(sealed, SERVICE, handing.root_line, opened)
    assert [(one.kind, one.what) for one in found.findings] == [("journal", "journal.json")]
    assert "(four eyes)" in found.findings[0].why
    assert not opened.exists()


def test_of_what_is_not_proven_nothing_is_said_about_hands(ready: Handing) -> None:
    folder = ready.transmit("print", in_clear=True).path
    rewritten(folder, proof.MANIFEST, lambda one: one.update(lane={**READY, "from": ["x"]}))
    found = proof.verify_folder(folder, ready.root_line)
    assert [one.what for one in found.findings] == [proof.SIGNATURE]


def both_ready(handing: Handing, *, first: int, service: str = UNIT.service) -> None:
    """Both make it ready at once, I with a note before; `first`'s act has the lower hash."""
    handing.begin()
    steps = [{"state": one} for one in ("triage", "assessment", "seriousness_check")]
    rows = [handing._row("status", one, 1) for one in steps]
    checked, data = handing.last, {**UNIT.to_facts(), "state": "ready"}
    noted = handing._row("note", {"text": "Only I had read this."}, 0)
    while True:
        handing.last = noted.header.hash
        mine = handing._row("status", data, 0)
        handing.last = checked
        theirs = handing._row("status", {**data, "service": service}, 1)
        if (mine.header.hash < theirs.header.hash) == (first == 0):
            break
    handing.sync(*rows, noted, mine, theirs)


@pytest.mark.claim("C-FOUR-EYES")
@pytest.mark.parametrize("first", [0, 1], ids=["mine is first", "theirs is first"])
def test_two_who_made_it_ready_at_once_are_two(
    handing: Handing, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheets: list[Occasion] = []

    def sheet(*given: Any) -> dict[str, object]:
        sheets.append(given[2])
        return cover(*given)

    monkeypatch.setattr("desk.transmission.transmit.cover", sheet)
    both_ready(handing, first=first)
    assert not handing.case.work.conflicts
    folder = handing.transmit("print", in_clear=True).path
    found = proof.verify_folder(folder, handing.root_line)
    assert (found.code, len(found.manifest["lane"]["acts"])) == (0, 2)
    assert [one for one in found.remarks if "made this case ready, too" not in one] == []
    assert [(one.operator, one.prepared) for one in sheets] == [("operator 1", "operator 2")]
    assert not handing.case.alarms


@pytest.mark.claim("C-FOUR-EYES")
def test_a_colleague_who_only_looked_at_it_is_no_second_hand_to_the_receiver(
    handing: Handing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One's own copy of the rules says that triage leads there, and the desk was changed."""
    handing.begin()
    handing.state("triage", by=1)
    states = dict(handing.desk.rules.states)
    leads = (*states["triage"].leads_to, "transmitted")
    states["triage"] = replace(states["triage"], leads_to=leads)
    handing.desk = replace(handing.desk, rules=replace(handing.desk.rules, states=states))
    with pytest.raises(ActRefused, match="Four eyes"):
        handing.transmit()
    monkeypatch.setattr("desk.work.allowed", lambda *_: ())
    opened = handing.folder / "opened"
    found = receiving.open_sealed(handing.transmit().path, SERVICE, handing.root_line, opened)
    assert (found.code, found.manifest["lane"]["from"]) == (1, ["triage"])
    assert "no other operator made this case ready for this service" in found.findings[0].why
    assert not opened.exists()


@pytest.mark.parametrize("first", [0, 1], ids=["mine is first", "theirs is first"])
def test_the_page_shows_what_either_of_two_had_not_read(handing: Handing, first: int) -> None:
    both_ready(handing, first=first)
    shown = page_of(handing)
    assert "Sign and hand it over" in shown
    assert "Only I had read this." in shown
    assert "Ready to transmit" not in shown.partition("Since its state was set")[2]


@pytest.mark.parametrize("first", [0, 1], ids=["mine is first", "theirs is first"])
def test_the_page_chooses_between_no_two_services(handing: Handing, first: int) -> None:
    both_ready(handing, first=first, service="regional_unit")
    shown = page_of(handing)
    assert "two operators named different services or bases" in shown
    assert "Sign and hand it over" not in shown


def page_of(handing: Handing) -> str:
    """The page of transmission, as it reads."""
    link = OneTimeLink()
    client = create_pages(handing.desk, Bind("127.0.0.1", 8002), link).test_client()
    client.get(f"/link/{link.token}", headers=FORM)
    where = f"/case/{handing.reporter.case.hex()}/transmission"
    return client.get(where, headers=FORM).text
