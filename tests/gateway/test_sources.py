"""An address becomes a tag under a key that lives an hour, and is known to nobody after that."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import gateway
from gateway.config import GatewayConfig
from gateway.errors import ConfigRefused
from gateway.sources import KEY_SECONDS, Sources, networks

ROOM = Path(gateway.__file__).parent


class Now:
    """A clock that a test turns."""

    seconds = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.seconds


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def sources(now: Now) -> Sources:
    return Sources(networks("127.0.0.1, ::1, 10.0.0.0/8"), now)


@pytest.mark.claim("C-NOADDR")
def test_an_address_has_one_tag_for_an_hour_and_another_one_after_it(
    sources: Sources, now: Now
) -> None:
    tag = sources.tag(("192.0.2.7", 50000))
    assert tag is not None
    assert len(tag) == 16
    now.seconds += KEY_SECONDS - 1
    assert sources.tag(("192.0.2.7", 50001)) == tag
    assert sources.tag(("192.0.2.8", 50000)) != tag
    now.seconds += 1
    assert sources.tag(("192.0.2.7", 50000)) not in {tag, None}


@pytest.mark.claim("C-NOADDR")
def test_no_two_processes_have_the_same_tags_and_none_is_the_address(sources: Sources) -> None:
    address = ("192.0.2.7", 50000)
    other = Sources(())
    assert sources.tag(address) != other.tag(address)
    assert b"\xc0\x00\x02\x07" not in (sources.tag(address) or b"")


@pytest.mark.parametrize(
    "address",
    [("127.0.0.1", 1), ("::1", 1, 0, 0), ("::ffff:127.0.0.1", 1, 0, 0), ("10.9.8.7", 1), "", b""],
    ids=["v4", "v6", "v4 in v6", "network", "socket", "socket without a name"],
)
def test_who_stands_behind_a_proxy_or_a_socket_is_not_told_apart(
    sources: Sources, address: object
) -> None:
    assert sources.tag(address) is None


def test_one_network_of_version_six_is_one_source(sources: Sources) -> None:
    tags = {sources.tag((f"2001:db8:1:2::{n}", 1, 0, 0)) for n in range(1, 9)}
    assert len(tags) == 1
    assert sources.tag(("2001:db8:1:3::1", 1, 0, 0)) not in tags
    assert sources.tag(("fe80::1%eth0", 1, 0, 2)) is not None


def test_the_shared_sources_are_a_setting() -> None:
    read = GatewayConfig.from_environment({"AMANA_SHARED_SOURCES": "192.0.2.0/24,2001:db8::/32"})
    assert read.shared_sources == networks("192.0.2.0/24, 2001:db8::/32")
    for wrong in ("here", "192.0.2.1/24", "1.2.3.4 5.6.7.8"):
        with pytest.raises(ConfigRefused, match="AMANA_SHARED_SOURCES"):
            GatewayConfig.from_environment({"AMANA_SHARED_SOURCES": wrong})


@pytest.mark.claim("C-NOADDR")
def test_no_code_of_the_gateway_reads_an_address() -> None:
    looks = re.compile(r"remote_addr|REMOTE_ADDR|access_route|getpeername|X-Forwarded|\.client\b")
    found = [
        f"{path.name}: {line.strip()}"
        for path in ROOM.rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if looks.search(line)
    ]
    assert found == []
    # The control: the one place where one is met at all.
    assert "listener.accept()" in (ROOM / "worker.py").read_text("utf-8")
