"""How a screen's colours look, and the plainest numbers that look the same.

Rule: measured numbers are one screen's own, so as few of their digits are kept as the eye allows:
no colour of the whole cube may move by more than one unit of CIE 1976 colour difference, or 2.3,
which most eyes just notice side by side (Mahy et al., 1994), where that makes it a known space.
``plain`` of what is plain is itself (sanitizer.icc holds on to that).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

Matrix = tuple[int, ...]
"""X, Y and Z of red, green and blue, each times 65536."""
_ONE = 65536
_WHITE = (0xF6D6, 0x10000, 0xD32D)
_STEPS = (0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
_NEAR = 1.0
_NOTICED = 2.3
_CURVE_NEAR = 1.5 / 255
_POINTS = 33
_LEVELS = 255
_WHITE_NEAR = 0.1
_LARGEST_GAMMA = 5.0
_SAMPLES = (0.0, 0.1, 0.3, 0.6, 1.0)


@dataclass(frozen=True, slots=True)
class Curve:
    """From a sample to light, both 0 to 1: by a power, by ICC's parameters, or by a table."""

    parameters: tuple[float, ...]
    table: tuple[int, ...] = ()

    def at(self, x: float) -> float:
        """Return the light of a sample; raises ValueError for impossible parameters."""
        if self.table:
            place = x * (len(self.table) - 1)
            low = min(int(place), len(self.table) - 2)
            left, right = self.table[low : low + 2]
            return (left + (right - left) * (place - low)) / 65535
        gamma, a, b, c, d, e, f = _full(self.parameters)
        if not 0 < gamma <= _LARGEST_GAMMA:
            raise ValueError
        made = max(0.0, a * x + b) ** gamma + e if x >= d else c * x + f
        return min(1.0, max(0.0, made))


def _full(parameters: tuple[float, ...]) -> tuple[float, ...]:
    """Return the seven numbers of ICC's function 4 for one of functions 0 to 4 (10.18)."""
    gamma, a, b, c, d, e, f = (*parameters, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)[:7]
    match len(parameters):
        case 1:
            return gamma, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0
        case 3:
            return gamma, a, b, 0.0, -b / a, 0.0, 0.0
        case 4:
            return gamma, a, b, 0.0, -b / a, c, c
    return gamma, a, b, c, d, e, f


def curve(*parameters: float) -> Curve:
    """Return a curve of parameters, as a profile can say them: in parts of 65536."""
    return Curve(tuple(round(value * _ONE) / _ONE for value in parameters))


