"""An office with cases in every state, for the judges of the desk's pages, and for eyes.

Rule: everything is made here, in code: nobody's words, nobody's pictures.  Four desks: an
operator's with all of it, a custodian's, an operator's that has never synced, and a custodian's of
another installation, who opens alone.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crypto.envelope import Custodians
from crypto.header import Kind
from crypto.ids import Day
from crypto.manifest import IDENTITY_LATER, WITHDRAWAL, EntryBody, ReplyBody
from crypto.package_opening import ServicePrivateKey
from desk import custodian, custody, work
from desk.cases import Cases
from desk.progress import Silence
from desk.saved_views import Views
from desk.sight import redaction
from desk.sight.closing import close
from desk.sight.export import find_file
from desk.sync import synchronise
from desk.transmission import services
from tests.desk.looks import texts
from tests.desk.server import FakeServer, serving
from tests.desk.sight import kit
from tests.desk.world import TODAY, Reporter, World, make_desk, row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from crypto.ids import CaseId, HeaderHash
    from desk.cases import Case
    from desk.desk import Desk
    from tests.desk.world import Row

STAMP = "2026-11-22 09:40"
UNIT = {"service": "cyber_unit", "basis": "place_of_act"}
REGION = {"service": "regional_unit", "basis": "place_of_act"}
WAY: dict[str, tuple[tuple[str, dict[str, str]], ...]] = {
    "received": (),
    "triage": (("triage", {}),),
    "assessment": (("triage", {}), ("assessment", {})),
    "imminent": (("triage", {}), ("imminent", {})),
    "info_requested": (("triage", {}), ("assessment", {}), ("info_requested", {})),
    "checked": (("triage", {}), ("assessment", {}), ("seriousness_check", {})),
}
WAY["ready"] = (*WAY["checked"], ("ready", UNIT))
WAY["ready elsewhere"] = (*WAY["checked"], ("ready", REGION))
WAY["transmitted"] = (*WAY["ready"], ("transmitted", UNIT))
WAY["returned"] = (*WAY["transmitted"], ("returned", {"text": "Which account was it?"}))
_INFORMED = {"court": "محكمة الاستئناف بالرباط", "day": "2026-11-20", "ref": "2026/1184"}
WAY["prosecutor_informed"] = (*WAY["transmitted"], ("prosecutor_informed", _INFORMED))
_TOLD = {"instruction": "open_inquiry", "day": "2026-11-21"}
WAY["instructed"] = (*WAY["prosecutor_informed"], ("instructed", _TOLD))
WAY["investigation"] = (*WAY["instructed"], ("investigation", {}))
WAY["closed"] = (*WAY["investigation"], ("closed", {"reason": "outcome"}))
WAY["out_of_scope"] = (("triage", {}), ("out_of_scope", {"text": "A question about a bill."}))


@dataclass(slots=True)
class Told:
    """One case on its way to the server: what its reporter sends, and what the others do."""

    office: Office
    day: int
    reporter: Reporter
    last: tuple[HeaderHash, ...] = ()
    """What an operator's next word names: theirs before it, and what the reporter said since."""
    files: list[Row] = field(default_factory=list)

    def report(self, *files: Row, name: str = "", **fields: Any) -> None:
        """The report comes, by name where there is one."""
        identity = self.reporter.identity(name) if name else None
        mode = "full_identity" if name else "anonymous"
        rows = self.reporter.report(
            files, identity=identity, day=Day(self.day), identity_mode=mode, **fields
        )
        self.files = list(files)
        self.last = (rows[0].header.hash,)
        self.office.server.put(*rows)

    def file(self, name: str, media_type: str, content: bytes, **changes: Any) -> Row:
        """One sealed file."""
        return self.reporter.evidence(name, media_type, content, **changes)

    def says(self, text: str, *files: Row, **body: Any) -> None:
        """The reporter writes again."""
        rows = self.reporter.follow_up(
            text, files, parents=self.last[-1:], day=Day(self.day), body_changes=body
        )
        self.last += (rows[0].header.hash,)
        self.office.server.put(*rows)

    def act(self, kind: str, /, *, by: int = 1, **data: Any) -> None:
        """An operator's act; 0 is the one whose desk is looked at."""
        self._append(Kind.ENTRY, EntryBody(type=kind, data=data).to_json(), by)

    def replies(self, text: str, status: str | None = None) -> None:
        """The other operator answers."""
        body = ReplyBody(text=text, author_day=Day(self.day), status=status).to_json()
        self._append(Kind.REPLY, body, 1, reply_key=self.reporter.reply_key)

    def goes(self, way: str, *, alone: bool = False) -> None:
        """All the steps of a way; four eyes, but where one operator does it alone."""
        for state, facts in WAY[way]:
            by = 0 if state == "transmitted" and not alone else 1
            self.act("status", by=by, state=state, **facts)

    def _append(self, kind: Kind, body: bytes, by: int, **how: Any) -> None:
        row = self.office.world.by_operator(
            kind, self.reporter.case, body, parents=self.last,
            signer=self.office.world.operators[by].sign, day=Day(self.day), **how,
        )  # fmt: skip
        self.last = (row.header.hash,)
        self.office.server.put(row)

    @property
    def path(self) -> str:
        """Where its page is."""
        return f"/case/{self.reporter.case.hex()}"

    def file_path(self, number: int) -> str:
        """Where one of its report's files is."""
        return f"{self.path}/file/{self.files[number].id.hex()}"

    @property
    def case(self) -> Case:
        """As the operator's desk reads it now."""
        return Cases(self.office.desk).find(self.reporter.case.hex())


