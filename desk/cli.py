"""amana-desk: keys, sync, cases, answers, pages; on an operator's own machine.

Exit 0: done.  1: it could not be done, said on stderr.  2: the command line was not
understood.  3: done, and there are alarms.
"""

# Importing them registers their commands with the group.
from desk import (
    commands,
    commands_of_custody,
    commands_of_home,
    commands_of_list,
    commands_of_room,
    commands_of_transmission,
    commands_of_work,
    setup,
)
from desk.program import main


def _pages() -> None:
    from desk import commands_of_pages  # noqa: F401, PLC0415  # the web's libraries


def _sight() -> None:
    from desk import commands_of_sight  # noqa: F401, PLC0415  # the sanitizer, for its jail


def _wall() -> None:
    from desk import commands_of_wall  # noqa: F401, PLC0415  # what draws it


def _similar() -> None:
    from desk import commands_of_similar  # noqa: F401, PLC0415  # as above


# Half a second that `list` need not wait for.
main.later = {
    "file": _sight,
    "preview": _sight,
    "quarantine": _sight,
    "redact": _sight,
    "serve": _pages,
    "similar": _similar,
    "wall": _wall,
}

__all__ = [
    "commands",
    "commands_of_custody",
    "commands_of_home",
    "commands_of_list",
    "commands_of_room",
    "commands_of_transmission",
    "commands_of_work",
    "main",
    "setup",
]
