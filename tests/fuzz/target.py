"""One format under libFuzzer: ``python -m tests.fuzz.target NAME FOLDER [libFuzzer options]``.

FOLDER holds ``words``, with a planted word in each line, in hex, and ``known``, findings to pass
over.  Run by tests.fuzz; a finding leaves its input where ``-artifact_prefix`` says and ends the
run.  How many inputs were cleaned, and not refused, is kept in ``cleaned``.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["sanitizer"]):
    from tests.fuzz import oracle
    from tests.fuzz.grammar import GRAMMARS
    from tests.fuzz.mutate import Mutator


_OFTEN = 64


def main() -> None:
    """Fuzz until the runs are up or something is found."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    words = [bytes.fromhex(line) for line in (folder / "words").read_text().split()]
    known = set((folder / "known").read_text().splitlines())
    whole = [path.read_bytes() for path in sorted((folder / "seeds").iterdir())]

    def bytewise(data: bytes, most: int) -> bytes:
        # Looked up at each call: it is there only once fuzzing has begun.
        made: bytes = atheris.Mutate(data, most)
        return made

    mutator = Mutator(GRAMMARS[name], bytewise, words, whole)
    cleaned = 0

    def once(data: bytes) -> None:
        nonlocal cleaned
        try:
            cleaned += oracle.judge(name, data, words)
        except oracle.Found as found:
            if str(found) in known:
                return
            with (folder / "known").open("a") as told:
                told.write(f"{found}\n")
            raise
        if cleaned % _OFTEN == 0:
            (folder / "cleaned").write_text(str(cleaned))

    atheris.Setup([sys.argv[0], *sys.argv[3:]], once, custom_mutator=mutator.mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
