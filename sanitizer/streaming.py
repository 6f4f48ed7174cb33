"""What streams passes its checker before it leaves.

Rule: a checker reads each chunk before it is passed on, and one is held back: a short file is
judged whole before its first byte leaves, and no file is complete before it has been judged.
"""

from collections.abc import Callable, Iterable, Iterator


def through(
    made: Iterable[bytes], feed: Callable[[bytes], object], judge: Callable[[], object]
) -> Iterator[bytes]:
    """Yield what is made, once ``feed`` has read it; ``judge`` speaks before the last chunk.

    Both are a checker's and raise a leaf of Refused, MetadataSurvived above all.
    """
    held = b""
    for data in filter(None, made):
        feed(data)
        if held:
            yield held
        held = data
    judge()
    yield held
