"""PDF: colours of a palette that no dot has, and bombs made of many small parts."""

import time
import zlib

import pytest

from sanitizer.errors import Malformed, MetadataSurvived, TooComplex
from sanitizer.pdf import check_streams, palettes
from sanitizer.pdf.model import Name
from tests.conftest import judge
from tests.sanitizer.kit import CANARY as C
from tests.sanitizer.kit import prove
from tests.sanitizer.pdfs import looks_the_same, opened, paged, planned, remade, stream

HEAD = b"/Type/XObject/Subtype/Image/Width %d/Height 2/BitsPerComponent %d/ColorSpace"
SHOW = b"q 90 0 0 60 10 10 cm /I Do Q"


def pictured(
    samples: bytes, table: bytes, bits: int = 8, more: bytes = b"", last: int = 0
) -> bytes:
    width = len(samples) * 8 // bits // 2
    space = b"[/Indexed/DeviceRGB %d<%s>]" % (last or len(table) // 3 - 1, table.hex().encode())
    image = stream(samples, HEAD % (width, bits) + space + more, packed=b"/Filter" not in more)
    return paged(SHOW, b"/XObject<</I 5 0 R>>", image)


COLOURS = bytes.fromhex("102030ff00000000ff") + (C * 60)[:759]
ROWS = zlib.compress(b"\2\1\2\2\0\0")
PREDICTED = b"[/Indexed/DeviceRGB 40<%s>]" % COLOURS[:123].hex().encode()
PREDICTED += b"/Filter/FlateDecode/DecodeParms<</Predictor 15/Columns 2>>"


@pytest.mark.claim("C-META")
@pytest.mark.parametrize(
    "dirty",
    [
        pictured(b"\1\2\2\1", COLOURS),
        pictured(b"\x12\x21", COLOURS[:48], 4),
        pictured(b"\x90\x80", COLOURS[:48], 1, b"/Decode[1 2]"),
        paged(
            SHOW,
            b"/XObject<</I 5 0 R>>",
            stream(ROWS, HEAD % (2, 8) + PREDICTED),
        ),
        paged(
            b"q 90 0 0 60 10 10 cm BI /W 2/H 2/BPC 8/CS[/I/RGB 40<%s>] ID \1\2\2\1 EI Q"
            % COLOURS[:123].hex().encode()
        ),
    ],
    ids=["eight bits", "four bits", "shifted", "predicted", "in the drawing"],
)
def test_colours_of_a_palette_that_no_dot_has_are_gone(dirty: bytes) -> None:
    judge("pdftoppm")
    made, _ = prove(dirty, ".pdf")
    assert looks_the_same(dirty, made)
    assert b"ff0000" in made


@pytest.mark.claim("C-META")
def test_a_palette_in_a_stream_and_a_palette_within_a_palette_say_nothing() -> None:
    size = b"/Type/XObject/Subtype/Image/Width 2/Height 2/BitsPerComponent 8/ColorSpace"
    dirty = paged(
        SHOW,
        b"/XObject<</I 5 0 R>>",
        stream(b"\1\2\2\1", size + b"[/Indexed/DeviceRGB 255 6 0 R]"),
        stream(COLOURS),
    )
    made, _ = prove(dirty, ".pdf")
    assert looks_the_same(dirty, made)
    nested = b"[/Indexed[/Indexed/DeviceRGB 9<%s>]1<0001>]" % C.hex().encode()
    refused = paged(SHOW, b"/XObject<</I 5 0 R>>", stream(b"\1\2\2\1", size + nested))
    with pytest.raises(Malformed):
        planned(refused)


def test_numbers_beyond_a_palette_are_its_last_colour() -> None:
    made = remade(pictured(b"\1\xff\xff\1", COLOURS[:12]))
    assert b"3 <102030ff0000000000" + COLOURS[9:12].hex().encode() + b">" in made
    with pytest.raises(Malformed):
        palettes.bare(Name(b"DeviceGray"), b"", 8, None)


def test_sixteen_bits_name_no_colour_of_a_palette() -> None:
    with pytest.raises(Malformed):
        planned(pictured(bytes(8), COLOURS, 16))


@pytest.mark.parametrize(
    "told",
    [
        {"DecodeParms": {}},
        {"BitsPerComponent": None},
        {"BitsPerComponent": 16},
        {"Decode": [1, 2]},
        {"space": ["Indexed", "DeviceGray", 5, b"\0\1\0\2\0\0"]},
        {"space": ["Indexed", "DeviceGray", 3, b"\0\1\7\2"]},
    ],
)
def test_the_checker_finds_a_colour_that_is_not_used(told: dict[str, object]) -> None:
    table: dict[str, object] = {"Filter": "FlateDecode", "BitsPerComponent": 8}
    space = ["Indexed", "DeviceGray", 3, b"\0\1\0\2"]
    data = zlib.compress(b"\1\3\3\1")
    check_streams.palette(table, data, space)
    check_streams.palette({**table, "Filter": "DCTDecode"}, data, space)
    check_streams.palette({**table, "Decode": [0, 255]}, data, space)
    held = told.pop("space", space)
    with pytest.raises(MetadataSurvived):
        check_streams.palette(table | told, data, held)  # type: ignore[arg-type]


# --- bombs of many parts -------------------------------------------------------------------------


@pytest.mark.parametrize("parts", [1, 6])
@pytest.mark.parametrize("line", [b"/A Do ", b"BI /W 1/H 1/BPC 8/CS/G ID \0 EI\n"])
def test_a_short_file_that_draws_a_thing_without_end_is_refused_at_once(
    parts: int, line: bytes
) -> None:
    each = line * (1_500_000 // len(line) // parts)
    places = b" ".join(b"%d 0 R" % number for number in range(6, 6 + parts))
    dirty = paged(
        b"",
        b"/XObject<</A 5 0 R>>",
        stream(b"0 0 1 1 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]"),
        *[stream(each, packed=True)] * parts,
    ).replace(b"/Contents 4 0 R", b"/Contents[%s]" % places)
    begun = time.process_time()
    with pytest.raises(TooComplex):
        planned(dirty)
    assert time.process_time() - begun < 5


def test_an_inline_picture_that_comes_again_and_again_is_one() -> None:
    one, other = (b"BI /W 1/H 1/BPC 8/CS/G ID %b EI\n" % each for each in (b"\0", b"\1"))
    made = remade(paged(one * 900 + other))
    assert made.count(b"/Subtype /Image") == 2
    assert opened(made).count(b"/X0 Do") == 900
