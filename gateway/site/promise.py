"""What the first page promises, and on which claims of threat_model.md each sentence stands.

A sentence is a key of the catalogues: ``start.promise_<key>`` says it, ``about.<key>`` how anybody
can check it.  tests/gateway/site/test_promise.py holds the three together.  Claim C-PROMISE.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of the promise; ``claims`` are ids of threat_model.md, each with its tests."""

    key: str
    claims: tuple[str, ...]


PROMISE = (
    Sentence("name", ("C-IDENTITY",)),
    Sentence("address", ("C-NOADDR",)),
    Sentence("sealed", ("C-REST", "C-SERVER-BLIND")),
    Sentence("files", ("C-META", "C-REFUSE", "C-ORIGINAL", "C-NAMES")),
    Sentence("cookie", ("C-NOCOOKIE",)),
)
# Said beside it, as plainly: section 1 of the same page, "What is not defended".
CANNOT = ("watch", "picture")
