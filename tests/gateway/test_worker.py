"""Threads wait for nobody: what drips, lingers, or does not read, holds none.

The server of these tests has two threads; each thing here that held one would be seen at once.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import resource
import socket
import time
from collections import Counter
from contextlib import ExitStack
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from gateway import worker as worker_module
from gateway.arrival import HEAD_MOST
from gateway.headers import STRICT
from gateway.patience import Patience
from gateway.server import CONNECTIONS
from gateway.sources import Sources, networks
from gateway.worker import SOURCE_CONNECTIONS, allow_open_files
from tests.gateway.deployment import Deployment, make_deployment
from tests.gateway.served import CLIENT, Running, start, stop
from tests.support.flood import BODY, FILE, HEAD

if TYPE_CHECKING:
    from collections.abc import Iterator

GET = b"GET /style.css HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
SHARED = "127.0.0.1"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    made = make_deployment(tmp_path_factory.mktemp("worker") / "home")
    yield made
    made.vault.close()


@pytest.fixture(scope="module")
def site(home: Deployment) -> Iterator[Running]:
    started = start(home, "--workers", "1", "--threads", "2", which="site")
    with connect(started, LAST) as client:  # until the worker itself is there
        client.settimeout(60)
        assert b" 200 OK" in read_all(client)
    yield started
    stop(started)


def connect(running: Running, first: bytes, address: str = CLIENT) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", running.port), 15, (address, 0))
    client.sendall(first)
    return client


def read_all(client: socket.socket) -> bytes:
    """All that comes until the server closes."""
    answer = b""
    try:
        while piece := client.recv(65536):
            answer += piece
    except ConnectionResetError:
        pass
    return answer


def quick(running: Running) -> bool:
    """Whether a page still comes at once: patience would be ten seconds and more."""
    began = time.monotonic()
    return running.get("/en/")[0] == 200 and time.monotonic() - began < 8


@pytest.mark.parametrize("first", [b"", HEAD, BODY], ids=["nothing", "head", "body"])
def test_what_drips_holds_no_thread(site: Running, first: bytes) -> None:
    with ExitStack() as held:
        clients = [held.enter_context(connect(site, first)) for _ in range(40)]
        for client in clients:
            client.send(b"x" if first else b"")
        assert quick(site)


@pytest.mark.parametrize("address", [CLIENT, SHARED], ids=["of one source", "of everybody"])
def test_long_bodies_that_drip_leave_a_thread_for_pages(site: Running, address: str) -> None:
    with ExitStack() as held:
        for _ in range(20):
            held.enter_context(connect(site, FILE, address))
        assert quick(site)


def test_whoever_does_not_read_or_close_holds_no_thread(site: Running) -> None:
    with ExitStack() as held:
        for _ in range(20):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            held.enter_context(client)
            client.bind((CLIENT, 0))
            client.connect(("127.0.0.1", site.port))
            client.sendall(LAST)
        assert quick(site)


def test_a_second_request_that_drips_behind_a_first_holds_no_thread(site: Running) -> None:
    with ExitStack() as held:
        for _ in range(10):
            client = held.enter_context(connect(site, GET + HEAD))
            assert b" 200 OK" in client.recv(100)
        assert quick(site)


def test_requests_that_come_together_are_answered_one_after_another(site: Running) -> None:
    with connect(site, GET + GET + LAST) as client:
        assert read_all(client).count(b"HTTP/1.1 200 ") == 3
    form = b"category=fraud&danger_now=no"
    post = (
        b"POST /en/write HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" % len(form)
    )
    with connect(site, post + form[:5]) as client:
        time.sleep(0.2)
        client.sendall(form[5:] + LAST)
        answer = read_all(client)
    assert answer.count(b"HTTP/1.1 200 ") == 2
    assert b'name="token"' in answer


def test_a_request_that_comes_byte_by_byte_is_answered(site: Running) -> None:
    with connect(site, b"\r\n") as client:
        for byte in LAST:
            client.sendall(bytes([byte]))
        assert b" 200 OK" in read_all(client)


@pytest.mark.claim("C-HEADERS")
def test_a_head_without_end_is_answered_and_closed(site: Running) -> None:
    with connect(site, b"GET / HTTP/1.1\r\nX: " + b"x" * (HEAD_MOST + 1)) as client:
        head = read_all(client).partition(b"\r\n\r\n")[0].decode()
    assert head.startswith("HTTP/1.1 400 ")
    for name, value in STRICT:
        assert head.count(f"{name}: {value}") == 1


def test_one_source_has_so_many_connections_and_no_more(site: Running) -> None:
    with ExitStack() as held:
        clients = [held.enter_context(connect(site, b"")) for _ in range(SOURCE_CONNECTIONS + 20)]
        assert quick_from(site, "127.0.0.9")
        ended = 0
        for client in clients:
            client.settimeout(0.05)
            try:
                ended += client.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                ended += 1
        assert ended == 20
    # Once they are gone there is room again.
    assert soon(site)


def soon(running: Running) -> bool:
    """Whether a page comes again once the server has noticed what ended."""
    for _ in range(100):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return quick(running)
        time.sleep(0.1)
    return False


def quick_from(running: Running, address: str) -> bool:
    with connect(running, LAST, address) as client:
        return b" 200 OK" in read_all(client)


def test_more_connections_than_there_is_room_for_do_not_close_the_site(site: Running) -> None:
    with ExitStack() as held:
        for _ in range(CONNECTIONS + 50):
            held.enter_context(connect(site, b"", SHARED))
        assert quick(site)
        assert quick_from(site, SHARED)


def test_as_many_files_may_be_open_as_the_system_lets(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: found.append(limits))
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    allow_open_files()
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 1 << 20))
    allow_open_files()
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1 << 19, 1 << 20))
    allow_open_files()
    assert found == [(4096, 4096), (16384, 1 << 20), (1 << 19, 1 << 20)]


@pytest.mark.claim("C-NOADDR")
def test_what_is_behind_the_door_is_never_told_an_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting: list[Any] = []
    worker = object.__new__(worker_module.QuietWorker)
    worker._patience, worker._sources = Patience.of(30), Sources(networks(SHARED))
    worker.nr_conns, worker._open, worker.worker_connections = 0, Counter(), 100
    worker.cfg, worker.method_queue = SimpleNamespace(threads=2), SimpleNamespace(defer=print)
    monkeypatch.setattr(worker, "enqueue_req", waiting.append, raising=False)
    with socket.create_server((SHARED, 0)) as listener:
        listener.settimeout(0)
        for address in (CLIENT, SHARED):
            with socket.create_connection(listener.getsockname()[:2], 5, (address, 0)):
                while not waiting or len(waiting) < (1 if address == CLIENT else 2):
                    worker.accept(listener)
    theirs, everybodys = waiting
    assert {theirs.client, everybodys.client} == {("0.0.0.0", 0)}  # noqa: S104 # nothing is bound
    assert len(theirs.sock.source) == 16
    assert everybodys.sock.source is None
    for conn in waiting:
        conn.sock.detach()


class Listener:
    """A listener whose connections cannot be taken."""

    def __init__(self, number: int) -> None:
        self._number = number

    def accept(self) -> object:
        """As when the system refuses."""
        raise OSError(self._number, "no")


@pytest.mark.parametrize(
    ("number", "room", "raised"),
    [
        (errno.EAGAIN, False, False),
        (errno.ECONNABORTED, False, False),
        (errno.EMFILE, True, False),
        (errno.EBADF, False, True),
    ],
)
def test_a_connection_that_cannot_be_taken_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, number: int, *, room: bool, raised: bool
) -> None:
    made: list[bool] = []
    worker = object.__new__(worker_module.QuietWorker)
    monkeypatch.setattr(worker, "_make_room", lambda: made.append(True), raising=False)
    try:
        worker.accept(Listener(number))  # type: ignore[arg-type] # all that is used of one
    except OSError:
        assert raised
    else:
        assert not raised
    assert bool(made) == room
