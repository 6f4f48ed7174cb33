"""``amana-sanitize IN OUT``: clean one file, alone.

Rule: exit 0 and OUT is clean; exit 3 and there is no OUT, the reason on stderr; exit 2 for a
command that cannot be understood. OUT appears whole or not at all.
"""

import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path

import click

from sanitizer.clean import sanitize
from sanitizer.errors import Refused
from sanitizer.limits import Limits
from sanitizer.source import FileSource

REFUSED = 3


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("untrusted", metavar="IN", type=click.Path(exists=True, dir_okay=False))
@click.argument("out", metavar="OUT", type=click.Path(dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print what was found and removed.")
def main(untrusted: str, out: str, *, as_json: bool) -> None:
    """Write a copy of IN without its metadata to OUT: JPEG, PNG, MP4 and MOV."""
    target = Path(out)
    try:
        folder = target.absolute().parent
        descriptor, name = tempfile.mkstemp(prefix=".amana-", dir=folder)
    except OSError:
        raise click.UsageError("OUT cannot be written") from None
    try:
        told = _clean(Path(untrusted), descriptor)
        Path(name).replace(target)
    except Refused as refusal:
        print(f"refused: {refusal.reason}: {refusal.detail}", file=sys.stderr)
        if as_json:
            print(json.dumps({"clean": False, "reason": refusal.reason}))
        sys.exit(REFUSED)
    except OSError:
        raise click.UsageError("IN cannot be read or OUT cannot be written") from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
    if as_json:
        print(json.dumps(told))


def _clean(path: Path, descriptor: int) -> dict[str, object]:
    """Write the clean form of a file into a descriptor, closed in any case."""
    with os.fdopen(descriptor, "wb") as file, FileSource(path) as source:
        clean = sanitize(source, Limits())
        for data in clean.chunks():
            file.write(data)
        facts = clean.facts
    return {
        "clean": True,
        "media_type": clean.media_type,
        "bytes": facts.length,
        "sha256": facts.sha256.hex(),
        "removed": list(facts.removed),
    }
