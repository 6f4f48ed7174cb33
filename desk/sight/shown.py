"""What is shown of a file: pictures made of pixels, samples, and words; never the file.

Rule: every byte of a file comes through `desk.evidence.open_evidence`, goes to a jailed worker, and
what comes back is a width, a height and pixels (sanitizer.sight).  Where nothing can be locked in,
nothing is shown; whatever a file does to its parser becomes a calm sentence.  Nothing here writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from desk.errors import NothingToSee, NotLockedIn, TooMuchToSee
from desk.evidence import open_evidence
from desk.sentence import Counted, Sentence
from sanitizer.errors import JailUnavailable, Malformed, Refused, TooComplex, TooLarge, Unsupported
from sanitizer.jail.program import ffmpeg_jail
from sanitizer.sight import film, png
from sanitizer.sight.ask import LIMITS, looking, see
from sanitizer.sight.order import PARTS_MOST, Order, Subject
from sanitizer.source import BytesSource

if TYPE_CHECKING:
    from crypto.manifest import EvidenceManifest
    from desk.cases import Case
    from desk.desk import Desk
    from desk.evidence import EvidenceFile, FileView
    from sanitizer.limits import Limits
    from sanitizer.sight.order import Sight

SIDE = 1600
"""Longest side of a preview in pixels, and of a redacted copy."""
_GLANCE = 16
"""Longest side of what is drawn to learn how many parts a file has."""
TEXT_MOST = 200_000
"""Characters of a text that are shown."""
PICTURE, FILM, SOUND, PAGES, TEXT, NONE = "picture", "film", "sound", "pages", "text", ""

_HEIC = "image/heic"
_DRAWN = {
    "image/jpeg", "image/png", "image/apng", "image/webp", "image/gif", "image/avif", "image/tiff",
    "image/bmp",
}  # fmt: skip
_FILMS = {
    "video/mp4", "video/x-m4v", "video/quicktime", "video/3gpp", "video/3gpp2", "video/webm",
    "video/x-matroska", "video/x-msvideo",
}  # fmt: skip
_SOUNDS = {
    "audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav", "audio/webm", "audio/flac", "audio/aac",
    "audio/aiff", "audio/amr", "audio/amr-wb", "audio/x-matroska",
}  # fmt: skip
_KINDS = {
    _HEIC: PICTURE,
    **dict.fromkeys(_DRAWN, PICTURE),
    **dict.fromkeys(_FILMS, FILM),
    **dict.fromkeys(_SOUNDS, SOUND),
    "application/pdf": PAGES,
    "text/plain": TEXT,
}

NO_JAIL = (
    "There is no preview on this machine: what reads pictures and films runs only where it can be "
    "locked in, and here it cannot (that needs Linux with seccomp and Landlock)."
)
TOO_MUCH = "There is no preview: it would take more time or memory than a preview may."
NO_KIND = "There is no preview of this kind of file."
UNREADABLE = (
    "There is no preview: what would draw it could not read the file. It may be damaged, or made "
    "to attack whoever opens it. Nothing happened to this machine, and the file is kept as it is."
)


@dataclass(frozen=True, slots=True)
class Shown:
    """Something to look at: a media type of our choice, and bytes that were written here.

    Of pictures also their size, and the whole's; `parts` counts its pages, pictures or frames.
    """

    media_type: str
    content: bytes = field(repr=False)
    width: int = 0
    height: int = 0
    of_width: int = 0
    of_height: int = 0
    parts: int = 1


def kind_of(file: FileView) -> str:
    """How a file can be shown; empty where it cannot: of unknown kind, closed, or never cleaned."""
    if file.manifest is None or file.problem or file.is_original:
        return NONE
    return kind_of_type(file.manifest)


def kind_of_type(manifest: EvidenceManifest) -> str:
    """How what a manifest tells of can be shown, by its media type; empty where it cannot."""
    original = manifest.original_of is not None
    return NONE if original else _KINDS.get(manifest.media_type, NONE)


def may_be_picture(file: FileView) -> bool:
    """Whether it is a picture, and could be shown as soon as all of it is here."""
    if file.manifest is None or file.closing is not None or file.is_original:
        return False
    return _KINDS.get(file.manifest.media_type) == PICTURE


def picture(desk: Desk, case: Case, file_id: str, *, part: int = 0, side: int = SIDE) -> Shown:
    """One picture of a file, one page of a PDF, or the contact sheet of a film; as PNG.

    Raises:
        NoSuchEvidence, FileQuarantined, EvidenceUnsound: as open_evidence and the file do.
        NothingToSee: there is no preview; the message is calm.
    """
    return as_png(pixels(desk, case, file_id, part=part, side=side))


def as_png(sight: Sight, *, level: int = 1) -> Shown:
    """Pixels as something to show."""
    content = png.written(sight.width, sight.height, sight.pixels, level=level)
    return Shown(
        "image/png", content, sight.width, sight.height, sight.of_width, sight.of_height,
        sight.parts,
    )  # fmt: skip


def pixels(  # noqa: PLR0913  # which picture, how large, and what it may cost
    desk: Desk, case: Case, file_id: str, *, part: int = 0, side: int = SIDE,
    limits: Limits = LIMITS,
) -> Sight:  # fmt: skip
    """What `picture` shows, as pixels; raises as it does."""
    file = open_evidence(desk, case, file_id)
    kind = kind_of_type(file.manifest)
    if kind not in (PICTURE, PAGES, FILM):
        raise NothingToSee(NO_KIND)
    is_heic = file.manifest.media_type == _HEIC
    if part and (kind == FILM or is_heic):
        # Whatever is asked of these, there is one picture.
        raise _no_such_part(kind, 1)
    try:
        if kind == FILM:
            return film.sheet(ffmpeg_jail(), Pieces(file), limits)
        if is_heic:
            return film.picture(ffmpeg_jail(), Pieces(file), side, limits)
        subject = Subject.PAGE if kind == PAGES else Subject.PICTURE
        order = Order(subject=subject, length=file.manifest.length, side=side, part=part)
        return _drawn(_whole(file), order, limits)
    except Refused as refused:
        raise _calm(refused) from None


def clip(desk: Desk, case: Case, file_id: str) -> Shown:
    """The beginning of a film, small, as WebM; raises as `picture`."""
    file = open_evidence(desk, case, file_id)
    if kind_of_type(file.manifest) != FILM:
        raise NothingToSee(NO_KIND)
    try:
        return Shown("video/webm", film.clip(ffmpeg_jail(), Pieces(file), LIMITS))
    except Refused as refused:
        raise _calm(refused) from None


def sound(desk: Desk, case: Case, file_id: str) -> Shown:
    """What is heard, as WAV; raises as `picture`."""
    file = open_evidence(desk, case, file_id)
    if kind_of_type(file.manifest) != SOUND:
        raise NothingToSee(NO_KIND)
    try:
        return Shown("audio/wav", film.sound(ffmpeg_jail(), Pieces(file), LIMITS))
    except Refused as refused:
        raise _calm(refused) from None


def words(desk: Desk, case: Case, file_id: str) -> str:
    """A text's beginning, as text; raises as `picture`."""
    file = open_evidence(desk, case, file_id)
    if kind_of_type(file.manifest) != TEXT:
        raise NothingToSee(NO_KIND)
    if file.manifest.length > LIMITS.text_bytes:
        raise TooMuchToSee(TOO_MUCH)
    return b"".join(file.whole()).decode("utf-8", "replace").removeprefix("\ufeff")[:TEXT_MOST]


