"""Every database comes to the present schema: a new one, an old one, and with many asking at once."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from trimtab.errors import IntegrityError
from trimtab.ledger import Ledger, chain, migrations
from trimtab.ledger.tables import metadata

# What a trimtab of before there were versions made and wrote.
OLD_TABLE = """
create table events (
  seq {integer} not null primary key, at {time} not null, kind varchar(40) not null,
  subject varchar(80) not null, "key" varchar(400) not null, actor varchar(200) not null,
  payload json not null, previous varchar(64) not null, hash varchar(64) not null,
  constraint one_event_per_key unique (kind, subject, "key")
);
create index events_by_subject on events (subject, kind, seq)
"""
PROCESSES = 2


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path, new_database: Callable[[], str]) -> str:
    return new_database() if request.param == "postgresql" else f"sqlite:///{tmp_path / 'l.db'}"


def old(url: str, entries: int) -> Ledger:
    """A ledger as create_all left it, with entries hashed as they were then."""
    ledger, previous = Ledger(url), chain.GENESIS
    postgres = url.startswith("postgresql")
    types = {
        "integer": "bigint" if postgres else "integer",
        "time": "timestamp with time zone" if postgres else "datetime",
    }
    insert = text(
        "insert into events values (:seq, :at, :kind, :subject, :key, :actor, :payload, "
        ":previous, :hash)"
    )
    with ledger.engine.begin() as connection:
        for statement in OLD_TABLE.format(**types).split(";"):
            connection.execute(text(statement))
        for seq in range(1, entries + 1):
            at = datetime(2026, 1, seq, tzinfo=UTC)
            fields = [seq, "kind", "subject", str(seq), "actor", {"n": seq}]
            hashed = chain.digest([previous, at.isoformat(), *fields])
            values = dict(zip(("seq", "kind", "subject", "key", "actor"), fields, strict=False))
            stamp = at if postgres else at.strftime("%Y-%m-%d %H:%M:%S.%f")
            payload = chain.canonical({"n": seq})
            connection.execute(
                insert,
                {**values, "at": stamp, "payload": payload, "previous": previous, "hash": hashed},
            )
            previous = hashed
    return ledger


def test_a_new_database_is_what_the_code_reads_and_writes(url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    ledger = Ledger(url)
    ledger.create()
    with ledger.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": migrations.TABLE})
        assert compare_metadata(context, metadata) == []
        assert migrations.current(connection) == migrations.HEAD
    ledger.create()
    assert ledger.append("kind", "subject", "key", {}).seq == 1


def test_the_newest_migration_is_the_one_named() -> None:
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(Path(migrations.__file__).parent)
    assert script.get_current_head() == migrations.HEAD


def test_a_database_of_before_is_taken_over(url: str) -> None:
    ledger = old(url, entries=5)
    ledger.create()
    assert ledger.first_bad() is None
    assert [event.payload["n"] for event in ledger.events()] == [1, 2, 3, 4, 5]
    new = Ledger(url, origin={"run": "monday"}).append("kind", "subject", "6", {"n": 6})
    assert new.seq == 6
    assert ledger.events()[-1].origin == {"run": "monday"}
    assert ledger.events()[0].origin is None
    assert ledger.verify().entries == 6


CREATE = """
import sys
from trimtab.ledger import Ledger
sys.stdin.readline()
ledger = Ledger(sys.argv[1])
ledger.create()
print(ledger.append("kind", "subject", sys.argv[2], {}).seq)
"""


def test_processes_that_ask_at_once_all_go_on(url: str) -> None:
    old(url, entries=3)
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CREATE, url, f"w{i}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for i in range(PROCESSES)
    ]
    for child in children:
        assert child.stdin
        child.stdin.write("go\n")
        child.stdin.flush()
    seqs = sorted(int(child.communicate(timeout=120)[0]) for child in children)
    assert seqs == [4, 5]
    assert Ledger(url).verify().entries == 5


def test_a_schema_of_tomorrow_is_refused(url: str) -> None:
    ledger = Ledger(url)
    ledger.create()
    with ledger.engine.begin() as connection:
        connection.execute(text(f"update {migrations.TABLE} set version_num = '9999'"))
    with pytest.raises(IntegrityError, match="version 9999, this trimtab knows"):
        ledger.create()


@pytest.mark.parametrize(
    "statement",
    ["update events set actor = 'x'", "delete from events where seq = 1", "truncate events"],
)
def test_postgresql_refuses_to_change_what_was_written(postgres: str, statement: str) -> None:
    ledger = Ledger(postgres)
    ledger.create()
    ledger.append("kind", "subject", "key", {})
    with (
        pytest.raises(DBAPIError, match="append-only"),
        ledger.engine.begin() as connection,
    ):
        connection.execute(text(statement))
    assert ledger.verify().entries == len(ledger.events()) > 0
