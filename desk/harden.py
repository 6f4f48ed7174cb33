"""Keep what is opened inside this process.

Rule: an unlocked desk holds keys and opened reports in memory; it leaves no core file,
lets no other process of the same user read its memory, and makes no file that others
can read.  What is not defended: swap, hibernation, and whoever is root on this machine.
"""

import ctypes
import os
import resource

_PR_SET_DUMPABLE = 4
MEMORY = "/dev/shm"  # noqa: S108  # what lies here is on no disk


def harden_process() -> None:
    """Apply all three; a kernel that refuses the second is not a reason to refuse the work."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
