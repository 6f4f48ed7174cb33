"""What stands inside an envelope comes back as it went, or is refused to its last field."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.envelope import OperatorsAndReceipt
from crypto.errors import ManifestMalformed, ManifestTooLarge, SignatureInvalid
from crypto.header import Kind
from crypto.ids import Day, EnvelopeId, HeaderHash, Kid, date_of
from crypto.keys import ReplyPublicKey
from crypto.manifest import (
    DAY_END,
    EntryBody,
    EvidenceManifest,
    EvidenceRef,
    FollowUpBody,
    IdentityManifest,
    ReplyBody,
    ReportManifest,
)
from crypto.operator_opening import OperatorPrivateKey
from crypto.signed import SignedManifest
from crypto.signing import SigningPrivateKey
from crypto.strict_json import LIMITS
from tests.crypto.building import Room

REF = EvidenceRef(EnvelopeId(b"E" * 16), HeaderHash(b"H" * 32))
OTHER = EvidenceRef(EnvelopeId(b"F" * 16), HeaderHash(b"I" * 32))
SECRET = "what-only-the-reporter-wrote"
ROOM = Room()

REPORT = ReportManifest(
    form_version=1,
    language="ar",
    category="fraud",
    fields={"description": SECRET, "urls": ["https://example.org"], "money": {"lost": True}},
    identity_mode="anonymous",
    evidence=(REF, OTHER),
    identity=OTHER,
    reply_key=ROOM.reply_key,
    follow_up_key=ROOM.follow_up.public,
    sealed_by="gateway",
    cleaned_by="gateway",
)
EVIDENCE = EvidenceManifest(
    name="photo-1.jpg", media_type="image/jpeg", length=7, sha256=b"S" * 32, removed=("gps",)
)
# Fields that came with the second shape of the evidence manifest; older ones lack them.
MAY_BE_MISSING = {"rebuilt", "original_of", "status"}
IDENTITY = IdentityManifest(
    identity_mode="named", identity={"name": SECRET}, safe_contact={"phone": SECRET}
)
FOLLOW_UP = FollowUpBody(
    text=SECRET,
    evidence=(),
    identity=REF,
    reply_key=ROOM.reply_key,
    follow_up_key=ROOM.follow_up.public,
    language="fr",
)
REPLY = ReplyBody(text=SECRET, author_day=Day(20_700))
ENTRY = EntryBody(type="note", data={"text": SECRET, "count": 2, "ratio": 0.5, "none": None})
SIGNED = SignedManifest(
    body=SECRET,
    parents=(HeaderHash(b"p" * 32),),
    recipients=(Kid(b"1" * 16), Kid(b"2" * 16)),
    signer=Kid(b"s" * 16),
    signature=b"S" * 64,
)
ALL: list[Any] = [REPORT, EVIDENCE, IDENTITY, FOLLOW_UP, REPLY, ENTRY, SIGNED]
each = pytest.mark.parametrize("manifest", ALL, ids=lambda m: type(m).__name__)


@each
def test_a_manifest_comes_back_as_it_went(manifest: Any) -> None:
    assert type(manifest).from_json(manifest.to_json()) == manifest


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_any_text_that_can_be_written_comes_back(text: str) -> None:
    reply = ReplyBody(text=text, author_day=Day(1))
    assert ReplyBody.from_json(reply.to_json()) == reply


@each
def test_a_field_unknown_or_missing_or_of_another_type_is_refused(manifest: Any) -> None:
    parse, good = type(manifest).from_json, json.loads(manifest.to_json())
    bad = [{**good, "unknown": 1}, {**good, "v": 2}, {**good, "v": True}, {**good, "v": "1"}]
    for name in good:
        if name not in MAY_BE_MISSING:
            bad.append({key: value for key, value in good.items() if key != name})
        bad += [{**good, name: wrong} for wrong in (None, 1.5, -1, [1], [{"id": "00"}])]
    for fields in bad:
        with pytest.raises(ManifestMalformed):
            parse(json.dumps(fields).encode())


@pytest.mark.parametrize(
    "untrusted",
    [
        b"",
        b"null",
        b"[]",
        b"1",
        b'"text"',
        b'{"v":1,"text":"a","author_day":1}{}',
        b'{"v":1,"text":"a","text":"b","author_day":1}',
        b'{"v":1,"text":"a","author_day":1.0}',
        b'{"v":1,"text":"a","author_day":true}',
        b'{"v":1,"text":"a","author_day":-1}',
        b'{"v":1,"text":"a","author_day":9007199254740992}',
        b'{"v":1,"text":"a","author_day":' + b"9" * 5000 + b"}",
        b'{"v":1,"text":"a","author_day":NaN}',
        b'{"v":1,"text":"\\ud800","author_day":1}',
        b'{"v":1,"text":"\xff","author_day":1}',
        '\ufeff{"v":1,"text":"a","author_day":1}'.encode(),
        b"[" * 100_000,
    ],
)
def test_json_that_could_be_read_in_two_ways_is_refused(untrusted: bytes) -> None:
    with pytest.raises(ManifestMalformed):
        ReplyBody.from_json(untrusted)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_is_refused_however_deep(number: str) -> None:
    with pytest.raises(ManifestMalformed):
        EntryBody.from_json(f'{{"v":1,"type":"note","data":{{"x":[{number}]}}}}'.encode())


@pytest.mark.parametrize(
    "written", ["AA" * 16, "aa" * 15, "aa" * 17, "a" * 31, " " + "aa" * 16, "zz"]
)
def test_an_id_is_written_in_one_way(written: str) -> None:
    fields = json.loads(SIGNED.to_json())
    for wrong in ({"signer": written}, {"recipients": [written]}):
        with pytest.raises(ManifestMalformed):
            SignedManifest.from_json(json.dumps(fields | wrong).encode())


def test_a_reply_key_of_low_order_makes_no_manifest() -> None:
    fields = json.loads(REPORT.to_json()) | {"reply_key": "00" * 32}
    with pytest.raises(ManifestMalformed):
        ReportManifest.from_json(json.dumps(fields).encode())


@pytest.mark.parametrize("data", [{"x": float("nan")}, {"x": {1, 2}}, {"x": "\ud800"}])
def test_what_json_cannot_hold_is_refused_and_not_quoted(data: Any) -> None:
    with pytest.raises(ManifestMalformed) as refusal:
        EntryBody(type="note", data=data).to_json()
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_nothing_nested_without_end_is_written_or_read() -> None:
    nested: dict[str, Any] = {}
    for _ in range(100_000):
        nested = {"x": nested}
    with pytest.raises(ManifestMalformed):
        EntryBody(type="note", data=nested).to_json()
    while nested:  # taken apart by hand: freeing it would recurse as deep
        nested = nested["x"]


@pytest.mark.claim("C-FORGED")
@pytest.mark.parametrize("day", [0, DAY_END, 2**53 - 1])
def test_a_reply_of_a_day_that_no_calendar_has_is_neither_written_nor_read(day: int) -> None:
    with pytest.raises(ManifestMalformed):
        ReplyBody(text="x", author_day=Day(day)).to_json()
    with pytest.raises(ManifestMalformed):
        ReplyBody.from_json(f'{{"v":1,"text":"x","author_day":{day}}}'.encode())


def test_every_day_that_a_reply_may_name_can_be_shown() -> None:
    for day in (1, DAY_END - 1):
        reply = ReplyBody(text="x", author_day=Day(day))
        assert date_of(ReplyBody.from_json(reply.to_json()).author_day)


def _nested(depth: int, innermost: Any) -> Any:
    for _ in range(depth):
        innermost = [innermost]
    return innermost


# The manifest is the first level and `data` the second.
BEYOND: list[Any] = [
    {"x": "a" * (LIMITS.text + 1)},
    {"x": [0] * (LIMITS.items + 1)},
    {str(n): 0 for n in range(LIMITS.items + 1)},
    {"x" * (LIMITS.name + 1): 0},
    {"x": {"x" * (LIMITS.name + 1): 0}},
    {"x": _nested(LIMITS.depth - 1, 0)},
    {"x": _nested(LIMITS.depth - 2, {})},
    {"x": _nested(LIMITS.depth - 2, "a" * (LIMITS.text + 1))},
    {"x": 2**53},
    {"x": -(2**53)},
    {"x": 1e300},
    {str(n): "é" * 150_000 for n in range(14)},
]
WITHIN: list[Any] = [
    {"x": "a" * LIMITS.text},
    {"x": [0] * LIMITS.items},
    {str(n): 0 for n in range(LIMITS.items)},
    {"x" * LIMITS.name: 0},
    {"x": _nested(LIMITS.depth - 2, 0)},
    {"x": [-(2**53 - 1), 2**53 - 1, -0.5]},
]


@pytest.mark.claim("C-FORGED")
@pytest.mark.parametrize("data", BEYOND, ids=range(len(BEYOND)))
def test_what_no_honest_form_holds_is_neither_written_nor_read(data: Any) -> None:
    with pytest.raises(ManifestMalformed):
        EntryBody(type="note", data=data).to_json()
    written = json.dumps({"v": 1, "type": "note", "data": data}, ensure_ascii=False)
    with pytest.raises(ManifestMalformed):
        EntryBody.from_json(written.encode())


@pytest.mark.parametrize("data", WITHIN, ids=range(len(WITHIN)))
def test_what_stands_at_a_bound_comes_back_as_it_went(data: Any) -> None:
    entry = EntryBody(type="note", data=data)
    assert EntryBody.from_json(entry.to_json()) == entry


@pytest.mark.claim("C-FORGED")
@pytest.mark.parametrize(
    ("manifest", "names"),
    [
        (REPORT, ("language", "category", "identity_mode", "sealed_by", "cleaned_by")),
        (EVIDENCE, ("name", "media_type", "removed")),
        (IDENTITY, ("identity_mode",)),
        (FOLLOW_UP, ("language",)),
        (ENTRY, ("type",)),
    ],
)
def test_a_name_or_an_id_is_short(manifest: Any, names: tuple[str, ...]) -> None:
    for name in names:
        for length, fits in ((LIMITS.word, True), (LIMITS.word + 1, False)):
            value: Any = "x" * length
            changed = dataclasses.replace(manifest, **{name: value})
            given = json.loads(manifest.to_json())
            given[name] = value
            if name == "removed":
                changed = dataclasses.replace(manifest, removed=(value,))
                given[name] = [value]
            if fits:
                assert type(manifest).from_json(json.dumps(given).encode()) == changed
                assert type(manifest).from_json(changed.to_json()) == changed
                continue
            with pytest.raises(ManifestMalformed):
                type(manifest).from_json(json.dumps(given).encode())
            with pytest.raises(ManifestMalformed):
                changed.to_json()


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" * 400, "9007199254740993"])
def test_a_number_that_reads_as_infinite_or_is_not_exact_is_refused(number: str) -> None:
    with pytest.raises(ManifestMalformed):
        EntryBody.from_json(f'{{"v":1,"type":"note","data":{{"x":[{number}]}}}}'.encode())


@each
def test_nothing_a_person_wrote_shows_in_a_traceback(manifest: Any) -> None:
    assert SECRET in manifest.to_json().decode() or manifest is EVIDENCE
    assert SECRET not in repr(manifest)


@pytest.mark.claim("C-IDENTITY")
def test_an_identity_fits_its_one_size_or_is_refused() -> None:
    room = 3000 - len(dataclasses.replace(IDENTITY, identity={"name": ""}).to_json())
    assert len(dataclasses.replace(IDENTITY, identity={"name": "x" * room}).to_json()) == 3000
    with pytest.raises(ManifestTooLarge):
        dataclasses.replace(IDENTITY, identity={"name": "x" * (room + 1)}).to_json()


def _signed_reply(room: Room, key: SigningPrivateKey, envelope: EnvelopeId) -> SignedManifest:
    to = OperatorsAndReceipt([room.operator.public], room.reply_key)
    return SignedManifest.sign(
        Kind.REPLY,
        key,
        deployment=room.deployment,
        case=room.case,
        envelope=envelope,
        recipients=to.kids,
        parents=[HeaderHash(b"p" * 32)],
        body=REPLY.to_json(),
    )


def test_a_signed_reply_is_read_by_the_readers_it_was_signed_for() -> None:
    key, sealer = SigningPrivateKey.generate(), ROOM.sealer(Kind.REPLY)
    signed = _signed_reply(ROOM, key, sealer.id)
    to = OperatorsAndReceipt([ROOM.operator.public], ROOM.reply_key)
    header = sealer.seal(signed.to_json(), to).header
    received = SignedManifest.from_json(signed.to_json())
    assert received.signer == key.public.kid
    for reader in to.kids:
        assert ReplyBody.from_json(received.verify(header, key.public, reader)) == REPLY


def test_a_reply_that_names_another_signer_than_its_own_is_refused() -> None:
    key, sealer = SigningPrivateKey.generate(), ROOM.sealer(Kind.REPLY)
    signed = _signed_reply(ROOM, key, sealer.id)
    to = OperatorsAndReceipt([ROOM.operator.public], ROOM.reply_key)
    header = sealer.seal(signed.to_json(), to).header
    claimed = dataclasses.replace(signed, signer=ROOM.follow_up.public.kid)
    with pytest.raises(SignatureInvalid):
        claimed.verify(header, key.public, ROOM.reply_key.kid)


@pytest.mark.claim("C-FORGED")
def test_a_reply_resealed_into_another_case_or_envelope_is_refused() -> None:
    """An operator who may open a reply seals its very manifest again, elsewhere."""
    key, there = SigningPrivateKey.generate(), Room(operator=ROOM.operator)
    signed = _signed_reply(ROOM, key, ROOM.sealer(Kind.REPLY).id)
    to = OperatorsAndReceipt([ROOM.operator.public], ROOM.reply_key)
    for header in (
        there.sealer(Kind.REPLY).seal(signed.to_json(), to).header,
        ROOM.sealer(Kind.REPLY).seal(signed.to_json(), to).header,
        ROOM.sealer(Kind.ENTRY).seal(signed.to_json(), ROOM.operators).header,
    ):
        with pytest.raises(SignatureInvalid):
            signed.verify(header, key.public, ROOM.reply_key.kid)


@pytest.mark.claim("C-FORGED")
def test_a_reply_resealed_to_another_reader_is_refused_by_them() -> None:
    key, sealer = SigningPrivateKey.generate(), ROOM.sealer(Kind.REPLY)
    signed = _signed_reply(ROOM, key, sealer.id)
    other = ReplyPublicKey(OperatorPrivateKey.generate().public.raw)
    header = sealer.seal(
        signed.to_json(), OperatorsAndReceipt([ROOM.operator.public], other)
    ).header
    with pytest.raises(SignatureInvalid):
        signed.verify(header, key.public, other.kid)
    added = dataclasses.replace(signed, recipients=(*signed.recipients, other.kid))
    with pytest.raises(SignatureInvalid):
        added.verify(header, key.public, other.kid)


@pytest.mark.claim("C-FORGED")
def test_a_well_formed_follow_up_without_its_inner_signature_is_refused() -> None:
    sealer = ROOM.sealer(Kind.FOLLOW_UP)
    forger = SigningPrivateKey.generate()
    header = sealer.seal(FOLLOW_UP.to_json(), ROOM.operators).header
    with pytest.raises(ManifestMalformed):
        SignedManifest.from_json(FOLLOW_UP.to_json())
    forged = SignedManifest.sign(
        Kind.FOLLOW_UP,
        forger,
        deployment=ROOM.deployment,
        case=ROOM.case,
        envelope=sealer.id,
        recipients=ROOM.operators.kids,
        parents=[],
        body=FOLLOW_UP.to_json(),
    )
    reader = ROOM.operator.public.kid
    # It holds for the forger's own key, and for the key of the case in no way.
    forged.verify(header, forger.public, reader)
    claimed = dataclasses.replace(forged, signer=ROOM.follow_up.public.kid)
    for manifest in (forged, claimed):
        with pytest.raises(SignatureInvalid):
            manifest.verify(header, ROOM.follow_up.public, reader)


@pytest.mark.claim("C-FORGED")
def test_a_server_that_swaps_the_reply_key_breaks_the_manifest_it_stands_in() -> None:
    sealed = ROOM.seal(kind=Kind.REPORT, manifest=REPORT.to_json())
    opened = ReportManifest.from_json(ROOM.open(sealed)[0])
    assert opened.reply_key == ROOM.reply_key
    # The key stands nowhere outside, so there is nothing to swap but ciphertext.
    outside = sealed.header.to_bytes() + sealed.envelope.wraps + sealed.envelope.manifest
    for shown in (ROOM.reply_key.raw, ROOM.reply_key.raw.hex().encode(), ROOM.reply_key.kid):
        assert shown not in outside


def test_an_original_names_its_clean_copy_and_an_older_manifest_names_none() -> None:
    original = dataclasses.replace(EVIDENCE, removed=(), original_of=REF.id)
    assert EvidenceManifest.from_json(original.to_json()) == original
    older = json.loads(EVIDENCE.to_json())
    del older["rebuilt"]
    assert EvidenceManifest.from_json(json.dumps(older).encode()) == EVIDENCE
    for wrong in (None, "", "00", "AB" * 16, 7):
        with pytest.raises(ManifestMalformed):
            EvidenceManifest.from_json(json.dumps({**older, "original_of": wrong}).encode())
