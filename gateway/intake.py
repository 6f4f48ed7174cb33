"""The only door through which something of a reporter reaches the vault.

```
(1) receive  gateway.upload   (2) clean  sanitizer   (3) pack  (4) seal  crypto   (5) store  vault
(6) the receipt is shown by the site, and only after (5) returned
```
What can be sealed here is a CleanFile, a KeptOriginal that was asked for, the typed answers of a
form, an identity, a message; nothing after (4) holds plaintext.  Claims C-REST, C-IDENTITY,
C-LOST-ANSWER, C-NAMES prove it.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from crypto.envelope import Custodians, EnvelopeSealer, Operators, SealedEnvelope
from crypto.errors import EnvelopeMalformed
from crypto.header import Kind
from crypto.manifest import (
    IDENTITY_LATER,
    WITHDRAWAL,
    EvidenceManifest,
    EvidenceRef,
    FollowUpBody,
    IdentityManifest,
    ReportManifest,
)
from crypto.receipt import (
    ReceiptCode,
    ReceiptKeys,
    ThreadState,
    decoy_thread_state,
    receipt_keys,
    stretch,
)
from crypto.signed import SignedManifest
from crypto.token import TokenKey
from crypto.wrap import without_receipt
from gateway.errors import GatewayError
from gateway.gate import Gate
from gateway.handed import Identity, StagedFile
from gateway.looking import look_at
from gateway.windows import ReceiptWindows
from sanitizer.digest import Digest
from sanitizer.original import MEDIA_TYPE as ORIGINAL_TYPE
from vault.errors import AlreadyAccepted, StagedMissing, ThreadMoved
from vault.outside import BlobRef, CaseRow, NewCase, StoredEnvelope

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from crypto.ids import CaseId, Deployment, EnvelopeId, HeaderHash
    from crypto.roster import Roster
    from gateway.clock import Clock
    from gateway.handed import Message, Report
    from gateway.roster_watch import CurrentRoster
    from gateway.secrets import GatewaySecrets
    from sanitizer.clean import CleanFile
    from sanitizer.original import KeptOriginal
    from vault.vault import Vault

SEALED_BY = "gateway"
_TRIES = 5
_KIND_NAMES = {"image": "photo", "video": "video", "audio": "sound"}
_OTHER_KIND = "document"


class FilesGone(GatewayError):
    """Files that a form remembers are no longer staged: they expired, or were dropped."""


class Intake:
    """Seals and stores for one gateway.  Safe to share between threads.

    ``token_key`` seals form tokens and receipt windows; it opens no report.
    """

    def __init__(  # noqa: PLR0913 each is a part of a deployment
        self,
        vault: Vault,
        rosters: CurrentRoster,
        secrets: GatewaySecrets,
        clock: Clock,
        *,
        deployment: Deployment,
        stretchers: int,
        waiting: int = 8,
        wait_seconds: float = 20.0,
    ) -> None:
        self._vault = vault
        self._rosters = rosters
        self._pepper = secrets.pepper
        self.token_key = TokenKey(secrets.token_key)
        self.windows = ReceiptWindows(vault, self.token_key, clock)
        self._clock = clock
        self._deployment = deployment
        # Argon2id holds 19 MiB and a core: unbounded, a flood of codes would stop everybody.
        self.gate = Gate(stretchers, waiting)
        self._wait_seconds = wait_seconds

    def keys_of(self, code: ReceiptCode, late: float | None = None) -> ReceiptKeys:
        """Stretch a code, outside any transaction; ``late`` as the gate has it.  Raises Busy."""
        with self.gate.through(late, self._wait_seconds):
            secret = stretch(code, self._deployment)
        return receipt_keys(secret, self._pepper)

    def seal_clean(self, clean: CleanFile, case: CaseId, number: int) -> StagedFile:
        """(3)(4)(5) Stream a clean file into an envelope and stage it, not yet released.

        ``number`` goes into the name that operators see.  Raises Refused when the sanitizer finds
        in the middle that the file cannot be proven clean: what was written is thrown away.
        """
        digest = Digest()

        def told() -> EvidenceManifest:
            kind = _KIND_NAMES.get(clean.media_type.partition("/")[0], _OTHER_KIND)
            return EvidenceManifest(
                name=f"{kind}-{number}.{clean.extension}",
                media_type=clean.media_type,
                length=clean.facts.length,
                sha256=digest.sha256,
                removed=clean.facts.removed,
                rebuilt=clean.is_rebuilt,
            )

        return self._seal_file(digest.through(clean.chunks()), case, told)

    def seal_original(self, original: KeptOriginal, of: StagedFile, case: CaseId) -> StagedFile:
        """(3)(4)(5) Stream an untouched original into an envelope of its own, beside its copy.

        Only for somebody who asked for it and was told what it may give away.
        """
        digest = Digest()

        def told() -> EvidenceManifest:
            return EvidenceManifest(
                name=f"{of.name.partition('.')[0]}-original.bin",
                media_type=ORIGINAL_TYPE,
                length=digest.length,
                sha256=digest.sha256,
                removed=(),
                original_of=of.id,
            )

        return self._seal_file(digest.through(original.chunks()), case, told)

    def _seal_file(
        self, content: Iterator[bytes], case: CaseId, told: Callable[[], EvidenceManifest]
    ) -> StagedFile:
        """Seal a stream; ``told`` says what it was, once its last byte has passed."""
        roster = self._rosters.get()
        sealer = self._sealer(Kind.EVIDENCE, case, roster)
        with self._vault.new_blob() as blob:
            part = sealer.part(blob.write)
            for chunk in content:
                part.write(chunk)
            part.finish()
            manifest = told()
            sealed = sealer.seal(manifest.to_json(), Operators(roster.evidence_keys()))
            reference = blob.commit()
        with self._dropped_on_error(reference):
            self._vault.stage(_stored(sealed, (reference,)))
        return StagedFile(
            sealer.id,
            sealed.header_hash,
            manifest.name,
            manifest.length,
            manifest.removed,
            manifest.original_of,
        )

    def drop(self, files: Sequence[StagedFile]) -> None:
        """Destroy staged files; those that are gone already stay gone."""
        if files:
            self._vault.drop_staged([one.id for one in files])

    def still_there(self, files: Sequence[StagedFile]) -> tuple[StagedFile, ...]:
        """Those of some files that are staged still, an original only beside its copy.

        The others are dropped: one half of a pair is no use.
        """
        found = self._vault.staged_among([one.id for one in files])
        kept = tuple(
            one for one in files if one.id in found and (one.original_of or one.id) in found
        )
        self.drop([one for one in files if one not in kept])
        return kept

    def seal_report(self, report: Report, late: float | None = None) -> None:
        """(3)(4)(5) Seal report and identity and release the files, in one transaction.

        Raises AlreadyAccepted when the case is there, FilesGone, Busy, NoValidRoster.
        """
        roster = self._rosters.get()
        keys = self.keys_of(report.code, late)
        identity = self._seal_identity(report.case, report.identity, roster)
        sealer = self._sealer(Kind.REPORT, report.case, roster)
        manifest = ReportManifest(
            form_version=report.form_version,
            language=report.language,
            category=report.category,
            fields=report.fields,
            identity_mode=report.identity.mode,
            evidence=tuple(one.reference for one in report.files),
            identity=EvidenceRef(identity.header.envelope, identity.header_hash),
            reply_key=keys.reply_public,
            follow_up_key=keys.follow_up_public,
            sealed_by=SEALED_BY,
            cleaned_by=SEALED_BY,
        )
        sealed = sealer.seal(manifest.to_json(), Operators(roster.evidence_keys()))
        state = ThreadState(0, sealed.header_hash, self._clock.today(), no_files=report.no_files)
        self._open_case(report.case, keys, [sealed, identity], report.files, state)

    def seal_follow_up(self, message: Message, keys: ReceiptKeys) -> None:
        """(3)(4)(5) Seal a message, signed by the receipt, into its case, or into a new one.

        An unused code opens a case, so that a lost row never silently eats a message.  The same
        message posted twice is stored once.  Raises FilesGone, ThreadMoved, NoValidRoster.
        """
        for _ in range(_TRIES):
            row = self._vault.case_by_locator(keys.locator)
            try:
                if row is None:
                    self._first_message(message, keys)
                else:
                    self._next_message(message, keys, row)
            except (ThreadMoved, AlreadyAccepted):
                continue
            return
        raise ThreadMoved

    def state_of(self, keys: ReceiptKeys) -> ThreadState:
        """What a code's thread remembers; for a code without a case, that nothing was ever said."""
        row = self._vault.case_by_locator(keys.locator)
        return look_at(keys, row, self._clock.today()).before

    def forget_answers(self, case: CaseId, ids: Collection[EnvelopeId] | None = None) -> None:
        """Take the receipt's own wrap off answers of a case: the code never opens them again.

        ``ids`` are those answers, or None for all.  The operators' wraps stay.  With no answer of
        that case among them it is the same work.
        """
        kept = self._vault.envelopes_of(case, {Kind.REPLY})
        left: dict[EnvelopeId, bytes] = {}
        for one in kept:
            if ids is None or one.id in ids:
                with suppress(EnvelopeMalformed):  # nobody opens it, and the others must go
                    left[one.id] = without_receipt(one.header, one.wraps)
        self._vault.shorten_wraps(case, left, noise=decoy_thread_state())

    def received_recently(self, row: CaseRow, seconds: int) -> bool:
        """Whether the receipt of this case may still be shown."""
        return self.windows.is_open(row.receipt_window, seconds)

    def _first_message(self, message: Message, keys: ReceiptKeys) -> None:
        sealed = self._seal_message(message, keys, parents=())
        withdrawn = message.type == WITHDRAWAL
        state = ThreadState(1, sealed[0].header_hash, self._clock.today(), withdrawn=withdrawn)
        self._open_case(message.case, keys, sealed, message.files, state)

    def _next_message(self, message: Message, keys: ReceiptKeys, row: CaseRow) -> None:
        kept = self._vault.envelopes_of(row.case_id, {Kind.FOLLOW_UP})
        if any(envelope.id == message.id for envelope in kept):
            return
        if row.case_id != message.case and message.files:
            # The case was opened meanwhile by another page of the same person.
            raise FilesGone
        state = keys.open_thread_state(row.thread_state)
        if state.no_files and message.files:
            # The site destroys them before; whatever comes past it is never released.
            self.drop(message.files)
            raise FilesGone
        sealed = self._seal_message(message, keys, parents=(state.last,), case=row.case_id)
        after = replace(
            state,
            sequence=state.sequence + 1,
            last=sealed[0].header_hash,
            last_used=self._clock.today(),
            withdrawn=state.withdrawn or message.type == WITHDRAWAL,
        )
        try:
            self._vault.accept_follow_up(
                row.case_id,
                [_stored(one) for one in sealed],
                [one.id for one in message.files],
                old_state=row.thread_state,
                new_state=keys.seal_thread_state(after),
            )
        except StagedMissing:
            raise FilesGone from None

    def _seal_message(
        self,
        message: Message,
        keys: ReceiptKeys,
        *,
        parents: tuple[HeaderHash, ...],
        case: CaseId | None = None,
    ) -> list[SealedEnvelope]:
        roster = self._rosters.get()
        case = case or message.case
        identity = self._seal_identity(case, message.identity, roster)
        sealer = self._sealer(Kind.FOLLOW_UP, case, roster, message.id)
        readers = Operators(roster.evidence_keys())
        body = FollowUpBody(
            text=message.text,
            evidence=tuple(one.reference for one in message.files),
            identity=EvidenceRef(identity.header.envelope, identity.header_hash),
            reply_key=keys.reply_public,
            follow_up_key=keys.follow_up_public,
            language=message.language,
            type=message.type,
            identity_mode=message.identity.mode if message.type == IDENTITY_LATER else "",
        )
        signed = SignedManifest.sign(
            Kind.FOLLOW_UP,
            keys.follow_up_signing,
            deployment=roster.deployment,
            case=case,
            envelope=sealer.id,
            recipients=readers.kids,
            parents=parents,
            body=body.to_json(),
        )
        return [sealer.seal(signed.to_json(), readers), identity]

    def _seal_identity(self, case: CaseId, identity: Identity, roster: Roster) -> SealedEnvelope:
        """Always one, always of one size, so that who gave a name does not show."""
        manifest = IdentityManifest(
            identity_mode=identity.mode,
            identity=identity.identity,
            safe_contact=identity.safe_contact,
        )
        custodians = Custodians(roster.custodian_keys(), roster.quorum)
        return self._sealer(Kind.IDENTITY, case, roster).seal(manifest.to_json(), custodians)

    def _open_case(
        self,
        case: CaseId,
        keys: ReceiptKeys,
        sealed: Sequence[SealedEnvelope],
        files: Sequence[StagedFile],
        state: ThreadState,
    ) -> None:
        row = NewCase(
            case_id=case,
            locator=keys.locator,
            thread_state=keys.seal_thread_state(state),
            receipt_window=self.windows.sealed_now(),
        )
        try:
            self._vault.accept_report(
                row, [_stored(one) for one in sealed], [one.id for one in files]
            )
        except StagedMissing:
            raise FilesGone from None
        self.windows.remember(case)

    def _sealer(
        self, kind: Kind, case: CaseId, roster: Roster, envelope: EnvelopeId | None = None
    ) -> EnvelopeSealer:
        return EnvelopeSealer(
            kind=kind,
            deployment=roster.deployment,
            case=case,
            roster_hash=roster.hash,
            day=self._clock.today(),
            envelope=envelope,
        )

    @contextmanager
    def _dropped_on_error(self, reference: BlobRef) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._vault.drop_blobs([reference])
            raise


def _stored(sealed: SealedEnvelope, parts: tuple[BlobRef, ...] = ()) -> StoredEnvelope:
    return StoredEnvelope(sealed.header, sealed.wraps, sealed.manifest, parts)
