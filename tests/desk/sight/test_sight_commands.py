"""preview, redact and quarantine, as somebody at a terminal uses them."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING

import click
import pytest

from desk import acts, commands_of_sight
from desk.evidence import open_evidence, views
from desk.pages.app import create_pages
from desk.pages.door import OneTimeLink
from desk.sight import shown
from desk.sight.closing import close
from desk.sight.export import find_file
from tests.desk.running import done
from tests.desk.sight import kit
from tests.sanitizer.jailed import needs_seccomp
from tests.sanitizer.test_sight_film import needs_jail

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask.testing import FlaskClient

    from desk.cases import Case
    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.running import Run
    from tests.desk.server import FakeServer
    from tests.desk.world import Reporter

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

pytestmark = [needs_seccomp, needs_jail]
WORDS = "Samira Alaoui took it."


@pytest.fixture
def ref(reporter: Reporter, sync: Synced) -> str:
    rows = [
        reporter.evidence("photo-1.jpg", "image/jpeg", kit.picture()),
        reporter.evidence("video-2.mov", "video/quicktime", kit.film()),
        reporter.evidence("voice-3.mp3", "audio/mpeg", kit.tone()),
        reporter.evidence("doc-4.pdf", "application/pdf", kit.document(("One", "Two"))),
        reporter.evidence("note-5.txt", "text/plain", b"words"),
        reporter.evidence("file-6.bin", "application/zip", b"PK"),
    ]
    sync(*reporter.report(rows, description=WORDS))
    return reporter.case.hex()[:8]


@pytest.fixture
def page(desk: Desk) -> FlaskClient:
    link = OneTimeLink()
    client = create_pages(desk, kit.BIND, link).test_client()
    client.get(f"/link/{link.token}", headers=kit.OURS)
    return client


@pytest.mark.claim("C-PREVIEW")
@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("photo-1.jpg", ["photo-1.preview.png"]),
        ("video-2.mov", ["video-2.sheet.png", "video-2.clip.webm"]),
        ("voice-3.mp3", ["voice-3.preview.wav"]),
        ("doc-4.pdf", ["doc-4.page-001.png", "doc-4.page-002.png"]),
        ("note-5.txt", ["note-5.preview.txt"]),
    ],
)
def test_a_preview_writes_what_was_made_anew_and_nothing_else(
    run: Run, ref: str, tmp_path: Path, name: str, written: list[str]
) -> None:
    folder = tmp_path / "out"
    told = json.loads(done(run("preview", ref, name, "--to", str(folder), "--json")))
    assert told == {"folder": str(folder), "files": written}
    assert sorted(path.name for path in folder.iterdir()) == sorted(written)
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
    files = (kit.picture(), kit.film(), kit.tone(), kit.document(("One", "Two")))
    assert not any(path.read_bytes() in files for path in folder.iterdir())


def test_a_preview_names_what_it_wrote_and_refuses_what_it_cannot(
    run: Run, ref: str, tmp_path: Path, desk: Desk, read: Read
) -> None:
    photo = views(desk, read())[0]
    assert done(run("preview", ref, photo.id[:8], "--to", str(tmp_path / "a"))) == (
        f"{tmp_path / 'a' / 'photo-1.preview.png'}\n"
    )
    for arguments, words in (
        (("preview", ref, "file-6.bin", "--to", str(tmp_path / "b")), "no preview of this kind"),
        (("preview", ref, "nothing", "--to", str(tmp_path / "b")), "photo-1.jpg, video-2.mov"),
        (("preview", ref, "photo-1.jpg", "--to", str(tmp_path / "a")), "is not empty"),
    ):
        result = run(*arguments)
        assert (result.exit_code, words in result.stderr) == (1, True), result.output
    assert not (tmp_path / "b").exists()


@pytest.mark.usefixtures("ref")
def test_a_name_that_is_none_finds_nothing(desk: Desk, read: Read) -> None:
    assert find_file(desk, read(), " Photo-1.JPG ").name == "photo-1.jpg"
    for bad in ("", " "):
        with pytest.raises(Exception, match="No single file"):
            find_file(desk, read(), bad)


@pytest.mark.claim("C-REDACTED")
def test_a_copy_is_made_from_the_command_line(
    run: Run, ref: str, desk: Desk, read: Read, tmp_path: Path
) -> None:
    boxes = ("--box", "10,20,30,40", "--box", "100,100,5,5")
    seen = tmp_path / "seen"
    told = run("redact", ref, "photo-1.jpg", *boxes, "--to", str(seen), input="y\n")
    assert (told.exit_code, "a redacted copy was made" in told.stdout) == (0, True), told.output
    assert f"{seen / 'photo-1.redacted.png'}: the copy, in clear." in told.stdout
    done(run("redact", ref, "doc-4.pdf", "--page", "2", "--box", "0,0,9,9", "--yes"))
    asked = done(
        run(
            "redact", ref, "--answer", "description", "--words", "samira", "--span", "7:13",
            input="y\n",
        )
    )  # fmt: skip
    assert asked.startswith("▮▮▮ ▮▮▮ took it.\nsamira: found 1 time\n")
    picture, page, words = [one for one in views(desk, read()) if one.is_copy]
    assert shown.words(desk, read(), words.id) == "▮▮▮ ▮▮▮ took it."
    assert done(run("show", ref)).count("made a redacted copy of") == 3
    folder = tmp_path / "out"
    done(run("preview", ref, picture.name, "--to", str(folder)))
    copy = kit.opened((folder / f"{picture.name[:-4]}.preview.png").read_bytes())
    assert copy.getpixel((20, 30)) == (0, 0, 0)
    assert page.copy_of
    # What was looked at is what was signed, to the byte.
    signed = b"".join(open_evidence(desk, read(), picture.id).whole())
    assert (seen / "photo-1.redacted.png").read_bytes() == signed
    assert (seen / "photo-1.redacted.png").stat().st_mode & 0o077 == 0


@pytest.mark.claim("C-REDACTED")
@pytest.mark.parametrize("said", ["n\n", ""], ids=["no", "nobody"])
@pytest.mark.usefixtures("desk")
def test_a_copy_of_a_picture_is_shown_and_signed_only_after_a_yes(
    run: Run, ref: str, read: Read, tmp_path: Path, said: str
) -> None:
    boxes = ("redact", ref, "photo-1.jpg", "--box", "10,20,30,40")
    unseen = run(*boxes, input="y\n")
    assert (unseen.exit_code, "Look before you sign: --to FOLDER" in unseen.stderr) == (1, True)
    result = run(*boxes, "--to", str(tmp_path / "seen"), input=said)
    assert result.exit_code == 1, result.output
    copy = kit.opened((tmp_path / "seen" / "photo-1.redacted.png").read_bytes())
    assert copy.getpixel((20, 30)) == (0, 0, 0)
    assert read().work.of(acts.REDACTION) == ()
    full = run(*boxes, "--to", str(tmp_path / "seen"), input="y\n")
    assert (full.exit_code, "is not empty" in full.stderr) == (1, True)
    assert read().work.of(acts.REDACTION) == ()


@pytest.mark.claim("C-QUARANTINE")
def test_a_file_that_is_closed_while_its_copy_is_looked_at_is_not_copied(  # noqa: PLR0913, PLR0917 - both faces
    run: Run, ref: str, desk: Desk, read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed_meanwhile(*_: object, **__: object) -> bool:
        close(desk, read(), views(desk, read())[0], "custodian 1")
        return True

    monkeypatch.setattr("click.confirm", closed_meanwhile)
    result = run("redact", ref, "photo-1.jpg", "--box", "1,1,9,9", "--to", str(tmp_path / "seen"))
    assert (result.exit_code, "custodian 1" in result.stderr) == (1, True), result.output
    assert read().work.of(acts.REDACTION) == ()


@pytest.mark.claim("C-REDACTED")
def test_a_film_is_not_copied_as_one_picture(
    run: Run, ref: str, desk: Desk, read: Read, page: FlaskClient
) -> None:
    result = run("redact", ref, "video-2.mov", "--box", "0,0,10,10", "--yes")
    assert (result.exit_code, "this is a film" in result.stderr) == (1, True), result.output
    film = views(desk, read())[1].id
    path = f"/case/{read().id.hex()}/file/{film}"
    for answer in (
        page.get(f"{path}/redact/0", headers=kit.OURS),
        page.get(f"{path}/redacted-0.png?boxes=0,0,9,9", headers=kit.OURS),
        page.post(f"{path}/redact/0", headers=kit.FORM, data={"boxes": "0,0,9,9", "sign": "1"}),
    ):
        assert (answer.status_code, "this is a film" in answer.text) == (422, True)
    assert read().work.of(acts.REDACTION) == ()


def test_a_page_that_is_not_there_is_no_fault_of_the_file(
    run: Run, ref: str, page: FlaskClient, read: Read, desk: Desk
) -> None:
    told = "There is nothing to see there: it has 2 pages."
    result = run("redact", ref, "doc-4.pdf", "--page", "7", "--box", "0,0,9,9", "--yes")
    assert (result.exit_code, told in result.stderr) == (1, True), result.output
    path = f"/case/{read().id.hex()}/file/{views(desk, read())[3].id}"
    for look in ("look/7", "look/7", "redact/7"):
        answer = page.get(f"{path}/{look}", headers=kit.OURS)
        assert (answer.status_code, told in answer.text) == (422, True)


@pytest.mark.claim("C-REDACTED")
@pytest.mark.parametrize("said", ["n\n", ""], ids=["no", "nobody"])
@pytest.mark.usefixtures("desk")
def test_a_copy_of_words_is_shown_and_signed_only_after_a_yes(
    run: Run, ref: str, read: Read, said: str
) -> None:
    result = run("redact", ref, "--answer", "description", "--words", "samira", input=said)
    assert (result.exit_code, "▮▮▮ Alaoui took it." in result.stdout) == (1, True)
    assert read().work.of(acts.REDACTION) == ()


@pytest.mark.claim("C-REDACTED")
@pytest.mark.usefixtures("desk")
def test_a_yes_signs_the_words_that_were_named_in_the_command(
    run: Run, ref: str, read: Read
) -> None:
    done(run("redact", ref, "--answer", "description", "--words", "samira", input="y\n"))
    assert len(read().work.of(acts.REDACTION)) == 1


@pytest.mark.usefixtures("desk")
def test_words_are_asked_for_so_that_no_history_has_them(run: Run, ref: str) -> None:
    words = ("redact", ref, "--answer", "description", "--words", "-", "--yes")
    told = done(run(*words, input="samira\nit\n"))
    assert told.startswith("▮▮▮ Alaoui took ▮▮▮.\nsamira: found 1 time\nit: found 1 time\n")
    # None of those that were given beside it is passed over.
    both = done(run(*words, "--words", "alaoui", input="it\n"))
    assert both.startswith("Samira ▮▮▮ took ▮▮▮.\nalaoui: found 1 time\nit: found 1 time\n")
    done(run("quarantine", ref, "photo-1.jpg", "--text", "-", input="seen at once\n"))
    assert "seen at once" in done(run("show", ref))


@pytest.mark.claim("C-REDACTED")
@pytest.mark.parametrize(
    "piped",
    ["samira\nit\n", "samira\r\n\r\nit", "\n\nsamira\n\n \n\nit\n\n\n", "samira\n\t\nit\n"],
    ids=["lines", "no-last-end", "empty-lines", "blank-line"],
)
def test_only_the_end_of_what_is_piped_ends_the_words(
    run: Run, desk: Desk, ref: str, read: Read, piped: str
) -> None:
    words = ("redact", ref, "--answer", "description", "--words", "-")
    told = done(run(*words, "--yes", input=piped))
    assert told.startswith("▮▮▮ Alaoui took ▮▮▮.\nsamira: found 1 time\nit: found 1 time\n")
    copy = next(one for one in views(desk, read()) if one.is_copy)
    assert shown.words(desk, read(), copy.id) == "▮▮▮ Alaoui took ▮▮▮."


@pytest.mark.claim("C-REDACTED")
@pytest.mark.usefixtures("desk")
def test_piped_words_answer_no_question_and_are_shown_and_not_signed(
    run: Run, ref: str, read: Read
) -> None:
    words = ("redact", ref, "--answer", "description", "--words", "-")
    refused = run(*words, input="samira\n\nit\n")
    assert refused.exit_code == 1
    assert refused.stdout.startswith("▮▮▮ Alaoui took ▮▮▮.\nsamira: found 1 time\n")
    assert "signed with --yes alone" in refused.stderr
    # Nor is an answer taken for what it was before: a word like the others, and none of the text.
    answered = run(*words, input="samira\n\nyes\n")
    assert (answered.exit_code, "nowhere in it: “yes”" in answered.stderr) == (1, True)
    assert read().work.of(acts.REDACTION) == ()


@pytest.mark.usefixtures("desk")
def test_what_is_piped_and_is_no_words_signs_nothing(run: Run, ref: str, read: Read) -> None:
    words = ("redact", ref, "--answer", "description", "--words", "-", "--yes")
    for piped, said in ((b"samira\n\xff\n", "cannot be read as text"), ("", "Nothing is")):
        refused = run(*words, input=piped)
        assert (refused.exit_code, said in refused.stderr) == (1, True)
    assert read().work.of(acts.REDACTION) == ()


@pytest.mark.usefixtures("desk")
def test_who_types_the_words_is_asked_for_each(
    run: Run, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = iter(["samira", ""])
    monkeypatch.setattr(commands_of_sight, "sys", _Terminal())
    monkeypatch.setattr(click, "prompt", lambda *_, **__: next(typed))
    told = done(run("redact", ref, "--answer", "description", "--words", "-", "--yes"))
    assert told.startswith("▮▮▮ Alaoui took it.\nsamira: found 1 time\n")


class _Terminal:
    """What stands for `sys` where somebody sits at a terminal."""

    stdin = SimpleNamespace(isatty=lambda: True)


@pytest.mark.claim("C-REDACTED")
def test_a_message_is_blacked_out_from_the_command_line(
    run: Run, desk: Desk, read: Read, reporter: Reporter, sync: Synced
) -> None:
    sync(*reporter.report(), *reporter.follow_up("I am Samira."))
    ref = reporter.case.hex()[:8]
    done(run("redact", ref, "--message", "1", "--words", "samira", "--yes"))
    (copy,) = [one for one in views(desk, read()) if one.is_copy]
    assert shown.words(desk, read(), copy.id) == "I am ▮▮▮."
    message = read().follow_ups[0].envelope.id.hex()
    assert copy.copy_of_answer == f"message:{message}"
    assert f"made a redacted copy of message {message[:8]}" in done(run("show", ref))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Name a file, or an answer"),
        (("photo-1.jpg", "--message", "1"), "Name a file, or an answer"),
        (("--message", "1", "--words", "x"), "no such answer or message"),
        (("--answer", "message:" + "00" * 16, "--words", "x"), "no such answer or message"),
        (("--answer", "description"), "none of these words"),
        (("--answer", "description", "--words", "Samira", "--words", "Alawi"),
         "stands nowhere in it: “Alawi”"),
        (("photo-1.jpg", "--answer", "description"), "Name a file, or an answer"),
        (("photo-1.jpg", "--yes"), "at least one box"),
        (("photo-1.jpg", "--yes", "--box", "1,2"), "A box is x,y"),
        (("photo-1.jpg", "--yes", "--box", "5,5,3,3", "--words", "Samira"), "not for a file"),
        (("photo-1.jpg", "--yes", "--box", "5,5,3,3", "--span", "0:5"), "not for a file"),
        (("--answer", "description", "--words", "Samira", "--yes", "--box", "1,1,5,5"),
         "are for a file"),
        (("--answer", "description", "--words", "Samira", "--yes", "--page", "1"),
         "are for a file"),
        (("--message", "1", "--words", "Samira", "--yes", "--to", "x"), "are for a file"),
        (("--answer", "description", "--span", "a:b"), "A span is from:to"),
        (("--answer", "description", "--span", "3"), "A span is from:to"),
        (("--answer", "nothing", "--words", "x"), "no such answer"),
    ],
)  # fmt: skip
def test_a_copy_that_cannot_be_made_says_why(
    run: Run, ref: str, arguments: tuple[str, ...], words: str
) -> None:
    result = run("redact", ref, *arguments)
    assert (result.exit_code, words in result.stderr) == (1, True), result.output


def test_what_is_closed_before_it_came_is_counted_as_closed(
    run: Run, reporter: Reporter, sync: Synced, read: Read, server: FakeServer
) -> None:
    server.answers["/v1/parts"] = (404, b"{}")
    sync(*reporter.report([reporter.evidence("photo-1.jpg", "image/jpeg", kit.picture())]))
    done(run("quarantine", read().ref, "photo-1.jpg"))
    told = json.loads(run("verify", "--json").stdout)["cases"][0]
    assert (told["files_read"], told["files_in_quarantine"]) == (0, 1)


@pytest.mark.claim("C-QUARANTINE")
def test_a_file_is_closed_from_the_command_line(  # noqa: PLR0913, PLR0917 - all of it
    run: Run, ref: str, desk: Desk, read: Read, tmp_path: Path, server: object
) -> None:
    sha256 = views(desk, read())[0].sha256
    assert f"{sha256} is in quarantine; custodian: custodian 1" in done(
        run("quarantine", ref, "photo-1.jpg", "--text", "seen at once")
    )
    for arguments in (
        ("preview", ref, "photo-1.jpg", "--to", str(tmp_path / "a")),
        ("redact", ref, "photo-1.jpg", "--box", "1,1,9,9", "--yes"),
    ):
        result = run(*arguments)
        assert (result.exit_code, "custodian 1" in result.stderr) == (1, True), result.output
    assert not (tmp_path / "a").exists()
    told = json.loads(done(run("open", ref, "--to", str(tmp_path / "b"), "--json")))
    assert told["left_out"] == [views(desk, read())[0].id]
    said = run("open", ref, "--to", str(tmp_path / "c"))
    assert said.stderr.endswith(
        f"left out: {views(desk, read())[0].id} (in quarantine, custodian: custodian 1)\n"
    )
    assert done(run("verify", ref)).endswith("6 files read to the end, 1 file in quarantine\n")
    told = json.loads(done(run("verify", ref, "--json")))["cases"][0]
    assert (told["files"], told["files_in_quarantine"]) == (6, 1)
    assert "in quarantine" in done(run("show", ref))
    assert "seen at once" in done(run("show", ref))
    server.answers["/v1/envelopes"] = (503, b"")  # type: ignore[attr-defined]  # the fake's
    later = done(run("quarantine", ref, "video-2.mov", "--custodian", "operator 2"))
    assert "operator 2 (waits for the next sync)" in later
