"""What a text or an answer of the form holds that one person or one scheme would leave twice.

Rule: a trace is spelled in one way, whoever typed it, in whichever digits; a number counts only
where its own check digits bear it out (desk.checked_numbers).  The last four digits of a card are
no trace: a hundred people share them.

```
phone      +212612345678                email     name@example.org
account    instagram:crypto_king_77     handle    crypto_king_77
page       example.org/pay              site      example.org
rib        24 digits                    iban      country, check, account
wallet     bitcoin:…, ethereum:…        payment   a transaction's hash
reference  a transfer's number          ip        a public address
```
Each text is walked once, word by word; nothing here takes longer than its length.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from desk.checked_numbers import coin_of, iban_in, is_hex, is_rib, public_address
from desk.form_ids import CHOICES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from crypto.strict_json import Json

PHONE, EMAIL, ACCOUNT, HANDLE = "phone", "email", "account", "handle"
PAGE, SITE, RIB, IBAN = "page", "site", "rib", "iban"
WALLET, PAYMENT, REFERENCE, ADDRESS, FILE = "wallet", "payment", "reference", "ip", "file"

TEXT_MOST = 60_000
"""Characters of one text that are looked at."""
WORD_MOST = 2_000
VALUE_MOST = 300
HOST_MOST, LABEL_MOST = 253, 63
"""Characters of a name in the DNS, and of each part of it."""
RUNS_MOST, GROUPS_MOST = 300, 12
"""Runs of digits of one text that are looked at, and groups that one number is written in."""
DEPTH_MOST = 8

_NOT_TRACES = CHOICES | {
    "card_last4", "amount", "date", "when", "deadline", "notice_read", "birth_year",
}  # fmt: skip
_SPELLED = {"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2011": "-", "\u2013": "-"}
_EDGES = ".,;:!?()[]{}<>\"'«»“”‘’،؛؟*_|`"
_EMAIL = re.compile(r"[a-z0-9][a-z0-9._%+-]{0,63}@[a-z0-9][a-z0-9.-]{0,250}\.[a-z]{2,24}")
_HOST = re.compile(r"(?:[a-z0-9_-]{1,63}\.){1,8}[a-z][a-z0-9-]{1,23}")
_HANDLE = re.compile(r"[\w.-]{3,64}")
_ENDINGS = frozenset({
    "com", "net", "org", "info", "biz", "ma", "fr", "es", "uk", "online", "site", "shop", "store",
    "xyz", "top", "app", "io", "me", "live", "club", "vip", "pro", "link", "click", "icu", "cc",
    "ru", "cn", "tk", "ml", "ga", "cf", "gq", "space", "website", "page", "dev", "work", "fun",
})  # fmt: skip
"""What makes a bare word an address in a sentence; a form's own field for addresses takes all."""
_SECOND_LEVEL = frozenset({"co", "com", "net", "org", "gov", "ac", "press", "edu", "or", "ne"})
_KEPT_IN_QUERY = ("v", "id", "fbid", "story_fbid")
"""What names a page in its query; everything else there follows the visitor."""
# A run is of at most 34 digits with little between them: bounded, so linear in the text.
_NUMBERS = re.compile(r"(?<![A-Za-z0-9+])\+?\d(?:[ ./()-]{0,2}\d){7,33}(?!\d)")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,31}")
_GROUPS = re.compile(r"\+?\d+")
_REFERENCE = re.compile(r"[A-Z0-9]{6,40}")
_PHONE_LEAST, _PHONE_MOST = 8, 15
_COUNTRY = "212"
_NATIONAL_DIGITS = {
    "1": (10, 10), "7": (10, 10), "20": (9, 10), "31": (9, 9), "32": (8, 9), "33": (9, 9),
    "34": (9, 9), "39": (9, 11), "41": (9, 9), "44": (9, 10), "49": (9, 11), "86": (11, 11),
    "90": (10, 10), "91": (10, 10), _COUNTRY: (9, 9), "213": (8, 9), "216": (8, 8), "218": (8, 9),
    "221": (9, 9), "222": (8, 8), "223": (8, 8), "225": (8, 10), "229": (8, 10), "234": (8, 10),
    "237": (8, 9), "966": (8, 9), "971": (8, 9), "974": (8, 8),
}  # fmt: skip
"""Of the countries that are written about: how many digits follow the country's own."""
_NATIONAL = re.compile(r"0[5-8]\d{8}")
_COUNTRY_NUMBER = re.compile(r"212[5-8]\d{8}")
_SHORT_NATIONAL = re.compile(r"[67]\d{8}")


