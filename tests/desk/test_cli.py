"""The commands, as somebody at a terminal uses them."""

from __future__ import annotations

import errno
import http.client
import json
import os
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from crypto.enrolment import Enrolment
from crypto.keys import OperatorPublicKey
from crypto.roster import Operator
from desk.cli import main
from desk.config import DeskHome
from desk.harden import MEMORY
from desk.pages.serve import DeskServer
from desk.words import REHEARSAL
from tests.desk.running import done
from tests.desk.server import serving
from tests.desk.world import (
    JPEG,
    Reporter,
    World,
    custodian,
    make_desk,
    operator,
)
from tests.support.ports import free_ports

if TYPE_CHECKING:
    from desk.desk import Desk
    from tests.desk.conftest import Synced
    from tests.desk.running import Run
    from tests.desk.server import FakeServer


def test_keys_are_made_enrolled_and_the_roster_is_pinned(
    tmp_path: Path, world: World, server: FakeServer, run: Run
) -> None:
    home = DeskHome(tmp_path / "mine")
    out = tmp_path / "enrol.json"
    said = done(run("keygen", "--label", "Aïcha", "--out", str(out), home=home))

    enrolment = Enrolment.from_json(out.read_bytes())
    assert enrolment.fingerprint in said
    root = tmp_path / "root.pub"
    root.write_text(world.root_public.to_text())
    arguments = ("enrol", "--server", server.url, "--root-public", str(root))
    refused = run(*arguments, home=home)
    assert (refused.exit_code, "does not name this desk's keys" in refused.stderr) == (1, True)

    assert isinstance(enrolment.key, OperatorPublicKey)
    member = Operator(9, "Aïcha", enrolment.key, enrolment.sign, enrolment.api)
    server.note = world.renewed(operators=(*world.roster.operators, member)).note
    said = done(run(*arguments, home=home))
    assert "REHEARSAL" in said
    assert "Enrolled as operator 'Aïcha': roster 2, 3 operators, 1 custodian, valid" in said


def test_keys_are_never_made_twice(tmp_path: Path, run: Run, desk: Desk) -> None:
    before = desk.home.keys.read_bytes()
    refused = run("keygen", "--label", "x", "--out", str(tmp_path / "e.json"))
    assert refused.exit_code == 1
    assert "would destroy the old ones" in refused.stderr
    assert desk.home.keys.read_bytes() == before


def test_a_custodians_keys_say_so(tmp_path: Path, run: Run) -> None:
    out = tmp_path / "e.json"
    home = DeskHome(tmp_path / "keeper")
    done(run("keygen", "--custodian", "--label", "k", "--out", str(out), home=home))
    assert "custodian" in json.loads(out.read_text())


def test_an_enrolment_that_cannot_be_written_is_said(tmp_path: Path, run: Run) -> None:
    home = DeskHome(tmp_path / "mine")
    refused = run("keygen", "--label", "x", "--out", str(tmp_path / "no/e.json"), home=home)
    assert (refused.exit_code, "cannot be written" in refused.stderr) == (1, True)
    # No command would write it again: no keys were made.
    assert not home.keys.exists()
    there = tmp_path / "there"
    there.write_text("mine")
    refused = run("keygen", "--label", "x", "--out", str(there), home=home)
    assert (refused.exit_code, "is there already" in refused.stderr) == (1, True)
    assert (there.read_text(), home.keys.exists()) == ("mine", False)


def test_a_label_that_cannot_stand_in_a_roster_is_refused_before_keys_are_made(
    tmp_path: Path, run: Run
) -> None:
    home = DeskHome(tmp_path / "mine")
    refused = run("keygen", "--label", "a\nb", "--out", str(tmp_path / "e.json"), home=home)
    assert refused.exit_code == 1
    assert not home.keys.exists()


def test_a_roots_key_that_is_no_text_is_refused(tmp_path: Path, run: Run) -> None:
    refused = run("enrol", "--server", "http://a", "--root-public", str(tmp_path / "absent"))
    assert (refused.exit_code, "cannot be read" in refused.stderr) == (1, True)


