"""The auditor's checks hold on a real deployment, and each is seen to fail on a spoilt one."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import gaierror
from typing import TYPE_CHECKING

import pytest
import urllib3
from click.testing import CliRunner
from werkzeug.serving import make_server

from audit.cli import main
from audit.errors import Unreachable
from audit.shelf import audit_shelf
from audit.site import REQUIRED, Site, audit_site
from tests.support.answers import FRAUD
from tests.support.media import phone_photo
from tests.support.rehearsal import make_rehearsal
from tests.support.reporter import Attachment, Reporter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audit.finding import Finding
    from tests.support.rehearsal import Rehearsal

CONNECTION = urllib3.connection.HTTPConnection("a.test")


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    return make_rehearsal(tmp_path_factory.mktemp("audit"))


@contextmanager
def served(application: object) -> Iterator[str]:
    """An application on a port of its own, for this test alone."""
    server = make_server("127.0.0.1", 0, application, threaded=True)  # type: ignore[arg-type]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def site(rehearsal: Rehearsal) -> Iterator[str]:
    with served(rehearsal.site_client().application) as address:
        yield address


def broken(findings: list[Finding]) -> list[str]:
    return [finding.check for finding in findings if not finding.holds]


@pytest.mark.claim("C-HEADERS", "C-NOCOOKIE", "C-ALIKE")
def test_a_real_site_holds_every_check_from_outside(site: str) -> None:
    findings = list(audit_site(Site(site)))
    assert broken(findings) == []
    assert len(findings) > 10


class Careless(BaseHTTPRequestHandler):
    """A site that does everything wrong."""

    count = 0

    def answer(self) -> None:
        """Answer anything with a page that betrays."""
        Careless.count += 1
        body = f"<script>1</script><img src='//elsewhere/x' onload='x()'>{Careless.count}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Set-Cookie", "a=b")
        self.send_header("Content-Security-Policy", "default-src *")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = answer  # noqa: N815  # the names that http.server calls

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def careless(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_careless_site_fails_every_check() -> None:
    with careless(Careless) as address:
        findings = list(audit_site(Site(address)))
    assert len(broken(findings)) == len(findings)
    words = " ".join(finding.seen for finding in findings)
    for wrong in (*REQUIRED, "script", "//elsewhere/x", "onload", "pages differ"):
        assert wrong in words


class Telling(Careless):
    """Its pages are the same, and a header tells codes apart."""

    def answer(self) -> None:
        """Answer anything with a page that counts."""
        Careless.count += 1
        self.send_response(200)
        self.send_header("X-Time", str(Careless.count))
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_PUT = answer  # noqa: N815  # the names that http.server calls


def test_a_header_that_tells_codes_apart_is_named() -> None:
    with careless(Telling) as address:
        findings = {finding.check: finding for finding in audit_site(Site(address))}
    alike = findings["two codes that were never given get the same answer"]
    assert not alike.holds
    assert "x-time" in alike.seen


def test_a_site_that_is_not_there_is_said_to_be_unreachable() -> None:
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
        list(audit_site(Site("http://127.0.0.1:9/")))
    done = CliRunner().invoke(main, ["site", "http://127.0.0.1:9/"])
    assert done.exit_code == 2
    said = "amana-audit: http://127.0.0.1:9 cannot be reached: nobody answers there\n"
    assert done.stderr == said


@pytest.mark.parametrize(
    "address",
    ["nowhere", "ftp://a.test", "http://", "http://a.test/path", "http://[::1", "http:// "],
)
def test_what_is_no_address_is_said_to_be_none(address: str) -> None:
    done = CliRunner().invoke(main, ["site", address])
    assert done.exit_code == 2
    assert "is not the address of a site" in done.stderr


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (urllib3.exceptions.NameResolutionError("a.test", CONNECTION, gaierror()), "no network"),
        (urllib3.exceptions.SSLError("bad"), "certificate"),
        (urllib3.exceptions.ConnectTimeoutError(), "did not answer within 20 seconds"),
        (urllib3.exceptions.ProtocolError("x"), "as a site does (ProtocolError)"),
    ],
)
def test_why_a_site_cannot_be_looked_at_is_a_sentence(
    failure: Exception, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(urllib3.PoolManager, "request", fail)
    done = CliRunner().invoke(main, ["site", "https://a.test"])
    assert done.exit_code == 2
    assert done.stderr.startswith("amana-audit: https://a.test ")
    assert words in done.stderr


@pytest.mark.parametrize("asked", ["-h", "--help"])
def test_help_is_short_and_no_line_of_it_is_cut(asked: str) -> None:
    done = CliRunner().invoke(main, [asked])
    assert done.exit_code == 0
    assert "..." not in done.stdout.partition("Commands:")[2]


@pytest.fixture
def shelf(rehearsal: Rehearsal, site: str, tmp_path: Path) -> tuple[Path, Path]:
    """A copy of a server's disk with one report on it."""
    reporter = Reporter(site)
    page = reporter.send(reporter.write(), [Attachment("a.jpg", phone_photo(b"c"))], **FRAUD)
    assert page.status == 200, page.text
    home = rehearsal.config.home
    database, blobs = tmp_path / "vault.sqlite", tmp_path / "blobs"
    with (
        closing(sqlite3.connect(home / "vault.sqlite")) as live,
        closing(sqlite3.connect(database)) as copy,
    ):
        live.backup(copy)
    shutil.copytree(home / "blobs", blobs)
    return database, blobs


