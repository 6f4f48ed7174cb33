"""Ports for programs that a test starts: such as nothing else takes while the program starts.

What the system hands out by itself, as the near end of every connection and to whoever binds to
port 0, comes from the ephemeral range, 32768 and up: a port of that range that was free a second
ago may be somebody's now.  Ours lie below it, each worker of the tests has its own thousands, and
a port that was given comes again only after all the others.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import socket

LOWEST = 12_000
FOR_ONE_WORKER = 2_500
WORKERS = 8


def _mine() -> itertools.cycle[int]:
    """The ports of this worker, from anywhere among them: another run may be beside it."""
    number = re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or "0"
    ports = range(
        LOWEST + int(number) % WORKERS * FOR_ONE_WORKER,
        LOWEST + (int(number) % WORKERS + 1) * FOR_ONE_WORKER,
    )
    start = random.SystemRandom().randrange(FOR_ONE_WORKER)
    return itertools.cycle([*ports[start:], *ports[:start]])


_PORTS = _mine()


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on now, and that nobody is handed by chance."""
    return list(itertools.islice(filter(_is_free, _PORTS), count))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
