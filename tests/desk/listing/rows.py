"""Rows without a case, for what is asked of rows alone."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from crypto.ids import CaseId
from desk.room.fact import Fact
from desk.row import Row
from tests.desk.world import TODAY

_USUAL = Row(
    id=CaseId(bytes(16)),
    day=TODAY,
    category="fraud",
    told_category="fraud",
    identity_mode="anonymous",
    is_anonymous=True,
    language="fr",
    state="received",
    state_conflict=(),
    priority="P3",
    assigned="",
    tags=(),
    public_status="",
    danger=False,
    unanswered=True,
    withdrawn=False,
    readable=True,
    messages=0,
    file_ids=(),
    asked_on=(),
    answered_on=(),
    alarms=(),
    clocks=(),
    due=None,
    acts=(),
    links={},
    fields={},
    told=(),
    folded="they took my money",
    is_cut=False,
    fact=Fact(case=bytes(16).hex(), day=TODAY),
)


def a_row(**changes: Any) -> Row:
    """An anonymous report of today that nobody has touched, but for what is said."""
    return replace(_USUAL, **{"id": CaseId(os.urandom(16)), **changes})
