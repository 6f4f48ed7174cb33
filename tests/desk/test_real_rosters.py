"""Renewed rosters, a desk that slept, one that came late and one that was removed: in earnest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crypto.envelope import EnvelopeSealer
from crypto.header import Kind
from crypto.manifest import EntryBody
from crypto.operator_opening import OperatorPrivateKey
from crypto.roster import RosterDraft, sign_roster
from crypto.signed import SignedManifest
from crypto.signing import SigningPrivateKey
from crypto.wrap import Operators
from desk.alarms import Alarm, Sign
from desk.cases import Cases
from desk.errors import NotInRoster, ServerRefused
from desk.progress import Silence
from desk.sync import synchronise
from desk.work import set_state
from gateway.home import install_roster
from tests.desk.test_real_gateway import desk_of, running, sent_from_the_site
from tests.support.rehearsal import Rehearsal, RehearsalOperator, make_rehearsal
from vault.outside import StoredEnvelope

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from crypto.ids import CaseId
    from crypto.roster import Roster


def joining(number: int) -> RehearsalOperator:
    return RehearsalOperator(
        number=number,
        label=f"operator-{number}",
        evidence=OperatorPrivateKey.generate(),
        sign=SigningPrivateKey.generate(),
        api=SigningPrivateKey.generate(),
    )


def renewed(rehearsal: Rehearsal, operators: Sequence[RehearsalOperator]) -> Rehearsal:
    """The root signs the next roster, and the administrator puts it in force."""
    fields = {name: getattr(rehearsal.roster, name) for name in RosterDraft.__dataclass_fields__}
    fields |= {
        "epoch": rehearsal.roster.epoch + 1,
        "previous": rehearsal.roster.hash,
        "operators": tuple(one.public() for one in operators),
    }
    roster = sign_roster(RosterDraft(**fields), rehearsal.root)
    install_roster(rehearsal.config, rehearsal.root_public, roster.note)
    return replace(rehearsal, roster=roster)


def slipped_in(
    rehearsal: Rehearsal, roster: Roster, signer: SigningPrivateKey, case: CaseId
) -> StoredEnvelope:
    """An entry that a hostile administrator puts into the vault past the sync door."""
    sealer = EnvelopeSealer(
        kind=Kind.ENTRY,
        deployment=roster.deployment,
        case=case,
        roster_hash=roster.hash,
        day=rehearsal.clock.today(),
    )
    readers = Operators(roster.evidence_keys())
    signed = SignedManifest.sign(
        Kind.ENTRY,
        signer,
        deployment=roster.deployment,
        case=case,
        envelope=sealer.id,
        recipients=readers.kids,
        parents=(),
        body=EntryBody(type="status", data={"state": "closed"}).to_json(),
    )
    sealed = sealer.seal(signed.to_json(), readers)
    envelope = StoredEnvelope(sealed.header, sealed.wraps, sealed.manifest)
    rehearsal.vault.append(envelope)
    return envelope


@pytest.mark.claim("C-ROSTER")
def test_two_renewals_a_sleeper_a_latecomer_and_a_removed_operator(tmp_path: Path) -> None:
    first = make_rehearsal(tmp_path / "gateway")
    sleeper_, leaver_ = first.operators
    added, late = joining(7), joining(8)
    with running(first) as url:
        sleeper = desk_of(first, 0, tmp_path / "sleeper", url)
        leaver = desk_of(first, 1, tmp_path / "leaver", url)
        sent_from_the_site(first)
        synchronise(sleeper, Silence())

        # Epoch 2: two operators more.  One of them, and the one who will leave, do some work.
        second = renewed(first, [sleeper_, leaver_, added, late])
        sent_from_the_site(second)
        staff = replace(second, operators=(added, late))
        worker = desk_of(staff, 0, tmp_path / "worker", url)
        for desk, state in ((worker, "triage"), (leaver, "assessment")):
            synchronise(desk, Silence())
            case = next(one for one in Cases(desk).all() if _is_of(one.id, second))
            assert set_state(desk, case, state)

        # Epoch 3: one is gone.  The sleeper wakes, and the latecomer is enrolled.
        third = renewed(second, [sleeper_, added, late])
        latecomer = desk_of(staff, 1, tmp_path / "late", url)
        for desk in (sleeper, latecomer):
            assert synchronise(desk, Silence()).alarms == []
            assert desk.trust.complete
            assert desk.trust.epoch == 3
            case = next(one for one in Cases(desk).all() if _is_of(one.id, second))
            assert (case.state, case.alarms) == ("assessment", ())
            signers = [entry.signer.name for entry in case.timeline]  # type: ignore[union-attr] # entries alone
            assert signers == ["operator-7", "operator-2"]
        # What was sealed before the latecomer's keys were in any roster is closed, not suspicious.
        assert {one.readable for one in Cases(latecomer).all()} == {True, False}

        # The leaver's key opens no door, and what is slipped in for them does not count.
        with pytest.raises((NotInRoster, ServerRefused)):
            synchronise(leaver, Silence())
        forged = slipped_in(third, third.roster, leaver_.sign, case.id)
        backdated = slipped_in(third, second.roster, leaver_.sign, case.id)
        for desk in (sleeper, latecomer):
            synchronise(desk, Silence())
            seen = Cases(desk).find(case.id.hex())
            assert seen.state == "assessment"
            assert set(seen.alarms) == {
                Alarm(Sign.ENTRY_FORGED, case.id.hex(), forged.id.hex()),
                Alarm(Sign.SIGNED_TOO_LATE, case.id.hex(), backdated.id.hex()),
            }


def _is_of(case: CaseId, rehearsal: Rehearsal) -> bool:
    """Whether the report of a case was sealed under that roster."""
    (report,) = rehearsal.envelopes(case, Kind.REPORT)
    return report.header.roster_hash == rehearsal.roster.hash
