"""What figures are made of: tables of counts, shares, sums and medians.

Rule: a percentage is never without its numerator and its denominator; one of nothing is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from crypto.ids import Day
    from desk.room.period import Period

_TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def percent(self) -> Decimal | None:
        """With one decimal; None of nothing."""
        return _tenths(Decimal(100 * self.count), self.of)


@dataclass(frozen=True, slots=True)
class Ratio:
    """So many for each one of so many: reports a day, reports for each suspect."""

    count: int
    of: int

    @property
    def value(self) -> Decimal | None:
        """With one decimal; None for none."""
        return _tenths(Decimal(self.count), self.of)


@dataclass(frozen=True, slots=True)
class Median:
    """The middle of so many values; None where there are none."""

    value: Decimal | None
    count: int

    @classmethod
    def of(cls, values: Iterable[int | Decimal]) -> Median:
        """The middle one, or the mean of the middle two."""
        found = [Decimal(one) for one in values]
        return cls(median(found) if found else None, len(found))


Cell = int | Decimal | Share | Ratio | Median | None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: an id (a category, a state, a day) and its cells."""

    id: str
    cells: tuple[Cell, ...]

    @property
    def size(self) -> int:
        """The first cell's count: how long its bar is."""
        return size(self.cells[0])


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns, both named by ids; `chart` says how it is drawn."""

    id: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    chart: str = ""

    def __getitem__(self, row: str) -> tuple[Cell, ...]:
        return next(one.cells for one in self.rows if one.id == row)

    @property
    def most(self) -> int:
        """The largest count in it, or 1: what a chart's whole width stands for."""
        return max((size(cell) for row in self.rows for cell in row.cells), default=0) or 1

    @property
    def is_empty(self) -> bool:
        """Whether every count in it is nought."""
        return not any(size(cell) for row in self.rows for cell in row.cells)

    def to_json(self) -> list[dict[str, object]]:
        """Its rows; a share is `{"count", "of", "percent"}`."""
        return [
            {"id": row.id}
            | {name: plain(cell) for name, cell in zip(self.columns, row.cells, strict=True)}
            for row in self.rows
        ]


@dataclass(frozen=True, slots=True)
class Figures:
    """Every figure of one period.  `unreadable` cases, not sealed to this desk, are in none."""

    period: Period
    as_of: Day
    unreadable: int
    tables: tuple[Table, ...]

    def __getitem__(self, name: str) -> Table:
        return next(one for one in self.tables if one.id == name)

    def __contains__(self, name: str) -> bool:
        return any(one.id == name for one in self.tables)


def size(cell: Cell) -> int:
    """The count of a cell; of a sum, its whole part."""
    if isinstance(cell, (Share, Ratio, Median)):
        return cell.count
    return int(cell or 0)


def plain(cell: Cell) -> object:
    """A cell as JSON."""
    if isinstance(cell, Share):
        return {"count": cell.count, "of": cell.of, "percent": _number(cell.percent)}
    if isinstance(cell, Ratio):
        return {"count": cell.count, "of": cell.of, "value": _number(cell.value)}
    if isinstance(cell, Median):
        return {"median": _number(cell.value), "of": cell.count}
    return _number(cell) if isinstance(cell, Decimal) else cell


def shares(pairs: Sequence[tuple[str, int]], of: int) -> Iterator[Row]:
    """A row for each id and its count, as a share; what is merely `other`, only where there is."""
    for name, count in pairs:
        if count or name != "other":
            yield Row(name, (Share(count, of),))


def _tenths(value: Decimal, of: int) -> Decimal | None:
    return (value / of).quantize(_TENTH, ROUND_HALF_UP) if of else None


def _number(value: Decimal | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)