@pytest.mark.claim("C-DAY", "C-ORDER", "C-IDENTITY")
def test_a_real_shelf_holds_every_check_without_a_key(shelf: tuple[Path, Path]) -> None:
    findings = list(audit_shelf(*shelf))
    assert broken(findings) == []
    assert "1 envelopes" not in findings[2].seen


def alter(statement: str) -> Callable[[Path, Path], None]:
    """Spoil a database with one statement."""

    def apply(database: Path, _: Path) -> None:
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.execute(statement)
            connection.commit()

    return apply


def lose_a_blob(_: Path, blobs: Path) -> None:
    next(path for path in blobs.rglob("*") if path.is_file()).unlink()


SPOILT = {
    "a column more": (alter("ALTER TABLE cases ADD COLUMN address TEXT"), "the tables hold"),
    "a column less": (alter("ALTER TABLE cases DROP COLUMN thread_state"), "the tables hold"),
    "a table that counts": (alter("CREATE TABLE log (line TEXT)"), "no order of arrival"),
    "a header of zeros": (alter("UPDATE envelopes SET header = zeroblob(140)"), "every envelope"),
    "another case": (alter("UPDATE envelopes SET case_id = zeroblob(16)"), "every envelope"),
    "another day": (alter("UPDATE envelopes SET day = day - 9"), "days agree"),
    "a lost blob": (lose_a_blob, "every part is there"),
}


@pytest.mark.parametrize("harm", SPOILT)
def test_a_spoilt_shelf_is_seen(shelf: tuple[Path, Path], harm: str) -> None:
    spoil, check = SPOILT[harm]
    spoil(*shelf)
    found = broken(list(audit_shelf(*shelf)))
    assert any(name.startswith(check) for name in found), found


def test_a_missing_identity_envelope_is_seen(shelf: tuple[Path, Path]) -> None:
    with closing(sqlite3.connect(shelf[0])) as connection:
        rows = connection.execute("SELECT envelope_id, header FROM envelopes").fetchall()
        identities = [bytes(envelope) for envelope, header in rows if bytes(header)[10] == 3]
        connection.execute("DELETE FROM envelopes WHERE envelope_id = ?", identities[:1])
        connection.commit()
    assert any("identity envelope for each" in name for name in broken(list(audit_shelf(*shelf))))


def test_what_is_no_vault_is_said_to_be_none(tmp_path: Path) -> None:
    note = tmp_path / "note.sqlite"
    note.write_text("not a database, and long enough to be looked at as one " * 20)
    with pytest.raises(Unreachable, match="not a vault"):
        list(audit_shelf(note, tmp_path))
    with pytest.raises(Unreachable, match="should be"):
        list(audit_shelf(tmp_path, tmp_path))


def test_the_command_line_says_what_holds_and_ends_with_it(
    shelf: tuple[Path, Path], rehearsal: Rehearsal, site: str
) -> None:
    run = CliRunner().invoke
    seen = run(main, ["vault", *(str(path) for path in shelf)])
    assert seen.exit_code == 0, seen.output
    assert "holds" in seen.output
    listed = run(main, ["site", site, "--json"])
    assert listed.exit_code == 0
    assert all(row["holds"] for row in json.loads(listed.output))
    home = rehearsal.config.home
    roster = [str(home / "roster.note"), "--root-public", str(home / "root.pub")]
    verified = run(main, ["roster", *roster])
    assert verified.exit_code == 0
    assert "2 operators, 1 custodian, " in verified.stdout


@pytest.mark.claim("C-ROSTER")
def test_a_roster_with_one_changed_byte_does_not_hold(rehearsal: Rehearsal, tmp_path: Path) -> None:
    home = rehearsal.config.home
    note = tmp_path / "roster.note"
    note.write_bytes((home / "roster.note").read_bytes().replace(b"rehearsal yes", b"rehearsal no"))
    arguments = ["roster", str(note), "--root-public", str(home / "root.pub")]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1
    assert "BROKEN" in done.output


def test_what_cannot_be_read_or_is_no_text_is_said_in_one_line(
    rehearsal: Rehearsal, tmp_path: Path
) -> None:
    home, run = rehearsal.config.home, CliRunner().invoke
    note, root = str(home / "roster.note"), str(home / "root.pub")
    folder = run(main, ["roster", str(tmp_path), "--root-public", root])
    assert (folder.exit_code, "is a directory" in folder.stderr) == (2, True)
    (tmp_path / "raw").write_bytes(b"\xff" * 50)
    binary = run(main, ["roster", note, "--root-public", str(tmp_path / "raw")])
    assert (binary.exit_code, "not a root's public key" in binary.stdout) == (1, True)
    # What has no end is not read to it; what the machine refuses is named.
    endless = run(main, ["roster", "/dev/zero", "--root-public", root])
    assert (endless.exit_code, "at most 256 KiB" in endless.stdout) == (1, True)
    broken = run(main, ["roster", note, "--root-public", "/proc/self/mem"])
    assert (broken.exit_code, broken.stdout) == (2, "")
    assert "amana-audit: /proc/self/mem cannot be read" in broken.stderr


@pytest.mark.parametrize("what", ["--help", "roster roster.note --root-public root.pub"])
def test_a_disk_that_is_full_behind_the_output_is_one_line(rehearsal: Rehearsal, what: str) -> None:
    line = f"{Path(sys.executable).parent / 'amana-audit'} {what} > /dev/full"
    done = subprocess.run(
        ["sh", "-c", line], cwd=rehearsal.config.home, env={**os.environ, "PYTHONUNBUFFERED": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, "amana-audit: No space left on device\n")
