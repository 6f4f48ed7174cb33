"""A time finer than a day is kept for a quarter of an hour, and then by nobody."""

from __future__ import annotations

import secrets
import threading
from typing import TYPE_CHECKING

import pytest

from crypto.ids import new_case_id
from crypto.token import TokenKey
from gateway.programs import make_site
from gateway.windows import ReceiptWindows, WindowSweeper
from tests.gateway.deployment import SetClock
from vault.errors import ShelfUnavailable
from vault.outside import NewCase

if TYPE_CHECKING:
    from crypto.ids import CaseId
    from tests.gateway.deployment import Deployment
    from vault.vault import Vault

SECONDS = 900


@pytest.fixture
def key() -> TokenKey:
    return TokenKey.generate()


@pytest.fixture
def windows(deployment: Deployment, key: TokenKey) -> ReceiptWindows:
    return ReceiptWindows(deployment.vault, key, deployment.clock)


@pytest.fixture
def sweeper(deployment: Deployment, windows: ReceiptWindows) -> WindowSweeper:
    return WindowSweeper(windows, SECONDS, deployment.clock)


def acknowledged(vault: Vault, windows: ReceiptWindows, *, remembered: bool = True) -> CaseId:
    """A case whose receipt was shown now; a worker that is killed forgets it."""
    case = new_case_id()
    vault.accept_report(NewCase(case, secrets.token_bytes(32), bytes(92), windows.sealed_now()), [])
    if remembered:
        windows.remember(case)
    return case


def readable(vault: Vault, key: TokenKey, case: CaseId) -> bool:
    """Whether somebody with the token key can read a time of this case, now or ever."""
    row = vault.case(case)
    assert row is not None
    return ReceiptWindows(vault, key, SetClock(seconds=0))._age(row.receipt_window) is not None


@pytest.mark.claim("C-DAY")
def test_a_window_tells_a_minute_and_not_a_second(
    windows: ReceiptWindows, key: TokenKey, deployment: Deployment
) -> None:
    told = set()
    start = deployment.clock.seconds // 60 * 60
    for second in (0, 1, 59):
        deployment.clock.seconds = start + second
        sealed = windows.sealed_now()
        told.add(ReceiptWindows(deployment.vault, key, SetClock(seconds=start))._age(sealed))
    assert told == {0}


@pytest.mark.claim("C-DAY")
def test_the_worker_that_opened_a_window_closes_it_when_it_is_over(
    deployment: Deployment, windows: ReceiptWindows, sweeper: WindowSweeper, key: TokenKey
) -> None:
    vault, clock = deployment.vault, deployment.clock
    sweeper.sweep()
    first = acknowledged(vault, windows)
    clock.seconds += 100
    second = acknowledged(vault, windows)
    clock.seconds += SECONDS - 101
    sweeper.sweep()
    assert readable(vault, key, first)
    clock.seconds += 1
    sweeper.sweep()
    assert (readable(vault, key, first), readable(vault, key, second)) == (False, True)
    clock.seconds += 100
    assert windows.close_due(SECONDS) == 1
    assert not readable(vault, key, second)
    assert windows.close_due(SECONDS) == 0


@pytest.mark.claim("C-DAY")
def test_what_a_killed_worker_left_is_closed_at_the_next_start_and_when_the_rest_is_over(
    deployment: Deployment, windows: ReceiptWindows, key: TokenKey
) -> None:
    vault, clock = deployment.vault, deployment.clock
    old = acknowledged(vault, windows, remembered=False)
    clock.seconds += SECONDS + 60
    young = acknowledged(vault, windows, remembered=False)
    reborn = ReceiptWindows(vault, key, clock)
    sweeper = WindowSweeper(reborn, SECONDS, clock)
    sweeper.sweep()
    assert (readable(vault, key, old), readable(vault, key, young)) == (False, True)
    clock.seconds += SECONDS + 60
    sweeper.sweep()
    assert not readable(vault, key, young)
    # Nothing is scanned for that cannot be there.
    late = acknowledged(vault, windows, remembered=False)
    clock.seconds += SECONDS + 60
    sweeper.sweep()
    assert readable(vault, key, late)


@pytest.mark.claim("C-LOST-ANSWER")
def test_no_scan_closes_a_window_that_may_still_be_shown(
    deployment: Deployment, windows: ReceiptWindows, key: TokenKey
) -> None:
    deployment.clock.seconds = deployment.clock.seconds // 60 * 60 + 59
    case = acknowledged(deployment.vault, windows)
    deployment.clock.seconds += SECONDS - 1
    assert windows.close_left(SECONDS) == 0
    assert readable(deployment.vault, key, case)
    deployment.clock.seconds += 60
    assert windows.close_left(SECONDS) == 1


def test_a_time_to_come_is_closed_and_another_keys_bytes_are_let_alone(
    deployment: Deployment, windows: ReceiptWindows, key: TokenKey
) -> None:
    deployment.clock.seconds += 10_000
    wrong = acknowledged(deployment.vault, windows, remembered=False)
    deployment.clock.seconds -= 10_000
    stranger = ReceiptWindows(deployment.vault, TokenKey.generate(), deployment.clock)
    acknowledged(deployment.vault, stranger, remembered=False)
    deployment.clock.seconds += 5000
    assert windows.close_left(SECONDS) == 1
    assert not readable(deployment.vault, key, wrong)


def test_an_error_is_reported_by_its_kind_and_the_windows_are_closed_later(
    deployment: Deployment,
    windows: ReceiptWindows,
    key: TokenKey,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sweeper = WindowSweeper(windows, SECONDS, deployment.clock)
    cases = [acknowledged(deployment.vault, windows) for _ in range(2)]
    deployment.clock.seconds += SECONDS

    def full(_: object) -> int:
        raise ShelfUnavailable("a word that is not to be said")

    with monkeypatch.context() as broken:
        broken.setattr(deployment.vault, "close_receipt_windows_of", full)
        sweeper.sweep()
    said = capsys.readouterr().err
    assert "ShelfUnavailable" in said
    assert "a word" not in said
    assert all(readable(deployment.vault, key, case) for case in cases)
    sweeper.sweep()
    assert not any(readable(deployment.vault, key, case) for case in cases)


def test_the_thread_sweeps_until_it_is_stopped_and_keeps_no_process_alive(
    sweeper: WindowSweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept = threading.Semaphore(0)
    monkeypatch.setattr(sweeper, "_every", 0.001)
    monkeypatch.setattr(sweeper, "sweep", swept.release)
    sweeper.start()
    assert all(swept.acquire(timeout=10) for _ in range(3))
    assert sweeper._thread.daemon
    sweeper.stop()
    assert not sweeper._thread.is_alive()


@pytest.mark.claim("C-DAY")
def test_a_worker_of_the_site_has_such_a_thread(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[WindowSweeper] = []
    monkeypatch.setattr(WindowSweeper, "start", lambda one: made.append(one))  # noqa: PLW0108 # a method, not a list's
    stopped: list[object] = []
    monkeypatch.setattr("gateway.programs.atexit.register", stopped.append)
    app = make_site(deployment.config)
    (sweeper,) = made
    assert sweeper._windows is app.extensions["amana.windows"]
    assert sweeper._seconds == SECONDS
    assert sweeper.stop in stopped
