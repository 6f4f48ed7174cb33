"""The acts of a case's page: offered by the rules, done by the engine, refused with reasons."""

# ruff: noqa: PLR0913, PLR0917 - a test names the fixtures that it needs

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from crypto.header import Kind
from crypto.manifest import EntryBody
from desk.work import set_state
from tests.desk.pages.test_pages import FORM
from tests.desk.world import Reporter, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from desk.cases import Case
    from desk.desk import Desk
    from desk.sync import SyncReport

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]
    Do = Callable[..., TestResponse]


SERVICE = {"service": "cyber_unit", "basis": "place_of_act"}


@pytest.fixture
def do(page: FlaskClient, sync: Synced, reporter: Reporter) -> Do:
    """Send one of the forms of the case's page."""
    sync(*reporter.report())
    path = f"/case/{reporter.case.hex()}"

    def send(act: str, **form: str) -> TestResponse:
        return page.post(f"{path}/act/{act}", headers=FORM, data=form)

    return send


def shown(page: FlaskClient, case: Case) -> str:
    return page.get(f"/case/{case.id.hex()}", headers=FORM).text


def test_every_form_of_the_page_does_what_it_says(page: FlaskClient, do: Do, read: Read) -> None:
    for kind, form in (
        ("status", {"state": "triage"}),
        ("priority", {"priority": "P2"}),
        ("category", {"category": "threats"}),
        ("assignment", {"operator": "operator 2"}),
        ("note", {"text": "Called the bank."}),
        ("tag", {"tag": "daesh"}),
        ("outcome", {"event": "identified", "day": "2026-11-22", "label": "a cousin"}),
        ("identity_request", {"text": "To hear the witness."}),
        ("erasure", {"text": "It was asked for."}),
    ):
        assert do(kind, **form).status_code == 303, kind
    case = read()
    assert (case.state, case.priority, case.category) == ("triage", "P2", "threats")
    assert (case.assigned, case.work.tags) == ("operator 2", ("daesh",))
    told = shown(page, case)
    for words in (
        "Called the bank.",
        "To hear the witness.",
        "Suspect identified",
        "a cousin",
        "the reporter chose <bdi>Fraud or scam</bdi>",
        "✓ Daesh",
        "set the priority to <bdi>P2</bdi> (Today)",
    ):
        assert words in told, words
    assert do("tag", tag="daesh", on="no").status_code == 303
    assert read().work.tags == ()


def test_a_state_takes_its_facts_from_the_form(page: FlaskClient, do: Do, read: Read) -> None:
    for state in ("triage", "assessment", "seriousness_check"):
        assert do("status", state=state).status_code == 303
    told = shown(page, read())
    assert '<option value="cyber_unit/place_of_act">' in told
    ready = do("status", state="ready", service="cyber_unit/place_of_act", text="All is proven.")
    assert ready.status_code == 303
    data = read().work.data("status")
    assert (data["service"], data["basis"]) == ("cyber_unit", "place_of_act")
    mine = do("status", state="transmitted", service="cyber_unit/place_of_act")
    assert mine.status_code == 422
    assert "Four eyes: one operator makes it ready" in mine.text


def test_what_is_refused_comes_back_with_its_reason_and_what_was_typed(
    do: Do, sync: Synced, world: World, read: Read
) -> None:
    back = do("outcome", event="identified", day="soon", label="the <cousin>")
    assert back.status_code == 422
    assert "or no date" in back.text
    assert 'value="the &lt;cousin&gt;"' in back.text
    lost = do("link", case="ffff", kind="related")
    assert (lost.status_code, 'value="ffff"' in lost.text) == (422, True)
    assert do("status", state="closed", reason="outcome").status_code == 422
    assert do("conjure").status_code == 422
    other = Reporter(world)
    sync(*other.report())
    assert do("link", case=other.case.hex()[:8], kind="duplicate").status_code == 303
    assert read().work.links == {other.case.hex(): "duplicate"}


def test_the_second_look_has_its_form(
    do: Do, desk: Desk, read: Read, sync: Synced, world: World
) -> None:
    set_state(desk, read(), "triage")
    set_state(desk, read(), "imminent")
    assert do("second_look", text="It will be right.").status_code == 422
    body = EntryBody(type="status", data={"state": "transmitted", **SERVICE})
    sync(
        world.by_operator(
            Kind.ENTRY, read().id, body.to_json(),
            parents=read().heads, signer=world.operators[1].sign,
        )
    )  # fmt: skip
    assert do("second_look", text="It was right.").status_code == 303
    (look,) = read().work.second_looks
    assert look.body.data["text"] == "It was right."


def form_of(page: str, path: str) -> str:
    """Where a form of a page goes."""
    return unescape(re.findall(rf'action="([^"]+/{path}[^"]*)"', page)[0])


@pytest.mark.claim("C-WORK")
def test_a_form_that_is_pressed_twice_or_is_older_than_its_case_writes_nothing(
    page: FlaskClient, do: Do, desk: Desk, sync: Synced, reporter: Reporter, read: Read
) -> None:
    del do
    once = re.findall(r'action="([^"]+/act/note[^"]*)"', shown(page, read()))[0].replace(
        "&amp;", "&"
    )
    tell = re.findall(r'action="([^"]+/answer[^"]*)"', shown(page, read()))[0].replace("&amp;", "&")
    assert page.post(once, headers=FORM, data={"text": "Called them."}).status_code == 303
    again = page.post(once, headers=FORM, data={"text": "Called them <again>."})
    assert again.status_code == 422
    assert "since this page was made" in again.text
    assert "Called them &lt;again&gt;." in again.text
    late = page.post(tell, headers=FORM, data={"text": "Come on Monday."})
    assert late.status_code == 422
    assert "Come on Monday." in late.text
    assert len(read().work.of("note")) == 1
    assert read().replies == ()
    # The page that said so has the forms of now.
    now = form_of(late.text, "answer")
    assert page.post(now, headers=FORM, data={"text": "Come on Monday."}).status_code == 303
    sync(*reporter.follow_up("Thank you."))
    assert len(read().replies) == 1
    del desk


def test_a_state_that_no_desk_knows_can_be_mended_and_a_contradiction_settled(
    page: FlaskClient, do: Do, sync: Synced, world: World, reporter: Reporter, read: Read
) -> None:  # fmt: skip
    do("note", text="It begins.")
    sync(world.entry(reporter.case, "of_a_newer_desk", parents=read().heads))
    assert 'value="investigation"' in shown(page, read())
    heads = read().heads
    sync(world.entry(reporter.case, "triage", parents=heads))
    sync(world.entry(reporter.case, "closed", parents=heads))
    told = shown(page, read())
    assert "Apart from each other" in told
    assert 'name="state" value="triage"' in told
    assert 'name="state" value="closed"' in told


def test_without_a_roster_in_force_the_page_still_reads(
    page: FlaskClient, do: Do, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    do("note", text="Before.")
    monkeypatch.setattr("desk.work.operators", _expired)
    assert "Before." in shown(page, read())


def _expired(_desk: Desk) -> tuple[str, ...]:
    from desk.errors import RosterNotTrusted  # noqa: PLC0415  # what the real one raises

    raise RosterNotTrusted("The roster has expired.")
