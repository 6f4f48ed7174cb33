"""Custody at the command line: files go round, and the disk keeps nothing that was opened."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.desk.custody.conftest import NAME, Office
from tests.desk.running import done, running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Run = Callable[..., Result]


@pytest.fixture
def run(office: Office, phrase: Path) -> Run:
    """Run a command on somebody's desk."""
    return lambda who, *arguments, **how: running(office.desk(who).home.folder, phrase)(
        "custody", *arguments, **how
    )


@pytest.mark.claim("C-CUSTODY")
@pytest.mark.claim("C-DESK-REST")
def test_the_files_go_round_and_the_name_is_shown_and_not_kept(
    office: Office, run: Run, tmp_path: Path
) -> None:
    ref, carried = office.reporter.case.hex(), tmp_path / "stick"
    carried.mkdir()
    request = carried / "request"
    said = run("operator 1", "ask", ref, "--reason", "They are in danger.", "--to", str(request))
    assert "Carry" in said.stderr
    assert done(said) == ""
    assert request.stat().st_mode & 0o777 == 0o600
    (row,) = json.loads(done(run("operator 1", "list", ref, "--json")))["requests"]
    assert (row["operator"], row["mine"], row["late"]) == ("operator 1", True, False)
    assert "They are in danger." in done(run("operator 2", "list", ref))
    read = done(run("custodian 2", "read", str(request)))
    assert "operator 1 asked on 2026-11-22" in read
    assert "2 of 3 custodians must agree" in read
    assert "They are in danger." in read
    told = json.loads(done(run("custodian 2", "read", str(request), "--json")))
    assert (told["case"], told["quorum"], told["custodians"]) == (ref, 2, 3)
    yes, printed = carried / "yes-2", done(run("custodian 3", "agree", str(request), "--to", "-"))
    done(run("custodian 2", "agree", str(request), "--to", str(yes)))
    by_mail = carried / "yes-3"
    by_mail.write_text(printed)
    shown = done(run("operator 1", "open", ref, str(request), str(yes), str(by_mail)))
    assert NAME in shown
    assert "agreed: custodian 2, custodian 3" in shown
    assert "opened already" in run("operator 1", "open", ref, str(request), str(yes)).stderr
    assert "No requests that wait." in done(run("operator 1", "list", ref))
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(NAME.encode() in content for content in kept)
    (tmp_path / "control").write_text(shown)
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert sum(NAME.encode() in content for content in kept) == 1


def test_json_a_no_and_standard_input(office: Office, run: Run, tmp_path: Path) -> None:
    ref = office.reporter.case.hex()
    request = tmp_path / "request"
    made = json.loads(
        done(run("operator 1", "ask", ref, "--reason", "x", "--to", str(request), "--json"))
    )
    assert (made["case"], made["sent"], made["file"]) == (ref, True, str(request))
    no = tmp_path / "no"
    refused = run(
        "custodian 1", "refuse", str(request), "--reason", "Ask a judge.", "--to", str(no)
    )
    assert "no, for operator 1" in refused.stderr
    said = run("operator 1", "open", ref, str(request), str(no))
    assert (said.exit_code, "Ask a judge." in said.stderr) == (1, True)
    other = tmp_path / "no-3"
    run("custodian 3", "refuse", str(request), "--reason", "Nor I.", "--to", str(other))
    filed = run("operator 1", "refused", ref, str(no), str(other))
    assert "refused by custodian 3 on 2026-11-22: Nor I." in done(filed)
    assert "in the journal" in filed.stderr
    told = json.loads(done(run("operator 1", "refused", ref, str(other), "--json")))
    assert told == {
        "case": ref, "sent": True,
        "refused": [{"custodian": "custodian 3", "day": "2026-11-22", "reason": "Nor I."}],
    }  # fmt: skip
    (row,) = json.loads(done(run("operator 2", "list", ref, "--json")))["requests"]
    assert [one["custodian"] for one in row["refused"]] == ["custodian 1", "custodian 3"]
    assert "refused by custodian 1 on 2026-11-22: Ask a judge." in done(
        run("operator 2", "list", ref)
    )
    answers = [tmp_path / "1", tmp_path / "2"]
    for number, path in enumerate(answers, 2):
        text = request.read_text()
        done(run(f"custodian {number}", "agree", "-", "--to", str(path), input=text))
    opened = json.loads(
        done(run("operator 1", "open", ref, str(request), *map(str, answers), "--json"))
    )
    assert opened["identities"][0]["identity"] == {"name": NAME}
    assert (opened["case"], opened["request"]) == (ref, made["request"])


