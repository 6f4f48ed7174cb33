"""Letters that people carry between desks: signed by one, sealed to a few.  FORMAT.md, section 17.

Rule: opening a letter proves nothing of who wrote it; `Letter.verify` does, once the caller knows
whose key it must be.  The way is not trusted: mail, a USB stick, a server.  A lost letter tells for
which keys it is and how long it is, roughly.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Self

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag
from nacl.bindings import crypto_box_seal, crypto_box_seal_open
from nacl.exceptions import CryptoError as NaclError

from crypto.errors import (
    CannotOpen,
    LetterMalformed,
    NotARecipient,
    RecipientsRefused,
    SignatureInvalid,
)
from crypto.ids import ID_BYTES, Deployment, Kid, parse_deployment, parse_kid
from crypto.keys import CustodianPublicKey, OperatorPublicKey, SigningPublicKey
from crypto.operator_opening import CustodianPrivateKey, OperatorPrivateKey
from crypto.padding import padme
from crypto.signing import SigningPrivateKey
from crypto.strict_json import Fields, dump

LETTER_MOST = 128 * 1024
"""Bytes of a letter's JSON at most."""
TEXT_MOST = 256 * 1024
"""Characters of a letter as text at most."""
READERS_MOST = 64

_MAGIC = b"AMANALTR"
_VERSION = 1
_WRAP_MAGIC = b"AML1"
_KEY_BYTES = 32
_WRAP_BYTES = ID_BYTES + 48 + len(_WRAP_MAGIC) + ID_BYTES + _KEY_BYTES
_HEAD_BYTES = len(_MAGIC) + 3
_LENGTH_BYTES = 4
_STREAM_MOST = 2 * LETTER_MOST
_LINE = 64

Reader = OperatorPublicKey | CustodianPublicKey


class LetterKind(IntEnum):
    """What a letter is; its signature is under a label of its own."""

    REQUEST = 1
    ANSWER = 2


