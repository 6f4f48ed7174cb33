"""The tables, and what each column may say.  tests/vault/columns.json pins this list.

No counter, no rowid order, no time: random primary keys, WITHOUT ROWID, days alone.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

metadata = MetaData()

cases = Table(
    "cases",
    metadata,
    Column("case_id", LargeBinary, primary_key=True),
    Column("locator", LargeBinary, nullable=False, unique=True),
    Column("received_day", Integer, nullable=False),
    Column("thread_state", LargeBinary, nullable=False),
    Column("receipt_window", LargeBinary, nullable=False),
    CheckConstraint("length(case_id) = 16", name="case_id_length"),
    CheckConstraint("length(locator) = 32", name="locator_length"),
    CheckConstraint("length(receipt_window) = 48", name="receipt_window_length"),
    sqlite_with_rowid=False,
)

# The small columns stand first: a scan by day then never walks the long ones.
# No foreign key to cases: a staged envelope arrives before its case does.
envelopes = Table(
    "envelopes",
    metadata,
    Column("envelope_id", LargeBinary, primary_key=True),
    Column("case_id", LargeBinary, nullable=False),
    Column("day", Integer, nullable=False),
    Column("released", Integer, nullable=False),
    Column("header", LargeBinary, nullable=False),
    Column("wraps", LargeBinary, nullable=False),
    Column("manifest", LargeBinary, nullable=False),
    CheckConstraint("length(envelope_id) = 16", name="envelope_id_length"),
    CheckConstraint("length(header) = 140", name="header_length"),
    CheckConstraint("released IN (0, 1)", name="released_is_a_flag"),
    Index("envelopes_of_case", "case_id"),
    sqlite_with_rowid=False,
)

parts = Table(
    "parts",
    metadata,
    Column("envelope_id", LargeBinary, primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("blob", Text, nullable=False, unique=True),
    Column("size", Integer, nullable=False),
    ForeignKeyConstraint(["envelope_id"], ["envelopes.envelope_id"], ondelete="CASCADE"),
    sqlite_with_rowid=False,
)

nonces = Table(
    "nonces",
    metadata,
    Column("keyid", LargeBinary, primary_key=True),
    Column("nonce", LargeBinary, primary_key=True),
    Column("day", Integer, nullable=False),
    sqlite_with_rowid=False,
)

rosters = Table(
    "rosters",
    metadata,
    Column("epoch", Integer, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    Column("note", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# What a thread that shows nothing writes to: the same work as for one that does, meaning nothing.
scratch = Table(
    "scratch",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("noise", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

SCRATCH_SLOTS = 64
