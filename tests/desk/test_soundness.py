"""Claim C-VERIFY: what is damaged on this machine is found, named, and fetched again."""

# ruff: noqa: PLR0913, PLR0917 - a test names the fixtures that it needs

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from typing import TYPE_CHECKING

import pytest

from crypto.header import Kind
from desk import soundness
from desk.alarms import Alarm, Sign
from desk.cases import Cases
from desk.desk import Desk
from desk.errors import Stopped
from desk.evidence import open_evidence, view, views
from desk.outbox import append
from desk.parts import are_as_sealed
from desk.progress import Silence
from desk.proving import prove
from desk.sentence import Sentence
from desk.sync import synchronise
from tests.desk.running import done, running
from tests.desk.world import JPEG, Reporter, make_desk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crypto.strict_json import Json
    from desk.cases import Case
    from desk.proving import Proof
    from desk.store import Envelope
    from desk.sync import SyncReport
    from tests.desk.running import Run
    from tests.desk.server import FakeServer
    from tests.desk.world import Row, World

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

FILM = os.urandom(300_000)
WHOLE = "all signatures hold, 1 file read to the end"


def flip(path: Path) -> None:
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(bytes(damaged))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def grow(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def lose(path: Path) -> None:
    path.unlink()


def make_unreadable(path: Path) -> None:
    """As a failing disk does: the name is there, and reading is an error."""
    path.unlink()
    path.mkdir()


class Steps(Silence):
    """Remembers what it was told, and stops where a test says so."""

    def __init__(self, most: int = 100) -> None:
        self.said: list[str] = []
        self.most = most

    def step(self, words: str) -> None:
        """Remember it."""
        self.said.append(words)
        if len(self.said) > self.most:
            raise Stopped(words)


@pytest.fixture
def film(reporter: Reporter, sync: Synced) -> Row:
    """One file in one case, whole on the desk."""
    row = reporter.evidence("video-1.mp4", "video/mp4", FILM)
    sync(*reporter.report([row]))
    return row


def the_one(desk: Desk) -> Proof:
    (proof,) = prove(desk, Silence()).cases
    return proof


def alarm(reporter: Reporter, envelope: bytes, sign: Sign = Sign.FILE_DAMAGED) -> Alarm:
    return Alarm(sign, reporter.case.hex(), envelope.hex())


@pytest.mark.claim("C-VERIFY")
@pytest.mark.parametrize("harm", [flip, cut, grow, lose], ids=lambda one: one.__name__)
def test_a_file_that_was_damaged_here_is_found_told_and_fetched_again(
    desk: Desk, reporter: Reporter, film: Row, sync: Synced, read: Read, run: Run,
    tmp_path: Path, harm: Callable[[Path], None],
) -> None:  # fmt: skip
    ref = read().ref
    assert done(run("verify")) == f"{ref}: {WHOLE}\n"
    harm(desk.store.part_path(film.id, 1))
    said = run("verify", ref)
    assert said.exit_code == 3
    assert "all signatures hold" not in said.stdout
    assert "damaged on this machine" in " ".join(said.stderr.split())
    # The case, its page and what opens it say the same.
    assert read().alarms == (alarm(reporter, film.id),)
    assert view(desk, read().files[0]).problem == "not-fetched"
    left = json.loads(run("open", ref, "--to", str(tmp_path / "out"), "--json").stdout)
    assert left["left_out"] == [film.id.hex()]
    again = run("verify", "--json")
    assert again.exit_code == 3
    (proof,) = json.loads(again.stdout)["cases"]
    assert (proof["files"], proof["files_read"], proof["files_not_here"]) == (1, 0, 1)
    # And the next sync puts it right.
    assert sync().files == 1
    assert read().alarms == ()
    assert desk.store.part_path(film.id, 1).read_bytes() == film.parts[0]
    assert done(run("verify")) == f"{ref}: {WHOLE}\n"
    assert b"".join(open_evidence(desk, read(), film.id.hex()).whole()) == FILM


@pytest.mark.claim("C-VERIFY")
def test_a_file_that_cannot_be_read_is_damaged(desk: Desk, reporter: Reporter, film: Row) -> None:
    make_unreadable(desk.store.part_path(film.id, 1))
    assert the_one(desk).alarms == (alarm(reporter, film.id),)


@pytest.mark.claim("C-VERIFY")
def test_a_file_that_is_not_what_its_manifest_says_is_named_as_well(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read, run: Run, tmp_path: Path
) -> None:
    row = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG, sha256=bytes(32))
    sync(*reporter.report([row]))
    assert run("open", read().ref, "--to", str(tmp_path / "out")).exit_code == 3
    assert the_one(desk).alarms == (alarm(reporter, row.id, Sign.FILE_UNSOUND),)
    # Fetching it again would not help, so nothing says that it is lacking.
    assert (view(desk, read().files[0]).problem, sync().files) == ("", 0)
    assert read().alarms == (alarm(reporter, row.id, Sign.FILE_UNSOUND),)


