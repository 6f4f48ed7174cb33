"""Fetch the sealed parts of what this desk holds: step (5) of a sync, the only large one.

Rule: a server writes on this disk only what something that opens here says is there.  A part is
asked for once its envelope's wrap and manifest have opened, an entry's once its signature holds,
too, and if its size is the very one that the manifest gives; and never into the last of the disk
(desk.disk).  The smallest come first: a flood of large ones keeps no photo back.  What was not
fetched for want of room is told, and asked for again by each sync.

What this does not do: the keys that reports are sealed to are public, so a hostile server can seal
envelopes that open.  With parts it fills the disk down to that floor, and no further; with words it
fills some more (desk.sync).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from crypto.body import sealed_length
from crypto.header import Kind
from desk.alarms import Sign
from desk.disk import Disk
from desk.errors import ServerRefused
from desk.opening import Unopened
from desk.outbox import CONTENT_MOST
from desk.parts import are_as_sealed
from desk.sentence import Sentence
from desk.verify import Judge

if TYPE_CHECKING:
    from pathlib import Path

    from desk.desk import Desk
    from desk.patience import SyncLimits
    from desk.progress import Progress
    from desk.store import Envelope

_NOT_FOUND = 404


class Account(Protocol):
    """Where it is told what became of an envelope's parts."""

    def came(self, *, files: int = 0, amount: int = 0) -> None:
        """So many files, so many bytes."""

    def refused(self, sign: Sign, one: Envelope) -> None:
        """They were not kept, or not asked for; and why."""

    def settled(self, one: Envelope) -> None:
        """They are here, and whole."""

    def left(self, one: Envelope) -> None:
        """There was no room for them."""


class _NoRoom(Exception):  # never leaves the module: it is told to the account
    """The disk filled up meanwhile."""


class Fetching:
    """The parts of one sync."""

    def __init__(
        self, desk: Desk, progress: Progress, limits: SyncLimits, account: Account
    ) -> None:
        self._desk = desk
        self._store = desk.store
        self._progress = progress
        self._limits = limits
        self._account = account
        self._disk = Disk(desk.home.folder)

    def run(self) -> None:
        """Fetch what is lacking; raises as `desk.sync.synchronise`."""
        waiting = [one for one in self._store.unfinished() if self._is_wanted(one)]
        room, fitting = self._disk.left, []
        for one in sorted(waiting, key=lambda one: (sum(one.sizes), one.id)):
            lacking = self._lacking(one)
            if lacking > room:
                self._account.left(one)
                continue
            room -= lacking
            fitting.append(one)
        expected = sum(sum(one.sizes) for one in fitting)
        self._progress.expect(expected)
        least = self._limits.files_seconds + expected / self._limits.least_bytes_a_second
        with self._desk.client.within(least):
            for number, one in enumerate(fitting, 1):
                self._progress.step(
                    Sentence("Fetching files ({number} of {all})", number=number, all=len(fitting))
                )
                self._fetch(one)

    def _is_wanted(self, one: Envelope) -> bool:
        if not self._desk.opener.is_for_us(one):
            return False
        try:
            sizes = declared(self._desk, one)
        except Unopened:
            self._account.refused(Sign.CANNOT_OPEN, one)
            return False
        if sizes is not None and sizes != one.sizes:
            self._account.refused(Sign.PARTS_REFUSED, one)
        return sizes == one.sizes

    def _partial(self, one: Envelope) -> list[Path]:
        return [self._store.partial_path(one.id, part) for part in range(1, len(one.sizes) + 1)]

    def _lacking(self, one: Envelope) -> int:
        """The bytes that are not here yet."""
        grown = (path.stat().st_size for path in self._partial(one) if path.exists())
        return max(0, sum(one.sizes) - sum(grown))

    def _fetch(self, one: Envelope) -> None:
        paths = self._partial(one)
        try:
            for part, size in enumerate(one.sizes, 1):
                self._grow(one, part, size)
        except _NoRoom:
            self._account.left(one)
            return
        except ServerRefused as refused:
            if refused.status != _NOT_FOUND:
                raise
            self._account.refused(Sign.PARTS_REFUSED, one)
            return
        if not are_as_sealed(one, paths):
            for path in paths:
                path.unlink()
            self._account.refused(Sign.PARTS_REFUSED, one)
            return
        for part, path in enumerate(paths, 1):
            path.replace(self._store.part_path(one.id, part))
        self._store.mark_whole(one.id)
        self._account.settled(one)
        self._account.came(files=len(paths))

    def _grow(self, one: Envelope, part: int, size: int) -> None:
        path = self._store.partial_path(one.id, part)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            offset = file.tell()
            if offset > size:
                file.truncate(0)
                offset = 0
            self._progress.advance(offset)
            for chunk in self._desk.client.part(one.id, part, offset, size):
                if self._disk.left < len(chunk):
                    raise _NoRoom
                file.write(chunk)
                self._progress.advance(len(chunk))
                self._account.came(amount=len(chunk))
            file.flush()
            os.fsync(file.fileno())


def declared(desk: Desk, one: Envelope) -> tuple[int, ...] | None:
    """The sealed sizes of parts 1 and up that an envelope's manifest speaks of.

    None for an entry whose signature does not hold, or not yet: its case says so (desk.verify).

    Raises:
        Unopened: its wrap or its manifest does not open here.
    """
    if one.kind is Kind.EVIDENCE:
        return (sealed_length(desk.opener.evidence(one).length),)
    if one.kind is not Kind.ENTRY:
        return ()
    proven = Judge.of(desk).judge(one.case, [one], None).entries
    if not proven:
        return None
    length = proven[0].body.data.get("length")
    if type(length) is not int or not 0 <= length <= CONTENT_MOST:
        return ()
    return (sealed_length(length),)
