"""Walk elements of a result that must be spelled in the one way there is.

Rule: shares no code with what wrote them; raises MetadataSurvived at the first surprise.
"""

from collections.abc import Callable, Iterator, Mapping

from sanitizer.errors import MetadataSurvived

Rule = Callable[[bytes], bool]


def fail() -> MetadataSurvived:
    """Return the error for all that may not be there."""
    return MetadataSurvived("the result holds more than it may")


def elements(data: bytes, at: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield (id, content) of one level; each length has as few bytes as it needs."""
    end = len(data)
    while at < end:
        lead = data[at]
        width = next((n for n in (1, 2, 3, 4) if lead >= 0x100 >> n), 0)
        begin = at + width
        if not width or begin >= end:
            raise fail()
        first = data[begin]
        long = next((n for n in (1, 2, 3, 4) if first >= 0x100 >> n), 0)
        size = int.from_bytes(data[begin : begin + long], "big") - (1 << 7 * long)
        if not long or (long > 1 and size < (1 << 7 * (long - 1)) - 1):
            raise fail()
        stop = begin + long + size
        if stop > end:
            raise fail()
        yield int.from_bytes(data[at:begin], "big"), data[begin + long : stop]
        at = stop


def natural(content: bytes) -> int:
    """Return an unsigned number that has no byte too many."""
    if not 1 <= len(content) <= 8 or (len(content) > 1 and not content[0]):  # noqa: PLR2004 - bytes
        raise fail()
    return int.from_bytes(content, "big")


def eight(content: bytes) -> int:
    """Return an unsigned number of eight bytes."""
    if len(content) != 8:  # noqa: PLR2004 - eight bytes
        raise fail()
    return int.from_bytes(content, "big")


def in_order(data: bytes, rules: Mapping[int, Rule]) -> dict[int, bytes]:
    """Return the elements of one level: each known, none twice, in the order of ``rules``."""
    order = {kind: place for place, kind in enumerate(rules)}
    found: dict[int, bytes] = {}
    last = -1
    for kind, content in elements(data):
        place = order.get(kind, -1)
        if place <= last or not rules[kind](content):
            raise fail()
        found[kind] = content
        last = place
    return found


def up_to(most: int, least: int = 0) -> Rule:
    """Return a rule for a number between two bounds."""
    return lambda content: least <= natural(content) <= most


def exactly(*words: bytes) -> Rule:
    """Return a rule for contents that are known by heart."""
    return lambda content: content in words
