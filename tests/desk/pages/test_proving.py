"""The page that proves: what it counts, what is wrong first, and that a case may grow meanwhile."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from crypto.ids import CaseId
from desk.alarms import Alarm, Sign
from desk.cases import Cases
from desk.errors import NoSuchCase
from desk.outbox import answer
from desk.pages import proving
from desk.pages.background import Background, Job
from desk.pages.door import Bind
from desk.progress import Silence
from desk.proving import prove
from desk.sentence import Sentence
from desk.summary import deep_alarms
from desk.work import write_note
from tests.desk.pages.test_background import FORM, HEAD, Slow, wait_for
from tests.desk.world import JPEG, Reporter

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

    from desk.cases import Case
    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.running import Run
    from tests.desk.server import FakeServer
    from tests.desk.world import World

    Synced = Callable[..., SyncReport]

BIND = Bind("127.0.0.1", 8002)
FORGED = (Sign.FOLLOW_UP_FORGED, Sign.IDENTITY_NOT_NAMED)
"""What a forged message and the identity that came with it are shouted about as."""


@pytest.fixture
def two(desk: Desk, world: World, sync: Synced) -> tuple[Reporter, Reporter]:
    """A case with a file, a message, an answer and a note; and one that somebody forged into."""
    good, odd = (Reporter(world, case=CaseId(bytes([first] * 16))) for first in (1, 2))
    photo = good.evidence("photo.jpg", "image/jpeg", JPEG)
    forged = odd.follow_up("I never wrote this.", signer=world.root)
    sync(*good.report([photo]), *good.follow_up("More."), *odd.report(), *forged)
    answer(desk, Cases(desk).find(good.case.hex()), "We look.")
    write_note(desk, Cases(desk).find(good.case.hex()), "Noted.")
    return good, odd


def proven(page: FlaskClient, beside: Background, **form: str) -> str:
    """Press the button, wait, and read what came of it."""
    answered = page.post("/verify", headers=FORM, data=form)
    assert (answered.status_code, answered.location) == (303, "/work")
    job = beside.job
    assert job is not None
    wait_for(lambda: not job.is_running)
    assert page.get("/work", headers=HEAD).location == "/verify"
    return page.get("/verify", headers=HEAD).text


def counted(html: str) -> list[int]:
    return [int(one) for one in re.findall(r"<dt>[^<]+</dt><dd>(\d+)</dd>", html)]


def test_the_engine_counts_and_puts_what_is_wrong_first(
    desk: Desk, two: tuple[Reporter, Reporter]
) -> None:
    good, odd = two
    desk.store.shout(Alarm(Sign.ROSTER_FORKED))
    done = prove(desk, Silence())
    assert [one.case for one in done.cases] == [odd.case, good.case]
    assert [one.case for one in done.odd] == [odd.case]
    assert (done.entries, done.messages, done.files) == (1, 2, 1)
    assert [one.sign for one in done.all_alarms] == [Sign.ROSTER_FORKED, *FORGED]
    alone = prove(desk, Silence(), good.case.hex()[:8])
    assert [one.case for one in alone.cases] == [good.case]
    with pytest.raises(NoSuchCase):
        prove(desk, Silence(), "ffffffff")


def test_the_command_prints_what_the_engine_says(two: tuple[Reporter, Reporter], run: Run) -> None:
    good, odd = two
    said = run("verify", "--json")
    assert said.exit_code == 3
    first, second = json.loads(said.stdout)["cases"]
    assert (first["case"], len(first["alarms"])) == (odd.case.hex(), len(FORGED))
    assert second == {
        "case": good.case.hex(), "ref": f"{good.case.hex()[:4]}-{good.case.hex()[4:8]}",
        "entries": 1, "replies_and_messages": 2, "files": 1, "files_read": 1, "files_not_here": 0,
        "files_in_quarantine": 0, "opens": True, "not_opened": 2, "alarms": [],
    }  # fmt: skip


def test_the_page_says_how_much_was_proven_and_links_what_is_wrong(
    desk: Desk, page: FlaskClient, beside: Background, two: tuple[Reporter, Reporter]
) -> None:
    good, odd = two
    before = page.get("/verify", headers=HEAD).text
    assert "Prove all cases" in before
    assert "Proven on" not in before
    desk.store.shout(Alarm(Sign.ROSTER_FORKED))
    html = proven(page, beside)
    assert "Proven on 22 Nov 2026 10:00" in html
    assert counted(html) == [2, 1, 2, 1]
    wrong = html.partition('class="odd"')[2]
    assert f'href="/case/{odd.case.hex()}"' in wrong
    assert f"/case/{good.case.hex()}" not in html
    assert "Follow up forged" in wrong
    assert "Roster forked" in html.partition('class="alarms"')[2]
    assert "all signatures hold" not in html


def test_one_case_is_proven_from_its_own_page(
    page: FlaskClient, beside: Background, two: tuple[Reporter, Reporter]
) -> None:
    good, _ = two
    case = page.get(f"/case/{good.case.hex()}", headers=HEAD).text
    assert f'name="case" value="{good.case.hex()}"' in case.partition('action="/verify"')[2]
    html = proven(page, beside, case=good.case.hex())
    assert counted(html) == [1, 1, 2, 1]
    assert "Only this case" in html
    assert f'href="/case/{good.case.hex()}"' in html
    assert "all signatures hold" in html
    assert page.post("/verify", headers=FORM, data={"case": "ffffffff"}).status_code == 404


@pytest.mark.claim("C-VERIFY")
def test_the_page_reads_the_files_and_agrees_with_the_cases_own(
    desk: Desk, page: FlaskClient, beside: Background, two: tuple[Reporter, Reporter],
    sync: Synced,
) -> None:  # fmt: skip
    good, _ = two
    one = good.case.hex()
    html = proven(page, beside, case=one)
    assert "Read to the end: 1 file." in html
    assert "every file that is here is what was sealed" in html
    (path,) = desk.home.parts.iterdir()
    path.write_bytes(bytes(path.stat().st_size))
    html = proven(page, beside)
    assert f"/case/{one}" in html.partition('class="odd"')[2]
    assert "File damaged" in html
    assert "damaged on this machine" in html
    case = page.get(f"/case/{one}", headers=HEAD).text
    assert "File damaged" in case
    assert "not fetched yet: sync again" in case
    html = proven(page, beside, case=one)
    assert "Read to the end" not in html
    assert "Not fetched yet, so not proven: 1 file." in html
    sync()
    assert "File damaged" not in page.get(f"/case/{one}", headers=HEAD).text
    html = proven(page, beside, case=one)
    assert "Nothing is wrong with it" in html
    assert "Not fetched yet" not in html


def test_a_desk_without_cases_says_that_there_was_none(
    page: FlaskClient, beside: Background
) -> None:
    assert "There was no case to prove." in proven(page, beside)


def test_beside_another_job_the_button_says_so_in_place(
    page: FlaskClient, beside: Background
) -> None:
    slow = Slow()
    beside.begin(Job("compare", Sentence("Comparing the cases"), "/"), slow)
    assert slow.begun.wait(20)
    refused = page.post("/verify", headers=FORM)
    assert refused.status_code == 422
    assert "under way already" in refused.text
    assert 'href="/work"' in refused.text
    slow.go_on.set()


def test_what_comes_while_cases_are_proven_is_no_fault(
    desk: Desk, world: World, two: tuple[Reporter, Reporter], sync: Synced,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    good, _ = two
    late = Reporter(world)
    grown: list[bool] = []

    def while_something_comes(desk: Desk, case: Case) -> tuple[Alarm, ...]:
        if not grown:
            grown.append(True)
            sync(*good.follow_up("Once more."), *late.report())
            write_note(desk, Cases(desk).find(good.case.hex()), "Noted again.")
        return deep_alarms(desk, case)

    monkeypatch.setattr("desk.proving.deep_alarms", while_something_comes)
    done = prove(desk, Silence())
    assert grown
    assert len(done.cases) == 2
    assert len(done.all_alarms) == len(FORGED)
    after = prove(desk, Silence())
    assert len(after.cases) == 3
    assert len(after.all_alarms) == len(FORGED)


def test_a_flood_of_alarms_is_counted_and_not_all_shown(
    page: FlaskClient, beside: Background, two: tuple[Reporter, Reporter],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    assert two
    monkeypatch.setattr(proving, "EACH", 0)
    html = proven(page, beside)
    assert "and 2 more" in html
    assert "Follow up forged" not in html
    monkeypatch.setattr(proving, "SHOWN", 0)
    html = page.get("/verify", headers=HEAD).text
    assert "Cases with alarms: 1" in html


def test_the_page_says_where_no_signature_was_proven(  # noqa: PLR0913, PLR0917 - its fixtures
    desk: Desk, page: FlaskClient, beside: Background, reporter: Reporter, sync: Synced,
    server: FakeServer, world: World,
) -> None:  # fmt: skip
    rows = reporter.report()
    server.left_out.add(rows[0].id)
    sync(*rows)
    desk.store.quieten(*desk.store.alarms())
    html = proven(page, beside)
    assert "No signature was proven" in html
    assert "all signatures hold" not in html
    sync(*Reporter(world).report())
    html = proven(page, beside)
    assert "opens on this desk in: 1 case." in html
    assert "all signatures hold" not in html
