"""Work that a browser does while it waits: bound to one turn, and checked with one digest."""

from __future__ import annotations

from itertools import count

import pytest

from gateway.work import BITS, challenge, is_done

KEY = bytes(range(32))


def done(text: str) -> str:
    """Do the work."""
    return next(str(n) for n in count() if is_done(text, str(n)))


def test_work_is_bound_to_its_turn_and_to_this_start_of_the_server() -> None:
    texts = {challenge(KEY, 1000), challenge(KEY, 1001), challenge(bytes(32), 1000)}
    assert len(texts) == 3
    first, *others = sorted(texts)
    number = done(first)
    assert is_done(first, number)
    assert not any(is_done(other, number) for other in others)


@pytest.mark.parametrize("untrusted", ["", "-1", "x", "٣", "1" * 13, "1.0", " 1"])
def test_what_is_no_number_is_no_work(untrusted: str) -> None:
    assert not is_done(challenge(KEY, 1000), untrusted)


def test_work_is_some_seconds_of_an_old_phone_and_not_nothing() -> None:
    assert 2**BITS == 32768
    text = challenge(KEY, 1000)
    assert sum(is_done(text, str(n)) for n in range(2000)) <= 3
