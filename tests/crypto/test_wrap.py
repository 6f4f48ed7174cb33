"""A wrap is bound to its reader and to its envelope."""

import itertools

import pytest
from nacl.bindings import crypto_box_seal

from crypto.body import DataKey
from crypto.envelope import Custodians, Operators, OperatorsAndReceipt
from crypto.errors import CannotOpen, EnvelopeMalformed, NotARecipient, RecipientsRefused
from crypto.header import Header, Kind
from crypto.ids import KID_ZERO
from crypto.keys import OperatorPublicKey, ReplyPublicKey
from crypto.operator_opening import CustodianPrivateKey, OperatorPrivateKey, open_data_key
from crypto.unwrap import unwrap_data_key
from crypto.wrap import Wrap, parse_wraps
from tests.crypto.building import Room, Sealed


def _operators(count: int) -> list[OperatorPrivateKey]:
    return [OperatorPrivateKey.generate() for _ in range(count)]


def test_every_operator_opens_an_envelope_alone_and_nobody_else_does() -> None:
    room, operators = Room(), _operators(3)
    sealed = room.seal(b"content", to=Operators([o.public for o in operators]))
    header, wraps = sealed.header, sealed.envelope.wraps
    assert len(wraps) == 3 * 148
    assert len({open_data_key(operator, header, wraps).raw for operator in operators}) == 1
    with pytest.raises(NotARecipient):
        open_data_key(room.operator, header, wraps)


def test_a_reader_needs_their_own_wrap_only() -> None:
    operators = _operators(3)
    sealed = Room().seal(to=Operators([o.public for o in operators]))
    parsed = parse_wraps(sealed.header, sealed.envelope.wraps)
    assert [wrap.kid for wrap in parsed] == [o.public.kid for o in operators]
    own = parsed[1].to_bytes()
    assert len(own) == 148
    open_data_key(operators[1], sealed.header, own)
    for others in (b"", parsed[0].to_bytes() + parsed[2].to_bytes()):
        with pytest.raises(NotARecipient):
            open_data_key(operators[1], sealed.header, others)


@pytest.mark.claim("C-PEPPER")
def test_a_receipts_wrap_stands_first_and_shows_nothing_of_its_key() -> None:
    room = Room()
    to = OperatorsAndReceipt([room.operator.public], room.reply_key)
    sealed = room.seal(kind=Kind.REPLY, to=to)
    receipts, operators = parse_wraps(sealed.header, sealed.envelope.wraps)
    assert receipts.kid == KID_ZERO
    assert operators.kid == room.operator.public.kid
    assert to.kids == (room.reply_key.kid, room.operator.public.kid)
    for shown in (room.reply_key.kid, room.reply_key.raw):
        assert shown not in sealed.header.to_bytes() + sealed.envelope.wraps
    opened = unwrap_data_key(room.receipt.raw, room.reply_key, sealed.header, receipts)
    assert opened.raw == open_data_key(room.operator, sealed.header, sealed.envelope.wraps).raw


@pytest.mark.claim("C-FORGED")
def test_no_wrap_and_no_part_moves_between_envelopes() -> None:
    """The swap matrix: over all pairs of envelopes of two cases, nothing of one serves another."""
    operator = OperatorPrivateKey.generate()
    rooms = [Room(operator=operator), Room(operator=operator)]
    all_sealed: list[tuple[Room, Sealed]] = [
        (room, room.seal(b"same content", b"and more", kind=kind))
        for room in rooms
        for kind in (Kind.REPORT, Kind.EVIDENCE, Kind.EVIDENCE, Kind.ENTRY)
    ]
    for room, sealed in all_sealed:
        assert room.open(sealed) == [b'{"v":1}', b"same content", b"and more"]
    for (room, one), (_, other) in itertools.permutations(all_sealed, 2):
        with pytest.raises(CannotOpen):
            open_data_key(operator, one.header, other.envelope.wraps)
        for parts in ([other.parts[0], one.parts[1]], [one.parts[0], other.parts[1]]):
            swapped = Sealed(envelope=one.envelope, parts=parts, lengths=one.lengths)
            with pytest.raises(CannotOpen):
                room.open(swapped)


