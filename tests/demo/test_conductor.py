"""The conductor says clearly what is wrong, and stops what it started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import demo.conductor
from demo.conductor import Address, Conductor
from demo.rehearsal import Places, RehearsalFailed, run, write_private
from tests.support.ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def somebody_listening() -> Iterator[Address]:
    """A port that is taken."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield Address("127.0.0.1", taken.getsockname()[1])


@pytest.fixture
def conductor() -> Iterator[Conductor]:
    made = Conductor()
    yield made
    made.stop()


@pytest.mark.parametrize("text", ["", "8000", ":8000", "127.0.0.1:", "127.0.0.1:x", "h:٨٠"])
def test_an_address_that_is_none_is_said_to_be_none(text: str) -> None:
    with pytest.raises(RehearsalFailed, match="HOST:PORT"):
        Address.parse(text)


def test_a_taken_port_is_not_free_and_answers() -> None:
    with somebody_listening() as address:
        assert not address.is_free()
        assert address.answers()
    (port,) = free_ports(1)
    assert Address("127.0.0.1", port).is_free()
    assert not Address("127.0.0.1", port).answers()


def test_the_rehearsal_says_which_address_is_taken_before_it_makes_a_key(tmp_path: Path) -> None:
    with somebody_listening() as address:
        environment = {**os.environ, "AMANA_HOME": str(tmp_path), "AMANA_SITE_BIND": str(address)}
        done = subprocess.run(
            [sys.executable, "-m", "demo"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert str(address) in done.stderr
    assert "AMANA_SITE_BIND" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_fails_is_quoted() -> None:
    with pytest.raises(RehearsalFailed, match="amana-root nonsense"):
        run(["amana-root", "nonsense"])


def test_a_program_that_ends_before_it_answers_is_noticed(conductor: Conductor) -> None:
    (port,) = free_ports(1)
    child = conductor.start(["python", "-c", "pass"], {})
    with pytest.raises(RehearsalFailed, match="ended before"):
        conductor.wait_until_it_answers(child, Address("127.0.0.1", port))
    with pytest.raises(RehearsalFailed, match="ended by itself"):
        conductor.watch()


def test_a_program_that_never_answers_is_given_up(
    conductor: Conductor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo.conductor, "START_SECONDS", 0.2)
    (port,) = free_ports(1)
    child = conductor.start(["python", "-c", "import time; time.sleep(60)"], {})
    with pytest.raises(RehearsalFailed, match="in time"):
        conductor.wait_until_it_answers(child, Address("127.0.0.1", port))


def test_the_line_that_is_waited_for_is_found_and_a_silent_program_is_noticed(
    conductor: Conductor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo.conductor, "START_SECONDS", 0.5)
    talker = conductor.start(
        ["python", "-c", "print('a'); print('b: c'); input()"], {}, listen=True
    )
    assert conductor.line_with(talker, "b:") == "b: c"
    silent = conductor.start(["python", "-c", "import time; time.sleep(60)"], {}, listen=True)
    with pytest.raises(RehearsalFailed, match="did not say"):
        conductor.line_with(silent, "b:")
    deaf = conductor.start(["python", "-c", "pass"], {})
    with pytest.raises(RehearsalFailed, match="without an output"):
        conductor.line_with(deaf, "b:")


def test_a_program_that_will_not_stop_is_killed(
    conductor: Conductor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo.conductor, "STOP_SECONDS", 0.2)
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('x', flush=True)"
    child = conductor.start(["python", "-c", f"{deaf}; time.sleep(60)"], {}, listen=True)
    conductor.line_with(child, "x")
    conductor.stop()
    assert child.returncode == -signal.SIGKILL


def test_the_passphrase_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "phrase"
    write_private(path, "words")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        write_private(path, "others")


def test_each_desk_has_a_home_of_its_own() -> None:
    places = Places(Path("/h"))
    assert places.desk("a") != places.desk("b")
    assert places.desk("a").parent == places.desk("b").parent
