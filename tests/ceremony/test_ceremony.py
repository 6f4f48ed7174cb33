"""A ceremony as the keyholder sees it: what is signed, what is refused, and what is said."""

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click.testing
import pytest

from ceremony.cli import Settings, main
from ceremony.errors import FileUnusable, ForkRefused
from ceremony.files import PUBLIC, read_small, require_folder, write_new
from ceremony.root import open_root, read_root_public
from crypto.enrolment import Enrolment
from crypto.ids import Day, date_of
from crypto.keyfile import KeyFileCost, seal_keyfile
from crypto.roster import Roster, verify_roster
from tests.crypto.roster_builder import (
    TODAY,
    custodian_enrolment,
    draft,
    operator_enrolment,
    seed,
    signing,
)

PASSPHRASE = "six words that nobody ever said"
CHEAP = KeyFileCost(memory_kib=8, passes=1, lanes=1)


class Table:
    """A table with an offline machine, some enrolment files and a keyholder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.passphrase = folder / "passphrase"
        self.passphrase.write_text(PASSPHRASE + "\n")
        for number in range(1, 6):
            self.put(f"operator-{number}.json", operator_enrolment(number).to_json())
            self.put(f"custodian-{number}.json", custodian_enrolment(number).to_json())

    def put(self, name: str, content: bytes) -> Path:
        """Lay a file on the table."""
        (self.folder / name).write_bytes(content)
        return self.folder / name

    def run(
        self, *words: object, today: int = TODAY, typed: str | None = None
    ) -> click.testing.Result:
        """Type a command on the offline machine."""
        settings = Settings(today=lambda: Day(today), cost=CHEAP)
        runner = click.testing.CliRunner()
        return runner.invoke(main, [str(word) for word in words], obj=settings, input=typed)

    def init(self, *more: object) -> click.testing.Result:
        """Make a root."""
        return self.run("init", "--out", self.root, "--passphrase-file", self.passphrase, *more)

    def roster(
        self,
        out: str,
        *more: object,
        operators: Sequence[int] = (1, 2),
        custodians: Sequence[int] = (3,),
        days: int = 30,
        today: int = TODAY,
    ) -> click.testing.Result:
        """Sign a roster of these members."""
        files: list[object] = []
        for number in operators:
            files += ["--enrol", self.folder / f"operator-{number}.json"]
        for number in custodians:
            files += ["--custodian", self.folder / f"custodian-{number}.json"]
        return self.signs("roster", out, *files, *more, days=days, today=today)

    def signs(
        self, command: str, out: str, *more: object, days: int = 30, today: int = TODAY
    ) -> click.testing.Result:
        """Run one of the two commands that sign."""
        where = ["--root", self.root, "--out", self.folder / out, "--days", days]
        return self.run(command, *where, "--passphrase-file", self.passphrase, *more, today=today)

    def verified(self, out: str, today: int = TODAY) -> Roster:
        """Give a roster as a gateway would see it."""
        root = read_root_public(self.root / "root.pub")
        return verify_roster((self.folder / out).read_bytes(), root, Day(today), None)


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Type a line at a shell, where no terminal is."""
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-c", line], cwd=folder, text=True,
        env={**os.environ, "PATH": programs, "PYTHONUNBUFFERED": ""},
        capture_output=True, start_new_session=True, check=False,
    )  # fmt: skip


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path)


@pytest.fixture
def rooted(table: Table) -> Table:
    assert table.init("--rehearsal").exit_code == 0
    return table


def said(result: click.testing.Result, why: str, exit_code: int = 3) -> None:
    """Refused, and in words: no traceback, the reason on stderr, nothing but it there."""
    assert result.exit_code == exit_code, result.output
    assert isinstance(result.exception, SystemExit)
    assert why in result.stderr


# The root.


