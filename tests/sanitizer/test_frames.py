"""Messages inside coded frames: taken out by one walk, and noticed by another."""

import struct
from functools import partial

import pytest

from sanitizer.errors import Malformed, MetadataSurvived, Unsupported
from sanitizer.frames import annexb, annexb_check, check
from sanitizer.mp4.check_entries import Description
from sanitizer.mp4.check_units import check_frame
from sanitizer.mp4.entry import Entry
from sanitizer.mp4.strips import Mp3Frames, strip_of
from tests.sanitizer.kit import CANARY
from tests.sanitizer.sets import AV1_SEQUENCE
from tests.sanitizer.videos import PICTURE, SOUND, described, esds, nal, nal_hevc, obu
from tests.support.boxes import box, full

AVC_ENTRY = Entry(b"avc1", box(b"avc1", bytes(78), box(b"avcC", b"\1\x42\0\x1e\xff\xe0\0")))
HEVC_ENTRY = Entry(b"hvc1", box(b"hvc1", bytes(78), box(b"hvcC", bytes(21) + b"\3\0")))


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("kind", [0, 2, 3, 4, 6, 12, 13, 14, 15, 19, 22, 30, 31])
def test_a_message_in_h264_goes_whole_and_is_noticed_if_it_did_not(kind: int) -> None:
    strip = strip_of(AVC_ENTRY)
    assert strip is not None
    frame = nal(9, b"\xf0") + nal(kind, CANARY) + nal(5) + nal(kind, CANARY)
    assert strip(frame) == nal(9, b"\xf0") + nal(5)
    check.avc(strip(frame), 4)
    description = Description(is_video=True, codec=b"avc1", nal_length=4)
    check_frame(description, strip(frame))
    with pytest.raises(MetadataSurvived):
        check_frame(description, frame)


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("kind", [10, 38, 39, 40, 41, 48, 62, 63])
def test_a_message_in_hevc_goes_whole_and_is_noticed_if_it_did_not(kind: int) -> None:
    strip = strip_of(HEVC_ENTRY)
    assert strip is not None
    frame = nal_hevc(kind, CANARY) + nal_hevc(19)
    assert strip(frame) == nal_hevc(19)
    check.hevc(strip(frame), 4)
    description = Description(is_video=True, codec=b"hvc1", nal_length=4)
    check_frame(description, strip(frame))
    with pytest.raises(MetadataSurvived):
        check_frame(description, frame)


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("kind", [2, 5, 7, 8, 15])
def test_a_message_in_av1_goes_whole_and_is_noticed_if_it_did_not(kind: int) -> None:
    strip = strip_of(Entry(b"av01"))
    assert strip is not None
    last = bytes([6 << 3]) + b"rest"
    frame = obu(1, AV1_SEQUENCE) + obu(kind, CANARY) + obu(6, b"y" * 3, extended=True) + last
    kept = strip(frame)
    assert CANARY not in kept
    description = Description(is_video=True, codec=b"av01")
    check_frame(description, kept)
    with pytest.raises(MetadataSurvived):
        check_frame(description, frame)


def test_units_that_do_not_add_up_are_refused() -> None:
    avc, av1 = strip_of(AVC_ENTRY), strip_of(Entry(b"av01"))
    assert avc is not None
    assert av1 is not None
    assert avc(nal(5) + bytes(8) + nal(1) + bytes(4)) == nal(5) + nal(1)
    for frame in (nal(5)[:-1], nal(5) + b"\0", b"\0\0\0"):
        with pytest.raises(Malformed):
            avc(frame)
        with pytest.raises(MetadataSurvived):
            check_frame(Description(is_video=True, codec=b"avc1", nal_length=4), frame)
    for frame in (obu(6)[:-1], b"\x32", b"\x32" + b"\xff" * 9):
        with pytest.raises(Malformed):
            av1(frame)
        with pytest.raises(MetadataSurvived):
            check_frame(Description(is_video=True, codec=b"av01"), frame + b"\xff" * 0)