@dataclass(slots=True)
class Office:
    """The server, the three desks, and the cases by name."""

    world: World
    server: FakeServer
    folder: Path
    desk: Desk = field(init=False)
    keeper: Desk = field(init=False)
    bare: Desk = field(init=False)
    solo: Desk = field(init=False)
    named: CaseId = field(init=False)
    cases: dict[str, Told] = field(default_factory=dict)

    def begin(self, name: str, *, days_ago: int = 0) -> Told:
        """A new case, whose report comes so many days ago."""
        self.cases[name] = Told(self, TODAY - days_ago, Reporter(self.world))
        return self.cases[name]

    def sync(self, *desks: Desk) -> None:
        """Fetch what there is."""
        for desk in desks:
            synchronise(desk, Silence(), stamp=STAMP)

    def answers(self, letter: str) -> list[str]:
        """What two custodians say to a request: yes."""
        said = []
        for number in (0, 1):
            keeper = self.keeper if number == 0 else self._second
            said.append(custodian.agree(keeper, custodian.read(keeper, letter)))
        return said

    @property
    def _second(self) -> Desk:
        desk = make_desk(
            self.folder / f"keeper-{len(list(self.folder.iterdir()))}", self.world,
            self.server.url, keyring=self.world.custodians[1],
        )  # fmt: skip
        self.sync(desk)
        return desk


@contextmanager
def furnished(folder: Path) -> Iterator[Office]:
    """The office, its cases sealed, synced, and worked on."""
    world = World.make(custodians=3, quorum=2)
    with ExitStack() as stack:
        server = stack.enter_context(serving(world))
        office = Office(world, server, folder)
        office.desk = make_desk(folder / "desk", world, server.url)
        office.bare = make_desk(folder / "bare", world, server.url, keyring=world.operators[1])
        office.keeper = make_desk(folder / "keeper", world, server.url, keyring=world.custodians[0])
        services.bind(office.desk, UNIT["service"], ServicePrivateKey(bytes([7]) * 32).public)
        _everyday(office)
        _hostile(office)
        _whole(office)
        office.sync(office.desk, office.keeper)
        _worked(office)
        _alone(office, stack)
        yield office


