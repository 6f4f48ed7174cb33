"""A stretch from the middle is what the whole would have had there, or nothing."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.body import DataKey, open_part, part_encryptor, sealed_length
from crypto.errors import CannotOpen
from crypto.operator_opening import open_data_key
from crypto.random_access import CHUNKS_PER_READ, open_range
from tests.crypto.building import Room, Sealed, in_pieces
from tests.crypto.independent_reader import open_part_independently

ROOM = Room()
HEAD = 56
CHUNK = 16_384
STEP = 16_400
EDGES = [0, 1, 4095, 4096, 4097, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 100_000, 300_000]


@dataclass
class Disk:
    """A sealed part where it lies, and what was read of it."""

    stream: bytes
    reads: list[tuple[int, int]] = field(default_factory=list)

    def read_at(self, offset: int, amount: int) -> bytes:
        """What open_range asks for."""
        self.reads.append((offset, amount))
        return self.stream[offset : offset + amount]


def content_of(length: int) -> bytes:
    """Bytes that differ from one place to the next."""
    return b"".join(at.to_bytes(4, "big") for at in range(length // 4 + 1))[:length]


def sealed_of(length: int) -> Sealed:
    return ROOM.seal(content_of(length))


SEALED = {length: sealed_of(length) for length in EDGES}


def key_of(sealed: Sealed) -> DataKey:
    return open_data_key(ROOM.operator, sealed.header, sealed.envelope.wraps)


def opened(
    sealed: Sealed, start: int, stop: int, stream: bytes | None = None, **lies: int
) -> tuple[bytes, Disk]:
    disk = Disk(sealed.parts[0] if stream is None else stream)
    said = {"index": 1, "length": sealed.lengths[0], "sealed_length": len(disk.stream)} | lies
    pieces = open_range(
        key_of(sealed),
        sealed.header,
        said["index"],
        disk.read_at,
        said["sealed_length"],
        said["length"],
        start,
        stop,
    )
    return b"".join(pieces), disk


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_any_stretch_is_what_the_sequential_reader_has_there(data: st.DataObject) -> None:
    length = data.draw(st.sampled_from(EDGES))
    near = st.sampled_from([at for at in (*EDGES, length) if at <= length])
    start, stop = sorted(data.draw(st.one_of(st.integers(0, length), near)) for _ in range(2))
    sealed = SEALED[length]
    whole = b"".join(
        open_part(key_of(sealed), sealed.header, 1, in_pieces(sealed.parts[0]), length)
    )
    assert opened(sealed, start, stop)[0] == whole[start:stop]


def test_a_stretch_is_what_a_reader_written_from_the_specification_has_there() -> None:
    sealed = SEALED[300_000]
    header, key = sealed.header.to_bytes(), key_of(sealed).raw
    padded = open_part_independently(key, header, 1, sealed.parts[0])
    for start, stop in ((0, 300_000), (16_383, 16_385), (299_999, 300_000), (100_000, 250_000)):
        assert opened(sealed, start, stop)[0] == padded[start:stop]


def test_only_the_chunks_that_hold_the_stretch_are_read() -> None:
    sealed = SEALED[300_000]
    _, disk = opened(sealed, 299_990, 300_000)
    at = HEAD + 18 * STEP
    assert disk.reads == [(0, HEAD), (at, len(disk.stream) - at)]
    assert len(disk.stream) - at < STEP
    _, disk = opened(sealed, CHUNK - 1, CHUNK + 1)
    assert disk.reads == [(0, HEAD), (HEAD, 2 * STEP)]
    _, disk = opened(sealed, 0, 300_000)
    sizes = [amount for _, amount in disk.reads]
    assert sizes[:2] == [HEAD, CHUNKS_PER_READ * STEP]
    assert sum(sizes) == len(disk.stream)


@pytest.mark.parametrize("at", [0, 5, CHUNK, 300_000])
def test_an_empty_stretch_proves_the_key_and_reads_no_chunk(at: int) -> None:
    content, disk = opened(SEALED[300_000], at, at)
    assert (content, disk.reads) == (b"", [(0, HEAD)])


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_flipped_bit_in_what_is_read_fails_and_elsewhere_goes_unseen(
    data: st.DataObject,
) -> None:
    sealed = SEALED[100_000]
    start, stop = sorted(data.draw(st.integers(0, 100_000)) for _ in range(2))
    at = data.draw(st.integers(0, len(sealed.parts[0]) - 1))
    flipped = bytearray(sealed.parts[0])
    flipped[at] ^= 1 << data.draw(st.integers(0, 7))
    first, last = HEAD + start // CHUNK * STEP, HEAD + -(-stop // CHUNK) * STEP
    if at < HEAD or (start < stop and first <= at < last):
        with pytest.raises(CannotOpen):
            opened(sealed, start, stop, bytes(flipped))
    else:
        # Which is why the digest of the whole is compared before anything is read at random.
        assert opened(sealed, start, stop, bytes(flipped))[0] == content_of(100_000)[start:stop]


def test_a_chunk_in_anothers_place_fails() -> None:
    sealed = SEALED[100_000]
    stream = sealed.parts[0]
    first, second = stream[HEAD : HEAD + STEP], stream[HEAD + STEP : HEAD + 2 * STEP]
    swapped = stream[:HEAD] + second + first + stream[HEAD + 2 * STEP :]
    for start in (0, CHUNK):
        with pytest.raises(CannotOpen):
            opened(sealed, start, start + 10, swapped)


def test_a_chunk_of_another_part_of_the_envelope_fails() -> None:
    both = ROOM.seal(content_of(50_000), content_of(50_000))
    one, other = both.parts
    for stream in (other, one[:HEAD] + other[HEAD:], other[:HEAD] + one[HEAD:]):
        with pytest.raises(CannotOpen):
            opened(both, 0, 10, stream)
    assert opened(both, 0, 10, other, index=2)[0] == content_of(10)


def test_a_part_that_was_cut_or_has_grown_fails_before_a_byte_is_read() -> None:
    sealed = SEALED[100_000]
    stream = sealed.parts[0]
    for lie in (stream[:-STEP], stream[:-1], stream + b"\0", stream + stream[-STEP:], b""):
        disk = Disk(lie)
        opening = open_range(
            key_of(sealed), sealed.header, 1, disk.read_at, len(lie), 100_000, 0, 10
        )
        with pytest.raises(CannotOpen):
            next(opening)
        assert disk.reads == []


def test_a_disk_that_gives_less_or_more_than_it_was_asked_for_fails() -> None:
    sealed = SEALED[100_000]
    stream = sealed.parts[0]
    for reading in (
        lambda offset, amount: stream[offset : offset + amount - 1],
        lambda offset, amount: stream[offset : offset + amount + 1],
        lambda offset, amount: stream[offset : offset + amount] if offset == 0 else b"",
    ):
        opening = open_range(
            key_of(sealed), sealed.header, 1, reading, len(stream), 100_000, 40_000, 40_010
        )
        with pytest.raises(CannotOpen):
            next(opening)


def test_a_wrong_key_fails_at_the_commitment_before_a_chunk_is_read() -> None:
    sealed = SEALED[100_000]
    disk = Disk(sealed.parts[0])
    length = len(disk.stream)
    opening = open_range(DataKey.generate(), sealed.header, 1, disk.read_at, length, 100_000, 0, 10)
    with pytest.raises(CannotOpen):
        next(opening)
    assert disk.reads == [(0, HEAD)]


@pytest.mark.parametrize("place", ["case", "envelope", "deployment"])
def test_a_part_moved_to_another_place_fails(place: str) -> None:
    sealed = SEALED[100_000]
    key = key_of(sealed)
    moved: dict[str, Any] = {place: bytes(16)}
    header = replace(sealed.header, **moved)
    disk = Disk(sealed.parts[0])
    with pytest.raises(CannotOpen):
        next(open_range(key, header, 1, disk.read_at, len(disk.stream), 100_000, 0, 10))


@pytest.mark.parametrize(
    ("start", "stop"), [(-1, 5), (5, 4), (0, 100_001), (100_000, 100_001), (100_001, 100_001)]
)
def test_a_stretch_that_is_not_in_the_content_is_refused(start: int, stop: int) -> None:
    with pytest.raises(CannotOpen):
        opened(SEALED[100_000], start, stop)


@pytest.mark.parametrize("index", [-1, 0, 2])
def test_a_part_that_is_not_there_is_refused(index: int) -> None:
    with pytest.raises(CannotOpen):
        opened(SEALED[100_000], 0, 10, index=index)


@pytest.mark.parametrize("length", [-1, 0, 95_000, 110_000, 2**53])
def test_a_length_of_another_size_class_is_refused(length: int) -> None:
    with pytest.raises(CannotOpen):
        opened(SEALED[100_000], 0, 0, length=length)


def test_padding_that_is_not_zeros_is_refused_where_it_is_opened() -> None:
    sealed = SEALED[4097]
    cipher = part_encryptor(key_of(sealed), sealed.header, 1)
    size = sealed_length(4097)
    padded = size - HEAD - 16
    lied = cipher.update(content_of(4097).ljust(padded, b"\1")) + cipher.finalize()
    assert len(lied) == size
    with pytest.raises(CannotOpen):
        opened(sealed, 0, 10, lied)
