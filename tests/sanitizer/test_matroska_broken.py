"""Matroska and WebM: what is refused, and how soon."""

import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.errors import (
    Empty,
    Encrypted,
    Malformed,
    Refused,
    TooComplex,
    TooLarge,
    Unsupported,
)
from sanitizer.frames import sound as framed
from sanitizer.limits import Limits
from sanitizer.matroska import sounds
from sanitizer.matroska.blocks import laced
from sanitizer.matroska.ebml import Window, children, floating, header, number, signed, unsigned
from sanitizer.matroska.file import Matroska
from sanitizer.source import MemorySource
from tests.sanitizer.kit import CANARY, clean, cleaned, hashes
from tests.sanitizer.test_matroska import PICTURES, TONE, in_second, plain
from tests.sanitizer.test_matroska_places import in_frames, second_private, vp9
from tests.support import ebml
from tests.support.ebml import (
    AUDIO,
    CLUSTER,
    CUES,
    EBML,
    ENTRY,
    GROUP,
    INFO,
    SEGMENT,
    SIMPLE,
    TAGS,
    TRACKS,
    VIDEO,
    VOID,
    edited,
    el,
    put,
    swap,
    uint,
    unsized,
    without,
)

ENTRY_PATH = (SEGMENT, TRACKS, ENTRY)


def instead(*path: int, kind: int, body: bytes) -> bytes:
    return edited(plain(), swap(kind, body), *path)


def at(*path: int, kind: int, body: bytes) -> bytes:
    return edited(plain(), put(kind, body), *path)


def encodings(*content: bytes) -> bytes:
    return in_second(plain(), 0x6D80, b"".join(el(0x6240, one) for one in content))


def packed(algorithm: int, settings_: bytes = b"", scope: int = 1) -> bytes:
    inside = uint(0x4254, algorithm) + (el(0x4255, settings_) if settings_ else b"")
    return uint(0x5032, scope) + el(0x5034, inside)


def head() -> bytes:
    return el(*ebml.split(plain())[0])


def segment() -> list[tuple[int, bytes]]:
    return ebml.split(ebml.split(plain())[1][1])


def parts(*kinds: int) -> bytes:
    return b"".join(el(kind, body) for kind, body in segment() if kind in kinds)


def in_cluster(*elements: bytes, time_: int = 0) -> bytes:
    """Return the plain file's head with one cluster of other elements."""
    body = uint(0xE7, time_) + b"".join(elements)
    return edited(edited(plain(), without(CLUSTER), SEGMENT), put(CLUSTER, body), SEGMENT)


def block(frame: bytes, track: int = 1, flags: int = 0x80) -> bytes:
    return el(SIMPLE, ebml.block(track, 0, frame, flags))


def with_codec(name: bytes, private: bytes = b"", *, sound: bool = False) -> bytes:
    """Return the plain file with a track that says it is of another codec."""
    if sound:
        return in_second(in_second(plain(), 0x86, name), 0x63A2, private)
    change = edited(plain(), swap(0x86, name), *ENTRY_PATH)
    return edited(change, swap(0x63A2, private), *ENTRY_PATH)


