"""SQLite, set so that what was acknowledged is on the disk and what was deleted is not.

Every write is one BEGIN IMMEDIATE transaction: it waits its turn at the start and cannot fail to
upgrade halfway.  Parameters never appear in an error's text.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from vault.errors import NotMigrated, ShelfUnavailable, UnsupportedStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

BUSY_SECONDS = 30
CONNECTIONS = 32

_BEGIN = "amana_begin"
_PRAGMAS = (
    f"busy_timeout = {BUSY_SECONDS * 1000}",
    "journal_mode = WAL",
    "synchronous = FULL",
    "secure_delete = ON",
    "foreign_keys = ON",
    # Sorting must not spill into a temporary file.
    "temp_store = MEMORY",
)


class Database:
    """Connections to one SQLite file."""

    def __init__(self, url: str) -> None:
        """Take ``sqlite:///path``; raises UnsupportedStore.  Opens nothing yet."""
        self.path = _sqlite_path(url)
        self._reading = create_engine(
            url, hide_parameters=True, pool_size=CONNECTIONS, max_overflow=0
        )
        event.listen(self._reading, "connect", _on_connect)
        event.listen(self._reading, "begin", _on_begin)
        self._writing = self._reading.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """One snapshot to read from.  Raises ShelfUnavailable."""
        with _available(), self._reading.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction; durable when the block has ended without an error.

        Raises ShelfUnavailable, and SQLAlchemy's IntegrityError for a row that is refused.
        """
        with _available(), self._writing.begin() as connection:
            yield connection

    def forget_deleted(self, wait_seconds: int = BUSY_SECONDS) -> None:
        """Fold the write-ahead log into the file and empty it: it still held deleted pages.

        Waits for readers, and keeps writers waiting, for ``wait_seconds`` at most; then the log
        stays as it is until the next time.
        """
        raw = self._reading.raw_connection()
        try:
            cursor = raw.cursor()
            cursor.execute(f"PRAGMA busy_timeout = {wait_seconds * 1000}")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        finally:
            raw.close()

    def describe(self) -> dict[str, str]:
        """The settings that matter, as SQLite reports them (``journal_mode``: ``wal``)."""
        names = ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
        with self.reading() as connection:
            return {
                name: str(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
                for name in names
            }

    def require_migrated(self) -> None:
        """Raise NotMigrated unless the tables are those of this version."""
        if not self.path.is_file():
            raise NotMigrated("there is no database")
        with self.reading() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        if current != ScriptDirectory.from_config(_alembic()).get_current_head():
            raise NotMigrated("the database is of another version")

    def migrate(self) -> None:
        """Create the tables or bring them up to date; two processes may do it at once."""
        folder = self.path.parent
        # SQLite does not wait its turn when the journal mode changes: a lock on the folder does.
        folder_fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder_fd, fcntl.LOCK_EX)
            config = _alembic()
            with self.writing() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
            os.fsync(folder_fd)
        finally:
            os.close(folder_fd)

    def close(self) -> None:
        """Close every connection that is not in use."""
        self._reading.dispose()


def _sqlite_path(url: str) -> Path:
    parsed = make_url(url)
    if parsed.drivername not in {"sqlite", "sqlite+pysqlite"}:
        raise UnsupportedStore("the database must be sqlite:///path")
    if parsed.database in {None, "", ":memory:"} or parsed.query:
        raise UnsupportedStore("the database must be a file")
    return Path(str(parsed.database))


@contextlib.contextmanager
def _available() -> Iterator[None]:
    """Turn what a database says when it cannot work into ShelfUnavailable."""
    try:
        yield
    except IntegrityError:
        # It does work, and refuses a row: whoever wrote the row must know.
        raise
    except (DBAPIError, PoolTimeout) as error:
        raise ShelfUnavailable("the database does not answer") from error


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def _on_connect(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # The driver must not begin transactions by itself: _on_begin says how each one begins.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))
