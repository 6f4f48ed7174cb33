"""Which cases belong together, and the reason why: the same traces, the same file, the same words.

Rule: a case is compared by its `Features` alone, which hold no name and no sentence; a reason is
always said, and what an institution finds too common (similar.toml), or what stands in too many
cases, is none.  Pairs that an operator has said do not belong together are left out.
"""

from __future__ import annotations

import heapq
import json
import struct
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

from desk import acts, traces
from desk.errors import RulesMalformed
from desk.text_folding import folded
from desk.traces import Places, Trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from crypto.ids import CaseId
    from desk.cases import Case

FEATURES_VERSION = 2
TRACES_MOST = 400
SHINGLE_WORDS = 3
SKETCH_MOST = 128
"""Shingles of a text that are kept, the smallest by their hash: a text of fewer is kept whole."""
WORDS_LEAST = 12
WORDS_MOST = 20_000
NEAR_DUPLICATE = 0.5
"""Of all shingles of two texts: how many must be in both."""
PICTURE_BITS, PICTURE_APART = 64, 6
"""Of the 64 bits of two pictures' hashes: how many may differ."""
PICTURE_LEAST_BITS = 8
SHOWN_MOST = 50
_HASH_BYTES = 6
_TEXT, _PICTURE = "text", "picture"

STRENGTH: dict[str, float] = {
    traces.PAYMENT: 8, traces.FILE: 8, traces.RIB: 7, traces.IBAN: 7, traces.WALLET: 7,
    traces.PHONE: 6, traces.EMAIL: 6, traces.ACCOUNT: 6, traces.REFERENCE: 6, _PICTURE: 5,
    traces.PAGE: 5, _TEXT: 5, traces.ADDRESS: 4, traces.SITE: 3, traces.HANDLE: 3,
}  # fmt: skip
WEAK = frozenset({traces.SITE, traces.HANDLE, traces.ADDRESS})


@dataclass(frozen=True, slots=True)
class Features:
    """What a case is compared by.

    `sketch` are the smallest hashes of its text's shingles, `words` how many words it has;
    `picture_hashes` are of 64 bits each, made where pictures may be decoded, or none; `pictures`
    are the SHA-256 (hex) of what could be looked at for that.
    """

    traces: tuple[Trace, ...] = ()
    sketch: bytes = field(default=b"", repr=False)
    words: int = 0
    picture_hashes: tuple[int, ...] = ()
    pictures: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain data, for `from_json`."""
        return {
            "v": FEATURES_VERSION,
            "traces": [list(one) for one in self.traces],
            "sketch": self.sketch.hex(),
            "words": self.words,
            "hashes": list(self.picture_hashes),
            "pictures": list(self.pictures),
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Features:
        """The features again; raises ValueError for what another version wrote."""
        if given.get("v") != FEATURES_VERSION:
            raise ValueError
        return cls(
            traces=tuple(Trace(kind, value) for kind, value in given["traces"]),
            sketch=bytes.fromhex(given["sketch"]),
            words=given["words"],
            picture_hashes=tuple(given["hashes"]),
            pictures=tuple(given["pictures"]),
        )


class Common(NamedTuple):
    """When a trace is in too many cases to say anything: more than both of these."""

    share: float
    cases: int


@dataclass(frozen=True, slots=True)
class Stops:
    """What an institution finds too common (similar.toml)."""

    ignore_hosts: frozenset[str]
    places: Places
    ignore: frozenset[Trace]
    too_common: Common
    too_common_weak: Common

    def counts(self, trace: Trace) -> bool:
        """Whether a trace may be a reason at all."""
        ignored = trace.kind == traces.SITE and trace.value in self.ignore_hosts
        return not ignored and trace not in self.ignore

    def most(self, trace: Trace, cases: int) -> float:
        """In how many of so many cases a trace may be."""
        bound = self.too_common_weak if trace.kind in WEAK else self.too_common
        return max(bound.share * cases, bound.cases)


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that two cases share: its kind, its spelling, how much it says."""

    kind: str
    value: str
    strength: float

    def to_json(self) -> dict[str, object]:
        """The stable shape of a reason in `similar --json`."""
        return {"kind": self.kind, "value": self.value, "strength": round(self.strength, 2)}


