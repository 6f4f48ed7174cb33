"""What a desk keeps for itself opens in its place and state, under its own key, or not at all."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import crypto
from crypto.errors import CannotOpen
from crypto.local import LocalKey
from crypto.operator_opening import CustodianPrivateKey, OperatorPrivateKey
from crypto.padding import padme
from tests.vectors.make_local import LOCAL, PRIVATE, text

KEY = LocalKey.of(OperatorPrivateKey(PRIVATE), "index")
VECTORS: list[dict[str, Any]] = json.loads(LOCAL.read_text("utf-8"))
FORMAT = "".join(path.read_text() for path in Path(crypto.__path__[0]).glob("FORMAT*.md"))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_a_row_opens_or_is_refused_as_its_vector_expects(vector: dict[str, Any]) -> None:
    role = OperatorPrivateKey if vector["role"] == "operator" else CustodianPrivateKey
    key = LocalKey.of(role(bytes.fromhex(vector["private_key"])), vector["purpose"])
    place, state, sealed = (bytes.fromhex(vector[name]) for name in ("place", "state", "sealed"))
    if vector["expect"] == "CannotOpen":
        with pytest.raises(CannotOpen):
            key.open(place, state, sealed)
    else:
        assert key.open(place, state, sealed).hex() == vector["expect"]


def test_the_checked_in_vectors_are_what_the_generator_writes() -> None:
    assert LOCAL.read_text("utf-8") == text()


@given(content=st.binary(max_size=9000), place=st.binary(min_size=1, max_size=255))
def test_what_was_sealed_comes_back_and_its_size_says_little(content: bytes, place: bytes) -> None:
    sealed = KEY.seal(place, b"state", content)
    assert KEY.open(place, b"state", sealed) == content
    assert len(sealed) == 24 + padme(4 + len(content)) + 16


def test_every_byte_of_it_counts() -> None:
    sealed = KEY.seal(b"p", b"", b"content")
    for at in (0, 23, 24, 30, len(sealed) - 1):
        altered = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(CannotOpen):
            KEY.open(b"p", b"", altered)


def test_two_purposes_and_two_people_have_keys_of_their_own() -> None:
    mine, yours = OperatorPrivateKey(PRIVATE), OperatorPrivateKey(os.urandom(32))
    keys = {LocalKey.of(who, what).raw for who in (mine, yours) for what in ("index", "views")}
    assert len(keys) == 4
    assert PRIVATE not in keys
    assert KEY.raw.hex() not in repr(KEY)


@pytest.mark.parametrize("given", ["", "x" * 256], ids=["empty", "too long"])
def test_a_purpose_and_a_place_are_short_and_there(given: str) -> None:
    with pytest.raises(ValueError, match="a purpose has 1 to 255 bytes"):
        LocalKey.of(OperatorPrivateKey(PRIVATE), given)
    with pytest.raises(ValueError, match="a place has 1 to 255 bytes"):
        KEY.seal(given.encode(), b"", b"")


def test_the_example_of_the_format_is_this(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "token_bytes", lambda count: bytes(range(count)))
    sealed = KEY.seal(b"p" * 16, b"s" * 32, b"a row")
    for value in (KEY.raw, sealed[24:56], sealed[-16:]):
        assert value.hex() in FORMAT
