"""The identity, by the custodians' real answers: in the annex, and nowhere else."""

from __future__ import annotations

import errno
import html
import json
import os
import re
import signal
from typing import TYPE_CHECKING

import pytest

from crypto.manifest import WITHDRAWAL
from desk import outbox, work
from desk.errors import CaseMoved, CustodyRefused, TransmissionRefused
from desk.progress import Silence
from desk.sync import synchronise
from desk.transmission import proof, receiving, services, transmit, writing
from desk.transmission.possible import Order
from desk.unfinished import Ledger
from tests.desk.custody.conftest import NAME, Office
from tests.desk.custody.test_pages import browser, uploaded
from tests.desk.forms import press
from tests.desk.running import running
from tests.desk.test_unfinished import killed
from tests.desk.transmission.conftest import SERVICE, UNIT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

    from click.testing import Result

    from tests.desk.transmission.conftest import Hands

    Run = Callable[..., Result]


@pytest.fixture
def run(office: Office, phrase: Path) -> Run:
    invoke = running(office.desk("operator 1").home.folder, phrase)
    return lambda *arguments: invoke("transmit", office.case().ref, *arguments)


@pytest.mark.claim("C-CUSTODY")
def test_the_identity_reaches_the_service_by_two_of_three_custodians(
    office: Office, run: Run, tmp_path: Path
) -> None:
    asked = office.ask()
    letters = []
    for number in (1, 2):
        path = tmp_path / f"yes-{number}"
        path.write_text(office.yes(number, asked.text))
        letters.append(str(path))
    request, sealed = tmp_path / "request", tmp_path / "case.amana"
    request.write_text(asked.text)
    given = ["--to", str(sealed), "--custody-request", str(request)]

    # What stands against it is said first: the request opens once.
    early = run(*given, "--custody-answer", letters[0], "--custody-answer", letters[1])
    assert (early.exit_code, "no key of cyber_unit" in early.output) == (1, True)
    services.bind(office.desk("operator 1"), UNIT.service, SERVICE.public)
    alone = run(*given, "--custody-answer", letters[0])
    assert alone.exit_code == 1
    assert not sealed.exists()

    done = run(*given, "--custody-answer", letters[0], "--custody-answer", letters[1])
    assert done.exit_code == 0, done.output
    root = office.world.root_public.to_text()
    found = receiving.open_sealed(sealed, SERVICE, root, tmp_path / "opened")
    assert found.code == 0
    named = [
        path.name
        for path in (tmp_path / "opened").rglob("*")
        if path.is_file() and NAME.encode() in path.read_bytes()
    ]
    assert named == ["identity-annex.json"]
    kinds = [one.body.type for one in office.case().work.entries]
    assert kinds[-2:] == ["identity_opened", "status"]
    kept = [one for one in office.desk("operator 1").home.folder.rglob("*") if one.is_file()]
    assert not any(NAME.encode() in one.read_bytes() for one in kept)


# --- what fails before the last word costs nothing; what fails after it is said


def holding(folder: Path) -> list[Path]:
    """The files anywhere below in which the name stands."""
    return [one for one in folder.rglob("*") if one.is_file() and NAME.encode() in one.read_bytes()]


