"""A picture as it is seen: upright, in three colours, no larger than asked.  Jailed workers alone.

Rule: Pillow's readers of the families that are let in, and no other; transparent places are white;
of an animation one frame is drawn.  Each pixel that comes out is the mean of the pixels that it
covers and of no others: what is outside a box is made of nothing that was inside.
"""

import io
import warnings

from PIL import AvifImagePlugin, Image, ImageFile, ImageOps

from sanitizer.errors import Malformed, TooManyPixels
from sanitizer.sight.order import PARTS_MOST, SOURCE_PIXELS_MOST, SOURCE_SIDE_MOST, Order, Sight
from sanitizer.source import UntrustedSource

READERS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
_WHITE = (255, 255, 255)


def draw(source: UntrustedSource, order: Order) -> Sight:
    """Return one picture of a file; raises Malformed, TooManyPixels, or what Pillow raises."""
    warnings.simplefilter("ignore")
    # Ours is below, and says what it means.
    Image.MAX_IMAGE_PIXELS = None
    # A picture whose end is missing is refused, and not made up.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    # Nothing begins a thread behind the lock.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    image = Image.open(io.BytesIO(source.read_at(0, source.length)), formats=READERS)
    parts = min(int(getattr(image, "n_frames", 1)), PARTS_MOST)
    if order.part >= parts:
        raise Malformed("there is no such part")
    image.seek(order.part)
    if max(image.size) > SOURCE_SIDE_MOST or image.width * image.height > SOURCE_PIXELS_MOST:
        raise TooManyPixels("larger than what is shown")
    upright = _upright(_three_colours(image), image)
    of_width, of_height = upright.size
    longest = max(upright.size)
    if longest > order.side:
        size = (_scaled(of_width, order.side, longest), _scaled(of_height, order.side, longest))
        upright = upright.resize(size, Image.Resampling.BOX)
    return Sight(*upright.size, upright.tobytes(), of_width, of_height, parts)


def _scaled(length: int, side: int, longest: int) -> int:
    return max(1, length * side // longest)


def _upright(made: Image.Image, read: Image.Image) -> Image.Image:
    """Turn what was made as the file says that it is to be turned."""
    made.info.clear()
    orientation = read.getexif().get(0x0112)
    if orientation in range(2, 9):
        told = Image.Exif()
        told[0x0112] = orientation
        made.info["exif"] = told.tobytes()
        made = ImageOps.exif_transpose(made)
    return made


def _three_colours(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        # Pillow would cut 16 bits off at 255: the upper eight are the picture.
        raw = image.tobytes()
        at = 0 if image.mode == "I;16B" else 1
        return Image.frombytes("L", image.size, raw[at::2]).convert("RGB")
    if image.has_transparency_data:
        shown = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, (*_WHITE, 255))
        return Image.alpha_composite(ground, shown).convert("RGB")
    return image.convert("RGB")
