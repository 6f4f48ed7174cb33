"""The second reader of a cleaned video: it notices what the writer would have left."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from sanitizer.errors import MetadataSurvived
from sanitizer.limits import Limits
from sanitizer.mp4 import check_entries, order
from sanitizer.mp4 import read as mp4_read
from sanitizer.mp4.assemble import Assembler
from sanitizer.mp4.check_result import Expected, ResultChecker
from sanitizer.source import MemorySource
from tests.sanitizer.kit import CANARY
from tests.sanitizer.videos import KINDS, PLAIN, SOUNDS, lavfi, nal, sounding
from tests.support.boxes import box, full, split


@dataclass(frozen=True)
class Made:
    """A result as the checker meets it."""

    tracks: list[tuple[bytes, bool]]
    head: bytes
    parts: list[tuple[bytes, list[tuple[int, list[int]]]]]
    index: bytes
    expected: list[Expected]


def made_of(data: bytes) -> Made:
    with MemorySource(data) as source:
        movie = mp4_read.read(source, Limits())
        result = Assembler(movie)
        head = result.begin()
        for place, frame in order.frames(source, movie, Limits().sample_bytes):
            result.add(place, frame)
    result.close()
    expected = [Expected(t.is_video, len(t.samples), t.duration, t.timescale) for t in movie.tracks]
    part = result.take()
    chunks = [(place, list(sizes)) for place, sizes in part.chunks]
    tracks = [(t.entry.data, t.is_video) for t in movie.tracks]
    return Made(tracks, head, [(part.data, chunks)], result.finish(), expected)


def judge(made: Made) -> None:
    checker = ResultChecker(made.tracks)
    checker.head(made.head)
    for data, chunks in made.parts:
        checker.data(data, chunks)
    checker.finish(made.index, made.expected)


GOOD = made_of(PLAIN)
DATA, CHUNKS = GOOD.parts[0]


@pytest.mark.parametrize(
    "data",
    [PLAIN, sounding(*SOUNDS["IMA ADPCM"]), sounding(*SOUNDS["96 kHz"]), lavfi(*KINDS["MPEG-2"])],
    ids=["a video", "counted packets", "numbers", "MPEG-2"],
)
def test_the_second_reader_agrees_with_a_whole_result(data: bytes) -> None:
    judge(made_of(data))


def index(old: bytes, new: bytes) -> Callable[[], Made]:
    def change() -> Made:
        assert len(old) == len(new)
        assert old in GOOD.index
        return replace(GOOD, index=GOOD.index.replace(old, new, 1))

    return change


def parts(data: bytes, chunks: list[tuple[int, list[int]]]) -> Callable[[], Made]:
    return lambda: replace(GOOD, parts=[(data, chunks)])


HEADS = {b"moov": 0, b"trak": 0, b"mdia": 0, b"minf": 0, b"stbl": 0, b"edts": 0} | {
    b"stsd": 8, b"avc1": 78,
}  # fmt: skip


def longer(inside: bytes, extra: bytes) -> Callable[[], Made]:
    """Return the index with bytes at the end of the first box of a type, and all lengths right."""

    def grown(data: bytes) -> bytes:
        made, is_done = b"", False
        for kind, content in split(data):
            if not is_done and kind == inside:
                made, is_done = made + box(kind, content, extra), True
            elif not is_done and kind in HEADS:
                head = HEADS[kind]
                new = content[:head] + grown(content[head:])
                made, is_done = made + box(kind, new), new != content
            else:
                made += box(kind, content)
        return made

    return lambda: replace(GOOD, index=grown(GOOD.index))


def first(**change: object) -> Callable[[], Made]:
    return lambda: replace(
        GOOD,
        expected=[replace(GOOD.expected[0], **change), GOOD.expected[1]],  # type: ignore[arg-type]
    )


SHORT = struct.pack(">I4sQ", 1, b"mdat", len(DATA) - 1) + DATA[16:-1]
MORE = struct.pack(">I4sQ", 1, b"mdat", len(DATA) + 9) + DATA[16:] + CANARY[:9]
IDENTITY = struct.pack(">9I", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
LEVEL = GOOD.index[GOOD.index.index(b"avcC") + 5 :][:3]
LIES: dict[str, Callable[[], Made]] = {
    "another type": lambda: replace(GOOD, head=GOOD.head + b"x"),
    "the type of a sound": lambda: replace(GOOD, head=b"\0\0\0\x1cftypM4A \0\0\2\0M4A isomiso2"),
    "the type of QuickTime": lambda: replace(GOOD, head=b"\0\0\0\x14ftypqt  \0\0\2\0qt  "),
    "no data": lambda: replace(GOOD, parts=[]),
    "a free box": parts(struct.pack(">I4sQ", 1, b"free", len(DATA)) + DATA[16:], CHUNKS),
    "a box of another length": parts(DATA + b"x", CHUNKS),
    "data that nobody owns": parts(MORE, CHUNKS),
    "a frame that is cut": parts(SHORT, CHUNKS),
    "frames of another track": parts(DATA, [(1, CHUNKS[0][1]), *CHUNKS[1:]]),
    "a message in a frame": parts(
        DATA[:16] + nal(6, bytes(CHUNKS[0][1][0] - 5)) + DATA[16 + CHUNKS[0][1][0] :], CHUNKS
    ),
    "no index": lambda: replace(GOOD, index=b""),
    "an index that is cut": lambda: replace(GOOD, index=GOOD.index[:-1]),
    "bytes behind the index": lambda: replace(GOOD, index=GOOD.index + CANARY),
    "one track less than there was": lambda: replace(GOOD, expected=GOOD.expected[:1]),
    "another order": lambda: replace(GOOD, expected=GOOD.expected[::-1]),
    "a frame less than there was": first(frames=21),
    "a longer time than there was": first(ticks=7),
    "another clock": first(timescale=7),
    "half a box at the end of the index": longer(b"moov", b"\0\0\0\2"),
    "a box of an impossible length": longer(b"moov", b"\0\0\0\2free"),
    "user data": longer(b"moov", box(b"udta", CANARY)),
    "user data of a track": longer(b"trak", box(b"udta", CANARY)),
    "an unknown box of a track": longer(b"mdia", box(b"free")),
    "an unknown table": longer(b"stbl", box(b"sbgp", CANARY)),
    "bytes behind a table": longer(b"stts", CANARY),
    "bytes behind the sizes": longer(b"stsz", CANARY),
    "a second description": longer(b"stsd", box(b"free")),
    "a box in a description": longer(b"avc1", box(b"uuid", CANARY)),
    "bytes behind the parameter sets": longer(b"avcC", CANARY),
    "bytes behind the edits": longer(b"elst", CANARY),
    "a longer movie header": longer(b"mvhd", bytes(4)),
    "a longer track header": longer(b"tkhd", bytes(4)),
    "a longer media header": longer(b"mdhd", bytes(4)),
    "a time": index(b"mvhd\1" + bytes(11), b"mvhd\1" + bytes(10) + b"\1"),
    "a time of a track": index(b"tkhd\1\0\0\3" + bytes(8), b"tkhd\1\0\0\3" + bytes(7) + b"\1"),
    "a time of a medium": index(b"mdhd\1" + bytes(11), b"mdhd\1" + bytes(10) + b"\1"),
    "a language": index(b"\x55\xc4\0\0", b"\x15\xc7\0\0"),
    "a name": index(b"vide" + bytes(13), b"vide" + bytes(12) + b"X"),
    "another handler": index(b"soun\0", b"meta\0"),
    "a compressor": index(b"\0\0\0\1\0\0\0\0", b"\0\0\0\1\1\0\0\0"),
    "a vendor of sound": index(b"mp4a\0\0\0\0\0\0\0\1\0\0\0\0", b"mp4a\0\0\0\0\0\0\0\1CANA"),
    "frames in another file": index(b"url \0\0\0\1", b"url \0\0\0\0"),
    "another look of sound": index(b"smhd" + bytes(8), b"smhd" + bytes(7) + b"\1"),
    "a track of no known kind": index(b"smhd", b"sXhd"),
    "an unknown setup": index(b"esds", b"eXds"),
    "a setup of another kind of sound": index(b"\x40\x15" + bytes(11), b"\x40\x15" + b"\7" * 11),
    "a third column of the matrix": index(IDENTITY, IDENTITY[:8] + b"CANA" + IDENTITY[12:]),
    "a fourth number of the matrix": index(IDENTITY, IDENTITY[:32] + b"CANA"),
    "another level": index(b"avcC\1" + LEVEL, b"avcC\1" + LEVEL[:2] + b"\x33"),
    "no setup": index(b"avcC", b"pasp"),
    "one size for all": index(b"stsz" + bytes(8), b"stsz" + bytes(7) + b"\1"),
    "flags of a table": index(b"stss" + bytes(4), b"stss\0\0\0\1"),
    "flags of the sizes": index(b"stsz" + bytes(4), b"stsz\0\0\0\1"),
    "a table less": index(b"stss", b"free"),
    "more times than frames": index(
        b"stts\0\0\0\0\0\0\0\1\0\0\0\x14", b"stts\0\0\0\0\0\0\0\1\0\0\0\x15"
    ),
    "two descriptions in the table of chunks": index(
        b"\0\0\0\1co64"[:0] or b"stsc\0\0\0\0", b"stsc\0\0\0\1"
    ),
    "a later edit list": index(b"elst\1", b"elst\2"),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("lie", LIES)
def test_the_second_reader_notices_what_the_writer_would_have_left(lie: str) -> None:
    told = LIES[lie]()
    assert told != GOOD
    with pytest.raises(MetadataSurvived):
        judge(told)


@pytest.mark.parametrize("at", range(12, 24, 4))
def test_another_table_of_chunks_is_noticed(at: int) -> None:
    place = GOOD.index.index(b"stsc") + at
    (value,) = struct.unpack_from(">I", GOOD.index, place)
    for other in (0, value + 1, value + 70000):
        told = GOOD.index[:place] + struct.pack(">I", other) + GOOD.index[place + 4 :]
        with pytest.raises(MetadataSurvived):
            judge(replace(GOOD, index=told))


def test_another_place_or_size_is_noticed() -> None:
    for table, at in ((b"co64", 15), (b"stsz", 15)):
        place = GOOD.index.index(table) + at
        told = GOOD.index[:place] + bytes([GOOD.index[place] ^ 1]) + GOOD.index[place + 1 :]
        with pytest.raises(MetadataSurvived):
            judge(replace(GOOD, index=told))


def test_uncompressed_sound_that_does_not_add_up_is_noticed() -> None:
    good = made_of(sounding(*SOUNDS["96 kHz"]))
    (data, chunks), *_ = good.parts
    sizes = chunks[0][1]
    moved = [(0, [sizes[0] - 1, sizes[1] + 1, *sizes[2:]]), *chunks[1:]]
    judge(replace(good, parts=[(data, moved), *good.parts[1:]]))
    with pytest.raises(MetadataSurvived):
        judge(replace(good, expected=[replace(good.expected[0], frames=1)]))
    count = good.index.index(b"stsz") + 12
    told = good.index[: count + 3] + bytes([good.index[count + 3] ^ 1]) + good.index[count + 4 :]
    with pytest.raises(MetadataSurvived):
        judge(replace(good, index=told))


# --- descriptions --------------------------------------------------------------------------------

LOOK = bytes(7) + b"\1" + bytes(16) + b"\0\x10\0\x10\0\x48\0\0\0\x48\0\0" + bytes(4)
LOOK += b"\0\1" + bytes(32) + b"\0\x18\xff\xff"
SPS = b"\1\x42\0\x1e\xff\xe1\0\3\x67ab\1\0\2\x68c"
HEVC = bytes(21) + b"\3\1"
HEAR = bytes(7) + b"\1" + bytes(8) + b"\0\2\0\x10" + bytes(4) + b"\xac\x44\0\0"
OLD = HEAR[:9] + b"\1" + HEAR[10:20] + b"\xff\xfe" + HEAR[22:]
LONG = struct.pack(
    ">6xHH6xHHhHIIdIIIIII", 1, 2, 3, 16, -2, 0, 65536, 72, 96000.0, 2, 0x7F000000, 24, 12, 6, 1
)
WAVE = box(b"frma", b"in24") + box(b"enda", b"\0\1") + b"\0\0\0\x08\0\0\0\0"
AVCC = box(b"avcC", SPS)
RIGHT = {
    "H.264": (box(b"avc1", LOOK, AVCC), True),
    "H.264 with the numbers of a high profile": (
        box(b"avc1", LOOK, box(b"avcC", SPS + b"\xfd\xf8\xf8\0"), box(b"colr", b"nclx" + bytes(7))),
        True,
    ),
    "H.265": (box(b"hvc1", LOOK, box(b"hvcC", HEVC + b"\x20\0\1\0\3\x40\1x")), True),
    "H.263": (box(b"s263", LOOK), True),
    "ProRes": (box(b"ap4h", LOOK[:75] + b"\x20" + LOOK[76:]), True),
    "VP9": (box(b"vp09", LOOK, full(b"vpcC", bytes(8))), True),
    "16 bits": (box(b"sowt", HEAR), False),
    "24 bits": (box(b"in24", OLD, struct.pack(">IIII", 1, 3, 6, 3), box(b"wave", WAVE)), False),
    "96 kHz": (box(b"lpcm", LONG), False),
    "numbers in MP4": (box(b"ipcm", HEAR, full(b"pcmC", b"\1\x10")), False),
    "MP3": (box(b".mp3", HEAR), False),
    "Opus": (box(b"Opus", HEAR, box(b"dOps", b"\0\2" + bytes(9))), False),
}
WRONG = {
    "no box": (b"", True),
    "two boxes": (box(b"s263", LOOK) * 2, True),
    "no parameter sets": (box(b"avc1", LOOK), True),
    "the same twice": (box(b"avc1", LOOK, AVCC, AVCC), True),
    "transparency of H.264": (box(b"avc1", LOOK[:75] + b"\x20" + LOOK[76:], AVCC), True),
    "another depth": (box(b"ap4h", LOOK[:75] + b"\x30" + LOOK[76:]), True),
    "a vendor": (box(b"s263", LOOK[:12] + b"CANA" + LOOK[16:]), True),
    "a compressor": (box(b"s263", LOOK[:43] + CANARY + LOOK[43 + len(CANARY) :]), True),
    "bytes behind the parameter sets": (box(b"avc1", LOOK, box(b"avcC", SPS + CANARY)), True),
    "another unit among the sets": (
        box(b"avc1", LOOK, box(b"avcC", SPS.replace(b"\x67", b"\x66"))), True,
    ),
    "a message among the sets of H.265": (
        box(b"hvc1", LOOK, box(b"hvcC", HEVC + b"\x27\0\1\0\3\x4e\1x")), True,
    ),
    "bytes behind the sets of H.265": (
        box(b"hvc1", LOOK, box(b"hvcC", HEVC + b"\x20\0\1\0\3\x40\1x" + CANARY)), True,
    ),
    "the setup of another codec": (box(b"avc1", LOOK, AVCC, box(b"hvcC", HEVC)), True),
    "a profile of colours": (box(b"s263", LOOK, box(b"colr", b"prof" + bytes(7))), True),
    "a long aspect": (box(b"s263", LOOK, box(b"pasp", CANARY)), True),
    "initialization data of VP9": (box(b"vp09", LOOK, full(b"vpcC", bytes(7) + b"\1")), True),
    "a vendor of H.263": (box(b"s263", LOOK, box(b"d263", b"CANA\0\1\2")), True),
    "no codec that is known": (box(b"zzzz", LOOK), True),
    "a vendor of sound": (box(b"sowt", HEAR[:12] + b"CANA" + HEAR[16:]), False),
    "a rate with a fraction": (box(b"sowt", HEAR[:26] + b"\0\1"), False),
    "a later version": (box(b"sowt", HEAR[:8] + b"\0\3" + HEAR[10:]), False),
    "a box in plain sound": (box(b"sowt", HEAR, box(b"free")), False),
    "odd numbers": (box(b"sowt", HEAR[:19] + b"\x18" + HEAR[20:]), False),
    "sound of no known codec": (box(b"zzzz", HEAR), False),
    "a setup of no such sound": (box(b".mp3", HEAR, box(b"free")), False),
    "no setup of sound": (box(b"Opus", HEAR), False),
    "a long setup of Opus": (box(b"Opus", HEAR, box(b"dOps", b"\0\2" + bytes(12))), False),
    "other numbers in MP4": (box(b"ipcm", HEAR, full(b"pcmC", b"\2\x10")), False),
    "a digest of FLAC": (
        box(b"fLaC", HEAR, full(b"dfLa", b"\x80\0\0\x22" + bytes(33) + b"\1")), False,
    ),
    "other numbers of version 1": (
        box(b"in24", OLD, struct.pack(">IIII", 1, 3, 7, 3), box(b"wave", WAVE)), False,
    ),
    "a box in a wave": (
        box(b"in24", OLD, struct.pack(">IIII", 1, 3, 6, 3), box(b"wave", WAVE[:-8], box(b"x" * 4))),
        False,
    ),
    "other numbers of version 2": (box(b"lpcm", LONG[:-1] + b"\2"), False),
    "bytes behind version 2": (box(b"lpcm", LONG, box(b"free")), False),
    "a setup that is not ours": (box(b"mp4a", HEAR, full(b"esds", bytes(40))), False),
}  # fmt: skip


@pytest.mark.parametrize("what", RIGHT)
def test_a_description_of_numbers_alone_is_right(what: str) -> None:
    data, is_video = RIGHT[what]
    assert check_entries.entry(data, is_video=is_video).codec == data[4:8]


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("what", WRONG)
def test_a_description_that_could_say_more_is_noticed(what: str) -> None:
    data, is_video = WRONG[what]
    with pytest.raises(MetadataSurvived):
        check_entries.entry(data, is_video=is_video)
