"""The desk keeps no plaintext on its disk, except what an operator exported (C-DESK-REST)."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import pytest

from desk.cases import Cases
from desk.export import export_case
from desk.outbox import answer
from desk.pages.app import create_pages
from desk.pages.door import OneTimeLink
from desk.row import pack
from desk.saved_views import Views
from desk.summary import case_json
from desk.work import set_state
from tests.desk.pages.test_pages import BIND, FORM, OURS
from tests.desk.world import PASSPHRASE, Reporter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desk.cases import Case
    from desk.desk import Desk
    from desk.sync import SyncReport

    Synced = Callable[..., SyncReport]

TEXT = "MARKER-text-7f1c-of-the-report"
PHOTO = b"\xff\xd8MARKER-photo-88ab" * 300
FILM = b"MARKER-film-51de" * 20_000
SAID = "MARKER-answer-c0de"
ASKED = "MARKER-follow-up-a11e"
MARKERS = [b"MARKER-", b"marker-", PASSPHRASE.encode(), b"set the state", b"They took"]


def found_in(folder: Path) -> set[tuple[str, bytes]]:
    return {
        (path.name, marker)
        for path in folder.rglob("*")
        if path.is_file()
        for marker in MARKERS
        if marker in path.read_bytes()
    }


@pytest.mark.claim("C-DESK-REST")
@pytest.mark.claim("C-INDEX")
def test_after_a_days_work_nothing_readable_is_on_the_desks_disk(
    desk: Desk,
    reporter: Reporter,
    sync: Synced,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    home = desk.home.folder
    # The scan can find what it looks for, in both places.
    for place in (home, temporary):
        (place / "control").write_bytes(b"x" * 5_000 + TEXT.encode() + b"x" * 5_000)
        assert found_in(place) == {("control", b"MARKER-")}
        (place / "control").unlink()

    photo = reporter.evidence("photo-1.jpg", "image/jpeg", PHOTO)
    film = reporter.evidence("video-2.mp4", "video/mp4", FILM)
    report = reporter.report([photo, film], description=TEXT)
    sync(*report, *reporter.follow_up(ASKED, parents=[report[0].header.hash]))

    def here() -> Case:
        """The case as it is now: what was said in it meanwhile is known."""
        return Cases(desk).find(reporter.case.hex())

    link = OneTimeLink()
    page = create_pages(desk, BIND, link).test_client()
    page.get(f"/link/{link.token}", headers=OURS)
    path = f"/case/{reporter.case.hex()}"
    assert TEXT in page.get(path, headers=OURS).text
    assert PHOTO in page.get(f"{path}/file/{photo.id.hex()}", headers=OURS).data
    assert FILM in page.get(f"{path}/file/{film.id.hex()}", headers=OURS).data
    page.post(f"{path}/answer", headers=FORM, data={"text": SAID})
    answer(desk, here(), SAID)
    set_state(desk, here(), "triage")
    sync()
    # The list: its index, a search for the reporter's own words, a view that keeps that search.
    assert TEXT.lower() in desk.index.rows()[0].folded
    found = page.post("/search", headers=FORM, data={"q": TEXT}).location
    assert reporter.case.hex() in page.get(found, headers=OURS).text
    token = found.partition("s=")[2]
    page.post("/views", headers=FORM, data={"name": "MARKER-view", "s": token})
    page.post("/sync", headers=FORM)
    (kept,) = Views(desk).own()
    assert (kept.name, kept.search) == ("MARKER-view", TEXT)
    assert found_in(home) == set()
    # What the index holds would be found if it lay there in clear: so it is laid there once.
    (home / "control").write_bytes(pack(desk.index.rows()[0]))
    assert ("control", b"marker-") in found_in(home)
    (home / "control").unlink()
    assert SAID in str(case_json(desk, Cases(desk).find(reporter.case.hex())))

    names = {path.name for path in home.rglob("*") if path.is_file()}
    assert {"keys", "desk.json", "store.sqlite", "index.sqlite", "views"} <= names
    assert found_in(home) == set()
    assert found_in(temporary) == set()
    # And the same scan sees an export, which is the one thing that is written in clear.
    out = tmp_path / "out"
    export_case(desk, here(), out)
    assert {name for name, _ in found_in(out)} == {"case.json", "photo-1.jpg", "video-2.mp4"}


@pytest.mark.claim("C-DESK-REST")
def test_everything_on_the_desks_disk_is_its_owners_alone(
    desk: Desk, reporter: Reporter, sync: Synced
) -> None:
    before = os.umask(0o022)
    try:
        sync(*reporter.report([reporter.evidence("photo-1.jpg", "image/jpeg", PHOTO)]))
        for path in desk.home.folder.rglob("*"):
            assert path.stat().st_mode & 0o077 == 0, path
    finally:
        os.umask(before)
