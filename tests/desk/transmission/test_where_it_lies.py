"""What is written in clear lies on the disk that was named, and nowhere else, at every moment."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desk import outbox
from desk.errors import ActRefused, TransmissionRefused
from desk.export import export_case
from desk.transmission import naming, proof, receiving, transmit, writing
from desk.unfinished import Ledger
from tests.desk.test_unfinished import holding, killed, ready, told
from tests.desk.transmission.conftest import SERVICE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.desk.transmission.conftest import Handing, Hands

__all__ = ["ready", "told"]


@pytest.fixture
def volume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is a mounted volume: no rename or removal touches the folder itself."""
    mounted = tmp_path / "out" / "volume"
    mounted.mkdir(parents=True, exist_ok=True)
    busy = OSError(errno.EBUSY, "Device or resource busy")
    rename, rmdir = os.rename, os.rmdir

    def renamed(one: str | Path, other: str | Path, **at: int) -> None:
        if Path(other) == mounted:
            raise busy
        # Another disk: what lies beside cannot be moved in, nor out.
        if not at and Path(one).is_relative_to(mounted) != Path(other).is_relative_to(mounted):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(one, other, **at)

    def removed(one: str | Path, **at: int) -> None:
        if Path(one) == mounted:
            raise busy
        rmdir(one, **at)

    monkeypatch.setattr(os, "rename", renamed)
    monkeypatch.setattr(os, "rmdir", removed)
    return mounted


