"""Which cleaner serves which family of files.

Rule: one line a family. A planned cleaner runs in a jailed worker and may use parsers written in
C; a streamed one runs in this process and may not, but for what sanitizer.jail.program locks in.
"""

from collections.abc import Callable

from sanitizer import reread
from sanitizer.detect import Format
from sanitizer.jail.program import Jail, ffmpeg_jail
from sanitizer.jpeg import check as jpeg_check
from sanitizer.jpeg import write as jpeg
from sanitizer.limits import Limits
from sanitizer.mp4.video import Video
from sanitizer.png import check as png_check
from sanitizer.png import write as png
from sanitizer.result import Planned, Streamed
from sanitizer.source import UntrustedSource


def _jpeg(source: UntrustedSource, limits: Limits) -> Planned:
    plan, kinds = jpeg.plan(source, limits)
    jpeg_check.check(plan.open())
    reread.check(plan)
    return Planned(plan, kinds, "image/jpeg", "jpg")


def _png(source: UntrustedSource, limits: Limits) -> Planned:
    plan, kinds = png.plan(source, limits)
    png_check.check(plan.open())
    reread.check(plan)
    return Planned(plan, kinds, "image/png", "png")


def _mp4(source: UntrustedSource, limits: Limits, jail: Jail | None) -> Streamed:
    return Video(source, limits, jail or ffmpeg_jail())


PLANNED: dict[Format, Callable[[UntrustedSource, Limits], Planned]] = {
    Format.JPEG: _jpeg,
    Format.PNG: _png,
}
STREAMED: dict[Format, Callable[[UntrustedSource, Limits, Jail | None], Streamed]] = {
    Format.MP4: _mp4,
}
