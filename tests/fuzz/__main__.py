"""``make fuzz``: every format in its turn, a process each; a line for each, and for each finding.

A finding is a file in FOLDER (``--findings``) and a line that says what it breaks; the exit
status is then not zero.  Without ``--runs``, about a million inputs in all: a night's work.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz import oracle
from tests.fuzz.grammar import GRAMMARS
from tests.fuzz.seeds import seeds

_MILLION = 1_000_000
_MOST_FINDINGS = 10
_SECONDS = 10
"""Longest that one input may take."""
_MEBIBYTES = 512
"""Most memory of the whole process, the interpreter and libFuzzer's corpus included."""
_LONGEST = 64 << 10
_SEEN = re.compile(rb"^#(\d+)\s", re.MULTILINE)
_FOUND = re.compile(rb"^(?:\S*Found: |==\d+== ERROR: libFuzzer: )(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Round:
    """How one process of libFuzzer ended: inputs tried, inputs cleaned, and what it found."""

    inputs: int
    cleaned: int
    found: str


def once(name: str, folder: Path, findings: Path, runs: int) -> Round:
    """Let libFuzzer try ``runs`` inputs of a format, or fewer where it finds something.

    Raises RuntimeError where it ends without having found anything.
    """
    prefix = findings / (re.sub(r"\W+", "-", name) + "-")
    log = folder / "log"
    command = [
        sys.executable, "-m", "tests.fuzz.target", name, str(folder),
        str(folder / "seeds"), f"-runs={runs}", f"-timeout={_SECONDS}",
        f"-rss_limit_mb={_MEBIBYTES}", f"-max_len={_LONGEST}", f"-artifact_prefix={prefix}",
        "-reload=0", "-print_final_stats=1",
    ]  # fmt: skip
    (folder / "cleaned").write_text("0")
    with log.open("wb") as stream:
        ended = subprocess.run(command, check=False, stdout=stream, stderr=stream)
    told = log.read_bytes()
    inputs = max(map(int, _SEEN.findall(told)), default=0)
    cleaned = int((folder / "cleaned").read_text())
    if not ended.returncode:
        return Round(inputs, cleaned, "")
    said = _FOUND.search(told)
    if said is None:
        last = told.decode(errors="replace").splitlines()[-1:]
        raise RuntimeError(f"libFuzzer ended with {ended.returncode}: {' '.join(last)}")
    return Round(inputs, cleaned, said[1].decode(errors="replace"))


def fuzz(name: str, started: dict[bytes, list[bytes]], findings: Path, runs: int) -> int:
    """Fuzz one format; print what it comes to; return how much was found."""
    found, done, cleaned, begun = 0, 0, 0, time.monotonic()
    known: set[str] = set()
    whole = 0
    words = sorted({word for each in started.values() for word in each})
    with tempfile.TemporaryDirectory(prefix="amana-fuzz-") as temporary:
        folder = Path(temporary)
        (folder / "seeds").mkdir()
        (folder / "words").write_text("\n".join(word.hex() for word in words) or "00" * 16)
        for number, data in enumerate(started):
            try:
                whole += oracle.judge(name, data, words)
            except oracle.Found as broken:
                if str(broken) not in known:
                    path = findings / f"{re.sub(r'[^A-Za-z]+', '-', name)}-seed-{number}"
                    path.write_bytes(data)
                    sys.stdout.write(f"{name}: {broken}: {path}\n")
                known.add(str(broken))
                continue
            (folder / "seeds" / str(number)).write_bytes(data)
        if not whole:
            sys.stdout.write(f"{name}: none of its seeds can be cleaned\n")
            return 1
        found = len(known)
        (folder / "known").write_text("".join(f"{each}\n" for each in known))
        while done < runs and found < _MOST_FINDINGS:
            before = set(findings.iterdir())
            ended = once(name, folder, findings, runs - done)
            done, cleaned = done + max(1, ended.inputs), cleaned + ended.cleaned
            if not ended.found:
                break
            found += 1
            new = sorted(str(path) for path in set(findings.iterdir()) - before)
            sys.stdout.write(f"{name}: {ended.found}: {' '.join(new)}\n")
            sys.stdout.flush()
    took = time.monotonic() - begun
    rate = done / max(took, 0.001)
    told = f"{name}: {done} inputs in {took:.0f} s, {rate:.0f} a second"
    sys.stdout.write(f"{told}, {100 * cleaned // max(done, 1)} % cleaned; {found} found\n")
    sys.stdout.flush()
    return found


def main() -> int:
    """Fuzz what the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--format", action="append", choices=GRAMMARS, metavar="NAME")
    parser.add_argument("--runs", type=int, help="inputs for each format")
    parser.add_argument("--findings", type=Path, default=Path("build/findings"))
    asked = parser.parse_args()
    if find_spec("atheris") is None:
        parser.error(
            "atheris is missing, which is made for Linux on x86-64 and Python 3.11 to 3.14 alone; "
            "there, `make fuzz` installs it"
        )
    asked.findings.mkdir(parents=True, exist_ok=True)
    names = asked.format or list(GRAMMARS)
    runs = asked.runs or _MILLION // len(names)
    started = seeds(names)
    found = sum(fuzz(name, started[name], asked.findings, runs) for name in names)
    sys.stdout.write(f"{found} found, in {asked.findings}\n" if found else "nothing found\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
