"""Looking at files from outside: the asking end, a real pool, and workers that misbehave."""

import contextlib
import json
import platform
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sanitizer import errors
from sanitizer.jail import shared, wire
from sanitizer.jail.child import Child, Died
from sanitizer.jail.ends import Stream
from sanitizer.jail.pool import Pool
from sanitizer.limits import Limits
from sanitizer.sight import ask, worker
from sanitizer.sight.order import Order, Sight, Subject, read_sight, seen
from sanitizer.source import BytesSource
from tests.desk.sight.kit import bomb, document, opened, picture
from tests.sanitizer.jailed import needs_seccomp

ORDER = Order(subject=Subject.PICTURE, length=0, side=400)
HASTY = Limits(worker_seconds=1, worker_wait_seconds=0, file_bytes=1 << 20)
DOT = Sight(1, 1, bytes(3), 1, 1)


# --- the words between the two ends


def test_an_order_survives_the_way() -> None:
    order = Order(subject=Subject.PAGE, length=7, side=9, part=3, is_shared=True)
    frame = order.to_bytes()
    assert Order.from_bytes(frame[wire.HEAD.size :]) == order


def test_a_sight_survives_the_way() -> None:
    sight = Sight(2, 1, b"abcdef", 20, 10, 4)
    head, pixels = seen(sight)
    assert read_sight(head[wire.HEAD.size :], lambda _: pixels, ORDER) == sight


@pytest.mark.parametrize(
    ("answer", "leaf"),
    [
        (b"{", errors.Malformed),
        (b"[" * 100_000, errors.Malformed),
        (b"7", errors.Malformed),
        (json.dumps({"width": 1}).encode(), errors.Malformed),
        (json.dumps({"width": True, "height": 1}).encode(), errors.Malformed),
        (json.dumps({"width": 0, "height": 1}).encode(), errors.Malformed),
        (json.dumps({"width": 1 << 30, "height": 1}).encode(), errors.Malformed),
        (seen(Sight(401, 1, b"", 1, 1))[0][wire.HEAD.size :], errors.TooManyPixels),
    ],
    ids=["cut", "deep", "number", "lacking", "flag", "nothing", "enormous", "larger-than-asked"],
)
def test_an_answer_that_is_none_is_refused(answer: bytes, leaf: type[errors.Refused]) -> None:
    with pytest.raises(leaf):
        read_sight(answer, bytes, ORDER)


# --- both ends over one stream, in this process


@contextlib.contextmanager
def serving(draw: object = None) -> Iterator[Child]:
    ours, theirs = socket.socketpair()
    stream = Stream(theirs.fileno())
    held = shared.SharedMemory()
    memory = shared.read_only(held.descriptor)
    thread = threading.Thread(target=worker.serve, args=(stream, memory))
    thread.start()
    child = Child(1, ours, time.monotonic() + 10, held if draw is None else None)
    assert child.take(wire.HEAD.size) == wire.frame(b"H")
    try:
        yield child
    finally:
        child.close()
        thread.join()
        theirs.close()


@pytest.mark.parametrize("way", [None, "windows"])
def test_a_picture_is_seen_through_shared_memory_and_through_windows(way: str | None) -> None:
    with serving(way) as child:
        sight = ask._Asked(BytesSource(picture(size=(300, 200))), ORDER).of(child, 10)
    assert (sight.width, sight.height, len(sight.pixels)) == (300, 200, 300 * 200 * 3)


