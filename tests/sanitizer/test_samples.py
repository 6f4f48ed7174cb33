"""The samples that other rooms' tests use are what their provenance says."""

from pathlib import Path

import pytest

from sanitizer.detect import Format, detect
from sanitizer.source import FileSource
from tests.samples.make import CANARY, HERE, samples
from tests.sanitizer.kit import clean


@pytest.mark.parametrize("name", ["phone.jpg", "screen.png", "phone.mov"])
def test_a_sample_hides_something_and_its_clean_copy_does_not(name: str) -> None:
    dirty = (HERE / name).read_bytes()
    assert CANARY in dirty
    assert CANARY not in clean(dirty)


def test_words_named_as_a_photo_are_words() -> None:
    with FileSource(HERE / "words.jpg") as source:
        assert detect(source) is Format.TEXT


def test_the_samples_are_those_that_the_script_makes() -> None:
    names = {path.name for path in Path(HERE).iterdir() if path.suffix in {".jpg", ".png", ".mov"}}
    assert names == set(samples())
