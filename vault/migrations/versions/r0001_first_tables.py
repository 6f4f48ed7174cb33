"""The first tables: cases, envelopes, parts, nonces, rosters, scratch.

There is no way back down: an older version would not know what it must delete.
"""

import os
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Create the tables, and fill the scratch rows with noise."""
    op.create_table(
        "cases",
        sa.Column("case_id", sa.LargeBinary, primary_key=True),
        sa.Column("locator", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("received_day", sa.Integer, nullable=False),
        sa.Column("thread_state", sa.LargeBinary, nullable=False),
        sa.Column("receipt_window", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("length(case_id) = 16", name="case_id_length"),
        sa.CheckConstraint("length(locator) = 32", name="locator_length"),
        sa.CheckConstraint("length(receipt_window) = 48", name="receipt_window_length"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "envelopes",
        sa.Column("envelope_id", sa.LargeBinary, primary_key=True),
        sa.Column("case_id", sa.LargeBinary, nullable=False),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("released", sa.Integer, nullable=False),
        sa.Column("header", sa.LargeBinary, nullable=False),
        sa.Column("wraps", sa.LargeBinary, nullable=False),
        sa.Column("manifest", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("length(envelope_id) = 16", name="envelope_id_length"),
        sa.CheckConstraint("length(header) = 140", name="header_length"),
        sa.CheckConstraint("released IN (0, 1)", name="released_is_a_flag"),
        sqlite_with_rowid=False,
    )
    op.create_index("envelopes_of_case", "envelopes", ["case_id"])
    op.create_table(
        "parts",
        sa.Column("envelope_id", sa.LargeBinary, primary_key=True),
        sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("blob", sa.Text, nullable=False, unique=True),
        sa.Column("size", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["envelope_id"], ["envelopes.envelope_id"], ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "nonces",
        sa.Column("keyid", sa.LargeBinary, primary_key=True),
        sa.Column("nonce", sa.LargeBinary, primary_key=True),
        sa.Column("day", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rosters",
        sa.Column("epoch", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("note", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    scratch = op.create_table(
        "scratch",
        sa.Column("slot", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("noise", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.bulk_insert(scratch, [{"slot": slot, "noise": os.urandom(128)} for slot in range(64)])
