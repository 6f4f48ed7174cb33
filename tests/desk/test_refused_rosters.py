"""What a server offered against what was seen is kept as it came, and never without end."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from desk.alarms import Sign
from desk.refused_rosters import MOST, keep

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_offered_is_kept_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "refused-rosters"
    for _ in range(2):
        keep(folder, Sign.ROSTER_FORKED, b"one", b"two")
    found = sorted(folder.iterdir())
    assert sorted(one.read_bytes() for one in found) == [b"one", b"two"]
    assert all(one.name.startswith("roster-forked-") for one in found)
    assert {stat.S_IMODE(one.stat().st_mode) for one in found} == {0o600}


def test_a_server_that_invents_any_number_fills_no_disk_and_hides_no_other_sign(
    tmp_path: Path,
) -> None:
    for number in range(MOST + 5):
        keep(tmp_path, Sign.ROSTER_WENT_BACKWARDS, b"%d" % number)
    assert len(list(tmp_path.iterdir())) == MOST
    keep(tmp_path, Sign.ROSTER_FORKED, b"the grave one")
    assert len(list(tmp_path.iterdir())) == MOST + 1


def test_where_nothing_can_be_written_the_alarm_does_without_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    keep(tmp_path / "file" / "none", Sign.ROSTER_FORKED, b"one")
    keep(tmp_path / "file", Sign.ROSTER_FORKED, b"one")
