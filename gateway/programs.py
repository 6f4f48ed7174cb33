"""How a worker's application is put together from a gateway's home.

(1) the vault  (2) the pinned root, and the watch on the roster that it signed  (3) the application
(4) for the site, the threads that close receipt windows and sweep the spool, and the jailed workers
"""

from __future__ import annotations

import atexit
from threading import Thread
from typing import TYPE_CHECKING

from crypto.errors import CryptoError
from crypto.roster import RootPublicKey
from crypto.token import TokenKey
from gateway.clock import SystemClock
from gateway.errors import ConfigRefused
from gateway.pieces import PieceSweeper
from gateway.places import Places
from gateway.roster_watch import CurrentRoster
from gateway.secrets import GatewaySecrets
from gateway.server import Program
from gateway.sync.app import create_sync
from gateway.windows import ReceiptWindows, WindowSweeper
from sanitizer.workers import make_ready
from vault.vault import Vault

if TYPE_CHECKING:
    from flask import Flask

    from gateway.config import GatewayConfig


def read_root(config: GatewayConfig) -> RootPublicKey:
    """The pinned public key of the root; raises ConfigRefused."""
    try:
        return RootPublicKey.from_text(config.root_public_path.read_text("ascii"))
    except (OSError, ValueError):
        raise ConfigRefused(
            f"{config.root_public_path} cannot be read; run amana-gateway init"
        ) from None
    except CryptoError as error:
        raise ConfigRefused(f"{config.root_public_path}: {error}") from None


def open_vault(config: GatewayConfig) -> Vault:
    """Open the shelf; raises VaultError."""
    return Vault.open(config.database_url, config.blobs_url, today=SystemClock().today)


def current_roster(config: GatewayConfig, vault: Vault) -> CurrentRoster:
    """The watch on the roster in force; raises ConfigRefused.

    A worker starts without one, too: one that is born after the roster expired must answer 503,
    not take the whole server down.  That there is one is asked before the first worker starts.
    """
    return CurrentRoster(config.roster_path, read_root(config), vault, SystemClock())


def make_site(config: GatewayConfig, places: Places | None = None) -> Flask:
    """The reporters' site of this home; ``places`` are what its workers share."""
    from gateway.site.app import create_site  # noqa: PLC0415 # not in the sync door's process

    vault, clock = open_vault(config), SystemClock()
    app = create_site(
        config=config,
        secrets=GatewaySecrets.load(config),
        deployment=read_root(config).deployment,
        vault=vault,
        rosters=current_roster(config, vault),
        clock=clock,
        places=places,
    )
    windows = app.extensions["amana.windows"]
    sweeper = WindowSweeper(windows, config.times.receipt_seconds, clock)
    sweeper.start()
    atexit.register(sweeper.stop)
    pieces = PieceSweeper(app.extensions["amana.pieces"])
    pieces.start()
    atexit.register(pieces.stop)
    return app


def check_forms(config: GatewayConfig) -> None:
    """Read the form's data and the help lines.  Raises FormRefused naming the line."""
    from gateway.site.forms import load_forms  # noqa: PLC0415 # as above

    load_forms(config.forms)


def close_left_windows(config: GatewayConfig, vault: Vault) -> int:
    """Overwrite the receipt windows that are over and that a crash left; returns how many."""
    key = TokenKey(GatewaySecrets.load(config).token_key)
    return ReceiptWindows(vault, key, SystemClock()).close_left(config.times.receipt_seconds)


def make_sync(config: GatewayConfig) -> Flask:
    """The desks' door of this home; it loads no secret."""
    vault = open_vault(config)
    return create_sync(
        config=config, vault=vault, rosters=current_roster(config, vault), clock=SystemClock()
    )


def site_program(config: GatewayConfig) -> Program:
    """The site as a program."""
    # Before the workers are: they share it.
    places = Places(config.workers * config.stretchers)

    def make() -> Flask:
        # Beside the rest: whoever sends the first file need not wait for it, nor does the site.
        Thread(target=make_ready, daemon=True).start()
        return make_site(config, places)

    return Program("site", config.site_bind, make)


def sync_program(config: GatewayConfig) -> Program:
    """The sync door as a program."""
    return Program("sync", config.sync_bind, lambda: make_sync(config))
