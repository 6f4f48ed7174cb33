"""A signature is over its kind, place, readers, parents and body, and moves to no other."""

import hashlib
from typing import Any

import pytest

from crypto.errors import SignatureInvalid
from crypto.header import Kind
from crypto.signing import SigningPrivateKey, Statement

KEY = SigningPrivateKey(b"\x05" * 32)
STATEMENT: dict[str, Any] = {
    "deployment": b"D" * 16,
    "case": b"C" * 16,
    "envelope": b"E" * 16,
    "recipients": [b"1" * 16, b"2" * 16],
    "parents": [b"p" * 32],
    "body": b"the body",
}
LABELS = {
    Kind.FOLLOW_UP: b"amana/v1/sign/follow-up\0",
    Kind.ENTRY: b"amana/v1/sign/entry\0",
    Kind.REPLY: b"amana/v1/sign/reply\0",
}


@pytest.mark.parametrize("kind", list(LABELS))
def test_the_signed_bytes_are_those_of_the_format(kind: Kind) -> None:
    statement = LABELS[kind] + b"D" * 16 + b"C" * 16 + b"E" * 16
    statement += b"\0\2" + b"1" * 16 + b"2" * 16 + b"\0\1" + b"p" * 32
    statement += hashlib.sha256(b"the body").digest()
    assert Statement(kind=kind, **STATEMENT).sign(KEY) == KEY.sign(statement)


@pytest.mark.claim("C-FORGED")
@pytest.mark.parametrize("signed_as", list(LABELS))
@pytest.mark.parametrize("shown_as", list(LABELS))
def test_a_signature_of_one_kind_is_none_of_another(signed_as: Kind, shown_as: Kind) -> None:
    signature = Statement(kind=signed_as, **STATEMENT).sign(KEY)
    shown = Statement(kind=shown_as, **STATEMENT)
    if signed_as is shown_as:
        shown.verify(KEY.public, signature)
        return
    with pytest.raises(SignatureInvalid):
        shown.verify(KEY.public, signature)


@pytest.mark.claim("C-FORGED")
@pytest.mark.parametrize(
    "changed",
    [
        {"deployment": b"d" * 16},
        {"case": b"c" * 16},
        {"envelope": b"e" * 16},
        {"recipients": [b"1" * 16]},
        {"recipients": [b"2" * 16, b"1" * 16]},
        {"recipients": [b"1" * 16, b"2" * 16, b"3" * 16]},
        {"recipients": []},
        {"parents": []},
        {"parents": [b"q" * 32]},
        {"body": b"the bodY"},
        # The same bytes, cut elsewhere: two key ids are as long as one parent.
        {"recipients": [], "parents": [b"1" * 16 + b"2" * 16, b"p" * 32]},
    ],
)
def test_a_signature_moves_to_no_other_place_reader_parent_or_body(changed: dict[str, Any]) -> None:
    signature = Statement(kind=Kind.REPLY, **STATEMENT).sign(KEY)
    shown = Statement(kind=Kind.REPLY, **(STATEMENT | changed))
    with pytest.raises(SignatureInvalid):
        shown.verify(KEY.public, signature)


@pytest.mark.parametrize("kind", [Kind.REPORT, Kind.EVIDENCE, Kind.IDENTITY])
def test_what_anybody_may_send_is_never_signed(kind: Kind) -> None:
    statement = Statement(kind=kind, **STATEMENT)
    with pytest.raises(SignatureInvalid):
        statement.sign(KEY)


@pytest.mark.parametrize(
    "changed",
    [
        {"case": b"C" * 15},
        {"recipients": [b"1" * 15]},
        {"parents": [b"p" * 33]},
        {"recipients": [b"1" * 16, b"1" * 16]},
        {"parents": [n.to_bytes(32, "big") for n in range(65_536)]},
    ],
)
def test_a_statement_that_could_be_read_in_two_ways_is_not_made(changed: dict[str, Any]) -> None:
    statement = Statement(kind=Kind.REPLY, **(STATEMENT | changed))
    with pytest.raises(SignatureInvalid):
        statement.sign(KEY)
