import numpy as np
import pytest

from trimtab.monitoring import looks
from trimtab.monitoring.looks import Labels
from trimtab.watch import Alarm, Finding, Observation


def again(before: int, now: int, *, was_due: bool = False, due: bool = False) -> bool:
    return looks.again(1000, Labels(before, was_due), Labels(now, due), min_rows=100)


def test_a_look_is_worth_it_when_enough_labels_are_new() -> None:
    assert not again(300, 300)
    assert not again(300, 340), "four in a hundred change nothing"
    assert not again(300, 440), "the same quarter"
    assert again(300, 500), "the next quarter"
    assert again(80, 140), "it could not be judged before"
    assert again(800, 960), "complete"
    assert again(800, 900, due=True), "no more will come by the delay"
    assert not again(800, 900, was_due=True, due=True)
    assert not looks.again(0, Labels(0, False), Labels(0, True), 100)


def test_no_window_is_looked_at_more_often_than_its_chances_say() -> None:
    count, last = 1, Labels(0, False)
    for known in range(0, 1001, 7):
        now = Labels(known, known > 900)
        if looks.again(1000, last, now, min_rows=100):
            count, last = count + 1, now
    assert 4 <= count <= looks.MOST + 1


def test_labels_that_were_all_there_are_looked_at_once() -> None:
    assert looks.often(1000, 990, earlier=0) == 1
    assert looks.often(1000, 940, earlier=0) == 2, "one more may come"
    assert looks.often(1000, 500, earlier=0) == looks.MOST
    assert looks.often(1000, 990, earlier=1) == 2
    assert looks.often(0, 0, earlier=0) == 1


@pytest.mark.parametrize("seed", range(20))
def test_a_window_is_never_looked_at_more_often_than_was_answered_for(seed: int) -> None:
    """The bound behind the budget: all looks together spend no more than one chance."""
    draw, rows = np.random.default_rng(seed), 1000
    known, spent, done = 0, 0.0, 0
    was = looks.Labels(0, due=False)
    arrivals = np.sort(draw.integers(0, rows + 1, 60))
    for known in (0, *arrivals.tolist()):
        now = looks.Labels(known, due=bool(known > 900))
        if done == 0 or looks.again(rows, was, now, 100):
            spent += 1 / looks.often(rows, known, done)
            was, done = now, done + 1
    assert done <= looks.MOST
    assert spent <= 1 + 1e-9


def found(signal: str, status: str = "ok") -> Finding:
    return Finding(signal=signal, statistic="s", status=status)  # type: ignore[arg-type]


def window(sha: str, *findings: Finding, at: int | None = None, labelled: int = 0) -> Observation:
    moved = tuple(f for f in findings if f.status == "moved")
    return Observation(
        model="m", version=1, sha256=sha, partition=sha, rows=10, findings=findings,
        alarm=tuple(Alarm(signal=f.signal, findings=(f.name,), since=sha) for f in moved),
        labelled=labelled, labels_at=at,
    )  # fmt: skip


def test_a_window_is_known_best_by_its_last_look() -> None:
    first = window("a", found("data", "moved"), found("performance"), labelled=2)
    later = window("a", found("performance", "moved"), at=7, labelled=9)
    merged = looks.merged([first, window("b", found("data")), later])
    assert [w.sha256 for w in merged] == ["a", "b"]
    assert [(f.signal, f.status) for f in merged[0].findings] == [
        ("data", "moved"), ("performance", "moved"),
    ]  # fmt: skip
    assert [alarm.signal for alarm in merged[0].alarm] == ["data", "performance"]
    assert (merged[0].labelled, merged[0].labels_at) == (9, 7)
