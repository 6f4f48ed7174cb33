"""Private keys at rest: a file that only a passphrase opens.  Format: section 12.

The gateway never imports this module.  A wrong passphrase, a damaged file and a hostile one give
one error, and a file cannot choose a cost beyond fixed bounds.
"""

import base64
import json
import secrets as randomness
import struct
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

import nacl.bindings
import nacl.exceptions
from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw

from crypto.errors import KeyFileRefused

_MAGIC = b"AMANAKEY"
_VERSION = 1
_HEAD = struct.Struct(">8sBIIB16s24s")
_KEY_BYTES = 32
_TAG_BYTES = 16
_FILE_MOST = 64 * 1024

# What a file may ask of the machine that opens it: at most 1 GiB for some seconds.
_MEMORY_KIB_MOST = 1024 * 1024
_PASSES_MOST = 10
_LANES_MOST = 4
_MEMORY_KIB_LEAST_PER_LANE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFileCost:
    """What Argon2id shall cost: memory in KiB, passes, lanes.  The default: 256 MiB, 3, 1.

    Raises KeyFileRefused outside 8 KiB a lane to 1 GiB, 1 to 10 passes, 1 to 4 lanes.
    """

    memory_kib: int = 256 * 1024
    passes: int = 3
    lanes: int = 1

    def __post_init__(self) -> None:
        in_bounds = (
            1 <= self.lanes <= _LANES_MOST
            and 1 <= self.passes <= _PASSES_MOST
            and _MEMORY_KIB_LEAST_PER_LANE * self.lanes <= self.memory_kib <= _MEMORY_KIB_MOST
        )
        if not in_bounds:
            raise KeyFileRefused("the cost is out of bounds")


def seal_keyfile(
    secrets: Mapping[str, bytes], passphrase: str, *, cost: KeyFileCost | None = None
) -> bytes:
    """Seal named secrets under a passphrase.  Raises KeyFileRefused for an empty passphrase."""
    if not passphrase:
        raise KeyFileRefused("an empty passphrase protects nothing")
    cost = cost or KeyFileCost()
    salt, nonce = randomness.token_bytes(16), randomness.token_bytes(24)
    head = _HEAD.pack(_MAGIC, _VERSION, cost.memory_kib, cost.passes, cost.lanes, salt, nonce)
    named = {name: base64.b64encode(secret).decode() for name, secret in sorted(secrets.items())}
    body = json.dumps({"v": 1, "secrets": named}, separators=(",", ":")).encode()
    key = _key_of(passphrase, cost, salt)
    sealed = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(body, head, nonce, key)
    if len(head) + len(sealed) > _FILE_MOST:
        raise KeyFileRefused("a key file is at most 64 KiB")
    return head + sealed


def open_keyfile(untrusted: bytes, passphrase: str) -> dict[str, bytes]:
    """Give the named secrets back.  Raises KeyFileRefused, whatever was wrong."""
    try:
        return _open(untrusted, passphrase)
    except HashingError:
        raise KeyFileRefused("this machine has too little memory to open the key file") from None
    except (KeyFileRefused, nacl.exceptions.CryptoError, ValueError, TypeError):
        # One answer: which of these it was would help only whoever guesses or forges.
        raise KeyFileRefused("wrong passphrase, or not a whole key file") from None


def _open(untrusted: bytes, passphrase: str) -> dict[str, bytes]:
    if not _HEAD.size + _TAG_BYTES <= len(untrusted) <= _FILE_MOST:
        raise KeyFileRefused
    head, sealed = untrusted[: _HEAD.size], untrusted[_HEAD.size :]
    magic, version, memory_kib, passes, lanes, salt, nonce = _HEAD.unpack(head)
    if magic != _MAGIC or version != _VERSION:
        raise KeyFileRefused
    # Bounded before Argon2id sees it: a hostile file must not make us allocate a terabyte.
    cost = KeyFileCost(memory_kib=memory_kib, passes=passes, lanes=lanes)
    key = _key_of(passphrase, cost, salt)
    body = nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, head, nonce, key)
    match json.loads(body):
        case {"v": 1, "secrets": dict(named), **others} if not others:
            return {name: base64.b64decode(text, validate=True) for name, text in named.items()}
        case _:
            raise KeyFileRefused


def _key_of(passphrase: str, cost: KeyFileCost, salt: bytes) -> bytes:
    try:
        # NFC: the same passphrase typed on another system may arrive decomposed.
        typed = unicodedata.normalize("NFC", passphrase).encode()
    except UnicodeEncodeError:
        raise KeyFileRefused("a passphrase is text") from None
    return hash_secret_raw(
        typed,
        salt=salt,
        time_cost=cost.passes,
        memory_cost=cost.memory_kib,
        parallelism=cost.lanes,
        hash_len=_KEY_BYTES,
        type=Type.ID,
    )
