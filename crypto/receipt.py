"""Receipt codes: what a reporter keeps, and what can be rebuilt from it.  Format: sections 9, 10.

The one thing this module opens is what was sealed to a receipt code, while its holder is there.
It never meets an operator's or a custodian's private key, and the gateway may import it.
"""

import hmac
import secrets
import struct
import unicodedata
from dataclasses import dataclass, field

import nacl.bindings
import nacl.exceptions
from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from crypto.body import DataKey
from crypto.errors import CannotOpen, CodeMalformed
from crypto.header import Header, Kind
from crypto.ids import HASH_BYTES, ID_BYTES, KID_ZERO, CaseId, Day, Deployment, HeaderHash
from crypto.keys import ReplyPublicKey, SigningPublicKey
from crypto.pepper import Pepper
from crypto.signing import SigningPrivateKey
from crypto.unwrap import unwrap_data_key
from crypto.wrap import parse_wraps

CODE_DIGITS = 28
THREAD_STATE_BYTES = 92

_VERSION = "1"
_RANDOM_DIGITS = 25
_GROUP_DIGITS = 4
# Room for every digit to be followed by marks and spaces, and a bound on the work.
_TYPED_MOST = 256
# Spaces, dashes, and the invisible marks that phones put around numbers in right-to-left text.
_SKIPPED_CATEGORIES = frozenset({"Zs", "Pd", "Cf"})
_SKIPPED = frozenset("\t\r\n\N{MINUS SIGN}")

_STRETCH_KIB = 19 * 1024
_STRETCH_PASSES = 2
_STRETCH_LANES = 1
_KEY_BYTES = 32

_STATE_MAGIC = b"AMT1"
# Flags and sequence share one word, flags on top: a state from before there were any has none.
_STATE = struct.Struct(">4sI32sI")
_U32_MOST = 0xFFFFFFFF
_U24_MOST = 0xFFFFFF
_FLAGS_AT = 24
_NO_FILES, _WITHDRAWN = 1, 2


@dataclass(frozen=True, slots=True)
class ReceiptCode:
    """28 ASCII digits: version 1, 25 random ones (83 bits), two check digits (mod 97-10).

    Made by `generate` and `parse` alone.
    """

    digits: str = field(repr=False)

    @classmethod
    def generate(cls) -> "ReceiptCode":
        """Draw a new code."""
        drawn = secrets.randbelow(10**_RANDOM_DIGITS)
        return cls(_with_check_digits(f"{_VERSION}{drawn:0{_RANDOM_DIGITS}d}"))

    @classmethod
    def parse(cls, untrusted: str) -> "ReceiptCode":
        """Read a code as people type it: any script's digits, spaces, dashes, bidi marks.

        Raises CodeMalformed whose text is one of `character`, `length`, `check`, `version`.
        """
        if len(untrusted) > _TYPED_MOST:
            raise CodeMalformed("length")
        digits = "".join(_digit(character) for character in untrusted)
        if len(digits) != CODE_DIGITS:
            raise CodeMalformed("length")
        # Computed anew, not "mod 97 = 1": 00, 01 and 99 would pass for 97, 98 and 02.
        if digits != _with_check_digits(digits[:-2]):
            raise CodeMalformed("check")
        if not digits.startswith(_VERSION):
            raise CodeMalformed("version")
        return cls(digits)

    def grouped(self) -> str:
        """Give the code as it is shown: seven groups of four, with spaces."""
        starts = range(0, CODE_DIGITS, _GROUP_DIGITS)
        return " ".join(self.digits[start : start + _GROUP_DIGITS] for start in starts)


