"""How much zeros are added so that a size says little.  Format: crypto/FORMAT.md, section 2.

Rule: the padded length follows from the true length alone, and the true length is never found by
looking for the last byte that is not zero: a photo may end in zeros.
"""

SMALLEST = 4096
"""Bytes: nothing is padded to less."""


def padme(length: int) -> int:
    """Return the padded length in bytes of a content of `length` bytes: Padmé(max(length, 4096)).

    Padmé (Nikitin and others, PETS 2019) leaves O(log log length) bits of the size visible and
    adds at most 12 %, less as contents grow.  Raises `ValueError` below zero.
    """
    if length < 0:
        raise ValueError("a length is not negative")
    length = max(length, SMALLEST)
    exponent = length.bit_length() - 1
    low_bits = exponent - exponent.bit_length()
    mask = (1 << low_bits) - 1
    return (length + mask) & ~mask
