"""Answers that make a complete report, to be varied by a test."""

from __future__ import annotations

FRAUD = {
    "role": "victim",
    "description": "A seller took my money and vanished.",
    "scam_type": "purchase_or_rental",
    "money_lost": "yes",
    "identity_mode": "anonymous",
    "notice_read": "yes",
}
