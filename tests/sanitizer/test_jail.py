"""The jail: what a program inside it can and cannot do."""

import dataclasses
import errno
import os
import platform
import struct
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sanitizer.errors import JailUnavailable, Malformed, Refused, TooComplex, TooLarge
from sanitizer.jail import launcher
from sanitizer.jail import program as jail_module
from sanitizer.jail.program import Jail, ffmpeg_jail, shared_objects
from sanitizer.limits import Limits
from tests.sanitizer.kit import CANARY, clean
from tests.support.media import phone_video

PYTHON = str(Path(sys.executable).resolve())
# Python's own library, and the system's, where the one behind ctypes lies.
LIBRARY = [
    sysconfig.get_path("stdlib"),
    *(
        str(Path(folder).resolve())
        for folder in ("/usr/lib", "/usr/lib64")
        if Path(folder).exists()
    ),
]
needs_locks = pytest.mark.skipif(
    not ffmpeg_jail().is_whole, reason="this kernel has no Landlock or no seccomp"
)


@pytest.fixture(scope="module")
def python() -> Jail:
    """Return a jail whose prisoner is Python with its library: far more than ffmpeg has."""
    return Jail.around(PYTHON, LIBRARY)


def inside(jail: Jail, program: str, limits: Limits | None = None, feed: bytes = b"") -> bytes:
    """Run a probe in the jail and return what it writes."""
    arguments = ["-I", "-S", "-c", program]
    given = iter([feed] if feed else [])
    return b"".join(jail.run(arguments, given, limits or Limits(), 1 << 20))


def attempt(jail: Jail, deed: str) -> str:
    """Return ``done``, or the name of the error that a deed ends with."""
    program = (
        "import os, errno, sys\ntry:\n    " + deed.replace("\n", "\n    ")
        + "\nexcept OSError as e: print(errno.errorcode[e.errno])\nelse: print('done')"
    )  # fmt: skip
    return inside(jail, program).decode().strip()


@needs_locks
@pytest.mark.claim("C-JAIL")
def test_a_program_in_the_jail_can_compute_and_copy(python: Jail) -> None:
    program = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])"
    assert inside(python, program, feed=b"abc") == b"cba"
    assert attempt(python, "1 + 1") == "done"


@needs_locks
@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize(
    "deed",
    [
        "open('/etc/passwd')",
        "open('/proc/self/environ')",
        "os.listdir('/')",
        "os.open('/tmp/amana-escaped', os.O_WRONLY | os.O_CREAT)",
        "os.open('/dev/shm/amana-escaped', os.O_WRONLY | os.O_CREAT)",
        "os.mkdir('/tmp/amana-escaped')",
        "os.unlink('/tmp/amana-escaped')",
        "os.symlink('/etc/passwd', '/tmp/amana-escaped')",
        "os.rename('/tmp/a', '/tmp/b')",
        "os.chmod('/tmp', 0o777)",
        "os.memfd_create('x')",
        "os.fork()",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv('/bin/sh', ['sh', '-c', 'echo escaped'])",
        "os.kill(os.getppid(), 9)",
        "os.kill(1, 0)",
        "os.pidfd_open(os.getppid())",
        "os.open('/proc/%d/mem' % os.getppid(), os.O_RDWR)",
    ],
)
def test_a_program_in_the_jail_can_not(python: Jail, deed: str) -> None:
    assert attempt(python, deed) in {"EACCES", "EPERM", "ENOSYS", "EXDEV"}


SYSCALLS = {
    "socket": (41, 198, (2, 1, 0)), "unix socket": (41, 198, (1, 1, 0)),
    "socketpair": (53, 199, (1, 1, 0)), "ptrace": (101, 117, (16, 1, 0)),
    "process_vm_readv": (310, 270, (1, 0, 0)), "keyctl": (250, 219, (0, 0, 0)),
    "bpf": (321, 280, (0, 0, 0)), "userfaultfd": (323, 282, (0, 0, 0)),
    "io_uring_setup": (425, 425, (1, 0, 0)), "mount": (165, 40, (0, 0, 0)),
    "unshare": (272, 97, (0x10000000, 0, 0)), "clone": (56, 220, (17, 0, 0)),
    "clone3": (435, 435, (0, 0, 0)), "prctl": (157, 167, (22, 0, 0)),
    "perf_event_open": (298, 241, (0, 0, 0)), "execveat": (322, 281, (0, 0, 0)),
}  # fmt: skip


