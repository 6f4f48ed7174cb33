"""What the sanitizer's tests share: cleaning bytes, damaging them, and ExifTool as a judge."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import imageio_ffmpeg
from hypothesis import strategies as st

from sanitizer.clean import CleanFacts, sanitize
from sanitizer.errors import Refused
from sanitizer.jail.program import Jail
from sanitizer.limits import Limits
from sanitizer.planned import PLANNED
from sanitizer.source import MemorySource
from sanitizer.workers import Here
from tests.support.leaks import leaks

CANARY = b"CANARY-7f3a91"
HERE = Here(PLANNED)
"""Every cleaner in this process, where its branches can be counted; test_worker has the jailed."""
HAS_EXIFTOOL = shutil.which("exiftool") is not None
_HARMLESS = {
    "File", "ExifTool", "System", "Composite",
}  # fmt: skip
_ALLOWED = {
    "JFIFVersion", "ResolutionUnit", "XResolution", "YResolution", "Orientation",
    "DCTEncodeVersion", "APP14Flags0", "APP14Flags1", "ColorTransform", "ImageWidth",
    "ImageHeight", "BitDepth", "ColorType", "Compression", "Filter", "Interlace",
    "AnimationFrames", "AnimationPlays", "Palette", "Transparency", "Gamma", "SRGBRendering",
    "PixelsPerUnitX", "PixelsPerUnitY", "PixelUnits", "ProfileName",
    "MajorBrand", "MinorVersion", "CompatibleBrands", "MediaDataSize", "MediaDataOffset",
    "MovieHeaderVersion", "TimeScale", "Duration", "PreferredRate", "PreferredVolume",
    "PreviewTime", "PreviewDuration", "PosterTime", "SelectionTime", "SelectionDuration",
    "CurrentTime", "NextTrackID", "TrackHeaderVersion", "TrackID", "TrackDuration", "TrackLayer",
    "TrackVolume", "MatrixStructure", "MediaHeaderVersion", "MediaTimeScale", "MediaDuration",
    "GraphicsMode", "OpColor", "CompressorID", "SourceImageWidth", "SourceImageHeight",
    "PixelAspectRatio", "Balance", "AudioFormat", "AudioChannels", "AudioBitsPerSample",
    "AudioSampleRate", "VideoFrameRate", "ColorProfiles", "ColorPrimaries",
    "TransferCharacteristics", "MatrixCoefficients", "VideoFullRangeFlag", "ExifByteOrder",
    "VideoFieldOrder", "Endianness", "PurchaseFileFormat",
    "HEVCConfigurationVersion", "GeneralProfileSpace", "GeneralTierFlag", "GeneralProfileIDC",
    "GenProfileCompatibilityFlags", "ConstraintIndicatorFlags", "GeneralLevelIDC",
    "MinSpatialSegmentationIDC", "ParallelismType", "ChromaFormat", "BitDepthLuma",
    "BitDepthChroma", "AverageFrameRate", "ConstantFrameRate", "NumTemporalLayers",
    "TemporalIDNested", "ImageSpatialExtent", "ImagePixelDepth", "PrimaryItemReference",
    "Rotation", "Mirroring", "CleanAperture", "AV1ConfigurationVersion", "ChromaSamplePosition",
    "AuxiliaryImageType", "MetaImageSize",
    "PhotometricInterpretation", "StripOffsets", "SamplesPerPixel", "RowsPerStrip",
    "StripByteCounts", "PlanarConfiguration", "Predictor", "ColorMap", "TileWidth", "TileLength",
    "TileOffsets", "TileByteCounts", "ExtraSamples", "SampleFormat", "YCbCrCoefficients",
    "YCbCrSubSampling", "YCbCrPositioning", "ReferenceBlackWhite",
    # What ExifTool calls the strip of a page that is a JPEG.
    "PreviewImageStart", "PreviewImageLength", "PreviewImage",
    "NumChannels", "SampleRate", "AvgBytesPerSec", "BitsPerSample", "Encoding", "NumberOfSamples",
    "NumSampleFrames", "SampleSize", "CompressionType",
    "VideoCodec", "StreamType", "VideoFrameCount", "AudioSampleCount", "FrameRate", "StreamCount",
    "AudioCodec", "FrameCount", "MaxDataRate", "Quality", "TotalFrameCount",
    "GIFVersion", "HasColorMap", "ColorResolutionDepth", "BitsPerPixel", "BackgroundColor",
    "AnimationIterations", "TransparentColor",
    "VP8Version", "HorizontalScale", "VerticalScale", "WebP_Flags", "AnimationLoopCount",
    "AlphaPreprocessing", "AlphaFiltering", "AlphaCompression",
    "EBMLVersion", "EBMLReadVersion", "DocType", "DocTypeVersion", "DocTypeReadVersion",
    "TimecodeScale", "TrackNumber", "TrackType", "CodecID", "VideoScanType",
    "DefaultDuration", "DisplayUnit", "CropTop", "CropBottom", "CropLeft", "CropRight",
    "StereoMode", "DisplayWidth", "DisplayHeight", "CodecDelay", "SeekPreRoll",
    "MPEGAudioVersion", "AudioLayer", "AudioBitrate", "ChannelMode", "MSStereo", "IntensityStereo",
    "Emphasis", "BlockSizeMin", "BlockSizeMax", "Channels", "TotalSamples", "OpusVersion",
    "PDFVersion", "Linearized", "PageCount",
    "OutputGain", "VorbisVersion", "VBRFrames", "VBRBytes",
}  # fmt: skip
# Numbers of a profile of ours; its texts are in _NAMELESS.
_ICC = {"ICC-header", "ICC_Profile"}
_NAMELESS = {
    "ProfileDescription": {"", "Display P3", "sRGB", "Adobe RGB"},
    "ProfileCopyright": {"", "Display P3", "sRGB", "Adobe RGB"},
    "ProfileDateTime": {"0000:00:00 00:00:00"},
    "ProfileCMMType": {""},
    "PrimaryPlatform": {"Unknown ()", ""},
    "DeviceManufacturer": {""},
    "DeviceModel": {""},
    "ProfileCreator": {""},
    "ProfileID": {"0"},
}
_EMPTY_ONLY = {"CreateDate", "ModifyDate", "TrackCreateDate", "TrackModifyDate"} | {
    "MediaCreateDate", "MediaModifyDate",
}  # fmt: skip


def clean(data: bytes, limits: Limits | None = None, jail: Jail | None = None) -> bytes:
    """Return the clean form of some bytes."""
    return cleaned(data, limits, jail)[0]


def cleaned(
    data: bytes, limits: Limits | None = None, jail: Jail | None = None
) -> tuple[bytes, CleanFacts]:
    """Return the clean form of some bytes, and the facts."""
    with MemorySource(data) as source:
        file = sanitize(source, limits or Limits(), jail, HERE)
        made = b"".join(file.chunks())
        return made, file.facts


def streamed(data: bytes) -> tuple[list[bytes], str, str]:
    """Return the parts in which a sound or video streams, its type and its extension."""
    with MemorySource(data) as source:
        file = sanitize(source, Limits())
        return list(file.chunks()), file.media_type, file.extension


def damaged(data: st.DataObject, whole: bytes, start: int = 0, most: int = 4) -> bytes:
    """Return ``whole`` after up to ``most`` small cuts and splices, none before ``start``."""
    dirty = bytearray(whole)
    for _ in range(data.draw(st.integers(1, most))):
        at = data.draw(st.integers(start, len(dirty) - 1))
        dirty[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    return bytes(dirty)


def silent_or_refused(dirty: bytes) -> None:
    """Clean what may be broken: the result, if there is one, says nothing and is settled."""
    try:
        made = clean(dirty)
    except Refused:
        return
    assert not leaks(CANARY, made)
    assert clean(made) == made


def prove(dirty: bytes, suffix: str, canary: bytes = CANARY) -> tuple[bytes, CleanFacts]:
    """Clean ``dirty`` and return the result, once it is proven to be silent and settled.

    (1) the planted word was there (2) it is nowhere now (3) ExifTool finds nothing that nobody
    needs (4) cleaning again changes nothing.  ``suffix`` is the dirty file's, for messages.
    """
    assert leaks(canary, dirty), f"nothing is planted in this {suffix}"
    with MemorySource(dirty) as source:
        file = sanitize(source, Limits(), worker=HERE)
        made = b"".join(file.chunks())
    assert not leaks(canary, made)
    if HAS_EXIFTOOL:
        assert not surprises(made, "." + file.extension)
    assert clean(made) == made
    return made, file.facts


def surprises(data: bytes, suffix: str) -> set[str]:
    """Return the tags that ExifTool finds and that nobody needs in order to see the picture."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{suffix}"
        path.write_bytes(data)
        told = subprocess.run(
            ["exiftool", "-a", "-G1", "-s", "-ee", "-json", "-api", "RequestAll=3", str(path)],
            check=False,
            capture_output=True,
        )
    # Of raw AAC and of AMR it knows nothing, and so finds nothing.
    assert told.returncode == 0 or b'"Unknown file type"' in told.stdout
    return unexpected(json.loads(told.stdout)[0])


