"""Ask exifread, which wrote none of it, what it can find in a cleaned image.

Rule: an orientation, or nothing.
"""

import exifread

from sanitizer.errors import MetadataSurvived
from sanitizer.pieces import Plan

# It would write a line to stderr for every file that is as clean as it should be.
exifread.logger.disabled = True

_ALLOWED = {"Image Orientation"}


def check(plan: Plan) -> None:
    """Raise MetadataSurvived if exifread finds a tag that should be gone."""
    try:
        found = set(exifread.process_file(plan.open(), details=True, extract_thumbnail=True))
    except Exception as error:
        # Somebody else's parser over somebody's file: whatever it says, it did not say "clean".
        raise MetadataSurvived("the result cannot be read again") from error
    if found - _ALLOWED:
        raise MetadataSurvived("tags were found in the result")
