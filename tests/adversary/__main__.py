"""Write the files and what they hold: ``python -m tests.adversary FOLDER [FAMILY ...]``.

``manifest.json`` names for each file its place, its word and how it is spelled, whether a GPS
position is in it, and what a cleaner is expected to do: ``clean``, ``refused``, or ``refused is
fine``.
"""

import argparse
import json
from pathlib import Path

from tests.adversary.cases import Case
from tests.adversary.families import FAMILIES, all_cases


def expected(case: Case) -> str:
    """Return what a cleaner is expected to do with a file."""
    if case.refused_as:
        return "refused"
    return "refused is fine" if case.is_refusable else "clean"


def main() -> None:
    """Write everything into a folder, the same bytes on every run."""
    parser = argparse.ArgumentParser(prog="python -m tests.adversary", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("family", nargs="*", choices=[[], *FAMILIES], default=[])
    asked = parser.parse_args()
    told = []
    for case in all_cases():
        if asked.family and case.family not in asked.family:
            continue
        path = asked.folder / case.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(case.data)
        told.append(
            {
                "file": case.name,
                "format": case.suffix,
                "place": case.place,
                "canary": case.word.canary.decode(),
                "spelling": "a number" if case.has_number else case.word.spelling,
                "traces": [code.hex() for code in case.word.numbers()],
                "gps": case.has_position,
                "tag_only": case.has_number,
                "canary_present": not case.has_number,
                "maybe_refuse": case.is_refusable or bool(case.refused_as),
                "expected": expected(case),
            }
        )
    (asked.folder / "manifest.json").write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
