"""The jail: what a program inside it can and cannot do."""

import dataclasses
import errno
import os
import platform
import resource
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sanitizer.errors import JailUnavailable, Malformed, Refused, TooComplex, TooLarge
from sanitizer.jail import allowed_ffmpeg, filters, launcher
from sanitizer.jail import program as jail_module
from sanitizer.jail.program import Jail, ffmpeg_jail, shared_objects
from sanitizer.limits import Limits
from tests.sanitizer.kernel import ALLOWED, ENOSYS, EPERM, FOREIGN, KILLED, answer
from tests.sanitizer.kit import CANARY, clean
from tests.sanitizer.prisoner import (
    SPIN,
    TEXT,
    at_large,
    call,
    children,
    locked,
    made,
    needs_locks,
    needs_prisoner,
    results,
    told,
)
from tests.support.containers import recorded

PYTHON = str(Path(sys.executable).resolve())
MACHINES = sorted(filters.ARCHITECTURES)
NEWEST = 600
"""More system calls than there are."""
NEEDLESS = ("mmap", "mprotect", "prlimit64")
"""Conditional calls that pass with zeros for arguments."""


def broadcast() -> bytes:
    """Return a file that needs ffmpeg."""
    return recorded("mpegts", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "5", "-c:a", "aac")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the program that makes whatever calls it is told to make."""
    return made(tmp_path_factory.mktemp("prisoner"))


@pytest.fixture(scope="module")
def prisoner(path: Path) -> Jail:
    """Return a jail around it, with ffmpeg's filter."""
    return locked(path)


# --- The filter, as the kernel runs it -----------------------------------------------------------


@needs_prisoner
@pytest.mark.claim("C-JAIL")
def test_a_program_in_the_jail_can_read_compute_and_write(prisoner: Jail) -> None:
    write = call(1, 1, TEXT, 3, text=b"abc")
    assert told(prisoner, iter([write])) == b"abc" + struct.pack("<q", 3)
    assert results(prisoner, *[call(1, 1, TEXT, 0)] * 2000) == [0] * 2000
    # More at once than a pipe holds.
    assert results(prisoner, call(1, 1, TEXT, 0) * 5000) == [0] * 5000


@needs_prisoner
@pytest.mark.claim("C-JAIL")
def test_every_system_call_that_is_not_listed_fails(prisoner: Jail) -> None:
    listed = set(allowed_ffmpeg.ALLOWED["x86_64"].values())
    listed |= {allowed_ffmpeg.CONDITIONAL["x86_64"][name] for name in NEEDLESS}
    # uretprobe and uprobe: the kernel itself asks no filter, and nobody but its own trampolines.
    listed |= {335, 336}
    numbers = [number for number in range(NEWEST) if number not in listed]
    found = results(prisoner, *(call(number) for number in numbers))
    expected = {435: -errno.ENOSYS}
    assert found == [expected.get(number, -errno.EPERM) for number in numbers]
    assert len(listed) + len(numbers) == NEWEST