def _alone(office: Office, stack: ExitStack) -> None:
    """A custodian of another installation, where one is enough, and a report by name there.

    Beside the reporter's own identity lie one that somebody else sealed, and one to another key.
    """
    world = World.make()
    server = stack.enter_context(serving(world))
    one = Reporter(world)
    server.put(*one.report(identity=one.identity("Amal Exemple"), identity_mode="full_identity"))
    strangers = World.make().roster.custodian_keys()
    other = world.sealer(Kind.IDENTITY, one.case).seal(b"{}", Custodians(strangers, 1))
    server.put(one.identity("Somebody else"), row(other))
    keeper = world.custodians[0]
    office.solo = make_desk(office.folder / "solo", world, server.url, keyring=keeper)
    office.named = one.case
    office.sync(office.solo)


def _everyday(office: Office) -> None:
    """One case in each state, of each category, on the days before."""
    for number, way in enumerate(WAY):
        one = office.begin(way, days_ago=number % 9)
        name = "Amal Exemple" if number % 3 == 0 else ""
        one.report(
            category=texts.CATEGORIES[number % len(texts.CATEGORIES)], name=name,
            description=texts.DESCRIPTIONS[number % len(texts.DESCRIPTIONS)],
            danger_now="yes" if way == "imminent" else "no",
            reporting_from=texts.FROM[number % len(texts.FROM)], **texts.MORE[number % 3],
        )  # fmt: skip
        one.goes(way, alone=way == "returned")
        if number % 2:
            one.act("assignment", operator=f"operator {1 + number % 4 // 2}")
    office.cases["info_requested"].replies("Which bank was it?", "question")
    office.cases["closed"].replies("Closed: the money was frozen.", "closed")
    one = office.cases["ready elsewhere"]
    one.says(texts.SAID)
    one.act("note", text=texts.NOTE)
    one.replies("Not to them.", "examined")
    one = office.begin("withdrawn", days_ago=3)
    one.report(category="defamation", description=texts.DESCRIPTIONS[1])
    one.says("", type=WITHDRAWAL)
    one = office.begin("duplicate", days_ago=1)
    one.report(category="fraud", description=texts.WHOLE["description"])
    original = office.cases["triage"].reporter.case.hex()
    one.goes("triage")
    one.act("link", case=original, kind="duplicate")
    one.act("status", state="duplicate")
    for name in ("handed over", "some left out", "one lacking", "to print"):
        one = office.begin(name, days_ago=2)
        one.report(*_two_files(one), category="threats", description=texts.DESCRIPTIONS[2])
        one.goes("ready")
    lost = office.cases["one lacking"].files[1].id.hex()
    office.server.answers[f"/v1/parts/{lost}"] = (404, b"{}")
    one = office.begin("without an answer", days_ago=9)
    one.report(name="Amal Exemple", category="hacking_other", description=texts.DESCRIPTIONS[0])
    one = office.begin("two reports", days_ago=1)
    one.report(category="threats", description=texts.DESCRIPTIONS[2], danger_now="yes")
    beside = Reporter(office.world, case=one.reporter.case)
    office.server.put(*beside.report(category="fraud", description=texts.DESCRIPTIONS[0]))
    one = office.begin("unreadable")
    one.report(category="fraud")
    office.server.left_out |= {
        row.id for row in office.server.rows.values()
        if row.header.case == one.reporter.case and row.header.kind is Kind.REPORT
    }  # fmt: skip


def _two_files(one: Told) -> tuple[Row, Row]:
    """Each case's its own: what is closed in one is closed wherever it lies."""
    side = 200 + len(one.office.cases)
    return (
        one.file("photo-1.jpg", "image/jpeg", kit.picture(size=(side, 150))),
        one.file("photo-2.jpg", "image/jpeg", kit.picture(size=(150, side))),
    )


def _hostile(office: Office) -> None:
    """What somebody writes who wishes the reader ill."""
    one = office.begin("hostile", days_ago=2)
    one.report(
        one.file("a" * 90 + ".txt", "text/" + "x" * 60, texts.HOSTILE.encode()),
        category="写\n\t" * 20,
        description=texts.HOSTILE,
        urls=["https://evil.example/" + "a" * 300, "javascript:alert(1)"],
        accounts=[{"platform": "\u202einstagram", "handle": "x" * 400}],
    )
    one.act("note", text=texts.HOSTILE)
    one.act("status", state="of_a_newer_desk")
    one.act("conjure", anything="x")


