import numpy as np
import pytest

from trimtab.monitoring import attribution

DAY = 86_400.0


def contributions(rows: int, seed: int, scale: tuple[float, ...] = (4.0, 2.0, 1.0)) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return np.abs(draw.normal(size=(rows, len(scale))) * np.asarray(scale))


def chances(values: np.ndarray, *, seconds: float | None = DAY) -> dict[str, float]:
    before = attribution.basis(
        contributions(3000, 0), ("a", "b", "c"), seconds=60 * DAY, method="x"
    )
    found = attribution.compare(before, values, seconds=seconds, top=("a", "b", "c"), min_rows=50)
    return {f.column or f.statistic: f.p_value if f.p_value is not None else -1.0 for f in found}


def test_ndcg_is_one_for_the_same_order_and_less_when_it_turns() -> None:
    then = np.array([0.6, 0.3, 0.1])
    assert attribution.ndcg(then, then) == 1.0
    turned = attribution.ndcg(then, np.array([0.1, 0.3, 0.6]))
    gain = 0.1 / 1 + 0.3 / np.log2(3) + 0.6 / 2
    best = 0.6 / 1 + 0.3 / np.log2(3) + 0.1 / 2
    assert turned == pytest.approx(gain / best)


@pytest.mark.parametrize("seconds", [DAY, None])
def test_chances_without_a_change_are_as_rare_as_they_say(seconds: float | None) -> None:
    seen = [chances(contributions(500, 1 + i), seconds=seconds)["b"] for i in range(200)]
    assert np.mean(np.asarray(seen) < 0.05) <= 0.09
    assert np.mean(np.asarray(seen) < 0.005) <= 0.02


def test_a_feature_that_takes_over_is_found() -> None:
    found = chances(contributions(500, 1, (4.0, 5.0, 1.0)))
    assert found["b"] < 1e-9
    assert found["ndcg"] < 1e-8


def test_season_between_runs_of_the_reference_widens_the_error() -> None:
    draw = np.random.default_rng(2)
    season = np.repeat(draw.uniform(1, 4, 60), 50)
    values = contributions(3000, 3)
    values[:, 1] *= season
    before = attribution.basis(values, ("a", "b", "c"), seconds=60 * DAY, method="x")
    window = contributions(500, 4)
    window[:, 1] *= 4
    told = attribution.compare(before, window, seconds=DAY, top=("b",), min_rows=50)
    flat = chances(window)
    assert (told[1].p_value or 0) > 1e-4 > flat["b"]


def test_few_rows_and_silent_models_are_not_judged() -> None:
    before = attribution.basis(contributions(200, 0), ("a", "b", "c"), seconds=None, method="x")
    [few] = attribution.compare(before, contributions(10, 1), seconds=None, top=(), min_rows=50)
    assert few.status == "not_enough_data"
    [flat] = attribution.compare(before, np.zeros((99, 3)), seconds=None, top=(), min_rows=50)
    assert flat.status == "not_computable"
