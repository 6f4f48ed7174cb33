"""Read and write the ceremony's few small files.  Nothing that exists is ever overwritten."""

import os
from pathlib import Path

from ceremony.errors import FileUnusable

PRIVATE = 0o600
PUBLIC = 0o644
_FILE_MOST = 256 * 1024


def read_small(path: Path) -> bytes:
    """Give a file's bytes, 256 KiB at most.  Raises FileUnusable."""
    try:
        with path.open("rb") as file:
            untrusted = file.read(_FILE_MOST + 1)
    except OSError as error:
        raise FileUnusable(f"{path}: cannot be read ({error.strerror})") from None
    if len(untrusted) > _FILE_MOST:
        raise FileUnusable(f"{path}: larger than 256 KiB")
    return untrusted


def write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a new file and wait until the disk has it.  Raises FileUnusable if it exists."""
    require_absent(path)
    try:
        # Not a temporary name and a link: a ceremony's USB stick may know no links.
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            # A key cut short by a full disk would later stand in the way of a whole one.
            path.unlink()
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise FileUnusable(f"{path}: cannot be written ({error.strerror})") from None


def require_absent(path: Path) -> None:
    """Raise FileUnusable if the path exists."""
    if os.path.lexists(path):
        raise FileUnusable(f"{path}: exists already, and is not overwritten")


def require_folder(path: Path) -> None:
    """Raise FileUnusable unless the path is a folder."""
    if not path.is_dir():
        raise FileUnusable(f"{path}: there is no such folder")


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
