"""Where the desk keeps its things, and what it remembers of its server.

Rule: the environment is read here, once, and handed down; every file of the desk
is born with mode 0600 in a folder of mode 0700.

AMANA_DESK_HOME             the desk's folder (default ~/.amana-desk)
AMANA_DESK_PASSPHRASE_FILE  a file holding the passphrase, for machines without a terminal
"""

from __future__ import annotations

import errno
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from desk.durable import settle
from desk.errors import NotEnrolled, ServerMalformed

if TYPE_CHECKING:
    from collections.abc import Mapping

ENROLMENT_VERSION = 1
_PUBLIC_BYTES = 32


@dataclass(frozen=True, slots=True)
class DeskHome:
    """The desk's folder and the names inside it."""

    folder: Path
    passphrase_file: Path | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> DeskHome:
        """Read AMANA_DESK_HOME and AMANA_DESK_PASSPHRASE_FILE; nothing is created."""
        folder = environment.get("AMANA_DESK_HOME") or "~/.amana-desk"
        passphrase = environment.get("AMANA_DESK_PASSPHRASE_FILE")
        return cls(
            folder=Path(folder).expanduser(),
            passphrase_file=Path(passphrase).expanduser() if passphrase else None,
        )

    @property
    def keys(self) -> Path:
        """The passphrase-sealed key file."""
        return self.folder / "keys"

    @property
    def membership(self) -> Path:
        """What `enrol` pinned: server, root, highest roster."""
        return self.folder / "desk.json"

    @property
    def rules(self) -> Path:
        """The institution's own way of working, where it has one."""
        return self.folder / "workflow.toml"

    @property
    def similar(self) -> Path:
        """What the institution finds too common to compare cases by, where it says so."""
        return self.folder / "similar.toml"

    @property
    def traces(self) -> Path:
        """What cases are compared by, sealed under this desk's key; it can be made anew."""
        return self.folder / "traces.sqlite"

    @property
    def pictures(self) -> Path:
        """What pictures are compared by, sealed likewise."""
        return self.folder / "pictures.sqlite"

    @property
    def database(self) -> Path:
        """Envelopes as received: ciphertext only."""
        return self.folder / "store.sqlite"

    @property
    def index(self) -> Path:
        """The cases' rows, sealed under this desk's own key; may be deleted at any time."""
        return self.folder / "index.sqlite"

    @property
    def views(self) -> Path:
        """The operator's own views of the list, sealed in the same way."""
        return self.folder / "views"

    @property
    def language(self) -> Path:
        """The language that was chosen on the pages: `ar`, `fr` or `en`."""
        return self.folder / "language"

    @property
    def on_news(self) -> Path:
        """The command that runs when a sync brought news, where there is one."""
        return self.folder / "on-news"

    @property
    def services(self) -> Path:
        """The public keys of receiving services, one file each."""
        return self.folder / "services"

    @property
    def packages(self) -> Path:
        """Packages that the pages made: sealed to their service, and to nobody here."""
        return self.folder / "packages"

    @property
    def drafts(self) -> Path:
        """Answers that were written in an editor and are not sent, sealed, one file for a case."""
        return self.folder / "drafts"

    @property
    def unfinished(self) -> Path:
        """Where it is written down, sealed, what is being written in clear elsewhere."""
        return self.folder / "unfinished"

    @property
    def syncing(self) -> Path:
        """Locked by whoever syncs."""
        return self.folder / "syncing.lock"

    @property
    def handing(self) -> Path:
        """Locked by a page that hands a case over."""
        return self.folder / "handing.lock"

    @property
    def publishing(self) -> Path:
        """Locked by whoever publishes a bulletin."""
        return self.folder / "publishing.lock"

    @property
    def believing(self) -> Path:
        """Locked by whoever accepts a roster, or writes down which is the newest."""
        return self.folder / "believing.lock"

    @property
    def refused_rosters(self) -> Path:
        """The lists of keys that a server offered in the place of the true one, as they came."""
        return self.folder / "refused-rosters"

    @property
    def sending(self) -> Path:
        """Locked by whoever sends what was written here."""
        return self.folder / "sending.lock"

    @property
    def parts(self) -> Path:
        """Content parts as received: ciphertext only."""
        return self.folder / "parts"

    def holds(self, place: Path) -> bool:
        """Whether a path leads into this folder, by whatever links; it need not be there yet.

        Raises OSError where it cannot be said.
        """
        try:
            whole = place.absolute().resolve()
        except RuntimeError as error:
            # Links that go round in a circle.
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from error
        # By what it is and not by its name: where capitals do not matter it has several.
        there = (one for one in (whole, *whole.parents) if one.exists())
        return any(one.samefile(self.folder) for one in there)

    def prepare(self) -> None:
        """Make the folder, readable by its owner alone."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)


@dataclass(frozen=True, slots=True)
class Membership:
    """What this desk pinned when it was enrolled, and the newest roster it has accepted.

    `root_public` and `roster_hash` are lower-case hex. A roster below `epoch`, or
    equal with another hash, is a rollback and refused.
    """

    server: str
    root_public: str
    epoch: int
    roster_hash: str
    v: int = ENROLMENT_VERSION

    @classmethod
    def load(cls, path: Path) -> Membership:
        """Read desk.json.

        Raises:
            NotEnrolled: there is none, or it is not one.
        """
        try:
            untrusted = json.loads(path.read_bytes())
            found = cls(**untrusted)
            shape = (
                found.v == ENROLMENT_VERSION
                and len(bytes.fromhex(found.root_public)) == _PUBLIC_BYTES
                and len(bytes.fromhex(found.roster_hash)) == _PUBLIC_BYTES
                and type(found.epoch) is int
            )
        except FileNotFoundError:
            raise NotEnrolled(
                "This desk is not enrolled yet. Run: amana-desk enrol --server URL "
                "--root-public FILE"
            ) from None
        except (ValueError, TypeError):
            shape = False
        if not shape:
            raise NotEnrolled(
                f"{path} is damaged. Enrol again: amana-desk enrol --server URL --root-public FILE"
            )
        return found

    def save(self, path: Path) -> None:
        """Write desk.json whole or not at all."""
        write_private(path, (json.dumps(asdict(self), indent=2) + "\n").encode())


def server_address(untrusted: str) -> str:
    """The server's address as it is kept: scheme and authority, nothing after them.

    Raises:
        ServerMalformed: no http(s) scheme, no host, or a path, query or user in it.
    """
    try:
        parts = urlsplit(untrusted.strip())
        # Reading the port raises where it is none.
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        parts, has_host = urlsplit(""), False
    extra = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    extra = extra or any(one.isspace() or not one.isprintable() for one in parts.netloc)
    if parts.scheme not in ("http", "https") or not has_host or extra:
        raise ServerMalformed(
            "The server's address must look like https://sync.example.org or "
            "http://127.0.0.1:8001, with nothing after the host and port."
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


def write_private(path: Path, content: bytes) -> None:
    """Replace `path` by `content`, mode 0600, durably and never by halves."""
    quarantine = path.with_name(path.name + ".new")
    quarantine.unlink(missing_ok=True)
    descriptor = os.open(quarantine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    quarantine.replace(path)
    settle(path.parent)
