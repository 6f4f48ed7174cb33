"""The wall at a terminal: the page's numbers, anew each minute, and a calm end."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from desk import commands_of_wall
from desk.alarms import Alarm, Sign
from desk.desk import Desk
from desk.pages.app import create_pages
from desk.pages.door import Bind, OneTimeLink
from desk.progress import Silence
from desk.room import wall as engine
from desk.room import words
from desk.room.period import Period
from desk.sync import synchronise
from tests.desk.running import done, running
from tests.desk.test_statuses import FORM
from tests.desk.world import PASSPHRASE, Reporter, World, make_desk

if TYPE_CHECKING:
    from pathlib import Path

    from tests.desk.running import Run
    from tests.desk.server import FakeServer
    from tests.quarter.plan import Planned

DAYS = "2024-06-03..2024-09-02"


@pytest.fixture
def run(quarter: Desk, tmp_path: Path) -> Run:
    phrase = tmp_path / "phrase"
    phrase.write_text(f"{PASSPHRASE}\n")
    return running(quarter.home.folder, phrase)


def tiles_of_page(desk: Desk) -> list[tuple[str, str]]:
    """What the page's tiles say."""
    link = OneTimeLink()
    client = create_pages(desk, Bind("127.0.0.1", 8002), link).test_client()
    client.get(f"/link/{link.token}", headers=FORM)
    page = client.get(f"/room/wall?period={DAYS}", headers=FORM).text
    return re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)", page)


def test_the_terminal_and_the_page_show_the_same_numbers(quarter: Desk, run: Run) -> None:
    told = done(run("wall", "--once", "--period", DAYS))
    plain = " ".join(re.sub(r"[│╭╮╰╯─]", " ", told).split())
    tiles = tiles_of_page(quarter)
    assert len(tiles) == 15
    for name, number in tiles:
        assert name.split()[0] in plain
        assert re.search(rf"\b{re.escape(number.strip())}\b", plain) or number.strip() == "–", name
    for title in ("categories", "identity", "regions", "series"):
        assert words.TITLES[title] in told
    assert "last sync 2026-11-22 09:40" in told
    assert "█" in told


def test_nobodys_words_are_on_it(run: Run, reports: list[Planned]) -> None:
    told = done(run("wall", "--period", DAYS))
    for one in reports:
        assert str(one.fields["description"])[:20] not in told
    for word in ("SYNTHETIC", "Suspect 1", "operator 1"):
        assert word not in told


def test_a_short_period_has_the_trend_of_thirty_days_and_a_wrong_one_is_refused(run: Run) -> None:
    assert words.WALL["trend"] in done(run("wall", "--period", "today"))
    assert words.TITLES["series"] in done(run("wall", "--from", "2024-06-03", "--to", "2024-07-03"))
    for wrong in (("--period", "soon"), ("--period", "month", "--from", "2024-06-03")):
        assert run("wall", *wrong).exit_code == 1


def test_it_is_counted_anew_each_minute_until_it_is_ended(
    quarter: Desk, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    counted: list[Period] = []
    terminal = Console(force_terminal=True, width=140, height=50)
    monkeypatch.setattr(commands_of_wall, "out", lambda: terminal)
    count = engine.wall

    def counting(desk: Desk, period: Period, *rest: object) -> engine.Wall:
        counted.append(period)
        return count(desk, period, *rest)  # type: ignore[arg-type]  # as it is given

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(engine, "wall", counting)
    monkeypatch.setattr(commands_of_wall, "time", SimpleNamespace(sleep=wait))
    with terminal.capture():
        ended = run("wall")
    assert ended.exit_code == 0, ended.output
    assert "taken down" in ended.stderr
    assert waits == [engine.SECONDS] * 3
    assert len(counted) == 3
    assert quarter.store.noted("last_sync")


def test_signs_that_a_terminal_cannot_show_are_not_used(
    quarter: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    console = Console(width=120)
    monkeypatch.setattr(Console, "encoding", "ascii")
    found = engine.wall(quarter, Period(quarter.today(), quarter.today()), "2026-11-22 12:50")
    with console.capture() as said:
        console.print(commands_of_wall.drawn(console, quarter, found))
    assert not set(said.get()) & set("█▁▂▃▄▅▆▇")
    assert "More than an hour ago" in said.get()


def test_a_roster_that_another_program_fetched_is_believed_at_the_next_minute(
    world: World, desk: Desk, server: FakeServer
) -> None:
    chosen = Period(desk.today(), desk.today())
    assert engine.wall(desk, chosen, "").over[0].cell == 0
    before = world.roster
    world.roster = world.renewed()
    server.note = world.roster.note
    server.history[before.epoch] = before.note
    server.put(*Reporter(world).report())
    other = Desk.open(desk.home, desk.keyring, today=desk.today)
    synchronise(other, Silence())
    assert engine.wall(desk, chosen, "").over[0].cell == 1
    assert desk.trust.epoch == before.epoch + 1


def test_a_desk_that_never_synced_and_has_alarms_says_so(
    tmp_path: Path, world: World, server: FakeServer
) -> None:
    empty = make_desk(tmp_path / "empty", world, server.url)
    empty.store.shout(Alarm(Sign.ROSTER_REFUSED))
    found = engine.wall(empty, Period(empty.today(), empty.today()), "2026-11-22 09:41")
    console = Console(width=120)
    with console.capture() as said:
        console.print(commands_of_wall.drawn(console, empty, found))
    assert "never synced" in said.get()
    assert "1 alarm" in said.get()
