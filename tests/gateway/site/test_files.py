"""Bad files: each gets a reason that the person can read, and costs nothing else."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.intake import Intake
from gateway.site import files as site_files
from gateway.site.app import HERE
from gateway.site.words import load_words
from sanitizer.errors import (
    Encrypted,
    ImageTooLarge,
    JailUnavailable,
    Refused,
    TooComplex,
    Unsupported,
)
from tests.support.media import phone_photo, phone_video
from tests.support.site import COMMON, Writer, errors_of, kept_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.upload import SpooledFile, UploadRequest
    from tests.support.rehearsal import Rehearsal

MULTIPART = "multipart/form-data; boundary=b"
PHOTO = phone_photo(b"canary", width=64, height=48)


def png_bomb() -> bytes:
    """A PNG of a few hundred bytes that says it is 60,000 pixels wide and high."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


BAD = {
    "empty.jpg": b"",
    "truncated.jpg": PHOTO[: len(PHOTO) // 2],
    "archive.jpg": b"PK\3\4" + b"This is no photo.\n" * 50,
    "bomb.png": png_bomb(),
    "broken.pdf": b"%PDF-1.7\n" + bytes(2000),
}


@pytest.mark.claim("C-REFUSE")
@pytest.mark.claim("C-TYPED")
@pytest.mark.parametrize("name", sorted(BAD))
@pytest.mark.parametrize("lang", ["ar", "zgh", "fr", "en"])
def test_a_bad_file_is_refused_with_a_reason_and_the_good_one_and_the_text_are_kept(
    rehearsal: Rehearsal, name: str, lang: str
) -> None:
    writer = Writer(rehearsal.site_client(), lang)
    page = writer.send(writer.begin(), files=(("good.jpg", PHOTO), (name, BAD[name])))
    assert page.status_code == 422
    (sentence,) = errors_of(page)
    assert sentence.startswith(name)
    # It also stands in the list at the top of the page, with a link to the place.
    assert page.text.count(f"{name}</bdi>") == 2
    assert 'href="#f-evidence"' in page.text
    assert len(sentence) > 30
    assert kept_files(page) == ["photo-1.jpg"]
    assert str(COMMON["description"]) in page.text
    assert rehearsal.stored() == ()
    blobs = [one for one in rehearsal.config.blobs.rglob("*") if one.is_file()]
    assert len(blobs) == 1
    # Without the bad one, the report goes through with what had arrived.
    assert writer.send(page).status_code == 200
    assert len(rehearsal.evidence(rehearsal.only_case())) == 1


@pytest.mark.claim("C-TYPED")
def test_a_file_that_is_too_large_is_named_and_the_rest_survives(rehearsal: Rehearsal) -> None:
    limits = replace(rehearsal.config.site, file_bytes=len(PHOTO) + 10)
    small = replace(rehearsal, config=replace(rehearsal.config, site=limits))
    writer = Writer(small.site_client())
    files = (("good.jpg", PHOTO), ("large.mp4", bytes(len(PHOTO) + 11)))
    page = writer.send(writer.begin(), files=files)
    assert page.status_code == 422
    assert "large.mp4: This file is too large" in errors_of(page)[0]
    assert kept_files(page) == ["photo-1.jpg"]


def test_a_form_that_is_too_large_altogether_gets_a_translated_page(rehearsal: Rehearsal) -> None:
    limits = replace(rehearsal.config.site, form_bytes=50_000)
    small = replace(rehearsal, config=replace(rehearsal.config, site=limits))
    writer = Writer(small.site_client(), "fr")
    page = writer.send(writer.begin(), files=(("a", bytes(60_000)),))
    assert page.status_code == 413
    assert "trop à la fois" in page.text
    assert "49 Ko" in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_a_body_that_is_refused_is_read_to_its_end_so_that_the_browser_sees_the_page(
    rehearsal: Rehearsal,
) -> None:
    limits = replace(rehearsal.config.site, form_bytes=50_000)
    small = replace(rehearsal, config=replace(rehearsal.config, site=limits))
    bound = 16 * 1024**2
    # Of a longer one only its beginning, which says whose stay it is.
    for size, read in ((120_000, 120_000), (bound, bound), (bound + 1, 1024)):
        body = io.BytesIO(bytes(size))
        page = small.site_client().post(
            "/ar/send", input_stream=body, content_length=size, content_type=MULTIPART
        )
        assert page.status_code == 413
        assert body.tell() == read


def test_more_files_than_allowed_are_refused_one_by_one(rehearsal: Rehearsal) -> None:
    limits = replace(rehearsal.config.site, files=2)
    few = replace(rehearsal, config=replace(rehearsal.config, site=limits))
    writer = Writer(few.site_client())
    page = writer.send(writer.begin(), files=tuple((f"{n}.jpg", PHOTO) for n in range(3)))
    assert page.status_code == 422
    assert "The most is 2" in errors_of(page)[0]
    assert kept_files(page) == ["photo-1.jpg", "photo-2.jpg"]


@pytest.mark.parametrize(
    "refusal", [Encrypted(), TooComplex(), JailUnavailable()], ids=lambda one: str(one.reason)
)
def test_every_reason_of_the_sanitizer_has_a_sentence(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch, refusal: Exception
) -> None:
    def refuse(*_: object) -> None:
        raise refusal

    monkeypatch.setattr(site_files, "sanitize", refuse)
    for lang in ("ar", "zgh", "fr", "en"):
        writer = Writer(rehearsal.site_client(), lang)
        page = writer.send(writer.begin(), files=(("a.jpg", PHOTO),))
        assert page.status_code == 422
        assert len(errors_of(page)) == 1


def test_no_reason_of_the_sanitizer_was_forgotten() -> None:
    def leaves(kind: type[Refused]) -> Iterator[type[Refused]]:
        for one in kind.__subclasses__():
            yield one
            yield from leaves(one)

    for words in load_words(HERE / "translations").values():
        for leaf in leaves(Refused):
            assert words.has(f"refused.{leaf.reason}"), leaf


@pytest.mark.claim("C-REFUSE")
@pytest.mark.claim("C-DURABLE")
def test_a_file_that_is_refused_in_the_middle_leaves_nothing(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Intake.seal_clean

    class Halfway:
        media_type, extension = "image/jpeg", "jpg"

        def chunks(self) -> object:
            yield b"the first half"
            raise TooComplex

    def half(self: Intake, _: object, case: object, number: int) -> object:
        return original(self, Halfway(), case, number)  # type: ignore[arg-type]

    monkeypatch.setattr(Intake, "seal_clean", half)
    writer = Writer(rehearsal.site_client())
    page = writer.send(writer.begin(), files=(("a.jpg", PHOTO),))
    assert page.status_code == 422
    assert kept_files(page) == []
    assert [one for one in rehearsal.config.blobs.rglob("*") if one.is_file()] == []


@pytest.mark.claim("C-WORKER")
def test_each_form_has_a_worker_of_its_own_which_ends_with_it(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    class Told:
        def __init__(self, number: int) -> None:
            self.number = number

        def clean(self, *_: object) -> object:
            seen.append(f"file of {self.number}")
            raise TooComplex

    class Workers:
        count = 0

        @contextlib.contextmanager
        def lease(self) -> Iterator[Told]:
            self.count += 1
            number = self.count
            yield Told(number)
            seen.append(f"end of {number}")

    found = Workers()
    monkeypatch.setattr("gateway.site.files.workers", lambda: found)
    for _ in range(2):
        writer = Writer(rehearsal.site_client())
        writer.send(writer.begin(), files=(("a.jpg", PHOTO), ("b.jpg", PHOTO)))
    assert seen == [
        "file of 1", "file of 1", "end of 1", "file of 2", "file of 2", "end of 2",
    ]  # fmt: skip


@pytest.mark.claim("C-NODISK")
def test_nothing_of_an_upload_is_left_open_after_its_answer(rehearsal: Rehearsal) -> None:
    def open_spools() -> int:
        found = 0
        for link in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):
                found += str(rehearsal.config.spool) in str(link.readlink())
        return found

    held: list[SpooledFile] = []

    def look(request: UploadRequest) -> bool:
        held.extend(request.spooled)
        assert open_spools() == 2
        return False

    writer = Writer(rehearsal.site_client())
    form = writer.begin()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site_files, "unexpected", look)
        writer.send(form, files=(("a.jpg", PHOTO), ("b.jpg", b"bad")))
    # Closed by the answer, and not only when Python happens to forget them.
    assert [one.closed for one in held] == [True, True]
    assert open_spools() == 0


def test_a_name_cannot_turn_the_page_around(rehearsal: Rehearsal) -> None:
    assert site_files.shown_name("a\u202egpj.exe") == "a\ufffdgpj.exe"
    assert site_files.shown_name("x" * 100) == "x" * 59 + "…"
    writer = Writer(rehearsal.site_client())
    page = writer.send(writer.begin(), files=(("<b>\u202eexe.jpg", b"PK\3\4"),))
    assert "<bdi>&lt;b&gt;\ufffdexe.jpg</bdi>" in page.text
    assert "\u202e" not in page.text


MOVIE = phone_video(b"canary")
REASONS = {
    "bomb.png": (png_bomb(), "The most is 200 million pixels"),
    "half.mp4": (MOVIE[: len(MOVIE) // 2], "This video is damaged or not complete"),
    "half.jpg": (PHOTO[: len(PHOTO) // 2], "or take a screenshot of it."),
    "book.zip": (b"PK\3\4" + bytes(500), "This kind of file cannot be cleaned here"),
}


@pytest.mark.parametrize("name", sorted(REASONS))
def test_what_to_do_instead_is_said_for_each_kind_of_file(rehearsal: Rehearsal, name: str) -> None:
    content, sentence = REASONS[name]
    writer = Writer(rehearsal.site_client())
    page = writer.send(writer.begin(), files=((name, content),))
    assert page.status_code == 422
    (error,) = errors_of(page)
    assert sentence in error
    assert "2 GB" not in error
    if name.endswith("mp4"):
        assert "screenshot" not in error
        assert "record the screen" in error.lower()


def test_a_video_that_is_too_much_work_is_answered_as_a_video(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error, sentence in (
        (TooComplex(), "This video would take too much work"),
        (Unsupported(), "This video is of a kind"),
    ):

        def refuse(*_: object, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(site_files, "sanitize", refuse)
        writer = Writer(rehearsal.site_client())
        page = writer.send(writer.begin(), files=(("film.mp4", MOVIE),))
        assert sentence in errors_of(page)[0]


@pytest.mark.parametrize(
    ("lang", "size"), [("ar", "100 ميغابايت"), ("fr", "100 Mo"), ("en", "100 MB")]
)
def test_a_picture_beyond_its_own_limit_is_told_that_limit(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch, lang: str, size: str
) -> None:
    def refuse(*_: object) -> None:
        raise ImageTooLarge

    monkeypatch.setattr(site_files, "sanitize", refuse)
    limits = replace(rehearsal.config.site, file_bytes=100 * 1024**2)
    small = replace(rehearsal, config=replace(rehearsal.config, site=limits))
    writer = Writer(small.site_client(), lang)
    page = writer.send(writer.begin(), files=(("a.jpg", PHOTO), ("a.jpg", PHOTO)))
    # Two of the same name, refused for the same reason: said once, with a count.
    (error,) = errors_of(page)
    assert size in error
    assert error.endswith("× 2")
    monkeypatch.undo()
    page = Writer(rehearsal.site_client(), lang).begin()
    assert 'accept="image/*,video/*,audio/*,application/pdf,text/plain"' in page.text
