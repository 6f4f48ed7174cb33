"""Claim C-DESK-DISK: no server fills an operator's disk."""

# ruff: noqa: PLR0913, PLR0917 - a test names the fixtures that it needs

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Self

import pytest

from crypto.body import sealed_length
from crypto.header import Kind
from crypto.manifest import EntryBody
from crypto.signing import SigningPrivateKey
from desk.alarms import Alarm, Sign
from desk.disk import WORDS_LEAST, Disk, GiB, MiB, floor
from desk.errors import ServerRefused, ServerUnreachable
from desk.outbox import CONTENT_MOST, append
from desk.progress import Silence
from desk.sync import synchronise
from tests.desk.world import JPEG, Reporter, World, make_desk, row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desk.cases import Case
    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer
    from tests.desk.world import Row

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

FULL = Alarm(Sign.DISK_TOO_FULL)
CUT = Alarm(Sign.NO_ROOM_FOR_WORDS)
FLOOD = 8 * 1024 * 1024
"""Bytes of a part that nobody should ask for: as few as tell, should a test ever fail."""
COPY = {
    "file": "ab" * 16,
    "sha256": "cd" * 32,
    "media_type": "text/plain",
    "answer": "",
    "text": "",
}


class Zeros(bytes):
    """A part as long as it says, of which a server has no byte at rest."""

    size = 0

    def __new__(cls, size: int) -> Self:
        """Of so many bytes."""
        made = super().__new__(cls)
        made.size = size
        return made

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, wanted: object) -> bytes:  # type: ignore[override]  # slices alone
        assert isinstance(wanted, slice)
        return bytes(min(wanted.stop, self.size) - wanted.start)


@dataclass
class Room:
    """How many bytes the disk still takes; `grows` when a test says so."""

    bytes: int


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    made = Room(10 * GiB)
    monkeypatch.setattr(Disk, "left", property(lambda _: made.bytes))
    return made


def asked(server: FakeServer) -> list[str]:
    """The envelopes whose parts were asked for."""
    found = [one.split("/")[3] for one in server.requests if one.startswith("GET /v1/parts")]
    return list(dict.fromkeys(found))


def signs(done: SyncReport) -> set[Sign]:
    return {one.sign for one in done.alarms}


# --- what is not asked for


@pytest.mark.claim("C-DESK-DISK")
def test_parts_behind_a_wrap_that_does_not_open_are_not_asked_for(
    desk: Desk, server: FakeServer, world: World, reporter: Reporter, sync: Synced
) -> None:
    """Our key id on a wrap is public: whoever made it need not be able to seal to us."""
    flood = [Reporter(world).evidence("video-1.mp4", "video/mp4", JPEG) for _ in range(3)]
    stolen = reporter.report()[0].wraps
    for one in flood:
        one.wraps = stolen
        one.parts = [Zeros(FLOOD)]
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    done = sync(*flood, *reporter.report([photo]))
    assert asked(server) == [photo.id.hex()]
    assert [one.name for one in desk.home.parts.iterdir()] == [f"{photo.id.hex()}-1"]
    assert {one.envelope for one in done.alarms} == {one.id.hex() for one in flood}
    assert signs(done) == {Sign.CANNOT_OPEN}
    # Nor the next time.
    assert signs(sync()) == {Sign.CANNOT_OPEN}
    assert asked(server) == [photo.id.hex()]


def test_parts_without_a_wrap_for_us_are_not_asked_for(
    server: FakeServer, reporter: Reporter, sync: Synced
) -> None:
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    photo.parts = [Zeros(FLOOD)]
    server.left_out.add(photo.id)
    assert signs(sync(*reporter.report([photo]))) == {Sign.WRAP_LEFT_OUT}
    assert asked(server) == []


@pytest.mark.claim("C-DESK-DISK")
def test_a_part_of_another_size_than_its_manifest_gives_is_not_asked_for(
    server: FakeServer, reporter: Reporter, sync: Synced
) -> None:
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    photo.parts = [Zeros(FLOOD)]
    assert signs(sync(*reporter.report([photo]))) == {Sign.PARTS_REFUSED}
    assert asked(server) == []


def test_what_carries_no_content_has_no_parts_to_ask_for(
    server: FakeServer, world: World, reporter: Reporter, sync: Synced
) -> None:
    sealer = world.sealer(Kind.FOLLOW_UP, reporter.case)
    sealer.part(bytearray().extend).finish()
    message = row(sealer.seal(b"{}", world.everybody()), [Zeros(FLOOD)])
    assert signs(sync(*reporter.report(), message)) == {Sign.PARTS_REFUSED}
    assert asked(server) == []


