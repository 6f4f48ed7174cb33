"""An identity that the server showed wrong first comes right once an operator asked for it."""

from __future__ import annotations

import pytest

from crypto.envelope import Custodians
from crypto.header import Kind
from crypto.ids import EnvelopeId
from crypto.manifest import EvidenceRef, IdentityManifest
from desk import asked_for, custodian
from desk.alarms import Sign
from desk.errors import CustodyRefused
from desk.progress import Silence
from desk.sync import synchronise
from tests.desk.custody.conftest import NAME, Office
from tests.desk.world import Row, of_kind, row

OTHER = "Innocent Neighbour"


def another_under_its_id(office: Office, true: Row) -> Row:
    """What whoever has the roster can seal: to these custodians, under the true one's id."""
    world = office.world
    sealer = world.sealer(Kind.IDENTITY, office.reporter.case, envelope=true.header.envelope)
    manifest = IdentityManifest(
        identity_mode="full_identity", identity={"name": OTHER}, safe_contact={}
    )
    keys = Custodians(world.roster.custodian_keys(), world.roster.quorum)
    return row(sealer.seal(manifest.to_json(), keys))


@pytest.mark.claim("C-CUSTODY")
@pytest.mark.claim("C-RENEWED")
def test_a_custodian_takes_the_identity_that_an_operators_request_names(office: Office) -> None:
    (true,) = [one for one in office.server.rows.values() if one.header.kind is Kind.IDENTITY]
    asked = office.ask()
    text = asked.text
    office.server.rows[true.header.envelope] = another_under_its_id(office, true)
    desk = office.desk("custodian 1")
    office.server.rows[true.header.envelope] = true
    for _ in range(2):
        # Nobody has said which of the two is the true one.
        assert Sign.ENVELOPE_CHANGED in [one.sign for one in synchronise(desk, Silence()).alarms]
    with pytest.raises(CustodyRefused, match="not on this desk as it says"):
        custodian.read(desk, text)
    assert synchronise(desk, Silence()).alarms == []
    (kept,) = of_kind(desk, Kind.IDENTITY)
    assert kept.header == true.header
    assert desk.store.alarms() == ()
    asking = custodian.read(desk, text)
    letters = [custodian.agree(desk, asking), office.yes(2, text)]
    (opened,) = office.open(asked, *letters).identities
    assert opened.manifest.identity["name"] == NAME


def test_of_two_requests_the_last_counts_and_the_oldest_are_forgotten(office: Office) -> None:
    store = office.desk("custodian 1").store
    first = EvidenceRef(EnvelopeId(bytes(16)), bytes(32))  # type: ignore[arg-type]
    last = EvidenceRef(EnvelopeId(bytes(16)), bytes([1]) * 32)  # type: ignore[arg-type]
    asked_for.remember(store, [first])
    asked_for.remember(store, [last])
    assert asked_for.asked_for(store) == {bytes(16).hex(): "01" * 32}
    many = [
        EvidenceRef(EnvelopeId(number.to_bytes(16, "big")), bytes(32))  # type: ignore[arg-type]
        for number in range(1, asked_for.MOST + 1)
    ]
    asked_for.remember(store, many)
    assert len(asked_for.asked_for(store)) == asked_for.MOST
    assert bytes(16).hex() not in asked_for.asked_for(store)
