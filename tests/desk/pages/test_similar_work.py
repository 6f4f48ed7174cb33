"""Comparing cases and looking at pictures are jobs of the case's page, which nobody waits for."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from desk import similar_cases
from desk.cases import Cases
from desk.errors import NotLockedIn, Stopped
from desk.pages.background import Background
from desk.pages.door import Bind
from desk.progress import Silence
from desk.sight import shown
from desk.similar_cases import SimilarCases
from tests.desk.pages.test_background import FORM, HEAD, wait_for
from tests.desk.similar.test_pictures import drawn, needs_jail, png
from tests.desk.world import JPEG, Reporter

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.world import World

    Synced = Callable[..., SyncReport]

BIND = Bind("127.0.0.1", 8002)
NOT_YET = "were not compared yet. With thousands"
NEW_PICTURES = "Some pictures here were not compared yet"
ALIKE = "almost the same picture"


@pytest.fixture
def told(world: World, sync: Synced) -> list[Reporter]:
    """Two reports with a picture each and one number, and a third with a text file."""
    reporters = [Reporter(world) for _ in range(3)]
    files = [
        one.evidence(f"a.{kind}", media_type, kind.encode())
        for one, kind, media_type in zip(
            reporters, ("jpg", "png", "txt"), ("image/jpeg", "image/png", "text/plain"), strict=True
        )
    ]
    for one, file in zip(reporters, files, strict=True):
        sync(*one.report([file], description="0612345678" if file is not files[2] else ""))
    return reporters


def case(page: FlaskClient, reporter: Reporter) -> str:
    answer = page.get(f"/case/{reporter.case.hex()}", headers=HEAD)
    assert answer.status_code == 200
    return answer.text


def press(page: FlaskClient, reporter: Reporter, what: str) -> int:
    """Press a button of the similar part."""
    where = f"/case/{reporter.case.hex()}/similar"
    return page.post(where, headers=FORM, data={"what": what}).status_code


def ended(page: FlaskClient, beside: Background) -> str:
    """Wait for the job, and go where its page leads."""
    job = beside.job
    assert job is not None
    wait_for(lambda: not job.is_running)
    return page.get(page.get("/work", headers=HEAD).location, headers=HEAD).text


def test_cases_are_compared_by_a_button_and_not_by_the_page(
    page: FlaskClient, beside: Background, told: list[Reporter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similar_cases, "BATCH", 2)
    asking = case(page, told[0])
    assert NOT_YET in asking
    assert "same phone number" not in asking
    assert NEW_PICTURES not in asking
    assert press(page, told[0], "compare") == 303
    assert "same phone number" in ended(page, beside)
    assert "same phone number" in case(page, told[1])


def test_while_they_are_compared_no_page_waits(
    page: FlaskClient, beside: Background, told: list[Reporter], monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, features = threading.Event(), SimilarCases._features

    def slowly(self: SimilarCases, *given: Any) -> Any:
        go_on.wait(20)
        return features(self, *given)

    monkeypatch.setattr(SimilarCases, "_features", slowly)
    assert press(page, told[0], "compare") == 303
    shown_meanwhile = case(page, told[1])
    assert "are being compared" in shown_meanwhile
    assert 'href="/work"' in shown_meanwhile
    assert "No case here resembles it." not in shown_meanwhile
    refused = page.post(
        f"/case/{told[1].case.hex()}/similar", headers=FORM, data={"what": "pictures"}
    )
    assert refused.status_code == 422
    assert "under way already" in refused.text
    go_on.set()
    assert "same phone number" in ended(page, beside)


def test_pictures_are_looked_at_by_a_button_and_are_a_reason_then(
    page: FlaskClient, beside: Background, told: list[Reporter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown, "pixels", lambda *_, **__: drawn(360, 240))
    before = case(page, told[0])
    assert NEW_PICTURES in before
    assert ALIKE not in before
    # It is of all cases: the third has no picture, and offers it as well.
    assert NEW_PICTURES in case(page, told[2])
    assert press(page, told[0], "pictures") == 303
    after = ended(page, beside)
    assert ALIKE in after
    assert "Pictures that were new and could be compared: 2." in after
    assert NEW_PICTURES not in after
    other = case(page, told[1])
    assert ALIKE in other
    assert "could be compared" not in other


@needs_jail
def test_what_looks_is_locked_in_and_outlives_the_job(
    page: FlaskClient, beside: Background, world: World, sync: Synced
) -> None:
    """Two jobs, each in a thread that ends: the second one's pictures are looked at as well."""
    reporters = [Reporter(world) for _ in range(3)]
    for number, one in enumerate(reporters):
        content = png(drawn(360 - 60 * number, 240 - 40 * number))
        sync(*one.report([one.evidence("photo.png", "image/png", content)]))
        if number:
            assert press(page, reporters[0], "pictures") == 303
            looked = 2 if number == 1 else 1
            assert f"could be compared: {looked}." in ended(page, beside)
    assert case(page, reporters[0]).count(ALIKE) == 2


def test_a_picture_that_comes_later_is_offered_again(
    page: FlaskClient, beside: Background, told: list[Reporter], monkeypatch: pytest.MonkeyPatch,
    sync: Synced,
) -> None:  # fmt: skip
    monkeypatch.setattr(shown, "pixels", lambda *_, **__: drawn(360, 240))
    assert press(page, told[0], "pictures") == 303
    ended(page, beside)
    late = Reporter(told[0].world)
    sync(*late.report([late.evidence("b.jpg", "image/jpeg", JPEG)]))
    assert NEW_PICTURES in case(page, told[0])