def test_a_new_root_is_private_and_its_public_key_can_be_read_aloud(table: Table) -> None:
    result = table.init()
    assert result.exit_code == 0
    assert stat.S_IMODE((table.root / "root.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(table.root.stat().st_mode) == 0o700
    assert read_root_public(table.root / "root.pub").fingerprint in result.stdout
    assert "REHEARSAL" not in result.stdout
    assert open_root(table.root, PASSPHRASE).rehearsal is False


def test_the_private_key_is_nowhere_in_what_a_ceremony_writes_or_says(rooted: Table) -> None:
    result = rooted.roster("one.note")
    private = open_root(rooted.root, PASSPHRASE).private.seed
    written = [path.read_bytes() for path in rooted.folder.rglob("*") if path.is_file()]
    assert len(written) > 10
    assert not any(private in content or private.hex().encode() in content for content in written)
    assert private.hex() not in result.output
    public = open_root(rooted.root, PASSPHRASE).public.deployment.hex().encode()
    assert any(public in content for content in written), "the control: this search finds things"


def test_a_second_root_is_never_put_over_the_first(rooted: Table) -> None:
    before = (rooted.root / "root.key").read_bytes()
    said(rooted.init(), "exists already")
    assert (rooted.root / "root.key").read_bytes() == before


def test_a_folder_that_cannot_be_made_is_said(table: Table) -> None:
    table.root.write_text("a file")
    assert table.init().exit_code == 2
    table.root = table.passphrase / "below a file"
    said(table.init(), "cannot be made")


def test_a_short_passphrase_is_for_rehearsals_only(table: Table) -> None:
    table.passphrase.write_text("short")
    said(table.init(), "less than 12 characters")
    assert table.init("--rehearsal").exit_code == 0


def test_an_empty_passphrase_is_for_nothing(table: Table) -> None:
    table.passphrase.write_text("\nsecond line")
    said(table.init("--rehearsal"), "empty passphrase")


def test_a_passphrase_that_is_no_text_is_refused(table: Table) -> None:
    table.passphrase.write_bytes(b"\xff" * 20)
    said(table.init(), "UTF-8")


def test_a_passphrase_file_written_on_windows_is_the_same(rooted: Table) -> None:
    rooted.passphrase.write_bytes(PASSPHRASE.encode() + b"\r\n")
    assert rooted.roster("one.note").exit_code == 0


def test_a_passphrase_can_be_typed_and_is_not_shown(table: Table) -> None:
    result = table.run("init", "--out", table.root, typed=f"{PASSPHRASE}\n{PASSPHRASE}\n")
    assert result.exit_code == 0
    assert PASSPHRASE not in result.output
    open_root(table.root, PASSPHRASE)


def test_two_passphrases_that_differ_make_no_root(table: Table) -> None:
    result = table.run("init", "--out", table.root, typed=f"{PASSPHRASE}\nanother one\n")
    said(result, "no passphrase was typed")
    assert not table.root.exists()


def test_whoever_leaves_at_the_passphrase_is_let_go(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True)
    assert table.run("init", "--out", table.root, typed="").exit_code == 1


@pytest.mark.parametrize("closed", ["<&-", "</dev/null"])
def test_without_a_terminal_the_option_is_named_in_one_line(tmp_path: Path, closed: str) -> None:
    line = f"amana-root init --out root {closed}"
    done = shell(line, tmp_path)
    assert done.returncode == 3
    assert done.stderr.strip().splitlines()[-1].endswith("use --passphrase-file FILE")
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr


@pytest.mark.parametrize("what", ["--help", "show roster.note", "show --json roster.note"])
def test_a_disk_that_is_full_behind_the_output_is_one_line(rooted: Table, what: str) -> None:
    assert rooted.roster("roster.note").exit_code == 0
    done = shell(f"amana-root {what} > /dev/full", rooted.folder)
    assert (done.returncode, done.stderr) == (3, "refused: No space left on device\n")


@pytest.mark.parametrize("day", ["9999-12-31", "1969-12-31"])
def test_a_roster_that_would_never_be_in_force_is_not_signed(rooted: Table, day: str) -> None:
    said(rooted.roster("r.note", "--not-before", day), "is never in force", exit_code=2)
    assert not (rooted.folder / "r.note").exists()


def test_a_roster_of_days_that_are_over_is_for_a_rehearsal_alone(table: Table) -> None:
    assert table.init().exit_code == 0
    said(table.roster("r.note", "--not-before", "2001-01-01"), "is never in force", exit_code=2)
    assert not (table.folder / "r.note").exists()


def test_a_wrong_passphrase_signs_nothing(rooted: Table) -> None:
    rooted.passphrase.write_text("another passphrase")
    said(rooted.roster("one.note"), "wrong passphrase")
    assert not (rooted.folder / "one.note").exists()


def test_a_folder_without_a_root_is_said(table: Table) -> None:
    said(table.roster("one.note"), "root.key: cannot be read")


def test_somebodys_own_key_file_is_no_root(rooted: Table) -> None:
    (rooted.root / "root.key").write_bytes(
        seal_keyfile({"sign": seed("x")}, PASSPHRASE, cost=CHEAP)
    )
    said(rooted.roster("one.note"), "not a root's")


# A roster.


def test_a_first_roster_holds_whom_it_should_and_nobody_else(rooted: Table) -> None:
    result = rooted.roster("one.note")
    assert result.exit_code == 0, result.output
    roster = rooted.verified("one.note")
    assert roster.epoch == 1
    assert roster.not_before == TODAY
    assert roster.not_after == TODAY + 30
    assert [one.label for one in roster.members] == ["Operator 1", "Operator 2", "Custodian 3"]
    assert [one.number for one in roster.members] == [1, 2, 3]
    assert roster.quorum == 1
    assert roster.rehearsal
    for enrolment in (operator_enrolment(1), operator_enrolment(2), custodian_enrolment(3)):
        assert enrolment.fingerprint in result.stdout
    assert roster.hash.hex() in result.stdout


def test_the_rosters_of_a_real_root_do_not_say_rehearsal(table: Table) -> None:
    table.init()
    assert table.roster("one.note").exit_code == 0
    assert not table.verified("one.note").rehearsal


@pytest.mark.parametrize(("custodians", "quorum"), [((3,), 1), ((3, 4), 2), ((3, 4, 5), 2)])
def test_a_quorum_that_nobody_chose_is_a_majority(
    rooted: Table, custodians: Sequence[int], quorum: int
) -> None:
    rooted.roster("one.note", custodians=custodians)
    assert rooted.verified("one.note").quorum == quorum


def test_a_quorum_can_be_chosen(rooted: Table) -> None:
    rooted.roster("one.note", "--quorum", 3, custodians=(3, 4, 5))
    assert rooted.verified("one.note").quorum == 3


def test_an_impossible_quorum_is_refused(rooted: Table) -> None:
    said(rooted.roster("one.note", "--quorum", 2), "a quorum of 2 needs as many custodians")


def test_a_roster_can_begin_another_day(rooted: Table) -> None:
    rooted.roster("one.note", "--not-before", date_of(Day(TODAY + 7)))
    assert rooted.verified("one.note", TODAY + 7).not_before == TODAY + 7


def test_the_next_roster_follows_and_members_keep_their_numbers(rooted: Table) -> None:
    rooted.roster("one.note")
    assert rooted.roster("two.note", operators=(4, 2), custodians=(5, 3)).exit_code == 0
    one, two = rooted.verified("one.note"), rooted.verified("two.note")
    assert (two.epoch, two.previous) == (2, one.hash)
    numbers = {member.label: member.number for member in two.members}
    assert numbers == {"Operator 2": 2, "Custodian 3": 3, "Operator 4": 4, "Custodian 5": 5}


def test_the_previous_roster_may_be_handed_over_and_must_be_the_last(rooted: Table) -> None:
    rooted.roster("one.note")
    previous = ["--previous", rooted.folder / "one.note"]
    assert rooted.roster("two.note", *previous).exit_code == 0
    said(rooted.roster("three.note", *previous), "signed epoch 2")
    assert not (rooted.folder / "three.note").exists()


def test_a_copy_of_the_root_that_has_signed_nothing_goes_on_from_a_roster(rooted: Table) -> None:
    rooted.roster("one.note")
    (rooted.root / "rosters" / "000000001.note").unlink()
    previous = ["--previous", rooted.folder / "one.note"]
    assert rooted.roster("two.note", *previous).exit_code == 0
    assert rooted.verified("two.note").epoch == 2


def test_another_roots_roster_is_not_followed(rooted: Table, tmp_path: Path) -> None:
    other = Table(tmp_path)
    other.root = tmp_path / "other"
    other.init("--rehearsal")
    other.roster("other.note")
    said(rooted.roster("one.note", "--previous", tmp_path / "other.note"), "another root")


def test_a_root_never_signs_one_epoch_twice(rooted: Table) -> None:
    rooted.roster("one.note")
    root = open_root(rooted.root, PASSPHRASE)
    with pytest.raises(ForkRefused):
        root.sign(draft(deployment=root.public.deployment))


def test_a_changed_copy_of_the_last_roster_is_noticed(rooted: Table) -> None:
    rooted.roster("one.note")
    (rooted.root / "rosters" / "000000001.note").write_text("something else")
    said(rooted.roster("two.note"), "000000001.note: a roster ends in")


def test_the_same_keys_are_renewed_with_one_command(rooted: Table) -> None:
    rooted.roster("one.note", custodians=(3, 4, 5), days=10)
    result = rooted.signs("renew", "two.note", days=90, today=TODAY + 12)
    assert result.exit_code == 0, result.output
    one, two = rooted.verified("one.note"), rooted.verified("two.note", TODAY + 12)
    assert (two.epoch, two.previous) == (2, one.hash)
    assert (two.members, two.quorum) == (one.members, one.quorum)
    assert (two.not_before, two.not_after) == (TODAY + 12, TODAY + 102)


def test_nothing_can_be_renewed_before_anything_was_signed(rooted: Table) -> None:
    said(rooted.signs("renew", "one.note"), "no roster to renew")


def test_a_custodian_among_the_operators_is_noticed(rooted: Table) -> None:
    wrong = ["--enrol", rooted.folder / "custodian-4.json"]
    said(rooted.roster("one.note", *wrong), "the enrolment of one custodian, not of one operator")


def test_an_operator_among_the_custodians_is_noticed(rooted: Table) -> None:
    wrong = ["--custodian", rooted.folder / "operator-4.json"]
    said(rooted.roster("one.note", *wrong), "the enrolment of one operator, not of one custodian")


def test_one_person_twice_is_refused(rooted: Table) -> None:
    said(rooted.roster("one.note", operators=(1, 2, 1)), "stands there twice")


def test_one_operator_is_too_few(rooted: Table) -> None:
    said(rooted.roster("one.note", operators=(1,)), "fewer than two operators")


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 4000, bytes(300_000)])
def test_a_broken_enrolment_file_is_named(rooted: Table, content: bytes) -> None:
    rooted.put("operator-2.json", content)
    said(rooted.roster("one.note"), "operator-2.json: ")


