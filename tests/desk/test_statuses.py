"""The five public statuses, a withdrawal, a name given later: set, sent and shown at the desk."""

# ruff: noqa: PLR0913, PLR0917 - a test names the fixtures that it needs

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from crypto.body import open_manifest
from crypto.header import Kind
from crypto.ids import Day
from crypto.manifest import IDENTITY_LATER, STATUSES, WITHDRAWAL, ReplyBody
from crypto.signed import SignedManifest
from desk.cases import Cases
from desk.desk import Desk
from desk.errors import NothingToSay, StateUnknown
from desk.identity import open_identities
from desk.outbox import answer
from desk.pages.app import create_pages
from desk.pages.door import Bind, OneTimeLink
from desk.progress import Silence
from desk.public_status import NEEDS_WORDS, PUBLIC, parse_public, public_words
from desk.summary import case_json
from desk.sync import synchronise
from desk.work import set_state
from tests.desk.world import TODAY, Reporter, World, make_desk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask.testing import FlaskClient

    from desk.cases import Case
    from desk.sync import SyncReport
    from tests.desk.running import Run
    from tests.desk.server import FakeServer
    from tests.desk.world import Row

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

FORM = {
    "Host": "127.0.0.1:8002",
    "Origin": "http://127.0.0.1:8002",
    "Sec-Fetch-Site": "same-origin",
}


@pytest.fixture
def page(desk: Desk) -> FlaskClient:
    link = OneTimeLink()
    client = create_pages(desk, Bind("127.0.0.1", 8002), link).test_client()
    client.get(f"/link/{link.token}", headers=FORM)
    return client


def read_as_reporter(reporter: Reporter, server: FakeServer) -> list[ReplyBody]:
    found = []
    for one in server.rows.values():
        if one.header.kind is Kind.REPLY:
            key = reporter.receipt.open_reply(one.header, one.wraps)
            signed = SignedManifest.from_json(open_manifest(key, one.header, one.manifest))
            found.append(ReplyBody.from_json(signed.body.encode()))
    return found


def reply(world: World, reporter: Reporter, text: str, **how: Any) -> Row:
    """Another desk's answer; ``status`` and ``day`` stand in its body."""
    day = how.pop("day", TODAY)
    body = ReplyBody(text=text, author_day=day, status=how.pop("status", None))
    return world.by_operator(
        Kind.REPLY,
        reporter.case,
        body.to_json(),
        reply_key=reporter.reply_key,
        day=day,
        **how,
    )


# --- statuses


def test_the_desk_has_the_five_words_of_the_reporters_page_and_no_others() -> None:
    assert tuple(PUBLIC) == STATUSES
    assert set(NEEDS_WORDS) < set(PUBLIC)
    assert parse_public(" Closed ") == "closed"
    assert public_words("question") == "We have a question"
    for wrong in ("", "triage", "being examined"):
        with pytest.raises(StateUnknown, match="received, examined, question, sent, closed"):
            parse_public(wrong)


@pytest.mark.claim("C-STATUS")
@pytest.mark.parametrize("status", STATUSES)
def test_a_status_reaches_the_reporter_signed_and_no_word_of_it_the_server(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, read: Read, status: str
) -> None:
    sync(*reporter.report())
    answer(desk, read(), "Which bank?" if status in NEEDS_WORDS else "", status)
    (body,) = read_as_reporter(reporter, server)
    assert (body.status, body.author_day) == (status, TODAY)
    assert read().public_status == status
    stored = b"".join(
        one.wraps + one.manifest + one.header.to_bytes() for one in server.rows.values()
    )
    assert status.encode() not in stored
    assert case_json(desk, read())["public_status"] == status
    assert [one.public_status for one in desk.index.rows()] == [status]


@pytest.mark.parametrize("status", sorted(NEEDS_WORDS))
def test_a_question_and_closing_need_their_words(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, read: Read, status: str
) -> None:
    sync(*reporter.report())
    with pytest.raises(NothingToSay, match="Nothing was sent"):
        answer(desk, read(), " \n", status)
    with pytest.raises(StateUnknown):
        answer(desk, read(), "Words.", "investigation")
    assert read_as_reporter(reporter, server) == []


def test_a_status_without_words_answers_nobody(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read
) -> None:
    sync(*reporter.report())
    assert read().public is None
    answer(desk, read(), "", "received")
    assert read().unanswered
    answer(desk, read(), "We are at it.", "examined")
    assert not read().unanswered