def _whole(office: Office) -> None:
    """The case with everything in it."""
    one = office.begin("whole", days_ago=6)
    photo = one.file("photo-1.jpg", "image/jpeg", kit.picture(size=(1200, 900)), removed=texts.ALL)
    lost = one.file("photo-9.jpg", "image/jpeg", kit.picture(size=(90, 80)))
    files: Sequence[Row] = (
        photo,
        one.file("video-2.mov", "video/quicktime", kit.film()),
        one.file("voice-3.mp3", "audio/mpeg", kit.tone()),
        one.file("document-4.pdf", "application/pdf", kit.document(("One", "Two", "Three")),
                 rebuilt=True),
        one.file("note-5.txt", "text/plain", texts.NOTE.encode(), removed=()),
        one.file("original-1.jpg", "image/jpeg", kit.picture(), original_of=photo.id),
        one.file("photo-6.jpg", "image/jpeg", b"\xff\xd8junk"),
        one.file("file-7.bin", "application/zip", b"PK"),
        lost,
        one.file("photo-8.jpg", "image/jpeg", kit.picture(size=(640, 480))),
    )  # fmt: skip
    one.report(*files, name="Fatima Zahra Exemple", category="fraud", **texts.WHOLE)
    one.goes("assessment")
    one.act("priority", priority="P1")
    one.act("tag", tag="protection_asked", on=True)
    one.act("tag", tag="legal_hold", on=True)
    one.act("assignment", operator="operator 1")
    one.replies("شكرا. هل لديكم رقم الحساب؟ / Merci. Avez-vous le numéro du compte ?", "question")
    screen = one.file("photo-10.png", "image/png", kit.picture("PNG", (500, 900)))
    one.says(texts.SAID, screen)
    one.says("", type=IDENTITY_LATER, identity_mode="contact_only")
    one.act("outcome", event="identified", person="ab" * 8, label="first suspect",
            day="2026-11-21", text="", on=True)  # fmt: skip
    one.act("note", text=texts.NOTE)
    before = one.last
    one.act("status", by=1, state="info_requested")
    one.last, after = before, one.last
    one.act("status", by=1, state="seriousness_check")
    one.last = after
    forged = one.reporter.follow_up("I never wrote this.", signer=office.world.root)
    office.server.put(*forged)
    office.server.answers[f"/v1/parts/{lost.id.hex()}"] = (404, b"{}")
    for number, name in enumerate(("alike", "alike too")):
        other = office.begin(name, days_ago=1 + number)
        other.report(category="fraud", **{**texts.WHOLE, "description": texts.ALIKE[number]})


def _worked(office: Office) -> None:
    """What the operator of the desk did with it, on this desk."""
    desk, one = office.desk, office.cases["whole"]
    photo, closed = one.files[0].id.hex(), one.files[-1].id.hex()
    redaction.redact(desk, one.case, photo, [redaction.parse_box("150,112,300,340")])
    redaction.redact_answer(desk, one.case, "description", [(0, 12)])
    close(desk, one.case, find_file(desk, one.case, closed), "custodian 1", "It shows a child.")
    left = office.cases["some left out"]
    file = find_file(desk, left.case, left.files[0].id.hex())
    close(desk, left.case, file, "custodian 2")
    custody.ask(desk, one.case, "The victim must be warned today.\nThere is no other way.")
    for name in ("ready", "imminent", "imminent"):
        custody.ask(desk, office.cases[name].case, "The service must be able to call them.")
    Views(desk).save("Fraud, mine", "category:fraud is:mine")
    Views(desk).save("الاحتيال بالبطاقة البنكية", "is:files", "newest")
    office.server.answers["/v1/envelopes"] = (503, b"{}")
    work.write_note(desk, one.case, "Called the bank; they call back.")
    del office.server.answers["/v1/envelopes"]
