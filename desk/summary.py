"""One case as JSON: the stable shape of `show --json` and of an export's `case.json`.

Rule: fields are added and never renamed; what a reporter typed stands as it was typed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from desk.alarms import Alarm, Sign
from desk.cases import iso
from desk.evidence import view, views
from desk.identity import named
from desk.quarantine import closed_from_elsewhere
from desk.verify import Entry, FollowUp, Reply
from desk.whose import sender

if TYPE_CHECKING:
    from crypto.ids import EnvelopeId
    from desk.cases import Case
    from desk.desk import Desk
    from desk.origins import Told

IDENTITY_LOCKED = "locked: sealed to the custodians"


def deep_alarms(desk: Desk, case: Case) -> tuple[Alarm, ...]:
    """The case's alarms, and those that only opening each file's manifest can show."""
    unopened = {
        Alarm(Sign.CANNOT_OPEN, case.id.hex(), one.ref.id.hex())
        for one in case.files
        if view(desk, one).problem == "cannot-open"
    }
    return tuple(sorted({*case.alarms, *unopened}))


def all_alarms(desk: Desk, case: Case) -> tuple[Alarm, ...]:
    """Those, and what another case's alarm means for the files of this one."""
    closed = [one.closing for one in views(desk, case) if one.closing is not None]
    return tuple(sorted({*deep_alarms(desk, case), *closed_from_elsewhere(desk, case, closed)}))


def case_json(desk: Desk, case: Case) -> dict[str, object]:
    """Everything an operator may read of a case."""
    return {
        "v": 1,
        "rehearsal": desk.trust.rehearsal,
        "case": case.id.hex(),
        "ref": case.ref,
        "day": iso(case.day),
        "category": case.category,
        "form_version": case.report.form_version if case.report else 0,
        "language": case.report.language if case.report else "",
        "identity_mode": case.identity_mode,
        "identity": IDENTITY_LOCKED,
        "identities": [one.to_json() for one in named(case)],
        "withdrawn": bool(case.withdrawals),
        "public_status": case.public_status,
        "state": case.state,
        "state_conflict": list(case.state_conflict),
        "danger": case.danger,
        "unanswered": case.unanswered,
        "answerable": case.reply_key is not None,
        "readable": case.readable,
        "sealed_by": case.report.sealed_by if case.report else "",
        "cleaned_by": case.report.cleaned_by if case.report else "",
        "fields": dict(case.fields),
        "report": case.report_id.hex() if case.report_id else "",
        "report_is_sure": case.origin.is_sure and case.report is not None,
        "other_reports": [_other(one) for one in case.origin.told if one is not case.origin.first],
        "files": [{**one.to_json(), "named_by": one.named.by.hex()} for one in views(desk, case)],
        "conversation": [_message(case, one) for one in case.messages],
        "journal": [_entry(one) for one in case.timeline if isinstance(one, Entry)],
        "alarms": [alarm.to_json() for alarm in all_alarms(desk, case)],
    }


def _other(one: Told) -> dict[str, object]:
    """A report that lies beside the first, and opens."""
    return {
        "id": one.envelope.id.hex(),
        "day": iso(one.envelope.header.day),
        "category": one.manifest.category,
        "language": one.manifest.language,
        "identity_mode": one.manifest.identity_mode,
        "fields": dict(one.manifest.fields),
    }


def _message(case: Case, one: FollowUp | Reply) -> dict[str, object]:
    is_reply = isinstance(one, Reply)
    return {
        "kind": "reply" if is_reply else "follow-up",
        "id": one.envelope.id.hex(),
        "day": iso(one.node.day),
        "author": one.signer.name if isinstance(one, Reply) else _writer(one),
        "text": one.body.text,
        "status": (one.body.status or "") if isinstance(one, Reply) else "",
        "elsewhere": isinstance(one, Reply) and one.elsewhere,
        "type": "" if isinstance(one, Reply) else one.body.type,
        "identity_mode": "" if isinstance(one, Reply) else one.body.identity_mode,
        "of_report": "" if isinstance(one, Reply) else _of(one),
        "files": [] if is_reply else _ids(case, one.envelope.id),
        "waiting": not one.envelope.posted,
    }


def _writer(one: FollowUp) -> str:
    return "unknown" if sender(one) else "reporter"


def _of(one: FollowUp) -> str:
    """The report, or the first message, of a writer who is not known to be the reporter."""
    return one.of.hex() if one.of is not None and sender(one) else ""


def _entry(one: Entry) -> dict[str, object]:
    return {
        "id": one.envelope.id.hex(),
        "day": iso(one.node.day),
        "author": one.signer.name,
        "type": one.body.type,
        "data": dict(one.body.data),
        "waiting": not one.envelope.posted,
    }


def _ids(case: Case, envelope: EnvelopeId) -> list[str]:
    return [one.ref.id.hex() for one in case.files_of(envelope)]
