"""The room's pages, judged by others: axe-core, and a ruler."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from werkzeug.serving import make_server

from desk.pages.app import create_pages
from desk.pages.door import Bind, OneTimeLink
from desk.room.bulletin import rendered
from desk.room.gather import facts
from desk.room.period import parse_period
from desk.room.public import lines
from tests.desk.world import TODAY
from tests.gateway.site.test_judged import TOO_WIDE, WCAG
from tests.support.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from desk.desk import Desk

DAYS = "period=2024-06-03..2024-09-02"
PATHS = [f"/room?{DAYS}", "/room?period=today", f"/room/wall?{DAYS}", "/room/wall?period=today"]


@pytest.fixture(scope="module")
def page(browser: Browser, quarter: Desk) -> Iterator[Page]:
    (port,) = free_ports(1)
    link = OneTimeLink()
    app = create_pages(quarter, Bind("127.0.0.1", port), link)
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{port}"
    context = browser.new_context(base_url=address, bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"/link/{link.token}")
    yield page
    context.close()
    server.shutdown()
    thread.join()


@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing_light_or_dark(page: Page, path: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(path)
    options = {"runOnly": {"type": "tag", "values": WCAG}, "resultTypes": ["violations"]}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page, options=options)
        assert found.response["violations"] == [], (scheme, found.generate_report())


def test_axe_would_find_what_is_wrong(page: Page) -> None:
    page.goto(PATHS[0])
    page.evaluate("document.querySelector('.panel p').style.color = '#ccc'")
    page.evaluate("document.querySelector('.panel p').style.background = '#fff'")
    page.evaluate("document.querySelector('svg.chart').removeAttribute('aria-labelledby')")
    page.evaluate("document.querySelector('svg.chart title').remove()")
    found = {one["id"] for one in Axe().run(page).response["violations"]}
    assert {"color-contrast", "svg-img-alt"} <= found


@pytest.mark.parametrize("width", [320, 360, 1280])
@pytest.mark.parametrize("path", PATHS)
def test_no_page_scrolls_sideways(page: Page, path: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 640})
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [one for one in page.evaluate(TOO_WIDE) if 'class="skip' not in one] == []


def test_the_bulletin_stands_alone_and_axe_finds_nothing(browser: Browser, quarter: Desk) -> None:
    period = parse_period("2024-06-03..2024-09-02", TODAY)
    found = lines(facts(quarter), period, quarter.rules)
    content = rendered(found, period, TODAY, quarter.rules, rehearsal=True)["bulletin.html"]
    context = browser.new_context(viewport={"width": 320, "height": 640})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.set_content(content.decode())
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        judged = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
        assert judged.response["violations"] == [], judged.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert asked == []
    context.close()
