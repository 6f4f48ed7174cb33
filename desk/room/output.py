"""Figures as JSON and CSV, for whoever goes on with them.

Rule: the shapes are stable; ids, and never words that may change, name what is counted.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from crypto.ids import date_of
from desk.room import words
from desk.room.tables import Median, Ratio, Share, plain

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from desk.room.tables import Cell, Figures, Table
    from desk.rules import Rules

CSV_HEAD = ("table", "row", "words", "column", "value", "of", "percent")


def to_json(figures: Figures, *, rehearsal: bool) -> dict[str, object]:
    """The stable shape of `stats --json`."""
    return {
        "v": 1,
        "rehearsal": rehearsal,
        "from": str(date_of(figures.period.first)),
        "to": str(date_of(figures.period.last)),
        "days": figures.period.days,
        "as_of": str(date_of(figures.as_of)),
        "unreadable": figures.unreadable,
        "overview": {row.id: plain(row.cells[0]) for row in figures["overview"].rows},
        "tables": {one.id: one.to_json() for one in figures.tables if one.id != "overview"},
    }


def to_csv(tables: Iterable[Table], rules: Rules) -> str:
    """One line for each cell; a share has its denominator and its percentage beside it."""
    written = io.StringIO()
    out = csv.writer(written, lineterminator="\r\n")
    out.writerow(CSV_HEAD)
    for table in tables:
        for row in table.rows:
            said = words.row(table.id, row.id, rules)
            for column, cell in zip(table.columns, row.cells, strict=True):
                out.writerow([table.id, row.id, _inert(said), column, *_flat(cell)])
    return written.getvalue()


def _flat(cell: Cell) -> tuple[object, object, object]:
    if isinstance(cell, Share):
        return cell.count, cell.of, _cell(cell.percent)
    if isinstance(cell, Ratio):
        return _cell(cell.value), cell.of, ""
    if isinstance(cell, Median):
        return _cell(cell.value), cell.count, ""
    return _cell(cell), "", ""


def _cell(value: Decimal | int | None) -> object:
    return "" if value is None else value


def _inert(text: str) -> str:
    """A spreadsheet takes a text that begins so for a formula; the institution wrote this one."""
    return f"'{text}" if text[:1] in "=+-@\t" else text
