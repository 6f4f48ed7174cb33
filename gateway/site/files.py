"""(1)…(5) for the files of one form: clean each that arrived whole, seal it, stage it at once.

What arrived survives an error elsewhere in the form: the page's token remembers it.  The names of
a person's files are looked at only to say, in the same answer, which one was refused.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from gateway.errors import GatewayError
from gateway.upload import SpooledFile, UploadRequest
from sanitizer.clean import sanitize
from sanitizer.detect import VIDEOS, Format, detect
from sanitizer.errors import Refused
from sanitizer.limits import Limits
from sanitizer.original import KeptOriginal
from sanitizer.workers import workers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug.datastructures import FileStorage

    from crypto.ids import CaseId
    from gateway.handed import StagedFile
    from gateway.intake import Intake
    from sanitizer.source import UntrustedSource
    from sanitizer.workers import Worker

FIELD = "evidence"
TOO_MANY = "too_many"
_NAME_SHOWN = 60
_NUMBER = re.compile(r"-(\d+)\.")
# What to do instead is another thing for a video: a screenshot of it shows one moment.
# Bytes of those kinds whose limit is far below that of a film.
BY_KIND = {Format.TEXT: Limits().text_bytes, Format.PDF: Limits().pdf_bytes}
_OTHERWISE_FOR_VIDEO = frozenset({"unsupported", "malformed", "too_complex"})


class NotKept(GatewayError):
    """A file was refused; ``reason`` names the sentence that says why."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that was not kept: the person's own name for it, for this one answer, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of the files of one request.

    ``kept`` are all files of the form now, ``new`` those that this request brought.
    """

    kept: tuple[StagedFile, ...]
    new: tuple[StagedFile, ...] = ()
    refused: tuple[RefusedFile, ...] = ()
    destroyed: bool = False


def arrived(request: UploadRequest) -> list[FileStorage]:
    """Return the files that a person chose; an empty file field sends a part without a name."""
    return [one for one in request.files.getlist(FIELD) if one.filename]


def unexpected(request: UploadRequest) -> bool:
    """Whether a file came under another name than the form's."""
    return any(name != FIELD for name in request.files)


def receive(  # noqa: PLR0913 each says what to do with the files of one request
    request: UploadRequest,
    intake: Intake,
    case: CaseId,
    before: Sequence[StagedFile],
    *,
    most: int,
    with_originals: bool = False,
) -> Batch:
    """Clean, seal and stage the files of a request; drop those whose box was ticked.

    ``with_originals`` seals beside each clean copy the file as it came; without it, originals that
    were staged before go too.  Raises NoValidRoster where nothing may be sealed: then nothing new
    was kept.
    """
    kept = _still_wanted(request, intake, before, with_originals=with_originals)
    limits = Limits(file_bytes=request.file_bytes)
    new: list[StagedFile] = []
    refused: list[RefusedFile] = []
    # One worker for one person's files: it ends with this form, and nobody else's meet it.
    with workers().lease() as worker:
        for storage in arrived(request):
            name = shown_name(storage.filename or "")
            if len(copies(kept)) >= most:
                refused.append(RefusedFile(name, TOO_MANY))
                continue
            try:
                staged = _keep(
                    _spooled(storage),
                    intake,
                    case,
                    kept,
                    limits,
                    worker=worker,
                    with_original=with_originals,
                )
            except Refused as refusal:
                refused.append(RefusedFile(name, _reason(refusal, storage.stream)))
                continue
            kept += staged
            new += staged
    return Batch(kept=tuple(kept), new=tuple(new), refused=tuple(refused))


def receive_whole(  # noqa: PLR0913 each says what to do with the file
    source: UntrustedSource,
    intake: Intake,
    case: CaseId,
    before: Sequence[StagedFile],
    *,
    file_bytes: int,
    with_original: bool = False,
) -> list[StagedFile]:
    """Clean, seal and stage one file that came in pieces, by the very way of a form's files.

    Returns the copy, and its original where one was asked for.  Raises NotKept, NoValidRoster.
    """
    limits = Limits(file_bytes=file_bytes)
    with workers().lease() as worker:
        try:
            return _keep(
                source, intake, case, before, limits, worker=worker, with_original=with_original
            )
        except Refused as refusal:
            raise NotKept(_reason(refusal, source)) from refusal


def gone_key(left: Sequence[StagedFile]) -> str:
    """Give the sentence for files that are no longer there, by whether others are."""
    return "error.files_gone_some" if left else "error.files_gone"


def copies(files: Sequence[StagedFile]) -> list[StagedFile]:
    """Return the clean copies among some files, without the originals beside them."""
    return [one for one in files if one.original_of is None]


def _still_wanted(
    request: UploadRequest, intake: Intake, before: Sequence[StagedFile], *, with_originals: bool
) -> list[StagedFile]:
    """Drop what was ticked, an original with its copy, and originals nobody asks for any more."""
    ticked = set(request.form.getlist("drop"))
    gone = [
        one
        for one in before
        if (one.original_of or one.id).hex() in ticked
        or (one.original_of is not None and not with_originals)
    ]
    intake.drop(gone)
    return [one for one in before if one not in gone]


def destroy(intake: Intake, before: Sequence[StagedFile], request: UploadRequest) -> Batch:
    """Where no file may be: destroy what was staged, look at nothing that came."""
    had_any = bool(before) or bool(arrived(request))
    intake.drop(before)
    return Batch(kept=(), destroyed=had_any)


def shown_name(untrusted: str) -> str:
    """Return a file's name without anything that could turn the page's text around."""
    visible = "".join(
        character if unicodedata.category(character)[0] != "C" else "\N{REPLACEMENT CHARACTER}"
        for character in untrusted
    )
    return visible if len(visible) <= _NAME_SHOWN else visible[: _NAME_SHOWN - 1] + "…"


def _keep(  # noqa: PLR0913 each is a part of one file's way
    source: UntrustedSource,
    intake: Intake,
    case: CaseId,
    before: Sequence[StagedFile],
    limits: Limits,
    *,
    worker: Worker,
    with_original: bool,
) -> list[StagedFile]:
    number = 1 + max((_number(one.name) for one in before), default=0)
    # (2) clean  (3)(4)(5) seal and stage
    clean = sanitize(source, limits, None, worker)
    staged = [intake.seal_clean(clean, case, number)]
    if with_original:
        original = KeptOriginal.beside(source, clean)
        staged.append(intake.seal_original(original, staged[0], case))
    return staged


def _spooled(storage: FileStorage) -> SpooledFile:
    spooled = storage.stream
    if not isinstance(spooled, SpooledFile):  # pragma: no cover — the request class makes no other
        raise TypeError("a file that was not spooled")
    spooled.require_whole()
    return spooled


def _reason(refusal: Refused, stream: object) -> str:
    """Give the code of the sentence that says why, and what to do instead."""
    source = cast("UntrustedSource", stream)
    if refusal.reason in _OTHERWISE_FOR_VIDEO:
        with suppress(Refused):
            if detect(source) in VIDEOS:
                return f"{refusal.reason}_video"
    if refusal.reason == "too_large":
        # The limit that it met is its kind's: a text has another one than a film.
        with suppress(Refused):
            kind = detect(source)
            if kind in BY_KIND and source.length > BY_KIND[kind]:
                return f"too_large_{kind.name.lower()}"
    return refusal.reason


def _number(name: str) -> int:
    found = _NUMBER.search(name)
    return int(found[1]) if found else 0
