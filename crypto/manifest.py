"""What stands inside an envelope: part 0, as JSON.  Format: crypto/FORMAT.md, section 8.

Rule: `from_json` accounts for every field, and holds each against the bounds of section 8, or
raises `ManifestMalformed`; `to_json` writes nothing that `from_json` would refuse; and what a
person wrote never shows in a repr, so no traceback carries it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from crypto.errors import ManifestMalformed, ManifestTooLarge
from crypto.ids import (
    Day,
    EnvelopeId,
    HeaderHash,
    WordId,
    parse_digest,
    parse_envelope_id,
    parse_header_hash,
    parse_word_id,
)
from crypto.keys import ReplyPublicKey, SigningPublicKey
from crypto.strict_json import Fields, Json, dump, short

IDENTITY_MOST = 3000
"""Bytes of an identity's JSON at most: a named one and an empty one take the same room."""
STATUSES = ("received", "examined", "question", "sent", "closed")
"""What a reply may say of where the case stands: the five public statuses, and no others."""
MESSAGE, WITHDRAWAL, IDENTITY_LATER = "message", "withdrawal", "identity"
"""The types of a follow-up: something to read; a wish that all be erased; a name given later."""
DAY_END = 2**20
"""The days that a body may name end before this one, in the year 4840: every calendar has them."""


