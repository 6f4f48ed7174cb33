"""Seal an envelope: its parts, its manifest, its header, its wraps.  FORMAT.md, sections 3 to 6.

Rule: this module can seal and cannot open: it never sees a private key, and the data key it makes
is forgotten with the sealer.  A retry is a new sealer, so a new key: no key seals twice.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from cryptography.cobblestone import Cobblestone256Encryptor

from crypto.body import (
    FEED_BYTES,
    DataKey,
    manifest_fits,
    pad_manifest,
    part_encryptor,
    sealed_length,
)
from crypto.errors import ManifestTooLarge, RecipientsRefused, SealingOutOfOrder
from crypto.header import PARTS_MOST, Header, Kind, Suite, parts_root, require_available
from crypto.ids import (
    HASH_BYTES,
    CaseId,
    Day,
    Deployment,
    EnvelopeId,
    HeaderHash,
    new_envelope_id,
)
from crypto.padding import padme
from crypto.wrap import Custodians, Operators, OperatorsAndReceipt, Recipients

__all__ = [
    "Custodians",
    "EnvelopeSealer",
    "Operators",
    "OperatorsAndReceipt",
    "PartFacts",
    "PartSealer",
    "Recipients",
    "SealedEnvelope",
]

_ZEROS = bytes(FEED_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFacts:
    """What is known of a sealed part: bytes of content, padded, sealed; SHA-256 *as sealed*."""

    length: int
    padded_length: int
    sealed_length: int
    sealed_sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedEnvelope:
    """An envelope as it is stored; parts 1 and up went to their sinks while they were sealed.

    `wraps` is the wraps one after the other, `manifest` is part 0 as sealed.
    """

    header: Header
    wraps: bytes
    manifest: bytes

    @property
    def header_hash(self) -> HeaderHash:
        """The 32 bytes that references and parents point with."""
        return self.header.hash


class PartSealer:
    """Seal one content part as a stream.  Memory stays flat whatever the size.

    Made by `EnvelopeSealer.part`.  An error, a sink's included, leaves the part unfinished, and
    its envelope can then not be sealed.
    """

    def __init__(self, cipher: Cobblestone256Encryptor, sink: Callable[[bytes], object]) -> None:
        self._cipher = cipher
        self._sink = sink
        self._broken = False
        self._gathered = bytearray()
        self._digest = hashlib.sha256()
        self._length = 0
        self._facts: PartFacts | None = None

    @property
    def facts(self) -> PartFacts | None:
        """What `finish` returned, or None before."""
        return self._facts

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next bytes of content; raises `SealingOutOfOrder` after `finish` or an error."""
        self._require_open()
        self._length += len(data)
        self._feed(memoryview(data))

    def finish(self) -> PartFacts:
        """Pad, seal the last chunk and return the part's facts; raises as `write` does."""
        self._require_open()
        padded = padme(self._length)
        missing = padded - self._length
        while missing:
            zeros = memoryview(_ZEROS)[:missing]
            self._feed(zeros)
            missing -= len(zeros)
        self._emit(self._cipher.update(bytes(self._gathered)) + self._cipher.finalize())
        self._gathered.clear()
        self._facts = PartFacts(
            length=self._length,
            padded_length=padded,
            sealed_length=sealed_length(self._length),
            sealed_sha256=self._digest.digest(),
        )
        return self._facts

    def _feed(self, data: memoryview) -> None:
        """Give the cipher 256 KiB per call: it releases the GIL, and small calls cost more."""
        while data:
            taken = data[: FEED_BYTES - len(self._gathered)]
            data = data[len(taken) :]
            self._gathered += taken
            if len(self._gathered) == FEED_BYTES:
                self._emit(self._cipher.update(self._gathered))
                self._gathered.clear()

    def _emit(self, sealed: bytes) -> None:
        # Broken until the sink has taken it: a full disk must not leave a part with a hole that
        # could still be finished and acknowledged.
        self._broken = True
        self._digest.update(sealed)
        self._sink(sealed)
        self._broken = False

    def _require_open(self) -> None:
        if self._broken or self._facts is not None:
            raise SealingOutOfOrder("the part is finished, or its sink failed")


class EnvelopeSealer:
    """Seal one envelope under a fresh data key: content parts first, then everything else.

    ```
    (1) part(sink) → write … finish, for each content part    (2) seal(manifest, recipients)
    ```
    The arguments are the header's fields; `envelope` is a fresh random id unless given, and `.id`
    names it from the start, for inner signatures are over it.  Raises `SuiteUnavailable` for suite
    2, and `EnvelopeMalformed` for a field of the wrong length.
    """

    def __init__(  # noqa: PLR0913  # each argument is a field of the header
        self,
        *,
        kind: Kind,
        deployment: Deployment,
        case: CaseId,
        roster_hash: bytes,
        day: Day,
        envelope: EnvelopeId | None = None,
        suite: Suite = Suite.SEALED_BOX,
    ) -> None:
        require_available(suite)
        self._data_key: DataKey | None = DataKey.generate()
        self._parts: list[PartSealer] = []
        # Parts are bound to fields that stand from the start; count and root follow at the end.
        self._draft = Header(
            kind=kind,
            deployment=deployment,
            case=case,
            envelope=envelope or new_envelope_id(),
            roster_hash=roster_hash,
            day=day,
            parts=1,
            parts_root=bytes(HASH_BYTES),
            suite=suite,
        )

    @property
    def id(self) -> EnvelopeId:
        """The envelope's id, known before anything is sealed."""
        return self._draft.envelope

    def part(self, sink: Callable[[bytes], object]) -> PartSealer:
        """Begin the next content part (1 and up, in order); its sealed bytes go to `sink`.

        Raises `SealingOutOfOrder` while a part is unfinished, after `seal`, or beyond 15 parts.
        """
        data_key = self._ready()
        index = len(self._parts) + 1
        if index >= PARTS_MOST:
            raise SealingOutOfOrder("an envelope has 15 content parts at most")
        sealer = PartSealer(part_encryptor(data_key, self._draft, index), sink)
        self._parts.append(sealer)
        return sealer

    def seal(self, manifest: bytes, recipients: Recipients) -> SealedEnvelope:
        """Seal the manifest's JSON, close the envelope and wrap its key to the recipients.

        Raises `ManifestTooLarge`; `RecipientsRefused` if such recipients may not read this kind (an
        identity is for custodians only, and nothing else is); `SealingOutOfOrder` if a part is
        unfinished or the envelope was sealed before.
        """
        data_key = self._ready()
        kind = self._draft.kind
        if kind not in recipients.kinds:
            raise RecipientsRefused("this kind is not for these recipients")
        if not manifest_fits(kind, manifest):
            raise ManifestTooLarge
        self._data_key = None
        cipher = part_encryptor(data_key, self._draft, 0)
        sealed = cipher.update(pad_manifest(kind, manifest)) + cipher.finalize()
        digests = [hashlib.sha256(sealed).digest(), *self._digests()]
        header = replace(self._draft, parts=len(digests), parts_root=parts_root(digests))
        wraps = recipients.wraps(data_key, header.hash)
        return SealedEnvelope(header=header, wraps=wraps, manifest=sealed)

    def _ready(self) -> DataKey:
        if self._data_key is None:
            raise SealingOutOfOrder("the envelope is sealed: a retry is a new envelope")
        if any(part.facts is None for part in self._parts):
            raise SealingOutOfOrder("a part is unfinished")
        return self._data_key

    def _digests(self) -> list[bytes]:
        return [part.facts.sealed_sha256 for part in self._parts if part.facts is not None]