class Trace(NamedTuple):
    """One thing that can stand in two cases: what kind it is, and its one spelling."""

    kind: str
    value: str


class Places(NamedTuple):
    """What sites are, for a desk: services below which everybody can have a site."""

    shared_hosts: frozenset[str]


def in_fields(fields: Mapping[str, Json], places: Places) -> set[Trace]:
    """Every trace in a report's answers."""
    return {one for one in _walk(fields, "", places, DEPTH_MOST) if one.value}


def in_text(untrusted: str, places: Places) -> set[Trace]:
    """Every trace in what somebody wrote."""
    return set(_of_text(_plain(untrusted), places))


def phone(digits: str, *, alone: bool = False) -> str:
    """A phone number as `+212612345678`, from digits that may begin with + or 00; or empty.

    `alone` says that nothing but a number was asked for: then a Moroccan one may lack its zero.
    """
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    if digits.startswith("+"):
        # +212 (0) 6…: the zero of the national form is often left in.
        if digits.startswith(f"+{_COUNTRY}0"):
            digits = f"+{_COUNTRY}{digits[5:]}"
        return digits if _fits(digits[1:]) else ""
    if _NATIONAL.fullmatch(digits):
        return f"+{_COUNTRY}{digits[1:]}"
    if _COUNTRY_NUMBER.fullmatch(digits):
        return f"+{digits}"
    return f"+{_COUNTRY}{digits}" if alone and _SHORT_NATIONAL.fullmatch(digits) else ""


def _fits(digits: str) -> bool:
    """Whether digits with their country's are as many as numbers there have."""
    for length in (1, 2, 3):
        if digits[:length] in _NATIONAL_DIGITS:
            least, most = _NATIONAL_DIGITS[digits[:length]]
            return least <= len(digits) - length <= most
    return _PHONE_LEAST <= len(digits) <= _PHONE_MOST and digits[:1] != "0"


# --- answers of the form


def _walk(value: Json, name: str, places: Places, depth: int) -> Iterator[Trace]:
    if depth == 0 or name in _NOT_TRACES:
        return
    if isinstance(value, str):
        yield from _of_answer(_plain(value), name, places)
    elif isinstance(value, dict):
        yield from _of_account(value)
        for inner, one in value.items():
            yield from _walk(one, inner, places, depth - 1)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _walk(one, name, places, depth - 1)


def _of_account(row: Mapping[str, Json]) -> Iterator[Trace]:
    """A row of a platform with a name or a number on it."""
    platform = row.get("platform")
    on = platform if isinstance(platform, str) else ""
    for name in ("handle", "numeric_id"):
        given = row.get(name)
        if isinstance(given, str):
            yield from _account(on, _plain(given).strip())


def _of_answer(text: str, name: str, places: Places) -> Iterator[Trace]:
    if name in ("handle", "numeric_id"):
        # Its row gave it with its platform; an address may have been typed here all the same.
        if "/" in text or "@" in text[1:]:
            yield from _of_text(text, places)
        return
    if name == "mtcn_or_ref":
        reference = re.sub(r"[\s-]", "", text).upper()
        if _REFERENCE.fullmatch(reference):
            yield Trace(REFERENCE, reference)
        return
    number = re.sub(r"[ ./()-]", "", text)
    if name in ("phone", "phones", "wallet_phone"):
        yield Trace(PHONE, phone(number, alone=True))
    yield from _of_text(text, places)
    if " " not in text.strip() and len(text) <= WORD_MOST:
        yield from _of_address(text.strip().strip(_EDGES), places, typed_as_one=True)


# --- texts


