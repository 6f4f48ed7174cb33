"""A trace is spelled in one way, whoever typed it; what its check digits deny is none."""

from __future__ import annotations

import time

import pytest

from desk import traces
from desk.checked_numbers import coin_of, iban_in, is_hex, is_rib, public_address
from desk.traces import Places, Trace, in_fields, in_text, phone, site_of

PLACES = Places(frozenset({"blogspot.com", "sites.google.com"}))
ETH = "0x52908400098527886E0F7030069857D2E4169EE7"
BTC = "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2"
P2SH = "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"
BECH32 = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
TAPROOT = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"
TRON = "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8"


def rib(first: str = "2307801234567890123456") -> str:
    """Return 22 digits with their key."""
    return f"{first}{97 - int(first) * 100 % 97:02}"


def iban(account: str) -> str:
    number = int("".join(str(int(one, 36)) for one in f"{account}MA00"))
    return f"MA{98 - number % 97:02}{account}"


def found(text: str, *kinds: str) -> set[str]:
    return {one.value for one in in_text(text, PLACES) if one.kind in kinds or not kinds}


@pytest.mark.parametrize(
    "text",
    [
        "0612345678",
        "06 12 34 56 78",
        "06-12-34-56-78",
        "06.12.34.56.78",
        "+212612345678",
        "+212 6 12 34 56 78",
        "+212 (0)6 12 34 56 78",
        "00212612345678",
        "00 212 612-345678",
        "212612345678",
        "٠٦١٢٣٤٥٦٧٨",
        "رقمه ٠٦ ١٢ ٣٤ ٥٦ ٧٨ على واتساب",
        "رقمه:0612345678،",
        "۰۶۱۲۳۴۵۶۷۸",
        "06\u00a012\u202f34\u00a056\u00a078",
        "\u200e0612345678\u200f",
        "tel:0612345678.",
        "https://wa.me/212612345678",
        "https://api.whatsapp.com/send?phone=%2B212612345678&text=hi",
    ],
)
def test_a_moroccan_number_is_one_number_however_it_was_written(text: str) -> None:
    assert found(text, traces.PHONE) == {"+212612345678"}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("+33 6 12 34 56 78", {"+33612345678"}),
        ("+1 212 555 0187", {"+12125550187"}),
        ("+225 07 12 34 56 78", {"+2250712345678"}),
        ("+998 90 123 45 67", {"+998901234567"}),
        ("06 12 34 56 78 06 98 76 54 32", {"+212612345678", "+212698765432"}),
        ("call 0612345678 or 0698765432", {"+212612345678", "+212698765432"}),
        ("1 0612345678", {"+212612345678"}),
        ("1 000 000 MAD", set()),
        ("4242 4242 4242 4242", set()),
        ("on 2026-11-22 10:30", set()),
        ("0112345678", set()),
        ("+2126123456789", set()),
        ("+33 6 12", set()),
        ("+0612345678", set()),
        ("612345678", set()),
        ("ref4587123450612345678", set()),
        ("1" * 60, set()),
    ],
)
def test_numbers_of_other_countries_and_what_is_none(text: str, numbers: set[str]) -> None:
    assert found(text, traces.PHONE) == numbers


def test_where_a_number_was_asked_for_it_may_lack_its_zero() -> None:
    assert phone("612345678", alone=True) == "+212612345678"
    assert phone("12", alone=True) == ""
    assert in_fields({"suspect": {"phones": ["612 345 678"]}}, PLACES) == {
        Trace(traces.PHONE, "+212612345678")
    }
    row = {"platform": "whatsapp", "handle": "06 12 34 56 78"}
    assert in_fields({"accounts": [row]}, PLACES) == {Trace(traces.PHONE, "+212612345678")}
    assert in_fields({"accounts": [{"platform": "whatsapp", "handle": "no number"}]}, PLACES) == (
        set()
    )


def test_a_moroccan_account_is_told_by_its_key_and_its_iban_is_the_same_account() -> None:
    own = rib()
    assert len(own) == 24
    assert is_rib(own)
    spaced = f"{own[:3]} {own[3:6]} {own[6:22]} {own[22:]}"
    assert found(f"RIB {spaced}", traces.RIB) == {own}
    assert found(f"RIB: {own}.", traces.RIB) == {own}
    wrong = own[:-1] + str((int(own[-1]) + 1) % 10)
    assert found(f"RIB {wrong}") == set()
    swapped = own[:7] + own[8] + own[7] + own[9:]
    assert not is_rib(swapped)
    assert not is_rib("0" * 24)
    told = iban(own)
    grouped = " ".join(told[at : at + 4] for at in range(0, 28, 4))
    for text in (told, told.lower(), f"IBAN {grouped} chez la banque", grouped):
        assert found(text, traces.RIB, traces.IBAN) == {own, told}
    foreign = "FR1420041010050500013M02606"
    assert found(f"{foreign[:4]} {foreign[4:]} merci") == {foreign}
    assert in_fields({"payments": [{"rib_or_iban": own}]}, PLACES) == {Trace(traces.RIB, own)}
    bad = iban("9" * 24)
    assert iban_in(bad) == bad
    assert found(bad, traces.IBAN, traces.RIB) == {bad}


