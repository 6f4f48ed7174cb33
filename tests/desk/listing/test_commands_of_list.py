"""The list and its views at a terminal."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from crypto.ids import Day
from desk import work
from desk.cases import Cases
from desk.commands_of_list import print_rows
from desk.console import out
from tests.desk.listing.rows import a_row
from tests.desk.running import done
from tests.desk.world import TODAY, Reporter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.running import Run
    from tests.desk.server import FakeServer
    from tests.desk.world import World

    Synced = Callable[..., SyncReport]


def test_a_table_shows_the_first_of_many_and_says_so_and_json_has_all(
    run: Run, world: World, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put(*(row for _ in range(3) for row in Reporter(world).report()))
    done(run("sync"))
    monkeypatch.setattr("desk.commands_of_list.ROWS_SHOWN", 2)
    shown = done(run("list"))
    assert "3 cases, the first 2 shown" in shown
    assert sum("unanswered" in line for line in shown.splitlines()) == 2
    assert "3 cases, last sync" in done(run("list", "--limit", "3"))
    assert len(json.loads(done(run("list", "--json")))["cases"]) == 3


def cases(result: Result) -> list[str]:
    return [one["case"] for one in json.loads(done(result))["cases"]]


def test_a_list_is_chosen_searched_sorted_and_cut(run: Run, world: World, sync: Synced) -> None:
    shop, other, urgent = Reporter(world), Reporter(world), Reporter(world)
    sync(
        *shop.report(description="Une fausse boutique", day=Day(TODAY - 1)),
        *other.report(),
        *urgent.report(imminent="yes"),
    )
    every = [one.case.hex() for one in (urgent, other, shop)]
    assert cases(run("list", "--json")) == every
    assert cases(run("list", "--view", "urgent", "--json")) == every[:1]
    assert cases(run("list", "--search", "BOUTIQUE", "--json")) == every[2:]
    typed = run("list", "--search", "-", "--json", input='"fausse boutique"\n')
    assert cases(typed) == every[2:]
    assert cases(run("list", "--search", "-boutique", "--json")) == every[:2]
    assert cases(run("list", "--sort", "oldest", "--json"))[0] == every[2]
    limited = json.loads(done(run("list", "--limit", "2", "--json")))
    assert (limited["total"], len(limited["cases"])) == (3, 2)
    assert "3 cases, the first 2 shown" in done(run("list", "--limit", "2"))
    assert cases(run("list", "--view", "unanswered", "--danger", "--json")) == every[:1]


def test_a_row_tells_what_an_operator_looks_for(
    run: Run, desk: Desk, reporter: Reporter, sync: Synced, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = reporter.world
    mine, calm = Reporter(world), Reporter(world)
    asked = mine.report()
    sync(*reporter.report(imminent="yes"), *asked, *calm.report())
    sync(*mine.follow_up("", body_changes={"type": "withdrawal"}, parents=[asked[0].header.hash]))
    for case, who in ((reporter.case, "operator 2"), (mine.case, "operator 1")):
        work.assign(desk, Cases(desk).find(case.hex()), who)
    sync(world.entry(reporter.case, "triage"), world.entry(reporter.case, "nowhere"))
    monkeypatch.setattr("desk.commands_of_list.out", lambda: Console(width=300, highlight=False))
    said = " ".join(done(run("list")).split())
    for words in ("P1", "danger with operator 2 two states unanswered 1 alarm", "mine", "P3",
                  "WITHDRAWN", "2026-11-22", "Anonymous"):  # fmt: skip
        assert words in said, words
    # What is overdue, due today or due later differs in colour and not in words.
    for today in (TODAY, TODAY + 30, TODAY - 30):
        assert run("list", today=today).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("list", "--view", "x"), "There are: all, mine"),
        (("list", "--search", "state:nowhere"), "knows: received"),
        (("views", "--save", "mine", "--search", "x"), "already"),
        (("views", "--forget", "mine"), "stays"),
        (("views", "--forget", "x"), "no such view"),
    ],
)
def test_what_is_not_known_says_what_is(run: Run, arguments: tuple[str, ...], why: str) -> None:
    refused = run(*arguments)
    assert refused.exit_code == 1
    assert why in refused.stderr


def test_a_command_line_that_cannot_be_meant_is_refused(run: Run) -> None:
    assert run("list", "--sort", "height").exit_code == 2
    assert run("list", "--limit", "0").exit_code == 2
    refused = run("views", "--search", "x")
    assert refused.exit_code == 2
    assert "--search goes with --save" in refused.stderr


def test_views_are_listed_saved_used_and_forgotten(
    run: Run, reporter: Reporter, world: World, sync: Synced
) -> None:
    sync(*reporter.report(description="boutique"), *Reporter(world).report())
    arguments = ("views", "--save", "Fake shops", "--search", "-", "--sort", "due", "--json")
    views = json.loads(done(run(*arguments, input="boutique")))["views"]
    own = views[-1]
    assert own == {
        "id": own["id"], "name": "Fake shops", "search": "boutique", "sort": "due", "own": True,
        "cases": 1,
    }  # fmt: skip
    assert {"id": "all", "name": "All", "search": "", "sort": "urgency", "own": False, "cases": 2}
    assert cases(run("list", "--view", "fake shops", "--json")) == [reporter.case.hex()]
    said = done(run("views"))
    for words in ("Fake shops", "urgent", "Waiting for the reporter", "is:urgent"):
        assert words in said
    assert "Fake shops" not in done(run("views", "--forget", "Fake shops"))


def test_a_sync_rings_the_bell_and_says_when_it_does_not_work(
    run: Run, desk: Desk, world: World, server: FakeServer, tmp_path: Path
) -> None:
    server.put(*Reporter(world).report())
    rung = run("sync", "--on-news", f"touch '{tmp_path / 'rung'}'")
    assert done(rung) == "1 case with news.\n"
    assert rung.stderr == ""
    assert (tmp_path / "rung").exists()
    desk.home.on_news.write_text(f"'{sys.executable}' -c 'exit(4)'\n")
    server.put(*Reporter(world).report())
    synced = run("sync", "--json")
    assert json.loads(done(synced))["envelopes"] == 2
    assert "ended with an error (4)" in synced.stderr
    server.put(*Reporter(world).report())
    again = run("sync", "--on-news", "/no/such/program")
    assert "cannot be started" in again.stderr
    broken = run("sync", "--on-news", "'no end")
    assert (broken.exit_code, "command line" in broken.stderr) == (1, True)


def test_the_terminal_is_as_wide_as_it_is() -> None:
    assert out().width == 100


def test_a_case_without_a_clock_has_nothing_due(desk: Desk) -> None:
    console = Console(width=200, record=True, file=io.StringIO())
    print_rows(console, desk, [a_row(unanswered=False, day=Day(TODAY - 9)), a_row()])
    first, second = console.export_text().splitlines()[1:3]
    assert "unanswered" not in first
    assert "unanswered" in second
