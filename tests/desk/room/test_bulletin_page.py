"""The bulletin's page: what would be public is shown first; signing signs that or nothing."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import pytest

from desk.locks import alone
from desk.pages.app import create_pages
from desk.pages.door import Bind, OneTimeLink
from desk.room import bulletin
from desk.room.bulletin import FILES, KEY, SIGNATURE, STATEMENT, check
from tests.desk.test_statuses import FORM
from tests.quarter.plan import SMALL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from desk.desk import Desk

DAYS = {"from": "2024-06-03", "to": "2024-09-02"}


@pytest.fixture
def fresh(quarter: Desk) -> Iterator[Desk]:
    """The quarter's desk, from which nothing was published."""
    quarter.store.note("bulletins", "[]")
    yield quarter
    quarter.store.note("bulletins", "[]")


@pytest.fixture
def page(fresh: Desk) -> FlaskClient:
    link = OneTimeLink()
    client = create_pages(fresh, Bind("127.0.0.1", 8002), link).test_client()
    client.get(f"/link/{link.token}", headers=FORM)
    return client


def post(
    client: FlaskClient, form: Mapping[str, Any], where: str = "", status: int = 200
) -> TestResponse:
    answer = client.post(f"/room/bulletin{where}", data=form, headers=FORM)
    assert answer.status_code == status, answer.text
    return answer


def said(answer: TestResponse) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def hidden(answer: TestResponse) -> dict[str, list[str]]:
    """What the form that signs sends along."""
    form = answer.text.split('action="/room/bulletin/sign"', 1)[1].split("</form>", 1)[0]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form):
        found.setdefault(name, []).append(html.unescape(value))
    return found


@pytest.mark.claim("C-BULLETIN")
def test_what_would_be_public_is_shown_and_then_exactly_that_is_signed(
    fresh: Desk, page: FlaskClient, tmp_path: Path
) -> None:
    assert "Nothing yet" in said(page.get("/room/bulletin", headers=FORM))
    folder = tmp_path / "out"
    shown = post(page, {**DAYS, "tag": "daesh", "folder": str(folder)})
    assert not folder.exists()
    assert fresh.store.noted("bulletins") == "[]"
    assert f"<td>{SMALL.total}</td>" in shown.text
    counts = [int(one) for one in re.findall(r"<td>(\d+)</td>", shown.text)]
    assert len(counts) > 5
    assert {one % 5 for one in counts} == {0}
    assert "Terrorism and radicalisation: Daesh" in said(shown)
    (kept_back,) = re.findall(r"kept back: (\d+)", said(shown))
    done = post(page, hidden(shown), "/sign")
    assert {one.name for one in folder.iterdir()} == {*FILES, STATEMENT, SIGNATURE, KEY}
    assert f"kept back: {kept_back}" in said(done)
    assert "every file is as operator 1 signed it" in said(done)
    assert check(fresh, folder).text == "2024-06-03..2024-09-02"
    csv = (folder / "bulletin.csv").read_text()
    assert sum(line.split(",")[2] == "" for line in csv.splitlines()[1:]) == int(kept_back)
    assert "3 Jun 2024" in said(page.get("/room/bulletin", headers=FORM))
    proven = post(page, {"at": str(folder)}, "/prove")
    assert "holds" in said(proven)
    (folder / "bulletin.csv").write_text("")
    wrong = post(page, {"at": str(folder)}, "/prove", 422)
    assert "bulletin.csv is not the file that was signed" in said(wrong)
    assert str(folder) in wrong.text


@pytest.mark.claim("C-BULLETIN")
def test_days_that_were_published_are_offered_again_only_after_the_warning(
    fresh: Desk, page: FlaskClient, tmp_path: Path
) -> None:
    fresh.store.note("bulletins", "[[19900, 19910]]")
    form = {"from": "2024-06-01", "to": "2024-06-30", "folder": str(tmp_path / "out")}
    assert 'name="overlapping"' not in page.get("/room/bulletin", headers=FORM).text
    refused = post(page, form, status=422)
    assert "subtracts" in said(refused)
    assert 'name="overlapping" value="yes">' in refused.text
    assert str(tmp_path / "out") in refused.text
    shown = post(page, {**form, "overlapping": "yes"})
    assert "Days that were published before" in said(shown)
    post(page, hidden(shown), "/sign")
    assert (tmp_path / "out" / STATEMENT).exists()


def test_figures_that_moved_are_shown_again_and_not_signed(
    fresh: Desk, page: FlaskClient, tmp_path: Path
) -> None:
    shown = post(page, {**DAYS, "folder": str(tmp_path / "out")})
    form = hidden(shown)
    for seen in ("", "0" * 64):
        refused = post(page, {**form, "seen": seen}, "/sign", 422)
        assert "not those that were shown" in said(refused)
    assert fresh.store.noted("bulletins") == "[]"
    assert list(tmp_path.glob("out")) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"folder": ""}, "Say where"),
        ({"folder": "out"}, "begins with /"),
        ({"folder": "~nobody-here/x"}, "begins with /"),
        ({"folder": "/a\nb"}, "begins with /"),
        ({"folder": "/" + "a" * 5000}, "begins with /"),
        ({"folder": "/" + "a" * 300}, "cannot be written"),
        ({"folder": "/proc/version"}, "not an empty folder"),
        ({"from": ""}, "Choose a first and a last day"),
        ({"from": "x"}, "A period is one of"),
        ({"to": "2031-01-01"}, "days that are over"),
        ({"tag": "nothing"}, "no mark 'nothing'"),
    ],
    ids=["none", "not whole", "another's", "two lines", "endless", "too long", "a file", "no day",
         "no date", "not over", "no mark"],
)  # fmt: skip
def test_what_cannot_be_published_is_said_in_place_and_comes_back(
    page: FlaskClient, tmp_path: Path, change: dict[str, str], why: str
) -> None:
    form = {**DAYS, "folder": str(tmp_path / "out")} | change
    refused = post(page, form, status=422)
    assert why in said(refused)
    assert "What would be public" not in refused.text
    assert "Show what would be public" in refused.text
    back = html.escape(form["folder"]).replace("\n", "")[:40]
    assert back in refused.text.replace("\n", "").replace("\r", "")


def test_a_folder_to_prove_that_is_none_is_named(page: FlaskClient, tmp_path: Path) -> None:
    assert "bulletin.txt cannot be read" in said(post(page, {"at": str(tmp_path)}, "/prove", 422))
    assert "begins with /" in said(post(page, {"at": "here"}, "/prove", 422))


def test_the_last_month_and_quarter_are_offered(page: FlaskClient) -> None:
    offered = page.get("/room/bulletin", headers=FORM).text
    assert 'value="2026-10-01"' in offered
    assert "period=2026-07-01..2026-09-30" in offered
    chosen = page.get("/room/bulletin?period=2024-Q1", headers=FORM).text
    assert 'value="2024-03-31"' in chosen
    assert 'value="2026-10-01"' in page.get("/room/bulletin?period=x", headers=FORM).text
    assert 'href="/room/bulletin"' in page.get("/room", headers=FORM).text


def test_two_windows_do_not_publish_at_once(
    fresh: Desk, page: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulletin, "_OTHER_SECONDS", 0.1)
    form = hidden(post(page, {**DAYS, "folder": str(tmp_path / "out")}))
    with alone(fresh.home.publishing, 0):
        refused = post(page, form, "/sign", 422)
    assert "Another window" in said(refused)
