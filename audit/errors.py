"""What can keep an audit from being made; what it finds is a `Finding`, not an error."""

from __future__ import annotations


class AuditError(Exception):
    """The root of this room's errors; never raised itself."""


class Unreachable(AuditError):
    """The deployment did not answer, or what should be read is not there."""
