"""WAV, RF64 and BW64: what goes, what stays, and what is refused."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanitizer.errors import Empty, Malformed, MetadataSurvived, Refused, TooComplex, Unsupported
from sanitizer.limits import Limits
from sanitizer.riff import sound
from sanitizer.riff.wav import Wav
from sanitizer.riff.wav_check import Checker
from tests.sanitizer.kit import CANARY, clean, cleaned, hashes, prove, silent_or_refused
from tests.support.containers import chunk, listed, recorded, split

PCM = struct.pack("<HHIIHH", 1, 2, 8000, 32000, 4, 16)
SOUND = bytes(range(256)) * 4
FORM = chunk(b"fmt ", PCM)
GUID = bytes.fromhex("000000001000800000aa00389b71")


def wav(*parts: bytes, head: bytes = b"RIFF") -> bytes:
    body = b"WAVE" + b"".join(parts)
    return head + struct.pack("<I", len(body)) + body


def coded(tag: int, align: int, bits: int, extra: bytes = b"", channels: int = 2) -> bytes:
    told = struct.pack("<HHIIHH", tag, channels, 8000, 9, align, bits)
    return chunk(b"fmt ", told + struct.pack("<H", len(extra)) + extra)


def extensible(codec: int, bits: int, valid: int, tail: bytes = GUID, mask: int = 3) -> bytes:
    told = struct.pack("<HIH", valid, mask, codec) + tail
    return coded(0xFFFE, 2 * bits // 8, bits, told)


PLAIN = wav(FORM, chunk(b"data", SOUND))
INFO = listed(b"INFO", *(chunk(name, CANARY) for name in (b"IART", b"ICRD", b"ISFT", b"IXYZ")))
BEFORE: dict[str, tuple[bytes, str]] = {
    "names": (INFO, "author"),
    "broadcast extension": (chunk(b"bext", CANARY.ljust(602, b"\0")), "capture_time"),
    "XML of a recorder": (chunk(b"iXML", b"<BWFXML>" + CANARY), "other_metadata"),
    "ID3": (chunk(b"id3 ", b"ID3\4" + CANARY), "other_metadata"),
    "XMP": (chunk(b"_PMX", CANARY), "xmp"),
    "marks": (chunk(b"cue ", CANARY), "chapters"),
    "labels": (listed(b"adtl", chunk(b"labl", b"\1\0\0\0" + CANARY)), "chapters"),
    "a clipboard": (chunk(b"DISP", b"\1\0\0\0" + CANARY), "comment"),
    "peaks": (chunk(b"PEAK", CANARY), "capture_time"),
    "an unknown chunk": (chunk(b"LGWV", CANARY + b"!"), "other_metadata"),
    "a list of unknown kind": (listed(b"hide", CANARY), "comment"),
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("place", BEFORE)
@pytest.mark.parametrize("where", ["before", "between", "behind"])
def test_a_hiding_place_in_a_wav_is_emptied(place: str, where: str) -> None:
    part, kind = BEFORE[place]
    parts = [FORM, chunk(b"data", SOUND)]
    parts.insert(["before", "between", "behind"].index(where), part)
    made, facts = prove(wav(*parts), "wav")
    assert made == PLAIN
    assert kind in facts.removed


SLACK: dict[str, bytes] = {
    "a filler": wav(FORM, chunk(b"JUNK", CANARY), chunk(b"data", SOUND)),
    "behind the numbers": wav(chunk(b"fmt ", PCM + b"\0\0" + CANARY), chunk(b"data", SOUND)),
    "in the extra bytes": wav(coded(1, 4, 16, CANARY), chunk(b"data", SOUND)),
    "behind the last chunk": PLAIN + CANARY,
    "behind the last chunk, long": PLAIN + b"\xff" + CANARY * 3,
    "a chunk that is too long": PLAIN + b"junk\xff\xff\0\0" + CANARY,
    "a second sound": wav(FORM, chunk(b"data", SOUND), chunk(b"data", CANARY)),
    "a partial frame": wav(FORM, chunk(b"data", SOUND)[:-2] + CANARY[:3])[:-1] + INFO,
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("place", SLACK)
def test_slack_in_a_wav_goes(place: str) -> None:
    made, _ = prove(SLACK[place], "wav")
    assert made[:44] == PLAIN[:4] + made[4:8] + PLAIN[8:40] + made[40:44]
    assert set(dict(split(made))) == {b"fmt ", b"data"}


@pytest.mark.claim("C-META")
def test_the_zero_behind_an_odd_length_is_a_zero() -> None:
    form = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 8000, 1, 8))
    dirty = wav(form, b"data" + struct.pack("<I", 5) + b"sound" + b"C")
    assert clean(dirty) == wav(form, chunk(b"data", b"sound"))


UNSAID = {"nothing": 0, "all ones": 0xFFFFFFFF, "too much": 99_999}


@pytest.mark.parametrize("said", UNSAID)
def test_sound_of_a_recorder_that_crashed_is_kept_up_to_the_last_whole_frame(said: str) -> None:
    dirty = wav(FORM, b"data" + struct.pack("<I", UNSAID[said]) + SOUND + b"\1\2\3")
    assert clean(dirty) == PLAIN


BEHIND = {
    "names": INFO,
    "two chunks": INFO + chunk(b"id3 ", CANARY),
    "odd and bare": chunk(b"bext", CANARY)[:-1],
    "ID3v1": b"TAG" + CANARY.ljust(125, b"\0"),
    "APE": b"APETAGEX" + CANARY.ljust(32, b"\0"),
    "ID3v2": b"ID3\4\0\0\0\0\0" + bytes([len(CANARY)]) + CANARY,
}


@pytest.mark.claim("C-META")
@pytest.mark.parametrize("said", UNSAID)
@pytest.mark.parametrize("tag", BEHIND)
def test_names_behind_sound_of_unknown_length_are_no_sound(said: str, tag: str) -> None:
    dirty = wav(FORM, b"data" + struct.pack("<I", UNSAID[said]) + SOUND) + BEHIND[tag]
    made, facts = prove(dirty, "wav")
    assert made == PLAIN
    assert "trailing_data" in facts.removed


def test_sound_that_only_looks_like_a_tag_is_kept() -> None:
    sound_of_tags = SOUND + b"ID3\4\0\0\0\0\0\x7fTAG!LISTLIST" + bytes(3)
    sound_of_tags += bytes(-len(sound_of_tags) % 4)
    dirty = wav(FORM, b"data" + struct.pack("<I", 0) + sound_of_tags)
    assert clean(dirty) == wav(FORM, chunk(b"data", sound_of_tags))


FORMS: dict[str, bytes] = {
    "8 bits": chunk(b"fmt ", struct.pack("<HHIIHH", 1, 2, 8000, 16000, 2, 8)),
    "24 bits": chunk(b"fmt ", struct.pack("<HHIIHH", 1, 2, 8000, 0, 6, 24)),
    "20 bits": chunk(b"fmt ", struct.pack("<HHIIHH", 1, 2, 8000, 0, 6, 20)),
    "float": coded(3, 8, 32),
    "double": coded(3, 16, 64),
    "A-law": coded(6, 2, 8),
    "mu-law": coded(7, 2, 8),
    "extensible": extensible(1, 16, 12),
    "extensible float": extensible(3, 32, 32),
    "ambisonic": extensible(1, 16, 16, bytes.fromhex("00002107d3118644c8c1ca000000")),
    "IMA ADPCM": coded(0x11, 16, 4, struct.pack("<H", 9)),
    "MS ADPCM": coded(2, 16, 4, bytes(32)),
    "GSM": coded(0x31, 65, 0, struct.pack("<H", 320), channels=1),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_kind_of_sound_is_copied_in_whole_blocks(form: str) -> None:
    data = SOUND * 9
    made = clean(wav(FORMS[form], chunk(b"data", data), INFO))
    parts = dict(split(made))
    align = struct.unpack_from("<H", parts[b"fmt "], 12)[0]
    assert parts[b"data"] == data[: len(data) - len(data) % align]
    assert clean(made) == made
    assert sound.parse(parts[b"fmt "]).to_bytes() == parts[b"fmt "]


CODECS = [
    "pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_f32le", "pcm_f64le", "pcm_alaw", "pcm_mulaw",
    "adpcm_ms", "adpcm_ima_wav",
]  # fmt: skip


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("rf64", ["never", "always"])
def test_what_is_heard_is_the_same(codec: str, rf64: str) -> None:
    title = "title=" + CANARY.decode()
    dirty = recorded("wav", "-c:a", codec, "-metadata", title, "-rf64", rf64, picture="")
    made, _ = prove(dirty, "wav")
    assert hashes(made, decoded=True) == hashes(dirty, decoded=True)


def test_a_count_of_samples_is_kept_where_it_can_be_true() -> None:
    form, data = FORMS["IMA ADPCM"], bytes(16 * 4)
    for said, kept in ((28, 28), (36, 36), (27, 36), (37, 36)):
        dirty = wav(form, chunk(b"fact", struct.pack("<I", said)), chunk(b"data", data))
        assert dict(split(clean(dirty)))[b"fact"] == struct.pack("<I", kept)
    dirty = wav(form, chunk(b"fact", b"\1\2"), chunk(b"data", data))
    assert dict(split(clean(dirty)))[b"fact"] == struct.pack("<I", 36)


REFUSED: dict[str, tuple[bytes, type[Refused]]] = {
    "MP3": (wav(coded(0x55, 1, 0), chunk(b"data", SOUND)), Unsupported),
    "an unknown sub-format": (wav(extensible(9, 16, 16), chunk(b"data", SOUND)), Unsupported),
    "a strange family": (wav(extensible(1, 16, 16, bytes(14)), chunk(b"data", SOUND)), Unsupported),
    "more bits than there are": (wav(extensible(1, 16, 17), chunk(b"data", SOUND)), Malformed),
    "a short extension": (wav(coded(0xFFFE, 4, 16, b"\0"), chunk(b"data", SOUND)), Malformed),
    "no channels": (wav(coded(1, 4, 16, channels=0), chunk(b"data", SOUND)), Malformed),
    "blocks that do not fit": (wav(coded(1, 3, 16), chunk(b"data", SOUND)), Malformed),
    "float of 16 bits": (wav(coded(3, 4, 16), chunk(b"data", SOUND)), Malformed),
    "ADPCM that does not fit": (wav(coded(0x11, 9, 4), chunk(b"data", SOUND)), Malformed),
    "long ADPCM": (wav(coded(2, 0xFFFE, 4, channels=1), chunk(b"data", SOUND)), Malformed),
    "a short description": (wav(chunk(b"fmt ", PCM[:12]), chunk(b"data", SOUND)), Malformed),
    "sound first": (wav(chunk(b"data", SOUND), FORM), Malformed),
    "two descriptions": (wav(FORM, FORM, chunk(b"data", SOUND)), Malformed),
    "no sound": (wav(FORM, INFO), Malformed),
    "sound in pieces": (wav(FORM, listed(b"wavl", chunk(b"data", SOUND))), Malformed),
    "less than a frame": (wav(FORM, chunk(b"data", b"\1\2\3")), Empty),
    "names in place of sound": (wav(FORM, chunk(b"data", b"") + INFO), Empty),
    "a cut list of sizes": (wav(chunk(b"ds64", b"")[:-1], head=b"RF64"), Malformed),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_cleaned_is_refused(case: str) -> None:
    dirty, reason = REFUSED[case]
    with pytest.raises(reason):
        clean(dirty)


def test_bombs_of_chunks_are_refused() -> None:
    with pytest.raises(TooComplex):
        clean(wav(FORM, chunk(b"LGWV", b"") * 50, chunk(b"data", SOUND)), Limits(video_boxes=40))
    many = b"LIST\0\0\0\0" * 30_000 + b"!"
    with pytest.raises(TooComplex):
        clean(wav(FORM, b"data" + bytes(4) + many))


@dataclass
class Endless:
    """A source that says it is long, and is a head and then zeros."""

    head: bytes
    length: int

    def read_at(self, offset: int, length: int) -> bytes:
        """Return the head, or zeros."""
        length = max(0, min(length, self.length - offset))
        return self.head[offset : offset + length].ljust(length, b"\0")


def test_sound_beyond_four_gigabytes_is_written_as_rf64() -> None:
    data = 0x1_0000_0004
    long = struct.pack("<QQQI", data + 100, data, data // 4, 0)
    head = wav(chunk(b"ds64", long), FORM, b"data\xff\xff\xff\xff", head=b"RF64")
    made = Wav(Endless(head, len(head) + data), Limits())._made()
    begin = next(made)
    assert begin.startswith(b"RF64\xff\xff\xff\xffWAVEds64")
    assert struct.unpack_from("<QQQ", begin, 20) == (len(begin) - 8 + data, data, data // 4)
    checker = Checker()
    checker.feed(begin)
    assert checker._left == data


def test_a_rf64_that_is_short_becomes_a_plain_wav() -> None:
    long = struct.pack("<QQQI", 0, len(SOUND), len(SOUND) // 4, 0)
    for head in (b"RF64", b"BW64"):
        dirty = wav(chunk(b"ds64", long), FORM, b"data\xff\xff\xff\xff" + SOUND, INFO, head=head)
        assert clean(dirty) == PLAIN


def rf64(said: bytes) -> bytes:
    """Return a long file, as the writer makes it, whose short length of the sound is ``said``."""
    body = FORM + b"data" + said + SOUND
    sizes = struct.pack("<QQQI", len(body) + 40, len(SOUND), len(SOUND) // 4, 0)
    return b"RF64\xff\xff\xff\xffWAVE" + chunk(b"ds64", sizes) + body


def test_the_checker_passes_a_long_file_that_says_its_length_once() -> None:
    judge(rf64(b"\xff\xff\xff\xff"))


def wrong() -> Iterator[tuple[str, bytes]]:
    """Yield heads and tails that a writer gone wrong might make."""
    yield "a name", wav(FORM, INFO, chunk(b"data", SOUND))
    yield "names behind", PLAIN + INFO
    yield "another length", wav(FORM, chunk(b"data", SOUND))[:4] + b"\0\0\0\0" + PLAIN[8:]
    yield "cut", PLAIN[:-1]
    yield "only a head", PLAIN[:20]
    yield "no head", bytes(300)
    bytewise = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 8000, 1, 8))
    yield "a filler that is none", wav(bytewise, chunk(b"data", b"odd")[:-1] + b"C")
    yield "an odd frame", wav(chunk(b"fmt ", PCM), chunk(b"data", b"\1" * 1023))
    yield "no count", wav(FORMS["float"], chunk(b"data", SOUND))
    yield "a count too many", wav(FORM, chunk(b"fact", b"abcd"), chunk(b"data", SOUND))
    yield "another count", wav(FORMS["float"], chunk(b"fact", b"abcd"), chunk(b"data", SOUND))
    yield "extra bytes", wav(coded(1, 4, 16, b"hidden"), chunk(b"data", SOUND))
    lies = chunk(b"fmt ", b"\3" + FORMS["float"][9:24] + b"\2\0")
    yield "extra that lies", wav(lies, chunk(b"fact", b"\x80\0\0\0"), chunk(b"data", SOUND))
    yield "an unknown family", wav(extensible(1, 16, 16, bytes(14)), chunk(b"data", SOUND))
    yield "a strange speaker", wav(extensible(1, 16, 16, mask=1 << 30), chunk(b"data", SOUND))
    count = chunk(b"fact", struct.pack("<I", 256))
    yield "coefficients", wav(FORMS["MS ADPCM"], count, chunk(b"data", SOUND))
    yield "a length beside the long one", rf64(CANARY[:4])
    yield "partial frames", wav(FORM, chunk(b"data", b"\1" * 1022))


@pytest.mark.parametrize("case", dict(wrong()))
def test_the_checker_refuses_what_the_writer_must_not_make(case: str) -> None:
    with pytest.raises(MetadataSurvived):
        judge(dict(wrong())[case])


def judge(made: bytes) -> None:
    checker = Checker()
    for at in range(0, len(made), 7):
        checker.feed(made[at : at + 7])
    checker.finish()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(at=st.integers(0, 120), new=st.binary(max_size=9), cut=st.integers(0, 12))
def test_a_broken_wav_is_refused_or_silent(at: int, new: bytes, cut: int) -> None:
    whole = wav(INFO, FORM, chunk(b"data", SOUND), chunk(b"id3 ", CANARY))
    silent_or_refused(b"RIFF" + (whole[4:at] + new + whole[at + cut :])[:2000])


def test_a_few_bytes_behind_the_end_go() -> None:
    made, facts = cleaned(PLAIN + b"short")
    assert made == PLAIN
    assert facts.removed == ("trailing_data",)


def test_a_clean_wav_has_nothing_removed() -> None:
    made, facts = cleaned(PLAIN)
    assert made == PLAIN
    assert facts.removed == ()
