"""The fuzzer's own parts, without a fuzzer: it must be able to find what it looks for."""

import random

import pytest

from sanitizer.detect import Format, detect
from sanitizer.errors import Malformed, Refused
from sanitizer.source import MemorySource
from tests.adversary.cases import Case
from tests.adversary.families import all_cases
from tests.fuzz import __main__ as program
from tests.fuzz import oracle
from tests.fuzz.grammar import GRAMMARS, checksum
from tests.fuzz.mutate import Mutator
from tests.fuzz.seeds import seeds
from tests.sanitizer.kit import clean

WORD = b"CANARY-of-the-fuzzer"
SEEDS = seeds(GRAMMARS)


def first(name: str) -> bytes:
    return next(iter(SEEDS[name]))


def bytewise(data: bytes, most: int) -> bytes:
    """Stand in for libFuzzer: turn one bit of the middle over."""
    made = bytearray(data[:most])
    made[len(made) // 2 : len(made) // 2 + 1] = b"\x55"
    return bytes(made)


def mutator_of(name: str) -> Mutator:
    return Mutator(GRAMMARS[name], bytewise, [WORD], list(SEEDS[name]))


def test_every_format_has_a_grammar_and_something_to_begin_with() -> None:
    assert set(GRAMMARS) == {each.value for each in Format}
    assert all(SEEDS.values())
    # In plain text a word is spelled without shapes alone.
    silent = {name for name, each in SEEDS.items() if not any(each.values())}
    assert silent == {Format.TEXT.value}


@pytest.mark.parametrize("name", GRAMMARS)
def test_a_file_that_is_cut_and_mended_is_still_one_of_its_format(name: str) -> None:
    grammar = GRAMMARS[name]
    for data in list(SEEDS[name])[:5]:
        mended = grammar.mended(data)
        with MemorySource(mended) as source:
            assert detect(source).value == name
        assert grammar.mended(mended) == mended


@pytest.mark.parametrize("name", GRAMMARS)
def test_a_mutation_is_the_same_for_the_same_seed_and_stays_within_bounds(name: str) -> None:
    data, mutator = first(name), mutator_of(name)
    made = [mutator.mutated(data, 50_000, seed) for seed in range(60)]
    assert made == [mutator.mutated(data, 50_000, seed) for seed in range(60)]
    assert len(set(made)) > 20
    assert max(map(len, made)) <= 50_000
    assert any(WORD in each for each in made)


@pytest.mark.parametrize("name", GRAMMARS)
def test_nothing_at_all_can_be_mutated_too(name: str) -> None:
    mutator = Mutator(GRAMMARS[name], bytewise, [WORD], [b""])
    assert any(mutator.mutated(b"", 99, seed) for seed in range(60))


def test_checksums_come_right() -> None:
    assert checksum(32, b"123456789") == 0x89A1897F
    assert checksum(16, b"123456789") == 0xFEE8
    assert checksum(8, b"123456789") == 0xF4


@pytest.mark.parametrize("name", ["PNG", "Ogg", "FLAC", "WAV", "MP4 or QuickTime"])
def test_a_mended_mutation_gets_past_the_checksums(name: str) -> None:
    cleaned, chance = 0, random.Random(7)  # noqa: S311 - the same on every run
    for _ in range(60):
        made = mutator_of(name).mutated(first(name), 40_000, chance.getrandbits(30))
        cleaned += oracle.judge(name, made, [])
    assert cleaned > 10


class Loose(Refused):
    """A refusal that nobody knows."""

    reason = "unsupported"


def passed(data: bytes) -> bytes:
    """Clean nothing."""
    return data


def unsettled(data: bytes) -> bytes:
    """Never come to an end."""
    return data + b"!"


def broken(data: bytes) -> bytes:
    """Fail as a parser with a defect does."""
    raise RecursionError(len(data))


def loose(_: bytes) -> bytes:
    """Refuse in a way that the site cannot tell."""
    raise Loose


def once_only(data: bytes) -> bytes:
    """Refuse what it has made."""
    if data.endswith(b"made"):
        raise Malformed
    return data + b"made"


@pytest.mark.parametrize(
    ("cleaner", "told"),
    [
        (passed, "a planted word came through"),
        (unsettled, "changes when it is cleaned again"),
        (broken, "RecursionError came out"),
        (loose, "Loose is not a leaf"),
        (once_only, "is refused when it is cleaned again"),
    ],
    ids=["passed", "unsettled", "broken", "loose", "once only"],
)
def test_a_cleaner_with_a_defect_is_found(cleaner: oracle.Clean, told: str) -> None:
    data, words = next((data, words) for data, words in SEEDS["PNG"].items() if words)
    with pytest.raises(oracle.Found, match=told):
        oracle.judge("PNG", data, words, cleaner)


@pytest.mark.parametrize("name", ["PNG", "JPEG", "GIF", "WebP", "MP4 or QuickTime", "Ogg", "WAV"])
def test_a_word_that_was_planted_beside_the_picture_is_found(name: str) -> None:
    found = 0
    for data, words in list(SEEDS[name].items())[:12]:
        try:
            oracle.judge(name, data, words, passed)
        except oracle.Found:
            found += 1
    assert found > 4


def test_a_word_in_the_pixels_is_no_finding() -> None:
    case = next(each for each in all_cases() if each.place == "BMP: behind the end")
    shown = case.data.replace(case.word.told, b"")
    at = len(shown) - 60
    painted = shown[:at] + WORD + shown[at + len(WORD) :]
    assert oracle.judge("BMP", painted, [WORD], passed)


def test_seeds_of_today_are_cleaned_or_refused() -> None:
    def wrong(case: Case) -> bool:
        with MemorySource(case.data) as source:
            name = detect(source).value
        try:
            oracle.judge(name, case.data, [case.word.told], clean)
        except oracle.Found:
            return True
        return False

    chosen = [each for each in all_cases() if each.suffix in {"bmp", "gif", "aac", "amr"}]
    assert not [each.name for each in chosen if wrong(each)]


def test_a_machine_without_the_fuzzer_is_told_which_has_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "find_spec", lambda _: None)
    monkeypatch.setattr("sys.argv", ["fuzz"])
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert ended.value.code == 2
    assert "3.11 to 3.14" in capsys.readouterr().err
