"""Whatever fails, or stops the program, once the identity was opened: what that cost is said."""

from __future__ import annotations

import signal
import sqlite3
import sys
from typing import TYPE_CHECKING

import pytest

from desk import outbox, work
from desk.cases import Cases
from desk.client import SyncClient
from desk.errors import CustodyRefused, TransmissionRefused
from desk.store import Store
from desk.transmission import services, writing
from tests.desk.custody.test_pages import browser
from tests.desk.forms import press
from tests.desk.transmission.conftest import SERVICE, UNIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.desk.custody.conftest import Office
    from tests.desk.transmission.conftest import Hands

pytestmark = pytest.mark.claim("C-CUSTODY")
USED_UP = r"No package was handed over.*the request to the custodians is used up. Ask them anew"


def full(*_: object, **__: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


def fault(*_: object, **__: object) -> None:
    raise KeyError("ours")


def ctrl_c(*_: object, **__: object) -> None:
    signal.raise_signal(signal.SIGINT)


def term(*_: object, **__: object) -> None:
    sys.exit(128 + signal.SIGTERM)


ENDS = pytest.mark.parametrize(
    ("end", "why"),
    [(full, "disk is full"), (fault, "KeyError"), (ctrl_c, "It was stopped"),
     (term, "It was stopped")],
    ids=["full", "fault", "ctrl-c", "term"],
)  # fmt: skip


@ENDS
@pytest.mark.parametrize("in_clear", [False, True], ids=["sealed", "folder"])
@pytest.mark.parametrize("where", ["the last bytes", "the entry"])
def test_what_fails_after_the_last_word_says_that_the_request_is_used_up(  # noqa: PLR0913, PLR0917 - rows
    hands: Hands, monkeypatch: pytest.MonkeyPatch, end: Callable[..., None], why: str, where: str,
    in_clear: bool,  # noqa: FBT001
) -> None:  # fmt: skip
    with monkeypatch.context() as patch:
        if where == "the entry":
            patch.setattr(work, "set_state", end)
        elif in_clear:
            patch.setattr(writing, "_complete", end)
        else:
            patch.setattr(writing, "settle", end)
        with pytest.raises(TransmissionRefused, match=rf"{why}.*{USED_UP}"):
            hands.over(in_clear=in_clear)
    assert hands.kinds[-1] == "identity_opened"
    assert list(hands.out.iterdir()) == []
    with pytest.raises(CustodyRefused, match="opened already"):
        hands.over()


@ENDS
def test_a_signal_that_comes_with_the_last_word_itself_is_no_less_said(
    hands: Hands, monkeypatch: pytest.MonkeyPatch, end: Callable[..., None], why: str
) -> None:
    true = Store.keep_after

    def keep_after(*given: object) -> None:
        true(*given)  # type: ignore[arg-type]  # as it was called
        end()

    with monkeypatch.context() as patch:
        patch.setattr(Store, "keep_after", keep_after)
        with pytest.raises(TransmissionRefused, match=rf"{why}.*{USED_UP}"):
            hands.over()
    assert hands.kinds[-1] == "identity_opened"
    assert list(hands.out.iterdir()) == []


def test_a_package_that_cannot_be_remembered_leaves_the_request_as_it_was(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Store, "note", full)
        with pytest.raises(sqlite3.OperationalError):
            hands.over()
    assert "identity_opened" not in hands.kinds
    assert list(hands.out.iterdir()) == []
    assert hands.over().path.exists()


def test_a_database_that_is_gone_by_then_is_said_and_nothing_of_the_package_stays(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        for name in ("of_case", "some", "outsides"):
            patch.setattr(Store, name, full)
        patch.setattr(Cases, "find", full)
        full()

    with monkeypatch.context() as patch:
        patch.setattr(work, "set_state", gone)
        with pytest.raises(TransmissionRefused, match=USED_UP):
            hands.over()
    assert list(hands.out.iterdir()) == []


@pytest.mark.parametrize("end", [full, ctrl_c], ids=["full", "ctrl-c"])
def test_before_the_last_word_what_ends_it_ends_it_as_it_is(
    hands: Hands, monkeypatch: pytest.MonkeyPatch, end: Callable[..., None]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "keep", end)
        patch.setattr(Store, "some", full)
        with pytest.raises((sqlite3.OperationalError, KeyboardInterrupt)):
            hands.over()
    assert "identity_opened" not in hands.kinds
    assert list(hands.out.iterdir()) == []


@pytest.mark.claim("C-CUT")
@pytest.mark.parametrize("end", [ctrl_c, term], ids=["ctrl-c", "term"])
def test_whoever_stops_it_while_the_journal_is_sent_has_handed_it_over(
    hands: Hands, monkeypatch: pytest.MonkeyPatch, end: Callable[..., None]
) -> None:
    agreed = hands.agreed
    with monkeypatch.context() as patch:
        patch.setattr(type(hands), "agreed", agreed)
        patch.setattr(SyncClient, "post", end)
        done = hands.over()
    assert (done.sent, done.path.exists()) == (False, True)
    assert hands.kinds[-2:] == ["identity_opened", "status"]
    assert len(hands.mine.store.unposted()) == 2


def test_the_page_says_it_too(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = office.desk("operator 1")
    services.bind(mine, UNIT.service, SERVICE.public)
    asked = office.ask()
    yes = "\n".join(office.yes(number, asked.text) for number in (1, 2))
    client, at = browser(office, "operator 1"), f"/case/{office.reporter.case.hex()}/transmission"
    with monkeypatch.context() as patch:
        patch.setattr(work, "set_state", full)
        said = press(client, at, "/send", request=asked.id.hex(), pasted=yes)
    assert said.status_code == 422
    assert "the request to the custodians is used up" in said.text
    assert list(mine.home.packages.glob("*")) == []
