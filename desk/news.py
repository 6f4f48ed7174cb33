"""A bell: one command of the operator's own runs when a sync brought news.

Rule: what runs is told numbers and nothing else: no case, no word, no key.  No shell reads the
command; it gets no input, its output goes nowhere, and after some seconds it is ended.  Whether it
works decides nothing: a sync that succeeded has succeeded.

The command stands in the file `on-news` of the desk's folder, on one line, or in `sync --on-news`.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from desk.errors import BellRefused, DeskError
from desk.sentence import Sentence, reason
from desk.sync import synchronise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from desk.config import DeskHome
    from desk.desk import Desk
    from desk.patience import SyncLimits
    from desk.progress import Progress
    from desk.sync import SyncReport

SECONDS = 20.0
_LINE_MOST = 4096
_OURS = "AMANA_"
_NO_START = Sentence("The command that runs on news cannot be started.")


@dataclass(frozen=True, slots=True)
class News:
    """How much came: cases with something new, files, and alarms that were not there before."""

    cases: int = 0
    files: int = 0
    alarms: int = 0

    def __bool__(self) -> bool:
        return bool(self.cases or self.files or self.alarms)


@dataclass(frozen=True, slots=True)
class Bell:
    """The command, its program first; and the environment that it runs in, without our own part."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    seconds: float = SECONDS

    @classmethod
    def of(cls, line: str, environment: Mapping[str, str]) -> Bell:
        """Read a command line as a shell would split it, and expand nothing.

        Raises:
            BellRefused: it is empty or too long, or a quote in it has no end.
        """
        try:
            command = tuple(shlex.split(line)) if len(line) <= _LINE_MOST else ()
        except ValueError:
            command = ()
        if not command:
            raise BellRefused("The command that runs on news cannot be read as a command line.")
        kept = {name: one for name, one in environment.items() if not name.startswith(_OURS)}
        return cls(command, kept)

    @classmethod
    def configured(cls, home: DeskHome, environment: Mapping[str, str]) -> Bell | None:
        """The one in the desk's folder, if there is one; raises BellRefused."""
        if not home.on_news.exists():
            return None
        try:
            with home.on_news.open(encoding="utf-8") as file:
                line = file.read(_LINE_MOST + 1)
        except (OSError, UnicodeDecodeError):
            raise BellRefused(Sentence("{path} cannot be read.", path=str(home.on_news))) from None
        return cls.of(line.strip(), environment)

    @property
    def _can_be_started(self) -> bool:
        """Whether its program is there, where `ring` looks for it: its folder is the root's."""
        program = self.command[0]
        if os.sep in program:
            return shutil.which(Path(os.sep) / program) is not None
        path = os.pathsep.join(os.get_exec_path(self.environment))
        return shutil.which(program, path=path) is not None

    def ring(self, news: News) -> None:
        """Run the command, if there are news, and wait until it ends.

        Raises:
            BellRefused: it could not be started, ended with an error, or did not end.
        """
        if not news:
            # Said while nothing came, and not only once something is missed.
            if not self._can_be_started:
                raise BellRefused(_NO_START)
            return
        numbers = {
            "AMANA_NEWS_CASES": str(news.cases),
            "AMANA_NEWS_FILES": str(news.files),
            "AMANA_NEWS_ALARMS": str(news.alarms),
        }
        try:
            done = subprocess.run(  # noqa: S603  # the operator's own choice
                self.command, env={**self.environment, **numbers}, cwd=os.sep,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                timeout=self.seconds, check=False,
            )  # fmt: skip
        except OSError:
            raise BellRefused(_NO_START) from None
        except subprocess.TimeoutExpired:
            raise BellRefused("The command that runs on news did not end, and was ended.") from None
        if done.returncode:
            raise BellRefused(
                Sentence(
                    "The command that runs on news ended with an error ({code}).",
                    code=done.returncode,
                )
            )


def sync_and_tell(
    desk: Desk, progress: Progress, bell: Bell | None, *, stamp: str,
    limits: SyncLimits | None = None,
) -> tuple[SyncReport, str]:  # fmt: skip
    """Synchronise, read what is new into the index, and ring; also when a sync fails with alarms.

    Returns:
        What the sync did, and what the bell has to complain of, or empty.

    Raises:
        As `synchronise`.
    """
    before = set(desk.store.alarms())
    try:
        done = synchronise(desk, progress, stamp=stamp, limits=limits)
    except DeskError:
        _ring(bell, News(alarms=len(set(desk.store.alarms()) - before)))
        raise
    desk.index.rows(progress)
    fresh = len(set(desk.store.alarms()) - before)
    return done, _ring(bell, News(len(done.cases), done.files, fresh))


def _ring(bell: Bell | None, news: News) -> str:
    try:
        if bell is not None:
            bell.ring(news)
    except BellRefused as refused:
        return reason(refused)
    return ""
