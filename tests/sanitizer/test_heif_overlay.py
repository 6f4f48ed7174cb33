"""Pictures laid over one another in HEIC and AVIF: what shows stays, what nobody sees goes."""

import functools
import io
import struct
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.errors import (
    Encrypted,
    Malformed,
    MetadataSurvived,
    Refused,
    TooComplex,
    TooManyPixels,
    Unsupported,
)
from sanitizer.heif import check as heif_check
from sanitizer.heif import check_derived
from sanitizer.heif.overlay import Layer, Overlay
from sanitizer.limits import Limits
from tests.sanitizer.kit import CANARY, clean, cleaned, prove
from tests.sanitizer.test_heif import av1_parts, exif_item, grid, items_of, meta_of, pixels
from tests.sanitizer.test_heif_jpeg import by_ffmpeg
from tests.support.boxes import find
from tests.support.heif import File, Property, Thing, coded, hidden, ispe
from tests.support.media import drawing

SIDE = 64
RED = (0xFFFF, 0, 0, 0xFFFF)
ALPHA: Property = (b"auxC", b"\0\0\0\0urn:mpeg:hevc:2015:auxid:1\0", True)
Place = tuple[int, int]


def payload(
    places: list[Place], size: tuple[int, int], fill: tuple[int, ...] = RED, *, flags: int = 0
) -> bytes:
    """Return what an overlay item holds."""
    signed = f">{2 * len(places)}{'i' if flags & 1 else 'h'}"
    numbers = struct.pack(signed, *(number for place in places for number in place))
    sides = struct.pack(">II" if flags & 1 else ">HH", *size)
    return bytes([0, flags]) + struct.pack(">4H", *fill) + sides + numbers


def picture(turn: int = 0, width: int = SIDE, height: int = SIDE) -> Thing:
    """Return a layer."""
    return hidden(coded(drawing(width, height).rotate(turn)))


def canvas(
    *layers: tuple[Thing, Place],
    size: tuple[int, int] = (160, 120),
    more: dict[int, Thing] | None = None,
    data: bytes | None = None,
    **options: object,
) -> File:
    """Return a file of an overlay, its layers numbered from two."""
    numbers = list(range(2, 2 + len(layers)))
    told = payload([place for _, place in layers], size) if data is None else data
    top = Thing(b"iovl", told, [ispe(*size)], {b"dimg": numbers})
    things = {1: top, **dict(zip(numbers, (thing for thing, _ in layers), strict=True))}
    return File(things | (more or {}), **options)  # type: ignore[arg-type]


def two(**options: object) -> File:
    """Return two pictures of which the upper hides a part of the lower."""
    return canvas((picture(), (10, 20)), (picture(90), (40, 8)), **options)  # type: ignore[arg-type]


def inside(made: bytes) -> bytes:
    """Return what an overlay that we wrote says."""
    return find(meta_of(made), b"idat")


@pytest.mark.claim("C-META")
def test_an_overlay_keeps_its_pictures_and_its_colour_alone() -> None:
    message = struct.pack(">I", 3 + len(CANARY)) + b"\x4e\1\5" + CANARY
    file = two(more={9: exif_item()}, slack=CANARY, idat_extra=CANARY)
    file.things[1] = replace(file.things[1], data=file.things[1].data + CANARY, name=CANARY)
    file.things[2] = replace(file.things[2], data=message + file.things[2].data)
    dirty = file.to_bytes()
    made, facts = prove(dirty, "heic")
    assert pixels(made) == pixels(dirty) == pixels(two().to_bytes())
    assert pixels(made)[2][-3:] == b"\xff\0\0"
    assert items_of(made) == [b"iovl", b"hvc1", b"hvc1"]
    assert inside(made) == payload([(10, 20), (40, 8)], (160, 120))
    assert {"gps", "sei", "trailing_data"} <= set(facts.removed)


def dropped() -> Thing:
    """Return a layer that could not even be read, were it looked at."""
    return Thing(b"hvc1", CANARY, [ispe(SIDE, SIDE)], name=CANARY)


