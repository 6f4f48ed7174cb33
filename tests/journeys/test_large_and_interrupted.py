"""Large uploads and interrupted ones, against the programs as they are run."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.bench.bare import application as bare_application
from tests.bench.measure import MIB, reset_peak, resident_peak
from tests.support.answers import FRAUD
from tests.support.media import big_video, phone_photo
from tests.support.ports import free_ports
from tests.support.reporter import BOUNDARY, Attachment, Reporter, form_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import RunningDemo

MARKER = b"plaintext-on-its-way-2b7e"
GIB = 1 << 30


@contextmanager
def another_site(demo: RunningDemo) -> Iterator[tuple[subprocess.Popen[bytes], Reporter]]:
    """A second site over the same vault, which a test may kill."""
    (port,) = free_ports(1)
    command = [str(Path(sys.executable).parent / "amana-gateway"), "serve", "site"]
    process = subprocess.Popen(
        [*command, "--bind", f"127.0.0.1:{port}"],
        env={**os.environ, "AMANA_HOME": str(demo.home)},
        start_new_session=True,
    )
    try:
        yield process, answering(Reporter(f"http://127.0.0.1:{port}"))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answering(reporter: Reporter) -> Reporter:
    """Wait until the site answers."""
    for _ in range(200):
        try:
            reporter.get("/")
        except OSError:
            time.sleep(0.1)
        else:
            return reporter
    raise TimeoutError(reporter.site)


def family(pid: int) -> list[int]:
    """A process and all that it started."""
    pids = [pid]
    for one in pids:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            pids += [int(word) for word in task.read_text().split()]
    return pids


def half_an_upload(reporter: Reporter, path: str, values: list[tuple[str, str]]) -> socket.socket:
    """Send the first half of a form with a large file, and hold the line."""
    head = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in values
    )
    head += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="evidence"; filename="a.jpg"\r\n'
    body = (head + "Content-Type: image/jpeg\r\n\r\n").encode() + MARKER * (4 * MIB // len(MARKER))
    where = urlsplit(reporter.site)
    line = socket.create_connection((where.hostname or "", where.port or 0))
    request = (
        f"POST {path} HTTP/1.1\r\nHost: {where.netloc}\r\nSec-Fetch-Site: same-origin\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        f"Content-Length: {2 * len(body)}\r\n\r\n"
    )
    line.sendall(request.encode() + body)
    return line


def plaintext_files(pids: list[int]) -> list[str]:
    """Regular files that these processes hold open, nameless ones too, with the marker in them."""
    found = []
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if link.is_file() and MARKER in link.read_bytes():
                    found.append(str(link.readlink()))
    return found


def spool_bytes(pids: list[int], folder: Path) -> int:
    """How much these processes hold in nameless files below a folder."""
    total = 0
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if str(link.readlink()).startswith(str(folder)):
                    total += link.stat().st_size
    return total


@pytest.mark.usefixtures("eyes")
@pytest.mark.claim("C-NODISK")
def test_an_upload_on_its_way_is_on_no_disk_in_plaintext(demo: RunningDemo) -> None:
    with another_site(demo) as (process, reporter):
        form = form_to(reporter.write().text, "/send")
        with half_an_upload(reporter, form.action, form.filled(**FRAUD)):
            spool = demo.home / "gateway" / "spool"
            for _ in range(100):
                if spool_bytes(family(process.pid), spool) > MIB:
                    break
                time.sleep(0.1)
            pids = family(process.pid)
            # It has arrived, and lies on the disk, and is not what was sent.
            assert spool_bytes(pids, spool) > MIB
            assert plaintext_files(pids) == []


def test_the_look_at_open_files_finds_what_a_bare_view_spools(tmp_path: Path) -> None:
    """The positive control: Werkzeug's own temporary file is seen by the same look."""
    assert bare_application.name
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--threads", "2"]
    process = subprocess.Popen(
        [*command, "--log-level", "error", "tests.bench.bare:application"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        start_new_session=True,
    )
    try:
        reporter = answering(Reporter(f"http://127.0.0.1:{port}"))
        with half_an_upload(reporter, "/send", []):
            for _ in range(100):
                if plaintext_files(family(process.pid)):
                    break
                time.sleep(0.1)
            assert plaintext_files(family(process.pid))
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


@pytest.mark.claim("C-DURABLE")
def test_a_gateway_killed_in_the_middle_of_an_upload_serves_nothing_half(demo: RunningDemo) -> None:
    demo.amana("amana-desk", "sync")
    before = {case["case"] for case in demo.amana_json("amana-desk", "list")["cases"]}
    with another_site(demo) as (process, reporter):
        form = form_to(reporter.write().text, "/send")
        values = form.filled(**FRAUD, action="send")
        with half_an_upload(reporter, form.action, values):
            time.sleep(0.5)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    demo.amana("amana-desk", "sync")
    after = demo.amana_json("amana-desk", "list")
    assert {case["case"] for case in after["cases"]} == before


@pytest.mark.claim("C-DURABLE")
def test_a_gateway_killed_after_the_receipt_has_the_report(demo: RunningDemo) -> None:
    words = {**FRAUD, "description": "Acknowledged, and then the power went out."}
    with another_site(demo) as (process, reporter):
        page = reporter.send(reporter.write(), [Attachment("a", phone_photo(b"x"))], **words)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert len(page.receipt) == 28
    demo.amana("amana-desk", "sync")
    cases = demo.amana_json("amana-desk", "list")["cases"]
    shown = [demo.amana("amana-desk", "show", case["case"], "--json") for case in cases]
    assert sum(words["description"] in one for one in shown) == 1


@pytest.mark.claim("C-MEMORY")
def test_memory_does_not_grow_with_a_video_of_a_gigabyte(demo: RunningDemo, tmp_path: Path) -> None:
    path = tmp_path / "large.mp4"
    length = big_video(path, GIB)
    assert length > 0.95 * GIB
    reporter = Reporter(demo.site)
    form = reporter.write()
    pids = demo.worker_pids()
    before = {pid: reset_peak(pid) for pid in pids}
    with path.open("rb") as file:
        page = reporter.send(form, [Attachment("v.mp4", file, length)], **FRAUD)
    path.unlink()
    assert page.status == 200, page.text
    assert len(page.receipt) == 28
    added = {pid: (resident_peak(pid) - before[pid]) / MIB for pid in pids}
    assert max(added.values()) <= 64, added
