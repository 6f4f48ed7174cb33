"""Every file of tests.adversary through the sanitizer: silent, settled, and shown as before."""

import io
import json
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import pytest
from PIL import Image

from sanitizer.errors import Refused
from tests.adversary.families import FAMILIES, all_cases
from tests.sanitizer.kit import HAS_EXIFTOOL, clean, unexpected

_LEAST = 300
_FORMATS = {
    "jpg", "png", "webp", "gif", "heic", "avif", "tif", "bmp", "mp4", "mov", "m4a", "mkv", "webm",
    "avi", "ts", "m2ts", "mp3", "aac", "opus", "ogg", "flac", "wav", "aiff", "amr", "pdf", "txt",
}  # fmt: skip
_PICTURES = {"jpg", "png", "webp", "gif", "tif", "bmp", "avif"}
_BECOMES = {"ts": "mp4", "m2ts": "mp4"}
CASES = {case.name: case for case in all_cases()}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: bytes, or the reason of a refusal; and what is wrong with it."""

    made: bytes | None
    wrong: tuple[str, ...]


def outcome(name: str) -> Outcome:
    """Clean one file, twice."""
    case = CASES[name]
    try:
        made = clean(case.data)
    except Refused as refusal:
        told = f"refused: {type(refusal).__name__}, {refusal.detail}"
        is_right = case.is_refusable or (
            case.refused_as and refusal.detail.startswith(case.refused_as)
        )
        return Outcome(None, () if is_right else (told,))
    wrong = [f"told: {sorted(case.told_by(made))}"] if case.told_by(made) else []
    if case.refused_as:
        wrong.append("cleaned, and should be refused")
    if clean(made) != made:
        wrong.append("cleaning again changes it")
    if case.suffix in _PICTURES and not _opens(made):
        wrong.append("Pillow cannot open it")
    return Outcome(made, tuple(wrong))


def _opens(made: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(made)) as picture:
            picture.load()
    except (OSError, SyntaxError):
        return False
    return True


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    """Clean everything once, on as many processors as there are."""
    with ProcessPoolExecutor(mp_context=get_context("fork")) as pool:
        return dict(zip(CASES, pool.map(outcome, CASES, chunksize=8), strict=True))


@pytest.fixture(scope="module")
def told(
    outcomes: dict[str, Outcome], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, set[str]]:
    """Return the tags that ExifTool finds in the results, asked once for all of them."""
    folder = tmp_path_factory.mktemp("clean")
    names = {}
    for number, (name, each) in enumerate(outcomes.items()):
        if each.made is not None:
            suffix = _BECOMES.get(CASES[name].suffix, CASES[name].suffix)
            path = folder / f"{number}.{suffix}"
            path.write_bytes(each.made)
            names[str(path)] = name
    asked = folder / "asked"
    asked.write_text("\n".join(names))
    command = [
        "exiftool",
        "-a",
        "-G1",
        "-s",
        "-ee",
        "-json",
        "-api",
        "RequestAll=3",
        "-@",
        str(asked),
    ]
    rows = json.loads(subprocess.run(command, check=False, capture_output=True).stdout)
    found = {names[row.pop("SourceFile")]: unexpected(row) for row in rows}
    assert len(found) == len(names)
    return found


def test_there_are_many_files_of_every_kind_and_no_two_of_a_word() -> None:
    assert len(CASES) >= _LEAST
    assert {case.suffix for case in CASES.values()} == _FORMATS
    assert len({case.word.canary for case in CASES.values()}) == len(CASES) == len(all_cases())
    assert {case.family for case in CASES.values()} == set(FAMILIES)
    assert all(set(family.PLACES) >= family.REFUSABLE for family in FAMILIES.values())
    refused = {case.place for case in CASES.values() if case.refused_as}
    assert refused == {
        place for each in FAMILIES.values() for place in getattr(each, "REFUSED", {})
    }


def test_the_judge_finds_what_is_planted_in_every_dirty_file() -> None:
    assert not [name for name, case in CASES.items() if not case.told_by(case.data)]


@pytest.mark.skipif(not HAS_EXIFTOOL, reason="Debian's libimage-exiftool-perl is not installed")
def test_exiftool_finds_tags_in_dirty_files(tmp_path: Path) -> None:
    path = tmp_path / "dirty.jpg"
    path.write_bytes(next(each for name, each in CASES.items() if "EXIF_of_a_phone" in name).data)
    command = ["exiftool", "-a", "-G1", "-s", "-json", str(path)]
    rows = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    rows[0].pop("SourceFile")
    assert "GPS:GPSLatitude" in unexpected(rows[0])


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("name", CASES)
def test_nothing_planted_is_in_the_result(name: str, outcomes: dict[str, Outcome]) -> None:
    assert outcomes[name].wrong == ()


@pytest.mark.claim("C-META")
@pytest.mark.skipif(not HAS_EXIFTOOL, reason="Debian's libimage-exiftool-perl is not installed")
def test_exiftool_finds_nothing_in_any_result(told: dict[str, set[str]]) -> None:
    assert {name: tags for name, tags in told.items() if tags} == {}


def test_the_files_are_the_same_on_every_run(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.adversary", str(tmp_path), "png", "mixed"]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2])
    rows = json.loads((tmp_path / "manifest.json").read_text())
    for row in rows:
        case = CASES[row["file"]]
        assert (tmp_path / row["file"]).read_bytes() == case.data
        assert row["canary"].encode() == case.word.canary
        assert row["expected"] in {"clean", "refused", "refused is fine"}
    assert len(rows) == sum(case.family in {"png", "mixed"} for case in CASES.values())
