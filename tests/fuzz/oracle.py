"""What must hold for any bytes whatever: a refusal, or a settled result without planted words."""

import io
from collections.abc import Callable

from PIL import Image, UnidentifiedImageError

from sanitizer.detect import Format, detect
from sanitizer.errors import Refused
from sanitizer.source import MemorySource
from tests.fuzz.grammar import CODED, GRAMMARS
from tests.sanitizer import kit

Clean = Callable[[bytes], bytes]
_PILLOW = (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError)
_SHOWN = {"JPEG", "PNG", "GIF", "BMP", "TIFF"}
"""Whose pixels Pillow compares: what is in none of them must not be there at all."""
_DEEPEST = 9
_LEAVES = {leaf for leaf in Refused.__subclasses__() for leaf in (leaf, *leaf.__subclasses__())}


class Found(Exception):
    """Something that must never be; its text is one line that says what, and not of which file."""


def judge(name: str, data: bytes, words: list[bytes], clean: Clean = kit.clean) -> bool:
    """Return whether ``data`` was cleaned (else refused); raises Found where a rule is broken.

    ``words`` are those that the seeds of the format ``name`` hold, as they are spelled there.
    """
    made = _cleaned(data, clean)
    if made is None:
        return False
    again = _cleaned(made, clean)
    if again is None:
        raise Found("what was cleaned is refused when it is cleaned again")
    if again != made:
        raise Found("what was cleaned changes when it is cleaned again")
    for word in words:
        if word in made and _is_hidden(name, word, data, made, clean):
            raise Found(f"a planted word came through where nothing shows it, as {word[:6]!r}...")
    return True


def _cleaned(data: bytes, clean: Clean) -> bytes | None:
    try:
        return clean(data)
    except Refused as refusal:
        if type(refusal) not in _LEAVES:
            raise Found(f"{type(refusal).__name__} is not a leaf of Refused") from refusal
        return None
    except Exception as error:
        steps, last = [], error.__traceback__
        while last:
            steps.append(f"{last.tb_frame.f_code.co_name}:{last.tb_lineno}")
            last = last.tb_next
        told = f"{type(error).__name__} came out: {error} ({' '.join(steps[-3:])})"
        raise Found(told[:300].replace("\n", " ")) from error


def _is_hidden(name: str, word: bytes, data: bytes, made: bytes, clean: Clean) -> bool:
    """Tell whether a word in a result is in no pixel and no sound.

    Of pages and plain text nothing here can tell; a mutation into another format is that one's
    affair.  Coded pictures and sound are passed on as they are: outside of them no word may stand.
    """
    with MemorySource(data) as source:
        found = detect(source)
    if found in {Format.TEXT, Format.PDF} or found.value != name:
        return False
    if name not in _SHOWN:
        return word in envelope(made)
    # With another word in its place the result shows the same: so nothing shows it.
    other = bytes(byte ^ 1 for byte in word)
    changed = _cleaned(GRAMMARS[name].mended(data.replace(word, other)), clean)
    if changed is None or other not in changed:
        return False
    shown = content(made)
    return shown is not None and shown == content(changed)


def envelope(made: bytes) -> bytes:
    """Return a clean file without its coded pictures and sound."""
    with MemorySource(made) as source:
        grammar = GRAMMARS[detect(source).value]

    def within(data: bytes, kind: bytes, depth: int) -> bytes:
        return b"\n".join(
            within(body, name, depth - 1) if depth and grammar.nests(name) else body
            for name, body in grammar.cut(data, kind)
            if name not in CODED
        )

    return within(made, b"", _DEEPEST)


def content(data: bytes) -> list[bytes] | None:
    """Return what is seen of a picture, frame by frame, or None where it cannot be decoded."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            frames = []
            for number in range(getattr(picture, "n_frames", 1)):
                picture.seek(number)
                frames.append(picture.convert("RGBA").tobytes())
            return frames
    except _PILLOW:
        return None
