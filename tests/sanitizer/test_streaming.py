"""What streams: read by its checker first, judged before it is complete."""

import pytest

from sanitizer.errors import MetadataSurvived
from sanitizer.streaming import through


class Judge:
    """Notes what it is fed, and refuses in the end if it is told to."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.seen: list[bytes] = []
        self.has_judged = False
        self._refuses = refuses

    def feed(self, data: bytes) -> None:
        """Note a chunk."""
        self.seen.append(data)

    def finish(self) -> None:
        """Judge."""
        self.has_judged = True
        if self._refuses:
            raise MetadataSurvived("as it was told")


@pytest.mark.parametrize(
    "made",
    [[b"all"], [b"one", b"two", b"three"], [b"", b"one", b"", b"two", b""]],
    ids=["one chunk", "several", "empty ones between"],
)
def test_the_last_chunk_leaves_after_the_verdict_and_none_before_it_was_read(
    made: list[bytes],
) -> None:
    judge = Judge()
    left: list[bytes] = []
    for data in through(made, judge.feed, judge.finish):
        left.append(data)
        assert data in judge.seen
        assert judge.has_judged == (b"".join(left) == b"".join(made))
    assert b"".join(left) == b"".join(made)


@pytest.mark.parametrize(
    ("made", "passed"),
    [([b"all"], []), ([b"all", b""], []), ([b"one", b"two"], [b"one"])],
    ids=["short", "short, and an empty chunk", "long"],
)
def test_of_what_is_refused_in_the_end_the_last_chunk_never_leaves(
    made: list[bytes], passed: list[bytes]
) -> None:
    judge = Judge(refuses=True)
    left: list[bytes] = []
    with pytest.raises(MetadataSurvived):
        left.extend(through(made, judge.feed, judge.finish))
    assert left == passed


def test_what_was_made_of_nothing_is_judged_too() -> None:
    judge = Judge()
    assert b"".join(through([], judge.feed, judge.finish)) == b""
    assert judge.has_judged