def test_what_cannot_be_looked_at_is_not_offered_again_in_this_run(
    page: FlaskClient, beside: Background, world: World, sync: Synced, desk: Desk
) -> None:
    one = Reporter(world)
    photo = one.evidence("a.jpg", "image/jpeg", JPEG)
    sync(*one.report([photo]))
    # Not all of it is here.
    with desk.store._connection() as connection:
        connection.execute("UPDATE envelopes SET whole=0 WHERE envelope=?", (photo.id,))
    assert NEW_PICTURES in case(page, one)
    assert press(page, one, "pictures") == 303
    assert NEW_PICTURES not in ended(page, beside)


def test_while_pictures_are_looked_at_pages_compare_and_a_stop_keeps_what_was_done(
    page: FlaskClient, beside: Background, told: list[Reporter], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, looked = threading.Event(), threading.Event(), []

    def slowly(*_: object, **__: object) -> object:
        looked.append(1)
        begun.set()
        go_on.wait(20)
        return drawn(360, 240)

    monkeypatch.setattr(shown, "pixels", slowly)
    assert press(page, told[0], "pictures") == 303
    assert begun.wait(20)
    meanwhile = case(page, told[0])
    assert "same phone number" in meanwhile
    assert "are being compared" in meanwhile
    assert NEW_PICTURES not in meanwhile
    page.post("/work/stop", headers=FORM)
    go_on.set()
    stopped = ended(page, beside)
    assert "It was stopped." in stopped
    assert NEW_PICTURES in stopped
    assert "It was stopped." not in case(page, told[1])
    assert press(page, told[0], "pictures") == 303
    ended(page, beside)
    assert len(looked) == 2


def test_where_nothing_can_be_locked_in_the_page_says_so(
    page: FlaskClient, beside: Background, told: list[Reporter], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object, **__: object) -> None:
        raise NotLockedIn(shown.NO_JAIL)

    monkeypatch.setattr(shown, "pixels", none)
    assert press(page, told[0], "pictures") == 303
    said = ended(page, beside)
    assert "There is no preview on this machine" in said
    assert NEW_PICTURES in said


@pytest.mark.claim("C-LOCK")
def test_after_lock_no_further_picture_is_looked_at_and_nothing_that_was_read_stays(
    page: FlaskClient, beside: Background, world: World, sync: Synced,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A reporter sends as many pictures to one case as they like."""
    one = Reporter(world)
    rows = [one.evidence(f"{n}.jpg", "image/jpeg", JPEG + bytes([n])) for n in range(6)]
    sync(*one.report(rows))
    begun, go_on = threading.Event(), threading.Event()
    looked: list[str] = []

    def slowly(_: SimilarCases, _case: object, file_id: str) -> int:
        looked.append(file_id)
        begun.set()
        go_on.wait(20)
        return 5

    monkeypatch.setattr(SimilarCases, "_looked_at", slowly)
    monkeypatch.setattr(Background.end, "__defaults__", (0.01,))
    searched = page.post("/search", headers=FORM, data={"q": "He is at my door"})
    assert "He is at my door" in page.get(searched.location, headers=HEAD).text
    assert press(page, one, "pictures") == 303
    assert begun.wait(20)
    threads = list(beside._threads)
    assert page.post("/lock", headers=FORM).status_code == 200
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert len(looked) == 1
    of: dict[str, Any] = dict(page.application.view_functions)
    cases = of["begin_similar"].__self__.cases
    assert not any((cases._kept, cases._comparison, cases._pictures))
    listing = of["search"].__self__
    assert (listing._typed, listing._counts) == ({}, (None, {}))


def test_only_what_the_buttons_say_is_taken(page: FlaskClient, told: list[Reporter]) -> None:
    assert press(page, told[0], "everything") == 400
    answer = page.post("/case/ffffffff/similar", headers=FORM, data={"what": "compare"})
    assert answer.status_code == 404


def test_a_comparison_that_was_stopped_goes_on_where_it_was(
    desk: Desk, told: list[Reporter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similar_cases, "BATCH", 1)
    read, features = [], SimilarCases._features

    def counted(self: SimilarCases, *given: Any) -> Any:
        read.append(1)
        return features(self, *given)

    class Twice(Silence):
        steps = 0

        def step(self, words: str) -> None:
            self.steps += 1
            if self.steps == 3:
                raise Stopped(words)

    monkeypatch.setattr(SimilarCases, "_features", counted)
    cases, mine = SimilarCases(desk), Cases(desk).find(told[0].case.hex())
    with pytest.raises(Stopped):
        cases.to(mine, progress=Twice())
    assert len(read) == 2
    assert [one.case for one in cases.to(mine)] == [told[1].case]
    assert len(read) == 3


def test_nobody_waits_long_for_another_thread_that_compares(
    desk: Desk, told: list[Reporter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similar_cases, "QUICK_SECONDS", 0.01)
    cases, mine = SimilarCases(desk), Cases(desk).find(told[0].case.hex())
    assert cases.quickly(mine)
    assert cases.has_new_pictures()
    begun = time.monotonic()
    with cases._lock:
        assert cases.quickly(mine) is None
        assert not cases.has_new_pictures()
    assert time.monotonic() - begun < 4
