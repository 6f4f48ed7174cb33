"""Judge what a jailed worker has answered once more, in the process that will pass it on.

Rule: the checkers that are Python code (and zlib) from end to end; no module that is reached from
here imports a parser written in C (import-linter holds it).  A file that has taken a worker over
can choose the answer, to its own job and to later ones; it cannot choose what is found here.  The
checkers of WebP and GIF ask Pillow, too, and stay behind the lock: of these results it is only
known here that they begin as they should.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

from sanitizer import words_check
from sanitizer.bmp import check as bmp_check
from sanitizer.detect import Format, detect
from sanitizer.errors import MetadataSurvived, Refused
from sanitizer.heif import check as heif_check
from sanitizer.jpeg import check as jpeg_check
from sanitizer.pdf import check as pdf_check
from sanitizer.pieces import Plan
from sanitizer.png import check as png_check
from sanitizer.tiff import check as tiff_check


def _opened(judge: Callable[[BinaryIO], None]) -> Callable[[Plan], None]:
    """Return the checker that hands ``judge`` the result as a file object."""
    return lambda plan: judge(plan.open())


CHECKED: dict[Format, Callable[[Plan], None]] = {
    Format.JPEG: jpeg_check.check,
    Format.PNG: _opened(png_check.check),
    Format.BMP: _opened(bmp_check.check),
    Format.TIFF: _opened(tiff_check.check),
    Format.HEIF: _opened(heif_check.check),
    Format.PDF: _opened(pdf_check.check),
    Format.TEXT: _opened(words_check.check),
}
"""The checker of a format's result, where it may run beside secrets."""


def check(kind: Format, plan: Plan) -> None:
    """Raise MetadataSurvived unless the result is of the grammar that its format is cleaned to."""
    judge = CHECKED.get(kind, _nothing)
    try:
        _look(kind, plan)
        judge(plan)
    except Refused:
        raise
    except Exception as error:
        # Whatever a checker stumbled over, it did not say "clean".
        raise MetadataSurvived("the result cannot be read again") from error


def _look(kind: Format, plan: Plan) -> None:
    """Raise MetadataSurvived where whoever opens the result would take it for another format."""
    found = None
    with suppress(Refused):
        found = detect(plan)
    if found is not kind:
        raise MetadataSurvived("the result is another format")


def _nothing(_: Plan) -> None:
    pass
