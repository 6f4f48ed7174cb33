"""Keys at rest, what is pinned, and what is asked for."""

from __future__ import annotations

import io
import stat
from pathlib import Path

import click
import pytest

from desk.config import DeskHome, Membership, server_address
from desk.errors import (
    KeyringExists,
    KeyringMissing,
    NotEnrolled,
    PassphraseMissing,
    PassphraseWrong,
    ServerMalformed,
)
from desk.keyring import Keyring
from desk.passphrase import ask
from tests.desk.world import CHEAP, PASSPHRASE, make_home


@pytest.mark.parametrize("custodian", [False, True])
def test_keys_come_back_with_the_passphrase_and_in_their_role(
    tmp_path: Path, *, custodian: bool
) -> None:
    ring = Keyring.generate("Aïcha أمينة", custodian=custodian)
    home = make_home(tmp_path / "desk", ring)
    again = Keyring.load(home, PASSPHRASE)
    assert again.enrolment == ring.enrolment
    assert again.role == ("custodian" if custodian else "operator")
    assert stat.S_IMODE(home.keys.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.folder.stat().st_mode) == 0o700


def test_a_wrong_passphrase_is_said_to_be_wrong(tmp_path: Path) -> None:
    home = make_home(tmp_path, Keyring.generate("a"))
    with pytest.raises(PassphraseWrong, match="Caps Lock"):
        Keyring.load(home, PASSPHRASE + "x")


def test_a_damaged_key_file_does_not_open(tmp_path: Path) -> None:
    home = make_home(tmp_path, Keyring.generate("a"))
    home.keys.write_bytes(home.keys.read_bytes()[:-1])
    with pytest.raises(PassphraseWrong):
        Keyring.load(home, PASSPHRASE)


def test_keys_are_never_overwritten(tmp_path: Path) -> None:
    home = make_home(tmp_path, Keyring.generate("a"))
    before = home.keys.read_bytes()
    with pytest.raises(KeyringExists):
        Keyring.generate("b").save(home, PASSPHRASE, cost=CHEAP)
    assert home.keys.read_bytes() == before


def test_a_desk_without_keys_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(KeyringMissing, match="keygen"):
        Keyring.load(DeskHome(tmp_path), PASSPHRASE)


def test_keys_are_not_sealed_under_nothing(tmp_path: Path) -> None:
    with pytest.raises(PassphraseMissing):
        Keyring.generate("a").save(DeskHome(tmp_path), "", cost=CHEAP)


def test_no_private_key_shows_in_a_repr() -> None:
    ring = Keyring.generate("a")
    assert ring.sign.seed.hex() not in repr(ring)
    assert repr(ring) == "Keyring(label='a')"


def test_the_environment_says_where_things_are(tmp_path: Path) -> None:
    home = DeskHome.from_environment(
        {"AMANA_DESK_HOME": str(tmp_path), "AMANA_DESK_PASSPHRASE_FILE": "/run/secret"}
    )
    assert (home.folder, home.passphrase_file) == (tmp_path, Path("/run/secret"))
    usual = DeskHome.from_environment({})
    assert usual.folder == Path("~/.amana-desk").expanduser()
    assert usual.passphrase_file is None


def test_what_is_pinned_comes_back(tmp_path: Path) -> None:
    pinned = Membership("https://sync.example.org", "ab" * 32, 3, "cd" * 32)
    pinned.save(tmp_path / "desk.json")
    assert Membership.load(tmp_path / "desk.json") == pinned
    assert stat.S_IMODE((tmp_path / "desk.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"server": "x", "root_public": "zz", "epoch": 1, "roster_hash": "00", "v": 1}',
        '{"server": "x", "root_public": "00", "epoch": 1, "roster_hash": "00", "v": 1}',
        '{"server": "x", "root_public": "'
        + "00" * 32
        + '", "epoch": true, "roster_hash": "'
        + "00" * 32
        + '", "v": 1}',
        '{"server": "x", "root_public": "'
        + "00" * 32
        + '", "epoch": 1, "roster_hash": "'
        + "00" * 32
        + '", "v": 2}',
    ],
)
def test_a_damaged_pin_is_no_pin(tmp_path: Path, content: str) -> None:
    (tmp_path / "desk.json").write_text(content)
    with pytest.raises(NotEnrolled, match="damaged"):
        Membership.load(tmp_path / "desk.json")


def test_a_desk_that_is_not_enrolled_says_how_to_be(tmp_path: Path) -> None:
    with pytest.raises(NotEnrolled, match="amana-desk enrol"):
        Membership.load(tmp_path / "desk.json")


def test_a_servers_address_is_a_scheme_a_host_and_a_port() -> None:
    assert server_address(" https://Sync.Example.org/ ") == "https://sync.example.org"
    assert server_address("http://127.0.0.1:8001") == "http://127.0.0.1:8001"
    for bad in (
        "sync.example.org", "ftp://a", "http://", "http://a/b", "http://a?b", "http://u@a",
        "http://a:65536", "http://a:x", "http://a:0", "http://[::1", "http://a b", "http://:80",
    ):  # fmt: skip
        with pytest.raises(ServerMalformed):
            server_address(bad)


def test_a_passphrase_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "phrase"
    file.write_text("six words drawn by dice today\r\nnot this\n")
    assert ask(DeskHome(tmp_path), file) == "six words drawn by dice today"
    assert ask(DeskHome(tmp_path, passphrase_file=file), None) == "six words drawn by dice today"
    with pytest.raises(PassphraseMissing, match="cannot be read"):
        ask(DeskHome(tmp_path), tmp_path / "absent")


def test_a_new_passphrase_is_not_short(tmp_path: Path) -> None:
    file = tmp_path / "phrase"
    file.write_text("short\n")
    assert ask(DeskHome(tmp_path), file) == "short"
    with pytest.raises(PassphraseMissing, match="12 characters"):
        ask(DeskHome(tmp_path), file, new=True)


def test_without_a_terminal_and_a_file_nobody_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("typed\n"))
    with pytest.raises(PassphraseMissing, match="--passphrase-file"):
        ask(DeskHome(tmp_path), None)


@pytest.mark.parametrize("new", [False, True])
def test_at_a_terminal_the_passphrase_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, new: bool
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    asked: list[object] = []

    def prompt(words: str, **how: object) -> str:
        asked.extend([words, how["hide_input"], bool(how["confirmation_prompt"])])
        return "six words drawn by dice today"

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(click, "prompt", prompt)
    assert ask(DeskHome(tmp_path), None, new=new) == "six words drawn by dice today"
    assert asked == ["New passphrase" if new else "Passphrase", True, new]
