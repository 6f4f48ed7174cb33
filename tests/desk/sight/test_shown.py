"""What is shown of a file: made anew, behind a lock, in memory; or one calm sentence."""

from __future__ import annotations

import io
import wave
from typing import TYPE_CHECKING

import pytest

from desk.cases import Cases
from desk.errors import (
    EvidenceUnsound,
    NoSuchEvidence,
    NothingToSee,
    NotLockedIn,
    TooMuchToSee,
)
from desk.evidence import open_evidence, views
from desk.sentence import Sentence, reason
from desk.sight import shown
from desk.sight.memory import BREAK_EVERY, Drawn, Exposure
from desk.sight.shown import Shown
from desk.sight.veil import DOTS, PLAIN, Busy, Veils, veil
from sanitizer.errors import Malformed, TooComplex, Unsupported
from sanitizer.limits import Limits
from sanitizer.sight.order import PARTS_MOST, Order, Sight
from tests.desk.sight import kit
from tests.desk.world import TODAY
from tests.sanitizer.jailed import needs_seccomp
from tests.sanitizer.test_sight_film import needs_jail
from tests.support.heif import encoded
from tests.support.media import drawing

if TYPE_CHECKING:
    from collections.abc import Callable

    from desk.cases import Case
    from desk.desk import Desk
    from desk.sync import SyncReport
    from tests.desk.world import Reporter, Row

    Read = Callable[[], Case]
    Synced = Callable[..., SyncReport]

pytestmark = [needs_seccomp, needs_jail]


@pytest.fixture
def kept(desk: Desk, reporter: Reporter, sync: Synced) -> Callable[..., tuple[Case, str]]:
    """A case with one file in it, and the file's id."""

    def keep(media_type: str, content: bytes, **changes: object) -> tuple[Case, str]:
        row: Row = reporter.evidence("file-1", media_type, content, **changes)
        sync(*reporter.report([row]))
        return Cases(desk).find(reporter.case.hex()), row.id.hex()

    return keep


@pytest.mark.claim("C-PREVIEW")
@pytest.mark.parametrize(
    ("media_type", "kind"),
    [("image/jpeg", "JPEG"), ("image/png", "PNG"), ("image/webp", "WEBP"), ("image/tiff", "TIFF")],
)
def test_a_picture_is_rebuilt_from_its_pixels(
    desk: Desk, kept: Callable[..., tuple[Case, str]], media_type: str, kind: str
) -> None:
    file = kit.picture(kind, (2000, 1500))
    case, name = kept(media_type, file)
    preview = shown.picture(desk, case, name)
    assert (preview.media_type, preview.width, preview.height) == ("image/png", 1600, 1200)
    assert (preview.of_width, preview.of_height) == (2000, 1500)
    assert kit.opened(preview.content).size == (1600, 1200)
    assert file[100:160] not in preview.content


@pytest.mark.claim("C-PREVIEW")
def test_a_heic_picture_is_rebuilt_too(desk: Desk, kept: Callable[..., tuple[Case, str]]) -> None:
    case, name = kept("image/heic", encoded(drawing(80, 60).tobytes(), 80, 60))
    assert kit.opened(shown.picture(desk, case, name).content).size == (80, 60)


@pytest.mark.claim("C-PREVIEW")
def test_a_film_is_rebuilt_as_frames_and_a_clip(
    desk: Desk, kept: Callable[..., tuple[Case, str]]
) -> None:
    case, name = kept("video/quicktime", kit.film())
    assert shown.picture(desk, case, name).parts == 2
    clip = shown.clip(desk, case, name)
    assert (clip.media_type, clip.content[:4]) == ("video/webm", b"\x1aE\xdf\xa3")
    assert b"CANARY" not in clip.content
    with pytest.raises(NothingToSee, match="kind"):
        shown.sound(desk, case, name)


@pytest.mark.claim("C-PREVIEW")
def test_a_sound_is_rebuilt_from_its_samples(
    desk: Desk, kept: Callable[..., tuple[Case, str]]
) -> None:
    case, name = kept("audio/mpeg", kit.tone())
    heard = shown.sound(desk, case, name)
    with wave.open(io.BytesIO(heard.content)) as sound:
        assert sound.getnframes() > 10_000
    for look in (shown.picture, shown.clip, shown.words):
        with pytest.raises(NothingToSee, match="kind"):
            look(desk, case, name)


