"""What can be set, and what is said of a setting that makes no sense."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.config import GatewayConfig
from gateway.errors import ConfigRefused

EXAMPLE = Path(__file__).parents[2] / "deploy" / "amana.env.example"
SOURCE = Path(__file__).parents[2] / "gateway" / "config.py"


def test_nothing_need_be_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    config = GatewayConfig.from_environment({})
    assert config.home == tmp_path / ".amana" / "gateway"
    assert config.database_url == f"sqlite:///{config.home}/vault.sqlite"
    assert config.blobs_url == f"file://{config.home}/blobs"
    assert (config.site_bind, config.sync_bind) == ("127.0.0.1:8000", "127.0.0.1:8001")
    assert config.sync_authority is None
    assert config == GatewayConfig(
        home=config.home, database_url=config.database_url, blobs_url=config.blobs_url
    )


def test_a_home_with_odd_characters_is_found_again() -> None:
    config = GatewayConfig.from_environment({"AMANA_HOME": "/srv/a b%20é"})
    assert config.blobs_url == "file:///srv/a%20b%2520%C3%A9/gateway/blobs"


def test_every_setting_is_read() -> None:
    config = GatewayConfig.from_environment(
        {
            "AMANA_HOME": "/srv/amana",
            "AMANA_DATABASE_URL": "sqlite:////other/v.sqlite",
            "AMANA_BLOBS_URL": "file:///other/blobs",
            "AMANA_SITE_BIND": "unix:/run/site.sock",
            "AMANA_SYNC_BIND": "[::1]:9001",
            "AMANA_SYNC_AUTHORITY": "Desks.Example:8443",
            "AMANA_WORKERS": "4",
            "AMANA_FILE_BYTES": "20M",
            "AMANA_FORM_BYTES": "3G",
            "AMANA_FILES": "5",
            "AMANA_FLOOR_MS": "0",
            "AMANA_SYNC_PAGE": " 50 ",
        }
    )
    assert config.database_url == "sqlite:////other/v.sqlite"
    assert config.blobs_url == "file:///other/blobs"
    assert (config.site_bind, config.sync_bind) == ("unix:/run/site.sock", "[::1]:9001")
    assert config.sync_authority == "desks.example:8443"
    assert config.workers == 4
    assert config.site.file_bytes == 20 * 1024**2
    assert config.site.form_bytes == 3 * 1024**3
    assert (config.site.files, config.times.floor_ms, config.sync.page) == (5, 0, 50)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AMANA_WORKERS", "0"),
        ("AMANA_WORKERS", "many"),
        ("AMANA_WORKERS", "²"),
        ("AMANA_WORKERS", "-1"),
        ("AMANA_FILE_BYTES", "M"),
        ("AMANA_FILE_BYTES", "12X"),
        ("AMANA_FILE_BYTES", "1"),
        ("AMANA_SITE_BIND", "8000"),
        ("AMANA_SITE_BIND", "host:99999"),
        ("AMANA_SYNC_BIND", "a b:1"),
        ("AMANA_SYNC_AUTHORITY", "https://desks.example"),
        ("AMANA_LEAVE_URL", "http://plain.example/"),
        ("AMANA_HOME", "/srv/\x1b[31m"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(ConfigRefused, match=name):
        GatewayConfig.from_environment({name: value})


@pytest.mark.claim("C-LOST-ANSWER")
def test_a_form_that_would_be_forgotten_before_its_receipt_is_refused() -> None:
    long = {"AMANA_RECEIPT_SECONDS": "1800"}
    with pytest.raises(ConfigRefused, match="AMANA_FORM_SECONDS"):
        GatewayConfig.from_environment({**long, "AMANA_FORM_SECONDS": "1799"})
    GatewayConfig.from_environment({**long, "AMANA_FORM_SECONDS": "1800"})


def test_the_example_file_documents_every_variable_with_its_default() -> None:
    read = {
        f"AMANA_{name}"
        for name in re.findall(
            r"read\.(?:text|bind|address|authority|number|size|folder|onion|networks)"
            r'\(\s*"([A-Z_]+)"',
            SOURCE.read_text(),
        )
    }
    shown = dict(re.findall(r"^#?(AMANA_[A-Z_]+)=(.*)$", EXAMPLE.read_text(), re.MULTILINE))
    assert set(shown) == read
    values = {name: value for name, value in shown.items() if "/srv/" not in value}
    values["AMANA_SYNC_AUTHORITY"] = values["AMANA_ONION"] = ""
    defaults = GatewayConfig.from_environment({"AMANA_HOME": "/x"})
    assert GatewayConfig.from_environment({**values, "AMANA_HOME": "/x"}) == defaults
