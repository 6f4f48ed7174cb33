"""A folder or a file of this machine, as somebody typed its path into a form.

Rule: the pages are served on the operator's own machine, so a path is that machine's: it begins
with `/` or `~/`, and is whole.  What may be written there is the engine's own question.
"""

from __future__ import annotations

from pathlib import Path

from desk.errors import ExportRefused
from desk.sentence import Sentence

PATH_MOST = 4096
_SHOWN = 200


def place(untrusted: str) -> Path:
    """Read a path; `..` and links in it are not followed here.

    Raises:
        ExportRefused: there is none, it is not whole, or it holds what no path should.
    """
    typed = untrusted.strip()
    if not typed:
        raise ExportRefused(Sentence("Say where: the path of a folder on this machine."))
    try:
        if len(typed) <= PATH_MOST and typed.isprintable() and typed.startswith(("/", "~/")):
            return Path(typed).expanduser()
    except RuntimeError:
        # Whoever runs this has no home.
        pass
    raise ExportRefused(
        Sentence(
            "A path begins with {root} or {home}, and is one line: {path}",
            root="/", home="~/", path=typed[:_SHOWN],
        )
    )  # fmt: skip
