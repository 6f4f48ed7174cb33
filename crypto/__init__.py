"""Envelopes, receipt codes, rosters, custody: bytes in, bytes out.  Format: crypto/FORMAT.md.

This file stays a docstring.  A re-export here would hand the gateway the modules that open
reports, which it must never import.
"""
