"""Handing a case over: who may, what goes, what does not, and what the journal then says."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from crypto.header import Kind
from crypto.manifest import WITHDRAWAL, IdentityManifest
from desk import acts, work
from desk.cases import Cases
from desk.custody import Agreed
from desk.desk import Desk
from desk.errors import (
    ActRefused,
    CaseMoved,
    ClockSkewed,
    EvidenceUnsound,
    ServerMalformed,
    ServerRefused,
    ServiceKeyRefused,
    StateUnknown,
    TransmissionRefused,
)
from desk.identity import OpenedIdentity
from desk.progress import Silence
from desk.sight.redaction import redact_answer
from desk.sync import synchronise
from desk.transmission import proof, receiving
from desk.transmission.cover import print_cover
from desk.transmission.possible import Competence, Order, competence
from desk.transmission.transmit import transmit
from tests.desk.transmission.conftest import CANARY, SERVICE, UNIT
from tests.desk.world import JPEG, TODAY, of_kind

if TYPE_CHECKING:
    from pathlib import Path

    from tests.desk.server import FakeServer
    from tests.desk.transmission.conftest import Handing


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        str(one.relative_to(folder)): one.read_bytes()
        for one in sorted(folder.rglob("*"))
        if one.is_file()
    }


def test_a_case_reaches_the_service_whole_and_the_journal_names_the_package(
    ready: Handing,
) -> None:
    done = ready.transmit()
    sealed = done.path.read_bytes()
    assert done.sha256 == hashlib.sha256(sealed).hexdigest()
    assert CANARY.encode() not in sealed
    assert JPEG[:200] not in sealed
    case = ready.case
    assert case.state == "transmitted"
    assert case.work.data(acts.STATUS) == {
        "state": "transmitted", "service": UNIT.service, "basis": UNIT.basis,
        "package": done.sha256,
    }  # fmt: skip
    assert not case.work.irregular
    opened = ready.folder / "opened"
    found = receiving.open_sealed(done.path, SERVICE, ready.root_line, opened)
    assert (found.code, found.findings, found.signer) == (0, (), "operator 1")
    inside = files_in(opened)
    assert inside["evidence/photo-1.jpg"] == JPEG
    assert inside["evidence/note.txt"] == b"a note of mine\n" * 9
    assert CANARY in json.loads(inside["case.json"])["fields"]["description"]
    assert CANARY.encode() in inside["report.html"]
    assert inside["cover.pdf"].startswith(b"%PDF-")
    assert sorted(inside) == [
        "README.txt", "case.json", "cover.pdf", "evidence/note.txt", "evidence/photo-1.jpg",
        "journal.json", "manifest.json", "report.html", "rosters/1.note", "signature.json",
        "verify.py",
    ]  # fmt: skip
    assert (found.files, found.acts) == (9, 4)


def test_a_roster_that_another_program_accepts_meanwhile_leaves_no_package_without_its_own(
    ready: Handing, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def printed(told: dict[str, object]) -> bytes:
        server.renew()
        timer = Desk.open(ready.desk.home, ready.desk.keyring, today=ready.desk.today)
        synchronise(timer, Silence())
        assert ready.desk.trust.in_force(TODAY).epoch == 2
        return print_cover(told)

    monkeypatch.setattr("desk.transmission.transmit.print_cover", printed)
    done = ready.transmit()
    found = receiving.open_sealed(done.path, SERVICE, ready.root_line, ready.folder / "opened")
    assert (found.code, found.findings, found.signer) == (0, (), "operator 1")


def test_nothing_else_is_left_on_the_disk(ready: Handing) -> None:
    ready.transmit()
    assert [one.name for one in ready.folder.iterdir()] == ["case.amana"]
    for path in ready.desk.home.folder.rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes()


def test_the_readable_folder_is_for_nobody_and_says_so_in_its_signature(ready: Handing) -> None:
    done = ready.transmit("print", in_clear=True)
    found = proof.verify_folder(done.path, ready.root_line)
    assert found.code == 0
    assert found.manifest["service"]["key"] == ""
    assert done.sha256 == hashlib.sha256((done.path / "manifest.json").read_bytes()).hexdigest()
    assert (done.path.stat().st_mode & 0o777, done.to_json()["files"]) == (0o700, 2)


def test_whoever_made_it_ready_does_not_transmit_it(handing: Handing) -> None:
    handing.begin()
    handing.ready(by=0)
    with pytest.raises(ActRefused, match="Four eyes"):
        handing.transmit()
    assert list(handing.folder.iterdir()) == []


@pytest.mark.parametrize("state", ["received", "triage", "assessment"])
def test_only_what_is_ready_is_transmitted(handing: Handing, state: str) -> None:
    handing.begin()
    if state != "received":
        handing.state(state)
    with pytest.raises(ActRefused, match="does not lead to Transmitted"):
        handing.transmit()


def test_the_fast_lane_needs_nobody_before_and_says_who_is_competent(handing: Handing) -> None:
    handing.begin(danger_now="yes")
    handing.state("triage", by=0)
    handing.state("imminent", by=0)
    with pytest.raises(ActRefused, match="--service and --basis"):
        competence(handing.case)
    assert competence(handing.case, UNIT.service, UNIT.basis) == UNIT
    handing.transmit()
    assert handing.case.state == "transmitted"


def test_competence_is_what_whoever_made_it_ready_wrote(ready: Handing) -> None:
    assert competence(ready.case) == UNIT
    assert competence(ready.case, UNIT.service, UNIT.basis) == UNIT
    with pytest.raises(ActRefused, match="another service or basis"):
        competence(ready.case, "regional_unit", UNIT.basis)
    for chosen in (Competence("nobody", "place_of_act"), Competence("cyber_unit", "whim")):
        order = Order(ready.folder / "x", chosen)
        with pytest.raises(ActRefused, match="no such service"):
            transmit(ready.desk, ready.case, order)


def test_a_service_without_a_key_is_sent_nothing(handing: Handing) -> None:
    handing.begin()
    (handing.desk.home.services / "cyber_unit.pub").unlink()
    handing.ready()
    with pytest.raises(ServiceKeyRefused, match="no key of cyber_unit"):
        handing.transmit()


def test_an_institution_without_the_state_transmits_nothing(
    ready: Handing, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = {name: one for name, one in ready.desk.rules.states.items() if name != "transmitted"}
    monkeypatch.setattr(type(ready.desk.rules), "states", states, raising=False)
    with pytest.raises(StateUnknown):
        ready.transmit()


def test_a_withdrawn_case_is_passed_on_only_where_the_law_holds_it(ready: Handing) -> None:
    rows = ready.reporter.follow_up("", body_changes={"type": WITHDRAWAL})
    ready.sync(*rows)
    with pytest.raises(ActRefused, match="passed on no further"):
        ready.transmit()
    ready.act(acts.TAG, {"tag": "legal_hold", "on": True})
    assert ready.transmit().files == 2


def test_a_file_in_quarantine_goes_by_its_hash_alone(ready: Handing) -> None:
    photo = ready.files[0]
    digest = hashlib.sha256(JPEG).hexdigest()
    ready.act(
        acts.QUARANTINE,
        {"file": photo.id.hex(), "sha256": digest, "custodian": "custodian 1", "text": ""},
    )
    done = ready.transmit("print", in_clear=True)
    (left,) = done.left_out
    assert (left.why, left.sha256, left.custodian) == ("quarantined", digest, "custodian 1")
    inside = files_in(done.path)
    assert "evidence/photo-1.jpg" not in inside
    assert not any(JPEG[:100] in content for content in inside.values())
    assert not any(b"photo-1" in content for content in inside.values())
    assert digest in json.loads(inside["manifest.json"])["left_out"][0]["sha256"]


def test_a_redacted_copy_goes_beside_what_it_was_made_of(ready: Handing) -> None:
    redact_answer(ready.desk, ready.case, "description", [(0, 4)])
    ready.last = ready.case.heads[0]
    ready.state("ready", service=UNIT.service, basis=UNIT.basis)
    inside = files_in(ready.transmit("print", in_clear=True).path)
    (copy,) = [name for name in inside if name.startswith("redacted/")]
    assert CANARY not in inside[copy].decode()
    assert CANARY[4:] in inside[copy].decode()
    assert "evidence/note.txt" in inside


def test_an_original_that_nobody_cleaned_stays_here(handing: Handing) -> None:
    clean = handing.reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    raw = handing.reporter.evidence(
        "photo-1.jpg", "image/jpeg", b"gps:33.5731,-7.5898", original_of=clean.id, removed=()
    )
    handing.begin(clean, raw)
    handing.ready()
    done = handing.transmit("print", in_clear=True)
    assert [one.why for one in done.left_out] == ["original"]
    assert not any(b"33.5731" in content for content in files_in(done.path).values())


def test_a_file_that_was_not_fetched_yet_is_waited_for(
    handing: Handing, server: FakeServer
) -> None:
    server.answers["/v1/parts"] = (404, b"{}")
    handing.begin(handing.reporter.evidence("photo-1.jpg", "image/jpeg", JPEG))
    handing.ready()
    with pytest.raises(TransmissionRefused, match="not fetched yet"):
        handing.transmit()


def test_a_file_that_is_lost_is_named(handing: Handing) -> None:
    lost = handing.reporter.evidence("photo-2.jpg", "image/jpeg", JPEG)
    rows = handing.reporter.report([lost])
    handing.sync(*(one for one in rows if one.id != lost.id))
    handing.last = rows[0].header.hash
    handing.ready()
    done = handing.transmit()
    assert [(one.source, one.why) for one in done.left_out] == [(lost.id.hex(), "missing")]


def test_a_file_that_changed_on_this_disk_stops_it_and_leaves_nothing(ready: Handing) -> None:
    part = ready.desk.store.part_path(ready.files[0].id, 1)
    raw = bytearray(part.read_bytes())
    raw[-1] ^= 1
    part.write_bytes(raw)
    for in_clear in (False, True):
        with pytest.raises(EvidenceUnsound):
            ready.transmit("again", in_clear=in_clear)
    assert list(ready.folder.iterdir()) == []
    assert ready.case.state == "ready"


@pytest.mark.parametrize("in_clear", [False, True], ids=["sealed", "folder"])
def test_nothing_is_written_over(ready: Handing, in_clear: bool) -> None:  # noqa: FBT001
    there = ready.folder / "there"
    if in_clear:
        there.mkdir()
        (there / "mine").write_text("mine")
    else:
        there.write_text("mine")
    with pytest.raises(TransmissionRefused):
        ready.transmit("there", in_clear=in_clear)
    assert b"mine" in (there / "mine" if in_clear else there).read_bytes()
    with pytest.raises(TransmissionRefused, match="cannot be written"):
        ready.transmit("no/such/folder", in_clear=in_clear)


def test_a_package_whose_entry_cannot_be_written_does_not_stay(
    ready: Handing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> bool:
        raise ActRefused("no")

    monkeypatch.setattr("desk.transmission.transmit.work.set_state", refuse)
    for in_clear in (False, True):
        with pytest.raises(ActRefused, match="no"):
            ready.transmit("gone", in_clear=in_clear)
    assert list(ready.folder.iterdir()) == []


@pytest.mark.parametrize(
    "end",
    [KeyboardInterrupt(), SystemExit(143), MemoryError()],
    ids=lambda end: type(end).__name__,
)
@pytest.mark.parametrize("is_over", [False, True], ids=["in it", "after it"])
def test_a_package_whose_entry_is_kept_stays_however_the_sending_ends(
    ready: Handing, monkeypatch: pytest.MonkeyPatch, end: BaseException, is_over: bool  # noqa: FBT001
) -> None:  # fmt: skip
    true = work.set_state

    def post(*_: object) -> None:
        raise end

    def set_state(*given: Any, **facts: str) -> None:
        true(*given, **facts)
        raise end

    with monkeypatch.context() as patch:
        patch.setattr(type(ready.desk.client), "post", post)
        if is_over:
            patch.setattr(work, "set_state", set_state)
            with pytest.raises(type(end)):
                ready.transmit("kept")
        else:
            # Whatever ends the sending is told as waiting: what is kept was handed over.
            assert not ready.transmit("kept").sent
    ready.sync()
    (sent,) = ready.case.work.of("status")[-1:]
    assert sent.body.data["state"] == "transmitted"
    package = (ready.folder / "kept").read_bytes()
    assert sent.body.data["package"] == hashlib.sha256(package).hexdigest()


@pytest.mark.parametrize(
    "answer",
    [
        ServerMalformed("too long"),
        ServerRefused("no", status=422, code="refused"),
        ClockSkewed("Set the clock right.", status=401, code="stale"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_whatever_the_server_answers_entry_and_package_wait_and_nobody_does_it_again(
    ready: Handing, monkeypatch: pytest.MonkeyPatch, answer: Exception
) -> None:
    def post(*_: object) -> None:
        raise answer

    with monkeypatch.context() as patch:
        patch.setattr(type(ready.desk.client), "post", post)
        assert not ready.transmit("kept").sent
    assert (ready.folder / "kept").exists()
    assert len(ready.desk.store.unposted()) == 1


def test_a_package_whose_entry_could_not_be_written_goes(
    ready: Handing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def printed(*arguments: Any) -> bytes:
        # Meanwhile something comes to the case.
        ready.sync(*ready.reporter.follow_up("Stop, it is settled."))
        return print_cover(*arguments)

    monkeypatch.setattr("desk.transmission.transmit.print_cover", printed)
    with pytest.raises(CaseMoved):
        ready.transmit("gone")
    assert list(ready.folder.iterdir()) == []
    assert ready.desk.store.unposted() == ()


def test_a_folder_that_does_not_prove_itself_is_not_handed_over(
    ready: Handing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "ed25519", lambda *_: (_ for _ in ()).throw(proof.Wrong("no")))
    with pytest.raises(TransmissionRefused, match="not what was to be written"):
        ready.transmit("print", in_clear=True)
    assert list(ready.folder.iterdir()) == []


def test_what_cannot_be_read_here_is_not_handed_over(handing: Handing) -> None:
    handing.ready()
    with pytest.raises(ActRefused, match="Nothing of it can be read"):
        handing.transmit()


def test_the_conversation_goes_along_and_its_links_cannot_be_clicked(ready: Handing) -> None:
    ready.sync(*ready.reporter.follow_up("It is https://example.org/login <script>"))
    ready.sync(ready.world.reply(ready.reporter.case, "Thank you.", ready.reporter.reply_key))
    page = (ready.transmit("print", in_clear=True).path / "report.html").read_text("utf-8")
    for said in (
        "hxxps://example[.]org/login &lt;script&gt;", "Thank you.", "operator 2", "The reporter",
    ):  # fmt: skip
        assert said in page
    assert "<script" not in page
    assert "href=" not in page


def test_notes_are_for_operators_alone(ready: Handing) -> None:
    ready.act(acts.NOTE, {"text": "between us: weak"})
    ready.state("ready", service=UNIT.service, basis=UNIT.basis)
    done = ready.transmit("print", in_clear=True)
    inside = files_in(done.path)
    assert not any(b"between us" in content for content in inside.values())
    told = [json.loads(one["body"])["type"] for one in json.loads(inside["journal.json"])["acts"]]
    assert told == ["status"] * 5


def test_an_identity_goes_in_an_annex_that_can_be_kept_apart(ready: Handing) -> None:
    locked = of_kind(ready.desk, Kind.IDENTITY)[0]
    who = IdentityManifest(
        identity_mode="full_identity", identity={"name": "Yasmina B."}, safe_contact={}
    )
    opened = OpenedIdentity(locked.id.hex(), TODAY, who)
    agreed = Agreed((opened,), "ab" * 32, "They must be warned.", ("custodian 1",), ready.case)
    done = ready.transmit("print", in_clear=True, agreed=agreed)
    inside = files_in(done.path)
    named = [name for name, content in inside.items() if b"Yasmina B." in content]
    assert named == ["identity-annex.json"]
    (done.path / "identity-annex.json").unlink()
    found = proof.verify_folder(done.path, ready.root_line)
    assert (found.code, found.apart) == (0, ("identity-annex.json",))
    said: list[str] = []
    proof.report(found, said.append)
    assert any("KEPT APART: identity-annex.json" in line for line in said)


def test_without_custodians_no_package_has_an_annex(ready: Handing) -> None:
    done = ready.transmit("print", in_clear=True)
    assert "identity-annex.json" not in files_in(done.path)


def test_after_it_was_returned_it_can_be_made_ready_and_handed_over_anew(ready: Handing) -> None:
    first = ready.transmit("first")
    ready.last = ready.case.heads[0]
    ready.state("returned", text="not ours")
    ready.state("ready", service="regional_unit", basis="place_of_act")
    chosen = competence(ready.case)
    assert chosen == Competence("regional_unit", "place_of_act")
    order = Order(ready.folder / "second", chosen, in_clear=True)
    second = transmit(ready.desk, ready.case, order)
    assert first.sha256 != second.sha256
    assert Cases(ready.desk).find(ready.reporter.case.hex()).state == "transmitted"
