"""A size says little, and padding is never found by looking for zeros."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.padding import padme


@pytest.mark.claim("C-SIZE")
def test_everything_up_to_four_kilobytes_has_one_size() -> None:
    assert {padme(length) for length in range(4097)} == {4096}


@pytest.mark.claim("C-SIZE")
@given(st.integers(4096, 2**45))
def test_padding_shows_the_class_of_a_size_and_costs_little(length: int) -> None:
    padded = padme(length)
    exponent = math.floor(math.log2(padded))
    shown = padded >> (exponent - math.floor(math.log2(exponent)) - 1)
    assert length <= padded <= length * 1.12
    assert padme(padded) == padded
    # All that is visible of the size is its magnitude and this many leading bits.
    assert shown.bit_length() <= math.floor(math.log2(exponent)) + 2


@given(st.integers(0, 2**45), st.integers(0, 2**45))
def test_what_is_longer_is_never_padded_to_less(one: int, other: int) -> None:
    assert padme(min(one, other)) <= padme(max(one, other))


def test_a_negative_length_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="not negative"):
        padme(-1)
