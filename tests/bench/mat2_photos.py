"""Run by Debian's own Python, which has mat2's library: seconds a photo, in a warm process."""

from __future__ import annotations

import sys
import time

from libmat2.images import JPGParser  # type: ignore[import-not-found]  # Debian's package only


def main() -> None:
    """Clean argv[2] copies of argv[1], after one that does not count; print seconds a photo."""
    source, count = sys.argv[1], int(sys.argv[2])

    def clean() -> None:
        parser = JPGParser(source)
        parser.output_filename = source + ".mat2.jpg"
        if not parser.remove_all():
            sys.exit("mat2 did not clean the photo")

    clean()
    start = time.perf_counter()
    for _ in range(count):
        clean()
    print((time.perf_counter() - start) / count)  # noqa: T201  # its one answer


if __name__ == "__main__":
    main()
