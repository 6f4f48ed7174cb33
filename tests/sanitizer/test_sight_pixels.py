"""What is drawn: pictures upright and on white, pages, boxes that leave nothing, and PNG."""

import io
from collections.abc import Callable

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sanitizer.errors import Malformed, TooManyPixels
from sanitizer.png import check as png_check
from sanitizer.sight import boxes, pages, picture, png
from sanitizer.sight.boxes import MARGIN, Box
from sanitizer.sight.order import Order, Sight, Subject
from sanitizer.source import BytesSource
from tests.desk.sight.kit import document, opened
from tests.desk.sight.kit import picture as drawn
from tests.support.media import phone_photo

RED, WHITE = (255, 0, 0), (255, 255, 255)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    held = io.BytesIO()
    image.save(held, kind, **options)
    return held.getvalue()


def seen(file: bytes, side: int = 400, part: int = 0) -> Sight:
    order = Order(subject=Subject.PICTURE, length=len(file), side=side, part=part)
    return picture.draw(BytesSource(file), order)


def at(sight: Sight, x: int, y: int) -> tuple[int, ...]:
    start = 3 * (y * sight.width + x)
    return tuple(sight.pixels[start : start + 3])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_every_family_that_is_let_in_is_drawn(kind: str) -> None:
    sight = seen(drawn(kind, (90, 50)))
    assert (sight.width, sight.height, sight.of_width, sight.of_height) == (90, 50, 90, 50)


def test_a_large_picture_is_made_smaller_and_a_small_one_is_left() -> None:
    sight = seen(drawn(size=(1000, 10)), side=100)
    assert (sight.width, sight.height, sight.of_width, sight.of_height) == (100, 1, 1000, 10)
    assert seen(drawn(size=(10, 1)), side=4).height == 1


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_picture_stands_upright(orientation: int) -> None:
    file = phone_photo(b"x", width=60, height=40, orientation=orientation)
    sight = seen(file)
    assert (sight.width, sight.height) == ((40, 60) if orientation == 6 else (60, 40))


def test_what_is_transparent_is_white() -> None:
    image = Image.new("RGBA", (4, 4), (*RED, 0))
    image.putpixel((1, 1), (*RED, 255))
    sight = seen(saved(image, "PNG"))
    assert (at(sight, 0, 0), at(sight, 1, 1)) == (WHITE, RED)


@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
def test_sixteen_bits_are_not_cut_off(mode: str) -> None:
    raw = (0x8000).to_bytes(2, "little" if mode == "I;16" else "big") * 4
    sight = seen(saved(Image.frombytes(mode, (2, 2), raw), "TIFF"))
    assert at(sight, 0, 0) == (128, 128, 128)


def test_a_file_of_several_pictures_is_drawn_one_by_one() -> None:
    two = [Image.new("RGB", (8, 8), RED), Image.new("RGB", (8, 8), WHITE)]
    file = saved(two[0], "TIFF", save_all=True, append_images=two[1:])
    assert [at(seen(file, part=part), 3, 3) for part in (0, 1)] == [RED, WHITE]
    assert seen(file).parts == 2
    with pytest.raises(Malformed, match="part"):
        seen(file, part=2)


def test_more_pixels_than_are_shown_are_refused_before_they_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(picture, "SOURCE_PIXELS_MOST", 99)
    with pytest.raises(TooManyPixels):
        seen(drawn(size=(10, 10)))


# --- pages


def turned(file: bytes, part: int = 0, side: int = 200) -> Sight:
    order = Order(subject=Subject.PAGE, length=len(file), side=side, part=part)
    return pages.draw(BytesSource(file), order)


def test_a_page_is_drawn_with_what_stands_on_it() -> None:
    sight = turned(document(("One", "Two"), (300, 400)))
    assert (sight.parts, sight.of_width, sight.of_height) == (2, 300, 400)
    assert max(sight.width, sight.height) <= 200
    # The red square stands 50 to 150 from the left and from the bottom.
    assert at(sight, 50, 150) == RED
    assert at(sight, 140, 20) == WHITE
    assert len(sight.pixels) == 3 * sight.width * sight.height


@pytest.mark.parametrize("part", [1, 4999])
def test_a_page_that_is_not_there_is_refused(part: int) -> None:
    with pytest.raises(Malformed, match="no such page"):
        turned(document(), part)


def test_a_page_of_no_size_is_refused() -> None:
    with pytest.raises(Malformed, match="no size"):
        turned(document(size=(10, 10_000)))


def test_colours_that_were_not_asked_for_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    render = pypdfium2.PdfPage.render

    def in_four(page: pypdfium2.PdfPage, **asked: object) -> pypdfium2.PdfBitmap:
        return render(page, **asked, force_bitmap_format=pypdfium2.raw.FPDFBitmap_BGRA)

    monkeypatch.setattr(pypdfium2.PdfPage, "render", in_four)
    with pytest.raises(Malformed, match="colours"):
        turned(document())


# --- boxes and PNG


def sight_of(
    width: int, height: int, of: Callable[[int], int] = lambda n: n * 7 % 251 + 1
) -> Sight:
    return Sight(width, height, bytes(of(n) for n in range(width * height * 3)), width, height)


def test_what_is_in_a_box_is_in_no_byte_of_the_result() -> None:
    before = sight_of(20, 10)
    after = boxes.filled(before, [Box(5, 4, 3, 2)])
    for y in range(10):
        for x in range(20):
            inside = 5 - MARGIN <= x < 8 + MARGIN and 4 - MARGIN <= y < 6 + MARGIN
            assert at(after, x, y) == ((0, 0, 0) if inside else at(before, x, y))
    assert boxes.is_only_filled(before, after, [Box(5, 4, 3, 2)])


def test_a_box_beyond_the_edge_covers_what_there_is() -> None:
    before = sight_of(6, 6)
    after = boxes.filled(before, [Box(5, 5, 90, 90), Box(0, 0, 1, 1), Box(50, 50, 5, 5)])
    assert at(after, 5, 5) == at(after, 0, 0) == (0, 0, 0)
    assert at(after, 0, 5) == at(before, 0, 5)


@pytest.mark.parametrize("place", [0, 59, 30 * 3, 20 * 30 * 3 - 1])
def test_a_single_changed_byte_is_noticed(place: int) -> None:
    before = sight_of(30, 20)
    spoilt = bytearray(boxes.filled(before, [Box(5, 5, 3, 3)]).pixels)
    spoilt[place] ^= 1
    assert not boxes.is_only_filled(before, Sight(30, 20, bytes(spoilt), 30, 20), [Box(5, 5, 3, 3)])


def test_a_box_that_is_not_black_or_another_size_is_noticed() -> None:
    before = sight_of(30, 20)
    assert not boxes.is_only_filled(before, before, [Box(5, 5, 3, 3)])
    assert not boxes.is_only_filled(before, sight_of(20, 30), [])
    assert boxes.is_only_filled(before, before, [])


@given(
    st.integers(1, 9), st.integers(1, 9), st.binary(min_size=243, max_size=243),
    st.sampled_from([0, 1, 9]),
)  # fmt: skip
def test_any_pixels_come_back_from_their_png(
    width: int, height: int, some: bytes, level: int
) -> None:
    pixels = some[: width * height * 3]
    file = png.written(width, height, pixels, level=level)
    assert opened(file).tobytes() == pixels
    png_check.check(io.BytesIO(file))