@pytest.mark.parametrize(
    "text", ["FR1420041010050500013M02607", "ZZ1420041010050500013M02606", "FR14", "FR14é"]
)
def test_what_is_no_iban_is_none(text: str) -> None:
    assert iban_in(text) == ""
    assert found(text, traces.IBAN) == set()


@pytest.mark.parametrize(
    ("word", "coin"),
    [
        (BTC, "bitcoin"),
        (P2SH, "bitcoin"),
        (BECH32, "bitcoin"),
        (BECH32.upper(), "bitcoin"),
        (TAPROOT, "bitcoin"),
        (TRON, "tron"),
        (ETH, "ethereum"),
        (BTC[:-1] + "3", ""),
        (BECH32[:-1] + "5", ""),
        (BECH32[:-1] + "b", ""),
        ("bc1" + "Q" + BECH32[4:], ""),
        ("bc1" + "q" * 100, ""),
        ("0x" + "0" * 40, ""),
        ("0x1234", ""),
        ("1111", ""),
        ("hello", ""),
        ("", ""),
        ("1" * 40, ""),
        ("LVg2kJoFNg45Nbpy53h7Fe1wKyeXVRhMH9", ""),
    ],
)
def test_a_wallet_is_told_by_its_own_check(word: str, coin: str) -> None:
    assert coin_of(word) == coin
    kept = word.lower() if coin == "ethereum" or word.lower().startswith("bc1") else word
    assert found(f"send to {word}, now", traces.WALLET) == ({f"{coin}:{kept}"} if coin else set())


def test_a_transaction_is_64_hexadecimal_digits() -> None:
    assert found("tx 0x" + "aB" * 32) == {"ab" * 32}
    assert found("ab" * 32) == {"ab" * 32}
    assert is_hex("AB12", 4)
    assert not is_hex("AB1", 4)
    assert found("ab" * 31 + "xy") == set()


@pytest.mark.parametrize(
    ("text", "mailbox"),
    [
        ("John.Doe+shop@Gmail.com", "johndoe@gmail.com"),
        ("<a_b@googlemail.com>", "a_b@gmail.com"),
        ("mailto:j.doe@example.co.ma,", "j.doe@example.co.ma"),
        ("x+y@example.org", "x@example.org"),
        ("+@x", ""),
    ],
)
def test_a_mailbox_is_one_however_it_was_written(text: str, mailbox: str) -> None:
    assert found(text, traces.EMAIL) == ({mailbox} if mailbox else set())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("https://www.Example.com/Pay/?utm=1#top", {"example.com/pay", "example.com"}),
        ("hxxps://evil[.]site/login", {"evil.site/login", "evil.site"}),
        ("see pay.example.co.ma.", {"example.co.ma"}),
        ("banque-secure.online", {"banque-secure.online"}),
        ("www.example.xn--p1ai", {"example.xn--p1ai"}),
        ("http://пример.com/x", {"xn--e1afmkfd.com/x", "xn--e1afmkfd.com"}),
        ("https://one.blogspot.com/p", {"one.blogspot.com/p", "one.blogspot.com"}),
        ("https://a.sites.google.com/b", {"a.sites.google.com/b", "a.sites.google.com"}),
        ("https://youtube.com/watch?v=AbC&t=3", {"youtube.com/watch?v=AbC", "youtube.com"}),
        ("https://example.org:8443/a?" + "x=1&" * 200, {"example.org/a", "example.org"}),
        ("http://1.1.1.1/x", {"1.1.1.1"}),
        ("8.8.8.8", {"8.8.8.8"}),
        ("http://192.168.1.1/x 10.0.0.1", set()),
        ("https://[::1]/ https://[bad/ http://", set()),
        ("ftp://example.org/x", set()),
        ("e.g. M.Ahmed a.m. 3.5 end.Then", set()),
        ("https://" + "a" * 63 + ".com/", {"a" * 63 + ".com"}),
        ("https://" + "a" * 70 + ".com/", set()),
        ("https://" + "ab." * 85 + "com/", set()),
        ("x" * 3000 + ".com", set()),
    ],
)
def test_a_page_and_its_site_are_one_however_they_were_written(text: str, told: set[str]) -> None:
    kinds = (traces.PAGE, traces.SITE, traces.ADDRESS)
    assert found(text, *kinds) == told


@pytest.mark.parametrize(
    "host", ["\ufdfa" * 1_900 + ".com", "ü" * 1_950 + ".com", ".".join(["ü" * 60] * 32)],
    ids=["one-for-eighteen", "one-label", "many-labels"],
)  # fmt: skip
def test_what_no_name_can_be_is_not_encoded(host: str) -> None:
    begun = time.process_time()
    assert in_text(" ".join([f"http://{host}/x"] * 30), PLACES) == set()
    assert time.process_time() - begun < 1