def test_a_unit_that_is_longer_than_its_few_bits_goes_whole() -> None:
    strip, described = strip_of(AVC_ENTRY), Description(is_video=True, codec=b"avc1", nal_length=4)
    hevc, also = strip_of(HEVC_ENTRY), Description(is_video=True, codec=b"hvc1", nal_length=4)
    assert strip is not None
    assert hevc is not None
    for kind in (9, 10, 11):
        assert strip(nal(kind, CANARY) + nal(5)) == nal(5)
        with pytest.raises(MetadataSurvived):
            check_frame(described, nal(kind, CANARY))
    for kind in (35, 36, 37):
        assert hevc(nal_hevc(kind, b"\1" + CANARY) + nal_hevc(19)) == nal_hevc(19)
        with pytest.raises(MetadataSurvived):
            check_frame(also, nal_hevc(kind, b"\1" + CANARY))


def test_a_delimiter_says_three_bits_and_an_end_nothing() -> None:
    """In MP4 and, led by start codes, in AVI: of a delimiter's ten bits eight are fixed."""
    avc, hevc = strip_of(AVC_ENTRY), strip_of(HEVC_ENTRY)
    assert avc is not None
    assert hevc is not None
    good = [b"\x09\xf0", b"\x09\x10", b"\x0a", b"\x0b"]
    for unit in [*good, b"\x09\xf1", b"\x09", b"\x29\xf0", b"\x2a", b"\x0a\x80", b"\x4b"]:
        led, started = struct.pack(">I", len(unit)) + unit, b"\0\0\0\1" + unit
        picture = b"\0\0\0\1\x65\x80"
        is_good = unit in good
        assert avc(led + nal(5)) == (led if is_good else b"") + nal(5)
        assert annexb.avc(started + picture) == (started if is_good else b"") + picture
        for look in (
            partial(check.avc, led, 4),
            partial(annexb_check.avc, started),
        ):
            if is_good:
                look()
            else:
                with pytest.raises(MetadataSurvived):
                    look()
    ends = [b"\x46\1\x50", b"\x46\2\x10", b"\x48\1", b"\x4a\1"]
    for unit in [*ends, b"\x46\1\x51", b"\x48\2", b"\x4a\1\x80", b"\x46\1"]:
        led, started = struct.pack(">I", len(unit)) + unit, b"\0\0\0\1" + unit
        picture = b"\0\0\0\1\x26\1\x80"
        is_good = unit in ends
        assert hevc(led + nal_hevc(19)) == (led if is_good else b"") + nal_hevc(19)
        assert annexb.hevc(started + picture) == (started if is_good else b"") + picture
        for look in (
            partial(check.hevc, led, 4),
            partial(annexb_check.hevc, started),
        ):
            if is_good:
                look()
            else:
                with pytest.raises(MetadataSurvived):
                    look()


@pytest.mark.parametrize("kind", [2, 3, 4])
def test_a_part_of_a_picture_that_no_decoder_reads_goes_from_avi_too(kind: int) -> None:
    picture = b"\0\0\0\1\x65\x80"
    said = b"\0\0\0\1" + bytes([0x60 | kind]) + CANARY
    assert annexb.avc(picture + said + picture) == picture + picture
    with pytest.raises(MetadataSurvived):
        annexb_check.avc(picture + said)


def test_pictures_of_a_second_layer_and_broken_ones_go() -> None:
    """Depth, or a second eye: no box that announces them stays, so nobody would see them."""
    strip, description = (
        strip_of(HEVC_ENTRY),
        Description(is_video=True, codec=b"hvc1", nal_length=4),
    )
    assert strip is not None
    base = nal_hevc(19)
    for unit in (
        nal_hevc(1, b"\x09" + CANARY),
        b"\0\0\0\5\3\1abc",
        b"\0\0\0\1\2",
        b"\0\0\0\3\xa6\1x",
    ):
        assert strip(base + unit + base) == base + base
        with pytest.raises(MetadataSurvived):
            check_frame(description, base + unit)


