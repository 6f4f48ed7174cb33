"""What a density says of a look: the shape of a pixel, in lowest small terms, and a common size.

Rule: how many pixels make an inch says how large a scan is printed, and which machine made it. So a
number that many machines share stays, and of any other only the shape of a pixel.
"""

from fractions import Fraction

_TERM, _MOST = 32, 8
_COMMON = {72, 96, 100, 150, 200, 240, 300, 400, 600, 1200}


def common(across: Fraction | int, down: Fraction | int) -> int | None:
    """Return how many pixels make an inch both ways, or None where that is not common."""
    return int(across) if across == down and across in _COMMON else None


def ratio(across: int, down: int) -> tuple[int, int] | None:
    """Return two small numbers, or None for a shape that is square or impossible."""
    if not (across and down):
        return None
    longer = Fraction(max(across, down), min(across, down)).limit_denominator(_TERM)
    terms = longer.numerator, longer.denominator
    if longer == 1 or longer > _MOST:
        return None
    return terms if across > down else terms[::-1]
