"""A notice stands on the page that its form leads to, once, whichever window asks first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desk.pages import notices
from tests.desk.pages.test_pages import FORM
from tests.desk.world import Reporter, World

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from flask.testing import FlaskClient

    from desk.sync import SyncReport

    Synced = Callable[..., SyncReport]

SENT = "Signed and sent."


def noted(page: FlaskClient, path: str) -> None:
    answer = page.post(f"{path}/act/note", headers=FORM, data={"text": "Called the bank."})
    assert (answer.status_code, answer.headers["Location"]) == (303, path)


def says(page: FlaskClient, path: str) -> bool:
    return SENT in page.get(path, headers=FORM).text


def test_what_is_said_of_one_case_never_stands_on_another_page(
    page: FlaskClient, world: World, reporter: Reporter, sync: Synced
) -> None:
    other = Reporter(world)
    sync(*reporter.report(), *other.report())
    mine, theirs = (f"/case/{one.case.hex()}" for one in (reporter, other))
    noted(page, mine)
    assert not says(page, theirs)
    assert not says(page, "/")
    assert says(page, mine)
    assert not says(page, mine)


def test_what_a_form_refuses_takes_no_notice_away_and_says_no_others(
    page: FlaskClient, reporter: Reporter, sync: Synced
) -> None:
    sync(*reporter.report())
    path = f"/case/{reporter.case.hex()}"
    noted(page, path)
    refused = page.post(f"{path}/act/note", headers=FORM, data={"text": " "})
    assert refused.status_code == 422
    assert SENT not in refused.text
    assert says(page, path)


def test_notices_of_windows_that_were_closed_do_not_gather(
    page: FlaskClient, world: World, sync: Synced, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "_MOST", 2)
    people = [Reporter(world) for _ in range(3)]
    sync(*(row for one in people for row in one.report()))
    paths = [f"/case/{one.case.hex()}" for one in people]
    for path in paths:
        noted(page, path)
    assert [says(page, path) for path in paths] == [False, True, True]
