"""Whoever is killed while writing in clear leaves nothing behind that nobody is told of."""

from __future__ import annotations

import fcntl
import os
import signal
from typing import TYPE_CHECKING

import pytest

from crypto.keyfile import seal_keyfile
from crypto.local import LocalKey
from desk import unfinished
from desk.cases import Cases
from desk.config import DeskHome
from desk.export import export_case
from desk.program import Setting
from desk.transmission import cli, proof, services
from desk.transmission.receiving import open_sealed
from desk.unfinished import Ledger
from tests.desk.transmission.conftest import SERVICE, UNIT, Handing
from tests.desk.world import CHEAP, JPEG, PASSPHRASE, TODAY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

    from desk.desk import Desk
    from tests.desk.conftest import Synced
    from tests.desk.world import Reporter, World

SECRET = b"what nobody but the service may read, " * 50
KILLED = [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP]
NAMES = [one.name for one in KILLED]


@pytest.fixture
def ready(world: World, desk: Desk, reporter: Reporter, sync: Synced, tmp_path: Path) -> Handing:
    """A case that can be handed over, with a file that can be looked for."""
    services.bind(desk, UNIT.service, SERVICE.public)
    out = tmp_path / "out"
    out.mkdir()
    handing = Handing(world, desk, reporter, sync, out)
    handing.begin(reporter.evidence("secret.txt", "text/plain", SECRET))
    handing.ready()
    return handing


def holding(folder: Path) -> list[Path]:
    """The files anywhere below that hold it in clear."""
    return [one for one in folder.rglob("*") if one.is_file() and SECRET in one.read_bytes()]


def killed(
    work: Callable[[], object], where: object, name: str, number: signal.Signals, given: str = ""
) -> None:
    """Run work in a child that stops where it calls `where.name`; there it is killed, really.

    `given`: only where it calls it with an argument of that name.
    """
    here, there = os.pipe()
    true = getattr(where, name)
    child = os.fork()
    if child == 0:

        def stop(*arguments: object, **named: object) -> object:
            if given and given not in named:
                return true(*arguments, **named)
            os.write(there, b".")
            while True:
                signal.pause()

        try:
            # A test's runner may have its own ways to end.
            for one in KILLED[1:]:
                signal.signal(one, signal.SIG_DFL)
            setattr(where, name, stop)
            work()
        finally:
            os._exit(0)
    os.close(there)
    assert os.read(here, 1) == b".", "it did not come so far"
    os.close(here)
    os.kill(child, number)
    os.waitpid(child, 0)


