"""Custody, where somebody stops the program while the journal is being sent."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from desk import custody
from desk.client import SyncClient
from desk.errors import CustodyRefused, Stopped
from tests.desk.custody.conftest import NAME
from tests.desk.running import done, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.desk.custody.conftest import Office

pytestmark = pytest.mark.claim("C-CUSTODY")


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """From here on every sending is stopped, until this is undone."""
    with monkeypatch.context() as patch:
        yield patch


def stop(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SyncClient, "post", lambda *_: signal.raise_signal(signal.SIGINT))


def kinds(office: Office) -> list[str]:
    return [one.body.type for one in office.case().work.entries]


def test_no_name_is_shown_and_that_the_request_is_used_up_is_said(
    office: Office, phrase: Path, tmp_path: Path, slow: pytest.MonkeyPatch
) -> None:
    asked = office.ask()
    letters = {"request": asked.text} | {
        f"yes-{number}": office.yes(number, asked.text) for number in (1, 2)
    }
    for name, text in letters.items():
        (tmp_path / name).write_text(text)
    run, mine = running(office.desk("operator 1").home.folder, phrase), office.desk("operator 1")
    given = ("custody", "open", office.case().ref, *(str(tmp_path / one) for one in letters))
    stop(slow)
    said = run(*given)
    assert said.exit_code == 1
    assert "nothing is shown" in said.output
    assert "is used up. Ask them anew." in said.output
    assert NAME not in said.output
    assert len(mine.store.unposted()) == 1
    slow.undo()
    assert kinds(office)[-1] == "identity_opened"
    assert "opened already" in run(*given).output


def test_no_identity_is_opened_where_the_refusal_before_it_was_stopped(
    office: Office, slow: pytest.MonkeyPatch
) -> None:
    asked = office.ask()
    answers = [office.no(3, asked.text), *(office.yes(one, asked.text) for one in (1, 2))]
    case, mine = office.case(), office.desk("operator 1")
    stop(slow)
    with pytest.raises(Stopped, match="nothing more was done"):
        custody.open_identity(mine, case, asked.id, answers)
    slow.undo()
    assert kinds(office)[-1] == "identity_refused"
    opened = office.open(asked, *answers)
    assert NAME in str(opened.to_json())
    assert kinds(office)[-2:] == ["identity_refused", "identity_opened"]


def test_whoever_stops_the_filing_of_refusals_has_filed_all(
    office: Office, slow: pytest.MonkeyPatch
) -> None:
    asked = office.ask()
    answers = [office.no(one, asked.text) for one in (1, 2, 3)]
    case, mine = office.case(), office.desk("operator 1")
    stop(slow)
    told, sent = custody.file_refusals(mine, case, answers)
    assert (len(told), sent, len(mine.store.unposted())) == (3, False, 3)
    slow.undo()
    assert kinds(office)[-3:] == ["identity_refused"] * 3
    # And once more files none a second time.
    assert custody.file_refusals(mine, office.case(), answers)[1]
    assert kinds(office).count("identity_refused") == 3


def test_a_request_that_was_stopped_has_its_letter(
    office: Office, phrase: Path, tmp_path: Path, slow: pytest.MonkeyPatch
) -> None:
    mine, letter = office.desk("operator 1"), tmp_path / "request"
    run = running(mine.home.folder, phrase)
    given = ("--reason", "They must be reached.", "--to", str(letter))
    stop(slow)
    said = run("custody", "ask", office.case().ref, *given)
    done(said)
    assert "(the journal's entry waits for the next sync)" in said.stderr
    slow.undo()
    yes = [office.yes(number, letter.read_text()) for number in (1, 2)]
    request = custody.request_id(mine, letter.read_text())
    assert custody.open_identity(mine, office.case(), request, yes).sent
    with pytest.raises(CustodyRefused, match="opened already"):
        custody.open_identity(mine, office.case(), request, yes)