BASE = picture()
UNSEEN: dict[str, Callable[[], tuple[File, File]]] = {
    "beside the canvas": lambda: (
        canvas((BASE, (0, 0)), (dropped(), (160, 0))),
        canvas((BASE, (0, 0))),
    ),
    "above the canvas": lambda: (
        canvas((dropped(), (9, -SIDE)), (BASE, (0, 0))),
        canvas((BASE, (0, 0))),
    ),
    "far away": lambda: (
        canvas(
            (BASE, (0, 0)),
            (dropped(), (1, 1)),
            data=payload([(0, 0), (-(1 << 31), (1 << 31) - 1)], (160, 120), flags=1),
        ),
        canvas((BASE, (0, 0))),
    ),
    "under another": lambda: (
        canvas((dropped(), (5, 5)), (BASE, (5, 5))),
        canvas((BASE, (5, 5))),
    ),
    "under two others": lambda: (
        canvas((dropped(), (20, 0)), (BASE, (0, 0)), (BASE, (SIDE, 0))),
        canvas((BASE, (0, 0)), (BASE, (SIDE, 0))),
    ),
    "half under another, half beside the canvas": lambda: (
        canvas((dropped(), (-30, 0)), (BASE, (0, 0))),
        canvas((BASE, (0, 0))),
    ),
    "under one that is turned": lambda: (
        canvas((dropped(), (0, 10)), (turned(), (0, 0)), size=(160, 130)),
        canvas((turned(), (0, 0)), size=(160, 130)),
    ),
    "under one that is under glass": lambda: (
        canvas((dropped(), (0, 0)), (BASE, (0, 0)), (BASE, (0, 0)), more={8: glass(4)}),
        canvas((BASE, (0, 0)), (BASE, (0, 0)), more={8: glass(3)}),
    ),
}


def turned() -> Thing:
    """Return a picture of 128 by 64 that is shown as 64 by 128."""
    thing = picture(0, 128, SIDE)
    return replace(thing, properties=[*thing.properties, (b"irot", b"\1", True)])


def glass(*masters: int, width: int = SIDE, height: int = SIDE) -> Thing:
    """Return an alpha plane of some items."""
    plane = hidden(coded(drawing(width, height, "L")))
    return replace(
        plane, properties=[*plane.properties, ALPHA], references={b"auxl": list(masters)}
    )


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("where", UNSEEN)
def test_a_picture_that_nobody_sees_on_its_canvas_goes(where: str) -> None:
    dirty, without = (file.to_bytes() for file in UNSEEN[where]())
    made, facts = prove(dirty, "heic")
    assert made == clean(without)
    assert pixels(made) == pixels(without)
    assert "hidden_frames" in facts.removed


SEEN: dict[str, Callable[[], File]] = {
    "under glass": lambda: canvas(
        (picture(), (0, 0)), (picture(90), (0, 0)), size=(SIDE, SIDE), more={8: glass(3)}
    ),
    "under tiles of glass": lambda: canvas(
        (picture(), (0, 0)),
        (Thing(b"grid", grid(1, 1, SIDE, SIDE), [ispe(SIDE, SIDE)], {b"dimg": [7]}), (0, 0)),
        size=(SIDE, SIDE),
        more={7: picture(90), 8: glass(7)},
    ),
    "with a row showing": lambda: canvas((picture(), (0, 0)), (picture(90), (0, 1))),
    "twice": lambda: File(
        {
            1: Thing(
                b"iovl", payload([(0, 0), (70, 3)], (160, 120)), [ispe(160, 120)], {b"dimg": [2, 2]}
            ),
            2: picture(),
        }
    ),
    "turned": lambda: canvas((picture(), (0, 0)), (turned(), (32, 2)), size=(160, 130)),
    "cut": lambda: canvas(
        (
            replace(
                picture(),
                properties=[
                    *picture().properties,
                    (b"clap", struct.pack(">IIIIiIiI", 60, 1, 50, 1, -2, 1, -7, 1), True),
                ],
            ),
            (0, 0),
        ),
        size=(60, 50),
    ),
    "made of tiles": lambda: canvas(
        (picture(180), (0, 0)),
        (Thing(b"grid", grid(1, 2, 100, SIDE), [ispe(100, SIDE)], {b"dimg": [6, 7]}), (30, 20)),
        more=dict(zip((6, 7), map(picture, (0, 90)), strict=True)),
    ),
    "cut out as a whole": lambda: canvas(
        (picture(), (0, 0)), (picture(90), (90, 50)), more={8: glass(1, width=160, height=120)}
    ),
    "far to the right": lambda: canvas(
        (picture(), (32_768, 0)),
        size=(32_840, SIDE),
        data=payload([(32_768, 0)], (32_840, SIDE), flags=1),
    ),
    "in a long form that need not be": lambda: canvas(
        (picture(), (1, 2)), data=payload([(1, 2)], (160, 120), flags=1)
    ),
    "turned as a whole": lambda: File(
        {
            1: Thing(
                b"iovl",
                payload([(1, 2)], (160, 120)),
                [ispe(160, 120), (b"irot", b"\1", True)],
                {b"dimg": [2]},
            ),
            2: picture(),
        }
    ),
}


