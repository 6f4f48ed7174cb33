"""Plain text: what is read stays, what cannot be seen goes, what is more than text is refused."""

import io
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer import words, words_check
from sanitizer.clean import CleanFacts
from sanitizer.errors import Empty, Malformed, MetadataSurvived, Refused, TooLarge, Unsupported
from sanitizer.limits import Limits
from tests.sanitizer.kit import cleaned

ZWNJ, ZWJ, LRM, RLM = "\u200c", "\u200d", "\u200e", "\u200f"
WALES = "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f"


def text(untrusted: str, encoding: str = "utf-8") -> tuple[str, CleanFacts]:
    made, facts = cleaned(untrusted.encode(encoding))
    again, _ = cleaned(made)
    assert again == made
    return made.decode(), facts


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_comes_out_as_plain_utf_8(encoding: str) -> None:
    assert text("Grüße, سلام\tend\r\n", encoding)[0] == "Grüße, سلام\tend\n"


def test_big_endian_text_is_read_by_its_mark() -> None:
    made, facts = cleaned(b"\xfe\xff" + "a b\n".encode("utf-16-be"))
    assert (made, facts.removed) == (b"a b\n", ())


@pytest.mark.claim("C-META")
@pytest.mark.parametrize(
    "sign",
    [
        "\u200b", "\u2060", "\ufeff", "\u00ad", "\u180e", "\u034f", "\u115f", "\u3164", "\uffa0",
        "\u2061", "\u2064", "\u206a", "\u206f", "\ufff9", "\ufffb", "\ufffc", "\ufe00", "\ufe0d",
        "\U000e0041", "\U000e0100", "\U000e01ef", "\U0001d173", "\U0001bca0", ZWNJ, ZWJ, LRM, RLM,
        "\u061c", "\u202a\u202c", "\u202e\u202c", "\u2066\u2069", "\ufe0e", "\ufe0f", "\u180b",
        "\u17b4", "\u2066", "\u2069", "\u00ad" * 500, ZWNJ * 90,
    ],
    ids=lambda sign: f"U+{ord(sign[0]):04X}x{len(sign)}",
)  # fmt: skip
def test_an_invisible_character_between_letters_goes(sign: str) -> None:
    made, facts = text(f"let{sign}ter {sign}é{sign} end\n")
    assert made == "letter é end\n"
    assert facts.removed == ("hidden_text",)


@pytest.mark.claim("C-META")
def test_a_number_written_in_invisible_characters_goes_whole() -> None:
    hidden = "".join("\u200b" if bit == "0" else ZWNJ for bit in f"{0x7F3A91:032b}")
    tags = "".join(chr(0xE0000 + ord(sign)) for sign in "CANARY-7f3a91")
    made, _ = text(f"Dear{hidden} all,{tags} hello{WALES[:3]}\n")
    assert made == "Dear all, hello\U0001f3f4\n"


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("blank", ["\u00a0", "\u2004", "\u2009", "\u202f", "\u205f", "\u2800"])
def test_blanks_of_other_widths_become_the_plain_blank(blank: str) -> None:
    made, facts = text(f"a{blank}b {blank}c\n")
    assert made == "a b  c\n"
    assert facts.removed == ("hidden_text",)


@pytest.mark.claim("C-META")
def test_blanks_at_the_ends_of_lines_go() -> None:
    made, facts = text("one \t  \t\r\ntwo\t\n\nthree \n \t\n\n")
    assert made == "one\ntwo\n\nthree\n"
    assert facts.removed == ("hidden_text",)


def test_all_ends_of_lines_become_one() -> None:
    assert text("a\rb\r\nc\u2028d\u2029e\x85f")[0] == "a\nb\nc\nd\ne\nf"


@pytest.mark.claim("C-META")
def test_two_spellings_of_a_letter_become_one() -> None:
    made, facts = text("e\u0301te\u0301 \u00e9t\u00e9\n")
    assert made == "été été\n"
    assert facts.removed == ("hidden_text",)


def test_private_characters_become_the_sign_for_an_unknown_one() -> None:
    assert text("a\ue000b\U000f0001c\ufdd0d\U0001fffe\n")[0] == "a\ufffdb\ufffdc\ufffdd\ufffd\n"


