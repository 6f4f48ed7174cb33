"""Drawing in PDFs: what is painted stays as it was, spelt in one way, and nothing rides along."""

import struct
import zlib

import pytest

from sanitizer.errors import Malformed, Refused, TooComplex, Unsupported
from sanitizer.limits import Limits
from sanitizer.pdf import colour, content, reading, scope, tokens
from sanitizer.pdf.model import Name, NewDocument, Number, Ref, Text, Value, number, written
from tests.conftest import judge
from tests.sanitizer.kit import CANARY, prove
from tests.sanitizer.pdfs import drawn, looks_the_same, opened, paged, planned, remade, stream
from tests.sanitizer.test_icc import P3, curve, profile, with_curve

C = CANARY
FONT = b"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"


def shown(drawing: bytes, resources: bytes = FONT, *more: bytes) -> bytes:
    """Return the new drawing of a page, without the bytes around it."""
    made = opened(remade(paged(drawing, resources, *more)))
    page = made[: made.index(b"\n4 0 obj")]
    own = b"\n%s 0 obj\n" % page.rsplit(b"/Contents ", 1)[1].split(b" ")[0]
    return made[made.index(own) :].split(b"stream\n")[1].removesuffix(b"\nend")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"+1 w", b"1 w"),
        (b"01.50 w", b"1.5 w"),
        (b"-.0 w", b"0 w"),
        (b"-0 w", b"0 w"),
        (b".5 w", b"0.5 w"),
        (b"5. w", b"5 w"),
        (b"--5 w", b"-5 w"),
        (b"1.2.3 w", b"1.2 w"),
        (b"12-34 w", b"12 w"),
        (b". w", b"0 w"),
        (b"- w", b"0 w"),
        (b"0.1234567891 w", b"0.12345679 w"),
        (b"1234567890123 w", b"1234567890123 w"),
        (b"1%x\n w", b"1 w"),
        (b"9 1 w", b"1 w"),
        (b"w", b""),
        (b"/n w", b""),
        (b"(1) w", b""),
        (b"true w", b""),
        (b"[1] w", b""),
        (b"[ 1 (a) /b 2 ] 0 d", b"[1 2] 0 d"),
        (b"1 0 d", b""),
        (b"[] 0 d", b"[] 0 d"),
        (b"/Perceptual ri /%s ri ri" % C, b"/Perceptual ri"),
        (b"5 5 m 9 9 l n", b""),
        (b"5 5 m 9 9 l", b""),
        (b"5 5 m 9 9 l W* n", b"5 5 m\n9 9 l\nW*\nn"),
        (b"1 1 m 2 w 9 9 l 1 0 0 1 3 3 cm S", b"1 1 m\n2 w\n9 9 l\n1 0 0 1 3 3 cm\nS"),
        (b"1 1 m 2 w q Q n", b"2 w\nq\nQ"),
        (b"S n f", b""),
        (b"Q q 1 w q", b"q\n1 w\nq\nQ\nQ"),
        (b"BT 1 Tc BT ET ET", b"BT\n1 Tc\nET\nBT\nET\nET"[:-3]),
        (b"BT 1 Tc", b"BT\n1 Tc\nET"),
        (b"1 0 0 0 9 9 d1 9 9 re f", b""),
        (b"/DeviceRGB cs 1 0 0 sc 1 0 0 scn /Pattern CS",
         b"/DeviceRGB cs\n1 0 0 sc\n1 0 0 scn\n/Pattern CS"),
        (b"/None cs (x) sc /P scn /P sc", b""),
        (b"/F Tf 9 Tf /F (x) Tf gs", b""),
        (b"]>> 1 w [ << /a 1 >> 2 w ] 3 w", b"1 w\n3 w"),
        (b"<</a 1/b[2]>> ] 2 w", b"2 w"),
        (b"} 2 w { ) 3 w", b"2 w\n3 w"),
        (b"EMC EMC 1 w", b"1 w"),
        (b"1 2 3 4 5 6 7 cm", b"2 3 4 5 6 7 cm"),
        (b"1 w]", b"1 w"),
        (b"null 1 w", b"1 w"),
    ],
    ids=ascii,
)  # fmt: skip
def test_an_operation_is_spelt_in_one_way_or_dropped(old: bytes, new: bytes) -> None:
    assert shown(old) == new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (rb"(a\(b\)\\)", b"a(b)\\"),
        (b"(a(b)c)", b"a(b)c"),
        (rb"(\101\7\n\r\t\b\f\q)", b"A\7\n\r\t\b\fq"),
        (b"(a\\\r\nb\\\nc)", b"abc"),
        (b"(a\rb\r\nc)", b"a\nb\nc"),
        (b"<4 1 4>", b"A@"),
        (b"<41", b"A"),
        (b"(A\\", b"A"),
        (b"(open", b"open"),
        (b"(open\\", b"open"),
    ],
    ids=ascii,
)
def test_a_string_is_read_as_viewers_read_it(old: bytes, new: bytes) -> None:
    token = tokens.Tokens(old)
    list(token.operations())
    ended = old if new in {b"open", b"A"} and not old.endswith(b")") else old + b" Tj"
    found = list(tokens.Tokens(ended).operations())
    assert found == ([] if ended == old else [(b"Tj", [new])])


