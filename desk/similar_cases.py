"""The cases of one desk that resemble each other; what they are compared by is kept sealed.

Rule: features are made from what desk.verify found genuine and kept on the disk only under this
desk's own key, for their own case and the state of everything they were made from (as the rows of
desk.index are): what does not open is made anew.  Pictures are looked at in a jailed worker,
only when somebody asks, and never those in quarantine; of each, 64 bits are kept, sealed alike.
Whoever looks holds up nobody who compares.  A step is one picture, or one case that is read; once
all was forgotten, nothing is begun or kept in memory any more.
"""

from __future__ import annotations

import functools
import hashlib
import json
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from crypto.errors import CannotOpen
from crypto.ids import CaseId
from crypto.local import LocalKey
from desk import traces
from desk.cases import Cases
from desk.errors import DeskError, NotLockedIn, Stopped
from desk.evidence import views
from desk.index import BATCH, Shelf
from desk.picture_hash import LOOKED_AT, picture_hash
from desk.sentence import Sentence
from desk.sight import shown
from desk.similar import SHOWN_MOST, Comparison, Features, features_of, load_stops

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from desk.cases import Case
    from desk.desk import Desk
    from desk.progress import Progress
    from desk.similar import Reason, Similar

PURPOSE, PICTURES = "traces", "pictures"
QUICK_SECONDS = 1.0
"""How long a page waits for another thread that compares."""
_SOURCES = ("traces.py", "similar.py", "checked_numbers.py", "text_folding.py",
            "similar_cases.py")  # fmt: skip


class _Changes(NamedTuple):
    """The states of all cases, those whose features are not of that state, those gone."""

    states: dict[CaseId, bytes]
    stale: list[CaseId]
    gone: set[CaseId]


