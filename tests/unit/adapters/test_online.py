"""Which store an address means, and what is said when there is none."""

import sys

import pytest

from trimtab.adapters.online import OnlineStoreError, Row, open_online


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(OnlineStoreError, match=r"pip install 'trimtab\[redis\]'"):
        open_online("redis://localhost/0")


@pytest.mark.parametrize("address", ["mysql://me:secret@db/x", "nonsense"])
def test_an_address_nobody_knows(address: str) -> None:
    with pytest.raises(OnlineStoreError, match="use a PostgreSQL URL, redis://") as caught:
        open_online(address)
    assert "secret" not in str(caught.value)


def test_places_hold_no_password() -> None:
    assert open_online("redis://me:secret@db:6379/2").place == "redis://db:6379/2"
    sql = open_online("postgresql+psycopg2://me:secret@db/x")
    assert sql.place == "postgresql://db/x"


def test_a_row_counts_from_when_it_has_happened_and_is_known() -> None:
    assert Row("[1]", "2026-01-01", "2026-01-03", 0, "{}").visible == "2026-01-03"
    assert Row("[1]", "2026-01-04", "2026-01-03", 0, "{}").visible == "2026-01-04"