def test_text_comes_through_letter_by_letter() -> None:
    old = b"BT /F 9 Tf (ab) Tj [(c) -20 <64>] TJ T* (e)' 1 2 (f)\" ET"
    new = b"BT\n/F0 9 Tf\n<6162> Tj\n[<63> -20 <64>] TJ\nT*\n<65> '\n1 2 <66> \"\nET"
    assert shown(old) == new


def test_a_font_set_by_a_state_shows_letters() -> None:
    resources = b"/ExtGState<</G<</Font[<</Type/Font/Subtype/Type1>> 9]>>/H<</LW 1>>>>"
    made = shown(b"/G gs /H gs BT 9 9 Td (a) Tj ET /No gs", resources)
    assert made == b"/G0 gs\n/G1 gs\nBT\n9 9 Td\n<61> Tj\nET"


def test_visible_text_that_hangs_on_invisible_text_is_refused() -> None:
    with pytest.raises(Unsupported):
        planned(paged(b"BT /F 9 Tf 3 Tr (ab) Tj 0 Tr (cd) Tj ET", FONT))
    moved = b"BT /F 9 Tf 3 Tr (ab) Tj 0 Tr 9 9 Td (cd) Tj q 3 Tr (x)' Q (y)' ET"
    assert shown(moved).count(b"<6364> Tj") == 1


def test_an_inline_picture_becomes_a_picture() -> None:
    judge("pdftoppm")
    pixels = bytes(range(0, 240, 20))
    packed = zlib.compress(pixels)
    place = b"q 50 0 0 50 10 10 cm "
    forms = [
        b"BI /W 2/H 2/BPC 8/CS/RGB ID " + pixels + b" EI",
        b"BI /Width 2/Height 2/BitsPerComponent 8/ColorSpace/RGB/F/Fl ID " + packed + b"\nEI",
        b"BI /W 2/H 2/BPC 8/CS/RGB/F[/AHx] ID " + pixels.hex().encode() + b"> EI",
        b"BI /W 2/H 2/BPC 8/CS/C/F/AHx/DP[null] ID " + pixels.hex().encode() + b"> EI",
    ]
    resources = b"/ColorSpace<</C/DeviceRGB>>"
    for form in forms:
        dirty = paged(place + form + b" Q 1 0 0 rg 80 10 9 9 re f", resources)
        made = remade(dirty)
        assert looks_the_same(dirty, made)
        assert b"\nBI" not in opened(made)
        assert b"80 10 9 9 re" in opened(made)


