"""Similar cases on a desk: from sealed reports to a command and a page; what is kept is sealed."""

from __future__ import annotations

import json
import re
import sqlite3
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest

from desk import similar_cases
from desk.cases import Cases
from desk.errors import RulesMalformed
from desk.pages import similar as panel
from desk.pages.app import create_pages
from desk.pages.door import Bind, OneTimeLink
from desk.progress import Silence
from desk.similar_cases import SimilarCases
from desk.sync import synchronise
from tests.desk.running import done
from tests.desk.world import JPEG, Reporter

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from desk.cases import Case
    from desk.desk import Desk
    from tests.desk.running import Run
    from tests.desk.server import FakeServer
    from tests.desk.world import World


BIND = Bind("127.0.0.1", 8002)
FORM = {
    "Host": "127.0.0.1:8002",
    "Origin": "http://127.0.0.1:8002",
    "Sec-Fetch-Site": "same-origin",
}
NUMBER = "0612345678"


@pytest.fixture
def told(desk: Desk, world: World, server: FakeServer) -> list[Reporter]:
    """Three reports: two of one caller (one says so later); one has a photo of the first."""
    reporters = [Reporter(world) for _ in range(3)]
    one, two, three = reporters
    photos = [each.evidence("photo.jpg", "image/jpeg", JPEG) for each in (one, three)]
    server.put(*one.report(photos[:1], description=f"He called from {NUMBER}."))
    server.put(*two.report())
    server.put(*two.follow_up("He called again: +212 6 12 34 56 78"))
    server.put(*three.report(photos[1:]))
    synchronise(desk, Silence())
    return reporters


@pytest.fixture
def page(desk: Desk) -> FlaskClient:
    link = OneTimeLink()
    client = create_pages(desk, BIND, link).test_client()
    client.get(f"/link/{link.token}", headers=FORM)
    return client


def case_of(desk: Desk, reporter: Reporter) -> Case:
    return Cases(desk).find(reporter.case.hex())


def text(client: FlaskClient, reporter: Reporter, query: str = "") -> str:
    return client.get(f"/case/{reporter.case.hex()}{query}", headers=FORM).text


def seen(desk: Desk, reporter: Reporter) -> dict[bytes, list[str]]:
    found = SimilarCases(desk).to(case_of(desk, reporter))
    return {one.case: [reason.kind for reason in one.reasons] for one in found}


def test_cases_are_compared_by_report_messages_and_files(desk: Desk, told: list[Reporter]) -> None:
    one, two, three = told
    assert seen(desk, one) == {two.case: ["phone"], three.case: ["file"]}
    assert seen(desk, two) == {one.case: ["phone"]}


def test_the_command_says_why_in_words_and_in_json(told: list[Reporter], run: Run) -> None:
    one, two, three = (each.case.hex() for each in told)
    said = done(run("similar", one))
    assert f"{two[:4]}-{two[4:8]}" in said
    assert "same phone number +212612345678" in said
    assert "same file, SHA-256" in said
    rows = json.loads(done(run("similar", one, "--json")))
    assert rows["case"] == one
    assert {row["case"]: row["reasons"][0]["kind"] for row in rows["similar"]} == {
        two: "phone",
        three: "file",
    }
    assert len(json.loads(done(run("similar", one, "--json", "--most", "1")))["similar"]) == 1
    done(run("link", one, two, "--kind", "unrelated"))
    done(run("link", one, three, "--kind", "duplicate"))
    assert "+212612345678" not in done(run("similar", one))
    assert "(duplicate)" in done(run("similar", one))
    done(run("link", two, one, "--kind", "unrelated"))
    assert "No case here resembles it." in done(run("similar", two))


