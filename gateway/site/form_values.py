"""Values of the institution's files, each checked for its kind; what is wrong is named by its line.

Every method takes ``at``, the place that an error names, and the object in which a key stands.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.errors import FormRefused
from gateway.site.lined_json import LinedList, LinedObject

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

_ID = re.compile(r"[a-z][a-z0-9_]{0,40}\Z")


class Values:
    """Reads the values of one file, whose name every error begins with."""

    def __init__(self, name: str) -> None:
        self._name = name

    def refuse(self, line: int, at: str, what: str) -> FormRefused:
        """Return the error, to be raised."""
        return FormRefused(f"{self._name}, line {line}: {at}: {what}")

    def keyed(
        self, at: str, data: object, line: int, known: AbstractSet[str], needed: AbstractSet[str]
    ) -> LinedObject:
        """Return an object whose keys are all known, and in which the needed ones stand."""
        if not isinstance(data, LinedObject):
            raise self.refuse(line, at, "must be an object")
        for key in data:
            if key not in known:
                raise self.refuse(data.lines[key], at, f"unknown key {key!r}")
        if missing := sorted(needed - set(data)):
            raise self.refuse(line, at, f"{missing[0]!r} is missing")
        return data

    def inner(self, at: str, data: LinedObject, key: str) -> LinedObject:
        """Return the object under a key, empty where there is none."""
        found = data.get(key, LinedObject(data.line))
        if not isinstance(found, LinedObject):
            raise self.refuse(data.lines[key], at, "must be an object")
        return found

    def items(
        self, at: str, data: LinedObject, key: str, least: int = 0
    ) -> Iterator[tuple[object, int]]:
        """Give the items of the list under a key, each with its line; none where there is none."""
        found = data.get(key, LinedList(data.line))
        line = data.lines.get(key, data.line)
        if not isinstance(found, LinedList):
            raise self.refuse(line, at, f"{key!r} must be a list")
        if len(found) < least:
            raise self.refuse(line, at, f"{key!r} must be a list with something in it")
        yield from zip(found, found.lines, strict=True)

    def strings(self, at: str, data: LinedObject, key: str, least: int = 0) -> tuple[str, ...]:
        """Return a list of different words."""
        found: list[str] = []
        for one, line in self.items(at, data, key, least):
            if not isinstance(one, str) or not one or one in found:
                raise self.refuse(line, at, f"{key!r} must be a list of different words")
            found.append(one)
        return tuple(found)

    def known(
        self, at: str, data: LinedObject, key: str, known: AbstractSet[str]
    ) -> tuple[str, ...]:
        """Return a list of words that all mean something here."""
        names = self.strings(at, data, key)
        for name in names:
            if name not in known:
                raise self.refuse(data.lines[key], at, f"{key}: unknown {name!r}")
        return names

    def text(self, at: str, data: LinedObject, key: str, default: str = "") -> str:
        """Return a text."""
        found = data.get(key, default)
        if not isinstance(found, str):
            raise self.refuse(data.lines[key], at, f"{key!r} must be a text")
        return found

    def id(self, at: str, data: LinedObject) -> str:
        """Return the object's id: small letters, digits, underscores."""
        found = data["id"]
        if not isinstance(found, str) or not _ID.match(found):
            raise self.refuse(data.lines["id"], at, f"{found!r} is not an id")
        return found

    def flag(self, at: str, data: LinedObject, key: str, *, default: bool = False) -> bool:
        """Return true or false."""
        found = data.get(key, default)
        if not isinstance(found, bool):
            raise self.refuse(data.lines[key], at, f"{key!r} must be true or false")
        return found

    def number(self, at: str, data: LinedObject, key: str, default: int) -> int:
        """Return a whole number, not below zero."""
        found = data.get(key, default)
        if not isinstance(found, int) or isinstance(found, bool) or found < 0:
            raise self.refuse(data.lines[key], at, f"{key!r} must be a whole number")
        return found
