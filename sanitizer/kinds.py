"""The kinds of things that are found and removed: codes that the site and the desk translate.

Rule: a kind says what sort of thing was there, never what it said.
"""

KINDS = frozenset(
    {
        "author",
        "c2pa",
        "camera_model",
        "camera_serial",
        "capture_time",
        "chapters",
        "comment",
        "cover",
        "exif",
        "gps",
        "hidden_frames",
        "icc_description",
        "iptc",
        "location_track",
        "maker_note",
        "other_metadata",
        "sei",
        "software",
        "subtitles",
        "thumbnail",
        "trailing_data",
        "xmp",
    }
)
"""Every code that ``CleanFacts.removed`` may hold."""