def test_the_newest_status_is_of_the_highest_day_and_then_the_last_one_said(
    world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    report = reporter.report()
    late = reply(world, reporter, "Why.", status="closed")
    early = reply(
        world, reporter, "", status="sent", day=Day(TODAY - 1), parents=[late.header.hash]
    )
    words = reply(world, reporter, "No status.", parents=[late.header.hash])
    sync(*report, late, early, words)
    public = read().public
    assert public is not None
    assert public.body.status == "closed"


def test_an_answer_names_the_answers_before_it_though_an_entry_stands_between(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, read: Read
) -> None:
    sync(*reporter.report())
    steps = (("received", "triage"), ("examined", "assessment"), ("sent", "seriousness_check"))
    for status, state in steps:
        answer(desk, read(), "", status)
        set_state(desk, read(), state)
    seen = {}
    for one in server.rows.values():
        if one.header.kind is Kind.REPLY:
            key = reporter.receipt.open_reply(one.header, one.wraps)
            signed = SignedManifest.from_json(open_manifest(key, one.header, one.manifest))
            body = ReplyBody.from_json(signed.body.encode())
            seen[body.status] = (one.header.hash, signed.parents)
    # The reporter's page sees these three alone, and can tell their order of one day.
    assert seen["received"][0] in seen["examined"][1]
    assert seen["examined"][0] in seen["sent"][1]
    public = read().public
    assert public is not None
    assert public.body.status == "sent"
    assert read().alarms == ()


def test_a_status_that_waited_over_midnight_goes_out_whole(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, read: Read
) -> None:
    sync(*reporter.report())
    server.answers["/v1/envelopes"] = (503, b"")
    answer(desk, read(), "", "examined")
    server.answers.clear()
    server.today = TODAY + 3
    later = Desk.open(desk.home, desk.keyring, today=lambda: Day(TODAY + 3))
    assert synchronise(later, Silence()).posted == 1
    (body,) = read_as_reporter(reporter, server)
    assert (body.status, body.author_day) == ("examined", TODAY + 3)


def test_the_command_sets_a_status_and_asks_for_words_where_they_are_needed(
    monkeypatch: pytest.MonkeyPatch,
    desk: Desk,
    reporter: Reporter,
    server: FakeServer,
    sync: Synced,
    run: Run,
    tmp_path: Path,
) -> None:
    sync(*reporter.report())
    ref = reporter.case.hex()[:8]
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "Not enough to go on. You may write again." > "$1"\n')
    editor.chmod(0o700)
    monkeypatch.setenv("VISUAL", str(editor))
    assert run("reply", ref, "--status", "examined").exit_code == 0
    assert run("reply", ref, "--status", "question", "--text", "Which bank?").exit_code == 0
    assert run("reply", ref, "--status", "Closed").exit_code == 0
    said = {(one.status, one.text) for one in read_as_reporter(reporter, server)}
    assert said == {
        ("examined", ""),
        ("question", "Which bank?"),
        ("closed", "Not enough to go on. You may write again."),
    }
    for wrong, why in (
        (("--status", "triage"), "no such status"),
        (("--status", "closed", "--text", " "), "the reason"),
    ):
        refused = run("reply", ref, *wrong)
        assert (refused.exit_code, why in refused.stderr) == (1, True)
    shown = run("show", ref).stdout
    assert "set the reporter's page to “Being examined”" in shown
    assert "answered and set the reporter's page to “Closed”" in shown
    assert re.search(r"The reporter's page says “.+” since 20", shown)
    assert "received, examined, question, sent, closed" in " ".join(
        run("reply", "-h").stdout.split()
    )
    assert Cases(desk).find(ref).public is not None


def test_the_page_sets_a_status_and_gives_it_back_with_what_was_typed(
    reporter: Reporter, server: FakeServer, sync: Synced, read: Read, page: FlaskClient
) -> None:
    sync(*reporter.report())
    place = f"/case/{reporter.case.hex()}"
    shown = page.get(place, headers=FORM).text
    for words in PUBLIC.values():
        assert f">{words}</option>" in shown
    refused = page.post(f"{place}/answer", data={"text": "", "status": "closed"}, headers=FORM)
    assert refused.status_code == 422
    assert "Closing needs a text" in refused.text
    assert '<option value="closed" selected>' in refused.text
    odd = page.post(f"{place}/answer", data={"text": "Hm.", "status": "triage"}, headers=FORM)
    assert odd.status_code == 422
    assert ">Hm.</textarea>" in odd.text
    sent = page.post(f"{place}/answer", data={"text": "", "status": "sent"}, headers=FORM)
    assert sent.status_code == 303
    assert [one.status for one in read_as_reporter(reporter, server)] == ["sent"]
    shown = page.get(place, headers=FORM).text
    assert "set the reporter&#39;s page to “Sent to the competent service”" in shown
    assert "Now: “Sent to the competent service”, since" in shown
    assert read().public is not None


# --- a withdrawal


@pytest.mark.claim("C-WITHDRAWN")
def test_a_withdrawal_is_shown_before_everything_else(
    reporter: Reporter, sync: Synced, read: Read, run: Run, page: FlaskClient
) -> None:
    report = reporter.report()
    sync(*report)
    assert read().withdrawals == ()
    sync(
        *reporter.follow_up(
            "I am afraid.", parents=[report[0].header.hash], body_changes={"type": WITHDRAWAL}
        )
    )
    case = read()
    assert [one.body.text for one in case.withdrawals] == ["I am afraid."]
    assert case.unanswered
    assert case.alarms == ()
    shown = run("show", case.ref).stdout
    assert "WITHDRAWN: the reporter asks that this be erased." in shown
    assert "The reporter asked that everything be erased (message 1)" in shown
    assert "WITHDRAWN" in run("list").stdout
    assert json.loads(run("list", "--json").stdout)["cases"][0]["withdrawn"] is True
    told = json.loads(run("show", case.ref, "--json").stdout)
    assert told["withdrawn"] is True
    assert [one["type"] for one in told["conversation"]] == ["withdrawal"]
    listed = page.get("/?show=withdrawn", headers=FORM).text
    assert "withdrawn</b>" in listed
    assert case.ref in listed
    case_page = page.get(f"/case/{case.id.hex()}", headers=FORM).text
    assert case_page.index('class="withdrawn" role="alert"') < case_page.index('id="h-report"')
    assert "I am afraid." in case_page


# --- a name given later


@pytest.mark.claim("C-IDENTITY")
def test_a_name_given_later_is_said_and_stays_locked_until_a_custodian_opens_it(
    tmp_path: Path,
    world: World,
    reporter: Reporter,
    server: FakeServer,
    sync: Synced,
    read: Read,
    run: Run,
    page: FlaskClient,
) -> None:
    report = reporter.report()
    locked = reporter.identity("Fatima Zahra")
    named = reporter.follow_up(
        "",
        parents=[report[0].header.hash],
        body_changes={
            "type": IDENTITY_LATER,
            "identity_mode": "full_identity",
            "identity": locked.ref,
        },
    )
    sync(*report)
    assert (read().identity_mode, read().later_identities) == ("anonymous", ())
    sync(named[0], locked)
    case = read()
    assert case.identity_mode == "full_identity"
    assert case.alarms == ()
    shown = run("show", case.ref).stdout
    assert "given later on" in shown
    assert "gave an identity (message 1): by name, locked" in shown
    told = json.loads(run("show", case.ref, "--json").stdout)
    assert told["identity"].startswith("locked")
    assert told["conversation"][0]["identity_mode"] == "full_identity"
    case_page = page.get(f"/case/{case.id.hex()}", headers=FORM).text
    assert "Given later, on" in case_page
    for text in (shown, json.dumps(told), case_page):
        assert "Fatima" not in text
    keeper = make_desk(tmp_path / "keeper", world, server.url, keyring=world.custodians[0])
    synchronise(keeper, Silence())
    opened = open_identities(keeper, reporter.case)
    names = [dict(one.manifest.identity) for one, _ in opened.identities]
    assert {"name": "Fatima Zahra"} in names
    assert {} in names  # the report's own stays empty


def test_the_most_that_was_given_is_what_the_list_says(
    reporter: Reporter, sync: Synced, read: Read
) -> None:
    report = reporter.report()
    sync(*report)
    parent = report[0].header.hash
    for mode, most in (
        ("contact_only", "contact_only"),
        ("full_identity", "full_identity"),
        ("contact_only", "full_identity"),
        ("of a newer site", "full_identity"),
    ):
        rows = reporter.follow_up(
            "",
            parents=[parent],
            body_changes={"type": IDENTITY_LATER, "identity_mode": mode},
        )
        parent = rows[0].header.hash
        sync(*rows)
        assert read().identity_mode == most
    assert len(read().later_identities) == 4
