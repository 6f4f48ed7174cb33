"""The desk's own pages: who works here, and alarms that are cleared as they were shown."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from desk.alarms import Alarm, Sign
from desk.cases import Cases
from desk.outbox import append
from desk.pages.app import create_pages
from desk.pages.door import Bind, OneTimeLink
from desk.unfinished import Ledger
from tests.desk.running import done
from tests.desk.test_statuses import FORM
from tests.desk.world import make_desk

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from desk.desk import Desk
    from tests.desk.conftest import Synced
    from tests.desk.running import Run
    from tests.desk.server import FakeServer
    from tests.desk.world import Reporter, World


def browser(desk: Desk) -> FlaskClient:
    """A browser that was let in."""
    link = OneTimeLink()
    client = create_pages(desk, Bind("127.0.0.1", 8002), link).test_client()
    assert client.get(f"/link/{link.token}", headers=FORM).status_code == 303
    return client


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    return browser(desk)


@pytest.fixture
def deaf(server: FakeServer) -> None:
    """The server takes nothing."""
    server.answers["/v1/envelopes"] = (503, b"{}")


def text(client: FlaskClient, path: str) -> str:
    answer = client.get(path, headers=FORM)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def test_the_desk_says_who_works_here_and_whom_it_believes(
    desk: Desk, world: World, client: FlaskClient, run: Run
) -> None:
    page = text(client, "/desk")
    assert 'href="/desk"' in client.get("/", headers=FORM).text
    told = json.loads(done(run("about", "--json")))
    for said in (
        "operator 1", "Operator", world.root_public.fingerprint, told["fingerprint"],
        desk.trust.deployment.hex(), desk.server, "Number 1, from", "2 operators, 1 custodian",
        "Never synced", "Nothing waits to be sent",
    ):  # fmt: skip
        assert said in page, said
    assert told["root_fingerprint"] == world.root_public.fingerprint
    assert told["number"] == 1
    assert told["roster"]["in_force"] is True
    shown = done(run("about"))
    assert world.root_public.fingerprint in shown
    assert "number 1" in shown


@pytest.mark.usefixtures("deaf")
def test_what_waits_is_listed_with_its_case(
    desk: Desk, client: FlaskClient, run: Run, sync: Synced, reporter: Reporter
) -> None:
    sync(*reporter.report())
    for said in ("one", "two"):
        append(desk, Cases(desk).find(reporter.case.hex()), "note", {"text": said})
    case = reporter.case.hex()
    page = client.get("/desk", headers=FORM).text
    assert f'href="/case/{case}"' in page
    assert "× 2" in page
    assert json.loads(done(run("about", "--json")))["waiting"] == [{"case": case, "number": 2}]
    assert f"{case[:4]}-{case[4:8]} (2)" in done(run("about"))


def test_a_roster_that_ran_out_and_one_that_names_others_are_said(
    world: World, desk: Desk, run: Run, tmp_path: Path, server: FakeServer
) -> None:
    late = make_desk(tmp_path / "late", world, server.url)
    object.__setattr__(late, "today", lambda: world.roster.not_after + 1)
    assert "not in force today" in text(browser(late), "/desk")
    assert "NOT IN FORCE" in done(run("about", today=world.roster.not_after + 1))
    object.__setattr__(late, "keyring", type(desk.keyring).generate("somebody else"))
    assert "does not name this desk" in text(browser(late), "/desk")
    keeper = make_desk(tmp_path / "keeper", world, server.url, keyring=world.custodians[0])
    assert "Role Custodian" in text(browser(keeper), "/desk")
    assert "custodian 'custodian 1', number 3" in done(run("about", home=keeper.home))


def test_what_a_killed_program_left_is_told_for_as_long_as_the_pages_are_open(
    desk: Desk, client: FlaskClient, tmp_path: Path
) -> None:
    ledger = Ledger.of(desk)
    name = "00" * 8
    place = tmp_path / f"out.unproven-{'ab' * 8}"
    place.mkdir()
    ledger.folder.mkdir(mode=0o700)  # type: ignore[union-attr]  # it has one
    sealed = ledger.key.seal(name.encode(), b"", str(place).encode())  # type: ignore[union-attr]
    (ledger.folder / name).write_bytes(sealed)  # type: ignore[operator]
    for _ in range(2):
        assert f"has been removed: {place}" in text(client, "/desk")
    assert not place.exists()


def test_alarms_are_shown_with_their_words_and_their_case(
    desk: Desk, client: FlaskClient, sync: Synced, reporter: Reporter
) -> None:
    assert "No alarms." in text(client, "/alarms")
    sync(*reporter.report())
    here, gone = reporter.case.hex(), "ab" * 16
    for alarm in (
        Alarm(Sign.MISSING, here, "12" * 16), Alarm(Sign.WRAP_LEFT_OUT, gone, "cd" * 16),
        Alarm(Sign.ROSTER_REFUSED),
    ):  # fmt: skip
        desk.store.shout(alarm)
        assert " ".join(alarm.words.split()) in text(client, "/alarms").replace("&#39;", "'")
    page = client.get("/alarms", headers=FORM).text
    assert f'href="/case/{here}"' in page
    assert f'href="/case/{gone}"' not in page
    assert "A case that is not here" in page
    assert "About the server" in page
    assert "3</b>" in client.get("/desk", headers=FORM).text


@pytest.mark.claim("C-ALARMS")
def test_only_what_was_shown_is_cleared_and_an_alarm_that_came_meanwhile_stays(
    desk: Desk, client: FlaskClient
) -> None:
    shown = [Alarm(Sign.MISSING, "ab" * 16, f"{n:032x}") for n in range(3)]
    for one in shown:
        desk.store.shout(one)
    page = client.get("/alarms", headers=FORM).text
    (keys,) = re.findall(r'name="shown" value="([^"]*)"', page)
    meanwhile = Alarm(Sign.ROSTER_FORKED)
    desk.store.shout(meanwhile)
    unread = client.post("/alarms/clear", headers=FORM, data={"shown": keys})
    assert unread.status_code == 422
    assert "Say that they were read" in unread.text
    assert len(desk.store.alarms()) == 4
    cleared = client.post("/alarms/clear", headers=FORM, data={"one": shown[0].key})
    assert cleared.location == "/alarms"
    assert "Cleared: 1 alarm." in text(client, "/alarms")
    assert set(desk.store.alarms()) == {*shown[1:], meanwhile}
    client.post("/alarms/clear", headers=FORM, data={"shown": keys, "read": "yes"})
    assert desk.store.alarms() == (meanwhile,)
    assert "Cleared: 2 alarms." in text(client, "/alarms")
    client.post("/alarms/clear", headers=FORM, data={"shown": keys, "read": "yes"})
    assert "gone already" in text(client, "/alarms")


def test_a_page_of_alarms_is_cleared_without_those_that_did_not_fit(
    desk: Desk, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.pages.home.PAGE", 2)
    for n in range(3):
        desk.store.shout(Alarm(Sign.MISSING, "ab" * 16, f"{n:032x}"))
    page = client.get("/alarms", headers=FORM).text
    assert "3 alarms, the first <bdi>2</bdi> here" in page or "3 alarms, the first 2 here" in page
    (keys,) = re.findall(r'name="shown" value="([^"]*)"', page)
    client.post("/alarms/clear", headers=FORM, data={"shown": keys, "read": "yes"})
    assert [one.envelope for one in desk.store.alarms()] == [f"{2:032x}"]
