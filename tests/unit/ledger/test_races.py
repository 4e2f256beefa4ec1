"""Many writers at once, on SQLite and on a real PostgreSQL: one winner each, nothing lost."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest

from trimtab.errors import DependencyError, LedgerConflictError
from trimtab.ledger import Ledger, champion, locks

WRITERS, ROUNDS = 8, 8


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres"))
    return f"sqlite:///{tmp_path / 'ledger.db'}"


def swap(url: str, model: str, version: int, start: Barrier) -> int | None:
    ledger = Ledger(url)
    before = champion.current(ledger, model)
    start.wait()
    try:
        champion.swap(
            ledger,
            model,
            version,
            expected=before,
            action="rollback" if before and version % 2 else "promote",
            actor=f"writer-{version}",
            reason="race",
        )
    except LedgerConflictError:
        return None
    finally:
        ledger.engine.dispose()
    return version


def test_a_swap_has_one_winner(url: str) -> None:
    ledger = Ledger(url)
    ledger.create()
    start = Barrier(WRITERS)
    with ThreadPoolExecutor(WRITERS) as pool:
        for generation in range(1, ROUNDS + 1):
            versions = range(generation * 100, generation * 100 + WRITERS)
            results = list(
                pool.map(swap, [url] * WRITERS, ["m"] * WRITERS, versions, [start] * WRITERS)
            )
            (winner,) = [version for version in results if version is not None]
            now = champion.current(ledger, "m")
            assert now is not None
            assert (now.version, now.generation) == (winner, generation)
    history = champion.history(ledger, "m")
    assert [change.generation for change in history] == list(range(1, ROUNDS + 1))
    left = [change.previous for change in history if change.action == "rollback"]
    assert [event.payload["version"] for event in ledger.events("blocked", "m")] == left
    assert ledger.first_bad() is None


WRITE = """
import sys
from trimtab.ledger import Ledger
ledger, writer = Ledger(sys.argv[1]), sys.argv[2]
new = [ledger.append("shared", "s", str(i), {"by": writer}).new for i in range(25)]
for i in range(25):
    ledger.append("own", writer, str(i), {"i": i, "pi": 0.1 + 0.2})
print(sum(new))
"""


def test_processes_lose_nothing_and_write_shared_keys_once(postgres: str) -> None:
    ledger = Ledger(postgres)
    ledger.create()
    before = len(ledger.events())
    children = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE, postgres, f"w{i}"], stdout=subprocess.PIPE, text=True
        )
        for i in range(WRITERS)
    ]
    firsts = [int(child.communicate(timeout=120)[0]) for child in children]
    assert sum(firsts) == 25
    seqs = [event.seq for event in ledger.events()]
    assert len(seqs) - before == 25 + WRITERS * 25
    assert seqs == list(range(1, len(seqs) + 1))
    assert ledger.first_bad() is None


def test_appending_twice_is_one_event(url: str) -> None:
    ledger = Ledger(url)
    ledger.create()
    first = ledger.append("kind", "twice", "key", {"n": 1})
    again = ledger.append("kind", "twice", "key", {"n": 2})
    assert (first.new, again.new) == (True, False)
    assert again.payload == {"n": 1}
    assert again.seq == first.seq


def test_the_same_swap_again_is_the_same_champion(url: str) -> None:
    ledger = Ledger(url)
    ledger.create()
    call = {"expected": None, "action": "promote", "actor": "a", "reason": "r"}
    assert champion.swap(ledger, "again", 1, **call) == champion.swap(ledger, "again", 1, **call)  # type: ignore[arg-type]
    with pytest.raises(LedgerConflictError, match="judge it again"):
        champion.swap(ledger, "again", 2, **call)  # type: ignore[arg-type]


def test_a_database_that_is_away_is_worth_a_retry() -> None:
    ledger = Ledger("postgresql+psycopg2://nobody@127.0.0.1:1/none")
    with pytest.raises(DependencyError, match="does not answer"):
        ledger.create()


def test_a_reader_of_tables_waits_for_the_whole_publication(postgres: str) -> None:
    publisher, reader, seen = Ledger(postgres), Ledger(postgres), []
    at_work, read = Event(), Event()

    def look() -> None:
        at_work.wait(10)
        with locks.publishing(reader, "planes", "flights"):
            seen.append("read")
        read.set()

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        with locks.publishing(publisher, "flights"):
            at_work.set()
            assert not read.wait(0.5)
            seen.append("published")
        looking.result(10)
    assert seen == ["published", "read"]