class Pieces:
    """A file that is decrypted piece by piece, where it is asked for: an UntrustedSource."""

    def __init__(self, file: EvidenceFile) -> None:
        """Read `file`, which is proven before its first piece."""
        self._file = file
        self.length = file.manifest.length

    def read_at(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`, fewer at the end; raises EvidenceUnsound."""
        last = min(offset + length, self.length) - 1
        return b"".join(self._file.piece(offset, last)) if last >= offset else b""


def _whole(file: EvidenceFile) -> BytesSource:
    """All of a file, proven, in memory.  Raises NothingToSee, EvidenceUnsound."""
    if file.manifest.length > LIMITS.file_bytes:
        raise TooMuchToSee(TOO_MUCH)
    return BytesSource(b"".join(file.whole()))


def _drawn(source: BytesSource, order: Order, limits: Limits) -> Sight:
    """One part of a file; where it has no such part, that is no fault of the file."""
    try:
        return see(looking(), source, order, limits)
    except Malformed:
        if not order.part:
            raise
        # Raises the same where the file itself cannot be read.
        parts = see(looking(), source, replace(order, part=0, side=_GLANCE), limits).parts
        if parts > order.part or parts == PARTS_MOST:
            raise
        raise _no_such_part(PAGES if order.subject == Subject.PAGE else PICTURE, parts) from None


def _no_such_part(kind: str, parts: int) -> NothingToSee:
    how_many = Counted(parts, "page" if kind == PAGES else "picture")
    return NothingToSee(Sentence("There is nothing to see there: it has {parts}.", parts=how_many))


def _calm(refused: Refused) -> NothingToSee:
    if isinstance(refused, JailUnavailable):
        return NotLockedIn(NO_JAIL)
    if isinstance(refused, TooLarge | TooComplex):
        return TooMuchToSee(TOO_MUCH)
    return NothingToSee(NO_KIND if isinstance(refused, Unsupported) else UNREADABLE)
