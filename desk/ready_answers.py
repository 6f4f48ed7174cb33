"""The answers that an institution has ready (`[answers]` of workflow.toml), to begin one with.

Rule: a ready answer is put before an operator, who reads it, changes it and sends it; nothing here
sends anything.  It is in the reporter's language where the institution wrote it in that one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from desk.errors import NothingToSay
from desk.sentence import Sentence, Several

if TYPE_CHECKING:
    from desk.cases import Case
    from desk.rules import Rules


class Beginning(NamedTuple):
    """What an answer begins with: the text, its language, and what the reporter's page says then.

    `status` is empty where the ready answer says nothing of it.
    """

    text: str
    language: str
    status: str


def begin(rules: Rules, case: Case, name: str, typed: str = "") -> Beginning:
    """Put a ready answer below what was typed already.

    Raises:
        NothingToSay: the institution has no such answer; the message names those that it has.
    """
    chosen = rules.answers.get(name.strip())
    if chosen is None:
        if not rules.answers:
            raise NothingToSay("The rules of this desk have no ready answers.")
        known = Several(", ", rules.answers)
        raise NothingToSay(
            Sentence("No ready answer is called so. There are: {known}.", known=known)
        )
    language, text = chosen.written(case.report.language if case.report else "")
    return Beginning(f"{typed.rstrip()}\n\n{text}".lstrip(), language, chosen.status)