@dataclass(frozen=True, slots=True)
class EvidenceRef:
    """Another envelope of the same case: its id, and the hash of its header."""

    id: EnvelopeId
    header_hash: HeaderHash


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportManifest:
    """A report.  The reply key and the follow-up key of the case come from here, not a server."""

    form_version: int
    language: str
    category: str = field(repr=False)
    fields: Mapping[str, Json] = field(repr=False)
    identity_mode: str
    evidence: tuple[EvidenceRef, ...]
    identity: EvidenceRef
    reply_key: ReplyPublicKey
    follow_up_key: SigningPublicKey
    sealed_by: str
    cleaned_by: str

    def to_json(self) -> bytes:
        """Return the JSON, UTF-8; raises `ManifestMalformed` for what FORMAT.md does not allow."""
        return dump(
            form_version=self.form_version,
            language=short(self.language),
            category=short(self.category),
            fields=self.fields,
            identity_mode=short(self.identity_mode),
            evidence=_refs(self.evidence),
            identity=_ref(self.identity),
            reply_key=self.reply_key.raw.hex(),
            follow_up_key=self.follow_up_key.raw.hex(),
            sealed_by=short(self.sealed_by),
            cleaned_by=short(self.cleaned_by),
        )

    @classmethod
    def from_json(cls, untrusted: bytes) -> Self:
        """Parse; raises `ManifestMalformed`."""
        with Fields.of_manifest(untrusted) as given:
            return cls(
                form_version=given.number("form_version"),
                language=given.word("language"),
                category=given.word("category"),
                fields=given.mapping("fields"),
                identity_mode=given.word("identity_mode"),
                evidence=_parse_refs(given.objects("evidence")),
                identity=_parse_ref(given.object("identity")),
                reply_key=given.hexed("reply_key", ReplyPublicKey.from_bytes),
                follow_up_key=given.hexed("follow_up_key", SigningPublicKey.from_bytes),
                sealed_by=given.word("sealed_by"),
                cleaned_by=given.word("cleaned_by"),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceManifest:
    """One file: a neutral name, what it is, its true length and SHA-256, what kinds were removed.

    Its content is part 1 of the same envelope.  ``rebuilt`` tells that a clean file was made anew
    from its pixels or pages; ``original_of`` names the clean file of which this one is the
    original, untouched, as the reporter chose to keep it.
    """

    name: str
    media_type: str
    length: int
    sha256: bytes
    removed: tuple[str, ...]
    rebuilt: bool = False
    original_of: EnvelopeId | None = None

    def to_json(self) -> bytes:
        """Return the JSON, UTF-8; raises `ManifestMalformed` for what FORMAT.md does not allow."""
        original = {} if self.original_of is None else {"original_of": self.original_of.hex()}
        return dump(
            name=short(self.name),
            media_type=short(self.media_type),
            length=self.length,
            sha256=self.sha256.hex(),
            removed=[short(kind) for kind in self.removed],
            rebuilt=self.rebuilt,
            **original,
        )

    @classmethod
    def from_json(cls, untrusted: bytes) -> Self:
        """Parse; raises `ManifestMalformed`."""
        with Fields.of_manifest(untrusted) as given:
            return cls(
                name=given.word("name"),
                media_type=given.word("media_type"),
                length=given.number("length"),
                sha256=given.hexed("sha256", parse_digest),
                removed=given.words("removed"),
                rebuilt=given.flag("rebuilt") if given.has("rebuilt") else False,
                original_of=(
                    given.hexed("original_of", parse_envelope_id)
                    if given.has("original_of")
                    else None
                ),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityManifest:
    """Who reports and how to reach them safely; empty, and of the same size, if anonymous."""

    identity_mode: str
    identity: Mapping[str, Json] = field(repr=False)
    safe_contact: Mapping[str, Json] = field(repr=False)

    def to_json(self) -> bytes:
        """Return the JSON; raises `ManifestTooLarge` above 3000 bytes, or `ManifestMalformed`."""
        dumped = dump(
            identity_mode=short(self.identity_mode),
            identity=self.identity,
            safe_contact=self.safe_contact,
        )
        if len(dumped) > IDENTITY_MOST:
            raise ManifestTooLarge
        return dumped

    @classmethod
    def from_json(cls, untrusted: bytes) -> Self:
        """Parse; raises `ManifestMalformed`."""
        with Fields.of_manifest(untrusted) as given:
            return cls(
                identity_mode=given.word("identity_mode"),
                identity=given.mapping("identity"),
                safe_contact=given.mapping("safe_contact"),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpBody:
    """A message of the holder of a receipt, with further files; the body of a signed manifest.

    `type` is `message`, or `withdrawal` where the reporter asks that everything be erased, or
    `identity` where the identity envelope holds a name or a contact; then, and only then,
    `identity_mode` says which, for the operators to know what the custodians keep.
    """

    text: str = field(repr=False)
    evidence: tuple[EvidenceRef, ...]
    identity: EvidenceRef
    reply_key: ReplyPublicKey
    follow_up_key: SigningPublicKey
    language: str
    type: str = MESSAGE
    identity_mode: str = ""

    def to_json(self) -> bytes:
        """Return the JSON, UTF-8; raises `ManifestMalformed` for what FORMAT.md does not allow."""
        _require_type(self.type, self.identity_mode)
        typed = {} if self.type == MESSAGE else {"type": self.type}
        mode = {} if self.type != IDENTITY_LATER else {"identity_mode": short(self.identity_mode)}
        return dump(
            text=self.text,
            evidence=_refs(self.evidence),
            identity=_ref(self.identity),
            reply_key=self.reply_key.raw.hex(),
            follow_up_key=self.follow_up_key.raw.hex(),
            language=short(self.language),
            **typed,
            **mode,
        )

    @classmethod
    def from_json(cls, untrusted: bytes) -> Self:
        """Parse; raises `ManifestMalformed`."""
        with Fields.of_manifest(untrusted) as given:
            written = given.has("type")
            body = cls(
                text=given.text("text"),
                evidence=_parse_refs(given.objects("evidence")),
                identity=_parse_ref(given.object("identity")),
                reply_key=given.hexed("reply_key", ReplyPublicKey.from_bytes),
                follow_up_key=given.hexed("follow_up_key", SigningPublicKey.from_bytes),
                language=given.word("language"),
                type=given.word("type") if written else MESSAGE,
                identity_mode=given.word("identity_mode") if given.has("identity_mode") else "",
            )
        # A message says no type: one thing is written in one way.
        if written and body.type == MESSAGE:
            raise ManifestMalformed("a type that is not written")
        _require_type(body.type, body.identity_mode)
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyBody:
    """An operator's answer and its day; the body of a signed manifest.

    `status` is one of `STATUSES`, or None where the answer says nothing of it; with one, the text
    may be empty.  `word` is the answer's own id, the same however often it is sealed anew.
    """

    text: str = field(repr=False)
    author_day: Day
    status: str | None = field(default=None, repr=False)
    word: WordId | None = None

    def to_json(self) -> bytes:
        """Return the JSON, UTF-8; raises `ManifestMalformed` for what FORMAT.md does not allow."""
        status = {} if self.status is None else {"status": _status(self.status)}
        return dump(
            text=self.text, author_day=_day(self.author_day), **status, **_written(self.word)
        )

    @classmethod
    def from_json(cls, untrusted: bytes) -> Self:
        """Parse; raises `ManifestMalformed`."""
        with Fields.of_manifest(untrusted) as given:
            return cls(
                text=given.text("text"),
                author_day=_day(given.number("author_day")),
                status=_status(given.word("status")) if given.has("status") else None,
                word=_parse_word(given),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryBody:
    """What an operator did to a case; the body of a signed manifest.

    `word` is the act's own id, the same however often it is sealed anew.
    """

    type: str
    data: Mapping[str, Json] = field(repr=False)
    word: WordId | None = None

    def to_json(self) -> bytes:
        """Return the JSON, UTF-8; raises `ManifestMalformed` for what FORMAT.md does not allow."""
        return dump(type=short(self.type), data=self.data, **_written(self.word))

    @classmethod
    def from_json(cls, untrusted: bytes) -> Self:
        """Parse; raises `ManifestMalformed`."""
        with Fields.of_manifest(untrusted) as given:
            return cls(type=given.word("type"), data=given.mapping("data"), word=_parse_word(given))


def _day(number: int) -> Day:
    """Return a day of the calendar: one beyond it could not be shown to the reporter any more."""
    if not 0 < number < DAY_END:
        raise ManifestMalformed("not a day of the calendar")
    return Day(number)


def _status(name: str) -> str:
    """Return one of the five: a page has words for these and for nothing else."""
    if name not in STATUSES:
        raise ManifestMalformed("not a status")
    return name


def _written(word: WordId | None) -> dict[str, Json]:
    return {} if word is None else {"word": word.hex()}


def _parse_word(given: Fields) -> WordId | None:
    return given.hexed("word", parse_word_id) if given.has("word") else None


def _require_type(name: str, identity_mode: str) -> None:
    """Hold a follow-up's type against the three, and its mode of identity against its type."""
    if name not in (MESSAGE, WITHDRAWAL, IDENTITY_LATER):
        raise ManifestMalformed("not a type of follow-up")
    if bool(identity_mode) != (name == IDENTITY_LATER):
        raise ManifestMalformed("a mode of identity belongs to an identity, and to nothing else")


def _ref(ref: EvidenceRef) -> dict[str, Json]:
    return {"id": ref.id.hex(), "header_hash": ref.header_hash.hex()}


def _refs(refs: Sequence[EvidenceRef]) -> list[Json]:
    return [_ref(ref) for ref in refs]


def _parse_ref(untrusted: Fields) -> EvidenceRef:
    with untrusted as given:
        return EvidenceRef(
            id=given.hexed("id", parse_envelope_id),
            header_hash=given.hexed("header_hash", parse_header_hash),
        )


def _parse_refs(untrusted: Sequence[Fields]) -> tuple[EvidenceRef, ...]:
    return tuple(_parse_ref(each) for each in untrusted)
