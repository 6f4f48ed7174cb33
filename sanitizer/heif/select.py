"""Which items of a HEIC or AVIF file are the picture, and which only travel with it.

Rule (ISO/IEC 23008-12, section 6): the primary item, the tiles of its grid, and its alpha plane.
Thumbnails, depth, gain maps, mattes, bursts, EXIF, XMP and whatever else are left behind; a
derivation that cannot be followed is refused, never guessed at.
"""

from dataclasses import dataclass, field

from sanitizer import exif
from sanitizer.errors import Encrypted, Malformed, TooManyPixels, Unsupported
from sanitizer.heif.model import Index, Item
from sanitizer.limits import Limits
from sanitizer.numbers import unpack
from sanitizer.source import UntrustedSource

ALPHA = {
    b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",
    b"urn:mpeg:hevc:2015:auxid:1",
}
"""What auxC may say of a plane that is kept."""
CODED = {b"hvc1", b"av01"}
"""Items that are coded pictures."""
_GRID = b"grid"
_SHORT_GRID, _LONG_GRID = 8, 12
_MAX_EXIF = 1 << 20
_OF_ITEM = {b"thmb": "thumbnail", b"auxl": "hidden_frames", b"cdsc": "other_metadata"}


@dataclass(frozen=True, slots=True)
class Grid:
    """How tiles make a picture: ``columns`` times ``rows`` of them, cut to width and height."""

    rows: int
    columns: int
    width: int
    height: int

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> "Grid":
        """Read the payload of a grid item (23008-12, 6.6.2.3.2); what follows it is not read."""
        version, flags, rows, columns = unpack("BBBB", untrusted)
        width, height = unpack("II" if flags & 1 else "HH", untrusted, 4)
        if version or not width or not height:
            raise Malformed("a grid that says what cannot be")
        return cls(rows + 1, columns + 1, width, height)

    def to_bytes(self) -> bytes:
        """Return the payload in its short form: sides are bounded to two bytes."""
        return bytes([0, 0, self.rows - 1, self.columns - 1]) + b"".join(
            side.to_bytes(2, "big") for side in (self.width, self.height)
        )


