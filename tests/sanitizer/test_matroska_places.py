"""Matroska and WebM: every place that may hide a message, one canary each."""

import struct
from collections.abc import Callable

import pytest

from sanitizer.errors import TooComplex
from sanitizer.limits import Limits
from tests.sanitizer.kit import CANARY, clean, cleaned, hashes, prove
from tests.sanitizer.test_matroska import BOTH, PICTURES, TONE, in_second, mkv, plain, webm
from tests.support import ebml
from tests.support.ebml import (
    ATTACHMENTS,
    AUDIO,
    BLOCK,
    CHAPTERS,
    CLUSTER,
    CRC,
    CUES,
    EBML,
    ENTRY,
    GROUP,
    INFO,
    SEEK_HEAD,
    SEGMENT,
    SIMPLE,
    TAGS,
    TRACKS,
    VIDEO,
    VOID,
    Tree,
    edited,
    el,
    find,
    put,
    swap,
    uint,
)

TAG = el(0x7373, el(0x67C8, el(0x45A3, b"LOCATION") + el(0x4487, b"+33.57-007.58/" + CANARY)))
COVER = el(0x61A7, el(0x466E, CANARY) + el(0x4660, b"image/png") + el(0x465C, CANARY))
CHAPTER = el(0x45B9, el(0xB6, el(0x80, el(0x85, CANARY))))
UNKNOWN = 0x4D4D
SUBTITLES = (
    uint(0xD7, 9)
    + uint(0x73C5, 9)
    + uint(0x83, 0x11)
    + el(0x86, b"S_TEXT/UTF8")
    + el(0x63A2, CANARY)
)


def of_type(kind: int) -> bytes:
    """Return the entry of a track of another kind than subtitles."""
    return SUBTITLES.replace(uint(0x83, 0x11), uint(0x83, kind))


def at(*path: int, kind: int, body: bytes = CANARY, first: bool = False) -> bytes:
    """Return the plain file with an element more."""
    return edited(plain(), put(kind, body, first=first), *path)


def instead(*path: int, kind: int, body: bytes = CANARY) -> bytes:
    """Return the plain file with an element that says something else."""
    return edited(plain(), swap(kind, body), *path)


def in_clusters(data: bytes, change: Callable[[Tree], object]) -> bytes:
    """Return a file after a change of each of its clusters."""
    nodes = ebml.tree(data)
    for kind, body in find(nodes, SEGMENT):
        if kind == CLUSTER:
            change(body)  # type: ignore[arg-type]
    return ebml.flat(nodes)


def in_frames(data: bytes, track: int, change: Callable[[bytes], bytes]) -> bytes:
    """Return a file after a change of each frame of a track."""

    def mended(body: Tree) -> None:
        for place, (kind, block) in enumerate(body):
            if kind == SIMPLE and isinstance(block, bytes) and block[0] & 0x7F == track:
                body[place] = (kind, block[:4] + change(block[4:]))
            elif kind == GROUP and isinstance(block, list):
                inside = ebml.value(block, BLOCK)
                if inside[0] & 0x7F == track:
                    swap(BLOCK, inside[:4] + change(inside[4:]))(block)

    return in_clusters(data, mended)


def grouped(*extra: bytes) -> bytes:
    """Return the plain file with its first cluster's first block in a group that says more."""

    def change(body: Tree) -> None:
        place = next(n for n, (kind, _) in enumerate(body) if kind == SIMPLE)
        block = body[place][1]
        assert isinstance(block, bytes)
        body[place] = (GROUP, el(0xA1, block[:3] + b"\0" + block[4:]) + b"".join(extra))

    return edited(plain(), change, SEGMENT, CLUSTER)


def segment_with(body: bytes) -> bytes:
    return ebml.flat(ebml.tree(plain())) + body


def after_header(body: bytes) -> bytes:
    first, second = ebml.split(plain())
    return el(*first) + body + el(*second)


