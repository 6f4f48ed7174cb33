"""The checker of Matroska and WebM: whatever it is shown that is not as it must be, it refuses."""

import struct
from collections.abc import Callable

import pytest

from sanitizer.clean import _only_refusals
from sanitizer.errors import Malformed, MetadataSurvived, Refused
from sanitizer.frames import sound
from sanitizer.matroska import check_walk
from sanitizer.matroska.check import Checker, Expected, _laced
from sanitizer.matroska.check_frames import _ac3_length, _mpeg_length, frame_check
from sanitizer.matroska.check_head import check_tracks, is_whole
from sanitizer.matroska.check_setup import SETUPS
from tests.sanitizer.kit import CANARY, clean
from tests.sanitizer.test_matroska import KINDS, mkv, plain
from tests.sanitizer.test_matroska_places import grouped
from tests.support import ebml
from tests.support.ebml import (
    AUDIO,
    BLOCK,
    CLUSTER,
    CUES,
    EBML,
    ENTRY,
    GROUP,
    INFO,
    SEEK_HEAD,
    SEGMENT,
    SIMPLE,
    TAGS,
    TIMESTAMP,
    TRACKS,
    VIDEO,
    VOID,
    Tree,
    edited,
    el,
    find,
    put,
    real,
    swap,
    uint,
    value,
    without,
)

MOST = 80 << 20
ENTRY_PATH = (SEGMENT, TRACKS, ENTRY)


def expected(made: bytes) -> list[Expected]:
    """Return what a result holds, by the tests' own reading."""
    found = []
    frames = ebml.frames(made)
    entries = ebml.split(value(ebml.tree(made), SEGMENT, TRACKS))
    for place, (_, entry) in enumerate(entries, 1):
        told = dict(ebml.split(entry))
        times = [when for track, when, _, _ in frames if track == place]
        is_video = told[0x83] == b"\1"
        found.append(Expected(is_video, told[0x86], len(times), sum(times), max(times)))
    return found


def judge(made: bytes, wanted: list[Expected] | None = None, step: int = 1 << 20) -> None:
    """Let the checker read a result in pieces."""
    checker = Checker(wanted if wanted is not None else expected(made), MOST)
    with _only_refusals():
        for at in range(0, len(made), step):
            checker.feed(made[at : at + step])
        checker.finish()


def spelled(nodes: Tree) -> bytes:
    """Return a tree in the spelling of a result: some lengths have four bytes, some eight."""
    made = b""
    for kind, body in nodes:
        width = {SEGMENT: 8, CLUSTER: 8, CUES: 8, SIMPLE: 4}.get(kind, 0)
        made += el(kind, body if isinstance(body, bytes) else spelled(body), width)
    return made


def changed(change: Callable[[Tree], object], *path: int, base: bytes = b"") -> bytes:
    """Return a clean file after a change somewhere, its places mended."""
    before = base or clean(plain())
    nodes = ebml.tree(before)
    change(find(nodes, *path))
    return mended(nodes)


def mended(nodes: Tree) -> bytes:
    """Return a file whose seek head and cues point where things are, as far as they can."""
    inside = find(nodes, SEGMENT)
    places: dict[int, int] = {}
    clusters: list[tuple[bytes, int]] = []
    at = 0
    for kind, body in inside:
        places.setdefault(kind, at)
        if kind == CLUSTER and isinstance(body, list):
            times = [content for name, content in body if name == TIMESTAMP]
            clusters.append((times[0] if times and isinstance(times[0], bytes) else b"", at))
        at += len(spelled([(kind, body)]))
    wanted = {INFO, TRACKS, CUES} & places.keys()
    seeks = b"".join(
        el(0x4DBB, el(0x53AB, ebml.ident(kind)) + el(0x53AC, places[kind].to_bytes(8, "big")))
        for kind in (INFO, TRACKS, CUES)
        if kind in wanted
    )
    for place, (kind, body) in enumerate(inside):
        if kind == SEEK_HEAD and isinstance(body, bytes) and len(body) == len(seeks):
            inside[place] = (kind, seeks)
        if kind == CUES and isinstance(body, bytes):
            points = b""
            for _, point in ebml.split(body):
                told = dict(ebml.split(point))
                where = next((w for when, w in clusters[::-1] if when == told.get(0xB3)), 0)
                track = dict(ebml.split(told.get(0xB7, el(0xF7))))[0xF7]
                inner = el(0xF7, track) + el(0xF1, where.to_bytes(8, "big"))
                points += el(0xBB, el(0xB3, told.get(0xB3, b"")) + el(0xB7, inner))
            inside[place] = (kind, points)
    return spelled(nodes)


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_cleaner_makes_passes_in_pieces_of_any_size(kind: str) -> None:
    made = clean(KINDS[kind][1]())
    judge(made)
    judge(made, step=1000)
    judge(made[:5000] + made[5000:], step=1 if len(made) < 20_000 else 7)
    assert spelled(ebml.tree(made)) == made
    assert mended(ebml.tree(made)) == made


