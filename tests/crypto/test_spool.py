"""Spools: any stretch of an upload comes back, and nothing of it lies on the disk."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto.errors import CannotOpen
from crypto.spool import SpoolKey, SpoolReader, SpoolWriter


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    opened = os.open(tmp_path / "spool", os.O_RDWR | os.O_CREAT)
    yield opened
    os.close(opened)


def spooled(fd: int, *pieces: bytes) -> SpoolReader:
    writer = SpoolWriter(fd)
    for piece in pieces:
        assert writer.write(piece) == len(piece)
    return writer.finish()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    pieces=st.lists(st.binary(max_size=70), max_size=5),
    offset=st.integers(0, 300),
    length=st.integers(0, 300),
)
def test_every_stretch_is_what_was_written(
    fd: int, pieces: list[bytes], offset: int, length: int
) -> None:
    os.ftruncate(fd, 0)
    os.lseek(fd, 0, os.SEEK_SET)
    whole = b"".join(pieces)
    reader = spooled(fd, *pieces)
    assert reader.length == len(whole)
    assert reader.read_at(offset, length) == whole[offset : offset + length]
    assert os.fstat(fd).st_size == len(whole)


@pytest.mark.claim("C-NODISK")
def test_nothing_of_an_upload_lies_on_the_disk(fd: int) -> None:
    marker = b"0123456789abcdef" * 64
    spooled(fd, marker)
    on_disk = os.pread(fd, 10_000, 0)
    assert not any(marker[start : start + 8] in on_disk for start in range(16))
    # The positive control: the same search finds the marker where it does lie.
    os.pwrite(fd, marker, 0)
    assert marker[:8] in os.pread(fd, 10_000, 0)


def test_two_spools_never_share_a_key(fd: int) -> None:
    keys = [SpoolWriter(fd).key for _ in range(20)]
    assert len({key.raw for key in keys}) == 20
    assert {len(key.raw) for key in keys} == {32}


def test_a_key_is_never_printed() -> None:
    assert "KKKK" not in repr(SpoolKey(b"K" * 32))


def test_after_the_end_there_is_nothing(fd: int) -> None:
    reader = spooled(fd, b"x" * 40)
    assert reader.read_at(40, 1) == reader.read_at(1000, 1) == reader.read_at(3, 0) == b""


def test_a_negative_offset_is_a_mistake_of_the_caller(fd: int) -> None:
    reader = spooled(fd, b"x" * 40)
    for offset, length in ((-1, 4), (0, -1)):
        with pytest.raises(ValueError, match="negative"):
            reader.read_at(offset, length)


def test_a_spool_that_became_shorter_is_not_read_as_an_end(fd: int) -> None:
    reader = spooled(fd, b"x" * 100)
    os.ftruncate(fd, 48)
    assert reader.read_at(0, 48) == b"x" * 48
    with pytest.raises(CannotOpen):
        reader.read_at(0, 49)


def test_a_finished_spool_takes_nothing_more(fd: int) -> None:
    writer = SpoolWriter(fd)
    writer.write(b"x")
    writer.finish()
    with pytest.raises(Exception, match="finalized"):
        writer.write(b"y")


def test_a_disk_that_writes_and_reads_little_at_a_time_loses_nothing(
    fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, pread = os.write, os.pread
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:7]))
    monkeypatch.setattr(os, "pread", lambda fd, length, at: pread(fd, min(length, 5), at))
    plaintext = bytes(range(256))
    assert spooled(fd, plaintext).read_at(17, 200) == plaintext[17:217]


def test_a_full_disk_is_reported() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        with pytest.raises(OSError, match="space"):
            SpoolWriter(full).write(b"x" * 64)
    finally:
        os.close(full)