def test_sync_list_show_tell_the_same_story_in_words_and_in_json(
    run: Run, reporter: Reporter, server: FakeServer
) -> None:
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    report = reporter.report([photo], danger_now="yes")
    server.put(*report, *reporter.follow_up("More\x1b[2J.", parents=[report[0].header.hash]))
    assert done(run("sync")) == "1 case with news, 1 file fetched.\n"
    assert json.loads(done(run("sync", "--json")))["envelopes"] == 0
    listed = json.loads(done(run("list", "--json")))
    (row,) = listed["cases"]
    assert (row["case"], row["files"], row["danger"]) == (reporter.case.hex(), 1, True)
    words = done(run("list"))
    assert row["ref"] in words
    assert "1 case, last sync" in words
    assert json.loads(done(run("list", "--unanswered", "--danger", "--json")))["cases"] == [row]
    shown = done(run("show", row["ref"]))
    for said in ("They took my money.", "GPS position", "photo-1.jpg", "More\\u001b[2J.", "locked"):
        assert said in shown
    assert "\x1b[2J" not in shown
    case = json.loads(done(run("show", row["ref"].upper(), "--json")))
    assert case["conversation"][0]["text"] == "More\x1b[2J."
    assert case["files"][0]["sha256"]


def test_an_empty_desk_says_so(run: Run) -> None:
    assert done(run("list")) == f"{REHEARSAL}\n0 cases, never synced: amana-desk sync\n"
    assert done(run("alarms")) == "No alarms.\n"


def test_alarms_end_a_sync_and_a_verify_with_three(
    run: Run, reporter: Reporter, server: FakeServer
) -> None:
    report = reporter.report()
    server.put(*report)
    done(run("sync"))
    ref = reporter.case.hex()
    assert done(run("verify")) == f"{ref[:4]}-{ref[4:8]}: all signatures hold\n"
    server.rows.clear()
    synced = run("sync")
    assert (synced.exit_code, "missing-that-was-there" in synced.stderr) == (3, True)
    verified = run("verify", reporter.case.hex()[:8], "--json")
    assert verified.exit_code == 3
    assert {one["sign"] for one in json.loads(verified.stdout)["cases"][0]["alarms"]} == {
        "missing-that-was-there"
    }
    assert "2 alarms" in run("verify").stdout
    assert "alarms" in done(run("list"))
    assert "missing-that-was-there" in done(run("show", reporter.case.hex()))
    assert "missing-that-was-there" in done(run("alarms"))
    assert len(json.loads(done(run("alarms", "--json", "--clear")))["alarms"]) == 2
    assert done(run("alarms")) == "No alarms.\n"


def test_alarms_about_the_server_are_shouted_before_the_list(run: Run, server: FakeServer) -> None:
    server.note = b"junk"
    assert run("sync").exit_code == 1
    assert "roster-refused" in run("list").stderr


def test_a_case_is_opened_into_a_folder(
    run: Run, reporter: Reporter, server: FakeServer, tmp_path: Path
) -> None:
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    bad = reporter.evidence("photo-2.jpg", "image/jpeg", JPEG, sha256=bytes(32))
    server.put(*reporter.report([photo, bad]))
    done(run("sync"))
    opened = run("open", reporter.case.hex()[:6], "--to", str(tmp_path / "out"))
    # Not all of it is there, and a script is to know.
    assert opened.exit_code == 3
    assert f"left out: {bad.id.hex()}" in opened.stderr
    assert (tmp_path / "out/evidence/photo-1.jpg").read_bytes() == JPEG
    assert stat.S_IMODE((tmp_path / "out/case.json").stat().st_mode) == 0o600
    again = run("open", reporter.case.hex()[:6], "--to", str(tmp_path / "out"))
    assert (again.exit_code, "not empty" in again.stderr) == (1, True)
    said = run("open", reporter.case.hex(), "--to", str(tmp_path / "two"), "--json")
    assert said.exit_code == 3
    told = json.loads(said.stdout)
    assert told["files"] == ["evidence/photo-1.jpg"]


