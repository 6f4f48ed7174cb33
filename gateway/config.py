"""Everything that can be set about the gateway, read once from the environment.

The variables, their defaults and what they mean: deploy/amana.env.example.  A setting is handed
down as a value; nothing below reads the environment again.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from gateway.errors import ConfigRefused
from gateway.sources import Network, networks

if TYPE_CHECKING:
    from collections.abc import Mapping

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

SHARED_SOURCES = "127.0.0.1, ::1"

_PREFIX = "AMANA_"
_BIND = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})|unix:/.+")
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?")
_ONION = re.compile(r"[a-z2-7]{56}\.onion")
_PORT_MOST = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteLimits:
    """What one form may carry.  Bytes, counts and characters."""

    file_bytes: int = 2 * GIB
    form_bytes: int = 4 * GIB
    files: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceLimits:
    """Uploads that come in pieces: how many at a time, how many bytes of them together.

    ``seconds`` is for how long one may be left alone, ``reserve_bytes`` what stays free.
    """

    most: int = 128
    total_bytes: int = 32 * GIB
    seconds: int = 4 * 3600
    reserve_bytes: int = 1 * GIB


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskLimits:
    """Free bytes below which nothing new is begun, and no text is taken (gateway.watermark)."""

    door_bytes: int = 2 * GIB
    last_bytes: int = 128 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteTimes:
    """How long things are remembered, in seconds; the floor of an answer is in milliseconds."""

    form_seconds: int = 24 * 3600
    receipt_seconds: int = 900
    floor_ms: int = 300
    step_ms: int = 100

    def __post_init__(self) -> None:
        if self.form_seconds < self.receipt_seconds:
            raise ConfigRefused("AMANA_FORM_SECONDS must be at least AMANA_RECEIPT_SECONDS")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncLimits:
    """What one request of a desk may ask for or bring.  Bytes and counts."""

    body_bytes: int = 8 * MIB
    """An entry may carry a redacted copy of 5 MiB: with base64 and its wraps, less than this."""
    page: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayConfig:
    """The settings of one gateway; paths are absolute.

    ``home`` is the gateway's own folder ($AMANA_HOME/gateway); ``sync_authority`` the host (and
    port) that desks sign for, None to take each request's own; ``workers`` and ``threads`` are per
    program, ``receive_seconds`` how long a client may be silent (gateway.patience has the rest),
    ``stretchers`` how many receipt codes one worker stretches at a time, ``leave_url`` the
    neutral page to which the exit of the reporters' site leads, ``forms`` the folder of the
    institution's own questions and help lines, None for ours, ``onion`` the host name of the same
    site as an onion service, None where there is none, ``shared_sources`` the addresses behind
    which many people stand, who are then not told apart.
    """

    home: Path
    database_url: str
    blobs_url: str
    site_bind: str = "127.0.0.1:8000"
    sync_bind: str = "127.0.0.1:8001"
    sync_authority: str | None = None
    workers: int = 2
    threads: int = 32
    receive_seconds: int = 30
    stretchers: int = 1
    staged_days: int = 1
    leave_url: str = "https://www.wikipedia.org/"
    forms: Path | None = None
    onion: str | None = None
    shared_sources: tuple[Network, ...] = field(default_factory=lambda: networks(SHARED_SOURCES))
    site: SiteLimits = field(default_factory=SiteLimits)
    pieces: PieceLimits = field(default_factory=PieceLimits)
    disk: DiskLimits = field(default_factory=DiskLimits)
    times: SiteTimes = field(default_factory=SiteTimes)
    sync: SyncLimits = field(default_factory=SyncLimits)

    def __post_init__(self) -> None:
        if not self.disk.door_bytes >= self.pieces.reserve_bytes >= self.disk.last_bytes:
            raise ConfigRefused(
                "AMANA_DISK_DOOR must be at least AMANA_DISK_RESERVE, and that at least "
                "AMANA_DISK_LAST"
            )

    @property
    def spool(self) -> Path:
        """Where uploads wait, encrypted, from their first byte to their last."""
        return self.home / "spool"

    @property
    def blobs(self) -> Path:
        """Where the embedded store keeps its blobs."""
        return self.home / "blobs"

    @property
    def secrets(self) -> Path:
        """Where the two secrets are kept."""
        return self.home / "secrets"

    @property
    def pepper_path(self) -> Path:
        """The 32-byte pepper; back it up apart from the database."""
        return self.secrets / "pepper"

    @property
    def token_key_path(self) -> Path:
        """The 32-byte key of form tokens and receipt windows."""
        return self.secrets / "token.key"

    @property
    def root_public_path(self) -> Path:
        """The pinned public key of the offline root."""
        return self.home / "root.pub"

    @property
    def roster_path(self) -> Path:
        """The signed roster that was last put in place."""
        return self.home / "roster.note"

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> GatewayConfig:
        """Read AMANA_* from a mapping; raises ConfigRefused naming the variable."""
        read = _Reader(env)
        home = Path(read.text("HOME", ".amana")).expanduser().absolute() / "gateway"
        site, times, sync = SiteLimits(), SiteTimes(), SyncLimits()
        pieces, disk = PieceLimits(), DiskLimits()
        return cls(
            home=home,
            # "%" would be read as an escape by the URL's parser.
            database_url=read.text("DATABASE_URL", f"sqlite:///{home / 'vault.sqlite'}"),
            blobs_url=read.text("BLOBS_URL", f"file://{quote(str(home / 'blobs'))}"),
            site_bind=read.bind("SITE_BIND", "127.0.0.1:8000"),
            sync_bind=read.bind("SYNC_BIND", "127.0.0.1:8001"),
            sync_authority=read.authority("SYNC_AUTHORITY"),
            workers=read.number("WORKERS", 2, 1, 64),
            threads=read.number("THREADS", 32, 1, 256),
            receive_seconds=read.number("RECEIVE_SECONDS", 30, 1, 600),
            stretchers=read.number("STRETCHERS", 1, 1, 64),
            staged_days=read.number("STAGED_DAYS", 1, 1, 30),
            leave_url=read.address("LEAVE_URL", "https://www.wikipedia.org/"),
            forms=read.folder("FORMS"),
            onion=read.onion("ONION"),
            shared_sources=read.networks("SHARED_SOURCES", SHARED_SOURCES),
            site=SiteLimits(
                file_bytes=read.size("FILE_BYTES", site.file_bytes, MIB),
                form_bytes=read.size("FORM_BYTES", site.form_bytes, MIB),
                files=read.number("FILES", site.files, 1, 1000),
            ),
            pieces=PieceLimits(
                most=read.number("PIECES", pieces.most, 1, 10_000),
                total_bytes=read.size("PIECES_BYTES", pieces.total_bytes, MIB),
                seconds=read.number("PIECES_SECONDS", pieces.seconds, 60, 86_400),
                reserve_bytes=read.size("DISK_RESERVE", pieces.reserve_bytes, MIB),
            ),
            disk=DiskLimits(
                door_bytes=read.size("DISK_DOOR", disk.door_bytes, MIB),
                last_bytes=read.size("DISK_LAST", disk.last_bytes, MIB),
            ),
            times=SiteTimes(
                form_seconds=read.number("FORM_SECONDS", times.form_seconds, 600, 86_400),
                receipt_seconds=read.number("RECEIPT_SECONDS", times.receipt_seconds, 60, 3600),
                floor_ms=read.number("FLOOR_MS", times.floor_ms, 0, 10_000),
                step_ms=read.number("STEP_MS", times.step_ms, 1, 10_000),
            ),
            sync=SyncLimits(
                body_bytes=read.size("SYNC_BODY_BYTES", sync.body_bytes, 64 * KIB),
                page=read.number("SYNC_PAGE", sync.page, 1, 500),
            ),
        )


class _Reader:
    """Takes settings out of a mapping; an unset or empty variable means its default."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    def text(self, name: str, default: str) -> str:
        value = self._env.get(_PREFIX + name, "").strip() or default
        if not value.isprintable():
            raise ConfigRefused(f"{_PREFIX}{name} holds a character that cannot be printed")
        return value

    def number(self, name: str, default: int, least: int, most: int) -> int:
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
            raise ConfigRefused(f"{_PREFIX}{name} must be a whole number from {least} to {most}")
        return int(value)

    def size(self, name: str, default: int, least: int) -> int:
        """Bytes, or with one of the endings K, M, G (1024, its square, its cube)."""
        value = self.text(name, str(default))
        units = {"K": KIB, "M": MIB, "G": GIB}
        digits, unit = (value[:-1], units[value[-1]]) if value[-1] in units else (value, 1)
        if not (digits.isascii() and digits.isdigit() and int(digits) * unit >= least):
            raise ConfigRefused(
                f"{_PREFIX}{name} must be bytes (100000, 512K, 20M, 2G), at least {least}"
            )
        return int(digits) * unit

    def folder(self, name: str) -> Path | None:
        value = self.text(name, "-")
        return None if value == "-" else Path(value).expanduser().absolute()

    def bind(self, name: str, default: str) -> str:
        return check_bind(self.text(name, default), _PREFIX + name)

    def address(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if not re.fullmatch(r"https://[!-~]+", value):
            raise ConfigRefused(f"{_PREFIX}{name} must be an address that begins with https://")
        return value

    def networks(self, name: str, default: str) -> tuple[Network, ...]:
        try:
            return networks(self.text(name, default))
        except ValueError:
            raise ConfigRefused(
                f"{_PREFIX}{name} must be addresses or networks (10.0.0.0/8), with commas between"
            ) from None

    def onion(self, name: str) -> str | None:
        value = self.text(name, "-").lower()
        if value == "-":
            return None
        if not _is_onion(value):
            raise ConfigRefused(
                f"{_PREFIX}{name} must be the name of an onion service of version 3: "
                "56 letters and digits, whose last ones check the others, and .onion"
            )
        return value

    def authority(self, name: str) -> str | None:
        value = self.text(name, "-")
        if value == "-":
            return None
        if not _AUTHORITY.fullmatch(value.lower()):
            raise ConfigRefused(f"{_PREFIX}{name} must be a host name, with a port if not 443")
        return value.lower()


def _is_onion(untrusted: str) -> bool:
    """Whether it is an onion name that was typed without a mistake (Tor's rend-spec-v3)."""
    if not _ONION.fullmatch(untrusted):
        return False
    raw = base64.b32decode(untrusted[:56].upper())
    public, check, version = raw[:32], raw[32:34], raw[34:]
    wanted = hashlib.sha3_256(b".onion checksum" + public + version).digest()[:2]
    return version == b"\x03" and check == wanted


def check_bind(untrusted: str, name: str) -> str:
    """Return ``host:port`` or ``unix:/path`` as it stands; raises ConfigRefused naming ``name``."""
    found = _BIND.fullmatch(untrusted)
    if not found or (found[2] and not 0 <= int(found[2]) <= _PORT_MOST):
        raise ConfigRefused(f"{name} must be host:port or unix:/path")
    return untrusted
