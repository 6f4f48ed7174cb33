"""Which roster is in force: renewed without a restart, and never an older one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from crypto.ids import Day
from crypto.signing import SigningPrivateKey
from gateway import roster_watch
from gateway.errors import NoValidRoster
from gateway.home import write_durably
from gateway.roster_watch import CurrentRoster, remember_roster
from vault.errors import RosterBehind
from vault.vault import Vault

if TYPE_CHECKING:
    from tests.gateway.deployment import Deployment

pytestmark = pytest.mark.claim("C-ROSTER")


def test_a_roster_put_in_place_is_in_force_at_the_next_question(deployment: Deployment) -> None:
    assert deployment.rosters.get() == deployment.roster
    renewed = deployment.next_roster()
    write_durably(deployment.config.roster_path, renewed.note)
    assert deployment.rosters.get() == renewed
    highest = deployment.vault.highest_roster()
    assert highest is not None
    assert (highest.epoch, highest.hash) == (2, renewed.hash)


def test_a_roster_that_did_not_change_is_not_verified_again(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.rosters.get()
    monkeypatch.setattr(roster_watch, "verify_roster", None)
    assert deployment.rosters.get() == deployment.roster


def test_a_roster_that_expires_overnight_is_no_longer_in_force(deployment: Deployment) -> None:
    deployment.clock.day = deployment.roster.not_after
    deployment.rosters.get()
    deployment.clock.day = Day(deployment.roster.not_after + 1)
    with pytest.raises(NoValidRoster, match="expired"):
        deployment.rosters.get()
    deployment.clock.day = deployment.roster.not_after
    assert deployment.rosters.get() == deployment.roster


def test_a_rolled_back_roster_is_refused_by_every_worker_and_stops_the_gateway(
    deployment: Deployment,
) -> None:
    write_durably(deployment.config.roster_path, deployment.next_roster().note)
    deployment.rosters.get()
    write_durably(deployment.config.roster_path, deployment.roster.note)
    other = CurrentRoster(
        deployment.config.roster_path, deployment.root_public, deployment.vault, deployment.clock
    )
    for worker in (deployment.rosters, other):
        with pytest.raises(NoValidRoster, match="rolled back"):
            worker.get()


def test_another_roster_of_the_same_epoch_is_refused(deployment: Deployment) -> None:
    deployment.rosters.get()
    fork = deployment.next_roster(
        epoch=1, previous=bytes(32), not_after=deployment.roster.not_after - 1
    )
    write_durably(deployment.config.roster_path, fork.note)
    with pytest.raises(NoValidRoster, match="another roster"):
        deployment.rosters.get()


def test_a_roster_of_another_root_is_refused(deployment: Deployment) -> None:
    deployment.root = SigningPrivateKey.generate()
    note = deployment.next_roster(deployment=deployment.root_public.deployment).note
    deployment.config.roster_path.write_bytes(note)
    with pytest.raises(NoValidRoster, match="another root"):
        deployment.rosters.get()


def test_a_missing_or_broken_file_stops_the_gateway_and_a_good_one_starts_it_again(
    deployment: Deployment,
) -> None:
    deployment.rosters.get()
    path = deployment.config.roster_path
    path.unlink()
    with pytest.raises(NoValidRoster, match="no roster file"):
        deployment.rosters.get()
    path.write_bytes(b"half a no")
    for _ in range(2):
        with pytest.raises(NoValidRoster):
            deployment.rosters.get()
    write_durably(path, deployment.roster.note)
    assert deployment.rosters.get() == deployment.roster


def test_a_file_of_the_same_size_and_time_is_still_noticed(deployment: Deployment) -> None:
    deployment.rosters.get()
    path = deployment.config.roster_path
    before = path.stat()
    path.write_bytes(bytes(before.st_size))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(NoValidRoster):
        deployment.rosters.get()


def test_a_worker_that_is_overtaken_by_a_newer_roster_does_not_use_its_own(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(*_: object) -> None:
        raise RosterBehind

    monkeypatch.setattr(Vault, "save_roster", overtaken)
    with pytest.raises(NoValidRoster, match="newer"):
        remember_roster(deployment.roster, deployment.vault)
