"""Of an error only its kind and its place are said, whoever says it."""

from __future__ import annotations

import logging
import sys
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from gateway import quiet
from gateway.quiet import QuietFlask, hush
from gateway.sync.app import create_sync
from tests.support.rehearsal import make_rehearsal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask

    from tests.gateway.deployment import Deployment

WORD = "a word of a reporter"


def failing(app: Flask) -> Flask:
    """Let every handler of errors fail, too."""

    def fail(*_: object) -> str:
        raise RuntimeError(WORD)

    app.error_handler_spec.clear()
    app.register_error_handler(Exception, fail)
    app.add_url_rule("/fails", "fails", fail)
    return app


@pytest.mark.claim("C-REST")
@pytest.mark.claim("C-NOADDR")
@pytest.mark.parametrize("which", ["site", "sync"])
def test_a_handler_of_errors_that_fails_itself_writes_no_message_and_no_path(
    deployment: Deployment, tmp_path: Path, which: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if which == "site":
        app = make_rehearsal(tmp_path / "site").site()
    else:
        app = create_sync(
            config=deployment.config, vault=deployment.vault, rosters=deployment.rosters
        )
    client = failing(app).test_client()
    with pytest.raises(RuntimeError):
        client.get("/fails")
    said = capsys.readouterr().err
    assert "failed: RuntimeError at gateway/test_quiet.py" in said
    for secret in (WORD, "/fails", "GET", "Traceback"):
        assert secret not in said


def test_no_error_is_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    QuietFlask("x").log_exception((None, None, None))
    quiet._report_ended(SimpleNamespace(exc_value=None))
    assert capsys.readouterr().err == ""


@pytest.fixture
def hushed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    before = logging.root.manager.disable
    hush()
    yield
    logging.disable(before)


@pytest.mark.claim("C-NOADDR")
@pytest.mark.usefixtures("hushed")
def test_in_a_worker_no_library_and_no_thread_writes_a_message(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail() -> None:
        raise ValueError(WORD)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    try:
        fail()
    except ValueError as error:
        sys.unraisablehook(SimpleNamespace(exc_value=error))
        logging.getLogger("a library").exception(WORD)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("amana: failed: ValueError at ") for line in lines)
