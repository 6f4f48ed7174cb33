"""A gateway's folder: made once, for one user, and never overwritten."""

from __future__ import annotations

import os
import stat
import threading
import time
from typing import TYPE_CHECKING

import pytest

from crypto.roster import RootPublicKey
from crypto.signing import SigningPrivateKey
from gateway.config import GatewayConfig
from gateway.errors import AlreadyInitialised, ConfigRefused, NoValidRoster
from gateway.home import initialise, install_roster, read_note, sweep_spool
from gateway.programs import (
    current_roster,
    make_site,
    make_sync,
    open_vault,
    read_root,
    site_program,
    sync_program,
)
from vault.errors import NotMigrated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gateway.server import Program
    from tests.gateway.deployment import Deployment


def test_everything_in_the_home_is_for_its_user_alone(deployment: Deployment) -> None:
    home = deployment.config.home
    folders = [home, *(path for path in home.iterdir() if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
    for path in (*deployment.config.secrets.iterdir(), deployment.config.roster_path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_home_is_made_once(deployment: Deployment) -> None:
    pepper = deployment.config.pepper_path.read_bytes()
    with pytest.raises(AlreadyInitialised, match="ready already") as again:
        initialise(deployment.config, deployment.root_public, deployment.roster.note)
    assert again.value.same
    stranger = RootPublicKey(SigningPrivateKey.generate().public.raw)
    with pytest.raises(AlreadyInitialised, match="another root") as other:
        initialise(deployment.config, stranger, deployment.roster.note)
    assert not other.value.same
    assert deployment.config.pepper_path.read_bytes() == pepper
    assert read_root(deployment.config) == deployment.root_public


def test_an_interrupted_beginning_is_completed_with_the_same_pepper(
    deployment: Deployment,
) -> None:
    config = deployment.config
    pepper = config.pepper_path.read_bytes()
    config.root_public_path.unlink()
    config.token_key_path.unlink()
    initialise(config, deployment.root_public, deployment.roster.note)
    assert config.pepper_path.read_bytes() == pepper
    assert len(config.token_key_path.read_bytes()) == 32


@pytest.mark.claim("C-ROSTER")
def test_a_home_is_not_made_with_a_roster_of_another_root(
    deployment: Deployment, tmp_path: Path
) -> None:
    config = GatewayConfig.from_environment({"AMANA_HOME": str(tmp_path / "other")})
    stranger = RootPublicKey(SigningPrivateKey.generate().public.raw)
    with pytest.raises(NoValidRoster):
        initialise(config, stranger, deployment.roster.note)
    assert not config.root_public_path.exists()


@pytest.mark.claim("C-ROSTER")
def test_a_roster_that_is_refused_leaves_the_one_in_force(deployment: Deployment) -> None:
    renewed = deployment.next_roster()
    install_roster(deployment.config, deployment.root_public, renewed.note)
    with pytest.raises(NoValidRoster, match="rolled back"):
        install_roster(deployment.config, deployment.root_public, deployment.roster.note)
    assert deployment.rosters.get() == renewed


def test_a_roster_file_that_cannot_be_one_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigRefused, match="cannot be read"):
        read_note(tmp_path / "missing")
    (tmp_path / "large").write_bytes(bytes(256 * 1024 + 1))
    with pytest.raises(ConfigRefused, match="too large"):
        read_note(tmp_path / "large")


def test_a_root_key_that_is_missing_or_broken_is_named(deployment: Deployment) -> None:
    path = deployment.config.root_public_path
    for content in (b"nonsense\n", b"\xff"):
        path.write_bytes(content)
        with pytest.raises(ConfigRefused, match=r"root\.pub"):
            read_root(deployment.config)
    path.unlink()
    with pytest.raises(ConfigRefused, match=r"root\.pub"):
        read_root(deployment.config)


def test_spools_that_a_crash_left_are_removed_after_a_day(deployment: Deployment) -> None:
    old, new = deployment.config.spool / "old", deployment.config.spool / "new"
    for path in (old, new):
        path.write_bytes(b"ciphertext")
    yesterday = time.time() - 90_000
    os.utime(old, (yesterday, yesterday))
    assert sweep_spool(deployment.config) == 1
    assert list(deployment.config.spool.iterdir()) == [new]


def test_both_applications_are_made_from_a_home(deployment: Deployment) -> None:
    assert make_sync(deployment.config).test_client().get("/v1/roster").status_code == 200
    assert make_site(deployment.config).test_client().get("/").status_code == 200
    assert site_program(deployment.config).bind == deployment.config.site_bind
    assert sync_program(deployment.config).make().test_client().get("/").status_code == 404


@pytest.mark.parametrize("door", [site_program, sync_program])
def test_jailed_workers_are_made_with_the_site_and_not_with_the_sync(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, door: Callable[..., Program]
) -> None:
    made = threading.Event()
    monkeypatch.setattr("gateway.programs.make_ready", made.set)
    door(deployment.config).make()
    assert made.wait(5 if door is site_program else 0.2) == (door is site_program)


@pytest.mark.claim("C-ROSTER")
def test_a_worker_that_is_born_after_the_roster_is_gone_answers_that_it_accepts_nothing(
    deployment: Deployment,
) -> None:
    deployment.config.roster_path.unlink()
    assert make_sync(deployment.config).test_client().get("/v1/roster").status_code == 503


def test_no_application_is_made_without_a_home(tmp_path: Path) -> None:
    config = GatewayConfig.from_environment({"AMANA_HOME": str(tmp_path)})
    config.blobs.mkdir(parents=True)
    with pytest.raises(NotMigrated):
        open_vault(config)


def test_the_watch_is_on_the_roster_of_this_home(deployment: Deployment) -> None:
    vault = open_vault(deployment.config)
    assert current_roster(deployment.config, vault).get() == deployment.roster
    vault.close()