def test_a_file_that_nothing_names_is_read_like_the_others(
    desk: Desk, reporter: Reporter, sync: Synced
) -> None:
    stray = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    sync(*reporter.report(), stray)
    assert the_one(desk).files_read == 1
    flip(desk.store.part_path(stray.id, 1))
    assert alarm(reporter, stray.id) in the_one(desk).alarms


@pytest.mark.claim("C-VERIFY")
def test_a_redacted_copy_is_a_file_like_the_others(
    desk: Desk, reporter: Reporter, film: Row, sync: Synced, read: Read
) -> None:
    copy = copied(desk, read(), film)
    sync()
    assert (the_one(desk).files_read, the_one(desk).alarms) == (2, ())
    flip(desk.store.part_path(copy.id, 1))
    assert the_one(desk).alarms == (alarm(reporter, copy.id),)
    assert sync().files == 1
    assert the_one(desk).alarms == ()


def copied(desk: Desk, case: Case, film: Row) -> Envelope:
    """A redacted copy of a film, some words long, in an entry of the desk's own."""
    words = b"what may be read"
    told: dict[str, Json] = {
        "file": film.id.hex(), "sha256": hashlib.sha256(words).hexdigest(), "length": len(words),
        "media_type": "text/plain", "answer": "", "part": 0, "boxes": [], "spans": [],
    }  # fmt: skip
    append(desk, case, "redaction", told, words)
    return next(one for one in desk.store.of_case(case.id) if one.kind is Kind.ENTRY)


@pytest.mark.claim("C-VERIFY")
def test_what_is_in_quarantine_is_compared_and_not_opened(
    desk: Desk, reporter: Reporter, film: Row, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = views(desk, read())[0].sha256
    closing = {"file": film.id.hex(), "sha256": digest, "custodian": "custodian 1", "text": ""}
    append(desk, read(), "quarantine", closing)

    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(soundness, "opened", never)
    assert (the_one(desk).files_read, the_one(desk).alarms) == (1, ())
    flip(desk.store.part_path(film.id, 1))
    assert the_one(desk).alarms == (alarm(reporter, film.id),)


def test_a_file_that_is_not_here_yet_is_no_fault_and_is_counted(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, run: Run, read: Read
) -> None:
    server.answers["/v1/parts"] = (404, b"{}")
    sync(*reporter.report([reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)]))
    desk.store.quieten(*desk.store.alarms())
    assert done(run("verify")) == f"{read().ref}: all signatures hold, 1 file not fetched yet\n"


def test_each_file_is_a_step_and_what_was_found_stays_when_it_is_stopped(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read
) -> None:
    rows = [reporter.evidence(f"{n}.mp4", "video/mp4", bytes([n]) * 9_000) for n in range(3)]
    sync(*reporter.report(rows))
    told = Steps()
    prove(desk, told)
    assert told.said == [
        "Proving the cases (0 of 1)",
        *(f"Proving the cases (0 of 1): file {n} of 3, 9.3 KB" for n in (1, 2, 3)),
    ]
    assert all(isinstance(one, Sentence) for one in told.said)
    first = min(one.id for one in rows)
    flip(desk.store.part_path(first, 1))
    with pytest.raises(Stopped):
        prove(desk, Steps(2))
    assert read().alarms == (alarm(reporter, first),)