SRGB = curve(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_BT709 = curve(1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)
_USUAL = (SRGB, *(curve(gamma) for gamma in (2.2, 1.8, 2.4, 1.0, 2.6, 2.0)), _BT709)
_PLAIN = (*_USUAL, *(curve(number / 20) for number in range(20, 61)))


def _seen(light: float) -> float:
    """Return how bright a light is to the eye, 0 to 1, much as sRGB does."""
    return 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055  # noqa: PLR2004


def _unseen(bright: float) -> float:
    return SRGB.at(bright)


def _distance(left: Curve, right: Curve) -> float:
    points = [number / (_POINTS - 1) for number in range(_POINTS)]
    return max(abs(_seen(left.at(x)) - _seen(right.at(x))) for x in points)


def plain_curves(theirs: Sequence[Curve]) -> list[Curve]:
    """Return one plain curve for all where one comes near, or one for each."""
    for among in (_USUAL, _PLAIN):
        far = {one: max(_distance(one, each) for each in theirs) for one in among}
        best = min(far, key=far.__getitem__)
        if far[best] <= _CURVE_NEAR:
            return [best] * len(theirs)
    return [plain_curve(each) for each in theirs]


def plain_curve(theirs: Curve) -> Curve:
    """Return a plain curve near this one; a coarse table where none comes near."""
    if _settled(theirs) == theirs:
        return theirs
    best = min(_PLAIN, key=lambda each: _distance(each, theirs))
    return best if _distance(best, theirs) <= _CURVE_NEAR else _table(theirs)


def _settled(theirs: Curve) -> Curve:
    return theirs if theirs in _PLAIN else _table(theirs)


def _table(theirs: Curve) -> Curve:
    """Return a table of few points, each on one of few levels of brightness, never falling."""
    made, low = [], 0
    for number in range(_POINTS):
        low = max(low, round(_seen(theirs.at(number / (_POINTS - 1))) * _LEVELS))
        made.append(round(_unseen(low / _LEVELS) * 65535))
    return Curve((), tuple(made))


def _fixed(*values: float) -> Matrix:
    return tuple(round(value * _ONE) for value in values)


PRIMARIES = {
    "sRGB": _fixed(0.4361, 0.2225, 0.0139, 0.3851, 0.7169, 0.0971, 0.1431, 0.0606, 0.7141),
    "Display P3": _fixed(
        0.51512, 0.2412, -0.00105, 0.29198, 0.69225, 0.04189, 0.1571, 0.06657, 0.78407
    ),
    "Adobe RGB": _fixed(
        0.60974, 0.31111, 0.01947, 0.20528, 0.62567, 0.06087, 0.14919, 0.06322, 0.74457
    ),
    "BT.2020": _fixed(
        0.67348, 0.27904, -0.00194, 0.16566, 0.67534, 0.02998, 0.12505, 0.04561, 0.79686
    ),
}
"""Those of known spaces, adapted to ICC's white."""


@dataclass(frozen=True, slots=True)
class Screen:
    """Primaries and the curves of red, green and blue."""

    matrix: Matrix
    curves: list[Curve]

    def __post_init__(self) -> None:
        """Raise ValueError for colours whose sum is not nearly white, as no screen has them."""
        for at, white in enumerate(_WHITE):
            if abs(sum(self.matrix[at::3]) - white) > _WHITE_NEAR * _ONE or any(
                abs(value) > 2 * _ONE for value in self.matrix
            ):
                raise ValueError

    def looks_like(self, other: "Screen", most: float = _NOTICED) -> bool:
        """Tell whether no colour is farther than ``most`` from what it is on the other screen."""
        pairs = zip(self.labs(), other.labs(), strict=True)
        return all(math.dist(left, right) <= most for left, right in pairs)

    def settled(self) -> Iterator["Screen"]:
        """Yield what this screen is if it is already plain, in each form that ``plain`` has."""
        curves = [_settled(each) for each in self.curves]
        if self.matrix in PRIMARIES.values():
            yield Screen(self.matrix, curves)
        for is_balanced in (True, False):
            yield Screen(self._rounded(_STEPS[-1], is_balanced=is_balanced), curves)

    def plain(self) -> "Screen":
        """Return the plainest screen that looks like this one."""
        curves = plain_curves(self.curves)
        for matrix in PRIMARIES.values():
            made = Screen(matrix, curves)
            if self.looks_like(made):
                return made
        for step in _STEPS:
            for is_balanced in (True, False):
                made = Screen(self._rounded(step, is_balanced=is_balanced), curves)
                if self.looks_like(made, _NEAR):
                    return made
        return made

    def _rounded(self, step: float, *, is_balanced: bool) -> Matrix:
        """Return rounded primaries; ``is_balanced`` makes green so that their sum is white."""
        made = [round(round(value / _ONE / step) * step * _ONE) for value in self.matrix]
        if is_balanced:
            for at, white in enumerate(_WHITE):
                made[3 + at] = white - made[at] - made[6 + at]
        return tuple(made)

    def labs(self) -> list[tuple[float, float, float]]:
        """Return samples of the whole cube in CIE 1976 L*, a* and b*."""
        lights = [[curve.at(x) for x in _SAMPLES] for curve in self.curves]
        made = []
        for red, green, blue in product(*lights):
            x, y, z = (
                _root((red * m[0] + green * m[1] + blue * m[2]) / white)
                for m, white in zip((self.matrix[at::3] for at in range(3)), _WHITE, strict=True)
            )
            made.append((116 * y - 16, 500 * (x - y), 200 * (y - z)))
        return made


def _root(value: float) -> float:
    """Return CIE 1976's function of a light relative to white."""
    return value ** (1 / 3) if value > 216 / 24389 else (value * 24389 / 27 + 16) / 116
