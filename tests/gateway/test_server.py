"""The gateway under gunicorn: quiet about its clients, hardened, and renewed without a restart."""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gunicorn.http.errors import InvalidRequestLine, InvalidResponseHeader

from crypto.transport import sign_request
from gateway import server as server_module
from gateway.headers import STRICT
from gateway.home import install_roster
from gateway.server import Program, QuietLogger, serve, settings
from gateway.worker import QuietWorker, harden_process
from tests.gateway.deployment import Deployment, make_deployment
from tests.gateway.served import CLIENT, Running, start, stop

if TYPE_CHECKING:
    from collections.abc import Iterator

MARKER = "planted-marker"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    made = make_deployment(tmp_path_factory.mktemp("served") / "home")
    yield made
    made.vault.close()


@pytest.fixture(scope="module")
def running(home: Deployment) -> Iterator[Running]:
    started = start(home, "--workers", "2", "--threads", "2")
    yield started
    stop(started)


def signed(home: Deployment, running: Running, target: str) -> dict[str, str]:
    path, _, query = target.partition("?")
    return sign_request(
        home.operators[0].api,
        method="GET",
        authority=f"127.0.0.1:{running.port}",
        path=path,
        query=query,
        body=b"",
        created=int(time.time()),
    )


NO_HTTP = [
    f"{MARKER} / HTTP/1.1\r\n\r\n".encode(),
    f"GET /{MARKER} HTTP/9.9\r\n\r\n".encode(),
    f"GET /{MARKER}\r\n\r\n".encode(),
    f"GET /{MARKER} HTTP/1.1\r\nHost: x\r\nbad header {MARKER}\r\n\r\n".encode(),
    f"GET /{MARKER} HTTP/1.1\r\nHost: x\r\n folded: {MARKER}\r\n\r\n".encode(),
    f"GET /{MARKER}{'a' * 9000} HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 300 + b"\r\n",
    f"POST /{MARKER} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {MARKER}\r\n\r\n".encode(),
    f"POST /{MARKER} HTTP/1.1\r\nHost: x\r\nContent-Length: {MARKER}\r\n\r\n".encode(),
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + MARKER.encode() + b"\r\n\r\n",
    f"GET / HTTP/1.1\r\nHost: x\r\nExpect: {MARKER}\r\n\r\n".encode(),
]


