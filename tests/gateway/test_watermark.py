"""The disk has three marks, and each is looked at where it counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from gateway import watermark as module
from gateway.check import Finding, check
from gateway.config import GatewayConfig
from gateway.errors import ConfigRefused
from gateway.watermark import Marks, Watermark, free_bytes, written_folders

if TYPE_CHECKING:
    from tests.gateway.deployment import Deployment

MARKS = Marks(door=300, files=200, text=100)


def test_the_fullest_disk_counts_and_is_looked_at_once_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, free = SimpleNamespace(seconds=0.0), {Path("/a"): 1000, Path("/b"): 299}
    monkeypatch.setattr(module, "free_bytes", free.__getitem__)
    mark = Watermark(free, MARKS, lambda: now.seconds)
    assert not mark.is_open()
    free[Path("/b")] = 300
    now.seconds = 0.9
    assert not mark.is_open()
    now.seconds = 1.0
    assert mark.is_open()
    assert mark.has_room(100)
    assert not mark.has_room(101)
    free[Path("/a")] = 100
    now.seconds = 2.0
    assert not mark.has_room(0)
    assert mark.has_room_for_text()
    free[Path("/a")] = 99
    now.seconds = 3.0
    assert not mark.has_room_for_text()


def test_a_folder_that_is_not_there_yet_has_the_room_of_where_it_will_be(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "not" / "yet") == pytest.approx(free_bytes(tmp_path), rel=0.1)


def test_all_folders_that_reports_go_to_are_watched() -> None:
    config = GatewayConfig.from_environment({"AMANA_HOME": "/x"})
    assert set(written_folders(config)) == {
        Path("/x/gateway"),
        Path("/x/gateway/spool"),
        Path("/x/gateway/blobs"),
        Path("/x/gateway/vault.sqlite"),
    }
    moved = replace(
        config,
        blobs_url="file:///big%20disk/blobs",
        database_url="postgresql://db/vault",
    )
    assert set(written_folders(moved)) == {
        Path("/x/gateway"),
        Path("/x/gateway/spool"),
        Path("/big disk/blobs"),
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"AMANA_DISK_DOOR": "1G", "AMANA_DISK_RESERVE": "2G"},
        {"AMANA_DISK_RESERVE": "64M", "AMANA_DISK_LAST": "65M"},
    ],
    ids=["the door last", "text first"],
)
def test_marks_in_another_order_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigRefused, match="AMANA_DISK_DOOR"):
        GatewayConfig.from_environment(wrong)


def test_check_says_when_the_door_is_closed(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> Finding:
        return next(
            one for one in check(deployment.config, lambda: iter(())) if one.what == "space"
        )

    door = deployment.config.disk.door_bytes
    monkeypatch.setattr("gateway.check.free_bytes", lambda _: door)
    assert (found().state, found().found) == ("ok", "2 GiB free")
    monkeypatch.setattr("gateway.check.free_bytes", lambda _: door - 1)
    assert found().state == "note"
    assert "nothing new can be begun" in found().found
