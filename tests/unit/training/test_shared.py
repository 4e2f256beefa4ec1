"""Several workers, one study on a real PostgreSQL: one budget, nothing twice, nothing lost."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest

from trimtab.config.model import Tune
from trimtab.errors import DependencyError
from trimtab.training import registry
from trimtab.training.studies import RETRIES, Shared

TOY = Path(__file__).with_name("toy.py")


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch, toy: Any) -> None:
    registry.names()
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    toy.register()


@pytest.fixture
def workers() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()


def start(workers: list[Any], url: str, number: int, trials: int, *families: str) -> Any:
    """Start a worker that waits, ready, for a line."""
    process = subprocess.Popen(
        [sys.executable, TOY, url, str(number), str(trials), *families],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    workers.append(process)
    return process


def go(*processes: Any) -> None:
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()


def shared(toy: Any, url: str, trials: int, *families: str, **changes: Any) -> Any:
    tune = Tune(trials=trials, sample=200, parallel=2)
    place = Shared(url, heartbeat=1, grace=2)
    return toy.search(tune, families, place=place, **{"now": time.time, **changes})


def test_two_processes_that_start_at_once_share_one_budget(
    toy: Any, database: str, workers: list[Any]
) -> None:
    """Also the tables: the database is empty when both begin."""
    both = [start(workers, database, n, 12, "linear", "boosted_trees") for n in (1, 2)]
    go(*both)
    taken = [int(process.stdout.readline()) for process in both]
    found = shared(toy, database, 12, "linear", "boosted_trees").run()
    assert sum(taken) == len(found.trials) == 12
    assert sorted(t.turn for t in found.trials) == list(range(1, 13))
    assert [t.family for t in found.trials[:2]] == ["linear", "boosted_trees"]
    assert Counter(t.worker for t in found.trials) == dict(zip((1, 2), taken, strict=True))
    assert all(taken), "one of the two did nothing"
    assert len({str(t.params) for t in found.trials}) == 12, "a trial was made twice"


def test_the_trial_of_a_killed_worker_is_tried_again(
    toy: Any, slow: None, database: str, workers: list[Any]
) -> None:
    killed = start(workers, database, 1, 4, "slow", "linear", "--hang")
    go(killed)
    assert killed.stdout.readline() == "began\n"
    killed.kill()
    killed.wait()
    found = shared(toy, database, 4, "slow", "linear").run()
    lost, *others = found.trials
    assert (lost.state, lost.family, lost.worker, lost.value) == ("lost", "slow", 1, None)
    again = next(t for t in others if t.turn == 1)  # the server may hear of the death a bit later
    assert (again.state, again.params) == ("complete", lost.params)
    assert len(others) == 4
    assert sorted(t.turn for t in others) == [1, 2, 3, 4]


def test_two_copies_of_a_worker_at_once_do_no_harm(toy: Any, database: str) -> None:
    copies = [shared(toy, database, 8, "linear", worker=1) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        taken = list(pool.map(lambda search: search.work(), copies))
    found = copies[0].run()
    assert sum(taken) == 8
    assert sorted(t.turn for t in found.trials) == list(range(1, 9))
    again = shared(toy, database, 8, "linear").run()
    assert again.trials == found.trials


def test_what_kills_every_worker_is_not_tried_for_ever(toy: Any, database: str) -> None:
    search = shared(toy, database, 3, "linear")
    for _ in range(RETRIES + 1):
        turn = search.board.take()
        assert turn.params == {"regularisation": 1.0}
        search.board.lost(turn)
    found = search.run()
    assert [t.state for t in found.trials] == ["lost", "lost", "complete", "complete"]
    assert {"regularisation": 1.0} not in [t.params for t in found.trials[2:]]
    assert np.isnan(found.default_value)


def test_a_worker_that_died_between_two_statements_is_noticed_at_once(
    toy: Any, database: str
) -> None:
    search = shared(toy, database, 2, "linear")
    died = search.board.studies["linear"].ask()  # and nothing after it
    assert died.number == 0
    found = search.run()
    assert [t.params["regularisation"] == 1.0 for t in found.trials] == [True, False]


def test_a_slow_worker_whose_trial_was_given_away_goes_on(toy: Any, database: str) -> None:
    search = shared(toy, database, 2, "linear")
    turn = search.board.take(1)
    search.board.lost(turn)  # what others do when it gives no sign of life
    search.board.complete(turn, 0.99, 1.0)
    search.board.failed(turn, 1.0, "late")
    found = search.run()
    assert [t.state for t in found.trials] == ["lost", "complete", "complete"]
    assert found.value < 0.99


def test_the_minutes_count_from_the_beginning_whoever_joins(toy: Any, database: str) -> None:
    first = shared(toy, database, 9, "linear", now=lambda: 1000.0)
    first._try(first.board.take())
    late = shared(toy, database, 9, "linear", now=lambda: 1000.0 + 31 * 60)
    assert late.board.minutes_left == 0
    assert late.work() == 0
    assert len(late.run().trials) == 1


def test_the_probe_of_another_worker_is_fitted_again_as_it_was(toy: Any, database: str) -> None:
    first = shared(toy, database, 3, "linear")
    mine = first.run()
    other = shared(toy, database, 3, "linear")
    theirs = other.run()
    frame = other.data.frame
    assert (mine.probe.predict_proba(frame) == theirs.probe.predict_proba(frame)).all()
    assert other.score(theirs.probe, theirs.validation) == pytest.approx(theirs.value)


def test_sqlite_serves_one_process(toy: Any, tmp_path: Path) -> None:
    found = shared(toy, f"sqlite:///{tmp_path / 'studies.db'}", 3, "linear").run()
    memory = toy.search(Tune(trials=3, sample=200)).run()
    assert [t.params for t in found.trials] == [t.params for t in memory.trials]


@pytest.mark.parametrize("moment", ["at the start", "later"])
def test_a_database_that_does_not_answer_is_worth_a_retry(
    toy: Any, tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if moment == "at the start":
        search = shared(toy, "postgresql+psycopg2://nobody@127.0.0.1:1/none", 3, "linear")
    else:
        search = shared(toy, f"sqlite:///{tmp_path / 'studies.db'}", 3, "linear")
        assert search.board
        gone = optuna.exceptions.StorageInternalError
        monkeypatch.setattr(optuna.Study, "tell", lambda *_, **__: (_ for _ in ()).throw(gone()))
    with pytest.raises(DependencyError, match="studies' database does not answer"):
        search.run()
