"""The keys of the services that can be competent, one file each in the desk's folder.

Rule: a key comes in once, after its fingerprint was read aloud and compared; from then on what goes
to a service of workflow.toml goes to that key and to no other.  A key is never taken from a server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crypto.errors import KeyRefused
from crypto.package import service_fingerprint, service_from_text, service_to_text
from desk.config import write_private
from desk.errors import ServiceKeyRefused
from desk.sentence import Sentence, Several

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crypto.keys import ServicePublicKey
    from desk.desk import Desk

_LINE_MOST = 256


@dataclass(frozen=True, slots=True)
class KnownService:
    """A service of the rules, and its key where one was brought in."""

    id: str
    words: str
    key: ServicePublicKey | None
    damaged: bool = False
    """Whether its file is there and is none."""

    @property
    def fingerprint(self) -> str:
        """Forty digits to be read aloud, or empty without a key."""
        return service_fingerprint(self.key) if self.key else ""

    def to_json(self) -> dict[str, object]:
        """The stable shape of `services --json`."""
        return {
            "service": self.id,
            "words": self.words,
            "key": self.key.kid.hex() if self.key else "",
            "fingerprint": self.fingerprint,
        }


def read_key(path: Path) -> ServicePublicKey:
    """Read a service's public key file.

    Raises:
        ServiceKeyRefused: it cannot be read, or is no such file.
    """
    try:
        with path.open(encoding="ascii") as file:
            line = file.read(_LINE_MOST)
        return service_from_text(line)
    except (OSError, ValueError):
        raise ServiceKeyRefused(
            Sentence("{path} cannot be read as a service's public key.", path=str(path))
        ) from None
    except KeyRefused as refused:
        raise ServiceKeyRefused(
            Sentence("{path} is {refused}.", path=str(path), refused=str(refused))
        ) from None


def parse_key(untrusted: str) -> ServicePublicKey:
    """Read what somebody pasted or uploaded; raises ServiceKeyRefused."""
    try:
        return service_from_text(untrusted.strip())
    except KeyRefused:
        raise ServiceKeyRefused(
            "This is no service's public key, or a character of it was changed. Nothing was "
            "written."
        ) from None


def found(desk: Desk, service: str) -> KnownService:
    """A service of the rules, as it stands on this desk; raises ServiceKeyRefused for no such."""
    _require_known(desk, service)
    return next(one for one in listed(desk) if one.id == service)


def require_free(desk: Desk, service: str, key: ServicePublicKey) -> None:
    """Say before anybody is telephoned that a key is another's; raises ServiceKeyRefused."""
    for other in listed(desk):
        if other.key == key and other.id != service:
            raise ServiceKeyRefused(
                Sentence("That key is already {service}'s. Nothing was written.", service=other.id)
            )


def bind(desk: Desk, service: str, key: ServicePublicKey, *, instead_of: str | None = None) -> None:
    """Keep a key as a service's, in place of the one before.

    `instead_of` is that one's fingerprint as it was shown, or empty where there was none.

    Raises:
        ServiceKeyRefused: the rules know no such service, another one has this key, or another
            key was brought in meanwhile.
    """
    now = found(desk, service)
    require_free(desk, service, key)
    if instead_of not in (None, now.fingerprint):
        raise ServiceKeyRefused(
            "Another key was brought in for this service meanwhile. Look again; nothing was "
            "written."
        )
    folder = desk.home.services
    folder.mkdir(mode=0o700, exist_ok=True)
    write_private(folder / f"{service}.pub", service_to_text(key).encode())


def known(desk: Desk) -> Iterator[KnownService]:
    """Every service of the rules, in their order.

    Raises:
        ServiceKeyRefused: a key's file was damaged.
    """
    for one in desk.rules.services.values():
        path = desk.home.services / f"{one.id}.pub"
        yield KnownService(one.id, one.said(), read_key(path) if path.exists() else None)


def listed(desk: Desk) -> Iterator[KnownService]:
    """The same, where one whose file was damaged is told beside the others."""
    for one in desk.rules.services.values():
        path = desk.home.services / f"{one.id}.pub"
        try:
            key = read_key(path) if path.exists() else None
        except ServiceKeyRefused:
            yield KnownService(one.id, one.said(), None, damaged=True)
        else:
            yield KnownService(one.id, one.said(), key)


def key_of(desk: Desk, service: str) -> ServicePublicKey:
    """Return a service's key.

    Raises:
        ServiceKeyRefused: there is none yet, or its file was damaged.
    """
    _require_known(desk, service)
    path = desk.home.services / f"{service}.pub"
    if not path.exists():
        raise ServiceKeyRefused(
            Sentence(
                "There is no key of {service} on this desk yet. Bring it in: amana-desk "
                "service-key {service} FILE",
                service=service,
            )
        )
    return read_key(path)


def _require_known(desk: Desk, service: str) -> None:
    if service not in desk.rules.services:
        known = Several(", ", desk.rules.services)
        raise ServiceKeyRefused(
            Sentence("The rules know no such service. They know: {known}.", known=known)
        )
