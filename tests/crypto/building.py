"""Builders for this room's tests: a case, its readers, and envelopes sealed and opened whole."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from crypto.body import DataKey, PartsCheck, open_manifest, open_part
from crypto.envelope import EnvelopeSealer, Operators, SealedEnvelope
from crypto.header import Header, Kind
from crypto.ids import CaseId, Day, Deployment, deployment_of, new_case_id
from crypto.keys import ReplyPublicKey
from crypto.operator_opening import OperatorPrivateKey, open_data_key
from crypto.signing import SigningPrivateKey
from crypto.wrap import Recipients

ROSTER_HASH = bytes(range(32))
TODAY = Day(20_700)


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """An envelope with its content parts, as a vault would hold it."""

    envelope: SealedEnvelope
    parts: list[bytes] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)

    @property
    def header(self) -> Header:
        """The envelope's header."""
        return self.envelope.header


@dataclass(frozen=True)
class Room:
    """A deployment with one case, one operator, and a receipt's keys."""

    deployment: Deployment = field(default_factory=lambda: deployment_of(b"root"))
    case: CaseId = field(default_factory=new_case_id)
    operator: OperatorPrivateKey = field(default_factory=OperatorPrivateKey.generate)
    follow_up: SigningPrivateKey = field(default_factory=SigningPrivateKey.generate)
    # An operator's key stands in for what the receipt room derives: both are X25519.
    receipt: OperatorPrivateKey = field(default_factory=OperatorPrivateKey.generate)

    @property
    def operators(self) -> Operators:
        """The one operator, as recipients."""
        return Operators([self.operator.public])

    @property
    def reply_key(self) -> ReplyPublicKey:
        """The receipt's public key."""
        return ReplyPublicKey(self.receipt.public.raw)

    def sealer(self, kind: Kind = Kind.EVIDENCE, **other: Any) -> EnvelopeSealer:
        """Begin an envelope of this case; `other` overrides the header's fields."""
        fields: dict[str, Any] = {
            "kind": kind,
            "deployment": self.deployment,
            "case": self.case,
            "roster_hash": ROSTER_HASH,
            "day": TODAY,
        }
        return EnvelopeSealer(**(fields | other))

    def seal(
        self,
        *contents: bytes,
        kind: Kind = Kind.EVIDENCE,
        manifest: bytes = b'{"v":1}',
        to: Recipients | None = None,
    ) -> Sealed:
        """Seal contents and a manifest, to the operator unless told otherwise."""
        sealer = self.sealer(kind)
        return seal_with(sealer, contents, manifest, to or self.operators)

    def open(self, sealed: Sealed) -> list[bytes]:
        """Open everything with the operator's key: the manifest first, then the contents."""
        header = Header.from_bytes(sealed.header.to_bytes())
        data_key = open_data_key(self.operator, header, sealed.envelope.wraps)
        return open_all(data_key, header, sealed)


def seal_with(
    sealer: EnvelopeSealer, contents: Sequence[bytes], manifest: bytes, to: Recipients
) -> Sealed:
    """Seal contents and manifest, gathering the sealed parts in memory."""
    parts = []
    for content in contents:
        chunks: list[bytes] = []
        part = sealer.part(chunks.append)
        part.write(content)
        part.finish()
        parts.append(b"".join(chunks))
    envelope = sealer.seal(manifest, to)
    return Sealed(envelope=envelope, parts=parts, lengths=[len(content) for content in contents])


def open_all(data_key: DataKey, header: Header, sealed: Sealed) -> list[bytes]:
    """Check the root, then open every part of an envelope."""
    check = PartsCheck(header)
    for index, part in enumerate([sealed.envelope.manifest, *sealed.parts]):
        check.add(index, [part])
    check.conclude()
    return [open_manifest(data_key, header, sealed.envelope.manifest)] + [
        b"".join(open_part(data_key, header, index, in_pieces(part), length))
        for index, (part, length) in enumerate(zip(sealed.parts, sealed.lengths, strict=True), 1)
    ]


def in_pieces(data: bytes, size: int = 10_000) -> Iterable[bytes]:
    """Cut bytes into pieces, as a network would."""
    return (data[at : at + size] for at in range(0, len(data), size))
