"""Which report began a case, where whoever runs the server can put others beside it.

Rule: whatever lies beside it, a report that opens here is shown, and the worst danger that one of
them tells of counts.  No more than one of them is answered, and only where this desk can tell it
from the others.

```
pinned, and it opens     it is the one: it opened here before any other was seen
the only one that opens  it is the one, and is pinned, unless one that does not open may be the
                         true one: the pinned one, spoilt since; one from before this desk's time
several that open        none is answered, and those that tell of danger come first
```
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from crypto.header import Kind
from desk.form_ids import DANGERS
from desk.opening import NotForUs, Unopened
from desk.order import Node
from desk.sentence import Sentence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crypto.ids import CaseId, EnvelopeId
    from crypto.manifest import ReportManifest
    from crypto.strict_json import Json
    from desk.desk import Desk
    from desk.opening import Opener
    from desk.store import Envelope
    from desk.trust import Trust

SHOWN_MOST = 50
"""Reports of one case that are shown at most: whoever runs the server can seal any number."""
_AT_A_TIME = 250

BESIDE = Sentence(
    "More than one report opens in this case, and one of them was put here by somebody else. "
    "Answers go to the first alone: it opened on this desk before any other came. The others are "
    "shown, too, and their danger counts. Ask a colleague which report their desk shows first."
)
UNSURE = Sentence(
    "More than one report opens in this case, and nobody here can say which is the reporter's: "
    "somebody else put the others here. All are shown, and the worst danger counts. None is "
    "answered from this desk, because the answer might reach a forger: ask a colleague whose desk "
    "had one of them before the others came to answer it."
)
DOUBTED = Sentence(
    "One report of this case opens here, and another one, which does not, may be the reporter's. "
    "None is answered from this desk, because the answer might reach a forger: ask a colleague "
    "whose desk opens both to answer it."
)


class Told(NamedTuple):
    """A report that opens here."""

    envelope: Envelope
    manifest: ReportManifest


@dataclass(frozen=True, slots=True)
class Origin:
    """The reports of a case that open here, the one that is the reporter's before all others."""

    told: tuple[Told, ...] = field(default=(), repr=False)
    is_sure: bool = False
    """Whether the first of them is known to be the one: its keys are those of the case."""
    spoilt: tuple[EnvelopeId, ...] = ()
    """Those that name this desk and do not open."""

    @property
    def equal(self) -> tuple[Told, ...]:
        """The one; or all of them, where nobody here can tell which it is."""
        return self.told[:1] if self.is_sure else self.told

    @property
    def others(self) -> tuple[Told, ...]:
        """Those that are shown beside the first."""
        return self.told[1:SHOWN_MOST]

    @property
    def unshown(self) -> int:
        """How many there are besides."""
        return max(0, len(self.told) - SHOWN_MOST)

    @property
    def words(self) -> Sentence | None:
        """What an operator must know of them before they act; None where there is nothing odd."""
        if self.is_sure:
            return BESIDE if len(self.told) > 1 else None
        return (UNSURE if len(self.told) > 1 else DOUBTED) if self.told else None

    @property
    def nodes(self) -> tuple[Node, ...]:
        """What whoever reads the case has read of them, for what is written from then on."""
        headers = [one.envelope.header for one in self.told]
        return tuple(Node(one.hash, one.day, ()) for one in headers)

    @property
    def in_danger(self) -> bool:
        """Whether any of them speaks of danger."""
        return any(in_danger(one.manifest.fields) for one in self.told)


def origin_of(
    opener: Opener, trust: Trust, reports: Sequence[Envelope], pinned: EnvelopeId | None
) -> Origin:
    """Open a case's reports, and tell which of them is the one."""
    told: list[Told] = []
    spoilt: list[EnvelopeId] = []
    rivals = 0
    for one in reports:
        try:
            told.append(Told(one, opener.report(one)))
        except NotForUs:
            roster = trust.named(one.header.roster_hash)
            # Honest where that list does not name us: it may be the true one, and not ours to read.
            rivals += roster is not None and roster.operator_of(opener.kid) is None
        except Unopened:
            spoilt.append(one.id)
            rivals += one.id == pinned
    told.sort(
        key=lambda one: (
            one.envelope.id != pinned, not in_danger(one.manifest.fields), one.envelope.id,
        )
    )  # fmt: skip
    is_pinned = bool(told) and told[0].envelope.id == pinned
    return Origin(tuple(told), is_pinned or (len(told) == 1 and not rivals), tuple(spoilt))


def pin(desk: Desk) -> None:
    """Remember which report is the one, wherever this desk can tell: a later one is not it."""
    store = desk.store
    pinned, unsettled = store.origins(), store.unsettled_reports()
    cases = list(unsettled)
    for start in range(0, len(cases), _AT_A_TIME):
        some = cases[start : start + _AT_A_TIME]
        by_case: dict[CaseId, list[Envelope]] = {}
        for one in store.some([name for case in some for name in unsettled[case]]):
            if one.kind is Kind.REPORT:
                by_case.setdefault(one.case, []).append(one)
        origins = {
            case: origin_of(desk.opener, desk.trust, reports, pinned.get(case))
            for case, reports in by_case.items()
        }
        store.pin_origins(
            {case: one.told[0].envelope.id for case, one in origins.items() if one.is_sure}
        )


def in_danger(fields: Mapping[str, Json]) -> bool:
    """Whether a report speaks of danger to life, a minor, or self-harm; unsure counts."""
    return any(_says(fields.get(name), values) for name, values in DANGERS.items())


def _says(answer: Json, values: frozenset[str]) -> bool:
    """Whether an answer, or one of several, is one of these."""
    several = answer if isinstance(answer, list) else [answer]
    return any(isinstance(one, str) and one in values for one in several)
