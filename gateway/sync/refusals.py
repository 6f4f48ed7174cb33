"""How the sync door says no: a status and a stable code, and nothing about what it keeps."""

from __future__ import annotations

from http import HTTPStatus

from gateway.errors import GatewayError


class SyncRefused(GatewayError):
    """The request is refused with a status and the ``code`` of ``{"error": code}``."""

    def __init__(self, status: HTTPStatus, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


def malformed(code: str = "malformed") -> SyncRefused:
    """400: what was sent is not what it should be."""
    return SyncRefused(HTTPStatus.BAD_REQUEST, code)


def unknown(code: str = "unknown") -> SyncRefused:
    """404: there is nothing of that id for whoever asks."""
    return SyncRefused(HTTPStatus.NOT_FOUND, code)