@pytest.mark.parametrize(
    "broken",
    [
        b"BI 2 w 1 w",
        b"BI /W 2 ID x EI 1 w",
        b"BI (( ID x EI",
        b"BI >> ID x EI 1 w",
        b"BI /W 2/H 2/BPC 8/CS/G/F/Fl ID x EI 1 w",
        b"BI /W 2/H 2/BPC 8/CS/G/F/Fl ID " + zlib.compress(b"abcd")[:-2] + b" EI 1 w",
        b"BI /W 2/H 2/BPC 8/CS/G/F/AHx ID 00 EI\x80\x81> EI 1 w",
        b"BI /W 2/H 2/BPC 8/CS/G/F/AHx ID 00112233>",
    ],
    ids=ascii,
)
def test_a_broken_inline_picture_does_not_disturb_what_follows(broken: bytes) -> None:
    made = shown(broken)
    assert (b"\n" + made).endswith(b"\n1 w") or not broken.endswith(b"1 w")


def test_too_many_inline_pictures_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scope, "_MOST_INLINE", 1)
    with pytest.raises(TooComplex):
        planned(paged(b"BI /W 1/H 1/BPC 8/CS/G ID x EI " * 2))
    hidden = paged(
        b"/OC/A BDC BI /W 1/H 1/BPC 8/CS/G ID x EI EMC",
        b"/Properties<</A 5 0 R>>",
        b"<</Type/OCG>>",
        root=b"/OCProperties<</OCGs[5 0 R]/D<</OFF[5 0 R]>>>>",
    )
    assert "layers" in planned(hidden).kinds


# --- states, patterns, shadings ------------------------------------------------------------------