AT_HERE = -100
# By name: the number, and its arguments; a file of ours is the text, a process of ours VICTIM.
VICTIM = object()
DEEDS: dict[str, tuple[object, ...]] = {
    "fchmodat2": (452, AT_HERE, TEXT, 0o777, 0),
    "chmod": (90, TEXT, 0o777),
    "fchmodat": (268, AT_HERE, TEXT, 0o777),
    "chown": (92, TEXT, -1, -1),
    "utimensat": (280, AT_HERE, TEXT, 0, 0),
    "utime": (132, TEXT, 0),
    "truncate": (76, TEXT, 0),
    "link": (86, TEXT, TEXT + 200),
    "rename": (82, TEXT, TEXT + 200),
    "unlink": (87, TEXT),
    "stat": (4, TEXT, TEXT + 200),
    "lstat": (6, TEXT, TEXT + 200),
    "statx": (332, AT_HERE, TEXT, 0, 0xFFF, TEXT + 150),
    "stat by descriptor and name": (262, AT_HERE, TEXT, TEXT + 200, 0),
    "access": (21, TEXT, 0),
    "statfs": (137, TEXT, TEXT + 200),
    "open without reading": (257, AT_HERE, TEXT, 0o10000000),
    "open to write": (257, AT_HERE, TEXT, os.O_WRONLY | os.O_CLOEXEC),
    "open": (2, TEXT, os.O_RDONLY),
    "chdir": (80, TEXT + 200),
    "limit another process": (302, VICTIM, resource.RLIMIT_NOFILE, TEXT + 200, 0),
    "look at another's limits": (302, VICTIM, resource.RLIMIT_NOFILE, 0, TEXT + 200),
    "limit itself": (302, 0, resource.RLIMIT_NOFILE, TEXT + 200, 0),
    "kill": (62, VICTIM, 0),
    "signal a group": (62, 0, 0),
    "pidfd_open": (434, VICTIM, 0),
    "setpriority": (141, 0, VICTIM, 19),
    "sched_setaffinity": (203, VICTIM, 8, TEXT + 200),
    "sched_getaffinity": (204, VICTIM, 128, TEXT + 200),
    "ptrace": (101, 16, VICTIM, 0, 0),
    "syslog": (103, 10, 0, 0),
    "inotify": (294, 0),
    "memfd_create": (319, TEXT, 0),
    "pipe": (293, TEXT + 200, 0),
    "socket": (41, 1, 1, 0),
    "socketpair": (53, 1, 1, 0, TEXT + 200),
    "io_uring": (425, 1, TEXT + 200),
    "be told of signals": (72, 0, 8, VICTIM),
    "choose a signal": (72, 0, 10, 15),
    "ask for signals": (72, 0, 4, 0o20000),
    "name itself": (157, 15, TEXT, 0, 0),
    "look at a terminal": (16, 0, 0x5401, TEXT + 200),
    "run what was written": (9, 0, 4096, 7, 0x22, -1, 0),
    "run what will be written": (10, 0x601000, 4096, 5),
}


@needs_prisoner
@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize("deed", DEEDS)
def test_a_file_that_takes_ffmpeg_over_cannot(prisoner: Jail, tmp_path: Path, deed: str) -> None:
    secret, record = planned(tmp_path, deed)
    before = secret.stat()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert results(prisoner, record) == [-errno.EPERM]
    after = secret.stat()
    assert (after.st_mode, after.st_mtime_ns, after.st_size, after.st_nlink) == (
        before.st_mode, before.st_mtime_ns, before.st_size, before.st_nlink,
    )  # fmt: skip
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == limits


# What another reason forbids, or nothing shows: an io_uring, a terminal, a traced parent.
ELSEWHERE = {"ptrace", "syslog", "io_uring", "look at a terminal", "chown", "setpriority",
             "limit another process", "sched_setaffinity", "chdir"}  # fmt: skip


@needs_prisoner
@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize("deed", [deed for deed in DEEDS if deed not in ELSEWHERE])
def test_without_the_jail_it_could(path: Path, tmp_path: Path, deed: str) -> None:
    _, record = planned(tmp_path, deed)
    assert at_large(path, record)[0] >= 0


def planned(folder: Path, deed: str) -> tuple[Path, bytes]:
    """Return a private file, and the record of a deed that is about it or about this process."""
    secret = folder / "secret"
    secret.write_bytes(CANARY)
    secret.chmod(0o600)
    number, *arguments = DEEDS[deed]
    assert isinstance(number, int)
    values = [os.getpid() if value is VICTIM else value for value in arguments]
    limit = struct.pack("<QQ", 64, 64) if deed.startswith("limit") else b""
    other = limit or os.fsencode(folder / "other")
    text = os.fsencode(secret).ljust(200, b"\0") + other
    return secret, call(number, *(value for value in values if isinstance(value, int)), text=text)


