"""Syncs of the pages: when somebody presses the button, and every so many minutes by themselves.

Rule: never two at once.  Nothing begins after Lock, and what is under way then asks the server
nothing more.  One that the desk began by itself and that failed is said on the list until one
succeeds; the next is tried when its time has come.
"""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from desk.damage import unusable
from desk.desk import local_stamp
from desk.errors import AlreadySyncing, DeskError, Stopped
from desk.news import sync_and_tell
from desk.pages.quiet import report
from desk.patience import SyncLimits
from desk.progress import Doing, Stoppable
from desk.sentence import Sentence, reason

if TYPE_CHECKING:
    from desk.desk import Desk
    from desk.news import Bell
    from desk.sync import SyncReport

SYNC_SECONDS = 300.0
"""A browser gives a page up after some minutes; what came is kept, and Sync goes on from there."""
MINUTE = 60.0


@dataclass(slots=True)
class Syncing:
    """The syncs of one desk's pages; `minutes` is how often they begin by themselves, 0 never."""

    desk: Desk
    bell: Bell | None
    over: threading.Event
    minutes: int = 0
    doing: Doing | None = None
    failure: str = ""
    failed_at: str = ""
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def press(self) -> str:
        """Sync now, and say what came of it."""
        if not self._turn.acquire(blocking=False):
            return Sentence("A sync is under way already. Look again in a minute.")
        try:
            done, complaint = self._sync(SyncLimits(seconds=SYNC_SECONDS))
        except DeskError as error:
            return reason(error)
        finally:
            self._turn.release()
        self.failure = ""
        said = Sentence("Synced: {done}", done=done.words)
        return Sentence("{done} {complaint}", done=said, complaint=complaint) if complaint else said

    def keep_on(self) -> None:
        """Sync at once, and then every so many minutes, until it is over."""
        while not self.over.is_set():
            self.by_itself()
            self.over.wait(self.minutes * MINUTE)

    def by_itself(self) -> None:
        """Sync once, unless another sync is under way; remember why it failed, or the bell."""
        if not self._turn.acquire(blocking=False):
            return
        begun, failure = local_stamp(), ""
        try:
            _, failure = self._sync(SyncLimits())
        except (AlreadySyncing, Stopped):
            # Another program of this desk is at it, or nobody is here any more: no failure.
            return
        except DeskError as error:
            failure = reason(error)
        except sqlite3.Error as error:
            failure = unusable(error)
        except Exception as error:  # noqa: BLE001  # the next one may succeed, and nobody else would say it
            report(error)
            failure = Sentence("The desk met an error, and this was not done to its end.")
        finally:
            self._turn.release()
        self.failure, self.failed_at = failure, begun

    def _sync(self, limits: SyncLimits) -> tuple[SyncReport, str]:
        self.doing = Stoppable(self.over.is_set)
        try:
            with self.desk.client.unless(self.over.is_set):
                return sync_and_tell(
                    self.desk, self.doing, self.bell, stamp=local_stamp(), limits=limits
                )
        finally:
            self.doing = None
