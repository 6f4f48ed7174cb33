"""A case that another operator made ready, a service with a key, and everything to hand it over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from crypto.header import Kind
from crypto.manifest import EntryBody
from crypto.package_opening import ServicePrivateKey
from desk import acts, custody, work
from desk.cases import Cases
from desk.transmission import services
from desk.transmission.possible import Competence, Order
from desk.transmission.transmit import transmit
from tests.desk.custody.conftest import Office, office_of
from tests.desk.server import serving
from tests.desk.world import JPEG, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from crypto.ids import HeaderHash
    from desk.cases import Case
    from desk.custody import Agreed, Asked
    from desk.desk import Desk
    from desk.transmission.transmit import Transmission
    from tests.desk.conftest import Synced
    from tests.desk.world import Reporter, Row

SERVICE = ServicePrivateKey(bytes([7]) * 32)
UNIT = Competence("cyber_unit", "place_of_act")
CANARY = "They took 4,200 MAD from Yasmina."


@dataclass(slots=True)
class Handing:
    """One case on its way: who does what, in order."""

    world: World
    desk: Desk
    reporter: Reporter
    sync: Synced
    folder: Path
    last: HeaderHash | None = None
    files: list[Row] = field(default_factory=list)

    def begin(self, *files: Row, **fields: Any) -> None:
        """The report comes."""
        self.files = list(files)
        answers = {"description": CANARY, **fields}
        rows = self.reporter.report(files, **answers)
        self.sync(*rows)
        self.last = rows[0].header.hash

    def act(self, kind: str, data: dict[str, Any], *, by: int = 1) -> None:
        """An operator's act, as another desk would have sent it; 0 is this desk's own."""
        self.sync(self._row(kind, data, by))

    def state(self, name: str, *, by: int = 1, **facts: str) -> None:
        """A state, set by an operator."""
        self.act(acts.STATUS, {"state": name, **facts}, by=by)

    def ready(self, *, by: int = 1) -> None:
        """All the way to ready."""
        steps: list[dict[str, Any]] = [
            {"state": name} for name in ("triage", "assessment", "seriousness_check")
        ]
        steps.append({"state": "ready", "service": UNIT.service, "basis": UNIT.basis})
        self.sync(*[self._row(acts.STATUS, data, by) for data in steps])

    def _row(self, kind: str, data: dict[str, Any], by: int) -> Row:
        row = self.world.by_operator(
            Kind.ENTRY,
            self.reporter.case,
            EntryBody(type=kind, data=data).to_json(),
            parents=[self.last] if self.last else [],
            signer=self.world.operators[by].sign,
        )
        self.last = row.header.hash
        return row

    @property
    def case(self) -> Case:
        """As the desk reads it now."""
        return Cases(self.desk).find(self.reporter.case.hex())

    def transmit(self, name: str = "case.amana", **order: Any) -> Transmission:
        """Hand it over into this test's folder."""
        return transmit(self.desk, self.case, Order(self.folder / name, UNIT, **order))

    @property
    def root_line(self) -> str:
        """What stands in root.pub."""
        return self.world.root_public.to_text()


@pytest.fixture
def handing(world: World, desk: Desk, reporter: Reporter, sync: Synced, tmp_path: Path) -> Handing:
    services.bind(desk, UNIT.service, SERVICE.public)
    out = tmp_path / "out"
    out.mkdir()
    return Handing(world, desk, reporter, sync, out)


@pytest.fixture
def ready(handing: Handing) -> Handing:
    """A case with two files, made ready by the other operator."""
    photo = handing.reporter.evidence("photo-1.jpg", "image/jpeg", JPEG)
    note = handing.reporter.evidence("note.txt", "text/plain", b"a note of mine\n" * 9)
    handing.begin(photo, note)
    handing.ready()
    return handing


# --- with custody


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


@dataclass(slots=True)
class Hands:
    """An operator with the service's key, a request, and the letters of two who said yes."""

    office: Office
    out: Path
    mine: Desk = field(init=False)
    asked: Asked = field(init=False)
    letters: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.mine = self.office.desk("operator 1")
        services.bind(self.mine, UNIT.service, SERVICE.public)
        self.asked = self.office.ask()
        self.letters = [self.office.yes(number, self.asked.text) for number in (1, 2)]

    @property
    def case(self) -> Case:
        """As the operator's desk has it now."""
        return Cases(self.mine).find(self.office.reporter.case.hex())

    @property
    def agreed(self) -> Agreed:
        """What the letters open."""
        return custody.agreed_to(self.mine, self.case, self.asked.id, self.letters)

    def over(self, name: str = "handed", *, in_clear: bool = False) -> Transmission:
        """Hand the case over, with the annex."""
        order = Order(self.out / name, UNIT, in_clear=in_clear, agreed=self.agreed)
        return transmit(self.mine, self.case, order)

    @property
    def kinds(self) -> list[str]:
        """The journal, by what its acts are."""
        return [one.body.type for one in self.case.work.entries]

    @property
    def root(self) -> str:
        """What stands in root.pub."""
        return self.office.world.root_public.to_text()


@pytest.fixture
def hands(office: Office, tmp_path: Path) -> Hands:
    (tmp_path / "out").mkdir()
    return Hands(office, tmp_path / "out")