def test_groups_pass_too() -> None:
    judge(clean(grouped(uint(0x9B, 100))))


def in_bytes(old: bytes, new: bytes) -> bytes:
    """Return a clean file with the first such bytes replaced."""
    return clean(plain()).replace(old, new, 1)


def of_info() -> bytes:
    return value(ebml.tree(clean(plain())), SEGMENT, INFO)


def cues(change: Callable[[bytes], bytes]) -> bytes:
    """Return a clean file with other cues."""
    nodes = ebml.tree(clean(plain()))
    swap(CUES, change(value(nodes, SEGMENT, CUES)))(find(nodes, SEGMENT))
    return mended(nodes)


HEAD: dict[str, Callable[[], bytes]] = {
    "another document": lambda: changed(swap(0x4282, b"other"), EBML),
    "an element in the header": lambda: changed(put(VOID, CANARY), EBML),
    "another segment": lambda: in_bytes(b"\x18\x53\x80\x67\x01", b"\x18\x53\x80\x67\x02"),
    "tags": lambda: changed(put(TAGS, CANARY), SEGMENT),
    "tags before all": lambda: changed(put(TAGS, CANARY, first=True), SEGMENT),
    "an empty part": lambda: changed(put(VOID, b""), SEGMENT),
    "a part with bytes to spare": lambda: in_bytes(el(INFO, told := of_info()), el(INFO, told, 2)),
    "no seek head": lambda: changed(without(SEEK_HEAD), SEGMENT),
    "no information": lambda: changed(without(INFO), SEGMENT),
    "no tracks": lambda: changed(without(TRACKS), SEGMENT),
    "no cues where they are promised": lambda: changed(without(CUES), SEGMENT),
    "cues that are empty": lambda: changed(swap(CUES, b""), SEGMENT),
    "cues of two tracks": lambda: cues(lambda c: c.replace(b"\xf7\x81\1", b"\xf7\x81\2", 1)),
    "cues with more": lambda: cues(lambda c: c + el(0xBB, el(0xB3, bytes(8)))),
    "cues of another time": lambda: in_bytes(b"\xb3\x88\0", b"\xb3\x88\1"),
    "cues out of order": lambda: cues(lambda c: c + c),
    "a cue for a cluster elsewhere": lambda: in_bytes(
        b"\xf1\x88" + bytes(6), b"\xf1\x88\1" + bytes(5)
    ),
    "cues of other kinds": lambda: in_bytes(b"\xbb\x99", b"\xbc\x99"),
    "a length of a block in two bytes": lambda: in_bytes(b"\xa3\x10", b"\xa3\x40"),
    "a block longer than its cluster": lambda: in_bytes(b"\xa3\x10", b"\xa3\x1f"),
    "cues that say nothing": lambda: cues(lambda c: c + el(0xBB, el(0xB7, el(0xF7, b"\1")))),
    "a seek to nowhere": lambda: in_bytes(b"\x53\xac\x88\0\0\0", b"\x53\xac\x88\0\0\1"),
    "a seek with more": lambda: changed(swap(SEEK_HEAD, el(0x4DBB, el(0x53AB, b"abcd"))), SEGMENT),
    "another name": lambda: changed(swap(0x4D80, b"Lavf1"), SEGMENT, INFO),
    "a title": lambda: changed(put(0x7BA9, CANARY), SEGMENT, INFO),
    "another clock": lambda: changed(swap(0x2AD7B1, b"\x0f\x42\x41"), SEGMENT, INFO),
    "no duration": lambda: changed(without(0x4489), SEGMENT, INFO),
    "another duration": lambda: changed(swap(0x4489, struct.pack(">d", 1.0)), SEGMENT, INFO),
    "half a tick": lambda: changed(swap(0x4489, struct.pack(">d", 2000.5)), SEGMENT, INFO),
    "a short duration": lambda: changed(swap(0x4489, struct.pack(">f", 2000)), SEGMENT, INFO),
    "an element among the tracks": lambda: changed(put(VOID, uint(0xD7, 3)), SEGMENT, TRACKS),
    "a name of a track": lambda: changed(put(0x536E, CANARY), *ENTRY_PATH),
    "a track of another number": lambda: changed(swap(0xD7, b"\2"), *ENTRY_PATH),
    "a track of another id": lambda: changed(swap(0x73C5, b"\2"), *ENTRY_PATH),
    "a number with bytes to spare": lambda: changed(swap(0x73C5, b"\0\1"), *ENTRY_PATH),
    "a language": lambda: changed(swap(0x22B59C, b"fra"), *ENTRY_PATH),
    "no codec": lambda: changed(without(0x86), *ENTRY_PATH),
    "an unknown codec": lambda: changed(swap(0x86, b"V_THEORA"), *ENTRY_PATH),
    "a sound among the films": lambda: changed(swap(0x86, b"A_AC3"), *ENTRY_PATH),
    "a film without a size": lambda: changed(without(0xBA), *ENTRY_PATH, VIDEO),
    "a film with sound": lambda: changed(put(AUDIO, uint(0x9F, 1)), *ENTRY_PATH),
    "a film of alpha without a word": lambda: changed(
        swap(VIDEO, uint(0xB0, 160) + uint(0xBA, 120) + uint(0x53C0, 1)), *ENTRY_PATH
    ),
    "a film as wide as unknown": lambda: changed(put(0x54B0, b"\1"), *ENTRY_PATH, VIDEO),
    "a frame rate of nobody": lambda: changed(swap(0x23E383, b"\5\xf5\xe1\1"), *ENTRY_PATH),
    "a frame for a year": lambda: changed(swap(0x23E383, bytes([9] * 7)), *ENTRY_PATH),
    "a colour space": lambda: changed(put(0x2EB524, b"abcd"), *ENTRY_PATH, VIDEO),
    "colours that are empty": lambda: changed(put(0x55B0, b""), *ENTRY_PATH, VIDEO),
    "colours beyond": lambda: changed(put(0x55B0, uint(0x55B1, 99)), *ENTRY_PATH, VIDEO),
    "light in odd steps": lambda: changed(
        put(0x55B0, el(0x55D0, real(0x55D9, 0.00001))), *ENTRY_PATH, VIDEO
    ),
    "a setup for VP8": lambda: changed(put(0x63A2, CANARY), *ENTRY_PATH),
}  # fmt: skip
SECOND: dict[str, tuple[int, bytes]] = {
    "a sound with pictures": (VIDEO, uint(0xB0, 1) + uint(0xBA, 1)),
    "a sound without channels": (AUDIO, real(0xB5, 48000)),
    "a sound with bits": (AUDIO, real(0xB5, 48000) + uint(0x9F, 1) + uint(0x6264, 16)),
    "a frame of half a sample": (0x23E383, b"\x01\x31\x2d\x01"),
    "a delay of half a sample": (0x56AA, b"\x63\x2e\xa1"),
    "another pre-roll": (0x56BB, b"\4\xc4\xb4\1"),
    "Opus with a tail": (0x63A2, b"OpusHead\1\1\0\0\x80\xbb\0\0\0\0\0" + CANARY),
    "Opus of another rate": (0x63A2, b"OpusHead\1\1\0\0\x44\xac\0\0\0\0\0"),
}


