"""What a person hands to the keyholder of the root: three public keys and a label.  Section 11.2.

No secret and no proof of identity: the keyholder compares the fingerprint aloud with the person.
"""

import base64
import hashlib
import json
import unicodedata
from dataclasses import dataclass
from typing import Any

from crypto.errors import EnrolmentRefused, KeyRefused
from crypto.keys import CustodianPublicKey, OperatorPublicKey, SigningPublicKey

LABEL_CHARACTERS = 64

_FILE_MOST = 4096
_FINGERPRINT_DIGITS = 40
_FINGERPRINT_GROUP = 5


@dataclass(frozen=True, slots=True)
class Enrolment:
    """An operator's or a custodian's public keys.  `key` is what is sealed to, its type the role.

    `label` is 1 to 64 visible characters.  Raises EnrolmentRefused.
    """

    label: str
    key: OperatorPublicKey | CustodianPublicKey
    sign: SigningPublicKey
    api: SigningPublicKey

    def __post_init__(self) -> None:
        if not is_label(self.label):
            raise EnrolmentRefused("a label is 1 to 64 visible characters on one line")
        if len({self.key.raw, self.sign.raw, self.api.raw}) != 3:  # noqa: PLR2004  # three keys
            raise EnrolmentRefused("each key has one job: two of these are the same")

    @property
    def fingerprint(self) -> str:
        """Forty digits in eight groups, to be read aloud; covers role and keys, not the label."""
        return fingerprint_of(_role(self.key), self.key.raw, self.sign.raw, self.api.raw)

    def to_json(self) -> bytes:
        """Give the enrolment file's bytes."""
        keys = {_role(self.key): self.key.raw, "sign": self.sign.raw, "api": self.api.raw}
        encoded = {name: base64.b64encode(raw).decode() for name, raw in keys.items()}
        document = {"v": 1, "label": self.label, **encoded}
        return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"

    @classmethod
    def from_json(cls, untrusted: bytes) -> "Enrolment":
        """Read an enrolment file.  Raises EnrolmentRefused."""
        fields = _object(untrusted)
        role = "custodian" if "custodian" in fields else "evidence"
        if fields.keys() != {"v", "label", role, "sign", "api"}:
            raise EnrolmentRefused("the fields are v, label, evidence or custodian, sign, api")
        label = fields["label"]
        if type(fields["v"]) is not int or fields["v"] != 1 or not isinstance(label, str):
            raise EnrolmentRefused("not an enrolment of version 1")
        sealed_to = CustodianPublicKey if role == "custodian" else OperatorPublicKey
        try:
            return cls(
                label=label,
                key=sealed_to(_key_bytes(fields[role])),
                sign=SigningPublicKey(_key_bytes(fields["sign"])),
                api=SigningPublicKey(_key_bytes(fields["api"])),
            )
        except KeyRefused as error:
            raise EnrolmentRefused(f"a key is refused: {error}") from None


def is_label(text: str) -> bool:
    """Whether a text can stand on a roster's line and be seen for what it is.

    No control, formatting or bidirectional character, no white space but single inner spaces.
    """
    return (
        1 <= len(text) <= LABEL_CHARACTERS
        and text.isprintable()
        and text == " ".join(text.split())
        and text == unicodedata.normalize("NFC", text)
    )


def fingerprint_of(role: str, *keys: bytes) -> str:
    """Give forty decimal digits (132 bits) in eight groups of five: digits in every language."""
    digest = hashlib.sha256(f"amana/v1/fingerprint/{role}\0".encode() + b"".join(keys)).digest()
    digits = f"{int.from_bytes(digest) % 10**_FINGERPRINT_DIGITS:0{_FINGERPRINT_DIGITS}d}"
    starts = range(0, _FINGERPRINT_DIGITS, _FINGERPRINT_GROUP)
    return " ".join(digits[start : start + _FINGERPRINT_GROUP] for start in starts)


def _role(key: OperatorPublicKey | CustodianPublicKey) -> str:
    return "custodian" if isinstance(key, CustodianPublicKey) else "evidence"


def _object(untrusted: bytes) -> dict[str, Any]:
    if len(untrusted) > _FILE_MOST:
        raise EnrolmentRefused("an enrolment file is at most 4096 bytes")
    try:
        fields = json.loads(untrusted, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError):
        raise EnrolmentRefused("not JSON") from None
    if not isinstance(fields, dict):
        raise EnrolmentRefused("not a JSON object")
    return fields


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        # Two readers could take a different one of the two.
        raise EnrolmentRefused("a field stands there twice")
    return fields


def _key_bytes(untrusted: object) -> bytes:
    if not isinstance(untrusted, str):
        raise EnrolmentRefused("a key is base64 text")
    try:
        raw = base64.b64decode(untrusted, validate=True)
    except ValueError:
        raise EnrolmentRefused("a key is base64 text") from None
    if base64.b64encode(raw).decode() != untrusted:
        raise EnrolmentRefused("a key is spelled in one way only")
    return raw
