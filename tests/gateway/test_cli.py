"""The gateway's program, as its administrator runs it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from crypto.ids import new_case_id
from crypto.signing import SigningPrivateKey
from crypto.token import TokenKey
from gateway import check as check_module
from gateway import cli as cli_module
from gateway.check import Finding, check, jail_findings
from gateway.cli import cli, main
from gateway.clock import SystemClock
from gateway.errors import AlreadyInitialised, ConfigRefused, NoValidRoster
from gateway.secrets import GatewaySecrets
from gateway.windows import ReceiptWindows
from sanitizer.errors import JailUnavailable
from vault.outside import NewCase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result

    from gateway.config import GatewayConfig
    from gateway.server import Program
    from tests.gateway.deployment import Deployment


@pytest.fixture
def public(deployment: Deployment, tmp_path: Path) -> Path:
    """What the keyholder of the root hands over: root.pub and roster.note."""
    (tmp_path / "root.pub").write_text(deployment.root_public.to_text())
    (tmp_path / "roster.note").write_bytes(deployment.roster.note)
    return tmp_path


def run(*arguments: str | Path, **environment: str) -> Result:
    done = CliRunner().invoke(cli, [str(one) for one in arguments], env=environment)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def init(public: Path, home: Path) -> Result:
    given = ("--root-public", public / "root.pub", "--roster", public / "roster.note")
    return run("init", *given, "--home", home)


def test_init_makes_a_home_and_a_second_one_changes_nothing(public: Path) -> None:
    first = init(public, public / "new")
    assert first.exit_code == 0
    assert "is ready" in first.output
    assert "REHEARSAL" in first.output
    pepper = (public / "new" / "gateway" / "secrets" / "pepper").read_bytes()
    assert pepper.hex() not in first.output
    second = init(public, public / "new")
    assert second.exit_code == 0
    assert "nothing was changed" in second.output
    assert (public / "new" / "gateway" / "secrets" / "pepper").read_bytes() == pepper


def test_init_refuses_a_home_and_a_key_that_cannot_be_read(public: Path) -> None:
    init(public, public / "new")
    (public / "new" / "gateway" / "root.pub").write_text("amana-root+00000000+" + "A" * 44 + "\n")
    with pytest.raises(ConfigRefused):
        init(public, public / "new")
    (public / "root.pub").write_bytes(b"\xff")
    with pytest.raises(ConfigRefused, match="cannot be read"):
        init(public, public / "newer")


def test_init_of_another_root_is_an_error(deployment: Deployment, public: Path) -> None:
    init(public, public / "new")
    deployment.root = SigningPrivateKey.generate()
    (public / "root.pub").write_text(deployment.root_public.to_text())
    with pytest.raises(AlreadyInitialised, match="another root"):
        init(public, public / "new")


def test_the_home_is_taken_from_the_environment(deployment: Deployment, public: Path) -> None:
    (public / "next.note").write_bytes(deployment.next_roster().note)
    done = run("roster", public / "next.note", AMANA_HOME=str(deployment.config.home.parent))
    assert "epoch 2" in done.output
    assert deployment.rosters.get().epoch == 2
    with pytest.raises(NoValidRoster, match="rolled back"):
        run("roster", public / "roster.note", "--home", deployment.config.home.parent)


def test_expire_says_what_was_forgotten(deployment: Deployment) -> None:
    done = run("expire", "--home", deployment.config.home.parent)
    said = "forgot 0 abandoned uploads, 0 files, 0 nonces, 0 spools, 0 receipt windows\n"
    assert done.output == said


@pytest.mark.claim("C-DAY")
def test_expire_closes_the_receipt_windows_that_a_crash_left_and_no_younger_one(
    deployment: Deployment,
) -> None:
    key = TokenKey(GatewaySecrets.load(deployment.config).token_key)
    deployment.clock.seconds = SystemClock().now()
    windows = ReceiptWindows(deployment.vault, key, deployment.clock)
    cases = []
    for age in (0, 3600):
        deployment.clock.seconds -= age
        case = NewCase(new_case_id(), secrets.token_bytes(32), bytes(92), windows.sealed_now())
        deployment.vault.accept_report(case, [])
        cases.append(case)
    done = run("expire", "--home", deployment.config.home.parent)
    assert done.output.endswith(", 1 receipt windows\n")
    young, old = (deployment.vault.case(case.case_id) for case in cases)
    assert young is not None
    assert old is not None
    assert young.receipt_window == cases[0].receipt_window
    assert old.receipt_window != cases[1].receipt_window


# check


def looked(deployment: Deployment) -> dict[str, Finding]:
    return {one.what: one for one in check(deployment.config, jail_findings)}


def test_check_finds_a_good_gateway_good_and_says_that_its_keys_are_a_rehearsals(
    deployment: Deployment,
) -> None:
    found = looked(deployment)
    assert [one for one in found.values() if one.state == "wrong"] == []
    assert found["roster"].state == "note"
    assert "REHEARSAL" in found["roster"].found
    assert found["root"].found == deployment.root_public.fingerprint
    assert found["database secure_delete"].found == "1"


@pytest.mark.parametrize("what", ["folder blobs", "secrets", "roster", "database", "sanitizer"])
def test_check_finds_what_is_wrong_and_looks_at_the_rest(
    deployment: Deployment, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = deployment.config

    def no_jail() -> None:
        raise JailUnavailable("no jail here")

    breaks: dict[str, Callable[[], object]] = {
        "folder blobs": lambda: config.blobs.chmod(0o750),
        "secrets": lambda: config.pepper_path.chmod(0o644),
        "roster": lambda: config.roster_path.write_bytes(b"no roster"),
        "database": lambda: (config.home / "vault.sqlite").rename(config.home / "gone"),
        "sanitizer": lambda: monkeypatch.setattr(check_module, "ffmpeg_jail", no_jail),
    }
    breaks[what]()
    found = looked(deployment)
    assert found[what].state == "wrong"
    # A database that is not there takes the roster's highest epoch with it.
    others = {name for name, one in found.items() if one.state == "wrong"} - {what}
    assert others == ({"roster"} if what == "database" else set())


def test_check_says_when_videos_cannot_be_cleaned_here(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoJail:
        def describe(self) -> dict[str, object]:
            return {"usable": False, "seccomp": False, "landlock_abi": 0, "rlimits": ["AS"]}

    monkeypatch.setattr(check_module, "ffmpeg_jail", NoJail)
    found = looked(deployment)
    assert (found["jail"].state, found["jail seccomp"].state) == ("wrong", "note")
    assert found["jail rlimits"].found == "AS"


def test_check_says_what_is_left_where_no_worker_can_be_locked(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert looked(deployment)["workers"].state == "ok"
    monkeypatch.setattr(check_module, "shared_pool", lambda: None)
    found = looked(deployment)["workers"]
    assert found.state == "wrong"
    assert "JPEG, PNG" in found.found


def test_check_notes_swap_and_its_absence(tmp_path: Path) -> None:
    swaps = tmp_path / "swaps"
    for lines, state in (("Filename\n", "ok"), ("Filename\n/dev/sda2 partition\n", "note")):
        swaps.write_text(lines)
        assert [one.state for one in check_module._swap(swaps)] == [state]


def test_check_ends_with_an_error_when_something_is_wrong(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fine() -> Iterator[Finding]:
        yield Finding("jail", "ok", "yes")

    monkeypatch.setattr(cli_module, "jail_findings", fine)
    where = ("--home", deployment.config.home.parent)
    good = run("check", "--json", *where)
    assert good.exit_code == 0
    assert {one["state"] for one in json.loads(good.output)} <= {"ok", "note"}
    deployment.config.spool.chmod(0o755)
    bad = run("check", *where)
    assert bad.exit_code == 1
    assert "wrong  folder spool: mode 0755" in bad.output


# serve, and the program itself


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Program, GatewayConfig]]:
    calls: list[tuple[Program, GatewayConfig]] = []
    monkeypatch.setattr(cli_module, "serve", lambda *given: calls.append(given))
    return calls


def test_serve_takes_what_the_command_line_says(
    deployment: Deployment, served: list[tuple[Program, GatewayConfig]]
) -> None:
    where = ("--home", deployment.config.home.parent)
    run("serve", "sync", "--bind", "127.0.0.1:1", "--workers", "3", "--threads", "5", *where)
    run("serve", "site", *where)
    (sync, given), (site, defaults) = served
    assert (sync.name, sync.bind, given.workers, given.threads) == ("sync", "127.0.0.1:1", 3, 5)
    assert (site.name, site.bind, defaults.workers) == ("site", "127.0.0.1:8000", 2)
    with pytest.raises(ConfigRefused, match="--bind"):
        run("serve", "site", "--bind", "nowhere", *where)


@pytest.mark.claim("C-ROSTER")
def test_serve_refuses_to_start_without_a_valid_roster(
    deployment: Deployment, served: list[Any]
) -> None:
    deployment.config.roster_path.write_bytes(b"no roster")
    for which in ("site", "sync"):
        with pytest.raises(NoValidRoster):
            run("serve", which, "--home", deployment.config.home.parent)
    assert served == []


def test_an_error_is_one_line_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = os.umask(0o022)
    monkeypatch.setattr(sys, "argv", ["amana-gateway", "expire", "--home", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert os.umask(before) == 0o077
    assert ended.value.code == 1
    assert capsys.readouterr().err == "amana-gateway: the folder of blobs is not there\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("init --root-public root.pub --roster roster.note --home /dev/null", "Not a directory"),
        ("init --root-public /dev/zero --roster roster.note --home made", "not a root's public"),
        ("--help > /dev/full", "No space left on device"),
        ("check --home made > /dev/full", "No space left on device"),
    ],
    ids=["a device", "without an end", "no room at once", "no room"],
)
def test_what_the_machine_refuses_is_one_line(public: Path, arguments: str, said: str) -> None:
    line = f"{Path(sys.executable).parent / 'amana-gateway'} {arguments}"
    done = subprocess.run(
        ["sh", "-c", line], cwd=public, env={**os.environ, "PYTHONUNBUFFERED": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert said in done.stderr
    assert "Errno" not in done.stderr


@pytest.mark.parametrize("which", ["site", "sync"])
def test_serve_without_a_home_says_how_one_is_made(which: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigRefused, match="amana-gateway init"):
        run("serve", which, "--home", tmp_path)


def test_the_program_is_installed_and_says_how_it_is_used() -> None:
    program = Path(sys.executable).parent / "amana-gateway"
    done = subprocess.run([program, "-h"], capture_output=True, text=True, check=True)
    for command in ("init", "serve", "roster", "check", "expire"):
        assert command in done.stdout
    assert "..." not in done.stdout.partition("Commands:")[2]
    longer = subprocess.run([program, "--help"], capture_output=True, text=True, check=True)
    assert longer.stdout == done.stdout
