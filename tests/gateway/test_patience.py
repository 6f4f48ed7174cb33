"""A slow phone has its time, a silent connection has not."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from gateway.headers import STRICT
from gateway.patience import Patience, PatientSocket, TooSlow
from tests.gateway.deployment import Deployment, make_deployment
from tests.gateway.served import CLIENT, Running, start, stop

if TYPE_CHECKING:
    from collections.abc import Iterator

    Pair = tuple[PatientSocket, socket.socket]

PATIENCE = Patience(silence=0.01, head=20, first=10, grace=60)


@dataclass(slots=True)
class Now:
    """A clock that a test turns."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.seconds


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def pair(now: Now) -> Iterator[tuple[PatientSocket, socket.socket]]:
    """Our end and a client's."""
    taken, client = socket.socketpair()
    with PatientSocket(taken, PATIENCE, now) as ours, client:
        yield ours, client


def test_one_setting_says_how_long_everything_is_waited_for() -> None:
    assert Patience.of(30) == Patience(silence=30, head=20, first=10, grace=60, rate=1024)


def test_what_is_there_is_read_and_silence_ends_the_connection(pair: Pair) -> None:
    ours, client = pair
    client.sendall(b"one")
    ours.close_after_answer()  # nobody asked to be told
    assert ours.recv(100) == b"one"
    assert not ours.gave_up
    with pytest.raises(TooSlow):
        ours.recv(100)
    assert ours.gave_up


def test_no_more_is_read_at_once_than_a_parser_takes(pair: Pair) -> None:
    ours, client = pair
    ours.hand_on(bytes(80_000), is_all=False)
    # gunicorn asks for a MiB where it knows that so much is to come.
    assert [len(ours.recv(1 << 20)) for _ in range(2)] == [65_536, 80_000 - 65_536]
    whole = 200_000
    sender = threading.Thread(target=client.sendall, args=(bytes(whole),))
    sender.start()
    got: list[int] = []
    while sum(got) < whole:
        got.append(len(ours.recv(1 << 20)))
    sender.join()
    assert max(got) <= 65_536


def test_a_head_must_be_whole_in_time_however_steadily_it_drips(pair: Pair, now: Now) -> None:
    ours, client = pair
    ours.begin_head()
    for _ in range(20):
        client.sendall(b"x")
        assert ours.recv(100) == b"x"
        now.seconds += 1
    client.sendall(b"x")
    with pytest.raises(TooSlow):
        ours.recv(100)
    ours.begin_body()
    assert ours.recv(100) == b"x"


