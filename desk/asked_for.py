"""Identities that operators' signed requests name under other headers than a custodian's desk has.

Rule: a custodian's desk reads no report, so it cannot tell the reporter's identity from another one
that whoever runs the server showed under its id.  Nothing there is replaced on anybody's word: what
a signed request names is kept beside what came first, once the server shows it, and whoever reads
such a request is told that there are two.  Each operator's requests have room of their own: nobody
pushes out what a colleague's named.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from crypto.header import Kind
from crypto.manifest import EvidenceRef
from desk.damage import DAMAGED, header_of
from desk.errors import StoreDamaged
from desk.store import Envelope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from crypto.ids import CaseId, EnvelopeId, Kid
    from desk.store import Store

MOST = 200
"""Headers of one operator's requests that are remembered; the oldest are forgotten first.

What was kept beside by then stays.
"""
_ASKED_FOR = "identity-asked-for:"
_BESIDE = "identity-beside:"
_PIECES = ("header", "wraps", "manifest")


def remember(store: Store, operator: Kid, refs: Iterable[EvidenceRef]) -> None:
    """Note under which headers an operator's signed request names identities."""
    name = _ASKED_FOR + operator.hex()
    # In the order of their coming; what is named again is the newest again.
    known = dict.fromkeys(_named(store.noted(name) or "[]"))
    for ref in refs:
        known.pop(_hexed(ref), None)
        known[_hexed(ref)] = None
    store.note(name, json.dumps(list(known)[-MOST:]))


def asked_for(store: Store) -> frozenset[tuple[str, str]]:
    """All that is remembered: envelopes' ids and header hashes, in hex."""
    return frozenset(pair for kept in store.noted_all(_ASKED_FOR) for pair in _named(kept))


def is_among(asked: frozenset[tuple[str, str]], one: Envelope) -> bool:
    """Whether an envelope is one of those."""
    return _hexed(_ref(one)) in asked


def keep_beside(store: Store, one: Envelope) -> None:
    """Keep an identity, which has no parts, beside what lies here under its id."""
    pieces = (one.header.to_bytes(), one.wraps, one.manifest)
    told = {
        name: base64.b64encode(piece).decode() for name, piece in zip(_PIECES, pieces, strict=True)
    }
    store.note(_BESIDE + ":".join(_hexed(_ref(one))), json.dumps(told))


def beside(store: Store, envelope: EnvelopeId) -> tuple[Envelope, ...]:
    """The identities that were kept beside the one under that id."""
    return _kept(store, _BESIDE + envelope.hex())


def identities_of(store: Store, case: CaseId) -> dict[EvidenceRef, Envelope]:
    """All identities of a case that lie here, those beside others among them."""
    found = {_ref(one): one for one in store.of_case(case) if one.kind is Kind.IDENTITY}
    for one in _kept(store, _BESIDE):
        if one.case == case:
            # One that took the first one's place since is there as it opens.
            found.setdefault(_ref(one), one)
    return found


def others_of(store: Store, one: Envelope) -> tuple[Envelope, ...]:
    """What else lies here under the id of an identity."""
    here = (*store.some([one.id]), *beside(store, one.id))
    return tuple(other for other in here if other.header != one.header)


def _kept(store: Store, beginning: str) -> tuple[Envelope, ...]:
    return tuple(_read(kept) for kept in store.noted_all(beginning))


def _read(kept: str) -> Envelope:
    try:
        told = json.loads(kept)
        header, wraps, manifest = (base64.b64decode(told[name], validate=True) for name in _PIECES)
    except (KeyError, TypeError, ValueError):
        raise StoreDamaged(DAMAGED) from None
    return Envelope(header=header_of(header), wraps=wraps, manifest=manifest)


def _named(kept: str) -> list[tuple[str, str]]:
    try:
        return [(envelope, header) for envelope, header in json.loads(kept)]
    except (TypeError, ValueError):
        raise StoreDamaged(DAMAGED) from None


def _ref(one: Envelope) -> EvidenceRef:
    return EvidenceRef(one.id, one.header.hash)


def _hexed(ref: EvidenceRef) -> tuple[str, str]:
    return ref.id.hex(), ref.header_hash.hex()
