"""Which keys may stand in which dictionary of a finished PDF, and what may stand behind them.

Rule: a list for the checker alone; the writer has never seen it.
"""

FONT = r"[A-Z]{6}\+Font|(?i:[a-z0-9]{1,32}(?:(?:-|#2c|,|#20)[a-z0-9]{1,24}){0,4})"
"""How a font may be called: by us, or like a font that is installed."""
_CODES = (
    "GB-EUC|GBpc-EUC|GBKp?-EUC|GBK2K|Uni(?:GB|CNS|KS|JIS|JIS2004)-(?:UCS2|UTF16)(?:-HW)?|B5pc"
    "|HKscs-B5|ETen(?:ms)?-B5|CNS-EUC|(?:83pv|90msp?|90pv|Add|Ext)-RKSJ|EUC|KSC-EUC"
    "|KSCms-UHC(?:-HW)?|KSCpc-EUC|Identity"
)
PREDEFINED = f"(?:{_CODES})-[HV]|[HV]"
"""The maps of codes that every reader has."""
_INTENT = "/AbsoluteColorimetric|RelativeColorimetric|Saturation|Perceptual"
_BLEND = (
    "/Normal|Compatible|Multiply|Screen|Overlay|Darken|Lighten|ColorDodge|ColorBurn|HardLight"
    "|SoftLight|Difference|Exclusion|Hue|Saturation|Color|Luminosity"
)
DEVICES = "DeviceGray|DeviceRGB|DeviceCMYK|Pattern"
_FONT_NAME = "/" + FONT
_STREAM = {"Filter": "/FlateDecode", "Length": "int"}
# How a value is judged: a kind of number; "/" and a pattern for a name; the name of a table here
# or of a method below; "[x]" an array of such; "{x}" a dictionary of such.
TABLES: dict[str, dict[str, str]] = {
    "catalog": {"Type": "/Catalog", "Pages": "pages"},
    "pages": {"Type": "/Pages", "Count": "int", "Kids": "[page]"},
    "page": {
        "Type": "/Page", "Parent": "parent", "MediaBox": "[number]", "CropBox": "[number]",
        "Rotate": "int", "UserUnit": "number", "Resources": "resources", "Contents": "bare",
        "Group": "group",
    },
    "resources": {
        "Font": "{font}", "XObject": "{external}", "ExtGState": "{state}",
        "ColorSpace": "{space}", "Pattern": "{pattern}", "Shading": "{shading}",
    },
    "group": {"S": "/Transparency", "CS": "space", "I": "bool", "K": "bool"},
    "state": {
        **dict.fromkeys(("LW", "LC", "LJ", "ML", "FL", "SM", "CA", "ca", "OPM"), "number"),
        **dict.fromkeys(("OP", "op", "SA", "AIS", "TK"), "bool"),
        "BM": _BLEND, "RI": _INTENT, "D": "dash", "Font": "sized", "SMask": "softmask",
    },
    "mask": {"S": "/Alpha|Luminosity", "G": "external", "BC": "[number]", "TR": "function"},
    "form": {
        **_STREAM, "Type": "/XObject", "Subtype": "/Form", "BBox": "[number]",
        "Matrix": "[number]", "Group": "group", "Resources": "resources",
    },
    "image": {
        "Type": "/XObject", "Subtype": "/Image", "Width": "int", "Height": "int",
        "BitsPerComponent": "int", "ColorSpace": "space", "ImageMask": "bool",
        "Decode": "[number]", "Interpolate": "bool", "Intent": _INTENT, "SMask": "external",
        "Mask": "colourkey", "Matte": "[number]", "SMaskInData": "int", "Length": "int",
        "Filter": "/FlateDecode|DCTDecode|JPXDecode|JBIG2Decode", "DecodeParms": "parameters",
    },
    "parameters": {
        "Predictor": "int", "Colors": "int", "BitsPerComponent": "int", "Columns": "int",
        "ColorTransform": "int", "JBIG2Globals": "globals",
    },
    "tiling": {
        **_STREAM, "PatternType": "int", "PaintType": "int", "TilingType": "int",
        "BBox": "[number]", "XStep": "number", "YStep": "number", "Matrix": "[number]",
        "Resources": "resources",
    },
    "shaded": {
        "PatternType": "int", "Shading": "shading", "Matrix": "[number]", "ExtGState": "state",
    },
    "smooth": {
        **_STREAM, "ShadingType": "int", "ColorSpace": "space", "Background": "[number]",
        "BBox": "[number]", "Domain": "[number]", "Matrix": "[number]", "Coords": "[number]",
        "Decode": "[number]", "Extend": "[bool]", "AntiAlias": "bool", "Function": "functions",
        "BitsPerCoordinate": "int", "BitsPerComponent": "int", "BitsPerFlag": "int",
        "VerticesPerRow": "int",
    },
    "mapping": {
        **_STREAM, "FunctionType": "int", "Domain": "[number]", "Range": "[number]",
        "Size": "[int]", "BitsPerSample": "int", "Encode": "[number]", "Decode": "[number]",
        "C0": "[number]", "C1": "[number]", "N": "number", "Functions": "[function]",
        "Bounds": "[number]",
    },
    "calibrated": {
        "WhitePoint": "[number]", "BlackPoint": "[number]", "Gamma": "gamma",
        "Matrix": "[number]", "Range": "[number]",
    },
    "simple": {
        "Type": "/Font", "Subtype": "/Type1|TrueType", "BaseFont": _FONT_NAME,
        "FirstChar": "int", "LastChar": "int", "Widths": "[number]", "Encoding": "encoding",
        "ToUnicode": "text", "FontDescriptor": "descriptor",
    },
    "composite": {
        "Type": "/Font", "Subtype": "/Type0", "BaseFont": _FONT_NAME, "Encoding": "codes",
        "DescendantFonts": "[numbered]", "ToUnicode": "text",
    },
    "numbered": {
        "Type": "/Font", "Subtype": "/CIDFontType0|CIDFontType2", "BaseFont": _FONT_NAME,
        "CIDSystemInfo": "system", "DW": "number", "DW2": "[number]", "W": "widths",
        "W2": "widths", "FontDescriptor": "descriptor", "CIDToGIDMap": "glyphmap",
    },
    "drawn": {
        "Type": "/Font", "Subtype": "/Type3", "FontBBox": "[number]", "FontMatrix": "[number]",
        "FirstChar": "int", "LastChar": "int", "Widths": "[number]", "Encoding": "encoding",
        "ToUnicode": "text", "CharProcs": "letters", "Resources": "resources",
    },
    "differences": {
        "Type": "/Encoding", "Differences": "names",
        "BaseEncoding": "/WinAnsiEncoding|MacRomanEncoding|MacExpertEncoding|StandardEncoding",
    },
    "descriptor": {
        **dict.fromkeys(
            (
                "Ascent", "AvgWidth", "CapHeight", "Descent", "Flags", "FontWeight", "ItalicAngle",
                "Leading", "MaxWidth", "MissingWidth", "StemH", "StemV", "XHeight",
            ),
            "number",
        ),
        "Type": "/FontDescriptor", "FontName": _FONT_NAME, "FontBBox": "[number]",
        "FontFile": "program", "FontFile2": "program", "FontFile3": "program",
    },
    "system": {"Registry": "adobe", "Ordering": "ordering", "Supplement": "int"},
    "cmap": {
        **_STREAM, "Type": "/CMap", "CMapName": "/F", "CIDSystemInfo": "system",
        "WMode": "int", "UseCMap": "/" + PREDEFINED,
    },
    "file": {
        **_STREAM, "Length1": "int", "Length2": "int", "Length3": "int",
        "Subtype": "/Type1C|CIDFontType0C|OpenType",
    },
    "bare": _STREAM,
    "profile": {**_STREAM, "N": "int"},
}  # fmt: skip