@pytest.mark.parametrize("what", HEAD)
def test_a_head_that_says_more_or_less_is_refused(what: str) -> None:
    made = HEAD[what]()
    assert made != clean(plain())
    with pytest.raises(Refused):
        judge(made, expected(clean(plain())))


@pytest.mark.parametrize("what", SECOND)
def test_a_sound_that_says_more_or_less_is_refused(what: str) -> None:
    kind, body = SECOND[what]
    nodes = ebml.tree(clean(plain()))
    inside = [content for name, content in find(nodes, SEGMENT, TRACKS) if name == ENTRY][1]
    assert isinstance(inside, list)
    swap(kind, body)(inside)
    with pytest.raises(Refused):
        judge(mended(nodes), expected(clean(plain())))


def test_a_sound_that_loses_its_pre_roll_is_refused() -> None:
    nodes = ebml.tree(clean(plain()))
    inside = [content for name, content in find(nodes, SEGMENT, TRACKS) if name == ENTRY][1]
    assert isinstance(inside, list)
    without(0x56BB)(inside)
    with pytest.raises(MetadataSurvived):
        judge(mended(nodes), expected(clean(plain())))


def first_block(change: Callable[[bytes], bytes]) -> Callable[[Tree], object]:
    def mend(body: Tree) -> None:
        place = next(n for n, (kind, _) in enumerate(body) if kind == SIMPLE)
        block = body[place][1]
        assert isinstance(block, bytes)
        body[place] = (SIMPLE, change(block))

    return mend


