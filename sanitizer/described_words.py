"""What the codes in the cleaners' lists mean, in plain words, for sanitizer.described.

Rule: a code that is on a list and not here breaks the table, and its test; a code that is here and
on no list is never told.
"""

JPEG_MARKERS = {
    0xC0: "SOF0", 0xC1: "SOF1", 0xC2: "SOF2 (size and components)", 0xC4: "DHT (Huffman tables)",
    0xDA: "SOS (the coded picture)", 0xDB: "DQT (quantisation)", 0xDD: "DRI (restart interval)",
    0xE0: "APP0 (JFIF: a common density, or the shape of a pixel)",
    0xE1: "APP1 (EXIF of one tag, the orientation)",
    0xE2: "APP2 (a colour profile of ours)", 0xEE: "APP14 (Adobe: how colours are coded)",
}  # fmt: skip
PNG_CHUNKS = {
    "IHDR": "size and depth", "iCCP": "a colour profile of ours", "sRGB": "colours",
    "eXIf": "EXIF of one tag, the orientation", "gAMA": "", "cHRM": "", "sBIT": "", "cICP": "",
    "pHYs": "the shape of a pixel", "bKGD": "background", "tRNS": "transparency",
    "acTL": "animation", "fcTL": "", "fdAT": "", "PLTE": "palette", "IDAT": "the pixels",
    "IEND": "the end",
}  # fmt: skip
WEBP_CHUNKS = {
    "VP8X": "canvas", "ICCP": "a colour profile of ours", "ALPH": "alpha, coded anew",
    "VP8": "a lossy picture, cut to its pixels", "VP8L": "a lossless picture, coded anew",
    "ANIM": "loop count", "ANMF": "place, time and blending of a frame",
    "EXIF": "EXIF of one tag, the orientation",
}  # fmt: skip
HEIF_PROPERTIES = {
    "ispe": "size", "irot": "rotation", "imir": "mirror", "pixi": "depth",
    "colr": "colours, or a profile of ours", "clap": "crop of the coder's padding",
    "pasp": "the shape of a pixel", "clli": "brightest pixels", "auxC": "that a plane is alpha",
    "av1C": "decoder setup, made anew", "hvcC": "decoder setup, made anew",
}  # fmt: skip
HEIF_CODECS = {"hvc1": "HEVC", "av01": "AV1", "jpeg": "JPEG (cleaned as a JPEG is)"}
TIFF_TAGS = {
    256: "ImageWidth", 257: "ImageLength", 258: "BitsPerSample", 259: "Compression",
    262: "PhotometricInterpretation", 273: "StripOffsets", 274: "Orientation",
    277: "SamplesPerPixel", 278: "RowsPerStrip", 279: "StripByteCounts",
    282: "XResolution (a common one, or the shape of a pixel)",
    283: "YResolution", 284: "PlanarConfiguration", 296: "ResolutionUnit", 317: "Predictor",
    320: "ColorMap", 322: "TileWidth", 323: "TileLength", 324: "TileOffsets",
    325: "TileByteCounts", 338: "ExtraSamples", 339: "SampleFormat", 529: "YCbCrCoefficients",
    530: "YCbCrSubSampling", 531: "YCbCrPositioning", 532: "ReferenceBlackWhite",
    34675: "InterColorProfile (one of ours)",
}  # fmt: skip
PDF_DICTIONARIES = {
    "catalog": "the root", "pages": "the tree of pages", "page": "a page",
    "resources": "what a page uses", "group": "transparency", "state": "graphics state",
    "mask": "soft mask", "form": "form XObject", "image": "picture",
    "parameters": "how a picture is packed", "tiling": "tiling pattern",
    "shaded": "shading pattern", "smooth": "shading", "mapping": "function",
    "calibrated": "calibrated colours", "profile": "colour profile, one of ours",
    "simple": "simple font", "composite": "composite font", "numbered": "its CID font",
    "drawn": "Type 3 font", "differences": "encoding of letters", "descriptor": "font descriptor",
    "system": "collection of characters", "cmap": "map of codes", "file": "font program, rebuilt",
    "bare": "drawing",
}  # fmt: skip
MP4_TABLES = {
    "stsd": "how it is coded", "stts": "times", "stsc": "chunks", "stsz": "sizes",
    "co64": "places", "ctts": "order of showing", "stss": "key frames",
}  # fmt: skip
MP4_LOOKS = {
    "pasp": "the shape of a pixel", "clap": "crop", "mdcv": "mastering display",
    "clli": "brightest pixels", "fiel": "order of fields", "colr": "colours",
}  # fmt: skip
MP4_PICTURES = {
    "avc1": "H.264", "avc3": "H.264", "hvc1": "HEVC", "hev1": "HEVC", "av01": "AV1",
    "vp08": "VP8", "vp09": "VP9", "mp4v": "MPEG-4 Visual and MPEG-2", "s263": "H.263",
    "h263": "H.263", "jpeg": "Motion JPEG", **dict.fromkeys(
        ("apco", "apcs", "apcn", "apch", "ap4h", "ap4x"), "ProRes"),
}  # fmt: skip
MP4_SOUNDS = {
    "mp4a": "AAC and MP3", ".mp3": "AAC and MP3", "samr": "AMR", "sawb": "AMR-WB",
    "ac-3": "AC-3", "ec-3": "E-AC-3", "alac": "ALAC", "Opus": "Opus", "fLaC": "FLAC",
    "ima4": "IMA ADPCM",
    **dict.fromkeys(
        ("raw", "NONE", "sowt", "twos", "ulaw", "alaw", "in24", "in32", "fl32", "fl64", "lpcm",
         "ipcm", "fpcm"), "PCM"),
}  # fmt: skip
MATROSKA_ELEMENTS = {
    0x2AD7B1: "TimestampScale", 0x4D80: "MuxingApp (ours)",
    0x5741: "WritingApp (ours)", 0x4489: "Duration",
    0xD7: "TrackNumber (ours)", 0x73C5: "TrackUID (the number)", 0x22B59C: "Language (und)",
    0x86: "CodecID", 0x83: "TrackType", 0x63A2: "CodecPrivate (made anew)",
    0x23E383: "DefaultDuration", 0x56AA: "CodecDelay", 0x56BB: "SeekPreRoll",
    0x55EE: "MaxBlockAdditionID (alpha)", 0xE0: "Video", 0xE1: "Audio",
    0xB0: "PixelWidth", 0xBA: "PixelHeight", 0x54AA: "PixelCropBottom", 0x54BB: "PixelCropTop",
    0x54CC: "PixelCropLeft", 0x54DD: "PixelCropRight", 0x54B0: "DisplayWidth",
    0x54BA: "DisplayHeight", 0x54B2: "DisplayUnit", 0x9A: "FlagInterlaced", 0x9D: "FieldOrder",
    0x53B8: "StereoMode", 0x53C0: "AlphaMode", 0x55B0: "Colour", 0x7670: "Projection",
    0xB5: "SamplingFrequency", 0x78B5: "OutputSamplingFrequency", 0x9F: "Channels",
    0x6264: "BitDepth",
}  # fmt: skip
AVI_PICTURES = {
    "XVID": "MPEG-4", "DIVX": "MPEG-4", "DX50": "MPEG-4", "FMP4": "MPEG-4",
    "MJPG": "Motion JPEG", "H264": "H.264", "HEVC": "HEVC", "": "RGB without compression",
    **dict.fromkeys(("YUY2", "YUYV", "YVYU", "UYVY", "I420", "IYUV", "YV12", "NV12", "Y800",
        "GREY"), "YUV without compression"),
}  # fmt: skip
WAVE_SOUNDS = {
    1: "PCM", 2: "MS ADPCM", 3: "floating point", 6: "A-law", 7: "µ-law", 0x11: "IMA ADPCM",
    0x31: "GSM 6.10", 0x55: "MP3", 0xFF: "AAC", 0x2000: "AC-3",
}  # fmt: skip
TS_STREAMS = {
    0x1B: "H.264", 0x24: "HEVC", 0x03: "MP3", 0x04: "MP3", 0x0F: "AAC",
    0x81: "AC-3", 0x87: "E-AC-3",
}  # fmt: skip
AIFF_CODECS = {
    **dict.fromkeys(("NONE", "twos", "sowt", "raw", "in24", "in32"), "PCM"),
    **dict.fromkeys(("fl32", "FL32", "fl64", "FL64"), "floating point"),
    **dict.fromkeys(("alaw", "ALAW"), "A-law"), **dict.fromkeys(("ulaw", "ULAW"), "µ-law"),
}  # fmt: skip
BMP_CODINGS = {0: "plain", 1: "RLE8", 2: "RLE4", 3: "masks", 6: "masks with alpha"}
CONTROLS = {"\t": "tab", "\n": "line feed", "\f": "form feed"}
