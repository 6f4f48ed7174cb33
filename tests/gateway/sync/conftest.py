"""The sync door of one deployment, and an operator before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.sync.app import create_sync
from tests.gateway.deployment import SignedClient

if TYPE_CHECKING:
    from tests.gateway.deployment import Deployment


@pytest.fixture
def desk(deployment: Deployment) -> SignedClient:
    app = create_sync(
        config=deployment.config,
        vault=deployment.vault,
        rosters=deployment.rosters,
        clock=deployment.clock,
    )
    return SignedClient(app.test_client(), deployment.operators[0].api, deployment.clock)
