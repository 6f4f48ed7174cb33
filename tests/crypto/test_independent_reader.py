"""A reader that shares no code with ours opens what we seal."""

import hashlib

import pytest

from crypto.body import DataKey, part_encryptor
from crypto.header import Kind
from crypto.operator_opening import open_data_key
from tests.crypto.building import Room
from tests.crypto.independent_reader import header_hash, open_part_independently


@pytest.mark.parametrize("length", [0, 1, 4096, 16_383, 16_384, 16_385, 40_000, 300_000])
def test_a_reader_written_from_the_specification_opens_our_parts(length: int) -> None:
    room = Room()
    content = hashlib.shake_256(b"content").digest(length)
    sealed = room.seal(content, manifest=b'{"v":1,"name":"photo-1.jpg"}')
    header = sealed.header.to_bytes()
    data_key = open_data_key(room.operator, sealed.header, sealed.envelope.wraps).raw

    padded = open_part_independently(data_key, header, 1, sealed.parts[0])
    manifest = open_part_independently(data_key, header, 0, sealed.envelope.manifest)

    assert padded[:length] == content
    assert not any(padded[length:])
    assert len(manifest) == 4096
    assert manifest[4 : 4 + int.from_bytes(manifest[:4], "big")] == b'{"v":1,"name":"photo-1.jpg"}'
    assert header_hash(header) == sealed.header.hash


def test_the_independent_reader_refuses_another_place_and_a_cut_stream() -> None:
    room = Room()
    sealed = room.seal(b"x" * 20_000)
    header = sealed.header.to_bytes()
    data_key = open_data_key(room.operator, sealed.header, sealed.envelope.wraps).raw
    with pytest.raises(ValueError, match=r"^$"):
        open_part_independently(data_key, header, 2, sealed.parts[0])
    with pytest.raises(ValueError, match=r"^$"):
        open_part_independently(data_key, header, 1, sealed.parts[0][: 56 + 16_400])


def test_the_place_of_a_part_is_its_deployment_case_envelope_kind_and_index() -> None:
    room = Room()
    draft = room.seal(kind=Kind.REPORT).header
    cipher = part_encryptor(DataKey(bytes(32)), draft, 7)
    stream = cipher.update(b"content") + cipher.finalize()
    assert open_part_independently(bytes(32), draft.to_bytes(), 7, stream) == b"content"
