"""What people type becomes typed values; what cannot be read gets a sentence, never a crash."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.site import values
from gateway.site.values import BadValue


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("2026", "2026"),
        ("11/2026", "2026-11"),
        ("2026-11", "2026-11"),
        ("22/11/2026", "2026-11-22"),
        ("2026-11-22", "2026-11-22"),
        ("22.11.2026", "2026-11-22"),
        ("٢٢/١١/٢٠٢٦", "2026-11-22"),
        (" \u200f22/11/2026\u200f ", "2026-11-22"),
    ],
)
def test_a_date_is_read_as_people_write_it(typed: str, read: str) -> None:
    assert values.read_date(typed) == read


def test_a_time_is_read_only_where_one_is_asked() -> None:
    assert values.read_date("22/11/2026 14:30", with_time=True) == "2026-11-22T14:30"
    assert values.read_date("22/11/2026 9h", with_time=True) == "2026-11-22T09:00"
    assert values.read_date("22/11/2026", with_time=True) == "2026-11-22"
    with pytest.raises(BadValue):
        values.read_date("22/11/2026 14:30")
    with pytest.raises(BadValue):
        values.read_date("22/11/2026 25:30", with_time=True)


@pytest.mark.parametrize("typed", ["yesterday", "32/11/2026", "13/2026", "1/1/1066", "26", "²0²6"])
def test_what_is_no_date_is_refused(typed: str) -> None:
    with pytest.raises(BadValue) as bad:
        values.read_date(typed)
    assert bad.value.key == "error.date"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("1500", "1500"),
        ("1 500,50", "1500.50"),
        ("1.500,50", "1500.50"),
        ("1,500.50", "1500.50"),
        ("1.500", "1500"),
        ("١٥٠٠٫٥", "1500.5"),
    ],
)
def test_a_sum_is_read_in_either_custom(typed: str, read: str) -> None:
    assert values.read_decimal(typed) == read


@pytest.mark.parametrize("typed", ["much", "-5", "NaN", "1e9999999", "9" * 30, "Infinity"])
def test_what_is_no_sum_is_refused(typed: str) -> None:
    with pytest.raises(BadValue):
        values.read_decimal(typed)


def test_a_telephone_keeps_its_words_and_gets_plain_digits() -> None:
    assert values.read_phone("+212 ٦١٢-345678 (home)") == "+212 612-345678 (home)"
    for typed in ("call me", "1" * 21):
        with pytest.raises(BadValue):
            values.read_phone(typed)


@pytest.mark.parametrize("typed", ["a@b.ma", "\u200ffatima@mail.example.org", "فاطمة@مثال.المغرب"])
def test_an_e_mail_address_is_read(typed: str) -> None:
    assert values.read_email(typed) == typed.lstrip("\u200f")


@pytest.mark.parametrize(
    "typed", ["foo@@", "foo", "@b.ma", "a@b", "a@.ma", "a@b.", "a b@c.ma", "a@b@c.d"]
)
def test_a_slip_in_an_e_mail_address_is_noticed(typed: str) -> None:
    with pytest.raises(BadValue) as bad:
        values.read_email(typed)
    assert bad.value.key == "error.email"


def test_four_digits_are_four_digits_in_any_script() -> None:
    assert values.read_digits("٤٣ ٢١", 4, 4) == "4321"
    for typed in ("43210", "43a1", "⁴321", ""):
        with pytest.raises(BadValue):
            values.read_digits(typed, 4, 4)


def test_a_text_keeps_its_lines_and_loses_control_characters() -> None:
    assert values.clean_text("  one\r\ntwo\x00\x1b[31m\rthree ") == "one\ntwo[31m\nthree"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("2026-11-22T14:30", "2026-11-22T14:30"),
        ("22/11/2026 ،  14h30", "2026-11-22T14:30"),
        ("22/11/2026, T 9.05", "2026-11-22T09:05"),
        ("22 11 2026 14:30", "2026-11-22T14:30"),
    ],
)
def test_a_time_is_found_behind_whatever_stands_between(typed: str, read: str) -> None:
    assert values.read_date(typed, with_time=True) == read


@pytest.mark.claim("C-TYPED")
def test_a_reader_needs_no_more_than_a_moment_even_for_what_no_page_would_hand_it() -> None:
    readers = (
        values.read_decimal,
        values.read_phone,
        lambda text: values.read_date(text, with_time=True),
        lambda text: values.read_digits(text, 1, 4),
    )
    began = time.process_time()
    for typed in hostile(50_000):
        for read in readers:
            with contextlib.suppress(BadValue):
                read(typed)
    assert time.process_time() - began < 10


def hostile(length: int) -> list[str]:
    """What makes a careless pattern try every way to divide it."""
    return [
        "1" + " " * length + "x",
        "1 " * (length // 2) + "x",
        " " * length,
        "1" * length,
        "1.111" * (length // 5) + "x",
        "12:" * (length // 3),
        "T" * length + "1",
        "x" * length,
        "\u200f1" * (length // 2),
    ]


@given(st.text(max_size=60))
def test_nothing_that_can_be_typed_breaks_a_reader(typed: str) -> None:
    for read in (
        values.read_decimal,
        values.read_phone,
        values.read_email,
        values.read_date,
        lambda text: values.read_date(text, with_time=True),
        lambda text: values.read_digits(text, 1, 4),
        lambda text: values.read_text(text, 2, 50),
    ):
        with contextlib.suppress(BadValue):
            assert isinstance(read(typed), str)
