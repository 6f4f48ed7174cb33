"""Every family, and every case of all of them."""

from types import ModuleType

from tests.adversary import (
    cases,
    gif,
    heif,
    jpeg,
    matroska,
    mixed,
    mp4,
    pdf,
    png,
    riff,
    sound,
    stream,
)

FAMILIES: dict[str, ModuleType] = {
    "jpeg": jpeg,
    "png": png,
    "gif": gif,
    "heif": heif,
    "mp4": mp4,
    "matroska": matroska,
    "riff": riff,
    "sound": sound,
    "stream": stream,
    "pdf": pdf,
    "mixed": mixed,
}
"""By name."""


def all_cases() -> list[cases.Case]:
    """Return every case; its file is made when it is asked for."""
    return [case for name, family in FAMILIES.items() for case in cases.of(name, family)]
