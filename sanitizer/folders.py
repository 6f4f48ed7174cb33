"""Clean a folder of files into another.

Rule: whatever lies below the folder is cleaned or told as refused, hidden files too; nothing is
skipped in silence. Links are not followed. A result has its file's place and name, with another
extension where it became another format; or, where names may say too much, a number.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

from sanitizer.files import Outcome, clean_file

_SAME = {
    "jpg": {"jpeg", "jpe", "jfif"}, "tif": {"tiff"}, "aiff": {"aif"}, "ogg": {"oga", "opus"},
    "wav": {"wave"}, "mov": {"qt"}, "aac": {"adts"},
}  # fmt: skip
"""Other extensions of what a result's extension stands for: a name that has one keeps it."""
_KNOWN = set().union(*_SAME.values()) | {
    "jpg", "png", "apng", "webp", "gif", "heic", "heif", "avif", "tif", "bmp", "dib", "pdf", "txt",
    "mp4", "m4v", "m4a", "mov", "3gp", "3g2", "mkv", "webm", "mka", "avi", "ts", "mts", "m2ts",
    "mp3", "aac", "ogg", "ogv", "spx", "flac", "wav", "bwf", "aiff", "aifc", "amr", "awb",
}  # fmt: skip
"""Extensions that would be wrong on a file of another format."""
_HEARD_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Found:
    """Something below a folder, by its path within; ``reason`` where it is no file to be read."""

    path: Path
    reason: str = ""
    detail: str = ""


def walk(folder: Path) -> list[Found]:
    """Return everything below a folder that is no folder, in the order of its names."""
    found: list[Found] = []
    waiting = [Path()]
    while waiting:
        place = waiting.pop()
        try:
            entries = list(os.scandir(folder / place))
        except OSError:
            found.append(Found(place, "unreadable", "the folder cannot be read"))
            continue
        for entry in entries:
            path = place / entry.name
            if entry.is_symlink():
                found.append(Found(path, "not_a_file", "a link, which is not followed"))
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            elif entry.is_file(follow_symlinks=False):
                found.append(Found(path))
            else:
                found.append(Found(path, "not_a_file", "neither a file nor a folder"))
    return sorted(found, key=lambda one: one.path.parts)


@dataclass(slots=True)
class Naming:
    """Gives each result a name of its own, whichever is ready first."""

    sources: Sequence[Path]
    is_neutral: bool = False
    _stems: Counter[Path] = field(init=False)
    _taken: set[str] = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        self._stems = Counter(path.with_suffix("") for path in self.sources)
        # Names of files and of the folders above them.
        taken = (one for path in self.sources for one in (path, *path.parents))
        self._taken = set() if self.is_neutral else {_key(one) for one in taken}

    def names(self, number: int, extension: str) -> Iterator[Path]:
        """Yield names for the result of the ``number``-th source, the best first."""
        source = self.sources[number]
        best = self._best(source, extension)
        if self.is_neutral:
            digits = max(4, len(str(len(self.sources))))
            best = Path(f"file-{number + 1:0{digits}}.{extension}")
        elif best == source:
            yield best
        name, again = best, 1
        while True:
            with self._lock:
                is_free = _key(name) not in self._taken
                self._taken.add(_key(name))
            if is_free:
                yield name
            again += 1
            name = best.with_stem(f"{best.stem}-{again}")

    def _best(self, source: Path, extension: str) -> Path:
        now = source.suffix[1:].lower()
        if now == extension or now in _SAME.get(extension, ()):
            return source
        if extension == "txt" and now and now not in _KNOWN:
            # Tables, notes, logs: still what they were called.
            return source
        if now in _KNOWN and self._stems[source.with_suffix("")] == 1:
            return source.with_suffix(f".{extension}")
        return source.with_name(f"{source.name}.{extension}")


def _key(path: Path) -> str:
    """Return what two names share that some file system takes for one."""
    return str(path).casefold()


def clean_folder(  # noqa: PLR0913 - how and where, each said once
    folder: Path,
    out: Path,
    found: Sequence[Found],
    *,
    jobs: int = 1,
    is_neutral: bool = False,
    replaces: bool = False,
    tick: Callable[[], object] = lambda: None,
) -> Generator[Outcome, None, None]:
    """Clean what ``walk`` found, ``jobs`` at a time; yield what became of it, in its order.

    Paths of outcomes are within the folders. ``tick`` is called whenever a file is done, from any
    thread. Raises CannotWrite; however it ends, no draft is left.
    """
    naming = Naming([one.path for one in found], is_neutral=is_neutral)
    stop = threading.Event()

    def clean(number: int) -> Outcome:
        one = found[number]
        if one.reason:
            return Outcome(one.path, one.reason, one.detail)

        def names(extension: str) -> Iterator[Path]:
            return (out / name for name in naming.names(number, extension))

        made = clean_file(folder / one.path, out, names, replace=replaces, is_stopped=stop.is_set)
        return replace(made, path=one.path, out=made.out and made.out.relative_to(out))

    with ThreadPoolExecutor(jobs) as threads:
        try:
            futures = [threads.submit(clean, number) for number in range(len(found))]
            for future in futures:
                future.add_done_callback(lambda _: tick())
            for future in futures:
                # Not in one go: a signal that another thread was handed would be heard at its end.
                while not future.done():
                    wait((future,), timeout=_HEARD_SECONDS)
                yield future.result()
        finally:
            stop.set()
            threads.shutdown(wait=False, cancel_futures=True)
