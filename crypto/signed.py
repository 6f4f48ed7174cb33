"""The manifest of what is signed: a body, and who signed it for whom.  FORMAT.md, sections 7 and 8.

Rule: `from_json` proves nothing; `verify` gives the body back only as it was signed, for this
envelope and for this reader.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from crypto.errors import SignatureInvalid
from crypto.header import Header, Kind
from crypto.ids import (
    CaseId,
    Deployment,
    EnvelopeId,
    HeaderHash,
    Kid,
    parse_header_hash,
    parse_kid,
)
from crypto.keys import SigningPublicKey
from crypto.signing import SigningPrivateKey, Statement
from crypto.strict_json import Fields, dump


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedManifest:
    """The manifest of a follow-up, an entry or a reply: a body as text, and who signed it for whom.

    `recipients` are the true key ids of all readers, a receipt's included: a server gives each
    reader their own wraps only, so the list that was signed travels with the signature.
    """

    body: str = field(repr=False)
    parents: tuple[HeaderHash, ...]
    recipients: tuple[Kid, ...]
    signer: Kid
    signature: bytes

    @classmethod
    def sign(  # noqa: PLR0913  # each argument is one field of the statement
        cls,
        kind: Kind,
        key: SigningPrivateKey,
        *,
        deployment: Deployment,
        case: CaseId,
        envelope: EnvelopeId,
        recipients: Sequence[Kid],
        parents: Sequence[HeaderHash],
        body: bytes,
    ) -> Self:
        """Sign a body's JSON for one envelope, whose id the sealer gave beforehand.

        Raises `SignatureInvalid` for a kind that is never signed or a list that cannot be signed.
        """
        statement = Statement(
            kind=kind,
            deployment=deployment,
            case=case,
            envelope=envelope,
            recipients=recipients,
            parents=parents,
            body=body,
        )
        return cls(
            body=body.decode(),
            parents=tuple(parents),
            recipients=tuple(recipients),
            signer=key.public.kid,
            signature=statement.sign(key),
        )

    def verify(self, header: Header, public: SigningPublicKey, reader: Kid) -> bytes:
        """Return the body's JSON if `public` signed it for this envelope and for this reader.

        Raises `SignatureInvalid` otherwise.  That `public` is who it should be (the follow-up key
        of the case, an operator of the roster in force) is the caller's to know.
        """
        if self.signer != public.kid or reader not in self.recipients:
            raise SignatureInvalid("signed by another key, or for other readers")
        body = self.body.encode()
        statement = Statement(
            kind=header.kind,
            deployment=header.deployment,
            case=header.case,
            envelope=header.envelope,
            recipients=self.recipients,
            parents=self.parents,
            body=body,
        )
        statement.verify(public, self.signature)
        return body

    def to_json(self) -> bytes:
        """Return the JSON, UTF-8."""
        return dump(
            body=self.body,
            parents=[parent.hex() for parent in self.parents],
            recipients=[kid.hex() for kid in self.recipients],
            signer=self.signer.hex(),
            signature=self.signature.hex(),
        )

    @classmethod
    def from_json(cls, untrusted: bytes) -> Self:
        """Parse; raises `ManifestMalformed`.  Nothing is verified yet."""
        with Fields.of_manifest(untrusted) as given:
            return cls(
                body=given.text("body"),
                parents=given.all_hexed("parents", parse_header_hash),
                recipients=given.all_hexed("recipients", parse_kid),
                signer=given.hexed("signer", parse_kid),
                signature=given.hexed("signature", bytes),
            )
