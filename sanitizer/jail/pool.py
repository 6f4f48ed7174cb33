"""Workers that wait behind their lock for one person's files: the gateway's end.

Rule: no file of a format with a parser written in C is parsed in this process.  A lease is one
person's; its worker is killed with it.  What a worker says is bounded, is of the type that was
asked for, is judged again here (sanitizer.recheck) and otherwise not believed; bytes of the
source are passed on from the source itself, never by way of the worker or of the memory that it
reads.  Where one is too slow, too large, silent or rude, the file is refused and the pool goes on.
"""

import atexit
import contextlib
import functools
import json
import os
import platform
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from sanitizer import recheck
from sanitizer.detect import Format
from sanitizer.errors import JailUnavailable, Malformed, Refused, TooComplex
from sanitizer.jail import allowed, filters, launcher, shared, wire, zygote
from sanitizer.jail.child import Child, Died, Overdue
from sanitizer.jail.program import has_seccomp
from sanitizer.limits import Limits
from sanitizer.pieces import HELD, Plan, read_exactly
from sanitizer.result import Planned
from sanitizer.source import BytesSource, UntrustedSource

_ZYGOTE = Path(zygote.__file__)
_START_SECONDS = 30
_TRIES = 3
_COMMAND_SECONDS = 10
_STREAM_BYTES = 1 << 20


@dataclass(slots=True)
class Zygote:
    """One zygote and the workers that it has made ready."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    ready: deque[Child] = field(default_factory=deque)
    made: int = 0

    def fork(self) -> Child:
        """Ask for one more worker; it comes when it comes. Raises Died."""
        self.made += 1
        ours, theirs = socket.socketpair()
        child = Child(self.made, ours)
        with theirs:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _STREAM_BYTES)
            descriptors = [theirs.fileno()]
            # Where the kernel cannot seal one, all goes over the stream.
            with contextlib.suppress(OSError):
                child.memory = shared.SharedMemory()
                descriptors.append(child.memory.descriptor)
            try:
                command = zygote.COMMAND.pack(zygote.FORK, self.made)
                socket.send_fds(self.control, [command], descriptors)
            except OSError:
                child.close()
                raise Died from None
        return child

    def end(self, child: Child) -> None:
        """Kill a worker, whatever it does."""
        child.close()
        with contextlib.suppress(OSError):
            self.control.send(zygote.COMMAND.pack(zygote.END, child.number))

    def let_go(self) -> None:
        """Close every descriptor; with the last copy of ``control`` the zygote ends itself."""
        for child in self.ready:
            child.close()
        self.ready.clear()
        self.control.close()

    def close(self) -> None:
        """End the zygote, and with it all its workers."""
        self.let_go()
        self.process.kill()
        self.process.wait()


class Pool:
    """The jailed workers of one process; made at first need, and made again when they die."""

    def __init__(
        self, limits: Limits | None = None, *, ready: int = 2, program: Path = _ZYGOTE
    ) -> None:
        """``ready`` workers wait ahead of need; ``limits`` bound the memory of each."""
        self._limits = limits or Limits()
        self._most_ready = ready
        self._program = program
        self._begin()
        ours = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _forget(ours()))

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._processors = threading.BoundedSemaphore(len(os.sched_getaffinity(0)) + 1)
        self._zygote: Zygote | None = None

    def forget(self) -> None:
        """Let go of what a fork inherited: those workers are another process's."""
        inherited = self._zygote
        self._begin()
        if inherited is not None:
            inherited.let_go()
            # Not our child: without this it would be asked after when it is collected.
            inherited.process.returncode = 0

    @contextlib.contextmanager
    def lease(self) -> Iterator["Lease"]:
        """A worker for the files of one person; it is made at the first file, and ends here."""
        lease = Lease(self)
        try:
            yield lease
        finally:
            lease.end()

    def start(self) -> None:
        """Make the workers now, so that the first file need not wait; raises JailUnavailable."""
        self.give_back(*self.take())

    def take(self) -> tuple[Zygote, Child]:
        """Return a worker that has said it is locked; raises JailUnavailable."""
        for _ in range(_TRIES):
            made = child = None
            with contextlib.suppress(Died, Overdue):
                with self._lock:
                    made = self._zygote = self._zygote or self._started()
                    child = made.ready.popleft() if made.ready else made.fork()
                    while len(made.ready) < self._most_ready:
                        made.ready.append(made.fork())
                child.until = time.monotonic() + _START_SECONDS
                if child.take(wire.HEAD.size) == wire.frame(b"H"):
                    return made, child
            if made is not None and child is not None:
                self.give_back(made, child)
            if made is not None and not self.is_alive(made):
                self._drop(made)
        raise JailUnavailable("no jailed worker could be made")

    def give_back(self, made: Zygote, child: Child) -> None:
        """End a worker; it has served its one lease."""
        with self._lock:
            made.end(child)

    def is_alive(self, made: Zygote) -> bool:
        """Tell whether a zygote still lives, a moment after one of its workers has died."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            made.process.wait(0.2)
        return made.process.returncode is None

    def close(self) -> None:
        """End everything."""
        self._drop(self._zygote)

    def _drop(self, made: Zygote | None) -> None:
        with self._lock:
            if made is not None and self._zygote is made:
                self._zygote = None
                made.close()

    @property
    def processors(self) -> threading.BoundedSemaphore:
        """Held while a worker works: no more of them than there are processors, and one."""
        return self._processors

    def _started(self) -> Zygote:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-I", "-S", "-E", str(self._program)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"LC_ALL": "C"},
                start_new_session=True,
            )
        made = Zygote(process, ours)
        order = {
            "path": [path for path in sys.path if path],
            "landlock": launcher.landlock_abi(),
            "memory": self._limits.worker_memory_bytes,
            "seconds": self._limits.child_cpu_seconds,
        }
        try:
            ours.settimeout(_START_SECONDS)
            ours.send(json.dumps(order).encode())
            is_ready = ours.recv(len(zygote.READY)) == zygote.READY
            ours.settimeout(_COMMAND_SECONDS)
        except OSError:
            is_ready = False
        if not is_ready:
            made.close()
            raise JailUnavailable("no jailed worker could be made")
        return made

    def describe(self) -> dict[str, object]:
        """Say what protects this machine from the parsers, for ``amana-gateway check``."""
        calls = allowed.count(platform.machine())
        return {
            "seccomp": f"{calls} system calls allowed, all others denied",
            "landlock_abi": launcher.landlock_abi(),
            "memory": f"{self._limits.worker_memory_bytes >> 20} MiB a worker",
            "seconds": f"{self._limits.worker_seconds} a file",
            "rlimits": ["AS", "CORE", "CPU", "FSIZE", "NOFILE", "NPROC"],
        }


def _forget(pool: Pool | None) -> None:
    if pool is not None:
        pool.forget()


class Lease:
    """One person's use of one worker."""

    def __init__(self, pool: Pool) -> None:
        """Nothing is made before the first file."""
        self._pool = pool
        self._mine: tuple[Zygote, Child] | None = None

    def clean(self, kind: Format, source: UntrustedSource, limits: Limits) -> Planned:
        """Have one file cleaned; raises a leaf of Refused."""
        busy = self._pool.processors
        if not busy.acquire(timeout=limits.worker_wait_seconds):
            raise JailUnavailable("too many files are being cleaned")
        try:
            return self._clean(_Asked(kind, source, limits))
        finally:
            busy.release()

    def end(self) -> None:
        """Kill the worker, if there is one."""
        mine, self._mine = self._mine, None
        if mine is not None:
            self._pool.give_back(*mine)

    def _clean(self, asked: "_Asked") -> Planned:
        for _ in range(_TRIES):
            mine = self._mine = self._mine or self._pool.take()
            try:
                found = asked.of(mine[1])
            except Overdue:
                self.end()
                raise TooComplex("cleaning takes too long") from None
            except Died:
                self.end()
                # Killed before it had a byte, or with its zygote, it was not the file's doing.
                if mine[1].has_begun and self._pool.is_alive(mine[0]):
                    raise Malformed("the file broke its reader") from None
                continue
            except BaseException:
                self.end()
                raise
            if isinstance(found, Refused):
                raise found
            return found
        raise JailUnavailable("the jailed workers are being killed")


