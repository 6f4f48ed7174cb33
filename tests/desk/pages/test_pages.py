"""The pages: who may see them, what they show, what they never do."""

from __future__ import annotations

import os
import re
import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from crypto.header import Kind
from desk.alarms import Sign
from desk.cases import Cases
from desk.errors import BindRefused
from desk.evidence import EvidenceFile, open_evidence
from desk.pages.app import HEADERS, create_pages
from desk.pages.door import Bind, OneTimeLink, Sessions
from desk.pages.markup import isolated
from desk.pages.media import RangeImpossible, parse_range
from desk.words import REHEARSAL
from tests.desk.world import JPEG, Reporter, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer

    Synced = Callable[..., SyncReport]

BIND = Bind("127.0.0.1", 8002)
OURS = {"Host": "127.0.0.1:8002"}
FORM = {**OURS, "Origin": "http://127.0.0.1:8002", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def link() -> OneTimeLink:
    return OneTimeLink()


@pytest.fixture
def app(desk: Desk, link: OneTimeLink) -> Flask:
    return create_pages(desk, BIND, link)


@pytest.fixture
def page(app: Flask, link: OneTimeLink) -> FlaskClient:
    """A browser that was let in."""
    client = app.test_client()
    assert client.get(f"/link/{link.token}", headers=OURS).status_code == 303
    return client


def text(client: FlaskClient, path: str) -> str:
    answer = client.get(path, headers=OURS)
    assert answer.status_code == 200, answer.text
    return answer.text


# --- the door


def test_the_link_works_exactly_once(app: Flask, link: OneTimeLink) -> None:
    first, second = app.test_client(), app.test_client()
    answer = first.get(f"/link/{link.token}", headers=OURS)
    assert answer.status_code == 303
    cookie = answer.headers["Set-Cookie"]
    assert re.match(r"s[0-9a-f]{16}=", cookie)
    for part in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert part in cookie
    assert second.get(f"/link/{link.token}", headers=OURS).status_code == 401
    assert second.get("/", headers=OURS).status_code == 401
    assert first.get("/", headers=OURS).status_code == 200


def test_a_wrong_link_and_a_preview_do_not_use_the_true_one_up(
    app: Flask, link: OneTimeLink
) -> None:
    client = app.test_client()
    assert client.get("/link/guess", headers=OURS).status_code == 401
    assert client.get("/link/h\u00e9", headers=OURS).status_code == 401
    assert client.head(f"/link/{link.token}", headers=OURS).status_code == 401
    assert client.get(f"/link/{link.token}", headers=OURS).status_code == 303


def test_the_link_stays_dead_in_a_process_that_was_forked_before_it_was_used() -> None:
    link = OneTimeLink()
    child = os.fork()
    if child == 0:
        os._exit(0 if link.spend(link.token) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert not link.spend(link.token)


def test_a_made_up_cookie_lets_nobody_in(app: Flask) -> None:
    client = app.test_client()
    client.set_cookie(Sessions().cookie, "made-up")
    assert client.get("/", headers=OURS).status_code == 401
    assert not Sessions().knows(None)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1"},
        {"Host": "localhost:8002"},
        {**OURS, "Origin": "http://evil.example"},
        {**OURS, "Origin": "null"},
    ],
)
def test_another_host_or_origin_is_refused_even_with_the_cookie(
    page: FlaskClient, headers: dict[str, str]
) -> None:
    assert page.get("/", headers=headers).status_code == 403
    assert page.get("/static/desk.css", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        OURS,
        {**OURS, "Origin": "http://127.0.0.1:9999"},
        {**FORM, "Sec-Fetch-Site": "cross-site"},
        {**FORM, "Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_from_elsewhere_is_refused(
    page: FlaskClient, server: FakeServer, headers: dict[str, str]
) -> None:
    server.requests.clear()
    assert page.post("/sync", headers=headers).status_code == 403
    assert server.requests == []


def test_every_page_has_the_lock_but_the_one_that_is_locked(
    page: FlaskClient, sync: Synced, reporter: Reporter
) -> None:
    sync(*reporter.report())
    lock = 'method="post" action="/lock"'
    for path in ("/", f"/case/{reporter.case.hex()}", "/room", "/custody", "/case/ffff"):
        assert page.get(path, headers=OURS).text.count(lock) == 1, path
    assert lock not in page.post("/lock", headers=FORM).text
    assert lock not in page.get("/", headers=OURS).text


def test_lock_lets_nobody_in_any_more(page: FlaskClient) -> None:
    answer = page.post("/lock", headers=FORM)
    assert "Locked" in answer.text
    assert '"cookies"' in answer.headers["Clear-Site-Data"]
    assert page.get("/", headers=OURS).status_code == 401


@pytest.mark.parametrize("path", ["/static/desk.css", "/nothing", "/case/zz", "/link/x", "/sync"])
def test_every_answer_carries_the_strict_headers(page: FlaskClient, path: str) -> None:
    answer = page.get(path, headers=OURS)
    for name, value in HEADERS.items():
        assert answer.headers[name] == value, (path, name)
    assert "script" not in answer.text


def test_pages_are_bound_to_this_machine_only() -> None:
    for good in ("127.0.0.1:8002", "127.9.9.9:1", "[::1]:65535", "127.0.0.1:0"):
        assert Bind.parse(good).authority == good
    for bad in (
        "0.0.0.0:8002",
        "192.168.1.4:80",
        "example.org:80",
        "127.0.0.1",
        ":80",
        "127.0.0.1:-1",
        "::1:8002",
        "[::1:8002",
        "127.0.0.1:65536",
        "127.0.0.1:x",
        "127.0.0.1:²",
    ):
        with pytest.raises(BindRefused):
            Bind.parse(bad)


@pytest.mark.parametrize("name", ["localhost", "LocalHost", "localhost."])
def test_a_name_that_leads_a_browser_to_another_address_is_refused(name: str) -> None:
    with pytest.raises(BindRefused, match=r"--bind 127\.0\.0\.1:80$"):
        Bind.parse(f"{name}:80")


# --- the list


def test_an_empty_desk_says_what_to_do(page: FlaskClient) -> None:
    assert "Press Sync" in text(page, "/")


def test_sync_fetches_and_says_what_came(
    page: FlaskClient, reporter: Reporter, server: FakeServer
) -> None:
    server.put(*reporter.report(danger_now="yes"))
    answer = page.post("/sync", headers=FORM)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    shown = text(page, "/")
    assert "Synced: 1 case with news." in shown
    assert "Fraud or scam" in shown
    assert "unanswered" in shown
    assert "Synced" not in text(page, "/")


def test_a_sync_that_fails_says_why_on_the_page(page: FlaskClient, server: FakeServer) -> None:
    server.answers["/v1/index"] = (500, b"")
    page.post("/sync", headers=FORM)
    assert "The server answered 500" in text(page, "/")


def test_filters_choose(page: FlaskClient, world: World, sync: Synced, reporter: Reporter) -> None:
    urgent = Reporter(world)
    sync(*reporter.report(), *urgent.report(imminent="unsure"))
    everything = text(page, "/")
    assert everything.index(urgent.case.hex()) < everything.index(reporter.case.hex())
    chosen = text(page, "/?show=danger")
    assert urgent.case.hex() in chosen
    assert reporter.case.hex() not in chosen
    assert "No case is like that" in text(page, "/?show=alarms")
    assert reporter.case.hex() in text(page, "/?show=anonymous")
    assert text(page, "/?show=junk").replace("/?show=junk", "/") == everything


def test_alarms_about_the_server_are_shown_in_red(page: FlaskClient, server: FakeServer) -> None:
    server.note = b"junk"
    page.post("/sync", headers=FORM)
    shown = text(page, "/")
    assert 'class="alarms"' in shown
    assert "Roster refused" in shown


# --- a case


def test_a_case_shows_report_files_what_was_removed_and_the_conversation(
    page: FlaskClient, world: World, sync: Synced, reporter: Reporter
) -> None:
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    film = reporter.evidence("video-2.mp4", "video/mp4", JPEG)
    sound = reporter.evidence("voice.m4a", "audio/mp4", JPEG, removed=())
    odd = reporter.evidence("x.exe", "application/x-dosexec", JPEG)
    report = reporter.report(
        [photo, film, sound, odd], description="<b>مرحبا</b> see https://evil.example.org/x"
    )
    asked = reporter.follow_up("I forgot <i>this</i>", parents=[report[0].header.hash])
    said = world.reply(
        reporter.case, "Thank you", reporter.reply_key, parents=[asked[0].header.hash]
    )
    note = world.entry(reporter.case, "triage", parents=[said.header.hash])
    sync(*report, *asked, said, note)
    shown = text(page, f"/case/{reporter.case.hex()}")
    link = '<bdi dir="ltr">hxxps://evil[.]example[.]org/x</bdi>'
    assert f"&lt;b&gt;مرحبا&lt;/b&gt; see {link}" in shown
    assert "evil.example.org" not in shown
    assert "GPS position, camera serial number" in shown
    assert "Nothing had to be removed" in shown
    assert "Show the picture" in shown
    assert "autoplay" not in shown
    assert (
        shown.index("I forgot &lt;i&gt;")
        < shown.index("Thank you")
        < shown.index("set the state to Triage")
    )
    assert "Locked: sealed to the custodians" in shown
    assert shown.count('dir="auto"') > 3


def test_a_telephone_number_keeps_its_order_between_arabic_letters(
    page: FlaskClient, world: World, sync: Synced, reporter: Reporter
) -> None:
    report = reporter.report(description="اتصل بي على +212 6 12-34 <b> غدا")
    asked = reporter.follow_up("أو 0537 00 11 22.", parents=[report[0].header.hash])
    said = world.reply(reporter.case, "في 12:30", reporter.reply_key)
    sync(*report, *asked, said)
    shown = text(page, f"/case/{reporter.case.hex()}")
    assert 'على <bdi dir="ltr">+212 6 12-34</bdi> &lt;b&gt; غدا</bdi>' in shown
    assert 'أو <bdi dir="ltr">0537 00 11 22</bdi>.</bdi>' in shown
    assert 'في <bdi dir="ltr">12:30</bdi></bdi>' in shown


@pytest.mark.parametrize(
    ("typed", "marked"),
    [
        ("<i>&", "&lt;i&gt;&amp;"),
        ("", ""),
        ("7", "7"),
        ("ج 7 ج", "ج 7 ج"),
        ("1/2", "[1/2]"),
        ("٠٦ ١٢", "[٠٦ ١٢]"),
        ("x1234 y", "x1234 y"),
        ("+1 2+3 4", "[+1 2]+[3 4]"),
        ("https://a.test/1-2?x=<>", "[https://a.test/1-2?x=&lt;&gt;]"),
        ("www[.]a[.]test/2024-11 و", "[www[.]a[.]test/2024-11] و"),
        ("a\u202eb 1\u20682\x00 3", "a\\u202eb 1\\u20682\\u0000 3"),
    ],
)
def test_what_is_read_from_the_left_is_isolated_and_all_is_escaped(typed: str, marked: str) -> None:
    plainly = str(isolated(typed)).replace('<bdi dir="ltr">', "[").replace("</bdi>", "]")
    assert plainly == marked


@pytest.mark.parametrize("piece", ["1 ", "1", " ", "+", "+1", "a.", "1 a", "://", "www.", "é"])
def test_no_text_makes_isolating_slow(piece: str) -> None:
    started = time.process_time()
    isolated(piece * 200_000)
    # Quadratic would be hours.
    assert time.process_time() - started < 10


def test_every_page_says_that_it_is_a_rehearsal(
    page: FlaskClient, app: Flask, sync: Synced, reporter: Reporter
) -> None:
    sync(*reporter.report())
    answers = [
        page.get("/", headers=OURS),
        page.get(f"/case/{reporter.case.hex()}", headers=OURS),
        page.get("/nothing", headers=OURS),
        app.test_client().get("/", headers=OURS),
        page.post("/lock", headers=FORM),
    ]
    for answer in answers:
        assert f'<p class="rehearsal">{REHEARSAL}</p>' in answer.text


def test_no_page_speaks_of_a_rehearsal_when_the_roster_is_in_earnest(
    page: FlaskClient, world: World, server: FakeServer
) -> None:
    server.note = world.renewed(rehearsal=False).note
    page.post("/sync", headers=FORM)
    assert "rehearsal" not in text(page, "/").lower()


def test_a_file_is_called_on_the_page_what_an_export_calls_it(
    page: FlaskClient, sync: Synced, reporter: Reporter
) -> None:
    first = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    second = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG + b"2")
    report = reporter.report([first])
    sync(*report, *reporter.follow_up("x", [second], parents=[report[0].header.hash]))
    shown = text(page, f"/case/{reporter.case.hex()}")
    assert "<bdi>photo-1.jpg</bdi>" in shown
    assert "<bdi>message-1-photo-1.jpg</bdi>" in shown
    assert "wrote message 1 <time " in shown


