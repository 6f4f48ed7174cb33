"""An answer that is written in the operator's own editor, at a terminal.

Rule: while it is written it lies in memory alone, in a folder that does not outlast it
(desk.unfinished).  What was typed is never lost to what comes after: it is kept on this desk,
sealed, until it was sent, and the editor opens with it the next time.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crypto.errors import CannotOpen
from crypto.local import LocalKey
from desk.config import write_private
from desk.errors import NothingToSay
from desk.harden import MEMORY
from desk.unfinished import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from desk.cases import Case
    from desk.desk import Desk

PURPOSE = "draft"
BYTES_MOST = 1024 * 1024
"""Of an answer; far above what is ever sent, so that a text too long comes back as well."""
ROOM = 2 * BYTES_MOST
"""What the memory must have free: an editor writes a copy of its own beside the file."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What was typed for a case and is not sent; sealed under the desk's own key."""

    path: Path
    key: LocalKey
    ref: str

    @classmethod
    def of(cls, desk: Desk, case: Case) -> Draft:
        """A case's, whether there is one or not."""
        key = LocalKey.of(desk.keyring.key, PURPOSE)
        return cls(desk.home.drafts / case.id.hex(), key, case.ref)

    def read(self) -> bytes:
        """The bytes that the editor left; none where nothing is kept, or it does not open."""
        try:
            return self.key.open(self.path.name.encode(), b"", self.path.read_bytes())
        except (FileNotFoundError, CannotOpen):
            return b""

    def keep(self, content: bytes) -> None:
        """Keep it; nothing but spaces is not kept, and nothing is kept any more."""
        if not content.strip():
            self.forget()
            return
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        write_private(self.path, self.key.seal(self.path.name.encode(), b"", content))

    def forget(self) -> None:
        """It was sent, or thrown away."""
        self.path.unlink(missing_ok=True)


@contextmanager
def written(desk: Desk, case: Case, beginning: str = "") -> Iterator[str]:
    """What was written in the editor; the block sends it, and where it fails it is kept.

    Raises:
        NothingToSay: there is no such memory, no editor, it ended badly, saved no text, or
            changed nothing.
    """
    draft = Draft.of(desk, case)
    try:
        yield _edited(desk, draft, beginning)
    except BaseException:
        if draft.path.exists():
            # Also said to a terminal that was closed, which hears nothing.
            with suppress(OSError):
                click.echo(
                    f"What was written for {case.ref} is kept on this desk, sealed: "
                    f"`amana-desk reply {case.ref}` opens it again.",
                    err=True,
                )
        raise
    draft.forget()


def _edited(desk: Desk, draft: Draft, beginning: str) -> str:
    kept = draft.read()
    if kept:
        click.echo("The editor opens with what was written before and not sent.", err=True)
    begins = b"\n\n".join(one for one in (kept.rstrip(), beginning.encode()) if one)
    _require_memory()
    # Everybody on this machine sees the folder's name: it does not say which case.
    with Ledger.of(desk).making(Path(MEMORY) / "amana-answer") as folder:
        file = folder / f"answer-{draft.ref}.txt"
        with file.open("xb") as made:
            made.write(begins)
        before = file.stat().st_mtime_ns
        try:
            _run(file)
        finally:
            content, is_saved = _content(file), _saved(file) != before
            if content.strip() != begins.strip():
                _keep(draft, content)
    if _is_full():
        raise NothingToSay(
            f"The memory at {MEMORY} is full: what the editor saved may be cut off. Nothing was "
            "sent."
        )
    said = _text(content)
    if begins.strip() and content.strip() == begins.strip() and not (kept and is_saved):
        # Whoever leaves an editor at once has not said yes.
        how = "Save it in the editor to send it." if kept else "--unedited sends it so."
        raise NothingToSay(f"It was left as it was, and nothing was sent. {how}")
    return said


def _require_memory() -> None:
    if not os.access(MEMORY, os.W_OK):
        raise NothingToSay(
            "This machine has no place in memory for an editor's file. Use --text-file -."
        )
    if _is_full():
        raise NothingToSay(
            f"The memory at {MEMORY} is full: an editor could not save there. Make room in it, or "
            "use --text-file -."
        )


def _is_full() -> bool:
    return shutil.disk_usage(MEMORY).free < ROOM


def _run(file: Path) -> None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        done = subprocess.run([*shlex.split(editor), str(file)], check=False)  # noqa: S603  # the operator's own choice
    except (OSError, ValueError):
        raise NothingToSay(f"The editor {editor!r} cannot be started.") from None
    if done.returncode != 0:
        raise NothingToSay("The editor ended with an error. Nothing was sent.")


def _content(file: Path) -> bytes:
    """What was saved; none where the editor left no file."""
    try:
        with file.open("rb") as saved:
            return saved.read(BYTES_MOST)
    except OSError:
        return b""


def _saved(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _keep(draft: Draft, content: bytes) -> None:
    """Keep what was typed; a full disk is waited for, where somebody is there to make room."""
    while True:
        try:
            draft.keep(content)
        except OSError as error:
            said = f"What was written cannot be kept in {draft.path.parent}: {error.strerror}."
            if not sys.stdin.isatty():
                click.echo(said, err=True)
                return
            click.echo(f"{said} Make room there. Leaving with Ctrl-C loses it.", err=True)
            click.pause("Press a key to try again.", err=True)
        else:
            return


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise NothingToSay(
            f"Line {line} was not saved as UTF-8. Have the editor save it so (in vim: `:set "
            "fileencoding=utf-8`). Nothing was sent."
        ) from None