def mpeg_entry(object_type: int) -> Entry:
    return Entry(b"mp4v", described(b"mp4v", PICTURE + esds(object_type, b""), is_video=True))


def test_a_signature_and_the_time_of_day_in_mpeg_pictures_go() -> None:
    old, new = strip_of(mpeg_entry(0x61)), strip_of(mpeg_entry(0x20))
    assert old is not None
    assert new is not None
    picture = b"\0\0\1\0picture"
    said = b"\0\0\1\xb2" + CANARY
    day = b"\0\0\1\xb8\x35\x2b\xa1\x60"
    quiet = b"\0\0\1\xb8\0\x08\0\x60"
    cut = b"\0\0\1\xb8\0\x08"
    dirty = said + said + day + picture + said + day[:6]
    assert old(dirty) == quiet + picture + quiet[:7] + b"\0"
    assert old(picture) == picture
    assert old(b"\0\0\1\xb8\0\0\1\xb2") == b"\0\0\1\xb8\0\x08\0\x20"
    assert old(b"\0\0\1\xb2\0\0\1\xb8") == b"\0\0\1\xb8\0\x08\0\0"
    assert new(b"\0\0\1\xb6picture" + said) == b"\0\0\1\xb6picture"
    mpeg2 = Description(is_video=True, codec=b"mp4v", object_type=0x61)
    mpeg4 = Description(is_video=True, codec=b"mp4v", object_type=0x20)
    check_frame(mpeg2, old(dirty))
    check_frame(mpeg4, b"\0\0\1\xb6picture")
    for lie in (said, day, cut + b"\0\x61", b"\0\0\1", quiet[:7] + b"\x80"):
        with pytest.raises(MetadataSurvived):
            check_frame(mpeg2, lie)
    with pytest.raises(MetadataSurvived):
        check_frame(mpeg4, said)


def prores(creator: bytes, *, fields: int = 1, matrices: int = 0, tail: bytes = b"") -> bytes:
    """Return a frame of ProRes whose pictures are empty ones of eight and nine bytes."""
    size = 20 + 64 * matrices.bit_count()
    flags = bytes([0x80 | (4 if fields == 2 else 0)])
    head = struct.pack(">HH4sHH", size, 0, creator, 64, 48) + flags + bytes(4) + b"\0" + b"\0"
    head += bytes([matrices]) + b"\7" * 64 * matrices.bit_count()
    pictures = b"".join(b"\x40" + struct.pack(">I", 8 + n) + bytes(3 + n) for n in range(fields))
    body = head + pictures + tail
    return struct.pack(">I4s", 8 + len(body), b"icpf") + body


def test_a_frame_of_prores_loses_its_creator_and_what_stands_behind_it() -> None:
    strip, description = strip_of(Entry(b"apch")), Description(is_video=True, codec=b"apch")
    assert strip is not None
    for fields, matrices in ((1, 0), (2, 0), (1, 3), (1, 1)):
        made = strip(prores(b"CANA", fields=fields, matrices=matrices, tail=CANARY))
        assert made == strip(prores(bytes(4), fields=fields, matrices=matrices))
        check_frame(description, made)
        with pytest.raises(MetadataSurvived):
            check_frame(description, made + b"x")
    with pytest.raises(MetadataSurvived):
        check_frame(description, prores(b"CANA"))
    good = prores(bytes(4))
    with pytest.raises(MetadataSurvived):
        check_frame(description, prores(bytes(4), tail=CANARY))
    for bad in (
        good[:20],
        good[:4] + b"xxxx" + good[8:],
        good[:30],
        good[:8] + b"\0\1" + good[10:],
    ):
        with pytest.raises(Malformed):
            strip(bad)


