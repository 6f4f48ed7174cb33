"""Jailed workers: what a hostile file can do in one, which is nothing."""

import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sanitizer.errors import (
    Malformed,
    TooComplex,
)
from sanitizer.jail.pool import Pool
from sanitizer.limits import Limits
from tests.sanitizer.jailed import hostile, needs_seccomp, once, serves, told
from tests.sanitizer.kit import CANARY

pytestmark = needs_seccomp


@pytest.fixture(scope="module")
def jailed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    """A pool whose cleaner runs the file as a program."""
    with hostile(tmp_path_factory.mktemp("zygote")) as pool:
        yield pool


@pytest.fixture(scope="module")
def unlocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    """The same, with no lock at all."""
    with hostile(tmp_path_factory.mktemp("zygote"), "unlocked") as pool:
        yield pool


DEEDS = {
    "read a file": "open('/etc/passwd')",
    "read a secret of its own process": "open('/proc/self/environ')",
    "list a folder": "os.listdir('/')",
    "write a file": "os.open('/tmp', os.O_TMPFILE | os.O_WRONLY)",
    "make a file of memory": "os.memfd_create('x')",
    "look at a file's status": "os.stat('/etc')",
    "connect": "socket.socket()",
    "talk to its machine": "socket.socket(socket.AF_UNIX)",
    "talk to itself": "socket.socketpair()",
    "make a process": "os.fork() or os._exit(0)",
    "signal a process": "os.kill(PID, 0)",
    "signal its group": "os.kill(0, 0)",
    "hold a process": "os.pidfd_open(PID)",
    "open more": "os.pipe()",
    "copy a descriptor": "os.dup(0)",
    "run memory": "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)",
    "sleep": "time.sleep(0)",
    "know its number": "if os.getpid() < 0: raise PermissionError(1, '')",
    "raise its limits": "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0))",
}


@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize("deed", DEEDS)
def test_a_file_that_takes_a_worker_over_cannot(jailed: Pool, deed: str) -> None:
    program = DEEDS[deed].replace("PID", str(os.getpid()))
    if deed == "raise its limits":
        # Not even imported: nothing can be opened any more.
        with pytest.raises(Malformed):
            once(jailed, program)
        return
    assert once(jailed, program) == ["EPERM"]


@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize("deed", sorted(set(DEEDS) - {"make a process"}))
def test_without_the_lock_it_could(unlocked: Pool, deed: str) -> None:
    assert once(unlocked, DEEDS[deed].replace("PID", str(os.getpid()))) == ["done"]


@pytest.mark.claim("C-JAIL")
def test_without_the_lock_it_could_make_processes(unlocked: Pool) -> None:
    program = "pid = os.fork()\nif not pid: os._exit(7)\ntell(os.waitpid(pid, 0)[1] >> 8)"
    assert once(unlocked, program) == [7]


SYSCALLS = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "execve": (59, 221), "prctl": (157, 167),
    "clone": (56, 220), "clone3": (435, 435), "openat": (257, 56), "openat2": (437, 437),
    "connect": (42, 203), "sendmsg": (46, 211), "recvmsg": (47, 212), "io_uring_setup": (425, 425),
    "bpf": (321, 280), "mount": (165, 40), "keyctl": (250, 219), "seccomp": (317, 277),
    "tgkill": (234, 131), "pwrite64": (18, 68), "ioctl": (16, 29), "unshare": (272, 97),
}  # fmt: skip


@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize("name", SYSCALLS)
def test_a_system_call_that_is_not_on_the_list_is_denied(jailed: Pool, name: str) -> None:
    number = SYSCALLS[name][platform.machine() != "x86_64"]
    program = f"if libc.syscall({number}, 0, 0, 0, 0) < 0: tell(ctypes.get_errno())"
    assert once(jailed, program) == [1]


