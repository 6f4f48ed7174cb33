"""The report as one page that any browser opens without a network: for reading and for print.

Rule: what others wrote is text, escaped and defanged: no link, no script, nothing that is loaded.
"""

from __future__ import annotations

from html import escape
from string import Template
from typing import TYPE_CHECKING

from desk import acts, telling
from desk import words as read_words
from desk.cases import iso
from desk.verify import Entry, Reply
from desk.whose import NAME_DIGITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desk.cases import Case
    from desk.origins import Told
    from desk.rules import Rules
    from desk.transmission.items import Item
    from desk.verify import FollowUp

_PAGE = Template("""\
<!doctype html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$ref</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem }
dt { font-weight: bold } dd { margin: 0 0 .8rem; white-space: pre-wrap }
article { border-top: 1px solid; padding: .4rem 0 } p { white-space: pre-wrap }
code { overflow-wrap: anywhere }
</style>
</head>
<body>
<main>
<h1><bdi dir="ltr">$ref</bdi></h1>
<h2>Report · <span lang="fr">Signalement</span> · <span lang="ar" dir="rtl">التبليغ</span></h2>
$reports
<h2>Since then · <span lang="fr">Suites</span> · <span lang="ar" dir="rtl">ما تلاه</span></h2>
$timeline
<h2>Files · <span lang="fr">Fichiers</span> · <span lang="ar" dir="rtl">الملفات</span></h2>
<ul>
$files
</ul>
</main>
</body>
</html>
""")
_REPORT = Template("<dl>\n$fields\n</dl>")
_BESIDE = Template("""\
<p><strong>Several people wrote in this case, and at most one of them is the reporter. \
<span lang="fr">Plusieurs personnes ont écrit dans ce dossier, dont une au plus est le \
déclarant.</span> <span lang="ar" dir="rtl">كتب في هذا الملف عدة أشخاص، وواحد منهم على الأكثر هو \
المبلّغ.</span></strong></p>
$reports""")
_AFTER_A_MESSAGE = Template("""\
<p><strong>A message began this case, and no report in it is known to come from whoever wrote \
that. <span lang="fr">Ce dossier a commencé par un message, et rien ne prouve qu’un signalement \
qu’il contient vienne de la personne qui l’a écrit.</span> <span lang="ar" dir="rtl">بدأ هذا الملف \
برسالة، وليس معروفا أن أي تبليغ فيه صادر عن كاتبها.</span></strong></p>
$reports""")
_REPORT_NAME = Template("<p><code>$name</code></p>\n")
_FIELD = Template("<dt>$name</dt>\n$lines")
_LINE = Template('<dd dir="auto">$text</dd>')
_SAID = Template('<article><b>$who</b> $did <time>$day</time>\n<p dir="auto">$text</p></article>')
_FILE = Template('<li><bdi dir="ltr">$path</bdi><br><code>$sha256</code> <code>$by</code></li>')


def report_page(case: Case, rules: Rules, files: Sequence[Item]) -> bytes:
    """Return the page, in UTF-8."""
    reports = "\n<hr>\n".join(_report(one, is_named=case.origin.is_odd) for one in case.origin.told)
    if case.origin.is_odd:
        reports = (_AFTER_A_MESSAGE if case.origin.message else _BESIDE).substitute(reports=reports)
    said = [_said(case, rules, one) for one in case.timeline if not _is_note(one)]
    # Where several wrote, each file bears the name of the report or message that names it.
    by = {one.ref.id.hex(): one.by.hex() for one in case.files if case.origin.is_odd}
    named = [
        _FILE.substitute(
            path=_text(one.path), sha256=one.sha256, by=by.get(one.source, "")[:NAME_DIGITS]
        )
        for one in files
    ]
    return _PAGE.substitute(
        ref=case.ref, reports=reports, timeline="\n".join(said), files="\n".join(named)
    ).encode()


def _report(told: Told, *, is_named: bool) -> str:
    answers = [
        _FIELD.substitute(
            name=_text(name), lines="\n".join(_LINE.substitute(text=_text(one)) for one in lines)
        )
        for name, lines in read_words.answers(told.manifest.fields)
    ]
    said = _REPORT.substitute(fields="\n".join(answers))
    # Whose a message is, it says by that name.
    name = told.envelope.id.hex()[:NAME_DIGITS]
    return _REPORT_NAME.substitute(name=name) + said if is_named else said


def _is_note(one: FollowUp | Reply | Entry) -> bool:
    """Notes are for operators alone; what no desk of ours understands goes nowhere either."""
    return isinstance(one, Entry) and (
        one.body.type == acts.NOTE or one.body.type not in acts.TYPES
    )


def _said(case: Case, rules: Rules, one: FollowUp | Reply | Entry) -> str:
    if isinstance(one, Entry):
        who, did = one.signer.name, telling.act(one.body.type, one.body.data, rules)
        text = telling.text(one.body.type, one.body.data)
    elif isinstance(one, Reply):
        who, did, text = one.signer.name, read_words.told(one), one.body.text
    else:
        who = read_words.writer(case, one)
        did = read_words.said(one.body, case.number_of(one.envelope.id))
        text = one.body.text
    return _SAID.substitute(
        who=_text(read_words.cell(who)), did=_text(did), day=iso(one.node.day), text=_text(text)
    )


def _text(untrusted: str) -> str:
    return escape(read_words.plain(read_words.defanged(untrusted)))
