"""Files: decrypted in memory, whole or by pieces, and exported only when they are proven."""

# ruff: noqa: PLR0913, PLR0917 - a test names the fixtures that it needs

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from desk.alarms import Sign
from desk.console import print_case
from desk.errors import EvidenceUnsound, ExportRefused, NoSuchEvidence
from desk.evidence import open_evidence, view
from desk.export import export_case
from desk.summary import deep_alarms
from tests.desk.world import JPEG, Reporter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desk.cases import Case
    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.server import FakeServer

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]


@pytest.fixture
def film() -> bytes:
    return os.urandom(700_001)


def test_a_file_comes_back_whole_and_in_pieces(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read, film: bytes
) -> None:
    row = reporter.evidence("video-1.mp4", "video/mp4", film)
    sync(*reporter.report([row]))
    file = open_evidence(desk, read(), row.id.hex())
    assert b"".join(file.whole()) == film
    for first, last in (
        (0, 0),
        (0, 16_383),
        (16_384, 300_000),
        (262_143, 262_144),
        (700_000, 700_000),
    ):
        assert b"".join(file.piece(first, last)) == film[first : last + 1]


def test_a_piece_of_a_sealed_copy_that_was_changed_or_lost_is_unsound(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read, film: bytes
) -> None:
    row = reporter.evidence("video-1.mp4", "video/mp4", film)
    sync(*reporter.report([row]))
    file = open_evidence(desk, read(), row.id.hex())
    path = desk.store.part_path(row.id, 1)
    sound = path.read_bytes()
    file.prove()
    changed = bytearray(sound)
    changed[-10_000] ^= 1
    path.write_bytes(changed)
    assert b"".join(file.piece(0, 99)) == film[:100]
    for lie in (bytes(changed), sound[:-20_000], sound + b"\0", b""):
        path.write_bytes(lie)
        with pytest.raises(EvidenceUnsound, match="does not decrypt"):
            b"".join(file.piece(690_000, 700_000))
    path.unlink()
    with pytest.raises(EvidenceUnsound, match="gone"):
        b"".join(file.piece(0, 99))


def test_a_file_with_another_digest_than_its_manifest_says_is_unsound(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read, tmp_path: Path
) -> None:
    row = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG, sha256=bytes(32))
    sync(*reporter.report([row]))
    with pytest.raises(EvidenceUnsound, match="SHA-256"):
        b"".join(open_evidence(desk, read(), row.id.hex()).whole())
    # Nor is a piece of it given: authentic chunks do not say what they are.
    with pytest.raises(EvidenceUnsound, match="SHA-256"):
        next(open_evidence(desk, read(), row.id.hex()).piece(0, 9))
    done = export_case(desk, read(), tmp_path / "out")
    assert done.left_out == (row.id.hex(),)
    assert list((tmp_path / "out/evidence").iterdir()) == []
    assert json.loads((tmp_path / "out/case.json").read_text())["files"][0]["path"] is None


def test_a_file_whose_length_is_not_what_was_sealed_does_not_open(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read
) -> None:
    row = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG, length=10**9)
    sync(*reporter.report([row]))
    found = {alarm.sign for alarm in deep_alarms(desk, read())}
    assert found == {Sign.CANNOT_OPEN, Sign.PARTS_REFUSED}
    with pytest.raises(NoSuchEvidence):
        open_evidence(desk, read(), row.id.hex())


def test_a_sealed_copy_that_was_changed_or_lost_on_this_disk_is_unsound(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read, film: bytes, tmp_path: Path
) -> None:
    row = reporter.evidence("video-1.mp4", "video/mp4", film)
    sync(*reporter.report([row]))
    path = desk.store.part_path(row.id, 1)
    path.write_bytes(path.read_bytes()[:-20_000])
    file = open_evidence(desk, read(), row.id.hex())
    with pytest.raises(EvidenceUnsound, match="changed or cut"):
        b"".join(file.whole())
    assert export_case(desk, read(), tmp_path / "out").left_out == (row.id.hex(),)
    path.unlink()
    with pytest.raises(EvidenceUnsound, match="gone"):
        b"".join(file.whole())


