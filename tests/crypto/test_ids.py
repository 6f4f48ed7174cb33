"""Ids carry no meaning, and no time is finer than a day."""

import datetime as dt
import hashlib

import pytest

from crypto.errors import EnvelopeMalformed
from crypto.ids import (
    Day,
    date_of,
    day_of,
    deployment_of,
    kid_of,
    new_case_id,
    new_envelope_id,
    parse_digest,
    parse_envelope_id,
    parse_header_hash,
    parse_kid,
)


def test_ids_are_sixteen_random_bytes_that_never_repeat() -> None:
    ids = {new() for new in (new_case_id, new_envelope_id) for _ in range(500)}
    assert len(ids) == 1000
    assert {len(i) for i in ids} == {16}


def test_a_deployment_is_named_by_its_first_root_key() -> None:
    expected = hashlib.sha256(b"amana/v1/deployment\0" + bytes(32)).digest()[:16]
    assert deployment_of(bytes(32)) == expected


def test_one_key_under_two_suites_has_two_ids() -> None:
    assert kid_of(1, bytes(32)) == hashlib.sha256(b"amana/v1/kid\0\1" + bytes(32)).digest()[:16]
    assert kid_of(0, bytes(32)) != kid_of(1, bytes(32))


def test_a_day_forgets_the_hour() -> None:
    late = dt.datetime(2026, 7, 1, 23, 59, 59, tzinfo=dt.UTC)
    assert day_of(late) == day_of(dt.date(2026, 7, 1))
    assert date_of(day_of(late)) == dt.date(2026, 7, 1)
    assert day_of(dt.date(1970, 1, 1)) == Day(0)


@pytest.mark.parametrize("parse", [parse_envelope_id, parse_kid])
def test_an_id_of_another_length_is_no_id(parse: type[bytes]) -> None:
    assert parse(bytes(16)) == bytes(16)
    for length in (0, 15, 17, 32):
        with pytest.raises(EnvelopeMalformed):
            parse(bytes(length))


@pytest.mark.parametrize("parse", [parse_header_hash, parse_digest])
def test_a_hash_of_another_length_is_no_hash(parse: type[bytes]) -> None:
    assert parse(bytes(32)) == bytes(32)
    for length in (0, 31, 33):
        with pytest.raises(EnvelopeMalformed):
            parse(bytes(length))
