"""Bytes that are no safe key never become one."""

import pytest
from nacl.bindings import crypto_scalarmult_base

from crypto.errors import KeyRefused, SignatureInvalid
from crypto.ids import kid_of
from crypto.keys import CustodianPublicKey, OperatorPublicKey, ReplyPublicKey, SigningPublicKey
from crypto.operator_opening import CustodianPrivateKey, OperatorPrivateKey
from crypto.signing import SigningPrivateKey

P = 2**255 - 19
ROLES = [OperatorPublicKey, CustodianPublicKey, ReplyPublicKey]

# The points of order 1, 2, 4 and 8 of the curve and of its twist (RFC 7748, section 6.1, and the
# list that libsodium refuses), in their canonical encoding.
LOW_ORDER = [
    bytes(32),
    (1).to_bytes(32, "little"),
    (P - 1).to_bytes(32, "little"),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
]


@pytest.mark.parametrize("role", ROLES)
def test_a_point_of_low_order_is_no_key(role: type[OperatorPublicKey]) -> None:
    for point in LOW_ORDER:
        with pytest.raises(KeyRefused):
            role.from_bytes(point)


@pytest.mark.parametrize("role", ROLES)
def test_one_key_has_one_encoding(role: type[OperatorPublicKey]) -> None:
    good = crypto_scalarmult_base(b"\x42" * 32)
    assert role.from_bytes(good).raw == good
    assert role(good).kid == kid_of(1, good)
    with_top_bit = good[:31] + bytes([good[31] | 0x80])
    beyond_prime = (P + 9).to_bytes(32, "little")
    for other in (with_top_bit, beyond_prime, good[:31], good + b"\0"):
        with pytest.raises(KeyRefused):
            role.from_bytes(other)


@pytest.mark.parametrize(
    "raw",
    [
        bytes(31),
        bytes(33),
        bytes(32),  # order 4
        (1).to_bytes(32, "little"),  # the neutral element
        (P - 1).to_bytes(32, "little"),  # order 2
        (P + 1).to_bytes(32, "little"),  # the neutral element, encoded again
        b"\x02" + bytes(31),  # not on the curve
    ],
)
def test_bytes_that_are_no_point_of_the_large_order_check_no_signature(raw: bytes) -> None:
    with pytest.raises(KeyRefused):
        SigningPublicKey.from_bytes(raw)


def test_a_signing_key_and_a_sealing_key_never_share_an_id() -> None:
    raw = SigningPrivateKey(b"\x07" * 32).public.raw
    assert SigningPublicKey.from_bytes(raw).kid == kid_of(0, raw)
    assert SigningPublicKey(raw).kid != kid_of(1, raw)


def test_a_signature_holds_for_its_message_and_no_other() -> None:
    key = SigningPrivateKey.generate()
    signature = key.sign(b"label\0message")
    key.public.verify(signature, b"label\0message")
    other = SigningPrivateKey.generate().public
    for public, signed, message in [
        (key.public, signature, b"label\0messagf"),
        (key.public, signature[:63], b"label\0message"),
        (key.public, signature + b"\0", b"label\0message"),
        (key.public, bytes(64), b"label\0message"),
        (other, signature, b"label\0message"),
    ]:
        with pytest.raises(SignatureInvalid):
            public.verify(signed, message)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_private_key_of_another_length_is_refused(length: int) -> None:
    for role in (OperatorPrivateKey, CustodianPrivateKey, SigningPrivateKey.from_seed):
        with pytest.raises(KeyRefused):
            role(bytes(length))


def test_a_private_key_does_not_show_in_a_traceback() -> None:
    secret = b"\xab" * 32
    for key in (
        OperatorPrivateKey(secret),
        CustodianPrivateKey(secret),
        SigningPrivateKey(secret),
    ):
        assert "\\xab" not in repr(key)
        assert "ab" * 32 not in repr(key)


def test_a_public_key_belongs_to_its_private_key() -> None:
    operator, custodian = OperatorPrivateKey(b"\x01" * 32), CustodianPrivateKey(b"\x01" * 32)
    assert operator.public == OperatorPublicKey(crypto_scalarmult_base(b"\x01" * 32))
    assert custodian.public == CustodianPublicKey(crypto_scalarmult_base(b"\x01" * 32))
    assert OperatorPrivateKey.generate().public != OperatorPrivateKey.generate().public
    assert CustodianPrivateKey.generate().public != CustodianPrivateKey.generate().public
    assert (
        SigningPrivateKey.from_seed(b"\x01" * 32).public == SigningPrivateKey(b"\x01" * 32).public
    )
