"""A server that answers without end, without length, or deeper than anybody reads."""

from __future__ import annotations

import gzip
import json
import resource
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from desk.client import ClientLimits, SyncClient
from desk.errors import ServerMalformed, ServerRefused, ServerUnreachable
from desk.patience import SyncLimits
from desk.progress import Silence
from desk.sync import synchronise
from tests.desk.test_sync import with_client
from tests.desk.world import JPEG, Reporter, World, make_desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from crypto.signing import SigningPrivateKey
    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer

    Synced = Callable[..., SyncReport]

QUICK = ClientLimits(roster_seconds=0.4, answer_seconds=0.4)
HEAD = b"HTTP/1.1 200 OK\r\n"
DEEP = b"[" * 60_000


@contextmanager
def raw_server(first: bytes, drip: bytes = b"") -> Iterator[str]:
    """Says `first` to whoever asks, then `drip` again and again, and never hangs up."""
    over = threading.Event()

    def speak(caller: socket.socket) -> None:
        with caller:
            caller.recv(65_536)
            try:
                caller.sendall(first)
                while not over.wait(0.02):
                    if drip:
                        caller.sendall(drip)
            except OSError:
                return

    def listen(listener: socket.socket) -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=speak, args=[caller], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=listen, args=[listener], daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        over.set()
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def api(desk: Desk) -> SigningPrivateKey:
    return desk.keyring.api


def test_a_reason_nested_without_end_is_no_reason(desk: Desk, server: FakeServer) -> None:
    server.answers["/v1/index"] = (500, DEEP)
    with pytest.raises(ServerRefused, match="no reason given"):
        desk.client.index(None)


def test_an_index_nested_without_end_is_none(desk: Desk, server: FakeServer) -> None:
    for page in (DEEP, b'{"next": null, "envelopes": [' + DEEP + b"]" * 60_000 + b"]}"):
        server.answers["/v1/index"] = (200, page)
        with pytest.raises(ServerMalformed, match="not one"):
            desk.client.index(None)


def test_an_index_that_goes_on_and_says_nothing_ends_the_sync(
    server: FakeServer, sync: Synced
) -> None:
    server.answers["/v1/index"] = (200, b'{"envelopes": [], "next": "' + b"0" * 32 + b'"}')
    with pytest.raises(ServerMalformed, match="says nothing"):
        sync()
    assert sum("/v1/index" in one for one in server.requests) == 1


def test_a_custodian_is_led_over_pages_with_nothing_for_them(
    tmp_path: Path, world: World, server: FakeServer
) -> None:
    keeper = make_desk(tmp_path / "keeper", world, server.url, keyring=world.custodians[0])
    server.page = 1
    server.put(*Reporter(world).report(), *Reporter(world).report())
    assert synchronise(keeper, Silence()).envelopes == 2


def test_an_index_without_end_is_left(desk: Desk, server: FakeServer, world: World) -> None:
    server.page = 1
    for _ in range(3):
        server.put(*Reporter(world).report())
    with pytest.raises(ServerMalformed, match="no end"):
        synchronise(desk, Silence(), limits=SyncLimits(pages=6))
    assert sum("/v1/index" in one for one in server.requests) == 6
    # Six pages of one, and the empty one that says that it was the last.
    assert synchronise(desk, Silence(), limits=SyncLimits(pages=7)).envelopes == 0


