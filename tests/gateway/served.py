"""A gateway that runs as a program, spoken to over real connections."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.ports import free_ports

if TYPE_CHECKING:
    from tests.gateway.deployment import Deployment

# Clients come from an address of their own, so that finding it could mean nothing else.
CLIENT = "127.0.0.77"


@dataclass(slots=True)
class Running:
    """A door that runs as a program, and everything it printed."""

    process: subprocess.Popen[str]
    port: int
    printed: list[str] = field(default_factory=list)

    def exchange(self, request: bytes) -> bytes:
        """Send raw bytes from CLIENT and read until the server closes."""
        address = ("127.0.0.1", self.port)
        with socket.create_connection(address, 10, source_address=(CLIENT, 0)) as client:
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := client.recv(65536):
                answer += piece
            return answer

    def get(self, target: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """GET a target from CLIENT."""
        client = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=10, source_address=(CLIENT, 0)
        )
        client.request("GET", target, headers=headers or {})
        answer = client.getresponse()
        found = answer.status, answer.read()
        client.close()
        return found

    def children(self) -> list[int]:
        """Process ids of the workers."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(word) for word in path.read_text().split()]


def start(
    deployment: Deployment, *arguments: str, which: str = "sync", **environment: str
) -> Running:
    """Serve a door of a deployment until it says that it is ready."""
    (port,) = free_ports(1)
    program = Path(sys.executable).parent / "amana-gateway"
    process = subprocess.Popen(
        [program, "serve", which, "--bind", f"127.0.0.1:{port}", *arguments],
        env={
            **os.environ,
            "AMANA_HOME": str(deployment.config.home.parent),
            "GUNICORN_CMD_ARGS": "--access-logfile=- --log-level=debug",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    running = Running(process, port)
    ready = threading.Event()

    def listen() -> None:
        for line in process.stdout or ():
            running.printed.append(line)
            if "is ready" in line:
                ready.set()
        ready.set()

    threading.Thread(target=listen, daemon=True).start()
    assert ready.wait(30)
    assert process.poll() is None, running.printed
    return running


def stop(running: Running) -> None:
    """End it as a service manager does."""
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(30) == 0