def xiph(*parts: bytes) -> bytes:
    sizes = b"".join(b"\xff" * (len(p) // 255) + bytes([len(p) % 255]) for p in parts[:-1])
    return bytes([len(parts) - 1]) + sizes + b"".join(parts)


def vorbis_comment() -> bytes:
    return b"\3vorbis" + struct.pack("<I", len(CANARY)) + CANARY + struct.pack("<I", 0) + b"\1"


def vorbis_headers(comment: bytes = b"", behind: bytes = b"") -> bytes:
    dirty = webm("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libvorbis")
    entries = ebml.split(ebml.value(ebml.tree(dirty), SEGMENT, TRACKS))
    private = dict(ebml.split(entries[1][1]))[0x63A2]
    sizes, begin, place = [0, 0], 1, 0
    while place < 2:
        sizes[place] += private[begin]
        place += private[begin] != 255
        begin += 1
    ident = private[begin : begin + sizes[0]]
    first = private[begin + sizes[0] : begin + sum(sizes)]
    setup = private[begin + sum(sizes) :]
    return in_second(dirty, 0x63A2, xiph(ident, comment or first, setup + behind))


def sounds(*options: str) -> bytes:
    return ebml.made("mka", *TONE, *options)


def behind(codec: str) -> bytes:
    """Return sound with words behind what its frames need."""
    return in_frames(sounds("-c:a", codec), 1, lambda frame: frame + CANARY)


def with_private(data: bytes, extra: bytes) -> bytes:
    private = ebml.value(ebml.tree(data), SEGMENT, TRACKS, ENTRY, 0x63A2)
    return edited(data, swap(0x63A2, private + extra), SEGMENT, TRACKS, ENTRY)


def avc_with(message: bytes) -> bytes:
    """Return H.264 whose setup and frames hold a message."""
    told = "086f3693-b7b3-4f2c-9653-21492feee5b8+" + message.decode()
    dirty = ebml.made(
        "mkv", *PICTURES, "-c:v", "libx264", "-bsf:v", f"h264_metadata=sei_user_data={told}"
    )
    return with_private(dirty, message)


def hevc_with(message: bytes) -> bytes:
    """Return H.265 with a message in an array of its setup, and in its frames."""
    dirty = ebml.made("mkv", *PICTURES, "-c:v", "libx265", "-x265-params", "log-level=none")
    private = ebml.value(ebml.tree(dirty), SEGMENT, TRACKS, ENTRY, 0x63A2)
    unit = b"\x4e\x01" + message
    private = private[:22] + bytes([private[22] + 1]) + private[23:]
    private += b"\x27\0\1" + len(unit).to_bytes(2, "big") + unit
    dirty = edited(dirty, swap(0x63A2, private), SEGMENT, TRACKS, ENTRY)
    return in_frames(dirty, 1, lambda frame: len(unit).to_bytes(4, "big") + unit + frame)


def av1_with(message: bytes) -> bytes:
    """Return AV1 with a message in a unit of metadata, in its setup and in its frames."""
    dirty = ebml.made("webm", *PICTURES, "-c:v", "libsvtav1")
    unit = b"\x2a" + bytes([len(message) + 1]) + b"\4" + message
    return in_frames(with_private(dirty, unit), 1, lambda frame: frame + unit)


def superframes(data: bytes) -> bytes:
    """Return VP9 with bytes between the frames of a superframe and their index."""

    def wrapped(frame: bytes) -> bytes:
        if frame[-1] & 0xE0 == 0xC0:
            return frame
        size = len(frame).to_bytes(4, "little")
        return frame + CANARY + b"\xd8" + size + b"\xd8"

    return in_frames(data, 1, wrapped)


def repeating(data: bytes, behind: bytes, head: bytes) -> bytes:
    """Return VP9 with one more frame, which repeats an old picture, and bytes behind it."""

    def change(body: Tree) -> None:
        body.append((SIMPLE, ebml.block(1, 950, head + behind, 0)))

    return in_clusters(data, change)


def vp9() -> bytes:
    return ebml.made(
        "webm", *PICTURES, "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8",
        "-cluster_time_limit", "5000",
    )  # fmt: skip


def padded(packet: bytes) -> bytes:
    """Return a packet of Opus of one frame with words in its padding."""
    return bytes([packet[0] | 3, 0x41, len(CANARY)]) + packet[1:] + CANARY


PLACES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "tags": ("gps", lambda: at(SEGMENT, kind=TAGS, body=TAG)),
    "attachments": ("cover", lambda: at(SEGMENT, kind=ATTACHMENTS, body=COVER)),
    "chapters": ("chapters", lambda: at(SEGMENT, kind=CHAPTERS, body=CHAPTER)),
    "void": ("other_metadata", lambda: at(SEGMENT, kind=VOID)),
    "unknown in the segment": ("other_metadata", lambda: at(SEGMENT, kind=UNKNOWN)),
    "first in the segment": ("other_metadata", lambda: at(SEGMENT, kind=UNKNOWN, first=True)),
    "checksum": ("other_metadata", lambda: at(SEGMENT, kind=CRC)),
    "seek head": ("other_metadata", lambda: at(SEGMENT, kind=SEEK_HEAD)),
    "cues": ("other_metadata", lambda: at(SEGMENT, kind=CUES)),
    "second information": (
        "other_metadata",
        lambda: at(SEGMENT, kind=INFO, body=el(0x7BA9, CANARY)),
    ),
    "second tracks": (
        "other_metadata",
        lambda: at(SEGMENT, kind=TRACKS, body=el(ENTRY, SUBTITLES)),
    ),
    "block outside of clusters": ("other_metadata", lambda: at(SEGMENT, kind=SIMPLE)),
    "second segment": ("trailing_data", lambda: segment_with(el(SEGMENT, el(TAGS, TAG)))),
    "behind the end": ("trailing_data", lambda: segment_with(CANARY)),
    "before the segment": ("other_metadata", lambda: after_header(el(VOID, CANARY))),
    "EBML header": ("other_metadata", lambda: at(EBML, kind=UNKNOWN)),
    "void in the EBML header": ("other_metadata", lambda: at(EBML, kind=VOID)),
    "title": ("comment", lambda: at(SEGMENT, INFO, kind=0x7BA9)),
    "muxing application": ("software", lambda: instead(SEGMENT, INFO, kind=0x4D80)),
    "writing application": ("software", lambda: instead(SEGMENT, INFO, kind=0x5741)),
    "segment id": ("other_metadata", lambda: at(SEGMENT, INFO, kind=0x73A4)),
    "segment file name": ("other_metadata", lambda: at(SEGMENT, INFO, kind=0x7384)),
    "next segment": ("other_metadata", lambda: at(SEGMENT, INFO, kind=0x3EB923)),
    "next file name": ("other_metadata", lambda: at(SEGMENT, INFO, kind=0x3E83BB)),
    "previous segment": ("other_metadata", lambda: at(SEGMENT, INFO, kind=0x3CB923)),
    "family": ("other_metadata", lambda: at(SEGMENT, INFO, kind=0x4444)),
    "chapter translation": ("other_metadata", lambda: at(SEGMENT, INFO, kind=0x6924)),
    "date": ("capture_time", lambda: at(SEGMENT, INFO, kind=0x4461)),
    "void in the information": ("other_metadata", lambda: at(SEGMENT, INFO, kind=VOID)),
    "void in the tracks": ("other_metadata", lambda: at(SEGMENT, TRACKS, kind=VOID)),
    "subtitles": ("subtitles", lambda: at(SEGMENT, TRACKS, kind=ENTRY, body=SUBTITLES)),
    "track of positions": (
        "location_track",
        lambda: at(SEGMENT, TRACKS, kind=ENTRY, body=of_type(0x21)),
    ),
    "buttons": (
        "other_metadata",
        lambda: at(SEGMENT, TRACKS, kind=ENTRY, body=of_type(0x12)),
    ),
    "name": ("comment", lambda: at(SEGMENT, TRACKS, ENTRY, kind=0x536E)),
    "language": ("other_metadata", lambda: instead(SEGMENT, TRACKS, ENTRY, kind=0x22B59C)),
    "language of today": ("other_metadata", lambda: at(SEGMENT, TRACKS, ENTRY, kind=0x22B59D)),
    "codec name": ("other_metadata", lambda: at(SEGMENT, TRACKS, ENTRY, kind=0x258688)),
    "codec settings": ("other_metadata", lambda: at(SEGMENT, TRACKS, ENTRY, kind=0x3A9697)),
    "codec information": ("other_metadata", lambda: at(SEGMENT, TRACKS, ENTRY, kind=0x3B4040)),
    "codec download": ("other_metadata", lambda: at(SEGMENT, TRACKS, ENTRY, kind=0x26B240)),
    "attachment link": ("other_metadata", lambda: at(SEGMENT, TRACKS, ENTRY, kind=0x7446)),
    "track operation": ("other_metadata", lambda: at(SEGMENT, TRACKS, ENTRY, kind=0xE2)),
    "block addition mapping": ("other_metadata", lambda: at(SEGMENT, TRACKS, ENTRY, kind=0x41E4)),
    "track translation": ("other_metadata", lambda: at(SEGMENT, TRACKS, ENTRY, kind=0x6624)),
    "void in an entry": ("other_metadata", lambda: at(SEGMENT, TRACKS, ENTRY, kind=VOID)),
    "setup of VP8": ("sei", lambda: at(SEGMENT, TRACKS, ENTRY, kind=0x63A2)),
    "end of a codec's name": (
        "",
        lambda: instead(SEGMENT, TRACKS, ENTRY, kind=0x22B59C, body=b"und\0" + CANARY),
    ),
    "unknown in the video": ("", lambda: at(SEGMENT, TRACKS, ENTRY, VIDEO, kind=UNKNOWN)),
    "colour space": ("", lambda: at(SEGMENT, TRACKS, ENTRY, VIDEO, kind=0x2EB524)),
    "unknown in the colours": (
        "",
        lambda: at(SEGMENT, TRACKS, ENTRY, VIDEO, kind=0x55B0, body=el(UNKNOWN, CANARY)),
    ),
    "unknown in the audio": (
        "",
        lambda: in_second(plain(), AUDIO, b"\xb5\x84\x47\x3b\x80\0" + el(UNKNOWN, CANARY)),
    ),
    "setup of VP9": (
        "sei",
        lambda: edited(vp9(), swap(0x63A2, b"\x09\x0d" + CANARY), SEGMENT, TRACKS, ENTRY),
    ),
    "head of Opus": ("", lambda: in_second(plain(), 0x63A2, second_private() + CANARY)),
    "void in a cluster": ("other_metadata", lambda: at(SEGMENT, CLUSTER, kind=VOID)),
    "unknown in a cluster": ("other_metadata", lambda: at(SEGMENT, CLUSTER, kind=UNKNOWN)),
    "position in a cluster": ("", lambda: at(SEGMENT, CLUSTER, kind=0xA7)),
    "silent tracks": ("other_metadata", lambda: at(SEGMENT, CLUSTER, kind=0x5854)),
    "second time of a cluster": ("other_metadata", lambda: at(SEGMENT, CLUSTER, kind=0xE7)),
    "encrypted block": ("other_metadata", lambda: at(SEGMENT, CLUSTER, kind=0xAF)),
    "block of no track": (
        "",
        lambda: at(SEGMENT, CLUSTER, kind=SIMPLE, body=ebml.block(7, 0, CANARY)),
    ),
    "block of a track beyond count": (
        "",
        lambda: at(SEGMENT, CLUSTER, kind=SIMPLE, body=b"\x40\x0f\0\0\0" + CANARY),
    ),
    "group of no track": (
        "",
        lambda: at(SEGMENT, CLUSTER, kind=GROUP, body=el(0xA1, ebml.block(7, 0, CANARY))),
    ),
    "unknown in a group": ("other_metadata", lambda: grouped(el(UNKNOWN, CANARY))),
    "codec state": ("other_metadata", lambda: grouped(el(0xA4, CANARY))),
    "virtual block": ("other_metadata", lambda: grouped(el(0xA2, CANARY))),
    "slices": ("other_metadata", lambda: grouped(el(0x8E, CANARY))),
    "additions of a track without": (
        "other_metadata",
        lambda: grouped(el(0x75A1, el(0xA6, uint(0xEE, 1) + el(0xA5, CANARY)))),
    ),
    "additions in the words of television": (
        "other_metadata",
        lambda: grouped(el(0x75A1, el(0xA6, uint(0xEE, 4) + el(0xA5, CANARY)))),
    ),
    "comment of Vorbis": ("software", lambda: vorbis_headers(vorbis_comment())),
    "behind the setup of Vorbis": ("", lambda: vorbis_headers(behind=CANARY)),
    "comment of Vorbis among its packets": (
        "other_metadata",
        lambda: in_clusters(vorbis_headers(), put(SIMPLE, ebml.block(2, 0, vorbis_comment()))),
    ),
    "comment of Opus among its packets": (
        "other_metadata",
        lambda: in_clusters(plain(), put(SIMPLE, ebml.block(2, 0, b"OpusTags" + CANARY))),
    ),
    "padding of Opus": ("other_metadata", lambda: in_frames(plain(), 2, padded)),
    "H.264": ("sei", lambda: avc_with(CANARY)),
    "H.265": ("sei", lambda: hevc_with(CANARY)),
    "AV1": ("sei", lambda: av1_with(CANARY)),
    "VP9": ("sei", lambda: superframes(vp9())),
    "VP9 that repeats": ("sei", lambda: repeating(vp9(), CANARY, b"\x88")),
    "MPEG-4": (
        "sei",
        lambda: in_frames(
            mkv("-c:v", "mpeg4", "-c:a", "ac3"), 1, lambda f: b"\0\0\1\xb2" + CANARY + f
        ),
    ),
    "setup of MPEG-4": (
        "sei",
        lambda: with_private(mkv("-c:v", "mpeg4", "-c:a", "ac3"), b"\0\0\1\xb2" + CANARY),
    ),
    "behind AC-3": ("other_metadata", lambda: behind("ac3")),
    "behind E-AC-3": ("other_metadata", lambda: behind("eac3")),
    "behind MP3": ("other_metadata", lambda: behind("libmp3lame")),
    "frame of MP3 that tells of its encoder": (
        "other_metadata",
        lambda: in_frames(
            sounds("-c:a", "libmp3lame"),
            1,
            lambda f: f[:21] + b"Info" + CANARY + f[25 + len(CANARY) :],
        ),
    ),
    "behind FLAC": ("other_metadata", lambda: behind("flac")),
    "blocks of FLAC's setup": (
        "other_metadata",
        lambda: with_private(sounds("-c:a", "flac"), CANARY),
    ),
    "behind ALAC's setup": (
        "",
        lambda: with_private(ebml.made("mka", *TONE, "-c:a", "alac"), CANARY),
    ),
    "data element of AAC": (
        "other_metadata",
        lambda: in_frames(
            sounds("-c:a", "aac"), 1, lambda f: b"\x81" + bytes([len(CANARY)]) + CANARY + f
        ),
    ),
}  # fmt: skip


def second_private() -> bytes:
    entries = ebml.split(ebml.value(ebml.tree(plain()), SEGMENT, TRACKS))
    return dict(ebml.split(entries[1][1]))[0x63A2]


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("place", PLACES)
def test_a_message_in_this_place_is_gone(place: str) -> None:
    kind, make = PLACES[place]
    _, facts = prove(make(), ".mkv")
    assert not kind or kind in facts.removed


SAME = [
    "tags", "second segment", "void in a cluster", "unknown in a group", "padding of Opus", "H.265",
    "comment of Vorbis", "behind the setup of Vorbis", "VP9", "behind AC-3", "behind FLAC",
    "behind the end", "subtitles",
]  # fmt: skip


@pytest.mark.parametrize("place", SAME)
def test_what_is_seen_and_heard_is_the_same_without_the_message(place: str) -> None:
    dirty = PLACES[place][1]()
    assert hashes(clean(dirty), decoded=True) == hashes(dirty, decoded=True)


NUMBERS: dict[str, Callable[[], bytes]] = {
    "track id": lambda: instead(SEGMENT, TRACKS, ENTRY, kind=0x73C5, body=b"SERIALNR"),
    "previous size": lambda: at(SEGMENT, CLUSTER, kind=0xAB, body=b"SERIALNR"),
    "position": lambda: at(SEGMENT, CLUSTER, kind=0xA7, body=b"SERIALNR"),
    "frame duration": lambda: instead(SEGMENT, TRACKS, ENTRY, kind=0x23E383, body=b"SERIALNR"),
    "duration": lambda: instead(SEGMENT, INFO, kind=0x4489, body=b"SERIALNR"),
    "reference": lambda: grouped(el(0xFB, b"SERIALNR")),
    "priority": lambda: grouped(el(0xFA, b"SERIALNR")),
    "block duration": lambda: grouped(el(0x9B, b"SERIALNR")),
    "padding": lambda: grouped(el(0x75A2, b"SERIALNR")),
    "codec delay": lambda: in_second(plain(), 0x56AA, b"SERIALNR"),
    "seek pre-roll": lambda: in_second(plain(), 0x56BB, b"SERIALNR"),
    "cache": lambda: at(SEGMENT, TRACKS, ENTRY, kind=0x6DE7, body=b"SERIALNR"),
    "display unit": lambda: at(SEGMENT, TRACKS, ENTRY, VIDEO, kind=0x54B2, body=b"SERIALNR"),
    "display width": lambda: at(SEGMENT, TRACKS, ENTRY, VIDEO, kind=0x54B0, body=b"SERIALNR"),
}


@pytest.mark.parametrize("place", NUMBERS)
def test_a_number_that_is_a_serial_number_is_gone(place: str) -> None:
    dirty = NUMBERS[place]()
    assert b"SERIALNR" in dirty
    made = clean(dirty)
    assert b"SERIALNR" not in made
    assert clean(made) == made


def test_lengths_with_bytes_to_spare_are_spelled_in_one_way() -> None:
    first, second = ebml.split(plain())
    inside = b"".join(
        el(kind, body, 8 if kind != CLUSTER else 4) for kind, body in ebml.split(second[1])
    )
    wide = el(first[0], first[1], 5) + el(second[0], inside, 8)
    assert clean(wide) == clean(plain())


@pytest.mark.parametrize("lacing", ["xiph", "ebml", "fixed"])
def test_laced_frames_stay_together_and_are_the_same(lacing: str) -> None:
    packets = [f for t, _, _, f in ebml.frames(plain()) if t == 2][:12]
    if lacing == "fixed":
        packets = [bytes([252]) + bytes(range(100))] * 6
    head = edited(plain(), ebml.without(CLUSTER), SEGMENT)
    pictures = [f for t, _, _, f in ebml.frames(plain()) if t == 1]
    body = uint(0xE7, 0) + el(SIMPLE, ebml.block(1, 0, pictures[0]))
    body += el(SIMPLE, ebml.laced(2, 0, packets[:6], lacing))
    body += el(SIMPLE, ebml.laced(2, 120, packets[6:] or packets, lacing))
    dirty = edited(head, put(CLUSTER, body), SEGMENT)
    made, facts = cleaned(dirty)
    assert facts.removed
    assert hashes(made) == hashes(dirty)
    assert len(ebml.frames(made)) == 3
    assert clean(made) == made


def test_bytes_behind_the_last_lace_are_none() -> None:
    """All bytes of a laced block belong to its frames: the last one takes what is left."""
    packet = bytes([252, 1, 2, 3])
    block = ebml.laced(2, 0, [packet, packet + b"\4", packet], "xiph")
    made = clean(in_clusters(plain(), put(SIMPLE, block + b"\5\6")))
    assert block + b"\5\6" in made


def test_a_stripped_start_is_put_back() -> None:
    dirty = mkv("-c:v", "mpeg4", "-c:a", "ac3")
    packing = el(0x4254, b"\3") + el(0x4255, b"\x0bw")
    encodings = el(0x6240, uint(0x5031, 0) + uint(0x5032, 1) + el(0x5034, packing))
    stripped = in_second(in_frames(dirty, 2, lambda frame: frame[2:]), 0x6D80, encodings)
    assert hashes(stripped) == hashes(dirty)
    assert clean(stripped) == clean(dirty)


def test_a_stripped_start_of_a_setup_is_put_back() -> None:
    private = second_private()
    packing = el(0x4254, b"\3") + el(0x4255, private[:4])
    encodings = el(0x6240, uint(0x5032, 2) + el(0x5034, packing))
    dirty = in_second(in_second(plain(), 0x63A2, private[4:]), 0x6D80, encodings)
    assert clean(dirty) == clean(plain())


def groups(data: bytes) -> list[dict[int, bytes]]:
    """Return what stands in all groups of a file."""
    clusters = [body for kind, body in find(ebml.tree(data), SEGMENT) if kind == CLUSTER]
    return [
        dict(ebml.split(ebml.flat(group)))
        for body in clusters
        if isinstance(body, list)
        for kind, group in body
        if kind == GROUP and isinstance(group, list)
    ]


def test_a_group_keeps_how_long_its_frame_is_shown_and_what_is_cut_from_it() -> None:
    first = groups(clean(grouped(uint(0x9B, 100))))[0]
    assert first[0x9B] == b"\x64"
    assert 0xFB not in first
    assert groups(clean(grouped(uint(0x9B, 100), el(0xFB, b"\xfe"))))[0][0xFB] == b"\xff"
    sound = el(BLOCK, ebml.block(2, 0, b"\xfc\1\2\3"))
    for told, kept in ((6_499_000, 6_500_000), (-6_499_000, -6_500_000)):
        padding = el(0x75A2, told.to_bytes(4, "big", signed=True))
        made = clean(in_clusters(plain(), put(GROUP, sound + padding)))
        assert kept.to_bytes(3, "big", signed=True) in {group[0x75A2] for group in groups(made)}
        assert clean(made) == made


def test_a_block_that_is_a_message_alone_is_left_out() -> None:
    unit = b"\0\0\0\x14\6" + CANARY + bytes(6)
    dirty = mkv("-c:v", "libx264", "-c:a", "aac")
    more = in_clusters(dirty, put(SIMPLE, ebml.block(1, 0, unit)))
    assert clean(more) == clean(dirty)


def unseen(kind: int, *flags: bytes, first: bool = False) -> bytes:
    """Return the plain file with a track more, which says a word, before the others or behind."""
    said = el(0xD7, b"\x09") + el(0x83, bytes([kind])) + el(0x86, CANARY) + b"".join(flags)
    whole = edited(plain(), swap(0x88, b"\1"), SEGMENT, TRACKS, ENTRY)
    entry = put(ENTRY, said, first=first)
    return in_clusters(edited(whole, entry, SEGMENT, TRACKS), put(SIMPLE, ebml.block(9, 0, CANARY)))


OFF, NOT_UNASKED = el(0xB9, b"\0"), el(0x88, b"\0")
NOT_SHOWN: dict[str, Callable[[], bytes]] = {
    "further pictures": lambda: unseen(1),
    "pictures that are off": lambda: unseen(1, OFF, first=True),
    "pictures that nobody sees unasked": lambda: unseen(1, NOT_UNASKED, first=True),
    "a sound that is off": lambda: unseen(2, OFF, first=True),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("what", NOT_SHOWN)
def test_a_track_that_no_player_shows_goes(what: str) -> None:
    made, facts = prove(NOT_SHOWN[what](), "webm")
    assert made == clean(plain())
    assert "hidden_frames" in facts.removed


def test_a_track_is_shown_that_is_off_where_no_other_is_on_and_one_that_says_nothing() -> None:
    for flag in (OFF, NOT_UNASKED, el(0xB9), el(0xB9, b"\1")):
        kind, body = ebml.split(flag)[0]
        dirty = edited(plain(), put(kind, body), SEGMENT, TRACKS, ENTRY)
        assert clean(dirty) == clean(plain())


def test_of_two_films_that_ffmpeg_wrote_the_first_stays_and_of_two_sounds_both() -> None:
    made = ebml.made(
        "mkv", *BOTH[:8], *(part for n in "0011" for part in ("-map", n)), "-c:v", "libvpx",
        "-deadline", "realtime", "-c:a", "libopus", "-pix_fmt", "yuv420p",
    )  # fmt: skip
    assert [each[:3] for each in hashes(made)] == ["0,v", "1,v", "2,a", "3,a"]
    kept, facts = cleaned(made)
    assert [each[:3] for each in hashes(kept)] == ["0,v", "1,a", "2,a"]
    assert "hidden_frames" in facts.removed
    assert clean(kept) == kept


def test_a_track_that_goes_has_as_many_frames_as_one_that_stays() -> None:
    few = Limits(video_boxes=100)
    many = put(SIMPLE, ebml.block(9, 0, CANARY))

    def fill(body: Tree) -> None:
        for _ in range(200):
            many(body)

    entry = put(ENTRY, el(0xD7, b"\x09") + el(0x83, b"\1") + NOT_UNASKED)
    dirty = in_clusters(edited(plain(), entry, SEGMENT, TRACKS), fill)
    assert clean(dirty, few) == clean(plain())
    with pytest.raises(TooComplex):
        clean(dirty, Limits(video_boxes=100, video_samples=100))


def test_the_numbers_of_a_film_of_vp9_are_kept() -> None:
    told = b"\1\1\0\2\1\x0a\x09\1a\3\1\x08\4\1\1\1"
    made = clean(edited(vp9(), swap(0x63A2, told), SEGMENT, TRACKS, ENTRY))
    kept = ebml.value(ebml.tree(made), SEGMENT, TRACKS, ENTRY, 0x63A2)
    assert kept == b"\1\1\0\2\1\x0a\3\1\x08\4\1\1"


def test_a_repeated_picture_of_the_highest_profile_is_two_bytes() -> None:
    made = clean(repeating(vp9(), b"\xff" + CANARY, b"\xb4"))
    assert ebml.frames(made)[-1][3] == b"\xb4\x80"
    assert clean(made) == made