def test_a_case_reads_in_the_order_of_its_source_at_every_width(
    page: FlaskClient, sync: Synced, reporter: Reporter
) -> None:
    sync(*reporter.report([reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)]))
    shown = text(page, f"/case/{reporter.case.hex()}")
    places = [shown.index(f'class="{part}"') for part in ("evidence", "timeline", "does")]
    assert places == sorted(places)
    # A keyboard and a screen reader go by the source: no rule may draw another order.
    css = page.get("/static/desk.css", headers=OURS).text
    assert re.findall(r"[;{\s]order\s*:|-reverse\b|\bdense\b", css) == []


def test_a_forged_case_is_shown_with_its_alarm_and_no_form_to_answer(
    page: FlaskClient, sync: Synced, reporter: Reporter, server: FakeServer
) -> None:
    missing = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    late = reporter.evidence("photo-2.jpg", "image/jpeg", JPEG)
    server.answers["/v1/parts"] = (404, b"{}")
    thief = Reporter(reporter.world, case=reporter.case)
    sync(*reporter.report([missing, late])[:2], late, *thief.report([missing, late])[:2])
    shown = text(page, f"/case/{reporter.case.hex()}")
    assert "Report twice" in shown
    assert "might reach a forger" in shown
    assert "not on this machine" in shown
    assert "not fetched yet" in shown
    assert "Seal and send" not in shown