@pytest.mark.parametrize("how", SEEN)
def test_a_picture_that_shows_on_its_canvas_stays(how: str) -> None:
    dirty = SEEN[how]().to_bytes()
    made, facts = cleaned(dirty)
    assert pixels(made) == pixels(dirty)
    assert len(items_of(made)) == len(SEEN[how]().things)
    assert clean(made) == made
    assert not facts.removed
    is_far = how == "far to the right"
    assert inside(made)[:2] == bytes([0, is_far])


@pytest.mark.parametrize(
    ("fill", "size", "kept"),
    [
        ((0xFFFF, 0x8080, 0, 0xFFFF), (160, 120), (0xFFFF, 0x8080, 0, 0xFFFF)),
        ((0x1243, 0x3441, 0x564E, 0x7841), (160, 120), (0x1212, 0x3434, 0x5656, 0x7878)),
        ((0x4341, 0x4E41, 0x5259, 0x2D37), (SIDE, SIDE), (0, 0, 0, 0)),
    ],
    ids=["a colour", "a colour that says something", "a colour that nobody sees"],
)
def test_a_canvas_keeps_the_colour_that_is_seen(
    fill: tuple[int, ...], size: tuple[int, int], kept: tuple[int, ...]
) -> None:
    dirty = canvas((picture(), (0, 0)), size=size, data=payload([(0, 0)], size, fill)).to_bytes()
    made = clean(dirty)
    assert pixels(made) == pixels(dirty)
    assert inside(made) == payload([(0, 0)], size, kept)
    assert clean(made) == made


@pytest.mark.claim("C-META")
def test_an_overlay_of_avif_keeps_its_pixels() -> None:
    thing = hidden(av1_parts()[0])
    told = payload([(0, 0), (20, 30)], (160, 120), (0xFFFF, 0xFFFF, 0, 0xFFFF))
    file = canvas((thing, (0, 0)), (thing, (20, 30)), data=told + CANARY, brand=b"avif")
    made, _ = prove(file.to_bytes(), "avif")
    assert made[8:12] == b"avif"
    assert items_of(made) == [b"iovl", b"av01", b"av01"]
    assert inside(made) == told
    # No decoder here but ffmpeg composes AVIF; it knows no place left of the canvas, or above.
    assert by_ffmpeg(made) == by_ffmpeg(file.to_bytes())


def crop(*numbers: int) -> Property:
    return b"clap", struct.pack(">IIIIiIiI", *numbers), True


def with_property(told: Property) -> Thing:
    return replace(picture(), properties=[*picture().properties, told])


