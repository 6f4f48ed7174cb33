"""Ask exifread, which wrote none of it, what it can find in a cleaned image.

Rule: an orientation, or nothing; in a TIFF, whose pages are tags, those that its cleaner names.
"""

from collections.abc import Set as AbstractSet

import exifread

from sanitizer.errors import MetadataSurvived
from sanitizer.pieces import Plan

# It would write a line to stderr for every file that is as clean as it should be.
exifread.logger.disabled = True

_ALLOWED = {"Image Orientation"}


def check(plan: Plan, structural: AbstractSet[str] = frozenset()) -> None:
    """Raise MetadataSurvived if exifread finds a tag that should be gone.

    ``structural`` are names of tags that may stand in any directory.
    """
    try:
        found = set(exifread.process_file(plan.open(), details=True, extract_thumbnail=True))
    except Exception as error:
        # Somebody else's parser over somebody's file: whatever it says, it did not say "clean".
        raise MetadataSurvived("the result cannot be read again") from error
    if {tag for tag in found - _ALLOWED if tag.rpartition(" ")[2] not in structural}:
        raise MetadataSurvived("tags were found in the result")
