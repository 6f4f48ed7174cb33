"""The rehearsal makes what is missing, keeps what is there, and renews a roster that is ending."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from demo.__main__ import Setting, invitation, main
from demo.conductor import Address
from demo.rehearsal import Places, phrase, prepare, run
from tests.support.ports import free_ports

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    made = Places(tmp_path_factory.mktemp("rehearsal") / "home")
    prepare(made, lambda _: None)
    return made


def shown(places: Places) -> dict[str, object]:
    """What the rehearsal's roster says."""
    public = ["--root-public", str(places.root / "root.pub")]
    said: dict[str, object] = json.loads(
        run(["amana-root", "show", "--json", str(places.roster), *public])
    )
    return said


def test_the_keys_say_that_they_are_for_a_rehearsal(places: Places) -> None:
    roster = shown(places)
    assert roster["verified"] is True
    assert roster["rehearsal"] is True
    members = roster["members"]
    assert isinstance(members, list)
    assert [member["role"] for member in members] == ["operator", "operator", "custodian"]
    assert all("rehearsal" in member["label"] for member in members)


def test_a_second_run_keeps_what_was_there(places: Places) -> None:
    before = {path: path.read_bytes() for path in places.home.rglob("*.note")}
    secrets = {path: path.read_bytes() for path in (places.gateway / "secrets").iterdir()}
    assert len(secrets) == 2
    announced: list[str] = []
    prepare(places, announced.append)
    assert announced == []
    assert {path: path.read_bytes() for path in places.home.rglob("*.note")} == before
    assert {path: path.read_bytes() for path in (places.gateway / "secrets").iterdir()} == secrets


def test_a_roster_about_to_expire_is_signed_anew_and_given_to_the_gateway(places: Places) -> None:
    epoch = shown(places)["epoch"]
    assert isinstance(epoch, int)
    short = places.home / "short.note"
    files = ["--root", str(places.root), "--previous", str(places.roster), "--out", str(short)]
    run(["amana-root", "renew", *files, "--days", "3", "--yes", *phrase(places)])
    short.replace(places.roster)
    run(["amana-gateway", "roster", str(places.roster), "--home", str(places.home)])
    announced: list[str] = []
    prepare(places, announced.append)
    assert announced == ["the roster is about to expire: signing it anew"]
    assert shown(places)["epoch"] == epoch + 2
    assert (places.gateway / "roster.note").read_bytes() == places.roster.read_bytes()


def test_the_invitation_names_the_three_addresses_and_where_things_are(places: Places) -> None:
    address = Address("127.0.0.1", 1)
    setting = Setting(places, address, Address("127.0.0.1", 2), Address("127.0.0.1", 3))
    said = invitation(setting, "http://127.0.0.1:3/link/x")
    for word in ("REHEARSAL", "127.0.0.1:1", "127.0.0.1:2", "/link/x", str(places.home)):
        assert word in said
    for name in ("operator-2", "custodian-1"):
        assert f"AMANA_DESK_HOME={places.desk(name)}" in said


def test_an_address_that_is_none_ends_the_rehearsal_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AMANA_SYNC_BIND", "nowhere")
    assert main() == 1
    assert "HOST:PORT" in capsys.readouterr().err


def test_a_home_that_cannot_be_made_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("a file where a folder should be")
    monkeypatch.setenv("AMANA_HOME", str(tmp_path / "file"))
    for name, port in zip(("SITE", "SYNC", "DESK"), free_ports(3), strict=True):
        monkeypatch.setenv(f"AMANA_{name}_BIND", f"127.0.0.1:{port}")
    assert main() == 1
    assert "could not go on" in capsys.readouterr().err