class SimilarCases:
    """The features of one unlocked desk's cases; safe to share between threads."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.Lock()
        self._shelf = Shelf(desk.home.traces)
        self._key = LocalKey.of(desk.keyring.key, PURPOSE)
        self._stops = load_stops(desk.home.similar if desk.home.similar.exists() else None)
        self._kept: dict[CaseId, tuple[bytes, Features]] | None = None
        self._comparison: Comparison | None = None
        self._picture_shelf = Shelf(desk.home.pictures)
        self._picture_key = LocalKey.of(desk.keyring.key, PICTURES)
        self._pictures: dict[str, int] | None = None
        self._looking = threading.Lock()
        self._passed_over: frozenset[str] = frozenset()
        self._is_over = threading.Event()

    def forget(self) -> None:
        """Forget all that was read, and begin nothing any more.

        Whoever is at it at this moment forgets it when that step is over.
        """
        self._is_over.set()
        with suppress(Stopped), self._held(QUICK_SECONDS):
            pass

    @contextmanager
    def _held(self, seconds: float = -1) -> Iterator[bool]:
        """The lock, or false where it is kept so long; raises Stopped once all was forgotten."""
        if not self._lock.acquire(timeout=seconds):
            yield False
            return
        try:
            if self._is_over.is_set():
                raise Stopped("It was stopped.")
            yield True
        finally:
            if self._is_over.is_set():
                self._kept = self._comparison = self._pictures = None
                self._passed_over = frozenset()
            self._lock.release()

    def look(self, progress: Progress) -> int:
        """Look at every picture that was not looked at yet; returns how many could be hashed.

        It takes a jailed worker for each: a while, where there are many.  Meanwhile others compare.

        Raises:
            NothingToSee: no worker can be locked in on this machine, or none is free.
            Stopped: `progress` said so; what was looked at by then is kept.
        """
        made = 0
        with self._looking:
            with self._held():
                # Read anew: another program of this desk may have looked meanwhile.
                self._pictures = None
            everything = self._desk.store.cases()
            try:
                for start, case in enumerate(Cases(self._desk).chosen(everything)):
                    number = len(everything)
                    step = Sentence(
                        "Looking at pictures ({start} of {all})", start=start, all=number
                    )
                    progress.step(step)
                    made += self._look_at(case, functools.partial(progress.step, step))
            finally:
                with suppress(Stopped), self._held():
                    self._comparison = None
            with self._held():
                # Not here yet, or closed: in this run nobody is asked about these again.
                self._passed_over = self._unseen()
        return made

    def _look_at(self, case: Case, step: Callable[[], None]) -> int:
        """Look at the new pictures of one case, each a step; the lock is held between two alone."""
        made = 0
        for one in views(self._desk, case):
            if one.manifest is None or shown.kind_of(one) != shown.PICTURE:
                continue
            name = one.manifest.sha256
            with self._held():
                is_known = name.hex() in self._seen()
            if not is_known:
                step()
                found = self._looked_at(case, one.id)
                sealed = self._picture_key.seal(name, b"", found.to_bytes(8, "big"))
                with self._held():
                    self._seen()[name.hex()] = found
                    self._picture_shelf.keep([(CaseId(name), sealed)])
                made += found != 0
        return made

    def has_new_pictures(self) -> bool:
        """Whether `look` would find something, among the cases as they were compared last."""
        with self._held(QUICK_SECONDS) as is_mine:
            return is_mine and bool(self._unseen() - self._passed_over)

    def _unseen(self) -> frozenset[str]:
        seen = self._seen()
        return frozenset(
            name
            for _, features in (self._kept or {}).values()
            for name in features.pictures
            if name not in seen
        )

    def _looked_at(self, case: Case, file_id: str) -> int:
        try:
            return picture_hash(shown.pixels(self._desk, case, file_id, side=LOOKED_AT))
        except NotLockedIn:
            raise
        except DeskError:
            # There is nothing to see of it, or it was changed, which `verify` says.
            return 0

    def _seen(self) -> dict[str, int]:
        """By a file's SHA-256: its picture's hash, or 0 where there is none."""
        if self._pictures is None:
            self._pictures = {}
            for name, sealed in self._picture_shelf.everything():
                with suppress(CannotOpen):
                    opened = self._picture_key.open(name, b"", sealed)
                    self._pictures[name.hex()] = int.from_bytes(opened, "big")
        return self._pictures

    def _with_pictures(self, features: Features) -> Features:
        seen = self._seen()
        files = (one.value for one in features.traces if one.kind == traces.FILE)
        found = {seen[name] for name in files if seen.get(name)}
        return replace(features, picture_hashes=tuple(sorted(found))) if found else features

    def to(
        self, case: Case, *, most: int = SHOWN_MOST, progress: Progress | None = None
    ) -> tuple[Similar, ...]:
        """The cases that resemble one, the strongest first, with the reasons."""
        with self._held():
            comparison = self._fresh(self._changes(), progress)
        return comparison.similar_to(case.id, case.work.links, most)

    def quickly(self, case: Case, *, most: int = SHOWN_MOST) -> tuple[Similar, ...] | None:
        """The same, or None where so much is to be read anew that a page would be waited for.

        None, too, where another thread is at it and does not end soon.
        """
        with self._held(QUICK_SECONDS) as is_mine:
            changes = self._changes() if is_mine else None
            if changes is None or len(changes.stale) > BATCH:
                return None
            comparison = self._fresh(changes, None)
        return comparison.similar_to(case.id, case.work.links, most)

    def _changes(self) -> _Changes:
        states = self._desk.store.states(self._begun())
        if self._kept is None:
            self._kept = dict(self._opened(states))
        kept = self._kept
        stale = [case for case, state in states.items() if kept.get(case, (b"",))[0] != state]
        return _Changes(states, stale, kept.keys() - states.keys())

    def _fresh(self, changes: _Changes, progress: Progress | None) -> Comparison:
        states, stale, gone = changes
        # The one that is kept, were it empty: what a comparison had read when it was stopped stays.
        kept = {} if self._kept is None else self._kept
        if self._comparison is None or stale or gone:
            cases = Cases(self._desk)
            for start in range(0, len(stale), BATCH):
                made: dict[CaseId, tuple[bytes, Features]] = {}
                try:
                    for one in cases.chosen(stale[start : start + BATCH]):
                        if progress is not None:
                            progress.step(_comparing(start + len(made), len(stale)))
                        made[one.id] = (states[one.id], self._features(one))
                finally:
                    # What was read by then stays, where it is stopped.
                    sealed = [(case, self._sealed(case, *held)) for case, held in made.items()]
                    self._shelf.keep(sealed)
                    kept |= made
            for case in gone:
                del kept[case]
            self._kept = kept
            self._shelf.keep_only(states.keys())
            self._comparison = Comparison(
                {case: self._with_pictures(features) for case, (_, features) in kept.items()},
                self._stops,
            )
        return self._comparison

    def _features(self, case: Case) -> Features:
        files = [one for one in views(self._desk, case) if one.manifest is not None]
        digests = [bytes.fromhex(one.sha256) for one in files]
        pictures = [bytes.fromhex(one.sha256) for one in files if shown.may_be_picture(one)]
        return features_of(case, self._stops.places, files=digests, pictures=pictures)

    def _sealed(self, case: CaseId, state: bytes, features: Features) -> bytes:
        return self._key.seal(case, state, json.dumps(features.to_json()).encode())

    def _opened(
        self, states: Mapping[CaseId, bytes]
    ) -> Iterator[tuple[CaseId, tuple[bytes, Features]]]:
        for case, sealed in self._shelf.everything():
            if case in states:
                with suppress(CannotOpen):
                    opened = self._key.open(case, states[case], sealed)
                    yield case, (states[case], Features.from_json(json.loads(opened)))

    def _begun(self) -> bytes:
        """A digest of what all features follow from: rosters, services, this program."""
        digest = hashlib.sha256(_program())
        for one in sorted(self._stops.places.shared_hosts):
            digest.update(one.encode() + b"\0")
        for roster in sorted(self._desk.trust.hashes):
            digest.update(roster)
        return digest.digest()


def _comparing(start: int, among: int) -> Sentence:
    return Sentence("Comparing the cases ({start} of {all})", start=start, all=among)


@functools.cache
def _program() -> bytes:
    folder = Path(__file__).parent
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in _SOURCES)).digest()


_TOLD = {
    traces.PHONE: "same phone number {value}",
    traces.EMAIL: "same e-mail address {value}",
    traces.ACCOUNT: "same account {value}",
    traces.HANDLE: "same name of an account {value}",
    traces.PAGE: "same page {value}",
    traces.SITE: "same site {value}",
    traces.RIB: "same bank account (RIB) {value}",
    traces.IBAN: "same bank account (IBAN) {value}",
    traces.WALLET: "same wallet {value}",
    traces.PAYMENT: "same transaction {value}",
    traces.REFERENCE: "same transfer {value}",
    traces.ADDRESS: "same IP address {value}",
    traces.FILE: "same file, SHA-256 {value}",
    "text": "almost the same words, {value} in 100",
    "picture": "almost the same picture, {value} of 64 bits apart",
}
"""A reason in words; what it names is defanged, and somebody else's text."""
_LINKISH = (traces.PAGE, traces.SITE, traces.EMAIL, traces.ADDRESS)


def told(reason: Reason) -> Sentence:
    """A reason in words, with nothing in it that could be clicked."""
    value = reason.value.replace(".", "[.]") if reason.kind in _LINKISH else reason.value
    return Sentence(_TOLD[reason.kind], value=value)
