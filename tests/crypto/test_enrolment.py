"""Enrolment files: three keys, a label, one spelling, and a fingerprint that can be read aloud."""

import json
import re
from typing import Any

import pytest

from crypto.enrolment import Enrolment, is_label
from crypto.errors import EnrolmentRefused
from crypto.keys import CustodianPublicKey, OperatorPublicKey
from tests.crypto.roster_builder import custodian_enrolment, operator_enrolment


def fields(**changes: Any) -> dict[str, Any]:
    stated: dict[str, Any] = json.loads(operator_enrolment(1).to_json())
    return stated | changes


def test_an_operators_file_comes_back_as_it_was() -> None:
    enrolment = operator_enrolment(1)
    assert Enrolment.from_json(enrolment.to_json()) == enrolment
    assert isinstance(Enrolment.from_json(enrolment.to_json()).key, OperatorPublicKey)
    assert fields().keys() == {"v", "label", "evidence", "sign", "api"}


def test_a_custodians_file_comes_back_as_it_was() -> None:
    enrolment = custodian_enrolment(3)
    assert Enrolment.from_json(enrolment.to_json()) == enrolment
    assert isinstance(Enrolment.from_json(enrolment.to_json()).key, CustodianPublicKey)


def test_a_fingerprint_is_eight_groups_of_five_digits() -> None:
    assert re.fullmatch(r"[0-9]{5}( [0-9]{5}){7}", operator_enrolment(1).fingerprint)


def test_a_fingerprint_changes_with_each_key_and_the_role_and_not_with_the_label() -> None:
    one, other = operator_enrolment(1), operator_enrolment(2)
    changed = [
        Enrolment(one.label, other.key, one.sign, one.api),
        Enrolment(one.label, one.key, other.sign, one.api),
        Enrolment(one.label, one.key, one.sign, other.api),
        Enrolment(one.label, CustodianPublicKey(one.key.raw), one.sign, one.api),
    ]
    assert len({one.fingerprint, *(each.fingerprint for each in changed)}) == 5
    assert Enrolment("another", one.key, one.sign, one.api).fingerprint == one.fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"v": True},
        {"v": "1"},
        {"label": 1},
        {"label": ""},
        {"label": "x" * 65},
        {"more": 1},
        {"custodian": "also"},
        {"evidence": None},
        {"evidence": "AAAA"},
        {"evidence": "not base64!"},
        {"evidence": fields()["evidence"].rstrip("=")},
        {"sign": fields()["evidence"][:-2] + "A="},
        {"api": fields()["sign"]},
        {"evidence": "A" * 43 + "="},
        {"sign": "A" * 43 + "="},
    ],
)
def test_a_file_that_is_not_exactly_an_enrolment_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(EnrolmentRefused):
        Enrolment.from_json(json.dumps(fields(**changes)).encode())


def test_a_key_with_stray_bits_is_refused() -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    key = fields()["sign"]
    other = key[:-2] + letters[letters.index(key[-2]) + 1] + "="
    with pytest.raises(EnrolmentRefused, match="one way"):
        Enrolment.from_json(json.dumps(fields(sign=other)).encode())


@pytest.mark.parametrize("missing", ["v", "label", "evidence", "sign", "api"])
def test_a_missing_field_is_refused(missing: str) -> None:
    rest = {name: value for name, value in fields().items() if name != missing}
    with pytest.raises(EnrolmentRefused):
        Enrolment.from_json(json.dumps(rest).encode())


@pytest.mark.parametrize(
    "untrusted",
    [b"", b"[]", b"1", b"{", b"\xff", b"[" * 4000],
)
def test_what_is_no_file_of_ours_is_refused(untrusted: bytes) -> None:
    with pytest.raises(EnrolmentRefused):
        Enrolment.from_json(untrusted)


def test_a_field_that_stands_there_twice_is_refused() -> None:
    untrusted = operator_enrolment(1).to_json()
    again = untrusted.replace(b'"v": 1,', b'"v": 1, "v": 1,')
    assert again != untrusted
    with pytest.raises(EnrolmentRefused, match="twice"):
        Enrolment.from_json(again)


def test_a_file_of_any_size_is_not_read() -> None:
    untrusted = operator_enrolment(1).to_json()
    Enrolment.from_json(untrusted.ljust(4096))
    with pytest.raises(EnrolmentRefused, match="4096"):
        Enrolment.from_json(untrusted.ljust(4097))


@pytest.mark.parametrize(
    ("label", "fits"),
    [
        ("Opératrice 1", True),
        ("غرفة التنسيق ٣", True),
        ("ⵜⴰⵎⴰⵣⵉⵖⵜ", True),
        ("two  spaces", False),
        (" leading", False),
        ("two\nlines", False),
        ("reversed \N{RIGHT-TO-LEFT OVERRIDE}txet", False),
        ("zero\N{ZERO WIDTH SPACE}width", False),
        ("no-break\N{NO-BREAK SPACE}space", False),
        ("decomposed e\N{COMBINING ACUTE ACCENT}", False),
    ],
)
def test_a_label_is_what_it_looks_like(label: str, fits: bool) -> None:  # noqa: FBT001  # a table
    assert is_label(label) is fits
