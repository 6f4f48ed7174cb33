"""The two secrets that a gateway keeps: neither opens a report.

The pepper turns a stretched code into a row's id; the token key seals what a form remembers.
"""

from __future__ import annotations

import os
import secrets
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crypto.pepper import PEPPER_BYTES, Pepper
from gateway.errors import SecretsRefused

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.config import GatewayConfig

TOKEN_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class GatewaySecrets:
    """The pepper and the 32-byte token key."""

    pepper: Pepper = field(repr=False)
    token_key: bytes = field(repr=False)

    @classmethod
    def load(cls, config: GatewayConfig) -> GatewaySecrets:
        """Read both files; raises SecretsRefused when missing, of another size, or not 0600."""
        return cls(
            Pepper(_read(config.pepper_path, PEPPER_BYTES)),
            _read(config.token_key_path, TOKEN_KEY_BYTES),
        )

    @staticmethod
    def create(config: GatewayConfig) -> None:
        """Draw both secrets and write them, 0600 and durable; a file that exists stays as it is."""
        _write_once(config.pepper_path, secrets.token_bytes(PEPPER_BYTES))
        _write_once(config.token_key_path, secrets.token_bytes(TOKEN_KEY_BYTES))


def _read(path: Path, size: int) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        raise SecretsRefused(f"{path} cannot be read; run amana-gateway init") from None
    try:
        # On the open file, not the name: what is judged is what is read.
        if stat.S_IMODE(os.fstat(fd).st_mode) & 0o077:
            raise SecretsRefused(f"{path} can be read by others; make it 0600")
        raw = os.read(fd, size + 1)
    finally:
        os.close(fd)
    if len(raw) != size:
        raise SecretsRefused(f"{path} must hold exactly {size} bytes")
    return raw


def _write_once(path: Path, raw: bytes) -> None:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    try:
        os.write(fd, raw)
        os.fsync(fd)
    finally:
        os.close(fd)
