"""MP3: what goes, what stays, and what is refused."""

import random
import struct
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.errors import (
    Empty,
    Malformed,
    MetadataSurvived,
    Refused,
    TooComplex,
    TooLarge,
    Unsupported,
)
from sanitizer.limits import Limits
from sanitizer.sound.mp3 import info
from sanitizer.sound.mp3.check import Mp3Checker
from tests.sanitizer.kit import CANARY, clean, cleaned, hashes, prove, silent_or_refused, streamed
from tests.support.sounds import MONO, STEREO, ape, id3v1, id3v2, lyrics3, made

TOLD = ("-metadata", "title=" + CANARY.decode())
PLAIN = ("-id3v2_version", "0", "-write_xing", "0")
SILENCE = "aevalsrc=0.2*sin(2000*t)*lt(t\\,0.4)|0:d=1.5"
SOUNDS = {
    "constant": made("mp3", STEREO.format(2), "-c:a", "libmp3lame", "-b:a", "128k", *TOLD),
    "variable": made("mp3", STEREO.format(2), "-c:a", "libmp3lame", "-q:a", "3", *TOLD),
    "speech": made(
        "mp3", MONO.format(2), "-c:a", "libmp3lame", "-ar", "16000", "-b:a", "24k", *TOLD
    ),
    "low": made(
        "mp3", STEREO.format(2), "-c:a", "libmp3lame", "-ar", "11025", "-b:a", "32k", *TOLD
    ),
    "mono": made("mp3", MONO.format(2), "-c:a", "libmp3lame", "-ar", "44100", "-b:a", "64k", *TOLD),
    "joint": made("mp3", STEREO.format(2), "-c:a", "libmp3lame", "-joint_stereo", "1", *TOLD),
    "silence": made("mp3", SILENCE, "-c:a", "libmp3lame", "-b:a", "320k", *TOLD),
}
BARE = made("mp3", STEREO.format(2), "-c:a", "libmp3lame", "-b:a", "128k", *PLAIN)
LONG = made("mp3", STEREO.format(30), "-c:a", "libmp3lame", "-b:a", "128k", *PLAIN)
LOUD = made("mp3", SILENCE, "-c:a", "libmp3lame", "-b:a", "320k", *PLAIN)
CONSTANT = SOUNDS["constant"]
KBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)


def frames(data: bytes) -> list[bytes]:
    """Cut an MP3 of version 1 at 44.1 kHz, without tags, into its frames."""
    found, at = [], 0
    while at < len(data):
        size = 144000 * KBITS[data[at + 2] >> 4] // 44100 + (data[at + 2] >> 1 & 1)
        found.append(data[at : at + size])
        at += size
    return found


def index_of(data: bytes) -> bytes:
    """Return a file from its index on."""
    return data[data.index(b"\xff\xfb") :]


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("name", SOUNDS)
def test_an_mp3_says_nothing_and_sounds_the_same(name: str) -> None:
    result, facts = prove(SOUNDS[name], ".mp3")
    assert hashes(result, decoded=True) == hashes(SOUNDS[name], decoded=True)
    assert b"Lavc" not in result
    assert b"LAME3" not in result
    assert "other_metadata" in facts.removed


@pytest.mark.claim("C-META")
def test_the_name_of_the_encoder_between_the_sounds_is_blanked() -> None:
    signed = LOUD.replace(b"Lavc", b"LAME")
    assert signed.count(b"LAME") + LOUD.count(b"UUUU") > 1
    result = clean(signed)
    assert b"LAME" not in result
    assert b"UUUU" not in result
    assert hashes(result, decoded=True) == hashes(LOUD, decoded=True)


MIDDLE = len(b"".join(frames(BARE)[:30]))
HOLE = clean(LOUD).index(bytes(200), 1000) + 20


def planted(data: bytes, place: int, what: bytes = CANARY) -> bytes:
    """Return a file with bytes put in the place of others."""
    return data[:place] + what + data[place + len(what) :]


def with_private_bits() -> bytes:
    """Spell the word in the private, copyright and original bits and in the side information."""
    told = iter(f"{int.from_bytes(CANARY * 20, 'big'):b}")
    made_of = []
    for frame in frames(BARE):
        head = bytearray(frame)
        head[2] |= int(next(told))
        head[3] |= int(next(told)) << 3 | int(next(told)) << 2
        head[5] |= int(next(told)) << 6 | int(next(told)) << 5 | int(next(told)) << 4
        made_of.append(bytes(head))
    return b"".join(made_of)


