"""A thread of a worker that clears away what is over, at its start and from time to time.

Rule: one round that fails is reported by its kind and does not stop the next; a sweeper keeps no
process alive.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

from gateway.quiet import report_failure

_STOP_SECONDS = 2.0


class Sweeper(ABC):
    """Sweeps every ``seconds``; what there is to sweep is said by ``_sweep``."""

    def __init__(self, name: str, seconds: float) -> None:
        self._every = seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin, in the worker: a thread does not outlive a fork."""
        self._thread.start()

    def stop(self) -> None:
        """End soon; what is left over is swept by the next start."""
        self._ended.set()
        self._thread.join(_STOP_SECONDS)

    def sweep(self) -> None:
        """Sweep once.  An error is reported by its kind, and tried again later."""
        try:
            self._sweep()
        except Exception as error:  # noqa: BLE001 # whatever it is, the next round must come
            report_failure(error)

    @abstractmethod
    def _sweep(self) -> None: ...

    def _run(self) -> None:
        self.sweep()
        while not self._ended.wait(self._every):
            self.sweep()