BROKEN: dict[str, tuple[Callable[[], bytes], type[Refused]]] = {
    "a header without a length": (lambda: unsized(EBML, b""), Malformed),
    "a header alone": (head, Malformed),
    "a header of megabytes": (lambda: el(EBML, bytes(1 << 20)), Malformed),
    "a header that ends at once": (lambda: b"\x1aE\xdf\xa3", Malformed),
    "another kind of document": (lambda: instead(EBML, kind=0x4282, body=b"other"), Unsupported),
    "EBML of tomorrow": (lambda: instead(EBML, kind=0x42F7, body=b"\2"), Unsupported),
    "ids of five bytes": (lambda: instead(EBML, kind=0x42F2, body=b"\5"), Unsupported),
    "lengths of nine bytes": (lambda: instead(EBML, kind=0x42F3, body=b"\x09"), Unsupported),
    "a segment longer than the file": (lambda: plain()[:-1], Malformed),
    "a void longer than the file": (lambda: head() + el(VOID, bytes(9))[:-1], Malformed),
    "a void without a length": (lambda: head() + unsized(VOID), Malformed),
    "an impossible id": (lambda: head() + b"\0" + bytes(20), Malformed),
    "an impossible length": (lambda: head() + b"\xec\0" + bytes(20), Malformed),
    "half an element at the end": (
        lambda: head() + el(SEGMENT, parts(INFO, TRACKS, CLUSTER) + b"\xec"),
        Malformed,
    ),
    "tracks after the frames": (
        lambda: head() + el(SEGMENT, parts(INFO, CLUSTER) + parts(TRACKS)),
        Malformed,
    ),
    "a cluster longer than its segment": (
        lambda: head() + el(SEGMENT, parts(INFO, TRACKS) + el(CLUSTER, bytes(50))[:-1]),
        Malformed,
    ),
    "tags longer than their segment": (
        lambda: head() + el(SEGMENT, parts(INFO, TRACKS, CLUSTER) + el(TAGS, bytes(50))[:-1]),
        Malformed,
    ),
    "no tracks": (lambda: head() + el(SEGMENT, parts(INFO)), Empty),
    "no clusters": (lambda: edited(plain(), without(CLUSTER), SEGMENT), Empty),
    "a film of which the sound is left": (
        lambda: in_cluster(block(b"\xfc\1\2\3", 2)),
        Empty,
    ),
    "subtitles alone": (
        lambda: edited(
            edited(plain(), without(ENTRY), SEGMENT, TRACKS),
            put(ENTRY, uint(0xD7, 1) + uint(0x83, 0x11)),
            SEGMENT, TRACKS,
        ),
        Unsupported,
    ),
    "a track without a number": (lambda: instead(*ENTRY_PATH, kind=0xD7, body=b"\0"), Malformed),
    "two tracks of one number": (lambda: in_second(plain(), 0xD7, b"\1"), Malformed),
    "a clock of its own": (
        lambda: in_second(plain(), 0x23314F, struct.pack(">f", 1.5)),
        Unsupported,
    ),
    "a clock that stands": (lambda: instead(SEGMENT, INFO, kind=0x2AD7B1, body=b"\0"), Malformed),
    "a duration that is no number": (
        lambda: instead(SEGMENT, INFO, kind=0x4489, body=struct.pack(">d", float("nan"))),
        Malformed,
    ),
    "a duration of three bytes": (
        lambda: instead(SEGMENT, INFO, kind=0x4489, body=b"abc"),
        Malformed,
    ),
    "locked": (lambda: encodings(uint(0x5033, 1) + el(0x5035, b"key")), Encrypted),
    "zlib": (lambda: encodings(packed(0)), Unsupported),
    "bzlib": (lambda: encodings(packed(1)), Unsupported),
    "two compressions": (lambda: encodings(packed(3, b"a"), packed(3, b"b")), Unsupported),
    "a long start": (lambda: encodings(packed(3, bytes(2000))), Unsupported),
    "another scope": (lambda: encodings(packed(3, b"a", 4)), Unsupported),
    "a film of another codec": (lambda: with_codec(b"V_THEORA"), Unsupported),
    "a film in the words of Windows": (lambda: with_codec(b"V_MS/VFW/FOURCC"), Unsupported),
    "a sound of another codec": (lambda: with_codec(b"A_DTS", sound=True), Unsupported),
    "a film with a setup of megabytes": (lambda: with_codec(b"V_VP8", bytes(2 << 20)), Malformed),
    "a sound with a setup of megabytes": (
        lambda: in_second(plain(), 0x63A2, bytes(2 << 20)),
        Malformed,
    ),
    "a film without a size": (lambda: edited(plain(), without(VIDEO), *ENTRY_PATH), Malformed),
    "a film of no size": (lambda: instead(*ENTRY_PATH, VIDEO, kind=0xB0, body=b"\0"), Malformed),
    "a size of nine bytes": (
        lambda: instead(*ENTRY_PATH, VIDEO, kind=0xB0, body=bytes(9)),
        Malformed,
    ),
    "a sound of no channel": (lambda: in_second(plain(), AUDIO, uint(0x9F, 0)), Malformed),
    "H.264 that begins otherwise": (lambda: with_codec(b"V_MPEG4/ISO/AVC", bytes(9)), Unsupported),
    "H.265 without a setup": (lambda: with_codec(b"V_MPEGH/ISO/HEVC"), Unsupported),
    "AV1 without a setup": (lambda: with_codec(b"V_AV1"), Unsupported),
    "Opus without a head": (lambda: in_second(plain(), 0x63A2, bytes(19)), Malformed),
    "FLAC without a marker": (lambda: with_codec(b"A_FLAC", bytes(50), sound=True), Malformed),
    "FLAC that is none": (
        lambda: in_frames(ebml.made("mka", *TONE, "-c:a", "flac"), 1, lambda f: b"\0" + f),
        Malformed,
    ),
    "ALAC of few bytes": (lambda: with_codec(b"A_ALAC", bytes(9), sound=True), Malformed),
    "Vorbis of two headers": (
        lambda: with_codec(b"A_VORBIS", b"\1\x1e\x10", sound=True),
        Malformed,
    ),
    "AAC without a setup": (lambda: with_codec(b"A_AAC", sound=True), Unsupported),
    "frames before the time": (
        lambda: edited(plain(), without(0xE7), SEGMENT, CLUSTER),
        Malformed,
    ),
    "a block without frames": (lambda: in_cluster(block(b"")), Malformed),
    "an empty block": (lambda: in_cluster(el(SIMPLE)), Malformed),
    "a group without a block": (lambda: in_cluster(el(GROUP, uint(0x9B, 3))), Malformed),
    "a block at the end of time": (
        lambda: in_cluster(block(b"\x10\2\0\x9d\x01\x2a" + bytes(40)), time_=1 << 60),
        Malformed,
    ),
    "a child longer than its cluster": (
        lambda: in_cluster(b"\xec\x8fabc"),
        Malformed,
    ),
    "a void without a length in a live cluster": (
        lambda: head() + unsized(SEGMENT, parts(INFO, TRACKS) + unsized(CLUSTER, unsized(VOID))),
        Malformed,
    ),
    "broken off in its middle": (
        lambda: head() + unsized(
            SEGMENT, parts(INFO, TRACKS) + unsized(CLUSTER, uint(0xE7, 0) + b"\xa3\x1f\xff\xff"
            + parts(CLUSTER))
        ),
        Malformed,
    ),
    "broken off in its tags": (
        lambda: head() + unsized(SEGMENT, parts(INFO, TRACKS, CLUSTER) + el(TAGS, bytes(9))[:-1]),
        Malformed,
    ),
    "an element of unknown length": (
        lambda: head() + unsized(SEGMENT, parts(INFO, TRACKS) + unsized(TAGS)),
        Malformed,
    ),
    "a picture of VP8 in two bytes": (lambda: in_cluster(block(b"ab")), Malformed),
    "a picture of VP8 without its mark": (lambda: in_cluster(block(bytes(20))), Malformed),
    "a picture of VP8 cut short": (
        lambda: in_cluster(block(b"\x10\xff\xff\x9d\x01\x2a" + bytes(20))),
        Malformed,
    ),
    "a picture of VP9 without its mark": (
        lambda: in_frames(vp9(), 1, lambda f: b"\0" + f),
        Malformed,
    ),
    "pictures of VP9 longer than their frame": (
        lambda: in_frames(vp9(), 1, lambda f: f + b"\xc8\xff\xff\xc8"),
        Malformed,
    ),
    "AC-3 that is none": (lambda: with_codec(b"A_AC3", sound=True), Malformed),
    "MP3 that is none": (lambda: with_codec(b"A_MPEG/L3", sound=True), Malformed),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_broken_is_refused_with_its_reason(kind: str) -> None:
    make, error = BROKEN[kind]
    with pytest.raises(error):
        clean(make())


LACES = [
    (2, b"", "no count"), (2, b"\1", "no length"), (2, b"\1\xff", "half a length"),
    (2, b"\1\x05ab", "too long"), (2, b"\1\0ab", "nothing"), (2, b"\1\2ab", "no rest"),
    (4, b"\2abcd", "no even share"), (4, b"\1", "no share at all"), (6, b"\1\xffabc", "no number"),
    (6, b"\1", "no first"), (6, b"\2\x81\0abc", "no second"),
    (6, b"\2\x82\x80" + b"a" * 9, "below"),
]  # fmt: skip


@pytest.mark.parametrize(("lacing", "data", "what"), LACES, ids=[what for _, _, what in LACES])
def test_laces_that_do_not_add_up_are_malformed(lacing: int, data: bytes, what: str) -> None:
    assert what
    with pytest.raises(Malformed):
        laced(data, 0, lacing)


def test_a_compressed_bomb_is_not_even_opened() -> None:
    bomb = zlib.compress(bytes(50 << 20))
    dirty = in_frames(encodings(packed(0)), 2, lambda _: bomb)
    assert refused_within(dirty, Unsupported) < 1


def refused_within(data: bytes, error: type[Refused]) -> float:
    """Return the seconds of work until a refusal."""
    with MemorySource(data) as source:
        began = time.process_time()
        with pytest.raises(error):
            Matroska(source, Limits())
        return time.process_time() - began


TINY = block(b"\x11\0\0")
BOMBS: dict[str, tuple[Callable[[], bytes], type[Refused]]] = {
    "empty elements": (
        lambda: head() + unsized(SEGMENT, parts(INFO, TRACKS) + b"\xec\x80" * 3_000_000),
        TooComplex,
    ),
    "empty elements in a cluster": (
        lambda: (
            head()
            + unsized(SEGMENT, parts(INFO, TRACKS) + unsized(CLUSTER, b"\xec\x80" * 3_000_000))
        ),
        TooComplex,
    ),
    "empty elements before the segment": (lambda: head() + b"\xec\x80" * 3_000_000, TooComplex),
    "clusters in clusters": (
        lambda: head() + unsized(SEGMENT, parts(INFO, TRACKS) + unsized(CLUSTER) * 500_000),
        TooComplex,
    ),
    "segments in segments": (lambda: head() + unsized(SEGMENT) * 100_000, Empty),
    "tiny blocks": (
        lambda: (
            head()
            + unsized(
                SEGMENT, parts(INFO, TRACKS) + unsized(CLUSTER, uint(0xE7, 0) + TINY * 500_000)
            )
        ),
        TooComplex,
    ),
    "tiny blocks of nobody": (
        lambda: (
            head()
            + unsized(
                SEGMENT,
                parts(INFO, TRACKS) + unsized(CLUSTER, uint(0xE7, 0) + block(b"a", 9) * 500_000),
            )
        ),
        TooComplex,
    ),
    "laces": (
        lambda: in_cluster(
            *[el(SIMPLE, ebml.block(1, 0, b"\xff" + TINY[-3:] * 256, 0x84))] * 20_000
        ),
        TooComplex,
    ),
    "children of a header": (lambda: el(EBML, b"\xec\x80" * 2000), Unsupported),
    "children of the tracks": (
        lambda: head() + el(SEGMENT, el(TRACKS, b"\xec\x80" * 1_000_000)),
        TooComplex,
    ),
    "children of a group": (lambda: in_cluster(el(GROUP, b"\xec\x80" * 1_000_000)), TooComplex),
    "tracks": (lambda: head() + el(SEGMENT, el(TRACKS, el(ENTRY, b"") * 100)), TooComplex),
    "tracks of megabytes": (lambda: head() + el(SEGMENT, el(TRACKS, bytes(5 << 20))), TooLarge),
    "information of megabytes": (lambda: head() + el(SEGMENT, el(INFO, bytes(5 << 20))), TooLarge),
    "a huge frame": (lambda: in_cluster(el(SIMPLE, bytes(65 << 20))), TooLarge),
    "a length beyond the end of the world": (
        lambda: head() + b"\x18\x53\x80\x67\x01" + b"\x7f" * 7 + bytes(100),
        Malformed,
    ),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_is_refused_soon(kind: str) -> None:
    make, error = BOMBS[kind]
    assert refused_within(make(), error) < 4  # half a second, where nobody counts the branches


@pytest.mark.parametrize("kind", ["laces", "children of the tracks", "a huge frame", "tiny blocks"])
def test_a_bomb_is_refused_in_little_memory(kind: str) -> None:
    make, error = BOMBS[kind]
    with MemorySource(make()) as source:
        tracemalloc.start()
        with pytest.raises(error):
            Matroska(source, Limits())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 64 << 20


def test_a_file_of_too_many_frames_is_refused() -> None:
    with pytest.raises(TooComplex):
        clean(plain(), Limits(video_samples=20))


def test_a_long_recording_of_many_frames_is_kept() -> None:
    packets = [
        el(CLUSTER, uint(0xE7, second * 1000)
           + b"".join(el(SIMPLE, ebml.block(2, n, b"\xfc\1")) for n in range(800)))
        for second in range(15)
    ]  # fmt: skip
    picture = next(f for t, _, _, f in ebml.frames(plain()) if t == 1)
    packets.append(el(CLUSTER, uint(0xE7, 15_000) + block(picture, flags=0)))
    dirty = head() + el(SEGMENT, parts(INFO, TRACKS) + b"".join(packets))
    made = clean(dirty)
    assert len(ebml.frames(made)) == 12_001
    assert CUES not in [kind for kind, _ in ebml.find(ebml.tree(made), SEGMENT)]
    assert clean(made) == made


def test_a_file_with_too_many_tracks_to_number_is_refused() -> None:
    entries = [
        el(ENTRY, uint(0xD7, n) + uint(0x83, 2) + el(0x86, b"A_PCM/INT/LIT")
           + el(AUDIO, uint(0x6264, 16)))
        for n in range(1, 131)
    ]  # fmt: skip
    blocks = [
        el(SIMPLE, (0x4000 | n).to_bytes(2, "big") + b"\0\0\0\x11\0\0\0") for n in range(1, 131)
    ]
    body = el(TRACKS, b"".join(entries)) + el(CLUSTER, uint(0xE7, 0) + b"".join(blocks))
    dirty = head() + el(SEGMENT, body)
    with pytest.raises(TooComplex):
        clean(dirty, Limits(video_tracks=200))


def test_an_index_longer_than_the_limit_is_refused() -> None:
    with pytest.raises(TooComplex):
        clean(plain(), Limits(moov_bytes=20))


def test_a_track_without_frames_is_left_out_and_the_others_are_kept() -> None:
    dirty = in_cluster(*[block(f) for t, _, _, f in ebml.frames(plain()) if t == 1][:1])
    made = clean(dirty)
    assert len(hashes(made)) == 1
    assert clean(made) == made
    empty_film = edited(
        edited(plain(), swap(0x83, b"\x02"), *ENTRY_PATH), swap(0x86, b"A_AC3"), *ENTRY_PATH
    )
    sound = edited(empty_film, without(CLUSTER), SEGMENT)
    packets = [block(f, 2) for t, _, _, f in ebml.frames(plain()) if t == 2]
    dirty = edited(sound, put(CLUSTER, uint(0xE7, 0) + b"".join(packets)), SEGMENT)
    made = clean(dirty)
    assert clean(made) == made


def test_a_file_cut_anywhere_is_refused() -> None:
    whole = plain()
    inside = ebml.split(whole)[0][1]
    places = {1, 3, 4, 5, len(inside), len(inside) + 5, len(inside) + 9, len(inside) + 13}
    at_ = whole.index(b"\x1f\x43\xb6\x75")
    places |= set(range(at_ - 2, at_ + 40))
    places |= set(range(60, len(whole), 997)) | {len(whole) - 1}
    for place in sorted(places):
        with pytest.raises(Refused):
            clean(whole[:place])


def test_a_live_file_cut_anywhere_is_refused_or_keeps_its_whole_frames() -> None:
    live = ebml.made(
        "webm", *PICTURES, "-c:v", "libvpx", "-deadline", "realtime", "-live", "1", "-g", "5"
    )
    whole = [f for _, _, _, f in ebml.frames(clean(live))]
    kept = set()
    for place in range(30, len(live), 131):
        try:
            made = clean(live[:place])
        except Refused:
            continue
        found = [f for _, _, _, f in ebml.frames(made)]
        assert found == whole[: len(found)]
        kept.add(len(found))
    assert len(kept) > 5


DIRTY = edited(
    edited(
        edited(plain(), put(TAGS, el(0x7373, CANARY)), SEGMENT),
        put(VOID, CANARY),
        SEGMENT,
        CLUSTER,
    ),
    put(0x536E, CANARY),
    *ENTRY_PATH,
)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 1500) | st.integers(0, len(DIRTY) - 1),
            st.sampled_from(["flip", "cut", "double", "zero"]),
            st.integers(1, 255),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_a_mutated_file_is_refused_or_clean(changes: list[tuple[int, str, int]]) -> None:
    data = bytearray(DIRTY)
    for place, how, by in changes:
        place %= len(data)  # noqa: PLW2901 - the data may have become shorter
        if how == "flip":
            data[place] ^= by
        elif how == "cut":
            del data[place : place + by]
        elif how == "double":
            data[place:place] = data[place : place + by]
        else:
            data[place : place + by] = bytes(len(data[place : place + by]))
    try:
        made, facts = cleaned(bytes(data))
    except Refused:
        return
    assert CANARY not in made
    assert facts.length == len(made)
    assert clean(made) == made


def test_numbers_that_are_cut_short_are_malformed() -> None:
    for broken in (b"", b"\0", b"\x40"):
        with pytest.raises(Malformed):
            number(broken, 0, len(broken))
    assert header(b"", 0, 0) is None
    assert header(b"\xec", 0, 1) is None
    assert header(b"\xec\x40", 0, 2) is None
    assert list(children(b"")) == []
    for broken in (b"\xec", b"\xec\xff", b"\xec\x81"):
        with pytest.raises(Malformed):
            list(children(broken))
    with pytest.raises(Malformed):
        signed(bytes(9))
    assert unsigned(b"") == signed(b"") == floating(b"") == 0


def test_a_window_ends_where_the_source_ends() -> None:
    with MemorySource(b"\xec\x82ab") as source:
        window = Window(source)
        assert window.read(2, 2) == b"ab"
        assert window.read(0, 4) == b"\xec\x82ab"
        with pytest.raises(Malformed):
            window.read(2, 3)
        with pytest.raises(Malformed):
            window.read(0, 5 << 20)


def test_a_frame_longer_than_a_window_is_kept() -> None:
    picture = next(f for t, _, _, f in ebml.frames(plain()) if t == 1)
    dirty = in_cluster(block(picture + bytes(5 << 20)), block(b"\x11\0\0"))
    made = clean(dirty)
    assert len(ebml.frames(made)[0][3]) == len(picture) + (5 << 20)
    assert clean(made) == made


SHORT = [
    (b"\xff\xfb\x90\x64" + bytes(413), True), (b"\xff\xfb\x90\x64" + bytes(400), False),
    (b"\xff\xfb\x00\x64" + bytes(413), False), (b"\xff\xff\x10\x00" + bytes(100), True),
    (b"\xff\xf3\x40\x00" + bytes(300), True), (b"\xff\xfd\x40\x00" + bytes(300), True),
    (b"\xff\xeb\x90\x64" + bytes(413), False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("frame", "whole"), SHORT, ids=[f[:4].hex() + str(len(f)) for f, _ in SHORT]
)
def test_a_frame_of_mpeg_is_as_long_as_it_says(frame: bytes, whole: bool) -> None:  # noqa: FBT001
    if whole:
        assert frame.startswith(framed.mpeg(frame))
    else:
        with pytest.raises(Malformed):
            framed.mpeg(frame)


def test_a_frame_of_ac3_is_as_long_as_it_says() -> None:
    for clock, length in ((0, 128), (1, 140), (2, 192)):
        frame = b"\x0bw\0\0" + bytes([clock << 6 | 1]) + b"\x40"
        assert len(framed.ac3(frame + bytes(300))) == length
    with pytest.raises(Malformed):
        framed.ac3(b"\x0bw\0\0\xc0\x40" + bytes(300))
    with pytest.raises(Malformed):
        framed.ac3(b"\x0bw\0\0\0\x40")


def test_opus_of_many_channels_keeps_its_mapping() -> None:
    head_ = second_private()
    table = head_[:9] + b"\3" + head_[10:18] + b"\1" + b"\2\1" + b"\0\1\2"
    made, strip = sounds.opus_track(table + CANARY)
    assert made[-6:] == b"\1\2\1\0\1\2"
    assert strip(b"OpusHead") == b""


def test_old_names_of_aac_make_the_setup_that_they_mean() -> None:
    assert sounds.aac_setup(b"A_AAC/MPEG2/LC", b"", 48000, 2) == bytes.fromhex("1190")
    assert sounds.aac_setup(b"A_AAC", bytes.fromhex("1190") + CANARY, 0, 0)[:2] == b"\x11\x90"
    for name, rate, channels in (
        (b"A_AAC/X", 48000, 2),
        (b"A_AAC/LC", 1, 2),
        (b"A_AAC/LC", 48000, 9),
    ):
        with pytest.raises(Unsupported):
            sounds.aac_setup(name, b"", rate, channels)


def mp3_and(between: int) -> bytes:
    """Return MP3, and a film whose frames between two of its packets have so many bytes."""
    made = ebml.made("mka", *TONE, "-c:a", "libmp3lame", "-b:a", "64k")
    packets = [frame for _, _, _, frame in ebml.frames(made)]
    entry = ebml.value(ebml.tree(made), SEGMENT, TRACKS, ENTRY)
    film = uint(0xD7, 2) + uint(0x83, 1) + el(0x86, b"V_VP8")
    film += el(VIDEO, uint(0xB0, 160) + uint(0xBA, 120))
    body = b"".join(
        el(SIMPLE, ebml.block(1, n * 24, packet))
        + el(SIMPLE, ebml.block(2, n * 24, picture(between)))
        for n, packet in enumerate(packets[:8])
    )
    tracks = el(TRACKS, el(ENTRY, entry) + el(ENTRY, film))
    return head() + el(SEGMENT, tracks + el(CLUSTER, uint(0xE7, 0) + body))


def picture(size: int) -> bytes:
    return b"\x10\0\0\x9d\x01\x2a" + bytes(size)


@pytest.mark.parametrize("between", [10, 9 << 20])
def test_mp3_beside_a_film_is_blanked_in_its_order(between: int) -> None:
    dirty = mp3_and(between)
    made = clean(dirty)
    assert [(t, w, len(f)) for t, w, _, f in ebml.frames(made)] == [
        (t, w, len(f)) for t, w, _, f in ebml.frames(dirty)
    ]
    assert clean(made) == made


def test_two_frames_of_mp3_in_one_packet_stay_together() -> None:
    made = ebml.made("mka", *TONE, "-c:a", "libmp3lame", "-b:a", "64k")
    packets = [frame for _, _, _, frame in ebml.frames(made)]
    pairs = [a + b for a, b in zip(packets[::2], packets[1::2], strict=False)]
    body = b"".join(el(SIMPLE, ebml.block(1, n * 48, pair)) for n, pair in enumerate(pairs))
    dirty = edited(made, without(CLUSTER), SEGMENT)
    result = clean(edited(dirty, put(CLUSTER, uint(0xE7, 0) + body), SEGMENT))
    assert [len(f) for _, _, _, f in ebml.frames(result)] == [len(pair) for pair in pairs]


def test_mp3_that_becomes_something_else_is_refused() -> None:
    made = ebml.made("mka", *TONE, "-c:a", "libmp3lame", "-b:a", "64k")
    stereo = b"\xff\xfb\x90\x04" + bytes(413)
    with pytest.raises(Unsupported):
        clean(edited(made, put(SIMPLE, ebml.block(1, 1, stereo)), SEGMENT, CLUSTER))
    layer_2 = b"\xff\xfd\x90\x04" + bytes(518)
    with pytest.raises(Malformed):
        clean(edited(made, put(SIMPLE, ebml.block(1, 1, layer_2)), SEGMENT, CLUSTER))
