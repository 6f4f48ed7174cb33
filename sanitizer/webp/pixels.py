"""Frames into pixels and back: the C decoder as a witness, and lossless frames coded anew.

Rule: a lossless picture (VP8L) and an alpha channel (ALPH) have room for messages all over: in
transforms, in codes that no pixel uses, behind the end. So nothing of their code is kept. They
are decoded and coded again, and must decode to the same pixels. Every decoding is counted.
"""

import hashlib
import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, WebPImagePlugin

from sanitizer.errors import Malformed, MetadataSurvived, TooComplex, TooManyPixels
from sanitizer.webp.chunks import chunk, whole

# Opening a picture would import these, and in a jailed worker nothing can be imported any more.
Image.preinit()
_FORMATS = (WebPImagePlugin.WebPImageFile.format,)
_CAREFUL_PIXELS = 2_000_000
_END = 16
# What opening a file costs, in pixels, however small it is: some ten thousand frames are too many.
_LEAST = 20_000
_ALPHA_FLAG = 0x10
_ALPHA_BIT = 0x10
# A VP8L stream without transforms, without a cache, and five codes of one symbol each, the first
# of which is 255: an alpha channel of any size that is opaque everywhere (RFC 9649, section 3).
_OPAQUE = b"\x01\xe8\x7f\x44\x04"


@dataclass(slots=True)
class Pixels:
    """Decodes and codes the frames of one file; ``left`` pixels may still be decoded.

    ``is_large`` chooses the fast way to code over the small one.
    """

    left: int
    is_large: bool

    def decoded(self, file: bytes, pixels: int) -> Image.Image | None:
        """Return the picture of a file of ours around one frame, or None if it has none."""
        self.left -= max(pixels, _LEAST)
        if self.left < 0:
            raise TooComplex("too much to decode")
        try:
            image = Image.open(io.BytesIO(file), formats=_FORMATS)
            image.load()
        except (OSError, EOFError, SyntaxError):
            return None
        # A copy lets go of the decoder, which holds the picture three times over.
        return image.copy()

    def digest(self, file: bytes, pixels: int) -> bytes | None:
        """Return a digest of the picture, or None if there is none."""
        image = self.decoded(file, pixels)
        return None if image is None else _digest(image)

    def lossless(self, untrusted: bytes, pixels: int) -> tuple[bytes, bool]:
        """Return a VP8L chunk's data coded anew, and whether something stood behind its end."""
        image = self.decoded(whole(chunk(b"VP8L", untrusted)), pixels)
        if image is None:
            raise Malformed("a picture that does not decode")
        had_more = self.decoded(whole(chunk(b"VP8L", untrusted[:-_END])), pixels) is not None
        mode, before = image.mode, _digest(image)
        effort = {"quality": 0, "method": 0} if self.is_large else {"quality": 50, "method": 4}
        made = _saved(image, lossless=True, exact=True, **effort)[b"VP8L"]
        del image
        if mode == "RGBA":
            # The coder says "no alpha" of an opaque picture; it may matter to who reads it.
            made = made[:4] + bytes((made[4] | _ALPHA_BIT,)) + made[5:]
        again = self.decoded(whole(chunk(b"VP8L", made)), pixels)
        if again is None or again.mode != mode or _digest(again) != before:
            raise MetadataSurvived("the picture of the result is another one")
        return made, had_more

    def alpha(self, untrusted: bytes, lossy: bytes, size: tuple[int, int]) -> tuple[bytes, bool]:
        """Return an ALPH chunk's data coded anew, and whether something stood behind its end.

        ``lossy`` is the data of the VP8 chunk that it belongs to.
        """
        pixels = size[0] * size[1]
        channel = self._alpha_of(untrusted, lossy, size)
        if channel is None:
            raise Malformed("an alpha channel that does not decode")
        had_more = self._alpha_of(untrusted[:-_END], lossy, size) is not None
        if channel.getextrema() == (255, 255):
            made = _OPAQUE
        else:
            blank = Image.new("RGBA", size)
            blank.putalpha(channel)
            self.left -= pixels
            made = _saved(blank, quality=0, method=0, alpha_quality=100)[b"ALPH"]
        again = self._alpha_of(made, lossy, size)
        if again is None or again.tobytes() != channel.tobytes():
            raise MetadataSurvived("the alpha channel of the result is another one")
        return made, had_more

    def _alpha_of(self, alpha: bytes, lossy: bytes, size: tuple[int, int]) -> Image.Image | None:
        width, height = size
        head = extended(_ALPHA_FLAG, width, height)
        file = whole(chunk(b"VP8X", head), chunk(b"ALPH", alpha), chunk(b"VP8 ", lossy))
        image = self.decoded(file, width * height)
        return image.getchannel("A") if image is not None and image.mode == "RGBA" else None


def _digest(image: Image.Image) -> bytes:
    return hashlib.sha256(image.tobytes()).digest()


def is_large(pixels: int) -> bool:
    """Tell whether this many pixels are coded in the fast way."""
    return pixels > _CAREFUL_PIXELS


def extended(flags: int, width: int, height: int) -> bytes:
    """Return the data of a VP8X chunk."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return struct.pack("<I", flags) + size


def _saved(image: Image.Image, **options: object) -> dict[bytes, bytes]:
    """Return the chunks of a picture coded by Pillow."""
    file = io.BytesIO()
    try:
        image.save(file, "WEBP", **options)
    except ValueError:
        # What Pillow raises where libwebp is out of memory.
        raise TooManyPixels("more pixels than can be coded again") from None
    return dict(_chunks(file.getvalue()))


def _chunks(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at < len(file):
        kind, length = struct.unpack_from("<4sI", file, at)
        yield kind, file[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
