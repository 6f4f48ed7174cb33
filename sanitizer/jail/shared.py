"""Memory through which a file goes to one worker: the gateway writes it, the worker reads it.

Rule: one memory for one worker; it ends with that worker's lease and is never handed on.  It is
sealed before anybody else has it: nobody can make it longer or shorter, and nobody but the
gateway, through the one mapping that it had by then, can write into it.  The gateway writes and
never reads: what it checks and passes on is a copy of its own.
"""

import fcntl
import mmap
import os

from sanitizer.pieces import HELD

BYTES = HELD
"""How much there is, and so the longest file that goes this way; longer ones go by windows."""
# <linux/fcntl.h>, since Linux 5.1: no writing but through mappings that there are already.
_F_SEAL_FUTURE_WRITE = 0x10


class SharedMemory:
    """The gateway's end."""

    def __init__(self) -> None:
        """Make an empty one, and seal it; raises OSError where the kernel cannot."""
        self.descriptor = os.memfd_create("amana", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(self.descriptor, BYTES)
            self._written = mmap.mmap(self.descriptor, BYTES)
            seals = fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | _F_SEAL_FUTURE_WRITE
            fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, seals | fcntl.F_SEAL_SEAL)
        except OSError:
            os.close(self.descriptor)
            raise

    def write(self, data: bytes) -> None:
        """Put a file at the beginning; no more than ``BYTES``."""
        self._written[: len(data)] = data

    def close(self) -> None:
        """Give it back to the kernel, once the worker is gone, too."""
        self._written.close()
        os.close(self.descriptor)


def read_only(descriptor: int) -> mmap.mmap:
    """Return the worker's end; the seal keeps it from ever becoming writable."""
    return mmap.mmap(descriptor, BYTES, prot=mmap.PROT_READ)
