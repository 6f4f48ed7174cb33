"""Requests that wait are found again, and an identity opens alone where one custodian is enough."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from desk.custody import LETTER
from desk.custody_waiting import letter, waiting_requests
from desk.errors import CustodyRefused
from desk.identity import AloneOpened
from tests.desk.custody.conftest import NAME, Office, office_of
from tests.desk.custody.test_pages import FORM, browser, post
from tests.desk.running import done, running
from tests.desk.server import serving
from tests.desk.world import PASSPHRASE, Reporter, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.desk.running import Run


@pytest.fixture
def run(office: Office, tmp_path: Path) -> Run:
    phrase = tmp_path / "phrase"
    phrase.write_text(f"{PASSPHRASE}\n")
    return running(office.desk("operator 1").home.folder, phrase)


def test_an_operators_requests_are_found_without_naming_their_cases(
    office: Office, run: Run
) -> None:
    first = office.ask("The first reason.")
    before = office.reporter
    office.reporter = Reporter(office.world)
    office.report()
    second = office.ask("The second reason.")
    office.ask("Another's.", by="operator 2")
    desk = office.desk("operator 1")
    assert {one.request.id for one in waiting_requests(desk)} == {first.id.hex(), second.id.hex()}
    rows = json.loads(done(run("custody", "list", "--json")))["requests"]
    assert {one["case"] for one in rows} == {before.case.hex(), office.reporter.case.hex()}
    assert "The first reason." in done(run("custody", "list"))
    assert "Another's." in done(run("custody", "list", office.reporter.case.hex()))
    page = browser(office, "operator 1").get("/custody", headers=FORM).text
    assert "The first reason." in page
    assert "Another" not in page
    assert "A request that an operator brought" not in page
    # What is opened waits no more.
    yes = [office.yes(number, second.text) for number in (1, 2)]
    office.open(second, *yes)
    assert [one.request.id for one in waiting_requests(desk)] == [first.id.hex()]


def test_a_letter_that_was_changed_on_the_disk_hides_no_other(office: Office) -> None:
    asked = office.ask()
    desk = office.desk("operator 1")
    desk.store.note(f"{LETTER}00", "no letter at all")
    desk.store.note(f"{LETTER}01", "")
    assert [one.request.id for one in waiting_requests(desk)] == [asked.id.hex()]
    assert "None. Who reported" in browser(office, "operator 2").get("/custody", headers=FORM).text


def test_a_request_is_written_again_and_is_the_same_letter(
    office: Office, run: Run, tmp_path: Path
) -> None:
    asked = office.ask()
    ref, to = office.reporter.case.hex(), tmp_path / "again.txt"
    done(run("custody", "letter", ref, asked.id.hex()[:8], "--to", str(to)))
    assert to.read_text() == asked.text
    assert run("custody", "letter", ref, asked.id.hex(), "--to", str(to)).exit_code == 1
    assert done(run("custody", "letter", ref, asked.id.hex(), "--to", "-")) == asked.text
    for wrong in ("ffff", ""):
        assert run("custody", "letter", ref, wrong, "--to", "-").exit_code == 1
    desk = office.desk("operator 1")
    desk.store.note(LETTER + asked.id.hex(), "")
    with pytest.raises(CustodyRefused, match="written elsewhere"):
        letter(desk, office.case(), asked.id.hex())


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Office]:
    world = World.make(custodians=1, quorum=1)
    with serving(world) as server:
        yield office_of(tmp_path, world, server)


def test_where_one_custodian_is_enough_the_identity_is_in_one_answer_and_nowhere_else(
    alone: Office,
) -> None:
    client, path = browser(alone, "custodian 1"), f"/case/{alone.reporter.case.hex()}"
    before = client.get(path, headers=FORM).text
    assert "Open the identity here" in before
    assert NAME not in before
    assert client.get(f"{path}/identity/alone", headers=FORM).status_code == 405
    opened = post(client, f"{path}/identity/alone")
    assert opened.status_code == 200
    assert NAME in opened.text
    assert "no journal says that you opened it" in opened.text
    assert opened.headers["Cache-Control"] == "no-store"
    assert NAME not in client.get(path, headers=FORM).text
    # Nothing was written, here or there.
    assert alone.desk("custodian 1").store.unposted() == ()
    for file in alone.desk("custodian 1").home.folder.rglob("*"):
        assert file.is_dir() or NAME.encode() not in file.read_bytes()


def test_neither_an_operator_nor_one_custodian_of_several_opens_alone(
    alone: Office, office: Office
) -> None:
    for where, who, why in (
        (alone, "operator 1", "operator&#39;s desk cannot open it"),
        (office, "custodian 1", "asks for <bdi>2</bdi> custodians|asks for 2 custodians"),
    ):
        client, path = browser(where, who), f"/case/{where.reporter.case.hex()}"
        assert "Open the identity here" not in client.get(path, headers=FORM).text
        refused = post(client, f"{path}/identity/alone")
        assert refused.status_code == 422
        assert re.search(why, refused.text)
        assert NAME not in refused.text


def test_a_case_without_an_identity_on_this_desk_says_so(
    alone: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, path = browser(alone, "custodian 1"), f"/case/{alone.reporter.case.hex()}"
    monkeypatch.setattr("desk.pages.custody.open_identities", lambda *_: AloneOpened(()))
    told = post(client, f"{path}/identity/alone").text
    assert "No identity of this case lies on this desk." in told
