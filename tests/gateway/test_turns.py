"""Nobody is turned away for being one of many: whoever must wait is told until when."""

from __future__ import annotations

import os
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from gateway.budgets import Budget, Rate
from gateway.errors import Busy
from gateway.gate import Gate
from gateway.places import CODES, LONGEST_SECONDS, REPORTS, VALID_SECONDS, Places
from gateway.turns import Turns
from tests.gateway.deployment import SetClock
from tests.gateway.test_work import done


@dataclass(slots=True)
class Now:
    """A clock that a test turns."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.seconds


# Budgets.


def test_a_budget_is_so_much_at_once_and_then_one_each_time() -> None:
    now = Now()
    budget = Budget(Rate(burst=3, seconds=10), now)
    assert [budget.take(b"a") for _ in range(5)] == [True] * 3 + [False] * 2
    assert budget.take(b"b")
    assert all(budget.take(None) for _ in range(100))
    now.seconds += 9.9
    assert not budget.is_left(b"a")
    now.seconds += 0.1
    assert budget.is_left(b"a")
    assert [budget.take(b"a") for _ in range(2)] == [True, False]


def test_a_budget_can_be_used_ahead_of_time_but_not_for_ever() -> None:
    now = Now()
    budget = Budget(Rate(burst=2, seconds=10), now)
    assert budget.take(b"a")
    assert budget.take(b"a")
    assert [budget.book(b"a", 25) for _ in range(3)] == [1010, 1020, None]


def test_a_budget_forgets_whoever_has_all_of_it_again_and_never_grows_beyond_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = Now()
    budget = Budget(Rate(burst=2, seconds=10), now)
    budget.take(b"a")
    now.seconds += 11
    budget.take(b"b")
    assert list(budget._used) == [b"b"]
    monkeypatch.setattr("gateway.budgets._SOURCES_MOST", 3)
    for name in (b"c", b"d", b"e"):
        budget.take(name)
    assert list(budget._used) == [b"c", b"d", b"e"]


# Places.


def test_places_are_given_no_faster_than_the_machine_serves_with_a_reserve() -> None:
    places = Places(slots=2)
    for _ in range(200):
        places.served(0.05)
    turns = [places.take(1000.0, REPORTS) for _ in range(40)]
    assert turns[-1] == pytest.approx(1000 + 40 * 0.1, rel=0.01)
    assert places.reach(REPORTS) == turns[-1]
    assert places.take(2000.0, REPORTS) == pytest.approx(2000.1, rel=0.0001)
    # Codes are another queue.
    assert places.take(1000.0, CODES) == pytest.approx(1000.1, rel=0.0001)


def test_what_took_very_long_or_no_time_changes_little_and_too_far_a_place_is_none() -> None:
    places = Places(slots=1)
    for _ in range(200):
        places.served(10_000.0)
    assert places.take(0.0, REPORTS) == pytest.approx(20, rel=0.01)
    assert [places.take(0.0, REPORTS) is None for _ in range(400)][-1]
    assert places.reach(REPORTS) <= LONGEST_SECONDS
    for _ in range(400):
        places.served(0.0)
    assert places.take(10_000.0, REPORTS) == pytest.approx(10_000.02, abs=0.005)


def test_workers_share_the_places_and_a_killed_one_keeps_no_lock() -> None:
    places = Places(slots=1)
    first = places.take(1000.0, REPORTS)
    child = os.fork()
    if child == 0:
        with places._locked():
            os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    child = os.fork()
    if child == 0:
        places.take(1000.0, REPORTS)
        os._exit(0)
    os.waitpid(child, 0)
    third = places.take(1000.0, REPORTS)
    assert first is not None
    assert third == pytest.approx(1000 + 3 * (first - 1000))


# The gate.


def wait_until_waiting(gate: Gate, count: int) -> None:
    while len(gate._heap) < count:
        time.sleep(0.001)


def enter(gate: Gate, late: float | None, name: str, order: list[str]) -> threading.Thread:
    """Somebody at the gate, in a thread of their own."""

    def run() -> None:
        try:
            with gate.through(late, 5):
                order.append(name)
        except Busy:
            order.append(f"{name} was busy")

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_whoever_is_most_on_time_goes_first_and_newcomers_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.gate.EARLY_SECONDS", 5)
    gate, order = Gate(1, 3), list[str]()
    asked = (
        ("new", None),
        ("early", -70.0),
        ("next", -7.0),
        ("late", 500.0),
        ("on time", 1.0),
        ("later", 900.0),
    )
    with gate.through(None, 0):
        assert not gate.is_crowded
        threads = []
        for number, (name, late) in enumerate(asked, start=1):
            threads.append(enter(gate, late, name, order))
            wait_until_waiting(gate, number)
        assert gate.is_crowded
        # Hoarded places do not keep out whoever comes in time.
        threads.append(enter(gate, 2.0, "in time", order))
        threads[5].join()
        with pytest.raises(Busy), gate.through(3000.0, 5):
            pass
    for thread in threads:
        thread.join()
    assert order == ["later was busy", "on time", "in time", "late", "next", "early", "new"]


def test_newcomers_wait_a_moment_and_few_at_a_time() -> None:
    gate, order = Gate(1, 1), list[str]()
    heard: list[float] = []
    gate.told = heard.append
    with gate.through(None, 0):
        thread = enter(gate, None, "first", order)
        wait_until_waiting(gate, 1)
        with pytest.raises(Busy), gate.through(None, 5):
            pass
        thread.join()  # not five seconds
        with pytest.raises(Busy), gate.through(5.0, 0.01):
            pass
    assert order == ["first was busy"]
    with gate.through(None, 0):
        pass
    assert len(heard) == 2
    assert not gate.is_crowded


# All of it together.


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def gate() -> Gate:
    return Gate(1, 4)


@pytest.fixture
def turns(gate: Gate, clock: SetClock) -> Turns:
    return Turns(Places(1), gate, clock)


@pytest.mark.claim("C-TURN")
def test_a_turn_is_kept_however_often_one_asks_early_and_works_once(
    turns: Turns, clock: SetClock
) -> None:
    turn = turns.place(None)
    assert turn is not None
    for _ in range(50):
        assert turns.admit(None, turn) == pytest.approx(-0.4, abs=0.01)
        assert turns.place(None, turn) == turn
    assert turns.seconds_until(turn) == 1
    clock.seconds += 1
    assert turns.admit(None, turn) == pytest.approx(0.6, abs=0.01)
    assert turns.admit(None, turn) is None
    assert turns.place(None, turn) == turn
    assert turns.admit(None, turn) == pytest.approx(0.6, abs=0.01)


def test_a_turn_that_was_not_used_for_long_is_none(turns: Turns, clock: SetClock) -> None:
    turn = turns.place(None)
    clock.seconds += int(VALID_SECONDS) + 1
    assert turns.admit(None, turn) is None
    # After the machine's clock began anew, as after its start.
    assert turns.place(None, 10**15) != 10**15


@pytest.mark.claim("C-TURN")
def test_a_source_that_used_up_its_budget_waits_for_itself_and_not_before_others(
    turns: Turns, clock: SetClock
) -> None:
    flooder, other = b"a" * 16, b"b" * 16
    # The first few go before whoever comes all the time.
    assert [turns.admit(flooder, None) for _ in range(20)] == [3.0, 6.0, 9.0] + [None] * 17
    with pytest.raises(Busy):
        turns.admit(flooder, None)
    own = [turns.place(flooder) for _ in range(3)]
    steps = [one - clock.seconds * 1000 for one in own if one is not None]
    assert steps == [3000, 6000, 9000]
    for _ in range(2000):
        turns.place(flooder)
    assert turns.place(flooder) is None
    assert turns.admit(other, None) == 3.0
    shared = turns.place(other)
    assert shared is not None
    # Nor does a turn that is still to come put them back.
    assert turns.admit(other, shared) == 6.0
    assert shared - clock.seconds * 1000 <= 400


def test_who_begins_to_write_while_others_wait_has_a_turn_already(
    turns: Turns, gate: Gate, clock: SetClock
) -> None:
    assert turns.early(None) is None
    turns.place(None)
    assert turns.early(None) is not None
    assert sum(turns.early(b"a" * 16) is not None for _ in range(50)) == 20
    clock.seconds += 3600
    assert turns.early(None) is None
    with ExitStack() as stack:
        stack.enter_context(gate.through(None, 0))
        thread = enter(gate, 1.0, "waits", [])
        wait_until_waiting(gate, 1)
        assert turns.early(None) is not None
        stack.close()
        thread.join()


def test_work_done_for_a_turn_goes_before_all_turns_to_come_and_for_another_is_nothing(
    turns: Turns, clock: SetClock
) -> None:
    one, other = turns.place(None), turns.place(None)
    assert one is not None
    assert other is not None
    number = done(turns.challenge(other))
    assert turns.admit(None, one, number) == pytest.approx(-0.4, abs=0.01)
    assert turns.admit(None, other, number) == -1e-6
    assert turns.admit(None, other, number) is None
    assert turns.place(None, other) == other
    clock.seconds += 1
    assert turns.admit(None, other, number) == pytest.approx(0.2, abs=0.01)


def test_one_source_may_ask_for_much_and_not_for_all(turns: Turns) -> None:
    assert sum(turns.may_ask(b"a" * 16) for _ in range(1000)) == 400
    assert turns.may_ask(b"b" * 16)
    assert all(turns.may_ask(None) for _ in range(1000))


def test_used_turns_are_remembered_within_bounds(
    turns: Turns, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.turns._USED_MOST", 2)
    given = [turns.place(None) for _ in range(3)]
    clock.seconds += 10
    assert all(turns.admit(None, one) is not None for one in given)
    assert len(turns._used) == 2
