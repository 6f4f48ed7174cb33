"""The promise and its proofs, the institution's notice, the onion address, errors, the receipt."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from flask import abort

from crypto.ids import Day, date_of
from gateway.config import GatewayConfig
from gateway.errors import ConfigRefused, FormRefused
from gateway.site.forms import FORMS, load_forms
from gateway.site.institution import NAME, PARTS, Institution
from gateway.site.plain_pages import SHOWN
from gateway.site.promise import CANNOT, PROMISE
from gateway.site.qr import picture
from gateway.site.tokens import FormToken
from gateway.turns import Turns
from tests.claims.test_claims_and_proofs import THREAT_MODEL, claimed, proofs
from tests.support.site import Writer, code_of, token_of

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from tests.support.rehearsal import Rehearsal

LANGUAGES = ("ar", "zgh", "fr", "en")
WORDS = load_forms(None).words
ONION = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"


@pytest.mark.claim("C-PROMISE")
def test_every_sentence_of_the_promise_stands_on_claims_that_have_proofs() -> None:
    known, proven = claimed(THREAT_MODEL.read_text("utf-8")), proofs()
    for one in PROMISE:
        assert one.claims, one.key
        for claim in one.claims:
            assert claim in known, (one.key, claim)
            assert proven[claim], (one.key, claim)


@pytest.mark.claim("C-PROMISE")
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_first_page_promises_these_sentences_and_no_other(
    client: FlaskClient, lang: str
) -> None:
    page = client.get(f"/{lang}/").text
    words = WORDS[lang]
    cards = re.findall(r'<section class="card">(.*?)</section>', page, flags=re.DOTALL)
    said = [re.findall(r"<li>(.*?)</li>", card, flags=re.DOTALL) for card in cards]
    assert said == [
        [str(words(f"start.promise_{one.key}")) for one in PROMISE],
        [str(words(f"start.cannot_{key}")) for key in CANNOT],
    ]
    assert f'href="/{lang}/about"' in page
    # And nothing of a promise is in the catalogues that no table names.
    keys = {key for key in words._messages if key.startswith(("start.promise_", "start.cannot_"))}
    assert keys == {
        *(f"start.promise_{one.key}" for one in PROMISE),
        *(f"start.cannot_{key}" for key in CANNOT),
    }


@pytest.mark.claim("C-PROMISE")
@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_sentence_is_shown_with_its_proof_and_its_claims(
    client: FlaskClient, lang: str
) -> None:
    page = client.get(f"/{lang}/about").text
    sections = re.findall(r"<section>(.*?)</section>", page, flags=re.DOTALL)
    assert len(sections) == len(PROMISE) + 1
    for one, section in zip(PROMISE, sections, strict=False):
        assert str(WORDS[lang](f"start.promise_{one.key}")) in section
        assert str(WORDS[lang](f"about.{one.key}")) in section
        assert tuple(re.findall(r'<bdi dir="ltr">(C-[A-Z-]+)</bdi>', section)) == one.claims


FILLED = {name: f"text of {name} <b>" for name in PARTS}


def written(folder: Path, **notice: dict[str, str]) -> Path:
    """A folder of an institution that filled in its notice."""
    folder.mkdir()
    content = {"answer_days": 7, "notice": notice}
    (folder / NAME).write_text(json.dumps(content), "utf-8")
    return folder


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_unfilled_notice_says_so_on_its_page_and_in_the_form(
    client: FlaskClient, lang: str
) -> None:
    for page in (client.get(f"/{lang}/data"), Writer(client, lang).begin()):
        assert str(WORDS[lang]("notice.unfilled")) in page.text
        assert "<dl>" not in page.text
        assert str(WORDS[lang]("notice.optional")) in page.text


def test_a_filled_notice_is_shown_word_for_word_where_it_is_filled(
    rehearsal: Rehearsal, tmp_path: Path
) -> None:
    empty = dict.fromkeys(PARTS, "  ")
    folder = written(tmp_path / "own", fr=FILLED, ar=empty)
    client = replace(rehearsal, config=replace(rehearsal.config, forms=folder)).site_client()
    for page in (client.get("/fr/data"), Writer(client, "fr").begin()):
        for name in PARTS:
            assert str(WORDS["fr"](f"notice.{name}_heading")) in page.text
            assert f'<dd dir="auto">text of {name} &lt;b&gt;</dd>' in page.text
        assert str(WORDS["fr"]("notice.unfilled")) not in page.text
    for lang in ("ar", "en"):
        assert str(WORDS[lang]("notice.unfilled")) in client.get(f"/{lang}/data").text


def test_the_receipt_names_the_day_that_the_institution_means_to_keep(
    rehearsal: Rehearsal, writer: Writer, tmp_path: Path
) -> None:
    assert str(WORDS["en"]("receipt.next_open")) in writer.report().text
    folder = written(tmp_path / "own")
    own = replace(rehearsal, config=replace(rehearsal.config, forms=folder))
    receipt = Writer(own.site_client()).report().text
    day = date_of(Day(rehearsal.clock.today() + 7)).isoformat()
    assert str(WORDS["en"]("receipt.next_by", day=WORDS["en"].day(day))) in receipt
    assert str(WORDS["en"]("receipt.next_open")) not in receipt


def test_the_notice_comes_unfilled_and_knows_its_languages() -> None:
    institution = Institution.from_json((FORMS / NAME).read_bytes())
    assert institution.answer_days is None
    assert institution.unfilled(LANGUAGES) == LANGUAGES
    assert set(json.loads((FORMS / NAME).read_bytes())["notice"]) == set(LANGUAGES)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "must be an object"),
        ('{"notice": {}}', "line 1: 'answer_days' is missing"),
        ('{"answer_days": null,\n"notice": {}, "x": 1}', "line 2: nothing is called 'x' here"),
        ('{"answer_days": 0,\n"notice": {}}', "line 1: 'answer_days' must be null, or a number"),
        ('{"answer_days": true,\n"notice": {}}', "line 1: 'answer_days' must be null"),
        ('{"answer_days": "7",\n"notice": {}}', "line 1: 'answer_days' must be null"),
        ('{"answer_days": 91,\n"notice": {}}', "line 1: 'answer_days' must be null"),
        ('{"answer_days": 7,\n"notice": []}', "line 2: 'notice' must be an object"),
        ('{"answer_days": 7,\n"notice": {\n"fr": ""}}', "line 3: 'fr' must be an object"),
        ('{"answer_days": 7,\n"notice": {"fr": {}}}', "line 2: 'authority' is missing"),
        ('{"answer_days": 7,\n"notice": {"fr": {\n"z": ""}}}', "line 3: nothing is called 'z'"),
        ("part", "'rights' must be filled in, as the others of this language are"),
        ("long", "'rights' must be a text of at most 2000 characters"),
        ("number", "'rights' must be a text of at most 2000 characters"),
    ],
)
def test_a_mistake_in_the_notice_is_refused_with_its_line(text: str, said: str) -> None:
    wrong: dict[str, object] = {"part": " ", "long": "x" * 2001, "number": 3}
    if text in wrong:
        notice = {"fr": {**FILLED, "rights": wrong[text]}}
        text = json.dumps({"answer_days": None, "notice": notice})
    with pytest.raises(FormRefused, match=re.escape(NAME)) as refused:
        Institution.from_json(text.encode())
    assert said in str(refused.value)


def test_tor_browser_is_told_of_the_onion_address_of_each_page(rehearsal: Rehearsal) -> None:
    config = replace(rehearsal.config, onion=ONION)
    client = replace(rehearsal, config=config).site_client()
    for path in ("/", "/ar/", "/fr/thread", "/en/device", "/zgh/about"):
        answer = client.get(path)
        assert answer.headers.getlist("Onion-Location") == [f"http://{ONION}{path}"]
        # Text that can be typed, never a link: following it without Tor would tell the network.
        assert not re.findall(r'(?:href|src|action)="[^"]*onion', answer.text)
    device = client.get("/ar/device").text
    assert f'<bdi dir="ltr">http://{ONION}/ar/</bdi>' in device
    for other in (
        client.get("/nowhere"),
        client.get("/style.css"),
        client.get("/en/left"),
        client.get("/en/write"),
        client.post("/en/write", data={"a": "b"}),
    ):
        assert "Onion-Location" not in other.headers
        assert "onion" not in other.text


def test_without_an_onion_address_none_is_told(client: FlaskClient) -> None:
    for path in ("/", "/en/device"):
        answer = client.get(path)
        assert "Onion-Location" not in answer.headers
        assert ".onion" not in answer.text


@pytest.mark.parametrize(
    "wrong",
    [
        "example.org",
        ONION.removesuffix(".onion"),
        "http://" + ONION,
        ONION + "/",
        "q" + ONION[1:],
        ONION[:54] + "aa.onion",
        ONION[1:],
        "1" + ONION[1:],
    ],
)
def test_an_onion_address_with_a_mistake_is_refused_at_start(wrong: str) -> None:
    with pytest.raises(ConfigRefused, match="AMANA_ONION"):
        GatewayConfig.from_environment({"AMANA_ONION": wrong})


def test_an_onion_address_is_read_in_any_case_and_is_not_needed() -> None:
    assert GatewayConfig.from_environment({"AMANA_ONION": ONION.upper()}).onion == ONION
    assert GatewayConfig.from_environment({}).onion is None


def test_the_device_page_leaves_nothing_out(client: FlaskClient) -> None:
    page = client.get("/en/device").text
    for word in (
        "history", "Back button", "keyboard", "Screenshots", "cloud", "router", "workplace",
        "private window", "person you trust", "paper", "Shift", "Tor Browser", "does not erase",
    ):  # fmt: skip
        assert word in page, word


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("status", sorted(SHOWN))
def test_every_error_page_says_what_happened_and_what_to_do(
    rehearsal: Rehearsal, lang: str, status: int
) -> None:
    app = rehearsal.site()

    def fail(lang: str) -> str:  # noqa: ARG001 the page reads it from the address
        if status == 500:
            raise RuntimeError("a word of a reporter")
        abort(status)

    app.add_url_rule("/<lang>/fail", "fail", fail)
    client = app.test_client(use_cookies=False)
    page = client.get(f"/{lang}/fail")
    assert page.status_code == status
    heading = re.search(r"<h1>(.*?)</h1>\n<p>(.*?)</p>", page.text, flags=re.DOTALL)
    assert heading
    assert heading[1] == str(WORDS[lang](f"problem.{status}.heading"))
    assert len(re.sub("<[^>]+>", "", heading[2])) > 15
    assert f'lang="{lang}"' in page.text
    # Everybody who lands here can leave, go on, and sees whom to call.
    assert f'action="/{lang}/leave"' in page.text
    for way in ("thread", "device", ""):
        assert f'href="/{lang}/{way}"' in page.text
    assert '<bdi dir="ltr">19</bdi>' in page.text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_real_mistakes_meet_these_pages(rehearsal: Rehearsal, lang: str) -> None:
    client = rehearsal.site_client()
    limits = replace(rehearsal.config.site, form_bytes=1000, file_bytes=1000)
    small = replace(rehearsal, config=replace(rehearsal.config, site=limits)).site_client()
    rehearsal.config.roster_path.unlink()
    without = rehearsal.site_client()
    for status, page in (
        (404, client.get(f"/{lang}/nothing")),
        (405, client.get(f"/{lang}/send")),
        (413, small.post(f"/{lang}/send", data={"description": "x" * 9_000_000})),
        (415, client.post(f"/{lang}/send", data=b"{}", content_type="application/json")),
        (503, without.get(f"/{lang}/")),
    ):
        assert page.status_code == status
        assert str(WORDS[lang](f"problem.{status}.heading")) in page.text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_whoever_asks_for_too_much_is_told_to_wait_but_never_kept_from_leaving(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    monkeypatch.setattr(Turns, "may_ask", lambda *_: False)
    page = client.get(f"/{lang}/")
    assert page.status_code == 429
    assert str(WORDS[lang]("problem.429.text")) in page.text
    assert client.get(f"/{lang}/leave").status_code == 200
    assert client.post(f"/{lang}/leave", data={"token": "x"}).status_code == 200
    assert client.get(f"/{lang}/left").status_code == 303


def test_the_picture_holds_the_digits_alone_and_no_script(writer: Writer) -> None:
    token = FormToken.new(category="fraud", danger="no", now=0)
    drawn = picture(token.code)
    assert drawn.startswith("<svg")
    assert set(re.findall(r"<(\w+)", drawn)) <= {"svg", "g", "path"}
    assert not re.search(r"style|href|http|script|on\w+=", drawn)
    assert picture(token.code) == drawn
    assert picture(FormToken.new(category="fraud", danger="no", now=0).code) != drawn
    receipt = writer.report()
    at = [receipt.text.index(word) for word in ('id="receipt-code"', "<svg", 'name="last_four"')]
    assert at == sorted(at)
    again = writer.client.post(
        "/en/confirm", data={"token": token_of(receipt), "last_four": "0"}
    ).text
    assert code_of(receipt) in again
    assert "<svg" in again
