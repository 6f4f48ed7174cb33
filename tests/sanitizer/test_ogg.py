"""Voice notes and music in Ogg: what goes, what stays, and what is refused."""

import base64
import random
import struct
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.errors import (
    Empty,
    Malformed,
    MetadataSurvived,
    Refused,
    TooComplex,
    Unsupported,
)
from sanitizer.limits import Limits
from sanitizer.sound.ogg import pages as ogg_pages
from sanitizer.sound.ogg.check import OggChecker
from sanitizer.sound.ogg.opus import Opus
from sanitizer.sound.ogg.speex import Speex
from sanitizer.sound.ogg.vorbis import Vorbis
from sanitizer.sound.ogg.vorbis_setup import Setup
from sanitizer.sound.stream import Sound
from tests.sanitizer.kit import CANARY, clean, cleaned, hashes, prove, silent_or_refused, streamed
from tests.support.sounds import MONO, STEREO, Page, joined, made, packets, page, pages

TOLD = ("-metadata", "title=" + CANARY.decode(), "-metadata", "artist=nobody")
VOICE = made("ogg", MONO.format(3), "-c:a", "libopus", "-b:a", "16k", "-ar", "16000", *TOLD)
OPUS = made("opus", STEREO.format(2), "-c:a", "libopus", *TOLD)
VORBIS = made("ogg", STEREO.format(2), "-c:a", "libvorbis", *TOLD)
FLAC = made("ogg", STEREO.format(1), "-c:a", "flac", *TOLD)
WIDE = made("opus", "sine=d=1,pan=5.1|c0=c0|c1=c0|c2=c0", "-c:a", "libopus", *TOLD)
SOUNDS = {"voice note": VOICE, "Opus": OPUS, "Vorbis": VORBIS, "FLAC": FLAC, "5.1 Opus": WIDE}
NOTE = pages(VOICE)
SERIAL = NOTE[0].serial


def speex(*sounds: bytes, comment: bytes = b"", head: bytes = b"", **numbers: int) -> bytes:
    """Return a Speex file, narrow band, of packets of one frame each."""
    told = {
        "id": 1,
        "size": 80,
        "rate": 8000,
        "mode": 0,
        "stream": 4,
        "channels": 1,
        "bitrate": 1,
        "frame": 160,
        "vbr": 0,
        "frames": 1,
        "extra": 0,
        "r1": 0,
        "r2": 0,
        **numbers,
    }
    first = b"Speex   " + CANARY.ljust(20, b"\0") + struct.pack("<13I", *told.values()) + head
    begin = [page(2, 0, 5, 0, first), page(0, 0, 5, 1, struct.pack("<I", 0) + comment)]
    extra = [page(0, 0, 5, 2, CANARY)] * told["extra"]
    samples = 160 * len(sounds)
    return joined([*begin, *extra, page(4, samples, 5, 3 if extra else 2, *sounds)])