@dataclass(frozen=True, slots=True)
class Similar:
    """A case that resembles another, with the reasons, the strongest first."""

    case: CaseId
    strength: float
    reasons: tuple[Reason, ...]
    link: str = ""
    """What a link between the two says already, or empty."""


def features_of(
    case: Case,
    places: Places,
    *,
    files: Iterable[bytes] = (),
    picture_hashes: Iterable[int] = (),
    pictures: Iterable[bytes] = (),
) -> Features:
    """Make a case's features.

    Args:
        case: the report and the reporter's messages are looked at.
        places: which services hold sites of many people.
        files: the SHA-256 of the case's files, as they were sealed.
        picture_hashes: of its pictures, 64 bits each, where somebody could make them.
        pictures: the SHA-256 of those files that are pictures.
    """
    said = [one.body.text for one in case.follow_ups if one.body.text]
    found = traces.in_fields(case.fields, places) | traces.told(said, places)
    found |= {Trace(traces.FILE, one.hex()) for one in files}
    written = [str(case.fields.get(name) or "") for name in _WRITTEN]
    text = folded("\n".join([*written, *said])).split()[:WORDS_MOST]
    return Features(
        traces=tuple(sorted(found))[:TRACES_MOST],
        sketch=sketch_of(text),
        words=len(text),
        picture_hashes=tuple(sorted(set(picture_hashes))),
        pictures=tuple(sorted({one.hex() for one in pictures}))[:TRACES_MOST],
    )


_WRITTEN = ("description", "exact_words")
"""The answers that are prose; others are short, and compared as traces."""


def sketch_of(words: Sequence[str]) -> bytes:
    """The smallest hashes of a text's shingles, in order; empty for a text that says too little."""
    if len(words) < WORDS_LEAST:
        return b""
    shingles = {
        blake2b(" ".join(words[at : at + SHINGLE_WORDS]).encode(), digest_size=_HASH_BYTES).digest()
        for at in range(len(words) - SHINGLE_WORDS + 1)
    }
    return b"".join(heapq.nsmallest(SKETCH_MOST, shingles))


def resemblance(one: bytes, other: bytes) -> float:
    """How much of two texts' shingles is in both, 0 to 1 (Jaccard).

    Exact where both texts have no more shingles than a sketch keeps; else an estimate from the
    smallest of them all, which is off by 0.05 as a rule.
    """
    mine, theirs = _hashes(one), _hashes(other)
    if not mine or not theirs:
        return 0.0
    both = mine & theirs
    union = sorted(mine | theirs)
    full = max(len(mine), len(theirs)) >= SKETCH_MOST
    seen = union[:SKETCH_MOST] if full else union
    return sum(one in both for one in seen) / len(seen)


class Comparison:
    """Every case's features, ready to be asked which resemble one of them."""

    def __init__(self, features: Mapping[CaseId, Features], stops: Stops) -> None:
        self._features = features
        self._stops = stops

    @cached_property
    def _having(self) -> dict[Trace, list[CaseId]]:
        """The cases that have each trace which two of them share."""
        counted = Counter(one for had in self._features.values() for one in had.traces)
        having: dict[Trace, list[CaseId]] = {one: [] for one, n in counted.items() if n > 1}
        for case, had in self._features.items():
            for one in had.traces:
                if one in having:
                    having[one].append(case)
        return having

    @cached_property
    def _sketches(self) -> list[tuple[CaseId, frozenset[bytes], bytes]]:
        return [
            (case, _hashes(had.sketch), had.sketch)
            for case, had in self._features.items()
            if had.sketch
        ]

    def similar_to(
        self, case: CaseId, links: Mapping[str, str], most: int = SHOWN_MOST
    ) -> tuple[Similar, ...]:
        """The cases that resemble one, the strongest first; `links` are that case's own.

        By the other case's id in hex, `links` say what an operator found: a pair that does not
        belong together is left out.
        """
        mine = self._features.get(case)
        if mine is None:
            return ()
        reasons: dict[CaseId, list[Reason]] = {}
        for other, reason in (*self._by_trace(mine), *self._by_text(mine), *self._by_picture(mine)):
            if other != case and links.get(other.hex()) != acts.UNRELATED:
                reasons.setdefault(other, []).append(reason)
        found = [
            Similar(other, *_weighed(given), links.get(other.hex(), ""))
            for other, given in reasons.items()
        ]
        return tuple(heapq.nsmallest(most, found, key=lambda one: (-one.strength, one.case)))

    def _by_trace(self, mine: Features) -> Iterable[tuple[CaseId, Reason]]:
        for trace in mine.traces:
            others = self._having.get(trace, ())
            if not self._stops.counts(trace):
                continue
            if len(others) > self._stops.most(trace, len(self._features)):
                continue
            reason = Reason(trace.kind, trace.value, STRENGTH.get(trace.kind, 1))
            yield from ((other, reason) for other in others)

    def _by_text(self, mine: Features) -> Iterable[tuple[CaseId, Reason]]:
        own = _hashes(mine.sketch)
        if not own:
            return
        for other, theirs, sketch in self._sketches:
            # Whatever is half alike shares a good part of its smallest hashes.
            if len(own & theirs) * 4 < min(len(own), len(theirs)):
                continue
            share = resemblance(mine.sketch, sketch)
            if share >= NEAR_DUPLICATE:
                yield other, Reason(_TEXT, f"{round(100 * share)}", STRENGTH[_TEXT] * share)

    def _by_picture(self, mine: Features) -> Iterable[tuple[CaseId, Reason]]:
        own = [one for one in mine.picture_hashes if _says_something(one)]
        if not own:
            return
        for other, had in self._features.items():
            apart = min(
                ((one ^ two).bit_count() for one in own for two in had.picture_hashes),
                default=PICTURE_BITS,
            )
            if apart <= PICTURE_APART:
                yield other, Reason(_PICTURE, f"{apart}", STRENGTH[_PICTURE])


