"""What a package says in Arabic and in French.

Rule: whole sentences, each with its own words; none is glued together.
"""

from __future__ import annotations

from string import Template

LANGUAGES = ("ar", "fr")

CATEGORIES: dict[str, dict[str, str]] = {
    "fraud": {"ar": "نصب واحتيال", "fr": "Escroquerie"},
    "sextortion": {"ar": "ابتزاز جنسي", "fr": "Chantage sexuel"},
    "defamation": {"ar": "تشهير وسب وقذف", "fr": "Diffamation ou injure"},
    "threats": {"ar": "تهديد وعنف", "fr": "Menaces ou violences"},
    "harassment": {"ar": "تحرش ومضايقة", "fr": "Harcèlement"},
    "incitement": {
        "ar": "تحريض ومخدرات واستغلال", "fr": "Incitation, stupéfiants, exploitation",
    },
    "terrorism": {"ar": "إرهاب", "fr": "Terrorisme"},
    "csam": {
        "ar": "استغلال جنسي للأطفال", "fr": "Exploitation sexuelle d’enfants",
    },
    "hacking_other": {"ar": "اختراق أو غيره", "fr": "Piratage ou autre"},
    "": {"ar": "بدون تصنيف", "fr": "Sans catégorie"},
}  # fmt: skip

MODES: dict[str, dict[str, str]] = {
    "anonymous": {"ar": "مجهول الهوية", "fr": "Anonyme"},
    "contact_only": {"ar": "وسيلة اتصال فقط", "fr": "Un moyen de contact seulement"},
    "full_identity": {"ar": "هوية مصرح بها", "fr": "Identité déclarée"},
    "": {"ar": "غير معروف", "fr": "Inconnu"},
}

REPORT_LANGUAGES: dict[str, dict[str, str]] = {
    "ar": {"ar": "العربية", "fr": "Arabe"},
    "fr": {"ar": "الفرنسية", "fr": "Français"},
    "en": {"ar": "الإنجليزية", "fr": "Anglais"},
    "zgh": {"ar": "الأمازيغية", "fr": "Amazighe"},
}

LEFT_OUT: dict[str, dict[str, str]] = {
    "quarantined": {
        "en": "In quarantine: no copy, handed over by the legally approved route",
        "ar": "في الحجر: لا تنسخ ولا تعرض، وتسلم بالمسطرة القانونية",
        "fr": "En quarantaine : ni copie ni affichage, remise par la voie légale",
    },
    "original": {
        "en": "An original that nobody cleaned; it stays with the sender",
        "ar": "أصل غير منقى بقي عند المرسل",
        "fr": "Original non nettoyé, conservé par l’expéditeur",
    },
    "missing": {"en": "Not on this machine", "ar": "لم يعثر عليه", "fr": "Introuvable"},
    "cannot-open": {
        "en": "It does not open: changed or swapped",
        "ar": "تعذر فتحه: غير سليم",
        "fr": "Ne s’ouvre pas : altéré",
    },
}

SHEET: dict[str, dict[str, str]] = {
    "practice": {
        "ar": "تمرين: مفاتيح للتدريب، لا قيمة لهذه الوثيقة",
        "fr": "EXERCICE : clés d’entraînement, document sans valeur",
    },
    "title": {"ar": "ورقة إحالة تبليغ", "fr": "Bordereau de transmission d’un signalement"},
    "under": {
        "ar": "سري. لا يسلم إلا إلى المصلحة المختصة المذكورة أدناه.",
        "fr": "Confidentiel. À ne remettre qu’au service compétent nommé ci-dessous.",
    },
    "ref": {"ar": "مرجع الملف", "fr": "Référence du dossier"},
    "package": {"ar": "رقم الإحالة", "fr": "Numéro de la transmission"},
    "received": {"ar": "تاريخ التوصل", "fr": "Reçu le"},
    "transmitted": {"ar": "تاريخ الإحالة", "fr": "Transmis le"},
    "category": {"ar": "الصنف", "fr": "Catégorie"},
    "priority": {"ar": "الأولوية", "fr": "Priorité"},
    "service": {"ar": "المصلحة المختصة", "fr": "Service compétent"},
    "basis": {"ar": "أساس الاختصاص", "fr": "Fondement de la compétence"},
    "operator": {"ar": "أحاله", "fr": "Transmis par"},
    "prepared": {"ar": "أعده للإحالة", "fr": "Préparé par"},
    "reporter": {"ar": "المبلغ", "fr": "Déclarant"},
    "language": {"ar": "لغة التبليغ", "fr": "Langue du signalement"},
    "files": {"ar": "عدد الوثائق المرفقة", "fr": "Nombre de pièces jointes"},
    "left_out": {"ar": "عدد الوثائق غير المرفقة", "fr": "Nombre de pièces non jointes"},
    "acts": {"ar": "عدد أعمال السجل", "fr": "Actes du journal"},
    "rules": {"ar": "بصمة قواعد العمل", "fr": "Empreinte des règles de travail"},
    "sign_from": {"ar": "توقيع المرسل وتاريخه", "fr": "Signature de l’expéditeur, date"},
    "sign_to": {
        "ar": "توقيع المصلحة المستلمة وخاتمها وتاريخ الاستلام",
        "fr": "Signature et cachet du service destinataire, date de réception",
    },
}

