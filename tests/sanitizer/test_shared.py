"""The memory that files reach a worker through: what is in it, who can write it, when it ends."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sanitizer.detect import Format
from sanitizer.errors import Malformed
from sanitizer.jail import shared, wire
from sanitizer.jail.pool import Lease, Pool
from sanitizer.limits import Limits
from sanitizer.source import MemorySource
from tests.sanitizer.jailed import PHOTO, hostile, needs_seccomp, once, open_now, serves, told
from tests.sanitizer.kit import CANARY, clean

pytestmark = needs_seccomp

# How a file that has taken its worker over comes by the source that it is read from.
SOURCE = "import sys; source = sys._getframe(1).f_locals['source']; memory = source._memory\n"
# Where a mapping lies: the first field of CPython's mmap object.
ADDRESS = "at = ctypes.c_void_p.from_address(id(memory) + 16)\n"


@pytest.fixture(scope="module", params=["hostile", "unlocked"])
def taken(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pool]:
    """A pool whose cleaner runs the file as a program, with its lock and without."""
    with hostile(tmp_path_factory.mktemp("zygote"), request.param) as pool:
        yield pool


@pytest.fixture(scope="module")
def jailed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    """A pool whose cleaner runs the file as a program."""
    with hostile(tmp_path_factory.mktemp("zygote")) as pool:
        yield pool


def memory_of(lease: Lease) -> shared.SharedMemory:
    assert lease._mine is not None
    memory = lease._mine[1].memory
    assert memory is not None
    return memory


@pytest.mark.claim("C-JAIL")
def test_a_worker_can_read_its_file_there_and_write_nothing(taken: Pool) -> None:
    look = SOURCE + "tell(memory[:6].decode())"
    assert once(taken, look) == ["GIF89a"]
    # EACCES from the seal, lock or no lock: not by mprotect, and not by mapping it anew.
    change = SOURCE + ADDRESS
    change += "tell(libc.mprotect(at, 4096, mmap.PROT_READ | mmap.PROT_WRITE))\n"
    change += "tell(ctypes.get_errno())\ntell(memory[:6].decode())"
    assert once(taken, change) == [-1, 13, "GIF89a"]
    with pytest.raises(Malformed):
        once(taken, SOURCE + "memory[0] = 0")


@pytest.mark.claim("C-JAIL")
def test_without_the_seal_it_could_be_written(
    jailed: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(shared, "_F_SEAL_FUTURE_WRITE", 0)
        pool = Pool(program=jailed._program)
        change = SOURCE + ADDRESS
        change += "tell(libc.mprotect(at, 4096, mmap.PROT_READ | mmap.PROT_WRITE))\n"
        assert once(pool, change) == [0]
        pool.close()


@pytest.mark.claim("C-JAIL")
def test_what_is_judged_and_passed_on_is_not_what_lies_there(
    jailed: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = wire.read_answer

    def overwrite(lease: Lease) -> None:
        memory_of(lease).write(CANARY * (shared.BYTES // len(CANARY)))

    with jailed.lease() as lease, MemorySource(PHOTO) as source:

        def late(untrusted: bytes, take: wire.Take, job: wire.Job) -> wire.Answer:
            # As if the worker could write while it answers.
            overwrite(lease)
            return read(untrusted, take, job)

        monkeypatch.setattr(wire, "read_answer", late)
        made = lease.clean(Format.JPEG, source, Limits())
        overwrite(lease)
        assert b"".join(made.plan.chunks()) == clean(PHOTO)


@pytest.mark.claim("C-WORKER")
def test_nothing_of_one_person_is_in_the_memory_of_another(jailed: Pool) -> None:
    secret = f"# {'x' * 5000} {CANARY.decode()}"
    half = len(CANARY) // 2
    needle = f"{CANARY[:half].decode()!r} + {CANARY[half:].decode()!r}"
    look = f"{SOURCE}tell(memory.find(({needle}).encode()) > 0)"
    with jailed.lease() as first, jailed.lease() as second:
        assert told(first, secret) == ["done"]
        assert told(second, look) == [False]
        # The control: in the memory of its own person it is found.
        assert told(first, look) == [True]
        memory = memory_of(first)
        assert memory is not memory_of(second)
        mine = os.fstat(memory.descriptor).st_ino
        assert mine in descriptors()
    assert memory._written.closed
    assert mine not in descriptors()
    with jailed.lease() as third:
        assert told(third, look) == [False]


def descriptors() -> set[int]:
    """The files that this process holds open, by their inodes."""
    return {path.stat().st_ino for path in Path("/proc/self/fd").iterdir() if path.exists()}


@pytest.mark.claim("C-WORKER")
def test_the_rest_of_a_longer_file_is_no_part_of_the_next(jailed: Pool) -> None:
    look = SOURCE + "told = [len(read(0, 1 << 40)) for read in (source.read_at, source.view_at)]\n"
    look += "told += [len(source.read_at(source.length + by, 9)) for by in (0, 9)]\n"
    look += "tell(told); tell(memory[source.length : source.length + 4].decode())"
    with jailed.lease() as lease:
        assert told(lease, "#" + "long" * 5000) == ["done"]
        lengths, behind = told(lease, look)
    assert lengths == [len(b"GIF89a" + look.encode())] * 2 + [0, 0]
    # The control: it does lie there, for its own person's worker alone.
    assert set(str(behind)) == set("long")


@pytest.mark.claim("C-JAIL")
def test_a_worker_that_names_bytes_behind_its_file_is_not_believed(jailed: Pool) -> None:
    program = (
        "words = json.dumps({'kinds': [], 'media_type': 'image/gif', 'extension': 'gif',"
        " 'is_rebuilt': False, 'pieces': 2}).encode()\n"
        "places = wire.PIECE.pack(0, 6) + wire.PIECE.pack(6, 5000)\n"
        "os.write(0, wire.frame(b'A', words) + places)"
    )
    with jailed.lease() as lease:
        assert told(lease, "#" + "long" * 5000) == ["done"]
        with pytest.raises(Malformed):
            told(lease, program)
    assert serves(jailed)


def test_where_nothing_can_be_sealed_files_go_over_the_stream(
    jailed: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError

    before = open_now()
    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "fcntl", fail)
        pool = Pool(program=jailed._program)
        with pool.lease() as lease:
            kind = "import sys; tell(type(sys._getframe(1).f_locals['source']).__name__)"
            assert told(lease, kind) == ["RemoteSource"]
            assert lease._mine is not None
            assert lease._mine[1].memory is None
        assert serves(pool)
        pool.close()
    assert not open_now() - before
