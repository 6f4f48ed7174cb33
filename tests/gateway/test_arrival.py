"""A request is there when its head and its short body are; until then it holds no thread."""

from __future__ import annotations

import pytest

from gateway.arrival import BODY_MOST, HEAD_MOST, Arrival, Stage
from gateway.patience import Patience

PATIENCE = Patience(silence=30, head=20, first=10, grace=60)
GET = b"GET /en/ HTTP/1.1\r\nHost: x\r\n\r\n"


def post(length: int | str, path: str = "/en/send", more: str = "") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n{more}\r\n".encode()


def stage_of(data: bytes) -> Stage:
    return Arrival(0.0).add(data, 0.0)


@pytest.mark.parametrize("request_bytes", [GET, post(3) + b"abc", post(0)])
def test_a_request_is_there_with_its_last_byte_and_not_before(request_bytes: bytes) -> None:
    arrival = Arrival(0.0)
    for number, byte in enumerate(request_bytes, start=1):
        stage = arrival.add(bytes([byte]), 0.0)
        assert (stage is Stage.WHOLE) == (number == len(request_bytes))
    assert bytes(arrival.got) == request_bytes


@pytest.mark.parametrize(
    ("head", "stage"),
    [
        (post(BODY_MOST), Stage.BODY),
        (post(BODY_MOST + 1), Stage.LONG),
        (post("9" * 400), Stage.LONG),
        (post("-1"), Stage.LONG),
        (post(3, more="Expect: 100-continue\r\n"), Stage.LONG),
        (b"POST / HTTP/1.1\r\ntransfer-ENCODING : chunked\r\n\r\n", Stage.LONG),
        # Of two lengths the longer is waited for: what is wrong with it is said by the parser.
        (post(3, more="content-length: 9\r\n") + b"abc", Stage.BODY),
    ],
    ids=["short", "longer", "huge", "none", "expected", "chunked", "two"],
)
def test_a_long_body_is_for_a_thread_and_a_short_one_is_waited_for(
    head: bytes, stage: Stage
) -> None:
    assert stage_of(head) is stage


def test_empty_lines_before_a_request_are_not_its_end() -> None:
    arrival = Arrival(0.0)
    assert arrival.add(b"\r\n\r\n", 5.0) is Stage.IDLE
    assert arrival.is_over(10.1, PATIENCE)
    assert arrival.add(b"\r\n" + GET, 6.0) is Stage.WHOLE
    assert bytes(arrival.got) == GET


def test_a_head_without_end_is_none() -> None:
    long = b"GET / HTTP/1.1\r\nX: " + b"x" * HEAD_MOST
    assert stage_of(long) is Stage.BAD
    assert stage_of(long + b"\r\n\r\n") is Stage.BAD


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"POST /en/send HTTP/1.1", b"send"),
        (b"POST /ar/thread HTTP/1.1", b"thread"),
        (b"GET /en/send HTTP/1.1", b""),
        (b"POST /en/elsewhere HTTP/1.1", b""),
        (b"POST", b""),
    ],
)
def test_what_reporters_send_is_told_apart(line: bytes, kind: bytes) -> None:
    arrival = Arrival(0.0)
    arrival.add(line + b"\r\n\r\n", 0.0)
    assert arrival.kind == kind


def test_each_part_has_its_time_however_steadily_it_drips() -> None:
    arrival = Arrival(0.0)
    assert not arrival.is_over(10.0, PATIENCE)
    assert arrival.is_over(10.1, PATIENCE)
    for second in range(21):
        arrival.add(b"x", 100.0 + second)
    assert not arrival.is_over(120.0, PATIENCE)
    assert arrival.is_over(120.1, PATIENCE)

    body = Arrival(0.0)
    body.add(post(BODY_MOST), 200.0)
    assert not body.is_over(230.0, PATIENCE)
    assert body.is_over(230.1, PATIENCE)  # silent
    for second in range(61):
        body.add(b"x", 200.0 + second)
    assert not body.is_over(260.0, PATIENCE)
    assert body.is_over(260.1, PATIENCE)  # it drips
    phone = Arrival(0.0)
    phone.add(post(BODY_MOST), 200.0)
    for second in range(61):
        phone.add(bytes(1040), 200.0 + second)
    assert not phone.is_over(260.1, PATIENCE)
