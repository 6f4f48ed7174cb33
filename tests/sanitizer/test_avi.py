"""AVI: what goes, what stays, and what is refused."""

import struct
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
    TooLarge,
    TooManyPixels,
    Unsupported,
)
from sanitizer.frames import annexb_check, mpeg4_check
from sanitizer.limits import Limits
from sanitizer.riff import avi, avi_check_head, avi_write
from sanitizer.riff.avi_check import Checker
from tests.sanitizer.kit import CANARY, clean, cleaned, hashes, prove
from tests.support.containers import chunk, listed, recorded, split
from tests.support.leaks import leaks

FRAME = bytes(range(32)) * 2
"""Eight by eight pixels in grey."""
PCM = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
TITLE = ("-metadata", "title=" + CANARY.decode())


def bitmap(codec: bytes = b"Y800", bits: int = 8, size: tuple[int, int] = (8, 8)) -> bytes:
    return struct.pack("<IiiHH4sIIIII", 40, *size, 1, bits, codec, 64, 0, 0, 0, 0)


def header(
    kind: bytes = b"vids", clock: tuple[int, int, int] = (1, 10, 0), sample: int = 0
) -> bytes:
    return chunk(b"strh", kind + bytes(16) + struct.pack("<7I", *clock, 9, 9, 9, sample) + bytes(8))


VIDEO = listed(b"strl", header(), chunk(b"strf", bitmap()))
SOUND = listed(b"strl", header(b"auds", (1, 8000, 0), 2), chunk(b"strf", PCM))
TEXT = listed(b"strl", header(b"txts"), chunk(b"strf", b""))
MAIN = chunk(b"avih", struct.pack("<14I", 100_000, 9, 9, 0x10, 9, 9, 2, 9, 8, 8, 7, 7, 7, 7))


def riff(*parts: bytes, kind: bytes = b"AVI ") -> bytes:
    return chunk(b"RIFF", kind + b"".join(parts))


def headers(*streams: bytes, also: bytes = b"") -> bytes:
    return listed(b"hdrl", MAIN, *streams, also)


HEAD = headers(VIDEO, SOUND)
P0, P1 = chunk(b"00db", FRAME), chunk(b"01wb", b"\1\2" * 400)
MOVI = listed(b"movi", P0, P1, P0)
PLAIN = riff(HEAD, MOVI)
CLEAN = clean(PLAIN)


INFO = listed(b"INFO", chunk(b"ISFT", CANARY), chunk(b"ICRD", CANARY))
PLACES: dict[str, bytes] = {
    "names before": riff(INFO, HEAD, MOVI),
    "names between": riff(HEAD, INFO, MOVI),
    "names behind": riff(HEAD, MOVI, INFO),
    "padding": riff(HEAD, chunk(b"JUNK", CANARY), MOVI),
    "padding in the headers": riff(headers(VIDEO, SOUND, also=chunk(b"JUNK", CANARY)), MOVI),
    "a time": riff(headers(VIDEO, SOUND, also=chunk(b"IDIT", CANARY)), MOVI),
    "a time code": riff(headers(VIDEO, SOUND, also=chunk(b"ISMP", CANARY)), MOVI),
    "a list in the headers": riff(headers(VIDEO, SOUND, also=listed(b"hide", CANARY)), MOVI),
    "a second list of headers": riff(HEAD, listed(b"hdrl", CANARY), MOVI),
    "a camera's own": riff(HEAD, listed(b"ncdt", chunk(b"nctg", CANARY)), MOVI),
    "an unknown chunk": riff(HEAD, chunk(b"what", CANARY), MOVI),
    "a stream's name": riff(
        headers(listed(b"strl", header(), chunk(b"strf", bitmap()), chunk(b"strn", CANARY)), SOUND),
        MOVI,
    ),
    "a stream's data": riff(
        headers(listed(b"strl", header(), chunk(b"strf", bitmap()), chunk(b"strd", CANARY)), SOUND),
        MOVI,
    ),
    "padding in a stream": riff(
        headers(listed(b"strl", header(), chunk(b"strf", bitmap()), chunk(b"JUNK", CANARY)), SOUND),
        MOVI,
    ),
    "behind a picture's numbers": riff(
        headers(listed(b"strl", header(), chunk(b"strf", bitmap() + CANARY)), SOUND), MOVI
    ),
    "behind a sound's numbers": riff(
        headers(
            VIDEO, listed(b"strl", header(b"auds", (1, 8000, 0), 2), chunk(b"strf", PCM + CANARY))
        ),
        MOVI,
    ),
    "padding between packets": riff(HEAD, listed(b"movi", P0, chunk(b"JUNK", CANARY), P1, P0)),
    "an unknown chunk in the list": riff(HEAD, listed(b"movi", P0, chunk(b"what", CANARY), P1, P0)),
    "a list between packets": riff(HEAD, listed(b"movi", P0, listed(b"hide", CANARY), P1, P0)),
    "an index between packets": riff(HEAD, listed(b"movi", P0, chunk(b"ix00", CANARY), P1, P0)),
    "packets of no stream": riff(HEAD, listed(b"movi", P0, chunk(b"07dc", CANARY), P1, P0)),
    "packets of the wrong kind": riff(HEAD, listed(b"movi", P0, chunk(b"01tx", CANARY), P1, P0)),
    "an index": riff(HEAD, MOVI, chunk(b"idx1", CANARY)),
    "the index of indexes": riff(
        headers(listed(b"strl", header(), chunk(b"strf", bitmap()), chunk(b"indx", CANARY)), SOUND),
        MOVI,
    ),
    "behind the end": PLAIN + CANARY,
    "another file behind": PLAIN + riff(CANARY, kind=b"WAVE"),
    "a chunk beyond the end": PLAIN + b"what\xff\xff\xff\0" + CANARY,
}  # fmt: skip


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("place", PLACES)
def test_a_hiding_place_in_an_avi_is_emptied(place: str) -> None:
    made, _ = prove(PLACES[place], "avi")
    assert made == CLEAN


