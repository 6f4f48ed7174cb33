"""The signed list of keys that everything is sealed to and verified against.  Section 11.

A text note signed by the offline root.  There is one spelling of a roster: the parser writes what
it read once more and refuses a note that differs by a byte.
"""

import base64
import datetime as dt
import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields

from crypto.custody import SHARES_MOST
from crypto.enrolment import fingerprint_of, is_label
from crypto.errors import KeyRefused, RosterRefused, SignatureInvalid
from crypto.ids import Day, Deployment, Kid, date_of, day_of, deployment_of
from crypto.keys import CustodianPublicKey, OperatorPublicKey, SigningPublicKey
from crypto.signing import SigningPrivateKey

VALIDITY_DAYS_MOST = 90
OPERATORS_LEAST = 2
NO_PREVIOUS = bytes(32)

_ROOT_NAME = "amana-root"
_ED25519 = b"\x01"
_NOTE_MOST = 256 * 1024
_SUITES = frozenset({1})

_HEAD = re.compile(
    r"amana/v1/roster\n"
    r"deployment (?P<deployment>[0-9a-f]{32})\n"
    r"epoch (?P<epoch>[1-9][0-9]{0,8})\n"
    r"not-before (?P<not_before>[0-9]{4}-[0-9]{2}-[0-9]{2})\n"
    r"not-after (?P<not_after>[0-9]{4}-[0-9]{2}-[0-9]{2})\n"
    r"previous (?P<previous>[0-9a-f]{64})\n"
    r"suite (?P<suite>[1-9])\n"
    r"quorum (?P<quorum>[1-9][0-9]?)\n"
    r"rehearsal (?P<rehearsal>yes|no)\n"
)
_KEY = r"(?P<{0}_kid>[0-9a-f]{{32}}) (?P<{0}>[A-Za-z0-9+/]{{43}}=)\n"
_MEMBER = re.compile(
    r"member (?P<number>[1-9][0-9]{0,3}) (?P<label>[^\n]+)\n"
    r"(?P<role>evidence|custodian) (?P=number) "
    + _KEY.format("key")
    + r"sign (?P=number) "
    + _KEY.format("sign")
    + r"api (?P=number) "
    + _KEY.format("api")
)
_SIGNATURE = re.compile(rf"\n— {_ROOT_NAME} (?P<base64>[A-Za-z0-9+/]{{91}}=)\n")
_VERIFIER_KEY = re.compile(
    rf"{_ROOT_NAME}\+(?P<hash>[0-9a-f]{{8}})\+(?P<base64>[A-Za-z0-9+/]{{44}})\n?"
)


@dataclass(frozen=True, slots=True)
class RootPublicKey:
    """The offline root's Ed25519 public key (32 bytes), which a gateway and a desk pin.

    Raises KeyRefused.
    """

    raw: bytes

    def __post_init__(self) -> None:
        SigningPublicKey(self.raw)

    @property
    def deployment(self) -> Deployment:
        """The 16-byte deployment id that this root began."""
        return deployment_of(self.raw)

    @property
    def fingerprint(self) -> str:
        """Forty digits in eight groups, to be read aloud."""
        return fingerprint_of("root", self.raw)

    @property
    def note_hash(self) -> bytes:
        """The 4 bytes by which a signed note names the key that signed it (C2SP signed-note)."""
        named = _ROOT_NAME.encode() + b"\n" + _ED25519 + self.raw
        return hashlib.sha256(named).digest()[:4]

    def to_text(self) -> str:
        """Give the line of `root.pub`: a C2SP verifier key, `amana-root+hash+base64`."""
        encoded = base64.b64encode(_ED25519 + self.raw).decode()
        return f"{_ROOT_NAME}+{self.note_hash.hex()}+{encoded}\n"

    @classmethod
    def from_text(cls, untrusted: str) -> "RootPublicKey":
        """Read the line of `root.pub`.  Raises RosterRefused."""
        match = _VERIFIER_KEY.fullmatch(untrusted)
        if match is None:
            raise RosterRefused(f"not a root's public key: it begins with {_ROOT_NAME}+")
        decoded = base64.b64decode(match["base64"])
        try:
            root = cls(decoded[1:])
        except KeyRefused as error:
            raise RosterRefused(f"not a root's public key: {error}") from None
        if decoded[:1] != _ED25519 or root.note_hash.hex() != match["hash"]:
            raise RosterRefused("not a root's public key: a character of it was changed")
        return root


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator: `evidence` is what reports are sealed to, `sign` and `api` verify."""

    number: int
    label: str
    evidence: OperatorPublicKey
    sign: SigningPublicKey
    api: SigningPublicKey

    @property
    def fingerprint(self) -> str:
        """The forty digits that this person's enrolment file had."""
        return fingerprint_of("evidence", self.evidence.raw, self.sign.raw, self.api.raw)


