"""The way of a ledger's database to the present schema, from any earlier one (Alembic)."""

from pathlib import Path

from sqlalchemy import Connection, String, column, inspect, select, table

from trimtab.errors import IntegrityError

HEAD = "0002"  # newest file in versions/
TABLE = "ledger_schema"  # of our own: the database may be one that Airflow or MLflow uses, too


def current(connection: Connection) -> str | None:
    """Return the schema's version, None in a new database or one of before there were versions."""
    if not inspect(connection).has_table(TABLE):
        return None
    versions = table(TABLE, column("version_num", String))
    found: str | None = connection.execute(select(versions.c.version_num)).scalar()
    return found


def upgrade(connection: Connection) -> None:
    """Bring the database to `HEAD` in the caller's transaction, which nobody else may be in.

    Raises:
        IntegrityError: a newer trimtab made this schema.
    """
    found = current(connection)
    if found is not None and found > HEAD:
        raise IntegrityError(
            f"the ledger's schema has version {found}, this trimtab knows {HEAD}; upgrade trimtab"
        )
    if found == HEAD:
        return
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(Path(__file__).parent)
    with EnvironmentContext(
        Config(), script, fn=lambda revision, _: script._upgrade_revs(HEAD, revision)
    ) as environment:
        environment.configure(connection=connection, version_table=TABLE)
        environment.run_migrations()