REFUSED: dict[str, tuple[type[Refused], Callable[[], File]]] = {
    "of nothing": (Malformed, canvas),
    "of what is not there": (
        Malformed,
        lambda: File({1: Thing(b"iovl", payload([(0, 0)], (9, 9)), [ispe(9, 9)], {b"dimg": [5]})}),
    ),
    "of what nobody sees": (Malformed, lambda: canvas((picture(), (160, 0)))),
    "of itself": (
        Malformed,
        lambda: File({1: Thing(b"iovl", payload([(0, 0)], (9, 9)), [ispe(9, 9)], {b"dimg": [1]})}),
    ),
    "of another version": (
        Malformed,
        lambda: two(data=b"\1" + payload([(0, 0)] * 2, (160, 120))[1:]),
    ),
    "without width": (Malformed, lambda: two(data=payload([(0, 0)] * 2, (0, 120)))),
    "without height": (Malformed, lambda: two(data=payload([(0, 0)] * 2, (160, 0)))),
    "of another size": (Malformed, lambda: two(data=payload([(0, 0)] * 2, (160, 121)))),
    "cut short": (Malformed, lambda: two(data=payload([(0, 0)] * 2, (160, 120))[:-1])),
    "too long": (Malformed, lambda: two(data=payload([(0, 0)] * 2, (160, 120)) + bytes(30_000))),
    "that cuts a picture to its left": (
        Unsupported,
        lambda: canvas((picture(), (-1, 0))),
    ),
    "that cuts a picture above": (Unsupported, lambda: canvas((picture(), (0, -1)))),
    "that cuts a picture to its right": (
        Unsupported,
        lambda: canvas((picture(), (160 - SIDE + 1, 0))),
    ),
    "that cuts a picture below": (
        Unsupported,
        lambda: canvas((picture(), (0, 120 - SIDE + 1))),
    ),
    "that is cut": (
        Unsupported,
        lambda: File(
            {
                1: Thing(
                    b"iovl",
                    payload([(0, 0)], (160, 120)),
                    [ispe(160, 120), crop(159, 1, 120, 1, -1, 2, 0, 1)],
                    {b"dimg": [2]},
                ),
                2: picture(),
            }
        ),
    ),
    "of an overlay": (
        Unsupported,
        lambda: canvas(
            (Thing(b"iovl", payload([(0, 0)], (9, 9)), [ispe(9, 9)], {b"dimg": [7]}), (0, 0)),
            more={7: picture()},
        ),
    ),
    "of a picture that is a tile": (
        Malformed,
        lambda: canvas(
            (picture(), (0, 0)),
            (Thing(b"grid", grid(1, 1, SIDE, SIDE), [ispe(SIDE, SIDE)], {b"dimg": [2]}), (70, 0)),
        ),
    ),
    "as an alpha plane": (
        Unsupported,
        lambda: canvas(
            (picture(), (0, 0)),
            more={
                7: Thing(
                    b"iovl",
                    payload([(0, 0)], (9, 9)),
                    [ispe(9, 9), ALPHA],
                    {b"dimg": [2], b"auxl": [1]},
                )
            },
        ),
    ),
    "of a locked picture": (
        Encrypted,
        lambda: canvas((replace(picture(), protection=1), (0, 0))),
    ),
    "of two codecs": (
        Malformed,
        lambda: canvas((picture(), (0, 0)), (hidden(av1_parts()[0]), (SIDE, 0))),
    ),
    "of a picture that is cut to nothing": (
        Malformed,
        lambda: canvas((with_property(crop(0, 1, 64, 1, 0, 1, 0, 1)), (0, 0))),
    ),
    "of a picture that is turned by nothing": (
        Malformed,
        lambda: canvas((with_property((b"irot", b"", True)), (0, 0))),
    ),
    "of too many pictures": (
        TooComplex,
        lambda: canvas(*[(picture(), (at, 0)) for at in range(65)]),
    ),
}


@pytest.mark.parametrize("why", REFUSED)
def test_an_overlay_that_cannot_be_proven_clean_is_refused(why: str) -> None:
    kind, make = REFUSED[why]
    with pytest.raises(kind) as raised:
        clean(make().to_bytes())
    assert type(raised.value) is kind


