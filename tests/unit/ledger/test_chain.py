"""Whoever changes the ledger's table behind its back is found."""

from pathlib import Path

import pytest
from sqlalchemy import text

from trimtab.ledger import Ledger, chain


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger.create()
    for i in range(6):
        ledger.append("kind", "subject", str(i), {"i": i, "nested": {"b": (1, 2), 3: None}})
    return ledger


def test_an_untouched_chain_fits(ledger: Ledger) -> None:
    assert ledger.first_bad() is None
    assert [event.seq for event in ledger.events()] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("statement", "bad"),
    [
        ("""update events set payload = '{"i":9}' where seq = 3""", 3),
        ("update events set actor = 'someone' where seq = 3", 3),
        ("update events set at = '2020-01-01 00:00:00' where seq = 1", 1),
        ("delete from events where seq = 1", 2),
        ("delete from events where seq = 3", 4),
        ("delete from events where seq in (3, 4)", 5),
        (
            "update events set seq = case seq when 3 then -4 when 4 then -3 end where seq in (3,4);"
            "update events set seq = -seq where seq < 0",
            3,
        ),
        (
            "insert into events select 7, at, kind, subject, 'x', actor, payload, previous, hash, "
            "origin from events where seq = 6",
            7,
        ),
    ],
)
def test_tampering_is_found_at_the_entry(ledger: Ledger, statement: str, bad: int) -> None:
    with ledger.engine.begin() as connection:
        for part in statement.split(";"):
            connection.execute(text(part.replace(":", "\\:")))
    assert ledger.first_bad() == bad


def test_a_payload_reads_back_as_it_was_hashed(ledger: Ledger) -> None:
    event = ledger.append("kind", "subject", "odd", {10: "ten", 9: (1, 2.5), "z": "ü\n"})
    assert event.payload == {"10": "ten", "9": [1, 2.5], "z": "ü\n"}
    found = ledger.find("kind", "subject", "odd")
    assert found is not None
    assert found.payload == event.payload
    assert ledger.first_bad() is None


def test_what_json_does_not_have_is_refused_before_it_is_written(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        ledger.append("kind", "subject", "nan", {"value": float("nan")})
    assert ledger.find("kind", "subject", "nan") is None


def test_equal_values_have_equal_digests() -> None:
    assert chain.digest({"a": 1, "b": [2]}) == chain.digest({"b": (2,), "a": 1})
    assert chain.digest({"a": 1}) != chain.digest({"a": 1.5})
