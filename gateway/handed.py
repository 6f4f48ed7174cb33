"""What a reporter hands over, as the site has understood it and the intake seals it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crypto.manifest import MESSAGE, EvidenceRef

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crypto.ids import CaseId, EnvelopeId, HeaderHash
    from crypto.receipt import ReceiptCode
    from crypto.strict_json import Json

ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A file that was cleaned, sealed and staged.  ``name`` is ours (``photo-1.jpg``).

    ``removed`` are kinds; ``original_of`` names the clean copy where this is an untouched original.
    """

    id: EnvelopeId
    header_hash: HeaderHash
    name: str
    length: int
    removed: tuple[str, ...] = ()
    original_of: EnvelopeId | None = None

    @property
    def reference(self) -> EvidenceRef:
        """How a report or a message names the file."""
        return EvidenceRef(self.id, self.header_hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What only the custodians may open; empty where the person stays anonymous."""

    mode: str = ANONYMOUS
    identity: Mapping[str, Json] = field(default_factory=dict, repr=False)
    safe_contact: Mapping[str, Json] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole report, typed and pruned, as the form's schema left it.

    ``no_files``: none may come with it, now or later; only the receipt code opens where it is kept.
    """

    case: CaseId
    code: ReceiptCode = field(repr=False)
    form_version: int
    language: str
    category: str = field(repr=False)
    fields: Mapping[str, Json] = field(repr=False)
    identity: Identity
    files: tuple[StagedFile, ...]
    no_files: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What the holder of a code adds: a text, files, or both.  ``id`` makes a retry harmless.

    ``type`` is one of ``crypto.manifest``; with ``IDENTITY_LATER`` comes an ``identity``.
    """

    case: CaseId
    id: EnvelopeId
    text: str = field(repr=False)
    language: str
    files: tuple[StagedFile, ...]
    type: str = MESSAGE
    identity: Identity = field(default_factory=Identity, repr=False)