def entry(world: World, reporter: Reporter, length: object, **how: object) -> Row:
    body = EntryBody(type="redaction", data={**COPY, "length": length}).to_json()  # type: ignore[dict-item]
    return world.by_operator(Kind.ENTRY, reporter.case, body, content=b"copy", **how)  # type: ignore[arg-type]


@pytest.mark.claim("C-DESK-DISK")
def test_the_part_of_an_entry_that_no_operator_signed_is_not_asked_for(
    server: FakeServer, world: World, reporter: Reporter, sync: Synced, read: Read
) -> None:
    forged = entry(world, reporter, 4, signer=SigningPrivateKey.generate())
    unknown = entry(world, reporter, 4, roster_hash=bytes(32))
    true = entry(world, reporter, 4)
    # Of these the case itself says what is wrong, and a roster may still come.
    assert sync(*reporter.report(), forged, unknown, true).alarms == []
    assert asked(server) == [true.id.hex()]
    assert {one.sign for one in read().alarms} >= {Sign.ENTRY_FORGED, Sign.SIGNER_UNKNOWN}


@pytest.mark.parametrize("length", [CONTENT_MOST + 1, -1, "4", True, None], ids=repr)
def test_an_entry_carries_no_more_than_an_entry_may(
    server: FakeServer, world: World, reporter: Reporter, sync: Synced, length: object
) -> None:
    odd = entry(world, reporter, length)
    if type(length) is int and length > 0:
        odd.parts = [Zeros(sealed_length(length))]
    assert signs(sync(*reporter.report(), odd)) == {Sign.PARTS_REFUSED}
    assert asked(server) == []


# --- the floor


@pytest.mark.claim("C-DESK-DISK")
def test_a_flood_that_opens_stops_where_the_disk_must_stay_free(
    desk: Desk, server: FakeServer, world: World, room: Room, sync: Synced
) -> None:
    """The keys are public: a server seals what it likes to us, in cases of its own."""
    mine, theirs = Reporter(world), Reporter(world)
    photo = mine.evidence("photo-1.jpg", "image/jpeg", JPEG)
    films = [theirs.evidence("video-1.mp4", "video/mp4", JPEG, length=5 * GiB) for _ in range(3)]
    for one in films:
        one.parts = [Zeros(sealed_length(5 * GiB))]
    room.bytes = 4 * GiB
    done = sync(*theirs.report(films), *mine.report([photo]))
    assert asked(server) == [photo.id.hex()]
    assert desk.store.part_path(photo.id, 1).exists()
    assert {one.id for one in done.left} == {one.id for one in films}
    assert done.alarms == [FULL]
    ref = f"{theirs.case.hex()[:4]}-{theirs.case.hex()[4:8]}"
    assert f"3 files not fetched, as this disk has too little room (16.1 GB; {ref})" in done.words
    assert done.to_json()["left"] == [
        {"case": theirs.case.hex(), "envelope": one.id.hex(), "bytes": sealed_length(5 * GiB)}
        for one in sorted(films, key=lambda one: one.id)
    ]
    assert FULL in desk.store.alarms()


def test_of_what_was_left_no_more_than_five_cases_are_named(
    world: World, room: Room, sync: Synced
) -> None:
    room.bytes = 10
    for _ in range(7):
        one = Reporter(world)
        done = sync(*one.report([one.evidence("photo-1.jpg", "image/jpeg", JPEG)]))
    assert len(done.left) == 7
    assert done.words.count("-") == 5
    assert "…" in done.words


@pytest.mark.claim("C-DESK-DISK")
def test_what_was_left_comes_once_there_is_room_and_the_alarm_ends(
    desk: Desk, room: Room, reporter: Reporter, sync: Synced
) -> None:
    small = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    large = reporter.evidence("photo-2.jpg", "image/jpeg", os.urandom(100_000))
    while large.id > small.id:
        large = reporter.evidence("photo-2.jpg", "image/jpeg", os.urandom(100_000))
    # Enough for either: the index names the large one first, and the small one is fetched.
    room.bytes = len(large.parts[0])
    done = sync(*reporter.report([large, small]))
    assert (done.files, [one.id for one in done.left]) == (1, [large.id])
    room.bytes = 10 * GiB
    done = sync()
    assert (done.files, done.left, done.alarms) == (1, [], [])
    assert desk.store.alarms() == ()
    assert desk.store.part_path(large.id, 1).read_bytes() == large.parts[0]


