"""What an operator waits for: a first sync, a list of 10,000 cases, a search in all of them."""

from __future__ import annotations

import base64
import json
import multiprocessing
import random
import statistics
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from crypto.operator_opening import open_data_key
from crypto.wrap import parse_wraps
from desk.client import ClientLimits
from desk.desk import Desk
from desk.origins import pin
from desk.pages.app import create_pages
from desk.pages.door import Bind, OneTimeLink
from desk.progress import Silence
from desk.saved_views import Views, counted, found, narrowed
from desk.store import Envelope
from desk.sync import synchronise
from tests.bench.measure import in_turn, row, seconds
from tests.desk.server import FakeServer, serving
from tests.desk.world import TODAY, Reporter, World, make_desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from crypto.ids import Kid
    from crypto.operator_opening import OperatorPrivateKey
    from tests.desk.world import Row

MANY = 10_000
WORDS = (
    "وصلتني رسالة من رقم مجهول يطلب المال", "ils ont pris mon argent sur une fausse boutique",
    "il menace de publier mes photos", "a false shop took the money", "compte bancaire",
    "0612345678", "https://example.com/boutique", "Casablanca", "الدار البيضاء", "hier soir",
    "je ne sais pas",
)  # fmt: skip


def told(chance: random.Random) -> str:
    """Something as long as people write: some hundred words."""
    return ". ".join(chance.choice(WORDS) for _ in range(chance.randrange(10, 60)))


def cases(world: World, number: int) -> Iterator[Row]:
    """As many cases, each with a report, every second with an operator's entry, some with more."""
    chance = random.Random(7)  # noqa: S311  # the same cases each time
    for one in range(number):
        reporter = Reporter(world)
        report = reporter.report(description=told(chance))
        yield from report
        if one % 2:
            yield world.entry(reporter.case, parents=[report[0].header.hash])
        if not one % 5:
            yield from reporter.follow_up(told(chance), parents=[report[0].header.hash])


def prepared(fake: FakeServer, kid: Kid) -> None:
    """Have every page of one desk's index ready: what a server does is not what is measured."""
    limit = ClientLimits().page
    names = sorted(fake.rows)
    for start in range(0, len(names) + 1, limit):
        page = names[start : start + limit]
        content = {
            "envelopes": [_outside(fake.rows[name], kid) for name in page],
            "next": page[-1].hex() if page else None,
        }
        after = f"after={names[start - 1].hex()}&" if start else ""
        fake.answers[f"/v1/index?{after}limit={limit}"] = (200, json.dumps(content).encode())


def _outside(one: Row, kid: Kid) -> dict[str, object]:
    mine = b"".join(w.to_bytes() for w in parse_wraps(one.header, one.wraps) if w.kid == kid)
    sealed = {"header": one.header.to_bytes(), "wraps": mine, "manifest": one.manifest}
    return {**{name: base64.b64encode(b).decode() for name, b in sealed.items()}, "parts": []}


def _serve(fake: FakeServer, pipe: Connection) -> None:
    with serving(fake.world) as ours:
        ours.answers = fake.answers
        pipe.send(ours.url)
        pipe.recv()


@contextmanager
def apart(fake: FakeServer) -> Iterator[str]:
    """The simulated server in a process of its own, as a real one is."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(fake, there))
    process.start()
    try:
        yield here.recv()
    finally:
        here.send(None)
        process.join()


def syncing(folder: Path) -> None:
    """10,000 envelopes from a server, against opening their wraps and nothing else."""
    world = World.make()
    fake = FakeServer(world)
    for _ in range(MANY // 2):
        reporter = Reporter(world)
        (report, *_) = reporter.report()
        fake.put(report, world.entry(reporter.case, parents=[report.header.hash]))
    private: OperatorPrivateKey = world.operators[0].key  # type: ignore[assignment]
    rounds = iter(range(99))
    prepared(fake, private.public.kid)
    with apart(fake) as url:

        def amana() -> None:
            desk = make_desk(folder / f"desk-{next(rounds)}", world, url)
            assert synchronise(desk, Silence()).envelopes == MANY

        def bare() -> None:
            for one in fake.rows.values():
                open_data_key(private, one.header, one.wraps)

        ours, theirs, ratio = in_turn(amana, bare, 3)
        work = statistics.median(_work(amana) / _work(bare) for _ in range(3))
    what = f"sync of {MANY} envelopes: {ours:.2f} s; opening their wraps: {theirs:.2f} s"
    row(what, f"{ratio:.2f} x, CPU {work:.2f} x", "<= 3 x")


def _work(action: Callable[[], object]) -> float:
    """CPU seconds of this process; on a busy machine wall time says little."""
    before = time.process_time()
    action()
    return time.process_time() - before


def _both(action: Callable[[], object]) -> str:
    """Wall time, and what this process worked."""
    before = time.process_time()
    wall = seconds(action)
    return f"{wall:.2f} s, CPU {time.process_time() - before:.2f} s"


def listing(folder: Path) -> None:
    """10,000 cases, once they are here: the list, in a program that has just begun."""
    world = World.make()
    with serving(world) as fake:
        desk = make_desk(folder / "list", world, fake.url)
    for_us = [
        Envelope(header=one.header, wraps=one.wraps, manifest=one.manifest)
        for one in cases(world, MANY)
    ]
    desk.store.keep(for_us)
    pin(desk)
    row(f"first reading of {MANY} cases", _both(desk.index.rows), "no goal")

    def again() -> None:
        fresh = Desk.open(desk.home, desk.keyring, today=lambda: TODAY)
        link = OneTimeLink()
        page = create_pages(fresh, Bind("127.0.0.1", 8002), link).test_client()
        ours = {"Host": "127.0.0.1:8002"}
        page.get(f"/link/{link.token}", headers=ours)
        answer = page.get("/", headers=ours)
        assert answer.status_code == 200, answer.text

    row(f"list of {MANY} cases, opened as a page", _both(again), "< 2 s")
    rows = desk.index.rows()
    views = Views(desk).all()
    rows, views = desk.index.rows(), Views(desk).all()
    view = narrowed(views[0], 'casablanca "fausse boutique" -mine')

    def quick(what: str, action: Callable[[], object]) -> None:
        row(what, f"{seconds(action) * 1e3:.0f} ms", "no goal")

    quick("its rows again, when nothing came since", desk.index.rows)
    quick(f"counts of {len(views)} views", lambda: counted(desk, views, rows))
    hits = len(found(desk, view, rows))
    quick(f"search for words and a phrase ({hits} found)", lambda: found(desk, view, rows))


def main() -> None:
    """The desk's rows of the table, by themselves."""
    with tempfile.TemporaryDirectory() as name:
        listing(Path(name))
        syncing(Path(name))


if __name__ == "__main__":
    main()
