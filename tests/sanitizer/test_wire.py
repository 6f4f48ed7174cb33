"""The two ends of the wire between gateway and worker, and the worker's filter."""

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from sanitizer.detect import Format
from sanitizer.errors import (
    Malformed,
    Refused,
    TooComplex,
    TooLarge,
    TooManyPixels,
    Unsupported,
)
from sanitizer.jail import allowed, filters, shared, wire, worker
from sanitizer.jail import pool as pool_module
from sanitizer.jail.child import Child
from sanitizer.jail.ends import Stream
from sanitizer.limits import Limits
from sanitizer.pieces import HELD, Plan, Range, view
from sanitizer.planned import PLANNED
from sanitizer.result import Planned
from sanitizer.source import BytesSource
from tests.sanitizer.kernel import ALLOWED, EPERM, FOREIGN, KILLED, answer


@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize("machine", sorted(filters.ARCHITECTURES))
def test_the_workers_filter_allows_the_listed_and_no_memory_that_runs(machine: str) -> None:
    program = allowed.filter_program(machine)
    arch = filters.ARCHITECTURES[machine]
    listed = set(allowed.ALLOWED[machine].values())
    maps = {"x86_64": {9, 10}, "aarch64": {222, 226}}[machine]
    for number in range(600):
        expected = ALLOWED if number in listed | maps else EPERM
        assert answer(program, arch, number, 0, 0, 3) == expected
    assert answer(program, FOREIGN, 1) == KILLED
    for number in maps:
        assert answer(program, arch, number, 0, 0, 5) == EPERM
    if machine == "x86_64":
        assert answer(program, arch, 0x40000001) == KILLED


JOB = wire.Job(Format.BMP, 100, Limits(worker_pieces=5, worker_bytes=50, image_bytes=200))
WORDS: dict[str, object] = {
    "kinds": ["gps"], "media_type": "image/bmp", "extension": "bmp", "pieces": 1,
    "is_rebuilt": False,
}  # fmt: skip


def heard(words: dict[str, object], rest: bytes = wire.PIECE.pack(0, 100)) -> wire.Answer:
    left = bytearray(rest)

    def take(count: int) -> bytes:
        assert count <= 1000
        taken = bytes(left[:count])
        del left[:count]
        return taken

    return wire.read_answer(json.dumps(words).encode(), take, JOB)


def test_an_answer_within_its_bounds_is_taken() -> None:
    assert heard(WORDS).pieces == [Range(0, 100)]
    ours = wire.PIECE.pack(wire.OURS, 3)
    assert heard(WORDS, ours + b"abc").pieces == [b"abc"]


