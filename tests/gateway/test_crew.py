"""Threads are shared: no source has all of them, and files never do."""

from __future__ import annotations

from gateway.crew import Crew, Job


def job(name: str, source: str = "", kind: str = "", *, long: bool = False) -> Job[str]:
    return Job(name, source.encode() or None, kind.encode(), long)


def run(crew: Crew[str]) -> list[Job[str]]:
    """Give threads to all that may have one now."""
    return list(iter(crew.next, None))


def names(jobs: list[Job[str]]) -> list[str]:
    return [one.item for one in jobs]


def test_each_source_has_its_turn_however_many_requests_another_has() -> None:
    crew: Crew[str] = Crew(4)
    for number in range(50):
        crew.put(job(f"flood {number}", "a"))
    crew.put(job("one", "b"))
    crew.put(job("two", "c"))
    running = run(crew)
    assert names(running) == ["flood 0", "one", "two", "flood 1"]
    for one in running:
        crew.done(one)
    assert names(run(crew)) == ["flood 2", "flood 3"]  # half of the threads, though all are free


def test_where_sources_are_one_each_kind_has_its_turn_and_all_threads_are_used() -> None:
    crew: Crew[str] = Crew(4)
    for number in range(50):
        crew.put(job(f"code {number}", kind="thread"))
    crew.put(job("page"))
    crew.put(job("report", kind="send"))
    assert names(run(crew)) == ["code 0", "page", "report", "code 1"]


def test_long_bodies_have_half_of_the_threads_and_one_source_half_of_those() -> None:
    crew: Crew[str] = Crew(8)
    for number in range(9):
        crew.put(job(f"a {number}", "a", long=True))
    assert names(run(crew)) == ["a 0", "a 1"]
    for number in range(9):
        crew.put(job(f"file {number}", long=True))
    running = run(crew)
    assert names(running) == ["file 0", "file 1"]
    crew.put(job("page"))
    assert names(run(crew)) == ["page"]
    crew.done(running[0])
    assert names(run(crew)) == ["file 2"]


def test_a_crew_of_one_thread_serves_everything() -> None:
    crew: Crew[str] = Crew(1)
    crew.put(job("file", "a", long=True))
    (one,) = run(crew)
    crew.put(job("page", "a"))
    assert run(crew) == []
    crew.done(one)
    assert names(run(crew)) == ["page"]