class Dripping:
    """A client that lets us wait a while for each piece that it sends."""

    def __init__(self, pair: Pair, now: Now, seconds: float, size: int) -> None:
        self._ours, self._client = pair
        self._now = now
        self._seconds = seconds
        self._size = size

    def read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Read a piece."""
        self._client.sendall(bytes(self._size))
        with monkeypatch.context() as waiting:
            # The clock moves between the two looks at it, as it does where a read must wait.
            looks = iter([0.0, 0.0, self._seconds])
            waiting.setattr(self._ours, "_now", lambda: self._turn(next(looks)))
            self._ours.recv(65536)

    def _turn(self, seconds: float) -> float:
        self._now.seconds += seconds
        return self._now.seconds


def test_a_body_that_drips_is_given_up_after_a_while_and_a_slow_phone_is_not(
    pair: Pair, now: Now, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, _ = pair
    phone = Dripping(pair, now, seconds=10, size=11 * 1024)
    for _ in range(60):
        phone.read(monkeypatch)
    ours.begin_body()
    dripping = Dripping(pair, now, seconds=10, size=9 * 1024)
    for _ in range(6):
        dripping.read(monkeypatch)
    with pytest.raises(TooSlow):
        dripping.read(monkeypatch)


def test_time_that_we_take_ourselves_is_not_held_against_a_client(pair: Pair, now: Now) -> None:
    ours, client = pair
    for _ in range(20):
        client.sendall(b"x")
        assert ours.recv(1) == b"x"
        now.seconds += 3600


def test_what_is_to_be_read_within_a_time_is_not_waited_for_beyond(pair: Pair, now: Now) -> None:
    ours, client = pair
    ours.finish_within(10)
    ours.finish_within(100)
    client.sendall(b"xy")
    now.seconds += 9
    assert ours.recv(1) == b"x"
    now.seconds += 1
    with pytest.raises(TooSlow):
        ours.recv(1)


def test_a_shorter_timeout_of_gunicorns_own_counts_and_stays(pair: Pair) -> None:
    ours, client = pair
    client.sendall(b"x")
    ours.settimeout(0.001)
    assert ours.recv(1) == b"x"
    with pytest.raises(TooSlow):
        ours.recv(1)
    assert ours.gettimeout() == 0.001


def test_an_answer_goes_out_whole_while_it_is_read_and_not_to_somebody_who_does_not(
    pair: Pair,
) -> None:
    ours, client = pair
    answer = bytes(range(256)) * 8192
    got = bytearray()

    def read() -> None:
        while len(got) < len(answer):
            got.extend(client.recv(65536))

    reader = threading.Thread(target=read)
    reader.start()
    ours.sendall(answer)
    reader.join()
    assert got == answer
    with pytest.raises(TooSlow):
        ours.sendall(answer * 4)


# Under gunicorn.  With AMANA_RECEIVE_SECONDS=1 a head has two thirds of a second.

HEAD = b"GET /en/ HTTP/1.1\r\nHost: x\r\n"
BODY = (
    b"POST /en/send HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\na"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    made = make_deployment(tmp_path_factory.mktemp("patient") / "home")
    yield made
    made.vault.close()


@pytest.fixture(scope="module")
def site(home: Deployment) -> Iterator[Running]:
    arguments = ("--workers", "1", "--threads", "16")
    started = start(home, *arguments, which="site", AMANA_RECEIVE_SECONDS="1")
    yield started
    stop(started)


def connect(running: Running, first: bytes) -> socket.socket:
    address = ("127.0.0.1", running.port)
    client = socket.create_connection(address, 15, source_address=(CLIENT, 0))
    client.sendall(first)
    return client


def quiet_lines(running: Running) -> list[str]:
    """What was printed beyond a start and an end."""
    usual = (
        "Starting",
        "Using worker",
        "Booting",
        "is ready on",
        "Handling",
        "Shutting",
        "exiting",
    )
    return [line for line in running.printed if not any(word in line for word in usual)]


@pytest.mark.parametrize("first", [b"", HEAD, BODY], ids=["nothing", "head", "body"])
def test_forty_connections_that_drip_do_not_close_the_site(site: Running, first: bytes) -> None:
    ended = threading.Event()
    with ExitStack() as held:
        clients = [held.enter_context(connect(site, first)) for _ in range(40)]

        def drip() -> None:
            while not ended.wait(0.2):
                for client in clients:
                    try:
                        client.send(b"x" if first else b"")
                    except OSError:
                        continue

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            began = time.monotonic()
            assert site.get("/en/")[0] == 200
            # 40 by 16 threads, each for two seconds at most.
            assert time.monotonic() - began < 10
        finally:
            ended.set()
            dripping.join()
    assert quiet_lines(site) == []


def ends_with(client: socket.socket) -> bytes:
    """All that comes until the server closes."""
    answer = b""
    try:
        while piece := client.recv(65536):
            answer += piece
    except ConnectionResetError:
        pass
    return answer


def test_a_silent_head_is_closed_and_a_silent_body_is_answered_and_closed(site: Running) -> None:
    with connect(site, HEAD) as client:
        assert ends_with(client) == b""
    with connect(site, BODY) as client:
        answer = ends_with(client)
    head = answer.partition(b"\r\n\r\n")[0].decode()
    assert head.startswith("HTTP/1.1 400 ")
    for name, value in STRICT:
        assert head.count(f"{name}: {value}") == 1
    assert quiet_lines(site) == []


def test_a_client_that_stays_after_its_answer_keeps_nobody_waiting(site: Running) -> None:
    request = b"GET /style.css HTTP/1.0\r\nHost: x\r\n\r\n"
    began = time.monotonic()
    with ExitStack() as held:
        for _ in range(6):
            client = held.enter_context(connect(site, request))
            assert b" 200 OK" in client.recv(100)
        assert site.get("/en/")[0] == 200
        # gunicorn would wait two seconds for each of the six, and let all others wait, too.
        assert time.monotonic() - began < 10


def test_one_connection_serves_one_request_after_another(site: Running) -> None:
    with connect(site, b"GET /style.css HTTP/1.1\r\nHost: x\r\n\r\n") as client:
        assert b" 200 OK" in client.recv(100)
        client.sendall(b"GET /style.css HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b"HTTP/1.1 200 " in ends_with(client)


# What is written when a client goes, or sends what is no chunk.

TOO_LARGE = (
    b"POST /en/send HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
)
CHUNKED = (
    b"POST /en/send HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
)
MARK = b"PATHMARKBADCHUNK"


@pytest.mark.claim("C-REST")
@pytest.mark.claim("C-NOADDR")
def test_nothing_is_written_of_a_client_that_resets_or_sends_what_is_no_chunk(
    site: Running,
) -> None:
    for length in (b"30000000", b"15000000"):
        client = connect(site, TOO_LARGE.replace(b"30000000", length) + MARK * 2000)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        client.close()
    size = 5_000_000
    for body in (
        b"%x\r\n" % size + bytes(size) + MARK + b"\r\n",
        b"5\r\nab=cd\r\n" + MARK + b"\r\n",
        MARK + b"\r\n",
    ):
        with connect(site, CHUNKED) as client:
            try:
                client.sendall(body)
            except OSError:
                continue
            ends_with(client)
    assert site.get("/en/")[0] == 200
    assert quiet_lines(site) == []


@pytest.mark.claim("C-HEADERS")
def test_a_bad_chunk_is_a_bad_request_and_gets_the_headers_of_every_other_answer(
    site: Running,
) -> None:
    with connect(site, CHUNKED + b"5\r\nab=cd\r\n" + MARK + b"\r\n") as client:
        answer = ends_with(client)
    head = answer.partition(b"\r\n\r\n")[0].decode()
    assert head.startswith("HTTP/1.1 400 ")
    for name, value in STRICT:
        assert head.count(f"{name}: {value}") == 1
    assert answer.count(b"HTTP/1.1") == 1
    assert MARK not in answer


def test_a_body_that_is_far_too_large_is_not_read_and_its_connection_is_closed(
    site: Running,
) -> None:
    with connect(site, TOO_LARGE) as client:
        answer = ends_with(client)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nConnection: close\r\n" in answer


def test_a_worker_that_is_told_to_stop_waits_for_no_first_byte(home: Deployment) -> None:
    running = start(home, "--workers", "1", which="site", AMANA_RECEIVE_SECONDS="60")
    with connect(running, b""):
        assert running.get("/en/")[0] == 200
        began = time.monotonic()
        stop(running)
        assert time.monotonic() - began < 10


def test_what_is_there_is_told_without_a_wait_and_without_being_taken() -> None:
    ours, theirs = socket.socketpair()
    with PatientSocket(ours, PATIENCE) as patient, theirs:
        patient.settimeout(None)  # a wait would have no end
        assert not patient.holds(1)
        theirs.sendall(b"12345")
        assert patient.holds(5)
        assert not patient.holds(6)
        patient.hand_on(b"ahead", is_all=False)
        assert patient.holds(5)
        patient.hand_on(b"", is_all=True)
        assert patient.holds(1_000)
        assert patient.recv(100) == b"ahead"