def test_packets_of_amr_are_frames_with_nothing_between() -> None:
    for codec, frames in (
        (b"samr", b"\x04" + b"\xff" * 12 + b"\x7c"),
        (b"sawb", b"\x04" + b"\xff" * 17 + b"\x4c" + b"\xff" * 5),
    ):
        strip, description = strip_of(Entry(codec)), Description(is_video=False, codec=codec)
        assert strip is not None
        made = strip(bytes([frames[0] | 0x83]) + frames[1:])
        assert len(made) == len(frames)
        assert made != frames
        check_frame(description, made)
        for bad in (made + b"\x0c", made + b"\x5c"):
            with pytest.raises(Malformed):
                strip(bad)
            with pytest.raises(MetadataSurvived):
                check_frame(description, bad)
        with pytest.raises(MetadataSurvived):
            check_frame(description, frames)


def test_packets_of_alac_that_begin_with_something_else_are_refused() -> None:
    strip, description = strip_of(Entry(b"alac")), Description(is_video=False, codec=b"alac")
    assert strip is not None
    assert strip(b"\x20sound") == b"\x20sound"
    check_frame(description, b"\x20sound")
    with pytest.raises(Unsupported):
        strip(b"\x80" + CANARY)
    with pytest.raises(MetadataSurvived):
        check_frame(description, b"\x80" + CANARY)


def test_packets_of_mp3_that_are_none_are_refused() -> None:
    frames = Mp3Frames()
    assert list(frames.finish()) == []
    mono = b"\xff\xfb\x90\xc4".ljust(417, b"\0")
    list(frames.add(mono))
    stereo = b"\xff\xfb\x90\x44".ljust(417, b"\0")
    for bad, error in ((b"abc", Unsupported), (mono[:-1], Unsupported), (stereo, Malformed)):
        with pytest.raises(error):
            list(frames.add(bad))
    assert list(frames.finish()) == [mono[:3] + b"\xc0" + mono[4:]]


def test_a_frame_of_flac_that_is_none_is_refused_and_noticed() -> None:
    info = struct.pack(">HH", 4096, 4096) + bytes(6) + (44100 << 44 | 15 << 36).to_bytes(8, "big")
    blocks = b"\x80\0\0\x22" + info + bytes(16)
    data = described(b"fLaC", SOUND + full(b"dfLa", blocks), is_video=False)
    strip = strip_of(Entry(b"fLaC", data))
    assert strip is not None
    with pytest.raises(Malformed):
        strip(CANARY)
    with pytest.raises(MetadataSurvived):
        check_frame(Description(is_video=False, codec=b"fLaC"), CANARY)


def test_a_packet_of_sound_loses_what_it_says_before_it_sounds() -> None:
    entry = Entry(b"mp4a", described(b"mp4a", SOUND + esds(0x40, b"\x12\x10"), is_video=False))
    description = Description(is_video=False, codec=b"mp4a", object_type=0x40)
    strip = strip_of(entry)
    assert strip is not None
    said = int.from_bytes(CANARY, "big")
    fill = "110" + f"{len(CANARY):04b}" + f"{said:0{8 * len(CANARY)}b}"
    longer = "110" + "1111" + f"{len(CANARY) * 2 - 14:08b}" + f"{said:0{8 * len(CANARY)}b}" * 2
    data = "100" + "00000" + f"{len(CANARY):08b}" + f"{said:0{8 * len(CANARY)}b}"
    aligned = "100" + "00001" + f"{255:08b}" + f"{0:08b}" + "01" * 255 * 4
    sound = "001" + "1011" * 20
    sounding = "110" + "0001" + "1101" + "1111"
    for element in (fill, longer, data, aligned):
        text = element + sounding + sound
        packet = int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")
        made = strip(packet)
        left = f"{int.from_bytes(made, 'big'):0{8 * len(made)}b}"
        assert len(made) == len(packet)
        assert left.rstrip("0").endswith((sounding + sound).rstrip("0"))
        assert left.count("1") < text.count("1") - 20
        check_frame(description, made)
        with pytest.raises(MetadataSurvived):
            check_frame(description, packet)
    assert strip(b"") == b""
    assert strip(b"\x21sound") == b"\x21sound"
    with pytest.raises(Malformed):
        strip(b"\xdf\xff")
    check_frame(Description(is_video=False, codec=b"sowt"), CANARY)
    assert strip_of(Entry(b"sowt")) is None
