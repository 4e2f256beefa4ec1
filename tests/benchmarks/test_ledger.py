"""The ledger's chain: what an entry costs, and how long it takes to check all of them.

make bench        # or: uv run --all-extras pytest tests/benchmarks/test_ledger.py -m benchmark -s
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from trimtab.adapters import postgres
from trimtab.ledger import Ledger, chain
from trimtab.ledger.keys import Keyring
from trimtab.ledger.tables import events

ENTRIES, VERIFY_GOAL = 100_000, 10.0  # seconds
APPEND_GOAL = 0.02  # seconds
WRITERS, EACH = 4, 250
KEY = "k" * 32


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    for folder in [tmp_path, *tmp_path.parents][:3]:
        folder.chmod(folder.stat().st_mode | 0o055)
    server = postgres.join(tmp_path)
    yield server.url("ledger")
    server.stop()


def entries(keys: Keyring) -> list[dict[str, Any]]:
    """A chain of gate verdicts, built in memory."""
    made, previous, at = [], chain.GENESIS, datetime(2026, 1, 1, tzinfo=UTC)
    payload = {"verdict": "PROMOTE", "version": 1, "rules": [{"name": "min", "value": 0.7}] * 5}
    for seq in range(1, ENTRIES + 1):
        entry = {"seq": seq, "at": at, "kind": "gate", "subject": "m", "key": str(seq)}
        entry |= {"actor": "trimtab", "payload": payload, "origin": {"run": "r"}}
        if keys.current and seq == 1:
            entry |= {"kind": chain.SWITCH, "payload": {"key": keys.current.id}}
        entry |= {"previous": previous}
        entry["hash"] = previous = chain.entry_hash(previous, entry, keys.current)
        made.append(entry)
    return made


@pytest.mark.benchmark
@pytest.mark.parametrize("key", ["", KEY])
def test_checking_every_entry(url: str, key: str) -> None:
    keys = Keyring.of(key)
    ledger = Ledger(url, keys=keys)
    ledger.create()
    began = time.perf_counter()
    made = entries(keys)
    built = time.perf_counter() - began
    with ledger.engine.begin() as connection:
        for start in range(0, ENTRIES, 5000):
            connection.execute(insert(events), made[start : start + 5000])
    began, busy = time.perf_counter(), time.process_time()
    state = ledger.verify()
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    assert (state.entries, state.bad) == (ENTRIES, None)
    under = "under a key" if key else "plain"
    print(
        f"\n{ENTRIES:,} entries {under}: hashed in {built:.2f} s, read and verified in "
        f"{seconds:.2f} s, {busy:.2f} s of them this process's CPU (goal {VERIFY_GOAL:g} s)"
    )


@pytest.mark.benchmark
@pytest.mark.parametrize("key", ["", KEY])
def test_an_entry_costs_little(url: str, key: str) -> None:
    ledger = Ledger(url, keys=Keyring.of(key), origin={"run": "r", "try": 1})
    ledger.create()
    took = []
    for i in range(500):
        began = time.perf_counter()
        ledger.append("kind", "subject", str(i), {"n": i})
        took.append(time.perf_counter() - began)
    median = statistics.median(took)
    under = "under a key" if key else "plain"
    print(f"\nan entry {under}: {median * 1000:.2f} ms (goal {APPEND_GOAL * 1000:g} ms)")
    assert ledger.verify().bad is None


WRITE = """
import sys
from trimtab.ledger import Ledger
from trimtab.ledger.keys import Keyring
ledger = Ledger(sys.argv[1], keys=Keyring.of(sys.argv[2]))
sys.stdin.readline()
for i in range(int(sys.argv[4])):
    ledger.append("own", sys.argv[3], str(i), {"i": i})
"""


@pytest.mark.benchmark
def test_writers_at_once_leave_no_gap(url: str) -> None:
    Ledger(url).create()
    began = time.perf_counter()
    children = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE, url, KEY, f"w{i}", str(EACH)],
            stdin=subprocess.PIPE,
            text=True,
        )
        for i in range(WRITERS)
    ]
    for child in children:
        assert child.stdin
        child.stdin.write("go\n")
        child.stdin.flush()
    assert [child.wait(300) for child in children] == [0] * WRITERS
    seconds = time.perf_counter() - began
    ledger = Ledger(url, keys=Keyring.of(KEY))
    seqs = [event.seq for event in ledger.events()]
    print(f"\n{WRITERS} writers x {EACH}: {len(seqs)} entries in {seconds:.1f} s, no gap")
    assert seqs == list(range(1, WRITERS * EACH + 2))  # the first entry is the key's
    assert ledger.verify().bad is None