def test_a_page_too_large_to_be_honest_is_not_parsed(
    desk: Desk, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ClientLimits().page_bytes <= 32 * 1024 * 1024
    page = json.dumps({"envelopes": ["x" * 100_000], "next": None}).encode()
    server.answers["/v1/index"] = (200, page)
    assert desk.client.index(None).unreadable == 1
    small = with_client(desk, limits=ClientLimits(page_bytes=len(page) - 1))
    monkeypatch.setattr("desk.client.json.loads", lambda _: pytest.fail("it was parsed"))
    with pytest.raises(ServerMalformed, match="larger"):
        small.client.index(None)


@pytest.mark.parametrize("length", ["-4", "+4", "4x", "²", "4, 4"])
def test_a_length_that_is_none_is_refused_at_once(api: SigningPrivateKey, length: str) -> None:
    head = HEAD + f"Content-Length: {length}\r\n\r\nbody".encode("latin-1")
    with raw_server(head) as url:
        with pytest.raises((ServerMalformed, ServerUnreachable)) as refused:
            SyncClient(url, api).roster()
        # At once, and not because its time was up: this server never hangs up.
        assert "too slowly" not in str(refused.value)


@pytest.mark.parametrize(
    ("first", "drip"),
    [
        (b"", b""),
        (b"HTTP/1.1 200", b"x"),
        (HEAD, b"X-More: x\r\n"),
        (HEAD + b"X-Long: ", b"x"),
        (HEAD + b"Content-Length: 9999\r\n\r\n", b"x"),
        (HEAD + b"Content-Length: 9999\r\n\r\n", b""),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
        (HEAD + b"\r\n", b"x"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 9999\r\n\r\n", b"x"),
    ],
)
def test_an_answer_that_drips_ends_when_its_time_is_up_wherever_it_drips(
    api: SigningPrivateKey, first: bytes, drip: bytes
) -> None:
    with raw_server(first, drip) as url:
        # Without an end of its own it would take for ever: the server never hangs up.
        with pytest.raises((ServerUnreachable, ServerRefused)) as ended:
            SyncClient(url, api, limits=QUICK).roster()
        if isinstance(ended.value, ServerUnreachable):
            assert "too slowly" in str(ended.value) or b"200" in first


def test_what_was_silent_too_long_is_unreachable_before_the_time_is_up(
    api: SigningPrivateKey,
) -> None:
    with raw_server(HEAD + b"Content-Length: 9\r\n\r\nx") as url:
        client = SyncClient(url, api, limits=ClientLimits(silence_seconds=1.0))
        with pytest.raises(ServerUnreachable, match="broke in the middle"):
            client.roster()


def test_the_earlier_of_two_ends_counts_and_the_outer_one_holds_afterwards(
    api: SigningPrivateKey,
) -> None:
    with raw_server(HEAD, b"X-More: x\r\n") as url:
        client = SyncClient(url, api)
        with client.within(0.3), client.within(60), pytest.raises(ServerUnreachable):
            client.roster()
        with pytest.raises(ServerUnreachable, match="too slowly"), client.within(0):
            pytest.fail("there was no time for this")


def test_a_time_that_is_up_in_one_thread_is_not_up_in_another(desk: Desk) -> None:
    notes: list[bytes] = []
    with desk.client.within(0.05):
        time.sleep(0.06)
        other = threading.Thread(target=lambda: notes.append(desk.client.roster()))
        other.start()
        other.join()
    assert notes


@pytest.mark.parametrize(
    ("limits", "reached"),
    [
        (SyncLimits(seconds=0.0), ""),
        (SyncLimits(rosters_seconds=0.0), ""),
        (SyncLimits(index_seconds=0.0), "/v1/roster"),
        (SyncLimits(sending_seconds=0.0), "/v1/index"),
        (SyncLimits(files_seconds=0.0, least_bytes_a_second=10**12), "/v1/index"),
    ],
)
def test_each_step_of_a_sync_ends_when_its_time_is_up(
    desk: Desk, reporter: Reporter, server: FakeServer, limits: SyncLimits, reached: str
) -> None:
    server.put(*reporter.report([reporter.evidence("p.jpg", "image/jpeg", JPEG)]))
    server.requests.clear()
    with pytest.raises(ServerUnreachable, match="too slowly"):
        synchronise(desk, Silence(), limits=limits)
    assert reached in "".join(server.requests[-1:])
    assert not any("/v1/parts" in one for one in server.requests)
    # What came is kept, and nothing of the time that was up is left behind.
    assert synchronise(desk, Silence()).files == 1


def test_an_answer_that_never_ends_its_line_does_not_fill_the_memory(
    api: SigningPrivateKey,
) -> None:
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    with raw_server(head, b"0" * 1_000_000) as url:
        began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(ServerUnreachable, match="broke"):
            SyncClient(url, api).roster()
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - began < 50_000


def test_an_answer_that_would_unfold_is_not_unfolded(api: SigningPrivateKey) -> None:
    body = gzip.compress(bytes(1_000_000))
    head = HEAD + f"Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with raw_server(head + body) as url:
        assert SyncClient(url, api).roster() == body
