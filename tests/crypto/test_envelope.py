"""Sealing: one fresh key per envelope, one order, sizes that say little, memory that is flat."""

import tracemalloc
from typing import Any, NoReturn

import pytest

from crypto import body, envelope
from crypto.body import DataKey, part_encryptor
from crypto.envelope import Custodians, OperatorsAndReceipt, Recipients
from crypto.errors import (
    EnvelopeMalformed,
    ManifestTooLarge,
    RecipientsRefused,
    SealingOutOfOrder,
    SuiteUnavailable,
)
from crypto.header import Header, Kind, Suite
from crypto.ids import EnvelopeId
from crypto.manifest import EvidenceManifest, IdentityManifest
from crypto.operator_opening import CustodianPrivateKey
from tests.crypto.building import TODAY, Room, Sealed

MIB = 1024 * 1024


def _custodians() -> Custodians:
    return Custodians([CustodianPrivateKey.generate().public], 1)


def test_an_envelope_says_outside_what_the_format_lets_it_say() -> None:
    room = Room()
    sealer = room.sealer(Kind.EVIDENCE, envelope=EnvelopeId(b"E" * 16))
    assert sealer.id == b"E" * 16
    header = sealer.seal(b"{}", room.operators).header
    assert (header.kind, header.case, header.envelope) == (Kind.EVIDENCE, room.case, sealer.id)
    assert (header.deployment, header.day, header.parts) == (room.deployment, TODAY, 1)
    assert room.sealer().id != room.sealer().id


def test_the_hash_of_a_sealed_envelope_is_that_of_its_header() -> None:
    sealed = Room().seal(b"content").envelope
    assert sealed.header_hash == Header.from_bytes(sealed.header.to_bytes()).hash


@pytest.mark.claim("C-SIZE")
def test_a_short_text_and_a_long_one_have_one_size_outside() -> None:
    room = Room()
    sizes = set()
    for text in (b"", b"help", b"x" * 4092):
        sealed = room.seal(text, kind=Kind.REPORT, manifest=text)
        sizes.add((len(sealed.envelope.manifest), len(sealed.parts[0])))
    assert len(sizes) == 1


@pytest.mark.claim("C-IDENTITY")
def test_an_identity_given_and_one_withheld_look_alike() -> None:
    room = Room()
    to = _custodians()
    given = IdentityManifest(
        identity_mode="named",
        identity={"name": "ن" * 1000, "phone": "+212 6 00 00 00 00"},
        safe_contact={"channel": "phone", "when": "evenings"},
    )
    withheld = IdentityManifest(identity_mode="anonymous", identity={}, safe_contact={})
    for who in (given, withheld):
        sealed = room.seal(kind=Kind.IDENTITY, manifest=who.to_json(), to=to).envelope
        sizes = (len(sealed.header.to_bytes()), len(sealed.wraps), len(sealed.manifest))
        assert sizes == (140, 164, 56 + 4096 + 16)


def test_a_manifest_too_large_for_its_kind_is_refused_by_name() -> None:
    room = Room()
    cases: list[tuple[Kind, int, Recipients]] = [
        (Kind.IDENTITY, 4092, _custodians()),
        (Kind.REPORT, MIB, room.operators),
    ]
    for kind, most, to in cases:
        room.sealer(kind).seal(b"x" * most, to)
        sealer = room.sealer(kind)
        with pytest.raises(ManifestTooLarge):
            sealer.seal(b"x" * (most + 1), to)
        # Nothing was sealed yet: what fits still goes.
        sealer.seal(b"x", to)


def test_the_name_and_the_type_of_a_file_stand_nowhere_in_clear() -> None:
    room = Room()
    name = "marker-file-name-8731.jpg"
    manifest = EvidenceManifest(
        name=name, media_type="image/marker-8731", length=9, sha256=bytes(32), removed=("gps",)
    ).to_json()
    sealed = room.seal(b"contents!", manifest=manifest)
    outside = b"".join(
        [
            sealed.header.to_bytes(),
            sealed.envelope.wraps,
            sealed.envelope.manifest,
            *sealed.parts,
        ]
    )
    # The search must find what is there before its silence means anything.
    assert b"8731" in room.open(sealed)[0]
    assert bytes(sealed.header.envelope) in outside
    assert b"8731" not in outside
    assert b"image/" not in outside


@pytest.mark.claim("C-IDENTITY")
@pytest.mark.parametrize("kind", list(Kind))
def test_each_kind_is_sealed_to_its_own_readers_only(kind: Kind) -> None:
    room = Room()
    readers: dict[str, Recipients] = {
        "operators": room.operators,
        "receipt": OperatorsAndReceipt([room.operator.public], room.reply_key),
        "custodians": _custodians(),
    }
    right = {Kind.IDENTITY: "custodians", Kind.REPLY: "receipt"}.get(kind, "operators")
    for who, to in readers.items():
        if who == right:
            room.sealer(kind).seal(b"{}", to)
            continue
        with pytest.raises(RecipientsRefused):
            room.sealer(kind).seal(b"{}", to)