NOTES: dict[str, dict[str, str]] = {
    "locked": {
        "ar": "هوية المبلغ غير مضمنة: وهي مختومة لدى أمناء مستقلين.",
        "fr": "L’identité du déclarant n’est pas jointe : elle est scellée chez des dépositaires "
        "indépendants.",
    },
    "annex": {
        "ar": "هوية المبلغ في ملحق منفصل (identity-annex.json) فتحه الأمناء، ويحفظ منفصلا عن "
        "الملف.",
        "fr": "L’identité du déclarant est dans une annexe séparée (identity-annex.json), ouverte "
        "avec l’accord des dépositaires ; elle se conserve à part du dossier.",
    },
    "several": {
        "ar": "كتب في هذا الملف عدة أشخاص، وواحد منهم على الأكثر هو المبلغ: انظر report.html.",
        "fr": "Plusieurs personnes ont écrit dans ce dossier, dont une au plus est le "
        "déclarant : voir report.html.",
    },
    "after_a_message": {
        "ar": "بدأ هذا الملف برسالة، وليس معروفا أن أي تبليغ فيه صادر عن كاتبها: انظر report.html.",
        "fr": "Ce dossier a commencé par un message ; rien ne prouve qu’un signalement qu’il "
        "contient vienne de son auteur : voir report.html.",
    },
    "digest": {
        "ar": "يحمل أسفل كل صفحة بصمة جميع الملفات المرفقة. وللتحقق من سلامتها ومن التوقيع: "
        "verify.py.",
        "fr": "Le bas de chaque page porte l’empreinte de tous les fichiers joints. Pour vérifier "
        "leur intégrité et la signature : verify.py.",
    },
    "untrue": {
        "ar": "يثبت التوقيع من أحال الملف وأنه لم يتغير، ولا يثبت صحة ما يرويه المبلغ.",
        "fr": "La signature prouve qui a transmis le dossier et qu’il n’a pas changé ; elle ne "
        "prouve pas que le récit du déclarant est vrai.",
    },
}

HEADINGS: dict[str, dict[str, str]] = {
    "account": {"ar": "ما يرويه المبلغ", "fr": "Récit du déclarant"},
    "items": {"ar": "الملفات وبصماتها", "fr": "Fichiers et empreintes (SHA-256)"},
    "left": {"ar": "ما لم يرفق", "fr": "Ce qui n’est pas joint"},
}

README = Template("""\
Case $ref, package $package

verify.py checks this folder with Python 3.8 or newer and nothing else:

    python3 verify.py . --root root.pub

root.pub is the sender's public root key. Have it from somebody you trust, not from this folder.
amana-package verify FOLDER --root root.pub does the same. cover.pdf is for print; report.html opens
in any browser, without a network. Files under evidence/ were cleaned of metadata by the sender.

--

Dossier $ref, transmission $package

verify.py vérifie ce dossier avec Python 3.8 ou plus récent, et rien d’autre :

    python3 verify.py . --root root.pub

root.pub est la clé publique racine de l’expéditeur. Obtenez-la d’une personne de confiance, et non
de ce dossier. cover.pdf s’imprime ; report.html s’ouvre dans tout navigateur, sans réseau.

--

${rlm}الملف $ref، الإحالة $package

${rlm}يتحقق البرنامج verify.py من هذا المجلد، ولا يحتاج إلا إلى Python 3.8 أو أحدث:

    python3 verify.py . --root root.pub

${rlm}الملف root.pub هو المفتاح العام الجذري للمرسل،
${rlm}ويؤخذ ممن تثقون به لا من هذا المجلد.
${rlm}الملف cover.pdf للطباعة، وreport.html يفتح في أي متصفح دون شبكة.
""")
"""`rlm` is the right-to-left mark: plain text has no other way to begin a line from the right."""