def _of_text(text: str, places: Places) -> Iterator[Trace]:
    for word in text.split():
        if len(word) <= WORD_MOST:
            yield from _of_word(word.strip(_EDGES), places)
    for run in itertools.islice(_NUMBERS.finditer(text), RUNS_MOST):
        yield from _of_digits(_GROUPS.findall(run[0]))
    for run in _IBAN.finditer(text.upper()):
        if iban := iban_in(run[0].replace(" ", "")):
            yield Trace(IBAN, iban)
            if iban.startswith("MA") and is_rib(iban[4:]):
                yield Trace(RIB, iban[4:])


def _of_word(word: str, places: Places) -> Iterator[Trace]:
    low = word.lower()
    if found := _EMAIL.search(low):
        yield Trace(EMAIL, _mailbox(found[0]))
    elif word.startswith("@") and _HANDLE.fullmatch(word[1:]):
        yield Trace(HANDLE, _handle(word))
    elif coin := coin_of(word):
        yield Trace(WALLET, f"{coin}:{_coin_spelling(word)}")
    elif is_hex(bare := low.removeprefix("0x"), 64):
        yield Trace(PAYMENT, bare)
    elif address := public_address(low):
        yield Trace(ADDRESS, address)
    else:
        yield from _of_address(word, places, typed_as_one=False)


def _of_digits(groups: Sequence[str]) -> Iterator[Trace]:
    """What a run of grouped digits is: an account number, or one phone number after another."""
    start = 0
    while start < len(groups):
        last = min(start + GROUPS_MOST, len(groups))
        joined = ["".join(groups[start:end]) for end in range(start + 1, last + 1)]
        account = next((one for one in joined if is_rib(one)), "")
        # A number with its country's is the longest that fits; ours stops where it is whole.
        abroad = groups[start][:1] == "+" or groups[start][:2] == "00"
        fitting = [one for one in joined if phone(one)]
        number = fitting[-1 if abroad else 0] if fitting else ""
        if account:
            yield Trace(RIB, account)
        elif number:
            yield Trace(PHONE, phone(number))
        found = account or number
        start += joined.index(found) + 1 if found else 1


def _of_address(word: str, places: Places, *, typed_as_one: bool) -> Iterator[Trace]:
    """A web address: the page, its site, and whose account or number it is."""
    plain = word.replace("[.]", ".").replace("(.)", ".")
    low = plain.lower()
    scheme, separator, rest = plain.partition("://")
    known = separator and scheme.lower() in ("http", "https", "hxxp", "hxxps")
    if not known:
        host = re.split(r"[/?#:]", low, maxsplit=1)[0]
        ending = host.rpartition(".")[2]
        if "@" in host or not _HOST.fullmatch(host):
            return
        if not (typed_as_one or low.startswith("www.") or ending in _ENDINGS):
            return
        rest = plain
    try:
        parts = urlsplit(f"https://{rest}")
        host = _spelled_in_ascii(parts.hostname or "").removeprefix("www.")
    except (ValueError, UnicodeError):
        return
    if not _HOST.fullmatch(host):
        if address := public_address(host):
            yield Trace(ADDRESS, address)
        return
    site = site_of(host, places)
    path = unquote(parts.path).strip("/").lower()
    kept = sorted((name, value) for name, value in parse_qsl(parts.query, max_num_fields=None)
                  if name in _KEPT_IN_QUERY) if len(parts.query) <= VALUE_MOST else []  # fmt: skip
    query = "&".join(f"{name}={value}" for name, value in kept)
    account = tuple(_behind(site, path, dict(parse_qsl(parts.query[:VALUE_MOST]))))
    yield from account
    if not account and (path or query):
        yield Trace(PAGE, f"{host}/{path}{'?' if query else ''}{query}"[:VALUE_MOST])
    yield Trace(SITE, site)


def _spelled_in_ascii(host: str) -> str:
    """A host as the DNS has it; raises ValueError for what is too long to be one.

    The codec takes the square of a label's length, and one character can stand for eighteen:
    what no name can be is refused before it is encoded.
    """
    plain = unicodedata.normalize("NFKC", host[: HOST_MOST + 1]).rstrip(".")
    if len(plain) > HOST_MOST or any(len(one) > LABEL_MOST for one in plain.split(".")):
        raise ValueError
    return plain.encode("idna").decode()


