"""What fuzzing begins with: the files of tests.adversary, sorted by what they are."""

from collections.abc import Iterable

from sanitizer.detect import detect
from sanitizer.errors import Refused
from sanitizer.source import MemorySource
from tests.adversary.families import all_cases

_LONGEST = 48 << 10
_LONG_ENOUGH = 12


def seeds(names: Iterable[str]) -> dict[str, dict[bytes, list[bytes]]]:
    """Return for each format (by its name in sanitizer.detect) the files and their words.

    Long files are left out: libFuzzer goes through some hundred a second, of short ones.
    """
    found: dict[str, dict[bytes, list[bytes]]] = {name: {} for name in names}
    for case in all_cases():
        if len(case.data) > _LONGEST:
            continue
        with MemorySource(case.data) as source:
            try:
                name = detect(source).value
            except Refused:
                continue
        if name in found:
            spelled = {case.word.told, case.word.text, case.word.canary}
            found[name][case.data] = [
                word for word in spelled if len(word) >= _LONG_ENOUGH and word in case.data
            ]
    return found