def test_what_was_begun_counts_as_here(
    desk: Desk, server: FakeServer, room: Room, reporter: Reporter, sync: Synced
) -> None:
    film = reporter.evidence("video-1.mp4", "video/mp4", os.urandom(200_000))
    server.cut_parts_after = 150_000
    with pytest.raises(ServerUnreachable):
        sync(*reporter.report([film]))
    server.cut_parts_after = None
    room.bytes = len(film.parts[0]) - 150_000
    # Exactly as much as is lacking still fits; each chunk asks again.
    assert sync().files == 1
    assert desk.store.part_path(film.id, 1).read_bytes() == film.parts[0]


def test_a_disk_that_others_fill_meanwhile_stops_the_file_and_keeps_what_came(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, reporter: Reporter, sync: Synced
) -> None:
    film = reporter.evidence("video-1.mp4", "video/mp4", os.urandom(900_000))
    told = iter([10 * GiB] * 4)
    monkeypatch.setattr(Disk, "left", property(lambda _: next(told, 0)))
    done = sync(*reporter.report([film]))
    assert [one.id for one in done.left] == [film.id]
    assert done.alarms == [FULL]
    here = desk.store.partial_path(film.id, 1).stat().st_size
    assert here > 0
    monkeypatch.setattr(Disk, "left", property(lambda _: 10 * GiB))
    done = sync()
    assert (done.files, done.bytes, done.alarms) == (1, len(film.parts[0]) - here, [])


@pytest.mark.claim("C-DESK-DISK")
def test_an_index_that_does_not_fit_is_read_as_far_as_there_is_room(
    desk: Desk, server: FakeServer, world: World, monkeypatch: pytest.MonkeyPatch,
    reporter: Reporter, sync: Synced, read: Read,
) -> None:  # fmt: skip
    sync(*reporter.report())
    server.answers["/v1/envelopes"] = (503, b"{}")
    assert not append(desk, read(), "note", {"text": "Called the bank."})
    server.answers.clear()
    server.page = 1
    before = len(desk.store.everything())
    told = iter([MiB])
    monkeypatch.setattr(Disk, "left_for_words", property(lambda _: next(told, 100)))
    for _ in range(4):
        server.put(*Reporter(world).report())
    desk.store.note("last_sync", "before")
    done = sync()
    # One page had room.  What was not read is not missing, and what was written here went out.
    assert (len(desk.store.everything()) - before, done.is_cut, done.posted) == (1, True, 1)
    assert done.alarms == [CUT]
    assert "not read to its end, and new reports may be among what was not read" in done.words
    assert done.to_json()["cut"] is True
    assert desk.store.noted("last_sync") == "before"
    monkeypatch.setattr(Disk, "left_for_words", property(lambda _: 10 * GiB))
    done = sync()
    assert (done.envelopes, done.is_cut, done.alarms) == (7, False, [])
    assert desk.store.alarms() == ()


@pytest.mark.claim("C-DESK-DISK")
@pytest.mark.parametrize("what", ["a part", "two posts", "the files"])
def test_that_reports_may_be_missing_is_said_whatever_the_server_breaks_after_the_list(
    desk: Desk, server: FakeServer, world: World, monkeypatch: pytest.MonkeyPatch,
    reporter: Reporter, sync: Synced, read: Read, what: str,
) -> None:  # fmt: skip
    """Whoever fills the disk with words must not be able to hush what is said of that."""
    server.answers["/v1/parts"] = (503, b"{}")
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    with pytest.raises(ServerRefused):
        sync(*reporter.report([photo]))
    server.put(*Reporter(world).report(danger_now="yes"))
    monkeypatch.setattr(Disk, "left_for_words", property(lambda _: 0))
    if what != "a part":
        server.answers.clear()
        name = "send_waiting" if what == "two posts" else "Fetching"

        def breaks(*_: object, **__: object) -> None:
            raise ServerUnreachable("The line broke.")

        monkeypatch.setattr(f"desk.sync.{name}", breaks)
    for _ in range(2):
        with pytest.raises((ServerRefused, ServerUnreachable)):
            sync()
        assert desk.store.alarms() == (CUT,)
    monkeypatch.undo()
    # It ends with its cause, though the files still break.
    server.answers["/v1/parts"] = (503, b"{}")
    with pytest.raises(ServerRefused):
        sync()
    assert desk.store.alarms() == ()
    assert len(desk.store.cases()) == 2
    assert read().files


