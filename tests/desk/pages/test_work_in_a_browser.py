"""A job in Chromium without scripts: its page asks anew by itself, and ends where the result is."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from werkzeug.serving import make_server

from desk.pages import background
from desk.pages.app import create_pages
from desk.pages.background import Background
from desk.pages.door import Bind, OneTimeLink
from tests.desk.world import Reporter
from tests.support.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from desk.alarms import Alarm
    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.world import World

    Synced = Callable[..., SyncReport]


@pytest.fixture
def page(browser: Browser, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """Somebody who was let in, where no script runs."""
    monkeypatch.setattr(background, "REFRESH_SECONDS", 1)
    (port,) = free_ports(1)
    link, beside = OneTimeLink(), Background()
    app = create_pages(desk, Bind("127.0.0.1", port), link, None, beside)
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    context = browser.new_context(
        base_url=f"http://127.0.0.1:{port}", java_script_enabled=False, locale="en"
    )
    page = context.new_page()
    page.goto(f"/link/{link.token}")
    yield page
    context.close()
    beside.end()
    server.shutdown()
    thread.join()


@pytest.fixture
def held(world: World, sync: Synced, monkeypatch: pytest.MonkeyPatch) -> Held:
    """Two cases, of which each waits to be proven."""
    for _ in range(2):
        sync(*Reporter(world).report())
    made = Held()
    monkeypatch.setattr("desk.proving.deep_alarms", made)
    return made


class Held:
    """Proofs that go on one by one."""

    def __init__(self) -> None:
        self.go_on = threading.Semaphore(0)

    def __call__(self, *_: object) -> tuple[Alarm, ...]:
        """Wait, and find nothing."""
        assert self.go_on.acquire(timeout=20)
        return ()


def test_the_page_follows_the_work_to_its_result(page: Page, held: Held) -> None:
    page.get_by_role("link", name="Proofs").click()
    page.get_by_role("button", name="Prove all cases").click()
    expect(page).to_have_url(re.compile("/work$"))
    expect(page.get_by_text("Proving the cases (0 of 2)")).to_be_visible()
    held.go_on.release()
    expect(page.get_by_text("Proving the cases (1 of 2)")).to_be_visible()
    held.go_on.release()
    expect(page.get_by_text("all signatures hold")).to_be_visible()
    expect(page).to_have_url(re.compile("/verify$"))


def test_a_button_stops_it_and_the_page_says_so(page: Page, held: Held) -> None:
    page.goto("/verify")
    page.get_by_role("button", name="Prove all cases").click()
    page.get_by_role("button", name="Stop it").click()
    expect(page.get_by_text("It is being stopped.")).to_be_visible()
    held.go_on.release()
    expect(page.get_by_text("It was stopped.")).to_be_visible()
    expect(page).to_have_url(re.compile("/verify$"))
