"""Synthetic reports of one category: nobody's, and drawn anew for each seed."""

# ruff: noqa: S311 - the same reports for the same seed, and nothing to guess

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from crypto.ids import CaseId
from desk.similar import Features, features_of, load_stops

if TYPE_CHECKING:
    from collections.abc import Iterable

    from desk.cases import Case
    from desk.similar import Stops

STOPS: Stops = load_stops(None)
_SAID = {
    "fr": (
        "il m'a contacté par message et m'a demandé de payer avant la livraison le vendeur a "
        "bloqué mon numéro après le virement j'ai envoyé l'argent samedi matin depuis mon compte "
        "la photo du produit était fausse une annonce de téléphone voiture appartement location "
        "il disait travailler pour une société étrangère un investissement promettait des gains "
        "ma soeur mon frère un ami ont aussi reçu cette offre nous avons une capture d'écran"
    ),
    "ar": (
        "اتصل بي شخص عبر الرسائل وطلب مني أن أدفع قبل التسليم ثم حظر رقمي بعد التحويل أرسلت "
        "المال يوم السبت من حسابي كانت صورة المنتوج مزورة إعلان عن هاتف سيارة شقة كراء عطلة قال "
        "إنه يعمل لدى شركة أجنبية وعدني باستثمار وأرباح سريعة أختي وأخي وصديق توصلوا بنفس العرض"
    ),
    "en": (
        "somebody wrote to me and asked for a payment before delivery then the seller blocked my "
        "number after the transfer I sent money on saturday from my account the picture of the "
        "product was fake an offer for a phone car flat rent holiday they said they work for a "
        "foreign company an investment promised quick gains my sister brother and a friend got it"
    ),
}
WORDS = {language: said.split() for language, said in _SAID.items()}
BANKS = ("007", "011", "013", "021", "022", "101", "127", "145", "157", "190", "225", "230", "350")
PLATFORMS = ("instagram", "facebook", "whatsapp", "telegram", "tiktok")
SHARED = (
    "https://www.facebook.com/", "avito.ma", "https://www.attijariwafabank.com/", "www.cihbank.ma",
    "https://www.instagram.com/", "https://wa.me/", "contact@e-blagh.ma",
)  # fmt: skip
_NAMED = "adam sara youssef imane karim salma omar nadia yassine hajar mehdi amal ilyas rim"
NAMES = _NAMED.split()


def rib(draw: random.Random) -> str:
    first = f"{draw.choice(BANKS)}780{draw.randrange(10**16):016}"
    return f"{first}{97 - int(first) * 100 % 97:02}"


def phone(draw: random.Random) -> str:
    number = f"{draw.choice('67')}{draw.randrange(10**8):08}"
    return draw.choice(
        [f"0{number}", f"+212{number}", f"+212 {number[0]} {number[1:5]} {number[5:]}"]
    )


def handle(draw: random.Random) -> str:
    return f"{draw.choice(NAMES)}{draw.choice('._')}{draw.choice(NAMES)}{draw.randrange(10**5)}"


def text(draw: random.Random, length: int = 0) -> str:
    """Words of one language in any order, with the commonplaces that every report has."""
    words = WORDS[draw.choice(list(WORDS))]
    said = [draw.choice(words) for _ in range(length or draw.randrange(20, 120))]
    said.insert(draw.randrange(len(said)), draw.choice(SHARED))
    return " ".join(said)


def fields(draw: random.Random) -> dict[str, Any]:
    """A report of fraud with everything in it that a report of fraud has."""
    return {
        "description": text(draw),
        "platform": draw.choice(PLATFORMS),
        "urls": [f"https://{handle(draw).replace('.', '-').replace('_', '-')}.com/offer"],
        "accounts": [{"platform": draw.choice(PLATFORMS), "handle": handle(draw)}],
        "payments": [
            {
                "amount": str(draw.randrange(100, 9000)),
                "rib_or_iban": rib(draw),
                "card_last4": f"{draw.randrange(10**4):04}",
                "wallet_phone": phone(draw),
            }
        ],
        "suspect": {"phones": [phone(draw)], "emails": [f"{handle(draw)}@gmail.com"]},
    }


def case_of(given: dict[str, Any], *messages: str) -> Case:
    """Whatever of a case its features are made from."""
    said = [SimpleNamespace(body=SimpleNamespace(text=one)) for one in messages]
    return cast("Case", SimpleNamespace(fields=given, follow_ups=said))


def featured(given: dict[str, Any], *messages: str, **more: Any) -> Features:
    return features_of(case_of(given, *messages), STOPS.places, **more)


def name(number: int) -> CaseId:
    return CaseId(number.to_bytes(16, "big"))


def many(count: int, seed: int = 1) -> dict[CaseId, Features]:
    """Random reports that have nothing to do with each other."""
    draw = random.Random(seed)
    return {name(number): featured(fields(draw)) for number in range(count)}


def pairs(found: Iterable[tuple[CaseId, CaseId]]) -> set[frozenset[CaseId]]:
    return {frozenset(one) for one in found}
