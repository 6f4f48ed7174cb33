"""MPEG transport streams: what goes, what stays, and what is refused."""

import struct
from array import array
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.errors import (
    Empty,
    Encrypted,
    Malformed,
    MetadataSurvived,
    Refused,
    TooComplex,
    Unsupported,
)
from sanitizer.jail.program import ffmpeg_jail
from sanitizer.limits import Limits
from sanitizer.mp4.entry import Entry
from sanitizer.mp4.interleave import in_order
from sanitizer.mp4.model import Movie, Samples, Track
from sanitizer.mp4.remux import Passed
from sanitizer.mpegts import packets
from sanitizer.mpegts.packets import Packets, Passing
from sanitizer.mpegts.tables import Tables, crc, written
from sanitizer.mpegts.video import TransportStream, compare
from sanitizer.source import MemorySource
from tests.sanitizer.kit import CANARY, clean, cleaned, hashes, prove
from tests.support.containers import recorded

WORD = CANARY.decode()
H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "5")
SEI = ("-bsf:v", f"h264_metadata=sei_user_data=086f3693-b7b3-4f2c-9653-21492feee5b8+{WORD}")
NAMES = ("-metadata", f"service_name={WORD}", "-metadata", f"service_provider={WORD}")
VIDEO, AUDIO, MAP = 0x100, 0x101, 0x1000


def stream(*options: str, **sources: str) -> bytes:
    return recorded("mpegts", *options, **sources)


PLAIN = stream(*H264, "-c:a", "aac")


def packet(
    number: int, payload: bytes, *, begins: bool = False, told: bytes | None = None
) -> bytes:
    """Return a packet; ``told`` is what its adaptation field holds behind its flags."""
    head = bytes([0x47, begins << 6 | number >> 8, number & 255])
    room = 184 - len(payload)
    if told is None and not room:
        return head + b"\x10" + payload
    field = (b"" if told is None else told).ljust(room - 1, b"\xff")
    return head + (b"\x30" if payload else b"\x20") + bytes([room - 1]) + field + payload


def section(number: int, table: int, body: bytes) -> bytes:
    made = bytes([table]) + (0xB000 | len(body) + 4).to_bytes(2, "big") + body
    made += crc(made).to_bytes(4, "big")
    head = bytes([0x47, 0x40 | number >> 8, number & 255, 0x10, 0])
    return (head + made).ljust(188, b"\xff")


def program_map(*rows: tuple[int, int, bytes], table: int = MAP, program: int = 1) -> bytes:
    body = program.to_bytes(2, "big") + b"\xc1\0\0\xff\xff\xf0\0"
    for kind, number, told in rows:
        body += bytes([kind]) + (0xE000 | number).to_bytes(2, "big")
        body += (0xF000 | len(told)).to_bytes(2, "big") + told
    return section(table, 2, body)


PROGRAMS = section(
    0, 0, b"\0\1\xc1\0\0" + b"\0\0\xe0\x10" + b"\0\1" + (0xE000 | MAP).to_bytes(2, "big")
)
KNOWN = ((0x1B, VIDEO, b""), (0x0F, AUDIO, b""))
DATA = 0x123


def pes(kind: int, payload: bytes = CANARY) -> bytes:
    return packet(DATA, b"\0\0\1" + bytes([kind]) + b"\0\0\x80\0\0" + payload, begins=True)


def with_stream(kind: int, told: bytes, payload: bytes) -> bytes:
    """Return a stream with one more in its tables, which has one packet."""
    return PROGRAMS + program_map(*KNOWN, (kind, DATA, told)) + payload + PLAIN


SECOND = 0x1200
BOTH = section(
    0,
    0,
    b"\0\1\xc1\0\0"
    + b"".join(struct.pack(">HH", at, 0xE000 | table) for at, table in ((1, MAP), (2, SECOND))),
)


def with_program(*rows: tuple[int, int, bytes]) -> bytes:
    """Return a stream with a second program of one stream that says a word."""
    other = program_map(*rows, table=SECOND, program=2)
    return BOTH + program_map(*KNOWN) + other + pes(0xE0) + PLAIN


