"""Uploads in pieces: what was sealed comes back from its own place, or not at all."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt

import crypto
from crypto.errors import CannotOpen
from crypto.pieces import (
    CHUNK_BYTES,
    OVERHEAD_BYTES,
    SEALED_CHUNK_BYTES,
    PiecesKey,
    PiecesReader,
    open_note,
    seal_chunks,
    seal_note,
    sealed_length,
)

KEY = PiecesKey(bytes(range(32)))
LENGTH = 3 * CHUNK_BYTES + 1000
PLAIN = os.urandom(LENGTH)


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    opened = os.open(tmp_path / "upload", os.O_RDWR | os.O_CREAT)
    os.write(opened, seal_chunks(KEY, 0, PLAIN))
    yield opened
    os.close(opened)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(offset=st.integers(0, LENGTH + 10), length=st.integers(0, LENGTH + 10))
def test_every_stretch_is_what_was_sealed(fd: int, offset: int, length: int) -> None:
    found = PiecesReader(fd, LENGTH, KEY).read_at(offset, length)
    assert found == PLAIN[offset : offset + length]


def test_pieces_sealed_one_by_one_lie_where_the_whole_would(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    with path.open("wb") as file:
        for offset, length in ((0, 2 * CHUNK_BYTES), (2 * CHUNK_BYTES, CHUNK_BYTES + 1000)):
            assert file.tell() == sealed_length(offset)
            file.write(seal_chunks(KEY, offset, PLAIN[offset : offset + length]))
    assert path.stat().st_size == sealed_length(LENGTH) == LENGTH + 4 * OVERHEAD_BYTES
    with path.open("rb") as file:
        assert PiecesReader(file.fileno(), LENGTH, KEY).read_at(0, LENGTH) == PLAIN


@pytest.mark.claim("C-NODISK")
def test_nothing_of_it_lies_on_the_disk(fd: int) -> None:
    marker = b"0123456789abcdef" * (CHUNK_BYTES // 16)
    os.pwrite(fd, seal_chunks(KEY, 0, marker), 0)
    on_disk = os.pread(fd, SEALED_CHUNK_BYTES, 0)
    assert not any(marker[start : start + 8] in on_disk for start in range(16))
    # The positive control: the same search finds the marker where it does lie.
    os.pwrite(fd, marker, 0)
    assert marker[:8] in os.pread(fd, SEALED_CHUNK_BYTES, 0)


@pytest.mark.claim("C-RESUME")
@pytest.mark.parametrize("at", [0, 23, 24, 5000, CHUNK_BYTES + 30, SEALED_CHUNK_BYTES - 1])
def test_a_changed_byte_is_seen(fd: int, at: int) -> None:
    before = os.pread(fd, 1, SEALED_CHUNK_BYTES + at)
    os.pwrite(fd, bytes([before[0] ^ 1]), SEALED_CHUNK_BYTES + at)
    reader = PiecesReader(fd, LENGTH, KEY)
    assert reader.read_at(0, CHUNK_BYTES) == PLAIN[:CHUNK_BYTES]
    with pytest.raises(CannotOpen):
        reader.read_at(CHUNK_BYTES, 1)


@pytest.mark.claim("C-RESUME")
def test_a_chunk_in_another_place_or_of_another_upload_does_not_open(fd: int) -> None:
    first = os.pread(fd, SEALED_CHUNK_BYTES, 0)
    os.pwrite(fd, first, SEALED_CHUNK_BYTES)
    with pytest.raises(CannotOpen):
        PiecesReader(fd, LENGTH, KEY).read_at(CHUNK_BYTES, 1)
    os.pwrite(fd, seal_chunks(PiecesKey.generate(), 0, PLAIN[:CHUNK_BYTES]), 0)
    with pytest.raises(CannotOpen):
        PiecesReader(fd, LENGTH, KEY).read_at(0, 1)


@pytest.mark.claim("C-RESUME")
def test_an_upload_that_became_shorter_is_not_read_as_an_end(fd: int) -> None:
    os.ftruncate(fd, sealed_length(LENGTH) - 1)
    reader = PiecesReader(fd, LENGTH, KEY)
    assert reader.read_at(0, 10) == PLAIN[:10]
    with pytest.raises(CannotOpen):
        reader.read_at(LENGTH - 1, 1)
    # Nor is one whose last chunk went altogether, or whose new end was sealed as an end.
    os.ftruncate(fd, 2 * SEALED_CHUNK_BYTES)
    with pytest.raises(CannotOpen):
        reader.read_at(LENGTH - 1, 1)
    os.pwrite(fd, seal_chunks(KEY, 2 * CHUNK_BYTES, b"short"), 2 * SEALED_CHUNK_BYTES)
    with pytest.raises(CannotOpen):
        PiecesReader(fd, LENGTH, KEY).read_at(2 * CHUNK_BYTES, 1)


def test_what_was_sealed_twice_looks_different_each_time() -> None:
    made = {seal_chunks(KEY, 0, b"the same") for _ in range(20)}
    assert len(made) == len({one[:24] for one in made}) == 20


def test_a_note_comes_back_to_who_holds_the_key() -> None:
    sealed = seal_note(KEY, b"what became of it")
    assert open_note(KEY, sealed) == b"what became of it"
    other = PiecesKey.generate()
    for key, wrong in ((other, sealed), (KEY, sealed[:-1]), (KEY, b""), (KEY, bytes(80))):
        with pytest.raises(CannotOpen):
            open_note(key, wrong)
    with pytest.raises(CannotOpen):
        open_note(KEY, seal_chunks(KEY, 0, b"no note"))


def test_a_disk_that_reads_little_at_a_time_loses_nothing(
    fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, length, at: pread(fd, min(length, 4099), at))
    assert PiecesReader(fd, LENGTH, KEY).read_at(70_000, 100_000) == PLAIN[70_000:170_000]


def test_only_the_last_chunks_are_kept_in_memory(tmp_path: Path) -> None:
    path, length = tmp_path / "upload", 40 * CHUNK_BYTES
    path.write_bytes(seal_chunks(KEY, 0, bytes(length)))
    with path.open("rb") as file:
        reader = PiecesReader(file.fileno(), length, KEY)
        assert len(reader.read_at(0, length)) == length
        assert len(reader._recent) == 16


def test_a_negative_offset_is_a_mistake_of_the_caller(fd: int) -> None:
    for offset, length in ((-1, 4), (0, -1)):
        with pytest.raises(ValueError, match="negative"):
            PiecesReader(fd, LENGTH, KEY).read_at(offset, length)


def test_a_chunk_begins_at_its_place_alone() -> None:
    with pytest.raises(ValueError, match="multiples"):
        seal_chunks(KEY, 1, b"x")


def test_a_key_is_32_bytes_of_its_own_and_never_printed() -> None:
    assert len({PiecesKey.generate().raw for _ in range(20)}) == 20
    assert "KKKK" not in repr(PiecesKey(b"K" * 32))
    with pytest.raises(ValueError, match="32 bytes"):
        PiecesKey(b"short")


def test_the_example_of_the_specification_opens_with_the_primitive_alone() -> None:
    text = (Path(crypto.__file__).parent / "FORMAT.md").read_text("utf-8")
    section = text.split("\n## 16. Uploads in pieces\n")[1]
    found = re.findall(r"^[0-9a-f]{40,}$", section, re.MULTILINE)
    sealed = bytes.fromhex("".join(found[:2]))
    context = b"amana/v1/piece\0" + bytes(8)
    opened = crypto_aead_xchacha20poly1305_ietf_decrypt(sealed[24:], context, sealed[:24], KEY.raw)
    assert opened == b"twenty bytes of vide"


def test_the_example_of_the_specification_is_read_by_the_reader(tmp_path: Path) -> None:
    text = (Path(crypto.__file__).parent / "FORMAT.md").read_text("utf-8")
    section = text.split("\n## 16. Uploads in pieces\n")[1]
    sealed = bytes.fromhex("".join(re.findall(r"^[0-9a-f]{40,}$", section, re.MULTILINE)[:2]))
    path = tmp_path / "upload"
    path.write_bytes(sealed)
    with path.open("rb") as file:
        assert PiecesReader(file.fileno(), 20, KEY).read_at(0, 99) == b"twenty bytes of vide"
