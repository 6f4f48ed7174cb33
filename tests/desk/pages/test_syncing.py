"""The pages sync by themselves: in turn, until Lock; a failure is said, and tried again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from desk.cases import Cases
from desk.errors import AlreadySyncing, Stopped
from desk.news import Bell
from desk.pages import syncing
from desk.pages.app import create_pages
from desk.pages.door import Bind, OneTimeLink
from desk.pages.room import Room
from desk.pages.syncing import Syncing
from desk.sync import SyncReport
from tests.desk.pages.test_background import FORM, HEAD, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask.testing import FlaskClient

    from desk.desk import Desk
    from desk.pages.background import Background
    from desk.progress import Progress
    from tests.desk.server import FakeServer
    from tests.desk.world import Reporter

BIND = Bind("127.0.0.1", 8002)
MINUTES = 7


@pytest.fixture
def enter(desk: Desk, beside: Background) -> Callable[..., FlaskClient]:
    """Build pages that sync by themselves, and go in."""

    def entered(bell: Bell | None = None, minutes: int = MINUTES) -> FlaskClient:
        link = OneTimeLink()
        app = create_pages(desk, BIND, link, bell, beside, sync_minutes=minutes)
        client = app.test_client()
        assert client.get(f"/link/{link.token}", headers=HEAD).status_code == 303
        return client

    return entered


def text(client: FlaskClient, path: str = "/") -> str:
    answer = client.get(path, headers=HEAD)
    assert answer.status_code == 200, answer.text
    return answer.text


def alone(desk: Desk, bell: Bell | None = None) -> Syncing:
    """Syncs without pages around them."""
    return Syncing(desk, bell, threading.Event(), MINUTES)


def test_what_comes_is_there_without_a_button_and_the_bell_rings(
    desk: Desk, enter: Callable[..., FlaskClient], server: FakeServer, reporter: Reporter,
    tmp_path: Path,
) -> None:  # fmt: skip
    server.put(*reporter.report())
    rung = tmp_path / "rung"
    page = enter(Bell(("/bin/sh", "-c", f'echo "$AMANA_NEWS_CASES" > {rung}'), {}))
    wait_for(lambda: rung.exists() and rung.read_text() == "1\n")
    assert Cases(desk).find(reporter.case.hex()).readable
    assert reporter.case.hex() in text(page)
    assert "synced by itself" not in text(page)


@pytest.mark.claim("C-LOCK")
def test_nothing_is_asked_of_the_server_before_a_browser_was_let_in_nor_without_the_option(
    desk: Desk, enter: Callable[..., FlaskClient], server: FakeServer, beside: Background
) -> None:
    server.requests.clear()
    link = OneTimeLink()
    app = create_pages(desk, BIND, link, None, beside, sync_minutes=MINUTES)
    assert app.test_client().get("/link/guess", headers=HEAD).status_code == 401
    enter(minutes=0)
    assert beside._threads == []
    assert server.requests == []


def test_it_goes_on_at_its_interval_until_lock(
    enter: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch, beside: Background
) -> None:
    done: list[float] = []

    def sync(*_: object, **__: object) -> tuple[SyncReport, str]:
        done.append(1)
        return SyncReport(), ""

    monkeypatch.setattr(syncing, "sync_and_tell", sync)
    monkeypatch.setattr(syncing, "MINUTE", 0.001)
    page = enter()
    wait_for(lambda: len(done) > 3)
    (thread,) = beside._threads
    page.post("/lock", headers=FORM)
    assert not thread.is_alive()


@pytest.mark.claim("C-LOCK")
def test_lock_ends_one_that_is_under_way_and_it_asks_nothing_more(
    desk: Desk, enter: Callable[..., FlaskClient], server: FakeServer,
    monkeypatch: pytest.MonkeyPatch, beside: Background,
) -> None:  # fmt: skip
    begun, ended = threading.Event(), []

    def sync(desk: Desk, progress: Progress, *_: object, **__: object) -> Any:
        begun.set()
        beside.over.wait(20)
        server.requests.clear()
        for ask in (desk.client.roster, lambda: progress.step("x")):
            with pytest.raises(Stopped):
                ask()
            ended.append(True)
        raise Stopped

    monkeypatch.setattr(syncing, "sync_and_tell", sync)
    page = enter()
    assert begun.wait(20)
    page.post("/lock", headers=FORM)
    assert ended == [True, True]
    assert server.requests == []
    # What another thread asks is not touched.
    assert desk.client.roster()


def test_a_failure_is_said_on_the_list_until_one_succeeds(
    enter: Callable[..., FlaskClient], desk: Desk, server: FakeServer
) -> None:
    server.answers["/v1/roster"] = (503, b"")
    page = enter()
    wait_for(lambda: "synced by itself" in text(page))
    for _ in range(2):
        shown = text(page)
        assert "The server answered 503" in shown
        assert "It is tried again every 7 min." in shown
    assert desk.store.noted("last_sync") == ""
    del server.answers["/v1/roster"]
    page.post("/sync", headers=FORM)
    assert "Synced: Nothing new." in text(page)
    assert "synced by itself" not in text(page)


def test_what_the_bell_complains_of_is_said_too(
    desk: Desk, server: FakeServer, reporter: Reporter
) -> None:
    server.put(*reporter.report())
    one = alone(desk, Bell(("/bin/false",), {}))
    one.by_itself()
    assert "ended with an error" in one.failure
    assert one.failed_at
    one.by_itself()
    assert one.failure == ""


def test_an_error_of_ours_ends_no_interval_and_its_words_are_not_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("a word of a reporter")

    monkeypatch.setattr(syncing, "sync_and_tell", breaks)
    one = alone(desk)
    one.by_itself()
    assert "met an error" in one.failure
    assert "reporter" not in capfd.readouterr().err
    monkeypatch.undo()
    one.by_itself()
    assert one.failure == ""


def test_never_two_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    one, both = alone(desk), []

    def sync(*_: object, **__: object) -> tuple[SyncReport, str]:
        both.append(one.press())
        one.by_itself()
        return SyncReport(), ""

    monkeypatch.setattr(syncing, "sync_and_tell", sync)
    one.by_itself()
    one.press()
    assert both == ["A sync is under way already. Look again in a minute."] * 2


def test_another_program_that_syncs_is_no_failure(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = alone(desk)
    one.failure = "before"

    def busy(*_: object, **__: object) -> None:
        raise AlreadySyncing

    monkeypatch.setattr(syncing, "sync_and_tell", busy)
    one.by_itself()
    assert one.failure == "before"


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ("2026-11-22 10:40", ""),
        ("2026-11-22 10:41", "More than an hour ago"),
        ("2027-01-01 00:00", "More than an hour ago"),
        ("2026-11-22 08:40", ""),
        ("2026-11-22 08:39", "look at this machine"),
        ("no clock", ""),
    ],
)
def test_the_wall_says_when_the_last_sync_is_too_old(
    desk: Desk, enter: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch,
    now: str, said: str,
) -> None:  # fmt: skip
    desk.store.note("last_sync", "2026-11-22 09:40")
    monkeypatch.setattr(Room, "__init__", _at(now))
    shown = text(enter(minutes=0), "/room/wall?period=today")
    assert ("More than an hour ago" in shown, "look at this machine" in shown) == (
        "hour" in said, "machine" in said
    )  # fmt: skip
    assert "last sync" in shown


def _at(now: str) -> Callable[..., None]:
    def made(room: Room, desk: Desk) -> None:
        room.desk, room.now = desk, lambda: now

    return made
