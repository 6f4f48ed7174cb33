"""The jailed end: one worker, one person's files, one after the other, and then no more.

Rule: everything is imported before the lock; behind it a worker can read from and write to its
one stream, read the memory that the gateway writes its files into, and nothing else.  A cleaner
that fails in whatever way becomes a refusal.
"""

import contextlib
import mmap

from sanitizer.errors import Malformed, Refused, TooComplex
from sanitizer.jail import wire
from sanitizer.jail.ends import GatewayGone, RemoteSource, SharedSource, Stream
from sanitizer.planned import PLANNED
from sanitizer.source import UntrustedSource


def serve(stream: Stream, memory: mmap.mmap | None = None) -> None:
    """Say that the lock is closed; clean one file after the other until the gateway has gone."""
    with contextlib.suppress(GatewayGone):
        stream.put(wire.frame(b"H"))
        while True:
            _, payload = stream.next()
            job = wire.Job.from_bytes(payload)
            source = (
                SharedSource(memory, job.length)
                if memory is not None and job.is_shared
                else RemoteSource(stream, job.length)
            )
            for data in _done(source, job):
                stream.put(data)


def _done(source: UntrustedSource, job: wire.Job) -> list[bytes]:
    """Clean one file; whatever a cleaner or its libraries do over it becomes a leaf of Refused."""
    try:
        return wire.answer(PLANNED[job.format](source, job.limits), source)
    except Refused as refused:
        told = refused
    except (MemoryError, RecursionError):
        told = TooComplex("the file asks for more memory than a worker has")
    except Exception:  # noqa: BLE001 - a library may raise what it likes: it did not say "clean"
        told = Malformed("the file broke its reader")
    return [wire.refusal(told)]
