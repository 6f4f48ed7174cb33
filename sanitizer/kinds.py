"""The kinds of things that are found and removed: codes that the site and the desk translate.

Rule: a kind says what sort of thing was there, never what it said.
"""

KINDS = frozenset(
    {
        "annotations",
        "attachments",
        "author",
        "c2pa",
        "camera_model",
        "camera_serial",
        "capture_time",
        "chapters",
        "comment",
        "cover",
        "cut_frames",
        "earlier_versions",
        "exif",
        "form_fields",
        "gps",
        "hidden_frames",
        "hidden_text",
        "icc_description",
        "iptc",
        "layers",
        "location_track",
        "maker_note",
        "other_metadata",
        "outline",
        "scripts",
        "sei",
        "software",
        "subtitles",
        "thumbnail",
        "trailing_data",
        "xmp",
    }
)
"""Every code that ``CleanFacts.removed`` may hold."""
