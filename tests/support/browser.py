"""Debian's Chromium for the tests: quiet, and with the memory for Back that people have."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from playwright.sync_api import expect, sync_playwright
from werkzeug.serving import make_server

from gateway.site.app import HERE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Route
    from werkzeug.test import TestResponse

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
# What pages load, by its address.
STATIC = HERE / "static"
STATIC_FILES = {
    "/style.css": STATIC / "site.css",
    "/letters.css": STATIC / "letters" / "letters.css",
    "/letters.woff2": STATIC / "letters" / "tifinagh.woff2",
    **{f"/{path.name}": path for path in STATIC.glob("*.js")},
}
KINDS = {"js": "text/javascript", "css": "text/css", "woff2": "font/woff2"}
# Where each character of an element stands, from left to right, on one line.
LEFT_TO_RIGHT = """element => {
    element.style.whiteSpace = 'nowrap';
    const found = [];
    const walk = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const text = walk.currentNode;
        for (let at = 0; at < text.length; at++) {
            const range = document.createRange();
            range.setStart(text, at);
            range.setEnd(text, at + 1);
            found.push([range.getBoundingClientRect().left, text.data[at]]);
        }
    }
    return found.sort((one, other) => one[0] - other[0]).map(one => one[1]).join('');
}"""
# Playwright switches it off; then Back would always ask the server, and every test would pass.
NO_BACK = "--disable-back-forward-cache"


# How long what a page shows is waited for: on a busy machine a browser takes its time.
expect.set_options(timeout=20_000)


@contextmanager
def quiet_chromium(program: Path) -> Iterator[Browser]:
    """A browser that asks nobody anything."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(program), args=QUIET)
        yield browser
        browser.close()


@contextmanager
def chromium_as_people_have_it(program: Path) -> Iterator[Browser]:
    """A browser whose Back brings whole pages again from memory."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(program), args=QUIET, ignore_default_args=[NO_BACK]
        )
        yield browser
        browser.close()


@contextmanager
def served(application: Callable[..., object]) -> Iterator[str]:
    """An application at an address that a browser takes for secure: it obeys Clear-Site-Data."""
    server = make_server("localhost", 0, application, threaded=True)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def show(context: BrowserContext, pages: Mapping[str, TestResponse | bytes]) -> None:
    """Let a browser see answers that were given in process, each at the address of its name."""

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix("http://localhost")
        found = pages.get(path)
        if found is None:
            route.abort()
        elif isinstance(found, bytes):
            route.fulfill(status=200, body=found, content_type=KINDS[path.rpartition(".")[2]])
        else:
            headers = {name: value for name, value in found.headers if name != "Refresh"}
            route.fulfill(status=200, body=found.data, headers=headers)

    context.route("**/*", answer)
