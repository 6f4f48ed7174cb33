"""Cases that belong together are found with the reason; those that do not are left alone."""

# ruff: noqa: S311 - the same reports for the same seed, and nothing to guess

from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING, Any

import pytest

from desk import acts
from desk.errors import RulesMalformed
from desk.similar import (
    SKETCH_MOST,
    STRENGTH,
    TRACES_MOST,
    Comparison,
    Features,
    Similar,
    load_stops,
    resemblance,
    sketch_of,
)
from desk.similar_cases import told
from desk.traces import Trace
from tests.desk.similar.reports import STOPS, WORDS, featured, fields, many, name, phone, rib, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ETH = "0x52908400098527886E0F7030069857D2E4169EE7"


def compared(*given: Features, **how: Any) -> tuple[Similar, ...]:
    """What resembles the first of some cases."""
    cases = {name(number): one for number, one in enumerate(given)}
    return Comparison(cases, STOPS).similar_to(name(0), how.pop("links", {}), **how)


def kinds(found: tuple[Similar, ...]) -> list[list[str]]:
    return [[reason.kind for reason in one.reasons] for one in found]


def planted(draw: random.Random) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Pairs that share one thing each, written differently where people would."""
    message = text(draw, 60)
    words = message.split()
    words[10], words[40] = "autrement", "ici"
    account = rib(draw)
    number = f"6{draw.randrange(10**8):08}"
    shared: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "phone": (
            {"suspect": {"phones": [f"0{number}"]}},
            {"description": f"{text(draw)} رقمه +٢١٢ {number[:1]} {number[1:5]} {number[5:]} ."},
        ),
        "email": (
            {"suspect": {"emails": ["Big.King+1@gmail.com"]}},
            {"description": f"{text(draw)} bigking@googlemail.com"},
        ),
        "account": (
            {"accounts": [{"platform": "instagram", "handle": "@The_King_77"}]},
            {"urls": ["https://www.instagram.com/the_king_77/?hl=fr"]},
        ),
        "rib": (
            {"payments": [{"rib_or_iban": account}]},
            {"description": f"{text(draw)} RIB {account[:3]} {account[3:6]} {account[6:]}"},
        ),
        "wallet": (
            {"crypto": [{"to_address": ETH}]},
            {"description": f"{text(draw)} {ETH.lower()}"},
        ),
        "page": (
            {"urls": ["https://www.secure-bank-ma.online/login?x=1"]},
            {"description": f"{text(draw)} hxxps://secure-bank-ma[.]online/login/"},
        ),
        "payment": (
            {"crypto": [{"tx_hash": "ab" * 32}]},
            {"description": f"{text(draw)} 0x{'AB' * 32}"},
        ),
        "text": ({"description": message}, {"description": " ".join(words)}),
    }
    return [
        (kind, {**fields(draw), **one}, {**fields(draw), **other})
        for kind, (one, other) in shared.items()
    ]


def test_planted_pairs_are_found_and_no_other_among_two_thousand_reports() -> None:
    cases = many(2000)
    expected: dict[frozenset[bytes], str] = {}
    for number, (kind, one, other) in enumerate(planted(random.Random(7))):
        first, second = name(10_000 + 2 * number), name(10_001 + 2 * number)
        cases |= {first: featured(one), second: featured(other)}
        expected[frozenset((first, second))] = kind
    comparison = Comparison(cases, STOPS)
    found = {
        frozenset((case, one.case)): one.reasons[0].kind
        for case in cases
        for one in comparison.similar_to(case, {})
    }
    assert found == expected


def test_ten_thousand_cases_are_compared_within_two_seconds() -> None:
    few = list(many(500).values())
    cases = {name(number): few[number % 500] for number in range(10_000)}
    fresh = {
        case: Features(
            tuple(Trace(one.kind, f"{one.value}{number // 500}") for one in had.traces),
            had.sketch[: -6 * (number % 7) or None],
            had.words,
        )
        for number, (case, had) in enumerate(cases.items())
    }
    began = time.process_time()
    found = Comparison(fresh, STOPS).similar_to(name(3), {})
    assert time.process_time() - began < 2
    assert 1 <= len(found) <= 50


def test_a_reason_is_said_in_words_with_nothing_to_click() -> None:
    (one,) = compared(
        featured({"urls": ["https://evil.site/login"], "suspect": {"phones": ["0612345678"]}}),
        featured({"description": "+212612345678 evil.site/login"}),
    )
    assert [told(reason) for reason in one.reasons] == [
        "same phone number +212612345678",
        "same page evil[.]site/login",
    ]
    assert one.strength == STRENGTH["phone"] + STRENGTH["page"]


def test_what_another_reason_implies_is_not_said_twice() -> None:
    draw = random.Random(3)
    account = rib(draw)
    number = int("".join(str(int(one, 36)) for one in f"{account}MA00"))
    iban = f"MA{98 - number % 97:02}{account}"
    given = {
        "accounts": [{"platform": "x", "handle": "kingpin"}],
        "payments": [{"rib_or_iban": iban}],
        "urls": ["https://pay.evil.site/login"],
    }
    assert kinds(compared(featured(given), featured(given))) == [["iban", "account", "page"]]
    (other,) = compared(
        featured(given), featured({"description": f"@kingpin {account} sub.evil.site"})
    )
    assert [one.kind for one in other.reasons] == ["rib", "handle", "site"]


def test_the_same_file_and_nearly_the_same_picture_are_reasons() -> None:
    noise = 0x0F1E2D3C4B5A6978
    one = featured({}, files=[b"a" * 32], picture_hashes=[noise])
    same = featured({}, files=[b"a" * 32], picture_hashes=[noise ^ 0b11])
    far = featured({}, files=[b"b" * 32], picture_hashes=[noise ^ 0xFFFF])
    found = compared(one, same, far, featured({}))
    assert kinds(found) == [["file", "picture"]]
    assert [told(reason) for reason in found[0].reasons] == [
        f"same file, SHA-256 {'61' * 32}",
        "almost the same picture, 2 of 64 bits apart",
    ]
    blank = featured({}, picture_hashes=[0, 2**64 - 1])
    assert compared(blank, blank) == ()


def test_nearly_the_same_words_are_a_reason_whatever_their_capitals_and_accents() -> None:
    said = text(random.Random(4), 80)
    loud = said.upper().replace("É", "E").replace("À", "A")
    assert kinds(compared(featured({"description": said}), featured({}, loud))) == [["text"]]
    vowelled = "".join(f"{one}\u064b" if one in "كل" else one for one in said)
    assert kinds(compared(featured({"description": said}), featured({}, vowelled))) == [["text"]]
    other = featured({"description": text(random.Random(5), 80)})
    assert compared(featured({"description": said}), other) == ()
    third = featured({"description": f"{' '.join(said.split()[:45])} {text(random.Random(6), 35)}"})
    assert compared(featured({"description": said}), third) == ()
    short = featured({"description": "il m'a volé"})
    assert compared(short, short) == ()


def test_resemblance_is_exact_for_short_texts_and_near_it_for_long_ones() -> None:
    words = [f"w{number}" for number in range(60)]
    one, other = sketch_of(words), sketch_of([*words[:40], "x", *words[41:]])
    assert resemblance(one, other) == 55 / 61
    assert resemblance(one, one) == 1
    assert resemblance(one, b"") == 0
    draw = random.Random(6)
    long = [draw.choice(WORDS["fr"]) + str(draw.randrange(99)) for _ in range(3000)]
    half = [*long[:2250], *(f"y{number}" for number in range(750))]
    true = (2250 - 2) / (3000 - 2 + 750)
    assert abs(resemblance(sketch_of(long), sketch_of(half)) - true) < 0.15
    assert len(sketch_of(long)) == 6 * SKETCH_MOST


def test_pairs_that_do_not_belong_together_are_left_out_and_links_are_said() -> None:
    given = featured({"suspect": {"phones": ["0612345678"]}})
    links = {name(1).hex(): acts.UNRELATED, name(2).hex(): acts.RELATED}
    found = compared(given, given, given, given, links=links)
    assert [(one.case, one.link) for one in found] == [(name(2), acts.RELATED), (name(3), "")]
    assert len(compared(given, given, given, given, most=2)) == 2


def test_a_case_that_is_not_compared_resembles_nothing() -> None:
    assert Comparison({}, STOPS).similar_to(name(1), {}) == ()


def test_the_strongest_comes_first() -> None:
    draw = random.Random(8)
    number, account = phone(draw), rib(draw)
    mine = featured({"description": f"{number} {account} sometown.site"})
    weak = featured({"description": "sometown.site"})
    strong = featured({"description": f"{number}. {account}"})
    assert [one.case for one in compared(mine, weak, strong)] == [name(2), name(1)]


@pytest.mark.parametrize(
    "common",
    [
        "https://www.facebook.com/ https://m.facebook.com",
        "https://www.attijariwafabank.com",
        "contact@e-blagh.ma",
        "+212 5 37 00 00 00",
        "19 177 2511",
    ],
)
def test_what_everybody_uses_is_no_reason(common: str) -> None:
    given = featured({"description": common, "urls": common.split()})
    assert compared(given, given) == ()


def test_what_stands_in_too_many_cases_is_no_reason() -> None:
    site = featured({"urls": ["https://newspaper.ma"]})
    assert len(compared(*[site] * 20)) == 19
    assert compared(*[site] * 21) == ()
    number = featured({"suspect": {"phones": ["0612345678"]}})
    assert len(compared(*[number] * 50)) == 49
    assert compared(*[number] * 51) == ()


def test_a_wave_of_reports_about_one_number_is_still_seen() -> None:
    number = featured({"suspect": {"phones": ["0612345678"]}})
    found = compared(*[number] * 90, *[Features()] * 1910, most=1000)
    assert len(found) == 89


def test_features_come_back_from_json_and_hold_no_sentence() -> None:
    said = "my name is Fatima Zahra and I was robbed of everything by this person last week"
    given = featured({"description": f"{said} 0612345678"}, picture_hashes=[7, 7])
    plain = json.dumps(given.to_json())
    assert Features.from_json(json.loads(plain)) == given
    assert "Fatima" not in plain
    assert given.picture_hashes == (7,)
    with pytest.raises(ValueError, match=r"^$"):
        Features.from_json({**given.to_json(), "v": 3})


def test_a_case_with_traces_without_end_is_compared_by_some() -> None:
    urls = [f"https://site{number}.com" for number in range(1000)]
    assert len(featured({"description": " ".join(urls)}).traces) == TRACES_MOST


OWN = """
version = 1
ignore_hosts = ["evil.site"]
shared_hosts = []
ignore = ["phone:+212612345678"]
[too_common]
share = 0.5
cases = 2
[too_common_weak]
share = 0
cases = 0
"""


def test_an_institution_says_what_is_too_common(tmp_path: Path) -> None:
    path = tmp_path / "similar.toml"
    path.write_text(OWN)
    stops = load_stops(path)
    given = featured({"description": "evil.site 0612345678 other.site a@b.org"})
    found = Comparison({name(n): given for n in range(3)}, stops).similar_to(name(0), {})
    assert found == ()
    found = Comparison({name(n): given for n in range(2)}, stops).similar_to(name(0), {})
    assert kinds(found) == [["email"]]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("[]", "{}"),
        lambda text: text.replace("[]", "[1]"),
        lambda text: text.replace("phone:", "telephone:"),
        lambda text: text.replace("phone:", ""),
        lambda text: text.replace("share = 0.5\n", ""),
        lambda text: text.replace("share = 0.5\n", "share = 'x'\n"),
        lambda text: text.replace("[too_common]", "[other]"),
        lambda text: text.replace('ignore = ["phone:+212612345678"]', ""),
        lambda text: text + "=",
    ],
    ids=["table", "number", "kind", "no kind", "no share", "words", "section", "list", "toml"],
)
def test_a_file_that_cannot_be_meant_is_refused_with_what_is_wrong(
    tmp_path: Path, change: Callable[[str], str]
) -> None:
    path = tmp_path / "similar.toml"
    path.write_text(change(OWN))
    with pytest.raises(RulesMalformed, match=r"similar\.toml cannot be read"):
        load_stops(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RulesMalformed):
        load_stops(tmp_path / "none")