@pytest.mark.parametrize(
    "kept",
    [
        "می\u200cخواهم",
        "نامه\u200cای",
        "کی\u064e\u200cخ",
        "ه\u200d ",
        " \u200dه",
        "\u200dه",
        "ه\u200d",
        "क्\u200dष",
        "क्\u200cष",
        "র\u200d্য",
        "ශ්\u200dරී",
        "❤\ufe0f",
        "\u0031\ufe0f\u20e3",
        "👩\u200d❤\ufe0f\u200d👨",
        "👩🏽\u200d🚀",
        "🏳\ufe0f\u200d🌈",
        "😀\ufe0e",
        WALES,
        "سلام \u200f(x) ب",
        "سلام (C++)\u200e ب",
        "سلام \u2067abc - 12\u2069 ب",
        "سلام \u202babc\u202c ب",
        "\u200fabc سلام",
        "ᠠ\u180bᠠ",
        "\u0600١٢",
    ],
    ids=ascii,
)
def test_invisible_characters_that_change_what_is_seen_stay(kept: str) -> None:
    kept = unicodedata.normalize("NFC", kept).rstrip() + "\n"
    made, facts = text(kept)
    assert made == kept
    assert facts.removed == ()


@pytest.mark.parametrize(
    ("dirty", "made"),
    [
        ("می\u200c\u200cخ", "می\u200cخ"),
        ("ا\u200cب", "اب"),
        ("ء\u200cب", "ءب"),
        ("ب\u200dب", "بب"),
        ("ه\u200d\u200d ", "ه\u200d"),
        ("क्\u200c x", "क् x"),
        ("a\u200d्", "a्"),
        ("😀\ufe0f", "😀"),
        ("1\ufe0f2", "12"),
        ("→\u200d→", "→→"),
        ("👩\u200d\u200d🚀", "👩\u200d🚀"),
        ("👩\u200dx", "👩x"),
        ("سلام\u200fب", "سلامب"),
        ("سلام \u200f\u200f(x) ب", "سلام \u200f(x) ب"),
        ("سلام \u200fب", "سلام ب"),
        ("\u200fسلام", "سلام"),
        ("سلام\u200f", "سلام"),
        ("سلام \u202eabc\u202c ب", "سلام abc ب"),
        ("سلام \u2067\u2069 ب", "سلام  ب"),
        ("سلام \u2067\u2066abc\u2069\u2069 ب", "سلام \u2067abc\u2069 ب"),
        ("سلام \u2066 \u2069\u2069\u202c ب", "سلام   ب"),
        ("abc \u200fdef", "abc def"),
        ("x\u180bᠠ", "xᠠ"),
        ("ᠠ\u180b\u180cᠠ", "ᠠ\u180bᠠ"),
        ("س \u2067a\u2067b\u2067c\u2067d\u2069\u2069\u2069 ب", None),
    ],
    ids=ascii,
)
def test_invisible_characters_that_change_nothing_go(dirty: str, made: str | None) -> None:
    found, facts = text(dirty)
    assert made in {None, found}
    assert facts.removed == ("hidden_text",)


@pytest.mark.parametrize(
    "untrusted",
    [
        "<html><body>x",
        "\ufeff \n<!DOCTYPE html>",
        "<?xml version='1.0'?><gpx/>",
        "<svg xmlns=''/>",
        "\u200b<script>x",
        "  {\\rtf1 x",
        "BEGIN:VCARD\nFN:x",
        "begin:vcalendar\n",
        "-----BEGIN CERTIFICATE-----\nx",
        "From me@example.org Mon Sep 17\nx",
        "From 0123456789012345678901234567890123456789 Mon\n",
        "Received: from x\n by y\nSubject: z\n\nbody",
        "Subject: z\nX-Spam: a\n\tb\nMessage-ID: <x>\n\nbody",
        "look: data:image/jpeg;base64,/9j/4AAQ\n",
        "hello\nbegin 644 photo.jpg\nM_]C_X",
        "x " + "aB3dE" * 120 + "\n",
        "hello\n" + ("aB3dE" * 15 + "\n") * 6,
    ],
    ids=lambda untrusted: ascii(untrusted[:24]),
)
def test_what_is_more_than_text_is_refused(untrusted: str) -> None:
    with pytest.raises(Unsupported):
        cleaned(untrusted.encode())


