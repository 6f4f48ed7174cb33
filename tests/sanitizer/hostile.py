"""A zygote whose cleaners do as the file says: what a hostile file could do at its worst.

Run by tests.sanitizer.jailed in the zygote's place.  A file of "GIF89a" and a Python program is run
where a parser would run; started by the name "unlocked", without any lock: the control; by
the name "nobody", as an ordinary user.
"""

import _ctypes
import ctypes
import errno
import json
import mmap
import os
import socket
import sys
import time
from pathlib import Path

SEEN: list[object] = []


def obey() -> None:
    """Replace a cleaner by one that runs the file."""
    from sanitizer.detect import Format  # noqa: PLC0415 - only now is it known where it lies
    from sanitizer.jail import launcher, wire  # noqa: PLC0415 - the same
    from sanitizer.limits import Limits  # noqa: PLC0415 - the same
    from sanitizer.pieces import Plan  # noqa: PLC0415 - the same
    from sanitizer.planned import PLANNED  # noqa: PLC0415 - the same
    from sanitizer.result import Planned  # noqa: PLC0415 - the same
    from sanitizer.source import UntrustedSource  # noqa: PLC0415 - the same

    libc = ctypes.CDLL(None, use_errno=True)
    modules = (_ctypes, ctypes, json, mmap, os, socket, time, wire)
    names = {module.__name__.rpartition(".")[2]: module for module in modules}

    def run(source: UntrustedSource, limits: Limits) -> Planned:
        told: list[object] = []
        program = source.read_at(6, source.length).decode()
        try:
            exec(program, {**names, "libc": libc, "SEEN": SEEN, "tell": told.append, "lim": limits})  # noqa: S102 - that is what it is for
        except OSError as error:
            told.append(errno.errorcode[error.errno or 0])
        text = json.dumps(told or ["done"]).encode()
        return Planned(Plan(source, [b"GIF89a" + text]), set(), "image/gif", "gif")

    PLANNED[Format.GIF] = run
    if Path(sys.argv[0]).stem == "nobody":
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    if Path(sys.argv[0]).stem == "unlocked":
        for lock in ("shut", "limit", "landlock", "seccomp"):
            setattr(launcher, lock, lambda *_: None)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from sanitizer.jail import zygote

    zygote.main(obey)
