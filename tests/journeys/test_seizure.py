"""The server's disk is taken while the server runs, with everything that the programs printed."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.answers import FRAUD
from tests.support.media import phone_photo, phone_video
from tests.support.reporter import Attachment, Page, Reporter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.running import RunningDemo

MARKER = "marker-of-a-person-7c41"
PHOTO, VIDEO = b"canary-photo-19d3", b"canary-video-83fa"
AGENT = "agent-of-somebody-5e02"


@pytest.fixture(scope="module")
def sent(demo: RunningDemo) -> Page:
    """A report with a marker in every place that a person fills."""
    reporter = Reporter(demo.site)
    reporter.agent = AGENT
    answers = {
        **FRAUD,
        "description": f"It happened to me: {MARKER}.",
        "identity_mode": "full_identity",
        "identity-name": f"Name {MARKER}",
        "identity-phone": "+212600000000",
    }
    files = [
        Attachment(f"{MARKER}.jpg", phone_photo(PHOTO)),
        Attachment(f"{MARKER}.mov", phone_video(VIDEO)),
    ]
    page = reporter.send(reporter.write(), files, **answers)
    assert page.status == 200, page.text
    return page


def forms_of(needle: bytes) -> set[bytes]:
    """How a string may lie on a disk: as it is, in hex, in UTF-16."""
    return {needle, needle.hex().encode(), needle.decode().encode("utf-16-le")}


def found_in(root: Path, needles: set[bytes]) -> list[str]:
    """The files below a folder that hold one of the needles, in any of its forms."""
    spellings = {form for needle in needles for form in forms_of(needle)}
    files = [path for path in root.rglob("*") if path.is_file()]
    return [str(path) for path in files if any(one in path.read_bytes() for one in spellings)]


def what_was_said(page: Page) -> set[bytes]:
    """Everything of the person that must not be there."""
    code = page.receipt
    grouped = " ".join(code[i : i + 4] for i in range(0, 28, 4))
    words = (MARKER.encode(), PHOTO, VIDEO, AGENT.encode(), b"+212600000000")
    return {*words, code.encode(), grouped.encode()}


def server_files(demo: RunningDemo) -> Path:
    """What stands on the server's disk: not the desks, which are other machines."""
    return demo.home / "gateway"


def test_the_scan_finds_a_planted_word(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "plain").write_text(f"x{MARKER}y")
    (deep / "hex").write_text(MARKER.encode().hex())
    (deep / "wide").write_bytes(MARKER.encode("utf-16-le"))
    assert len(found_in(tmp_path, {MARKER.encode()})) == 3


@pytest.mark.claim("C-REST")
def test_the_seized_disk_holds_no_word_of_a_report(demo: RunningDemo, sent: Page) -> None:
    folder = server_files(demo)
    assert (folder / "vault.sqlite-wal").exists(), "the write-ahead log is searched, too"
    assert len([p for p in (folder / "blobs").rglob("*") if p.is_file()]) >= 2
    assert found_in(folder, what_was_said(sent)) == []
    temporary = [Path(os.environ.get("TMPDIR", "/tmp")), Path("/dev/shm")]  # noqa: S108  # searched
    for place in temporary:
        mine = [p for p in place.glob("*") if "pytest" not in p.name and p.is_file()]
        for path in mine:
            content = path.read_bytes() if os.access(path, os.R_OK) else b""
            assert not any(word in content for word in what_was_said(sent)), path


@pytest.mark.claim("C-REST", "C-NOADDR", "C-URL")
def test_the_programs_print_nothing_of_a_report_and_nothing_of_its_sender(
    demo: RunningDemo, sent: Page
) -> None:
    printed = demo.output().encode()
    assert b"rehears" in printed.lower()  # what is printed is captured
    for word in what_was_said(sent):
        assert word not in printed
    requests = [line for line in demo.output().splitlines() if "POST" in line or "GET /" in line]
    assert requests == []


@pytest.mark.usefixtures("eyes")
@pytest.mark.claim("C-SERVER-BLIND")
def test_no_running_process_of_the_gateway_has_a_key_file_open_or_in_reach(
    demo: RunningDemo, sent: Page
) -> None:
    assert sent.status == 200
    gateway = [pid for pid in demo.worker_pids() if "amana-gateway" in command_of(pid)]
    assert len(gateway) >= 4  # two programs, each with workers
    private = {str(p) for p in demo.home.rglob("*") if p.name in {"keys", "root.key"}}
    assert len(private) >= 4  # two operators, one custodian, the root
    for pid in gateway:
        assert not private & set(open_files(pid))
        modules = "".join(Path(f"/proc/{pid}/maps").read_text())
        assert "operator_opening" not in modules
        assert "passphrase" not in environment_of(pid).lower()
    assert not [p for p in server_files(demo).rglob("*") if p.name in {"keys", "root.key"}]


@pytest.mark.claim("C-SERVER-BLIND")
def test_the_gateways_programs_never_load_the_modules_that_open_reports() -> None:
    loaded = modules_after("import gateway.cli, gateway.site.app, gateway.sync.app, gateway.server")
    assert "crypto.envelope" in loaded  # the look into the process sees modules
    assert not loaded & {"crypto.operator_opening", "crypto.keyfile", "desk", "ceremony"}


def modules_after(statement: str) -> set[str]:
    """The modules that a fresh interpreter has after a statement."""
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def command_of(pid: int) -> str:
    """A process's arguments."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def environment_of(pid: int) -> str:
    """A process's environment."""
    return Path(f"/proc/{pid}/environ").read_bytes().decode("utf-8", "replace")


def open_files(pid: int) -> Iterator[str]:
    """The files that a process holds open."""
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            yield str(link.readlink())
        except OSError:
            continue


@pytest.mark.claim("C-REST")
def test_compressed_blobs_hide_nothing_either(demo: RunningDemo, sent: Page) -> None:
    """Ciphertext does not compress: a blob that does holds something that was not sealed."""
    del sent
    blobs = [p for p in (server_files(demo) / "blobs").rglob("*") if p.is_file()]
    for path in blobs:
        content = io.BytesIO(path.read_bytes()).read(1 << 20)
        assert len(zlib.compress(content)) > 0.99 * len(content)