def test_a_retry_is_a_new_envelope_and_no_key_or_salt_is_used_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used: list[tuple[bytes, int]] = []
    salts: list[bytes] = []

    def recording(data_key: DataKey, header: Header, index: int) -> Any:
        used.append((data_key.raw, index))
        return part_encryptor(data_key, header, index)

    monkeypatch.setattr(envelope, "part_encryptor", recording)
    room = Room()
    for _ in range(100):
        sealed = room.seal(b"the very same content")
        salts += [sealed.parts[0][:24], sealed.envelope.manifest[:24]]
    assert len({key for key, _ in used}) == 100
    assert len(set(used)) == len(used) == 200
    assert len(set(salts)) == 200


def test_an_envelope_is_sealed_once() -> None:
    room = Room()
    sealer = room.sealer()
    sealer.seal(b"{}", room.operators)
    for again in (lambda: sealer.seal(b"{}", room.operators), lambda: sealer.part(bytes)):
        with pytest.raises(SealingOutOfOrder):
            again()


def test_an_envelope_is_not_sealed_and_no_part_begins_while_another_is_unfinished() -> None:
    room = Room()
    sealer = room.sealer()
    part = sealer.part(lambda _: None)
    for early in (lambda: sealer.seal(b"{}", room.operators), lambda: sealer.part(bytes)):
        with pytest.raises(SealingOutOfOrder):
            early()
    part.finish()
    sealer.seal(b"{}", room.operators)


def test_a_finished_part_takes_nothing_more() -> None:
    part = Room().sealer().part(lambda _: None)
    part.finish()
    for late in (part.finish, lambda: part.write(b"late")):
        with pytest.raises(SealingOutOfOrder):
            late()


def test_a_part_whose_sink_failed_can_never_be_acknowledged() -> None:
    def full_disk(_: bytes) -> NoReturn:
        raise OSError

    room = Room()
    sealer = room.sealer()
    part = sealer.part(full_disk)
    with pytest.raises(OSError, match=r"^$"):
        part.write(bytes(MIB))
    for after in (
        part.finish,
        lambda: part.write(b"more"),
        lambda: sealer.seal(b"{}", room.operators),
    ):
        with pytest.raises(SealingOutOfOrder):
            after()


def test_an_envelope_has_fifteen_content_parts_at_most() -> None:
    room = Room()
    sealed = room.seal(*[b"content"] * 15)
    assert room.open(sealed)[1:] == [b"content"] * 15
    with pytest.raises(SealingOutOfOrder):
        room.seal(*[b"content"] * 16)


def test_suite_two_is_refused_and_never_falls_back() -> None:
    with pytest.raises(SuiteUnavailable):
        Room().sealer(suite=Suite.HPKE_X_WING)


def test_a_field_of_the_wrong_length_is_refused_before_anything_is_sealed() -> None:
    for wrong in ({"case": b"short"}, {"roster_hash": b""}, {"day": -1}):
        with pytest.raises(EnvelopeMalformed):
            Room().sealer(**wrong)


@pytest.mark.claim("C-MEMORY")
def test_memory_stays_flat_however_long_the_content() -> None:
    def peak(mebibytes: int) -> int:
        part = Room().sealer().part(lambda _: None)
        piece = bytes(MIB)
        tracemalloc.start()
        for _ in range(mebibytes):
            part.write(piece)
        part.finish()
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    short, long = peak(2), peak(64)
    assert long < short + 256 * 1024
    assert long < 4 * MIB


def test_the_cipher_is_fed_in_large_pieces_however_small_the_writes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fed: list[int] = []

    class Recording:
        def update(self, data: bytes) -> bytes:
            fed.append(len(data))
            return b""

        def finalize(self) -> bytes:
            return b""

    monkeypatch.setattr(envelope, "part_encryptor", lambda *_: Recording())
    part = Room().sealer().part(lambda _: None)
    for _ in range(1000):
        part.write(bytes(1000))
    part.write(bytearray(3 * MIB))
    part.write(memoryview(bytes(10)))
    part.finish()
    assert set(fed[:-1]) == {body.FEED_BYTES}


def test_what_the_facts_of_a_part_say_is_so() -> None:
    sealer = Room().sealer()
    chunks: list[bytes] = []
    part = sealer.part(chunks.append)
    assert part.facts is None
    part.write(b"x" * 5000)
    facts = part.finish()
    assert part.facts == facts
    assert (facts.length, facts.padded_length) == (5000, 5120)
    assert facts.sealed_length == sum(map(len, chunks))
    stored = Sealed(envelope=sealer.seal(b"{}", Room().operators), parts=[b"".join(chunks)])
    check = body.PartsCheck(stored.header)
    check.add(0, [stored.envelope.manifest])
    check.add(1, chunks)
    check.conclude()
