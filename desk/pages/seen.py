"""A form is bound to what its page showed.

Rule: a form's address bears the name of all that the case held when its page was made (Case.seen);
where the case has moved since, nothing is done, and what came is shown beside what was typed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from desk.errors import CaseMoved

if TYPE_CHECKING:
    from desk.cases import Case


def require_seen(case: Case, *, unsaid: bool = False) -> None:
    """Raise CaseMoved where a form is older than what the case holds: a second press, or news.

    A form that does not say what it showed is refused as well, but for `unsaid`: that is for what
    can be taken back.
    """
    if request.args.get("seen", case.seen if unsaid else "") != case.seen:
        raise CaseMoved(
            "Something has come to this case since this page was made. It is shown now: look, and "
            "send this again if it still holds. Nothing was written."
        )