def test_an_overlay_of_more_pixels_than_the_limit_is_refused() -> None:
    dirty = two().to_bytes()
    most = 160 * 120 + 2 * SIDE * SIDE
    assert clean(dirty, Limits(image_pixels=most))
    with pytest.raises(TooManyPixels):
        clean(dirty, Limits(image_pixels=most - 1))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.integers(-1, 7), st.integers(-1, 6), st.integers(1, 4), st.integers(1, 4),
            st.booleans(),
        ),
        max_size=6,
    )
)  # fmt: skip
def test_what_shows_is_what_a_painter_would_leave(
    layers: list[tuple[int, int, int, int, bool]],
) -> None:
    width, height = 7, 6
    fields = {(x, y): [-1] for x in range(width) for y in range(height)}
    for at, (left, top, across, down, opaque) in enumerate(layers):
        for field in fields.keys() & {
            (x, y) for x in range(left, left + across) for y in range(top, top + down)
        }:
            fields[field] = [at] if opaque else [*fields[field], at]
    expected = {at for seen in fields.values() for at in seen}
    told = Overlay(RED, width, height, tuple(each[:2] for each in layers))
    rects = [(left, top, left + w, top + h) for left, top, w, h, _ in layers]
    board = check_derived.Board(rects, width, height)
    above = [
        [n for n in range(at + 1, len(layers)) if layers[n][4]] for at in range(-1, len(layers))
    ]
    judged = {
        at for at in range(-1, len(layers)) if board.shows(None if at < 0 else at, above[at + 1])
    }
    assert judged == expected
    if not expected - {-1}:
        with pytest.raises(Malformed):
            told.seen([Layer(*each[2:]) for each in layers])
        return
    seen = [rects[at] for at in expected - {-1}]
    if any(
        left < 0 or top < 0 or right > width or bottom > height for left, top, right, bottom in seen
    ):
        with pytest.raises(Unsupported):
            told.seen([Layer(*each[2:]) for each in layers])
        return
    ours, chosen = told.seen([Layer(*each[2:]) for each in layers])
    assert set(chosen) == expected - {-1}
    assert (ours.fill == RED) == (-1 in expected)


MADE = clean(two().to_bytes())
CANVAS = inside(MADE)
ONE = clean(canvas((picture(), (0, 0)), size=(SIDE, SIDE)).to_bytes())
GLASS = clean(SEEN["under glass"]().to_bytes())


def said(data: bytes, made: bytes = MADE) -> bytes:
    """Return a clean file whose overlay says something else, as long as before."""
    return made.replace(inside(made), data)