def test_a_missing_enrolment_file_is_named(rooted: Table) -> None:
    said(rooted.roster("one.note", operators=(1, 9)), "operator-9.json: cannot be read")


def test_a_label_cannot_draw_on_the_keyholders_screen(rooted: Table) -> None:
    one = operator_enrolment(1)
    tricky = Enrolment("[red]Op[/] 1", one.key, one.sign, one.api)
    rooted.put("operator-1.json", tricky.to_json())
    assert "[red]Op[/] 1" in rooted.roster("one.note").stdout


@pytest.mark.parametrize("days", [0, 91, -1])
def test_days_beyond_the_rule_are_a_mistake_of_the_command_line(rooted: Table, days: int) -> None:
    assert rooted.roster("one.note", days=days).exit_code == 2


def test_a_file_that_exists_is_not_overwritten_and_nothing_is_signed(rooted: Table) -> None:
    rooted.put("one.note", b"precious")
    said(rooted.roster("one.note"), "exists already")
    assert (rooted.folder / "one.note").read_bytes() == b"precious"
    assert open_root(rooted.root, PASSPHRASE).last_signed() is None


def test_a_folder_that_is_not_there_is_said_before_anything_is_signed(rooted: Table) -> None:
    said(rooted.roster("nowhere/one.note"), "no such folder")
    assert open_root(rooted.root, PASSPHRASE).last_signed() is None