GRADIENT = b"/Function<</FunctionType 2/Domain[0 1]/N 1/C0[1 0 0]/C1[0 0 1]>>"
AXIAL = b"/ShadingType 2/ColorSpace/DeviceRGB/Coords[0 0 200 0]/Extend[true true]" + GRADIENT
GROUPED = (
    b"/Type/XObject/Subtype/Form/BBox[0 0 200 100]/Group<</S/Transparency/CS/DeviceGray/I true>>"
)
STATE = (
    b"/G<</Type/ExtGState/LW 4/LC 1/LJ 1/ML 3/D[[6 2] 0]/RI/Perceptual/OP true/op false/OPM 1/FL 1"
    b"/SM 0.1/SA true/BM[/Nothing/Multiply]/CA 0.5/ca 0.5/AIS false/TK true/SMask/None/D[1]>>"
)
LOOKS: dict[str, bytes] = {
    "a state": paged(
        b"/G gs 1 0 0 RG 10 10 m 90 90 l S 0 1 0 rg 50 10 90 50 re f",
        b"/ExtGState<<" + STATE.replace(b"/D[1]", b"") + b">>",
    ),
    "a soft mask": paged(
        b"/G gs 1 0 0 rg 0 0 200 100 re f",
        b"/ExtGState<</G<</SMask<</S/Luminosity/G 5 0 R/BC[0]/TR 6 0 R>>>>>>",
        stream(b"1 g 20 20 60 60 re f", GROUPED),
        b"<</FunctionType 2/Domain[0 1]/N 1>>",
    ),
    "an alpha mask in a shared form": paged(
        b"/G gs 1 0 0 rg 0 0 200 100 re f",
        b"/ExtGState<</G<</SMask<</S/Alpha/G 5 0 R>>>>>>",
        stream(b"1 g 20 20 60 60 re f", GROUPED + b"/Matrix[1 0 0 1 5 5]"),
    ),
    "a group of a page": paged(
        b"0 0 1 rg 9 9 50 50 re f", b"", page=b"/Group<</S/Transparency/CS/DeviceRGB/K true>>"
    ),
    "a tiling pattern": paged(
        b"/Pattern cs /P scn 0 0 200 100 re f /CS cs 1 0 0 /U scn 0 0 50 50 re f",
        b"/Pattern<</P 5 0 R/U 6 0 R>>/ColorSpace<</CS[/Pattern/DeviceRGB]>>",
        stream(
            b"1 0 0 rg 2 2 5 5 re f",
            b"/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 10 10]/XStep 10/YStep 10"
            b"/Matrix[1 0 0 1 1 1]/Resources<<>>",
        ),
        stream(
            b"2 2 3 3 re f",
            b"/PatternType 1/PaintType 2/TilingType 2/BBox[0 0 9 9]/XStep 9/YStep 9",
        ),
    ),
    "a shading pattern": paged(
        b"/Pattern cs /P scn 20 20 90 50 re f",
        b"/Pattern<</P<</PatternType 2/Shading<<" + AXIAL + b"/BBox[0 0 100 60]/Background[0 1 0]"
        b"/AntiAlias true>>/Matrix[1 0 0 1 5 0]/ExtGState<</ca 0.5>>>>>>",
    ),
    "a shading by a function of places": paged(
        b"/S sh",
        b"/Shading<</S<</ShadingType 1/ColorSpace/DeviceRGB/Domain[0 1 0 1]/Matrix[200 0 0 100 0 0]"
        b"/Function 5 0 R>>>>",
        stream(
            b"{ dup % comment\n 0.50 mul exch pop dup 1 exch sub 0.25 }",
            b"/FunctionType 4/Domain[0 1 0 1]/Range[0 1 0 1 0 1]",
        ),
    ),
    "a shading with a function for each colour": paged(
        b"/S sh",
        b"/Shading<</S<</ShadingType 3/ColorSpace/DeviceRGB/Coords[100 50 0 100 50 50]"
        b"/Function[5 0 R 5 0 R 6 0 R]>>>>",
        b"<</FunctionType 3/Domain[0 1]/Bounds[0.5]/Encode[0 1 1 0]/Functions[6 0 R 6 0 R]>>",
        stream(
            b"\0\xff" + C,
            b"/FunctionType 0/Domain[0 1]/Range[0 1]/Size[2]/BitsPerSample 8/Encode[0 1]"
            b"/Decode[0 1]",
        ),
    ),
    "free triangles": paged(
        b"/S sh",
        b"/Shading<</S 5 0 R>>",
        stream(
            b"".join(
                struct.pack(">BHHBBB", 0, x, y, *rgb)
                for x, y, rgb in (
                    (0, 0, (255, 0, 0)), (65535, 0, (0, 255, 0)), (0, 65535, (0, 0, 255)),
                )
            ) + C[:5],
            b"/ShadingType 4/ColorSpace/DeviceRGB/BitsPerCoordinate 16/BitsPerComponent 8"
            b"/BitsPerFlag 8/Decode[0 200 0 100 0 1 0 1 0 1]",
        ),
    ),
    "a lattice of triangles": paged(
        b"/S sh",
        b"/Shading<</S 5 0 R>>",
        stream(
            b"".join(
                struct.pack(">HHB", x, y, shade)
                for x, y, shade in ((0, 0, 0), (65535, 0, 99), (0, 65535, 180), (65535, 65535, 255))
            ) + C[:9],
            b"/ShadingType 5/ColorSpace/DeviceRGB/BitsPerCoordinate 16/BitsPerComponent 8"
            b"/VerticesPerRow 2/Decode[0 200 0 100 0 1]" + GRADIENT,
        ),
    ),
    "a patch": paged(
        b"/S sh",
        b"/Shading<</S 5 0 R>>",
        stream(
            b"\0" + b"".join(
                struct.pack(">HH", x, y)
                for x, y in ((0, 0), (0, 20000), (0, 40000), (0, 65535), (20000, 65535),
                    (40000, 65535), (65535, 65535), (65535, 40000), (65535, 20000), (65535, 0),
                    (40000, 0), (20000, 0))
            ) + bytes([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 0]),
            b"/ShadingType 6/ColorSpace/DeviceRGB/BitsPerCoordinate 16/BitsPerComponent 8"
            b"/BitsPerFlag 8/Decode[0 200 0 100 0 1 0 1 0 1]",
        ),
    ),
    "calibrated colours": paged(
        b"/A cs 0.5 sc 0 0 50 50 re f /B cs 1 0.5 0 sc 50 0 50 50 re f"
        b" /L cs 50 9 9 sc 99 0 50 50 re f",
        b"/ColorSpace<</A[/CalGray<</WhitePoint[0.95 1 1.09]/BlackPoint[0 0 0]/Gamma 2.2>>]"
        b"/B[/CalRGB<</WhitePoint[0.95 1 1.09]/Gamma[2.2 2.2 2.2]/Matrix[0.41 0.21 0.02 0.36 0.72"
        b" 0.12 0.18 0.07 0.95]>>]/L[/Lab<</WhitePoint[0.95 1 1.09]/Range[-99 99 -99 99]>>]>>",
    ),
    "inks": paged(
        b"/A cs 0.5 sc 0 0 50 50 re f /B cs 1 0.5 sc 50 0 50 50 re f /C cs 1 sc 99 0 50 50 re f",
        b"/ColorSpace<</A[/Separation/PANTONE#20185/DeviceRGB 5 0 R]"
        b"/B[/DeviceN[/Cyan/Own]/DeviceRGB 6 0 R<</Subtype/NChannel>>]/C 7 0 R>>",
        b"<</FunctionType 2/Domain[0 1]/N 1/C0[1 1 1]/C1[1 0 0]>>",
        stream(b"{0.5}", b"/FunctionType 4/Domain[0 1 0 1]/Range[0 1 0 1 0 1]"),
        b"[/Indexed 8 0 R 1 9 0 R]",
        b"[/Separation/All/DeviceRGB 5 0 R]",
        stream(b"\0\xffmore"),
    ),
    "defaults of devices": paged(
        b"1 0 0 rg 0 0 50 50 re f /X Do",
        b"/ColorSpace<</DefaultRGB[/CalRGB<</WhitePoint[0.9 1 1]/Gamma[3 3 3]>>]/DefaultGray 1>>"
        b"/XObject<</X 5 0 R>>",
        stream(b"0.5 0 0 rg 60 0 50 50 re f", GROUPED + b"/Resources<<>>"),
    ),
    "forms without resources of their own": paged(
        b"/X Do /X Do /Y Do",
        FONT + b"/XObject<</X 5 0 R/Y 6 0 R>>",
        stream(b"BT /F 20 Tf 9 9 Td (form) Tj ET", GROUPED),
        stream(b"1 0 0 rg 9 50 20 20 re f /X Do", GROUPED + b"/Resources<</XObject<</X 5 0 R>>>>"),
    ),
    "boxes and turns": paged(
        b"1 0 0 rg 0 0 60 30 re f",
        b"",
        page=b"/CropBox[150 5 10 90]/Rotate -270/UserUnit 2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LOOKS)
def test_what_a_page_paints_with_looks_the_same(case: str) -> None:
    judge("pdftoppm")
    assert looks_the_same(LOOKS[case], remade(LOOKS[case]))


def test_spare_bytes_of_meshes_and_tables_go() -> None:
    for case in (
        "free triangles",
        "a lattice of triangles",
        "a shading with a function for each colour",
    ):
        assert C[:5] not in opened(remade(LOOKS[case]))
    names = opened(remade(LOOKS["inks"]))
    assert b"PANTONE" not in names
    assert b"/Ink0" in names
    assert b"[/Cyan /Ink1]" in names


def test_a_shared_space_or_function_is_written_once() -> None:
    space = b"[/ICCBased 6 0 R]"
    made = remade(
        paged(
            b"/A cs /B CS /X Do /C cs",
            b"/ColorSpace<</A 5 0 R/B 5 0 R/C %s>>/XObject<</X 7 0 R>>" % space,
            space,
            stream(b"none", b"/N 3/Alternate/DeviceGray"),
            stream(b"/A cs", GROUPED + b"/Resources<</ColorSpace<</A 5 0 R>>>>"),
        )
    )
    assert made.count(b"/DeviceRGB\nendobj") == 2


def test_profiles_become_ours_or_the_device() -> None:
    p3 = profile(with_curve(P3, curve(563)))
    entries = b"/N 3/Alternate[/CalRGB<</WhitePoint[0.9 1 1]>>]"
    drawing = b"/C cs 1 0 0 sc 0 0 50 50 re f"
    for data, told in ((p3, b"ICCBased"), (b"none", b"CalRGB")):
        dirty = paged(drawing, b"/ColorSpace<</C[/ICCBased 5 0 R]>>", stream(data, entries))
        assert told in remade(dirty)
    twice = paged(
        b"/C cs /D cs",
        b"/ColorSpace<</C[/ICCBased 5 0 R]/D[/ICCBased 5 0 R]>>",
        stream(p3, b"/N 3"),
    )
    assert remade(twice).count(b"/N 3") == 1
    other = paged(
        drawing, b"/ColorSpace<</C[/ICCBased 5 0 R]>>", stream(p3, b"/N 1/Alternate/DeviceRGB")
    )
    assert b"/DeviceGray\nendobj" in remade(other)


SPACES = {
    b"[]": None,
    b"[/Unknown 1]": None,
    b"[/CalRGB]": None,
    b"[/CalRGB 1]": None,
    b"[/CalRGB<<>>]": None,
    b"[/ICCBased 1]": None,
    b"[/Indexed/DeviceRGB]": None,
    b"[/Indexed/Pattern 1(a)]": None,
    b"[/Indexed/DeviceRGB 999(a)]": None,
    b"[/Separation/A/DeviceRGB]": None,
    b"[/DeviceN[]/DeviceRGB 1]": None,
    b"[/Separation/A/Unknown 1]": None,
    b"/CalCMYK": b"/DeviceCMYK",
    b"[/DeviceRGB 1]": b"/DeviceRGB",
    b"[/Pattern]": b"/Pattern",
    b"[/Pattern/Unknown]": b"/Pattern",
    b"[/Indexed/DeviceGray 1(\\001)]": b"[/Indexed /DeviceGray 1 <0100>]",
}


@pytest.mark.parametrize("old", SPACES, ids=ascii)
def test_a_colour_space_is_understood_or_dropped(old: bytes) -> None:
    made = opened(remade(paged(b"/C cs", b"/ColorSpace<</C %s>>" % old)))
    new = SPACES[old]
    assert (new or b"cs") in made if new else b"/C0 cs" not in made


def test_a_profile_without_a_number_is_no_space() -> None:
    made = remade(paged(b"/C cs", b"/ColorSpace<</C[/ICCBased 5 0 R]>>", stream(b"x", b"/N 2")))
    assert b"ColorSpace" not in made


def shaded(entries: bytes, *more: bytes) -> bytes:
    return paged(b"/S sh", b"/Shading<</S 5 0 R>>", *(more or (b"<<%s>>" % entries,)))


BASE = b"/ShadingType 2/ColorSpace/DeviceGray/Coords[0 0 1 1]/Function "
CALC = b"/FunctionType 4/Domain[0 1]/Range[0 1]"
TABLE = b"/FunctionType 0/Domain[0 1]/Range[0 1]/BitsPerSample 8/Size"
BROKEN: dict[str, bytes] = {
    "no kind": shaded(b"/ColorSpace/DeviceGray"),
    "no colours": shaded(b"/ShadingType 2"),
    "no function": shaded(BASE + b"1"),
    "an unknown function": shaded(BASE + b"<</FunctionType 9/Domain[0 1]>>"),
    "a function without a domain": shaded(BASE + b"<</FunctionType 2/N 1>>"),
    "a function without an exponent": shaded(BASE + b"<</FunctionType 2/Domain[0 1]>>"),
    "a calculator without an end": shaded(b"", b"<<" + BASE + b"6 0 R>>", stream(b"{1", CALC)),
    "a calculator of nothing": shaded(b"", b"<<" + BASE + b"6 0 R>>", stream(b"1", CALC)),
    "a calculator of words": shaded(b"", b"<<" + BASE + b"6 0 R>>", stream(b"{" + C + b"}", CALC)),
    "a table without a size": shaded(b"", b"<<" + BASE + b"6 0 R>>", stream(b"", TABLE + b"[]")),
    "a table of a strange size": shaded(
        b"", b"<<" + BASE + b"6 0 R>>", stream(b"", TABLE + b"[.5]")
    ),
    "a short table": shaded(b"", b"<<" + BASE + b"6 0 R>>", stream(b"x", TABLE + b"[2]")),
    "a mesh without points": shaded(b"/ShadingType 4/ColorSpace/DeviceGray"),
    "a mesh without widths": shaded(b"", stream(b"", b"/ShadingType 4/ColorSpace/DeviceGray")),
    "a lattice without rows": shaded(
        b"",
        stream(b"", b"/ShadingType 5/ColorSpace/DeviceGray/BitsPerCoordinate 8/BitsPerComponent 8"),
    ),
    "a pattern without steps": paged(
        b"/P scn", b"/Pattern<</P 5 0 R>>", stream(b"", b"/PatternType 1/BBox[0 0 1 1]")
    ),
    "a pattern without a shading": paged(b"/P scn", b"/Pattern<</P<</PatternType 2>>>>"),
    "drawing that contains itself": paged(
        b"/X Do", b"/XObject<</X 5 0 R>>", stream(b"/X Do", GROUPED)
    ),
    "drawings in a circle": paged(
        b"/X Do",
        b"/XObject<</X 5 0 R/Y 6 0 R>>",
        stream(b"/Y Do", GROUPED),
        stream(b"/X Do", GROUPED),
    ),
    "a font without a matrix": paged(
        b"BT /F 9 Tf (a) Tj ET", b"/Font<</F<</Subtype/Type3/CharProcs<<>>>>>>"
    ),
    "a picture as drawing": paged(b"", b"").replace(
        b"<</Length 0", b"<</Filter/DCTDecode/Length 0"
    ),
}


@pytest.mark.parametrize("damage", BROKEN)
def test_drawing_that_makes_no_sense_is_refused(damage: str) -> None:
    with pytest.raises(Malformed):
        planned(BROKEN[damage])


def test_what_is_no_resource_is_not_used() -> None:
    resources = (
        b"/XObject<</A 1/B 5 0 R/C 6 0 R>>/Pattern<</A 1>>/Shading<</A 1>>/ExtGState<</A 1>>"
        b"/Font<</A 1>>/ColorSpace<</A 1>>"
    )
    drawing = b"/A Do /B Do /C Do /A scn /A sh /A gs BT /A 9 Tf ET /A cs 1 w"
    made = shown(drawing, resources, stream(b"", b"/Subtype/PS"), stream(b"x", b"/Subtype/Form"))
    assert made == b"/X0 Do\nBT\nET\n1 w"
    mask = b"/ExtGState<</A<</SMask<</S/Alpha>>/D[(x)(y)]/Font[1 (x)]/BM/No>>/B<</SMask 1>>>>"
    assert b"/SMask" not in remade(paged(b"/A gs /B gs", mask))
    group = paged(b"", b"", page=b"/Group<</S/Other>>")
    assert b"/Group" not in remade(group)


# --- bounds --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "drawing",
    [b"[" * 20, b"q " * 20_000, b"/A BMC " * 20_000, b"1 " * 200_000],
    ids=["arrays", "states", "marks", "operands"],
)
def test_drawing_nested_without_end_is_refused(drawing: bytes) -> None:
    with pytest.raises(TooComplex):
        planned(paged(drawing))


def test_drawing_beyond_the_limits_is_refused() -> None:
    with pytest.raises(TooComplex):
        planned(paged(b"1 w " * 20), Limits(pdf_operations=10))
    laughs = [
        stream(b"/X Do " * 10, GROUPED + b"/Resources<</XObject<</X %d 0 R>>>>" % (6 + n))
        for n in range(9)
    ]
    with pytest.raises(TooComplex):
        planned(paged(b"/X Do", b"/XObject<</X 5 0 R>>", *laughs, stream(b"1 w", GROUPED)))
    with pytest.raises(TooComplex):
        planned(paged(b"/C cs", b"/ColorSpace<</C 5 0 R>>", b"[/Indexed 5 0 R 1 (a)]"))
    many = b"<<" + BASE + b"[" + b"6 0 R " * 40 + b"]>>"
    with pytest.raises(TooComplex):
        planned(shaded(b"", many))
    parts = b"<</FunctionType 3/Domain[0 1]/Encode[0 1]/Functions[]>>"
    with pytest.raises(TooComplex):
        planned(shaded(BASE + parts))
    large = stream(b"", TABLE + b"[99999999 99]")
    with pytest.raises(TooComplex):
        planned(shaded(b"", b"<<" + BASE + b"6 0 R>>", large))
    with pytest.raises(Malformed):
        planned(paged(b"1" * 99 + b" w"))
    deep = b"<</FunctionType 3/Domain[0 1]/Encode[0 1]/Functions["
    with pytest.raises(Malformed):
        planned(shaded(BASE + deep * 9 + b"1" + b"]>>" * 9))


def test_a_long_drawing_is_gathered_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_GATHERED", 2)
    assert shown(b"1 w 2 w 3 w 4 w 5 w") == b"1 w\n2 w\n3 w\n4 w\n5 w"
    monkeypatch.setattr(tokens, "_CACHED", 1)
    assert shown(b"1 w 2 w 1 w") == b"1 w\n2 w\n1 w"


# --- how things are written ----------------------------------------------------------------------


def test_values_are_written_in_one_way() -> None:
    value: Value = {b"A b": [Name(b"x/#"), Number(b"1"), Text(b"a\xff"), Ref(3), None, True, False]}
    assert written(value) == b"<</A#20b [/x#2f#23 1 <61ff> 3 0 R null true false]>>"
    with pytest.raises(TooComplex):
        written([[[[]]]], 30)
    for wrong in (b"1e999", b"x", b"\xff"):
        with pytest.raises(Malformed):
            number(wrong)
    assert number(-0.0) == b"0"
    assert number(7) == b"7"


def test_too_many_objects_are_refused() -> None:
    document = NewDocument(2)
    document.add([])
    document.add([Ref(1)])
    with pytest.raises(TooComplex):
        document.reserve()
    assert b"1 0 obj\n[]\nendobj\n2 0 obj\n[1 0 R]\nendobj\n" in written_file(document, 2)
    # What the root does not lead to is a crumb.
    assert b"1 0 obj\n[]\nendobj\nxref\n0 2" in written_file(document, 1)


def written_file(document: NewDocument, root: int) -> bytes:
    made = document.pieces(Ref(root))
    assert all(isinstance(each, bytes) for each in made)
    return b"".join(each for each in made if isinstance(each, bytes))


def test_a_large_file_is_written_in_blocks() -> None:
    document = NewDocument(9)
    parts = [document.add(Text(bytes(700_000))) for _ in range(3)]
    reserved = document.reserve()
    root = document.add([*parts, reserved])
    assert len(document.pieces(root)) > 1
    assert b"4 0 obj\nnull\nendobj" in written_file(document, root.number)


def test_names_in_old_encodings_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = b"/Font<</#cb#ce<</Type/Font/Subtype/Type1/BaseFont/#cb#ce#cc>>/#41#00 1>>"
    assert shown(b"BT /#cb#ce 9 Tf (a) Tj ET", odd) == b"BT\n/F0 9 Tf\n<61> Tj\nET"
    monkeypatch.setattr(reading, "_MOST_ITEMS", 2)
    with pytest.raises(TooComplex):
        planned(paged(b"/A gs", b"/ExtGState<</A 1/B 2/C 3>>"))
    with pytest.raises(TooComplex):
        planned(paged(b"/A gs", b"/ExtGState<</A<</D[1 2 3]>>>>"))


def test_bits_behind_the_last_are_zeros() -> None:
    assert colour.exact_bits(b"\xff\xff", 12) == b"\xff\xf0"
    assert colour.exact_bits(b"\xff", 8) == b"\xff"
    assert colour.exact_bits(b"", 4) == b""


@pytest.mark.claim("C-META")
def test_a_word_in_invisible_text_goes_and_the_page_looks_the_same() -> None:
    judge("pdftoppm")
    dirty = paged(b"1 0 0 rg 9 9 50 50 re f BT /F 9 Tf 3 Tr 9 80 Td (%s) Tj ET" % C, FONT)
    made, facts = prove(dirty, ".pdf")
    assert looks_the_same(dirty, made)
    assert "hidden_text" in facts.removed
    assert len(drawn(made)) == 1


def test_a_refusal_is_a_refusal() -> None:
    with pytest.raises(Refused):
        planned(b"%PDF-1.7\nnothing")
