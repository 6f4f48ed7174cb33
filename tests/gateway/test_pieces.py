"""The spool of uploads in pieces: in order, never written over, sealed, bounded, and forgotten."""

from __future__ import annotations

import multiprocessing
import os
import secrets
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto.errors import CannotOpen
from crypto.pieces import CHUNK_BYTES, SEALED_CHUNK_BYTES, sealed_length
from gateway.config import PieceLimits
from gateway.pieces import (
    EMPTY_SECONDS,
    PIECE_MOST,
    Full,
    Gone,
    Misplaced,
    Misshapen,
    PieceShelf,
    PieceSweeper,
    Taken,
    Upload,
)

if TYPE_CHECKING:
    from pathlib import Path

MARKER = b"the-marker-that-must-not-be-on-a-disk"
LENGTH = 3 * CHUNK_BYTES + 777
FILE = (MARKER * (LENGTH // len(MARKER) + 1))[:LENGTH]
LIMITS = PieceLimits(reserve_bytes=1)


@pytest.fixture
def shelf(tmp_path: Path) -> PieceShelf:
    return PieceShelf(tmp_path, LIMITS)


def path_of(folder: Path) -> Path:
    (path,) = folder.glob("*.pieces")
    return path


def send(shelf: PieceShelf, upload: Upload, content: bytes = FILE, step: int = CHUNK_BYTES) -> None:
    for offset in range(0, len(content), step):
        piece = content[offset : offset + step]
        assert shelf.append(upload, offset, piece) == offset + len(piece)


def send_again(shelf: PieceShelf, upload: Upload) -> None:
    for offset in range(0, LENGTH, CHUNK_BYTES):
        assert shelf.append(upload, offset, FILE[offset : offset + CHUNK_BYTES]) == LENGTH


def go_on(shelf: PieceShelf, upload: Upload, step: int) -> None:
    """Send what is missing, from wherever the shelf says that the upload ends."""
    there = 0
    for _ in range(9):
        try:
            there = shelf.append(upload, there, FILE[there : there + step])
        except Misplaced as elsewhere:
            there = elsewhere.offset
        if there == LENGTH:
            return
    raise AssertionError(there)


def read(shelf: PieceShelf, upload: Upload) -> bytes:
    with shelf.whole(upload) as reader:
        return reader.read_at(0, reader.length)


@pytest.mark.claim("C-RESUME")
@pytest.mark.parametrize("step", [CHUNK_BYTES, 2 * CHUNK_BYTES, PIECE_MOST])
def test_what_came_in_pieces_is_what_was_sent(shelf: PieceShelf, step: int) -> None:
    upload = shelf.begin(LENGTH)
    send(shelf, upload, step=step)
    assert read(shelf, upload) == FILE


@pytest.mark.claim("C-RESUME")
def test_a_piece_that_is_not_next_is_told_where_the_upload_ends(shelf: PieceShelf) -> None:
    upload = shelf.begin(LENGTH)
    for offset, there in ((CHUNK_BYTES, 0), (2 * CHUNK_BYTES, 0)):
        with pytest.raises(Misplaced) as found:
            shelf.append(upload, offset, FILE[offset : offset + CHUNK_BYTES])
        assert found.value.offset == there
    shelf.append(upload, 0, FILE[:CHUNK_BYTES])
    # One that begins in what is there and goes beyond it: its sender goes on from the end.
    with pytest.raises(Misplaced) as found:
        shelf.append(upload, 0, FILE[: 2 * CHUNK_BYTES])
    assert found.value.offset == CHUNK_BYTES
    with pytest.raises(Misplaced), shelf.whole(upload):
        pass
    send(shelf, upload)
    assert read(shelf, upload) == FILE


@pytest.mark.claim("C-RESUME")
def test_a_piece_may_come_twice_and_changes_nothing(shelf: PieceShelf, tmp_path: Path) -> None:
    upload = shelf.begin(LENGTH)
    send(shelf, upload)
    before = path_of(tmp_path).read_bytes()
    send_again(shelf, upload)
    assert path_of(tmp_path).read_bytes() == before


@pytest.mark.claim("C-RESUME")
def test_other_bytes_at_the_same_place_are_refused_and_write_nothing(
    shelf: PieceShelf, tmp_path: Path
) -> None:
    upload = shelf.begin(LENGTH)
    shelf.append(upload, 0, FILE[:CHUNK_BYTES])
    before = path_of(tmp_path).read_bytes()
    with pytest.raises(Gone):
        shelf.append(upload, 0, b"x" + FILE[1:CHUNK_BYTES])
    assert path_of(tmp_path).read_bytes() == before


@pytest.mark.parametrize(
    ("offset", "piece"),
    [
        (0, b""),
        (1, bytes(CHUNK_BYTES)),
        (0, bytes(CHUNK_BYTES - 1)),
        (0, bytes(PIECE_MOST + CHUNK_BYTES)),
        (3 * CHUNK_BYTES, bytes(776)),
        (3 * CHUNK_BYTES, bytes(778)),
    ],
)
def test_a_piece_of_no_page_of_ours_is_refused(
    shelf: PieceShelf, offset: int, piece: bytes
) -> None:
    with pytest.raises(Misshapen):
        shelf.append(shelf.begin(LENGTH), offset, piece)


def test_a_piece_beyond_the_declared_length_is_refused(shelf: PieceShelf) -> None:
    upload = shelf.begin(CHUNK_BYTES)
    shelf.append(upload, 0, bytes(CHUNK_BYTES))
    with pytest.raises(Misplaced):
        shelf.append(upload, CHUNK_BYTES, bytes(CHUNK_BYTES))


@pytest.mark.claim("C-RESUME")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(cuts=st.lists(st.integers(0, sealed_length(2 * CHUNK_BYTES)), min_size=1, max_size=4))
def test_a_write_that_a_kill_cut_at_any_byte_is_gone_on_from(
    shelf: PieceShelf, tmp_path: Path, cuts: list[int]
) -> None:
    upload = shelf.begin(LENGTH)
    path = tmp_path / f"{upload.name.hex()}.pieces"
    for cut in cuts:
        go_on(shelf, upload, 2 * CHUNK_BYTES)
        os.truncate(path, cut)
    go_on(shelf, upload, CHUNK_BYTES)
    assert read(shelf, upload) == FILE
    shelf.drop(upload)


@pytest.mark.claim("C-RESUME")
def test_a_file_that_somebody_changed_is_seen(shelf: PieceShelf, tmp_path: Path) -> None:
    upload = shelf.begin(LENGTH)
    send(shelf, upload)
    path = path_of(tmp_path)
    sealed = bytearray(path.read_bytes())
    for at in (0, SEALED_CHUNK_BYTES + 100, len(sealed) - 1):
        path.write_bytes(bytes(sealed[:at]) + bytes([sealed[at] ^ 1]) + bytes(sealed[at + 1 :]))
        with pytest.raises(CannotOpen):
            read(shelf, upload)
        # A piece that is there, as far as its length says, does not pass for the sender's either.
        with pytest.raises(Gone):
            send_again(shelf, upload)
    path.write_bytes(bytes(sealed[:-1]))
    with pytest.raises(Misplaced) as found:
        read(shelf, upload)
    assert found.value.offset == 3 * CHUNK_BYTES
    path.write_bytes(bytes(sealed) + b"x")
    with pytest.raises(Gone):
        read(shelf, upload)


@pytest.mark.claim("C-RESUME")
def test_two_at_once_write_one_after_the_other(shelf: PieceShelf) -> None:
    upload = shelf.begin(LENGTH)
    found: list[object] = []

    def race() -> None:
        for offset in range(0, LENGTH, CHUNK_BYTES):
            try:
                found.append(shelf.append(upload, offset, FILE[offset : offset + CHUNK_BYTES]))
            except Misplaced as elsewhere:
                found.append(elsewhere)

    threads = [threading.Thread(target=race) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert read(shelf, upload) == FILE


def test_whoever_holds_an_upload_does_not_hold_the_others(
    shelf: PieceShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.pieces._LOCK_SECONDS", 0.05)
    upload = shelf.begin(CHUNK_BYTES)
    send(shelf, upload, bytes(CHUNK_BYTES))
    with shelf.whole(upload):
        began = time.monotonic()
        with pytest.raises(Taken):
            shelf.append(upload, 0, bytes(CHUNK_BYTES))
        with pytest.raises(Taken), shelf.whole(upload):
            pass
        # Of the time that others wait, this machine's own hiccups are a part.
        assert time.monotonic() - began < 10
        assert shelf.append(shelf.begin(5), 0, b"other") == 5
    assert read(shelf, upload) == bytes(CHUNK_BYTES)


def test_an_upload_that_went_while_it_was_waited_for_is_gone(
    shelf: PieceShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = shelf.begin(5)

    def drop(_: int, __: float) -> None:
        shelf.drop(upload)

    monkeypatch.setattr("gateway.pieces._lock", drop)
    with pytest.raises(Gone):
        shelf.append(upload, 0, b"12345")


@pytest.mark.claim("C-NODISK")
def test_the_spool_holds_neither_plaintext_nor_key_nor_length(
    shelf: PieceShelf, tmp_path: Path
) -> None:
    upload = shelf.begin(LENGTH)

    def on_disk() -> bytes:
        return b"".join(
            one.name.encode() + one.read_bytes() for one in tmp_path.rglob("*") if one.is_file()
        )

    def found_in(disk: bytes) -> list[bytes]:
        secrets = (MARKER, upload.key.raw, upload.key.raw.hex().encode(), b"what became of it")
        return [one for one in secrets if one in disk]

    for offset in range(0, LENGTH, CHUNK_BYTES):
        shelf.append(upload, offset, FILE[offset : offset + CHUNK_BYTES])
        assert found_in(on_disk()) == []
    shelf.settle(upload, b"what became of it")
    assert found_in(on_disk()) == []
    assert len(on_disk()) > 40
    # Positive control: the same search finds what does lie there.
    (tmp_path / "plain").write_bytes(FILE + upload.key.raw)
    assert found_in(on_disk()) == [MARKER, upload.key.raw]


def test_a_note_takes_the_place_of_the_file_and_only_its_holder_reads_it(
    shelf: PieceShelf, tmp_path: Path
) -> None:
    upload = shelf.begin(LENGTH)
    assert shelf.note(upload) is None
    send(shelf, upload)
    with shelf.whole(upload):
        shelf.settle(upload, b"kept")
    assert not list(tmp_path.glob("*.pieces"))
    assert shelf.note(upload) == b"kept"
    with pytest.raises(Gone):
        shelf.append(upload, 0, FILE[:CHUNK_BYTES])
    stranger = Upload(upload.name, upload.length, Upload.new(1).key)
    with pytest.raises(Gone):
        shelf.note(stranger)
    shelf.drop(upload)
    shelf.drop(upload)
    assert list(tmp_path.iterdir()) == []
    assert shelf.note(upload) is None


def test_nobody_begins_where_there_is_no_room(tmp_path: Path) -> None:
    few = PieceShelf(tmp_path, PieceLimits(most=2, reserve_bytes=1))
    few.begin(1)
    first = few.begin(1)
    with pytest.raises(Full):
        few.begin(1)
    few.drop(first)
    few.begin(1)
    small = PieceShelf(tmp_path, PieceLimits(total_bytes=100, reserve_bytes=1))
    with pytest.raises(Full):
        small.begin(101)
    watermark = PieceShelf(tmp_path, PieceLimits(reserve_bytes=1 << 60))
    with pytest.raises(Full):
        watermark.begin(1)


@pytest.mark.claim("C-RESUME")
@pytest.mark.parametrize("short_of", ["places", "bytes"])
def test_uploads_that_nobody_moves_do_not_keep_others_out(tmp_path: Path, short_of: str) -> None:
    now = [time.time()]
    limits = (
        PieceLimits(most=3, reserve_bytes=1)
        if short_of == "places"
        else PieceLimits(total_bytes=3 * SEALED_CHUNK_BYTES, reserve_bytes=1)
    )
    shelf = PieceShelf(tmp_path, limits, lambda: now[0])
    held = [shelf.begin(2 * CHUNK_BYTES, secrets.token_bytes(16)) for _ in range(3)]
    for age, one in zip((300, 500, 0), held, strict=True):
        shelf.append(one, 0, bytes(CHUNK_BYTES))
        os.utime(tmp_path / f"{one.name.hex()}.pieces", (now[0] - age,) * 2)
    # The one that lies still for longest goes, and no other.
    new = shelf.begin(1, b"somebody else")
    with pytest.raises(Gone):
        shelf.append(held[1], CHUNK_BYTES, bytes(CHUNK_BYTES))
    assert path_of_upload(tmp_path, held[0]).exists()
    shelf.append(new, 0, b"x")
    # One that a request is at is not taken, whatever its age.
    with shelf._locked(held[0], 0):
        if short_of == "places":
            with pytest.raises(Full):
                shelf.begin(1)
    assert path_of_upload(tmp_path, held[2]).exists()
    # What would never fit takes nobody's place.
    if short_of == "bytes":
        with pytest.raises(Full):
            shelf.begin(4 * SEALED_CHUNK_BYTES)
        assert path_of_upload(tmp_path, held[0]).exists()


def path_of_upload(folder: Path, upload: Upload) -> Path:
    return folder / f"{upload.name.hex()}.pieces"


def test_what_all_bring_together_is_bounded_while_it_comes(tmp_path: Path) -> None:
    limits = PieceLimits(total_bytes=sealed_length(2 * CHUNK_BYTES), reserve_bytes=1)
    shelf = PieceShelf(tmp_path, limits)
    one, other = shelf.begin(2 * CHUNK_BYTES), shelf.begin(2 * CHUNK_BYTES)
    shelf.append(one, 0, bytes(CHUNK_BYTES))
    shelf.append(other, 0, bytes(CHUNK_BYTES))
    with pytest.raises(Full):
        shelf.append(one, CHUNK_BYTES, bytes(CHUNK_BYTES))
    shelf.drop(other)
    assert shelf.append(one, CHUNK_BYTES, bytes(CHUNK_BYTES)) == 2 * CHUNK_BYTES


def test_a_disk_that_fills_up_in_the_middle_of_a_piece_costs_that_piece(
    shelf: PieceShelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = shelf.begin(LENGTH)
    shelf.append(upload, 0, FILE[:CHUNK_BYTES])
    pwrite, left = os.pwrite, [1000]

    def little(fd: int, data: bytes, at: int) -> int:
        if not left[0]:
            raise OSError(28, "No space left on device")
        written = pwrite(fd, data[: left[0]], at)
        left[0] -= written
        return written

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", little)
        with pytest.raises(Full):
            shelf.append(upload, CHUNK_BYTES, FILE[CHUNK_BYTES : 2 * CHUNK_BYTES])
    assert path_of(tmp_path).stat().st_size == SEALED_CHUNK_BYTES
    assert shelf.append(upload, 0, FILE[:CHUNK_BYTES]) == CHUNK_BYTES
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", _refuse)
        with pytest.raises(Full):
            shelf.begin(1)
        with pytest.raises(Full):
            shelf.settle(upload, b"note")


def _refuse(*_: object, **__: object) -> int:
    raise OSError(28, "No space left on device")


def test_what_was_left_alone_is_forgotten_and_what_is_used_is_not(tmp_path: Path) -> None:
    now = [time.time()]
    shelf = PieceShelf(tmp_path, PieceLimits(seconds=3600, reserve_bytes=1), lambda: now[0])
    empty, begun, done = (shelf.begin(CHUNK_BYTES) for _ in range(3))
    shelf.append(begun, 0, bytes(CHUNK_BYTES))
    shelf.settle(done, b"kept")
    (tmp_path / "somebody else's").write_bytes(b"x")
    now[0] += EMPTY_SECONDS - 5
    assert shelf.sweep() == 0
    now[0] += 10
    assert shelf.sweep() == 1
    with pytest.raises(Gone):
        shelf.append(empty, 0, bytes(CHUNK_BYTES))
    now[0] += 3600
    with shelf.whole(begun):
        # The note goes; the file that is being cleaned does not.
        assert shelf.sweep() == 1
    assert shelf.sweep() == 1
    assert [one.name for one in tmp_path.iterdir()] == ["somebody else's"]


def test_a_clock_that_was_wrong_keeps_nothing_for_ever(tmp_path: Path) -> None:
    shelf = PieceShelf(tmp_path, LIMITS, lambda: time.time() - 10 * LIMITS.seconds)
    PieceShelf(tmp_path, LIMITS).begin(1)
    assert shelf.sweep() == 1


def test_a_file_that_goes_while_it_is_looked_at_disturbs_nothing(
    shelf: PieceShelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = shelf.begin(1)
    entries = shelf._entries()
    shelf.drop(upload)
    monkeypatch.setattr(shelf, "_entries", lambda: entries)
    assert shelf.sweep() == 0
    assert shelf._sizes() == []
    assert list(tmp_path.iterdir()) == []


def test_a_thread_sweeps_at_the_start_and_goes_on_after_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    swept = threading.Semaphore(0)
    calls: list[int] = []

    class Shelf(PieceShelf):
        def sweep(self) -> int:
            calls.append(1)
            swept.release()
            if len(calls) == 1:
                raise OSError("a word of a reporter")
            return super().sweep()

    monkeypatch.setattr("gateway.pieces._WAKE_SECONDS", 0.01)
    sweeper = PieceSweeper(Shelf(tmp_path, LIMITS))
    sweeper.start()
    assert swept.acquire(timeout=5)
    assert swept.acquire(timeout=5)
    sweeper.stop()
    said = capsys.readouterr().err
    assert "OSError" in said
    assert "word" not in said


def _append_for_ever(folder: Path, upload: Upload) -> None:
    shelf, there = PieceShelf(folder, LIMITS), 0
    while there < upload.length:
        try:
            # Who was killed may have left off in the middle of a piece.
            piece = bytes(min(PIECE_MOST, upload.length - there))
            there = shelf.append(upload, there, piece)
        except Misplaced as elsewhere:
            there = elsewhere.offset


@pytest.mark.claim("C-RESUME")
def test_a_worker_that_is_killed_in_the_middle_is_followed_by_another(tmp_path: Path) -> None:
    shelf = PieceShelf(tmp_path, LIMITS)
    upload = shelf.begin(64 * PIECE_MOST)
    context = multiprocessing.get_context("fork")
    for _ in range(3):
        process = context.Process(target=_append_for_ever, args=(tmp_path, upload))
        process.start()
        time.sleep(0.05)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
    # This process goes on where those were killed: the ticket is all that it needs.
    _append_for_ever(tmp_path, upload)
    with shelf.whole(upload) as reader:
        for at in range(0, upload.length, PIECE_MOST):
            assert not any(reader.read_at(at, PIECE_MOST))


def test_an_upload_prints_no_key(shelf: PieceShelf) -> None:
    upload = shelf.begin(1)
    assert repr(upload.key.raw) not in repr(upload)
    assert "key" not in repr(upload)
