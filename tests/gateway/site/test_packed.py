"""A long answer waits packed: who reads it slowly keeps little, and reads the same."""

from __future__ import annotations

import contextlib
import gc
import subprocess
import sys
import threading
import tracemalloc

import pytest
from werkzeug.test import EnvironBuilder

from gateway.site.packed import LONG_BYTES
from tests.support.site import COMMON, Writer, token_of

# Each is five letters in the page; the last one makes Python keep four bytes for every letter.
TEXT = '"' * 900_000 + "\N{GRINNING FACE}"
MIB = 1024 * 1024


def form(writer: Writer) -> dict[str, str]:
    return {"token": token_of(writer.begin()), "description": TEXT, "action": "add"}


@pytest.mark.claim("C-MEMORY")
def test_of_a_long_answer_that_is_read_slowly_little_stays_in_memory(
    writer: Writer,
) -> None:
    site = writer.client.application
    # Not encoded as a browser would: three bytes for each would be more than a form may have.
    body = "&".join(f"{name}={value}" for name, value in form(writer).items()).encode()
    builder = EnvironBuilder(
        "/en/send", method="POST", data=body, content_type="application/x-www-form-urlencoded"
    )
    environ = builder.get_environ()
    told: list[str] = []

    def start(status: str, headers: list[tuple[str, str]]) -> None:
        told.extend([status, dict(headers)["Content-Length"]])

    gc.collect()
    tracemalloc.start()
    try:
        # As a server does, which keeps what it handed over until the last byte went.
        answer = site.wsgi_app(environ, start)  # type: ignore[arg-type]
        pieces = iter(answer)
        first = next(pieces)
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    length = len(first) + sum(map(len, pieces))
    assert told == ["200 OK", str(length)]
    assert length > 4 * MIB
    assert kept < MIB


@pytest.mark.claim("C-MEMORY")
@pytest.mark.parametrize("letters", [100, 100_000])
def test_one_long_page_is_made_at_a_time_and_short_ones_do_not_wait(
    writer: Writer, monkeypatch: pytest.MonkeyPatch, letters: int
) -> None:
    typed = {**COMMON, **form(writer), "description": "x" * letters}
    inside, most = [0], [0]
    met = threading.Barrier(2)

    def make(*_: object, **__: object) -> str:
        inside[0] += 1
        most[0] = max(inside[0], most[0])
        with contextlib.suppress(threading.BrokenBarrierError):
            met.wait(30 if letters == 100 else 0.2)
        inside[0] -= 1
        return "a page"

    monkeypatch.setattr("gateway.site.context.render_template", make)
    site = writer.client.application
    send = [
        threading.Thread(target=lambda: site.test_client().post("/en/send", data=typed))
        for _ in range(2)
    ]
    for one in send:
        one.start()
    for one in send:
        one.join()
    assert most == [2 if letters == 100 else 1]


@pytest.mark.parametrize("letters", [1, LONG_BYTES // 5, 10 * LONG_BYTES // 5])
def test_a_long_page_and_a_short_one_come_whole(writer: Writer, letters: int) -> None:
    typed = {**COMMON, **form(writer), "description": '"' * letters + "the end"}
    page = writer.client.post("/en/send", data=typed)
    assert page.status_code == 200
    assert int(page.headers["Content-Length"]) == len(page.data)
    assert "&#34;" * letters + "the end</textarea>" in page.text
    assert page.text.endswith("</html>")


def test_what_is_freed_is_given_back_after_a_flood() -> None:
    code = """
import re
from pathlib import Path
from gateway.worker import give_back_memory
give_back_memory()
def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024
before = resident()
large = b"x" * (30 << 20)
del large
many = [b"x" * (1 << 20) for _ in range(60)]
del many[:-1]
print(resident() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 15
