"""Two operators, three custodians of whom two must agree, and a reporter who gave a name."""

# ruff: noqa: D102 - the names say it

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from desk import custodian, custody
from desk.cases import Cases
from desk.progress import Silence
from desk.sync import synchronise
from tests.desk.server import FakeServer, serving
from tests.desk.world import Reporter, World, make_desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from desk.cases import Case
    from desk.custody import Asked
    from desk.desk import Desk

NAME = "Fatima Zahra El-Identifiable"


@dataclass(slots=True)
class Office:
    """Desks of one installation, synced when they are asked for."""

    folder: Path
    world: World
    server: FakeServer
    reporter: Reporter
    desks: dict[str, Desk] = field(default_factory=dict)
    seen: dict[str, object] = field(default_factory=dict)

    def desk(self, name: str) -> Desk:
        """`operator 1`, `custodian 3`; enrolled once, synced each time."""
        rings = {one.label: one for one in (*self.world.operators, *self.world.custodians)}
        if name not in self.desks:
            folder = self.folder / name.replace(" ", "-")
            self.desks[name] = make_desk(folder, self.world, self.server.url, keyring=rings[name])
        state = (len(self.server.rows), self.server.note, self.desks[name].store.unposted())
        if self.seen.get(name) != state:
            synchronise(self.desks[name], Silence())
            self.seen[name] = (len(self.server.rows), self.server.note, ())
        return self.desks[name]

    def case(self, name: str = "operator 1") -> Case:
        """The reporter's case at an operator's."""
        return Cases(self.desk(name)).find(self.reporter.case.hex())

    def ask(self, reason: str = "The victim must be reached.", by: str = "operator 1") -> Asked:
        return custody.ask(self.desk(by), self.case(by), reason)

    def yes(self, number: int, text: str) -> str:
        keeper = self.desk(f"custodian {number}")
        return custodian.agree(keeper, custodian.read(keeper, text))

    def no(self, number: int, text: str, reason: str = "Not without a judge.") -> str:
        keeper = self.desk(f"custodian {number}")
        return custodian.refuse(keeper, custodian.read(keeper, text), reason)

    def open(self, asked: Asked, *answers: str, by: str = "operator 1") -> custody.Opened:
        return custody.open_identity(self.desk(by), self.case(by), asked.id, answers)

    def report(self, name: str = NAME) -> None:
        """A report by name, put on the server."""
        self.server.put(
            *self.reporter.report(
                identity=self.reporter.identity(name), identity_mode="full_identity"
            )
        )


def office_of(folder: Path, world: World, server: FakeServer) -> Office:
    """An office with one report by name."""
    made = Office(folder, world, server, Reporter(world))
    made.report()
    return made


@pytest.fixture
def world() -> World:
    return World.make(custodians=3, quorum=2)


@pytest.fixture
def office(tmp_path: Path, world: World) -> Iterator[Office]:
    with serving(world) as fake:
        yield office_of(tmp_path, world, fake)