def test_an_answer_comes_from_the_line_a_file_standard_input_or_an_editor(
    run: Run,
    reporter: Reporter,
    server: FakeServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.put(*reporter.report())
    done(run("sync"))
    ref = reporter.case.hex()[:8]
    letter = tmp_path / "letter.txt"
    letter.write_text("from a file")
    editor = tmp_path / "my editor"
    editor.write_text('#!/bin/sh\nls -la "$1" > "$SEEN"\nprintf "from an editor" > "$1"\n')
    editor.chmod(0o700)
    monkeypatch.setenv("SEEN", str(tmp_path / "seen"))
    monkeypatch.setenv("EDITOR", f"'{editor}'")
    monkeypatch.delenv("VISUAL", raising=False)
    assert "sealed and sent" in done(run("reply", ref, "--text", "from the line"))
    done(run("reply", ref, "--text-file", str(letter)))
    done(run("reply", ref, "--text-file", "-", input="from input"))
    done(run("reply", ref))
    assert f"{MEMORY}/amana-" in (tmp_path / "seen").read_text()
    said = [one["text"] for one in json.loads(done(run("show", ref, "--json")))["conversation"]]
    assert said == ["from the line", "from a file", "from input", "from an editor"]
    missing = run("reply", ref, "--text-file", str(tmp_path / "absent"))
    assert (missing.exit_code, "cannot be read" in missing.stderr) == (1, True)
    monkeypatch.setenv("EDITOR", "false")
    assert "Nothing was sent" in run("reply", ref).stderr
    monkeypatch.setenv("EDITOR", str(tmp_path / "absent"))
    assert "cannot be started" in run("reply", ref).stderr
    monkeypatch.setattr("desk.editor.MEMORY", str(tmp_path / "absent"))
    assert "--text-file -" in run("reply", ref).stderr


def test_what_cannot_be_sent_waits_and_says_so(
    run: Run, reporter: Reporter, server: FakeServer
) -> None:
    server.put(*reporter.report())
    done(run("sync"))
    ref = reporter.case.hex()[:8]
    server.answers["/v1/envelopes"] = (503, b"")
    assert "next sync" in done(run("reply", ref, "--text", "x"))
    assert "Triage (waits for the next sync)" in done(run("status", ref, "triage"))
    assert "2 waiting to be sent" in done(run("list"))
    assert "waiting to be sent" in done(run("show", ref))
    server.answers.clear()
    assert done(run("sync")) == "2 sent.\n"
    assert "operator 1 set the state to Triage" in done(run("show", ref))


def test_states_in_conflict_are_told(
    run: Run, world: World, reporter: Reporter, server: FakeServer
) -> None:
    server.put(
        *reporter.report(),
        world.entry(reporter.case, "triage"),
        world.entry(reporter.case, "ready"),
    )
    done(run("sync"))
    shown = " ".join(done(run("show", reporter.case.hex())).split())
    assert "Apart from each other: operator 2 set the state to" in shown


def test_a_reference_that_is_none_or_several_is_told(
    run: Run, world: World, server: FakeServer
) -> None:
    reporters = [Reporter(world) for _ in range(17)]
    for one in reporters:
        server.put(*one.report())
    done(run("sync"))
    nothing = run("show", "zz")
    assert (nothing.exit_code, "No case here" in nothing.stderr) == (1, True)
    assert "No case here" in run("show", "-").stderr
    firsts = [one.case.hex()[0] for one in reporters]
    twice = next(one for one in firsts if firsts.count(one) > 1)
    several = run("show", twice)
    assert (several.exit_code, "Type more of it" in several.stderr) == (1, True)


def test_a_wrong_passphrase_and_a_missing_server_are_told_calmly(run: Run, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("not this one at all\n")
    refused = run("list", "--passphrase-file", str(wrong))
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "Caps Lock" in refused.stderr
    unenrolled = run("list", home=DeskHome(tmp_path / "nothing"))
    assert "keygen" in unenrolled.stderr


def test_a_desk_that_is_not_enrolled_is_told_how(run: Run, desk: Desk) -> None:
    desk.home.membership.unlink()
    assert "amana-desk enrol" in run("sync").stderr


def test_a_custodian_opens_an_identity_and_an_operator_cannot(
    tmp_path: Path, world: World, reporter: Reporter, server: FakeServer, run: Run
) -> None:
    keeper = make_desk(tmp_path / "keeper", world, server.url, keyring=world.custodians[0])
    server.put(*reporter.report(identity=reporter.identity("Amina K.")))
    server.put(*reporter.follow_up("x"))
    done(run("sync"))
    ref = reporter.case.hex()
    refused = run("identity", ref)
    assert (refused.exit_code, "locked" in refused.stderr) == (1, True)
    done(run("sync", home=keeper.home))
    opened = json.loads(done(run("identity", ref, "--json", home=keeper.home)))
    assert {"name": "Amina K."} in [one["identity"] for one in opened["identities"]]
    assert "Name: Amina K." in done(run("identity", ref, home=keeper.home))
    assert "not readable here" in done(run("list", home=keeper.home))
    assert "Not readable" in done(run("show", ref, home=keeper.home))


def test_an_identity_that_was_changed_does_not_open(
    tmp_path: Path, world: World, reporter: Reporter, server: FakeServer, run: Run
) -> None:
    keeper = make_desk(tmp_path / "keeper", world, server.url, keyring=world.custodians[0])
    locked, other = reporter.identity("Amina K."), reporter.identity("Somebody else")
    locked.wraps = other.wraps
    server.put(*reporter.report(identity=locked))
    done(run("sync", home=keeper.home))
    refused = run("identity", reporter.case.hex(), home=keeper.home)
    assert "does not open" in refused.stderr


def test_one_custodian_of_two_opens_nothing_alone_and_is_told_the_way(
    tmp_path: Path, run: Run
) -> None:

    world = World.make(custodians=2, quorum=2)
    with serving(world) as server:
        keeper = make_desk(tmp_path / "keeper", world, server.url, keyring=world.custodians[0])
        reporter = Reporter(world)
        server.put(*reporter.report())
        done(run("sync", home=keeper.home))
        refused = run("identity", reporter.case.hex(), home=keeper.home)
    assert "no desk of one custodian opens it" in refused.stderr
    assert "custody read" in refused.stderr


def test_serve_prints_a_link_and_runs_on_this_machine(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[dict[str, Any]] = []

    (port,) = free_ports(1)

    def note(self: DeskServer) -> None:
        (place,) = self.cfg.settings["bind"].get()
        with socket.socket(fileno=int(place.removeprefix("fd://"))) as given:
            served.append(
                {"at": given.getsockname(), "workers": self.cfg.settings["workers"].get()}
            )
        assert self.load() is not None

    monkeypatch.setattr(DeskServer, "run", note)
    said = done(run("serve", "--bind", f"127.0.0.1:{port}"))
    (line,) = [line for line in said.splitlines() if "http://" in line]
    assert re.fullmatch(rf"http://127.0.0.1:{port}/[0-9a-f]{{32}}/link/\S{{43}}", line.split()[-1])
    assert served == [{"at": ("127.0.0.1", port), "workers": 1}]
    assert "only" in run("serve", "--bind", "0.0.0.0:8002").stderr


def test_a_taken_port_is_one_sentence_and_nobody_is_shown_a_link(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DeskServer, "run", lambda _: pytest.fail("served"))
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        place = f"127.0.0.1:{stranger.getsockname()[1]}"
        refused = run("serve", "--bind", place)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"amana-desk: Another program listens on {place} already; perhaps a desk that is still "
        "open. Stop it, or choose another port: --bind 127.0.0.1:PORT\n"
    )


def test_an_address_that_this_machine_does_not_give_is_one_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: socket.socket, _address: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("desk.pages.serve.socket.socket.bind", refuse)
    refused = run("serve", "--bind", "[::1]:80")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "does not let the desk listen on [::1]:80: Permission denied." in refused.stderr


def test_the_desk_is_served_where_the_link_says(desk: Desk, phrase: Path) -> None:
    (port,) = free_ports(1)
    program = str(Path(sys.executable).parent / "amana-desk")
    child = subprocess.Popen(
        [program, "serve", "--bind", f"127.0.0.1:{port}", "--passphrase-file", str(phrase)],
        env={**os.environ, "AMANA_DESK_HOME": str(desk.home.folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout
        link = next(line for line in child.stdout if "http://" in line).split()[-1]
        # As soon as the link is printed somebody listens, and it is the desk.
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=180)
        connection.request("GET", link.partition(str(port))[2])
        assert connection.getresponse().status == 303
        connection.close()
    finally:
        child.terminate()
        _, errors = child.communicate(timeout=180)
    assert "Traceback" not in errors


def test_rehearsal_keys_say_so_to_people_and_to_programs(
    run: Run, reporter: Reporter, server: FakeServer
) -> None:
    server.put(*reporter.report())
    done(run("sync"))
    ref = reporter.case.hex()
    assert done(run("list")).startswith(f"{REHEARSAL}\n")
    assert done(run("show", ref)).startswith(f"{REHEARSAL}\n")
    assert json.loads(done(run("list", "--json")))["rehearsal"] is True
    assert json.loads(done(run("show", ref, "--json")))["rehearsal"] is True


def test_keys_in_earnest_say_nothing_of_a_rehearsal(
    tmp_path: Path, run: Run, world: World, reporter: Reporter, server: FakeServer
) -> None:
    server.note = world.renewed(rehearsal=False).note
    server.put(*reporter.report())
    root = tmp_path / "root.pub"
    root.write_text(world.root_public.to_text())
    enrolled = done(run("enrol", "--server", server.url, "--root-public", str(root)))
    assert "REHEARSAL" not in enrolled
    done(run("sync"))
    assert "REHEARSAL" not in done(run("list")) + done(run("show", reporter.case.hex()))
    assert json.loads(done(run("list", "--json")))["rehearsal"] is False


def test_a_report_says_in_which_language_it_was_written(
    run: Run, reporter: Reporter, server: FakeServer
) -> None:
    server.put(*reporter.report())
    done(run("sync"))
    assert "written in French" in done(run("show", reporter.case.hex()))


def test_a_file_has_one_name_in_what_is_shown_and_in_what_is_written(
    run: Run, reporter: Reporter, server: FakeServer, tmp_path: Path
) -> None:
    first = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    second = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG + b"2")
    third = reporter.evidence("photo-1.jpg", "image/jpeg", JPEG + b"3")
    report = reporter.report([first])
    asked = reporter.follow_up("One more.", [second], parents=[report[0].header.hash])
    again = reporter.follow_up("And one.", [third], parents=[asked[0].header.hash])
    server.put(*report, *asked, *again)
    done(run("sync"))
    ref = reporter.case.hex()
    names = ["photo-1.jpg", "message-1-photo-1.jpg", "message-2-photo-1.jpg"]
    shown = done(run("show", ref))
    places = [shown.index(f"File  {name}  ") for name in names]
    assert places == sorted(places)
    assert "The reporter wrote message 2" in shown
    assert [one["name"] for one in json.loads(done(run("show", ref, "--json")))["files"]] == names
    done(run("open", ref, "--to", str(tmp_path / "out")))
    written = {path.name: path.read_bytes() for path in (tmp_path / "out/evidence").iterdir()}
    assert written == {names[0]: JPEG, names[1]: JPEG + b"2", names[2]: JPEG + b"3"}


def test_a_desk_without_keys_says_so_before_it_asks_for_anything(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root.pub"
    root.write_text("x")
    for module in ("desk.program", "desk.setup"):
        monkeypatch.setattr(f"{module}.ask", lambda *_, **__: pytest.fail("asked"))
    empty = DeskHome(tmp_path / "nothing")
    enrol = ("enrol", "--server", "http://a.test", "--root-public", str(root))
    for command in (("list",), ("sync",), enrol):
        refused = run(*command, home=empty)
        assert (refused.exit_code, "There are no keys in" in refused.stderr) == (1, True)
    again = run("keygen", "--label", "x", "--out", str(tmp_path / "e.json"))
    assert "would destroy the old ones" in again.stderr


def test_an_empty_passphrase_file_is_said_to_be_empty(run: Run, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n")
    refused = run("list", "--passphrase-file", str(empty))
    assert refused.exit_code == 1
    assert f"{empty} is empty: the passphrase is its first line." in refused.stderr


@pytest.mark.parametrize("asked", ["-h", "--help"])
def test_help_is_short_and_no_line_of_it_is_cut(asked: str) -> None:
    said = done(CliRunner().invoke(main, [asked]))
    assert "..." not in said.partition("Commands:")[2]
    for command in main.commands:
        assert f"  {command} " in said


def test_help_names_every_json_shape() -> None:
    for command in ("sync", "list", "show", "open", "verify", "alarms", "identity", "rules", "due"):
        assert "--json: " in CliRunner().invoke(main, [command, "--help"]).output
    assert "info_requested" in done(CliRunner().invoke(main, ["rules"]))


def test_the_shape_of_show_names_whatever_it_says_of_a_message(
    run: Run, reporter: Reporter, sync: Synced
) -> None:
    sync(*reporter.report(), *reporter.follow_up("hello"))
    (message,) = json.loads(done(run("show", reporter.case.hex(), "--json")))["conversation"]
    told = done(CliRunner().invoke(main, ["show", "--help"]))
    shape = told.partition('"conversation"')[2].partition('"journal"')[0]
    assert [name for name in message if f'"{name}"' not in shape] == []
    assert "elsewhere: a reply to another receipt" in told


def test_the_folder_comes_from_the_environment(tmp_path: Path) -> None:
    refused = CliRunner().invoke(
        main,
        ["list"],
        env={"AMANA_DESK_HOME": str(tmp_path / "x"), "AMANA_DESK_PASSPHRASE_FILE": os.devnull},
    )
    assert str(tmp_path / "x") in refused.stderr


def test_a_terminal_sees_a_bar_that_leaves_nothing_behind(
    run: Run, reporter: Reporter, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:

    server.put(*reporter.report([reporter.evidence("a.jpg", "image/jpeg", JPEG)]))
    monkeypatch.setattr("desk.console.err", lambda: Console(stderr=True, force_terminal=True))
    synced = run("sync")
    assert "1 file fetched" in done(synced)
    # It went up to the first column, and wiped every line that it drew.
    assert synced.stderr.endswith("\x1b[2K")


def test_whatever_reads_every_case_says_so_at_a_terminal_and_nowhere_else(
    run: Run, reporter: Reporter, server: FakeServer, monkeypatch: pytest.MonkeyPatch, desk: Desk
) -> None:
    server.put(*reporter.report([reporter.evidence("a.jpg", "image/jpeg", JPEG)]))
    done(run("sync"))
    ref = reporter.case.hex()
    assert run("verify").stderr == ""
    monkeypatch.setattr("desk.console.err", lambda: Console(stderr=True, force_terminal=True))
    for said, command in (
        ("Reading the cases (0 of 1)", ("list",)),
        ("Reading the cases (0 of 1)", ("views",)),
        ("Reading the cases (0 of 1)", ("stats", "--json")),
        ("Proving the cases (0 of 1)", ("verify",)),
        ("Comparing the cases (0 of 1)", ("similar", ref)),
        ("Writing a.jpg", ("open", ref, "--to", str(desk.home.folder.parent / "out"))),
    ):
        desk.home.index.unlink(missing_ok=True)
        shown = run(*command)
        assert said in shown.stderr, command
        assert said not in done(shown)


def test_the_rosters_helpers_agree_with_the_root(world: World) -> None:
    assert operator(1, world.operators[0]) == world.roster.operators[0]
    assert custodian(3, world.custodians[0]) == world.roster.custodians[0]