@pytest.mark.claim("C-FORGED")
def test_a_wrap_does_not_serve_under_a_header_with_any_other_field() -> None:
    room = Room()
    sealed = room.seal(b"content")
    raw = sealed.header.to_bytes()
    for at in (10, 12, 28, 44, 60, 95, 99, 100):
        value = raw[at] + 1 if at != 10 else Kind.ENTRY
        altered = Header.from_bytes(raw[:at] + bytes([value % 256]) + raw[at + 1 :])
        with pytest.raises(CannotOpen):
            open_data_key(room.operator, altered, sealed.envelope.wraps)


@pytest.mark.parametrize("shape", ["bare key", "no kid", "other magic", "longer", "shorter"])
def test_a_sealed_box_without_its_context_is_no_wrap(shape: str) -> None:
    room = Room()
    header = room.seal(b"content").header
    kid, data_key = room.operator.public.kid, DataKey.generate().raw
    inner = {
        "bare key": data_key,
        "no kid": b"AMW1" + header.hash + KID_ZERO + data_key,
        "other magic": b"AMS1" + header.hash + kid + data_key,
        "longer": b"AMW1" + header.hash + kid + data_key + b"\0",
        "shorter": b"AMW1" + header.hash + kid + data_key[:-1],
    }[shape]
    wrap = Wrap(kid, crypto_box_seal(inner, room.operator.public.raw))
    with pytest.raises(CannotOpen):
        unwrap_data_key(room.operator.raw, room.operator.public, header, wrap)


def test_bytes_that_are_no_sealed_box_do_not_open() -> None:
    room = Room()
    header = room.seal(b"content").header
    for sealed in (b"", bytes(47), bytes(132)):
        with pytest.raises(CannotOpen):
            unwrap_data_key(room.operator.raw, room.operator.public, header, Wrap(KID_ZERO, sealed))


def test_an_envelope_without_a_reader_or_with_one_twice_is_refused() -> None:
    one, two = (operator.public for operator in _operators(2))
    custodian = CustodianPrivateKey.generate().public
    reply = ReplyPublicKey(one.raw)
    for make in (
        lambda: Operators([]),
        lambda: Operators([one, two, OperatorPublicKey(one.raw)]),
        lambda: OperatorsAndReceipt([], reply),
        lambda: OperatorsAndReceipt([one], reply),
        lambda: Custodians([], 1),
        lambda: Custodians([custodian], 2),
        lambda: Custodians([custodian, custodian], 1),
    ):
        with pytest.raises(RecipientsRefused):
            make()


def test_wraps_that_do_not_divide_or_repeat_or_are_too_many_do_not_parse() -> None:
    room = Room()
    sealed = room.seal(b"content")
    wraps = sealed.envelope.wraps
    many = b"".join(n.to_bytes(16, "big") + bytes(132) for n in range(257))
    assert len(parse_wraps(sealed.header, many[:-148])) == 256
    for untrusted in (wraps[:-1], wraps + b"\0", wraps + wraps, many):
        with pytest.raises(EnvelopeMalformed):
            parse_wraps(sealed.header, untrusted)


def test_an_identitys_wraps_may_repeat_a_holder_and_are_sixty_four_at_most() -> None:
    room = Room()
    custodian = CustodianPrivateKey.generate()
    header = room.seal(kind=Kind.IDENTITY, to=Custodians([custodian.public], 1)).header
    assert len(parse_wraps(header, bytes(64 * 164))) == 64
    for untrusted in (bytes(65 * 164), bytes(148)):
        with pytest.raises(EnvelopeMalformed):
            parse_wraps(header, untrusted)


def test_a_wrap_that_bears_our_id_and_is_garbage_does_not_open() -> None:
    room = Room()
    sealed = room.seal(b"content")
    with pytest.raises(CannotOpen):
        open_data_key(room.operator, sealed.header, room.operator.public.kid + bytes(132))