@pytest.mark.parametrize(
    ("broken", "leaf"),
    [
        (errors.Encrypted("locked"), errors.Encrypted),
        (MemoryError(), errors.TooComplex),
        (RecursionError(), errors.TooComplex),
        (OSError("anything"), errors.Malformed),
        (SyntaxError(), errors.Malformed),
    ],
    ids=["refused", "memory", "depth", "system", "other"],
)
def test_whatever_a_parser_raises_is_a_refusal(
    broken: Exception, leaf: type[errors.Refused], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Sight:
        raise broken

    monkeypatch.setitem(worker.DRAWN, Subject.PICTURE, fail)
    with serving() as child, pytest.raises(leaf):
        ask._Asked(BytesSource(b"x"), ORDER).of(child, 10)


@contextlib.contextmanager
def rude(*frames: bytes) -> Iterator[Child]:
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(b"".join(frames))
        yield Child(1, ours)
    ours.close()


@pytest.mark.parametrize(
    "frames",
    [
        [wire.HEAD.pack(b"P", wire.MOST_WORDS + 1)],
        [wire.frame(b"Z", b"?")],
        [wire.frame(b"R", b"short")],
        [wire.frame(b"R", wire.WANTED.pack(0, wire.MOST_WANTED + 1))],
        [wire.frame(b"R", wire.WANTED.pack(2, 1))],
        [*seen(DOT), b"and more"],
    ],
    ids=["long", "letter", "want", "too-much", "beyond", "goes-on"],
)
def test_a_rude_worker_is_refused(frames: list[bytes]) -> None:
    with rude(*frames) as child, pytest.raises(errors.Malformed):
        ask._Asked(BytesSource(b"x"), ORDER).of(child, 10)


# --- a pool


class Pretended(Pool):
    """A pool whose workers are what a test makes of them."""

    def __init__(self, *, alive: bool = True) -> None:
        super().__init__()
        self.alive, self.ended = alive, 0

    def take(self) -> tuple[object, Child]:  # type: ignore[override]  # a zygote that is none
        """Hand out a worker that is gone."""
        ours, theirs = socket.socketpair()
        theirs.close()
        return object(), Child(1, ours)

    def give_back(self, _made: object, child: Child) -> None:
        """Count it."""
        self.ended += 1
        child.close()

    def is_alive(self, _made: object) -> bool:
        """Say what the test wants."""
        return self.alive


@pytest.mark.parametrize(
    ("alive", "leaf", "ended"), [(True, errors.Malformed, 1), (False, errors.JailUnavailable, 2)]
)
def test_a_worker_that_dies_costs_its_file_and_one_that_was_killed_is_made_again(
    alive: bool,  # noqa: FBT001 - a row of the table
    leaf: type[errors.Refused],
    ended: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def die(*_: object) -> Sight:
        raise Died

    monkeypatch.setattr(ask._Asked, "of", die)
    pool = Pretended(alive=alive)
    with pytest.raises(leaf):
        ask.see(pool, BytesSource(b"x"), ORDER)
    assert pool.ended == ended
    assert pool.processors.acquire(blocking=False)


def test_where_nothing_can_be_locked_in_nothing_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(errors.JailUnavailable):
        ask.see(None, BytesSource(b"x"), ORDER)
    monkeypatch.setattr(platform, "system", lambda: "Elsewhere")
    assert ask.looking.__wrapped__() is None
    monkeypatch.undo()
    monkeypatch.setattr(ask, "has_seccomp", lambda: False)
    assert ask.looking.__wrapped__() is None


def test_what_is_too_long_or_one_too_many_is_not_looked_at() -> None:
    pool = Pretended()
    with pytest.raises(errors.TooLarge):
        ask.see(pool, BytesSource(bytes((1 << 20) + 1)), ORDER, HASTY)
    while pool.processors.acquire(blocking=False):
        pass
    with pytest.raises(errors.JailUnavailable, match="too many"):
        ask.see(pool, BytesSource(b"x"), ORDER, HASTY)


@needs_seccomp
@pytest.mark.claim("C-JAIL")
def test_a_picture_and_a_page_come_out_of_the_jail_as_pixels() -> None:
    pool = ask.looking()
    sight = ask.see(pool, BytesSource(picture(size=(900, 600))), ORDER)
    assert (sight.width, sight.height, sight.of_width, sight.of_height) == (400, 266, 900, 600)
    page = ask.see(
        pool, BytesSource(document(("One", "Two"))), Order(subject=Subject.PAGE, length=0, side=400)
    )
    assert (page.height in range(390, 401), page.parts) == (True, 2)


@needs_seccomp
@pytest.mark.parametrize(
    ("file", "leaf"),
    [
        (bomb(), errors.TooManyPixels),
        (bomb(10_000, 11_000), errors.Malformed),
        (picture()[:-2000], errors.Malformed),
        (b"\xff\xd8\xff\xe0" + b"junk" * 500, errors.Malformed),
        (b"", errors.Malformed),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", errors.Malformed),
    ],
    ids=["bomb", "bomb-within-bounds", "cut", "junk", "empty", "foreign"],
)
def test_a_hostile_picture_is_refused_and_the_next_is_seen(
    file: bytes, leaf: type[errors.Refused]
) -> None:
    pool = ask.looking()
    with pytest.raises(leaf):
        ask.see(pool, BytesSource(file), ORDER)
    assert ask.see(pool, BytesSource(picture()), ORDER).width == 400


@pytest.fixture
def hostile() -> Iterator[Pool]:
    program = Path(__file__).with_name("hostile_sight.py")
    pool = Pool(Limits(worker_memory_bytes=64 << 20, child_cpu_seconds=5), program=program)
    yield pool
    pool.close()


@needs_seccomp
@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize(
    ("program", "leaf"),
    [
        ("while True: pass", errors.TooComplex),
        ("os.read(0, 1)", errors.TooComplex),
        ("ctypes.string_at(0)", errors.Malformed),
        ("os._exit(0)", errors.Malformed),
        ("bytes(1 << 31)", errors.TooComplex),
        ("open('/etc/hostname')", errors.Malformed),
        ("os.fork()", errors.Malformed),
        ("os.write(0, b'rude' * 9)", errors.Malformed),
        ("sight = Sight", errors.Malformed),
    ],
    ids=["busy", "idle", "crash", "exit", "greedy", "file", "fork", "rude", "confused"],
)
def test_a_file_that_takes_its_worker_over_gets_nowhere(
    hostile: Pool, program: str, leaf: type[errors.Refused]
) -> None:
    with pytest.raises(leaf):
        ask.see(hostile, BytesSource(program.encode()), ORDER, HASTY)
    assert ask.see(hostile, BytesSource(b"pass"), ORDER, HASTY) == DOT


def test_a_preview_written_here_is_read_by_another_program_as_it_was() -> None:
    from sanitizer.sight import png  # noqa: PLC0415 - beside what it is compared with

    raw = opened(picture("PNG")).tobytes()
    assert opened(png.written(400, 300, raw)).tobytes() == raw
    with pytest.raises(ValueError, match="not that many"):
        png.written(400, 300, raw[:-1])