def unexpected(tags: dict[str, object]) -> set[str]:
    """Return the names of the tags, of those that ExifTool tells, that nobody needs."""
    found = set()
    for name, value in tags.items():
        group, _, tag = name.rpartition(":")
        empty = tag in _EMPTY_ONLY and value == "0000:00:00 00:00:00"
        fixed = (tag, str(value)) in {
            ("MediaLanguageCode", "und"), ("HandlerType", "Video Track"),
            ("HandlerType", "Audio Track"), ("HandlerType", "Picture"), ("CompressorName", ""),
            ("FormatVersionTime", "1990:05:23 14:40:00"),
            ("MuxingApp", "amana"), ("WritingApp", "amana"), ("TrackLanguage", "und"),
            ("TrackUID", "01"), ("TrackUID", "02"), ("TrackUID", "03"),
            ("Encoder", "LAME"), ("CopyrightFlag", "False"), ("OriginalMedia", "False"),
            ("MD5Signature", "0" * 32), ("FrameSizeMin", "0"), ("FrameSizeMax", "0"),
            ("Vendor", ""), ("VBRScale", "0"),
        }  # fmt: skip
        profile = group in _ICC and str(value) in _NAMELESS.get(tag, {str(value)})
        if profile:
            continue
        if group not in _HARMLESS and tag not in _ALLOWED and not empty and not fixed and group:
            found.add(name)
    return found


def hashes(data: bytes, *, decoded: bool = False) -> list[str]:
    """Return one hash for each stream: of its packets, or of its pictures and sound."""
    codec = ["-c:v", "rawvideo", "-c:a", "pcm_s16le"] if decoded else ["-c", "copy"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(data)
        made = subprocess.run(
            [
                imageio_ffmpeg.get_ffmpeg_exe(),
                "-v",
                "error",
                "-i",
                str(path),
                "-map",
                "0:V?",
                "-map",
                "0:a?",
                *codec,
                "-fps_mode",
                "passthrough",
                "-f",
                "streamhash",
                "-",
            ],
            check=True,
            capture_output=True,
        )
    return made.stdout.decode().splitlines()
