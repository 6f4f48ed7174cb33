"""An untrusted file in, a clean file out, or a refusal with a reason.

Rule: what a file is, is decided from its bytes; what remains is allow-listed; the result is
re-read by another parser than wrote it; whatever cannot be proven clean is refused.
"""

import contextlib
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sanitizer.detect import detect
from sanitizer.errors import (
    AlreadyRead,
    Empty,
    ImageTooLarge,
    Malformed,
    NotRead,
    TooLarge,
)
from sanitizer.formats import STREAMED
from sanitizer.jail.program import Jail
from sanitizer.limits import Limits
from sanitizer.result import Streamed
from sanitizer.source import ClockedSource, UntrustedSource
from sanitizer.workers import Worker, workers


@dataclass(frozen=True, slots=True)
class CleanFacts:
    """What is known of a clean file once its last byte has passed every check.

    ``length`` in bytes, ``removed`` stable kind codes in alphabetical order (``gps``,
    ``camera_serial``, ``thumbnail``, …), never values.  Whoever wants a digest, too, lets the
    chunks run through sanitizer.digest: of a long video that costs more than cleaning it.
    """

    length: int
    removed: tuple[str, ...]


@dataclass(slots=True)
class CleanFile:
    """A file that has been cleaned, streamed once. Only ``sanitize`` makes one.

    ``media_type`` and ``extension`` (without a dot) are those of the result, which may differ from
    the source's; ``is_rebuilt`` tells that it was made anew from its pixels or its pages.
    """

    media_type: str
    extension: str
    _stream: Callable[[], Iterator[bytes]] = field(repr=False)
    _kinds: Callable[[], set[str]] = field(repr=False)
    is_rebuilt: bool = False
    _begun: bool = field(default=False, repr=False)
    _facts: CleanFacts | None = field(default=None, repr=False)

    def chunks(self) -> Iterator[bytes]:
        """Yield the clean bytes, once; raises AlreadyRead the second time.

        Raises Refused in the middle where only the whole stream can be judged (video): the
        consumer must then discard every byte it has had.
        """
        if self._begun:
            raise AlreadyRead("a clean file streams through once")
        self._begun = True
        return self._counted()

    def _counted(self) -> Iterator[bytes]:
        length = 0
        with _only_refusals():
            for data in self._stream():
                length += len(data)
                yield data
        self._facts = CleanFacts(length, tuple(sorted(self._kinds())))

    @property
    def facts(self) -> CleanFacts:
        """Length and what was removed; raises NotRead before the last chunk."""
        if self._facts is None:
            raise NotRead("the file has not streamed through to its end")
        return self._facts


def sanitize(
    source: UntrustedSource,
    limits: Limits,
    jail: Jail | None = None,
    worker: Worker | None = None,
) -> CleanFile:
    """Return the clean form of ``source``, ready to be streamed.

    ``jail`` runs ffmpeg for the formats that need it; without one, the jail around the ffmpeg
    that imageio-ffmpeg brings. ``worker`` cleans pictures and documents: one for all files of one
    person; without one, a worker of this machine's for this file alone. Raises a leaf of Refused.
    """
    if source.length == 0:
        raise Empty("a file without a byte")
    if source.length > limits.file_bytes:
        raise TooLarge("longer than the limit")
    with _only_refusals():
        return _cleaned(source, limits, jail, worker)


@contextlib.contextmanager
def _only_refusals() -> Iterator[None]:
    """Turn what broken numbers do to a parser into a refusal: it fails closed, and says so."""
    try:
        yield
    except (ArithmeticError, LookupError, ValueError, struct.error):
        raise Malformed("the file's numbers contradict each other") from None


def _cleaned(
    source: UntrustedSource, limits: Limits, jail: Jail | None, worker: Worker | None
) -> CleanFile:
    kind = detect(source)
    if kind in STREAMED:
        clocked = ClockedSource(source, _seconds(source.length, limits))
        made = STREAMED[kind](clocked, limits, jail)
        clocked.pause()
        return CleanFile(
            made.media_type, made.extension, lambda: _on_time(made, clocked), lambda: made.kinds
        )
    if source.length > limits.image_bytes:
        raise ImageTooLarge("an image longer than the limit")
    if worker is None:
        with workers().lease() as lent:
            planned = lent.clean(kind, source, limits)
    else:
        planned = worker.clean(kind, source, limits)
    return CleanFile(
        planned.media_type,
        planned.extension,
        planned.plan.chunks,
        lambda: planned.kinds,
        is_rebuilt=planned.is_rebuilt,
    )


def _seconds(length: int, limits: Limits) -> float:
    """Return how long it may take to clean a video or a sound of ``length`` bytes."""
    seconds = limits.stream_seconds + length / limits.stream_bytes_per_second
    return min(seconds, limits.stream_most_seconds)


def _on_time(made: Streamed, clocked: ClockedSource) -> Iterator[bytes]:
    """Yield what is made; the clock runs while it is made, and not while it is taken away."""
    clocked.go_on()
    for data in made.chunks():
        clocked.check()
        clocked.pause()
        yield data
        clocked.go_on()
