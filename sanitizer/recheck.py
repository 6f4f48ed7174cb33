"""Judge what a jailed worker has answered once more, in the process that will pass it on.

Rule: the checkers that are Python code (and zlib) from end to end; no module that is reached from
here imports a parser written in C (import-linter holds it).  A file that has taken a worker over
can choose the answer, to its own job and to later ones; it cannot choose what is found here.  The
checkers of WebP and GIF ask Pillow, too, and stay behind the lock: of these results it is only
known here that they begin as they should.
"""

from collections.abc import Callable
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

CHECKED: dict[Format, Callable[[BinaryIO], None]] = {
    Format.JPEG: jpeg_check.check,
    Format.PNG: png_check.check,
    Format.BMP: bmp_check.check,
    Format.TIFF: tiff_check.check,
    Format.HEIF: heif_check.check,
    Format.PDF: pdf_check.check,
    Format.TEXT: words_check.check,
}
"""The checker of a format's result, where it may run beside secrets."""


def check(kind: Format, plan: Plan) -> None:
    """Raise MetadataSurvived unless the result is of the grammar that its format is cleaned to."""
    judge = CHECKED.get(kind)
    try:
        if judge is None:
            _look(kind, plan)
        else:
            judge(plan.open())
    except Refused:
        raise
    except Exception as error:
        # Whatever a checker stumbled over, it did not say "clean".
        raise MetadataSurvived("the result cannot be read again") from error


def _look(kind: Format, plan: Plan) -> None:
    if detect(plan) is not kind:
        raise MetadataSurvived("the result is another format")
