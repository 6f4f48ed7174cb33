"""The rules by which cases are worked, for somebody who never saw their file.

Rule: this page shows what stands in the rules and changes nothing; the file is the institution's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import render_template

from desk import rulebook

if TYPE_CHECKING:
    from flask import Flask

    from desk.desk import Desk


def register(app: Flask, desk: Desk) -> None:
    """Add the page."""

    def page() -> str:
        rules = desk.rules
        return render_template(
            "rules.html",
            rules=rules,
            of_state={
                name: list(rulebook.of_state(rules, one)) for name, one in rules.states.items()
            },
            of_clock={
                name: list(rulebook.of_clock(rules, one)) for name, one in rules.clocks.items()
            },
            of_outcome={
                name: list(rulebook.of_outcome(rules, one)) for name, one in rules.outcomes.items()
            },
            is_own=desk.home.rules.exists(),
        )

    app.add_url_rule("/rules", "rules", page)