@pytest.mark.claim("C-NOADDR")
@pytest.mark.claim("C-HEADERS")
@pytest.mark.parametrize("request_bytes", NO_HTTP, ids=range(len(NO_HTTP)))
def test_what_is_no_http_gets_a_fixed_answer_with_the_strict_headers_and_no_echo(
    running: Running, request_bytes: bytes
) -> None:
    head, _, body = running.exchange(request_bytes).partition(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")
    assert re.fullmatch(r"HTTP/1\.1 [45]\d\d .*", lines[0])
    for name, value in STRICT:
        assert lines.count(f"{name}: {value}") == 1
    assert MARKER.encode() not in head + body


@pytest.mark.claim("C-NOADDR")
@pytest.mark.claim("C-URL")
def test_nothing_of_a_client_is_printed_whatever_it_sends(
    home: Deployment, running: Running
) -> None:
    for request in NO_HTTP:
        running.exchange(request)
    running.get(f"/{MARKER}?code={MARKER}", {"User-Agent": MARKER, "Referer": MARKER})
    running.get(f"/v1/index?{MARKER}", signed(home, running, f"/v1/index?{MARKER}"))
    # Gone in the middle of a body, and in the middle of a chunk.
    length = b"POST /v1/envelopes HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n"
    running.exchange(length + MARKER.encode())
    chunked = b"POST /v1/envelopes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    running.exchange(chunked + b"zz\r\n" + MARKER.encode())
    printed = "".join(running.printed)
    # The control: it does print, and was told to be loud.
    assert "Booting worker" in printed
    assert "is ready on" in printed
    for secret in (CLIENT, "127.0.0.1", MARKER, "/v1/", "GET", "POST", "HTTP/1"):
        assert secret not in printed


def test_a_signed_request_is_understood_as_it_stood_on_the_wire(
    home: Deployment, running: Running
) -> None:
    home.case()
    target = f"/v1/index?limit=2&after={'00' * 16}"
    status, body = running.get(target, signed(home, running, target))
    assert (status, len(json.loads(body)["envelopes"])) == (200, 2)


@pytest.mark.claim("C-REPLAY")
def test_a_request_sent_many_times_at_once_is_answered_once_by_all_workers_together(
    home: Deployment, running: Running
) -> None:
    headers = signed(home, running, "/v1/index")
    found: list[int] = []
    senders = [
        threading.Thread(target=lambda: found.append(running.get("/v1/index", headers)[0]))
        for _ in range(12)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert sorted(found) == [200] + [401] * 11


def test_forwarding_headers_change_nothing(home: Deployment, running: Running) -> None:
    believed = signed(home, running, "/v1/index") | {
        "X-Forwarded-For": "192.0.2.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "elsewhere",
    }
    assert running.get("/v1/index", believed)[0] == 200
    moved = signed(home, running, "/v1/index") | {"SCRIPT_NAME": "/v1", "PATH_INFO": "/roster"}
    assert running.get("/v1/index", moved)[0] == 200


def test_a_worker_makes_no_core_file(running: Running) -> None:
    workers = running.children()
    assert len(workers) == 2
    for pid in workers:
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert re.search(r"Max core file size\s+0\s+0\s", limits)
        status = Path(f"/proc/{pid}/status").read_text()
        assert re.search(r"Umask:\s+0077", status)


@pytest.mark.claim("C-ROSTER")
def test_a_new_roster_is_served_without_a_restart_and_a_broken_one_is_not(
    tmp_path: Path,
) -> None:
    deployment = make_deployment(tmp_path / "home")
    running = start(deployment, "--workers", "1")
    assert running.get("/v1/roster") == (200, deployment.roster.note)
    renewed = deployment.next_roster()
    install_roster(deployment.config, deployment.root_public, renewed.note)
    assert running.get("/v1/roster") == (200, renewed.note)
    deployment.config.roster_path.write_bytes(deployment.roster.note)
    assert running.get("/v1/roster")[0] == 503
    stop(running)
    deployment.vault.close()


# The pieces, one by one.


def test_a_hardened_process_is_not_dumpable_and_makes_private_files() -> None:
    reading, telling = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            harden_process()
            dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
            core = resource.getrlimit(resource.RLIMIT_CORE)
            os.write(telling, json.dumps([dumpable, core, os.umask(0)]).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert json.loads(os.read(reading, 1000)) == [0, [0, 0], 0o077]
    os.close(reading)
    os.close(telling)


def test_a_process_that_cannot_be_hardened_does_not_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def prctl(self, *_: int) -> int:
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Refusing())
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    monkeypatch.setattr(os, "umask", lambda _: 0)
    with pytest.raises(OSError, match="DUMPABLE"):
        harden_process()


@pytest.fixture
def quiet(deployment: Deployment) -> QuietLogger:
    program = Program("sync", "127.0.0.1:1", lambda: pytest.fail("not made"))
    return QuietLogger(server_module._Embedded(program, deployment.config).cfg)


def test_the_log_says_what_is_about_the_server_and_withholds_the_rest(
    quiet: QuietLogger, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet.info("Booting worker with pid: %s", 7)
    quiet.critical("WORKER TIMEOUT (pid:%s)", 8)
    for say in (quiet.info, quiet.warning, quiet.error, quiet.critical, quiet.debug):
        say(f"Invalid request from ip={CLIENT}: {MARKER}")
        say("Error handling request %s", MARKER)
        say(ValueError(MARKER))
    quiet.log("info", "Booting worker with pid: %s", MARKER)
    quiet.access(None, None, {"REMOTE_ADDR": CLIENT}, None)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("] ")[1] for line in lines] == [
        "info: Booting worker with pid: 7",
        "critical: WORKER TIMEOUT (pid:8)",
    ]


def test_of_an_error_the_log_says_its_kind_and_place(
    quiet: QuietLogger, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        int(MARKER)
    except ValueError:
        quiet.exception("Error handling request %s", f"/{MARKER}")
        quiet.error("Unhandled exception in main loop", exc_info=True)
        quiet.error("connection to {addr} failed: %s", MARKER)
    try:
        sys.exit(3)
    except SystemExit:
        quiet.exception("Exception in worker process")
    quiet.exception("without an error")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    for line in lines:
        assert re.search(r"failed: ValueError at gateway/test_server\.py:\d+ in test_of_an", line)
        assert MARKER not in line


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidRequestLine(MARKER), b"400 Bad Request"),
        (InvalidResponseHeader(MARKER), b"500 Internal Server Error"),
        (ValueError(MARKER), b"500 Internal Server Error"),
    ],
)
def test_a_fault_of_ours_and_one_of_the_clients_are_answered_apart(
    error: Exception, status: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        QuietWorker.handle_error(object.__new__(QuietWorker), None, ours, (CLIENT, 1), error)
        assert theirs.recv(4096).startswith(b"HTTP/1.1 " + status)
    written = capsys.readouterr().err
    assert (type(error).__name__ in written) == status.startswith(b"500")
    assert MARKER not in written


def test_an_answer_to_a_client_that_is_gone_is_no_error() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours:
        ours.close()
        QuietWorker.handle_error(
            object.__new__(QuietWorker), None, ours, None, InvalidRequestLine("x")
        )


def test_serve_hands_gunicorn_our_settings_alone(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[server_module._Embedded] = []
    monkeypatch.setattr(server_module._Embedded, "run", lambda one: ran.append(one))  # noqa: PLW0108 # a method, not a list's
    monkeypatch.setattr(server_module, "harden_process", lambda: None)
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--access-logfile=-")
    made = object()
    program = Program("sync", "127.0.0.1:1", lambda: made)  # type: ignore[arg-type, return-value] # no app is needed
    serve(program, deployment.config)
    (embedded,) = ran
    assert embedded.load() is made
    assert "GUNICORN_CMD_ARGS" not in os.environ
    cfg = embedded.cfg
    assert (cfg.accesslog, cfg.syslog, cfg.forwarded_allow_ips) == (None, False, [])
    assert cfg.control_socket_disable
    settings(program, deployment.config)["when_ready"](None)
    assert capsys.readouterr().err.endswith("info: sync is ready on 1\n")
