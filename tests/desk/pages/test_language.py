"""Which language a page is in, who chooses it, and what of a page is never translated."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from crypto.ids import Day
from desk.cases import Cases
from desk.errors import ActRefused
from desk.pages.app import create_pages
from desk.pages.choosing import Choosing
from desk.pages.door import OneTimeLink
from desk.pages.language import Words, load
from desk.sentence import Counted, Label, Sentence, Several, Sized, Worded, reason
from tests.desk.journal import Journal
from tests.desk.pages.test_pages import BIND, FORM, OURS, app, link, page

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.world import Reporter, World

    Synced = Callable[..., SyncReport]

__all__ = ["app", "link", "page"]
SPOKEN = load()


def opened(desk: Desk) -> FlaskClient:
    """A browser at pages that were started anew."""
    door = OneTimeLink()
    client = create_pages(desk, BIND, door).test_client()
    client.get(f"/link/{door.token}", headers=OURS)
    return client


def choose(client: FlaskClient, code: str, back: str = "/") -> str:
    answer = client.post("/language", headers=FORM, data={"language": code, "back": back})
    assert answer.status_code == 303
    return str(answer.headers["Location"])


# --- choosing


@pytest.mark.parametrize(
    ("accepts", "code", "direction"),
    [
        ("ar-MA,fr;q=0.5", "ar", "rtl"),
        ("fr", "fr", "ltr"),
        ("zgh, fr;q=0.8, en;q=0.1", "fr", "ltr"),
        ("de", "en", "ltr"),
        ("", "en", "ltr"),
        ("*", "en", "ltr"),
        ("ar;q=0", "en", "ltr"),
    ],
)
def test_the_browser_decides_as_long_as_nobody_chose(
    page: FlaskClient, accepts: str, code: str, direction: str
) -> None:
    shown = page.get("/", headers={**OURS, "Accept-Language": accepts}).text
    assert f'<html lang="{code}" dir="{direction}">' in shown


def test_what_was_chosen_goes_before_the_browser_and_outlives_the_program(
    desk: Desk, page: FlaskClient
) -> None:
    assert choose(page, "ar", "/room?period=week") == "/room?period=week"
    french = {**OURS, "Accept-Language": "fr"}
    assert '<html lang="ar" dir="rtl">' in page.get("/", headers=french).text
    assert '<html lang="ar" dir="rtl">' in opened(desk).get("/", headers=french).text
    assert desk.home.language.read_bytes() == b"ar"
    assert desk.home.language.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("junk", [b"xx", b"", b"\xff\xfe", b"arabic and more than that"])
def test_a_file_that_says_nothing_we_know_is_as_none(desk: Desk, junk: bytes) -> None:
    desk.home.language.write_bytes(junk)
    assert Choosing(desk.home).chosen == ""


def test_only_the_pages_own_form_chooses_and_only_a_language_of_ours(page: FlaskClient) -> None:
    assert page.post("/language", headers=FORM, data={"language": "xx"}).status_code == 400
    assert page.post("/language", headers=FORM).status_code == 400
    assert page.post("/language", headers=OURS, data={"language": "ar"}).status_code == 403
    assert '<html lang="en"' in page.get("/", headers=OURS).text


@pytest.mark.parametrize(
    "back",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "evil", "", "/a\nb", "/\u0627"],
)
def test_a_form_leads_to_no_other_place(page: FlaskClient, back: str) -> None:
    assert choose(page, "fr", back) == "/"


def test_every_page_offers_the_languages_but_where_nobody_is_in(
    desk: Desk, page: FlaskClient
) -> None:
    for path in ("/", "/room", "/custody", "/nowhere"):
        assert 'action="/language"' in page.get(path, headers=OURS).text, path
    stranger = create_pages(desk, BIND, OneTimeLink()).test_client()
    locked = stranger.get("/", headers={**OURS, "Accept-Language": "fr"})
    assert locked.status_code == 401
    assert "Cette page est verrouillée" in locked.text
    assert 'action="/language"' not in locked.text
    gone = page.post("/lock", headers=FORM).text
    assert "Locked" in gone
    assert 'action="/language"' not in gone


def test_a_case_that_was_refused_something_is_gone_back_to(
    page: FlaskClient, reporter: Reporter, sync: Synced
) -> None:
    sync(*reporter.report())
    path = f"/case/{reporter.case.hex()}"
    refused = page.post(f"{path}/act/note", headers=FORM, data={"text": " "})
    assert refused.status_code == 422
    assert f'name="back" value="{path}"' in refused.text


# --- what is said, and what stays as it is


def test_what_an_operator_typed_is_never_translated(
    page: FlaskClient, world: World, reporter: Reporter, sync: Synced
) -> None:
    rows = reporter.report(description="Received", category="fraud")
    journal = Journal(world, reporter, rows[0])
    sync(*rows, journal.act("note", {"text": "Signed and sent."}))
    choose(page, "ar")
    shown = page.get(f"/case/{reporter.case.hex()}", headers=OURS).text
    assert '<bdi dir="auto" class="said">Received</bdi>' in shown
    assert '<bdi dir="auto" class="said">Signed and sent.</bdi>' in shown
    assert "نصب واحتيال" in shown


def test_a_refusal_is_in_the_language_of_the_page(
    page: FlaskClient, reporter: Reporter, sync: Synced
) -> None:
    sync(*reporter.report())
    choose(page, "fr")
    data = {"state": "transmitted", "service": "cyber_unit/place_of_act"}
    shown = page.post(f"/case/{reporter.case.hex()}/act/status", headers=FORM, data=data).text
    assert "L’état Reçu ne mène pas à Transmis\u00a0; il mène à\u00a0: Tri" in shown
    assert "Rien n’a été écrit." in shown


def test_the_command_line_stays_english(
    desk: Desk, page: FlaskClient, reporter: Reporter, sync: Synced
) -> None:
    from desk.cli import main  # noqa: PLC0415

    sync(*reporter.report())
    before = [CliRunner().invoke(main, [one, "--help"]).output for one in ("list", "show", "rules")]
    read = Cases(desk).find(reporter.case.hex())
    words = desk.rules.state(read.state)
    choose(page, "ar")
    again = [CliRunner().invoke(main, [one, "--help"]).output for one in ("list", "show", "rules")]
    assert again == before
    assert desk.rules.state(Cases(desk).find(reporter.case.hex()).state) == words == "Received"


HOSTILE = "<b>{count}</b> `x` \u202eevil"


@pytest.mark.parametrize("code", ["ar", "fr", "en"])
def test_a_fact_is_escaped_isolated_and_filled_into_nothing_else(code: str) -> None:
    said = SPOKEN[code].say(Sentence("linked it with {ref}", ref=HOSTILE))
    assert "<bdi>&lt;b&gt;{count}&lt;/b&gt; `x` \\u202eevil</bdi>" in said
    assert "<b>" not in SPOKEN[code].text("linked it with {ref}", ref=HOSTILE)
    assert "<b>" not in SPOKEN[code].plainly(Sentence("linked it with {ref}", ref=HOSTILE))


def test_what_nobody_translated_is_shown_as_english_and_marked() -> None:
    arabic = SPOKEN["ar"]
    assert arabic("No such <words>") == '<bdi lang="en" dir="ltr">No such &lt;words&gt;</bdi>'
    assert arabic.counted(2, "ghost") == '<bdi lang="en" dir="ltr">2 ghosts</bdi>'
    assert arabic.say(Label("Some new thing")) == "<bdi>Some new thing</bdi>"
    assert arabic.say("") == ""


def test_what_the_engine_says_is_said_again() -> None:
    arabic, french = SPOKEN["ar"], SPOKEN["fr"]
    assert french.say(Worded({"en": "Closed", "fr": "Clos"})) == "Clos"
    assert arabic.say(Worded({"en": "Closed"})) == "Closed"
    assert french.say(Several(" and ", [Sentence("nothing"), Label("Bank")])) == "rien et Banque"
    assert arabic.say(Several(", ", ["a", "b"])) == "<bdi>a</bdi>، <bdi>b</bdi>"
    assert french.say(Several("; ", [Sentence("nobody")], capital=True)) == "Personne"
    assert french.say(Several("; ", [], capital=True)) == ""
    assert french.say(Counted(1, "case")) == "1 dossier"
    assert french.say(Sized("5.4 GB", 5_400_000_000)) == "5,4\u00a0Go"
    assert french.say(Counted(2_000_000, "case")) == "2\u202f000\u202f000 dossiers"
    counts = [str(arabic.counted(number, "file")) for number in (0, 1, 2, 3, 11, 100)]
    assert counts == [
        "لا مستندات", "مستند واحد", "مستندان", "3 مستندات", "11 مستندا", "100 مستند",
    ]  # fmt: skip


def test_days_and_numbers_are_the_languages_own() -> None:
    english, french, arabic = SPOKEN["en"], SPOKEN["fr"], SPOKEN["ar"]
    assert english.day("2026-11-02") == "2 Nov 2026"
    assert french.day("2026-02-02") == "2 févr. 2026"
    assert arabic.day("2026-11-02") == "2 نونبر 2026"
    assert english.day(Day(10**9)) == str(10**9)
    assert arabic.moment("2026-11-02 09:40") == "2 نونبر 2026 09:40"
    assert french.days("2026-02") == "févr. 2026"
    assert french.days("MAD") == "MAD"
    assert french.number(7083) == "7\u202f083"
    assert arabic.number(7083) == "7.083"
    assert french.size(1500) == "1,5\u00a0Ko"
    assert english.size(999) == "999 bytes"
    assert english.size(1_500_000_000) == "1.5 GB"
    assert "07:00" not in english.say(Sentence("Day: {day}", day="2026-11-02"))
    assert english.say(Sentence("Day: {day}", day="2026-11-02")) == "Day: 2 Nov 2026"


def test_a_command_is_one_run_from_the_left_facts_included() -> None:
    said = Sentence(
        "There is no key of {service} on this desk yet. Bring it in: amana-desk service-key "
        "{service} FILE",
        service="cyber_unit",
    )
    assert '<code dir="ltr">amana-desk service-key cyber_unit FILE</code>' in SPOKEN["ar"].say(said)


def test_a_sentence_reads_in_english_and_is_copied_whole() -> None:
    several = Several("; ", ["one {x}", Sentence("two {n:,}", n=2000)], capital=True)
    assert several == "One {x}; two 2,000"
    for one in (
        Sentence("linked it with {ref}", ref="{x}"), several, Counted(1, "case"),
        Counted(2, "case"), Worded({"en": "Closed", "ar": "أُغلق"}), Label("Bank"),
        Sized("5.4 GB", 5_400_000_000), Worded({"en": "Closed", "ar": "أُغلق"}, "ar"),
    ):  # fmt: skip
        for again in (copy.deepcopy(one), pickle.loads(pickle.dumps(one))):  # noqa: S301  # ours
            assert type(again) is type(one)
            assert Words().say(again) == Words().say(one)
    assert str(Counted(1, "case")) == "1 case"


def test_an_errors_reason_is_what_it_was_raised_with() -> None:
    said = Sentence("linked it with {ref}", ref="a")
    assert reason(ActRefused(said)) is said
    assert reason(ActRefused("plain {text}")) == "plain {text}"
    assert reason(ActRefused()) == ""
