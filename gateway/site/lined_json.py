"""JSON that knows on which line each thing stands, so that a mistake can be shown its place.

For the files that an institution edits by hand.  Stricter than ``json.loads``: one key stands once,
and no number is infinite.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from gateway.errors import FormRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

# One sign, or word, behind its blanks.  Each character of JSON is looked at once: linear.
_TOKEN = re.compile(r'([ \t\r\n]*)("(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^ \t\r\n\[\]{}:,"]+)')


class LinedObject(dict[str, Any]):
    """An object of the file; ``lines`` says where each of its keys stands."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


class LinedList(list[Any]):
    """A list of the file; ``lines`` says where each of its items stands."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


def read_lined(untrusted: bytes, name: str) -> Any:  # noqa: ANN401 whatever stands in the file
    """Return what the file holds.  Raises FormRefused naming the file and the line."""
    try:
        text = untrusted.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + untrusted[: error.start].count(b"\n")
        raise FormRefused(f"{name}, line {line}: not UTF-8 text") from None
    try:
        # Its grammar first; numbers are left alone until their line is known.
        json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
        return _Walk(text, name).whole()
    except json.JSONDecodeError as error:
        raise FormRefused(f"{name}, line {error.lineno}: not JSON: {error.msg}") from None
    except RecursionError:
        raise FormRefused(f"{name}: nested too deeply") from None


class _Walk:
    """Goes through a text that is known to be JSON: what separates need not be looked at again."""

    def __init__(self, text: str, name: str) -> None:
        self._name = name
        self._signs = _signs(text)

    def whole(self) -> Any:  # noqa: ANN401 as above
        return self._value(*next(self._signs))

    def _value(self, sign: str, line: int) -> Any:  # noqa: ANN401 as above
        if sign == "{":
            return self._object(LinedObject(line))
        if sign == "[":
            return self._list(LinedList(line))
        try:
            return json.loads(sign, parse_constant=_refuse)
        except ValueError:  # a number of thousands of digits is one too
            raise FormRefused(f"{self._name}, line {line}: no such number") from None

    def _object(self, found: LinedObject) -> LinedObject:
        for sign, line in self._items("}"):
            key = json.loads(sign)
            if key in found:
                raise FormRefused(f"{self._name}, line {line}: {key!r} stands here twice")
            next(self._signs)
            found[key] = self._value(*next(self._signs))
            found.lines[key] = line
        return found

    def _list(self, found: LinedList) -> LinedList:
        for sign, line in self._items("]"):
            found.append(self._value(sign, line))
            found.lines.append(line)
        return found

    def _items(self, end: str) -> Iterator[tuple[str, int]]:
        for sign, line in self._signs:
            if sign == end:
                return
            if sign != ",":
                yield sign, line


def _refuse(constant: str) -> None:
    """Refuse NaN and Infinity, which Python alone takes for JSON."""
    raise ValueError(constant)


def _signs(text: str) -> Iterator[tuple[str, int]]:
    line = 1
    for found in _TOKEN.finditer(text):
        line += found[1].count("\n")
        yield found[2], line