@dataclass(slots=True)
class Kept:
    """One item that stays. ``tiles`` and ``alpha`` are numbers of the file, not of the result."""

    number: int
    item: Item
    grid: Grid | None = None
    tiles: list[int] = field(default_factory=list)
    is_tile: bool = False
    alpha_of: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Selector:
    """Follows the picture from its primary item, and never back."""

    source: UntrustedSource
    index: Index
    limits: Limits
    kinds: set[str]
    kept: dict[int, Kept] = field(default_factory=dict)

    def run(self) -> None:
        """Keep the primary item, what it is made of, and alpha planes of any of those."""
        self._keep(self._base())
        planes = self._alpha_planes()
        for number in list(self.kept):
            for plane in planes.get(number, [])[:1]:
                if plane not in self.kept:
                    self._keep(plane)
                elif not self.kept[plane].alpha_of:
                    raise Malformed("a picture that is made of itself")
                self.kept[plane].alpha_of.append(number)
        total = sum(kept.item.length() for kept in self.kept.values())
        if total > self.source.length:
            raise Malformed("pictures that lie on top of each other")
        self._name_the_rest()

    def _base(self) -> int:
        """Return the primary item, or what a tone map that stands there is made of."""
        primary = self.index.items[self.index.primary]
        if primary.kind == b"tmap":
            self.kinds.add("hidden_frames")
            return next(iter(primary.references.get(b"dimg", [])), -1)
        return self.index.primary

    def _keep(self, number: int, *, is_tile: bool = False) -> None:
        item = self.index.items.get(number)
        if item is None:
            raise Malformed("a picture made of what is not there")
        if item.is_protected:
            raise Encrypted("a picture that is locked")
        kept = self.kept[number] = Kept(number, item, is_tile=is_tile)
        width, height = size_of(item)
        if max(width, height) > self.limits.image_side or (
            width * height > self.limits.image_pixels
        ):
            raise TooManyPixels("more pixels than the limit")
        if item.kind == _GRID and not is_tile:
            self._keep_tiles(kept)
        elif item.kind not in CODED:
            raise Unsupported("a picture made in a way that cannot be cleaned here")
        elif item.references.get(b"dimg"):
            raise Malformed("a coded picture that is made of others")

    def _keep_tiles(self, kept: Kept) -> None:
        if kept.item.length() not in {_SHORT_GRID, _LONG_GRID}:
            self.kinds.add("trailing_data")
        if kept.item.length() > self.limits.image_parts:
            raise Malformed("a grid that says what cannot be")
        grid = kept.grid = Grid.from_bytes(kept.item.data(self.source))
        tiles = kept.tiles = kept.item.references.get(b"dimg", [])
        if size_of(kept.item) != (grid.width, grid.height) or (
            len(tiles) != grid.rows * grid.columns
        ):
            raise Malformed("a grid that says what cannot be")
        for number in dict.fromkeys(tiles):
            if number in self.kept:
                raise Malformed("a picture that is made of itself")
            self._keep(number, is_tile=True)
        sizes = {size_of(self.kept[number].item) for number in tiles}
        ((width, height), *others) = sizes
        if (
            others
            or not (grid.columns - 1) * width < grid.width <= grid.columns * width
            or not (grid.rows - 1) * height < grid.height <= grid.rows * height
        ):
            raise Malformed("a grid whose tiles do not fit")

    def _alpha_planes(self) -> dict[int, list[int]]:
        planes: dict[int, list[int]] = {}
        for number, item in self.index.items.items():
            if auxiliary(item) in ALPHA:
                for master in item.references.get(b"auxl", []):
                    planes.setdefault(master, []).append(number)
        return planes

    def _name_the_rest(self) -> None:
        """Say what is left behind, by kind."""
        for number, item in self.index.items.items():
            if item.has_name:
                self.kinds.add("other_metadata")
            if number in self.kept:
                continue
            if item.kind == b"Exif":
                self._name_exif(item)
            elif item.kind == b"mime" and b"xml" in item.content_type:
                self.kinds.add("xmp")
            elif item.kind in {*CODED, _GRID}:
                told = [kind for name, kind in _OF_ITEM.items() if name in item.references]
                self.kinds.add(told[0] if told else "hidden_frames")
            else:
                self.kinds.add("other_metadata")

    def _name_exif(self, item: Item) -> None:
        self.kinds.add("exif")
        if item.extents and item.length() <= _MAX_EXIF:
            data = item.data(self.source)
            # Four bytes say how much stands before the block, which is "Exif" and two zeros.
            start = 4 + int.from_bytes(data[:4], "big")
            self.kinds |= exif.read(data[start:]).kinds


def size_of(item: Item) -> tuple[int, int]:
    """Return an item's width and height; raises Malformed where it does not say."""
    sizes = {
        unpack("II", each.property.content, 4)
        for each in item.properties
        if each.property.kind == b"ispe"
    }
    # Of two sizes one reader believes the first, and another the last.
    if len(sizes) != 1:
        raise Malformed("a picture without its one size")
    ((width, height),) = sizes
    if not width or not height:
        raise Malformed("a picture without its one size")
    return width, height


def auxiliary(item: Item) -> bytes:
    """Return what kind of auxiliary picture an item is, or nothing."""
    for each in item.properties:
        if each.property.kind == b"auxC":
            return each.property.content[4:].partition(b"\0")[0]
    return b""


def select(source: UntrustedSource, index: Index, limits: Limits, kinds: set[str]) -> list[Kept]:
    """Return the items that stay, the primary one first; adds to ``kinds`` what goes.

    Raises a leaf of Refused.
    """
    selector = _Selector(source, index, limits, kinds)
    selector.run()
    return list(selector.kept.values())