@pytest.mark.claim("C-JAIL")
@pytest.mark.parametrize(
    ("words", "rest"),
    [
        ({"kinds": ["Casablanca"]}, b""),
        ({"kinds": "gps"}, b""),
        ({"kinds": [["gps"]]}, b""),
        ({"media_type": "text/html"}, b""),
        ({"media_type": ["image/bmp"]}, b""),
        ({"extension": "exe"}, b""),
        ({"media_type": "application/pdf", "extension": "pdf"}, b""),
        ({"media_type": "image/png", "extension": "png"}, b""),
        ({"extension": "jpg"}, b""),
        ({"pieces": True}, b""),
        ({"pieces": "1"}, b""),
        ({"pieces": 0}, b""),
        ({"pieces": -1}, b""),
        ({"pieces": 6}, b""),
        ({"is_rebuilt": 1}, b""),
        ({}, wire.PIECE.pack(1, 100)),
        ({}, wire.PIECE.pack(2**63, 2**63)),
        ({}, wire.PIECE.pack(wire.OURS, 51)),
        ({"pieces": 5}, wire.PIECE.pack(0, 100) * 5),
    ],
)
def test_an_answer_out_of_bounds_is_refused(words: dict[str, object], rest: bytes) -> None:
    limits = replace(JOB.limits, output_slack_bytes=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{__name__}.JOB", replace(JOB, limits=limits))
        with pytest.raises((Malformed, TooComplex, TooLarge)):
            heard({**WORDS, **words}, rest)


@pytest.mark.claim("C-JAIL")
def test_a_worker_may_answer_with_what_was_asked_for_and_nothing_else() -> None:
    assert set(wire.TYPES) == set(PLANNED)
    allowed_ = [pair for pairs in wire.TYPES.values() for pair in pairs]
    assert len(set(allowed_)) == len(allowed_)
    for kind in Format:
        for media_type, extension in allowed_:
            told = {**WORDS, "media_type": media_type, "extension": extension}
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(f"{__name__}.JOB", replace(JOB, format=kind))
                if (media_type, extension) in wire.TYPES.get(kind, set()):
                    assert heard(told).media_type == media_type
                else:
                    with pytest.raises(Malformed):
                        heard(told)


@pytest.mark.parametrize(
    ("told_", "leaf", "detail"),
    [
        ({"leaf": "TooComplex", "detail": "too many chunks"}, TooComplex, "too many chunks"),
        ({"leaf": "Unsupported", "detail": "33.97\N{DEGREE SIGN}"}, Unsupported, ""),
        ({"leaf": "Malformed", "detail": "x" * 200}, Malformed, ""),
        ({"leaf": "Refused"}, Malformed, "the worker's refusal is not on the list"),
        ({"leaf": "ClassVar"}, Malformed, "the worker's refusal is not on the list"),
        ({"leaf": "AlreadyRead"}, Malformed, "the worker's refusal is not on the list"),
        ({"leaf": 5}, Malformed, "the worker's refusal is not on the list"),
    ],
)
def test_a_refusal_is_one_of_ours_and_quotes_nothing(
    told_: dict[str, object], leaf: type[Refused], detail: str
) -> None:
    found = wire.read_refusal(json.dumps(told_).encode())
    assert (type(found), found.detail) == (leaf, detail)


def test_pieces_of_ours_are_made_one_and_empty_ones_go() -> None:
    pieces: list[bytes | Range] = [
        b"a",
        b"",
        b"b",
        Range(3, 0),
        b"c",
        Range(1, 2),
        b"",
        Range(5, 1),
    ]
    assert wire.joined(pieces) == [b"abc", Range(1, 2), Range(5, 1)]
    assert wire.joined([Range(1, 2), Range(4, 2)]) == [Range(1, 2), Range(4, 2)]


@contextlib.contextmanager
def served(memory: shared.SharedMemory | None = None) -> Iterator[Child]:
    """The worker's end in a thread of this process, behind no lock."""
    ours, theirs = socket.socketpair()
    stream = Stream(theirs.fileno())
    read = None if memory is None else shared.read_only(memory.descriptor)
    thread = threading.Thread(target=worker.serve, args=(stream, read))
    thread.start()
    child = Child(1, ours, time.monotonic() + 10, memory)
    assert child.take(5) == wire.frame(b"H")
    try:
        yield child
    finally:
        child.close()
        thread.join()
        theirs.close()


def asked(child: Child, data: bytes) -> Planned | Refused:
    return pool_module._Asked(Format.GIF, BytesSource(data), Limits()).of(child)


@pytest.mark.parametrize("is_shared", [True, False])
def test_the_workers_end_answers_refuses_and_stops(
    monkeypatch: pytest.MonkeyPatch, *, is_shared: bool
) -> None:
    def cleaner(source: BytesSource, _limits: Limits) -> Planned:
        first = source.read_at(0, 1)
        raised: dict[bytes, type[BaseException]] = {
            b"m": MemoryError, b"r": RecursionError, b"k": KeyError, b"t": TooManyPixels,
        }  # fmt: skip
        if first in raised:
            raise raised[first]
        # Backwards and twice, so that windows come and go.
        places = [] if first == b"o" else [*range(0, source.length, 3 << 20)]
        for place in (*places, *reversed(places), *places[:1]):
            assert source.read_at(place, 5) == data[place : place + 5]
            assert view(source, place, 5) == data[place : place + 5]
        assert source.read_at(source.length, 5) == b""
        pieces: list[bytes | Range] = [b"GIF89a made", Range(1, 2)]
        if first == b"o":
            source = BytesSource(b"0123")
        return Planned(Plan(source, pieces), {"gps"}, "image/gif", "gif", is_rebuilt=True)

    monkeypatch.setitem(PLANNED, Format.GIF, cleaner)
    whole = data = b"x" + os.urandom(17 << 20)
    with served(shared.SharedMemory() if is_shared else None) as child:
        for letter, leaf in ((b"m", TooComplex), (b"r", TooComplex), (b"k", Malformed)):
            assert type(asked(child, letter)) is leaf
        assert type(asked(child, b"t")) is TooManyPixels
        made = asked(child, b"other")
        assert isinstance(made, Planned)
        # Ranges of something else than the file are no places in the file.
        assert b"".join(made.plan.chunks()) == b"GIF89a made12"
        for data in (whole[:5000], whole):
            made = asked(child, data)
            assert isinstance(made, Planned)
            assert b"".join(made.plan.chunks()) == b"GIF89a made" + data[1:3]
        assert (made.kinds, made.media_type, made.is_rebuilt) == ({"gps"}, "image/gif", True)


def test_a_result_is_read_from_where_the_file_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    def cleaner(source: BytesSource, _limits: Limits) -> Planned:
        return Planned(Plan(source, [Range(0, source.length)]), set(), "image/gif", "gif")

    monkeypatch.setitem(PLANNED, Format.GIF, cleaner)
    with served(shared.SharedMemory()) as child:
        for length in (HELD, HELD + 1):
            data = b"GIF89a".ljust(length, b"x")
            made = asked(child, data)
            assert isinstance(made, Planned)
            assert made.plan.pieces == [Range(0, length)]
            assert b"".join(made.plan.chunks()) == data


def test_a_worker_whose_gateway_goes_in_the_middle_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PLANNED, Format.GIF, lambda source, _: source.read_at(0, 1))
    with served() as child:
        child.put(wire.Job(Format.GIF, 5, Limits()).to_bytes())