@pytest.mark.claim("C-META")
def test_text_and_unknown_streams_are_left_out_and_named() -> None:
    movi = listed(b"movi", chunk(b"00tx", CANARY), chunk(b"01dc", FRAME), chunk(b"02xx", CANARY))
    vendor = listed(b"strl", header(b"gps "), chunk(b"strf", CANARY))
    midi = listed(b"strl", header(b"mids"), chunk(b"strf", CANARY))
    made, facts = prove(riff(headers(TEXT, VIDEO, vendor, midi), movi), "avi")
    assert [name for name, _ in packets_of(made)] == [b"00dc"]
    assert {"subtitles", "location_track"} <= set(facts.removed)


def off(stream: bytes) -> bytes:
    """Return a stream that is turned off (AVISF_DISABLED)."""
    at = stream.index(b"strh") + 16
    return stream[:at] + b"\1" + stream[at + 1 :]


SAID = chunk(b"00db", CANARY), chunk(b"01db", CANARY), chunk(b"02wb", CANARY)
UNPLAYED: dict[str, bytes] = {
    "further pictures": riff(
        headers(VIDEO, SOUND, VIDEO), listed(b"movi", P0, P1, P0, chunk(b"02db", CANARY))
    ),
    "pictures that are off": riff(
        headers(off(VIDEO), VIDEO, SOUND),
        listed(b"movi", SAID[0], b"01" + P0[2:], b"02" + P1[2:], b"01" + P0[2:]),
    ),
    "a further sound": riff(headers(VIDEO, SOUND, SOUND), listed(b"movi", P0, P1, P0, SAID[2])),
    "a sound that is off": riff(
        headers(VIDEO, off(SOUND), SOUND),
        listed(b"movi", P0, chunk(b"01wb", CANARY), b"02" + P1[2:], P0),
    ),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("what", UNPLAYED)
def test_a_stream_that_no_player_plays_goes(what: str) -> None:
    made, facts = prove(UNPLAYED[what], "avi")
    assert made == CLEAN
    assert "hidden_frames" in facts.removed


def test_a_stream_that_is_off_is_played_where_no_other_is_on() -> None:
    made, facts = cleaned(riff(headers(off(VIDEO), off(SOUND)), MOVI))
    assert made == CLEAN
    assert "hidden_frames" not in facts.removed


def test_the_checker_refuses_two_streams_of_one_kind() -> None:
    lists = split(split(CLEAN)[0][1], 4)
    main, video, sound = (chunk(*each) for each in lists)
    assert len(avi_check_head.headers(main + video + sound, 2)[0]) == 2
    for twice in (video, sound):
        with pytest.raises(MetadataSurvived):
            avi_check_head.headers(main + twice + twice, 2)


@pytest.mark.claim("C-META")
def test_numbers_of_the_headers_are_ours() -> None:
    loud = listed(
        b"strl",
        chunk(b"strh", b"vids" + CANARY[:12] + b"\0\0\0\0" + struct.pack("<7I", 1, 10, 0, *b"CANA")
              + CANARY[:8]),
        chunk(b"strf", struct.pack("<IiiHH4s", 99, 8, 8, 7, 8, b"Y800") + CANARY + CANARY[:7]),
    )  # fmt: skip
    assert clean(riff(headers(loud, SOUND), MOVI)) == CLEAN


def test_packets_in_groups_and_without_padding_are_found() -> None:
    assert clean(riff(HEAD, listed(b"movi", listed(b"rec ", P0, P1), listed(b"rec ", P0)))) == CLEAN
    odd = chunk(b"01wb", b"\1\2\3")[:-1]
    bare = riff(HEAD, b"LIST" + struct.pack("<I", 4 + 72 + 11 + 72) + b"movi" + P0 + odd + P0)
    assert clean(bare) == clean(riff(HEAD, listed(b"movi", P0, odd + b"\0", P0)))
    assert clean(riff(HEAD, listed(b"movi", P0, odd + b"!", P0))) == clean(bare)


@pytest.mark.parametrize("said", [0, 0xFFFFFFFF])
def test_a_recording_that_broke_off_is_kept_up_to_its_last_packet(said: int) -> None:
    movi = b"LIST" + struct.pack("<I", said) + MOVI[8:]
    begun = b"RIFF" + struct.pack("<I", said) + b"AVI " + HEAD + movi
    assert clean(begun) == CLEAN
    assert clean(begun + P0[:-9]) == CLEAN
    assert clean(begun + bytes(5000)) == CLEAN
    assert clean(begun + chunk(b"idx1", CANARY)) == CLEAN
    assert clean(begun + riff(listed(b"movi", P0), kind=b"AVIX")) == clean(
        riff(HEAD, listed(b"movi", P0, P1, P0, P0))
    )


def test_the_clock_and_the_shape_of_a_picture_are_kept() -> None:
    shape = struct.pack("<9I", 7, 7, 7, 7, 7, 9 | 16 << 16, 8, 8, 1) + bytes(32)
    late = listed(b"strl", header(clock=(1001, 30000, 3)), chunk(b"strf", bitmap()),
                  chunk(b"vprp", shape))  # fmt: skip
    made = clean(riff(headers(late, SOUND), MOVI))
    assert struct.pack("<3I", 1001, 30000, 3) in made
    assert struct.pack("<3I", 9 | 16 << 16, 8, 8) in made
    assert clean(made) == made
    nothing = shape[:20] + bytes(4) + shape[24:]
    flat = listed(b"strl", header(), chunk(b"strf", bitmap()), chunk(b"vprp", nothing))
    assert clean(riff(headers(flat, SOUND), MOVI)) == CLEAN


PICTURES: dict[str, tuple[str, ...]] = {
    "motion JPEG": ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p"),
    "MPEG-4": ("-c:v", "mpeg4", "-bf", "2"),
    "MPEG-4 under Xvid's letters": ("-c:v", "mpeg4", "-vtag", "XVID"),
    "Xvid": ("-c:v", "libxvid", "-bf", "2"),
    "H.264": ("-c:v", "libx264", "-pix_fmt", "yuv420p"),
    "H.265": ("-c:v", "libx265", "-tag:v", "HEVC"),
    "RGB": ("-c:v", "rawvideo", "-pix_fmt", "bgr24", "-s", "61x47"),
    "16 bits": ("-c:v", "rawvideo", "-pix_fmt", "rgb555le"),
    "a palette": ("-c:v", "rawvideo", "-pix_fmt", "pal8"),
    "YUY2": ("-c:v", "rawvideo", "-pix_fmt", "yuyv422"),
    "I420": ("-c:v", "rawvideo", "-pix_fmt", "yuv420p", "-s", "61x47"),
    "grey": ("-c:v", "rawvideo", "-pix_fmt", "gray"),
}


@pytest.mark.parametrize("codec", PICTURES)
def test_what_is_seen_and_heard_is_the_same(codec: str) -> None:
    dirty = recorded("avi", *PICTURES[codec], "-c:a", "pcm_s16le", *TITLE)
    made, _ = prove(dirty, "avi")
    assert hashes(made, decoded=True) == hashes(dirty, decoded=True)
    for name in (b"Lavc", b"Lavf", b"x264", b"x265"):
        assert name not in made


@pytest.mark.parametrize(
    "codec", ["libmp3lame", "ac3", "aac", "pcm_mulaw", "pcm_alaw", "adpcm_ima_wav", "adpcm_ms"]
)
def test_every_kind_of_sound_stays_as_it_is(codec: str) -> None:
    dirty = recorded("avi", "-c:v", "mpeg4", "-c:a", codec, *TITLE)
    made, _ = prove(dirty, "avi")
    assert hashes(made, decoded=True) == hashes(dirty, decoded=True)
    # In these two an encoder had signed.
    if codec not in {"libmp3lame", "aac"}:
        assert hashes(made)[1] == hashes(dirty)[1]


def with_packet(dirty: bytes, name: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Return an AVI with a changed first packet, and without its index."""
    at = dirty.index(name, dirty.index(b"movi"))
    size = struct.unpack_from("<I", dirty, at + 4)[0]
    body = dirty[at + 8 : at + 8 + size]
    rest = dirty[at + 8 + size + (size & 1) :]
    movi = dirty.index(b"movi")
    made = bytearray(dirty[:at] + chunk(name, change(body)) + rest)
    struct.pack_into("<I", made, movi - 4, 0)
    return bytes(made[: made.rindex(b"idx1")])


H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p")
JPEG = ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p")
INSIDE: dict[str, tuple[tuple[str, ...], bytes, Callable[[bytes], bytes]]] = {
    "SEI": (H264, b"00dc", lambda body: b"\0\0\0\1\6\5\x0d" + CANARY + b"\x80" + body),
    "a unit behind": (H264, b"00dc", lambda body: body + b"\0\0\1\x1f" + CANARY),
    "user data": (("-c:v", "mpeg4"), b"00dc", lambda body: b"\0\0\1\xb2" + CANARY + body),
    "a reserved unit": (("-c:v", "mpeg4"), b"00dc", lambda body: body + b"\0\0\1\xc6" + CANARY),
    "Xvid's words": (("-c:v", "libxvid"), b"00dc", lambda body: b"\0\0\1\xb2" + CANARY + body),
    "EXIF in a frame": (
        JPEG,
        b"00dc",
        lambda body: body[:2] + b"\xff\xe1\0\x15Exif\0\0" + CANARY + body[2:],
    ),
    "behind a frame": (JPEG, b"00dc", lambda body: body + CANARY),
    "a frame behind a frame": (JPEG, b"00dc", lambda body: body + body[:-2] + CANARY),
    "ID3 in sound": (
        ("-c:v", "mpeg4", "-c:a", "libmp3lame"),
        b"01wb",
        lambda body: b"ID3\4\0\0\0\0\0" + bytes([len(CANARY)]) + CANARY + body,
    ),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("place", INSIDE)
def test_a_message_inside_a_packet_goes(place: str) -> None:
    codec, name, change = INSIDE[place]
    plain = recorded("avi", "-bitexact", *codec)
    dirty = with_packet(plain, name, change)
    if place == "ID3 in sound":
        # Each packet of this sound is a tick: with bytes taken away it would slip.
        with pytest.raises(Unsupported):
            clean(dirty)
        return
    made, facts = prove(dirty, "avi")
    assert made == clean(plain)
    assert "sei" in facts.removed


def test_sound_that_is_one_run_of_bytes_loses_what_stands_between() -> None:
    mp3 = recorded("mp3", "-write_xing", "0", "-id3v2_version", "0", picture="")
    form = struct.pack("<HHIIHHHHIHHH", 0x55, 1, 44100, 8000, 1, 0, 12, 1, 2, 1152, 1, 1393)
    sound = listed(b"strl", header(b"auds", (1, 8000, 0), 1), chunk(b"strf", form))

    def made_of(data: bytes) -> bytes:
        parts = [chunk(b"01wb", data[at : at + 300]) for at in range(0, len(data), 300)]
        return riff(headers(VIDEO, sound), listed(b"movi", P0, *parts, P0))

    tagged, facts = prove(made_of(mp3 + b"TAG" + CANARY.ljust(125)), "avi")
    assert b"".join(data for name, data in packets_of(tagged) if name == b"01wb") == b"".join(
        data for name, data in packets_of(clean(made_of(mp3))) if name == b"01wb"
    )
    assert "trailing_data" in facts.removed


def packets_of(data: bytes) -> list[tuple[bytes, bytes]]:
    return split(data[: data.rindex(b"idx1")], data.index(b"movi") + 4)


def test_ac3_with_other_bytes_is_refused_and_a_last_half_frame_goes() -> None:
    ac3 = recorded("ac3", "-c:a", "ac3", picture="")
    form = struct.pack("<HHIIHHH", 0x2000, 1, 44100, 8000, 1, 0, 0)
    sound = listed(b"strl", header(b"auds", (1, 8000, 0), 1), chunk(b"strf", form))

    def made_of(data: bytes) -> bytes:
        return riff(headers(VIDEO, sound), listed(b"movi", P0, chunk(b"01wb", data), P0))

    for behind in (ac3[:50], CANARY, b"\x0b\x77\0\0\xff\x40"):
        assert clean(made_of(ac3 + behind)) == clean(made_of(ac3))
    other = bytes([*ac3[:4], ac3[4] ^ 0x80, *ac3[5:]])
    for bad in (b"junk" + ac3, ac3 + CANARY + ac3, ac3 + other, b"junk"):
        with pytest.raises(Unsupported):
            clean(made_of(bad))


def test_a_long_avi_is_written_in_several_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    dirty = recorded("avi", "-c:v", "mpeg4", "-c:a", "pcm_s16le", *TITLE)
    monkeypatch.setattr(avi_write, "RIFF_BYTES", 20_000)
    made, facts = prove(dirty, "avi")
    assert made.count(b"AVIX") > 2
    assert made.count(b"ix00") > 2
    assert hashes(made, decoded=True) == hashes(dirty, decoded=True)
    assert facts.length == len(made)
    monkeypatch.undo()
    assert clean(made) == clean(dirty)


def stream_of(codec: bytes, bits: int = 24, extra: bytes = b"") -> bytes:
    return listed(b"strl", header(), chunk(b"strf", bitmap(codec, bits) + extra))


def stream_with(head: bytes, form: bytes) -> bytes:
    return listed(b"strl", head, chunk(b"strf", form))


def one(stream: bytes, *parts: bytes) -> bytes:
    return riff(headers(stream), listed(b"movi", *parts))


SECOND = listed(b"strl", header(b"auds", (1, 8000, 0), 9000), chunk(b"strf", struct.pack(
    "<HHIIHHH", 0x2000, 1, 44100, 8000, 1, 0, 0)))  # fmt: skip
REFUSED: dict[str, tuple[bytes, type[Refused]]] = {
    "an unknown codec": (one(stream_of(b"CRAM"), P0), Unsupported),
    "DV": (one(listed(b"strl", header(b"iavs"), chunk(b"strf", b"")), P0), Unsupported),
    "two bits a pixel": (one(stream_of(bytes(4), 2), P0), Unsupported),
    "a palette that changes": (one(VIDEO, P0, chunk(b"00pc", b"\0\1\0\0")), Unsupported),
    "no size": (one(listed(b"strl", header(), chunk(b"strf", bitmap(size=(0, 8)))), P0), Malformed),
    "too large": (
        one(listed(b"strl", header(), chunk(b"strf", bitmap(size=(70_000, 8)))), P0),
        TooManyPixels,
    ),
    "a short description": (one(stream_with(header(), b"short"), P0), Malformed),
    "a short header": (one(listed(b"strl", chunk(b"strh", b"vids")), P0), Malformed),
    "no clock": (one(stream_with(header(clock=(0, 1, 0)), bitmap()), P0), Malformed),
    "a late start": (
        one(listed(b"strl", header(clock=(1, 1, 1 << 20)), chunk(b"strf", bitmap())), P0),
        Malformed,
    ),
    "a frame of sound too long": (riff(headers(VIDEO, SECOND), MOVI), Malformed),
    "another length than its pixels": (one(VIDEO, chunk(b"00db", FRAME[:-2])), Malformed),
    "another length of rows": (one(stream_of(bytes(4), 24), chunk(b"00db", FRAME)), Malformed),
    "no picture": (one(VIDEO), Empty),
    "empty pictures": (one(VIDEO, chunk(b"00db", b"")), Empty),
    "sound without its pictures": (riff(HEAD, listed(b"movi", P1)), Malformed),
    "no headers": (riff(MOVI), Malformed),
    "no list of packets": (riff(HEAD), Malformed),
    "packets beside the list": (riff(HEAD, MOVI, P0), Malformed),
    "headers too long": (b"RIFF\0\0\0\0AVI LIST\xff\xff\xff\0hdrl" + bytes(99), Malformed),
    "letters that are none": (riff(HEAD, listed(b"movi", P0, b"\1\2\3\4\0\0\0\0", P0)), Malformed),
    "packets behind nothing": (riff(HEAD, listed(b"movi", P0, bytes(80), P0)), Malformed),
    "units that are none": (one(stream_of(b"H264"), chunk(b"00dc", b"\0\0\0\5hello")), Malformed),
    "zeros in a unit": (one(stream_of(b"H264"), chunk(b"00dc", b"\0\0\1\5\0\0\0\7")), Malformed),
    "an early Xvid": (one(stream_of(b"XVID"), chunk(b"00dc", b"\0\0\1\xb2XviD0009")), Unsupported),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_cleaned_is_refused(case: str) -> None:
    dirty, reason = REFUSED[case]
    with pytest.raises(reason):
        clean(dirty)


def test_bombs_are_refused() -> None:
    with pytest.raises(TooComplex):
        clean(PLAIN, Limits(video_samples=3))
    with pytest.raises(TooComplex):
        clean(one(VIDEO, P0, chunk(b"00db", b"") * 40), Limits(video_small_chunks=39))
    with pytest.raises(TooComplex):
        clean(riff(headers(*[TEXT] * 40, VIDEO), MOVI), Limits(video_tracks=33))
    with pytest.raises(TooLarge):
        clean(PLAIN, Limits(sample_bytes=63))


SIGNED = {
    b"XviD0064": b"XviD0050",
    b"DivX503b1393p": b"DivX503b1393p",
    b"DivX412Build200": b"DivX412b1393",
    b"DivX501b9999p": b"DivX501b1830p",
    b"Lavc61.3.100": b"",
    b"XviDnever": b"",
}


@pytest.mark.parametrize("word", SIGNED)
def test_of_signatures_only_what_a_decoder_needs_is_left(word: bytes) -> None:
    unit = b"\0\0\1\xb2" + word
    picture = b"\0\0\1\xb6\x10coded"
    made = clean(one(stream_of(b"DIVX", extra=unit), chunk(b"00dc", b"\0\0\1\0" + unit + picture)))
    kept = b"\0\0\1\xb2" + SIGNED[word] if SIGNED[word] else b""
    assert packets_of(made) == [(b"00dc", b"\0\0\1\0" + kept + picture)]
    assert (b"DIVX" in made) == bool(kept)
    assert not kept or made.count(kept) == 2
    assert clean(made) == made


def test_key_frames_are_found_in_the_frames_themselves() -> None:
    pictures = [b"\0\0\1\xb6\x10coded!!", b"\0\0\1\xb6\x50coded!!", b"\x7f!", b""]
    made = clean(one(stream_of(b"XVID"), *(chunk(b"00dc", data) for data in pictures)))
    rows = struct.iter_unpack("<4sIII", dict(split(made))[b"idx1"])
    assert [key for _, key, _, _ in rows] == [16, 0, 0, 0]
    units = [b"\0\0\1\x65!", b"\0\0\0\1\x41!\0\0\1", b"\0\0\0"]
    made = clean(one(stream_of(b"H264"), *(chunk(b"00dc", data) for data in units)))
    rows = struct.iter_unpack("<4sIII", dict(split(made))[b"idx1"])
    assert [key for _, key, _, _ in rows] == [16, 0, 0]
    assert packets_of(made)[1:] == [(b"00dc", b"\0\0\0\1\x41!"), (b"00dc", b"")]


def test_a_picture_upside_down_and_a_palette_keep_their_numbers() -> None:
    form = bytearray(bitmap(bytes(4), 8, (6, -2)) + b"\1\2\3\xff" * 3)
    struct.pack_into("<I", form, 32, 3)
    stream = listed(b"strl", header(), chunk(b"strf", bytes(form)))
    pictures = (chunk(b"00db", b"sixsixAAsixsixBB"), chunk(b"00db", b""))
    made = clean(one(stream, *pictures))
    assert packets_of(made) == [(b"00dc", b"sixsix\0\0sixsix\0\0"), (b"00dc", b"")]
    assert b"\1\2\3\0" * 3 in made
    assert b"\1\2\3\xff" not in made
    assert struct.pack("<ii", 6, -2) in made
    struct.pack_into("<I", form, 32, 0)
    whole = clean(one(stream_with(header(), bytes(form)), *pictures))
    assert clean(whole) == whole


def put(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def wrong() -> Iterator[tuple[str, bytes]]:
    """Yield files that a writer gone wrong might make."""
    movi, index = CLEAN.index(b"movi"), CLEAN.index(b"idx1")
    stream = CLEAN.index(b"strh")
    form = CLEAN.index(b"strf")
    heard = CLEAN.index(b"auds")
    sound = CLEAN.index(b"strf", heard)
    yield "another file", put(CLEAN, 8, b"WAVE")
    yield "another length", put(CLEAN, 4, b"\1")
    yield "no headers", put(CLEAN, 20, b"what")
    yield "a time in the main header", put(CLEAN, CLEAN.index(b"avih") + 12, b"\1")
    yield "a short main header", put(CLEAN, CLEAN.index(b"avih") + 4, b"\x37")
    yield "a reserved number", put(CLEAN, CLEAN.index(b"avih") + 50, b"\1")
    yield "another count of pictures", put(CLEAN, CLEAN.index(b"avih") + 24, b"\7")
    yield "a language", put(CLEAN, stream + 22, b"\1")
    yield "another count", put(CLEAN, stream + 40, b"\7")
    yield "a larger packet", put(CLEAN, stream + 44, b"\7")
    yield "a quality", put(CLEAN, stream + 48, b"\7")
    yield "another list", put(CLEAN, stream - 4, b"what")
    yield "another header", put(CLEAN, stream, b"what")
    yield "another handler", put(CLEAN, stream + 12, b"what")
    yield "a stream of text", put(CLEAN, stream + 8, b"txts")
    yield "a resolution", put(CLEAN, form + 32, b"\1")
    yield "another codec", put(put(CLEAN, form + 24, b"what"), stream + 12, b"what")
    yield "a handler of sound", put(CLEAN, heard + 4, b"what")
    yield "another sound", put(CLEAN, sound + 8, b"\x50")
    yield "another list of packets", put(CLEAN, movi, b"what")
    yield "a list too long", put(CLEAN, movi - 4, b"\xff\xff")
    yield "an unknown packet", put(CLEAN, movi + 4, b"what")
    yield "a packet of no stream", put(CLEAN, movi + 4, b"09dc")
    yield "a packet of the wrong kind", put(CLEAN, movi + 4, b"00wb")
    yield "an index among packets", put(CLEAN, movi + 4, b"ix00")
    yield "another index", put(CLEAN, index, b"what")
    yield "an entry of another packet", put(CLEAN, index + 8, b"01wb")
    yield "a flag", put(CLEAN, index + 12, b"\x11")
    yield "bytes behind", CLEAN + b"!"
    yield "more bytes behind", CLEAN + bytes(12)
    yield "another part", CLEAN + riff(listed(b"movi"), kind=b"AVIX")
    yield "cut", CLEAN[:-1]
    yield "cut in the middle", CLEAN[: index - 20]


def wrong_inside() -> Iterator[tuple[str, bytes]]:
    """Yield files in whose parts something is left."""
    heard = CLEAN.index(b"auds")
    yield "padding that speaks", put(ODD, ODD.index(b"idx1") - 1, b"!")
    yield "padding of a header that speaks", put(EXTRA, EXTRA.index(b"LIST", 200) - 1, b"!")
    yield "extra bytes", put(EXTRA, EXTRA.index(b"FMP4", EXTRA.index(b"strf")), b"MJPG")
    yield "user data in a header", put(EXTRA, EXTRA.index(b"\0\0\1\0") + 3, b"\xb2")
    yield "extra that is no unit", put(EXTRA, EXTRA.index(b"\0\0\1\0"), b"!")
    yield "row ends that speak", put(ROWS, ROWS.rindex(b"sixsix") + 6, b"!")
    yield "a frame of another length", put(ROWS, ROWS.index(b"strf") + 28, b"\x0c")
    yield "a palette's fourth byte", put(ROWS, ROWS.index(b"\1\2\3\0") + 3, b"!")
    yield "a shape of another size", put(SHAPED, SHAPED.index(b"vprp") + 20, b"!")
    yield "a short shape", put(SHAPED, SHAPED.index(b"vprp"), b"vprx")
    yield "MP3 with a delay", put(MP3, MP3.index(b"\x71\5"), b"!!")
    yield "MP3 with a message", put(MP3, MP3.index(b"01wb") + 8, b"!!")
    yield "AC-3 with a message", put(AC3, AC3.index(b"01wb") + 8, b"!!")
    yield "bytes that are no chunk", put(CLEAN, CLEAN.index(b"strf") + 4, b"\x22")
    yield "a chunk cut in its head", put(CLEAN, CLEAN.index(b"strf", heard) + 4, b"\x0c")
    yield "a short picture", put(CLEAN, CLEAN.index(b"strf") + 4, b"\x10")
    yield "AC-3 that ends in the middle", put(AC3, AC3.rindex(b"\x0b\x77") + 4, b"\x25")
    yield "AC-3 that is cut", put(AC3, AC3.index(b"\x0b\x77") + 4, b"\x24")


ODD = clean(riff(HEAD, listed(b"movi", P0, P1, P0, chunk(b"01wb", b"\1\2\3"))))
EXTRA = clean(one(stream_of(b"FMP4", extra=b"\0\0\1\0x"), chunk(b"00dc", b"\0\0\1\xb6\x10x")))
PALETTE = bitmap(bytes(4), 8, (6, 2)) + b"\1\2\3\0" * 256
ROWS = clean(
    one(listed(b"strl", header(), chunk(b"strf", PALETTE)), chunk(b"00db", b"sixsix\0\0" * 2))
)
SHAPED = clean(
    riff(
        headers(
            listed(
                b"strl",
                header(),
                chunk(b"strf", bitmap()),
                chunk(b"vprp", bytes(20) + struct.pack("<I", 3 | 4 << 16) + bytes(44)),
            )
        ),
        listed(b"movi", P0),
    )
)
MP3 = clean(recorded("avi", "-c:v", "mpeg4", "-c:a", "libmp3lame"))
AC3 = clean(recorded("avi", "-c:v", "mpeg4", "-c:a", "ac3"))
ALONE = {
    "padding of a header that speaks", "extra bytes", "user data in a header",
    "extra that is no unit", "row ends that speak", "a frame of another length",
    "a palette's fourth byte", "a shape of another size", "a short shape",
}  # fmt: skip
"""Of those that a writer gone wrong might make: with one stream."""
WRONG = dict([*wrong(), *wrong_inside()])


def judge(made: bytes, packets: int, streams: int) -> None:
    checker = Checker(packets, streams)
    for at in range(0, len(made), 997):
        checker.feed(made[at : at + 997])
    checker.finish()


@pytest.mark.parametrize("case", WRONG)
def test_the_checker_refuses_what_the_writer_must_not_make(case: str) -> None:
    with pytest.raises(MetadataSurvived):
        judge(WRONG[case], 3, 1 if case in ALONE else 2)


def test_the_checker_counts_packets_and_lets_good_files_through() -> None:
    judge(CLEAN, 3, 2)
    judge(ODD, 4, 2)
    for packets, streams in ((2, 2), (3, 1), (3, 3)):
        with pytest.raises(MetadataSurvived):
            judge(CLEAN, packets, streams)


def test_the_checker_reads_the_indexes_of_a_long_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avi_write, "RIFF_BYTES", 200)
    made = clean(riff(HEAD, listed(b"movi", P0, P1, P0, P0, P0, P0)))
    judge(made, 6, 2)
    first = made.index(b"ix00")
    for at, new in (
        (made.index(b"indx") + 32, b"\1"),
        (made.index(b"dmlh") + 20, b"\1"),
        (made.index(b"dmlh"), b"what"),
        (made.index(b"odml"), b"what"),
        (first, b"ix01"),
        (first, b"ix09"),
        (first + 4, b"\x04"),
        (first + 10, b"\1"),
        (first + 32, b"\1"),
        (first + 36, b"\1"),
        (first, b"what"),
    ):
        with pytest.raises(MetadataSurvived):
            judge(put(made, at, new), 6, 2)


def test_the_checker_of_mpeg_4_knows_the_words_that_may_stand() -> None:
    mpeg4_check.check(b"\0\0\1\xb2XviD0050\0\0\1\xb6x")
    for bad in (b"\0\0\1\xb2XviD0051", b"\0\0\1", b"\0\0\1\xc6"):
        with pytest.raises(MetadataSurvived):
            mpeg4_check.check(bad)


def test_a_file_of_many_pieces_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avi, "_ENOUGH", 100)
    assert clean(PLAIN) == CLEAN


def half_a_frame() -> None:
    sound = avi_check_head._Ac3()
    sound.feed(b"\x0b\x77\0\0\0\x40")
    sound.finish()


def test_long_mp3_is_cleaned_as_it_streams() -> None:
    tone = "sine=duration=24:sample_rate=16000"
    bare = ("-write_xing", "0", "-id3v2_version", "0")
    mp3 = recorded("mp3", "-b:a", "32k", *bare, picture="", tone=tone)
    form = struct.pack("<HHIIHHHHIHHH", 0x55, 1, 16000, 4000, 1, 0, 12, 1, 2, 1152, 1, 1393)
    stream = listed(b"strl", header(b"auds", (1, 4000, 0), 1), chunk(b"strf", form))
    dirty = riff(headers(VIDEO, stream), listed(b"movi", P0, chunk(b"01wb", mp3[:-7]), P0))
    made = clean(dirty)
    assert hashes(made)[1] != hashes(dirty)[1]
    assert clean(made) == made
    ticks = listed(b"strl", header(b"auds", (1, 27, 0), 0), chunk(b"strf", form))
    with pytest.raises(Unsupported):
        clean(riff(headers(VIDEO, ticks), listed(b"movi", P0, chunk(b"01wb", mp3[:-7]), P0)))


LOW: dict[str, Callable[[], object]] = {
    "a short shape": lambda: avi_check_head._shape(bytes(64)),
    "a short picture": lambda: avi_check_head._picture(bytes(39), b""),
    "a setup that is no unit": lambda: avi_check_head._picture(
        struct.pack("<IiiHH4sI16x", 43, 8, 8, 1, 24, b"FMP4", 9) + b"abc", b"FMP4"
    ),
    "half a frame of sound": half_a_frame,
    "no picture": lambda: annexb_check.avc(b"hello"),
    "bytes before a unit": lambda: annexb_check.hevc(b"!\0\0\1\x02"),
    "a unit without a type": lambda: annexb_check.avc(b"\0\0\1\x65!\0\0\1"),
    "a message": lambda: annexb_check.hevc(b"\0\0\0\1\x4e"),
}


@pytest.mark.parametrize("case", LOW)
def test_the_parts_of_the_checker_refuse_what_they_must(case: str) -> None:
    with pytest.raises(MetadataSurvived):
        LOW[case]()


def test_a_list_that_ends_inside_a_packet_is_refused() -> None:
    movi = CLEAN.index(b"movi") - 4
    (size,) = struct.unpack_from("<I", CLEAN, movi)
    with pytest.raises(MetadataSurvived):
        judge(put(CLEAN, movi, struct.pack("<I", size - 2)), 3, 2)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(at=st.integers(12, 1200), new=st.binary(max_size=9), cut=st.integers(0, 12))
def test_a_broken_avi_is_refused_or_silent(at: int, new: bytes, cut: int) -> None:
    whole = riff(INFO, headers(VIDEO, SOUND, also=chunk(b"IDIT", CANARY)), MOVI, INFO) + CANARY
    try:
        made, _ = cleaned(whole[:at] + new + whole[at + cut :])
    except Refused:
        return
    assert not leaks(CANARY, made)
    assert clean(made) == made