def group(*parts: bytes) -> Callable[[Tree], object]:
    """Return a change that puts the last block of a cluster into a group."""

    def mend(body: Tree) -> None:
        block = body[-1][1]
        assert isinstance(block, bytes)
        body[-1] = (GROUP, el(BLOCK, block[:3] + b"\0" + block[4:]) + b"".join(parts))

    return mend


CLUSTERS: dict[str, Callable[[Tree], object]] = {
    "void": put(VOID, CANARY),
    "void before all": put(VOID, CANARY, first=True),
    "a time of one byte": swap(TIMESTAMP, b"\0"),
    "another time": swap(TIMESTAMP, bytes(7) + b"\1"),
    "a block of no track": first_block(lambda b: b"\x87" + b[1:]),
    "a block of track nought": first_block(lambda b: b"\x80" + b[1:]),
    "a block with flags": first_block(lambda b: b[:3] + b"\x81" + b[4:]),
    "a block of Xiph's laces that are equal": first_block(lambda b: b[:3] + b"\x82\1\1ab"),
    "a block of EBML's laces": first_block(lambda b: b[:3] + b"\x86\1\1ab"),
    "a block before the beginning": first_block(lambda b: b[:1] + b"\xff\xff" + b[3:]),
    "a jump to what needs another": first_block(lambda b: b[:3] + b"\0" + b[4:]),
    "a jump into the sound": lambda n: n.insert(1, (SIMPLE, ebml.block(2, 0, b"\xfc\1\2"))),
    "no block": lambda n: n.__delitem__(slice(1, None)),
    "a block of few bytes": lambda n: n.append((SIMPLE, b"\x81\0")),
    "an empty block": lambda n: n.append((SIMPLE, b"\x81\0\0\x80")),
    "a lost frame": lambda n: n.pop(),
    "a frame twice": lambda n: n.append(n[-1]),
    "a group of nothing": lambda n: n.append((GROUP, b"")),
    "a group without need": group(),
    "a group with a state": group(uint(0x9B, 1), el(0xA4, CANARY)),
    "a group with a wordy reference": group(uint(0x9B, 1), el(0xFB, b"\xfe")),
    "a group that lasts for days": group(uint(0x9B, 1 << 40)),
    "a group that lasts no time": group(el(0x9B, b"\0")),
    "a group that lasts longer": group(uint(0x9B, 90_000)),
    "a group with padding in too many bytes": group(el(0x75A2, bytes(3) + b"\1")),
    "a group with padding of half a sample": group(el(0x75A2, b"\x63\x2e\xa1")),
    "a group with alpha of nobody": group(el(0x75A1, el(0xA6, uint(0xEE, 1) + el(0xA5, b"x")))),
    "a group of few bytes": lambda n: n.append((GROUP, el(BLOCK, b"\x81") + uint(0x9B, 1))),
}


@pytest.mark.parametrize("what", CLUSTERS)
def test_a_cluster_that_holds_more_or_less_is_refused(what: str) -> None:
    base = begun_with_a_picture()
    made = changed(CLUSTERS[what], SEGMENT, CLUSTER, base=base)
    assert made != base
    with pytest.raises(Refused):
        judge(made, expected(base))


def begun_with_a_picture() -> bytes:
    """Return a clean file of more than one cluster, the first of which begins with a picture."""
    base = clean(edited(plain(), lambda body: body.pop(1), SEGMENT, CLUSTER))
    judge(base)
    return base