def bits(*parts: str) -> bytes:
    """Return bits as bytes, filled up as Speex does."""
    text = "".join(parts)
    text += "0111111"[: -len(text) % 8]
    return int(text, 2).to_bytes(len(text) // 8, "big")


FRAME = "00100" + "10" * 107 + "1"


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("name", SOUNDS)
def test_a_sound_in_ogg_says_nothing_and_sounds_the_same(name: str) -> None:
    result, facts = prove(SOUNDS[name], ".ogg")
    assert hashes(result, decoded=True) == hashes(SOUNDS[name], decoded=True)
    assert {"other_metadata", "author"} <= set(facts.removed)
    assert {each.serial for each in pages(result)} == {1}
    assert [each.sequence for each in pages(result)] == list(range(len(pages(result))))


@pytest.mark.parametrize("rate", ["8000", "44100"])
def test_a_short_sound_keeps_its_last_samples(rate: str) -> None:
    tone = f"sine=f=440:r={rate}:d=2"
    short = made("oga", tone, "-c:a", "libvorbis", "-q:a", "0")
    result = clean(short)
    assert hashes(result, decoded=True) == hashes(short, decoded=True)
    assert [each.granule for each in pages(result)] == [each.granule for each in pages(short)]
    assert clean(result) == result


@pytest.mark.claim("C-META")
def test_the_packets_of_a_voice_note_stay_as_they_are() -> None:
    before, after = (
        [packet for each in pages(data)[2:] for packet in packets(each)]
        for data in (VOICE, clean(VOICE))
    )
    assert before == after


def with_page(place: int, *added: Page) -> bytes:
    return joined([*NOTE[:place], *added, *NOTE[place:]])


def padded(packet: bytes, padding: bytes) -> bytes:
    """Return an Opus packet of one frame (code 0) with padding behind it (code 3)."""
    size, lengths = len(padding), b""
    while size > 254:
        lengths += b"\xff"
        size -= 254
    return bytes([packet[0] | 3, 0x41]) + lengths + bytes([size]) + packet[1:] + padding


def with_padding(padding: bytes) -> bytes:
    """Return the voice note with padding in each packet of its second page of sound."""
    told = NOTE[3]
    fat = page(
        told.flags,
        told.granule,
        SERIAL,
        told.sequence,
        *(padded(each, padding) for each in packets(told)),
    )
    return joined([*NOTE[:3], fat, *NOTE[4:]])


def with_sound(packet: bytes) -> bytes:
    """Return the voice note with one more packet at its end."""
    last = NOTE[-1]
    end = page(4, last.granule + 960, SERIAL, last.sequence, *packets(last), packet)
    return joined([*NOTE[:-1], end])


def opus_head(
    *, family: int = 0, channels: int = 1, skip: int = 312, tail: bytes = b"", version: int = 1
) -> bytes:
    return struct.pack("<8sBBHIhB", b"OpusHead", version, channels, skip, 0, 0, family) + tail


def comment(text: bytes) -> bytes:
    return struct.pack("<II", 0, 1) + struct.pack("<I", len(text)) + text


PICTURE = b"METADATA_BLOCK_PICTURE=" + base64.b64encode(bytes(21) + CANARY + bytes(20))
PLACES: dict[str, Callable[[], bytes]] = {
    "a cover": lambda: joined(
        [NOTE[0], page(0, 0, SERIAL, 1, b"OpusTags" + comment(PICTURE)), *NOTE[2:]]
    ),
    "behind the comments": lambda: joined(
        [NOTE[0], page(0, 0, SERIAL, 1, b"OpusTags" + comment(b"a=b") + b"\1" + CANARY), *NOTE[2:]]
    ),
    "the maker's name": lambda: joined(
        [
            NOTE[0],
            page(0, 0, SERIAL, 1, b"OpusTags" + struct.pack("<I", 13) + CANARY + bytes(4)),
            *NOTE[2:],
        ]
    ),
    "behind the first header": lambda: joined(
        [page(2, 0, SERIAL, 0, NOTE[0].body + CANARY), *NOTE[1:]]
    ),
    "between pages": lambda: joined(NOTE[:3]) + CANARY + joined(NOTE[3:]),
    "behind the last page": lambda: VOICE + CANARY,
    "a tag behind the last page": lambda: VOICE + b"TAG" + CANARY.ljust(125),
    "a page of another version": lambda: joined(NOTE[:3]) + b"OggS\7" + CANARY + joined(NOTE[3:]),
    "a page with a wrong checksum": lambda: (
        joined(NOTE[:3]) + page(0, 0, SERIAL, 9, CANARY).to_bytes()[:-1] + b"?" + joined(NOTE[3:])
    ),
    "a page that lies about its size": lambda: (
        VOICE + page(0, 0, SERIAL, 9, bytes(9)).to_bytes()[:-9] + CANARY
    ),
    "an unknown stream": lambda: with_page(1, page(2, 0, 77, 0, b"what?" + CANARY)),
    "a page of an unknown stream": lambda: with_page(4, page(0, 0, 78, 3, CANARY)),
    "a skeleton": lambda: with_page(1, page(2, 0, 77, 0, b"fishead\0" + CANARY)),
    "subtitles": lambda: with_page(1, page(2, 0, 77, 0, b"\x80kate\0" + CANARY)),
    "behind the end of the stream": lambda: VOICE + page(0, 9, SERIAL, 99, CANARY).to_bytes(),
    "a packet that never ends": lambda: joined(
        [
            *NOTE[:-1],
            page(0, -1, SERIAL, 50, CANARY.ljust(255, b"."))._replace(lacing=b"\xff"),
            NOTE[-1],
        ]
    ),
    "a packet that never begins": lambda: with_page(4, page(1, -1, SERIAL, 51, CANARY)),
    "two pages of a packet that never begins": lambda: with_page(
        4,
        page(1, -1, SERIAL, 51, CANARY.ljust(255, b"."))._replace(lacing=b"\xff"),
        page(1, -1, SERIAL, 52, CANARY),
    ),
    "padding": lambda: with_padding(CANARY),
    "long padding": lambda: with_padding(CANARY.ljust(700, b".")),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("place", PLACES)
def test_a_hiding_place_in_a_voice_note_is_emptied(place: str) -> None:
    result, facts = prove(PLACES[place](), ".ogg")
    assert facts.removed
    assert hashes(result, decoded=True) == hashes(VOICE, decoded=True)


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("name", SOUNDS)
def test_positions_are_counted_anew_so_that_they_say_nothing(name: str) -> None:
    data = SOUNDS[name]
    late = [
        each._replace(granule=each.granule + (0x5945_5231_3233 if each.granule > 0 else 0))
        for each in pages(data)
    ]
    late = [each._replace(serial=0x41424344, sequence=each.sequence + 77) for each in late]
    assert clean(joined(late)) == clean(data)


def test_positions_may_be_missing() -> None:
    without = [each if each.flags & 6 else each._replace(granule=-1) for each in NOTE]
    assert clean(joined(without)) == clean(VOICE)


@pytest.mark.parametrize("name", ["voice note", "Vorbis", "FLAC"])
def test_a_recording_that_was_cut_off_keeps_its_whole_pages(name: str) -> None:
    data = SOUNDS[name]
    result, facts = cleaned(data[:-100])
    last = pages(result)[-1]
    assert last.flags & 4
    assert last.granule > 8000
    assert "trailing_data" in facts.removed
    assert clean(result) == result


def test_a_recording_that_was_cut_off_between_pages_is_ended() -> None:
    result = clean(joined(NOTE[:-1]))
    assert pages(result)[-1].flags & 4


def test_sound_behind_the_end_that_nobody_hears_is_dropped() -> None:
    last = NOTE[-1]
    samples = 960 * len(packets(last)) + 960
    end = page(4, last.granule, SERIAL, last.sequence, *packets(last), b"\x08" + CANARY)
    result, facts = prove(joined([*NOTE[:-1], end]), ".ogg")
    assert result == clean(VOICE)
    assert "hidden_frames" in facts.removed
    assert samples


def test_sound_before_the_beginning_that_nobody_hears_is_dropped_as_far_as_it_can_be() -> None:
    head = page(2, 0, SERIAL, 0, opus_head(skip=30000))
    first = page(0, 40000, SERIAL, 2, b"\x08" + CANARY, *[b"\x08" + bytes(20)] * 60)
    single = page(4, 30000 + 2000, SERIAL, 2, b"\x08" + CANARY, *[b"\x08" + bytes(20)] * 60)
    for sounds in ([first, page(4, 40960, SERIAL, 3, b"\x08ok")], [single]):
        result, facts = prove(joined([head, NOTE[1], *sounds]), ".ogg")
        assert "hidden_frames" in facts.removed
        (skip,) = struct.unpack_from("<H", pages(result)[0].body, 10)
        assert 3840 <= skip < 3840 + 960
        told = pages(result)[-1].granule - skip
        assert told == (2000 if sounds[0] is single else told)


def test_a_sound_that_says_its_beginning_is_unheard_keeps_that_part_short() -> None:
    spoken = pages(VORBIS)
    place = next(i for i, each in enumerate(spoken) if each.granule > 0)
    first = spoken[place]
    early = first._replace(granule=first.granule - 300)
    later = [each._replace(granule=each.granule - 300) for each in spoken[place + 1 :]]
    result = clean(joined([*spoken[:place], early, *later]))
    assert pages(result)[-1].granule == pages(clean(VORBIS))[-1].granule - 300
    assert clean(result) == result
    with pytest.raises(Unsupported):
        clean(joined([*spoken[:place], first._replace(granule=0), *later]))


REFUSED: dict[str, tuple[type[Refused], Callable[[], bytes]]] = {
    "a film": (Unsupported, lambda: with_page(1, page(2, 0, 9, 0, b"\x80theora" + bytes(35)))),
    "two sounds at once": (Unsupported, lambda: with_page(1, page(2, 0, 9, 0, NOTE[0].body))),
    "one sound behind the other": (Unsupported, lambda: VOICE + OPUS),
    "a stream that begins twice": (Malformed, lambda: with_page(4, page(2, 0, SERIAL, 9, b"what"))),
    "no sound": (Empty, lambda: page(2, 0, 9, 0, b"fishead\0").to_bytes()),
    "headers alone": (Empty, lambda: joined(NOTE[:2])),
    "headers and an end": (Empty, lambda: joined([*NOTE[:2], page(4, 0, SERIAL, 2)])),
    "an empty packet": (Empty, lambda: joined([*NOTE[:2], page(4, 0, SERIAL, 2, b"")])),
    "a header cut short": (
        Malformed,
        lambda: joined([page(2, 0, SERIAL, 0, b"OpusHead"), *NOTE[1:]]),
    ),
    "a future version": (
        Malformed,
        lambda: joined([page(2, 0, SERIAL, 0, opus_head(version=16)), *NOTE[1:]]),
    ),
    "no channel": (
        Malformed,
        lambda: joined([page(2, 0, SERIAL, 0, opus_head(channels=0)), *NOTE[1:]]),
    ),
    "three channels of one": (
        Malformed,
        lambda: joined([page(2, 0, SERIAL, 0, opus_head(channels=3)), *NOTE[1:]]),
    ),
    "channels in a matrix": (
        Unsupported,
        lambda: joined([page(2, 0, SERIAL, 0, opus_head(family=3)), *NOTE[1:]]),
    ),
    "more coupled streams than streams": (
        Malformed,
        lambda: joined([page(2, 0, SERIAL, 0, opus_head(family=1, tail=b"\1\2\0")), *NOTE[1:]]),
    ),
    "a layout without its table": (
        Malformed,
        lambda: joined([page(2, 0, SERIAL, 0, opus_head(family=1)), *NOTE[1:]]),
    ),
    "a channel of no stream": (
        Malformed,
        lambda: joined([page(2, 0, SERIAL, 0, opus_head(family=1, tail=b"\1\0\7")), *NOTE[1:]]),
    ),
    "comments that are none": (
        Malformed,
        lambda: joined([NOTE[0], page(0, 0, SERIAL, 1, b"OpusTogs" + CANARY), *NOTE[2:]]),
    ),
    "Vorbis comments that are none": (
        Malformed,
        lambda: joined(
            [pages(VORBIS)[0], *([page(0, 0, pages(VORBIS)[0].serial, 1, b"\1", b"\2", b"")] * 2)]
        ),
    ),
    "a packet that is too long": (
        TooComplex,
        lambda: (
            joined(NOTE[:2])
            + b"".join(
                fast(Page(int(n > 0), -1, SERIAL, 2 + n, b"\xff" * 255, bytes(65025)))
                for n in range(65)
            )
            + fast(page(1, 0, SERIAL, 67, b""))
        ),
    ),
    "too many headers": (TooComplex, lambda: flac_headers(5000)),
    "too many streams": (
        TooComplex,
        lambda: b"".join(page(2, 0, 100 + n, 0, b"x").to_bytes() for n in range(5000)),
    ),
}


def flac_headers(number: int) -> bytes:
    head = pages(FLAC)[0]
    return joined(
        [
            head,
            page(0, 0, head.serial, 1),
            *[page(0, 0, head.serial, 2 + n, *[b"\1\0\0\0"] * 250) for n in range(number // 250)],
        ]
    )


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_cleaned_is_refused(case: str) -> None:
    error, build = REFUSED[case]
    with pytest.raises(error):
        clean(build())


PACKETS: dict[str, bytes] = {
    "two frames of different lengths": b"\x09abc",
    "a length that is not there": b"\x0a",
    "half a length": b"\x0a\xff",
    "a frame longer than the packet": b"\x0a\x30\x05",
    "no frame at all": b"\x0b\0",
    "a number of frames that is not there": b"\x0b",
    "padding longer than the packet": b"\x0b\x41\x30\x05",
    "padding without an end": b"\x0b\x41" + b"\xff" * 5,
    "a frame that is too long": b"\x08" + bytes(1276),
    "too many frames": b"\x1b\x09" + bytes(9),
    "frames that cannot be of one length": b"\x0b\x02" + bytes(3),
    "variable frames that do not fit": b"\x0b\x83\x09\x09\x01",
}


@pytest.mark.parametrize("case", PACKETS)
def test_a_packet_that_does_not_add_up_is_refused(case: str) -> None:
    with pytest.raises(Malformed):
        clean(with_sound(PACKETS[case]))


@pytest.mark.parametrize(
    ("fat", "thin"),
    [
        (b"\x0b\x43\3abcdef...", b"\x0b\x03abcdef"),
        (b"\x0b\xc3\3\1\2abbccc...", b"\x0b\x83\1\2abbccc"),
        (b"\x09abab", b"\x09abab"),
        (b"\x0a\1abbb", b"\x0a\1abbb"),
        (b"\x0a\xfc\1" + bytes(300), b"\x0a\xfc\1" + bytes(300)),
    ],
    ids=["equal", "variable", "a pair", "an unequal pair", "a long frame"],
)
def test_padding_goes_and_frames_stay(fat: bytes, thin: bytes) -> None:
    assert Opus(opus_head()).packet(fat)[0] == thin


@pytest.mark.parametrize(
    ("fat", "thin"),
    [
        (b"\x08\2ab\x08cd", b"\x08\2ab\x08cd"),
        (b"\x09\1ab\x08cd", b"\x09\1ab\x08cd"),
        (b"\x0a\1\2abb\x08cd", b"\x0a\1\2abb\x08cd"),
        (b"\x0b\x43\3\2aabbcc...\x0b\x41\2cd..", b"\x0b\x03\2aabbcc\x0b\x01cd"),
        (b"\x0b\xc2\2\1\2abb..\x08cd", b"\x0b\x82\1\2abb\x08cd"),
        (b"\x08\xfc\1" + bytes(256) + b"\x08", b"\x08\xfc\1" + bytes(256) + b"\x08"),
    ],
    ids=["one", "a pair", "an unequal pair", "equal", "variable", "long"],
)
def test_padding_goes_in_packets_of_two_streams_too(fat: bytes, thin: bytes) -> None:
    tail = b"\2\0\0\1"
    assert Opus(opus_head(family=255, channels=2, tail=tail)).packet(fat)[0] == thin
    head = page(2, 0, 1, 0, opus_head(family=255, channels=2, tail=tail))
    result = clean(joined([head, NOTE[1]._replace(serial=1), page(4, 99999, 1, 2, fat)]))
    assert packets(pages(result)[-1]) == [thin]


# Vorbis ------------------------------------------------------------------------------------


def vorbis(place: int, change: Callable[[bytes], bytes]) -> bytes:
    """Return the Vorbis file with one of its three headers changed."""
    first, second, *sounds = pages(VORBIS)
    headers = [first.body, *packets(second)]
    headers[place] = change(headers[place])
    begin = [page(2, 0, first.serial, 0, headers[0]), page(0, 0, first.serial, 1, *headers[1:])]
    return joined([*begin, *sounds])


VORBIS_PLACES: dict[str, tuple[bytes, int, Callable[[bytes], bytes]]] = {
    "the rates that are told": (CANARY[:12], 0, lambda head: head[:16] + CANARY[:12] + head[28:]),
    "behind the first header": (CANARY, 0, lambda head: head + CANARY),
    "behind the comments": (CANARY, 1, lambda head: head + CANARY),
    "behind the tables": (CANARY, 2, lambda head: head + CANARY),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("place", VORBIS_PLACES)
def test_a_hiding_place_in_vorbis_is_emptied(place: str) -> None:
    canary, header, change = VORBIS_PLACES[place]
    dirty = vorbis(header, change)
    result, _ = prove(dirty, ".ogg", canary)
    assert result == clean(VORBIS)
    assert hashes(result, decoded=True) == hashes(VORBIS, decoded=True)


@pytest.mark.parametrize(
    ("place", "change"),
    [
        (0, lambda head: head[:-5]),
        (0, lambda head: head[:28] + b"\x11\1"),
        (0, lambda head: head[:7] + b"\1" + head[8:]),
        (2, lambda head: head[:-9]),
        (2, lambda head: b"\7" + head[1:]),
        (2, lambda head: head[:8] + b"XYZ" + head[11:]),
    ],
    ids=[
        "short",
        "block sizes",
        "version",
        "tables cut short",
        "no tables",
        "no codebook",
    ],
)
def test_vorbis_headers_that_contradict_themselves_are_refused(
    place: int, change: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(Malformed):
        clean(vorbis(place, change))


def low_bits(*fields: tuple[int, int]) -> bytes:
    """Return a setup header of (value, width) fields, the lowest bit first."""
    value = at = 0
    for number, width in fields:
        value |= number << at
        at += width
    return b"\5vorbis" + value.to_bytes(-(-at // 8), "little")


BOOK = [(0, 8), (0x564342, 24), (1, 16), (2, 24)]
PLAIN_BOOK = [*BOOK, (0, 1), (0, 1), (0, 10), (0, 4)]
TIME = [(0, 6), (0, 16)]
FLOOR = [(0, 6), (0, 16), (0, 54), (0, 4), (0, 8)]
CURVE = [(0, 6), (1, 16), (1, 5), (0, 4), (0, 3), (1, 2), (0, 8), (0, 16), (0, 2), (3, 4), (0, 3)]
RESIDUE = [(0, 6), (0, 16), (0, 72), (0, 6), (0, 8), (1, 3), (1, 1), (1, 5), (0, 16)]
MAPPING = [(0, 6), (0, 16), (0, 1), (0, 1), (0, 2), (0, 8), (0, 16)]
MAPPINGS = [
    (0, 6),
    (0, 16),
    (1, 1),
    (1, 4),
    (1, 1),
    (0, 8),
    (0, 2),
    (0, 2),
    (0, 8),
    *[(0, 8), (0, 16)] * 2,
]
MODE = [(0, 6), (1, 1), (0, 32), (0, 8)]
END = [(1, 1)]
SETUPS: dict[str, list[tuple[int, int]]] = {
    "plain": [*PLAIN_BOOK, *TIME, *FLOOR, *RESIDUE, *MAPPING, *MODE, *END],
    "a curve and two maps": [*PLAIN_BOOK, *TIME, *CURVE, *RESIDUE, *MAPPINGS, *MODE, *END],
    "a sparse book": [
        *BOOK,
        (0, 1),
        (1, 1),
        (0, 1),
        (1, 1),
        (0, 5),
        (0, 4),
        *TIME,
        *FLOOR,
        *RESIDUE,
        *MAPPING,
        *MODE,
        *END,
    ],
    "an ordered book with a lattice": [
        *BOOK,
        (1, 1),
        (0, 5),
        (1, 2),
        (1, 1),
        (1, 4),
        (0, 64),
        (0, 4),
        (0, 1),
        (0, 2),
        *TIME,
        *FLOOR,
        *RESIDUE,
        *MAPPING,
        *MODE,
        *END,
    ],
    "a listed book": [
        *BOOK,
        (0, 1),
        (0, 1),
        (0, 10),
        (2, 4),
        (0, 64),
        (0, 4),
        (0, 1),
        (0, 2),
        *TIME,
        *FLOOR,
        *RESIDUE,
        *MAPPING,
        *MODE,
        *END,
    ],
    "a lattice of many dimensions": [
        (0, 8),
        (0x564342, 24),
        (9, 16),
        (2, 24),
        (0, 1),
        (0, 1),
        (0, 10),
        (1, 4),
        (0, 64),
        (0, 4),
        (0, 1),
        (0, 1),
        *TIME,
        *FLOOR,
        *RESIDUE,
        *MAPPING,
        *MODE,
        *END,
    ],
}


@pytest.mark.parametrize("name", SETUPS)
def test_the_tables_of_vorbis_are_read_to_their_last_bit(name: str) -> None:
    whole = low_bits(*SETUPS[name])
    assert Setup(whole + CANARY, 2).data == whole
    assert Setup(whole, 2).flags == [1]
    with pytest.raises(Malformed):
        Setup(whole[:-1], 2)


@pytest.mark.parametrize(
    "fields",
    [
        [*BOOK, (0, 1), (0, 1), (0, 10), (3, 4), (0, 99)],
        [*BOOK, (1, 1), (0, 5), *[(0, 2)] * 40],
        [*BOOK, (1, 1), (0, 5), (3, 2)],
        [*BOOK[:2], (0, 16), (2, 24), (0, 1), (0, 1), (0, 10), (1, 4), (0, 99)],
        [*PLAIN_BOOK, (0, 6), (1, 16)],
        [*PLAIN_BOOK, *TIME, (0, 6), (2, 16)],
        [*PLAIN_BOOK, *TIME, *FLOOR, (0, 6), (3, 16)],
        [*PLAIN_BOOK, *TIME, *FLOOR, *RESIDUE, *MAPPING, *MODE, (0, 1), (1, 1)],
    ],
    ids=["lookup", "empty", "full", "flat", "time", "floor", "residue", "framing"],
)
def test_tables_of_vorbis_that_contradict_themselves_are_refused(
    fields: list[tuple[int, int]],
) -> None:
    with pytest.raises(Malformed):
        Setup(low_bits(*fields), 2)


def test_a_packet_of_vorbis_that_is_no_sound_is_refused() -> None:
    head = pages(VORBIS)[0].body
    codec = Vorbis(head)
    modes = [(2, 6), *[(1, 1), (0, 32), (0, 8)] * 3]
    tables = low_bits(*PLAIN_BOOK, *TIME, *FLOOR, *RESIDUE, *MAPPING, *modes, *END)
    codec.setup([head, b"\3vorbis" + bytes(9), tables])
    assert codec.packet(b"\4")
    for packet in (b"", b"\1", b"\6"):
        with pytest.raises(Malformed):
            codec.packet(packet)
    with pytest.raises(Malformed):
        codec.setup([head, b"\3vorbis" + bytes(9), tables + bytes(1 << 18)])


# FLAC and Speex ----------------------------------------------------------------------------


def test_a_hiding_place_in_ogg_flac_is_emptied() -> None:
    first, second, *sounds = pages(FLAC)
    serial = first.serial
    extra = [
        b"\2\0\0\x0d" + CANARY,
        b"\1\0\0\x0d" + CANARY,
        b"\x06\0\0\x0d" + CANARY,
        b"\3" + bytes(3),
    ]
    fat = [page(0, 0, serial, 2 + n, each) for n, each in enumerate(extra)]
    told = sounds[-1]
    longer = page(
        told.flags, told.granule, serial, 99, *packets(told)[:-1], packets(told)[-1] + CANARY
    )
    hashed = first._replace(body=first.body[:-16] + CANARY + bytes(3))
    later = [each._replace(sequence=90 + n) for n, each in enumerate(sounds[:-1])]
    longer = longer._replace(sequence=90 + len(later))
    result, facts = prove(joined([hashed, second, *fat, *later, longer]), ".ogg")
    assert result == clean(FLAC)
    assert "cover" in facts.removed


@pytest.mark.parametrize(
    "change",
    [
        lambda head: head[:5] + b"\2" + head[6:],
        lambda head: head[:40],
        lambda head: head[:17] + b"\0\1\0\0" + head[21:],
    ],
    ids=["version", "short", "block sizes"],
)
def test_headers_of_ogg_flac_that_contradict_themselves_are_refused(
    change: Callable[[bytes], bytes],
) -> None:
    first, *rest = pages(FLAC)
    with pytest.raises(Malformed):
        clean(joined([page(2, 0, first.serial, 0, change(first.body)), *rest]))


def test_a_packet_of_ogg_flac_that_is_no_frame_is_refused() -> None:
    first, second, *_ = pages(FLAC)
    with pytest.raises(Malformed):
        clean(joined([first, second, page(4, 0, first.serial, 2, b"\xff" + CANARY)]))


SILENT = "00000"
USER = "01101" + "0001" + "00000" + "10101010"
STEREO_REQUEST = "01110" + "1001" + "11111111"
CHARACTER = "01110" + "1000" + "01000001"
WIDE_PART = "1001" + "10" * 16


@pytest.mark.claim("C-META")
@pytest.mark.parametrize(
    ("dirty", "settled"),
    [
        (bits(FRAME), bits(FRAME)),
        (bits(STEREO_REQUEST, FRAME), bits(STEREO_REQUEST, FRAME)),
        (bits(USER, FRAME), bits("01101" + "0001" + "0" * 13, FRAME)),
        (bits(CHARACTER, FRAME), bits("01110" + "1000" + "0" * 8, FRAME)),
        (bits(FRAME, WIDE_PART), bits(FRAME, WIDE_PART)),
        (bits(FRAME) + CANARY, bits(FRAME)),
        (bits(FRAME, "01111", "10" * 20), bits(FRAME)),
        (bits(FRAME, FRAME), bits(FRAME)),
        (bits(SILENT), bits(SILENT)),
    ],
    ids=["frame", "stereo", "user", "character", "wide", "tail", "terminator", "more", "silent"],
)
def test_a_packet_of_speex_keeps_its_frames_alone(dirty: bytes, settled: bytes) -> None:
    result = clean(speex(dirty, dirty))
    assert packets(pages(result)[-1]) == [settled, settled]
    assert clean(result) == result


@pytest.mark.parametrize(
    "packet",
    [b"\x78", b"\x7f", bits(FRAME)[:-3], bits("01010", "1" * 90), bits("1101", "1" * 90)],
    ids=["terminator", "fill", "cut", "mode", "wide mode"],
)
def test_a_packet_of_speex_that_does_not_add_up_is_refused(packet: bytes) -> None:
    with pytest.raises(Malformed):
        clean(speex(packet))
    with pytest.raises(Malformed):
        clean(speex(bits(USER)[:2]))


def test_headers_of_speex_lose_what_they_say() -> None:
    noisy = speex(
        bits(FRAME), comment=struct.pack("<II", 1, 13) + CANARY, head=CANARY, extra=2, frames=0
    )
    result, facts = prove(noisy, ".ogg")
    assert result == clean(speex(bits(FRAME), bitrate=99))
    assert "other_metadata" in facts.removed


@pytest.mark.parametrize(
    "numbers",
    [
        {"mode": 3},
        {"stream": 3},
        {"rate": 5},
        {"channels": 3},
        {"frame": 161},
        {"frames": 11},
        {"extra": 17},
    ],
    ids=str,
)
def test_headers_of_speex_that_contradict_themselves_are_refused(numbers: dict[str, int]) -> None:
    with pytest.raises(Malformed):
        clean(speex(bits(FRAME), comment=b"", head=b"", **numbers))
    with pytest.raises(Malformed):
        Speex(b"Speex   ")


# The checker ---------------------------------------------------------------------------------

CLEAN = {name: clean(data) for name, data in SOUNDS.items()} | {"Speex": clean(speex(bits(FRAME)))}


def judge(data: bytes, step: int = 999) -> int:
    checker = OggChecker()
    for at in range(0, len(data), step):
        checker.feed(data[at : at + step])
    return checker.finish()


@pytest.mark.parametrize("name", CLEAN)
def test_the_checker_passes_what_the_writer_makes(name: str) -> None:
    assert judge(CLEAN[name]) == judge(CLEAN[name], 1 << 20) > 0


def replaced(name: str, place: int, **fields: object) -> bytes:
    found = pages(CLEAN[name])
    found[place] = found[place]._replace(**fields)  # type: ignore[arg-type]
    return joined(found)


def with_packet(name: str, packet: bytes, place: int = -1) -> bytes:
    """Return a clean file with one packet more on a page, its lengths and checksum in order."""
    found = pages(CLEAN[name])
    told = found[place]
    found[place] = page(told.flags, told.granule, 1, told.sequence, *packets(told), packet)
    return joined(found)


def with_header(name: str, place: int, change: Callable[[bytes], bytes]) -> bytes:
    found = pages(CLEAN[name])
    heads = packets(found[0]) + packets(found[1])
    heads[place] = change(heads[place])
    found[0] = page(2, 0, 1, 0, heads[0])
    found[1] = page(0, 0, 1, 1, *heads[1:])
    return joined(found)


DIRTY: dict[str, Callable[[], bytes]] = {
    "bytes behind the end": lambda: CLEAN["Opus"] + CANARY,
    "a page behind the end": lambda: CLEAN["Opus"] + page(0, 0, 1, 99, CANARY).to_bytes(),
    "bytes between": lambda: joined(pages(CLEAN["Opus"])[:2]) + CANARY,
    "no end": lambda: joined(pages(CLEAN["Opus"])[:-1]),
    "nothing": lambda: b"",
    "another stream": lambda: replaced("Opus", 2, serial=7),
    "a sequence of its own": lambda: replaced("Opus", 2, sequence=7),
    "a flag": lambda: replaced("Opus", 2, flags=8),
    "a second beginning": lambda: replaced("Opus", 2, flags=2),
    "a wrong checksum": lambda: CLEAN["Opus"][:-1] + b"?",
    "a position": lambda: replaced("Opus", 3, granule=0x414243),
    "a negative position": lambda: replaced("Opus", -1, granule=-5),
    "a position going back": lambda: replaced("Vorbis", -1, granule=5),
    "a position far ahead": lambda: replaced("Vorbis", -1, granule=1 << 40),
    "a position where nothing ends": lambda: joined(
        [
            *pages(CLEAN["Opus"])[:2],
            page(0, 7, 1, 2, bytes(254))._replace(lacing=b"\xff", body=bytes(255)),
        ]
    ),
    "a page of nothing": lambda: joined([*pages(CLEAN["Opus"])[:2], page(4, -1, 1, 2)]),
    "a comment": lambda: with_header("Opus", 1, lambda head: head + CANARY),
    "a hint of the microphone": lambda: with_header(
        "Opus", 0, lambda head: head[:12] + b"\x80\x3e" + head[14:]
    ),
    "a longer layout": lambda: with_header("5.1 Opus", 0, lambda head: head + CANARY),
    "a first header that is none": lambda: with_header("Opus", 0, lambda _: CANARY),
    "padding": lambda: with_packet("Opus", b"\x0b\x41\x0d" + CANARY),
    "no frames": lambda: with_packet("Opus", b"\x0b"),
    "no packet": lambda: with_packet("Opus", b""),
    "a packet of fewer streams": lambda: with_packet("5.1 Opus", b"\x08\1a"),
    "a Vorbis comment": lambda: with_header("Vorbis", 1, lambda head: head + CANARY),
    "Vorbis tables with a tail": lambda: with_header("Vorbis", 2, lambda head: head + CANARY),
    "Vorbis tables with a blank tail": lambda: with_header("Vorbis", 2, lambda head: head + b"\0"),
    "a Vorbis header among the sound": lambda: with_packet("Vorbis", b"\3vorbis" + CANARY),
    "an empty Vorbis packet": lambda: with_packet("Vorbis", b""),
    "a FLAC comment": lambda: with_header("FLAC", 1, lambda head: head + CANARY),
    "a FLAC frame that is none": lambda: with_packet("FLAC", CANARY),
    "a FLAC frame twice": lambda: with_packet("FLAC", packets(pages(CLEAN["FLAC"])[2])[0]),
    "a FLAC frame with a tail": lambda: with_packet(
        "FLAC", packets(pages(CLEAN["FLAC"])[2])[0] + CANARY
    ),
    "a Speex user": lambda: with_packet("Speex", bits(USER, FRAME)),
    "a Speex character": lambda: with_packet("Speex", bits(CHARACTER, FRAME)),
    "a Speex tail": lambda: with_packet("Speex", bits(FRAME) + CANARY),
    "a Speex packet of messages": lambda: with_packet("Speex", bits(STEREO_REQUEST)),
    "a Speex part that is cut": lambda: with_packet("Speex", bits(FRAME, "1001", "1" * 9)),
    "Speex frames beyond the number": lambda: with_packet("Speex", bits(FRAME, FRAME)),
}


@pytest.mark.parametrize("case", DIRTY)
def test_the_checker_finds_what_a_writer_could_have_let_pass(case: str) -> None:
    with pytest.raises(MetadataSurvived):
        judge(DIRTY[case]())


def test_a_page_that_never_ends_is_not_held_for_ever() -> None:
    first, second, *_ = pages(CLEAN["Opus"])
    long = Page(0, -1, 1, 2, b"\xff" * 255, bytes(65025))
    endless = (fast(long._replace(sequence=2 + n, flags=n > 0)) for n in range(90))
    with pytest.raises(MetadataSurvived):
        judge(joined([first, second]) + b"".join(endless), 65536)


# Pages, bombs, and anything at all ----------------------------------------------------------


def test_a_packet_longer_than_a_page_is_written_over_several() -> None:
    writer = ogg_pages.PageWriter()
    writer.add(b"first", 0)
    writer.flush()
    writer.add(b"small", 1)
    writer.add(b"x" * 70000, 2)
    writer.flush(ogg_pages.LAST)
    found = pages(writer.take())
    assert [each.flags for each in found] == [2, 0, 0, 5]
    assert [each.granule for each in found] == [0, 1, -1, 2]
    assert found[2].body + found[3].body == b"x" * 70000
    assert joined(found) == joined(pages(joined(found)))


def test_a_comment_of_many_pages_is_dropped_in_flat_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def told(_: Opus, heads: list[bytes]) -> list[bytes]:
        seen.append(len(heads[1]))
        return heads

    monkeypatch.setattr(Opus, "setup", told)
    part = Page(1, -1, SERIAL, 0, b"\xff" * 255, bytes(65025))
    start = part._replace(flags=0, sequence=1, body=b"OpusTags".ljust(65025, b"\0"))
    # Checksums in pure Python are slow: the fast ones, which test_known_pages compares.
    blank = b"".join(fast(part._replace(sequence=2 + n)) for n in range(320))
    dirty = NOTE[0].to_bytes() + fast(start) + blank + fast(page(1, 0, SERIAL, 322, b"end"))
    begun = time.process_time()
    with pytest.raises(MetadataSurvived):
        clean(
            dirty + b"".join(fast(each._replace(sequence=each.sequence + 321)) for each in NOTE[2:])
        )
    assert seen == [Limits().sound_packet_bytes + 1]
    assert time.process_time() - begun < 2


def fast(told: Page) -> bytes:
    raw = struct.pack("<4sBBqIII", b"OggS", 0, *told[:4], 0)
    raw += bytes([len(told.lacing)]) + told.lacing + told.body
    return raw[:22] + ogg_pages.checksum(raw) + raw[26:]


def test_the_fast_checksum_is_that_of_pages_others_wrote() -> None:
    at = 0
    for told in pages(VOICE):
        size = 27 + len(told.lacing) + len(told.body)
        whole = VOICE[at : at + size]
        assert ogg_pages.checksum(whole) == whole[22:26]
        assert told.to_bytes() == whole
        at += size


@pytest.mark.parametrize(
    "bomb",
    [
        b"OggS\0" * 300_000,
        b"OggS\0" + bytes(21) + b"\xff" * 300_000,
        fast(page(0, 0, 7, 0)) * 200_000,
    ],
    ids=["marks", "lengths", "empty pages"],
)
def test_a_bomb_of_pages_is_refused_soon(bomb: bytes) -> None:
    begun = time.process_time()
    with pytest.raises((TooComplex, Empty)):
        clean(joined(NOTE[:2]) + bomb)
    assert time.process_time() - begun < 2


def test_more_packets_than_the_limit_are_refused() -> None:
    with pytest.raises(TooComplex):
        clean(VOICE, Limits(sound_frames=20))


def test_a_sound_streams_in_parts() -> None:
    long = made("opus", STEREO.format(30), "-c:a", "libopus", "-b:a", "256k")
    parts, *kind = streamed(long)
    assert len(parts) > 2
    assert kind == ["audio/ogg", "ogg"]
    assert hashes(b"".join(parts), decoded=True) == hashes(long, decoded=True)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(SOUNDS)), st.integers(0, 1 << 30), st.integers(0, 4))
def test_whatever_is_done_to_a_file_nothing_planted_comes_out(
    name: str, seed: int, ways: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same on every run
    data = bytearray(SOUNDS[name])
    for _ in range(ways):
        at = chance.randrange(len(data))
        data[at] ^= 1 << chance.randrange(8)
    at = chance.randrange(4, len(data))
    data[at:at] = CANARY
    if ways == 4:
        del data[chance.randrange(len(data)) :]
    silent_or_refused(bytes(data))


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(SOUNDS)), st.integers(0, 1 << 30))
def test_pages_of_any_content_are_cleaned_or_refused(name: str, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same on every run
    found = pages(SOUNDS[name])
    place = chance.randrange(len(found))
    body = bytearray(found[place].body)
    for _ in range(chance.randrange(1, 5)):
        body[chance.randrange(len(body))] = chance.randrange(256)
    found[place] = found[place]._replace(
        body=bytes(body), flags=chance.choice([found[place].flags, chance.randrange(8)])
    )
    silent_or_refused(b"".join(map(fast, found)))


def test_a_packet_of_every_kind_of_opus_is_as_long_as_the_other_parser_says() -> None:
    for configuration in range(32):
        packet = bytes([configuration << 3]) + b"sound"
        _, samples = Opus(opus_head()).packet(packet)
        result = clean(joined([NOTE[0], NOTE[1], page(4, 9999, SERIAL, 2, packet, packet)]))
        assert pages(result)[-1].granule == 2 * samples


class Silent:
    """A writer, or a checker, that has counted one frame too many."""

    kinds: set[str] = set()  # noqa: RUF012 - never changed
    frames = 2

    def chunks(self) -> Iterator[bytes]:
        """Yield something."""
        yield b"abc"

    def feed(self, data: bytes) -> None:
        """Look at nothing."""

    def finish(self) -> int:
        """Return one frame."""
        return 1


def test_a_frame_that_was_lost_on_the_way_is_an_error() -> None:
    with pytest.raises(MetadataSurvived):
        list(Sound("audio/none", "none", Silent(), Silent()).chunks())
