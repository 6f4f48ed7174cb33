"""`make bench`: what Amana costs, as ratios to what it is compared with, all in one run."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from crypto.ids import Deployment
from crypto.receipt import ReceiptCode, stretch
from tests.bench.cleaning import photos, rates, videos
from tests.bench.desk import listing, syncing
from tests.bench.measure import MIB, cpu_seconds, in_turn, reset_peak, resident_peak, row, seconds
from tests.support.answers import FRAUD
from tests.support.flood import Answer, Client, Told, wait_for_turn
from tests.support.media import big_video
from tests.support.pieces import PieceSender
from tests.support.ports import free_ports
from tests.support.reporter import Attachment, Reporter, form_to
from tests.support.running import RunningDemo, running_demo

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def bare_site(folder: Path) -> Iterator[str]:
    """The bare view, under the same kind of server and workers as ours."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--workers", "2"]
    command += ["--threads", "8", "--timeout", "300", "--bind", f"127.0.0.1:{port}"]
    command += ["--log-level", "error", "tests.bench.bare:application"]
    with (folder / "bare.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)  # our own view
        try:
            reporter = Reporter(f"http://127.0.0.1:{port}")
            while process.poll() is None:
                try:
                    reporter.get("/")
                    break
                except OSError:
                    continue
            yield reporter.site
        finally:
            process.terminate()
            process.wait()


def video(demo: RunningDemo, folder: Path) -> None:
    """100 MB of video: from the first byte of the POST to the durable receipt."""
    path = folder / "video.mp4"
    big_video(path, 100 * MIB)
    size = path.stat().st_size
    ours, theirs = Reporter(demo.site), None
    with path.open("rb") as file, bare_site(folder) as bare:
        theirs = Reporter(bare)
        attached = [Attachment("video.mp4", file, size, "video/mp4")]

        def amana() -> None:
            page = ours.send(ours.write(), attached, **FRAUD)
            assert page.receipt, page.text

        def spool() -> None:
            assert theirs.post_files("/send", [], attached).status == 200

        mine, bares, ratio = in_turn(amana, spool, 5)
    what = f"video of {size / 1e6:.0f} MB, POST to receipt: {mine:.2f} s, bare Flask {bares:.2f} s"
    row(what, f"{ratio:.2f} x", "<= 1.5 x")


def cpu_of_argon2id() -> float:
    """CPU seconds of one stretching, two at a time as in the gateway: they share the memory."""
    code, deployment = ReceiptCode.generate(), Deployment(bytes(16))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: stretch(code, deployment), range(4)))
        before = time.process_time()
        list(pool.map(lambda _: stretch(code, deployment), range(60)))
        return (time.process_time() - before) / 60


def texts(demo: RunningDemo) -> None:
    """Text reports, 32 at a time, against the one Argon2id that each contains.

    Whom the site asks to wait for a turn waits, as their browser would.
    """
    count, one = 200, cpu_of_argon2id()
    client = Client(int(demo.site.rpartition(":")[2]), "127.0.0.1")
    with ThreadPoolExecutor(32) as pool:
        forms = list(pool.map(lambda _: client.begin(), range(count)))
        pids = demo.worker_pids()
        before = cpu_seconds(pids)
        all_told = [Told() for _ in forms]

        def send(form: Answer, told: Told) -> None:
            began = time.monotonic()
            wait_for_turn(client, client.send(form), told, began)

        wall = seconds(lambda: list(pool.map(send, forms, all_told)))
        used = (cpu_seconds(pids) - before) / count
    failed = sum(not told.received for told in all_told)
    what = f"text reports, 32 at a time: {count / wall:.1f}/s, {failed} of {count} failed"
    row(what, "none" if not failed else f"{failed}", "none failed")
    what = f"CPU of a text report {used * 1e3:.0f} ms, of one Argon2id {one * 1e3:.0f} ms"
    row(what, f"{used / one:.2f} x", "<= 1.5 x")


def memory(demo: RunningDemo, folder: Path, size: int) -> None:
    """The peak that a large upload adds to any of our processes."""
    path = folder / "large.mp4"
    big_video(path, size)
    reporter = Reporter(demo.site)
    form = reporter.write()
    pids = demo.worker_pids()
    before = {pid: reset_peak(pid) for pid in pids}
    with path.open("rb") as file:
        length = path.stat().st_size
        page = reporter.send(form, [Attachment("v.mp4", file, length, "video/mp4")], **FRAUD)
    assert page.receipt, page.text
    added = max(resident_peak(pid) - before[pid] for pid in pids)
    row(
        f"peak memory added by an upload of {length / 1e9:.1f} GB",
        f"{added / MIB:.0f} MiB",
        "<= 64",
    )
    path.unlink()


def in_pieces(demo: RunningDemo, folder: Path, size: int) -> None:
    """The same film, as the page's script sends it: pieces of 1 MiB, then the form."""
    path = folder / "pieces.mp4"
    big_video(path, size)
    reporter = Reporter(demo.site)
    form = reporter.write()
    pids = demo.worker_pids()
    before = {pid: reset_peak(pid) for pid in pids}
    began = time.perf_counter()
    with path.open("rb") as file:
        length = path.stat().st_size
        script = PieceSender(demo.site, form)
        sent, cleaned = script.send(file, length)
        page = reporter.post("/en/send", form_to(form.text, "/send").filled(**script.fields(FRAUD)))
    assert page.receipt, page.text
    took = time.perf_counter() - began
    added = max(resident_peak(pid) - before[pid] for pid in pids)
    what = f"{length / 1e9:.1f} GB in pieces: sent {sent:.0f} s, cleaned {cleaned:.0f} s, in all"
    row(what, f"{took:.0f} s", "no goal")
    row("peak memory added by them", f"{added / MIB:.0f} MiB", "<= 64")
    path.unlink()


def main() -> None:
    """Print the table."""
    print("Amana's costs; medians of pairs run in turn, on this machine, now.", flush=True)  # noqa: T201  # a benchmark prints
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos(folder)
        rates(folder)
        videos(folder)
        listing(folder)
        syncing(folder)
        with running_demo(folder / "home") as demo:
            texts(demo)
            video(demo, folder)
            memory(demo, folder, 2 << 30)
            in_pieces(demo, folder, 2 << 30)


if __name__ == "__main__":
    main()
