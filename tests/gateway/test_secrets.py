"""The two secrets of a gateway: drawn once, for its user alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.errors import SecretsRefused
from gateway.secrets import GatewaySecrets

if TYPE_CHECKING:
    from tests.gateway.deployment import Deployment


def test_secrets_are_drawn_once_and_never_shown(deployment: Deployment) -> None:
    first = GatewaySecrets.load(deployment.config)
    GatewaySecrets.create(deployment.config)
    assert GatewaySecrets.load(deployment.config) == first
    assert first.pepper.raw != first.token_key
    assert str(first.token_key) not in repr(first)
    assert str(first.pepper.raw) not in repr(first)


def test_a_secret_that_others_can_read_is_refused(deployment: Deployment) -> None:
    deployment.config.pepper_path.chmod(0o640)
    with pytest.raises(SecretsRefused, match="0600"):
        GatewaySecrets.load(deployment.config)


def test_a_secret_of_another_length_is_refused(deployment: Deployment) -> None:
    for content in (b"", bytes(31), bytes(33)):
        deployment.config.token_key_path.write_bytes(content)
        with pytest.raises(SecretsRefused, match="exactly 32"):
            GatewaySecrets.load(deployment.config)


def test_a_secret_that_is_missing_or_only_points_elsewhere_is_refused(
    deployment: Deployment,
) -> None:
    path = deployment.config.pepper_path
    moved = path.rename(path.with_name("moved"))
    with pytest.raises(SecretsRefused, match="init"):
        GatewaySecrets.load(deployment.config)
    path.symlink_to(moved)
    with pytest.raises(SecretsRefused, match="init"):
        GatewaySecrets.load(deployment.config)
