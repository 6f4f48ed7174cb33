"""The list in a browser: views, a search that stands in no address, pages, its one script."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from crypto.header import Kind
from crypto.manifest import EntryBody
from desk import work
from desk.cases import Cases
from desk.news import Bell
from desk.pages import listing
from desk.pages.app import HEADERS, create_pages
from desk.pages.door import Bind, OneTimeLink
from desk.saved_views import OURS, SORTS, Views
from desk.search import QUERY_MOST
from desk.sync import SyncReport
from tests.desk.world import Reporter

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

    from crypto.strict_json import Json
    from desk.desk import Desk
    from desk.progress import Progress
    from desk.trust import Trust
    from tests.desk.server import FakeServer
    from tests.desk.world import World

    Synced = Callable[..., SyncReport]


BIND = Bind("127.0.0.1", 8002)
HEAD = {"Host": "127.0.0.1:8002"}
FORM = {**HEAD, "Origin": "http://127.0.0.1:8002", "Sec-Fetch-Site": "same-origin"}


def text(client: FlaskClient, path: str = "/") -> str:
    answer = client.get(path, headers=HEAD)
    assert answer.status_code == 200, answer.text
    return answer.text


def post(client: FlaskClient, path: str, **fields: str) -> str:
    """Send a form; returns where it leads."""
    answer = client.post(path, headers=FORM, data=fields)
    assert answer.status_code == 303, answer.text
    return answer.location


def shown(html: str) -> list[str]:
    """The cases of a page, in its order."""
    return re.findall(r'data-row href="/case/([0-9a-f]{32})"', html)


def test_views_choose_and_count(page: FlaskClient, world: World, sync: Synced) -> None:
    urgent, calm = Reporter(world), Reporter(world)
    sync(*calm.report(), *urgent.report(imminent="unsure"))
    assert shown(text(page)) == [urgent.case.hex(), calm.case.hex()]
    for view, found in (("danger", [urgent]), ("alarms", []), ("anonymous", [urgent, calm])):
        html = text(page, f"/?show={view}")
        assert shown(html) == [one.case.hex() for one in found]
        current = re.search(r'aria-current="page">([^<]+) <span class="count">(\d+)', html)
        assert current is not None
        assert (current[1], int(current[2])) == (OURS[view].name, len(found))
    assert "No case is like that" in text(page, "/?show=alarms")
    assert shown(text(page, "/?show=junk&sort=junk&page=junk")) == shown(text(page))


@pytest.mark.claim("C-INDEX")
def test_a_search_stands_in_no_address(
    page: FlaskClient, world: World, sync: Synced, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = Reporter(world), Reporter(world)
    sync(*one.report(description="Samira B. has a shop"), *other.report())
    where = post(page, "/search", q=' "samira b." ', show="anonymous", sort="newest")
    asked = parse_qs(urlsplit(where).query)
    assert asked.keys() == {"show", "sort", "s"}
    assert re.fullmatch(r"[0-9a-f]{16}", asked["s"][0])
    html = text(page, where)
    assert shown(html) == [one.case.hex()]
    assert 'value="&#34;samira b.&#34;"' in html
    assert "amira" not in "".join(re.findall(r'(?:href|action)="([^"]*)"', html))
    assert "Clear the search" in html
    assert "amira" not in caplog.text
    assert 'autocomplete="off"' in html
    # Within the view, and as long as the pages are open.
    assert shown(text(page, where.replace("anonymous", "danger"))) == []
    assert shown(text(page, "/")) != [one.case.hex()]


def test_an_empty_search_leads_to_the_view(page: FlaskClient) -> None:
    assert post(page, "/search", q="  ", show="mine", sort="due") == "/?show=mine&sort=due"
    assert post(page, "/search") == "/"


def test_a_search_that_is_not_understood_comes_back_with_the_reason(
    page: FlaskClient, reporter: Reporter, sync: Synced
) -> None:
    sync(*reporter.report())
    html = text(page, post(page, "/search", q="state:<b>nowhere", show="all"))
    assert "knows: <bdi>received</bdi>, <bdi>triage</bdi>" in html
    assert 'value="state:&lt;b&gt;nowhere"' in html
    assert 'aria-invalid="true"' in html
    assert shown(html) == []
    html = text(page, post(page, "/search", q="x" * (QUERY_MOST + 50)))
    assert "at most 500 characters" in html


def test_a_search_that_was_forgotten_says_so(
    page: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "REMEMBERED_MOST", 2)
    first, *_ = [post(page, "/search", q=f"word {n}") for n in range(3)]
    assert "not remembered any more" in text(page, first)
    assert "not remembered any more" not in text(page)


@pytest.mark.claim("C-LOCK")
@pytest.mark.parametrize(("method", "where"), [("post", "/search"), ("get", "/")])
def test_what_was_begun_before_lock_is_not_remembered_after_it(
    page: FlaskClient, desk: Desk, monkeypatch: pytest.MonkeyPatch, method: str, where: str
) -> None:
    search: Any = page.application.view_functions["search"]
    kept: listing.Listing = search.__self__
    text(page, post(page, "/search", q="Yasmina"))
    assert list(kept._typed.values()) == ["Yasmina"]
    assert kept._counts != (None, {})
    renew = type(desk.trust).renew

    def while_it_locks(trust: Trust) -> None:
        # The request has passed the door: somebody presses Lock in another tab.
        kept.end()
        renew(trust)

    monkeypatch.setattr(type(desk.trust), "renew", while_it_locks)
    getattr(page, method)(where, headers=FORM, data={"q": "canary"} if method == "post" else None)
    assert (dict(kept._typed), kept._counts) == ({}, (None, {}))


def test_a_hundred_cases_to_a_page(
    page: FlaskClient, world: World, sync: Synced, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    sync(*(row for _ in range(5) for row in Reporter(world).report()))
    whole = text(page, "/?sort=ref")
    assert "5 cases, 1 to 2 here" in whole
    assert "Page 1 of 3" in whole
    seen = [shown(text(page, f"/?sort=ref&page={n}")) for n in (1, 2, 3)]
    assert [len(one) for one in seen] == [2, 2, 1]
    assert sum(seen, []) == sorted(sum(seen, []))  # noqa: RUF017  # three short lists
    assert "5 cases, 5 to 5 here" in text(page, "/?sort=ref&page=3")
    assert "Page 3 of 3" in text(page, "/?page=999")
    for junk in ("0", "-1", "٣", "9" * 5000):
        assert "Page 1 of 3" in text(page, f"/?page={junk}")
    found = post(page, "/search", q="money", sort="ref")
    html = text(page, found)
    token = parse_qs(urlsplit(found).query)["s"][0]
    assert f"s={token}&amp;page=2" in html
    assert 'rel="next"' in html
    assert 'rel="prev"' not in html
    assert 'rel="prev"' in text(page, f"{found}&page=3")


def test_sorts_are_offered_and_kept(page: FlaskClient, world: World, sync: Synced) -> None:
    sync(*(row for _ in range(3) for row in Reporter(world).report()))
    html = text(page, "/?sort=ref")
    assert '<option value="ref" selected>' in html
    for name, words in SORTS.items():
        assert f'<option value="{name}"' in html
        assert words in html
    assert shown(html) == sorted(shown(html))


def test_a_row_tells_in_letters_what_it_tells_in_colours(
    page: FlaskClient, desk: Desk, reporter: Reporter, world: World, sync: Synced
) -> None:
    sync(*reporter.report(imminent="yes"), *Reporter(world).report())
    work.assign(desk, Cases(desk).find(reporter.case.hex()), "operator 2")
    work.mark(desk, Cases(desk).find(reporter.case.hex()), "daesh")
    sync(world.entry(reporter.case, "triage"), world.entry(reporter.case, "closed"))
    html = text(page)
    first = html.split("<li class=", 2)[1]
    assert first.startswith('"rank-0 danger"')
    for words in ("P1", "At once", "danger", "two states", "unanswered", "Daesh", "operator 2",
                  "Acknowledgement", "2026-11-22", "Fraud or scam", "Anonymous"):  # fmt: skip
        assert words in first, words
    assert '<span class="due">' in first
    assert '<li class="rank-2">' in html


def test_a_priority_and_a_tag_that_the_rules_do_not_know_are_shown_as_they_are(
    page: FlaskClient, world: World, reporter: Reporter, sync: Synced
) -> None:
    said: tuple[tuple[str, dict[str, Json]], ...] = (
        ("priority", {"priority": "<i>P0"}),
        ("tag", {"tag": "theirs", "on": True}),
    )
    rows = [
        world.by_operator(Kind.ENTRY, reporter.case, EntryBody(type=kind, data=data).to_json())
        for kind, data in said
    ]
    sync(*reporter.report(), *rows)
    html = text(page)
    assert "&lt;i&gt;P0" in html
    assert "theirs" in html
    assert 'class="rank-9"' in html


def test_a_view_is_saved_shown_and_forgotten(
    page: FlaskClient, desk: Desk, world: World, sync: Synced
) -> None:
    one = Reporter(world)
    sync(*one.report(description="shop"), *Reporter(world).report())
    token = parse_qs(urlsplit(post(page, "/search", q="shop", show="unanswered")).query)["s"][0]
    where = post(page, "/views", name="<Shops>", show="unanswered", s=token, sort="newest")
    (own,) = Views(desk).own()
    assert (own.search, own.sort) == ("is:unanswered shop", "newest")
    assert where == f"/?show={own.id}"
    html = text(page, where)
    assert "Only this desk can read it" in html
    assert "<bdi>&lt;Shops&gt;</bdi>" in html
    assert shown(html) == [one.case.hex()]
    assert "Forget this view" in html
    assert "Forget this view" not in text(page)
    back = post(page, "/views", name="Mine", show=own.id, s=token, sort="newest")
    assert "already" in text(page, back)
    assert post(page, "/views/forget", show=own.id) == "/"
    assert "was forgotten" in text(page)
    post(page, "/views/forget", show="mine")
    assert "stays" in text(page)


def test_the_list_alone_has_a_script_and_it_is_ours(
    page: FlaskClient, reporter: Reporter, sync: Synced
) -> None:
    sync(*reporter.report())
    answer = page.get("/", headers=HEAD)
    for name, value in HEADERS.items():
        if name != "Content-Security-Policy":
            assert answer.headers[name] == value
    policy = HEADERS["Content-Security-Policy"]
    assert answer.headers["Content-Security-Policy"] == f"{policy}; script-src 'self'"
    assert "script" not in policy
    assert re.findall(r"<script[^>]*>", answer.text) == ['<script src="/static/list.js" defer>']
    assert not re.search(r"\son\w+=|style=", answer.text)
    case = page.get(f"/case/{reporter.case.hex()}", headers=HEAD)
    assert "script-src" not in case.headers["Content-Security-Policy"]
    assert "list.js" not in case.text


def test_the_keys_can_be_switched_off(page: FlaskClient) -> None:
    assert post(page, "/keys", show="mine", sort="due") == "/?show=mine&sort=due"
    html = text(page)
    assert "<script" not in html
    assert 'aria-pressed="false"' in html
    post(page, "/keys")
    assert "<script" in text(page)


def test_counts_follow_what_happens(
    page: FlaskClient, desk: Desk, reporter: Reporter, sync: Synced
) -> None:
    sync(*reporter.report())

    def mine() -> str:
        found = re.search(r'show=mine"[^>]*>Mine <span class="count">(\d+)', text(page))
        assert found is not None
        return found[1]

    assert mine() == mine() == "0"
    work.assign(desk, Cases(desk).find(reporter.case.hex()), "operator 1")
    assert mine() == "1"


def test_a_sync_from_the_page_rings_the_bell(
    desk: Desk, server: FakeServer, reporter: Reporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = OneTimeLink()
    bell = Bell(("/no/such/program",), {})
    client = create_pages(desk, BIND, link, bell).test_client()
    client.get(f"/link/{link.token}", headers=HEAD)
    server.put(*reporter.report())
    monkeypatch.setattr("desk.pages.syncing.local_stamp", lambda: "2026-11-22 10:00")
    post(client, "/sync")
    html = text(client)
    assert "Synced: 1 case with news. The command that runs on news cannot be started." in html
    assert "Last sync 22 Nov 2026 10:00" in html
    server.answers["/v1/index"] = (500, b"")
    post(client, "/sync")
    assert "The server answered 500" in text(client)


def test_while_a_sync_runs_the_list_tells_what_it_is_doing(
    page: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def slow(_: object, progress: Progress, *__: object, **___: object) -> tuple[SyncReport, str]:
        progress.step("Reading the index")
        seen.append(text(page))
        progress.step("Fetching files (1 of 2)")
        progress.expect(2_000_000)
        progress.advance(500_000)
        seen.append(text(page))
        return SyncReport(), ""

    monkeypatch.setattr("desk.pages.syncing.sync_and_tell", slow)
    post(page, "/sync")
    assert "A sync is under way: Reading the index. Load" in seen[0]
    assert "Fetching files (1 of 2), 500.0 KB of 2.0 MB." in seen[1]
    assert "under way" not in text(page)