def load_stops(own: Path | None) -> Stops:
    """Read an institution's similar.toml, or ours where it has none.

    Raises:
        RulesMalformed: it cannot be meant; the message says what is wrong.
    """
    try:
        if own is None:
            text = (resources.files("desk") / "similar.toml").read_text("utf-8")
        else:
            text = own.read_text("utf-8")
        given = tomllib.loads(text)
        return Stops(
            ignore_hosts=frozenset(_words(given["ignore_hosts"])),
            places=Places(frozenset(_words(given["shared_hosts"]))),
            ignore=frozenset(_trace(one) for one in _words(given["ignore"])),
            too_common=_common(given["too_common"]),
            too_common_weak=_common(given["too_common_weak"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        what = json.dumps(str(error), ensure_ascii=False)
        raise RulesMalformed(f"similar.toml cannot be read as it must be: {what}") from None


def _words(given: Any) -> list[str]:  # noqa: ANN401  # what a file may hold
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise TypeError("a list of words is needed")
    return given


def _trace(word: str) -> Trace:
    kind, colon, value = word.partition(":")
    if not colon or kind not in STRENGTH:
        raise ValueError(f"{word} is not KIND:VALUE")
    return Trace(kind, value)


def _common(given: Mapping[str, Any]) -> Common:
    return Common(float(given["share"]), int(given["cases"]))


def _hashes(sketch: bytes) -> frozenset[bytes]:
    return frozenset(one for (one,) in struct.iter_unpack(f"{_HASH_BYTES}s", sketch))


def _says_something(picture: int) -> bool:
    """Whether a picture has more to it than one colour: a blank page resembles every other."""
    return PICTURE_LEAST_BITS <= picture.bit_count() <= PICTURE_BITS - PICTURE_LEAST_BITS


def _weighed(given: Sequence[Reason]) -> tuple[float, tuple[Reason, ...]]:
    """A pair's strength, and its reasons without those that another one implies."""
    accounts = {one.value.partition(":")[2] for one in given if one.kind == traces.ACCOUNT}
    pages = [one.value for one in given if one.kind == traces.PAGE]
    within = {one.value[4:] for one in given if one.kind == traces.IBAN}
    told = [
        one
        for one in given
        if not (one.kind == traces.HANDLE and one.value in accounts)
        and not (one.kind == traces.SITE and any(_is_below(page, one.value) for page in pages))
        and not (one.kind == traces.RIB and one.value in within)
    ]
    ordered = tuple(sorted(told, key=lambda one: (-one.strength, one.kind, one.value)))
    return sum(one.strength for one in ordered), ordered


def _is_below(page: str, site: str) -> bool:
    host = page.partition("/")[0]
    return host == site or host.endswith(f".{site}")
