"""The pepper: 32 bytes or none, and two derivations that are never each other's."""

import hashlib
import hmac

import pytest

from crypto.errors import KeyFileRefused
from crypto.pepper import Pepper


def test_a_pepper_of_another_length_is_refused() -> None:
    for length in (0, 31, 33):
        with pytest.raises(KeyFileRefused):
            Pepper(bytes(length))


def test_new_peppers_differ_and_are_never_printed() -> None:
    first, second = Pepper.generate(), Pepper.generate()
    assert first.raw != second.raw
    assert first.raw.hex() not in repr(first)
    assert str(first.raw) not in repr(first)


def test_locator_and_receipt_part_are_the_hmacs_that_the_format_names() -> None:
    pepper, lookup = Pepper(b"p" * 32), b"l" * 32
    assert pepper.locator(lookup) == hmac.new(b"p" * 32, b"id\0" + lookup, hashlib.sha256).digest()
    part = hmac.new(b"p" * 32, b"rk\0" + lookup, hashlib.sha256).digest()
    assert pepper.receipt_part(lookup) == part
    assert pepper.locator(lookup) != pepper.receipt_part(lookup)