def test_an_unreadable_case_has_a_page(
    page: FlaskClient, sync: Synced, reporter: Reporter, server: FakeServer
) -> None:
    report = reporter.report()
    server.left_out.add(report[0].id)
    sync(*report)
    assert "Not readable on this desk" in text(page, "/") + text(
        page, f"/case/{reporter.case.hex()}"
    )


def test_an_answer_is_sent_from_the_page(
    page: FlaskClient, sync: Synced, reporter: Reporter, server: FakeServer
) -> None:
    sync(*reporter.report())
    path = f"/case/{reporter.case.hex()}"
    answer = page.post(f"{path}/answer", headers=FORM, data={"text": "Which bank?"})
    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    shown = text(page, path)
    assert "The answer was sent." in shown
    assert "Which bank?" in shown
    assert [one.header.kind for one in server.rows.values()].count(Kind.REPLY) == 1


def test_an_answer_that_waits_says_so(
    page: FlaskClient, sync: Synced, reporter: Reporter, server: FakeServer
) -> None:
    sync(*reporter.report())
    server.answers["/v1/envelopes"] = (503, b"")
    path = f"/case/{reporter.case.hex()}"
    page.post(f"{path}/answer", headers=FORM, data={"text": "Later."})
    shown = text(page, path)
    assert "kept here" in shown
    assert "waiting to be sent" in shown
    page.post(f"{path}/act/status", headers=FORM, data={"state": "triage"})
    assert "goes out at the next sync" in text(page, path)
    assert "2 waiting to be sent" in text(page, "/")