@pytest.mark.claim("C-DESK-REST")
def test_what_cases_are_compared_by_is_kept_sealed_and_serves_the_next_start(
    desk: Desk, told: list[Reporter], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = seen(desk, told[0])
    kept = b"".join(path.read_bytes() for path in desk.home.folder.glob("traces.sqlite*"))
    assert kept
    for plain in (b"612345678", b"phone", told[0].case.hex().encode()):
        assert plain not in kept
    monkeypatch.setattr(similar_cases, "features_of", lambda *_, **__: pytest.fail("made anew"))
    assert seen(desk, told[0]) == before


def test_what_was_moved_or_spoilt_on_the_disk_is_made_anew(
    desk: Desk, told: list[Reporter]
) -> None:
    before = seen(desk, told[0])
    with sqlite3.connect(desk.home.traces) as connection:
        (row,) = connection.execute("SELECT sealed FROM rows LIMIT 1").fetchone()
        connection.execute("UPDATE rows SET sealed=?", (row,))
    connection.close()
    assert seen(desk, told[0]) == before
    desk.home.traces.write_bytes(b"no database")
    assert seen(desk, told[0]) == before


def test_what_is_new_is_compared_and_what_is_gone_is_not(
    desk: Desk, world: World, server: FakeServer, told: list[Reporter]
) -> None:
    cases = SimilarCases(desk)
    mine = case_of(desk, told[0])
    assert len(cases.to(mine)) == 2
    late = Reporter(world)
    server.put(*late.report(description=f"{NUMBER} again"))
    synchronise(desk, Silence())
    steps: list[str] = []

    class Progress(Silence):
        def step(self, words: str) -> None:
            steps.append(words)

    assert {one.case for one in cases.to(mine, progress=Progress())} == {
        told[1].case,
        told[2].case,
        late.case,
    }
    assert steps == ["Comparing the cases (0 of 1)"]
    with sqlite3.connect(desk.home.database) as connection:
        connection.execute("DELETE FROM envelopes WHERE case_id=?", (late.case,))
    connection.close()
    assert late.case not in seen(desk, told[0])
    assert late.case not in {one.case for one in cases.to(mine)}


def test_the_page_shows_them_with_the_reason_and_three_answers(
    desk: Desk, told: list[Reporter], page: FlaskClient
) -> None:
    one, two, _ = told
    shown = text(page, one)
    assert "Similar cases" in shown
    assert "same phone number" in shown
    assert '<bdi dir="ltr">+212612345678</bdi>' in shown
    form = r'name="case" value="([0-9a-f]{32})">\s*<input[^>]+name="kind" value="(\w+)"'
    forms = re.findall(form, shown)
    assert (two.case.hex(), "related") in forms
    assert {kind for _, kind in forms} == {"related", "duplicate", "unrelated"}
    answer = page.post(
        f"/case/{one.case.hex()}/act/link",
        headers=FORM,
        data={"case": two.case.hex(), "kind": "unrelated"},
    )
    assert answer.status_code == 303
    assert "same phone number" not in text(page, one)
    third = {"case": told[2].case.hex(), "kind": "related"}
    page.post(f"/case/{one.case.hex()}/act/link", headers=FORM, data=third)
    shown = text(page, one)
    assert "linked</b>" in shown
    assert "same file" in shown
    page.post(f"/case/{one.case.hex()}/act/link", headers=FORM, data={**third, "kind": "duplicate"})
    assert "this one repeats it" in text(page, one)
    assert case_of(desk, one).work.links[told[2].case.hex()] == "duplicate"


def test_a_page_says_that_there_are_more_reasons_and_where_there_is_none(
    told: list[Reporter], page: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panel, "REASONS_SHOWN", 0)
    assert "and 1 more" in text(page, told[0])
    monkeypatch.setattr(panel, "SHOWN", 0)
    assert "No case here resembles it." in text(page, told[0])


def test_hostile_words_in_a_reason_are_text(
    desk: Desk, world: World, server: FakeServer, page: FlaskClient
) -> None:
    evil: dict[str, Any] = {"urls": ['https://evil.site/"><script>alert(1)</script>\u202e']}
    reporters = [Reporter(world) for _ in range(2)]
    for one in reporters:
        server.put(*one.report(**evil))
    synchronise(desk, Silence())
    shown = text(page, reporters[0])
    assert "same page" in shown
    assert "<script" not in shown
    assert "\u202e" not in shown
    assert 'href="https://evil' not in shown


def test_an_institutions_own_file_is_read_and_a_broken_one_is_named(
    desk: Desk, told: list[Reporter], run: Run
) -> None:
    ours = (resources.files("desk") / "similar.toml").read_text("utf-8")
    own = desk.home.similar
    own.write_text(ours.replace("ignore = [", f'ignore = ["phone:+212{NUMBER[1:]}",'), "utf-8")
    assert set(seen(desk, told[0])) == {told[2].case}
    own.write_text("x")
    with pytest.raises(RulesMalformed):
        SimilarCases(desk)
    assert "similar.toml" in run("similar", told[0].case.hex()).stderr
