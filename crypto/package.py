"""Seal a package for a receiving service.  Format: crypto/FORMAT.md, section 19.

Rule: this module can seal and cannot open (crypto.package_opening does).  A package is for one
service's key; who made it is said by a signature inside, over a statement that names case, package
and service, so that nobody can pass what they received on as if it had been sealed to another.
"""

import base64
import hashlib
import re
import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import NewType, Self

from cryptography.cobblestone import Cobblestone256Encryptor
from nacl.bindings import crypto_box_seal

from crypto.body import DataKey, part_key, sealed_length
from crypto.enrolment import fingerprint_of
from crypto.envelope import PartSealer
from crypto.errors import KeyRefused, SealingOutOfOrder, SignatureInvalid
from crypto.ids import ID_BYTES, KID_ZERO, CaseId, Deployment, Kid
from crypto.keys import ServicePublicKey

PackageId = NewType("PackageId", bytes)
"""16 random bytes: one package."""

HEAD_BYTES = 64
WRAP_BYTES = 116
LENGTH_BYTES = 8
WRAP_MAGIC = b"AMP1"
NOBODY = KID_ZERO
"""Stands in a statement where what was signed is sealed to nobody: a folder, to be printed."""

_MAGIC = b"AMANAPKG"
_VERSION = 1
_SUITE = 1
_LAYOUT = struct.Struct(">8sBB6s16s16s16s")
_SERVICE_NAME = "amana-service"
_X25519 = b"\x01"
_SERVICE_KEY = re.compile(
    rf"{_SERVICE_NAME}\+(?P<hash>[0-9a-f]{{8}})\+(?P<base64>[A-Za-z0-9+/]{{44}})\n?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageHead:
    """The outside of a package, 64 bytes that anybody may read: which key it is for, and no case.

    Construction raises `KeyRefused` for a field of the wrong length.
    """

    deployment: Deployment
    package: PackageId
    service: Kid

    def __post_init__(self) -> None:
        if any(len(one) != ID_BYTES for one in (self.deployment, self.package, self.service)):
            raise KeyRefused("an id is 16 bytes")

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Self | None:
        """Parse exactly 64 bytes; None where they are no head of a package of version 1."""
        if len(untrusted) != HEAD_BYTES:
            return None
        magic, version, suite, zeros, deployment, package, service = _LAYOUT.unpack(untrusted)
        if (magic, version, suite, zeros) != (_MAGIC, _VERSION, _SUITE, bytes(6)):
            return None
        return cls(
            deployment=Deployment(deployment), package=PackageId(package), service=Kid(service)
        )

    def to_bytes(self) -> bytes:
        """Return the 64 bytes."""
        return _LAYOUT.pack(
            _MAGIC, _VERSION, _SUITE, bytes(6), self.deployment, self.package, self.service
        )

    @property
    def hash(self) -> bytes:
        """32 bytes: what the wrap and the body are bound to."""
        return hashlib.sha256(b"amana/v1/package\0" + self.to_bytes()).digest()

    @property
    def context(self) -> bytes:
        """What the body's key and stream are bound to."""
        return b"amana/v1/package-body\0" + self.hash


class PackageSealer:
    """Seal one package as a stream, under a fresh key: flat in memory, whatever its size.

    `length` is the content's, in bytes; exactly as many are written, then `finish`.  What is sealed
    goes to `sink`, the head and the wrap at once.  An error, the sink's included, leaves the
    package unfinished.
    """

    def __init__(
        self,
        *,
        deployment: Deployment,
        package: PackageId,
        service: ServicePublicKey,
        length: int,
        sink: Callable[[bytes], object],
    ) -> None:
        self._head = PackageHead(deployment=deployment, package=package, service=service.kid)
        data_key = DataKey.generate()
        self._sink = sink
        self._digest = hashlib.sha256()
        self._missing = length
        bound = WRAP_MAGIC + self._head.hash + data_key.raw
        self._emit(self._head.to_bytes())
        self._emit(crypto_box_seal(bound, service.raw))
        context = self._head.context
        cipher = Cobblestone256Encryptor(part_key(data_key, context), context)
        self._body = PartSealer(cipher, self._emit)
        self._body.write(length.to_bytes(LENGTH_BYTES, "big"))

    def write(self, data: bytes) -> None:
        """Take the next bytes; raises `SealingOutOfOrder` for more than were announced."""
        if len(data) > self._missing:
            raise SealingOutOfOrder("more was written than was announced")
        self._missing -= len(data)
        self._body.write(data)

    def finish(self) -> bytes:
        """Seal the end and return the SHA-256 of the whole package.

        Raises `SealingOutOfOrder` for less than was announced, or the second time.
        """
        if self._missing:
            raise SealingOutOfOrder("less was written than was announced")
        self._body.finish()
        return self._digest.digest()

    def _emit(self, sealed: bytes) -> None:
        self._digest.update(sealed)
        self._sink(sealed)


def new_package_id() -> PackageId:
    """Return 16 fresh random bytes that name a package."""
    return PackageId(secrets.token_bytes(ID_BYTES))


def package_bytes(length: int) -> int:
    """Return how long a package is whose content has `length` bytes."""
    return HEAD_BYTES + WRAP_BYTES + sealed_length(LENGTH_BYTES + length)


def package_statement(
    deployment: Deployment, case: CaseId, package: PackageId, service: Kid, manifest: bytes
) -> bytes:
    """Return what an operator signs: the manifest's SHA-256 in this package, for this service.

    `service` is `NOBODY` for a folder.  Raises `SignatureInvalid` for an id of the wrong length.
    """
    ids = (deployment, case, package, service)
    if any(len(one) != ID_BYTES for one in ids):
        raise SignatureInvalid("a field has the wrong length")
    return b"amana/v1/sign/package\0" + b"".join(ids) + hashlib.sha256(manifest).digest()


def service_fingerprint(key: ServicePublicKey) -> str:
    """Give the forty digits of a service's key, to be read aloud."""
    return fingerprint_of("service", key.raw)


def service_to_text(key: ServicePublicKey) -> str:
    """Give the one line of a service's public key file."""
    encoded = base64.b64encode(_X25519 + key.raw).decode()
    return f"{_SERVICE_NAME}+{_service_check(key)}+{encoded}\n"


def service_from_text(untrusted: str) -> ServicePublicKey:
    """Read the line of a service's public key file.  Raises `KeyRefused`."""
    match = _SERVICE_KEY.fullmatch(untrusted)
    if match is None:
        raise KeyRefused(f"not a service's public key: it begins with {_SERVICE_NAME}+")
    decoded = base64.b64decode(match["base64"])
    key = ServicePublicKey.from_bytes(decoded[1:])
    if decoded[:1] != _X25519 or _service_check(key) != match["hash"]:
        raise KeyRefused("not a service's public key: a character of it was changed")
    return key


def _service_check(key: ServicePublicKey) -> str:
    named = f"{_SERVICE_NAME}\n".encode() + _X25519 + key.raw
    return hashlib.sha256(named).digest()[:4].hex()
