"""Strict headers on every response; no cookie, no script but ours, nothing from elsewhere."""

from __future__ import annotations

import html.parser
import re
from typing import TYPE_CHECKING

import pytest
from flask import abort

from gateway.headers import STRICT
from gateway.site.app import HERE
from gateway.site.plain_pages import SHOWN
from gateway.site.words import load_words
from tests.support.site import Writer, code_of, token_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.rehearsal import Rehearsal

LANGUAGES = ("ar", "zgh", "fr", "en")
WORDS = load_words(HERE / "translations")
POLICY = (
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# What a page may do besides, and what it has to have for it.
ALLOWED = (
    ("; script-src 'self'", "<script "),
    ("; connect-src 'self'", 'type="file"'),
    ("; font-src 'self'", 'href="/letters.css"'),
)
NEEDED = {
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def walk(client: FlaskClient, lang: str = "en") -> Iterator[TestResponse]:
    """Every page there is, by a person's way through them."""
    writer = Writer(client, lang)
    yield client.get(f"/{lang}/")
    yield client.post(f"/{lang}/write", data={"danger_now": "no"})
    yield client.post(f"/{lang}/write", data={"danger_now": "yes", "category": "threats"})
    form = writer.begin()
    yield form
    yield writer.send(form, changes={"description": None})
    receipt = writer.send(form)
    yield receipt
    yield writer.send(form)
    token = {"token": token_of(receipt)}
    yield client.post(f"/{lang}/confirm", data={**token, "last_four": "x"})
    code = code_of(receipt)
    yield client.post(f"/{lang}/confirm", data={**token, "last_four": code[-4:]})
    yield client.get(f"/{lang}/thread")
    yield writer.open("123")
    talk = writer.open(code)
    yield talk
    yield writer.say(talk, "")
    yield writer.say(talk, "One thing more.")
    for name in ("device", "about", "data", "leave", "left"):
        yield client.get(f"/{lang}/{name}")
    yield client.post(f"/{lang}/leave", data=token)


@pytest.mark.claim("C-HEADERS")
@pytest.mark.claim("C-NOCOOKIE")
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_of_the_whole_way_carries_the_strict_headers_and_no_cookie(
    client: FlaskClient, lang: str
) -> None:
    pages = list(walk(client, lang))
    assert {page.status_code for page in pages} == {200, 303, 422}
    for page in [*pages, client.get("/"), client.get("/style.css")]:
        require_strict(page)


@pytest.mark.claim("C-HEADERS")
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_every_route_by_every_method_carries_the_strict_headers(
    rehearsal: Rehearsal, method: str
) -> None:
    app = rehearsal.site()
    client = app.test_client(use_cookies=False)
    rules = [rule.rule for rule in app.url_map.iter_rules()]
    assert len(rules) > 20
    for rule in rules:
        path = re.sub(r"<any\(.*?\):lang>", "fr", rule)
        assert "<" not in path
        require_strict(client.open(path, method=method))


@pytest.mark.claim("C-HEADERS")
@pytest.mark.parametrize("lang", [*LANGUAGES, "xx"])
def test_every_error_carries_the_strict_headers_and_is_a_page_of_ours(
    rehearsal: Rehearsal, lang: str
) -> None:
    app = rehearsal.site()

    def fail(status: int, **_: str) -> str:
        if status == 500:
            raise RuntimeError("a word of a reporter")
        abort(status)

    app.add_url_rule("/<lang>/fail/<int:status>", "fail", fail)
    client = app.test_client(use_cookies=False)
    for status in sorted(SHOWN | {418}):
        page = client.get(f"/{lang}/fail/{status}")
        assert page.status_code == (400 if status == 418 else status)
        require_strict(page)
        assert page.mimetype == "text/html"
        assert "a word of a reporter" not in page.text
        # Each heading is in the language of the address, or in all where it names none.
        shown = status if status in SHOWN else 400
        for code in LANGUAGES if lang == "xx" else (lang,):
            assert str(WORDS[code](f"problem.{shown}.heading")) in page.text


def require_strict(page: TestResponse) -> None:
    for name, value in NEEDED.items():
        assert page.headers.getlist(name) == [value], (page.request.path, name)
    require_policy(page)
    policy = page.headers["Permissions-Policy"]
    assert {"camera=()", "microphone=()", "geolocation=()"} <= set(policy.split(", "))
    assert all(one.endswith("=()") for one in policy.split(", "))
    assert "Set-Cookie" not in page.headers
    assert "Server" not in page.headers
    assert "ETag" not in page.headers
    assert "Last-Modified" not in page.headers
    if page.mimetype == "text/html" and page.data:
        require_quiet(page)


def require_policy(page: TestResponse) -> None:
    """The strict policy, and what this page needs of our own: nothing is from anywhere else."""
    (policy,) = page.headers.getlist("Content-Security-Policy")
    assert policy.startswith(POLICY)
    rest = policy.removeprefix(POLICY)
    for allowed, reason in ALLOWED:
        if allowed in rest and page.request.method != "HEAD":
            assert page.mimetype == "text/html", policy
            assert reason in page.text or page.text == "" or "/left" in page.text, allowed
        rest = rest.replace(allowed, "")
    assert rest == ""


class _Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def require_quiet(page: TestResponse) -> None:
    """No script in the page, no handler, no style in a tag, nothing from elsewhere; one title."""
    reader = _Tags()
    reader.feed(page.text)
    names = [tag for tag, _ in reader.tags]
    assert not {"iframe", "object", "embed", "img", "base", "style"} & set(names)
    assert re.search(r"<script[^>]*>[^<]", page.text) is None
    for tag, attributes in reader.tags:
        if tag == "script":
            assert re.fullmatch(r"/[a-z]+\.js", attributes["src"] or "")
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name != "style"
            if name in {"src", "action"} or (name == "href" and tag == "link"):
                assert (value or "").startswith("/"), (tag, value)
        if tag == "form":
            assert attributes["method"] == "post"
    if page.status_code != 303:
        assert re.findall(r"<title>(.*?)</title>", page.text) == ["Information"]


@pytest.mark.claim("C-URL")
def test_no_address_of_any_page_holds_anything_of_a_report(client: FlaskClient) -> None:
    code = ""
    addresses = set()
    for page in walk(client):
        if 'id="receipt-code"' in page.text:
            code = code_of(page).replace(" ", "")
        addresses |= set(re.findall(r'(?:href|action)="([^"]*)"', page.text))
        addresses.add(page.request.path)
        location = page.headers.get("Location")
        addresses |= {location} if location else set()
    assert code
    assert all(not re.search(r"\d{4}", one) for one in addresses), addresses
    assert all("?" not in one for one in addresses)
    for word in ("fraud", "threat/", "sextortion", "report", "danger", "receipt"):
        assert not [one for one in addresses if word in one]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 422),
        ({"Sec-Fetch-Site": "same-origin"}, 422),
        ({"Sec-Fetch-Site": "none", "Origin": "null"}, 422),
        ({"Origin": "http://localhost"}, 422),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://localhost:81"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, 403),
    ],
)
def test_a_form_on_another_site_cannot_post_here(
    client: FlaskClient, headers: dict[str, str], status: int
) -> None:
    assert client.post("/en/write", data={"a": "b"}, headers=headers).status_code == status


def test_the_table_in_the_code_is_the_one_that_is_promised() -> None:
    table = dict(STRICT)
    assert {name: table[name] for name in NEEDED} == NEEDED


@pytest.mark.parametrize("host", ["localhost", "elsewhere.example", "elsewhere.example:8080"])
@pytest.mark.parametrize(
    ("path", "there"), [("/fr", "/fr/"), ("/fr?x=1", "/fr/?x=1"), ("/fr//", "/fr/")]
)
def test_nobody_is_sent_to_the_host_that_a_request_named(
    client: FlaskClient, host: str, path: str, there: str
) -> None:
    answer = client.get(path, base_url=f"http://{host}")
    assert answer.status_code == 308
    assert answer.headers["Location"] == there


@pytest.mark.parametrize("origin", ["http://[::1", "http://[", "https://]x["])
def test_an_origin_that_is_none_is_a_bad_request(client: FlaskClient, origin: str) -> None:
    data = {"category": "fraud", "danger_now": "no"}
    assert client.post("/en/write", data=data, headers={"Origin": origin}).status_code in {400, 403}
    bad = client.post("/en/write", data=data, headers={"Origin": "http://[::1"})
    assert bad.status_code == 400
