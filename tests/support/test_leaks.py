"""The scan finds what is planted, in each way that it claims to know."""

import base64
import gzip
import io
import zipfile
import zlib
from collections.abc import Callable
from functools import partial

import pytest

from tests.support.leaks import leaks, spellings

WORD = b"CANARY-7f3a91"
NOISE = bytes(range(256)) * 4


def zipped(data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("name", data * 4)
    return made.getvalue()


HIDDEN: dict[str, Callable[[], bytes]] = {
    **{way: partial(bytes, code) for way, code in spellings(WORD).items()},
    "base64 in a sentence": lambda: base64.b64encode(b"by " + WORD + b" today"),
    "zlib": lambda: zlib.compress(b"by " + WORD, 9),
    "zlib in zlib": lambda: zlib.compress(b"x" + zlib.compress(WORD, 1) + b"x"),
    "gzip": lambda: gzip.compress(WORD),
    "zip": lambda: zipped(WORD),
    "small letters": WORD.lower,
}


@pytest.mark.parametrize("way", sorted(HIDDEN))
def test_a_planted_word_is_found(way: str) -> None:
    assert leaks(WORD, NOISE + HIDDEN[way]() + NOISE)


def test_a_file_without_it_is_silent() -> None:
    assert not leaks(WORD, NOISE + zlib.compress(NOISE) + zipped(NOISE))
