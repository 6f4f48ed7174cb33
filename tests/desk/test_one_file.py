"""One file of a case at a terminal: as it is, proven, and nothing half written."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from desk import export
from desk.errors import ExportRefused
from desk.evidence import views
from desk.export import export_file
from tests.desk.running import done
from tests.desk.world import JPEG

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desk.cases import Case
    from desk.desk import Desk
    from tests.desk.conftest import Synced
    from tests.desk.running import Run
    from tests.desk.world import Reporter, Row

    Read = Callable[[], Case]


@pytest.fixture
def photo(reporter: Reporter, sync: Synced) -> Row:
    row = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    sync(*reporter.report([row]))
    return row


def test_it_is_written_by_its_name_or_its_id(
    run: Run, reporter: Reporter, photo: Row, tmp_path: Path
) -> None:
    ref = reporter.case.hex()
    said = done(run("file", ref, "photo-1.jpg", "--to", str(tmp_path / "one")))
    written = tmp_path / "one" / "photo-1.jpg"
    assert written.read_bytes() == JPEG
    assert written.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in written.parent.iterdir()] == ["photo-1.jpg"]
    assert hashlib.sha256(JPEG).hexdigest() in said
    assert "Mind what opens it" in said
    told = json.loads(
        done(run("file", ref, photo.id.hex()[:8], "--to", str(tmp_path / "two"), "--json"))
    )
    assert told["sha256"] == hashlib.sha256(JPEG).hexdigest()
    assert (tmp_path / "two" / "photo-1.jpg").read_bytes() == JPEG


def test_a_file_that_is_no_more_what_it_was_is_not_left_there(
    run: Run, desk: Desk, reporter: Reporter, photo: Row, tmp_path: Path
) -> None:
    path = desk.store.part_path(photo.id, 1)
    spoilt = bytearray(path.read_bytes())
    spoilt[-1] ^= 1
    path.write_bytes(spoilt)
    folder = tmp_path / "one"
    assert run("file", reporter.case.hex(), "photo-1.jpg", "--to", str(folder)).exit_code == 1
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("photo")
def test_nothing_is_written_where_something_lies_or_where_nothing_can_be(
    run: Run, desk: Desk, read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = read().id.hex()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    for name, to in (("photo-1.jpg", "full"), ("photo-9.jpg", "new")):
        assert run("file", ref, name, "--to", str(tmp_path / to)).exit_code == 1
    assert not (tmp_path / "new").exists()
    assert [one.name for one in (tmp_path / "full").iterdir()] == ["mine"]

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "_write_proven", full)
    (file,) = views(desk, read())
    with pytest.raises(ExportRefused, match="No space left"):
        export_file(desk, read(), file, tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
