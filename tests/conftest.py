"""What every test may rely on: a missing judge skips aloud, and in CI a skip is a failure."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.templates import compile_once

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from playwright.sync_api import Browser


compile_once()

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's job in the background ignores Ctrl-C from its start, and what it starts does too:
    # the tests of what Ctrl-C does would be tests of nothing.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Generator[None, object, None]:
    """In CI a proof that did not run is a proof that failed."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]  # pluggy's result, untyped here
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("AMANA_NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped: {report.longrepr}"


def judge(name: str) -> Path:
    """The path of an independent judge's program, or a skip that names what is missing."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return Path(found)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Debian's Chromium."""
    return judge("chromium")


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """That Chromium, running, for the tests of one file."""
    from tests.support.browser import quiet_chromium  # noqa: PLC0415 most tests need no browser

    with quiet_chromium(chromium) as running:
        yield running


@pytest.fixture(scope="session")
def exiftool() -> Path:
    """ExifTool, the judge that never touches a reporter's file in production."""
    return judge("exiftool")
