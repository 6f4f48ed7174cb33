"""MP4, QuickTime, M4A and fragments: boxes at every level, tracks that nobody sees, NAL units."""

import struct
from collections.abc import Callable

from tests.adversary import bases, exif, icc
from tests.adversary.films import (
    C2PA,
    MDIA,
    MINF,
    MOOV,
    SPHERE,
    STBL,
    TRAK,
    XMP,
    apple,
    at,
    before_fragment,
    before_index,
    disabled,
    edited,
    entry,
    in_entry,
    in_fragments,
    in_sample,
    late,
    message,
    nal,
    nal_hevc,
    put,
    setup,
    slack,
    tunes,
    user,
    with_track,
)
from tests.adversary.jpeg import zipped
from tests.adversary.words import GPS_TEXT, Word
from tests.support.boxes import box, full
from tests.support.media import xmp_packet

Build = Callable[[Word], bytes]
VIDEO: dict[str, Build] = {
    "iTunes' title": lambda w: put(MOOV, tunes(b"\xa9nam", w.text)),
    "iTunes' own word": lambda w: put(
        MOOV, tunes(b"----", box(b"mean", bytes(4) + w.text) + box(b"name", bytes(4) + w.text))
    ),
    "an app's account": lambda w: put(MOOV, tunes(b"apID", w.text)),
    "Apple's keys": lambda w: put(MOOV, apple(w.text)),
    "a name of a key": lambda w: put(MOOV, apple(b"x", w.text)),
    "a position": lambda _: put(
        MOOV, user(b"\xa9xyz", struct.pack(">HH", len(GPS_TEXT), 0x15C7) + GPS_TEXT)
    ),
    "a position of 3GPP": lambda w: put(
        MOOV,
        user(
            b"loci",
            bytes(6) + w.text + b"\0" + struct.pack(">B", 0) + struct.pack(">II", w.short, w.short),
        ),
    ),
    "3GPP's title": lambda w: put(MOOV, user(b"titl", bytes(4) + b"\x15\xc7" + w.told)),
    "a GoPro's numbers": lambda w: put(
        MOOV, user(b"GPMF", b"DEVC" + w.told) + user(b"CAME", w.told)
    ),
    "a Sony's": lambda w: put(
        TRAK, full(b"meta", full(b"hdlr", bytes(4), b"nrtm", bytes(13)), full(b"xml ", w.text))
    ),
    "a Canon's": lambda w: put(MOOV, user(b"CNTH", box(b"CNDA", exif.block(w)))),
    "a Samsung's": lambda w: put(MOOV, user(b"smta", box(b"saut", w.told))),
    "a DJI's": lambda w: put(MOOV, user(b"\xa9xsp", b"\0\6\x15\xc7" + w.text)),
    "XMP in user data": lambda w: put(MOOV, user(b"XMP_", xmp_packet(w.text))),
    "XMP in a box of its own": lambda w: bases.mp4() + box(b"uuid", XMP, xmp_packet(w.text)),
    "provenance": lambda w: bases.mp4() + box(b"uuid", C2PA, bytes(4), b"manifest\0", w.told),
    "a panorama": lambda w: put(TRAK, box(b"uuid", SPHERE, b"<rdf:SphericalVideo>" + w.text)),
    "EXIF in user data": lambda w: put(MOOV, user(b"Exif", exif.block(w))),
    "user data of a track": lambda w: put(TRAK, user(b"name", w.told)),
    "user data at the top": lambda w: bases.mp4() + user(b"\xa9cmt", w.told),
    "ID3 at the top": lambda w: (
        bases.mp4()
        + full(
            b"meta",
            full(b"hdlr", bytes(4), b"ID32", bytes(13)),
            full(b"ID32", b"\x15\xc7ID3\4" + w.told),
        )
    ),
    "what ends user data": lambda w: put(MOOV, box(b"udta", bytes(4) + w.told)),
    "free before the data": lambda w: before_index(box(b"free", w.told)),
    "skip at the end": lambda w: bases.mp4() + box(b"skip", w.told),
    "free in the index": lambda w: put(MOOV, box(b"free", w.told)),
    "free in a table": lambda w: put(STBL, box(b"free", w.told)),
    "free in a media header": lambda w: put(MDIA, box(b"skip", w.told)),
    "free in an edit": lambda w: put((*TRAK, b"edts"), box(b"free", w.told)),
    "free in a sample entry": lambda w: in_entry(box(b"free", w.told)),
    "free that says it is endless": lambda w: bases.mp4() + b"\0\0\0\0free" + w.told,
    "free with a long length": lambda w: (
        bases.mp4() + struct.pack(">I4sQ", 1, b"free", 16 + len(w.told)) + w.told
    ),
    "an unknown box": lambda w: bases.mp4() + box(b"wtmk", w.told),
    "a box whose name is the word": lambda w: (
        bases.mp4() + box(w.canary[7:11], box(w.canary[11:15], w.told))
    ),
    "a known box where it does not belong": lambda w: put(MINF, box(b"mvhd", w.told)),
    "a sample table at the top": lambda w: bases.mp4() + box(b"stbl", box(b"stsd", w.told)),
    "a movie header in a track": lambda w: put(TRAK, box(b"mvhd", w.told)),
    "a second index": lambda w: bases.mp4() + box(b"moov", user(b"\xa9nam", w.told)),
    "a second type": lambda w: (
        bases.mp4() + box(b"ftyp", b"isom", struct.pack(">I", w.short), w.told)
    ),
    "the version of its brand": lambda w: edited(
        bases.mp4(), (b"ftyp",), at(4, struct.pack(">I", w.short))
    ),
    "its other brands": lambda w: (
        before_index(b"", edited(bases.mp4(), (b"free",), lambda _: b"")).replace(
            b"isomiso2", w.canary[7:15]
        )
        + box(b"free", w.told)
    ),
    "a preview": lambda w: bases.mp4() + box(b"pnot", bytes(12)) + box(b"PICT", w.told),
    "a second mdat": lambda w: bases.mp4() + box(b"mdat", w.told),
    "bytes that no table names": lambda w: slack(w.told),
    "a whole film that no table names": lambda w: slack(put(MOOV, user(b"\xa9nam", w.told))),
    "bytes behind the last box": lambda w: bases.mp4() + w.told,
    "bytes behind, like a box": lambda w: bases.mp4() + b"\0\1\0\0SEFT" + w.told,
    "an archive behind": lambda w: bases.mp4() + zipped(w.told),
    "a web page before the index": lambda w: before_index(
        box(b"free", b"--><html><script>'" + w.text + b"'</script>")
    ),
    "the time of the film": lambda w: edited(
        bases.mp4(), (*MOOV, b"mvhd"), at(4, struct.pack(">II", w.short, w.short))
    ),
    "the time of a track": lambda w: edited(
        bases.mp4(), (*TRAK, b"tkhd"), at(4, struct.pack(">II", w.short, w.short))
    ),
    "the time of the media": lambda w: edited(
        bases.mp4(), (*MDIA, b"mdhd"), at(4, struct.pack(">II", w.short, w.short))
    ),
    "previews' times": lambda w: edited(
        bases.mp4(), (*MOOV, b"mvhd"), at(72, struct.pack(">IIIIII", *[w.short] * 6))
    ),
    "the next track's number": lambda w: edited(
        bases.mp4(), (*MOOV, b"mvhd"), at(96, struct.pack(">I", w.short))
    ),
    "a track's number": lambda w: edited(
        bases.mp4(), (*TRAK, b"tkhd"), at(12, struct.pack(">I", w.short))
    ),
    "reserved bytes of a track": lambda w: edited(
        bases.mp4(), (*TRAK, b"tkhd"), at(24, struct.pack(">Q", w.long))
    ),
    "reserved bytes of the film": lambda w: (
        edited(bases.mp4(), (*MOOV, b"mvhd"), at(26, w.canary[:10])) + box(b"free", w.told)
    ),
    "a handler's name": lambda w: edited(
        bases.mp4(), (*MDIA, b"hdlr"), lambda c: c[:24] + w.text + b"\0"
    ),
    "a handler's maker": lambda w: edited(
        bases.mp4(), (*MDIA, b"hdlr"), at(12, struct.pack(">Q", w.long))
    ),
    "behind a handler's name": lambda w: edited(
        bases.mp4(), (*MDIA, b"hdlr"), lambda c: c[:24] + b"x\0" + w.told
    ),
    "the maker of a codec": lambda w: (
        edited(bases.mp4(), (*STBL, b"stsd"), at(8 + 8 + 12, w.canary[7:11])) + box(b"free", w.told)
    ),
    "the codec's name": lambda w: edited(
        bases.mp4(), (*STBL, b"stsd"), at(8 + 8 + 42, bytes([15]) + w.canary)
    ),
    "an alias of the data": lambda w: edited(
        bases.mp4(),
        (*MINF, b"dinf", b"dref"),
        lambda _: bytes(4) + struct.pack(">I", 1) + full(b"url ", w.text + b"\0", flags=1),
    ),
    "a group of samples": lambda w: put(
        STBL, full(b"sgpd", b"what", struct.pack(">II", len(w.told), 1) + w.told, flags=1 << 24)
    ),
    "auxiliary information": lambda w: put(STBL, full(b"saiz", w.told)),
    "padding bits": lambda w: put(STBL, full(b"padb", struct.pack(">I", 9) + w.told)),
    "degrees of decay": lambda w: put(STBL, full(b"stdp", w.told)),
    "shadows of key frames": lambda w: put(
        STBL, full(b"stsh", struct.pack(">III", 1, w.short, w.short))
    ),
    "behind a table": lambda w: edited(bases.mp4(), (*STBL, b"stts"), lambda c: c + w.told),
    "behind the sizes": lambda w: edited(bases.mp4(), (*STBL, b"stsz"), lambda c: c + w.told),
    "a colour profile": lambda w: in_entry(box(b"colr", b"prof", icc.profile(w.text))),
    "the shape of a pixel": lambda w: in_entry(box(b"pasp", struct.pack(">II", w.short, w.short))),
    "a bit rate": lambda w: in_entry(box(b"btrt", struct.pack(">III", w.short, w.short, w.short))),
    "a subtitle track": lambda w: with_track(b"text", entry(b"tx3g", bytes(38)), w.told),
    "timed metadata": lambda w: with_track(b"meta", entry(b"mebx", w.told), b"GPMF" + w.told),
    "a GoPro's track": lambda w: with_track(b"meta", entry(b"gpmd", bytes(4)), b"DEVC" + w.told),
    "a time code": lambda w: with_track(
        b"tmcd", entry(b"tmcd", bytes(26) + box(b"name", w.told)), struct.pack(">I", w.short)
    ),
    "a hint track": lambda w: with_track(b"hint", entry(b"rtp ", bytes(8)), w.told),
    "a track of an unknown handler": lambda w: with_track(w.canary[7:11], entry(b"what"), w.told),
    "a track of pictures of an unknown codec": lambda w: with_track(
        b"vide", entry(b"WTMK", bytes(70)), w.told
    ),
    "a disabled track": disabled,
    "frames that an edit hides": late,
    "an SEI message": lambda w: in_sample(nal(6, message(w.canary))),
    "an SEI message of a seller's": lambda w: in_sample(nal(6, message(w.canary, 4))),
    "an SEI message behind": lambda w: in_sample(nal(6, message(w.canary)), last=True),
    "an SEI message of a kind that nobody knows": lambda w: in_sample(
        nal(6, message(w.canary, 200))
    ),
    "filler": lambda w: in_sample(nal(12, w.text + b"\x80"), last=True),
    "a unit of nobody's": lambda w: in_sample(nal(30, w.text + b"\x80"), last=True),
    "a reserved unit": lambda w: in_sample(nal(23, w.text + b"\x80"), last=True),
    "the end of a sequence": lambda w: in_sample(nal(10, w.text), last=True),
    "a delimiter": lambda w: in_sample(nal(9, b"\xf0" + w.text)),
    "an auxiliary slice": lambda w: in_sample(nal(19, w.text + b"\x80"), last=True),
    "behind the setup": lambda w: setup(lambda c: c + w.told),
    "a set of nobody's in the setup": lambda w: setup(
        lambda c: (
            c[:5]
            + b"\xe2"
            + c[6 : 8 + c[7]]
            + struct.pack(">HB", len(w.text) + 1, 0x7E)
            + w.text
            + c[8 + c[7] :]
        )
    ),
    "behind a parameter set": lambda w: setup(
        lambda c: (
            c[:6]
            + struct.pack(">H", c[7] + len(w.canary))
            + c[8 : 8 + c[7]]
            + w.canary
            + c[8 + c[7] :]
        )
    ),
    "HEVC: an SEI message": lambda w: in_sample(nal_hevc(39, message(w.canary)), bases.hevc()),
    "HEVC: an SEI message behind": lambda w: in_sample(
        nal_hevc(40, message(w.canary)), bases.hevc(), last=True
    ),
    "HEVC: filler": lambda w: in_sample(nal_hevc(38, w.text + b"\x80"), bases.hevc(), last=True),
    "HEVC: a unit of nobody's": lambda w: in_sample(nal_hevc(50, w.text), bases.hevc()),
    "HEVC: behind the setup": lambda w: setup(
        lambda c: c + w.told, bases.hevc(), (b"hvc1", b"hvcC")
    ),
}
FRAGMENTS: dict[str, Build] = {
    "an event": lambda w: before_fragment(
        full(b"emsg", w.text + b"\0" + w.text + b"\0" + bytes(16) + w.told)
    ),
    "a producer's clock": lambda w: before_fragment(
        full(b"prft", struct.pack(">IQQ", 1, w.long, w.long), flags=1 << 24)
    ),
    "a segment's type": lambda w: before_fragment(
        box(b"styp", b"msdh", struct.pack(">I", w.short), w.canary[7:15])
    ),
    "free between fragments": lambda w: before_fragment(box(b"free", w.told)),
    "user data of a fragment": lambda w: in_fragments((b"moof", b"traf"), user(b"name", w.told)),
    "a box of one's own in a fragment": lambda w: in_fragments(
        (b"moof",), box(b"uuid", bytes(16), w.told)
    ),
    "a fragment's number": lambda w: edited(
        bases.fragments(), (b"moof", b"mfhd"), at(4, struct.pack(">I", w.short))
    ),
    "an index of segments": lambda w: before_fragment(
        full(
            b"sidx",
            struct.pack(">II", w.short, 1000),
            bytes(8),
            struct.pack(">HH", 0, 1),
            struct.pack(">III", 9, w.short, 0),
        )
    ),
    "random access": lambda w: bases.fragments() + box(b"mfra", full(b"tfra", w.told)),
    "keys for nothing": lambda w: put(
        (b"moov",),
        full(b"pssh", bytes(16), struct.pack(">I", len(w.told)), w.told),
        bases.fragments(),
    ),
    "defaults of nothing": lambda w: put(
        (b"moov", b"mvex"), box(b"free", w.told), bases.fragments()
    ),
    "behind the last fragment": lambda w: bases.fragments() + w.told,
}
QUICKTIME: dict[str, Build] = {
    "wide": lambda w: bases.mov() + box(b"wide", w.told),
    "old user data": lambda w: put(
        MOOV, user(b"\xa9cpy", struct.pack(">HH", len(w.text), 0) + w.text), bases.mov()
    ),
    "a scrap of a window": lambda w: put(
        MOOV, user(b"WLOC", struct.pack(">I", w.short)), bases.mov()
    ),
    "a movie's profile": lambda w: put(MOOV, box(b"prfl", w.told), bases.mov()),
    "a compressed index": lambda w: bases.mov() + box(b"moov", box(b"cmov", w.told)),
    "a reference to another film": lambda w: put(
        MOOV,
        box(b"rmra", box(b"rmda", full(b"rdrf", b"url ", struct.pack(">I", len(w.text)), w.text))),
        bases.mov(),
    ),
    "clipping": lambda w: put(TRAK, box(b"clip", box(b"crgn", w.told)), bases.mov()),
    "a load setting": lambda w: put(
        TRAK, box(b"load", struct.pack(">QQ", w.long, w.long)), bases.mov()
    ),
    "a matte": lambda w: put(TRAK, box(b"matt", w.told), bases.mov()),
    "an aperture": lambda w: put(
        TRAK, box(b"tapt", full(b"clef", struct.pack(">II", w.short, w.short))), bases.mov()
    ),
    "a fourth handler": lambda w: edited(bases.mov(), (*MINF, b"hdlr"), lambda c: c[:24] + w.text),
    "chapters": lambda w: put(
        TRAK, box(b"tref", box(b"chap", struct.pack(">I", w.short))), bases.mov()
    ),
    "bytes behind": lambda w: bases.mov() + w.told,
}
MEMOS: dict[str, Build] = {
    "a cover": lambda w: put(MOOV, tunes(b"covr", w.told), bases.m4a()),
    "a purchaser": lambda w: put(MOOV, tunes(b"apID", w.text), bases.m4a()),
    "a chapter list": lambda w: put(
        MOOV,
        user(b"chpl", bytes(8) + b"\1" + bytes(8) + bytes([len(w.text)]) + w.text),
        bases.m4a(),
    ),
    "an elementary stream's description": lambda w: edited(
        bases.m4a(),
        STBL,
        lambda c: edited(
            c,
            (b"stsd",),
            lambda d: d[:8] + edited(d[8:], (b"mp4a",), lambda e: e + box(b"esds", w.told)),
        ),
    ),
    "a DRM's": lambda w: put(STBL, box(b"sinf", box(b"schi", box(b"user", w.told))), bases.m4a()),
    "ID3": lambda w: bases.m4a() + b"TAG" + w.told.ljust(125, b"\0"),
}


PLACES: dict[str, tuple[str, Build]] = {
    **{name: ("mp4", build) for name, build in VIDEO.items()},
    **{f"fragments: {name}": ("mp4", build) for name, build in FRAGMENTS.items()},
    **{f"QuickTime: {name}": ("mov", build) for name, build in QUICKTIME.items()},
    **{f"memo: {name}": ("m4a", build) for name, build in MEMOS.items()},
}
REFUSABLE = {
    "a second index",
    "a known box where it does not belong",
    "a track of pictures of an unknown codec",
    "an auxiliary slice",
    "a reserved unit",
    "a set of nobody's in the setup",
    "behind a parameter set",
    "QuickTime: a compressed index",
    "QuickTime: a reference to another film",
    "memo: an elementary stream's description",
    "memo: a DRM's",
    "fragments: keys for nothing",
}