def test_what_was_typed_is_not_lost_when_it_cannot_be_sent(
    page: FlaskClient, sync: Synced, reporter: Reporter
) -> None:
    sync(*reporter.report())
    path = f"/case/{reporter.case.hex()}"
    long = page.post(f"{path}/answer", headers=FORM, data={"text": "word " * 5_000})
    assert long.status_code == 422
    assert "word word" in long.text
    huge = page.post(f"{path}/answer", headers=FORM, data={"text": "x" * 300_000})
    assert huge.status_code == 413


@pytest.mark.claim("C-CUT")
@pytest.mark.parametrize("answer", [(400, b'{"error": "odd"}'), (401, b"{}"), (503, b"")])
def test_an_answer_that_is_kept_is_not_asked_for_again(
    page: FlaskClient, sync: Synced, reporter: Reporter, server: FakeServer,
    answer: tuple[int, bytes],
) -> None:  # fmt: skip
    sync(*reporter.report())
    path = f"/case/{reporter.case.hex()}"
    server.answers["/v1/envelopes"] = answer
    kept = page.post(f"{path}/answer", headers=FORM, data={"text": "typed with care"})
    assert kept.status_code == 303
    shown = text(page, path)
    assert "the answer is kept here, and goes out with the next sync" in shown
    assert shown.count("typed with care") == 1
    assert '<textarea id="text" name="text" rows="7" dir="auto" maxlength="20000" ' in shown
    server.answers.clear()
    sync()
    assert [one.header.kind for one in server.rows.values()].count(Kind.REPLY) == 1


