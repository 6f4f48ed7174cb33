"""The examples for a deployment keep the promises that a proxy or a service manager could break."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[1] / "deploy"

REQUIRED = (
    "access_log off;",
    "error_log /dev/null crit;",
    "proxy_request_buffering off;",
    "proxy_max_temp_file_size 0;",
    "gzip off;",
    'proxy_set_header X-Forwarded-For "";',
    'proxy_set_header X-Real-IP "";',
    "client_header_timeout 20s;",
    "keepalive_timeout 20s;",
    "limit_conn amana 64;",
    'proxy_set_header User-Agent "";',
)


def directives(text: str) -> list[str]:
    """A proxy's configuration without its comments."""
    return [line.strip() for line in text.splitlines() if line.strip()[:1] not in {"", "#"}]


def missing(text: str) -> list[str]:
    """What a proxy's configuration would have to say, and does not."""
    said = directives(text)
    lost = [line for line in REQUIRED if line not in said]
    leaks = [line for line in said if re.search(r"\$(remote_addr|http_user_agent|proxy_add)", line)]
    return lost + leaks


@pytest.mark.claim("C-NOADDR", "C-NODISK")
def test_the_proxy_keeps_no_address_and_no_upload() -> None:
    assert missing((DEPLOY / "nginx.conf.example").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("line", REQUIRED)
def test_a_proxy_without_one_of_these_lines_is_seen(line: str) -> None:
    text = (DEPLOY / "nginx.conf.example").read_text(encoding="utf-8")
    assert missing(text.replace(line, f"# {line}")) == [line]


def test_a_proxy_that_forwards_an_address_is_seen() -> None:
    text = (DEPLOY / "nginx.conf.example").read_text(encoding="utf-8")
    assert missing(f"{text}\nproxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;")


@pytest.mark.parametrize("name", ["amana-site", "amana-sync", "amana-expire"])
def test_services_leave_no_core_no_shared_temporary_folder_and_no_way_up(name: str) -> None:
    text = (DEPLOY / f"{name}.service").read_text(encoding="utf-8")
    for line in ("NoNewPrivileges=yes", "PrivateTmp=yes", "UMask=0077", "ProtectSystem=strict"):
        assert line in text.splitlines()