def test_an_empty_cluster_is_refused() -> None:
    made = changed(put(CLUSTER, uint(TIMESTAMP, 0)), SEGMENT, base=begun_with_a_picture())
    empty: Tree = [(TIMESTAMP, b"SERIALNR")]
    nodes = ebml.tree(begun_with_a_picture())
    find(nodes, SEGMENT).append((CLUSTER, empty))
    for broken in (made, mended(nodes)):
        with pytest.raises(MetadataSurvived):
            judge(broken, expected(begun_with_a_picture()))


def test_a_group_longer_than_its_cluster_is_refused() -> None:
    made = clean(grouped(uint(0x9B, 100)))
    at = made.index(el(BLOCK, b"")[:1], made.index(b"\x1f\x43\xb6\x75") + 22)
    assert made[at - 3 : at - 2] == b"\xa0"
    with pytest.raises(MetadataSurvived):
        judge(made[: at - 2] + b"\x7f" + made[at - 1 :], expected(made))


ALPHA: dict[str, bytes] = {
    "two pictures": el(0xA6, uint(0xEE, 1) + el(0xA5, b"abc")) * 2,
    "another number": el(0xA6, uint(0xEE, 4) + el(0xA5, b"abc")),
    "no number": el(0xA6, el(0xA5, b"abc")),
    "something else": el(0xA7, uint(0xEE, 1) + el(0xA5, b"abc")),
    "no picture": el(0xA6, uint(0xEE, 1) + el(0xA5, b"\0ab")),
}


@pytest.mark.parametrize("what", ALPHA)
def test_alpha_that_is_none_is_refused(what: str) -> None:
    made = clean(KINDS["VP8 with alpha"][1]())

    def change(body: Tree) -> None:
        inside = body[1][1]
        assert isinstance(inside, list)
        swap(0x75A1, ALPHA[what])(inside)

    with pytest.raises(MetadataSurvived):
        judge(changed(change, SEGMENT, CLUSTER, base=made), expected(made))


