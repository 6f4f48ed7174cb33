"""What the synthetic reports say: every one begins by saying that it is synthetic."""

from __future__ import annotations

MARK = "[SYNTHETIC {number:04d}]"

TEXTS: dict[str, dict[str, str]] = {
    "fraud": {
        "ar": "اشتريت هاتفا من صفحة على الإنترنت وأرسلت الثمن ولم يصلني شيء.",
        "fr": "J’ai acheté un téléphone sur une page et envoyé le prix ; rien n’est arrivé.",
        "en": "I bought a telephone from a page and sent the price; nothing ever came.",
        "zgh": "ⵏⵏⵚⴱ",
    },
    "sextortion": {
        "ar": "يهددني شخص بنشر صوري إن لم أرسل له المال.",
        "fr": "Quelqu’un menace de publier mes images si je n’envoie pas d’argent.",
        "en": "Somebody threatens to publish pictures of me unless I send money.",
        "zgh": "ⴰⵙⵉⴳⴳⴷ ⵙ ⵜⵡⵍⴰⴼⵉⵏ ⵜⵓⵙⵍⵉⴳⵉⵏ",
    },
    "defamation": {
        "ar": "نشر حساب مجهول كلاما كاذبا عني أمام الناس.",
        "fr": "Un compte inconnu publie des choses fausses sur moi.",
        "en": "An unknown account publishes false things about me.",
        "zgh": "ⵜⵉⴽⵔⴽⴰⵙ ⵅⴼ ⵢⴰⵏ ⵏⵖ ⵔⴳⴰⵎ",
    },
    "threats": {
        "ar": "وصلتني رسائل تهديد بالضرب من رقم لا أعرفه.",
        "fr": "Je reçois des messages de menaces d’un numéro que je ne connais pas.",
        "en": "Messages that threaten me come from a number that I do not know.",
        "zgh": "ⴰⵙⵉⴳⴳⴷ ⵏⵖ ⵜⵉⵢⵉⵜⴰ",
    },
    "incitement": {
        "ar": "صفحة تعرض بيع أقراص مخدرة وتدعو إلى شرائها.",
        "fr": "Une page propose des comprimés interdits et invite à les acheter.",
        "en": "A page offers forbidden pills and invites people to buy them.",
        "zgh": "ⴰⵖⵔⵉ ⵖⵔ ⵍⵊⴰⵔⵉⵎⴰ, ⴷⴷⵔⵓⴳ, ⴰⵙⵅⵙⵔ ⵏ ⵎⵉⴷⴷⵏ",
    },
    "terrorism": {
        "ar": "حساب يشيد بعمل إرهابي ويدعو إلى الالتحاق بمن قاموا به.",
        "fr": "Un compte fait l’apologie d’un acte terroriste et appelle à rejoindre ses auteurs.",
        "en": "An account praises a terrorist act and calls on people to join those who did it.",
        "zgh": "ⵍⵉⵔⵀⴰⴱ",
    },
}

QUESTIONS = {
    "ar": "هل يمكنكم إرسال عنوان الصفحة؟",
    "fr": "Pouvez-vous envoyer l’adresse de la page ?",
    "en": "Can you send the address of the page?",
    "zgh": "Pouvez-vous envoyer l’adresse de la page ?",
}
ANSWERS = {
    "ar": "العنوان هو https://page.example/١٢",
    "fr": "L’adresse est https://page.example/12",
    "en": "The address is https://page.example/12",
    "zgh": "https://page.example/12",
}
CLOSINGS = {
    "ar": "فُحص تبليغكم وأُغلق. يمكنكم الكتابة هنا إن جد جديد.",
    "fr": "Votre signalement a été examiné et clos. Écrivez ici si du nouveau arrive.",
    "en": "Your report was examined and closed. Write here if something new happens.",
    "zgh": "Votre signalement a été examiné et clos. Écrivez ici si du nouveau arrive.",
}


def description(category: str, language: str, number: int) -> str:
    """One report's text, which says first that nobody wrote it."""
    return f"{MARK.format(number=number)} {TEXTS[category][language]}"
