"""Tokens: what the gateway put into a form comes back whole, for its purpose, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import KeyFileRefused, TokenInvalid
from crypto.token import (
    TOKEN_OVERHEAD_BYTES,
    TokenKey,
    open_token,
    open_token_bytes,
    seal_token,
    seal_token_bytes,
)

KEY = TokenKey(b"k" * 32)


@given(payload=st.binary(max_size=300), purpose=st.text(max_size=20))
def test_what_was_sealed_comes_back(payload: bytes, purpose: str) -> None:
    assert open_token(KEY, purpose, seal_token(KEY, purpose, payload)) == payload


def test_a_token_is_letters_that_stand_in_a_form_as_they_are() -> None:
    token = seal_token(KEY, "write", bytes(100))
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_a_token_of_one_purpose_opens_nothing_on_another_page() -> None:
    token = seal_token(KEY, "write", b"payload")
    with pytest.raises(TokenInvalid):
        open_token(KEY, "thread", token)


def test_a_token_of_another_gateway_opens_nothing() -> None:
    token = seal_token(KEY, "write", b"payload")
    with pytest.raises(TokenInvalid):
        open_token(TokenKey(b"j" * 32), "write", token)


def test_every_bit_of_a_token_counts() -> None:
    sealed = seal_token_bytes(KEY, "write", b"payload")
    for index in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[index // 8] ^= 1 << index % 8
        with pytest.raises(TokenInvalid):
            open_token_bytes(KEY, "write", bytes(altered))


def test_every_cut_of_a_token_is_refused() -> None:
    token = seal_token(KEY, "write", b"payload")
    for length in range(len(token)):
        with pytest.raises(TokenInvalid):
            open_token(KEY, "write", token[:length])


@pytest.mark.parametrize("typed", ["", "é", "a", "====", "!!!!", "\0", "a b", "A" * 10_000])
def test_what_is_no_token_is_refused(typed: str) -> None:
    with pytest.raises(TokenInvalid):
        open_token(KEY, "write", typed)


def test_a_token_has_one_spelling() -> None:
    token = seal_token(KEY, "write", b"9 bytes..")
    assert len(token) == 66, "49 bytes: the last letter has four unused bits"
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = token[:-1] + letters[letters.index(token[-1]) + 1]
    with pytest.raises(TokenInvalid):
        open_token(KEY, "write", other)


def test_two_tokens_of_one_payload_differ_and_have_one_length() -> None:
    first, second = (seal_token_bytes(KEY, "window", b"8 bytes.") for _ in range(2))
    assert first != second
    assert len(first) == len(second) == 8 + TOKEN_OVERHEAD_BYTES == 48


def test_a_key_is_32_bytes_is_random_and_is_never_printed() -> None:
    with pytest.raises(KeyFileRefused):
        TokenKey(bytes(31))
    first = TokenKey.generate()
    assert first.raw != TokenKey.generate().raw
    assert str(first.raw) not in repr(first)