def with_checksums(checksum: bytes) -> bytes:
    """Return a file whose frames have a place for a checksum, at the cost of their last bytes.

    Frames of silence have two to spare.
    """
    return b"".join(
        bytes([0xFF, 0xFA]) + each[2:4] + checksum + each[4:-2] for each in frames(QUIET)
    )


QUIET = made("mp3", "anullsrc=d=1", "-c:a", "libmp3lame", "-b:a", "128k", *PLAIN)
VBRI = bytes([0xFF, 0xFB, 0x90, 0]) + bytes(32) + b"VBRI" + CANARY.ljust(377, b"\1")
PLACES: dict[str, Callable[[], bytes]] = {
    "ID3v1": lambda: BARE + id3v1(CANARY),
    "two ID3v1": lambda: BARE + id3v1(CANARY) + id3v1(CANARY),
    "ID3v2": lambda: id3v2(CANARY) + BARE,
    "two ID3v2": lambda: id3v2(b"no") + id3v2(CANARY) + BARE,
    "a cover": lambda: id3v2(CANARY * 9000, kind=b"APIC") + BARE,
    "ID3v2 with padding": lambda: id3v2(CANARY, padding=3000) + BARE,
    "ID3v2 at the end": lambda: BARE + id3v2(CANARY),
    "ID3v2 in the middle": lambda: BARE[:MIDDLE] + id3v2(CANARY) + BARE[MIDDLE:],
    "ID3v2 that says it is shorter": lambda: id3v2(b"no") + CANARY * 30 + BARE,
    "ID3v2 that says it is endless": lambda: b"ID3\3\0\0\x7f\x7f\x7f\x7f" + CANARY + BARE,
    "ID3v2 with a footer": lambda: b"ID3\4\0\x10\0\0\0\x0d" + CANARY + b"3DI" + bytes(7) + BARE,
    "APE": lambda: BARE + ape(CANARY),
    "APE and ID3v1": lambda: BARE + ape(CANARY) + id3v1(CANARY),
    "APE before": lambda: id3v2(b"no") + ape(CANARY) + BARE,
    "Lyrics3": lambda: BARE + lyrics3(CANARY) + id3v1(b"no"),
    "between frames": lambda: BARE[:MIDDLE] + CANARY + BARE[MIDDLE:],
    "between frames, like one": lambda: BARE[:MIDDLE] + BARE[:4] + CANARY + BARE[MIDDLE:],
    "behind": lambda: BARE + CANARY,
    "behind, like a frame": lambda: BARE + BARE[:4] + CANARY,
    "VBRI": lambda: VBRI + BARE,
    "a tag where a frame was cut off": lambda: BARE[:-90] + id3v1(CANARY),
    "a tag that fills a frame that was cut off": lambda: BARE[:-128] + id3v1(CANARY),
    "two tags that fill a frame that was cut off": lambda: BARE[:-128] + id3v1(CANARY) * 2,
    "a tag that fills a frame, and more frames": lambda: (
        BARE[: MIDDLE - 128] + id3v1(CANARY) + BARE[MIDDLE:]
    ),
    "a mile of nothing between frames": lambda: (
        BARE[:MIDDLE] + b"ID3" + bytes(3 << 20) + CANARY + BARE[MIDDLE:]
    ),
    "words where a frame was cut off": lambda: BARE[:-90] + CANARY * 30,
}
# The frame before may have been cut off by what follows it, which is no tag: it is silenced.
UNSURE = {"between frames", "behind", "words where a frame was cut off"}
UNSURE |= {"a tag that fills a frame, and more frames"}
CUT = {
    "a tag where a frame was cut off",
    "a tag that fills a frame that was cut off",
    "two tags that fill a frame that was cut off",
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("place", PLACES)
def test_a_hiding_place_in_an_mp3_is_emptied(place: str) -> None:
    result, facts = prove(PLACES[place](), ".mp3")
    assert facts.removed
    if place in UNSURE:
        kept = zip(frames(result), frames(clean(BARE)), strict=True)
        assert 1 <= sum(one != other for one, other in kept) <= 3
    elif place in CUT:
        assert frames(result)[:-1] == frames(clean(BARE))[:-2]
    else:
        assert result[-len(BARE) :] == clean(BARE)
        assert hashes(result, decoded=True) == hashes(BARE, decoded=True)


def test_an_index_of_fraunhofer_becomes_one_of_ours() -> None:
    result = clean(VBRI + BARE)
    assert b"Xing" in result[:64]
    assert result.endswith(clean(BARE))


@pytest.mark.claim("C-META")
def test_ancillary_data_is_blanked_and_the_sound_stays() -> None:
    dirty = planted(LOUD, HOLE)
    result, facts = prove(dirty, ".mp3")
    assert result == clean(LOUD)
    assert "other_metadata" in facts.removed


@pytest.mark.claim("C-META")
def test_a_word_in_single_bits_of_many_frames_is_gone() -> None:
    dirty = with_private_bits()
    assert clean(dirty) == clean(BARE)
    assert hashes(dirty, decoded=True) == hashes(clean(dirty), decoded=True)


@pytest.mark.claim("C-META")
def test_checksums_are_computed_anew_and_are_right() -> None:
    result = clean(with_checksums(b"US"))
    assert result == clean(with_checksums(b"UN"))
    assert result[4:6] not in {b"US", b"UN"}
    assert hashes(result, decoded=True) == hashes(clean(QUIET), decoded=True)


def test_the_index_keeps_the_delays_and_nothing_else_that_was_told() -> None:
    data = index_of(CONSTANT)
    lame = data.index(b"Lavc")
    noisy = planted(planted(data, lame + 4, CANARY[:5]), lame + 12, b"NOISEFOR")
    noisy = planted(noisy, lame - 4, b"qual")
    result = clean(noisy)
    assert result == clean(data)
    at = result.index(b"LAME")
    assert result[at + 21 : at + 24] == data[lame + 21 : lame + 24]
    count, size = struct.unpack_from(">II", result, result.index(b"Info") + 8)
    assert (count, size) == (len(frames(result)) - 1, len(result))


def test_an_index_without_an_encoder_is_written_without_one() -> None:
    data = bytearray(index_of(CONSTANT))
    lame = data.index(b"Lavc")
    data[lame : lame + 4] = b"what"
    result = clean(bytes(data))
    assert b"LAME" not in result
    assert hashes(result, decoded=True) == hashes(bytes(data), decoded=True)


def test_an_index_whose_frame_is_too_short_for_a_table_gets_a_longer_frame() -> None:
    short = bytes([0xFF, 0xFB, 0x10, 0]) + bytes(32) + b"Xing" + bytes(64)
    result = clean(short + BARE)
    assert b"Xing" in result[:64]
    assert len(frames(result)[0]) == 208


def test_an_index_of_its_own_with_few_fields_and_of_variable_rate_is_read() -> None:
    head = bytes([0xFF, 0xFB, 0x90, 0]) + bytes(32)
    few = (head + b"Xing" + struct.pack(">II", 1, 77) + b"LAME" + bytes(17) + b"\1\2\3").ljust(
        417, b"\0"
    )
    result = clean(few + BARE)
    at = result.index(b"LAME")
    assert result[at + 21 : at + 24] == b"\1\2\3"


@pytest.mark.claim("C-META")
@pytest.mark.parametrize(
    "tag",
    [
        b"TAG+" + CANARY.ljust(223) + id3v1(b"no"),
        ape(CANARY)[32:-12] + bytes(12),
        b"LYRICSBEGIN" + CANARY + b"LYRICSEND" + id3v1(b"no"),
        CANARY + b"LYRICSEND" + id3v1(b"no"),
        b"LYRICSBEGIN" + CANARY + b"999999LYRICS200",
        id3v2(CANARY) + b"3DI" + id3v2(CANARY)[3:10],
        CANARY + ape(b"no")[-32:],
    ],
    ids=["more", "old", "lyrics", "no lyrics", "long lyrics", "footer", "lie"],
)
def test_tags_of_every_sort_at_the_end_are_dropped(tag: bytes) -> None:
    result, _ = prove(BARE + tag, ".mp3")
    assert frames(result)[:-3] == frames(clean(BARE))[:-3]


def test_an_index_alone_is_no_sound() -> None:
    with pytest.raises(Empty):
        clean(frames(index_of(CONSTANT))[0])


def test_a_long_sound_has_a_table_that_leads_to_its_places() -> None:
    places = info.Places()
    for _ in range(40_000):
        places.add(417)
    head = info.write(info.Info(b"Xing", b""), BARE[:4], 0, places)
    table = head[52:152]
    assert list(table) == [256 * part // 100 for part in range(100)]
    places.size = 1 << 32
    with pytest.raises(TooLarge):
        info.write(info.Info(b"Xing", b""), BARE[:4], 0, places)


def test_a_sound_that_was_cut_off_keeps_its_whole_frames() -> None:
    result, facts = cleaned(BARE[:-100])
    assert (
        frames(result) == frames(clean(BARE))[:-1] or len(frames(result)) == len(frames(BARE)) - 1
    )
    assert "trailing_data" in facts.removed
    single = frames(QUIET)[0]
    assert clean(single + QUIET[len(single) :][:9]) == clean(single)


def test_a_sound_whose_beginning_was_cut_off_keeps_what_its_frames_say() -> None:
    rest = b"".join(frames(BARE)[9:])
    result = clean(rest)
    assert len(result) == len(rest)
    assert hashes(result, decoded=True) == hashes(rest, decoded=True)
    assert clean(result) == result


REFUSED: dict[str, tuple[type[Refused], Callable[[], bytes]]] = {
    "layer II": (Unsupported, lambda: made("mp2", MONO.format(1), "-ar", "44100")),
    "free format": (Unsupported, lambda: bytes([0xFF, 0xFB, 0x00, 0]) + bytes(999)),
    "tags alone": (Empty, lambda: id3v2(CANARY)),
    "tags and noise": (Malformed, lambda: id3v2(CANARY) + CANARY),
    "a header alone": (Malformed, lambda: BARE[:4]),
    "a frame of reserved emphasis": (Malformed, lambda: bytes([0xFF, 0xFB, 0x90, 2]) + bytes(999)),
    "a header cut short": (Malformed, lambda: id3v2(CANARY) + b"\xff\xfb"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_cleaned_is_refused(case: str) -> None:
    error, build = REFUSED[case]
    with pytest.raises(error):
        clean(build())


BOMBS: dict[str, Callable[[], bytes]] = {
    "marks": lambda: BARE + b"\xff\xfb\x90" * 500_000,
    "headers": lambda: BARE + (BARE[:4] + b"x") * 300_000,
    "marks in front": lambda: id3v2(b"no") + b"?" + b"\xff\xfb\x90\0x" * 300_000,
    "tags": lambda: b"ID3\3\0\0\0\0\0\0" * 100_000 + BARE,
    "tags in the middle": lambda: BARE + b"ID3\3\0\0\0\0\0\0" * 100_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_of_marks_is_refused_soon(bomb: str) -> None:
    data = BOMBS[bomb]()
    begun = time.process_time()
    with pytest.raises(TooComplex):
        clean(data)
    assert time.process_time() - begun < 2


def test_one_byte_behind_is_dropped() -> None:
    result, facts = cleaned(BARE + b"?")
    assert len(result) == len(BARE)
    assert "trailing_data" in facts.removed


def test_more_tags_at_the_end_than_the_limit_are_dropped_as_anything_else() -> None:
    result = clean(BARE + id3v1(CANARY) * 9, Limits(sound_parts=5))
    assert result == clean(BARE)


def test_more_frames_than_the_limit_are_refused() -> None:
    with pytest.raises(TooComplex):
        clean(BARE, Limits(sound_frames=20))


def test_a_tag_that_is_as_long_as_a_film_costs_no_memory() -> None:
    result, facts = cleaned(id3v2(b"x" * (30 << 20), kind=b"GEOB") + BARE)
    assert result == clean(BARE)
    assert facts.removed == ("other_metadata",)


def test_a_sound_streams_in_parts() -> None:
    parts, *kind = streamed(LONG)
    assert len(parts) > 1
    assert kind == ["audio/mpeg", "mp3"]
    assert hashes(b"".join(parts), decoded=True) == hashes(LONG, decoded=True)
    assert judge(b"".join(parts)) == len(frames(LONG))


# The checker ---------------------------------------------------------------------------------

CLEAN = clean(CONSTANT)
CLEAN_BARE = clean(BARE)
CLEAN_LOUD = clean(LOUD)
CHECKED = clean(with_checksums(b"US"))


def judge(data: bytes, step: int = 5000) -> int:
    checker = Mp3Checker()
    for at in range(0, len(data), step):
        checker.feed(data[at : at + step])
    return checker.finish()


@pytest.mark.parametrize("name", SOUNDS)
def test_the_checker_passes_what_the_writer_makes(name: str) -> None:
    result = clean(SOUNDS[name])
    assert judge(result) == judge(result, 1 << 20) > 0


LAME = CLEAN.index(b"LAME")
DIRTY: dict[str, Callable[[], bytes]] = {
    "a tag before": lambda: id3v2(CANARY) + CLEAN,
    "a tag behind": lambda: CLEAN + id3v1(CANARY),
    "a few bytes behind": lambda: CLEAN + b"abc",
    "bytes between": lambda: CLEAN_BARE[:MIDDLE] + CANARY + CLEAN_BARE[MIDDLE:],
    "a private bit": lambda: planted(CLEAN_BARE, 2, bytes([CLEAN_BARE[2] | 1])),
    "a copyright bit": lambda: planted(CLEAN_BARE, 3, bytes([CLEAN_BARE[3] | 8])),
    "an original bit": lambda: planted(CLEAN_BARE, 3, bytes([CLEAN_BARE[3] | 4])),
    "a mode that is not there": lambda: planted(
        CLEAN_BARE, 3, bytes([CLEAN_BARE[3] & 0x3F | 0x10])
    ),
    "private bits of the side": lambda: planted(CLEAN_BARE, 5, bytes([CLEAN_BARE[5] | 0x40])),
    "another emphasis": lambda: planted(
        CLEAN_BARE, MIDDLE + 3, bytes([CLEAN_BARE[MIDDLE + 3] | 1])
    ),
    "no bit rate": lambda: planted(CLEAN_BARE, 2, bytes([CLEAN_BARE[2] & 15])),
    "no sampling rate": lambda: planted(CLEAN_BARE, 2, bytes([CLEAN_BARE[2] | 12])),
    "another layer": lambda: planted(CLEAN_BARE, 1, b"\xfd"),
    "a wrong checksum": lambda: planted(CHECKED, 4, b"US"),
    "ancillary data": lambda: planted(CLEAN_LOUD, HOLE),
    "one ancillary bit": lambda: planted(CLEAN_LOUD, HOLE, b"\1"),
    "a name of the encoder": lambda: planted(CLEAN, LAME + 4, b"3.100"),
    "a gain": lambda: planted(CLEAN, LAME + 12, b"1"),
    "a length of its own": lambda: planted(CLEAN, LAME + 28, b"1"),
    "a quality": lambda: planted(CLEAN, LAME - 1, b"1"),
    "a table of its own": lambda: planted(CLEAN, LAME - 60, CANARY),
    "bytes behind the index": lambda: planted(CLEAN, LAME + 40, CANARY),
    "another encoder": lambda: planted(CLEAN, LAME, b"what"),
    "a wrong number of frames": lambda: planted(CLEAN, LAME - 112 + 3, b"\1"),
    "other fields": lambda: planted(CLEAN, LAME - 113, b"\7"),
}


@pytest.mark.parametrize("case", DIRTY)
def test_the_checker_finds_what_a_writer_could_have_let_pass(case: str) -> None:
    data = DIRTY[case]()
    with pytest.raises(MetadataSurvived):
        judge(data)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(SOUNDS)), st.integers(0, 1 << 30), st.integers(0, 12))
def test_any_bytes_are_cleaned_or_refused(name: str, seed: int, ways: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same on every run
    data = bytearray(SOUNDS[name])
    for _ in range(ways):
        at = chance.randrange(len(data))
        data[at] = chance.randrange(256)
    if ways % 3 == 0:
        del data[: chance.randrange(len(data))]
    if ways % 4 == 0:
        del data[chance.randrange(len(data)) :]
    silent_or_refused(id3v2(CANARY) + bytes(data) + id3v1(CANARY))
