"""What is truncated, reordered, altered, ill padded or of another key never comes back whole."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import body
from crypto.body import (
    FEED_BYTES,
    MANIFEST_MOST,
    DataKey,
    PartsCheck,
    open_manifest,
    open_part,
    pad_manifest,
    part_encryptor,
    sealed_length,
)
from crypto.errors import CannotOpen, CryptoError
from crypto.header import Header, Kind
from crypto.operator_opening import open_data_key
from tests.crypto.building import Room, Sealed, in_pieces

ROOM = Room()
CHUNK = 16_400
HEAD = 56


def _key(sealed: Sealed) -> DataKey:
    return open_data_key(ROOM.operator, sealed.header, sealed.envelope.wraps)


def _open(sealed: Sealed, stream: bytes, length: int | None = None, index: int = 1) -> bytes:
    length = sealed.lengths[0] if length is None else length
    return b"".join(open_part(_key(sealed), sealed.header, index, in_pieces(stream), length))


@settings(deadline=None, max_examples=60)
@given(
    content=st.one_of(
        st.binary(max_size=200),
        st.sampled_from([4095, 4096, 4097, 16_384, 16_385, 32_768, FEED_BYTES, FEED_BYTES + 1]).map(
            lambda size: b"\xaa" * size
        ),
    ),
    text=st.text(max_size=100),
    cuts=st.lists(st.integers(0, 300_000), max_size=5),
)
def test_whatever_is_sealed_comes_back_however_it_was_written(
    content: bytes, text: str, cuts: list[int]
) -> None:
    sealer = ROOM.sealer()
    chunks: list[bytes] = []
    part = sealer.part(chunks.append)
    edges = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    for start, end in pairwise(edges):
        part.write(content[start:end])
    facts = part.finish()
    manifest = text.encode("utf-8", "replace")
    envelope = sealer.seal(manifest, ROOM.operators)
    sealed = Sealed(envelope=envelope, parts=[b"".join(chunks)], lengths=[len(content)])

    assert ROOM.open(sealed) == [manifest, content]
    assert facts.length == len(content)
    assert facts.sealed_length == len(sealed.parts[0]) == sealed_length(len(content))


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_any_flipped_bit_anywhere_fails(data: st.DataObject) -> None:
    sealed = ROOM.seal(b"what was entrusted" * 1000, manifest=b'{"v":1,"text":"help"}')
    envelope = sealed.envelope
    whole = [envelope.header.to_bytes(), envelope.wraps, envelope.manifest, sealed.parts[0]]
    piece = data.draw(st.integers(0, 3))
    at = data.draw(st.integers(0, len(whole[piece]) - 1))
    flipped = bytearray(whole[piece])
    flipped[at] ^= 1 << data.draw(st.integers(0, 7))
    whole[piece] = bytes(flipped)

    def open_without_the_root() -> list[bytes]:
        header = Header.from_bytes(whole[0])
        data_key = open_data_key(ROOM.operator, header, whole[1])
        part = b"".join(open_part(data_key, header, 1, [whole[3]], sealed.lengths[0]))
        return [open_manifest(data_key, header, whole[2]), part]

    with pytest.raises(CryptoError):
        open_without_the_root()


def test_a_stream_cut_anywhere_fails_at_every_chunk_boundary_above_all() -> None:
    sealed = ROOM.seal(b"\x01" * 100_000)
    stream = sealed.parts[0]
    assert _open(sealed, stream) == b"\x01" * 100_000
    boundaries = [0, 24, HEAD, *range(HEAD, len(stream), CHUNK)]
    for boundary in boundaries:
        for cut in (boundary - 1, boundary, boundary + 1, boundary + 16):
            with pytest.raises(CannotOpen):
                _open(sealed, stream[: max(0, min(cut, len(stream) - 1))])
    for cut in (b"", sealed.envelope.manifest[:-1], sealed.envelope.manifest[:HEAD]):
        with pytest.raises(CannotOpen):
            open_manifest(_key(sealed), sealed.header, cut)


def test_a_stream_with_something_after_its_end_fails() -> None:
    sealed = ROOM.seal(b"\x01" * 100_000)
    for more in (b"\0", bytes(16), bytes(CHUNK), sealed.parts[0]):
        with pytest.raises(CannotOpen):
            _open(sealed, sealed.parts[0] + more)
        with pytest.raises(CannotOpen):
            open_manifest(_key(sealed), sealed.header, sealed.envelope.manifest + more)


def test_chunks_in_another_order_fail() -> None:
    sealed = ROOM.seal(b"\x01" * 100_000)
    stream = sealed.parts[0]
    first, second = stream[HEAD : HEAD + CHUNK], stream[HEAD + CHUNK : HEAD + 2 * CHUNK]
    rest = stream[HEAD + 2 * CHUNK :]
    for order in (second + first + rest, first + first + rest, first + rest, second + rest):
        with pytest.raises(CannotOpen):
            _open(sealed, stream[:HEAD] + order)


def test_parts_in_another_order_fail_with_and_without_the_root() -> None:
    sealed = ROOM.seal(b"first", b"other")
    swapped = Sealed(envelope=sealed.envelope, parts=sealed.parts[::-1], lengths=sealed.lengths)
    with pytest.raises(CannotOpen):
        ROOM.open(swapped)
    with pytest.raises(CannotOpen):
        _open(sealed, sealed.parts[1])
    with pytest.raises(CannotOpen):
        open_manifest(_key(sealed), sealed.header, sealed.parts[0])


def test_a_wrong_key_fails_before_the_first_byte_of_plaintext() -> None:
    """The cipher commits to its key: no two keys open one stream to two contents."""
    sealed = ROOM.seal(b"\x01" * 100_000)
    asked: list[int] = []

    def stream() -> Iterator[bytes]:
        for at in range(0, len(sealed.parts[0]), FEED_BYTES):
            asked.append(at)
            yield sealed.parts[0][at : at + FEED_BYTES]

    opening = open_part(DataKey.generate(), sealed.header, 1, stream(), 100_000)
    with pytest.raises(CannotOpen):
        next(opening)
    assert asked == [0]


def test_a_file_that_ends_in_zeros_comes_back_whole() -> None:
    for content in (bytes(10_000), b"\xff\xd8 photo" + bytes(5000), b"\0"):
        sealed = ROOM.seal(content)
        assert ROOM.open(sealed) == [b'{"v":1}', content]


@pytest.mark.parametrize("length", [0, 4999, 5121, 4096, 10_000, 2**53, -1])
def test_a_length_that_is_not_the_true_one_is_refused(length: int) -> None:
    sealed = ROOM.seal(b"\x01" * 5000)
    with pytest.raises(CannotOpen):
        _open(sealed, sealed.parts[0], length)


def test_within_one_class_of_sizes_only_the_sealed_manifest_knows_the_length() -> None:
    # Which is why the manifest holds the digest of the content too.
    sealed = ROOM.seal(b"\x01" * 5000)
    assert _open(sealed, sealed.parts[0], 5120) == b"\x01" * 5000 + bytes(120)


@pytest.mark.parametrize("index", [0, 2, 3, -1])
def test_a_part_that_is_not_there_does_not_open(index: int) -> None:
    sealed = ROOM.seal(b"content")
    with pytest.raises(CannotOpen):
        _open(sealed, sealed.parts[0], index=index)


def _seal_raw(sealed: Sealed, index: int, plain: bytes) -> bytes:
    cipher = part_encryptor(_key(sealed), sealed.header, index)
    return cipher.update(plain) + cipher.finalize()


def test_padding_that_is_not_zeros_of_the_right_number_is_refused() -> None:
    sealed = ROOM.seal(b"content")
    good = b"content".ljust(4096, b"\0")
    assert _open(sealed, _seal_raw(sealed, 1, good)) == b"content"
    for bad in (good[:-1] + b"\1", good[:7] + b"\1" + good[8:], good[:-1], good + b"\0", good * 2):
        with pytest.raises(CannotOpen):
            _open(sealed, _seal_raw(sealed, 1, bad))


def test_a_manifest_padded_in_another_way_is_refused() -> None:
    sealed = ROOM.seal(b"content")
    good = pad_manifest(Kind.EVIDENCE, b"{}")
    bad_lengths = [b"\0\0\0\3{}", b"\0\0\x0f\xfd{}", b"\xff\xff\xff\xff{}", b"\0\0\0\1{}"]
    padded = [framed.ljust(4096, b"\0") for framed in bad_lengths]
    assert open_manifest(_key(sealed), sealed.header, _seal_raw(sealed, 0, good)) == b"{}"
    for bad in (*padded[1:], good[:-1] + b"\1", good[:-1], good + b"\0", b"", b"\0\0", bytes(3)):
        with pytest.raises(CannotOpen):
            open_manifest(_key(sealed), sealed.header, _seal_raw(sealed, 0, bad))


def test_a_manifest_of_the_largest_size_opens_and_a_larger_one_is_not_read() -> None:
    largest = b"x" * MANIFEST_MOST
    sealed = ROOM.seal(kind=Kind.REPORT, manifest=largest)
    assert ROOM.open(sealed) == [largest]
    with pytest.raises(CannotOpen):
        open_manifest(_key(sealed), sealed.header, bytes(sealed_length(4 + MANIFEST_MOST) + 1))
    with pytest.raises(CannotOpen):
        pad_manifest(Kind.REPORT, largest + b"x")


def test_a_manifest_that_is_too_large_is_not_even_decrypted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sealed = ROOM.seal(b"content")
    data_key = _key(sealed)
    monkeypatch.setattr(body, "_decrypted", lambda *_: pytest.fail("it was decrypted"))
    with pytest.raises(CannotOpen):
        open_manifest(data_key, sealed.header, bytes(sealed_length(4 + MANIFEST_MOST) + 1))


def test_a_stream_longer_than_promised_is_not_read_to_its_end() -> None:
    sealed = ROOM.seal(b"content")
    endless = _seal_raw(sealed, 1, b"content".ljust(8 * FEED_BYTES, b"\0"))
    read: list[int] = []

    def stream() -> Iterator[bytes]:
        for piece in in_pieces(endless):
            read.append(len(piece))
            yield piece

    with pytest.raises(CannotOpen):
        list(open_part(_key(sealed), sealed.header, 1, stream(), 7))
    assert sum(read) < 2 * FEED_BYTES


def test_the_root_wants_every_part_and_no_other() -> None:
    sealed = ROOM.seal(b"first", b"other")
    parts = [sealed.envelope.manifest, *sealed.parts]
    missing = PartsCheck(sealed.header)
    for index, part in enumerate(parts[:2]):
        missing.add(index, [part])
    with pytest.raises(CannotOpen):
        missing.conclude()
    missing.add(2, in_pieces(parts[2], 100))
    missing.conclude()
    for index in (-1, 3):
        with pytest.raises(CannotOpen):
            missing.add(index, [b""])
    missing.add(2, [parts[1]])
    with pytest.raises(CannotOpen):
        missing.conclude()


def test_a_part_can_be_checked_while_it_is_opened() -> None:
    sealed = ROOM.seal(b"\x01" * 50_000)
    check = PartsCheck(sealed.header)
    check.add(0, [sealed.envelope.manifest])
    passing = check.through(1, in_pieces(sealed.parts[0]))
    assert b"".join(open_part(_key(sealed), sealed.header, 1, passing, 50_000)) == b"\x01" * 50_000
    check.conclude()


def test_a_data_key_is_thirty_two_bytes_that_nothing_prints() -> None:
    assert DataKey.generate().raw != DataKey.generate().raw
    assert "\\xab" not in repr(DataKey(b"\xab" * 32))
    with pytest.raises(CannotOpen):
        DataKey(bytes(31))
