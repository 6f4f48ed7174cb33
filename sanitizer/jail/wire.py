"""What gateway and jailed worker say to each other, over one stream of bytes.

Rule: a frame is a letter, a length and that many bytes; numbers are big-endian, words are JSON.
Nothing that arrives is a program: no pickle. The gateway believes nothing of what it reads: each
length is bounded before it is waited for, each range lies in the source, each word is on a list.

Gateway to worker: ``C`` a job (JSON), and bare bytes of the source, as many as were wanted: none
where the file lies in the memory that both share (sanitizer.jail.shared).
Worker to gateway: ``H`` locked and ready, ``R`` which bytes are wanted, ``A`` an answer (JSON,
then the pieces' places, then our bytes), ``E`` a refusal (JSON).
"""

import json
import re
import struct
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache

from sanitizer import errors
from sanitizer.detect import Format
from sanitizer.errors import Malformed, Refused, TooComplex, TooLarge
from sanitizer.kinds import KINDS
from sanitizer.limits import Limits
from sanitizer.pieces import Piece, Range, size_of
from sanitizer.result import Planned
from sanitizer.source import UntrustedSource

HEAD = struct.Struct(">cI")
WANTED = struct.Struct(">QI")
PIECE = struct.Struct(">QQ")
MOST_WANTED = 4 << 20
"""Most bytes of the source that are sent at once."""
_AT_ONCE = 64 << 10
MOST_WORDS = 64 << 10
"""Longest JSON of an answer or a refusal, in bytes."""
OURS = 2**64 - 1
"""In a piece's place: its bytes follow, they are not the source's."""
TYPES = {
    Format.JPEG: {("image/jpeg", "jpg")},
    Format.PNG: {("image/png", "png")},
    Format.WEBP: {("image/webp", "webp")},
    Format.GIF: {("image/gif", "gif")},
    Format.HEIF: {("image/heic", "heic"), ("image/avif", "avif")},
    Format.TIFF: {("image/tiff", "tif")},
    Format.BMP: {("image/bmp", "bmp")},
    Format.PDF: {("application/pdf", "pdf")},
    Format.TEXT: {("text/plain", "txt")},
}
"""What a worker's result may be, by what the file is: media type and extension."""
_PHRASE = re.compile(r"[A-Za-z0-9 ,.:;'()/-]{0,120}")

Take = Callable[[int], bytes]
"""Waits for exactly so many bytes of the stream; raises where it ends before."""


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    """Return one frame."""
    return HEAD.pack(kind, len(payload)) + payload


# The same limits go with nearly every file: written and read once.
@lru_cache(maxsize=4)
def _told(limits: Limits) -> str:
    return json.dumps(asdict(limits))


@lru_cache(maxsize=4)
def _heard(limits: str) -> Limits:
    return Limits(**json.loads(limits))


@dataclass(frozen=True, slots=True)
class Job:
    """One file to be cleaned: which cleaner, how long it is, and how much it may ask for.

    ``is_shared`` tells that it lies at the beginning of the shared memory.
    """

    format: Format
    length: int
    limits: Limits
    is_shared: bool = False

    def to_bytes(self) -> bytes:
        """Return the frame that asks for it."""
        told = {
            "format": self.format.name,
            "length": self.length,
            "limits": _told(self.limits),
            "is_shared": self.is_shared,
        }
        return frame(b"C", json.dumps(told).encode())

    @classmethod
    def from_bytes(cls, payload: bytes) -> "Job":
        """Read a frame's payload, which the gateway wrote."""
        told = json.loads(payload)
        return cls(
            Format[told["format"]], told["length"], _heard(told["limits"]), told["is_shared"]
        )


def refusal(refused: Refused) -> bytes:
    """Return the frame that says why there is no clean file."""
    told = {"leaf": type(refused).__name__, "detail": refused.detail}
    return frame(b"E", json.dumps(told).encode()[:MOST_WORDS])


