"""Somebody who has everything that was published, and a linear program.

It shares no code with what protects the counts: an exact simplex over fractions, with Bland's rule,
so that it ends and rounds nothing.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Equation = tuple[str, tuple[str, ...]]
HALF = 2
"""A rounded count is off by two at most."""


class Attacker:
    """Knows the sums, the rounding, and that a count which is not there may be anything."""

    def __init__(
        self, published: Mapping[str, int | None], equations: Sequence[Equation],
        *, rounded: bool = True,
    ) -> None:  # fmt: skip
        self.names = list(published)
        self.rows: list[tuple[dict[str, int], int]] = []
        for whole, parts in equations:
            row = {whole: -1, **dict.fromkeys(parts, 1)}
            self.rows += [(row, 0), ({name: -sign for name, sign in row.items()}, 0)]
        half = HALF if rounded else 0
        for name, count in published.items():
            if count is not None:
                self.rows += [({name: 1}, count + half), ({name: -1}, half - count)]
        self.table, self.basis = self._feasible()

    def bounds(self, name: str) -> tuple[Fraction, Fraction | None]:
        """The least and the largest value that anything published leaves possible."""
        most = self._largest(name, 1)
        least = self._largest(name, -1)
        assert least is not None
        return -least, most

    def _feasible(self) -> tuple[list[list[Fraction]], list[int]]:
        """The first phase: a corner where everything that was published holds."""
        width, count = len(self.names), len(self.rows)
        at = {name: number for number, name in enumerate(self.names)}
        table = []
        for number, (row, most) in enumerate(self.rows):
            line = [Fraction(0)] * (width + count + 2)
            for name, sign in row.items():
                line[at[name]] = Fraction(sign)
            line[width + number] = Fraction(1)
            line[width + count] = Fraction(-1)  # one artificial variable makes any start feasible
            line[-1] = Fraction(most)
            table.append(line)
        basis = list(range(width, width + count))
        artificial = width + count
        goal = [Fraction(0)] * (width + count + 2)
        goal[artificial] = Fraction(1)
        worst = min(range(count), key=lambda number: table[number][-1])
        if table[worst][-1] < 0:
            _pivot(table, goal, basis, worst, artificial)
            _run(table, goal, basis)
        if artificial in basis:
            row_of = basis.index(artificial)
            column = next(one for one in range(artificial) if table[row_of][one])
            _pivot(table, goal, basis, row_of, column)
        for line in table:
            line[artificial] = Fraction(0)
        return table, basis

    def _largest(self, name: str, sign: int) -> Fraction | None:
        """The second phase; None where nothing bounds it."""
        table, basis = [list(line) for line in self.table], list(self.basis)
        goal = [Fraction(0)] * len(table[0])
        goal[self.names.index(name)] = Fraction(-sign)
        for row, column in enumerate(basis):
            if goal[column]:
                scale = goal[column]
                goal = [one - scale * two for one, two in zip(goal, table[row], strict=True)]
        return goal[-1] if _run(table, goal, basis) else None


def _run(table: list[list[Fraction]], goal: list[Fraction], basis: list[int]) -> bool:
    """Improve until nothing improves (True), or without end (False)."""
    while True:
        column = next((n for n, one in enumerate(goal[:-1]) if one < 0), None)
        if column is None:
            return True
        rows = [n for n, line in enumerate(table) if line[column] > 0]
        if not rows:
            return False
        row = min(rows, key=lambda n: (table[n][-1] / table[n][column], basis[n]))
        _pivot(table, goal, basis, row, column)


def _pivot(
    table: list[list[Fraction]], goal: list[Fraction], basis: list[int], row: int, column: int
) -> None:
    scale = table[row][column]
    table[row] = [one / scale if one else one for one in table[row]]
    for line in (*(one for number, one in enumerate(table) if number != row), goal):
        if line[column]:
            times = line[column]
            for number, one in enumerate(table[row]):
                if one:
                    line[number] -= times * one
    basis[row] = column