KEPT = clean(PLAIN)
PLACES: dict[str, tuple[bytes, str]] = {
    "names of a service": (stream(*H264, "-c:a", "aac", *NAMES), "other_metadata"),
    "SEI": (stream(*H264, "-c:a", "aac", *SEI), "sei"),
    "null packets": (PLAIN[:188] + packet(0x1FFF, CANARY) + PLAIN[188:], ""),
    "behind the last packet": (PLAIN + CANARY, "trailing_data"),
    "a time of day": (PLAIN + packet(0x14, CANARY, begins=True), "capture_time"),
    "a guide": (PLAIN + packet(0x12, CANARY, begins=True), "other_metadata"),
    "a stream of no table": (PLAIN + pes(0xBD), "other_metadata"),
    "private data of a packet": (
        PLAIN + packet(VIDEO, b"", told=b"\x02" + bytes([len(CANARY)]) + CANARY),
        "",
    ),
    "stuffing of a packet": (PLAIN + packet(AUDIO, b"", told=b"\0" + CANARY), ""),
    "positions of a drone": (with_stream(0x06, b"\x05\4KLVA", pes(0xBD)), "location_track"),
    "timed metadata": (with_stream(0x15, b"", pes(0xBD)), "location_track"),
    "private sections": (with_stream(0x05, b"", pes(0xBD)), "other_metadata"),
    "teletext": (with_stream(0x06, b"\x56\5en\1\2\3", pes(0xBD)), "subtitles"),
    "subtitles": (with_stream(0x06, b"\x52\1\1\x59\0", pes(0xBD)), "subtitles"),
    "a camcorder's overlay": (with_stream(0x90, b"", pes(0xBD)), "subtitles"),
    "a stream that says nothing": (with_stream(0x06, b"", pes(0xBD)), "other_metadata"),
    "further pictures": (with_stream(0x1B, b"", pes(0xE0)), "hidden_frames"),
    "pictures of a second program": (with_program((0x1B, DATA, b"")), "hidden_frames"),
    "sound of a second program": (with_program((0x0F, DATA, b"")), "hidden_frames"),
    "a program of sound alone, told first": (
        BOTH + program_map((0x0F, DATA, b""), table=SECOND, program=2) + pes(0xC0) + PLAIN,
        "hidden_frames",
    ),
    "a stream that is none": (
        with_stream(0x06, b"", packet(DATA, CANARY, begins=True)),
        "other_metadata",
    ),
}  # fmt: skip


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("place", PLACES)
def test_a_hiding_place_in_a_transport_stream_is_emptied(place: str) -> None:
    dirty, kind = PLACES[place]
    made, facts = prove(dirty, "ts")
    # With a filter ffmpeg writes other headers, so there the packets are compared.
    assert made == KEPT or (place == "SEI" and hashes(made) == hashes(KEPT))
    assert not kind or kind in facts.removed


@pytest.mark.claim("C-META")
def test_a_camcorders_file_is_cleaned() -> None:
    dirty = stream(*H264, "-c:a", "ac3", *SEI, "-mpegts_m2ts_mode", "1")
    assert dirty[4] == dirty[196] == ord("G")
    made, _ = prove(dirty + CANARY, "ts")
    assert hashes(made, decoded=True) == hashes(dirty, decoded=True)


