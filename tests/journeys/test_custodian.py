"""Who wrote is read on the custodian's desk, which the rehearsal has enrolled, and on no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.answers import FRAUD
from tests.support.reporter import Reporter

if TYPE_CHECKING:
    from tests.support.running import RunningDemo

NAME = "Canary of the custodian"


@pytest.mark.claim("C-IDENTITY")
def test_a_name_is_opened_by_the_custodian_and_by_no_operator(demo: RunningDemo) -> None:
    demo.amana("amana-desk", "sync")
    known = {case["case"] for case in demo.amana_json("amana-desk", "list")["cases"]}
    reporter = Reporter(demo.site)
    identity = {"identity-name": NAME, "identity-phone": "0612345678"}
    by_name = {**FRAUD, "identity_mode": "full_identity", **identity}
    page = reporter.send(reporter.write(), [], **by_name)
    assert len(page.receipt) == 28
    for desk in ("operator-1", "custodian-1"):
        demo.amana("amana-desk", "sync", desk=desk)
    (case,) = {one["case"] for one in demo.amana_json("amana-desk", "list")["cases"]} - known
    assert NAME in demo.amana("amana-desk", "identity", case, desk="custodian-1")
    assert NAME not in demo.amana("amana-desk", "show", case)
    with pytest.raises(AssertionError, match="locked"):
        demo.amana("amana-desk", "identity", case)