SURVIVORS: dict[str, Callable[[], bytes]] = {
    "a version": lambda: said(b"\1" + CANVAS[1:]),
    "flags": lambda: said(CANVAS[:1] + b"\2" + CANVAS[2:]),
    "a long form that need not be": lambda: said(CANVAS[:1] + b"\1" + CANVAS[2:]),
    "a colour below eight bits": lambda: said(CANVAS[:3] + b"\xfe" + CANVAS[4:]),
    "another size": lambda: said(CANVAS[:11] + b"\xa1" + CANVAS[12:]),
    "a picture beside the canvas": lambda: said(CANVAS[:-4] + b"\0\xa0\0\0"),
    "a picture under another": lambda: said(CANVAS[:-4] + CANVAS[-8:-4]),
    "a colour that nobody sees": lambda: said(
        payload([(0, 0)], (SIDE, SIDE), (0x1212, 0, 0, 0)), ONE
    ),
    "no glass": lambda: GLASS.replace(b"auxl", b"prem"),
    "one picture fewer": lambda: MADE.replace(b"dimg\0\1\0\2\0\2\0\3", b"prem\0\1\0\2\0\2\0\3"),
    "an overlay in an overlay": lambda: MADE.replace(b"dimg\0\1\0\2\0\2", b"dimg\0\1\0\2\0\1"),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("survivor", SURVIVORS)
def test_the_second_reader_notices_what_a_writer_would_have_left_in_an_overlay(
    survivor: str,
) -> None:
    changed = SURVIVORS[survivor]()
    assert changed not in {MADE, ONE, GLASS}
    with pytest.raises(MetadataSurvived):
        heif_check.check(io.BytesIO(changed))


SIZE = (b"ispe", struct.pack(">III", 0, 160, 120))
SMALL = (b"ispe", struct.pack(">III", 0, SIDE, SIDE))
SOUND = payload([(0, 0)], (160, 120), (0, 0, 0, 0))


def judge(  # noqa: PLR0913 - every part of an index that may be odd
    data: bytes = SOUND,
    kinds: tuple[bytes, ...] = (b"iovl", b"hvc1"),
    *,
    parts: tuple[int, ...] = (2,),
    top: check_derived.Told | None = None,
    part: check_derived.Told | None = None,
    more: tuple[check_derived.Reference, ...] = (),
    at: int = 1,
) -> None:
    check_derived.check(
        list(kinds),
        {at: data},
        [(b"dimg", at, parts), *more],
        {1: [SIZE] if top is None else top, 2: [SMALL] if part is None else part},
    )


def cut_grid(rows: int, columns: int, *, flags: int = 0, width: int = 160) -> bytes:
    return struct.pack(">BBBBHH", 0, flags, rows, columns, width, 120)


ODD: dict[str, Callable[[], None]] = {
    "a longer payload": lambda: judge(SOUND + b"x"),
    "no picture": lambda: judge(payload([], (160, 120)), parts=()),
    "too many pictures": lambda: judge(payload([(0, 0)] * 65, (160, 120)), parts=(2,) * 65),
    "two lists of parts": lambda: judge(more=((b"dimg", 1, (2,)),)),
    "parts of a coded picture": lambda: judge(more=((b"dimg", 2, (2,)),)),
    "an overlay that is not the picture": lambda: judge(kinds=(b"hvc1", b"iovl"), parts=(1,), at=2),
    "two sizes": lambda: judge(top=[SIZE, SMALL]),
    "a part without a size": lambda: judge(part=[]),
    **{
        f"a part that reaches out {where}": functools.partial(
            judge, payload([place], (160, 120), (0, 0, 0, 0))
        )
        for where, place in {
            "to the left": (-1, 0),
            "above": (0, -1),
            "to the right": (160 - SIDE + 1, 0),
            "below": (0, 120 - SIDE + 1),
        }.items()
    },
    "a turned part that reaches out": lambda: judge(
        part=[(b"ispe", struct.pack(">III", 0, 121, SIDE)), (b"irot", b"\3")]
    ),
    "a grid of a grid": lambda: judge(cut_grid(0, 0), (b"grid", b"grid")),
    "a grid that is longer": lambda: judge(cut_grid(0, 0) + b"x", (b"grid", b"hvc1")),
    "a grid of more": lambda: judge(cut_grid(0, 1), (b"grid", b"hvc1")),
    "a grid's flags": lambda: judge(cut_grid(0, 0, flags=1), (b"grid", b"hvc1")),
    "a grid of another size": lambda: judge(cut_grid(0, 0, width=9), (b"grid", b"hvc1")),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("way", ODD)
def test_the_second_reader_notices_an_odd_way_to_make_a_picture(way: str) -> None:
    with pytest.raises(MetadataSurvived):
        ODD[way]()


def test_the_second_reader_accepts_what_the_odd_ways_are_made_of() -> None:
    judge()
    judge(cut_grid(1, 2), (b"grid", b"hvc1"), parts=(2,) * 6)
    judge(part=[SMALL, (b"clap", struct.pack(">8I", 60, 1, 50, 1, 0, 1, 0, 1)), (b"irot", b"\2")])
    judge(part=[(b"ispe", struct.pack(">III", 0, 120, 160)), (b"irot", b"\1")])
    for made in (MADE, ONE, GLASS):
        heif_check.check(io.BytesIO(made))


SEED = two(more={9: exif_item()}, slack=CANARY).to_bytes()
PLACE = SEED.index(payload([(10, 20), (40, 8)], (160, 120)))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_no_damage_makes_an_overlay_crash_the_cleaner_or_leak(data: st.DataObject) -> None:
    dirty = bytearray(SEED)
    for _ in range(data.draw(st.integers(1, 5))):
        low, high = data.draw(st.sampled_from([(0, 700), (PLACE, PLACE + 22)]))
        at = data.draw(st.integers(low, high))
        dirty[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        made = clean(bytes(dirty))
    except Refused:
        return
    assert CANARY not in made
