"""Under a key only who has it can write the chain; a change of keys is an entry of its own."""

from pathlib import Path

import pytest
from sqlalchemy import text

from trimtab.errors import IntegrityError
from trimtab.ledger import Ledger, chain
from trimtab.ledger.keys import Keyring

ONE, TWO = "1" * 32, "2" * 32


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    Ledger(url).create()
    return url


def under(url: str, keys: str) -> Ledger:
    return Ledger(url, keys=Keyring.of(keys))


def write(ledger: Ledger, *keys: str) -> None:
    for key in keys:
        ledger.append("kind", "subject", key, {"key": key})


def test_a_new_ledger_begins_under_its_key(url: str) -> None:
    ledger = under(url, ONE)
    write(ledger, "a", "b")
    assert [event.kind for event in ledger.events()] == [chain.SWITCH, "kind", "kind"]
    state = ledger.verify()
    assert (state.entries, state.bad, state.key) == (3, None, Keyring.of(ONE).current.id)  # type: ignore[union-attr]


def test_a_plain_chain_stays_plain_until_somebody_says_otherwise(url: str) -> None:
    write(Ledger(url), "a")
    ledger = under(url, ONE)
    write(ledger, "b")
    assert ledger.verify().key is None
    event = ledger.use_key(actor="ana", reason="an audit asked for it")
    assert (event.seq, event.actor) == (3, "ana")
    assert event.payload["before"] is None
    write(ledger, "c")
    assert ledger.verify().bad is None
    assert ledger.verify().key == event.payload["key"]
    again = ledger.use_key(actor="bob", reason="again")
    assert (again.seq, again.new) == (3, False)


def test_without_the_key_nothing_is_written_and_nothing_believed(url: str) -> None:
    write(under(url, ONE), "a")
    for other in (Ledger(url), under(url, TWO)):
        with pytest.raises(IntegrityError, match="TRIMTAB_LEDGER_KEY does not hold"):
            write(other, "b")
        with pytest.raises(IntegrityError):
            other.use_key(actor="mallory", reason="mine now")
        state = other.verify()
        assert (state.bad, state.entries) == (1, 0)
        assert "does not hold" in state.why
    assert len(Ledger(url).events()) == 2


def test_an_old_key_checks_what_it_signed(url: str) -> None:
    write(under(url, ONE), "a")
    both = under(url, f"{TWO}, {ONE}")
    write(both, "b")  # still under the old one
    first = both.use_key(actor="ana", reason="every year")
    assert first.payload["before"] == Keyring.of(ONE).current.id  # type: ignore[union-attr]
    write(both, "c")
    assert both.verify().bad is None
    assert under(url, TWO).verify().bad == 1  # the old one is missing
    assert under(url, ONE).verify().bad == first.seq
    with pytest.raises(IntegrityError):
        write(under(url, ONE), "d")


def test_a_forged_entry_or_change_of_key_is_found(url: str) -> None:
    ledger = under(url, ONE)
    write(ledger, "a", "b", "c")
    mine = Keyring.of(TWO).current
    rows = ledger.events()
    assert mine
    with ledger.engine.begin() as connection:
        previous = rows[1].hash
        for event in rows[2:]:  # what the database's owner can do: everything but sign
            entry = {**vars(event), "payload": {"key": "forged"}}
            forged = chain.entry_hash(previous, entry)
            connection.execute(
                text(
                    'update events set payload = \'{"key":"forged"}\', previous = :p, hash = :h '
                    "where seq = :s".replace('":"', '"\\:"')
                ),
                {"p": previous, "h": forged, "s": event.seq},
            )
            previous = forged
    state = ledger.verify()
    assert (state.bad, state.why) == (3, "is not what was written")


def test_a_short_key_is_refused_and_none_is_shown() -> None:
    with pytest.raises(IntegrityError, match="token_hex") as refused:
        Keyring.of(f"{ONE},secret")
    assert "secret," not in str(refused.value)
    assert ONE not in repr(Keyring.of(ONE).current)
    assert ONE not in Keyring.of(ONE).current.id  # type: ignore[union-attr]


def test_what_cannot_be_read_is_the_first_bad_entry(url: str) -> None:
    ledger = Ledger(url)
    write(ledger, "a", "b", "c")
    with ledger.engine.begin() as connection:
        connection.execute(text("update events set payload = '{' where seq = 2"))
    state = ledger.verify()
    assert state.bad == 2
    assert state.why.startswith("cannot be read")
