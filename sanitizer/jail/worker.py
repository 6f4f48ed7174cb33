"""The jailed end: one worker, one person's files, one after the other, and then no more.

Rule: everything is imported before the lock; behind it a worker can read from and write to its
one stream, read the memory that the gateway writes its files into, and nothing else.  A cleaner
that fails in whatever way becomes a refusal.
"""

import mmap

from sanitizer.jail import ends, wire
from sanitizer.planned import PLANNED
from sanitizer.source import UntrustedSource


def serve(stream: ends.Stream, memory: mmap.mmap | None = None) -> None:
    """Say that the lock is closed; clean one file after the other until the gateway has gone."""
    ends.serve(stream, memory, wire.Job.from_bytes, _clean)


def _clean(source: UntrustedSource, job: wire.Job) -> list[bytes]:
    return wire.answer(PLANNED[job.format](source, job.limits), source)
