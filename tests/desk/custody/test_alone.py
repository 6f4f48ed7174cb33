"""One custodian alone: whose an identity is, only an operator's desk can tell."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING

import pytest

from crypto.envelope import Custodians
from crypto.header import Kind
from desk.cases import Cases
from desk.custody_words import digest_of
from desk.errors import CustodyRefused
from desk.identity import named, open_identities
from tests.desk.custody.conftest import NAME, Office, office_of
from tests.desk.custody.test_pages import browser, post, uploaded
from tests.desk.forms import OURS
from tests.desk.running import done, running
from tests.desk.server import serving
from tests.desk.world import PASSPHRASE, Reporter, World, row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from werkzeug.test import TestResponse

    from tests.desk.running import Run

INNOCENT = "Innocent Neighbour, 12 rue X"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """One custodian, who is enough; a report by name."""
    world = World.make(custodians=1, quorum=1)
    with serving(world) as server:
        yield office_of(tmp_path, world, server)


def text_of(answer: TestResponse) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def path_of(office: Office) -> str:
    return f"/case/{office.reporter.case.hex()}"


@pytest.mark.claim("C-FORGED")
def test_an_identity_that_the_server_put_there_is_not_called_the_reporters(
    office: Office,
) -> None:
    office.reporter = Reporter(office.world)
    office.server.put(*office.reporter.report())  # anonymous
    forged = office.reporter.identity(INNOCENT)
    office.server.put(forged)
    shown = text_of(post(browser(office, "custodian 1"), f"{path_of(office)}/identity/alone"))
    assert INNOCENT in shown
    assert shown.count("Not known here: whether the reporter gave this.") == 2
    assert digest_of(forged.header.hash) in shown
    # The operators' desk names what the report names, and not that one.
    case = text_of(browser(office, "operator 1").get(path_of(office), headers=OURS))
    (own,) = named(office.case())
    assert own.digest in case
    assert own.digest in shown
    assert digest_of(forged.header.hash) not in case


@pytest.mark.claim("C-FORGED")
def test_two_that_differ_are_shown_as_a_contradiction_and_a_request_ends_it(
    office: Office,
) -> None:
    client, path = browser(office, "custodian 1"), path_of(office)
    assert "say different things" not in text_of(post(client, f"{path}/identity/alone"))
    office.server.put(office.reporter.identity(INNOCENT))
    office.desk("custodian 1")
    both = text_of(post(client, f"{path}/identity/alone"))
    assert "These say different things of who reported." in both
    assert NAME in both
    assert INNOCENT in both
    asked = office.ask()
    office.desk("custodian 1")
    for letter in ({"pasted": asked.text}, {"answers": uploaded(asked.text)}):
        told = text_of(post(client, f"{path}/identity/alone", **letter))
        assert "Named by the request that operator 1 signed" in told
        assert NAME in told
        assert INNOCENT not in told
        assert "Not known here" not in told
        assert "The journal says that it was asked for" in told
        assert "say different things" not in told


@pytest.mark.claim("C-FORGED")
def test_one_under_the_id_of_the_true_one_has_another_digest(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id is chosen by whoever seals: two that agree in it prove nothing."""
    # The operator's desk has the true one; the server holds it back from the custodian.
    (true,) = named(office.case())
    whose = office.case().identities[0].ref.id
    monkeypatch.setattr("crypto.envelope.new_envelope_id", lambda: whose)
    forged = office.reporter.identity(INNOCENT)
    monkeypatch.undo()
    assert forged.id == whose
    office.server.put(forged)
    ((opened, digest),) = open_identities(
        office.desk("custodian 1"), office.reporter.case
    ).identities
    assert (opened.id, dict(opened.manifest.identity)) == (whose.hex(), {"name": INNOCENT})
    assert digest != true.digest
    assert len(digest.replace(" ", "")) * 4 == 128


def test_a_request_that_is_none_or_of_another_case_opens_nothing(office: Office) -> None:
    asked, first = office.ask(), office.reporter
    office.reporter = Reporter(office.world)
    office.report("Another")
    client, path = browser(office, "custodian 1"), path_of(office)
    for pasted, why in (("hello", "no letter between desks"), (asked.text, "about another case")):
        refused = post(client, f"{path}/identity/alone", pasted=pasted)
        assert (refused.status_code, why in text_of(refused)) == (422, True)
        assert html.escape(pasted.strip()[:40]) in refused.text
        assert NAME not in refused.text
        assert "Another" not in text_of(refused)
    keeper = office.desk("custodian 1")
    assert open_identities(keeper, first.case, asked.text).named_by == "operator 1"
    with pytest.raises(CustodyRefused):
        open_identities(keeper, office.reporter.case, asked.text)


def test_one_that_is_sealed_otherwise_hides_no_other(office: Office) -> None:
    strangers = World.make(custodians=1, quorum=1).roster.custodian_keys()
    sealer = office.world.sealer(Kind.IDENTITY, office.reporter.case)
    other = row(sealer.seal(b"{}", Custodians(strangers, 1)))
    office.server.put(other)
    keeper = office.desk("custodian 1")
    found = open_identities(keeper, office.reporter.case)
    assert [dict(one.manifest.identity)["name"] for one, _ in found.identities] == [NAME]
    assert found.closed == (digest_of(other.header.hash),)
    shown = text_of(post(browser(office, "custodian 1"), f"{path_of(office)}/identity/alone"))
    assert "Sealed otherwise" in shown
    assert found.closed[0] in shown


@pytest.mark.claim("C-WORK")
def test_what_the_page_did_not_show_is_not_opened(office: Office) -> None:
    client, path = browser(office, "custodian 1"), path_of(office)
    stale = client.post(f"{path}/identity/alone?seen=0", headers=OURS)
    assert (stale.status_code, "Something has come" in text_of(stale)) == (422, True)
    assert NAME not in stale.text
    for at in ("alone", "ask", f"{'0' * 64}/open"):
        assert client.post(f"{path}/identity/{at}", headers=OURS).status_code == 422


def at_desk(office: Office, who: str, folder: Path) -> Run:
    phrase = folder / "phrase"
    phrase.write_text(f"{PASSPHRASE}\n")
    return running(office.desk(who).home.folder, phrase)


@pytest.fixture
def run(office: Office, tmp_path: Path) -> Run:
    return at_desk(office, "custodian 1", tmp_path)


def test_the_command_line_says_the_same(office: Office, run: Run, tmp_path: Path) -> None:
    office.server.put(office.reporter.identity(INNOCENT))
    asked = office.ask()
    office.desk("custodian 1")
    ref = office.reporter.case.hex()
    told = run("identity", ref)
    assert "These say different things of who reported." in told.stderr
    assert told.stdout.count("Not known here: whether the reporter gave this.") == 2
    letter = tmp_path / "request.txt"
    letter.write_text(asked.text)
    told = json.loads(done(run("identity", ref, "--request", str(letter), "--json")))
    (own,) = named(office.case())
    assert (told["named_by"], told["differ"], told["closed"]) == ("operator 1", False, [])
    assert [one["digest"] for one in told["identities"]] == [own.digest]
    shown = at_desk(office, "operator 1", tmp_path)
    assert f"named by the report, digest {own.digest}" in done(shown("show", ref))
    told = json.loads(done(shown("show", ref, "--json")))
    report = Cases(office.desk("operator 1")).find(ref).report_id
    assert report is not None
    assert told["identities"] == [
        {"named_by": report.hex(),
         "digest": own.digest, "here": True}
    ]  # fmt: skip
