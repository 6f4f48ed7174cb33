"""Seal what was written here: signed for this case and these readers, under the roster in force.

Rule: an answer is sealed to one reply key and to the operators, an entry to the operators alone;
what an entry carries lies sealed on the disk before the envelope that names it does.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING

from crypto.envelope import EnvelopeSealer, Operators, OperatorsAndReceipt
from crypto.signed import SignedManifest
from desk.store import Envelope

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crypto.header import Kind
    from crypto.ids import CaseId, HeaderHash
    from crypto.keys import ReplyPublicKey
    from crypto.wrap import Recipients
    from desk.desk import Desk


def sealed(  # noqa: PLR0913  # each argument is one thing that is sealed
    desk: Desk,
    kind: Kind,
    case: CaseId,
    body: bytes,
    *,
    parents: Sequence[HeaderHash],
    reply_key: ReplyPublicKey | None = None,
    content: bytes | None = None,
) -> Envelope:
    """An envelope of today that was never posted; kept nowhere but for its part, if it has one.

    Raises:
        RosterNotTrusted: no roster is in force today to seal under.
        OSError: the disk did not take the part; nothing of it stays.
    """
    roster = desk.trust.in_force(desk.today())
    operators = roster.evidence_keys()
    recipients: Recipients = (
        OperatorsAndReceipt(operators, reply_key) if reply_key else Operators(operators)
    )
    sealer = EnvelopeSealer(
        kind=kind,
        deployment=desk.trust.deployment,
        case=case,
        roster_hash=roster.hash,
        day=desk.today(),
    )
    part = bytearray()
    if content is not None:
        sealing = sealer.part(part.extend)
        sealing.write(content)
        sealing.finish()
    signed = SignedManifest.sign(
        kind,
        desk.keyring.sign,
        deployment=desk.trust.deployment,
        case=case,
        envelope=sealer.id,
        recipients=recipients.kids,
        parents=parents,
        body=body,
    )
    done = sealer.seal(signed.to_json(), recipients)
    if part:
        try:
            # Sealed, so it may lie on the disk; before its envelope does, which names it.
            desk.store.keep_part(sealer.id, 1, bytes(part))
        except OSError:
            desk.store.part_path(sealer.id, 1).unlink(missing_ok=True)
            raise
    return Envelope(
        header=done.header,
        wraps=done.wraps,
        manifest=done.manifest,
        sizes=(len(part),) if part else (),
        posted=False,
    )


def discard(desk: Desk, envelopes: Iterable[Envelope]) -> None:
    """Take away the parts of what was sealed in vain, but of nothing that is kept after all.

    A signal that comes between the commit and the word of it looks like a failure: the store alone
    knows.  Where it cannot be asked they stay, sealed: one too many does no harm, one too few does.
    """
    sealed_here = [one.id for one in envelopes if one.sizes]
    with suppress(sqlite3.Error):
        kept = {one.id for one in desk.store.some(sealed_here)}
        for name in sealed_here:
            if name not in kept:
                desk.store.part_path(name, 1).unlink(missing_ok=True)
