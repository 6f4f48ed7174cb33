"""The pool of jailed workers: what happens to it, and where there can be none."""

import contextlib
import io
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sanitizer import workers as workers_module
from sanitizer.clean import sanitize
from sanitizer.detect import Format
from sanitizer.errors import (
    JailUnavailable,
    Malformed,
    TooManyPixels,
)
from sanitizer.formats import STREAMED
from sanitizer.jail import child as child_module
from sanitizer.jail import pool as pool_module
from sanitizer.jail.pool import Lease, Pool, shared_pool
from sanitizer.limits import Limits
from sanitizer.planned import PLANNED
from sanitizer.source import BytesSource, MemorySource
from sanitizer.unlocked import WITHOUT_JAIL
from sanitizer.workers import Here, make_ready, workers
from tests.sanitizer.jailed import PHOTO, hostile, needs_seccomp, once, open_now, serves, told
from tests.sanitizer.kit import CANARY, clean
from tests.support.media import drawing, phone_video

pytestmark = needs_seccomp


@pytest.fixture(scope="module")
def jailed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    """A pool whose cleaner runs the file as a program."""
    with hostile(tmp_path_factory.mktemp("zygote")) as pool:
        yield pool


def zygote_of(pool: Pool) -> subprocess.Popen[bytes]:
    made = pool._zygote
    assert made is not None
    return made.process


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def soon(truth: Callable[[], bool]) -> bool:
    """Whether something becomes true within some seconds."""
    until = time.monotonic() + 5
    while not truth() and time.monotonic() < until:
        time.sleep(0.01)
    return truth()


def test_a_killed_zygote_is_made_again(jailed: Pool) -> None:
    assert serves(jailed)
    first = zygote_of(jailed)
    first.kill()
    assert serves(jailed)
    assert zygote_of(jailed).pid != first.pid


def test_a_zygote_killed_in_the_middle_of_a_file_costs_the_file_nothing(jailed: Pool) -> None:
    assert serves(jailed)
    threading.Timer(0.3, zygote_of(jailed).kill).start()
    wait = "until = time.monotonic() + 0.8\nwhile time.monotonic() < until: pass\ntell('whole')"
    assert once(jailed, wait) == ["whole"]


