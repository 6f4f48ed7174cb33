"""Run ffmpeg where it can do nothing but turn its standard input into its standard output.

Rule: no file system but its own program and libraries (Landlock), some forty system calls, by an
allow-list (seccomp), bounded memory, time and output (rlimits and a clock here). Where this
machine cannot lock the jail, nothing is run: refused, not risked. What it does not hold back:
a flaw of the kernel itself, reading the machine's processor and clock, and, where the C library's
loader needs it (glibc 2.33 to 2.38), asking for the size and the times of a file by its name.
"""

import contextlib
import ctypes
import errno
import fcntl
import functools
import json
import os
import platform
import re
import selectors
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Self, cast

import imageio_ffmpeg

from sanitizer.errors import JailUnavailable, Malformed, Refused, TooComplex, TooLarge
from sanitizer.jail import allowed_ffmpeg, filters, launcher
from sanitizer.limits import Limits

_LAUNCHER = Path(launcher.__file__)
_LISTED = re.compile(r"(/[^\s()]+) \(0x")
_CACHE = "/etc/ld.so.cache"
_PT_INTERP = 3
_PIPE_BYTES = 1 << 20
_STDERR_BYTES = 1 << 16
_LAUNCH_FAILED = 125
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_TICK = 0.5


@dataclass(frozen=True, slots=True)
class Jail:
    """One program that may be run, and the locks that this machine has.

    ``libraries`` are the files that it may read and execute besides itself; ``stat_by_path`` tells
    that its loader does not start unless files can be asked about by name.
    """

    program: str
    libraries: tuple[str, ...]
    landlock_abi: int
    has_seccomp: bool
    stat_by_path: bool = False

    @classmethod
    def around(cls, program: str) -> Self:
        """Return the jail of a program on this machine; its shared objects are found here."""
        is_linux = platform.system() == "Linux" and platform.machine() in filters.ARCHITECTURES
        return cls(
            program,
            shared_objects(program),
            launcher.landlock_abi() if is_linux else 0,
            is_linux and has_seccomp(),
        )

    @property
    def is_whole(self) -> bool:
        """Whether both locks that keep ffmpeg from files and from the network are there."""
        return self.landlock_abi > 0 and self.has_seccomp

    def describe(self) -> dict[str, object]:
        """Say what protects this machine from ffmpeg, for ``amana-gateway check``."""
        calls = "none"
        if self.has_seccomp:
            left = allowed_ffmpeg.count(platform.machine(), stat_by_path=self.stat_by_path)
            calls = f"{left} allowed, all others denied"
        return {
            "usable": self.is_whole,
            "platform": platform.system(),
            "landlock_abi": self.landlock_abi,
            "landlock_network": self.landlock_abi >= 4,  # noqa: PLR2004 - Landlock's versions
            "landlock_scopes": self.landlock_abi >= 6,  # noqa: PLR2004 - the same
            "seccomp": self.has_seccomp,
            "system calls": calls,
            "stat by name denied": not self.stat_by_path,
            "rlimits": ["AS", "CORE", "CPU", "FSIZE", "NOFILE", "NPROC"],
        }

    def run(
        self, arguments: Sequence[str], feed: Iterator[bytes], limits: Limits, most: int
    ) -> Iterator[bytes]:
        """Feed the program, yield what it writes, at most ``most`` bytes.

        Raises JailUnavailable, TooComplex (too long), TooLarge (too much), Malformed (the program
        failed). What the program says about it is read, bounded, and shown to nobody.
        """
        if not self.is_whole:
            raise JailUnavailable("this machine cannot lock ffmpeg in")
        child = subprocess.Popen(  # noqa: S603 - our launcher, and arguments of ours
            [sys.executable, "-I", "-S", "-E", str(_LAUNCHER), self._order(arguments, limits)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
            start_new_session=True,
            bufsize=0,
        )
        try:
            yield from _Pump(child, feed, limits.child_seconds, most).run()
        finally:
            child.kill()
            child.wait()
            for pipe in _pipes(child):
                pipe.close()

    def _order(self, arguments: Sequence[str], limits: Limits) -> str:
        """Return what the launcher is told; no secret is in it, for anybody may read it."""
        return json.dumps(
            {
                "parent": os.getpid(),
                "argv": [self.program, *arguments],
                "paths": [self.program, *self.libraries],
                "landlock": self.landlock_abi,
                "filter": allowed_ffmpeg.filter_program(
                    platform.machine(), stat_by_path=self.stat_by_path
                ).hex(),
                "limits": {
                    "RLIMIT_AS": limits.child_memory_bytes,
                    "RLIMIT_CPU": limits.child_cpu_seconds,
                    "RLIMIT_FSIZE": 0,
                    "RLIMIT_CORE": 0,
                    "RLIMIT_NOFILE": 32,
                    # Counted over the whole account, so only a backstop behind seccomp.
                    "RLIMIT_NPROC": 1024,
                },
            }
        )


@functools.cache
def ffmpeg_jail() -> Jail:
    """Return the jail around the ffmpeg that imageio-ffmpeg brings, as narrow as it starts in."""
    jail = Jail.around(imageio_ffmpeg.get_ffmpeg_exe())
    return jail if not jail.is_whole or starts(jail) else replace(jail, stat_by_path=True)


def starts(jail: Jail) -> bool:
    """Tell whether ffmpeg starts in a jail, by starting it once."""
    try:
        return bool(b"".join(jail.run(["-version"], iter(()), Limits(), _PIPE_BYTES)))
    except Refused:
        return False


class _Pump:
    """One thread that feeds a child and reads it, whichever is ready, until a clock runs out."""

    def __init__(
        self, child: subprocess.Popen[bytes], feed: Iterator[bytes], seconds: float, most: int
    ) -> None:
        self._child = child
        self._feed = feed
        self._left = most
        self._until = time.monotonic() + seconds
        self._waiting = memoryview(b"")
        self._stderr_left = _STDERR_BYTES
        self._pipes = selectors.DefaultSelector()

    def run(self) -> Iterator[bytes]:
        """Yield what the child writes until it ends well; raise a leaf of Refused otherwise."""
        child = self._child
        with self._pipes:
            given, made, complaints = _pipes(child)
            self._watch(given, selectors.EVENT_WRITE)
            self._watch(made, selectors.EVENT_READ)
            self._watch(complaints, selectors.EVENT_READ)
            while self._pipes.get_map():
                for key, _ in self._pipes.select(_TICK):
                    if key.fileobj is child.stdin:
                        self._write(key.fd)
                    elif key.fileobj is child.stderr:
                        self._read_complaints(key.fd)
                    else:
                        data = os.read(key.fd, _PIPE_BYTES)
                        if not data:
                            self._pipes.unregister(key.fileobj)
                        self._left -= len(data)
                        if self._left < 0:
                            raise TooLarge("the result is longer than it may be")
                        if data:
                            yield data
                if time.monotonic() > self._until:
                    raise TooComplex("cleaning takes too long")
        self._judge()

    def _watch(self, pipe: IO[bytes], event: int) -> None:
        os.set_blocking(pipe.fileno(), False)
        with contextlib.suppress(PermissionError):
            # An account has a share of pipe memory; without it the pipe is slower, not wrong.
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._pipes.register(pipe, event)

    def _write(self, descriptor: int) -> None:
        try:
            if not self._waiting:
                self._waiting = memoryview(next(self._feed))
            self._waiting = self._waiting[os.write(descriptor, self._waiting) :]
        except (StopIteration, BrokenPipeError):
            # A child that stops listening is judged by how it ends, not here.
            given = _pipes(self._child)[0]
            self._pipes.unregister(given)
            given.close()

    def _read_complaints(self, descriptor: int) -> None:
        data = os.read(descriptor, 4096)
        self._stderr_left -= len(data)
        if not data:
            self._pipes.unregister(descriptor)
        if self._stderr_left < 0:
            raise TooComplex("ffmpeg complains without end")

    def _judge(self) -> None:
        try:
            code = self._child.wait(max(0.0, self._until - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise TooComplex("cleaning takes too long") from None
        if code == _LAUNCH_FAILED:
            raise JailUnavailable("the jail did not lock")
        if code != 0:
            raise Malformed("ffmpeg cannot read this file")


def _pipes(child: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
    """Return a child's input, output and complaints, which are always pipes here."""
    return cast("tuple[IO[bytes], IO[bytes], IO[bytes]]", (child.stdin, child.stdout, child.stderr))


def has_seccomp() -> bool:
    """Tell whether this kernel takes seccomp filters (asked with a filter that is none)."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, None, 0, 0)
    return ctypes.get_errno() == errno.EFAULT


def shared_objects(program: str) -> tuple[str, ...]:
    """Return the loader, the shared objects and the loader's cache that a program needs.

    Empty for a program that is linked statically, or that is no ELF file.
    """
    loader = _loader_of(Path(program))
    if loader is None:
        return ()
    listed = subprocess.run(  # noqa: S603 - the system's own loader lists our own program
        [loader, "--list", program], capture_output=True, check=False, env={}
    )
    found = _LISTED.findall(listed.stdout.decode(errors="replace"))
    cache = (_CACHE,) if Path(_CACHE).exists() else ()
    return tuple(dict.fromkeys([str(Path(path).resolve()) for path in (loader, *found)])) + cache


def _loader_of(program: Path) -> str | None:
    """Return the interpreter that a 64-bit ELF file names, or None."""
    with program.open("rb") as file:
        head = file.read(64)
        if head[:5] != b"\x7fELF\x02":
            return None
        (table,) = struct.unpack_from("<Q", head, 32)
        size, count = struct.unpack_from("<HH", head, 54)
        for index in range(count):
            file.seek(table + index * size)
            kind, _, offset, _, _, length = struct.unpack("<IIQQQQ", file.read(40))
            if kind == _PT_INTERP:
                file.seek(offset)
                return file.read(length).rstrip(b"\0").decode()
    return None