@needs_locks
@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize("name", SYSCALLS)
def test_a_system_call_that_could_lead_out_is_denied(python: Jail, name: str) -> None:
    wide, generic, arguments = SYSCALLS[name]
    number = wide if os.uname().machine == "x86_64" else generic
    program = (
        "import ctypes, errno\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        f"r = libc.syscall({number}, *{arguments!r})\n"
        "print('done' if r >= 0 else errno.errorcode[ctypes.get_errno()])"
    )
    expected = "ENOSYS" if name == "clone3" else "EPERM"
    assert inside(python, program).decode().strip() == expected


@needs_locks
@pytest.mark.claim("C-JAIL")
def test_the_probes_can_do_all_that_outside_the_jail() -> None:
    program = "import os, socket; socket.socket(); open('/etc/passwd'); os.fork() or os._exit(0)"
    subprocess.run([PYTHON, "-I", "-S", "-c", program], check=True)


@needs_locks
@pytest.mark.claim("C-JAIL")
def test_nothing_of_the_gateway_is_inherited(python: Jail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMANA_SECRET", CANARY.decode())
    descriptor = os.memfd_create("secret")
    os.set_inheritable(descriptor, True)  # noqa: FBT003 - the library's signature
    try:
        program = (
            "import os\nopen_ = []\nfor fd in range(3, 32):\n"
            "    try: os.fstat(fd); open_.append(fd)\n    except OSError: pass\n"
            "print(dict(os.environ), open_, os.getcwd())"
        )
        assert inside(python, program).decode().strip() == "{'LC_ALL': 'C'} [] /"
    finally:
        os.close(descriptor)


@needs_locks
@pytest.mark.claim("C-JAIL")
def test_threads_work_because_ffmpeg_has_some(python: Jail) -> None:
    program = (
        "import _thread, time\ndone = []\n_thread.start_new_thread(done.append, (1,))\n"
        "while not done: time.sleep(0.01)\nprint('thread')"
    )
    assert inside(python, program) == b"thread\n"


@needs_locks
@pytest.mark.claim("C-JAIL")
def test_writing_more_than_allowed_ends_the_run(python: Jail) -> None:
    endless = "import os\nwhile True: os.write(1, b'x' * 65536)"
    with pytest.raises(TooLarge):
        inside(python, endless)
    with pytest.raises(TooComplex):
        inside(python, endless.replace("1,", "2,"))


@needs_locks
@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize(
    "program",
    [
        "import time; time.sleep(60)",
        "import os, time; os.close(1); os.close(2); os.close(0); time.sleep(60)",
    ],
)
def test_running_longer_than_allowed_ends_the_run(python: Jail, program: str) -> None:
    begin = time.monotonic()
    with pytest.raises(TooComplex):
        inside(python, program, Limits(child_seconds=1))
    assert time.monotonic() - begin < 10


@needs_locks
@pytest.mark.claim("C-JAIL")
def test_memory_and_processor_time_are_bounded(python: Jail) -> None:
    with pytest.raises(Malformed):
        inside(python, "x = bytearray(1 << 30)", Limits(child_memory_bytes=256 << 20))
    with pytest.raises(Malformed):
        inside(python, "while True: pass", Limits(child_cpu_seconds=1))


@needs_locks
@pytest.mark.claim("C-JAIL")
def test_the_jail_needs_no_rights_that_an_ordinary_user_has_not() -> None:
    number = 126 if os.uname().machine == "x86_64" else 91
    program = (
        "import ctypes, struct, sys\n"
        f"sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r})\n"
        "libc = ctypes.CDLL(None)\n"
        "for right in range(41): libc.prctl(24, right, 0, 0, 0)\n"
        f"assert libc.syscall({number}, struct.pack('Ii', 0x20080522, 0), bytes(24)) == 0\n"
        "print([l for l in open('/proc/self/status') if l.startswith('CapEff')][0].split()[1])\n"
        "from sanitizer.jail.program import ffmpeg_jail\nfrom sanitizer.limits import Limits\n"
        "run = ffmpeg_jail().run(['-hide_banner', '-version'], iter([]), Limits(), 1 << 20)\n"
        "print(b''.join(run).startswith(b'ffmpeg version'))"
    )
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert made.stdout.split() == [b"0" * 16, b"True"]


@needs_locks
@pytest.mark.claim("C-JAIL")
def test_a_hostile_ffmpeg_is_contained() -> None:
    """A program that answers with whatever it likes yields a refusal and no file."""
    hostile = Jail.around(PYTHON, LIBRARY)
    deeds = [
        "print('ftyp' * 1000)",
        "import sys; sys.exit(1)",
        "pass",
        "import os; os.kill(os.getpid(), 9)",
    ]
    for deed in deeds:
        fake = Fake(hostile, deed)
        with pytest.raises(Refused):
            clean(phone_video(CANARY), jail=fake)  # type: ignore[arg-type]


class Fake:
    """A jail whose ffmpeg is a Python program."""

    def __init__(self, jail: Jail, program: str) -> None:
        self._jail, self._program = jail, program

    def run(
        self, _arguments: list[str], feed: Iterator[bytes], limits: Limits, most: int
    ) -> Iterator[bytes]:
        """Run the program in ffmpeg's place."""
        return self._jail.run(["-I", "-S", "-c", self._program], feed, limits, most)


@needs_locks
def test_a_jail_that_does_not_lock_is_unavailable(python: Jail) -> None:
    broken = dataclasses.replace(python, libraries=("/nowhere/at/all",))
    with pytest.raises((JailUnavailable, Malformed)):
        inside(broken, "pass")
    gone = dataclasses.replace(python, program="/nowhere/at/all", libraries=())
    with pytest.raises((JailUnavailable, Malformed)):
        inside(gone, "pass")


@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize("missing", ["Landlock", "seccomp"])
def test_where_a_lock_is_missing_video_is_refused_not_risked(missing: str) -> None:
    open_ = (
        dataclasses.replace(ffmpeg_jail(), landlock_abi=0)
        if missing == "Landlock"
        else dataclasses.replace(ffmpeg_jail(), has_seccomp=False)
    )
    assert open_.describe()["usable"] is False
    with pytest.raises(JailUnavailable):
        clean(phone_video(CANARY), jail=open_)


def test_other_systems_than_linux_have_no_jail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert not Jail.around(PYTHON).is_whole


def test_the_jail_says_what_protects_this_machine() -> None:
    told = ffmpeg_jail().describe()
    assert set(told) >= {"usable", "landlock_abi", "seccomp", "rlimits"}


def test_only_what_ffmpeg_needs_can_be_read() -> None:
    jail = ffmpeg_jail()
    assert all(Path(path).is_file() for path in jail.libraries)
    assert all(".so" in Path(path).name for path in jail.libraries)


def test_a_script_and_a_static_program_have_no_shared_objects(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    assert shared_objects(str(script)) == ()
    static = tmp_path / "static"
    static.write_bytes(
        b"\x7fELF\x02".ljust(32, b"\0") + struct.pack("<Q14xHH2x", 64, 56, 0).ljust(40, b"\0")
    )
    assert shared_objects(str(static)) == ()


def test_no_cache_of_the_loader_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jail_module, "_CACHE", "/nowhere/at/all")
    assert "/nowhere/at/all" not in shared_objects(PYTHON)


@pytest.mark.parametrize("machine", sorted(launcher.ARCHITECTURES))
def test_the_filter_kills_foreign_calls_and_denies_the_listed(machine: str) -> None:
    program = launcher.filter_program(machine)
    steps = [struct.unpack_from("<HBBI", program, at) for at in range(0, len(program), 8)]
    for number in (*launcher.denied(machine), 435, 0):
        expected = {435: 0x00050000 | errno.ENOSYS, 0: 0x7FFF0000}.get(
            number, 0x00050000 | errno.EPERM
        )
        assert answer(steps, launcher.ARCHITECTURES[machine], number) == expected
    assert answer(steps, 0x40000003, 1) == 0x80000000
    clone = {"x86_64": 56, "aarch64": 220}[machine]
    assert answer(steps, launcher.ARCHITECTURES[machine], clone, 0x10000) == 0x7FFF0000
    assert answer(steps, launcher.ARCHITECTURES[machine], clone, 17) == 0x00050000 | errno.EPERM
    if machine == "x86_64":
        assert answer(steps, launcher.ARCHITECTURES[machine], 0x40000001) == 0x80000000


def answer(steps: list[tuple[int, int, int, int]], arch: int, number: int, flags: int = 0) -> int:
    """Run a filter as the kernel does."""
    words = {0: number, 4: arch, 16: flags}
    at = value = 0
    while True:
        code, yes, no, operand = steps[at]
        at += 1
        if code == 0x20:
            value = words[operand]
        elif code == 0x06:
            return operand
        else:
            met = value == operand if code == 0x15 else bool(value & operand)
            at += yes if met else no


@pytest.mark.parametrize(
    ("abi", "rights"),
    [(1, ((1 << 13) - 1, 0, 0)), (4, ((1 << 15) - 1, 3, 0)), (7, ((1 << 16) - 1, 3, 3))],
)
def test_each_landlock_takes_away_all_that_it_can(abi: int, rights: tuple[int, int, int]) -> None:
    assert launcher.landlock_access(abi) == rights
