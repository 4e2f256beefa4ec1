"""The one table. A unique (kind, subject, key) is what makes every stage exactly-once.

How a database comes to have it, and every change to it, stands in `trimtab.ledger.migrations`.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData()

events = Table(
    "events",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("subject", String(80), nullable=False),
    Column("key", String(400), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("origin", JSON(none_as_null=True)),  # the run or the shell it was written from
    UniqueConstraint("kind", "subject", "key", name="one_event_per_key"),
    Index("events_by_subject", "subject", "kind", "seq"),
)