@pytest.mark.claim("C-PREVIEW")
def test_a_document_is_rebuilt_page_by_page(
    desk: Desk, kept: Callable[..., tuple[Case, str]]
) -> None:
    case, name = kept("application/pdf", kit.document(("One", "Two")))
    pages = [shown.picture(desk, case, name, part=part) for part in (0, 1)]
    assert pages[0].content != pages[1].content
    assert pages[0].parts == 2
    with pytest.raises(NothingToSee):
        shown.picture(desk, case, name, part=2)


def test_a_text_is_shown_as_text(desk: Desk, kept: Callable[..., tuple[Case, str]]) -> None:
    case, name = kept("text/plain", b"\xef\xbb\xbfline\n\xff")
    assert shown.words(desk, case, name) == "line\n\ufffd"


def test_a_text_that_is_too_long_is_not_read(
    desk: Desk, kept: Callable[..., tuple[Case, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    case, name = kept("text/plain", b"x" * 100)
    monkeypatch.setattr(shown, "TEXT_MOST", 10)
    assert shown.words(desk, case, name) == "x" * 10
    monkeypatch.setattr(shown, "LIMITS", Limits(text_bytes=99))
    with pytest.raises(NothingToSee, match="more time or memory"):
        shown.words(desk, case, name)


@pytest.mark.claim("C-PREVIEW")
@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("image/jpeg", b"\xff\xd8\xff\xe0" + b"junk" * 90),
        ("image/png", kit.bomb()),
        ("image/png", kit.bomb(9_000, 9_000)),
        ("image/heic", b"\0\0\0\x18ftypheic" + bytes(400)),
        ("application/pdf", b"%PDF-1.7\n" + b"1 0 obj <<" * 900),
        ("video/mp4", b"\0\0\0\x18ftypmp42" + b"\xff" * 900),
        ("audio/mpeg", b"\xff\xfb" + b"\0" * 900),
    ],
    ids=["jpeg", "bomb", "smaller-bomb", "heic", "pdf", "film", "sound"],
)
def test_a_hostile_file_gets_a_calm_sentence(
    desk: Desk, kept: Callable[..., tuple[Case, str]], media_type: str, content: bytes
) -> None:
    case, name = kept(media_type, content)
    kind = shown.kind_of(views(desk, case)[0])
    every: dict[str, list[Callable[[Desk, Case, str], object]]] = {
        shown.PICTURE: [shown.picture], shown.PAGES: [shown.picture],
        shown.FILM: [shown.picture, shown.clip], shown.SOUND: [shown.sound],
    }  # fmt: skip
    for look in every[kind]:
        with pytest.raises(NothingToSee, match="There is no preview"):
            look(desk, case, name)


@pytest.mark.claim("C-PREVIEW")
@pytest.mark.parametrize(
    ("media_type", "content", "told"),
    [
        ("application/pdf", kit.document(("One", "Two")), "it has 2 pages"),
        ("image/jpeg", kit.picture(), "it has 1 picture"),
        ("image/heic", b"never read", "it has 1 picture"),
        ("video/mp4", b"never read", "it has 1 picture"),
        ("application/pdf", b"%PDF-1.7\n" + b"1 0 obj <<" * 9, "could not read the file"),
    ],
    ids=["pdf", "jpeg", "heic", "film", "damaged"],
)
def test_a_part_that_a_file_does_not_have_is_no_fault_of_the_file(
    desk: Desk, kept: Callable[..., tuple[Case, str]], media_type: str, content: bytes, told: str
) -> None:
    case, name = kept(media_type, content)
    with pytest.raises(NothingToSee, match=told):
        shown.picture(desk, case, name, part=2)


@pytest.mark.parametrize("parts", [3, PARTS_MOST], ids=["it-has-it", "more-than-are-counted"])
def test_a_part_that_breaks_its_reader_is_the_files_fault(
    desk: Desk,
    kept: Callable[..., tuple[Case, str]],
    monkeypatch: pytest.MonkeyPatch,
    parts: int,
) -> None:
    def see(_pool: object, _source: object, order: Order, _limits: object) -> Sight:
        if order.part:
            raise Malformed
        return Sight(1, 1, bytes(3), 1, 1, parts)

    monkeypatch.setattr(shown, "see", see)
    case, name = kept("application/pdf", kit.document())
    with pytest.raises(NothingToSee, match="could not read the file"):
        shown.picture(desk, case, name, part=2 if parts == 3 else PARTS_MOST)


@pytest.mark.claim("C-PREVIEW")
def test_where_nothing_can_be_locked_in_nothing_is_shown(
    desk: Desk, kept: Callable[..., tuple[Case, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    case, name = kept("image/jpeg", kit.picture())
    monkeypatch.setattr(shown, "looking", lambda: None)
    with pytest.raises(NothingToSee, match="locked in"):
        shown.picture(desk, case, name)


@pytest.mark.parametrize(
    ("refused", "words"),
    [(Malformed(), "damaged"), (TooComplex(), "time or memory"), (Unsupported(), "kind of file")],
)
def test_every_refusal_is_calm(refused: Malformed, words: str) -> None:
    assert words in str(shown._calm(refused))


def test_a_picture_that_is_longer_than_is_shown_is_not_read(
    desk: Desk, kept: Callable[..., tuple[Case, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    case, name = kept("image/jpeg", kit.picture())
    monkeypatch.setattr(shown, "LIMITS", Limits(file_bytes=99))
    with pytest.raises(NothingToSee, match="more time or memory"):
        shown.picture(desk, case, name)


def test_a_picture_is_proven_before_anybody_looks_at_it(
    desk: Desk, kept: Callable[..., tuple[Case, str]]
) -> None:
    case, name = kept("image/jpeg", kit.picture(), sha256=bytes(32))
    with pytest.raises(EvidenceUnsound):
        shown.picture(desk, case, name)
    with pytest.raises(NoSuchEvidence):
        shown.picture(desk, case, "00")


@pytest.mark.claim("C-ORIGINAL")
def test_an_original_that_nobody_cleaned_is_not_even_rebuilt(
    desk: Desk, reporter: Reporter, sync: Synced, read: Read
) -> None:
    copy = reporter.evidence("photo-1.jpg", "image/jpeg", kit.picture())
    original = reporter.evidence("o", "image/jpeg", kit.picture(), removed=(), original_of=copy.id)
    sync(*reporter.report([copy, original]))
    assert [shown.kind_of(one) for one in views(desk, read())] == [shown.PICTURE, shown.NONE]
    with pytest.raises(NothingToSee):
        shown.picture(desk, read(), original.id.hex())


def test_a_file_that_is_not_known_has_no_kind(
    desk: Desk, kept: Callable[..., tuple[Case, str]]
) -> None:
    case, _ = kept("application/x-dosexec", b"MZ")
    assert shown.kind_of(views(desk, case)[0]) == shown.NONE


def test_a_film_is_read_in_pieces(desk: Desk, kept: Callable[..., tuple[Case, str]]) -> None:
    content = bytes(range(256)) * 300
    case, name = kept("video/mp4", content)
    pieces = shown.Pieces(open_evidence(desk, case, name))
    assert pieces.length == len(content)
    assert pieces.read_at(70_000, 500) == content[70_000:70_500]
    assert pieces.read_at(len(content) - 3, 500) == content[-3:]
    assert pieces.read_at(len(content), 5) == b""


# --- the veil, the memory, the care


@pytest.mark.claim("C-PREVIEW")
def test_a_veil_is_a_few_grey_dots() -> None:
    sight = Sight(64, 32, bytes([9, 60, 231]) * 64 * 32, 64, 32)
    made = veil(sight)
    assert (made.width, made.height) == (16, 8)
    assert set(kit.opened(made.content).tobytes()) == {100}
    assert veil(Sight(90, 1, bytes(270), 90, 1)).height == 1


def test_what_was_drawn_is_drawn_once_and_what_cannot_be_is_tried_once() -> None:
    drawn, made = Drawn(), []

    def make() -> Shown:
        made.append(1)
        return Shown("image/png", b"x")

    def fail() -> Shown:
        made.append(1)
        raise NothingToSee("calm")

    assert drawn.get("a", make) is drawn.get("a", make)
    for _ in range(2):
        with pytest.raises(NothingToSee, match="calm"):
            drawn.get("b", fail)
    assert len(made) == 2
    assert (drawn.why_not("b"), drawn.why_not("a")) == ("calm", "")
    drawn.forget()
    assert drawn.why_not("b") == ""
    drawn.get("a", make)
    assert len(made) == 3


@pytest.mark.claim("C-LOCK")
def test_what_is_being_drawn_when_lock_is_pressed_is_neither_kept_nor_given() -> None:
    drawn = Drawn()
    drawn.get("before", lambda: Shown("image/png", b"x"))

    def locked_meanwhile() -> Shown:
        drawn.end()
        return Shown("image/png", b"x")

    with pytest.raises(NothingToSee, match="locked meanwhile"):
        drawn.get("at it", locked_meanwhile)
    for name in ("before", "after"):
        with pytest.raises(NothingToSee, match="locked meanwhile"):
            drawn.get(name, lambda: Shown("image/png", b"x"))
    assert (not drawn._held, not drawn._reasons) == (True, True)


@pytest.mark.claim("C-LOCK")
def test_why_there_is_nothing_to_see_is_not_kept_after_lock() -> None:
    drawn = Drawn()

    def locked_meanwhile() -> Shown:
        drawn.end()
        raise NothingToSee("calm")

    with pytest.raises(NothingToSee, match="locked meanwhile"):
        drawn.get("at it", locked_meanwhile)
    assert drawn.why_not("at it") == ""


def test_what_is_being_drawn_when_a_file_is_closed_is_not_kept() -> None:
    drawn = Drawn()

    def closed_meanwhile() -> Shown:
        drawn.forget()
        return Shown("image/png", b"x")

    def broken_meanwhile() -> Shown:
        drawn.forget()
        raise NothingToSee("calm")

    assert drawn.get("a", closed_meanwhile).content == b"x"
    assert not drawn._held
    with pytest.raises(NothingToSee, match="calm"):
        drawn.get("b", broken_meanwhile)
    assert drawn.why_not("b") == ""
    # The program goes on.
    drawn.get("c", lambda: Shown("image/png", b"y"))
    assert list(drawn._held) == ["c"]


def test_why_there_is_nothing_is_said_twice_in_the_readers_language() -> None:
    drawn = Drawn()

    def fail() -> Shown:
        raise NothingToSee(Sentence("There is nothing to see there: it has {parts}.", parts="x"))

    for _ in range(2):
        with pytest.raises(NothingToSee) as nothing:
            drawn.get("b", fail)
        assert reason(nothing.value).facts == {"parts": "x"}


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = Drawn(most=10)
    for name in "abc":
        drawn.get(name, lambda: Shown("image/png", b"12345"))
    assert list(drawn._held) == ["b", "c"]
    monkeypatch.setattr("desk.sight.memory.REASONS_MOST", 1)

    def fail() -> Shown:
        raise NothingToSee("calm")

    for name in "de":
        with pytest.raises(NothingToSee):
            drawn.get(name, fail)
    assert (drawn.why_not("d"), drawn.why_not("e")) == ("", "calm")


def test_pictures_are_counted_once_a_day() -> None:
    exposure = Exposure()
    for number in [*range(BREAK_EVERY - 1), 0, 0]:
        exposure.opened(number, TODAY)
    assert exposure.count(TODAY) == BREAK_EVERY - 1
    assert not exposure.is_time_for_a_break(TODAY)
    exposure.opened("one more", TODAY)
    assert exposure.is_time_for_a_break(TODAY)
    assert exposure.count(type(TODAY)(TODAY + 1)) == 0


@pytest.mark.claim("C-PREVIEW")
def test_a_veil_costs_a_moment_or_is_plain(
    desk: Desk, kept: Callable[..., tuple[Case, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    veils = Veils()
    case, name = kept("image/png", kit.picture("PNG"))
    assert veils.of(desk, case, name).width == DOTS
    asked: list[Limits] = []

    def slow(_desk: Desk, _case: Case, _name: str, *, limits: Limits, **_: object) -> Sight:
        asked.append(limits)
        with pytest.raises(Busy):
            veils.of(desk, case, name)
        raise TooMuchToSee(shown.TOO_MUCH)

    monkeypatch.setattr(shown, "pixels", slow)
    assert veils.of(desk, case, name) is PLAIN
    assert (asked[0].worker_seconds, asked[0].worker_wait_seconds) == (2, 1)

    def hindered(why: NothingToSee) -> Callable[..., Sight]:
        def pixels(*_: object, **__: object) -> Sight:
            raise why

        return pixels

    monkeypatch.setattr(shown, "pixels", hindered(NotLockedIn(shown.NO_JAIL)))
    with pytest.raises(Busy):
        veils.of(desk, case, name)
    # Where nothing can be locked in at all, that is said, and not waited out.
    with monkeypatch.context() as patch:
        patch.setattr("desk.sight.veil.looking", lambda: None)
        with pytest.raises(NotLockedIn):
            veils.of(desk, case, name)
    monkeypatch.setattr(shown, "pixels", hindered(NothingToSee(shown.UNREADABLE)))
    with pytest.raises(NothingToSee, match="could not read"):
        veils.of(desk, case, name)


@pytest.mark.claim("C-PREVIEW")
@pytest.mark.parametrize("media_type", ["video/mp4", "application/pdf"])
def test_a_film_and_a_document_are_not_read_before_somebody_asks(
    desk: Desk, kept: Callable[..., tuple[Case, str]], media_type: str
) -> None:
    assert Veils().of(desk, *kept(media_type, b"whatever it would cost")) is PLAIN
