"""A reply whose reporter deleted their copy goes out to desks as whole as before."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from crypto.header import Kind
from crypto.operator_opening import OperatorPrivateKey, open_data_key
from crypto.wrap import without_receipt
from tests.gateway.sync.test_door import arrival, kind_of, walk

if TYPE_CHECKING:
    from tests.gateway.deployment import Deployment, SignedClient


@pytest.mark.claim("C-UNREAD")
def test_a_desk_that_has_not_seen_a_deleted_reply_still_gets_and_opens_it(
    desk: SignedClient, deployment: Deployment
) -> None:
    reply = deployment.sealed(Kind.REPLY, deployment.case())
    assert desk.post("/v1/envelopes", arrival(reply)).status_code == 201
    left = without_receipt(reply.header, reply.wraps)
    deployment.vault.shorten_wraps(reply.case, {reply.id: left}, noise=bytes(92))
    for member in deployment.operators:
        (row,) = (one for one in walk(desk.by(member)) if kind_of(one) is Kind.REPLY)
        key = member.opens
        assert isinstance(key, OperatorPrivateKey)
        assert base64.b64decode(row["header"]) == reply.header.to_bytes()
        assert open_data_key(key, reply.header, base64.b64decode(row["wraps"])).raw
        assert len(row["recipients"]) == 2
    # The desk that lost our answer sends it again: taken, and the receipt's wrap stays away.
    assert desk.post("/v1/envelopes", arrival(reply)).status_code == 201
    (kept,) = deployment.vault.envelopes_of(reply.case, {Kind.REPLY})
    assert kept.wraps == left
