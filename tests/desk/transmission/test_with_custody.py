"""The identity, by the custodians' real answers: in the annex, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desk import work
from desk.transmission import receiving, services
from tests.desk.custody.conftest import NAME, Office, office_of
from tests.desk.running import running
from tests.desk.server import serving
from tests.desk.transmission.conftest import SERVICE, UNIT
from tests.desk.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from click.testing import Result

    Run = Callable[..., Result]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    world = World.make(custodians=3, quorum=2)
    with serving(world) as fake:
        made = office_of(tmp_path, world, fake)
        for name in ("triage", "assessment"):
            work.set_state(made.desk("operator 2"), made.case("operator 2"), name)
        work.set_state(
            made.desk("operator 2"), made.case("operator 2"), "ready", service=UNIT.service,
            basis=UNIT.basis,
        )  # fmt: skip
        yield made


@pytest.fixture
def run(office: Office, phrase: Path) -> Run:
    invoke = running(office.desk("operator 1").home.folder, phrase)
    return lambda *arguments: invoke("transmit", office.case().ref, *arguments)


@pytest.mark.claim("C-CUSTODY")
def test_the_identity_reaches_the_service_by_two_of_three_custodians(
    office: Office, run: Run, tmp_path: Path
) -> None:
    asked = office.ask()
    letters = []
    for number in (1, 2):
        path = tmp_path / f"yes-{number}"
        path.write_text(office.yes(number, asked.text))
        letters.append(str(path))
    request, sealed = tmp_path / "request", tmp_path / "case.amana"
    request.write_text(asked.text)
    given = ["--to", str(sealed), "--custody-request", str(request)]

    # What stands against it is said first: the request opens once.
    early = run(*given, "--custody-answer", letters[0], "--custody-answer", letters[1])
    assert (early.exit_code, "no key of cyber_unit" in early.output) == (1, True)
    services.bind(office.desk("operator 1"), UNIT.service, SERVICE.public)
    alone = run(*given, "--custody-answer", letters[0])
    assert alone.exit_code == 1
    assert not sealed.exists()

    done = run(*given, "--custody-answer", letters[0], "--custody-answer", letters[1])
    assert done.exit_code == 0, done.output
    root = office.world.root_public.to_text()
    found = receiving.open_sealed(sealed, SERVICE, root, tmp_path / "opened")
    assert found.code == 0
    named = [
        path.name
        for path in (tmp_path / "opened").rglob("*")
        if path.is_file() and NAME.encode() in path.read_bytes()
    ]
    assert named == ["identity-annex.json"]
    kinds = [one.body.type for one in office.case().work.entries]
    assert kinds[-2:] == ["identity_opened", "status"]
    kept = [one for one in office.desk("operator 1").home.folder.rglob("*") if one.is_file()]
    assert not any(NAME.encode() in one.read_bytes() for one in kept)
