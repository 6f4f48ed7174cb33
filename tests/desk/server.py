"""A simulator of the sync server: the real JSON interface, over HTTP, on this machine.

It checks every signature and every nonce, gives each caller their own wraps, and does
whatever else a test tells it: lie, break off, answer late, forget.
"""

# ruff: noqa: D102 - the names say it, and a lie is an argument

from __future__ import annotations

import base64
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from crypto.errors import TransportRefused
from crypto.header import Header, Kind
from crypto.ids import KID_ZERO
from crypto.transport import UntrustedRequest, verify_request
from crypto.wrap import parse_wraps
from tests.desk.world import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crypto.roster import Roster
    from tests.desk.world import World


@dataclass(slots=True)
class FakeServer:
    """What the server has, and how it misbehaves."""

    world: World
    rows: dict[bytes, Row] = field(default_factory=dict)
    note: bytes = b""
    history: dict[int, bytes] = field(default_factory=dict)
    page: int = 500
    url: str = ""
    today: int = 0
    clock: Callable[[], float] = time.time
    roster_hash: bytes = b""
    # Misbehaviour:
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    cut_parts_after: int | None = None
    left_out: set[bytes] = field(default_factory=set)
    posts_lost: bool = False
    shows_custodians_everything: bool = False
    ignore_range: bool = False
    date: str = ""
    # What was seen:
    nonces: set[tuple[bytes, bytes]] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.note = self.note or self.world.roster.note
        self.history[self.world.roster.epoch] = self.world.roster.note

    def put(self, *rows: Row) -> None:
        for one in rows:
            self.rows[one.id] = one

    def renew(self, **changes: Any) -> Roster:
        """Put the next roster in force, or whatever `changes` make of it."""
        self.world.roster = self.world.renewed(**changes)
        self.note = self.world.roster.note
        self.history[self.world.roster.epoch] = self.note
        return self.world.roster


@contextmanager
def serving(world: World) -> Iterator[FakeServer]:
    fake = FakeServer(world)

    class Handler(_Handler):
        server_state = fake

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body are two pieces: the second does not wait for the first to be acknowledged.
    disable_nagle_algorithm = True
    server_state: FakeServer

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        return self.server_state.date or super().date_time_string(timestamp)

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        fake = self.server_state
        path, _, query = self.path.partition("?")
        fake.requests.append(f"{self.command} {self.path}")
        for prefix, (status, content) in fake.answers.items():
            if self.path.startswith(prefix):
                self._send(status, content)
                return
        if path == "/v1/roster":
            self._roster(query)
            return
        caller = self._caller(path, query, body)
        if caller is None:
            return
        if path == "/v1/index":
            self._index(caller, query)
        elif path.startswith("/v1/parts/"):
            self._part(path)
        else:
            self._post(body)

    def _roster(self, query: str) -> None:
        fake = self.server_state
        if not query:
            self._send(200, fake.note)
        elif found := fake.history.get(int(query.removeprefix("epoch="))):
            self._send(200, found)
        else:
            self._refuse(404, "unknown")

    def _caller(self, path: str, query: str, body: bytes) -> bytes | None:
        fake = self.server_state
        request = UntrustedRequest(
            method=self.command,
            authority=self.headers["Host"],
            path=path,
            query=query,
            headers=list(self.headers.items()),
            body=body,
        )
        try:
            proof = verify_request(request, key_of=fake.world.roster.api_key, now=int(fake.clock()))
        except TransportRefused as refused:
            self._refuse(401, str(refused))
            return None
        if (proof.keyid, proof.nonce) in fake.nonces:
            self._refuse(401, "replay")
            return None
        fake.nonces.add((proof.keyid, proof.nonce))
        for ring in (*fake.world.operators, *fake.world.custodians):
            if ring.api.public.kid == proof.keyid:
                return ring.key.public.kid
        raise AssertionError

    def _index(self, kid: bytes, query: str) -> None:
        fake = self.server_state
        asked = parse_qs(query)
        after = bytes.fromhex(asked["after"][0]) if "after" in asked else b""
        limit = min(int(asked["limit"][0]), fake.page)
        found = sorted(
            (one for one in fake.rows.values() if one.id > after), key=lambda one: one.id
        )
        custodian = kid in {ring.key.public.kid for ring in fake.world.custodians}
        custodian = custodian and not fake.shows_custodians_everything
        shown = [one for one in found[:limit] if not custodian or one.header.kind is Kind.IDENTITY]
        content = {
            "envelopes": [self._outside(one, kid) for one in shown],
            "next": found[:limit][-1].id.hex() if found else None,
        }
        self._send(200, json.dumps(content).encode())

    def _outside(self, one: Row, kid: bytes) -> dict[str, Any]:
        wraps = parse_wraps(one.header, one.wraps)
        own = b"".join(wrap.to_bytes() for wrap in wraps if wrap.kid == kid)
        if one.id in self.server_state.left_out:
            own = b""
        return {
            "header": base64.b64encode(one.header.to_bytes()).decode(),
            "wraps": base64.b64encode(own).decode(),
            "manifest": base64.b64encode(one.manifest).decode(),
            "parts": [len(part) for part in one.parts],
            "recipients": [wrap.kid.hex() for wrap in wraps],
        }

    def _part(self, path: str) -> None:
        fake = self.server_state
        envelope, number = path.removeprefix("/v1/parts/").split("/")
        content = fake.rows[bytes.fromhex(envelope)].parts[int(number) - 1]
        asked = "" if fake.ignore_range else self.headers.get("Range", "")
        first, last = 0, len(content) - 1
        if asked:
            first, last = (int(one) for one in asked.removeprefix("bytes=").split("-"))
        piece = content[first : last + 1]
        status = 200 if len(piece) == len(content) else 206
        self.send_response(status)
        self.send_header("Content-Length", str(len(piece)))
        self.end_headers()
        if fake.cut_parts_after is not None:
            piece = piece[: fake.cut_parts_after]
            self.close_connection = True
        self.wfile.write(piece)

    def _post(self, body: bytes) -> None:
        fake = self.server_state
        told = json.loads(body)
        parts = [base64.b64decode(part) for part in told.pop("parts", [])]
        given = {name: base64.b64decode(value) for name, value in told.items()}
        one = Row(Header.from_bytes(given["header"]), given["wraps"], given["manifest"], parts)
        kids = [wrap.kid for wrap in parse_wraps(one.header, one.wraps)]
        wanted = [key.kid for key in fake.world.roster.evidence_keys()]
        if one.header.roster_hash != fake.world.roster.hash:
            self._refuse(409, "roster")
        elif fake.today and abs(one.header.day - fake.today) > 1:
            self._refuse(400, "day")
        elif kids != ([KID_ZERO, *wanted] if one.header.kind is Kind.REPLY else wanted):
            self._refuse(400, "recipients")
        else:
            fake.put(one)
            if fake.posts_lost:
                self.close_connection = True
                return
            self._send(201, json.dumps({"envelope": one.id.hex()}).encode())

    def _refuse(self, status: int, code: str) -> None:
        self._send(status, json.dumps({"error": code}).encode())

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
