"""Blobs: whole or not there, durable before they are named, flat in memory."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
import pytest

from vault.blobs import BlobShelf
from vault.errors import BlobIncomplete, UnsupportedStore
from vault.outside import BlobRef

if TYPE_CHECKING:
    from tests.vault.builders import Shelf

MIB = 1024 * 1024


def test_a_blob_has_its_name_only_once_it_is_whole(shelf: Shelf) -> None:
    writer = shelf.vault.new_blob()
    writer.write(bytes(3 * MIB))
    assert all(name.endswith("#1") for name in shelf.blob_names())
    ref = writer.commit()
    assert shelf.blob_names() == {ref.name}
    assert ref.size == 3 * MIB


def test_an_aborted_blob_leaves_nothing(shelf: Shelf) -> None:
    writer = shelf.vault.new_blob()
    writer.write(bytes(3 * MIB))
    writer.abort()
    writer.abort()
    assert shelf.blob_names() == set()
    with pytest.raises(BlobIncomplete):
        writer.write(b"more")


def test_an_error_while_writing_leaves_nothing(shelf: Shelf) -> None:
    def interrupted() -> None:
        with shelf.vault.new_blob() as writer:
            writer.write(bytes(2 * MIB))
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        interrupted()
    assert shelf.blob_names() == set()


def test_a_committed_blob_survives_the_end_of_its_block(shelf: Shelf) -> None:
    ref = shelf.blob()
    assert shelf.blob_names() == {ref.name}


def test_an_empty_blob_is_a_blob(shelf: Shelf) -> None:
    assert shelf.blob(b"").size == 0


def test_dropped_blobs_are_gone_and_dropping_them_again_is_harmless(shelf: Shelf) -> None:
    ref = shelf.blob()
    shelf.vault.drop_blobs([ref])
    shelf.vault.drop_blobs([ref])
    assert shelf.blob_names() == set()


@pytest.mark.claim("C-DURABLE")
def test_file_and_folder_are_fsynced_after_the_rename_and_before_the_answer(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def note(fd: int) -> None:
        synced.append(Path(f"/proc/self/fd/{fd}").readlink().name)
        real(fd)

    monkeypatch.setattr(os, "fsync", note)
    ref = shelf.blob()
    assert synced == [ref.name, "blobs"]


def test_a_disk_that_cannot_sync_is_no_acknowledgement_and_leaves_no_file(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_fd: int) -> None:
        raise OSError(5, "input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    writer = shelf.vault.new_blob()
    writer.write(b"content")
    with pytest.raises(BlobIncomplete):
        writer.commit()
    writer.abort()
    assert shelf.blob_names() == set()


def test_a_disk_that_is_full_is_no_acknowledgement_and_leaves_no_file(shelf: Shelf) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3 * MIB, hard))

    def write_ten_megabytes() -> None:
        with shelf.vault.new_blob() as writer:
            for _ in range(40):
                writer.write(bytes(256 * 1024))
            writer.commit()

    try:
        with pytest.raises(BlobIncomplete):
            write_ten_megabytes()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert shelf.blob_names() == set()


def test_a_blob_that_was_cut_short_or_removed_is_not_read_as_if_it_were_whole(
    shelf: Shelf,
) -> None:
    store = BlobShelf(f"file://{shelf.blobs}")
    ref = shelf.blob(bytes(100))
    os.truncate(shelf.blobs / ref.name, 60)
    for cut in (ref, BlobRef("0" * 32, 100)):
        with pytest.raises(BlobIncomplete):
            list(store.read(cut, 0, 100))


def test_a_store_that_gives_less_than_was_asked_for_is_noticed(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = shelf.blob(bytes(100))
    monkeypatch.setattr(obstore, "get_range", lambda *_, **__: b"few")
    with pytest.raises(BlobIncomplete):
        list(BlobShelf(f"file://{shelf.blobs}").read(ref, 0, 100))


@pytest.mark.parametrize(("offset", "length"), [(-1, 5), (0, 101), (101, 0), (5, -1)])
def test_a_range_outside_the_blob_is_refused(shelf: Shelf, offset: int, length: int) -> None:
    with pytest.raises(BlobIncomplete):
        list(BlobShelf(f"file://{shelf.blobs}").read(BlobRef("0" * 32, 100), offset, length))


@pytest.mark.parametrize(
    "url", ["s3://bucket/x", "file://host/folder", "file:relative", "file:///no/such/folder", "x"]
)
def test_a_store_of_an_unknown_kind_is_refused(url: str) -> None:
    with pytest.raises(UnsupportedStore):
        BlobShelf(url)


@pytest.mark.claim("C-MEMORY")
def test_writing_many_megabytes_adds_few_to_memory(shelf: Shelf) -> None:
    chunk = os.urandom(256 * 1024)

    def write(megabytes: int) -> int:
        with shelf.vault.new_blob() as writer:
            for _ in range(megabytes * 4):
                writer.write(chunk)
            writer.commit()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = write(16)
    assert write(192) - before < 24 * 1024
