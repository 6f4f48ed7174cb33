"""Those who would close a site: connections that drip, reports without end, codes at random.

And somebody who only wants to report, measured while all of that goes on.
"""

from __future__ import annotations

import http.client
import multiprocessing
import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from crypto.receipt import ReceiptCode
from tests.support.answers import FRAUD
from tests.support.reporter import form_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.sharedctypes import Synchronized
    from multiprocessing.synchronize import Event

HEAD = b"GET /en/ HTTP/1.1\r\nHost: x\r\n"
BODY = (
    b"POST /en/send HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\na"
)
# Of a file: its body is long, and a thread must read it.
FILE = BODY.replace(b"1000", b"100000000")
FIRSTS = (b"", HEAD, BODY, FILE)
DRIP_SECONDS = 0.5
PATIENCE_SECONDS = 60
# How often somebody who waits presses the button, as the page's script does.
PRESS_SECONDS = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """A page, and how long it took."""

    status: int
    text: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody at one address."""

    port: int
    address: str

    def ask(self, path: str, form: list[tuple[str, str]] | None = None) -> Answer:
        """GET a page, or POST a form to it."""
        began = time.monotonic()
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=PATIENCE_SECONDS, source_address=(self.address, 0)
        )
        try:
            body, headers = None, {}
            if form is not None:
                body = urlencode(form)
                headers = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("GET" if form is None else "POST", path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            return Answer(answer.status, text, time.monotonic() - began)
        finally:
            connection.close()

    def begin(self) -> Answer:
        """Choose what to report; the answer is the form."""
        return self.ask("/en/write", [("category", "fraud"), ("danger_now", "no")])

    def send(self, page: Answer) -> Answer:
        """Fill the form of a page and send it."""
        form = form_to(page.text, "/send")
        return self.ask(form.action, form.filled(action="send", **FRAUD))

    def open_code(self) -> Answer:
        """Try a code that nobody has."""
        return self.ask("/en/thread", [("code", ReceiptCode.generate().digits)])


@dataclass(slots=True)
class Told:
    """What became of one report: seconds of each page, of all, and what was promised for it."""

    pages: list[float] = field(default_factory=list)
    promised: float = 0.0
    whole: float = 0.0
    received: bool = False


def report(client: Client) -> Told:
    """Walk the three pages as a person without a script does, and wait for a turn if asked to."""
    told, began = Told(), time.monotonic()
    start = client.ask("/en/")
    form = client.begin()
    told.pages += [start.seconds, form.seconds]
    answer = client.send(form)
    told.pages.append(answer.seconds)
    wait_for_turn(client, answer, told, began)
    told.whole = time.monotonic() - began
    return told


def wait_for_turn(client: Client, answer: Answer, told: Told, began: float) -> None:
    """Wait for a turn as often as the site asks to, until it says what became of the report."""
    while 'class="turn"' in answer.text:
        seconds = float(answer.text.partition('data-seconds="')[2].partition('"')[0])
        # When the first page said that it would be over at the latest.
        told.promised = told.promised or time.monotonic() - began + seconds
        time.sleep(min(seconds, PRESS_SECONDS))
        waits = form_to(answer.text, "/send")
        answer = client.ask(waits.action, waits.values)
        told.pages.append(answer.seconds)
    told.received = 'id="receipt-code"' in answer.text


# Each of these is a process of its own, so that measuring does not wait for flooding.


def _drip(port: int, addresses: list[str], ended: Event, held: Synchronized[int]) -> None:
    """Keep one connection of each address open, a byte at a time; one that is ended begins anew."""
    clients: dict[int, socket.socket] = {}
    with ExitStack() as stack:
        while not ended.is_set():
            for number, address in enumerate(addresses):
                first = FIRSTS[number % len(FIRSTS)]
                try:
                    if number not in clients:
                        clients[number] = stack.enter_context(
                            socket.create_connection(("127.0.0.1", port), 5, (address, 0))
                        )
                        clients[number].sendall(first)
                    elif first:
                        clients[number].send(b"x")
                except OSError:
                    gone = clients.pop(number, None)
                    if gone is not None:
                        gone.close()
            held.value = len(clients)
            ended.wait(DRIP_SECONDS)


def _send_reports(client: Client, ended: Event, sent: Synchronized[int]) -> None:
    page = None
    while not ended.is_set():
        with suppress(OSError, http.client.HTTPException):
            new = client.begin()
            page = new if new.status == 200 else page
            if page is not None:
                client.send(page)
            _add(sent)


def _try_codes(client: Client, ended: Event, sent: Synchronized[int]) -> None:
    while not ended.is_set():
        with suppress(OSError, http.client.HTTPException):
            client.open_code()
            _add(sent)


def _add(counted: Synchronized[int]) -> None:
    with counted.get_lock():
        counted.value += 1


def _many(
    work: Callable[[Client, Event, Synchronized[int]], None],
    threads: int,
    client: Client,
    ended: Event,
    counted: Synchronized[int],
) -> None:
    running = [threading.Thread(target=work, args=(client, ended, counted)) for _ in range(threads)]
    for one in running:
        one.start()
    for one in running:
        one.join()


@dataclass(frozen=True, slots=True)
class Flood:
    """What goes on, counted."""

    dripping: Synchronized[int]
    reports: Synchronized[int]
    codes: Synchronized[int]

    def wait_for(self, drips: int, reports: int) -> None:
        """Wait until so much of it goes on."""
        end = time.monotonic() + PATIENCE_SECONDS
        while self.dripping.value < drips or self.reports.value < reports:
            assert time.monotonic() < end, (self.dripping.value, self.reports.value)
            time.sleep(0.05)


@contextmanager
def flood(
    port: int, *, drips: list[str], reports: str, codes: str, at_once: int
) -> Iterator[Flood]:
    """Flood a site from these addresses, ``at_once`` reports and as many codes at a time."""
    spawn = multiprocessing.get_context("spawn")
    ended = spawn.Event()
    goes_on = Flood(spawn.Value("i", 0), spawn.Value("i", 0), spawn.Value("i", 0))
    processes = [
        spawn.Process(target=_drip, args=(port, drips, ended, goes_on.dripping)),
        spawn.Process(
            target=_many,
            args=(_send_reports, at_once, Client(port, reports), ended, goes_on.reports),
        ),
        spawn.Process(
            target=_many, args=(_try_codes, at_once, Client(port, codes), ended, goes_on.codes)
        ),
    ]
    for process in processes:
        process.start()
    try:
        yield goes_on
    finally:
        ended.set()
        for process in processes:
            process.join(PATIENCE_SECONDS)
            process.kill()


def drippers(count: int, address: str = "") -> list[str]:
    """Give the addresses of so many drips: one for all, or one for each twenty."""
    return [address or f"127.0.1.{1 + number // 20}" for number in range(count)]


__all__ = ["Client", "Flood", "Told", "drippers", "flood", "report"]