def test_a_zygote_that_is_killed_again_and_again_is_given_up(
    jailed: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill_and_die(_self: object, _child: object) -> None:
        zygote_of(jailed).kill()
        raise child_module.Died

    with monkeypatch.context() as patch:
        patch.setattr(pool_module._Asked, "of", kill_and_die)
        with pytest.raises(JailUnavailable):
            once(jailed, "")
    assert serves(jailed)


def test_a_dead_worker_among_the_ready_is_passed_over(jailed: Pool) -> None:
    assert serves(jailed)
    zygote = zygote_of(jailed)
    assert soon(lambda: len(children(zygote.pid)) >= 2)
    dead = children(zygote.pid)
    for pid in dead:
        os.kill(int(pid), signal.SIGKILL)
    # A worker that dies with a file in its hands costs that file.
    assert soon(lambda: not any(is_running(pid) for pid in dead))
    assert serves(jailed)
    assert zygote_of(jailed) is zygote


def test_a_worker_that_cannot_be_asked_for_is_asked_for_again(
    jailed: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert serves(jailed)
    made, fork, failures = jailed._zygote, pool_module.Zygote.fork, [1]
    assert made is not None
    while made.ready:
        made.end(made.ready.popleft())

    def fail_once(zygote: pool_module.Zygote) -> child_module.Child:
        if failures:
            failures.pop()
            raise child_module.Died
        return fork(zygote)

    monkeypatch.setattr(pool_module.Zygote, "fork", fail_once)
    assert serves(jailed)
    assert not failures


@pytest.mark.claim("C-WORKER")
def test_workers_die_with_the_gateway_and_with_their_lease(tmp_path: Path) -> None:
    with hostile(tmp_path) as pool:
        with pool.lease() as lease:
            assert told(lease, "") == ["done"]
            zygote = zygote_of(pool)
            assert soon(lambda: len(children(zygote.pid)) == 3)
        assert soon(lambda: len(children(zygote.pid)) == 2)
        left = children(zygote.pid)
    assert zygote.returncode is not None
    assert soon(lambda: not any(is_running(pid) for pid in left))


def is_running(pid: str) -> bool:
    with contextlib.suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state not in {"Z", "X"}
    return False


@pytest.mark.parametrize("content", ["", "import os; os.read(0, 9)", "syntax error"])
def test_a_pool_that_cannot_be_made_is_unavailable(tmp_path: Path, content: str) -> None:
    program = tmp_path / "zygote.py"
    program.write_text(content)
    pool = Pool(program=program)
    with pytest.raises(JailUnavailable), pool.lease() as lease:
        lease.clean(Format.JPEG, BytesSource(PHOTO), Limits())
    pool.close()


def test_workers_that_never_say_they_are_locked_are_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "zygote.py"
    program.write_text(
        "import socket, time\ns = socket.socket(fileno=0)\ns.recv(65536)\ns.send(b'ready')\n"
        "while s.recv(64): pass"
    )
    monkeypatch.setattr(pool_module, "_START_SECONDS", 0.5)
    held = open_now()
    pool = Pool(program=program)
    begin = time.monotonic()
    with pytest.raises(JailUnavailable), pool.lease() as lease:
        lease.clean(Format.JPEG, BytesSource(PHOTO), Limits())
    assert time.monotonic() - begin < 10
    pool.close()
    assert not open_now() - held


def test_a_process_that_forked_makes_workers_of_its_own(jailed: Pool) -> None:
    assert serves(jailed)
    pid = os.fork()
    if pid == 0:
        # No coverage, no pytest: only whether it works.
        code = 1
        with contextlib.suppress(BaseException):
            code = 0 if jailed._zygote is None and serves(jailed) else 2
            jailed.close()
        # Whatever handler another test left behind: this process ends as the signal says.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGKILL if code else signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGTERM
    assert serves(jailed)


def test_what_a_fork_inherits_is_let_go() -> None:
    pool = Pool()
    pool.start()
    zygote = zygote_of(pool)
    kept = pool._zygote
    pool_module._forget(pool)
    pool_module._forget(None)
    pool_module._forget(Pool())
    assert pool._zygote is None
    assert kept is not None
    assert kept.control.fileno() == -1
    # Here nobody forked: with its only control socket the zygote ends.
    zygote.returncode = None
    assert zygote.wait(5) == 0


def test_files_at_the_same_time_are_served_and_too_many_wait_no_longer_than_told(
    jailed: Pool,
) -> None:
    done: list[bool] = []
    threads = [threading.Thread(target=lambda: done.append(serves(jailed))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [True] * 12
    with contextlib.ExitStack() as held:
        for _ in range(len(os.sched_getaffinity(0)) + 1):
            jailed.processors.acquire()
            held.callback(jailed.processors.release)
        with pytest.raises(JailUnavailable):
            once(jailed, "", Limits(worker_wait_seconds=0))
    assert serves(jailed)


def test_two_hundred_files_leave_no_descriptor_and_no_memory_behind(jailed: Pool) -> None:
    def resident(pid: int) -> int:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    def look() -> tuple[int, int, int]:
        zygote = zygote_of(jailed).pid
        assert soon(lambda: len(children(zygote)) == 2)
        mine = len(open_now())
        # Nobody of this account may look into a zygote but root.
        theirs = len(list(Path(f"/proc/{zygote}/fd").iterdir())) if os.getuid() == 0 else 0
        return mine, theirs, resident(zygote)

    for _ in range(5):
        assert serves(jailed)
    before = look()
    for number in range(200):
        if number % 2:
            assert once(jailed, "") == ["done"]
        else:
            with pytest.raises(Malformed):
                once(jailed, "os._exit(1)" if number % 20 == 0 else "raise KeyError")
    after = look()
    # Others' leftovers may go meanwhile; one a file would be a hundred.
    assert after[0] <= before[0]
    assert after[1] == before[1]
    assert after[2] - before[2] < 2048


def test_a_source_that_cannot_be_read_ends_the_worker_and_is_told(jailed: Pool) -> None:
    class Broken(BytesSource):
        def read_at(self, offset: int, length: int) -> bytes:
            raise OSError(offset + length)

    class Short(BytesSource):
        def read_at(self, offset: int, length: int) -> bytes:
            return super().read_at(offset, length)[:-1]

    with jailed.lease() as lease:
        with pytest.raises(OSError, match=str(len(PHOTO))):
            lease.clean(Format.JPEG, Broken(PHOTO), Limits())
        with pytest.raises(Malformed):
            lease.clean(Format.JPEG, Short(PHOTO), Limits())
    assert serves(jailed)


def test_a_source_is_read_once_when_it_is_short_and_by_parts_when_it_is_long(jailed: Pool) -> None:
    class Counted(MemorySource):
        reads = 0

        def read_at(self, offset: int, length: int) -> bytes:
            self.reads += 1
            return super().read_at(offset, length)

    long = PHOTO + bytes(20 << 20)
    with jailed.lease() as lease:
        for data, most in ((PHOTO, 1), (long, 5)):
            with Counted(data) as source:
                made = lease.clean(Format.JPEG, source, Limits())
                assert b"".join(made.plan.chunks()) == clean(PHOTO)
                assert source.reads <= most


def drawn(kind: str, **options: object) -> Callable[[], bytes]:
    def save() -> bytes:
        made = io.BytesIO()
        drawing(60, 40).save(made, kind, **options)
        return made.getvalue()

    return save


SAMPLES: dict[str, Callable[[], bytes]] = {
    "photo": lambda: PHOTO,
    "progressive": drawn("JPEG", progressive=True),
    "PNG": drawn("PNG"),
    "WebP": drawn("WEBP"),
    "lossless WebP": drawn("WEBP", lossless=True),
    "GIF": drawn("GIF"),
    "BMP": drawn("BMP"),
    "AVIF": drawn("AVIF"),
    "TIFF": drawn("TIFF", compression="tiff_lzw"),
    "TIFF of JPEG": drawn("TIFF", compression="jpeg"),
    "UTF-8": "Salut, ça va ?".encode,
    "UTF-16": lambda: "Salut, ça va ?".encode("utf-16"),
}


@pytest.mark.parametrize("what", SAMPLES)
def test_a_worker_makes_of_a_file_what_its_cleaner_makes_of_it(what: str) -> None:
    dirty = SAMPLES[what]()
    with MemorySource(dirty) as source, workers().lease() as lent:
        file = sanitize(source, Limits(), worker=lent)
        assert b"".join(file.chunks()) == clean(dirty)
        assert b"".join(sanitize(source, Limits()).chunks()) == clean(dirty)


def test_a_worker_refuses_as_its_cleaner_does() -> None:
    with MemorySource(PHOTO[:3]) as source, pytest.raises(Malformed) as refused:
        sanitize(source, Limits())
    assert refused.value.detail == "the picture ends before its end marker"
    with MemorySource(PHOTO) as source, pytest.raises(TooManyPixels):
        sanitize(source, Limits(image_side=3))


def test_a_video_needs_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lease, "clean", None)
    with MemorySource(phone_video(CANARY)) as source, workers().lease() as lent:
        assert b"".join(sanitize(source, Limits(), worker=lent).chunks())


# --- Where nothing can be locked -----------------------------------------------------------------


@pytest.mark.parametrize("why", ["no seccomp", "another system", "another processor"])
def test_where_no_worker_can_be_locked_only_python_code_cleans(
    monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    with monkeypatch.context() as patch:
        if why == "no seccomp":
            patch.setattr(pool_module, "has_seccomp", lambda: False)
        else:
            name = "system" if why == "another system" else "machine"
            patch.setattr(platform, name, lambda: "other")
        shared_pool.cache_clear()
        found = workers()
        shared_pool.cache_clear()
    assert isinstance(found, Here)
    with MemorySource(PHOTO) as source, found.lease() as lent:
        assert b"".join(sanitize(source, Limits(), worker=lent).chunks()) == clean(PHOTO)
        for kind in set(Format) - set(WITHOUT_JAIL):
            with pytest.raises(JailUnavailable):
                lent.clean(kind, source, Limits())


PARSERS = "import sys; print(sorted({'PIL', 'pikepdf', 'lxml'} & set(sys.modules)))"


@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize(
    "module", ["sanitizer.clean", "sanitizer.cli", "sanitizer.unlocked", "gateway.programs"]
)
def test_a_process_with_secrets_imports_no_parser_written_in_c(module: str) -> None:
    assert parsers_after(module) == "[]"


def test_a_parser_written_in_c_would_be_seen() -> None:
    assert "'PIL'" in parsers_after("sanitizer.planned")


def parsers_after(module: str) -> str:
    """Which parsers written in C a new process has after an import."""
    told = subprocess.run(
        [sys.executable, "-c", f"import {module}; {PARSERS}"],
        capture_output=True,
        check=True,
        text=True,
    )
    return told.stdout.strip()


def test_every_format_has_one_cleaner_and_those_without_a_lock_are_planned() -> None:
    assert not set(PLANNED) & set(STREAMED)
    assert set(PLANNED) | set(STREAMED) == set(Format)
    assert set(PLANNED) >= set(WITHOUT_JAIL)


def test_the_pool_says_what_protects_this_machine() -> None:
    found = Pool().describe()
    assert str(found["seccomp"]).startswith("16 system calls")


def test_workers_are_made_before_there_is_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Pool()
    monkeypatch.setattr(workers_module, "shared_pool", lambda: pool)
    make_ready()
    assert zygote_of(pool).poll() is None
    pool.close()
    # Where there can be none, whoever sends a file is told.
    monkeypatch.setattr(Pool, "start", lambda _: (_ for _ in ()).throw(JailUnavailable))
    make_ready()
    monkeypatch.setattr(workers_module, "shared_pool", lambda: None)
    make_ready()


def test_the_pool_of_a_process_is_one() -> None:
    assert shared_pool() is shared_pool()
    assert workers() is shared_pool()