@pytest.mark.parametrize(("answer", "signed"), [("y\n", True), ("n\n", False)])
def test_at_a_real_ceremony_the_keyholder_is_asked_for_the_fingerprints(
    table: Table,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    signed: bool,  # noqa: FBT001  # a table
) -> None:
    table.init()
    asked: list[str] = []

    def confirm(question: str, **_: Any) -> None:
        asked.append(question)
        if answer != "y\n":
            raise click.Abort

    monkeypatch.setattr(click, "confirm", confirm)
    # What the runner gives for standard input is no terminal.
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True)
    assert table.roster("one.note").exit_code == (0 if signed else 1)
    assert (table.folder / "one.note").exists() is signed
    assert len(asked) == 1
    assert table.roster("two.note", "--yes").exit_code == 0
    assert len(asked) == 1


# Showing.


def test_a_roster_is_shown_to_people(rooted: Table) -> None:
    rooted.roster("one.note", custodians=(3, 4, 5))
    root_public = ["--root-public", rooted.root / "root.pub"]
    result = rooted.run("show", rooted.folder / "one.note", *root_public, today=TODAY + 3)
    assert result.exit_code == 0
    for words in ("REHEARSAL", "Epoch 1", "27 days left", "2 of 3 custodians", "Operator 1"):
        assert words in result.stdout
    assert "NOT VERIFIED" not in result.stdout