def test_a_file_that_is_not_fetched_yet_says_so(
    desk: Desk, reporter: Reporter, server: FakeServer, sync: Synced, read: Read, tmp_path: Path
) -> None:
    row = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    server.answers["/v1/parts"] = (404, b"{}")
    sync(*reporter.report([row]))
    assert view(desk, read().files[0]).problem == "not-fetched"
    assert export_case(desk, read(), tmp_path / "out").left_out == (row.id.hex(),)
    with pytest.raises(NoSuchEvidence):
        open_evidence(desk, read(), row.id.hex())


def test_a_file_of_another_case_cannot_be_opened_through_this_one(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read
) -> None:
    other = Reporter(reporter.world)
    theirs = other.evidence("photo-1.jpg", "image/jpeg", JPEG)
    sync(*reporter.report(), *other.report([theirs]))
    with pytest.raises(NoSuchEvidence):
        open_evidence(desk, read(), theirs.id.hex())


def test_an_export_holds_the_case_and_its_files_and_only_its_owner_reads_it(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read, tmp_path: Path, film: bytes
) -> None:
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    video = reporter.evidence("video-2.mp4", "video/mp4", film)
    more = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG + b"again")
    report = reporter.report([photo, video])
    sync(*report, *reporter.follow_up("One more.", [more], parents=[report[0].header.hash]))
    folder = tmp_path / "deep" / "out"
    done = export_case(desk, read(), folder)
    assert done.files == (
        "evidence/photo-1.jpg",
        "evidence/video-2.mp4",
        "evidence/message-1-photo-1.jpg",
    )
    assert (folder / "evidence/photo-1.jpg").read_bytes() == JPEG
    assert (folder / "evidence/video-2.mp4").read_bytes() == film
    assert (folder / "evidence/message-1-photo-1.jpg").read_bytes() == JPEG + b"again"
    case = json.loads((folder / "case.json").read_text())
    assert case["fields"]["description"] == "They took my money."
    assert [one["path"] for one in case["files"]] == list(done.files)
    for path in (folder, *folder.rglob("*")):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


@pytest.mark.parametrize(
    "name",
    [
        "../../outside.jpg",
        "/etc/passwd",
        "..",
        ".",
        "",
        "a/b",
        "a\0b",
        ".hidden",
        "x" * 200,
        "photo\u202egpj.exe",
        "-rf",
        "CON.jpg.exe.sh",
        "a\nb",
    ],
)
def test_no_name_from_inside_an_envelope_becomes_a_path(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read, tmp_path: Path, name: str
) -> None:
    sync(*reporter.report([reporter.evidence(name, "image/jpeg", JPEG)]))
    folder = tmp_path / "inner" / "out"
    assert export_case(desk, read(), folder).files == ("evidence/file-1.jpg",)
    assert (folder / "evidence/file-1.jpg").read_bytes() == JPEG
    written = {path.name for path in (tmp_path / "inner").rglob("*")}
    assert written == {"out", "case.json", "evidence", "file-1.jpg"}


def test_an_export_goes_into_a_new_folder_only(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read, tmp_path: Path
) -> None:
    sync(*reporter.report())
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("keep me")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    blocked = tmp_path / "file"
    blocked.write_text("x")
    for folder in (full, link, blocked, blocked / "below"):
        with pytest.raises(ExportRefused):
            export_case(desk, read(), folder)
    assert (full / "mine.txt").read_text() == "keep me"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.claim("C-ORIGINAL")
def test_an_untouched_original_stands_apart_and_under_a_name_that_opens_nothing(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read, tmp_path: Path
) -> None:
    copy = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG, rebuilt=True)
    # It lies about its type: an original is bytes all the same.
    original = reporter.evidence(
        "photo-1-original.bin", "image/jpeg", b"as it came", removed=(), original_of=copy.id
    )
    sync(*reporter.report([copy, original]))
    done = export_case(desk, read(), tmp_path / "out")
    assert done.files == ("evidence/photo-1.jpg", "originals/photo-1-original.bin")
    case = json.loads((tmp_path / "out" / "case.json").read_text())
    assert [one["original_of"] for one in case["files"]] == [None, copy.id.hex()]
    assert [one["rebuilt"] for one in case["files"]] == [True, False]
    assert (tmp_path / "out" / "originals/photo-1-original.bin").read_bytes() == b"as it came"
    console = Console(width=200)
    with console.capture() as capture:
        print_case(console, desk, read())
    told = capture.get()
    assert "UNTOUCHED ORIGINAL: nobody cleaned it" in told
    assert "made anew from its picture or its pages" in told
