"""Work that takes minutes, beside the requests: one job at a time, in a thread of its own.

Rule: what a job found, or why it ended, stays in memory until the next one begins, and is written
nowhere; of an error only its type and place are (desk.pages.quiet).  A job ends at its next step
when somebody stops it; with Lock and with the program everything ends here, and nothing begins
any more.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from flask import Response, make_response, redirect, render_template, url_for

from desk.damage import unusable
from desk.desk import local_stamp
from desk.errors import DeskError, WorkRefused
from desk.pages.quiet import report
from desk.progress import Stoppable
from desk.sentence import Sentence, reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from werkzeug.wrappers import Response as BaseResponse

    from desk.progress import Progress

ENDING_SECONDS = 3.0
"""How long Lock and the program's end wait for a step to be over; the server allows five."""
REFRESH_SECONDS = 2
"""How often the page of a running job asks anew."""


@dataclass(slots=True)
class Job:
    """One job: what it is, the case that it is about or none, and the page that shows its end.

    While it runs, `doing` says how far it is; then there is a `result`, or a `problem` in words.
    `ended` is the minute of its end.
    """

    kind: str
    title: str
    where: str
    about: str = ""
    is_asked_to_stop: threading.Event = field(default_factory=threading.Event, repr=False)
    doing: Stoppable = field(init=False, repr=False)
    is_running: bool = True
    result: object = field(default=None, repr=False)
    problem: str = ""
    ended: str = ""

    def __post_init__(self) -> None:
        self.doing = Stoppable(self.is_asked_to_stop.is_set)

    @property
    def share(self) -> tuple[int, int] | None:
        """How many of how many are behind it, where its words say so."""
        facts = self.doing.words.facts if isinstance(self.doing.words, Sentence) else {}
        done, among = facts.get("start"), facts.get("all")
        return (done, among) if isinstance(done, int) and isinstance(among, int) else None


@dataclass(slots=True)
class Background:
    """The threads beside the requests of one run of the pages."""

    now: Callable[[], str] = local_stamp
    over: threading.Event = field(default_factory=threading.Event)
    """Set once nothing may begin any more."""
    _job: Job | None = field(default=None, repr=False)
    _threads: list[threading.Thread] = field(default_factory=list, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def job(self) -> Job | None:
        """The job that runs, or the last one that ran."""
        return self._job

    def of(self, *kinds: str) -> Job | None:
        """That job, if it is of one of these kinds."""
        job = self._job
        return job if job is not None and job.kind in kinds else None

    def begin(self, job: Job, work: Callable[[Progress], object]) -> None:
        """Run `work` in a thread; what the last job left is forgotten.

        Raises:
            WorkRefused: another job runs, or the pages are locked.
        """
        with self._lock:
            self._require_open()
            if self._job is not None and self._job.is_running:
                raise WorkRefused(
                    "Something that takes long is under way already. One at a time: wait for it, "
                    "or stop it."
                )
            self._job = job
            self._start(lambda: self._run(job, work))

    def beside(self, work: Callable[[], None]) -> None:
        """Run something for as long as the pages are open; it has to look at `over`."""
        with self._lock:
            self._require_open()
            self._start(work)

    def stop(self) -> None:
        """Ask the job to end at its next step."""
        if self._job is not None:
            self._job.is_asked_to_stop.set()

    def end(self, seconds: float = ENDING_SECONDS) -> None:
        """End everything, wait so long for that, and forget what was found."""
        with self._lock:
            self.over.set()
            self.stop()
            self._job = None
            threads, self._threads = self._threads, []
        until = time.monotonic() + seconds
        for one in threads:
            one.join(max(0.0, until - time.monotonic()))

    def _require_open(self) -> None:
        if self.over.is_set():
            raise WorkRefused("The pages are locked: nothing begins here any more.")

    def _start(self, work: Callable[[], None]) -> None:
        self._threads = [one for one in self._threads if one.is_alive()]
        # The program does not wait for one that hangs: what it writes is whole at every moment.
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self, job: Job, work: Callable[[Progress], object]) -> None:
        try:
            job.result = work(job.doing)
        except DeskError as error:
            job.problem = reason(error)
        except sqlite3.Error as error:
            job.problem = unusable(error)
        except Exception as error:  # noqa: BLE001  # a thread has nobody above it who would say so
            report(error)
            job.problem = Sentence("The desk met an error, and this was not done to its end.")
        finally:
            job.ended = self.now()
            job.is_running = False


class Shared(Protocol):
    """What this needs of the pages."""

    background: Background


@dataclass(slots=True)
class _Page:
    """The page of the job that runs."""

    pages: Shared

    def show(self) -> BaseResponse:
        """How far it is; once it has ended, the page that shows what came of it."""
        job = self.pages.background.job
        if job is None:
            return redirect(url_for("cases"), 303)
        if not job.is_running:
            return redirect(job.where, 303)
        response: Response = make_response(render_template("work.html", job=job))
        response.headers["Refresh"] = str(REFRESH_SECONDS)
        return response

    def stop(self) -> BaseResponse:
        """Ask it to stop, and look whether it has."""
        self.pages.background.stop()
        return redirect(url_for("work"), 303)


def register(app: Flask, pages: Shared) -> None:
    """Add the page of the job that runs."""
    page = _Page(pages)
    app.add_url_rule("/work", "work", page.show)
    app.add_url_rule("/work/stop", "stop_work", page.stop, methods=["POST"])