def test_a_custodian_keeps_a_record_of_their_own_sealed(
    office: Office, run: Run, tmp_path: Path
) -> None:
    assert "Nothing was answered here." in done(run("custodian 1", "answered"))
    asked = [office.ask("Because of the suspect."), office.ask("Again.")]
    for _ in range(2):
        office.yes(1, asked[0].text)
    office.no(1, asked[1].text)
    said = done(run("custodian 1", "answered")).splitlines()
    assert [line.split()[:2] for line in said] == [["2026-11-22", "yes"], ["2026-11-22", "no"]]
    assert "Because of the suspect." in said[0]
    rows = json.loads(done(run("custodian 1", "answered", "--json")))["answered"]
    assert [(row["request"], row["agreed"]) for row in rows] == [
        (asked[0].id.hex(), True),
        (asked[1].id.hex(), False),
    ]
    desk = office.desk("custodian 1")
    kept = desk.store.noted("custody-answers")
    assert b"suspect" not in bytes.fromhex(kept)
    for changed in (kept[:-2] + "00", "zz"):
        desk.store.note("custody-answers", changed)
        assert "was changed on the disk" in run("custodian 1", "answered").stderr
    (tmp_path / "request").write_text(asked[0].text)
    refused = run("custodian 1", "agree", str(tmp_path / "request"), "--to", str(tmp_path / "yes"))
    assert "Nothing was answered" in refused.stderr
    assert not (tmp_path / "yes").exists()


def test_what_waits_for_the_next_sync_is_said(office: Office, run: Run, tmp_path: Path) -> None:
    ref = office.reporter.case.hex()
    office.desk("operator 1")
    office.server.answers["/v1/envelopes"] = (503, b"{}")
    said = run("operator 1", "ask", ref, "--reason", "x", "--to", str(tmp_path / "r"))
    assert "waits for the next sync" in said.stderr
    office.server.answers.clear()
    no = tmp_path / "no"
    run("custodian 3", "refuse", str(tmp_path / "r"), "--reason", "No.", "--to", str(no))
    office.desk("operator 1")
    office.server.answers["/v1/envelopes"] = (503, b"{}")
    assert "waits for the next sync" in run("operator 1", "refused", ref, str(no)).stderr
    office.server.answers.clear()
    answers = []
    for number in (1, 2):
        answers.append(str(tmp_path / f"{number}"))
        done(run(f"custodian {number}", "agree", str(tmp_path / "r"), "--to", answers[-1]))
    office.desk("operator 1")
    office.server.answers["/v1/envelopes"] = (503, b"{}")
    opened = run("operator 1", "open", ref, str(tmp_path / "r"), *answers)
    assert "waits for the next sync" in opened.stderr
    assert NAME in done(opened)
    office.server.answers.clear()


def test_a_file_that_is_there_stays_as_it_is_and_nothing_is_signed(
    office: Office, run: Run, tmp_path: Path
) -> None:
    ref, there = office.reporter.case.hex(), tmp_path / "there"
    there.write_text("mine")
    refused = run("operator 1", "ask", ref, "--reason", "x", "--to", str(there))
    assert (refused.exit_code, "is there already" in refused.stderr) == (1, True)
    assert there.read_text() == "mine"
    assert json.loads(done(run("operator 1", "list", ref, "--json"))) == {"requests": []}
    nowhere = run("operator 1", "ask", ref, "--reason", "x", "--to", str(tmp_path / "no" / "x"))
    assert "cannot be written" in nowhere.stderr
    # Its letter would be written once: what has none is not asked.
    assert json.loads(done(run("operator 1", "list", ref, "--json"))) == {"requests": []}


def test_a_file_that_cannot_be_read_is_said(office: Office, run: Run, tmp_path: Path) -> None:
    assert office.world
    assert "cannot be read" in run("custodian 1", "read", str(tmp_path / "none")).stderr
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    assert "no letter" in run("custodian 1", "read", str(tmp_path / "bytes")).stderr


def test_a_request_that_is_out_of_date_is_listed_as_such(
    office: Office, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.ask("Long ago.")
    monkeypatch.setattr("desk.custody_letters.DAYS_MOST", -1)
    assert "out of date: ask anew" in done(run("operator 1", "list", office.reporter.case.hex()))
