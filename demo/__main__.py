"""`make demo`: the whole house on one machine, with rehearsal keys that say so."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from demo.conductor import Address, Conductor
from demo.rehearsal import CUSTODIAN, OPERATORS, Places, RehearsalFailed, phrase, prepare, run

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Setting:
    """What the environment may change; read once, here."""

    places: Places
    site: Address
    sync: Address
    desk: Address

    @classmethod
    def from_environment(cls) -> Setting:
        """Read `AMANA_HOME` and the three addresses."""
        read = os.environ.get
        return cls(
            places=Places(Path(read("AMANA_HOME", ".amana")).absolute()),
            site=Address.parse(read("AMANA_SITE_BIND", "127.0.0.1:8000")),
            sync=Address.parse(read("AMANA_SYNC_BIND", "127.0.0.1:8001")),
            desk=Address.parse(read("AMANA_DESK_BIND", "127.0.0.1:8002")),
        )


def announce(text: str) -> None:
    """Say what is being done; at once, also into a pipe."""
    print(f"  {text} ...", flush=True)


def start_everything(setting: Setting, conductor: Conductor) -> str:
    """Start gateway and desk; returns the desk's one-time link."""
    home = {"AMANA_HOME": str(setting.places.home)}
    for face, address in (("site", setting.site), ("sync", setting.sync)):
        announce(f"starting the {face}")
        serve = ["amana-gateway", "serve", face, "--bind", str(address)]
        conductor.wait_until_it_answers(conductor.start(serve, home), address)
    for name in (*OPERATORS, CUSTODIAN):
        enrol(setting, name)
    announce(f"opening the desk of {OPERATORS[0]}")
    desk = {"AMANA_DESK_HOME": str(setting.places.desk(OPERATORS[0]))}
    serve = ["amana-desk", "serve", "--bind", str(setting.desk), *phrase(setting.places)]
    child = conductor.start(serve, desk, listen=True)
    link = conductor.line_with(child, "http://").split()[-1]
    conductor.wait_until_it_answers(child, setting.desk)
    return link


def enrol(setting: Setting, name: str) -> None:
    """Tell a desk which gateway it belongs to, and whose signature to believe."""
    home = setting.places.desk(name)
    if (home / "desk.json").exists():
        return
    announce(f"enrolling {name}")
    public = str(setting.places.root / "root.pub")
    server = ["--server", f"http://{setting.sync}", "--root-public", public]
    run(["amana-desk", "enrol", *server, *phrase(setting.places)], AMANA_DESK_HOME=str(home))


def invitation(setting: Setting, link: str) -> str:
    """What to try, for somebody who has never seen this."""
    desk_home = setting.places.desk(OPERATORS[1])
    passphrase = setting.places.passphrase
    return f"""
Amana is running, with REHEARSAL keys: do not entrust anything real to it.

  the reporters' site   http://{setting.site}/
  the desks' sync       http://{setting.sync}/   (for desks; nothing to see in a browser)
  an operator's desk    {link}
                        (the link works once; this terminal is its only copy)

What to try
  1. Open the site in a browser on this machine (it listens here alone), choose a language, write
     a report, attach a photo and a video.  Keep the receipt code.
  2. Open the desk's link: sync, read the case, look at the clean photo, answer.
  3. On the site, choose "I have a code" and read the answer.

The second operator works in a terminal:
  export AMANA_DESK_HOME={desk_home}
  export AMANA_DESK_PASSPHRASE_FILE={passphrase}
  .venv/bin/amana-desk sync
  .venv/bin/amana-desk list

Who wrote, where they said so, is sealed to the custodian alone, whose desk opens that and no more:
  export AMANA_DESK_HOME={setting.places.desk(CUSTODIAN)}
  .venv/bin/amana-desk sync
  .venv/bin/amana-desk identity CASE

Everything is kept in {setting.places.home}; run this again and it is still there.
Ctrl-C stops it.
"""


def refuse_taken_addresses(setting: Setting) -> None:
    """Better said now than after a minute of making keys.

    Raises:
        RehearsalFailed: somebody else listens where we want to.
    """
    for address in (setting.site, setting.sync, setting.desk):
        if not address.is_free():
            raise RehearsalFailed(
                f"something already listens on {address}; stop it, or choose another place "
                "with AMANA_SITE_BIND, AMANA_SYNC_BIND or AMANA_DESK_BIND"
            )


def interrupted(_signal: int, _frame: object) -> NoReturn:
    """A polite request to stop is a Ctrl-C."""
    raise KeyboardInterrupt


@contextmanager
def undisturbed() -> Iterator[None]:
    """Finish stopping: make, too, passes a Ctrl-C on, and a second one would leave orphans."""
    both = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(one, signal.SIG_IGN) for one in both]
    try:
        yield
    finally:
        for one, handler in zip(both, before, strict=True):
            signal.signal(one, handler)


def main() -> int:
    """Hold the rehearsal until Ctrl-C.

    Returns:
        0 after a clean stop, 1 when something could not be done (said on stderr).
    """
    signal.signal(signal.SIGTERM, interrupted)
    conductor = Conductor()
    try:
        setting = Setting.from_environment()
        refuse_taken_addresses(setting)
        print("Preparing a rehearsal of Amana.", flush=True)
        prepare(setting.places, announce)
        print(invitation(setting, start_everything(setting, conductor)), flush=True)
        conductor.watch()
    except KeyboardInterrupt:
        print("\nStopping.", flush=True)
    except (RehearsalFailed, OSError) as failure:
        print(f"The rehearsal could not go on: {failure}", file=sys.stderr)
        return 1
    finally:
        with undisturbed():
            conductor.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
