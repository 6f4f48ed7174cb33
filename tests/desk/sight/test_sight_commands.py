"""preview, redact and quarantine, as somebody at a terminal uses them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from desk import acts
from desk.evidence import views
from desk.sight import shown
from desk.sight.export import find_file
from tests.desk.running import done
from tests.desk.sight import kit
from tests.sanitizer.jailed import needs_seccomp
from tests.sanitizer.test_sight_film import needs_jail

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desk.cases import Case
    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.running import Run
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
    assert "a redacted copy was made" in done(
        run("redact", ref, "photo-1.jpg", "--box", "10,20,30,40", "--box", "100,100,5,5")
    )
    done(run("redact", ref, "doc-4.pdf", "--page", "2", "--box", "0,0,9,9"))
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


@pytest.mark.claim("C-REDACTED")
@pytest.mark.parametrize("said", ["n\n", ""], ids=["no", "nobody"])
@pytest.mark.usefixtures("desk")
def test_a_copy_of_words_is_shown_and_signed_only_after_a_yes(
    run: Run, ref: str, read: Read, said: str
) -> None:
    result = run("redact", ref, "--answer", "description", "--words", "samira", input=said)
    assert (result.exit_code, "▮▮▮ Alaoui took it." in result.stdout) == (1, True)
    assert read().work.of(acts.REDACTION) == ()


@pytest.mark.usefixtures("desk")
def test_words_are_asked_for_so_that_no_history_has_them(run: Run, ref: str) -> None:
    told = done(
        run("redact", ref, "--answer", "description", "--words", "-", input="samira\nit\n\ny\n")
    )
    assert told.startswith("▮▮▮ Alaoui took ▮▮▮.\nsamira: found 1 time\nit: found 1 time\n")
    done(run("quarantine", ref, "photo-1.jpg", "--text", "-", input="seen at once\n"))
    assert "seen at once" in done(run("show", ref))


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
        (("photo-1.jpg",), "at least one box"),
        (("photo-1.jpg", "--box", "1,2"), "A box is x,y"),
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
        ("redact", ref, "photo-1.jpg", "--box", "1,1,9,9"),
    ):
        result = run(*arguments)
        assert (result.exit_code, "custodian 1" in result.stderr) == (1, True), result.output
    assert not (tmp_path / "a").exists()
    told = json.loads(done(run("open", ref, "--to", str(tmp_path / "b"), "--json")))
    assert told["left_out"] == [views(desk, read())[0].id]
    assert "in quarantine" in done(run("show", ref))
    assert "seen at once" in done(run("show", ref))
    server.answers["/v1/envelopes"] = (503, b"")  # type: ignore[attr-defined]  # the fake's
    later = done(run("quarantine", ref, "video-2.mov", "--custodian", "operator 2"))
    assert "operator 2 (waits for the next sync)" in later
