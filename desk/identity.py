"""Open who reported: with the shares of custodians who agreed, or on one custodian's desk alone.

Rule: an operator's desk opens nothing without the custodians, and one custodian's nothing where the
roster asks for more.  Whoever runs the server or the site can seal an identity to the custodians'
public keys, into any case, under any id: only the reporter's own sealed words say which is theirs,
and only operators read those.  So a custodian's desk says of each that this is not known here, with
the digest to be compared; or opens those alone that an operator's signed request names.  How an
operator asks is desk.custody's.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crypto.body import open_manifest
from crypto.custody import SHARES_MOST
from crypto.errors import CryptoError
from crypto.manifest import EvidenceRef, IdentityManifest
from crypto.operator_opening import combine_shares
from desk import custodian
from desk.asked_for import identities_of
from desk.cases import iso
from desk.custody_words import Why, digest_of, refused
from desk.errors import IdentityLocked
from desk.opening import Unopened
from desk.sentence import Sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crypto.custody_letters import CustodyAnswer
    from crypto.ids import CaseId, Day
    from desk.cases import Case
    from desk.desk import Desk
    from desk.store import Envelope

UNKNOWN = Sentence(
    "Not known here: whether the reporter gave this. Whoever runs the server or the site can seal "
    "one to you, into any case. Ask an operator whether this digest stands on the case's page, "
    "under Identity."
)
DIFFER = Sentence(
    "These say different things of who reported. Act on none before an operator has told you which "
    "of the digests the report or a message names."
)
CLOSED = Sentence(
    "These do not open with this custodian's key alone: they were sealed to others, or changed."
)


@dataclass(frozen=True, slots=True)
class OpenedIdentity:
    """One identity envelope, opened; a case has one per report and per message."""

    id: str
    day: Day
    manifest: IdentityManifest = field(repr=False)

    def to_json(self) -> dict[str, object]:
        """The stable shape of `custody open --json`, and of a package's annex."""
        return {
            "id": self.id,
            "day": iso(self.day),
            "identity_mode": self.manifest.identity_mode,
            "identity": dict(self.manifest.identity),
            "safe_contact": dict(self.manifest.safe_contact),
        }

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing of who reported, as every message's of an anonymous one does."""
        return not (self.manifest.identity or self.manifest.safe_contact)


@dataclass(frozen=True, slots=True)
class NamedIdentity:
    """What the report (message 0) or a message names, as an operator's desk has read it."""

    by: str
    message: int
    digest: str
    is_here: bool

    def to_json(self) -> dict[str, object]:
        """The stable shape in `show --json`."""
        return {"named_by": self.by, "digest": self.digest, "here": self.is_here}


@dataclass(frozen=True, slots=True)
class AloneOpened:
    """What one custodian opened alone, each with its digest; and the digests of what stays shut.

    `named_by` is the operator whose signed request names them, or empty: then whose they are is
    not known on this desk.
    """

    identities: tuple[tuple[OpenedIdentity, str], ...] = field(repr=False)
    closed: tuple[str, ...] = ()
    named_by: str = ""
    is_contested: bool = False
    """Whether this desk holds others, under the same ids, than the request names."""

    @property
    def differ(self) -> bool:
        """Whether several say who reported, not alike, and nobody named the reporter's own."""
        told = [one.manifest for one, _ in self.identities if not one.is_empty]
        return not self.named_by and any(one != told[0] for one in told)

    @property
    def standing(self) -> Sentence:
        """What is and is not known of each of them."""
        if not self.named_by:
            return UNKNOWN
        if self.is_contested:
            return Sentence(
                "Named by the request that {operator} signed. This desk holds another identity "
                "under the same id: the request, the server, or what came here first is not "
                "honest. Act on it only when another operator has told you that this digest "
                "stands on the case's page, under Identity.",
                operator=self.named_by,
            )
        return Sentence(
            "Named by the request that {operator} signed: their desk found it in the reporter's "
            "words.",
            operator=self.named_by,
        )

    def to_json(self) -> dict[str, object]:
        """What `identity --json` says beside the case."""
        return {
            "named_by": self.named_by,
            "differ": self.differ,
            "contested": self.is_contested,
            "identities": [{**one.to_json(), "digest": digest} for one, digest in self.identities],
            "closed": list(self.closed),
        }


def named(case: Case) -> tuple[NamedIdentity, ...]:
    """The identities that the reporter's own words name, empty ones among them, in order."""
    return tuple(
        NamedIdentity(
            one.by.hex(), case.number_of(one.by), digest_of(one.ref.header_hash),
            is_here=one.envelope is not None,
        )
        for one in case.identities
    )  # fmt: skip


def opens_alone(desk: Desk) -> bool:
    """Whether this desk is a custodian's, and one custodian is enough."""
    return desk.is_custodian and desk.trust.newest.quorum == 1


def open_identities(desk: Desk, case: CaseId, untrusted_request: str = "") -> AloneOpened:
    """The identities of a case that this custodian can open alone.

    With an operator's request: those that it names, and no other.

    Raises:
        IdentityLocked: this is an operator's desk, or one share is not enough.
        CustodyRefused: the request is none, or about another case, or about what is not here.
    """
    if not desk.is_custodian:
        raise IdentityLocked(
            "The identity is locked: sealed to the custodians. An operator's desk cannot open it."
        )
    if desk.trust.newest.quorum > 1:
        raise IdentityLocked(
            Sentence(
                "The roster asks for {quorum} custodians together: no desk of one custodian opens "
                "it. Answer the operator's request: amana-desk custody read FILE",
                quorum=desk.trust.newest.quorum,
            )
        )
    asking = custodian.read(desk, untrusted_request) if untrusted_request else None
    if asking is not None and asking.request.case != case:
        raise refused(Why.ABOUT_ANOTHER, label=asking.operator.label)
    opened, closed = [], []
    for one in asking.envelopes if asking else identities_of(desk.store, case).values():
        digest = digest_of(one.header.hash)
        try:
            manifest = desk.opener.identity(one)
        except Unopened:
            # One that a stranger put there to be in the way hides no other.
            closed.append(digest)
        else:
            opened.append((OpenedIdentity(one.id.hex(), one.header.day, manifest), digest))
    if closed and not opened:
        raise IdentityLocked(
            "This identity does not open with this custodian's key alone: it was sealed to others, "
            "or changed."
        )
    if asking is None:
        return AloneOpened(tuple(opened), tuple(closed))
    return AloneOpened(
        tuple(opened), tuple(closed), asking.operator.label, is_contested=bool(asking.contested)
    )


def combined(envelope: Envelope, agreed: Sequence[CustodyAnswer], quorum: int) -> OpenedIdentity:
    """Open one identity with the shares of any that agreed: a false one does not stop the others.

    As many subsets are tried as a roster can have.

    Raises:
        CustodyRefused: no subset opens it.
    """
    ref = EvidenceRef(envelope.id, envelope.header.hash)
    gathered = [
        [share for one in answer.identities if one.ref == ref for share in one.shares]
        for answer in agreed
    ]
    held = [shares for shares in gathered if shares]
    for members in itertools.islice(itertools.combinations(held, quorum), SHARES_MOST):
        try:
            data_key = combine_shares(itertools.chain.from_iterable(members))
            opened_json = open_manifest(data_key, envelope.header, envelope.manifest)
            manifest = IdentityManifest.from_json(opened_json)
        except CryptoError:
            continue
        return OpenedIdentity(envelope.id.hex(), envelope.header.day, manifest)
    raise refused(Why.NOT_OPENED)