def test_bytes_behind_the_end_or_before_it_are_refused() -> None:
    made = clean(plain())
    for broken in (made + b"\0", made + CANARY, made[:-1], made[: len(made) // 2], made[:100], b""):
        with pytest.raises(Refused):
            judge(broken, expected(made))


def test_the_order_of_parts_is_one() -> None:
    nodes = ebml.tree(clean(plain()))
    inside = find(nodes, SEGMENT)
    for order in ([0, 2, 1, 3], [1, 0, 2, 3], [0, 1, 3, 2], [0, 1, 2, 4, 3], [0, 1, 2, 2, 3]):
        other: Tree = [*(inside[n] for n in order), *inside[max(order) + 1 :]]
        with pytest.raises(Refused):
            judge(mended([nodes[0], (SEGMENT, other)]), expected(clean(plain())))


def test_a_cluster_longer_than_any_is_refused() -> None:
    made = clean(plain())
    checker = Checker(expected(made), 100)
    with pytest.raises(MetadataSurvived):
        checker.feed(made)


def test_a_lost_track_is_refused() -> None:
    made = clean(plain())
    wanted = expected(made)
    for other in (wanted[:1], [*wanted, wanted[0]], wanted[::-1]):
        with pytest.raises(MetadataSurvived):
            judge(made, other)


def test_a_file_that_is_called_what_it_is_not_is_refused() -> None:
    made = clean(mkv("-c:v", "mpeg4", "-c:a", "ac3"))
    nodes = ebml.tree(made)
    swap(0x4282, b"webm")(find(nodes, EBML))
    with pytest.raises(MetadataSurvived):
        judge(mended(nodes), expected(made))


def test_every_element_put_anywhere_into_a_clean_file_is_refused() -> None:
    made = clean(plain())
    wanted = expected(made)
    paths = [
        (EBML,), (SEGMENT,), (SEGMENT, INFO), (SEGMENT, TRACKS), ENTRY_PATH, (*ENTRY_PATH, VIDEO),
        (SEGMENT, CLUSTER),
    ]  # fmt: skip
    for path in paths:
        size = len(find(ebml.tree(made), *path))
        for place in range(size + 1):
            for kind in (VOID, ebml.CRC, 0x4D4D, TAGS):
                nodes = ebml.tree(made)
                find(nodes, *path).insert(place, (kind, CANARY))
                with pytest.raises(Refused):
                    judge(mended(nodes), wanted)


LACES = [
    (4, b"\0ab", "one frame"), (4, b"\2abcd", "no even share"), (2, b"\1\1a", "nothing left"),
    (2, b"\1\2aaaa", "equal after all"), (2, b"\1\xff\1" + bytes(9), "too few"),
    (2, b"\1\0ab", "nothing"), (6, b"\1\x81ab", "EBML"),
]  # fmt: skip


@pytest.mark.parametrize(("lacing", "data", "what"), LACES, ids=[what for _, _, what in LACES])
def test_laces_that_could_be_spelled_otherwise_are_refused(
    lacing: int, data: bytes, what: str
) -> None:
    assert what
    with pytest.raises(MetadataSurvived):
        _laced(data, lacing)


def test_laces_as_they_are_written_are_read() -> None:
    assert _laced(b"\1abcd", 4) == [b"ab", b"cd"]
    long = b"a" * 300
    assert _laced(b"\1\xff\x2d" + long + b"bc", 2) == [long, b"bc"]


PICTURE = b"\x80" + bytes(9)
FRAMES: dict[str, tuple[bytes, bytes]] = {
    "VP8 of two bytes": (b"V_VP8", b"ab"),
    "VP8 without a mark": (b"V_VP8", bytes(9)),
    "VP9 without a mark": (b"V_VP9", b"\0ab"),
    "VP9 with bytes before its index": (b"V_VP9", PICTURE + b"xyz\xc0" + bytes([10]) + b"\xc0"),
    "VP9 of an empty picture": (b"V_VP9", PICTURE + b"\xc1\x0a\0\xc1"),
    "VP9 that repeats at length": (b"V_VP9", b"\x88abc"),
    "VP9 of the highest kind that repeats at length": (b"V_VP9", b"\xb4\x80abc"),
    "VP9 of the highest kind with bits to spare": (b"V_VP9", b"\xb4\x81"),
    "AV1 with metadata": (b"V_AV1", b"\x2a\2\4a"),
    "AVC with a message": (b"V_MPEG4/ISO/AVC", b"\0\0\1\6abc"),
    "MPEG-4 with a message": (b"V_MPEG4/ISO/ASP", b"\0\0\1\xb2" + CANARY),
    "MJPEG with a message": (b"V_MJPEG", b"\xff\xd8\xff\xfe\0\4ab\xff\xd9"),
    "a comment of Vorbis": (b"A_VORBIS", b"\3vorbis"),
    "a comment of Opus": (b"A_OPUS", b"OpusTags"),
    "Opus with padding": (b"A_OPUS", b"\xff\x41\1abc"),
    "FLAC that is none": (b"A_FLAC", b"fLaC"),
    "FLAC with a tail": (b"A_FLAC", b"\xff\xf8\xc9\x18\0\xc2" + bytes(9) + b"a"),
    "AC-3 that is none": (b"A_AC3", b"abc"),
    "AC-3 of a reserved rate": (b"A_AC3", b"\x0bw\0\0\xc0\x40"),
    "AC-3 with a tail": (b"A_AC3", b"\x0bw\0\0\0\x40" + bytes(122) + CANARY),
    "AC-3 cut short": (b"A_AC3", b"\x0bw\0\0\0\x40" + bytes(121)),
    "MP3 with a tail": (b"A_MPEG/L3", b"\xff\xfb\x90\x64" + bytes(413) + CANARY),
    "MP3 of a free rate": (b"A_MPEG/L3", b"\xff\xfb\x00\x64" + bytes(413)),
    "MP3 that is none": (b"A_MPEG/L3", b"abc"),
    "MP3 of other bits": (b"A_MPEG/L3", b"\xff\x1fbc"),
    "MP3 that tells of its encoder": (
        b"A_MPEG/L3",
        b"\xff\xfb\x90\x64" + bytes(17) + b"Info" + bytes(392),
    ),
    "AAC with a message": (b"A_AAC", b"\x80\x02ab"),
    "ALAC that begins otherwise": (b"A_ALAC", b"\xc0ab"),
}
PRIVATE = {
    b"A_OPUS": b"OpusHead\1\1\0\0\x80\xbb\0\0\0\0\0",
    b"A_FLAC": b"fLaC\x80\0\0\x22\x10\0\x10\0" + bytes(6) + b"\x0a\xc4\x40\xf0" + bytes(20),
    b"A_AAC": b"\x12\x08",
    b"A_ALAC": bytes(24),
    b"V_AV1": b"\x81\0\0\0",
}


@pytest.mark.parametrize("what", FRAMES)
def test_a_frame_that_could_speak_is_refused(what: str) -> None:
    codec, frame = FRAMES[what]
    private = vorbis_private() if codec == b"A_VORBIS" else PRIVATE.get(codec, b"")
    check, _ = frame_check(codec, private, is_video=codec.startswith(b"V_"))
    with pytest.raises(MetadataSurvived):
        check(frame)


def vorbis_private() -> bytes:
    made = clean(KINDS["VP8 and Vorbis"][1]())
    entries = ebml.split(value(ebml.tree(made), SEGMENT, TRACKS))
    return dict(ebml.split(entries[1][1]))[0x63A2]


def test_frames_that_are_as_they_must_be_pass() -> None:
    for codec, frame in (
        (b"V_VP8", b"\x11\0\0"), (b"V_VP9", PICTURE), (b"V_VP9", b"\x88"), (b"V_VP9", b"\xb4\x80"),
        (b"V_VP9", PICTURE + b"\x88\xc1\x0a\1\xc1"), (b"A_PCM/INT/LIT", CANARY),
        (b"V_VP9", b"\xb0abc"), (b"V_VP9", b"\x80\xc1"),
    ):  # fmt: skip
        check, finish = frame_check(codec, b"", is_video=codec.startswith(b"V_"))
        check(frame)
        finish()


def test_the_cleaner_and_the_checker_know_the_same_lengths_of_frames() -> None:
    """Both have a table of their own; one that is wrong in one place would be seen here."""
    tail = bytes(6000)
    for second in (0xF2, 0xF3, 0xFB, 0xFD, 0xFF, 0xF5, 0xF7, 0xE3, 0xE5, 0xE7):
        for third in range(256):
            frame = bytes([0xFF, second, third, 0]) + tail
            try:
                made = sound.mpeg(frame)
            except Malformed:
                assert _mpeg_length(frame[:6]) == 0
            else:
                assert len(made) == _mpeg_length(frame[:6])
    for version in (0x40, 0x80):
        for rate in range(256):
            frame = b"\x0bw\3" + bytes([rate, rate, version]) + tail
            try:
                made = sound.ac3(frame)
            except Malformed:
                assert _ac3_length(frame[:6]) == 0
            else:
                assert len(made) == _ac3_length(frame[:6])


AVC = b"\1\x64\0\x0a\xff\xe1\0\2\x67a\1\0\2\x68a"
HEVC = bytes(21) + b"\xff\1" + b"\x21\0\1\0\2\x42\1"
SETUP: dict[str, tuple[bytes, bytes]] = {
    "H.264 with a message": (b"V_MPEG4/ISO/AVC", AVC[:8] + b"\x66" + AVC[9:]),
    "H.264 with a set of nothing": (b"V_MPEG4/ISO/AVC", AVC[:6] + b"\0\0" + AVC[10:]),
    "H.264 with a tail": (b"V_MPEG4/ISO/AVC", AVC + b"abcde"),
    "H.264 with extensions": (b"V_MPEG4/ISO/AVC", AVC + b"\xfc\xf8\xf8\1"),
    "H.264 cut short": (b"V_MPEG4/ISO/AVC", AVC[:-1]),
    "H.265 with a message": (b"V_MPEGH/ISO/HEVC", HEVC[:23] + b"\x27" + HEVC[24:]),
    "H.265 with a message in a set": (b"V_MPEGH/ISO/HEVC", HEVC[:28] + b"\x4e\1"),
    "H.265 with a tail": (b"V_MPEGH/ISO/HEVC", HEVC + b"a"),
    "AV1 with metadata": (b"V_AV1", b"\x81\0\0\0\x2a\1a"),
    "AV1 cut short": (b"V_AV1", b"\x81\0\0\0\x0a\2a"),
    "AV1 of another version": (b"V_AV1", b"\x82\0\0\0"),
    "VP9 with a number of two bytes": (b"V_VP9", b"\1\2ab"),
    "VP9 with other numbers": (b"V_VP9", b"\x09\1a"),
    "VP9 with numbers out of order": (b"V_VP9", b"\2\1a\1\1a"),
    "VP9 of a word": (b"V_VP9", b"\1\2a"),
    "MPEG-4 with a message": (b"V_MPEG4/ISO/ASP", b"\0\0\1\xb2" + CANARY),
    "MPEG-4 with words before it": (b"V_MPEG4/ISO/ASP", CANARY),
    "AAC of one byte": (b"A_AAC", b"\x12"),
    "AAC of many bytes": (b"A_AAC", b"\x12\x08" + CANARY),
    "FLAC with a tail": (b"A_FLAC", PRIVATE[b"A_FLAC"] + b"a"),
    "FLAC with a digest": (b"A_FLAC", PRIVATE[b"A_FLAC"][:-1] + b"a"),
    "FLAC with sizes": (b"A_FLAC", PRIVATE[b"A_FLAC"][:12] + b"a" + PRIVATE[b"A_FLAC"][13:]),
    "ALAC with a tail": (b"A_ALAC", bytes(25)),
    "VP8 with words": (b"V_VP8", CANARY),
}


@pytest.mark.parametrize("what", SETUP)
def test_a_setup_that_could_speak_is_refused(what: str) -> None:
    codec, private = SETUP[what]
    with pytest.raises(MetadataSurvived):
        SETUPS[codec](private)


def test_setups_that_are_as_they_must_be_pass() -> None:
    assert SETUPS[b"V_MPEG4/ISO/AVC"](AVC) == 4
    assert SETUPS[b"V_MPEG4/ISO/AVC"](AVC + b"\xfd\xf8\xf8\0") == 4
    assert SETUPS[b"V_MPEGH/ISO/HEVC"](HEVC) == 4
    assert SETUPS[b"V_AV1"](b"\x81\0\0\0\x0a\1a") == 0
    assert SETUPS[b"V_AV1"](b"\x81\0\0\0\x0a\x81\x01" + bytes(129)) == 0
    assert SETUPS[b"V_VP9"](b"\1\1a\3\1b") == 0
    assert SETUPS[b"V_MPEG4/ISO/ASP"](b"") == 0


def test_a_setup_of_vorbis_that_says_more_is_refused() -> None:
    private = vorbis_private()
    for place, by in (
        (0, 1),
        (3 + 7, 1),
        (3 + 16, 1),
        (3 + 29, 2),
        (3 + 30 + 7, 1),
        (len(private) - 1, 128),
    ):
        other = private[:place] + bytes([private[place] ^ by]) + private[place + 1 :]
        with pytest.raises((MetadataSurvived, Malformed)):
            SETUPS[b"A_VORBIS"](other)


WALKS = {
    "an id of five bytes": b"\x08\x81a", "an id alone": b"\xec",
    "a length of five bytes": b"\xec\x08\1a", "a length to spare": b"\xec\x40\1a",
    "a length too long": b"\xec\x82a",
}  # fmt: skip


@pytest.mark.parametrize("what", WALKS)
def test_elements_that_could_be_spelled_otherwise_are_refused(what: str) -> None:
    with pytest.raises(MetadataSurvived):
        list(check_walk.elements(WALKS[what]))


def test_numbers_that_could_be_spelled_otherwise_are_refused() -> None:
    for broken in (b"", b"\0\1", bytes(9)):
        with pytest.raises(MetadataSurvived):
            check_walk.natural(broken)
    with pytest.raises(MetadataSurvived):
        check_walk.eight(b"a")
    assert list(check_walk.elements(b"\xec\x40\x7f" + bytes(127)))
    assert not is_whole(1, 0)


def test_a_second_track_of_pictures_is_refused() -> None:
    (_, entry), *_ = ebml.split(value(ebml.tree(clean(plain())), SEGMENT, TRACKS))
    second = flat_with(entry, {0xD7: b"\2", 0x73C5: b"\2"})
    assert len(check_tracks(el(ENTRY, entry))) == 1
    with pytest.raises(MetadataSurvived):
        check_tracks(el(ENTRY, entry) + el(ENTRY, second))


def flat_with(entry: bytes, told: dict[int, bytes]) -> bytes:
    """Return an entry that says some things otherwise."""
    return b"".join(el(kind, told.get(kind, body)) for kind, body in ebml.split(entry))
