"""Every byte of a header is accounted for."""

import dataclasses
import hashlib
from typing import Any

import pytest

from crypto.errors import EnvelopeMalformed, SuiteUnavailable
from crypto.header import Header, Kind, Suite, parts_root
from crypto.ids import CaseId, Day, Deployment, EnvelopeId

HEADER = Header(
    kind=Kind.REPORT,
    deployment=Deployment(b"D" * 16),
    case=CaseId(b"C" * 16),
    envelope=EnvelopeId(b"E" * 16),
    roster_hash=b"R" * 32,
    day=Day(20_700),
    parts=1,
    parts_root=b"P" * 32,
)
RAW = HEADER.to_bytes()


def test_a_header_is_laid_out_as_the_format_says() -> None:
    expected = b"AMANAENV\x01\x01\x01\x00" + b"D" * 16 + b"C" * 16 + b"E" * 16 + b"R" * 32
    expected += (20_700).to_bytes(4, "big") + (1).to_bytes(4, "big") + b"P" * 32 + bytes(8)
    assert expected == RAW
    assert len(RAW) == 140
    assert HEADER.hash == hashlib.sha256(b"amana/v1/header\0" + RAW).digest()


@pytest.mark.parametrize("kind", list(Kind))
def test_a_header_of_any_kind_comes_back_as_it_went(kind: Kind) -> None:
    header = dataclasses.replace(HEADER, kind=kind)
    assert Header.from_bytes(header.to_bytes()) == header


@pytest.mark.parametrize("length", [0, 139, 141])
def test_a_header_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(EnvelopeMalformed):
        Header.from_bytes(RAW.ljust(length, b"\0")[:length])


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, b"B"),  # magic
        (8, b"\x00"),  # version
        (8, b"\x02"),
        (9, b"\x00"),  # suite
        (9, b"\x03"),
        (10, b"\x00"),  # kind
        (10, b"\x07"),
        (11, b"\x01"),  # flags
        (96, bytes(4)),  # no part at all
        (96, (17).to_bytes(4, "big")),  # more than there can be
        (132, b"\x01"),  # zeros
        (139, b"\x01"),
    ],
)
def test_a_header_with_a_value_that_does_not_exist_is_refused(at: int, value: bytes) -> None:
    with pytest.raises(EnvelopeMalformed):
        Header.from_bytes(RAW[:at] + value + RAW[at + len(value) :])


def test_an_envelope_of_suite_two_is_refused_by_its_own_name() -> None:
    with pytest.raises(SuiteUnavailable):
        Header.from_bytes(RAW[:9] + bytes([Suite.HPKE_X_WING]) + RAW[10:])


def test_every_bit_of_a_header_is_bound_by_its_hash_or_refused() -> None:
    for bit in range(len(RAW) * 8):
        flipped = bytearray(RAW)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            header = Header.from_bytes(bytes(flipped))
        except (EnvelopeMalformed, SuiteUnavailable):
            continue
        assert header.to_bytes() == flipped
        assert header.hash != HEADER.hash


@pytest.mark.parametrize(
    "fields",
    [
        {"deployment": bytes(15)},
        {"case": bytes(17)},
        {"envelope": b""},
        {"roster_hash": bytes(31)},
        {"parts_root": bytes(33)},
        {"day": -1},
        {"day": 2**32},
        {"parts": 0},
        {"parts": 17},
    ],
)
def test_a_header_cannot_be_made_with_a_field_that_does_not_fit(fields: dict[str, Any]) -> None:
    with pytest.raises(EnvelopeMalformed):
        dataclasses.replace(HEADER, **fields)


def test_the_root_of_the_parts_is_over_their_number_and_their_digests_in_order() -> None:
    one, two = b"1" * 32, b"2" * 32
    expected = hashlib.sha256(b"amana/v1/parts\0" + bytes([0, 0, 0, 2]) + one + two).digest()
    assert parts_root([one, two]) == expected
    assert parts_root([two, one]) != expected


@pytest.mark.parametrize("digests", [[], [bytes(32)] * 17, [bytes(31)], [bytes(32), bytes(33)]])
def test_there_is_no_root_over_nothing_or_over_something_else(digests: list[bytes]) -> None:
    with pytest.raises(EnvelopeMalformed):
        parts_root(digests)
