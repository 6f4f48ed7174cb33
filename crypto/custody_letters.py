"""What custodians are asked, and what they answer: the bodies of letters.  FORMAT.md, section 18.

Rule: an answer names the one request that it answers and holds shares of what that request named;
`from_json` accounts for every field or raises `ManifestMalformed`.  A share never shows in a repr.
"""

import secrets
from dataclasses import dataclass, field
from typing import Self

from crypto.custody import SHARES_MOST, Share
from crypto.errors import ManifestMalformed
from crypto.ids import (
    ID_BYTES,
    CaseId,
    Day,
    Kid,
    parse_case_id,
    parse_digest,
    parse_envelope_id,
    parse_header_hash,
    parse_kid,
)
from crypto.manifest import DAY_END, EvidenceRef
from crypto.strict_json import Fields, Json, dump, short

IDENTITIES_MOST = 32
"""Identity envelopes that one request may name."""
REASON_MOST = 4000
"""Characters of a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyRequest:
    """An operator's wish that identities of one case be opened for them.

    `operator` is their evidence key, to which alone an answer is sealed; `roster_hash` the roster
    in force at their desk; `nonce` 16 random bytes, so that no two requests are the same.
    """

    case: CaseId
    identities: tuple[EvidenceRef, ...]
    operator: Kid
    label: str
    reason: str = field(repr=False)
    day: Day
    roster_hash: bytes
    nonce: bytes = field(default_factory=lambda: secrets.token_bytes(ID_BYTES))

    def to_json(self) -> bytes:
        """Return the JSON, UTF-8; raises `ManifestMalformed` for what FORMAT.md does not allow."""
        _require_refs(self.identities)
        _require_day(self.day)
        return dump(
            case=self.case.hex(),
            identities=[_ref(one) for one in self.identities],
            operator=self.operator.hex(),
            label=short(self.label),
            reason=_worded(self.reason),
            day=self.day,
            roster_hash=self.roster_hash.hex(),
            nonce=self.nonce.hex(),
        )

    @classmethod
    def from_json(cls, untrusted: bytes) -> Self:
        """Parse; raises `ManifestMalformed`."""
        with Fields.of_manifest(untrusted) as given:
            found = cls(
                case=given.hexed("case", parse_case_id),
                identities=tuple(_parse_ref(one) for one in given.objects("identities")),
                operator=given.hexed("operator", parse_kid),
                label=given.word("label"),
                reason=_worded(given.text("reason")),
                day=_require_day(given.number("day")),
                roster_hash=given.hexed("roster_hash", parse_digest),
                nonce=given.hexed("nonce", parse_envelope_id),
            )
        _require_refs(found.identities)
        return found


@dataclass(frozen=True, slots=True)
class IdentityShares:
    """One custodian's shares of one identity envelope."""

    ref: EvidenceRef
    shares: tuple[Share, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyAnswer:
    """A custodian's yes, with their shares, or no, with the reason why.

    `request` is the id of the letter that is answered; `custodian` the key that the shares were
    sealed to.
    """

    case: CaseId
    request: bytes
    custodian: Kid
    label: str
    day: Day
    reason: str = field(default="", repr=False)
    identities: tuple[IdentityShares, ...] = field(default=(), repr=False)

    @property
    def agreed(self) -> bool:
        """Whether shares came with it."""
        return bool(self.identities)

    def to_json(self) -> bytes:
        """Return the JSON, UTF-8; raises `ManifestMalformed` for what FORMAT.md does not allow."""
        self._require_one_of_two()
        return dump(
            case=self.case.hex(),
            request=self.request.hex(),
            custodian=self.custodian.hex(),
            label=short(self.label),
            day=_require_day(self.day),
            reason=self.reason,
            identities=[
                {
                    **_ref(one.ref),
                    "shares": [
                        {"subset": share.subset.hex(), "value": share.value.hex()}
                        for share in one.shares
                    ],
                }
                for one in self.identities
            ],
        )

    @classmethod
    def from_json(cls, untrusted: bytes) -> Self:
        """Parse; raises `ManifestMalformed`."""
        with Fields.of_manifest(untrusted) as given:
            custodian = given.hexed("custodian", parse_kid)
            found = cls(
                case=given.hexed("case", parse_case_id),
                request=given.hexed("request", parse_digest),
                custodian=custodian,
                label=given.word("label"),
                day=_require_day(given.number("day")),
                reason=given.text("reason"),
                identities=tuple(
                    _parse_shares(one, custodian) for one in given.objects("identities")
                ),
            )
        found._require_one_of_two()
        return found

    def _require_one_of_two(self) -> None:
        """A yes has shares and no reason; a no has a reason and no shares."""
        if not self.identities:
            _worded(self.reason)
            return
        if self.reason:
            raise ManifestMalformed("an answer that says yes and no")
        _require_refs(tuple(one.ref for one in self.identities))
        for one in self.identities:
            subsets = {share.subset for share in one.shares}
            if not 1 <= len(one.shares) <= SHARES_MOST or len(subsets) != len(one.shares):
                raise ManifestMalformed("no share, too many, or one twice")


def _ref(ref: EvidenceRef) -> dict[str, Json]:
    return {"id": ref.id.hex(), "header_hash": ref.header_hash.hex()}


def _parse_ref(untrusted: Fields) -> EvidenceRef:
    with untrusted as given:
        return _taken_ref(given)


def _taken_ref(given: Fields) -> EvidenceRef:
    return EvidenceRef(
        id=given.hexed("id", parse_envelope_id),
        header_hash=given.hexed("header_hash", parse_header_hash),
    )


def _parse_shares(untrusted: Fields, holder: Kid) -> IdentityShares:
    with untrusted as given:
        return IdentityShares(
            ref=_taken_ref(given),
            shares=tuple(_parse_share(one, holder) for one in given.objects("shares")),
        )


def _parse_share(untrusted: Fields, holder: Kid) -> Share:
    with untrusted as given:
        return Share(
            holder=holder,
            subset=given.hexed("subset", parse_kid),
            value=given.hexed("value", parse_digest),
        )


def _require_refs(refs: tuple[EvidenceRef, ...]) -> None:
    distinct = {ref.id for ref in refs}
    if not 1 <= len(refs) <= IDENTITIES_MOST or len(distinct) != len(refs):
        raise ManifestMalformed("no identity, too many, or one twice")


def _require_day(number: int) -> Day:
    if not 0 < number < DAY_END:
        raise ManifestMalformed("not a day of the calendar")
    return Day(number)


def _worded(text: str) -> str:
    if not 0 < len(text.strip()) <= REASON_MOST:
        raise ManifestMalformed("a reason is 1 to 4000 characters")
    return text
