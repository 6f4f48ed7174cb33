"""The five words that a reporter sees of a case, apart from the states that operators work with."""

from crypto.manifest import STATUSES
from desk.errors import StateUnknown
from desk.sentence import Sentence, Several

PUBLIC: dict[str, str] = dict(
    zip(
        STATUSES,
        (
            "Received",
            "Being examined",
            "We have a question",
            "Sent to the competent service",
            "Closed",
        ),
        strict=True,
    )
)
"""The five words that a reporter sees, in their own language; apart from the states above."""
NEEDS_WORDS: dict[str, str] = {
    "question": "A question needs its text: what is asked.",
    "closed": "Closing needs a text: the reason, and what the reporter can do next.",
}
"""Statuses that say nothing without a text, and what is missing then."""


def parse_public(untrusted: str) -> str:
    """A public status's name from what an operator typed, as `desk.work.parse_state` reads a state.

    Raises:
        StateUnknown: it is none of the five; the message lists them.
    """
    name = untrusted.strip().lower().replace("-", "_").replace(" ", "_")
    if name not in PUBLIC:
        known = Several(", ", PUBLIC)
        raise StateUnknown(
            Sentence("The reporter's page has no such status. It has: {known}.", known=known)
        )
    return name


def public_words(name: str) -> str:
    """How a public status reads to an operator, in the English of the reporter's page."""
    return PUBLIC[name]