def site_of(host: str, places: Places) -> str:
    """The part of a host that somebody registered: `example.co.ma` of `pay.example.co.ma`."""
    labels = host.split(".")
    for length in (2, 3):
        if ".".join(labels[-length:]) in places.shared_hosts:
            return ".".join(labels[-length - 1 :])
    deep = len(labels[-1]) == 2 and len(labels) > 2 and labels[-2] in _SECOND_LEVEL  # noqa: PLR2004  # a country's ending
    return ".".join(labels[-3:] if deep else labels[-2:])


_PLATFORMS = {
    "facebook.com": "facebook", "fb.com": "facebook", "instagram.com": "instagram",
    "tiktok.com": "tiktok", "x.com": "x", "twitter.com": "x", "t.me": "telegram",
    "telegram.me": "telegram", "youtube.com": "youtube", "snapchat.com": "snapchat",
}  # fmt: skip
_NOT_NAMES = frozenset({
    "profile.php", "watch", "groups", "share", "story.php", "permalink.php", "reel", "reels", "p",
    "videos", "video", "photo", "photo.php", "pages", "events", "marketplace", "hashtag", "explore",
    "stories", "channel", "c", "user", "shorts", "playlist", "live", "status", "i", "home",
    "search", "joinchat", "s", "tv", "login", "help",
})  # fmt: skip


def _behind(site: str, path: str, query: Mapping[str, str]) -> Iterator[Trace]:
    """Whose page of a platform this is; whose number a link of WhatsApp calls."""
    if site in ("wa.me", "whatsapp.com"):
        digits = query.get("phone", "") or path.partition("/")[0]
        yield from _phone_behind(digits)
        return
    platform = _PLATFORMS.get(site, "")
    first, _, rest = path.partition("/")
    if platform == "facebook" and first == "profile.php" and query.get("id", "").isdigit():
        yield from _account(platform, query["id"])
    elif platform == "snapchat" and first == "add":
        yield from _account(platform, rest.partition("/")[0])
    elif (
        platform and first not in _NOT_NAMES and first[:1] != "+" and (not rest or first[:1] == "@")
    ):
        yield from _account(platform, first)


def _phone_behind(digits: str) -> Iterator[Trace]:
    bare = digits.strip().removeprefix("+")
    if bare.isascii() and bare.isdigit() and (found := phone(f"+{bare}")):
        yield Trace(PHONE, found)


def _account(platform: str, given: str) -> Iterator[Trace]:
    name = _handle(given)
    called = platform in ("whatsapp", "phone_sms") or given[:1] in ("+", "0")
    number = phone(re.sub(r"[ ./()-]", "", given), alone=True) if called else ""
    if number:
        yield Trace(PHONE, number)
        return
    if not _HANDLE.fullmatch(name):
        return
    if platform not in ("", "other", "website", "email"):
        yield Trace(ACCOUNT, f"{platform}:{name}")
    if not name.isdigit():
        yield Trace(HANDLE, name)


def _handle(given: str) -> str:
    return unicodedata.normalize("NFKC", given).strip().lstrip("@").rstrip(".").casefold()


def _mailbox(address: str) -> str:
    """One mailbox in one spelling: what follows a +, and dots at Gmail, reach the same person."""
    name, _, host = address.partition("@")
    name = name.partition("+")[0] or name
    if host in ("gmail.com", "googlemail.com"):
        name, host = name.replace(".", ""), "gmail.com"
    return f"{name}@{host}"


def _coin_spelling(word: str) -> str:
    """Capitals mean something in base58 alone."""
    return word.lower() if word[:2].lower() in ("0x", "bc") else word


class _Letters(dict[int, str]):
    """What each character becomes; worked out once for each that was ever met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        said = str(unicodedata.decimal(character)) if category == "Nd" else character
        self[code] = found = "" if category == "Cf" else _SPELLED.get(character, said)
        return found


_LETTERS = _Letters()


def _plain(untrusted: str) -> str:
    """Latin digits, plain spaces and dashes, nothing invisible."""
    text = untrusted[:TEXT_MOST]
    return text if text.isascii() else text.translate(_LETTERS)


def told(texts: Iterable[str], places: Places) -> set[Trace]:
    """Every trace in several texts."""
    return {one for text in texts for one in in_text(text, places)}