@dataclass(frozen=True, slots=True)
class ReceiptSecret:
    """What Argon2id makes of a code: 32 bytes, made by `stretch` alone."""

    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ThreadState:
    """Where a reporter's thread stands.

    `sequence` counts the reporter's messages (0 after the report itself), `last` is the hash of
    the last one's header (32 zeros before there is one), `last_used` the day the code was last
    used.  A sequence is a 24-bit number and a day a 32-bit one.  `no_files`: no file may come with
    this case.  `withdrawn`: its reporter asked that it be erased, and the code shows nothing.
    """

    sequence: int
    last: HeaderHash
    last_used: Day
    no_files: bool = False
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class ReceiptKeys:
    """Everything that a code and the pepper give together; made by `receipt_keys` alone.

    `locator` (32 bytes) is the vault's row id; `reply_public` and `follow_up_public` go into the
    sealed manifest and nowhere else; `follow_up_signing` signs the reporter's messages.
    `first_case_id` names the case that a first message opens where the code has none yet: the same
    for every page of the code, as the id of a case that is there would be.
    """

    locator: bytes = field(repr=False)
    reply_public: ReplyPublicKey = field(repr=False)
    follow_up_signing: SigningPrivateKey = field(repr=False)
    first_case_id: CaseId = field(repr=False)
    _reply_private: bytes = field(repr=False)

    @property
    def follow_up_public(self) -> SigningPublicKey:
        """The key that the desk checks the reporter's messages against."""
        return self.follow_up_signing.public

    def open_reply(self, header: Header, wraps: bytes) -> DataKey:
        """Open the receipt's own wrap (the first, key id zero) of a reply.

        Raises CannotOpen, and EnvelopeMalformed for wraps that are none.
        """
        if header.kind is not Kind.REPLY:
            raise CannotOpen
        # The receipt's wrap stands first, its key id hidden: zeros outside, the true one inside.
        first = parse_wraps(header, wraps)[:1]
        if not first or first[0].kid != KID_ZERO:
            raise CannotOpen
        return unwrap_data_key(self._reply_private, self.reply_public, header, first[0])

    def seal_thread_state(self, state: ThreadState) -> bytes:
        """Seal a thread's state: always 92 bytes."""
        if not (0 <= state.sequence <= _U24_MOST and 0 <= state.last_used <= _U32_MOST):
            raise ValueError("a sequence is a 24-bit number, and a day a 32-bit one")
        if len(state.last) != HASH_BYTES:
            raise ValueError("a header hash is 32 bytes")
        flags = _NO_FILES * state.no_files | _WITHDRAWN * state.withdrawn
        word = flags << _FLAGS_AT | state.sequence
        packed = _STATE.pack(_STATE_MAGIC, word, state.last, state.last_used)
        return nacl.bindings.crypto_box_seal(packed, self.reply_public.raw)

    def open_thread_state(self, untrusted: bytes) -> ThreadState:
        """Open a thread's state.  Raises CannotOpen."""
        try:
            opened = nacl.bindings.crypto_box_seal_open(
                untrusted, self.reply_public.raw, self._reply_private
            )
        except (nacl.exceptions.CryptoError, nacl.exceptions.TypeError):
            raise CannotOpen from None
        if len(opened) != _STATE.size:
            raise CannotOpen
        magic, word, last, last_used = _STATE.unpack(opened)
        flags = word >> _FLAGS_AT
        if not hmac.compare_digest(magic, _STATE_MAGIC) or flags & ~(_NO_FILES | _WITHDRAWN):
            raise CannotOpen
        return ThreadState(
            word & _U24_MOST,
            HeaderHash(last),
            Day(last_used),
            no_files=bool(flags & _NO_FILES),
            withdrawn=bool(flags & _WITHDRAWN),
        )


def stretch(code: ReceiptCode, deployment: Deployment) -> ReceiptSecret:
    """Stretch a code: Argon2id, 19 MiB, two passes, about 30 ms.

    The caller bounds how many run at once, and holds no database transaction meanwhile.
    """
    return ReceiptSecret(
        hash_secret_raw(
            code.digits.encode("ascii"),
            salt=deployment,
            time_cost=_STRETCH_PASSES,
            memory_cost=_STRETCH_KIB,
            parallelism=_STRETCH_LANES,
            hash_len=_KEY_BYTES,
            type=Type.ID,
        )
    )


def receipt_keys(secret: ReceiptSecret, pepper: Pepper) -> ReceiptKeys:
    """Derive locator, reply key pair, follow-up key, first case.  The same work for any code."""
    lookup = _expand(secret, b"amana/v1/receipt/lookup\0")
    part = pepper.receipt_part(lookup)
    reply_private = _expand(secret, b"amana/v1/receipt/reply\0" + part)
    follow_up_seed = _expand(secret, b"amana/v1/receipt/follow-up\0" + part)
    return ReceiptKeys(
        locator=pepper.locator(lookup),
        reply_public=ReplyPublicKey(nacl.bindings.crypto_scalarmult_base(reply_private)),
        follow_up_signing=SigningPrivateKey.from_seed(follow_up_seed),
        first_case_id=CaseId(_expand(secret, b"amana/v1/receipt/case\0" + part, ID_BYTES)),
        _reply_private=reply_private,
    )


def decoy_thread_state() -> bytes:
    """Give 92 bytes that look like a sealed thread state and that nobody can open.

    Sealed, not drawn: a curve point never sets its highest bit, so random bytes would tell.
    """
    throwaway, _ = nacl.bindings.crypto_box_keypair()
    return nacl.bindings.crypto_box_seal(bytes(_STATE.size), throwaway)


def _digit(character: str) -> str:
    # `decimal`, not `digit`: a superscript two is a digit to the latter.
    value = unicodedata.decimal(character, None)
    if value is not None:
        return str(value)
    if character in _SKIPPED or unicodedata.category(character) in _SKIPPED_CATEGORIES:
        return ""
    raise CodeMalformed("character")


def _with_check_digits(payload: str) -> str:
    """ISO/IEC 7064, MOD 97-10: the whole, read as a number, leaves 1 when divided by 97."""
    return f"{payload}{98 - int(payload) * 100 % 97:02d}"


def _expand(secret: ReceiptSecret, info: bytes, length: int = _KEY_BYTES) -> bytes:
    return HKDFExpand(algorithm=SHA256(), length=length, info=info).derive(secret.raw)
