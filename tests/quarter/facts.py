"""What the room's figures would know of a planned report, without sealing and opening it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from crypto.ids import day_of
from desk.room.fact import NOT_SAID, Event, Fact, Loss, Question, Step
from tests.quarter.plan import Act, Planned, Said


def fact(one: Planned) -> Fact:
    """The plan's own account of a case."""
    acts = [two for two in one.history if isinstance(two, Act)]
    chosen = [str(act.data["category"]) for act in acts if act.kind == "category"]
    steps = [act for act in acts if act.kind == "status"]
    said = [two.day for two in one.history if isinstance(two, Said)]
    return Fact(
        case=f"{one.number:032x}",
        day=one.day,
        category=chosen[-1] if chosen else one.told,
        told=one.told,
        confirmed=bool(chosen),
        tags=tuple(str(act.data["tag"]) for act in acts if act.kind == "tag"),
        identity=one.identity,
        reporting_from=one.region or NOT_SAID,
        language=one.language,
        priority="P1" if one.urgent else "P3",
        duplicate=any(act.kind == "link" for act in acts),
        steps=tuple(
            Step(
                str(act.data["state"]),
                act.day,
                str(act.data.get("service", "")),
                str(act.data.get("reason", "")),
            )
            for act in steps
        ),
        questions=tuple(
            Question(act.day, said[0] if said else None)
            for act in steps
            if act.data["state"] == "info_requested"
        ),
        events=tuple(
            Event(
                str(act.data["event"]),
                day_of(dt.date.fromisoformat(str(act.data["day"]))),
                str(act.data["person"]),
            )
            for act in acts
            if act.kind == "outcome"
        ),
        losses=(Loss("MAD", Decimal(one.amount)),) if one.amount else (),
    )