class _Asked:
    """One file on its way through one worker."""

    def __init__(self, kind: Format, source: UntrustedSource, limits: Limits) -> None:
        self._job = wire.Job(kind, source.length, limits)
        self._source = source

    def of(self, child: Child) -> Planned | Refused:
        """Serve a worker's wishes until it has answered; raises Refused where it misbehaves."""
        child.until = time.monotonic() + self._job.limits.worker_seconds
        if self._job.length <= HELD and not isinstance(self._source, BytesSource):
            # Decrypted once: for the worker now, and for what is passed on afterwards.
            self._source = BytesSource(read_exactly(self._source, 0, self._job.length))
        child.ask(self._source, lambda shared: replace(self._job, is_shared=shared).to_bytes())
        letter, payload = child.heard(self._source)
        if letter == b"E":
            return wire.read_refusal(payload)
        if letter != b"A":
            raise Malformed("the worker's answer cannot be read")
        found = wire.read_answer(payload, child.take, self._job)
        child.require_end()
        plan = Plan(self._source, found.pieces)
        recheck.check(self._job.format, plan)
        return Planned(plan, found.kinds, found.media_type, found.extension, found.is_rebuilt)


@functools.cache
def shared_pool() -> Pool | None:
    """Return this process's pool, or None where this machine cannot lock a worker."""
    is_linux = platform.system() == "Linux" and platform.machine() in filters.ARCHITECTURES
    if not (is_linux and has_seccomp()):
        return None
    pool = Pool()
    atexit.register(pool.close)
    return pool