KINDS: dict[str, tuple[str, ...]] = {
    "H.264 and AAC": (*H264, "-c:a", "aac"),
    "H.264 in fields": (*H264, "-flags", "+ildct+ilme", "-c:a", "aac"),
    "H.264 with many B": (*H264, "-bf", "3", "-c:a", "ac3"),
    "H.265 and AC-3": ("-c:v", "libx265", "-c:a", "ac3"),
    "H.264 and E-AC-3": (*H264, "-c:a", "eac3"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_seen_and_heard_is_the_same(kind: str) -> None:
    dirty = stream(*KINDS[kind], *NAMES)
    made, _ = prove(dirty, "ts")
    assert hashes(made, decoded=True) == hashes(dirty, decoded=True)


def test_two_sounds_are_both_kept_and_a_video_may_be_silent() -> None:
    both = stream(*H264, "-c:a", "aac", "-map", "0:v", "-map", "1:a", "-map", "1:a")
    assert len(hashes(clean(both))) == 3
    silent = stream(*H264, tone="")
    assert hashes(clean(silent), decoded=True) == hashes(silent, decoded=True)


def test_a_stream_that_never_begins_is_not_expected() -> None:
    promised = PROGRAMS + program_map(*KNOWN, (0x1B, 0x444, b"")) + PLAIN
    assert clean(promised) == KEPT


def changed(at: int, new: bytes) -> bytes:
    return PLAIN[:at] + new + PLAIN[at + len(new) :]


def every(change: Callable[[bytes], bytes]) -> bytes:
    return b"".join(change(PLAIN[at : at + 188]) for at in range(0, len(PLAIN), 188))


def scrambled(each: bytes) -> bytes:
    is_video = each[1] & 31 == VIDEO >> 8 and each[2] == VIDEO & 255
    return each[:3] + bytes([each[3] | 0x80]) + each[4:] if is_video else each


REFUSED: dict[str, tuple[bytes, type[Refused]]] = {
    "locked": (every(scrambled), Encrypted),
    "out of step": (PLAIN[:1880] + b"junk" + PLAIN[1880:], Malformed),
    "no tables": (pes(0xE0) * 10, Malformed),
    "tables alone": (PROGRAMS + program_map(*KNOWN) + packet(0x1FFF, b"") * 9, Malformed),
    "sound alone": (stream("-c:a", "aac", picture=""), Empty),
    "MPEG-2": (stream("-c:v", "mpeg2video", "-c:a", "aac"), Unsupported),
    "DTS": (with_stream(0x06, b"\x7b\0", pes(0xBD)), Unsupported),
    "letters that nobody knows": (with_stream(0x06, b"\x05\4what", pes(0xBD)), Unsupported),
    "LPCM of a camcorder": (with_stream(0x80, b"", pes(0xBD)), Unsupported),
    "a sound that says nothing": (with_stream(0x06, b"", pes(0xC0)), Malformed),
    "AC-3 that says nothing": (with_stream(0x06, b"", pes(0xBD, b"\x0b\x77")), Malformed),
    "a codec that changes": (PROGRAMS + program_map((0x24, VIDEO, b"")) + PLAIN, Malformed),
    "pictures that go on elsewhere": (
        PLAIN + program_map((0x1B, DATA, b"")) + pes(0xE0),
        Malformed,
    ),
    "programs that take turns": (
        PLAIN + section(0, 0, b"\0\1\xc1\0\0\0\2" + (0xE000 | SECOND).to_bytes(2, "big")),
        Malformed,
    ),
    "no frame of it": (PROGRAMS + program_map((0x1B, DATA, b"")) + pes(0xE0) * 5, Malformed),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_cleaned_is_refused(case: str) -> None:
    dirty, reason = REFUSED[case]
    with pytest.raises(reason):
        clean(dirty)


def test_a_stream_that_came_out_short_is_an_error() -> None:
    began = Passing(parts=100, ticks=90_000 * 4)
    compare(began, Passed(is_video=True, codec=b"avc1", frames=99, seconds=4.1), is_video=True)
    compare(began, Passed(is_video=True, codec=b"avc1", frames=50, seconds=4.1), is_video=True)
    compare(began, Passed(is_video=False, codec=b"mp4a", frames=7, seconds=4.1), is_video=False)
    jumped = Passing(parts=100, jumps=1)
    compare(jumped, Passed(is_video=True, codec=b"avc1", frames=99, seconds=99), is_video=True)
    for is_video, frames, seconds in ((True, 90, 4.0), (True, 100, 9.0), (False, 100, 4.0)):
        passed = Passed(is_video=is_video, codec=b"avc1", frames=frames, seconds=seconds)
        with pytest.raises(MetadataSurvived):
            compare(began, passed, is_video=True)


def test_a_stream_that_ffmpeg_lost_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with MemorySource(PLAIN) as source:
        made = TransportStream(source, Limits(), ffmpeg_jail())
        monkeypatch.setattr(made, "_order", made._order[:1])
        with pytest.raises(MetadataSurvived):
            list(made.chunks())


def timed(time: int, *, decoded: int | None = None) -> bytes:
    def coded(lead: int, value: int) -> bytes:
        number = lead << 36 | (value >> 30 & 7) << 33 | (value >> 15 & 0x7FFF) << 17
        return (number | (value & 0x7FFF) << 1 | 1 << 32 | 1 << 16 | 1).to_bytes(5, "big")

    times = coded(2, time) if decoded is None else coded(3, time) + coded(1, decoded)
    head = b"\0\0\1\xe0\0\0\x80" + (b"\x80" if decoded is None else b"\xc0") + bytes([len(times)])
    return packet(VIDEO, head + times + b"picture", begins=True)


def test_the_clock_of_a_stream_is_followed_around_its_end() -> None:
    passing = Passing()
    last = (1 << 33) - 90_000
    for time in (last, last + 90_000 - 1, 90_000):
        passing.take(timed(time % (1 << 33)))
    assert passing.parts == 3
    assert passing.seconds == pytest.approx(2.0)
    passing.take(timed(90_000 * 3, decoded=45_000))
    assert passing.seconds == pytest.approx(2.0)
    passing.take(timed(1 << 31))
    assert passing.seconds is None
    passing.take(packet(VIDEO, b"no part", begins=True))
    passing.take(packet(VIDEO, b"\0\0\1\xe0\0\0\x80\0\0picture", begins=True))
    assert passing.parts == 6


def tables(*packets: bytes) -> Tables:
    made = Tables()
    for each in packets:
        made.take(each)
    return made


def test_tables_in_several_packets_are_put_together() -> None:
    rows = [(0x1B, VIDEO, b"\x52\xc0" + bytes(192)), (0x03, AUDIO, b"")]
    whole = program_map(*rows)[4:]
    first = packet(MAP, whole[:184], begins=True)
    second = packet(MAP, whole[184:])
    made = tables(PROGRAMS, second, first, second, first, second)
    assert made.streams == {VIDEO: 0x1B, AUDIO: 0x03}
    pointed = packet(MAP, bytes([len(whole) - 184]) + whole[184:], begins=True)
    assert tables(PROGRAMS, first, pointed).streams == made.streams


def test_programs_may_be_told_in_parts_and_a_table_may_name_none() -> None:
    parts = [
        section(0, 0, b"\0\1\xc1" + bytes([n, 1]) + struct.pack(">HH", n + 1, 0xE100 | n))
        for n in range(2)
    ]
    none = section(0, 0, b"\0\1\xc1\0\0\0\0\xe0\x10")
    assert tables(none, *parts, none).programs == {0x100, 0x101}


def test_broken_tables_are_not_believed() -> None:
    broken = program_map(*KNOWN)
    broken = broken[:20] + b"!" + broken[21:]
    long = packet(MAP, b"\0\2\xff\xff" + bytes(180), begins=True)
    made = tables(
        PROGRAMS, broken, long, packet(MAP, b""), section(MAP, 3, bytes(9)), section(MAP, 2, b""),
        section(0, 2, bytes(9)), packet(MAP, b"\0", begins=True), packet(MAP, b"", begins=True),
    )  # fmt: skip
    assert made.streams == {}
    assert made.programs == {MAP}


def test_a_file_may_end_where_a_window_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packets, "_AT_ONCE", 7)
    assert clean(PLAIN[: 188 * 70]) == clean(PLAIN[: 188 * 70] + CANARY)


def test_bombs_of_tables_are_refused() -> None:
    with pytest.raises(TooComplex):
        tables(*(section(MAP, 3, struct.pack(">Q", number)) for number in range(2001)))
    rows = b"".join(struct.pack(">HH", n, 0xE000 | n) for n in range(1, 42))
    more = b"".join(struct.pack(">HH", n, 0xE000 | n) for n in range(42, 83))
    with pytest.raises(TooComplex):
        tables(section(0, 0, b"\0\1\xc1\0\0" + rows), section(0, 0, b"\0\1\xc1\0\0" + more))
    with pytest.raises(TooComplex):
        written(dict.fromkeys(range(0x20, 0x60), 0x1B))


def test_our_own_tables_name_the_streams_and_nothing_else() -> None:
    streams = {0x20: 0x1B, 0x21: 0x81, 0x22: 0x87, 0x23: 0x0F}
    made = written(streams)
    assert len(made) == 376
    found = tables(made[:188], made[188:])
    assert found.streams == streams
    assert found.programs == {0x24}


def test_only_packets_of_kept_streams_meet_ffmpeg() -> None:
    with MemorySource(PLACES["positions of a drone"][0]) as source:
        scanned = Packets(source)
        scanned.scan()
        fed = b"".join(scanned.chunks())
    assert CANARY not in fed
    assert {fed[at + 1] & 31 for at in range(0, len(fed), 188)} == {0, 1}


def test_frames_wait_for_those_of_their_half_second_but_not_without_end() -> None:
    tracks = [
        Track(n, n == 0, 10, b"", b"", Entry(b""), Samples(durations=array("I", [5] * 4)))
        for n in range(2)
    ]
    come = [(0, b"0"), (0, b"1"), (0, b"2"), (1, b"a"), (1, b"b"), (1, b"c"), (0, b"3")]
    made = b"".join(frame for _, frame in in_order(iter(come), Movie(1, tracks)))
    assert made == b"0a1b2c3"
    hurried = b"".join(frame for _, frame in in_order(iter(come), Movie(1, tracks), 1))
    assert hurried != made
    assert sorted(hurried) == sorted(made)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(number=st.integers(0, 40), at=st.integers(1, 180), new=st.binary(min_size=1, max_size=6))
def test_a_broken_stream_is_refused_or_silent(number: int, at: int, new: bytes) -> None:
    dirty = PLACES["names of a service"][0]
    place = 188 * number + at
    try:
        made, _ = cleaned(dirty[:place] + new + dirty[place + len(new) :])
    except Refused:
        return
    assert CANARY not in made