@dataclass(frozen=True, slots=True)
class Custodian:
    """One custodian: `custodian` is what shares of an identity are sealed to."""

    number: int
    label: str
    custodian: CustodianPublicKey
    sign: SigningPublicKey
    api: SigningPublicKey

    @property
    def fingerprint(self) -> str:
        """The forty digits that this person's enrolment file had."""
        return fingerprint_of("custodian", self.custodian.raw, self.sign.raw, self.api.raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterDraft:
    """What a roster says, signed or not.

    Both days are inside the validity; `previous` is the 32-byte hash of the note before, zeros for
    epoch 1.  Operators and custodians share one numbering and stand in its order.
    """

    deployment: Deployment
    epoch: int
    not_before: Day
    not_after: Day
    previous: bytes
    suite: int
    quorum: int
    rehearsal: bool
    operators: tuple[Operator, ...]
    custodians: tuple[Custodian, ...]

    @property
    def members(self) -> tuple[Operator | Custodian, ...]:
        """Operators and custodians by number."""
        return tuple(sorted((*self.operators, *self.custodians), key=lambda one: one.number))


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster(RosterDraft):
    """A roster whose signature was verified.  `note` is the signed note, byte for byte."""

    note: bytes

    @property
    def hash(self) -> bytes:
        """SHA-256 of the note's bytes (what sha256sum prints): envelopes name a roster by it."""
        return hashlib.sha256(self.note).digest()

    def evidence_keys(self) -> Sequence[OperatorPublicKey]:
        """Every operator's sealing key, in the roster's order."""
        return tuple(operator.evidence for operator in self.operators)

    def custodian_keys(self) -> Sequence[CustodianPublicKey]:
        """Every custodian's sealing key, in the roster's order."""
        return tuple(custodian.custodian for custodian in self.custodians)

    def operator_of(self, kid: Kid) -> Operator | None:
        """The operator one of whose three keys has this id."""
        for one in self.operators:
            if kid in {one.evidence.kid, one.sign.kid, one.api.kid}:
                return one
        return None

    def custodian_of(self, kid: Kid) -> Custodian | None:
        """The custodian one of whose three keys has this id."""
        for one in self.custodians:
            if kid in {one.custodian.kid, one.sign.kid, one.api.kid}:
                return one
        return None

    def api_key(self, kid: Kid) -> SigningPublicKey | None:
        """The api key with this id, an operator's or a custodian's: for verify_request."""
        return next((one.api for one in self.members if one.api.kid == kid), None)


def sign_roster(draft: RosterDraft, root: SigningPrivateKey) -> Roster:
    """Sign a roster.  Raises RosterRefused for one that no verifier would accept."""
    root_public = RootPublicKey(root.public.raw)
    text = _to_text(draft).encode()
    signature = base64.b64encode(root_public.note_hash + root.sign(text)).decode()
    note = text + f"\n— {_ROOT_NAME} {signature}\n".encode()
    # The verifier's own rules: nothing is ever signed that a gateway would then refuse.
    return verify_roster(note, root_public, draft.not_before, None)


def verify_roster(
    untrusted_note: bytes,
    root_public: RootPublicKey,
    today: Day,
    last_seen: tuple[int, bytes] | None,
) -> Roster:
    """Verify a note against the pinned root, the day, and the highest (epoch, hash) seen so far.

    The caller persists (roster.epoch, roster.hash) afterwards.  Raises RosterRefused.
    """
    roster = verify_past_roster(untrusted_note, root_public)
    if today < roster.not_before:
        raise RosterRefused(f"it is not valid before {date_of(roster.not_before)}")
    if today > roster.not_after:
        raise RosterRefused(f"it expired on {date_of(roster.not_after)}")
    if last_seen is not None:
        _require_progress(roster, *last_seen)
    return roster


def verify_past_roster(untrusted_note: bytes, root_public: RootPublicKey) -> Roster:
    """Verify a note whatever its days: to judge what was sealed under it, never to seal.

    That it stands in the one line of rosters is `crypto.roster_history`'s.  Raises RosterRefused.
    """
    text, signature = _split(untrusted_note)
    if signature[:4] != root_public.note_hash:
        raise RosterRefused("it is signed by another root than the one that is pinned")
    try:
        SigningPublicKey(root_public.raw).verify(signature[4:], text.encode())
    except SignatureInvalid:
        raise RosterRefused("the root's signature does not hold") from None
    draft = _parse(text)
    if draft.deployment != root_public.deployment:
        raise RosterRefused("it is the roster of another deployment")
    values = {one.name: getattr(draft, one.name) for one in fields(draft)}
    return Roster(**values, note=untrusted_note)


def read_unverified(untrusted_note: bytes) -> RosterDraft:
    """Read what a note says without believing it: for display only.  Raises RosterRefused."""
    return _parse(_split(untrusted_note)[0])


def _require_progress(roster: Roster, epoch: int, note_hash: bytes) -> None:
    if roster.epoch < epoch:
        raise RosterRefused(f"it was rolled back: epoch {epoch} was seen before")
    if roster.epoch == epoch and roster.hash != note_hash:
        raise RosterRefused(f"it is another roster of epoch {epoch} than the one seen before")
    if roster.epoch == epoch + 1 and roster.previous != note_hash:
        raise RosterRefused(f"it does not follow the roster of epoch {epoch} that was seen before")


def _split(untrusted_note: bytes) -> tuple[str, bytes]:
    """The signed text, and key hash and signature (68 bytes) of the one signature line."""
    if len(untrusted_note) > _NOTE_MOST:
        raise RosterRefused("a roster is at most 256 KiB")
    try:
        note = untrusted_note.decode()
    except UnicodeDecodeError:
        raise RosterRefused("a roster is UTF-8 text") from None
    body, _, rest = note.partition("\n\n")
    match = _SIGNATURE.fullmatch("\n" + rest)
    if match is None:
        raise RosterRefused("a roster ends in one empty line and one signature line")
    signature = base64.b64decode(match["base64"])
    if base64.b64encode(signature).decode() != match["base64"]:
        raise RosterRefused("a signature is spelled in one way only")
    return f"{body}\n", signature


def _parse(text: str) -> RosterDraft:
    head = _HEAD.match(text)
    if head is None:
        raise RosterRefused("its first nine lines are not those of a roster of version 1")
    operators: list[Operator] = []
    custodians: list[Custodian] = []
    position = head.end()
    while position < len(text):
        match = _MEMBER.match(text, position)
        if match is None:
            line = text.count("\n", 0, position) + 1
            raise RosterRefused(f"the member at line {line} is not understood")
        member = _member(match)
        if isinstance(member, Operator):
            operators.append(member)
        else:
            custodians.append(member)
        position = match.end()
    draft = RosterDraft(
        deployment=Deployment(bytes.fromhex(head["deployment"])),
        epoch=int(head["epoch"]),
        not_before=_day(head["not_before"]),
        not_after=_day(head["not_after"]),
        previous=bytes.fromhex(head["previous"]),
        suite=int(head["suite"]),
        quorum=int(head["quorum"]),
        rehearsal=head["rehearsal"] == "yes",
        operators=tuple(operators),
        custodians=tuple(custodians),
    )
    _require_acceptable(draft)
    if _to_text(draft) != text:
        # Members out of order, a key id that is not the key's, base64 with stray bits.
        raise RosterRefused("it is not spelled as a roster is spelled")
    return draft


def _member(match: re.Match[str]) -> Operator | Custodian:
    number, label = int(match["number"]), match["label"]
    raw = {name: base64.b64decode(match[name]) for name in ("key", "sign", "api")}
    try:
        sign, api = SigningPublicKey(raw["sign"]), SigningPublicKey(raw["api"])
        if match["role"] == "evidence":
            return Operator(number, label, OperatorPublicKey(raw["key"]), sign, api)
        return Custodian(number, label, CustodianPublicKey(raw["key"]), sign, api)
    except KeyRefused as error:
        raise RosterRefused(f"a key of member {number} is refused: {error}") from None


def _require_acceptable(draft: RosterDraft) -> None:
    if draft.suite not in _SUITES:
        # Never the other suite instead: what the root decided is done or nothing is.
        raise RosterRefused(f"suite {draft.suite} needs a library that is not here")
    if (draft.epoch == 1) != (draft.previous == NO_PREVIOUS):
        raise RosterRefused("the first roster, and no other, has none before it")
    if not 0 <= draft.not_after - draft.not_before <= VALIDITY_DAYS_MOST:
        raise RosterRefused(f"a roster is valid for at most {VALIDITY_DAYS_MOST} days")
    if len(draft.operators) < OPERATORS_LEAST:
        raise RosterRefused("fewer than two operators: one lost key would lose every report")
    custodians = len(draft.custodians)
    if not 1 <= draft.quorum <= custodians:
        raise RosterRefused(f"a quorum of {draft.quorum} needs as many custodians")
    if math.comb(custodians, draft.quorum) * draft.quorum > SHARES_MOST:
        raise RosterRefused(f"{draft.quorum} of {custodians} custodians need too many shares")
    members = draft.members
    if not all(is_label(one.label) for one in members):
        raise RosterRefused("a label is 1 to 64 visible characters on one line")
    for what, values in (
        ("number", [one.number for one in members]),
        ("label", [one.label for one in members]),
        ("key", [raw for one in members for _, raw, _ in _key_lines(one)]),
    ):
        if len(set(values)) != len(values):
            raise RosterRefused(f"a {what} stands there twice")


def _to_text(draft: RosterDraft) -> str:
    lines = [
        "amana/v1/roster",
        f"deployment {draft.deployment.hex()}",
        f"epoch {draft.epoch}",
        f"not-before {date_of(draft.not_before)}",
        f"not-after {date_of(draft.not_after)}",
        f"previous {draft.previous.hex()}",
        f"suite {draft.suite}",
        f"quorum {draft.quorum}",
        f"rehearsal {'yes' if draft.rehearsal else 'no'}",
    ]
    for member in draft.members:
        lines.append(f"member {member.number} {member.label}")
        lines.extend(
            f"{name} {member.number} {kid.hex()} {base64.b64encode(raw).decode()}"
            for name, raw, kid in _key_lines(member)
        )
    return "\n".join(lines) + "\n"


def _key_lines(member: Operator | Custodian) -> list[tuple[str, bytes, Kid]]:
    if isinstance(member, Operator):
        first = ("evidence", member.evidence.raw, member.evidence.kid)
    else:
        first = ("custodian", member.custodian.raw, member.custodian.kid)
    rest = (("sign", member.sign), ("api", member.api))
    return [first, *((name, key.raw, key.kid) for name, key in rest)]


def _day(text: str) -> Day:
    try:
        return day_of(dt.date.fromisoformat(text))
    except ValueError:
        raise RosterRefused(f"{text} is no day") from None
