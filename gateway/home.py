"""A gateway's folder: made once, 0700, its secrets 0600, and never overwritten.

root.pub is written last: its presence says that everything else is there.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from gateway.clock import SystemClock
from gateway.errors import AlreadyInitialised, ConfigRefused
from gateway.programs import open_vault, read_root
from gateway.roster_watch import check_roster, remember_roster
from gateway.secrets import GatewaySecrets
from vault.vault import Vault

if TYPE_CHECKING:
    from pathlib import Path

    from crypto.roster import RootPublicKey, Roster
    from gateway.config import GatewayConfig

NOTE_MOST = 256 * 1024
_DAY_SECONDS = 86_400


def read_note(path: Path) -> bytes:
    """The bytes of a roster file; raises ConfigRefused when it cannot be read or is too large."""
    try:
        with path.open("rb") as file:
            note = file.read(NOTE_MOST + 1)
    except OSError:
        raise ConfigRefused(f"{path} cannot be read") from None
    if len(note) > NOTE_MOST:
        raise ConfigRefused(f"{path} is too large for a roster")
    return note


def initialise(config: GatewayConfig, root_public: RootPublicKey, note: bytes) -> Roster:
    """Make the home; an interrupted one is completed.

    Raises AlreadyInitialised when there is a gateway already, NoValidRoster.
    """
    if config.root_public_path.exists():
        same = read_root(config) == root_public
        raise AlreadyInitialised(
            f"{config.home} is ready already; nothing was changed"
            if same
            else f"{config.home} holds the gateway of another root; nothing was changed",
            same=same,
        )
    for folder in (config.home, config.blobs, config.spool, config.secrets):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    Vault.migrate(config.database_url)
    GatewaySecrets.create(config)
    _sync_folder(config.secrets)
    roster = install_roster(config, root_public, note)
    write_durably(config.root_public_path, root_public.to_text().encode("ascii"))
    return roster


def install_roster(config: GatewayConfig, root_public: RootPublicKey, note: bytes) -> Roster:
    """Verify a roster, put it in place at once, and remember its epoch; raises NoValidRoster.

    In this order: a crash in between leaves a good file, whose epoch a worker remembers.
    """
    vault = open_vault(config)
    try:
        roster = check_roster(note, root_public, SystemClock().today(), vault)
        write_durably(config.roster_path, note)
        remember_roster(roster, vault)
    finally:
        vault.close()
    return roster


def write_durably(path: Path, content: bytes) -> None:
    """Replace a file at once: nobody ever reads half of it."""
    beside = path.with_name(f".{path.name}.new")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(fd, "wb") as file:  # noqa: PTH123 # a descriptor, for its mode
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    _sync_folder(path.parent)


def sweep_spool(config: GatewayConfig) -> int:
    """Remove encrypted spools that a crash left behind for a day; their keys died with it."""
    removed = 0
    for path in config.spool.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _DAY_SECONDS:
                path.unlink()
                removed += 1
    return removed


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
