"""A copy of a picture, a page or an answer with something blacked out: a new item of the case.

Rule: the copy is made anew from pixels in which the boxes are black already, or from words in which
blocks stand for what was there: under what is blacked out there is nothing.  What was written is
decoded again, and compared with what it was made from, before it is signed.  The original stays.
What is made is not signed yet: whoever asks looks at those bytes, and those bytes are signed.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from desk import acts, text_folding, words
from desk.errors import NothingToSee, RedactionRefused
from desk.evidence import open_evidence
from desk.outbox import CONTENT_MOST, append
from desk.sentence import Sentence, Several
from desk.sight.shown import FILM, SIDE, Shown, as_png, kind_of_type, pixels
from sanitizer.errors import Refused
from sanitizer.png import check as png_check
from sanitizer.sight.ask import looking, see
from sanitizer.sight.boxes import Box, filled, is_only_filled
from sanitizer.sight.order import Order, Subject
from sanitizer.source import BytesSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from desk.cases import Case
    from desk.desk import Desk
    from sanitizer.sight.order import Sight

BOXES_MOST = acts.BOXES_MOST
BLOCKS = "▮▮▮"
"""What stands for a span, whatever its length: its length would tell something."""
_SIDES = (SIDE, 1280, 1024, 800)
_SMALL = 9


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that was made and is not signed yet: a PNG, and what was blacked out in it."""

    file_id: str
    part: int
    boxes: tuple[Box, ...]
    content: bytes = field(repr=False)


def parse_box(untrusted: str) -> Box:
    """A box from `x,y,width,height`, in pixels of the preview; raises RedactionRefused."""
    parts = untrusted.replace(" ", "").split(",")
    if len(parts) != len(Box._fields) or not all(
        one.isascii() and one.isdigit() and len(one) < _SMALL for one in parts
    ):
        raise RedactionRefused("A box is x,y,width,height in pixels, like 40,25,120,60.")
    box = Box(*map(int, parts))
    if not box.width or not box.height:
        raise RedactionRefused("A box has a width and a height.")
    return box


def still(desk: Desk, case: Case, file_id: str, *, part: int = 0, side: int = SIDE) -> Sight:
    """The picture or the page that boxes are drawn on; raises as `make`.

    Never a film's contact sheet: a copy of that would be called a redacted copy of the film, of
    which most frames were never looked at.
    """
    if kind_of_type(open_evidence(desk, case, file_id).manifest) == FILM:
        raise RedactionRefused(
            "Only a picture or a page can be blacked out, and this is a film. Nothing was written."
        )
    return pixels(desk, case, file_id, part=part, side=side)


def look(desk: Desk, case: Case, file_id: str, boxes: Sequence[Box], *, part: int = 0) -> Shown:
    """What the copy would show, while its boxes are being drawn; raises as `make`."""
    return as_png(_filled(desk, case, file_id, boxes, part=part, side=SIDE)[1])


def make(desk: Desk, case: Case, file_id: str, boxes: Sequence[Box], *, part: int = 0) -> Copy:
    """Make a copy with these boxes black, to be looked at; nothing is signed or written.

    Boxes are in pixels of the preview, which is at most SIDE long; the copy is as large.

    Raises:
        RedactionRefused: a box lies beside the picture, it is a film, or the copy is not what it
            must be.
        NothingToSee, NoSuchEvidence, FileQuarantined, EvidenceUnsound: nothing can be drawn.
    """
    if not boxes:
        raise RedactionRefused("Nothing is blacked out yet: name at least one box.")
    content = _written(desk, case, file_id, boxes, part=part)
    return Copy(file_id, part, tuple(boxes), content)


def sign(desk: Desk, case: Case, copy: Copy) -> bool:
    """Sign a copy that was looked at, and send it; returns as `append`.

    Raises:
        NoSuchEvidence, FileQuarantined: the file was closed while somebody looked.
    """
    open_evidence(desk, case, copy.file_id)
    return append(
        desk, case, acts.REDACTION,
        {
            "file": copy.file_id, "answer": "", "part": copy.part,
            "boxes": [list(one) for one in copy.boxes], "spans": [], "media_type": "image/png",
            "length": len(copy.content), "sha256": hashlib.sha256(copy.content).hexdigest(),
        },
        copy.content,
    )  # fmt: skip


def redact(desk: Desk, case: Case, file_id: str, boxes: Sequence[Box], *, part: int = 0) -> bool:
    """Make a copy and sign it, where its boxes were looked at already; as `make` and `sign`."""
    return sign(desk, case, make(desk, case, file_id, boxes, part=part))


