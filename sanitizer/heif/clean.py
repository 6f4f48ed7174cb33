"""HEIC and AVIF, stills: one index, one picture, written anew.

Rule (ISO/IEC 14496-12 and 23008-12; AV1 Image File Format): read, select, write, then let two
readers look at the result who share no code with the writer. A sequence is refused: by its main
brand, or, where that brand says nothing, by another brand and a film. A film that merely travels
with a still picture goes.
"""

from sanitizer import reread
from sanitizer.errors import Malformed, Unsupported
from sanitizer.heif.check import check
from sanitizer.heif.model import Index
from sanitizer.heif.read import read
from sanitizer.heif.select import select
from sanitizer.heif.write import write
from sanitizer.limits import Limits
from sanitizer.mp4.boxes import TopBox, read_box, top_boxes
from sanitizer.pieces import Plan, read_exactly
from sanitizer.result import Planned
from sanitizer.source import UntrustedSource

_SEQUENCES = {b"avis", b"hevc", b"hevx", b"msf1", b"jpgs"}
_EITHER = {b"mif1", b"miaf"}
_MOST_BRANDS = 1 << 10
_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_KINDS = {b"": "trailing_data", b"mpvd": "hidden_frames"}
_KEPT = {b"ftyp", b"mdat", b"meta"}


def clean(source: UntrustedSource, limits: Limits) -> Planned:
    """Return the clean form of a HEIC or AVIF file; raises a leaf of Refused."""
    kinds: set[str] = set()
    found, held = _top(source, limits, kinds)
    if found[b"ftyp"].start or found[b"ftyp"].end - found[b"ftyp"].content < 8:  # noqa: PLR2004 - brand and version
        raise Malformed("a picture that does not begin with its brands")
    if _is_sequence(source, found):
        raise Unsupported("a sequence of pictures in HEIC or AVIF")
    box = found[b"meta"]
    untrusted = read_box(source, box, limits.image_index_bytes)
    index = read(untrusted, box.content, source.length, limits, kinds)
    if _owned(index) < held + index.held:
        kinds.add("trailing_data")
    kept = select(source, index, limits, kinds)
    plan = Plan(source, write(source, kept, limits, kinds))
    check(plan.open())
    reread.check(plan)
    # JPEG in HEIF goes by the name that programs know for HEIF; its brands say what it is.
    name = "avif" if plan.read_at(8, 4) == b"avif" else "heic"
    return Planned(plan, kinds, f"image/{name}", name)


def _is_sequence(source: UntrustedSource, found: dict[bytes, TopBox]) -> bool:
    """Tell whether some reader shows a film, and not the picture (23008-12, 10.2 and 10.3)."""
    box = found[b"ftyp"]
    brands = read_exactly(source, box.content, min(_MOST_BRANDS, box.end - box.content))
    others = {brands[at : at + 4] for at in range(8, len(brands), 4)}
    is_either = brands[:4] in _EITHER and b"moov" in found
    return brands[:4] in _SEQUENCES or (is_either and bool(others & _SEQUENCES))


def _owned(index: Index) -> int:
    """Return how many bytes of the file some item says are its own."""
    extents = sorted(
        (extent.start, extent.start + extent.length)
        for item in index.items.values()
        for extent in item.extents
    )
    owned = reached = 0
    for start, end in extents:
        owned += max(0, end - max(start, reached))
        reached = max(reached, end)
    return owned


def _top(
    source: UntrustedSource, limits: Limits, kinds: set[str]
) -> tuple[dict[bytes, TopBox], int]:
    """Return the boxes at the top that matter, and the bytes of data; says what else there is."""
    found: dict[bytes, TopBox] = {}
    held = 0
    for box in top_boxes(source, limits.image_parts):
        if box.kind in _KEPT:
            if box.kind in found and box.kind != b"mdat":
                raise Malformed("a table of the index comes twice")
            found[box.kind] = box
            held += box.end - box.content if box.kind == b"mdat" else 0
        elif box.kind == b"moov":
            found[box.kind] = box
            kinds.add("hidden_frames")
        elif box.kind == b"uuid" and source.read_at(box.content, 16) == _C2PA:
            kinds.add("c2pa")
        else:
            kinds.add(_KINDS.get(box.kind, "other_metadata"))
    if not {b"ftyp", b"meta"} <= set(found):
        raise Malformed("a table that every picture has is missing")
    return found, held
