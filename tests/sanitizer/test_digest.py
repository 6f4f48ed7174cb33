"""A stream's digest is counted beside its making: it is right, and no thread outlives it."""

import hashlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sanitizer import digest as room
from sanitizer.clean import sanitize
from sanitizer.digest import Digest
from sanitizer.errors import Malformed, NotRead
from sanitizer.limits import Limits
from sanitizer.source import FileSource
from tests.support.media import big_video

MIB = 1 << 20
SIZE = 24 * MIB
SPOILT = range(15 * MIB, 17 * MIB)
SHA256 = hashlib.sha256


class Threads:
    """Stands for ``threading.Thread``: remembers each, and that they come one after another."""

    def __init__(self) -> None:
        self.begun: list[threading.Thread] = []
        self.most = 0

    def __call__(self, **arguments: object) -> threading.Thread:
        """Make one."""
        self.most = max(self.most, 1 + sum(one.is_alive() for one in self.begun))
        thread = threading.Thread(**arguments)  # type: ignore[arg-type]  # handed on as it is
        self.begun.append(thread)
        return thread


class SlowHash:
    """SHA-256 that takes its time, so that whatever does not wait for it is found out."""

    def __init__(self, seconds: float = 0.02) -> None:
        self._hash = SHA256()
        self._seconds = seconds

    def update(self, data: bytes) -> None:
        """Take bytes, in no hurry."""
        time.sleep(self._seconds)
        self._hash.update(data)

    def digest(self) -> bytes:
        """Return the digest."""
        return self._hash.digest()


class Spoilt:
    """A source some of whose frames are nothing of the kind."""

    def __init__(self, source: FileSource) -> None:
        self._source = source
        self.length = source.length

    def read_at(self, offset: int, length: int) -> bytes:
        """Return bytes of the file, or what no picture looks like."""
        data = self._source.read_at(offset, length)
        return b"\xff" * len(data) if offset in SPOILT else data


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Threads]:
    """The threads that a test begins, of which none is left when it ends."""
    before, seen = set(threading.enumerate()), Threads()
    monkeypatch.setattr(room, "Thread", seen)
    yield seen
    assert not set(threading.enumerate()) - before
    assert not any(one.is_alive() for one in seen.begun)
    assert seen.most <= 1


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("digest") / "long.mov"
    big_video(path, SIZE)
    return path


def pieces(whole: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(whole), size):
        yield whole[at : at + size]


@pytest.mark.parametrize("piece", [1 << 16, MIB, MIB + 1, 5 * MIB, SIZE])
@pytest.mark.parametrize("length", [0, 1, 8 * MIB, 8 * MIB + 1, 12 * MIB, 12 * MIB + 1, 21 * MIB])
def test_the_digest_is_that_of_the_whole(length: int, piece: int, threads: Threads) -> None:
    whole = os.urandom(1 << 10) * (length // (1 << 10)) + b"!" * (length % (1 << 10))
    digest = Digest()
    assert b"".join(digest.through(pieces(whole, piece))) == whole
    assert digest.sha256 == hashlib.sha256(whole).digest()
    assert digest.length == length
    assert length < 12 * MIB or threads.begun or piece == SIZE


def test_very_short_pieces_do_not_pile_up(
    threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_ALONE", 10)
    whole = os.urandom(30_000)
    digest = Digest()
    for _ in digest.through(piece for three in pieces(whole, 3) for piece in (three, b"")):
        pass
    assert digest.sha256 == hashlib.sha256(whole).digest()
    assert len(threads.begun) == 20_000 // 4096


def test_what_is_as_short_as_a_photo_never_pays_for_a_thread(threads: Threads) -> None:
    for _ in Digest().through(bytes(1 << 16) for _ in range(128)):
        pass
    assert threads.begun == []


def test_a_long_video_has_the_digest_of_its_bytes(video: Path, threads: Threads) -> None:
    whole = hashlib.sha256()
    with FileSource(video) as source:
        digest = Digest()
        for data in digest.through(sanitize(source, Limits()).chunks()):
            whole.update(data)
    assert digest.sha256 == whole.digest()
    assert threads.begun


@pytest.fixture
def half(
    video: Path, threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[Iterator[bytes]]]:
    """A video that is being taken, a digest's thread beside it; whoever empties the list leaves."""
    monkeypatch.setattr(hashlib, "sha256", SlowHash)
    with FileSource(video) as source:
        chunks = [Digest().through(sanitize(source, Limits()).chunks())]
        while not threads.begun:
            next(chunks[0])
        yield chunks


def test_a_video_abandoned_in_the_middle_leaves_no_thread(
    half: list[Iterator[bytes]], threads: Threads
) -> None:
    assert threads.begun[0].is_alive()
    # Whoever takes the file goes away: the generator is closed.
    half.clear()
    assert not threads.begun[0].is_alive()


def test_a_video_refused_in_the_middle_leaves_no_thread_and_no_facts(
    video: Path, threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashlib, "sha256", SlowHash)
    with FileSource(video) as source:
        file, digest = sanitize(Spoilt(source), Limits()), Digest()
        with pytest.raises(Malformed):
            list(digest.through(file.chunks()))
    assert threads.begun
    with pytest.raises(NotRead):
        _ = file.facts
    with pytest.raises(NotRead):
        _ = digest.sha256


def test_where_the_system_gives_no_thread_the_digest_is_right_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class NoThread(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(room, "Thread", NoThread)
    digest = Digest()
    for _ in digest.through([b"?" * MIB] * 21):
        pass
    assert digest.sha256 == hashlib.sha256(b"?" * 21 * MIB).digest()


def test_a_digest_that_lacks_bytes_is_not_told(
    threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(SlowHash):
        def update(self, data: bytes) -> None:
            if threads.begun:
                raise MemoryError
            super().update(data)

    told: list[object] = []
    monkeypatch.setattr(hashlib, "sha256", lambda: Failing(0))
    monkeypatch.setattr(threading, "excepthook", told.append)
    digest = Digest()
    with pytest.raises(RuntimeError, match="not hashed"):
        list(digest.through([bytes(MIB)] * 12))
    with pytest.raises(NotRead):
        _ = digest.sha256
    assert len(told) == 1


def test_a_process_forked_in_the_middle_has_no_part_of_it(
    half: list[Iterator[bytes]],
) -> None:
    child = os.fork()
    if child == 0:
        signal.alarm(5)
        half.clear()
        os._exit(threading.active_count())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    for _ in half[0]:
        pass