def watched(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every file and folder that is made, as it is made."""
    made: list[Path] = []
    opened, mkdir = os.open, os.mkdir

    def open_(path: str | Path, flags: int, *given: int, **named: int) -> int:
        if flags & os.O_CREAT and not named:
            made.append(Path(path))
        return opened(path, flags, *given, **named)

    def make(path: str | Path, *given: int, **named: int) -> None:
        made.append(Path(path))
        mkdir(path, *given, **named)

    monkeypatch.setattr(os, "open", open_)
    monkeypatch.setattr(os, "mkdir", make)
    return made


def beside(made: list[Path], volume: Path) -> list[Path]:
    """What was made in the folder where the volume is mounted, and not in the volume."""
    return [one for one in made if volume.parent in one.parents and not one.is_relative_to(volume)]


@pytest.mark.claim("C-UNFINISHED")
def test_a_folder_for_print_is_built_inside_the_volume_that_was_named(
    ready: Handing, volume: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = watched(monkeypatch)
    done = ready.transmit("volume", in_clear=True)
    assert beside(made, volume) == []
    assert proof.verify_folder(done.path, ready.root_line).code == 0
    assert not [one for one in volume.iterdir() if "unproven" in one.name]
    assert volume.stat().st_mode & 0o777 == 0o700


@pytest.mark.claim("C-UNFINISHED")
def test_a_package_is_opened_inside_the_volume_that_was_named(
    ready: Handing, volume: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = ready.transmit("case.amana").path
    made = watched(monkeypatch)
    found = receiving.open_sealed(package, SERVICE, ready.root_line, volume)
    assert found.code == 0
    assert beside(made, volume) == []
    assert proof.verify_folder(volume, ready.root_line).code == 0


@pytest.mark.claim("C-UNFINISHED")
def test_an_export_is_written_inside_the_volume_that_was_named(
    ready: Handing, volume: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = watched(monkeypatch)
    export_case(ready.desk, ready.case, volume)
    assert beside(made, volume) == []
    assert len(holding(volume)) == 1


def test_what_the_journal_refuses_does_not_stay_in_the_volume(
    ready: Handing, volume: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> bool:
        raise ActRefused("no")

    monkeypatch.setattr("desk.transmission.transmit.work.set_state", refuse)
    with pytest.raises(ActRefused, match="no"):
        ready.transmit("volume", in_clear=True)
    assert list(volume.iterdir()) == []


@pytest.mark.claim("C-CUSTODY")
def test_the_annex_reaches_the_volume_and_the_request_is_not_burnt(
    hands: Hands, volume: Path
) -> None:
    done = hands.over("volume", in_clear=True)
    assert done.path == volume
    assert (volume / "identity-annex.json").read_bytes().strip(b"\0")
    assert hands.kinds[-2:] == ["identity_opened", "status"]


@pytest.mark.claim("C-CUSTODY")
@pytest.mark.parametrize("is_there", [True, False], ids=["a folder that is there", "a new one"])
def test_a_name_that_somebody_took_meanwhile_costs_no_request(
    hands: Hands, monkeypatch: pytest.MonkeyPatch, is_there: bool  # noqa: FBT001
) -> None:  # fmt: skip
    target = hands.out / "handed"
    if is_there:
        target.mkdir()
    true = proof.verify_folder

    def meanwhile(*given: object) -> proof.Proof:
        target.mkdir(exist_ok=True)
        (target / "theirs").write_text("mine")
        return true(*given)  # type: ignore[arg-type]  # as it was called

    with monkeypatch.context() as patch:
        patch.setattr(proof, "verify_folder", meanwhile)
        with pytest.raises(TransmissionRefused, match="cannot be written"):
            hands.over(in_clear=True)
    assert [one.name for one in target.iterdir()] == ["theirs"]
    assert "identity_opened" not in hands.kinds
    assert [one.name for one in hands.out.iterdir()] == ["handed"]


@pytest.mark.parametrize("is_there", [True, False], ids=["a folder that is there", "a new one"])
def test_what_fails_while_it_gets_its_name_leaves_none_of_it(
    ready: Handing, monkeypatch: pytest.MonkeyPatch, is_there: bool  # noqa: FBT001
) -> None:  # fmt: skip
    target = ready.folder / "print"
    if is_there:
        target.mkdir()

    def fail(_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(naming, "settle", fail)
        with pytest.raises(TransmissionRefused, match="Input/output error"):
            ready.transmit("print", in_clear=True)
    assert list(ready.folder.rglob("*")) == ([target] if is_there else [])
    true, calls = Path.rename, []

    def renamed(one: Path, other: Path) -> Path:
        if one.is_relative_to(target) or "unproven" in one.name:
            calls.append(one)
            if is_there is (len(calls) == 3):
                raise OSError(errno.EIO, "Input/output error")
        return true(one, other)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", renamed)
        with pytest.raises(TransmissionRefused, match="Input/output error"):
            ready.transmit("print", in_clear=True)
    assert len(calls) == (3 if is_there else 1)
    assert list(ready.folder.rglob("*")) == ([target] if is_there else [])


def test_what_somebody_puts_under_one_of_its_names_is_not_written_over(
    ready: Handing, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = ready.folder / "print"
    target.mkdir()
    with monkeypatch.context() as patch:
        true = Path.chmod

        def chmod(one: Path, mode: int) -> None:
            true(one, mode)
            (target / "report.html").write_text("mine")

        patch.setattr(Path, "chmod", chmod)
        with pytest.raises(TransmissionRefused, match="File exists"):
            ready.transmit("print", in_clear=True)
    assert [one.read_text() for one in target.iterdir()] == ["mine"]


# --- killed, and found again


@pytest.mark.claim("C-UNFINISHED")
def test_what_was_cut_off_inside_a_volume_is_removed_by_the_next_start(
    ready: Handing, told: Callable[[], str]
) -> None:
    volume = ready.folder / "volume"
    volume.mkdir()
    killed(lambda: ready.transmit("volume", in_clear=True), proof, "verify_folder", signal.SIGKILL)
    (left,) = holding(ready.folder)
    assert left.is_relative_to(volume)
    assert f"has been removed: {volume}/.unproven-" in told()
    assert list(volume.iterdir()) == []
    assert told() == ""


@pytest.mark.claim("C-UNFINISHED")
@pytest.mark.parametrize("is_same_name", [True, False], ids=["its folder stays", "it goes"])
def test_a_volume_that_was_taken_out_is_waited_for(
    ready: Handing, told: Callable[[], str], is_same_name: bool  # noqa: FBT001
) -> None:  # fmt: skip
    volume, away = ready.folder / "volume", ready.folder / "away"
    volume.mkdir()
    killed(lambda: ready.transmit("volume", in_clear=True), proof, "verify_folder", signal.SIGKILL)
    volume.rename(away)
    if is_same_name:
        # What is seen where nothing is mounted, or another stick.
        volume.mkdir()
    for _ in range(2):
        assert "could not be removed" in told()
    if is_same_name:
        volume.rmdir()
    away.rename(volume)
    assert "has been removed" in told()
    assert holding(ready.folder) == []
    assert told() == ""


@pytest.mark.claim("C-UNFINISHED")
def test_whoever_is_killed_between_two_names_is_told_where_the_rest_lies(
    ready: Handing, told: Callable[[], str]
) -> None:
    volume = ready.folder / "volume"
    volume.mkdir()
    # After everything but the last file has its name.
    killed(lambda: ready.transmit("volume", in_clear=True), Path, "rmdir", signal.SIGKILL)
    assert holding(volume)
    said = told()
    assert "has been removed" in said
    assert f"What else lies in {volume} may be a part of it" in said
    assert told() == ""


@pytest.mark.claim("C-UNFINISHED")
@pytest.mark.parametrize(
    ("where", "name"), [(Path, "replace"), (outbox, "keep"), (writing, "_settle_file")],
    ids=["the last instant", "the last word", "the first bytes"],
)  # fmt: skip
def test_a_package_that_was_cut_off_is_removed_by_the_next_start_which_says_so(
    hands: Hands, where: object, name: str
) -> None:
    killed(lambda: hands.over("case.amana"), where, name, signal.SIGKILL)
    (left,) = [one for one in hands.out.iterdir() if one.stat().st_size]
    assert "unproven" in left.name
    is_burnt = "identity_opened" in hands.kinds
    assert is_burnt == (name == "replace")
    (rest,) = Ledger.of(hands.mine).rests()
    assert rest.gone
    assert str(left) in rest.words
    assert "ask them anew" in rest.words
    assert list(hands.out.iterdir()) == []
    assert Ledger.of(hands.mine).rests() == []


@pytest.mark.claim("C-UNFINISHED")
def test_a_package_on_a_stick_that_was_taken_out_is_told_until_it_is_gone(hands: Hands) -> None:
    killed(lambda: hands.over("case.amana"), Path, "replace", signal.SIGKILL)
    away = hands.out.with_name("away")
    hands.out.rename(away)
    rest, handed = Ledger.of(hands.mine).rests()
    assert not rest.gone
    assert "sealed to the service" in rest.words
    assert "its disk is not here" in handed.words
    away.rename(hands.out)
    assert [one.gone for one in Ledger.of(hands.mine).rests()] == [True]
    assert list(hands.out.iterdir()) == []


def test_a_file_under_the_name_that_is_not_empty_is_nobodys_rest(hands: Hands) -> None:
    killed(lambda: hands.over("case.amana"), Path, "replace", signal.SIGKILL)
    (hands.out / "case.amana").write_text("mine")
    assert [one.is_handed for one in Ledger.of(hands.mine).rests()] == [False, True]
    assert (hands.out / "case.amana").read_text() == "mine"


# --- killed when all of it is there, and the journal does not say so yet


def until_named(hands: Hands, name: str, *, in_clear: bool) -> Path:
    killed(lambda: hands.over(name, in_clear=in_clear), transmit, "_say_so", signal.SIGKILL)
    assert hands.kinds[-1] == "identity_opened"
    return hands.out / name


@pytest.mark.claim("C-UNFINISHED")
@pytest.mark.parametrize("in_clear", [False, True], ids=["sealed", "folder"])
def test_a_package_that_the_journal_does_not_name_is_told_of(
    hands: Hands, in_clear: bool  # noqa: FBT001
) -> None:  # fmt: skip
    whole = until_named(hands, "handed", in_clear=in_clear)
    (rest,) = Ledger.of(hands.mine).rests()
    assert f"destroy {whole}" in rest.words
    assert not rest.gone
    assert whole.exists()
    assert Ledger.of(hands.mine).rests() == []


@pytest.mark.claim("C-UNFINISHED")
@pytest.mark.parametrize("mounts", [True, False], ids=["a volume", "a stick"])
def test_where_its_disk_is_not_here_it_is_told_until_it_is(
    hands: Hands, mounts: bool  # noqa: FBT001
) -> None:  # fmt: skip
    volume = hands.out / "handed"
    if mounts:
        volume.mkdir()
    until_named(hands, "handed", in_clear=True)
    (moved, away) = (volume if mounts else hands.out), hands.out.with_name("away")
    moved.rename(away)
    moved.mkdir()
    for _ in range(2):
        (rest,) = Ledger.of(hands.mine).rests()
        assert (rest.is_away, str(rest.entry) in rest.words) == (True, True)
    moved.rmdir()
    away.rename(moved)
    (rest,) = Ledger.of(hands.mine).rests()
    assert (rest.is_away, f"destroy {volume}" in rest.words) == (False, True)
    assert list(volume.iterdir())
    assert Ledger.of(hands.mine).rests() == []


def test_what_cannot_be_looked_into_counts_as_something(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = until_named(hands, "handed", in_clear=True)
    true = Path.iterdir

    def closed(one: Path) -> object:
        if one == whole:
            raise PermissionError(errno.EACCES, "Permission denied")
        return true(one)

    monkeypatch.setattr(Path, "iterdir", closed)
    assert [one.is_handed for one in Ledger.of(hands.mine).rests()] == [True]