def test_a_long_file_can_be_stopped_in_its_middle(
    desk: Desk, film: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopping(Silence):
        def advance(self, amount: int) -> None:
            if not amount:
                raise Stopped("opened")

    with pytest.raises(Stopped, match="opened"):
        prove(desk, Stopping())
    monkeypatch.setattr(Stopping, "advance", lambda *_: (_ for _ in ()).throw(Stopped("sealed")))
    with pytest.raises(Stopped, match="sealed"):
        prove(desk, Stopping())
    assert film
    assert desk.store.alarms() == ()


def test_an_alarm_whose_cause_is_gone_is_forgotten(
    desk: Desk, reporter: Reporter, film: Row
) -> None:
    desk.store.shout(alarm(reporter, film.id))
    desk.store.shout(alarm(reporter, film.id, Sign.FILE_UNSOUND))
    assert the_one(desk).alarms == ()
    assert desk.store.alarms() == ()


def test_what_was_sealed_anew_meanwhile_is_not_damaged(
    desk: Desk, reporter: Reporter, film: Row, server: FakeServer, read: Read,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    server.answers["/v1/envelopes"] = (503, b"{}")
    old = copied(desk, read(), film)

    def meanwhile(one: Envelope, paths: list[Path], *given: object) -> bool:
        if one.id == old.id and given:
            with sqlite3.connect(desk.home.database) as connection:
                connection.execute("DELETE FROM envelopes WHERE envelope=?", (old.id,))
        return are_as_sealed(one, paths) if paths and paths[0].exists() else not paths

    monkeypatch.setattr(soundness, "are_as_sealed", meanwhile)
    assert the_one(desk).alarms == ()
    assert desk.store.alarms() == ()
    assert reporter


def test_an_outside_that_was_changed_here_is_an_alarm_though_nobody_here_opens_it(
    desk: Desk, reporter: Reporter, report: list[Row], sync: Synced
) -> None:
    sync(*report)
    locked = report[1]
    with sqlite3.connect(desk.home.database) as connection:
        connection.execute(
            "UPDATE envelopes SET manifest=? WHERE envelope=?",
            (locked.manifest[:-1] + bytes([locked.manifest[-1] ^ 1]), locked.id),
        )
    assert the_one(desk).alarms == (alarm(reporter, locked.id, Sign.CANNOT_OPEN),)


def test_what_does_not_open_here_is_said_once_and_not_called_damaged(
    desk: Desk, reporter: Reporter, film: Row
) -> None:
    with sqlite3.connect(desk.home.database) as connection:
        connection.execute("UPDATE envelopes SET manifest=X'00' WHERE envelope=?", (film.id,))
    assert the_one(desk).alarms == (alarm(reporter, film.id, Sign.CANNOT_OPEN),)


def test_listing_and_showing_read_no_file(
    film: Row, run: Run, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(soundness, "are_as_sealed", never)
    monkeypatch.setattr("desk.evidence.EvidenceFile.whole", never)
    assert film
    done(run("list"))
    done(run("show", read().ref))


def test_several_cases_are_read_one_after_the_other(desk: Desk, world: World, sync: Synced) -> None:
    several = [Reporter(world) for _ in range(3)]
    rows = [one.evidence("photo-1.jpg", "image/jpeg", JPEG) for one in several]
    for one, row in zip(several, rows, strict=True):
        sync(*one.report([row]))
    flip(desk.store.part_path(rows[1].id, 1))
    proven = prove(desk, Silence())
    assert (proven.files_read, proven.files_not_here) == (3, 0)
    assert [one.case for one in proven.odd] == [several[1].case]
    alone = prove(desk, Silence(), several[0].case.hex())
    assert (alone.files_read, alone.all_alarms) == (1, ())
    assert Cases(desk).find(several[1].case.hex()).alarms


@pytest.mark.claim("C-VERIFY")
def test_a_desk_that_opens_no_signature_says_that_it_proved_none(
    tmp_path: Path, world: World, server: FakeServer, reporter: Reporter, phrase: Path
) -> None:
    report = reporter.report()
    server.put(*report)
    keeper = make_desk(tmp_path / "keeper", world, server.url, keyring=world.custodians[0])
    synchronise(keeper, Silence())
    run = running(keeper.home.folder, phrase)
    (one,) = prove(keeper, Silence()).closed
    assert (one.opens, one.not_opened, one.alarms) == (False, 1, ())
    said = done(run("verify"))
    assert said == (
        f"{one.ref}: no signature proven, as nothing signed opens on this desk, "
        "1 envelope not opened\n"
    )
    # What it can ask is whether its own share opens.
    kept = keeper.store.everything()[0]
    wraps = kept.wraps[:-1] + bytes([kept.wraps[-1] ^ 1])
    with sqlite3.connect(keeper.home.database) as connection:
        connection.execute("UPDATE envelopes SET wraps=?", (wraps,))
    wrong = Alarm(Sign.CANNOT_OPEN, reporter.case.hex(), report[1].id.hex())
    assert prove(keeper, Silence()).all_alarms == (wrong,)


def test_a_case_that_was_sealed_to_others_is_told_apart_from_one_that_was_proven(
    desk: Desk, world: World, reporter: Reporter, server: FakeServer, sync: Synced, run: Run
) -> None:
    other = Reporter(world)
    rows = other.report()
    server.left_out.add(rows[0].id)
    sync(*reporter.report(), *rows)
    desk.store.quieten(*desk.store.alarms())
    assert [one.case for one in prove(desk, Silence()).closed] == [other.case]
    said = done(run("verify"))
    assert said.count("all signatures hold") == 1
    assert said.count("no signature proven") == 1
    assert "2 envelopes not opened" in said


@pytest.mark.claim("C-VERIFY")
@pytest.mark.parametrize("command", ["list", "sync", "verify"])
def test_a_database_that_was_damaged_says_how_everything_comes_again(
    desk: Desk, film: Row, run: Run, world: World, server: FakeServer, command: str
) -> None:
    with desk.store._connection() as connection:
        connection.execute("UPDATE envelopes SET header = CAST(x'00' || substr(header, 2) AS BLOB)")
    refused = run(command)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "move store.sqlite and the files named after it out of the desk's folder" in (
        refused.stderr
    )
    # And it is so.
    elsewhere = desk.home.folder.parent / "kept"
    elsewhere.mkdir()
    for path in desk.home.folder.glob("store.sqlite*"):
        path.rename(elsewhere / path.name)
    root = elsewhere / "root.pub"
    root.write_text(world.root_public.to_text())
    done(run("enrol", "--server", server.url, "--root-public", str(root)))
    done(run("sync"))
    (proof,) = json.loads(done(run("verify", "--json")))["cases"]
    assert proof["alarms"] == []
    (case,) = Cases(Desk.open(desk.home, desk.keyring, today=desk.today)).all()
    assert b"".join(open_evidence(desk, case, film.header.envelope.hex()).whole()) == FILM
