"""A desk's proof of who it is, for each request: one strict profile of RFC 9421.  Section 13.

One key type (Ed25519), one list of components, one spelling of the parameters: what is spelled
otherwise is refused, not interpreted.  Replays are the caller's to refuse: it remembers (key id,
nonce) for as long as a signature lives, which is at most 120 seconds after it was first seen.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from crypto.errors import SignatureInvalid, TransportRefused
from crypto.ids import Kid
from crypto.keys import SigningPublicKey
from crypto.signing import SigningPrivateKey

TAG = "amana-sync-v1"
LIFETIME_SECONDS = 60
NONCE_BYTES = 16

_LABEL = "amana"
_COVERED = ("@method", "@authority", "@path", "@query", "content-digest")
_COVERED_LIST = "(" + " ".join(f'"{name}"' for name in _COVERED) + ")"
# RFC 9421 allows any order and spacing; this profile has one spelling, so that it needs no parser
# that could be talked into covering less.
_INPUT = re.compile(
    re.escape(f"{_LABEL}={_COVERED_LIST}")
    + r";created=(?P<created>[1-9][0-9]{0,10});expires=(?P<expires>[1-9][0-9]{0,10})"
    + r';nonce="(?P<nonce>[0-9a-f]{32})";keyid="(?P<keyid>[0-9a-f]{32})"'
    + re.escape(f';tag="{TAG}"')
)
_SIGNATURE = re.compile(re.escape(_LABEL) + r"=:(?P<base64>[A-Za-z0-9+/]{86}==):")
# No space, no control character, nothing beyond ASCII: a line of the signature base is one line.
_VALUE = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class UntrustedRequest:
    """A request as it arrived.  All text is as it stood on the wire, undecoded.

    `authority` is the Host header, which the caller has found to be its own; `path` is
    percent-encoded; `query` has no leading question mark and may be empty; `headers` holds every
    header, duplicates included, in any case; `body` is the whole body, maybe empty.
    """

    method: str
    authority: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class VerifiedRequest:
    """Who signed (16-byte key id) and the signature's nonce (16 bytes), to be used once."""

    keyid: Kid
    nonce: bytes


def sign_request(  # noqa: PLR0913  # the profile's components, each by its name
    key: SigningPrivateKey,
    *,
    method: str,
    authority: str,
    path: str,
    query: str,
    body: bytes,
    created: int,
    nonce: bytes | None = None,
) -> dict[str, str]:
    """Give the three headers `Content-Digest`, `Signature-Input`, `Signature` of a request.

    `created` is seconds since 1970; `nonce` is 16 bytes, drawn when not given.  Raises
    TransportRefused (`components`) for a method, host, path or query that cannot be signed.
    """
    nonce = nonce or secrets.token_bytes(NONCE_BYTES)
    digest = _content_digest(body)
    parameters = (
        f"{_COVERED_LIST};created={created};expires={created + LIFETIME_SECONDS}"
        f';nonce="{nonce.hex()}";keyid="{key.public.kid.hex()}";tag="{TAG}"'
    )
    values = _covered_values(method, authority, path, query, digest)
    signature = key.sign(_signature_base(values, parameters))
    return {
        "Content-Digest": digest,
        "Signature-Input": f"{_LABEL}={parameters}",
        "Signature": f"{_LABEL}=:{base64.b64encode(signature).decode()}:",
    }


def verify_request(
    untrusted: UntrustedRequest,
    *,
    key_of: Callable[[Kid], SigningPublicKey | None],
    now: int,
) -> VerifiedRequest:
    """Verify a request against the key that `key_of` gives for its key id, at `now` (seconds).

    Raises TransportRefused whose text is a stable code: `headers`, `profile`, `components`,
    `digest`, `stale`, `unknown-key`, `signature`.
    """
    digest = _only(untrusted.headers, "content-digest")
    stated = _INPUT.fullmatch(_only(untrusted.headers, "signature-input"))
    signature = _SIGNATURE.fullmatch(_only(untrusted.headers, "signature"))
    if stated is None or signature is None:
        raise TransportRefused("profile")
    # Both sides of this comparison are public, so its time tells nothing.
    if digest != _content_digest(untrusted.body):
        raise TransportRefused("digest")
    created = int(stated["created"])
    if int(stated["expires"]) != created + LIFETIME_SECONDS:
        raise TransportRefused("profile")
    if abs(now - created) > LIFETIME_SECONDS:
        raise TransportRefused("stale")
    keyid = Kid(bytes.fromhex(stated["keyid"]))
    key = key_of(keyid)
    if key is None:
        raise TransportRefused("unknown-key")
    values = _covered_values(
        untrusted.method, untrusted.authority, untrusted.path, untrusted.query, digest
    )
    base = _signature_base(values, stated[0].removeprefix(f"{_LABEL}="))
    try:
        key.verify(base64.b64decode(signature["base64"]), base)
    except SignatureInvalid:
        raise TransportRefused("signature") from None
    return VerifiedRequest(keyid, bytes.fromhex(stated["nonce"]))


def _only(headers: Sequence[tuple[str, str]], name: str) -> str:
    """The one value of a header; two of them would let two readers read different ones."""
    values = [value for other, value in headers if other.lower() == name]
    if len(values) != 1:
        raise TransportRefused("headers")
    return values[0]


def _content_digest(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def _covered_values(
    method: str, authority: str, path: str, query: str, digest: str
) -> list[tuple[str, str]]:
    values = (method, authority.lower(), path, f"?{query}", digest)
    if not all(_VALUE.fullmatch(value) for value in values):
        raise TransportRefused("components")
    return list(zip(_COVERED, values, strict=True))


def _signature_base(values: Sequence[tuple[str, str]], parameters: str) -> bytes:
    """RFC 9421, section 2.5: one line for each covered component, then the parameters."""
    lines = [f'"{name}": {value}' for name, value in values]
    return "\n".join([*lines, f'"@signature-params": {parameters}']).encode()
