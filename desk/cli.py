"""amana-desk: keys, sync, cases, answers, pages; on an operator's own machine.

Exit 0: done.  1: it could not be done, said on stderr.  2: the command line was not
understood.  3: done, and there are alarms.
"""

# Importing them registers their commands with the group.
from desk import (
    commands,
    commands_of_custody,
    commands_of_list,
    commands_of_room,
    commands_of_sight,
    commands_of_similar,
    commands_of_transmission,
    commands_of_work,
    setup,
)
from desk.program import main

__all__ = [
    "commands",
    "commands_of_custody",
    "commands_of_list",
    "commands_of_room",
    "commands_of_sight",
    "commands_of_similar",
    "commands_of_transmission",
    "commands_of_work",
    "main",
    "setup",
]