@pytest.mark.claim("C-DESK-DISK")
def test_that_files_were_left_is_said_though_another_file_breaks(
    desk: Desk, server: FakeServer, room: Room, reporter: Reporter, sync: Synced
) -> None:
    small = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    film = reporter.evidence("video-1.mp4", "video/mp4", JPEG, length=5 * GiB)
    film.parts = [Zeros(sealed_length(5 * GiB))]
    room.bytes = GiB
    server.answers["/v1/parts"] = (503, b"{}")
    with pytest.raises(ServerRefused):
        sync(*reporter.report([small, film]))
    assert desk.store.alarms() == (FULL,)
    # There is room now; a step that breaks off says nothing of its end.
    room.bytes = 10 * GiB
    with pytest.raises(ServerRefused):
        sync()
    assert desk.store.alarms() == (FULL,)


def test_a_sync_with_nothing_new_needs_no_room(
    desk: Desk, room: Room, reporter: Reporter, sync: Synced
) -> None:
    sync(*reporter.report())
    room.bytes = -1
    done = sync()
    assert (done.words, done.alarms) == ("Nothing new.", [])
    assert desk.store.alarms() == ()


def test_a_custodians_identity_with_a_part_is_not_asked_for_it(
    tmp_path: Path, world: World, server: FakeServer, reporter: Reporter
) -> None:
    named = reporter.identity("Samira Alaoui")
    named.header = replace(named.header, parts=2)
    named.parts = [Zeros(FLOOD)]
    server.put(named)
    keeper = make_desk(tmp_path / "keeper", world, server.url, keyring=world.custodians[0])
    assert signs(synchronise(keeper, Silence())) == {Sign.PARTS_REFUSED}
    assert asked(server) == []


@pytest.mark.parametrize(
    ("total", "kept"),
    [(4 * GiB, GiB), (20 * GiB, GiB), (40 * GiB, 2 * GiB), (160 * GiB, 8 * GiB),
     (4096 * GiB, 8 * GiB)],
)  # fmt: skip
def test_a_twentieth_stays_free_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, total: int, kept: int
) -> None:
    assert floor(total) == kept
    state = SimpleNamespace(f_frsize=4096, f_blocks=total // 4096, f_bavail=3 * GiB // 4096)
    monkeypatch.setattr("desk.disk.os.statvfs", lambda _: state)
    assert Disk(tmp_path).left == 3 * GiB - kept
    assert Disk(tmp_path).left_for_words == 3 * GiB - 256 * MiB


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Room:
    """What is free on a disk of 200 GiB, as the machine tells it."""
    made = Room(0)

    def state(_: object) -> SimpleNamespace:
        return SimpleNamespace(f_frsize=1, f_blocks=200 * GiB, f_bavail=made.bytes)

    monkeypatch.setattr("desk.disk.os.statvfs", state)
    return made


@pytest.mark.claim("C-DESK-DISK")
@pytest.mark.parametrize("left", [8 * GiB - MiB, GiB, WORDS_LEAST + MiB])
def test_words_come_where_files_have_no_room_any_more(
    server: FakeServer, reporter: Reporter, sync: Synced, read: Read, free: Room, left: int
) -> None:
    """A laptop that is 96 % full, by a flood or by its own photos, still shows danger to life."""
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    free.bytes = left
    done = sync(*reporter.report([photo], danger_now="yes", description="He is at my door."))
    assert read().danger
    assert read().fields["description"] == "He is at my door."
    assert (done.is_cut, [one.id for one in done.left], done.alarms) == (False, [photo.id], [FULL])
    assert "Reports and messages still come" in FULL.words
    assert asked(server) == []
    # A message, too, to a case that is here.
    assert sync(*reporter.follow_up("He is inside.")).envelopes == 2
    assert read().follow_ups


@pytest.mark.claim("C-DESK-DISK")
def test_below_the_second_mark_it_is_said_that_reports_may_be_missing(
    desk: Desk, reporter: Reporter, sync: Synced, free: Room
) -> None:
    free.bytes = WORDS_LEAST
    done = sync(*reporter.report())
    assert (desk.store.cases(), done.alarms) == ((), [CUT])
    assert "new reports may be among what was not read" in CUT.words
    assert desk.store.alarms() == (CUT,)
    free.bytes = 100 * GiB
    assert (sync().envelopes, desk.store.alarms()) == (2, ())
