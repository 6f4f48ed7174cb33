"""A window in which every page that was walked stands at an address of its own.

Rule: what a page loads is answered in this process, by the desk that drew it; whatever is asked
of any other place is noted, and not let out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.desk.looks.browser import ORIGIN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import BrowserContext, Page, Route
    from werkzeug.test import TestResponse

    from tests.desk.looks.pages import Pages, Walk

# The page of a wall asks anew by itself, in the middle of being looked at.
_LEFT_OUT = {"refresh", "clear-site-data", "set-cookie"}


# Playwright keeps a note of its own at what it is given to call.
@dataclass
class Window:
    """One tab, and what it asked of anybody else than the desk."""

    context: BrowserContext
    walk: Walk
    pages: Mapping[str, Pages]
    asked_elsewhere: list[str] = field(default_factory=list)
    page: Page = field(init=False)

    def __post_init__(self) -> None:
        self.context.route("**/*", self._answer)
        self.page = self.context.new_page()

    def go(self, language: str, name: str, *, unfolded: bool = True) -> Page:
        """Open one page, everything on it unfolded."""
        root = self.pages[language][name].root
        self.page.goto(f"{ORIGIN}{root}/~{language}/{slug(name)}")
        if unfolded:
            self.page.evaluate(
                "document.querySelectorAll('details').forEach(one => { one.open = true; })"
            )
        return self.page

    def _answer(self, route: Route) -> None:
        url = urlsplit(route.request.url)
        if f"{url.scheme}://{url.netloc}" != ORIGIN:
            self.asked_elsewhere.append(route.request.url)
            route.abort()
            return
        _, root, rest = url.path.split("/", 2)
        walked = re.fullmatch(r"~(\w+)/([\w-]+)", rest)
        if walked:
            by_slug = {slug(name): shown for name, shown in self.pages[walked[1]].items()}
            answer = by_slug[walked[2]].answer
        else:
            ranged = route.request.headers.get("range", "")
            answer = self._loaded(root, f"/{rest}{'?' if url.query else ''}{url.query}", ranged)
        kept = {name: one for name, one in answer.headers if name.lower() not in _LEFT_OUT}
        route.fulfill(status=answer.status_code, headers=kept, body=answer.data)

    def _loaded(self, root: str, path: str, ranged: str) -> TestResponse:
        """What a page loads, asked of the desk once, in however many windows."""
        key = (root, path, ranged)
        if key not in self.walk.loaded:
            self.walk.loaded[key] = self.walk.browser(f"/{root}").get(
                path, **({"Range": ranged} if ranged else {})
            )
        return self.walk.loaded[key]


def slug(name: str) -> str:
    """A page's name as a file's and an address's."""
    return re.sub(r"[^\w]+", "-", name).strip("-")
