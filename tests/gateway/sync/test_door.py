"""What goes out of the desks' door, and what comes in."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from crypto.custody import Share
from crypto.header import Header, Kind
from crypto.ids import CaseId, Day, new_case_id
from crypto.operator_opening import open_data_key, open_shares
from crypto.wrap import Operators
from gateway.headers import STRICT
from gateway.sync.app import create_sync
from tests.gateway.deployment import SignedClient
from vault.errors import ShelfUnavailable
from vault.vault import Vault

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.gateway.deployment import Deployment
    from vault.outside import StoredEnvelope


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def walk(desk: SignedClient, limit: int = 500) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = desk.get(f"/v1/index?limit={limit}{after}").get_json()
        assert len(page["envelopes"]) <= limit
        found += page["envelopes"]
        if page["next"] is None:
            return found
        after = f"&after={page['next']}"


def kind_of(row: dict[str, Any]) -> Kind:
    return Header.from_bytes(base64.b64decode(row["header"])).kind


# Out.


def test_the_roster_is_for_anybody(desk: SignedClient, deployment: Deployment) -> None:
    answer = desk.client.get("/v1/roster")
    assert (answer.status_code, answer.data) == (200, deployment.roster.note)


def test_the_rosters_that_were_in_force_are_for_anybody_too(
    desk: SignedClient, deployment: Deployment
) -> None:
    following = deployment.next_roster()
    deployment.config.roster_path.write_bytes(following.note)
    assert desk.client.get("/v1/roster").data == following.note
    for epoch, roster in ((1, deployment.roster), (2, following)):
        answer = desk.client.get(f"/v1/roster?epoch={epoch}")
        assert (answer.status_code, answer.data) == (200, roster.note)
        assert answer.mimetype == "text/plain"


def test_the_rosters_of_the_past_are_served_while_none_is_in_force(
    desk: SignedClient, deployment: Deployment
) -> None:
    deployment.clock.day = Day(deployment.clock.day + 60)
    assert told(desk.client.get("/v1/roster")) == (503, "roster")
    assert desk.client.get("/v1/roster?epoch=1").data == deployment.roster.note


@pytest.mark.parametrize("epoch", [2, 999_999_999])
def test_a_roster_that_never_was_is_unknown(desk: SignedClient, epoch: int) -> None:
    assert told(desk.client.get(f"/v1/roster?epoch={epoch}")) == (404, "unknown")


@pytest.mark.parametrize(
    "query",
    [
        "epoch=",
        "epoch=0",
        "epoch=01",
        "epoch=-1",
        "epoch=1000000000",
        "epoch=²",
        "epoch=1&epoch=1",
        "epoch=1&more=",
        "more=1",
    ],
)
def test_an_epoch_that_is_not_spelled_as_one_is_refused(desk: SignedClient, query: str) -> None:
    assert told(desk.client.get(f"/v1/roster?{quote(query, safe='=&')}")) == (400, "query")


def test_an_operator_gets_every_envelope_and_opens_it_with_the_one_wrap_that_came(
    desk: SignedClient, deployment: Deployment
) -> None:
    for _ in range(2):
        deployment.case()
    rows = walk(desk, limit=4)
    assert sorted(kind_of(row) for row in rows) == sorted(
        [Kind.REPORT, Kind.EVIDENCE, Kind.IDENTITY] * 2
    )
    operators = {key.kid.hex() for key in deployment.roster.evidence_keys()}
    for row in rows:
        header = Header.from_bytes(base64.b64decode(row["header"]))
        wraps = base64.b64decode(row["wraps"])
        if header.kind is Kind.IDENTITY:
            assert wraps == b""
            continue
        assert set(row["recipients"]) == operators
        assert len(wraps) == 148
        open_data_key(deployment.operators[0].opens, header, wraps)  # type: ignore[arg-type] # an operator's


@pytest.mark.claim("C-IDENTITY")
def test_a_custodian_gets_identities_alone_with_their_own_shares(
    desk: SignedClient, deployment: Deployment
) -> None:
    deployment.case()
    custodian = desk.by(deployment.custodian)
    rows = walk(custodian)
    assert [kind_of(row) for row in rows] == [Kind.IDENTITY]
    header = Header.from_bytes(base64.b64decode(rows[0]["header"]))
    shares = open_shares(
        deployment.custodian.opens,  # type: ignore[arg-type] # a custodian's
        header,
        base64.b64decode(rows[0]["wraps"]),
    )
    assert [type(one) for one in shares] == [Share]
    evidence = next(row for row in walk(desk) if kind_of(row) is Kind.EVIDENCE)
    envelope = Header.from_bytes(base64.b64decode(evidence["header"])).envelope
    assert custodian.get(f"/v1/parts/{envelope.hex()}/1").status_code == 404


def test_a_desk_that_was_left_out_can_see_it(desk: SignedClient, deployment: Deployment) -> None:
    case = deployment.case()
    only_one = Operators(deployment.roster.evidence_keys()[:1])
    deployment.vault.append(deployment.sealed(Kind.ENTRY, case, recipients=only_one))
    row = next(one for one in walk(desk.by(deployment.operators[1])) if kind_of(one) is Kind.ENTRY)
    assert row["wraps"] == ""
    assert row["recipients"] == [deployment.roster.evidence_keys()[0].kid.hex()]


def test_the_index_can_be_asked_since_a_day(desk: SignedClient, deployment: Deployment) -> None:
    deployment.case()
    today = deployment.clock.day
    assert len(desk.get(f"/v1/index?since={today}").get_json()["envelopes"]) == 3
    page = desk.get(f"/v1/index?since={today + 1}").get_json()
    assert page == {"envelopes": [], "next": None}


@pytest.mark.parametrize(
    "query",
    [
        "after=xyz",
        "after=00",
        "limit=-1",
        "limit=abc",
        "limit=1&limit=2",
        "since=²",
        "other=1",
    ],
)
def test_a_query_that_is_not_understood_is_refused(desk: SignedClient, query: str) -> None:
    answer = desk.get(f"/v1/index?{quote(query, safe='=&')}")
    assert (answer.status_code, answer.get_json()) == (400, {"error": "query"})


@pytest.fixture
def evidence(deployment: Deployment) -> tuple[str, bytes]:
    """The address of a sealed part, and its bytes."""
    case = deployment.case()
    (found,) = deployment.vault.envelopes_of(case, [Kind.EVIDENCE])
    content = b"".join(deployment.vault.read_part(found.id, 1))
    return f"/v1/parts/{found.id.hex()}/1", content


def test_a_part_comes_whole(desk: SignedClient, evidence: tuple[str, bytes]) -> None:
    target, content = evidence
    answer = desk.get(target)
    assert (answer.status_code, answer.data) == (200, content)
    assert answer.headers["Content-Length"] == str(len(content))
    assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("0-9", 0, 9), ("10-", 10, -1), ("-10", -10, -1), ("5-9999999", 5, -1), ("7-7", 7, 7)],
)
def test_a_part_comes_from_where_it_was_broken_off(
    desk: SignedClient, evidence: tuple[str, bytes], asked: str, first: int, last: int
) -> None:
    target, content = evidence
    size = len(content)
    first, last = first % size, last % size
    answer = desk.get(target, Range=f"bytes={asked}")
    assert answer.status_code == 206
    assert answer.data == content[first : last + 1]
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{size}"


@pytest.mark.parametrize(
    "asked", ["bytes=-", "bytes=9-3", "bytes=1-2,5-6", "lines=1-2", "bytes=a-"]
)
def test_a_range_that_is_none_gives_the_whole(
    desk: SignedClient, evidence: tuple[str, bytes], asked: str
) -> None:
    target, content = evidence
    answer = desk.get(target, Range=asked)
    assert (answer.status_code, answer.data) == (200, content)


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0"])
def test_a_range_beyond_the_end_is_refused(
    desk: SignedClient, evidence: tuple[str, bytes], asked: str
) -> None:
    answer = desk.get(evidence[0], Range=asked)
    assert (answer.status_code, answer.get_json()) == (416, {"error": "range"})


def test_what_is_not_there_or_not_released_is_unknown(
    desk: SignedClient, deployment: Deployment, evidence: tuple[str, bytes]
) -> None:
    staged = deployment.sealed(Kind.EVIDENCE, new_case_id())
    deployment.vault.stage(staged)
    for target in (
        f"/v1/parts/{staged.id.hex()}/1",
        f"{evidence[0][:-1]}2",
        f"{evidence[0][:-1]}0",
        "/v1/parts/xyz/1",
        f"/v1/parts/{'0' * 32}/abc",
    ):
        answer = desk.get(target)
        assert (answer.status_code, answer.get_json()) == (404, {"error": "unknown"})


# In.


def arrival(envelope: StoredEnvelope, **changes: object) -> bytes:
    fields: dict[str, object] = {
        "header": b64(envelope.header.to_bytes()),
        "wraps": b64(envelope.wraps),
        "manifest": b64(envelope.manifest),
    }
    return json.dumps(fields | changes).encode()


def told(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["error"]


@pytest.mark.parametrize("kind", [Kind.ENTRY, Kind.REPLY])
def test_an_operators_entry_or_reply_is_kept_and_sent_twice_it_is_there_once(
    desk: SignedClient, deployment: Deployment, kind: Kind
) -> None:
    envelope = deployment.sealed(kind, deployment.case())
    for _ in range(2):
        answer = desk.post("/v1/envelopes", arrival(envelope))
        assert (answer.status_code, answer.get_json()) == (201, {"envelope": envelope.id.hex()})
    assert deployment.vault.envelopes_of(envelope.case, [kind]) == (envelope,)


@pytest.mark.parametrize("kind", [Kind.REPORT, Kind.EVIDENCE, Kind.IDENTITY, Kind.FOLLOW_UP])
def test_a_desk_cannot_bring_what_is_a_reporters(
    desk: SignedClient, deployment: Deployment, kind: Kind
) -> None:
    envelope = deployment.sealed(kind, deployment.case())
    assert told(desk.post("/v1/envelopes", arrival(envelope))) == (400, "kind")


def test_a_custodian_brings_nothing(desk: SignedClient, deployment: Deployment) -> None:
    envelope = deployment.sealed(Kind.ENTRY, deployment.case())
    answer = desk.by(deployment.custodian).post("/v1/envelopes", arrival(envelope))
    assert told(answer) == (403, "role")


def test_an_envelope_that_leaves_an_operator_out_is_refused(
    desk: SignedClient, deployment: Deployment
) -> None:
    only_one = Operators(deployment.roster.evidence_keys()[:1])
    envelope = deployment.sealed(Kind.ENTRY, deployment.case(), recipients=only_one)
    assert told(desk.post("/v1/envelopes", arrival(envelope))) == (400, "recipients")


def test_a_reply_without_the_receipts_wrap_is_refused(
    desk: SignedClient, deployment: Deployment
) -> None:
    envelope = deployment.sealed(Kind.REPLY, deployment.case())
    body = arrival(envelope, wraps=b64(envelope.wraps[148:]))
    assert told(desk.post("/v1/envelopes", body)) == (400, "recipients")


def test_an_envelope_of_an_older_roster_must_be_sealed_again(
    desk: SignedClient, deployment: Deployment
) -> None:
    envelope = deployment.sealed(Kind.ENTRY, deployment.case())
    deployment.config.roster_path.write_bytes(deployment.next_roster().note)
    assert told(desk.post("/v1/envelopes", arrival(envelope))) == (409, "roster")


def test_an_envelope_of_another_deployment_day_or_case_is_refused(
    desk: SignedClient, deployment: Deployment
) -> None:
    case = deployment.case()
    late = deployment.sealed(Kind.ENTRY, case, day=Day(deployment.clock.day - 2))
    assert told(desk.post("/v1/envelopes", arrival(late))) == (400, "day")
    elsewhere = deployment.sealed(Kind.ENTRY, case)
    header = bytearray(elsewhere.header.to_bytes())
    header[12] ^= 1
    body = arrival(elsewhere, header=b64(bytes(header)))
    assert told(desk.post("/v1/envelopes", body)) == (400, "deployment")
    nowhere = deployment.sealed(Kind.ENTRY, CaseId(bytes(16)))
    assert told(desk.post("/v1/envelopes", arrival(nowhere))) == (404, "unknown")


def test_an_id_that_is_taken_by_other_bytes_is_a_conflict(
    desk: SignedClient, deployment: Deployment
) -> None:
    envelope = deployment.sealed(Kind.ENTRY, deployment.case())
    assert desk.post("/v1/envelopes", arrival(envelope)).status_code == 201
    wraps = bytearray(envelope.wraps)
    wraps[40] ^= 1
    body = arrival(envelope, wraps=b64(bytes(wraps)))
    assert told(desk.post("/v1/envelopes", body)) == (409, "conflict")


def test_a_manifest_of_other_bytes_or_of_an_odd_length_is_refused(
    desk: SignedClient, deployment: Deployment
) -> None:
    envelope = deployment.sealed(Kind.ENTRY, deployment.case())
    for manifest, code in (
        (bytes(len(envelope.manifest)), "mismatch"),
        (envelope.manifest + b"\0", "length"),
        (b"", "length"),
    ):
        body = arrival(envelope, manifest=b64(manifest))
        assert told(desk.post("/v1/envelopes", body)) == (400, code)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"header": "AAAA"}, "envelope"),
        ({"wraps": "AAAA"}, "envelope"),
        ({"header": "é"}, "malformed"),
        ({"header": "a b"}, "malformed"),
        ({"header": 7}, "malformed"),
        ({"more": ""}, "malformed"),
    ],
)
def test_json_that_is_no_envelope_is_refused(
    desk: SignedClient, deployment: Deployment, changes: dict[str, object], code: str
) -> None:
    body = arrival(deployment.sealed(Kind.ENTRY, deployment.case()), **changes)
    assert told(desk.post("/v1/envelopes", body)) == (400, code)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(desk: SignedClient, body: bytes) -> None:
    assert told(desk.post("/v1/envelopes", body)) == (400, "malformed")


def test_a_body_that_is_too_large_is_refused_before_it_is_read(desk: SignedClient) -> None:
    body = bytes(8 * 1024 * 1024 + 1)
    assert told(desk.post("/v1/envelopes", body)) == (413, "too-large")


# All of it.


@pytest.mark.claim("C-HEADERS")
def test_every_answer_has_the_strict_headers_and_every_refusal_is_json(
    desk: SignedClient, evidence: tuple[str, bytes]
) -> None:
    answers = [
        desk.client.get("/v1/roster"),
        desk.client.get("/v1/roster?epoch=1"),
        desk.client.get("/v1/roster?epoch=7"),
        desk.get("/v1/index"),
        desk.get(evidence[0]),
        desk.get(evidence[0], Range="bytes=1-2"),
        desk.get(evidence[0], Range="bytes=99999999-"),
        desk.client.get("/v1/index"),
        desk.client.get("/nowhere"),
        desk.client.delete("/v1/roster"),
        desk.client.options("/v1/roster"),
        desk.post("/v1/envelopes", b"no"),
    ]
    for answer in answers:
        for name, value in STRICT:
            assert answer.headers.getlist(name) == [value]
        assert "Set-Cookie" not in answer.headers
        if answer.status_code >= 400:
            assert list(answer.get_json()) == ["error"]


def test_a_database_that_does_not_answer_is_said_to_be_unavailable(
    desk: SignedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ShelfUnavailable

    monkeypatch.setattr(Vault, "index", fail)
    assert told(desk.get("/v1/index")) == (503, "unavailable")


def test_a_failure_of_ours_says_nothing_but_that_it_failed_and_where(
    deployment: Deployment,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("a planted marker")

    monkeypatch.setattr(Vault, "index", fail)
    app = create_sync(config=deployment.config, vault=deployment.vault, rosters=deployment.rosters)
    deployment.clock.seconds = int(time.time())
    desk = SignedClient(app.test_client(), deployment.operators[0].api, deployment.clock)
    answer = desk.get("/v1/index?after=" + "ab" * 16)
    assert told(answer) == (500, "failed")
    written = "".join(capfd.readouterr())
    assert "KeyError at sync/test_door.py" in written
    assert not any(word in written + answer.text for word in ("marker", "abab", "127.0.0.1"))
