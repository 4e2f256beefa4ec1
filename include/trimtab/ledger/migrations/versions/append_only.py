"""Where an entry was written from; and PostgreSQL refuses to change or remove entries.

The owner of the database can take the refusal away: it stops accidents, the chain finds the rest.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_REFUSE = """
create or replace function ledger_is_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'the ledger is append-only: % of its entries is refused', lower(tg_op);
end $$
"""
_TRIGGER = """
create trigger append_only before update or delete or truncate on events
for each statement execute function ledger_is_append_only()
"""


def upgrade() -> None:
    """Add the column, and the refusal on PostgreSQL."""
    op.add_column("events", sa.Column("origin", sa.JSON(none_as_null=True)))
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_REFUSE)
        op.execute(_TRIGGER)