def test_what_was_not_verified_says_so(rooted: Table) -> None:
    rooted.roster("one.note")
    result = rooted.run("show", rooted.folder / "one.note", today=TODAY + 40)
    assert "NOT VERIFIED" in result.stdout
    assert "(expired)" in result.stdout
    as_json = rooted.run("show", rooted.folder / "one.note", "--json")
    assert json.loads(as_json.stdout)["verified"] is False


def test_a_roster_is_shown_to_programs(rooted: Table) -> None:
    rooted.roster("one.note")
    root_public = ["--root-public", rooted.root / "root.pub"]
    result = rooted.run("show", rooted.folder / "one.note", "--json", *root_public)
    shown = json.loads(result.stdout)
    roster = rooted.verified("one.note")
    assert shown["verified"] is True
    assert shown["hash"] == roster.hash.hex()
    assert shown["not_after"] == str(date_of(roster.not_after))
    assert [member["role"] for member in shown["members"]] == ["operator", "operator", "custodian"]
    assert shown["members"][2]["kids"]["api"] == signing("api 3").public.kid.hex()
    assert shown["members"][0]["fingerprint"] == operator_enrolment(1).fingerprint


def test_an_expired_a_forged_and_a_foreign_roster_are_refused(rooted: Table) -> None:
    rooted.roster("one.note")
    root_public = ["--root-public", rooted.root / "root.pub"]
    note = rooted.folder / "one.note"
    said(rooted.run("show", note, *root_public, today=TODAY + 31), "expired")
    note.write_bytes(note.read_bytes().replace(b"Operator 1", b"Operator X"))
    said(rooted.run("show", note, *root_public), "signature does not hold")
    said(rooted.run("show", note, "--root-public", note), "not a root's public key")
    said(rooted.run("show", rooted.passphrase), "one signature line")


# The machine.


def test_the_calendar_is_the_systems_in_utc() -> None:
    assert Settings().today() > 20_000
    assert Settings().cost == KeyFileCost()


def test_a_command_line_without_settings_has_its_own() -> None:
    result = click.testing.CliRunner().invoke(main, ["show", "/nowhere"])
    said(result, "cannot be read")


def test_a_disk_that_fails_leaves_no_half_file(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(FileUnusable, match="No space"):
        write_new(table.folder / "new", b"content", PUBLIC)
    assert not (table.folder / "new").exists()


def test_a_file_that_appears_meanwhile_is_not_overwritten(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ceremony.files.require_absent", lambda _: None)
    with pytest.raises(FileUnusable, match="exists"):
        write_new(table.put("new", b"precious"), b"content", PUBLIC)
    assert (table.folder / "new").read_bytes() == b"precious"


def test_files_that_cannot_be_read_or_folders_that_are_files_are_said(table: Table) -> None:
    with pytest.raises(FileUnusable, match="larger"):
        read_small(table.put("large", bytes(256 * 1024 + 1)))
    with pytest.raises(FileUnusable, match="cannot be read"):
        read_small(table.folder)
    with pytest.raises(FileUnusable, match="no such folder"):
        require_folder(table.passphrase)


_sockets: list[str] | None = None


def _watch(event: str, _: object) -> None:
    if _sockets is not None and event.startswith("socket."):
        _sockets.append(event)


# An audit hook cannot be taken away again; this one sleeps between the tests.
sys.addaudithook(_watch)


@pytest.fixture
def sockets() -> Iterator[list[str]]:
    global _sockets  # noqa: PLW0603  # read by the hook
    _sockets = []
    yield _sockets
    _sockets = None


def test_a_whole_ceremony_opens_no_socket(table: Table, sockets: list[str]) -> None:
    table.init("--rehearsal")
    table.roster("one.note")
    table.signs("renew", "two.note")
    table.run("show", table.folder / "two.note", "--root-public", table.root / "root.pub")
    assert table.verified("two.note").epoch == 2
    assert sockets == []
    socket.socket().close()
    assert sockets, "the control: a socket would have been noticed"
