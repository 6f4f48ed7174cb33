"""Work beside the requests: one at a time, seen and stopped from a page, over with Lock."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING

import pytest

from desk.errors import DeskError, Stopped, WorkRefused
from desk.pages.background import REFRESH_SECONDS, Background, Job
from desk.pages.door import Bind
from desk.progress import Stoppable
from desk.sentence import Sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

    from desk.progress import Progress

BIND = Bind("127.0.0.1", 8002)
HEAD = {"Host": "127.0.0.1:8002"}
FORM = {**HEAD, "Origin": "http://127.0.0.1:8002", "Sec-Fetch-Site": "same-origin"}


def a_job(kind: str = "verify") -> Job:
    return Job(kind, Sentence("Proving all cases"), "/verify")


def wait_for(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.005)


class Slow:
    """Work that goes on step by step until it is let go, or stopped."""

    def __init__(self) -> None:
        self.begun, self.go_on, self.stopped = (threading.Event() for _ in range(3))

    def __call__(self, progress: Progress) -> str:
        """Step after step."""
        try:
            number = 0
            while not self.go_on.wait(0.005):
                progress.step(
                    Sentence("Proving the cases ({start} of {all})", start=number, all=40)
                )
                self.begun.set()
                number = min(number + 1, 39)
        except Stopped:
            self.stopped.set()
            raise
        return "done"


def test_a_job_runs_beside_and_what_came_of_it_stays_until_the_next(beside: Background) -> None:
    job, slow = a_job(), Slow()
    beside.begin(job, slow)
    assert slow.begun.wait(20)
    assert (job.is_running, job.result, beside.of("verify")) == (True, None, job)
    assert beside.of("compare") is None
    assert job.share is not None
    assert job.share[1] == 40
    with pytest.raises(WorkRefused, match="under way already"):
        beside.begin(a_job(), slow)
    slow.go_on.set()
    wait_for(lambda: not job.is_running)
    assert (job.result, job.problem, job.ended) == ("done", "", "2026-11-22 10:00")
    beside.begin(a_job("compare"), lambda _: "other")
    assert beside.of("verify") is None


def test_a_refusal_is_kept_in_words(beside: Background) -> None:
    def refuses(_: Progress) -> None:
        raise DeskError(Sentence("It is {what}.", what="so"))

    job = a_job()
    beside.begin(job, refuses)
    wait_for(lambda: not job.is_running)
    assert (job.result, job.problem) == (None, "It is so.")
    assert isinstance(job.problem, Sentence)
    assert job.share is None


def test_an_error_of_ours_is_said_and_its_words_are_not(
    beside: Background, capfd: pytest.CaptureFixture[str]
) -> None:
    def breaks(_: Progress) -> None:
        raise RuntimeError("a word of a reporter")

    job = a_job()
    beside.begin(job, breaks)
    wait_for(lambda: not job.is_running)
    assert "met an error" in job.problem
    said = capfd.readouterr().err
    assert "RuntimeError at pages/test_background.py" in said
    assert "reporter" not in said
    # Another one can begin.
    beside.begin(a_job(), lambda _: None)


@pytest.mark.claim("C-LOCK")
def test_the_end_stops_what_runs_waits_for_it_and_forgets(beside: Background) -> None:
    slow, other = Slow(), threading.Event()
    beside.begin(a_job(), slow)
    beside.beside(lambda: other.set() if beside.over.wait(20) else None)
    assert slow.begun.wait(20)
    beside.end()
    assert slow.stopped.is_set()
    assert other.is_set()
    assert beside.job is None
    with pytest.raises(WorkRefused, match="locked"):
        beside.begin(a_job(), slow)
    with pytest.raises(WorkRefused, match="locked"):
        beside.beside(lambda: None)
    # Nothing to stop, and nothing to end.
    beside.stop()
    beside.end()


def test_the_end_does_not_wait_for_one_that_hangs(beside: Background) -> None:
    hangs = threading.Event()
    beside.begin(a_job(), lambda _: hangs.wait(20))
    begun = time.monotonic()
    beside.end(0.05)
    assert time.monotonic() - begun < 10
    hangs.set()


def test_bytes_that_come_stop_it_too() -> None:
    asked = threading.Event()
    doing = Stoppable(asked.is_set)
    doing.step("x")
    doing.expect(7)
    doing.advance(3)
    assert (doing.words, doing.expected, doing.come) == ("x", 7, 3)
    asked.set()
    with pytest.raises(Stopped):
        doing.advance(1)
    with pytest.raises(Stopped):
        doing.step("y")


def test_the_page_says_how_far_it_is_and_leads_on(page: FlaskClient, beside: Background) -> None:
    assert page.get("/work", headers=HEAD).location == "/"
    job, slow = a_job(), Slow()
    begun = threading.Event()

    def work(progress: Progress) -> str:
        begun.wait(20)
        return slow(progress)

    beside.begin(job, work)
    first = page.get("/work", headers=HEAD)
    assert "It has begun." in first.text
    assert "<progress" not in first.text
    begun.set()
    assert slow.begun.wait(20)
    shown = page.get("/work", headers=HEAD)
    assert shown.headers["Refresh"] == str(REFRESH_SECONDS)
    assert re.search(r"Proving the cases \(\d+ of 40\)", shown.text)
    assert re.search(r'<progress value="\d+" max="40"', shown.text)
    assert page.post("/work/stop", headers=FORM).location == "/work"
    wait_for(lambda: not job.is_running)
    ended = page.get("/work", headers=HEAD)
    assert (ended.status_code, ended.location) == (303, "/verify")
    assert "Refresh" not in ended.headers
    assert "It was stopped." in page.get("/verify", headers=HEAD).text


def test_while_it_is_being_stopped_the_page_says_so(page: FlaskClient, beside: Background) -> None:
    hangs = threading.Event()
    beside.begin(a_job(), lambda _: hangs.wait(20))
    page.post("/work/stop", headers=FORM)
    assert "It is being stopped." in page.get("/work", headers=HEAD).text
    hangs.set()


@pytest.mark.claim("C-LOCK")
def test_lock_ends_it(page: FlaskClient, beside: Background) -> None:
    slow = Slow()
    beside.begin(a_job(), slow)
    assert slow.begun.wait(20)
    assert "Locked" in page.post("/lock", headers=FORM).text
    assert slow.stopped.is_set()
    assert beside.job is None
    assert page.get("/work", headers=HEAD).status_code == 401