@pytest.mark.claim("C-JAIL")
def test_nothing_of_the_gateway_is_in_a_worker(
    jailed: Pool, unlocked: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMANA_SECRET", CANARY.decode())
    assert once(jailed, "tell(dict(os.environ))") == [{"LC_ALL": "C"}]
    look = "tell(sorted(os.readlink('/proc/self/fd/%s' % n)[:6] for n in (0, 1, 2)))\n"
    look += "tell(len(os.listdir('/proc/self/fd')))"
    assert once(unlocked, look) == [["/dev/n", "/dev/n", "socket"], 4]


@pytest.mark.claim("C-JAIL")
def test_the_lock_needs_no_rights_that_an_ordinary_user_has_not(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("everybody else is an ordinary user already")
    with hostile(tmp_path, "nobody") as pool:
        for deed in ("read a file", "connect", "make a process"):
            assert once(pool, DEEDS[deed]) == ["EPERM"]
        assert serves(pool)


@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize(
    "program",
    [
        "bytearray(1 << 30)",
        "x = []\nwhile True: x.append(bytes(1 << 20))",
        "def f(n): return f(n + 1)\nf(0)",
    ],
)
def test_a_file_that_asks_for_too_much_memory_is_too_complex(jailed: Pool, program: str) -> None:
    with pytest.raises(TooComplex):
        once(jailed, program)
    assert serves(jailed)


@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize(
    "program", ["while True: pass", "(1 << 200_000_000) ** 99", "os.read(0, 1)"]
)
def test_a_file_that_takes_too_long_is_too_complex(jailed: Pool, program: str) -> None:
    begin = time.monotonic()
    with pytest.raises(TooComplex):
        once(jailed, program, Limits(worker_seconds=1))
    assert time.monotonic() - begin < 10
    assert serves(jailed)


@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize(
    "program",
    [
        "os._exit(0)",
        "ctypes.string_at(0)",
        "os.abort()",
        "while True: os.write(0, b'x' * 65536)",
        "os.write(0, wire.HEAD.pack(b'A', 1 << 31))\nwhile True: pass",
        "os.write(0, wire.frame(b'A', b'no words'))",
        "os.write(0, wire.frame(b'A', b'[]'))",
        "os.write(0, wire.frame(b'A', b'[' * 60000))",
        "os.write(0, wire.frame(b'E', b'{}'))",
        "os.write(0, wire.frame(b'H'))",
        "os.write(0, wire.frame(b'R', b'short'))",
        "os.write(0, wire.frame(b'R', wire.WANTED.pack(0, 1 << 30)))",
        "os.write(0, wire.frame(b'R', wire.WANTED.pack(1 << 40, 1)))",
        "raise KeyError",
        "raise EOFError",
    ],
)
def test_a_worker_that_breaks_or_lies_is_a_malformed_file(jailed: Pool, program: str) -> None:
    with pytest.raises(Malformed):
        once(jailed, program)
    assert serves(jailed)


@pytest.mark.claim("C-WORKER")
@pytest.mark.claim("C-JAIL")
def test_a_worker_serves_one_person_and_no_second(jailed: Pool) -> None:
    with jailed.lease() as lease:
        assert [told(lease, "SEEN.append(1); tell(len(SEEN))") for _ in range(3)] == [[1], [2], [3]]
        with pytest.raises(Malformed):
            told(lease, "raise KeyError")
        # A refusal of its own costs a person's worker nothing; a death costs it its memory.
        assert told(lease, "tell(len(SEEN))") == [3]
        with pytest.raises(Malformed):
            told(lease, "os._exit(0)")
        assert told(lease, "tell(len(SEEN))") == [0]
    for _ in range(5):
        assert once(jailed, "SEEN.append(1); tell(len(SEEN))") == [1]


@pytest.mark.claim("C-JAIL")
def test_no_time_left_is_no_time(jailed: Pool) -> None:
    with pytest.raises(TooComplex):
        once(jailed, "", Limits(worker_seconds=0))
