"""An upload never touches a disk in plaintext, and its size is nobody's memory."""

from __future__ import annotations

import io
import itertools
import os
import tempfile
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from flask import Flask, Request, request

from gateway.upload import PARTS_MOST, TEXT_BYTES, NoRoom, SpooledFile, UploadRequest
from sanitizer.errors import TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MIB = 1024 * 1024
MARKER = b"the-marker-that-must-not-be-on-a-disk"
BOUNDARY = "boundary-of-the-test"
HEAD = (
    f"--{BOUNDARY}\r\n"
    'Content-Disposition: form-data; name="text"\r\n\r\nkept\r\n'
    f"--{BOUNDARY}\r\n"
    'Content-Disposition: form-data; name="evidence"; filename="a.mp4"\r\n\r\n'
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()


class Body(io.RawIOBase):
    """A form with one file of ``size`` bytes, made as it is read; ``halfway`` is called once."""

    def __init__(self, size: int, halfway: Callable[[], None] = lambda: None) -> None:
        self.length = len(HEAD) + size + len(TAIL)
        self._pieces = self._made(size, halfway)
        self._left = b""

    def _made(self, size: int, halfway: Callable[[], None]) -> Iterator[bytes]:
        yield HEAD
        piece = (MARKER * (MIB // len(MARKER) + 1))[:MIB]
        for number in range(size // MIB):
            if number == size // MIB // 2:
                halfway()
            yield piece
        yield b"x" * (size % MIB) + TAIL

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Give what comes next."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = piece
        taken = min(len(buffer), len(self._left))
        buffer[:taken] = self._left[:taken]
        self._left = self._left[taken:]
        return taken


def application(kind: type[Request], seen: dict[str, Any]) -> Flask:
    app = Flask(__name__)
    app.request_class = kind

    @app.post("/")
    def take() -> str:
        seen["text"] = request.form.get("text")
        seen["files"] = [one.stream for one in request.files.getlist("evidence")]
        seen["sizes"] = [getattr(one, "length", None) for one in seen["files"]]
        seen["spooled"] = getattr(request, "spooled", [])
        seen["on disk"] = [os.fstat(one._fd).st_size for one in seen["spooled"]]
        seen["start"] = [one.read_at(0, 100) for one in seen["spooled"]]
        return "ok"

    @app.teardown_request
    def close(_: object) -> None:
        if hasattr(request, "close_spools"):
            seen["left"] = list(cast("UploadRequest", request).spooled)
            cast("UploadRequest", request).close_spools()

    return app


def spooling(folder: Path, file_bytes: int = 100 * MIB) -> type[Request]:
    folder.mkdir(exist_ok=True)
    return type("Spooling", (UploadRequest,), {"spool_folder": folder, "file_bytes": file_bytes})


def post(app: Flask, body: Body, kind: str = f"multipart/form-data; boundary={BOUNDARY}") -> int:
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(body.length),
        "wsgi.input": io.BufferedReader(body, MIB),
    }
    return app.test_client().open("/", environ_overrides=environ, method="POST").status_code


def open_files_with(marker: bytes) -> list[str]:
    """Names of the files that this process has open, on any disk, and that hold the marker."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            name = entry.readlink()
            with entry.open("rb") as file:
                if entry.is_file() and marker in file.read(20 * MIB):
                    found.append(str(name))
        except OSError:
            continue
    return found


def files_with(marker: bytes, *folders: Path) -> list[Path]:
    return [
        one
        for folder in folders
        for one in folder.rglob("*")
        if one.is_file() and marker in one.read_bytes()
    ]


@pytest.mark.claim("C-NODISK")
@pytest.mark.parametrize(("kind", "leaks"), [("ours", False), ("werkzeug's own", True)])
def test_no_file_on_any_disk_holds_the_upload_while_it_is_read(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    leaks: bool,  # noqa: FBT001
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    found: list[object] = []

    def look() -> None:
        found.extend(open_files_with(MARKER))
        found.extend(files_with(MARKER, temporary, tmp_path / "spool"))

    seen: dict[str, Any] = {}
    request_class = spooling(tmp_path / "spool") if kind == "ours" else Request
    assert post(application(request_class, seen), Body(10 * MIB, look)) == 200
    assert seen["text"] == "kept"
    # The same search finds what Werkzeug by itself would have left on the disk.
    assert bool(found) is leaks
    if kind == "ours":
        assert seen["sizes"] == [10 * MIB]
        assert seen["start"][0].startswith(MARKER)
        assert list((tmp_path / "spool").iterdir()) == []


@pytest.mark.claim("C-NODISK")
def test_an_upload_needs_no_temporary_folder_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "does not exist"))
    seen: dict[str, Any] = {}
    assert post(application(spooling(tmp_path / "spool"), seen), Body(10 * MIB)) == 200
    # Positive control: Werkzeug by itself cannot.
    assert post(application(Request, seen), Body(10 * MIB)) == 500


@pytest.mark.claim("C-MEMORY")
def test_memory_does_not_grow_with_the_upload(tmp_path: Path) -> None:
    seen: dict[str, Any] = {}
    app = application(spooling(tmp_path / "spool"), seen)
    post(app, Body(1 * MIB))
    peaks = []
    for size in (4, 48):
        tracemalloc.start()
        assert post(app, Body(size * MIB)) == 200
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 1 * MIB


@pytest.mark.claim("C-TYPED")
def test_a_file_over_its_limit_is_counted_and_not_kept_and_the_rest_survives(
    tmp_path: Path,
) -> None:
    seen: dict[str, Any] = {}
    assert post(application(spooling(tmp_path / "s", 2 * MIB), seen), Body(3 * MIB)) == 200
    assert seen["text"] == "kept"
    (one,) = seen["spooled"]
    assert one.too_large
    assert one.received == 3 * MIB
    assert seen["on disk"][0] <= 2 * MIB + 32
    assert one.closed
    with pytest.raises(TooLarge):
        one.require_whole()


def test_an_upload_that_is_cut_off_leaves_nothing_open(tmp_path: Path) -> None:
    seen: dict[str, Any] = {}
    body = Body(3 * MIB)
    body._pieces = itertools.islice(body._pieces, 3)  # the line is cut in the middle of the file
    assert post(application(spooling(tmp_path / "s"), seen), body) == 400
    (one,) = seen["left"]
    assert one.closed


def test_text_beyond_all_measure_is_refused_whatever_its_form(tmp_path: Path) -> None:
    class Text(Body):
        def _made(self, size: int, halfway: Callable[[], None]) -> Iterator[bytes]:
            del halfway
            for _ in range(size // MIB):
                yield b"a=" + b"b" * (MIB - 3) + b"&"

    seen: dict[str, Any] = {}
    app = application(spooling(tmp_path / "s"), seen)
    too_much = TEXT_BYTES + 2 * MIB
    for size, status in ((too_much, 413), (MIB, 200)):
        text = Text(size)
        text.length = size
        assert post(app, text, "application/x-www-form-urlencoded") == status
    # Many small fields of a multipart form are text as well.
    many = b"".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="f{n}"\r\n\r\n'.encode()
        + b"x" * 100_000
        + b"\r\n"
        for n in range(60)
    )

    class Many(Body):
        def _made(self, size: int, halfway: Callable[[], None]) -> Iterator[bytes]:
            del size, halfway
            yield many + TAIL

    body = Many(0)
    body.length = len(many) + len(TAIL)
    assert post(app, body) == 413


def test_a_form_of_more_fields_than_any_page_has_is_refused_whatever_its_form(
    tmp_path: Path,
) -> None:
    class Fields(Body):
        def _made(self, size: int, halfway: Callable[[], None]) -> Iterator[bytes]:
            del halfway
            yield b"&".join(b"a=b" for _ in range(size))

    seen: dict[str, Any] = {}
    app = application(spooling(tmp_path / "s"), seen)
    for count, status in ((PARTS_MOST + 1, 413), (MIB, 413), (PARTS_MOST, 200)):
        body = Fields(count)
        body.length = 4 * count - 1
        assert post(app, body, "application/x-www-form-urlencoded") == status
    empty = Fields(0)
    empty.length = 0
    assert post(app, empty, "application/x-www-form-urlencoded") == 200


def test_a_spool_is_written_once_and_then_read_and_leaves_nothing(tmp_path: Path) -> None:
    one = SpooledFile(tmp_path, 1000)
    assert one.writable()
    assert one.seekable()
    assert one.write(b"0123456789") == 10
    assert one.seek(0) == 0
    assert one.length == 10
    assert one.read_at(3, 4) == b"3456"
    one.require_whole()
    assert os.pread(one._fd, 100, 0) != b"0123456789"
    assert len(os.pread(one._fd, 100, 0)) == 10
    with pytest.raises(io.UnsupportedOperation):
        one.seek(1)
    assert list(tmp_path.iterdir()) == []
    one.close()
    one.close()
    assert one.closed


def test_where_files_without_a_name_cannot_be_made_the_name_is_gone_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = os.open

    def no_tmpfile(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError
        return original(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", no_tmpfile)
    one = SpooledFile(tmp_path, 1000)
    one.write(b"abc")
    assert list(tmp_path.iterdir()) == []
    assert one.read_at(0, 9) == b"abc"
    one.close()


def test_a_full_disk_costs_the_file_and_not_the_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    one = SpooledFile(tmp_path, 1000)
    monkeypatch.setattr(os, "write", full)
    assert one.write(b"a" * 64) == 64
    assert one.write(b"b") == 1
    with pytest.raises(NoRoom):
        one.require_whole()
    one.close()
