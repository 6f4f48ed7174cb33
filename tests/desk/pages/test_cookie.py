"""The desk's cookie: what else is served on this machine neither gets it nor guesses it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import Client

from desk.pages.app import create_pages
from desk.pages.door import Bind, Mounted, OneTimeLink, Sessions

if TYPE_CHECKING:
    from desk.desk import Desk

BIND = Bind("127.0.0.1", 8002)
OURS = {"Host": "127.0.0.1:8002"}


@pytest.fixture
def link() -> OneTimeLink:
    return OneTimeLink()


@pytest.fixture
def browser(desk: Desk, link: OneTimeLink) -> Client:
    return Client(Mounted(create_pages(desk, BIND, link), link.root))


def test_the_cookie_is_sent_below_a_path_that_nobody_guesses(
    browser: Client, link: OneTimeLink
) -> None:
    entered = browser.get(link.path, headers=OURS)
    assert entered.headers["Location"] == f"{link.root}/"
    assert f"Path={link.root}/" in entered.headers["Set-Cookie"].split("; ")
    assert re.fullmatch(r"/[0-9a-f]{32}", link.root)
    assert browser.get(f"{link.root}/", headers=OURS).status_code == 200
    form = {**OURS, "Origin": BIND.origin}
    assert browser.post(f"{link.root}/sync", headers=form).headers["Location"] == f"{link.root}/"
    # The client's jar keeps the rule of browsers: what lies beside the path does not get it.
    assert browser.get("/", headers=OURS).request.cookies == {}
    assert browser.get(f"{link.root}/", headers=OURS).request.cookies


def test_whoever_asks_beside_the_path_learns_nothing_of_it(
    browser: Client, link: OneTimeLink
) -> None:
    for path in ("/", f"/link/{link.token}", "/static/desk.css", link.root, f"{link.root}x/"):
        answer = browser.get(path, headers=OURS)
        assert (answer.status_code, answer.data) == (404, b"")
        assert link.root not in str(answer.headers)
    assert browser.get(link.path, headers=OURS).status_code == 303


def test_path_and_name_are_new_with_each_run() -> None:
    assert OneTimeLink().root != OneTimeLink().root
    assert Sessions().cookie != Sessions().cookie
    assert OneTimeLink().root not in repr(OneTimeLink())