@needs_prisoner
@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize("number", [62, 129, 200, 234, 297])
def test_no_signal_reaches_another_process(prisoner: Jail, number: int) -> None:
    """By kill, rt_sigqueueinfo, tkill, tgkill and rt_tgsigqueueinfo."""
    with subprocess.Popen(["/bin/sleep", "60"]) as victim:
        arguments = {234: (victim.pid, victim.pid, 9), 297: (victim.pid, victim.pid, 9, TEXT)}
        record = call(number, *arguments.get(number, (victim.pid, 9, TEXT)))
        assert results(prisoner, record) == [-errno.EPERM]
        assert victim.poll() is None
        victim.kill()


@needs_prisoner
@pytest.mark.claim("C-JAIL")
def test_what_may_be_asked_is_asked_of_landlock(prisoner: Jail, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(CANARY)
    secret.chmod(0o700)
    reading = os.O_RDONLY | os.O_CLOEXEC
    for place in (secret, tmp_path, Path("/etc/passwd"), Path("/proc/self/environ"), Path("/")):
        opened = call(257, AT_HERE, TEXT, reading, text=os.fsencode(place))
        assert results(prisoner, opened) == [-errno.EACCES]
    for program in ("/bin/sh", "/bin/true"):
        assert results(prisoner, call(59, TEXT, 0, 0, text=program.encode())) == [-errno.EACCES]


@needs_prisoner
@pytest.mark.claim("C-JAIL")
def test_a_file_can_be_asked_about_by_name_only_where_the_loader_must(
    prisoner: Jail, tmp_path: Path
) -> None:
    """Its size and times, not its content: the C library of Debian 12 starts no program else."""
    record = call(262, AT_HERE, TEXT, TEXT + 100, 0x1000, text=os.fsencode(tmp_path))
    narrow = dataclasses.replace(prisoner, stat_by_path=False)
    wide = dataclasses.replace(prisoner, stat_by_path=True)
    assert results(narrow, record) == [-errno.EPERM]
    assert results(wide, record) == [0]


@needs_prisoner
@pytest.mark.claim("C-JAIL")
def test_threads_are_not_denied_and_processes_are(prisoner: Jail) -> None:
    # A thread of no use to anybody: the kernel refuses what the filter lets pass.
    thread, process, space = call(56, 0x10000), call(56, 17), call(56, 0x10000 | 0x10000000)
    assert results(prisoner, thread, process, space) == [
        -errno.EINVAL, -errno.EPERM, -errno.EPERM,
    ]  # fmt: skip


@needs_prisoner
@pytest.mark.claim("C-JAIL")
def test_nothing_of_the_gateway_is_inherited(
    prisoner: Jail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMANA_SECRET", CANARY.decode())
    descriptor = os.memfd_create("secret")
    os.set_inheritable(descriptor, True)  # noqa: FBT003 - the library's signature
    seen: list[object] = []

    def look() -> Iterator[bytes]:
        """Look at the prisoner from outside while it waits for its first order."""
        until = time.monotonic() + 10
        while not seen and time.monotonic() < until:
            for pid in children():
                process = Path(f"/proc/{pid}")
                if process.joinpath("exe").resolve().name == "prisoner":
                    status = process.joinpath("status").read_text()
                    seen.extend(
                        [
                            process.joinpath("environ").read_bytes(),
                            sorted(each.name for each in process.joinpath("fd").iterdir()),
                            str(process.joinpath("cwd").resolve()),
                            "Seccomp:\t2" in status and "NoNewPrivs:\t1" in status,
                        ]
                    )
        yield call(1, 1, TEXT, 0)

    try:
        assert told(prisoner, look()) == bytes(8)
    finally:
        os.close(descriptor)
    assert seen == [b"LC_ALL=C\0", ["0", "1", "2"], "/", True]


@needs_prisoner
@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize(("descriptor", "leaf"), [(1, TooLarge), (2, TooComplex)])
def test_writing_more_than_allowed_ends_the_run(
    prisoner: Jail, descriptor: int, leaf: type[Refused]
) -> None:
    # Text of its own, as much of it as there is.
    with pytest.raises(leaf):
        results(prisoner, *[call(1, descriptor, TEXT, 1 << 20)] * 4)


@needs_prisoner
@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize("closed", [(), (1, 2, 0)])
def test_running_longer_than_allowed_ends_the_run(prisoner: Jail, closed: tuple[int, ...]) -> None:
    begin = time.monotonic()
    sleep = call(35, TEXT, 0, text=struct.pack("<qq", 60, 0))
    if closed:
        # Three calls in one record are none: whoever closes 0 last hears no fourth order.
        sleep = call(SPIN)
    records = [*(call(3, number) for number in closed[:2]), sleep]
    with pytest.raises(TooComplex):
        results(prisoner, *records, limits=Limits(child_seconds=1))
    assert time.monotonic() - begin < 10


@needs_prisoner
@pytest.mark.claim("C-JAIL")
def test_memory_and_processor_time_are_bounded(prisoner: Jail) -> None:
    limits = Limits(child_memory_bytes=256 << 20)
    memory = call(9, 0, 1 << 30, 3, 0x22, -1, 0)
    assert results(prisoner, memory, limits=limits) == [-errno.ENOMEM]
    with pytest.raises(Malformed):
        results(prisoner, call(SPIN), limits=Limits(child_cpu_seconds=1))


@needs_prisoner
@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize(
    "deed",
    [
        call(1, 1, TEXT, 400, text=b"ftyp" * 100),
        call(231, 1),
        call(231, 0),
        call(15),
    ],
    ids=["writes nonsense", "fails", "does nothing", "crashes"],
)
def test_a_hostile_ffmpeg_is_contained(prisoner: Jail, deed: bytes) -> None:
    """A program that answers with whatever it likes yields a refusal and no file."""

    class Fake:
        def run(
            self, _arguments: list[str], _feed: Iterator[bytes], limits: Limits, most: int
        ) -> Iterator[bytes]:
            """Run the prisoner in ffmpeg's place."""
            return prisoner.run([], iter([deed]), limits, most)

    with pytest.raises(Refused):
        clean(broadcast(), jail=Fake())  # type: ignore[arg-type]


# --- The filter, simulated, for every machine ----------------------------------------------------


def says(machine: str, number: int, *arguments: int, stat_by_path: bool = False) -> int:
    program = allowed_ffmpeg.filter_program(machine, stat_by_path=stat_by_path)
    return answer(program, filters.ARCHITECTURES[machine], number, *arguments)


@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("arguments", [(), (2**64 - 1,) * 6], ids=["zeros", "ones"])
def test_the_filter_denies_all_but_the_listed(machine: str, arguments: tuple[int, ...]) -> None:
    listed = set(allowed_ffmpeg.ALLOWED[machine].values())
    memory = {allowed_ffmpeg.CONDITIONAL[machine][name] for name in NEEDLESS}
    for number in range(NEWEST):
        expected = ALLOWED if number in listed else ENOSYS if number == 435 else EPERM
        if number in memory and not arguments:
            expected = ALLOWED
        for stat_by_path in (False, True):
            assert says(machine, number, *arguments, stat_by_path=stat_by_path) == expected
    program = allowed_ffmpeg.filter_program(machine, stat_by_path=False)
    assert answer(program, FOREIGN, 1) == KILLED
    if machine == "x86_64":
        assert says(machine, 0x40000001) == KILLED


@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("name", "arguments", "is_allowed"),
    [
        ("clone", (0x3D0F00,), True),
        ("clone", (0x7D0F00,), True),
        ("clone", (0x3C0F00,), False),
        ("clone", (0x11,), False),
        ("clone", (0x3D0F00 | 0x10000000,), False),
        ("clone", (0x3D0F00 | 0x00020000,), False),
        ("mmap", (0, 1, 3, 0x22), True),
        ("mmap", (0, 1, 5, 0x2), True),
        ("mmap", (0, 1, 7, 0x2), False),
        ("mmap", (0, 1, 5, 0x22), False),
        ("mmap", (0, 1, 4, 0x20), False),
        ("mprotect", (0, 1, 3), True),
        ("mprotect", (0, 1, 5), False),
        ("fcntl", (3, 2, 1), True),
        ("fcntl", (3, 4, 0), False),
        ("fcntl", (3, 8, 1), False),
        ("fcntl", (3, 10, 15), False),
        ("fcntl", (3, 1031, 1), False),
        ("openat", (2**64 - 100, 1, 0o2000000), True),
        ("openat", (2**64 - 100, 1, 0), False),
        ("openat", (2**64 - 100, 1, 0o2000001), False),
        ("openat", (2**64 - 100, 1, 0o12000000), False),
        ("openat", (2**64 - 100, 1, 0o22200000), False),
        ("prlimit64", (0, 3, 0, 1), True),
        ("prlimit64", (1, 3, 0, 1), False),
        ("prlimit64", (0, 3, 1, 1), False),
        ("prlimit64", (0, 3, 1 << 32, 1), False),
        ("arch_prctl", (0x1002, 1), True),
        ("arch_prctl", (0x1001, 1), False),
        ("arch_prctl", (0x4002, 1), False),
    ],
)
def test_some_calls_pass_with_some_arguments(
    machine: str, name: str, arguments: tuple[int, ...], *, is_allowed: bool
) -> None:
    number = allowed_ffmpeg.CONDITIONAL[machine].get(name)
    if number is not None:
        assert says(machine, number, *arguments) == (ALLOWED if is_allowed else EPERM)


@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize("machine", MACHINES)
def test_newfstatat_passes_for_an_old_loader_and_in_one_form(machine: str) -> None:
    number = allowed_ffmpeg.CONDITIONAL[machine]["newfstatat"]
    for flags in (0, 0x1000, 0x1100, 0x800):
        assert says(machine, number, 3, 1, 1, flags) == EPERM
        expected = ALLOWED if flags == 0x1000 else EPERM
        assert says(machine, number, 3, 1, 1, flags, stat_by_path=True) == expected


@pytest.mark.parametrize("machine", MACHINES)
def test_the_calls_are_counted_as_the_filter_has_them(machine: str) -> None:
    names = {**allowed_ffmpeg.ALLOWED[machine], **allowed_ffmpeg.CONDITIONAL[machine]}
    assert len(set(names.values())) == len(names)
    assert allowed_ffmpeg.count(machine, stat_by_path=True) == len(names)
    assert allowed_ffmpeg.count(machine, stat_by_path=False) == len(names) - 1


@needs_locks
def test_the_jail_is_as_narrow_as_ffmpeg_starts_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for does_start in (True, False):
        monkeypatch.setattr(jail_module, "starts", lambda _jail, does=does_start: does)
        ffmpeg_jail.cache_clear()
        assert ffmpeg_jail().stat_by_path is not does_start
    monkeypatch.undo()
    ffmpeg_jail.cache_clear()
    assert jail_module.starts(ffmpeg_jail())
    gone = dataclasses.replace(ffmpeg_jail(), program="/nowhere/at/all")
    assert not jail_module.starts(gone)


# --- The jail itself -----------------------------------------------------------------------------


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
@pytest.mark.parametrize("lost", ["library", "program"])
def test_a_jail_that_does_not_lock_is_unavailable(lost: str) -> None:
    jail = ffmpeg_jail()
    broken = (
        dataclasses.replace(jail, libraries=("/nowhere/at/all",))
        if lost == "library"
        else dataclasses.replace(jail, program="/nowhere/at/all", libraries=())
    )
    with pytest.raises((JailUnavailable, Malformed)):
        list(broken.run(["-version"], iter(()), Limits(), 1 << 20))


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
        clean(broadcast(), jail=open_)


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


@pytest.mark.parametrize(
    ("abi", "rights"),
    [(1, ((1 << 13) - 1, 0, 0)), (4, ((1 << 15) - 1, 3, 0)), (7, ((1 << 16) - 1, 3, 3))],
)
def test_each_landlock_takes_away_all_that_it_can(abi: int, rights: tuple[int, int, int]) -> None:
    assert launcher.landlock_access(abi) == rights
