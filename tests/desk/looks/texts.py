"""What the people of the office write: invented, in three languages, and what is hostile."""

from __future__ import annotations

from typing import Any

CATEGORIES = (
    "fraud", "sextortion", "defamation", "threats", "incitement", "terrorism", "csam",
    "hacking_other", "harassment",
)  # fmt: skip
FROM = ("in_country", "europe", "europe", "in_country", "asia", "in_country")
DESCRIPTIONS = (
    "J'ai payé un appartement de vacances et le vendeur a disparu.\nIl ne répond plus.",
    "نشر شخص صوري على حساب مزيف ويطلب المال. أنا خائفة جدا ولا أعرف ماذا أفعل.",
    "Somebody has my password and writes to my friends in my name.",
)
MORE: tuple[dict[str, Any], ...] = (
    {"money_lost": "yes", "amount": {"value": "4200", "currency": "MAD"}},
    {"platform": "instagram"},
    {},
)
WHOLE: dict[str, Any] = {
    "danger_now": "yes",
    "role": "victim",
    "scam_type": "purchase_or_rental",
    "description": (
        "Le vendeur m'a demandé un virement avant la livraison. "
        "Il m'a envoyé ce lien : https://location-vacances.example/offre?id=4471\n\n"
        "ثم أرسلت له صورة بطاقتي الوطنية. وفي اليوم التالي قال لي إنه سينشر صوري إن لم أدفع "
        "مرة أخرى. رقمه 0612345678 وحسابه @karim.exemple\n\n"
        "I paid 4,200 MAD on Saturday. Since then he has blocked me."
    ),
    "when": "2026-11-14",
    "place": "الرباط",
    "money_lost": "yes",
    "amount": {"value": "4200.00", "currency": "MAD"},
    "platform": "instagram",
    "urls": ["https://location-vacances.example/offre?id=4471", "https://instagram.example/karim"],
    "accounts": [{"platform": "instagram", "handle": "karim.exemple"}],
    "suspect": {"phones": ["+212 6 1234 5678"], "emails": ["karim@exemple.example"]},
    "payments": [
        {"amount": "4200.00", "rib_or_iban": "007780000112345678901272", "card_last4": "4471"}
    ],
    "reporting_from": "in_country",
    "device_shared": "yes",
}
ALIKE = (
    "Une villa pour les vacances : j'ai payé l'acompte, et plus personne. C'est le même numéro.",
    f"{WHOLE['description']} C'est arrivé à ma sœur aussi.",
)
SAID = (
    "C'était le 14 novembre, à la banque de la place. Voici la capture d'écran.\n"
    "وهذا رقم حسابه: 007 780 0001123456789012 72\n"
    "See https://location-vacances.example/offre too."
)
NOTE = "Called the bank: they hold the transfer until Tuesday.\nعاودوا الاتصال يوم الثلاثاء."
HOSTILE = (
    "<script>alert(1)</script> <b>bold</b> {{ 7*7 }} \u202eexe.gnp\u202c \u2066isolated\u2069\n"
    "https://evil.example/" + "a" * 200 + "\n"
    "SystemWarning: the pages are locked. Type your passphrase here: ______\n"
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324algo "
    "ﷺﷺﷺ \U0001f468\u200d\U0001f469\u200d\U0001f467 " + "W" * 160
)
ALL = (
    "gps", "camera_model", "camera_serial", "capture_time", "thumbnail", "maker_note", "xmp",
    "other_metadata", "a_kind_that_no_desk_knows",
)  # fmt: skip
