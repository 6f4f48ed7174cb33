"""The room's pages: the figures and their charts, the wall, and what neither ever shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from crypto.ids import Day, date_of
from desk.pages.app import HEADERS, create_pages
from desk.pages.door import Bind, OneTimeLink
from desk.pages.room import WALL_SECONDS
from desk.room import words
from tests.quarter.plan import SMALL, Planned

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from desk.desk import Desk

BIND = Bind("127.0.0.1", 8002)
OURS = {"Host": "127.0.0.1:8002"}
DAYS = "period=2024-06-03..2024-09-02"


@pytest.fixture(scope="module")
def client(quarter: Desk) -> FlaskClient:
    link = OneTimeLink()
    found = create_pages(quarter, BIND, link).test_client()
    assert found.get(f"/link/{link.token}", headers=OURS).status_code == 303
    return found


def get(client: FlaskClient, path: str, status: int = 200) -> TestResponse:
    answer = client.get(path, headers=OURS)
    assert answer.status_code == status, answer.text
    for name, value in HEADERS.items():
        assert answer.headers[name] == value or name == "Content-Security-Policy"
    return answer


def test_the_page_shows_the_figures_with_numerator_and_denominator(client: FlaskClient) -> None:
    page = get(client, f"/room?{DAYS}").text
    assert f"<dd>{SMALL.total} <small>" in page
    share = 100 * SMALL.named / SMALL.total
    assert f"{SMALL.named} <small>of {SMALL.total} ({share:.1f}\N{NO-BREAK SPACE}%)" in page
    for title in words.TITLES.values():
        assert f">{title}</h2>" in page
    assert "REHEARSAL" in page


def test_each_chart_is_well_formed_titled_and_has_its_table_and_csv(client: FlaskClient) -> None:
    page = get(client, f"/room?{DAYS}").text
    charts = re.findall(r"<svg class=\"chart.*?</svg>", page, flags=re.DOTALL)
    assert len(charts) >= 12
    for chart in charts:
        drawn = ET.fromstring(chart)  # noqa: S314  # our own page
        (title,) = drawn.findall("title")
        assert title.text
        assert drawn.get("aria-labelledby") == title.get("id")
    for panel in re.findall(r"<section class=\"panel.*?</section>", page, flags=re.DOTALL):
        name = re.search(r"id=\"h-([a-z]+)\"", panel)
        assert name
        assert "Nothing in this period" in panel or (
            "<table>" in panel and f"/room/{name[1]}.csv?" in panel
        )
    assert "style=" not in page
    assert "<script" not in page


def test_a_csv_and_the_json_say_what_the_page_says(client: FlaskClient) -> None:
    answer = get(client, f"/room/categories.csv?{DAYS}")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert f"categories,fraud,Fraud or scam,reports,{SMALL.categories['fraud']}," in answer.text
    assert "overview,received" in get(client, f"/room/all.csv?{DAYS}").text
    assert get(client, f"/room/figures.json?{DAYS}").get_json()["overview"]["received"] == 140
    get(client, "/room/nothing.csv", 404)
    get(client, "/room/all.csv?period=soon", 404)


@pytest.mark.parametrize("name", words.PERIODS)
def test_every_period_of_the_chooser_can_be_chosen(client: FlaskClient, name: str) -> None:
    page = get(client, f"/room?period={name}").text
    assert f'period={name}" aria-current="page"' in page
    assert page.count("aria-current") == 1


def test_any_two_days_can_be_chosen_without_a_script(client: FlaskClient) -> None:
    page = get(client, "/room?from=2024-06-03&to=2024-06-09").text
    assert 'name="from" value="2024-06-03"' in page
    assert 'name="to" value="2024-06-09"' in page
    assert "aria-current" not in page
    wrong = get(client, "/room?from=2024-06-09&to=2024-06-03", 422).text
    assert "A period does not end before it begins." in wrong
    assert get(client, "/room").text.count("aria-current") == 1


def test_a_day_has_one_point_and_is_still_drawn(
    client: FlaskClient, reports: list[Planned]
) -> None:
    date = date_of(Day(reports[0].day))
    page = get(client, f"/room?period={date}").text
    assert re.search(r'class="l0" points="0,\d+\.\d\d +10,\d+\.\d\d"', page)


def test_the_wall_refreshes_itself_and_shows_nobodys_words(
    client: FlaskClient, reports: list[Planned]
) -> None:
    answer = get(client, f"/room/wall?{DAYS}")
    assert answer.headers["Refresh"] == str(WALL_SECONDS)
    page = answer.text
    assert f"<dd>{SMALL.identified}</dd>" in page
    assert "last sync 22 Nov 2026 09:40" in page
    assert "<script" not in page
    for one in reports:
        assert str(one.fields["description"]) not in page
    assert "SYNTHETIC" not in page
    assert "Suspect 1" not in page
    assert "operator 1" not in page
    get(client, "/room/wall?period=soon", 404)


def test_a_wall_of_a_day_has_the_trend_of_thirty(quarter: Desk, client: FlaskClient) -> None:
    page = get(client, "/room/wall?period=today").text
    assert words.WALL["trend"] in page
    assert words.TITLES["series"] in get(client, f"/room/wall?{DAYS}").text
    before = quarter.store.noted("last_sync")
    quarter.store.note("last_sync", "")
    assert "never synced" in get(client, "/room/wall").text
    quarter.store.note("last_sync", before)


def test_nobody_sees_the_room_without_the_link(quarter: Desk) -> None:
    stranger = create_pages(quarter, BIND, OneTimeLink()).test_client()
    for path in ("/room", "/room/wall", "/room/all.csv", "/room/figures.json"):
        assert stranger.get(path, headers=OURS).status_code == 401


def test_the_list_leads_to_the_room(client: FlaskClient) -> None:
    assert 'href="/room"' in get(client, "/").text