def test_a_state_is_set_from_the_page(page: FlaskClient, sync: Synced, reporter: Reporter) -> None:
    sync(*reporter.report())
    path = f"/case/{reporter.case.hex()}"
    assert (
        page.post(f"{path}/act/status", headers=FORM, data={"state": "triage"}).status_code == 303
    )
    assert "set the state to Triage" in text(page, path)
    bad = page.post(f"{path}/act/status", headers=FORM, data={"state": "junk"})
    assert (bad.status_code, "No state is called that" in bad.text) == (422, True)


def test_what_does_not_exist_is_said_to_not_exist(
    page: FlaskClient, sync: Synced, reporter: Reporter
) -> None:
    sync(*reporter.report())
    assert page.get("/case/ffffffffffffffff0", headers=OURS).status_code == 404
    case = reporter.case.hex()
    assert page.get(f"/case/{case}/file/00", headers=OURS).status_code == 404
    assert page.get("/sync", headers=OURS).status_code == 405


def test_an_error_of_ours_is_a_calm_page(
    page: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr("desk.pages.app.Cases", broken)
    answer = page.get("/case/1a2b", headers=OURS)
    assert answer.status_code == 500
    assert "secret words" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_store_that_is_gone_is_a_calm_page_too(
    page: FlaskClient, desk: Desk, sync: Synced, reporter: Reporter
) -> None:
    sync(*reporter.report())
    (desk.home.folder / "store.sqlite").rename(desk.home.folder / "gone.sqlite")
    assert page.get("/", headers=OURS).status_code == 500


# --- files


def test_a_download_is_proven_before_its_first_byte_is_sent(
    page: FlaskClient, sync: Synced, reporter: Reporter
) -> None:
    true = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    false = reporter.evidence("photo-2.jpg", "image/jpeg", JPEG, sha256=bytes(32))
    sync(*reporter.report([true, false]))
    case = reporter.case.hex()
    answer = page.get(f"/case/{case}/file/{true.id.hex()}", headers=OURS)
    assert (answer.data, answer.mimetype) == (JPEG, "application/octet-stream")
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Cache-Control"] == "no-store"
    refused = page.get(f"/case/{case}/file/{false.id.hex()}", headers=OURS)
    assert refused.status_code == 422
    assert JPEG[:50] not in refused.data


def test_a_film_can_be_sought(page: FlaskClient, sync: Synced, reporter: Reporter) -> None:
    content = os.urandom(500_000)
    film = reporter.evidence("video-1.mp4", "video/mp4", content)
    sync(*reporter.report([film]))
    path = f"/case/{reporter.case.hex()}/file/{film.id.hex()}"
    whole = page.get(path, headers=OURS)
    assert (whole.status_code, whole.data) == (200, content)
    assert whole.headers["Accept-Ranges"] == "bytes"
    for asked, piece in (
        ("bytes=0-99", slice(0, 100)),
        ("bytes=300000-", slice(300_000, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=499999-600000", slice(499_999, None)),
    ):
        answer = page.get(path, headers={**OURS, "Range": asked})
        assert (answer.status_code, answer.data) == (206, content[piece])
    assert answer.headers["Content-Range"] == "bytes 499999-499999/500000"
    beyond = page.get(path, headers={**OURS, "Range": "bytes=500000-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, "bytes */500000")


def test_a_file_itself_is_only_offered(page: FlaskClient, sync: Synced, reporter: Reporter) -> None:
    page_of_html = reporter.evidence("x.html", "text/html", b"<script>alert(1)</script>")
    sync(*reporter.report([page_of_html]))
    answer = page.get(f"/case/{reporter.case.hex()}/file/{page_of_html.id.hex()}", headers=OURS)
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_ranges_are_read_strictly() -> None:
    for asked in (None, "", "bytes=-", "bytes=5-2", "items=0-1", "bytes=0-1,4-5", "bytes=a-b"):
        assert parse_range(asked, 10) is None
    with pytest.raises(RangeImpossible):
        parse_range("bytes=10-", 10)
    with pytest.raises(RangeImpossible):
        parse_range("bytes=-0", 10)


def test_seeking_into_a_large_film_keeps_memory_flat(
    desk: Desk, sync: Synced, reporter: Reporter
) -> None:

    content = bytes(24_000_000)
    film = reporter.evidence("video-1.mp4", "video/mp4", content)
    sync(*reporter.report([film]))
    del content
    film.parts.clear()
    file: EvidenceFile = open_evidence(desk, Cases(desk).all()[0], film.id.hex())
    tracemalloc.start()
    assert sum(len(one) for one in file.piece(23_000_000, 23_999_999)) == 1_000_000
    assert tracemalloc.get_traced_memory()[1] < 6_000_000
    tracemalloc.stop()


def test_a_seek_to_the_end_of_a_large_film_reads_little_of_it(
    page: FlaskClient, sync: Synced, reporter: Reporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytes(8_000_000) + b"the end"
    film = reporter.evidence("video-1.mp4", "video/mp4", content)
    sync(*reporter.report([film]))
    path = f"/case/{reporter.case.hex()}/file/{film.id.hex()}"
    # It is read to its end once in a run, and proven by that.
    assert page.get(path, headers={**OURS, "Range": "bytes=0-0"}).status_code == 206
    read: list[int] = []
    really = os.pread

    def counted(descriptor: int, amount: int, offset: int) -> bytes:
        read.append(amount)
        return really(descriptor, amount, offset)

    monkeypatch.setattr(os, "pread", counted)
    # Whoever opened it in another way than the one that is counted would be seen.
    monkeypatch.setattr("desk.evidence.open_part", lambda *_: pytest.fail("opened from its start"))
    answer = page.get(path, headers={**OURS, "Range": "bytes=-7"})
    assert (answer.status_code, answer.data) == (206, b"the end")
    assert 0 < sum(read) <= 56 + 16_400


def test_an_empty_sound_is_an_empty_answer(
    page: FlaskClient, sync: Synced, reporter: Reporter
) -> None:
    silence = reporter.evidence("sound-1.mp3", "audio/mpeg", b"")
    sync(*reporter.report([silence]))
    answer = page.get(f"/case/{reporter.case.hex()}/file/{silence.id.hex()}", headers=OURS)
    assert (answer.status_code, answer.data) == (200, b"")


def test_signs_read_as_words() -> None:
    assert all("-" in sign or sign.islower() for sign in map(str, Sign))


@pytest.mark.claim("C-ORIGINAL")
def test_an_untouched_original_is_offered_with_a_warning_and_shown_in_no_program(
    page: FlaskClient, reporter: Reporter, sync: Synced
) -> None:
    copy = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    original = reporter.evidence("o.bin", "image/jpeg", JPEG, removed=(), original_of=copy.id)
    sync(*reporter.report([copy, original]))
    shown = text(page, f"/case/{reporter.case.hex()}")
    # The clean copy's veil, and what is behind it; of the original neither.
    assert shown.count("<img") == 2
    for name in ("veil.png", "picture-0.png", "look/0", "redact/0"):
        assert f"{copy.id.hex()}/{name}" in shown
        assert f"{original.id.hex()}/{name}" not in shown
    assert "An untouched original, which the reporter chose to send" in shown
    answer = page.get(f"/case/{reporter.case.hex()}/file/{original.id.hex()}", headers=OURS)
    assert answer.data == JPEG
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
