"""Sign public files with an operator's key, so that anybody can check them.  FORMAT.md, section 21.

Rule: what is signed is a text, as it stands, that names every file by its SHA-256; its first line
is a label of its own, so nothing else that this key signs can be read as a bulletin, nor a bulletin
as anything else.  There is one spelling: a text that differs from it by a byte is refused.
"""

import base64
import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from crypto.errors import BulletinMalformed
from crypto.ids import Day, Deployment, HeaderHash, Kid, date_of, day_of
from crypto.keys import SigningPublicKey
from crypto.signing import SigningPrivateKey

FILES_MOST = 16
TEXT_MOST = 4096

_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_HEAD = re.compile(
    r"amana/v1/bulletin\n"
    r"deployment (?P<deployment>[0-9a-f]{32})\n"
    r"roster (?P<roster>[0-9a-f]{64})\n"
    r"signer (?P<signer>[0-9a-f]{32})\n"
    rf"issued (?P<issued>{_DATE})\n"
    rf"from (?P<first>{_DATE})\n"
    rf"to (?P<last>{_DATE})\n"
)
_FILE = re.compile(r"(?P<digest>[0-9a-f]{64})  (?P<name>[a-z][a-z0-9.-]{0,63})\n")
# What stands before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410).
_SPKI = bytes.fromhex("302a300506032b6570032100")


@dataclass(frozen=True, slots=True, kw_only=True)
class BulletinStatement:
    """Which files were published, about which days, by whom; `files` is name to SHA-256 (32 bytes).

    `roster` is the hash of the roster that names the signer, `issued` the day of signing.
    """

    deployment: Deployment
    roster: bytes
    signer: Kid
    issued: Day
    first: Day
    last: Day
    files: Mapping[str, bytes]

    def to_bytes(self) -> bytes:
        """Give the text, as it is signed: UTF-8, lines that end in one LF, files by name.

        Raises BulletinMalformed for what `from_bytes` would refuse.
        """
        lines = [
            "amana/v1/bulletin",
            f"deployment {self.deployment.hex()}",
            f"roster {self.roster.hex()}",
            f"signer {self.signer.hex()}",
            f"issued {date_of(self.issued)}",
            f"from {date_of(self.first)}",
            f"to {date_of(self.last)}",
            *(f"{digest.hex()}  {name}" for name, digest in sorted(self.files.items())),
        ]
        text = "".join(f"{line}\n" for line in lines)
        if self.first > self.last or _parsed(text) is None:
            raise BulletinMalformed("a statement that cannot be written")
        return text.encode()

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Self:
        """Parse; nothing is verified yet.  Raises BulletinMalformed."""
        if len(untrusted) > TEXT_MOST or not untrusted.isascii():
            raise BulletinMalformed("not a bulletin's statement")
        parsed = _parsed(untrusted.decode())
        if parsed is None:
            raise BulletinMalformed("not a bulletin's statement")
        head, files = parsed
        try:
            issued, first, last = (
                day_of(dt.date.fromisoformat(head[name])) for name in ("issued", "first", "last")
            )
        except ValueError:
            raise BulletinMalformed("a day that is none") from None
        found = cls(
            deployment=Deployment(bytes.fromhex(head["deployment"])),
            roster=HeaderHash(bytes.fromhex(head["roster"])),
            signer=Kid(bytes.fromhex(head["signer"])),
            issued=issued,
            first=first,
            last=last,
            files=files,
        )
        # Files out of order, or one twice, would be a second spelling.
        if found.to_bytes() != untrusted:
            raise BulletinMalformed("another spelling")
        return found

    def sign(self, key: SigningPrivateKey) -> bytes:
        """Give 64 bytes of Ed25519 over the text; raises BulletinMalformed for another's key."""
        if key.public.kid != self.signer:
            raise BulletinMalformed("another key than the text names")
        return key.sign(self.to_bytes())

    def verify(self, public: SigningPublicKey, signature: bytes) -> None:
        """Raise SignatureInvalid unless this key signed this text.  That it may is the caller's."""
        public.verify(signature, self.to_bytes())


def to_pem(public: SigningPublicKey) -> str:
    """Give a signing key as PEM (RFC 8410), for programs that are not ours."""
    encoded = base64.b64encode(_SPKI + public.raw).decode()
    return f"-----BEGIN PUBLIC KEY-----\n{encoded}\n-----END PUBLIC KEY-----\n"


def _parsed(text: str) -> tuple[re.Match[str], dict[str, bytes]] | None:
    head = _HEAD.match(text)
    if head is None:
        return None
    rows = text[head.end() :].splitlines(keepends=True)
    if not 1 <= len(rows) <= FILES_MOST:
        return None
    files = {}
    for row in rows:
        match = _FILE.fullmatch(row)
        if match is None:
            return None
        files[match["name"]] = bytes.fromhex(match["digest"])
    return head, files