def test_in_an_answer_of_its_own_every_address_counts() -> None:
    given = {"urls": ["evil-bank.ma.example.zip/login"], "description": "evil-bank.zip"}
    assert in_fields(given, PLACES) == {
        Trace(traces.PAGE, "evil-bank.ma.example.zip/login"),
        Trace(traces.SITE, "example.zip"),
        Trace(traces.SITE, "evil-bank.zip"),
    }
    assert in_fields({"urls": ["not an address", "two words.com no"]}, PLACES) == {
        Trace(traces.SITE, "words.com")
    }


@pytest.mark.parametrize(
    ("link", "account"),
    [
        ("facebook.com/crypto.king77", "facebook:crypto.king77"),
        ("https://m.facebook.com/profile.php?id=100012345", "facebook:100012345"),
        ("https://www.instagram.com/Crypto_King_77/", "instagram:crypto_king_77"),
        ("https://t.me/kingpin", "telegram:kingpin"),
        ("https://www.tiktok.com/@bad.guy/video/7", "tiktok:bad.guy"),
        ("https://twitter.com/kingpin", "x:kingpin"),
        ("https://www.snapchat.com/add/kingpin?x=1", "snapchat:kingpin"),
        ("https://www.facebook.com/watch", ""),
        ("https://www.facebook.com/groups/123", ""),
        ("https://t.me/+AbCdEf", ""),
        ("https://www.facebook.com/profile.php?id=x", ""),
        ("https://wa.me/hello", ""),
        ("https://wa.me/12", ""),
        ("https://www.instagram.com/", ""),
    ],
)
def test_a_link_to_a_profile_is_the_account_behind_it(link: str, account: str) -> None:
    assert found(link, traces.ACCOUNT) == ({account} if account else set())


def test_an_account_of_a_row_is_the_one_that_a_link_shows() -> None:
    row = {"platform": "instagram", "handle": " @Crypto_King_77 ", "numeric_id": "998877"}
    told = in_fields({"accounts": [row]}, PLACES)
    assert told == {
        Trace(traces.ACCOUNT, "instagram:crypto_king_77"),
        Trace(traces.ACCOUNT, "instagram:998877"),
        Trace(traces.HANDLE, "crypto_king_77"),
    }
    linked = in_fields({"accounts": [{"handle": "https://instagram.com/crypto_king_77"}]}, PLACES)
    assert Trace(traces.ACCOUNT, "instagram:crypto_king_77") in linked
    assert in_text("write to @Crypto_King_77!", PLACES) == {Trace(traces.HANDLE, "crypto_king_77")}
    assert in_fields({"accounts": [{"platform": 7, "handle": 8}, {"handle": "x"}]}, PLACES) == set()
    for given, told in (("king pin", set()), ("kingpin", {Trace(traces.HANDLE, "kingpin")})):
        assert in_fields({"accounts": [{"platform": "other", "handle": given}]}, PLACES) == told


def test_what_says_nothing_of_anybody_is_no_trace() -> None:
    given = {
        "payments": [{"card_last4": "4242", "amount": "0612345678", "date": "2026-11-22"}],
        "platform": "0612345678",
        "when": "0612345678",
        "crypto": [{"tx_hash": "ab" * 32, "to_address": ETH}],
        "mtcn": None,
        "money_lost": True,
        "n": 5,
    }
    assert in_fields(given, PLACES) == {
        Trace(traces.PAYMENT, "ab" * 32),
        Trace(traces.WALLET, f"ethereum:{ETH.lower()}"),
    }


def test_a_transfers_number_is_a_trace_where_it_was_asked_for() -> None:
    for given, told in (("123-456 7890", {"1234567890"}), ("no", set()), ("?" * 9, set())):
        kinds = in_fields({"payments": [{"mtcn_or_ref": given}]}, PLACES)
        assert kinds == {Trace(traces.REFERENCE, one) for one in told}


def test_an_answer_that_is_too_deep_is_left() -> None:
    deep: object = "0612345678"
    for _ in range(20):
        deep = {"x": deep}
    assert in_fields({"x": deep}, PLACES) == set()  # type: ignore[dict-item]


def test_sites_of_countries() -> None:
    assert site_of("a.b.example.gov.ma", PLACES) == "example.gov.ma"
    assert site_of("co.ma", PLACES) == "co.ma"
    assert site_of("blogspot.com", PLACES) == "blogspot.com"
    assert public_address("not one") == ""


UNITS = (
    "1", "1 ", "1-", "+1", "a.", "a@", "@", "MA11", "MA11 1", "/", "http://", "0x", "bc1", "[", "١",
)  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_no_text_takes_longer_than_its_length(unit: str) -> None:
    def took(length: int) -> float:
        text = (unit * length)[:length]
        began = time.process_time()
        in_text(text, PLACES)
        in_fields({"urls": [text]}, PLACES)
        return time.process_time() - began

    took(100)
    assert took(60_000) < 6