def _no_printer(patch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> bytes:
        raise TransmissionRefused("The cover sheet could not be printed.")

    patch.setattr(transmit, "print_cover", fail)


def _full_disk(patch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    patch.setattr(os, "fsync", fail)


def _name_taken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(transmit, "require_possible", lambda *_: None)


def _nothing_proven(patch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise proof.Wrong("no")

    patch.setattr(proof, "ed25519", fail)


@pytest.mark.claim("C-CUSTODY")
@pytest.mark.parametrize(
    ("fails", "in_clear"),
    [(_no_printer, False), (_full_disk, False), (_full_disk, True), (_name_taken, False),
     (_nothing_proven, True)],
    ids=["the printer", "the disk, sealed", "the disk, a folder", "the name", "the proof"],
)  # fmt: skip
def test_what_fails_before_the_last_word_leaves_the_request_as_it_was(
    hands: Hands, monkeypatch: pytest.MonkeyPatch, fails: Callable[[pytest.MonkeyPatch], None],
    in_clear: bool,  # noqa: FBT001
) -> None:  # fmt: skip
    target = hands.out / "handed"
    if fails is _name_taken:
        target.write_text("mine")
    with monkeypatch.context() as patch:
        fails(patch)
        with pytest.raises(TransmissionRefused) as refused:
            hands.over(in_clear=in_clear)
    assert "used up" not in str(refused.value)
    assert "identity_opened" not in hands.kinds
    assert [one.name for one in hands.out.iterdir()] == (["handed"] if target.exists() else [])
    target.unlink(missing_ok=True)
    done = hands.over(in_clear=in_clear)
    assert done.path.exists()
    assert hands.kinds[-2:] == ["identity_opened", "status"]


@pytest.mark.claim("C-CUSTODY")
@pytest.mark.parametrize("in_clear", [False, True], ids=["sealed", "folder"])
def test_whoever_is_killed_just_before_the_journal_leaves_nothing_that_opens(
    hands: Hands, tmp_path: Path, in_clear: bool  # noqa: FBT001
) -> None:  # fmt: skip
    killed(lambda: hands.over(in_clear=in_clear), outbox, "keep", signal.SIGKILL)
    assert "identity_opened" not in hands.kinds
    assert holding(tmp_path) == []
    (left,) = [one for one in hands.out.iterdir() if "unproven" in one.name]
    if in_clear:
        annex = (left / "identity-annex.json").read_bytes()
        assert annex == bytes(len(annex)) != b""
        assert [one.gone for one in Ledger.of(hands.mine).rests()] == [True]
    else:
        assert left.read_bytes()[:180] == bytes(180)
        with pytest.raises(TransmissionRefused):
            receiving.open_sealed(left, SERVICE, hands.root, hands.out / "x")
    assert hands.over("again", in_clear=in_clear).path.exists()


@pytest.mark.claim("C-CUSTODY")
def test_what_fails_after_the_last_word_is_said_in_plain_words(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(writing, "settle", fail)
        with pytest.raises(
            TransmissionRefused, match=r"Input/output error.*used up. Ask them anew"
        ):
            hands.over()
    assert hands.kinds[-1] == "identity_opened"
    assert list(hands.out.iterdir()) == []
    with pytest.raises(CustodyRefused, match="opened already"):
        hands.over()


@pytest.mark.claim("C-CUSTODY")
def test_an_annex_that_the_disk_does_not_give_back_is_handed_to_nobody(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = writing._settle_file

    def spoils(file: BinaryIO) -> None:
        true(file)
        if "+" in file.mode:
            os.pwrite(file.fileno(), b"?", 0)

    monkeypatch.setattr(writing, "_settle_file", spoils)
    with pytest.raises(TransmissionRefused, match=r"not what was to be written.*used up"):
        hands.over(in_clear=True)
    assert list(hands.out.iterdir()) == []


def _meanwhile(patch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Something happens between the two entries."""
    true = outbox.keep
    kept = []

    def keep(*given: object) -> None:
        true(*given)  # type: ignore[arg-type]  # as it was called
        kept.append(given)
        if len(kept) == 1:
            happens()

    patch.setattr(outbox, "keep", keep)


@pytest.mark.claim("C-CUSTODY")
def test_a_note_that_comes_in_between_does_not_cost_the_shares(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def noted() -> None:
        other = hands.office.desk("operator 2")
        work.write_note(other, hands.office.case("operator 2"), "Called them.")
        synchronise(hands.mine, Silence())

    _meanwhile(monkeypatch, noted)
    done = hands.over()
    assert (done.sent, done.path.exists()) == (True, True)
    assert set(hands.kinds[-3:]) == {"identity_opened", "note", "status"}


@pytest.mark.claim("C-CUSTODY")
def test_a_withdrawal_that_comes_in_between_stops_it_and_says_what_that_cost(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def withdrawn() -> None:
        gone = hands.office.reporter.follow_up("", body_changes={"type": WITHDRAWAL})
        hands.office.server.put(*gone)
        synchronise(hands.mine, Silence())

    _meanwhile(monkeypatch, withdrawn)
    with pytest.raises(TransmissionRefused, match=r"asks that this be erased.*used up"):
        hands.over()
    assert not (hands.out / "handed").exists()


@pytest.mark.claim("C-CUSTODY")
def test_two_windows_with_the_same_answers_hand_over_once(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, order = hands.case, Order(hands.out / "second", UNIT, agreed=hands.agreed)
    assert hands.over("first").path.exists()
    monkeypatch.setattr(transmit, "require_allowed", lambda *_: None)
    with pytest.raises(CaseMoved):
        transmit.transmit(hands.mine, case, order)
    assert not (hands.out / "second").exists()
    assert hands.kinds.count("identity_opened") == 1


def test_the_packages_journal_holds_the_act_that_opened_it_and_offline_both_wait(
    hands: Hands, office: Office, tmp_path: Path
) -> None:
    office.server.answers["/v1/envelopes"] = (503, b"{}")
    done = hands.over()
    assert not done.sent
    assert receiving.open_sealed(done.path, SERVICE, hands.root, tmp_path / "opened").code == 0
    told = json.loads((tmp_path / "opened" / "journal.json").read_bytes())
    last = json.loads(told["acts"][-1]["body"])
    assert last["type"] == "identity_opened"
    assert last["data"]["custodians"] == ["custodian 1", "custodian 2"]
    assert "opened the identity" in (tmp_path / "opened" / "report.html").read_text("utf-8")
    del office.server.answers["/v1/envelopes"]
    synchronise(hands.mine, Silence())
    assert [one.body.type for one in office.case("operator 2").work.entries][-2:] == [
        "identity_opened", "status",
    ]  # fmt: skip


# --- on the page


def said(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", text)).split())


@pytest.mark.claim("C-CUSTODY")
def test_the_page_takes_the_custodians_answers_and_shows_nothing(
    office: Office, tmp_path: Path
) -> None:
    mine = office.desk("operator 1")
    services.bind(mine, UNIT.service, SERVICE.public)
    client = browser(office, "operator 1")
    at = f"/case/{office.reporter.case.hex()}/transmission"
    form = {"Host": "127.0.0.1:8002"}
    before = client.get(at, headers=form).text
    assert 'name="answers"' not in before
    assert "#h-identity" in before
    asked = office.ask()
    shown = client.get(at, headers=form).text
    assert f'name="request" value="{asked.id.hex()}"' in shown
    yes = [office.yes(number, asked.text) for number in (1, 2)]
    few = press(client, at, "/send", request=asked.id.hex(), pasted=yes[0])
    assert few.status_code == 422
    assert "2 custodians must say yes" in said(few.text)
    assert html.escape(yes[0].strip()[:60]) in few.text
    done = press(
        client, at, "/send", request=asked.id.hex(), pasted=yes[0], answers=uploaded(yes[1])
    )
    assert done.status_code == 303, said(done.text)
    after = client.get(at, headers=form).text
    assert "The identity went along" in after
    assert NAME not in after
    (package,) = mine.home.packages.iterdir()
    root = office.world.root_public.to_text()
    assert receiving.open_sealed(package, SERVICE, root, tmp_path / "opened").code == 0
    assert [one.name for one in holding(tmp_path)] == ["identity-annex.json"]


def test_the_page_files_a_refusal_and_lets_choose_among_requests(
    office: Office,
) -> None:
    mine = office.desk("operator 1")
    services.bind(mine, UNIT.service, SERVICE.public)
    first, second = office.ask("One reason."), office.ask("Another reason.")
    client = browser(office, "operator 1")
    at = f"/case/{office.reporter.case.hex()}/transmission"
    shown = client.get(at, headers={"Host": "127.0.0.1:8002"}).text
    for one in (first, second):
        assert f'<option value="{one.id.hex()}">' in shown
    no = office.no(3, second.text)
    refused = press(client, at, "/send", request=second.id.hex(), pasted=no)
    assert refused.status_code == 422
    assert "Not without a judge." in said(refused.text)
    assert office.case().work.entries[-1].body.type == "identity_refused"
    assert list(mine.home.packages.glob("*")) == []