@pytest.mark.parametrize(
    "kept",
    [
        "a,b,c\n1,2,3\n",
        "From: me\nTo: you\n\nDear all",
        "Note: x",
        "x < y and <z>\n",
        "-" * 600 + "\n",
        ("=" * 70 + "\n") * 9 + "x\n",
        "From my window\n",
        ("abcdefg" * 10 + "\n") * 5 + "\n" + ("abcdefg" * 10 + "\n") * 5,
        ("words and words " * 40) + "end\n",
    ],
    ids=lambda kept: ascii(kept[:12]),
)
def test_text_that_only_resembles_more_than_text_stays(kept: str) -> None:
    assert text(kept)[0] == kept


def test_what_is_no_text_is_refused() -> None:
    source = Limits(text_bytes=4)
    with pytest.raises(TooLarge):
        cleaned(b"abcde", source)
    with pytest.raises(Malformed):
        cleaned(b"a" * 5000 + b"\x00")
    with pytest.raises(Malformed):
        cleaned(b"a" * 5000 + b"\xff")
    with pytest.raises(Malformed):
        cleaned(b"\xff\xfe\x00\xd8")
    with pytest.raises(Unsupported):
        cleaned(b"\xff\xfe\0\0a\0\0\0")
    with pytest.raises(Empty):
        cleaned("\ufeff \u200b\n".encode())


@pytest.mark.parametrize("begins", ["fLaC", "ID3\x04", "GIF89a", "#!AMR\n", "OggS", "%PDF-1"])
def test_a_text_whose_result_would_be_taken_for_another_file_is_refused(begins: str) -> None:
    with pytest.raises(Refused):
        text("\ufeff" + begins + "Meet me at noon.")


def test_a_text_that_would_change_for_ever_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "_ROUNDS", 1)
    with pytest.raises(Malformed):
        cleaned("a\u200bb".encode())


@pytest.mark.claim("C-META")
@pytest.mark.parametrize(
    "survivor",
    [
        b"\xff",
        b"e\xcc\x81",
        "a\u200bb".encode(),
        "a\u00a0b".encode(),
        "a\ue000b".encode(),
        "a\ufe01b".encode(),
        "a\ufdd0b".encode(),
        "a\U0001ffffb".encode(),
        "a\u3164b".encode(),
        "a\U000e0041b".encode(),
        f"{WALES[:2]}b".encode(),
        b"a \n",
        b"a\n\n",
        b"a\x01",
        f"ب{ZWNJ}{ZWNJ}ب".encode(),
        f"a{LRM}b".encode(),
        f"ب{LRM * 9}b".encode(),
    ],
    ids=ascii,
)
def test_the_second_reader_notices_what_a_writer_would_have_left_in_a_text(survivor: bytes) -> None:
    with pytest.raises(MetadataSurvived):
        words_check.check(io.BytesIO(survivor))


def test_a_long_pile_of_invisible_characters_costs_no_time() -> None:
    made, _ = text("ب" + (RLM + ZWNJ) * 200_000 + "c\n" + "a\u200d" * 50_000 + "\n")
    assert made == "بc\n" + "a" * 50_000 + "\n"


PIECES = st.sampled_from(
    [
        "a", "é", "e\u0301", " ", "\n", "\r\n", "\t", "1", "س", "ا", "ء", "ל", "क", "्", "😀", "❤",
        "\U0001f3f4", WALES, "👩",
        "🏽", ZWNJ, ZWJ, LRM, RLM, "\u061c", "\u2066", "\u2067", "\u2069",

        "\u202b", "\u202c", "\u202e", "\ufe0f", "\ufe0e", "\u200b", "\u00ad", "\U000e0061",
        "\u20e3",
        "\u180b", "ᠠ", "\u064e", "(", "\u3000", "\u00a0", "\ue000", "\f", "\u0600", "\u2028",
    ]
)  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(PIECES, max_size=40))
def test_any_mixture_is_cleaned_once_and_for_all(pieces: list[str]) -> None:
    try:
        made, _ = text("x" + "".join(pieces))
    except MetadataSurvived:
        raise
    except Refused:
        return
    hidden = {"\u200b", "\u00ad", "\u202e", "\u00a0", "\ue000"}
    assert not hidden & set(made)