def places_of(text: str, phrases: Iterable[str]) -> dict[str, list[tuple[int, int]]]:
    """Where each of these phrases stands in a text, every time, as a search would find it.

    Raises:
        RedactionRefused: one of them stands nowhere. Whoever mistyped a name must not sign a copy
            in which it still stands.
    """
    found = {one: text_folding.places(text, one) for one in phrases}
    if lacking := [one for one in found if not found[one]]:
        nowhere = Several(", ", (f"\u201c{words.cell(one)}\u201d" for one in lacking))
        raise RedactionRefused(
            Sentence("This stands nowhere in it: {phrases}. Nothing was written.", phrases=nowhere)
        )
    return found


def blacked_out(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with blocks for each span; spans that touch are one.  Raises RedactionRefused."""
    parts, at = [], 0
    for start, stop in _joined(text, spans):
        parts += [text[at:start], BLOCKS]
        at = stop
    return "".join([*parts, text[at:]])


def answer_of(case: Case, name: str) -> str:
    """An answer of the report that is one text, or a message's (desk.acts).

    Raises:
        RedactionRefused: there is none of this name.
    """
    answer = case.fields.get(name)
    if message := acts.message_of(name):
        said = {one.envelope.id.hex(): one.body.text for one in case.follow_ups}
        answer = said.get(message)
    if not isinstance(answer, str) or not answer:
        raise RedactionRefused("The case has no such answer or message in words.")
    return answer


def message_named(case: Case, number: int) -> str:
    """What `redact_answer` calls the reporter's message of this number, from 1.

    Raises:
        RedactionRefused: they wrote none of this number.
    """
    if not 0 < number <= len(case.follow_ups):
        raise RedactionRefused("The case has no such answer or message in words.")
    return acts.message(case.follow_ups[number - 1].envelope.id.hex())


def redact_answer(desk: Desk, case: Case, name: str, spans: Sequence[tuple[int, int]]) -> bool:
    """Make a copy of an answer or a message with these spans blacked out; returns as `append`.

    Raises:
        RedactionRefused: there is no such answer, or a span is none of it.
    """
    text = answer_of(case, name)
    joined = _joined(text, spans)
    if not joined:
        raise RedactionRefused("Nothing is blacked out yet: none of these words stand there.")
    content = blacked_out(text, joined).encode("utf-8", "replace")
    return append(
        desk, case, acts.REDACTION,
        {
            "file": "", "answer": name, "part": 0, "boxes": [],
            "spans": [list(one) for one in joined], "media_type": "text/plain",
            "length": len(content), "sha256": hashlib.sha256(content).hexdigest(),
        },
        content,
    )  # fmt: skip


def _joined(text: str, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if not 0 <= start < stop <= len(text):
            raise RedactionRefused("A span is from:to within the answer, like 10:16.")
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return joined


def _filled(  # noqa: PLR0913  # what is drawn, and how
    desk: Desk, case: Case, file_id: str, boxes: Sequence[Box], *, part: int, side: int
) -> tuple[Sight, Sight, list[Box]]:
    """The picture as it is, as it will be, and the boxes in its own pixels."""
    sight = still(desk, case, file_id, part=part, side=side)
    if side != SIDE:
        whole = still(desk, case, file_id, part=part, side=SIDE)
        boxes = [_scaled(one, whole, sight) for one in boxes]
    for box in boxes:
        if box.x >= sight.width or box.y >= sight.height:
            raise RedactionRefused("A box lies beside the picture. Nothing was written.")
    return sight, filled(sight, boxes), list(boxes)


def _scaled(box: Box, whole: Sight, small: Sight) -> Box:
    """A box of the large picture in the small one, rounded outwards."""
    left, top = box.x * small.width // whole.width, box.y * small.height // whole.height
    right = -(-(box.x + box.width) * small.width // whole.width)
    bottom = -(-(box.y + box.height) * small.height // whole.height)
    return Box(left, top, right - left, bottom - top)


def _written(desk: Desk, case: Case, file_id: str, boxes: Sequence[Box], *, part: int) -> bytes:
    """The copy, as large as fits, once it was decoded again and compared."""
    for side in _SIDES:
        before, after, inner = _filled(desk, case, file_id, boxes, part=part, side=side)
        content = as_png(after, level=_SMALL).content
        if len(content) <= CONTENT_MOST:
            break
    else:
        raise RedactionRefused("The copy is too long to be kept. Nothing was written.")
    try:
        png_check.check(io.BytesIO(content))
        order = Order(subject=Subject.PICTURE, length=len(content), side=side)
        again = see(looking(), BytesSource(content), order)
    except Refused:
        raise NothingToSee("The copy cannot be read again. Nothing was written.") from None
    if not is_only_filled(before, again, inner):
        raise RedactionRefused("The copy is not what it must be. Nothing was written.")
    return content
