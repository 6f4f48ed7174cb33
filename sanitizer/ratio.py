"""The shape of a pixel, in lowest small terms: the only thing that a density says of a look."""

from fractions import Fraction

_TERM, _MOST = 32, 8


def ratio(across: int, down: int) -> tuple[int, int] | None:
    """Return two small numbers, or None for a shape that is square or impossible."""
    if not (across and down):
        return None
    longer = Fraction(max(across, down), min(across, down)).limit_denominator(_TERM)
    terms = longer.numerator, longer.denominator
    if longer == 1 or longer > _MOST:
        return None
    return terms if across > down else terms[::-1]