_LABELS = {
    LetterKind.REQUEST: b"amana/v1/sign/custody-request\0",
    LetterKind.ANSWER: b"amana/v1/sign/custody-answer\0",
}
_NAMES = {LetterKind.REQUEST: "AMANA CUSTODY REQUEST", LetterKind.ANSWER: "AMANA CUSTODY ANSWER"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A body of JSON, who signed it, and for whom.  Made by `write`, or by opening one."""

    kind: LetterKind
    deployment: Deployment
    recipients: tuple[Kid, ...]
    signer: Kid
    signature: bytes
    body: str = field(repr=False)

    @classmethod
    def write(
        cls,
        kind: LetterKind,
        key: SigningPrivateKey,
        *,
        deployment: Deployment,
        recipients: Sequence[Kid],
        body: bytes,
    ) -> Self:
        """Sign a body for these readers; raises `RecipientsRefused` for none or one twice."""
        _require_distinct(recipients)
        statement = _statement(kind, deployment, recipients, body)
        return cls(
            kind=kind,
            deployment=deployment,
            recipients=tuple(recipients),
            signer=key.public.kid,
            signature=key.sign(statement),
            body=body.decode(),
        )

    @property
    def id(self) -> bytes:
        """32 bytes over all that is signed: what an answer names the request by."""
        return hashlib.sha256(self._statement()).digest()

    def verify(self, public: SigningPublicKey, reader: Kid) -> bytes:
        """Return the body's JSON if `public` signed it for this reader.

        Raises `SignatureInvalid` otherwise.  That `public` is who it should be, and that the
        deployment is the caller's, is the caller's to know.
        """
        if self.signer != public.kid or reader not in self.recipients:
            raise SignatureInvalid("signed by another key, or for other readers")
        public.verify(self.signature, self._statement())
        return self.body.encode()

    def _statement(self) -> bytes:
        return _statement(self.kind, self.deployment, self.recipients, self.body.encode())

    def to_json(self) -> bytes:
        """Return the JSON, UTF-8."""
        return dump(
            deployment=self.deployment.hex(),
            recipients=[kid.hex() for kid in self.recipients],
            signer=self.signer.hex(),
            signature=self.signature.hex(),
            body=self.body,
        )

    @classmethod
    def from_json(cls, kind: LetterKind, untrusted: bytes) -> Self:
        """Parse; raises `ManifestMalformed`.  Nothing is verified yet."""
        with Fields.of_manifest(untrusted) as given:
            return cls(
                kind=kind,
                deployment=given.hexed("deployment", parse_deployment),
                recipients=given.all_hexed("recipients", parse_kid),
                signer=given.hexed("signer", parse_kid),
                signature=given.hexed("signature", bytes),
                body=given.text("body"),
            )


def seal_letter(letter: Letter, readers: Sequence[Reader]) -> bytes:
    """Seal a letter to its readers, in the order in which it names them.

    Raises `RecipientsRefused` for other readers than those that were signed, and `LetterMalformed`
    for a letter that is too long.
    """
    if tuple(reader.kid for reader in readers) != letter.recipients:
        raise RecipientsRefused("a letter is sealed to those it was written for")
    written = letter.to_json()
    if len(written) > LETTER_MOST:
        raise LetterMalformed("a letter that is too long")
    key = secrets.token_bytes(_KEY_BYTES)
    wraps = [
        reader.kid + crypto_box_seal(_WRAP_MAGIC + reader.kid + key, reader.raw)
        for reader in readers
    ]
    head = _MAGIC + bytes([_VERSION, letter.kind, len(wraps)]) + b"".join(wraps)
    cipher = Cobblestone256Encryptor(key, _context(head))
    return head + cipher.update(_padded(written)) + cipher.finalize()


def open_letter(private: OperatorPrivateKey | CustodianPrivateKey, untrusted: bytes) -> Letter:
    """Open a letter that is sealed to this key.  Nothing is verified yet.

    Raises `LetterMalformed`, `NotARecipient`, `CannotOpen`, or `ManifestMalformed`.
    """
    kind, wraps, stream = _taken_apart(untrusted)
    sealed = wraps.get(private.public.kid)
    if sealed is None:
        raise NotARecipient
    key = _unwrapped(private, sealed)
    head = untrusted[: len(untrusted) - len(stream)]
    cipher = Cobblestone256Decryptor(key, _context(head))
    try:
        padded = cipher.update(stream) + cipher.finalize()
    except InvalidTag:
        raise CannotOpen from None
    end = _LENGTH_BYTES + int.from_bytes(padded[:_LENGTH_BYTES], "big")
    written = padded[_LENGTH_BYTES:end]
    if not hmac.compare_digest(padded, _padded(written)):
        raise CannotOpen
    return Letter.from_json(kind, written)


def to_text(sealed: bytes) -> str:
    """Return a sealed letter as a block of text, for a file or a mail."""
    kind, _, _ = _taken_apart(sealed)
    encoded = base64.b64encode(sealed).decode()
    lines = [encoded[at : at + _LINE] for at in range(0, len(encoded), _LINE)]
    return "\n".join([_fence("BEGIN", kind), *lines, _fence("END", kind), ""])


def from_text(untrusted: str) -> bytes:
    """Return the sealed letter that a block of text is; white space does not matter.

    Raises `LetterMalformed` for anything before, after or inside it that does not belong there.
    """
    if len(untrusted) > TEXT_MOST:
        raise LetterMalformed("a text that is too long for a letter")
    lines = [line.strip() for line in untrusted.split("\n") if line.strip()]
    encoded = "".join("".join(line.split()) for line in lines[1:-1])
    try:
        sealed = base64.b64decode(encoded.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise LetterMalformed("not a block of text of a letter") from None
    kind, _, _ = _taken_apart(sealed)
    # One letter, one spelling: nothing rides along in the last character's unused bits.
    spelled = base64.b64encode(sealed).decode() == encoded
    if not spelled or (lines[0], lines[-1]) != (_fence("BEGIN", kind), _fence("END", kind)):
        raise LetterMalformed("not a block of text of a letter")
    return sealed


def _fence(edge: str, kind: LetterKind) -> str:
    return f"-----{edge} {_NAMES[kind]}-----"


def _taken_apart(untrusted: bytes) -> tuple[LetterKind, dict[Kid, bytes], bytes]:
    """The kind, the sealed boxes by key id, and the stream."""
    if untrusted[: len(_MAGIC)] != _MAGIC or len(untrusted) < _HEAD_BYTES:
        raise LetterMalformed("not a letter")
    version, kind, count = untrusted[len(_MAGIC) : _HEAD_BYTES]
    stream = _HEAD_BYTES + count * _WRAP_BYTES
    known = version == _VERSION and kind in _NAMES and 1 <= count <= READERS_MOST
    if not known or not stream < len(untrusted) <= stream + _STREAM_MOST:
        raise LetterMalformed("another version or kind of letter, or a wrong length")
    boxes = [untrusted[at : at + _WRAP_BYTES] for at in range(_HEAD_BYTES, stream, _WRAP_BYTES)]
    wraps = {Kid(box[:ID_BYTES]): box[ID_BYTES:] for box in boxes}
    if len(wraps) != count:
        raise LetterMalformed("a reader twice")
    return LetterKind(kind), wraps, untrusted[stream:]


def _unwrapped(private: OperatorPrivateKey | CustodianPrivateKey, sealed: bytes) -> bytes:
    bound = _WRAP_MAGIC + private.public.kid
    try:
        plain = crypto_box_seal_open(sealed, private.public.raw, private.raw)
    except NaclError:
        raise CannotOpen from None
    # A sealed box carries no context: one that was made for another use opens nothing here.
    if not hmac.compare_digest(plain[: len(bound)], bound):
        raise CannotOpen
    return plain[len(bound) :]


def _context(head: bytes) -> bytes:
    """Bind the stream to kind and readers: none can be added, left out or exchanged."""
    return b"amana/v1/letter\0" + hashlib.sha256(head).digest()


def _padded(written: bytes) -> bytes:
    framed = len(written).to_bytes(_LENGTH_BYTES, "big") + written
    return framed.ljust(padme(len(framed)), b"\0")


def _statement(
    kind: LetterKind, deployment: Deployment, recipients: Sequence[Kid], body: bytes
) -> bytes:
    counted = len(recipients).to_bytes(2, "big") + b"".join(recipients)
    return _LABELS[kind] + deployment + counted + hashlib.sha256(body).digest()


def _require_distinct(kids: Sequence[Kid]) -> None:
    if not 1 <= len(kids) <= READERS_MOST or len(set(kids)) != len(kids):
        raise RecipientsRefused("no reader, too many, or one twice")
