"""What the page tells its script that sends files in pieces: addresses, limits, and every word.

The script knows no language: whatever it shows comes from the page, or from an answer, as text.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from flask import url_for

from crypto.pieces import CHUNK_BYTES
from gateway.pieces import PIECE_MOST
from sanitizer.limits import Limits

if TYPE_CHECKING:
    from markupsafe import Markup

    from gateway.site.schema import CategoryForm
    from gateway.site.words import Words

# Two bars: half a megabit to one megabit a second.
FAST_BITS, SLOW_BITS = 1_000_000, 500_000
EXAMPLE_BYTES = 20 * 1024 * 1024
_HOURS_FROM = 2 * 3600
# Isolates do in a text what <bdi> does in a page.
_ISOLATES = (('<bdi dir="ltr">', "\u2066"), ('<bdi dir="rtl">', "\u2067"), ("<bdi>", "\u2068"))
_WORDS = (
    "send.waiting", "send.progress", "send.minutes", "send.soon", "send.sealing", "send.done",
    "send.paused", "send.cut", "send.stopped", "send.unreadable", "send.plain", "send.leaving",
    "send.originals_late",
)  # fmt: skip
_PLACES = ("done", "all", "minutes", "seconds")


def for_script(words: Words, form: CategoryForm | None, *, file_bytes: int, files_most: int) -> str:
    """Give all that the script needs as JSON, for one attribute of the page."""
    lang = words.language.code
    decides = None if form is None else form.no_files_if
    facts = refusal_facts(words, file_bytes=file_bytes, files_most=files_most)
    limits = Limits(file_bytes=file_bytes)
    kinds = {
        "text/plain": ("text", limits.text_bytes),
        "application/pdf": ("pdf", limits.pdf_bytes),
    }
    told = {
        "begin": url_for("begin", lang=lang),
        "piece": url_for("piece", lang=lang),
        "whole": url_for("whole", lang=lang),
        "drop": url_for("drop_piece", lang=lang),
        "least": CHUNK_BYTES,
        "most": PIECE_MOST,
        # What would be refused once it is here is not sent for nothing.
        "limits": {
            kind: [most, as_text(words(f"refused.too_large_{name}", **facts))]
            for kind, (name, most) in kinds.items()
        },
        "decides": [] if decides is None else [decides.field],
        "comma": words.number(0.5)[1:2],
        "units": [words.text(f"size.{unit}", number="{number}") for unit in ("kb", "mb", "gb")],
        "words": {
            **{
                key.removeprefix("send."): words.text(key, **{one: f"{{{one}}}" for one in _PLACES})
                for key in _WORDS
            },
            "original": words.text("files.with_original"),
        },
    }
    # As letters: written as escapes, Arabic would weigh twice as much.
    return json.dumps(told, ensure_ascii=False)


def times(words: Words, file_bytes: int) -> Markup:
    """Say how long a file takes, and the largest one, before anybody chooses."""
    example = min(EXAMPLE_BYTES, file_bytes)
    said = words("files.time", size=words.size(example), time=_duration(words, example))
    if file_bytes == example:
        return said
    most = words("files.time_most", size=words.size(file_bytes), time=_duration(words, file_bytes))
    return said + " " + most


def _duration(words: Words, size: int) -> Markup:
    """From the faster to the slower, in minutes or hours."""
    fast, slow = (size * 8 / bits for bits in (FAST_BITS, SLOW_BITS))
    unit, key = (3600, "files.hours") if slow >= _HOURS_FROM else (60, "files.minutes")
    least = max(1, round(fast / unit))
    most = max(least + 1, round(slow / unit))
    return words(key, least=words.number(least), most=words.number(most))


def refusal_facts(words: Words, *, file_bytes: int, files_most: int) -> dict[str, object]:
    """Give what the sentences that refuse a file fill in."""
    limits = Limits(file_bytes=file_bytes)
    return {
        "size": words.size(file_bytes),
        "text_size": words.size(min(limits.text_bytes, file_bytes)),
        "pdf_size": words.size(min(limits.pdf_bytes, file_bytes)),
        "image_size": words.size(min(limits.image_bytes, file_bytes)),
        "pixels": limits.image_pixels // 1_000_000,
        "most": files_most,
    }


def as_text(said: Markup) -> str:
    """Give a sentence as plain text whose parts keep their directions."""
    text = str(said)
    for tag, isolate in _ISOLATES:
        text = text.replace(tag, isolate)
    text = re.sub("<[^>]*>", "", text.replace("</bdi>", "\u2069"))
    return type(said)(text).unescape()
