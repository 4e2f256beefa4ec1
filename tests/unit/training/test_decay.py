"""Where the cuts fall, and what a curve of losses means."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from trimtab.errors import NotReadyError
from trimtab.training import decay
from trimtab.training.decay import Decay, Walk
from trimtab.training.split import Rows

DAY = np.timedelta64(1, "D")
NONE = np.timedelta64(0, "D")


def times(weeks: int, per_week: int = 70) -> np.ndarray:
    start = np.datetime64("2026-01-01", "us")
    step = np.timedelta64(7 * 86_400 * 1_000_000 // per_week, "us")
    return start + step * np.arange(weeks * per_week)


def planned(weeks: int, delay: np.timedelta64 = NONE) -> tuple[np.ndarray, Walk]:
    when = times(weeks)
    return when, decay.plan(when, delay=delay, least_rows=10, seed=0)


@pytest.mark.parametrize("weeks", [9, 26, 200])
def test_every_fit_has_as_many_rows_all_older_than_what_it_is_scored_on(weeks: int) -> None:
    when, walk = planned(weeks)
    assert len(walk.fit) <= decay.FITS
    assert len({len(rows) for rows in walk.fit}) == 1
    for i, rows in enumerate(walk.fit):
        for stretch in walk.scored[i:]:
            assert when[rows].max() < when[stretch].min()
        assert when[walk.scored[i]].max() - when[walk.scored[i]].min() <= walk.weeks * 7 * DAY
    assert when[walk.scored[-1]].max() == when.max()


def test_rows_whose_label_was_not_known_are_not_learnt_from() -> None:
    when, walk = planned(26, delay=10 * DAY)
    for rows, stretch in zip(walk.fit, walk.scored, strict=True):
        assert when[stretch].min() - when[rows].max() >= 10 * DAY


def test_too_short_or_too_few() -> None:
    with pytest.raises(NotReadyError, match="3 weeks after the oldest third"):
        planned(5)
    with pytest.raises(NotReadyError, match="rows are known before the first cut"):
        decay.plan(times(26), delay=NONE, least_rows=5_000, seed=0)
    with pytest.raises(NotReadyError, match="0 weeks"):
        decay.plan(times(0), delay=NONE, least_rows=5, seed=0)


def scorer(walk: Walk, loss: Callable[[int], float], season: bool) -> decay.Score:
    """A score that depends on the stretch (season) and on the age."""
    firsts = [rows[0] for rows in walk.scored]

    def score(rows: Rows, stretches: Sequence[Rows]) -> list[float]:
        numbers = [firsts.index(stretch[0]) for stretch in stretches]
        begin = len(firsts) - len(stretches)
        hard = [0.3 * (n % 2) if season else 0.0 for n in numbers]
        return [0.9 - h - loss(n - begin) for h, n in zip(hard, numbers, strict=True)]

    return score


def test_a_season_is_no_decay() -> None:
    _, walk = planned(26)
    flat = decay.measure(walk, scorer(walk, lambda age: 0.0, season=True), lambda i, of: None)
    assert np.allclose(flat.losses, 0)
    assert len(set(np.round(flat.scores, 9))) == 1
    assert decay.oldest_within(flat, 0.005) is None
    falls = decay.measure(walk, scorer(walk, lambda age: 0.01 * age, True), lambda i, of: None)
    assert np.allclose(falls.losses, 0.01 * np.arange(len(falls.losses)))
    assert decay.oldest_within(falls, 0.025) == 3 * walk.weeks


def test_stretches_without_a_score_are_left_out() -> None:
    _, walk = planned(26)
    with pytest.raises(NotReadyError, match="0 of 8 stretches"):
        decay.measure(walk, lambda rows, them: [float("nan")] * len(them), lambda i, of: None)


@pytest.mark.parametrize(
    ("losses", "limit"),
    [
        ((0.0, 0.001, 0.002, 0.001), None),
        ((0.0, 0.001, 0.02, 0.001), None),  # one bad stretch
        ((0.0, 0.001, 0.02, 0.03), 2),
        ((0.0, 0.001, 0.002, 0.03), 3),  # the oldest that was measured
        ((0.0, 0.02, 0.03, 0.04), 1),
    ],
)
def test_the_limit_is_the_last_age_inside_the_margin(
    losses: tuple[float, ...], limit: int | None
) -> None:
    curve = Decay((1, 2, 3, 4), losses, losses, (0.0, 0.001, 0.001, 0.001))
    assert decay.oldest_within(curve, 0.005) == limit


def test_a_loss_inside_its_own_error_does_not_count() -> None:
    curve = Decay((1, 2, 3, 4), (0,) * 4, (0.0, 0.02, 0.03, 0.04), (0.0, 0.05, 0.05, 0.05))
    assert decay.oldest_within(curve, 0.005) is None
