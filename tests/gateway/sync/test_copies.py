"""An entry that carries a copy: one content part, taken whole or not at all."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from crypto.envelope import EnvelopeSealer
from crypto.header import Kind
from crypto.ids import new_case_id
from crypto.keys import ReplyPublicKey
from crypto.operator_opening import OperatorPrivateKey
from crypto.wrap import Operators, OperatorsAndReceipt
from tests.gateway.sync.test_door import b64, told, walk
from vault.errors import ShelfUnavailable
from vault.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable

    from crypto.envelope import SealedEnvelope
    from tests.gateway.deployment import Deployment, SignedClient

CONTENT = bytes(range(256)) * 40


def sealed(
    deployment: Deployment, kind: Kind = Kind.ENTRY, parts: int = 1, *, known: bool = True
) -> tuple[SealedEnvelope, list[bytes]]:
    """An entry with its parts, as a desk seals it."""
    roster = deployment.roster
    sealer = EnvelopeSealer(
        kind=kind, deployment=roster.deployment, roster_hash=roster.hash,
        case=deployment.case() if known else new_case_id(), day=deployment.clock.day,
    )  # fmt: skip
    made: list[bytes] = []
    for _ in range(parts):
        held = bytearray()
        part = sealer.part(held.extend)
        part.write(CONTENT)
        part.finish()
        made.append(bytes(held))
    keys = roster.evidence_keys()
    receipt = ReplyPublicKey(OperatorPrivateKey.generate().public.raw)
    recipients = OperatorsAndReceipt(keys, receipt) if kind is Kind.REPLY else Operators(keys)
    return sealer.seal(b"{}", recipients), made


def body(envelope: SealedEnvelope, parts: object) -> bytes:
    return json.dumps(
        {
            "header": b64(envelope.header.to_bytes()), "wraps": b64(envelope.wraps),
            "manifest": b64(envelope.manifest), "parts": parts,
        }
    ).encode()  # fmt: skip


@pytest.fixture
def blobs(deployment: Deployment) -> Callable[[], int]:
    """How many blobs there are."""
    folder = deployment.config.blobs
    return lambda: len([path for path in folder.rglob("*") if path.is_file()])


def test_an_entry_with_a_copy_is_kept_and_sent_twice_it_is_there_once(
    desk: SignedClient, deployment: Deployment, blobs: Callable[[], int]
) -> None:
    envelope, parts = sealed(deployment)
    before = blobs()
    for _ in range(2):
        answer = desk.post("/v1/envelopes", body(envelope, [b64(parts[0])]))
        assert answer.status_code == 201
        assert blobs() == before + 1
    name = envelope.header.envelope.hex()
    assert desk.get(f"/v1/parts/{name}/1").data == parts[0]
    (row,) = [one for one in walk(desk) if base64.b64decode(one["header"])[44:60].hex() == name]
    assert row["parts"] == [len(parts[0])]


def test_an_entry_with_an_empty_list_of_parts_is_an_entry(
    desk: SignedClient, deployment: Deployment
) -> None:
    envelope, _ = sealed(deployment, parts=0)
    assert desk.post("/v1/envelopes", body(envelope, [])).status_code == 201


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda _: [], "parts"),
        (lambda part: [b64(part), b64(part)], "malformed"),
        (b64, "malformed"),
        (lambda _: [7], "malformed"),
        (lambda _: ["é"], "malformed"),
        (lambda part: [b64(part[:-1])], "length"),
        (lambda part: [b64(part[:-1] + bytes([part[-1] ^ 1]))], "mismatch"),
    ],
    ids=["lacking", "twice", "text", "number", "letters", "short", "spoilt"],
)
def test_a_copy_that_is_not_the_one_that_was_sealed_is_refused(
    desk: SignedClient, deployment: Deployment, blobs: Callable[[], int],
    change: Callable[[bytes], object], code: str,
) -> None:  # fmt: skip
    envelope, parts = sealed(deployment)
    before = blobs()
    answer = desk.post("/v1/envelopes", body(envelope, change(parts[0])))
    assert told(answer) == (400, code)
    assert blobs() == before


def test_only_an_entry_carries_a_copy_and_only_one(
    desk: SignedClient, deployment: Deployment
) -> None:
    reply, parts = sealed(deployment, Kind.REPLY)
    assert told(desk.post("/v1/envelopes", body(reply, [b64(parts[0])]))) == (400, "kind")
    two, parts = sealed(deployment, parts=2)
    assert told(desk.post("/v1/envelopes", body(two, [b64(parts[0])]))) == (400, "parts")


def test_a_copy_for_a_case_that_is_not_there_leaves_nothing(
    desk: SignedClient, deployment: Deployment, blobs: Callable[[], int]
) -> None:
    envelope, parts = sealed(deployment, known=False)
    before = blobs()
    assert told(desk.post("/v1/envelopes", body(envelope, [b64(parts[0])]))) == (404, "unknown")
    assert blobs() == before


def test_a_shelf_that_takes_nothing_leaves_nothing(
    desk: SignedClient, deployment: Deployment, blobs: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def refuse(*_: object) -> bool:
        raise ShelfUnavailable

    monkeypatch.setattr(Vault, "append", refuse)
    envelope, parts = sealed(deployment)
    before = blobs()
    answer = desk.post("/v1/envelopes", body(envelope, [b64(parts[0])]))
    assert told(answer) == (503, "unavailable")
    assert blobs() == before
