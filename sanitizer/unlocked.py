"""The planned cleaners that are Python code (and zlib) from end to end.

Rule: no module that is reached from here imports a parser written in C (import-linter holds it),
so that these may run in a process that holds secrets, where nothing can be locked.
"""

from sanitizer import reread
from sanitizer.bmp.clean import clean as clean_bmp
from sanitizer.detect import Format
from sanitizer.heif.clean import clean as clean_heif
from sanitizer.jpeg import write as jpeg
from sanitizer.limits import Limits
from sanitizer.png import check as png_check
from sanitizer.png import write as png
from sanitizer.result import Planned, Planner
from sanitizer.source import UntrustedSource
from sanitizer.tiff.clean import clean as clean_tiff
from sanitizer.words import clean as clean_text


def _jpeg(source: UntrustedSource, limits: Limits) -> Planned:
    plan, kinds = jpeg.plan(source, limits)
    # Checked by whoever passes it on (sanitizer.recheck): twice would cost a third of the time.
    reread.check(plan)
    return Planned(plan, kinds, "image/jpeg", "jpg")


def _png(source: UntrustedSource, limits: Limits) -> Planned:
    plan, kinds = png.plan(source, limits)
    png_check.check(plan.open())
    reread.check(plan)
    return Planned(plan, kinds, "image/png", "png")


WITHOUT_JAIL: dict[Format, Planner] = {
    Format.JPEG: _jpeg,
    Format.PNG: _png,
    Format.BMP: clean_bmp,
    Format.HEIF: clean_heif,
    Format.TIFF: clean_tiff,
    Format.TEXT: clean_text,
}
"""Formats that are cleaned even where this machine can lock nothing."""
