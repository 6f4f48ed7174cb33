"""Somebody who was let in to a desk's pages, and goes through them as a browser does."""

from __future__ import annotations

import re
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import abort

from desk.pages.app import create_pages
from desk.pages.background import Background, Job
from desk.pages.door import Bind, OneTimeLink
from desk.sentence import Sentence
from tests.desk.forms import form_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from desk.desk import Desk
    from desk.progress import Progress

BIND = Bind("127.0.0.1", 8002)
ORIGIN = BIND.origin
_HEADERS = {"Host": BIND.authority, "Origin": BIND.origin, "Sec-Fetch-Site": "same-origin"}
_JOB_SECONDS = 60


@dataclass(slots=True)
class Browser:
    """Somebody who was let in to one desk's pages, which are mounted below a root of their own."""

    desk: Desk
    root: str
    client: FlaskClient
    app: Flask
    beside: Background

    @classmethod
    def enter(cls, desk: Desk, root: str, *, fails: bool = False) -> Browser:
        """Go through the door; `fails` adds an address whose page breaks."""
        link = OneTimeLink()
        beside = Background(now=lambda: "2026-11-22 10:00")
        app = create_pages(desk, BIND, link, None, beside)
        if fails:
            app.add_url_rule("/fail/<int:status>", "fail", _fail)
        made = cls(desk, root, app.test_client(), app, beside)
        assert made.get(f"/link/{link.token}").status_code == 200
        return made

    def get(self, path: str, **headers: str) -> TestResponse:
        """Open an address, and go where it leads."""
        return self.client.get(
            path, base_url=f"{ORIGIN}{self.root}", headers={**_HEADERS, **headers},
            follow_redirects=True,
        )  # fmt: skip

    def post(self, path: str, /, **form: Any) -> TestResponse:
        """Send a form, and go where it leads."""
        return self.client.post(
            path, base_url=f"{ORIGIN}{self.root}", headers=_HEADERS, data=form,
            follow_redirects=True,
        )  # fmt: skip

    def press(self, page: str, action: str, /, **form: Any) -> TestResponse:
        """Fill in the form of a page that goes to `action`, and send it with what it bears."""
        address, hidden = form_in(self.get(page).text, action)
        return self.post(address.removeprefix(self.root), **{**hidden, **form})

    def shown(self, path: str) -> str:
        """An address below a case's, with what the case's page shows now."""
        page = self.get("/".join(path.split("/")[:3])).text
        return f"{path}?seen={re.findall(r'[?]seen=([0-9a-f]{16})', page)[0]}"

    def ended(self, path: str, /, **form: Any) -> TestResponse:
        """Begin a job, wait until it has ended, and go where its page leads."""
        self.post(path, **form)
        until = time.monotonic() + _JOB_SECONDS
        while self.beside.job is not None and self.beside.job.is_running:
            assert time.monotonic() < until
            time.sleep(0.01)
        return self.get("/work")

    @contextmanager
    def busy(self, *steps: str) -> Iterator[None]:
        """A job runs, and says what it is doing."""
        begun, go_on = threading.Event(), threading.Event()

        def work(progress: Progress) -> None:
            for one in steps:
                progress.step(one)
            begun.set()
            go_on.wait(_JOB_SECONDS)

        job = Job("compare", Sentence("Comparing the cases"), f"{self.root}/verify")
        self.beside.begin(job, work)
        assert begun.wait(_JOB_SECONDS)
        yield
        go_on.set()
        while job.is_running:
            time.sleep(0.01)

    def speak(self, code: str) -> None:
        """Choose the language of the pages, as an operator does."""
        chosen = self.post("/language", language=code, back="/")
        assert f'<html lang="{code}"' in chosen.text


def _fail(status: int) -> str:
    if status == 500:
        raise RuntimeError("a word of a reporter")
    abort(status)
