"""A worker that a file has taken over: what it answers is judged again where it cannot reach."""

import io
from collections.abc import Callable, Iterator

import pytest

from sanitizer import recheck
from sanitizer.detect import Format
from sanitizer.errors import MetadataSurvived, Refused
from sanitizer.jail.pool import Pool
from sanitizer.limits import Limits
from sanitizer.pieces import Plan, Range
from sanitizer.planned import PLANNED
from sanitizer.source import BytesSource
from tests.sanitizer.jailed import hostile, needs_seccomp, once, serves, told
from tests.sanitizer.kit import CANARY
from tests.support.media import drawing, phone_photo


def drawn(kind: str, **options: object) -> Callable[[], bytes]:
    def save() -> bytes:
        made = io.BytesIO()
        drawing(40, 30).save(made, kind, **options)
        return made.getvalue()

    return save


DIRTY: dict[Format, Callable[[], bytes]] = {
    Format.JPEG: lambda: phone_photo(CANARY),
    Format.PNG: lambda: drawn("PNG")() + CANARY,
    Format.BMP: lambda: drawn("BMP")() + CANARY,
    Format.TIFF: drawn("TIFF", description=CANARY.decode()),
    Format.HEIF: lambda: drawn("AVIF")() + b"\0\0\0\x10free" + CANARY,
    Format.PDF: drawn("PDF", title=CANARY.decode()),
    Format.TEXT: lambda: b"Salut \0" + CANARY,
}


def whole(dirty: bytes) -> Plan:
    return Plan(BytesSource(dirty), [Range(0, len(dirty))])


@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize("kind", DIRTY)
def test_an_untouched_original_does_not_pass_as_clean(kind: Format) -> None:
    dirty = DIRTY[kind]()
    with pytest.raises(MetadataSurvived):
        recheck.check(kind, whole(dirty))


@pytest.mark.parametrize("kind", [one for one in DIRTY if one is not Format.TEXT])
def test_what_a_cleaner_makes_passes(kind: Format) -> None:
    recheck.check(kind, PLANNED[kind](BytesSource(DIRTY[kind]()), Limits()).plan)


def test_every_checker_that_is_python_code_is_asked() -> None:
    assert set(recheck.CHECKED) == set(DIRTY) == set(PLANNED) - {Format.GIF, Format.WEBP}


@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize("kind", [Format.GIF, Format.WEBP])
def test_where_the_checker_stays_behind_the_lock_the_form_is_looked_at(kind: Format) -> None:
    recheck.check(kind, whole(drawn(kind.name)()))
    for other in (drawn("PNG")(), b"%PDF-1.7\n", b"MZ" + bytes(99)):
        with pytest.raises(Refused):
            recheck.check(kind, whole(other))


def test_a_clean_result_of_another_format_does_not_pass() -> None:
    text = PLANNED[Format.TEXT](BytesSource(b"I saw it.\n"), Limits()).plan
    with pytest.raises(Refused):
        recheck.check(Format.PDF, text)
    with pytest.raises(MetadataSurvived):
        recheck.check(Format.TEXT, whole(DIRTY[Format.PNG]()))


@pytest.mark.parametrize("error", [RecursionError, MemoryError, KeyError])
def test_a_checker_that_stumbles_has_not_said_clean(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def stumble(_file: object) -> None:
        raise error

    monkeypatch.setitem(recheck.CHECKED, Format.JPEG, stumble)
    with pytest.raises(MetadataSurvived):
        recheck.check(Format.JPEG, whole(DIRTY[Format.JPEG]()))


# What a file can do that has replaced the cleaners of the worker it is in.
TAKE_OVER = """
from sanitizer.detect import Format
from sanitizer.pieces import Plan, Range
from sanitizer.planned import PLANNED
from sanitizer.result import Planned
PLANNED[Format.JPEG] = lambda source, limits: Planned(
    Plan(source, [Range(0, source.length)]), set(), TYPE, EXTENSION
)
"""


@pytest.fixture(scope="module")
def jailed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    """A pool whose cleaner runs the file as a program."""
    with hostile(tmp_path_factory.mktemp("zygote")) as pool:
        yield pool


@needs_seccomp
@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize(
    "types", [("application/pdf", "pdf"), ("image/jpeg", "jpg"), ("image/gif", "gif")]
)
def test_a_worker_that_was_taken_over_passes_no_later_photo_uncleaned(
    jailed: Pool, types: tuple[str, str]
) -> None:
    photo = phone_photo(CANARY)
    program = TAKE_OVER.replace("TYPE", repr(types[0])).replace("EXTENSION", repr(types[1]))
    with jailed.lease() as lease:
        assert told(lease, program) == ["done"]
        with pytest.raises(Refused):
            lease.clean(Format.JPEG, BytesSource(photo), Limits())
        # That worker is gone, and what it had learned.
        made = lease.clean(Format.JPEG, BytesSource(photo), Limits())
        assert CANARY not in b"".join(made.plan.chunks())
    assert serves(jailed)


@needs_seccomp
@pytest.mark.claim("C-JAIL")
def test_a_worker_that_answers_before_it_is_asked_is_ended(jailed: Pool) -> None:
    program = (
        "words = json.dumps({'kinds': [], 'media_type': 'image/gif', 'extension': 'gif',"
        " 'is_rebuilt': False, 'pieces': 1}).encode()\n"
        "one = wire.frame(b'A', words) + wire.PIECE.pack(wire.OURS, 8) + b'GIF89a[]'\n"
        "os.write(0, one + one)"
    )
    with pytest.raises(Refused):
        once(jailed, program)
    assert serves(jailed)
