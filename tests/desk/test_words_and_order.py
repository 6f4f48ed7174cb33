"""How strangers' text is shown, and in what order things were said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.ids import Day, HeaderHash
from desk.cases import iso
from desk.order import Node, heads, known_to, ordered
from desk.rules import load
from desk.words import REMOVED, answers, count, defanged, flat, label, plain, removed, size
from desk.work import parse_state
from sanitizer.kinds import KINDS

if TYPE_CHECKING:
    from crypto.strict_json import Json


def test_links_are_shown_and_cannot_be_clicked() -> None:
    assert defanged("see https://evil.example.org/a.html?x=1 now.") == (
        "see hxxps://evil[.]example[.]org/a[.]html?x=1 now."
    )
    assert defanged("www.bad.test and HTTP://X.ORG") == "www[.]bad[.]test and HxxP://X[.]ORG"
    assert defanged("I paid 3.50 dh. Then") == "I paid 3.50 dh. Then"


def test_nothing_a_stranger_typed_moves_the_cursor_or_turns_the_line() -> None:
    assert plain("\x1b[31mred\u202egnp") == "\\u001b[31mred\\u202egnp"
    assert plain("a\nb\tc\r") == "a\nb\tc\\u000d"
    assert plain("أمانة é 𓀀") == "أمانة é 𓀀"


@given(st.text())
def test_no_text_at_all_keeps_a_control_character(text: str) -> None:
    assert not any(
        (ord(one) < 32 and one not in "\n\t") or 0x7F <= ord(one) < 0xA0 for one in plain(text)
    )


def test_fields_read_as_words_and_typed_text_stays_as_it_was_typed() -> None:
    fields: dict[str, Json] = {
        "description": "He wrote: my_friend",
        "scam_type": "purchase_or_rental",
        "urls": ["http://a.test", ""],
        "amount": 4000,
        "accounts": [{"platform": "facebook", "handle": "x.y"}, {"platform": ""}],
        "place": {"city": "Rabat", "country": None},
        "notice_read": True,
        "identity_mode": "anonymous",
        "known": True,
        "empty": [],
        "no": False,
        "none": None,
        "danger_now": "unsure",
    }
    assert list(answers(fields)) == [
        ("Somebody in danger now", ("Unsure",)),
        ("Description", ("He wrote: my_friend",)),
        ("Accounts", ("Platform: Facebook; Handle: x.y",)),
        ("Amount", ("4000",)),
        ("Known", ("Yes",)),
        ("No", ("No",)),
        ("Where it happened", ("City: Rabat",)),
        ("Scam type", ("Purchase or rental",)),
        ("Addresses (links)", ("hxxp://a[.]test",)),
    ]
    assert list(flat({})) == []


@pytest.mark.parametrize(
    ("money", "read"),
    [
        ({"value": "4200.00", "currency": "MAD"}, "4200.00 MAD"),
        ({"value": "see https://a.example/", "currency": "dirham_or_so"},
         "see hxxps://a[.]example/ Dirham or so"),
        ({"value": "5", "currency": "www.bad.test"}, "5 www[.]bad[.]test"),
        # Nothing hides behind a number that is none.
        ({"value": ["5", "6"], "currency": "MAD"}, "Value: 5, 6; Currency: MAD"),
        ({"value": "5", "currency": "MAD", "more": "x"}, "Value: 5; Currency: MAD; More: x"),
    ],
)  # fmt: skip
def test_money_is_a_number_with_its_currency(money: dict[str, Json], read: str) -> None:
    assert list(flat({"amount": money})) == [("Amount", (read,))]


def test_small_words() -> None:
    assert (count(1, "case"), count(0, "case")) == ("1 case", "0 cases")
    assert (size(999), size(1_500), size(2_500_000), size(3 * 10**12)) == (
        "999 bytes",
        "1.5 KB",
        "2.5 MB",
        "3000.0 GB",
    )
    assert (removed("gps"), removed("new_kind")) == ("GPS position", "new kind")
    assert label("") == "No category"
    assert iso(Day(20_779)) == "2026-11-22"
    assert iso(Day(2**32 - 1)) == str(2**32 - 1)


def test_a_state_may_be_typed_as_people_type() -> None:
    rules = load()
    assert parse_state(" Info Requested ", rules) == "info_requested"
    assert parse_state("out-of-scope", rules) == "out_of_scope"
    assert rules.state("of_a_newer_desk") == "Unknown state"
    assert all(parse_state(name, rules) == name for name in rules.states)


def node(name: int, day: int = 0, *parents: int) -> Node:
    return Node(HeaderHash(bytes([name])), Day(day), tuple(HeaderHash(bytes([p])) for p in parents))


def names(nodes: tuple[Node, ...]) -> list[int]:
    return [one.hash[0] for one in nodes]


def test_what_was_answered_comes_before_its_answer_whatever_its_day_says() -> None:
    assert names(ordered([node(1, 9), node(2, 3, 1), node(3, 1, 2)])) == [1, 2, 3]


def test_what_does_not_know_of_each_other_goes_by_day_and_then_by_hash() -> None:
    assert names(ordered([node(5, 2), node(4, 2), node(9, 1)])) == [9, 4, 5]


def test_a_circle_or_an_unknown_parent_loses_nothing() -> None:
    assert names(ordered([node(1, 0, 2), node(2, 0, 1), node(3, 0, 3), node(4, 0, 77)])) == [
        3,
        4,
        1,
        2,
    ]


@given(st.permutations(range(6)))
def test_two_desks_show_the_same_order_however_they_received_it(shuffled: list[int]) -> None:
    made = [node(0), node(1, 0, 0), node(2, 0, 0), node(3, 5, 1, 2), node(4, 1), node(5, 1, 4)]
    assert names(ordered([made[one] for one in shuffled])) == names(ordered(made))


def word(name: int, *parents: int) -> Node:
    """An operator's, that names what its author's desk held."""
    return replace(node(name, 0, *parents), by_operator=True)


def test_the_next_word_names_what_no_operators_word_names_yet() -> None:
    made = [node(0), word(1, 0), node(2, 0, 1), node(3, 0, 2), word(4, 1)]
    # 2 is named by a message alone: that 3 names it tells nobody that 2 was here.
    assert [one[0] for one in heads(made)] == [2, 3, 4]
    assert [one[0] for one in heads([*made, word(5, 2, 3, 4)])] == [5]


def test_what_a_message_names_is_not_known_to_whoever_answers_it() -> None:
    made = {one.hash: one for one in [node(0), word(1, 0), node(2, 0, 1), word(3, 2), word(4, 3)]}
    assert {one[0] for one in known_to([HeaderHash(b"\x04"), HeaderHash(b"x")], made)} == {3, 2}
    made = {**made, HeaderHash(b"\x05"): word(5, 4, 1, 9)}
    assert {one[0] for one in known_to([HeaderHash(b"\x05")], made)} == {4, 3, 2, 1, 0, 9}


@pytest.mark.parametrize("name", ["", "x"])
def test_a_label_of_next_to_nothing_is_no_error(name: str) -> None:
    assert isinstance(label(name), str)


def test_every_kind_that_a_gateway_may_tell_has_words() -> None:
    assert set(REMOVED) == KINDS
