"""What protects this gateway, found out and not assumed; one finding per line.

A finding that is wrong makes the check fail.  A note is something to know: it does not.
"""

from __future__ import annotations

import datetime as dt
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crypto.errors import CryptoError
from crypto.ids import date_of
from gateway.clock import SystemClock
from gateway.errors import GatewayError
from gateway.programs import open_vault, read_root
from gateway.roster_watch import check_roster
from gateway.secrets import GatewaySecrets
from gateway.watermark import free_bytes, written_folders
from sanitizer.errors import SanitizerError
from sanitizer.jail.pool import shared_pool
from sanitizer.jail.program import ffmpeg_jail
from sanitizer.unlocked import WITHOUT_JAIL
from vault.errors import VaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gateway.config import GatewayConfig

FEW_DAYS = 7
HELP_DAYS = 180
_DATABASE = {"journal_mode": "wal", "synchronous": "2", "secure_delete": "1", "foreign_keys": "1"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: ``ok``, ``note`` or ``wrong``, and in words what was found."""

    what: str
    state: str
    found: str


def check(config: GatewayConfig, jail: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """Look at everything, and go on when something is wrong."""
    return [
        *_guarded("folders", lambda: _folders(config)),
        *_guarded("secrets", lambda: _secrets(config)),
        *_guarded("roster", lambda: _roster(config)),
        *_guarded("database", lambda: _database(config)),
        *_guarded("forms", lambda: _forms(config)),
        *_guarded("sanitizer", jail),
        *_guarded("swap", lambda: _swap(Path("/proc/swaps"))),
    ]


def _guarded(what: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except (GatewayError, VaultError, CryptoError, SanitizerError, OSError) as error:
        yield Finding(what, "wrong", str(error) or type(error).__name__)


def _folders(config: GatewayConfig) -> Iterator[Finding]:
    for folder in (config.home, config.blobs, config.spool, config.secrets):
        mode = stat.S_IMODE(folder.stat().st_mode)
        state = "wrong" if mode & 0o077 else "ok"
        yield Finding(f"folder {folder.name}", state, f"mode {mode:04o}")


def _forms(config: GatewayConfig) -> Iterator[Finding]:
    from gateway.site.forms import load_forms  # noqa: PLC0415 # not in the sync door's process

    forms = load_forms(config.forms)
    yield Finding(
        "forms",
        "ok",
        f"version {forms.schema.version}, {len(forms.schema.categories)} categories, "
        f"from {config.forms or 'this program'}",
    )
    age = (date_of(SystemClock().today()) - dt.date.fromisoformat(forms.help.as_of)).days
    state = "note" if age > HELP_DAYS else "ok"
    yield Finding("help lines", state, f"numbers checked on {forms.help.as_of}")
    unfilled = forms.institution.unfilled(forms.words)
    words = f"NOT FILLED IN for {', '.join(unfilled)}: pages say so" if unfilled else "filled in"
    yield Finding("data protection notice", "note" if unfilled else "ok", words)


def _secrets(config: GatewayConfig) -> Iterator[Finding]:
    GatewaySecrets.load(config)
    yield Finding("secrets", "ok", "pepper and token key are there, for this user alone")


def _roster(config: GatewayConfig) -> Iterator[Finding]:
    root_public = read_root(config)
    yield Finding("root", "ok", root_public.fingerprint)
    vault = open_vault(config)
    try:
        today = SystemClock().today()
        roster = check_roster(config.roster_path.read_bytes(), root_public, today, vault)
    finally:
        vault.close()
    left = roster.not_after - today
    state = "note" if left < FEW_DAYS or roster.rehearsal else "ok"
    kind = "REHEARSAL keys, " if roster.rehearsal else ""
    yield Finding(
        "roster",
        state,
        f"{kind}epoch {roster.epoch}, until {date_of(roster.not_after)} ({left} days), "
        f"{len(roster.operators)} operators, {roster.quorum} of {len(roster.custodians)} "
        "custodians",
    )


def _database(config: GatewayConfig) -> Iterator[Finding]:
    vault = open_vault(config)
    try:
        found = vault.describe()
    finally:
        vault.close()
    for name, wanted in _DATABASE.items():
        state = "ok" if found[name] == wanted else "wrong"
        yield Finding(f"database {name}", state, found[name])
    free = min(map(free_bytes, written_folders(config)))
    closed = free < config.disk.door_bytes
    words = f"{free // 1024**3} GiB free{', so nothing new can be begun' if closed else ''}"
    yield Finding("space", "note" if closed else "ok", words)


def _swap(swaps: Path) -> Iterator[Finding]:
    lines = swaps.read_text("ascii", "replace").splitlines()[1:]
    if lines:
        yield Finding("swap", "note", "in use: memory of reports in flight may reach the disk")
    else:
        yield Finding("swap", "ok", "none")


def jail_findings() -> Iterator[Finding]:
    """What the sanitizer's jails say of themselves on this machine."""
    found = ffmpeg_jail().describe()
    usable = bool(found.pop("usable"))
    # Without this jail only the videos are refused that need ffmpeg, and their sender told why.
    words = "ffmpeg is locked in" if usable else "files that need ffmpeg are REFUSED"
    yield Finding("jail", "ok" if usable else "wrong", words)
    yield from _named("jail", found)
    pool = shared_pool()
    if pool is None:
        formats = ", ".join(sorted(one.value for one in WITHOUT_JAIL))
        yield Finding(
            "workers", "wrong", f"only {formats} and streams are cleaned, all else REFUSED"
        )
        return
    # Shown by doing it: a worker is made, locks itself in and says so.
    pool.start()
    yield Finding("workers", "ok", "pictures and documents are cleaned behind the lock")
    yield from _named("workers", pool.describe())


def _named(what: str, found: Mapping[str, object]) -> Iterator[Finding]:
    for name, value in found.items():
        yield Finding(f"{what} {name}", "ok" if value else "note", _words(value))


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
