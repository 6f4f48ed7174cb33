"""Whoever stops a program while it sends has stopped the sending, and not what is kept already."""

# ruff: noqa: PLR0913, PLR0917 - a test names the fixtures that it needs

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from crypto.header import Kind
from desk import acts, outbox
from desk.client import SyncClient
from desk.editor import Draft
from desk.errors import Stopped
from desk.evidence import views
from desk.outbox import append
from desk.sight import redaction
from desk.sight.closing import close
from desk.store import Store
from sanitizer.sight.boxes import Box
from tests.desk.running import done
from tests.desk.sight import kit
from tests.desk.world import of_kind
from tests.sanitizer.jailed import needs_seccomp
from tests.sanitizer.test_sight_film import needs_jail

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from desk.cases import Case
    from desk.desk import Desk
    from desk.store import Envelope
    from desk.sync import SyncReport
    from tests.desk.running import Run
    from tests.desk.world import Reporter

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]
    Stop = Callable[[], object]

pytestmark = pytest.mark.claim("C-CUT")
TEXT = "Come to the office on Monday."


def by_the_operator() -> None:
    signal.raise_signal(signal.SIGINT)


def by_the_system() -> None:
    sys.exit(128 + signal.SIGTERM)


@pytest.fixture(params=[by_the_operator, by_the_system], ids=["ctrl-c", "term"])
def slow(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A server so slow that somebody stops each sending; one number for each."""
    stop: Stop = request.param
    asked: list[int] = []

    def post(*_: object) -> None:
        asked.append(len(asked))
        stop()

    monkeypatch.setattr(SyncClient, "post", post)
    return asked


@pytest.fixture
def ref(reporter: Reporter, sync: Synced) -> str:
    photo = reporter.evidence("photo-1.jpg", "image/jpeg", kit.picture())
    raw = reporter.evidence("o", "image/jpeg", b"as it came", removed=(), original_of=photo.id)
    sync(*reporter.report([photo, raw], description="Samira Alaoui took it."))
    return reporter.case.hex()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("reply", "CASE", "--text", TEXT), "the answer is kept here and goes out with the next"),
        (("note", "CASE", "Called them."), "noted (waits for the next sync)"),
        (("status", "CASE", "triage"), "(waits for the next sync)"),
        (
            ("redact", "CASE", "--answer", "description", "--words", "Alaoui", "--yes"),
            "a redacted copy was made (waits for the next sync)",
        ),
    ],
    ids=["reply", "note", "status", "redact"],
)
def test_what_is_kept_is_told_as_kept(
    run: Run, desk: Desk, ref: str, slow: list[int], sync: Synced, monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...], told: str,
) -> None:  # fmt: skip
    said = run(*(ref if one == "CASE" else one for one in arguments))
    assert (said.exit_code, told in said.output) == (0, True), said.output
    assert "Aborted" not in said.output
    assert (len(slow), len(desk.store.unposted())) == (1, 1)
    monkeypatch.undo()
    assert (sync().posted, desk.store.unposted()) == (1, ())


@needs_seccomp
@needs_jail
def test_a_copy_of_a_picture_is_signed_once(
    run: Run, ref: str, slow: list[int], read: Read
) -> None:
    said = done(run("redact", ref, "photo-1.jpg", "--box", "1,1,9,9", "--yes"))
    assert "a redacted copy was made (waits for the next sync)" in said
    assert len(slow) == len(read().work.of(acts.REDACTION)) == 1


@pytest.mark.parametrize("stop", [by_the_operator, by_the_system], ids=["ctrl-c", "term"])
def test_what_was_stopped_in_the_instant_after_it_was_kept_is_kept(
    run: Run, desk: Desk, ref: str, sync: Synced, monkeypatch: pytest.MonkeyPatch, stop: Stop
) -> None:
    true = Store.keep_after

    def keep_after(store: Store, known: frozenset[bytes], envelope: Envelope) -> None:
        true(store, known, envelope)  # type: ignore[arg-type]  # as it was called
        stop()

    with monkeypatch.context() as patch:
        patch.setattr(Store, "keep_after", keep_after)
        assert "waits for the next sync" in done(run("note", ref, "Called them."))
        # Nothing was said yet of its being sent: that goes on.
        assert "sealed and sent" in done(run("reply", ref, "--text", TEXT))
    sync()
    assert [len(of_kind(desk, one)) for one in (Kind.REPLY, Kind.ENTRY)] == [1, 1]
    assert desk.store.unposted() == ()


@pytest.mark.parametrize("stop", [by_the_operator, by_the_system], ids=["ctrl-c", "term"])
def test_what_was_stopped_before_it_was_kept_is_not_told_as_kept(
    run: Run, desk: Desk, ref: str, monkeypatch: pytest.MonkeyPatch, stop: Stop
) -> None:
    def keep_after(*_: object) -> None:
        stop()

    with monkeypatch.context() as patch:
        patch.setattr(Store, "keep_after", keep_after)
        said = run("reply", ref, "--text", TEXT)
    assert said.exit_code != 0
    assert "kept" not in said.output
    assert desk.store.unposted() == ()


def test_what_is_to_go_on_stops_and_says_what_is_kept(
    desk: Desk, ref: str, slow: list[int], read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ref
    with pytest.raises(Stopped, match=r"What was signed until then is kept.*nothing more was done"):
        append(desk, read(), acts.NOTE, {"text": "one"}, is_last=False)
    true = Store.keep_after

    def keep_after(store: Store, known: frozenset[bytes], envelope: Envelope) -> None:
        true(store, known, envelope)  # type: ignore[arg-type]  # as it was called
        by_the_operator()

    monkeypatch.setattr(Store, "keep_after", keep_after)
    with pytest.raises(Stopped):
        append(desk, read(), acts.NOTE, {"text": "two"}, is_last=False)
    assert (len(slow), len(desk.store.unposted())) == (1, 2)


@needs_seccomp
@needs_jail
def test_whoever_stops_a_closing_has_closed_all_that_shows_the_same(
    desk: Desk, ref: str, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    (photo, raw) = views(desk, read())
    redaction.redact(desk, read(), photo.id, [Box(1, 1, 9, 9)])
    asked: list[str] = []

    def post(*_: object) -> None:
        asked.append(ref)
        by_the_operator()

    monkeypatch.setattr(SyncClient, "post", post)
    assert not close(desk, read(), raw, "custodian 1")
    assert (len(asked), len(desk.store.unposted())) == (1, 3)
    assert len(read().work.quarantined) == 3


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An editor that writes the answer."""
    program = tmp_path / "editor"
    program.write_text(f'#!/bin/sh\nprintf "{TEXT}" > "$1"\n')
    program.chmod(0o700)
    monkeypatch.setenv("VISUAL", str(program))
    (tmp_path / "shm").mkdir()
    monkeypatch.setattr("desk.editor.MEMORY", str(tmp_path / "shm"))


@pytest.mark.usefixtures("written", "slow")
def test_the_editor_does_not_open_again_with_what_is_said_already(
    run: Run, desk: Desk, ref: str, read: Read
) -> None:
    assert "is kept here and goes out with the next sync" in done(run("reply", ref))
    assert not Draft.of(desk, read()).path.exists()


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGKILL])
def test_a_terminal_that_is_closed_while_it_sends_leaves_no_draft_of_what_is_said(
    run: Run, desk: Desk, ref: str, read: Read, monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
) -> None:  # fmt: skip
    def killed(*_: object) -> None:
        os.kill(os.getpid(), number)

    child = os.fork()
    if child == 0:
        try:
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            monkeypatch.setattr(outbox, "deliver_in_turn", killed)
            run("reply", ref)
        finally:
            os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == number
    assert len(desk.store.unposted()) == 1
    assert not Draft.of(desk, read()).path.exists()