@pytest.fixture
def told(desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What the next command of this desk says, whichever it is."""
    phrase = tmp_path / "phrase"
    phrase.write_text(PASSPHRASE)

    def unlock() -> str:
        capsys.readouterr()
        home = DeskHome(desk.home.folder, phrase)
        Setting(home, today=lambda: TODAY, cost=CHEAP).unlock(None)
        return capsys.readouterr().err

    return unlock


@pytest.mark.claim("C-UNFINISHED")
@pytest.mark.parametrize("number", KILLED, ids=NAMES)
def test_a_folder_for_print_that_was_cut_off_does_not_stay(
    ready: Handing, told: Callable[[], str], number: signal.Signals
) -> None:
    target = ready.folder / "print"
    killed(lambda: ready.transmit("print", in_clear=True), proof, "verify_folder", number)
    left = holding(ready.folder)
    assert not target.exists()
    # Whoever is killed outright cannot clean up; whoever is asked to end, does.
    assert bool(left) == (number is signal.SIGKILL)
    assert all(one.relative_to(ready.folder).parts[0].startswith("print.unproven-") for one in left)
    said = told()
    assert ("has been removed: " + str(ready.folder / "print.unproven-") in said) == bool(left)
    assert list(ready.folder.iterdir()) == []
    assert told() == ""
    assert list(ready.desk.home.unfinished.iterdir()) == []


@pytest.mark.claim("C-UNFINISHED")
@pytest.mark.parametrize("number", KILLED, ids=NAMES)
def test_an_export_that_was_cut_off_leaves_nothing_that_is_not_proven(
    desk: Desk,
    reporter: Reporter,
    sync: Synced,
    told: Callable[[], str],
    number: signal.Signals,
) -> None:  # fmt: skip
    files = [reporter.evidence(f"{n}.txt", "text/plain", SECRET) for n in range(2)]
    sync(*reporter.report([*files, reporter.evidence("a.jpg", "image/jpeg", JPEG)]))
    case, out = Cases(desk).find(reporter.case.hex()), desk.home.folder.parent / "out"
    killed(lambda: export_case(desk, case, out), os, "rename", number, "dst_dir_fd")
    left = holding(out)
    assert len(left) == (number is signal.SIGKILL)
    assert all("case.unproven-" in str(one) for one in left)
    assert ("has been removed" in told()) == bool(left)
    assert holding(out) == []
    assert [one.name for one in out.iterdir()] == ["evidence"]


@pytest.mark.claim("C-UNFINISHED")
@pytest.mark.parametrize("number", KILLED, ids=NAMES)
def test_a_package_whose_opening_was_cut_off_does_not_lie_open(
    ready: Handing, tmp_path: Path, number: signal.Signals, run_package: Callable[..., str]
) -> None:
    package = ready.transmit().path
    target = tmp_path / "service" / "opened"
    ledger = Ledger(tmp_path / "service.key.unfinished")
    killed(
        lambda: open_sealed(package, SERVICE, ready.root_line, target, ledger),
        proof, "verify_folder", number,
    )  # fmt: skip
    left = holding(target.parent)
    assert bool(left) == (number is signal.SIGKILL)
    assert not target.exists()
    said = run_package(package, target)
    assert ("amana-package: Writing in clear was cut off" in said) == bool(left)
    (whole,) = holding(tmp_path / "service")
    assert whole.is_relative_to(target)


@pytest.fixture
def run_package(ready: Handing, tmp_path: Path) -> Callable[..., str]:
    """Open a package with the service's own program; gives what it said on stderr."""
    from click.testing import CliRunner  # noqa: PLC0415  # for this one

    (tmp_path / "service.key").write_bytes(
        seal_keyfile({"service": SERVICE.raw}, PASSPHRASE, cost=CHEAP)
    )
    (tmp_path / "phrase").write_text(PASSPHRASE)
    (tmp_path / "root.pub").write_text(ready.root_line)

    def run(package: Path, target: Path) -> str:
        done = CliRunner().invoke(cli.main, [
            "open", str(package), "--key", str(tmp_path / "service.key"), "--to", str(target),
            "--root", str(tmp_path / "root.pub"), "--passphrase-file", str(tmp_path / "phrase"),
        ])  # fmt: skip
        assert done.exit_code == 0, done.output
        return done.stderr

    return run


def test_what_another_program_is_still_writing_is_left_to_it(desk: Desk, tmp_path: Path) -> None:
    ledger = Ledger.of(desk)
    with ledger.making(tmp_path / "a") as place:
        (place / "x").write_bytes(SECRET)
        # What is written down is sealed, and says nothing of where.
        (entry,) = desk.home.unfinished.iterdir()
        assert str(tmp_path).encode() not in entry.read_bytes()
        assert ledger.rests() == []
        assert holding(tmp_path) == [place / "x"]
    assert holding(tmp_path) == []
    assert list(desk.home.unfinished.iterdir()) == []


@pytest.fixture
def left(desk: Desk, tmp_path: Path) -> tuple[Ledger, Path]:
    """A rest on a stick, and the ledger that knows of it."""
    stick = tmp_path / "stick"
    stick.mkdir()
    ledger = Ledger.of(desk)

    def work() -> None:
        with ledger.making(stick / "a") as place:
            (place / "x").write_bytes(SECRET)
            os.getpgrp()

    killed(work, os, "getpgrp", signal.SIGKILL)
    (place,) = stick.iterdir()
    return ledger, place


def test_a_rest_on_a_stick_that_was_taken_out_is_told_until_it_is_gone(
    left: tuple[Ledger, Path], tmp_path: Path
) -> None:
    ledger, place = left
    away = tmp_path / "away"
    place.parent.rename(away)
    for _ in range(2):
        (rest,) = ledger.rests()
        assert (rest.gone, rest.place) == (False, str(place))
        assert "could not be removed" in rest.words
        assert str(rest.entry) in rest.words
    away.rename(place.parent)
    (rest,) = ledger.rests()
    assert rest.gone
    assert holding(tmp_path) == []
    assert ledger.rests() == []


def test_nothing_is_removed_on_the_word_of_a_note_that_is_not_ours(
    left: tuple[Ledger, Path], tmp_path: Path, world: World
) -> None:
    ledger, place = left
    assert ledger.folder is not None
    mine = tmp_path / "mine"
    mine.mkdir()
    foreign = LocalKey.of(world.operators[1].key, unfinished.PURPOSE)
    assert [one.gone for one in Ledger(ledger.folder, foreign).rests()] == [False]
    open_ledger = Ledger(tmp_path / "open")
    (tmp_path / "open").mkdir()
    for number, named in enumerate((str(mine), f"{mine}/../mine", "a.unproven-" + "0" * 16)):
        (tmp_path / "open" / str(number)).write_text(named)
    assert [one.gone for one in open_ledger.rests()] == [False] * 3
    assert mine.exists()
    assert place.exists()


def test_where_nothing_can_be_written_down_the_name_says_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with Ledger(tmp_path / "file" / "none").making(tmp_path / "a") as place:
        assert place.name.startswith("a.unproven-")
    assert not place.exists()
    assert Ledger(tmp_path / "file" / "none").rests() == []
    with Ledger().making(tmp_path / "a") as place:
        pass
    assert not place.exists()


def test_what_is_no_plain_file_among_the_notes_ends_no_start_of_the_desk(
    left: tuple[Ledger, Path], tmp_path: Path
) -> None:
    ledger, place = left
    assert ledger.folder is not None
    (ledger.folder / "evidence").mkdir()
    (ledger.folder / "a link").symlink_to(tmp_path / "nowhere")
    os.mkfifo(ledger.folder / "pipe")
    (rest,) = ledger.rests()
    assert (rest.gone, rest.place) == (True, str(place))
    assert (ledger.folder / "evidence").is_dir()
    assert not (tmp_path / "nowhere").exists()
    # One that another program is done with by the time it is looked at.
    assert not unfinished._is_plain(ledger.folder / "gone")  # no other way to be there in time


class Between:
    """Ends another program's writing at one point of this one's look for rests."""

    def __init__(self, ledger: Ledger, target: Path) -> None:
        self._writing = ledger.making(target)
        self._writing.__enter__()
        self.is_done = False

    def end(self) -> None:
        """It ends, once."""
        if not self.is_done:
            self.is_done = True
            self._writing.__exit__(None, None, None)


@pytest.mark.claim("C-UNFINISHED")
@pytest.mark.parametrize("where", ["before it is opened", "before it is locked"])
def test_what_ends_while_it_is_looked_at_is_over_and_leaves_no_note(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    ledger = Ledger.of(desk)
    other = Between(ledger, tmp_path / "a")
    plain, flock = unfinished._is_plain, fcntl.flock  # no other way to be there in time

    def seen(entry: Path) -> bool:
        found = plain(entry)
        other.end()
        return found

    def locked(file: BinaryIO, how: int) -> None:
        other.end()
        flock(file, how)

    with monkeypatch.context() as racing:
        if where == "before it is opened":
            racing.setattr(unfinished, "_is_plain", seen)
        else:
            racing.setattr(fcntl, "flock", locked)
        assert ledger.rests() == []
    assert other.is_done
    assert list(desk.home.unfinished.iterdir()) == []
    assert ledger.rests() == []


def test_a_note_that_says_nothing_is_no_rest_and_goes(desk: Desk) -> None:
    desk.home.unfinished.mkdir(mode=0o700)
    for name in ("0" * 16, "h" + "1" * 16):
        (desk.home.unfinished / name).touch()
    (desk.home.unfinished / "a list").touch()
    assert [one.place for one in Ledger.of(desk).rests()] == ["?"]
    assert [one.name for one in desk.home.unfinished.iterdir()] == ["a list"]