def answer(planned: Planned, source: UntrustedSource) -> list[bytes]:
    """Return the frame of a clean file, in parts: its words, its places, its bytes.

    Places are places in ``source``; a plan over anything else is sent by its bytes.
    """
    plan = planned.plan
    pieces = joined(plan.pieces if plan.source is source else list(plan.chunks()))
    told = json.dumps(
        {
            "kinds": sorted(planned.kinds),
            "media_type": planned.media_type,
            "extension": planned.extension,
            "is_rebuilt": planned.is_rebuilt,
            "pieces": len(pieces),
        }
    ).encode()
    places = b"".join(
        PIECE.pack(piece.start, piece.length)
        if isinstance(piece, Range)
        else PIECE.pack(OURS, len(piece))
        for piece in pieces
    )
    ours = [piece for piece in pieces if isinstance(piece, bytes)]
    parts = [frame(b"A", told), places, *ours]
    # Whoever waits for a short answer wakes up once.
    return [b"".join(parts)] if sum(map(len, parts)) <= _AT_ONCE else parts


def joined(pieces: list[Piece]) -> list[Piece]:
    """Return the pieces with neighbours of ours made one, and empty ones left out."""
    made: list[Piece] = []
    waiting: list[bytes] = []
    for piece in pieces:
        if isinstance(piece, bytes):
            waiting.append(piece)
        elif piece.length:
            if waiting:
                made.append(b"".join(waiting))
            waiting = []
            made.append(piece)
    made.append(b"".join(waiting))
    return [piece for piece in made if size_of(piece)]


@dataclass(frozen=True, slots=True)
class Answer:
    """A worker's answer once nothing in it is out of bounds."""

    pieces: list[Piece]
    kinds: set[str]
    media_type: str
    extension: str
    is_rebuilt: bool


def read_answer(untrusted: bytes, take: Take, job: Job) -> Answer:
    """Read an ``A`` frame: its payload, and by ``take`` what follows it.

    Raises TooComplex, TooLarge (more than the limits allow) and Malformed (anything else).
    """
    told = words(untrusted)
    kinds, types = told.get("kinds"), (str(told.get("media_type")), str(told.get("extension")))
    count, is_rebuilt = told.get("pieces"), told.get("is_rebuilt")
    if (
        not isinstance(kinds, list)
        or not all(isinstance(kind, str) and kind in KINDS for kind in kinds)
        or types not in TYPES.get(job.format, ())
        or type(count) is not int
        or type(is_rebuilt) is not bool
    ):
        raise Malformed("the worker's answer is not on the list")
    if not 0 < count <= job.limits.worker_pieces:
        raise TooComplex("a result of too many pieces")
    pieces = _pieces(take(count * PIECE.size), take, job)
    return Answer(pieces, set(kinds), *types, is_rebuilt)


def _pieces(places: bytes, take: Take, job: Job) -> list[Piece]:
    numbers = list(PIECE.iter_unpack(places))
    for start, length in numbers:
        if start != OURS and start + length > job.length:
            raise Malformed("the worker names bytes that are not there")
    ours = sum(length for start, length in numbers if start == OURS)
    whole = sum(length for _, length in numbers)
    limits = job.limits
    if ours > limits.worker_bytes or whole > limits.image_bytes + limits.output_slack_bytes:
        raise TooLarge("the result is longer than it may be")
    return [take(length) if start == OURS else Range(start, length) for start, length in numbers]


def read_refusal(untrusted: bytes) -> Refused:
    """Return what an ``E`` frame says, where it is one of the known reasons; else Malformed."""
    told = words(untrusted)
    leaf, detail = getattr(errors, str(told.get("leaf")), None), str(told.get("detail"))
    if not (isinstance(leaf, type) and issubclass(leaf, Refused) and leaf is not Refused):
        return Malformed("the worker's refusal is not on the list")
    # A worker that a file has taken over could put the file into this phrase.
    return leaf(detail if _PHRASE.fullmatch(detail) else "")


def words(untrusted: bytes) -> dict[str, object]:
    """Read an answer's JSON, which must be an object; raises Malformed."""
    try:
        told = json.loads(untrusted)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise Malformed("the worker's answer cannot be read")
    return told
