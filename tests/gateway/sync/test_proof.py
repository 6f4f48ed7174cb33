"""Who is let in at the desks' door, and who is not."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from crypto.ids import Day
from crypto.signing import SigningPrivateKey
from gateway.programs import open_vault
from gateway.roster_watch import CurrentRoster
from gateway.sync.app import create_sync
from tests.gateway.deployment import HOST, SignedClient

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.gateway.deployment import Deployment

INDEX = "/v1/index?limit=5"


def refused(answer: TestResponse) -> str:
    assert answer.status_code == 401
    return str(answer.get_json()["error"])


def test_an_operator_of_the_roster_is_let_in(desk: SignedClient) -> None:
    assert desk.get(INDEX).status_code == 200


def test_nobody_is_let_in_without_a_signature(desk: SignedClient) -> None:
    assert refused(desk.client.get(INDEX)) == "headers"
    assert refused(desk.client.post("/v1/envelopes", data=b"{}")) == "headers"
    assert refused(desk.client.get(f"/v1/parts/{'0' * 32}/1")) == "headers"


def test_a_stranger_with_a_good_signature_is_not_let_in(desk: SignedClient) -> None:
    stranger = SignedClient(desk.client, SigningPrivateKey.generate(), desk.clock)
    assert refused(stranger.get(INDEX)) == "unknown-key"


def test_an_operators_signing_key_does_not_open_the_door(
    desk: SignedClient, deployment: Deployment
) -> None:
    other = SignedClient(desk.client, deployment.operators[0].sign, desk.clock)
    assert refused(other.get(INDEX)) == "unknown-key"


@pytest.mark.claim("C-REPLAY")
def test_a_request_sent_twice_is_refused_the_second_time_by_any_worker(
    desk: SignedClient, deployment: Deployment
) -> None:
    # Another worker: its own connections to the same database, its own watch on the roster.
    vault = open_vault(deployment.config)
    rosters = CurrentRoster(
        deployment.config.roster_path, deployment.root_public, vault, deployment.clock
    )
    other = create_sync(
        config=deployment.config, vault=vault, rosters=rosters, clock=deployment.clock
    )
    headers = desk.signed("GET", INDEX)
    assert desk.client.get(INDEX, headers=headers).status_code == 200
    assert refused(other.test_client().get(INDEX, headers=headers)) == "replay"
    assert refused(desk.client.get(INDEX, headers=headers)) == "replay"
    vault.close()


def test_a_request_that_was_refused_does_not_use_up_its_nonce(desk: SignedClient) -> None:
    headers = desk.signed("GET", INDEX)
    assert refused(desk.client.get("/v1/index?limit=6", headers=headers)) == "signature"
    assert desk.client.get(INDEX, headers=headers).status_code == 200


def test_an_old_request_is_stale(desk: SignedClient) -> None:
    headers = desk.signed("GET", INDEX)
    desk.clock.seconds += 61
    assert refused(desk.client.get(INDEX, headers=headers)) == "stale"


@pytest.mark.parametrize(
    ("method", "target", "body", "host"),
    [
        ("GET", "/v1/index?limit=6", b"", HOST),
        ("GET", "/v1/index", b"", HOST),
        ("GET", "/v1/index?limit=5&limit=5", b"", HOST),
        ("HEAD", INDEX, b"", HOST),
        ("GET", INDEX, b"", "elsewhere"),
        ("GET", INDEX, b"more", HOST),
        ("GET", f"/v1/parts/{'0' * 32}/1?limit=5", b"", HOST),
    ],
)
def test_a_signature_is_good_for_one_method_path_query_body_and_host(
    desk: SignedClient, method: str, target: str, body: bytes, host: str
) -> None:
    headers = desk.signed("GET", INDEX) | {"Host": host}
    answer = desk.client.open(target, method=method, data=body, headers=headers)
    assert answer.status_code == 401


def test_a_path_that_is_spelled_in_another_way_is_refused(desk: SignedClient) -> None:
    target = "/v1/%69ndex?limit=5"
    answer = desk.client.get(
        INDEX, headers=desk.signed("GET", target), environ_overrides={"RAW_URI": target}
    )
    assert (answer.status_code, answer.get_json()) == (400, {"error": "path"})


def test_where_the_administrator_names_the_host_that_name_counts(
    desk: SignedClient, deployment: Deployment
) -> None:
    config = dataclasses.replace(deployment.config, sync_authority="desks.example")
    app = create_sync(
        config=config,
        vault=deployment.vault,
        rosters=deployment.rosters,
        clock=deployment.clock,
    )
    assert refused(app.test_client().get(INDEX, headers=desk.signed("GET", INDEX))) == "signature"


@pytest.mark.claim("C-ROSTER")
def test_whoever_left_the_roster_is_let_in_no_more(
    desk: SignedClient, deployment: Deployment
) -> None:
    stays, leaves = deployment.roster.operators
    renewed = SigningPrivateKey.generate()
    other = dataclasses.replace(leaves, api=renewed.public)
    note = deployment.next_roster(operators=(stays, other)).note
    deployment.config.roster_path.write_bytes(note)
    assert refused(desk.by(deployment.operators[1]).get(INDEX)) == "unknown-key"
    assert SignedClient(desk.client, renewed, desk.clock).get(INDEX).status_code == 200


@pytest.mark.claim("C-ROSTER")
def test_without_a_valid_roster_the_door_is_shut(
    desk: SignedClient, deployment: Deployment
) -> None:
    deployment.clock.day = Day(deployment.roster.not_after + 1)
    for answer in (desk.get(INDEX), desk.client.get("/v1/roster")):
        assert (answer.status_code, answer.get_json()) == (503, {"error": "roster"})
