"""Who may be told apart from whom, without keeping who they are.  Claim C-NOADDR.

An address becomes an HMAC under a random key as soon as a connection is there, and nothing behind
that sees the address.  The key is in this process's memory alone, lives an hour, and whatever was
counted under it goes with it.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

KEY_SECONDS = 3600
_KEY_BYTES = 32
_TAG_BYTES = 16
# One household or phone has a whole network of this size.
_V6_PREFIX = 64

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Sources:
    """Makes the tags of one process.  Safe to share between threads.

    ``shared`` are the addresses behind which many people stand: a proxy, an onion service.
    """

    def __init__(
        self, shared: tuple[Network, ...], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._shared = shared
        self._now = monotonic
        self._lock = threading.Lock()
        self._renew()

    def tag(self, untrusted: object) -> bytes | None:
        """Return 16 bytes for the address of an accepted connection; None where it says nothing."""
        if not isinstance(untrusted, tuple):  # a Unix socket has none
            return None
        address = ipaddress.ip_address(str(untrusted[0]).partition("%")[0])
        if isinstance(address, ipaddress.IPv6Address):
            address = address.ipv4_mapped or address
        if any(address in network for network in self._shared):
            return None
        raw = address.packed if address.version == 4 else address.packed[: _V6_PREFIX // 8]  # noqa: PLR2004 # the version of IP
        return hmac.digest(self._current_key(), raw, hashlib.sha256)[:_TAG_BYTES]

    def _current_key(self) -> bytes:
        with self._lock:
            if not 0 <= self._now() - self._made < KEY_SECONDS:
                self._renew()
            return self._key

    def _renew(self) -> None:
        self._key = secrets.token_bytes(_KEY_BYTES)
        self._made = self._now()


def networks(text: str) -> tuple[Network, ...]:
    """Read addresses and networks separated by commas.  Raises ValueError."""
    return tuple(ipaddress.ip_network(one.strip()) for one in text.split(",") if one.strip())
