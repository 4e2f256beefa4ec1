"""Gaps between groups: Fairlearn's numbers, from counts; refused when chance does not explain them."""

from typing import Any

import fairlearn.metrics as fl
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_absolute_error, zero_one_loss

from trimtab.config.model import Fairness
from trimtab.evaluation import bootstrap, fairness
from trimtab.evaluation.case import Answers
from trimtab.evaluation.rates import rates, widest

N = 3000


def plan(rows: int, seed: str = "s", resamples: int = 200) -> bootstrap.Resampling:
    return bootstrap.plan(rows, None, resamples=resamples, confidence=0.95, seed=seed)


def people(n: int = N, seed: int = 0, groups: int = 3, shift: float = 0.0) -> tuple[Any, ...]:
    """Labels, scores and groups; the last group's scores are ``shift`` lower."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, n)
    y = (rng.random(n) < 0.4).astype(float)
    score = y + rng.normal(0, 1, n) - shift * (group == groups - 1)
    return y, 1 / (1 + np.exp(-(score - 0.5))), group


def test_binary_rates_are_fairlearns() -> None:
    y, p, group = people(shift=0.5)
    said = (p >= 0.5).astype(int)
    found = rates("binary", y, Answers(p, None), group, plan(N))
    gaps = {name: max(each.gap for each in of) for name, of in found.items()}
    given = {"y_true": y, "y_pred": said, "sensitive_features": group}
    assert gaps["demographic_parity"] == pytest.approx(fl.demographic_parity_difference(**given))
    assert gaps["equalized_odds"] == pytest.approx(fl.equalized_odds_difference(**given))
    errors = fl.MetricFrame(metrics=zero_one_loss, **given)
    assert gaps["error"] == pytest.approx(errors.difference())
    assert found["error"][0].value == pytest.approx(errors.by_group.to_numpy())


def test_rates_of_several_classes_are_those_of_one_against_the_rest() -> None:
    rng = np.random.default_rng(1)
    classes, group = ["oak", "fern", "moss"], rng.integers(0, 4, N)
    y = rng.choice(classes, N).astype(object)
    chances = rng.dirichlet([1, 1, 1], N)
    said = np.asarray(classes)[chances.argmax(axis=1)]
    found = rates("multiclass", y, Answers(chances, classes), group, plan(N))
    for i, name in enumerate(classes):
        given = {"y_true": y == name, "y_pred": said == name, "sensitive_features": group}
        odds = max(each.gap for each in found["equalized_odds"][2 * i : 2 * i + 2])
        assert odds == pytest.approx(fl.equalized_odds_difference(**given))
        parity = found["demographic_parity"][i].gap
        assert parity == pytest.approx(fl.demographic_parity_difference(**given))


def test_a_regression_has_its_absolute_error() -> None:
    rng = np.random.default_rng(2)
    y, group = rng.normal(size=N), rng.integers(0, 3, N)
    prediction = y + rng.normal(0, 1 + group, N)
    found = rates("regression", y, Answers(prediction, None), group, plan(N))
    theirs = fl.MetricFrame(
        metrics=mean_absolute_error, y_true=y, y_pred=prediction, sensitive_features=group
    )
    assert set(found) == {"error"}
    assert found["error"][0].gap == pytest.approx(theirs.difference())


def test_resamples_vary_as_fairlearns_do() -> None:
    y, p, group = people(600, shift=0.5)
    ours = rates("binary", y, Answers(p, None), group, plan(600))["demographic_parity"][0]
    theirs = fl.MetricFrame(
        metrics=fl.selection_rate,
        y_true=y,
        y_pred=(p >= 0.5).astype(int),
        sensitive_features=group,
        n_boot=60,
        ci_quantiles=[0.16, 0.84],
        random_state=0,
    )
    low, high = (each.to_numpy() for each in theirs.by_group_ci)
    spread = np.quantile(ours.draws, 0.84, axis=0) - np.quantile(ours.draws, 0.16, axis=0)
    assert spread == pytest.approx(high - low, rel=0.4)


def test_equal_groups_are_rarely_told_apart_and_unequal_ones_mostly() -> None:
    """The interval of the largest of 15 differences; a plain percentile one begins above 0 always."""
    alarms, found, plain = 0, 0, 0
    for seed in range(60):
        y, p, group = people(1200, seed, groups=6)
        each = rates("binary", y, Answers(p, None), group, plan(1200, str(seed)))
        interval, worst = widest(each["demographic_parity"], 0.95)
        alarms += interval.low > 0
        plain += np.quantile(np.ptp(worst.draws, axis=1), 0.025) > 0
        y, p, group = people(1200, seed, groups=6, shift=0.8)
        each = rates("binary", y, Answers(p, None), group, plan(1200, str(seed)))
        found += widest(each["demographic_parity"], 0.95)[0].low > 0
    assert alarms <= 7  # 3 are expected
    assert found >= 54
    assert plain == 60


def judged(new_case: Any, spec: dict[str, Any], y: Any, p: Any, column: Any) -> list[Any]:
    case = new_case(pd.DataFrame({"who": column}), y, {"fairness": {"columns": ["who"], **spec}})
    limits = case.gate.fairness
    assert isinstance(limits, Fairness)
    return fairness.measure(case, limits, Answers(p, None), plan(len(y)))


def test_a_planted_bias_is_refused_with_its_groups(new_case: Any) -> None:
    y, p, group = people(shift=1.0)
    names = np.array(["ann", "bob", "cleo"])[group]
    found = judged(new_case, {"demographic_parity": 0.1}, y, p, names)
    told = fairness.rule(found[0], N)
    assert (told.passed, told.decides) == (False, "reject")
    assert told.name == "fairness_who_demographic_parity"
    assert "cleo 0." in told.reason
    assert "0.1 is allowed (gate.fairness.demographic_parity)" in told.reason
    assert found[0].gap.interval[0] > 0.1
    assert set(found[0].gap.groups) == {"ann", "bob", "cleo"}
    assert fairness.rule(judged(new_case, {"error": 0.9}, y, p, names)[2], N).passed


def test_a_gap_that_may_be_chance_holds_and_says_how_many_rows_would_tell(new_case: Any) -> None:
    y, p, group = people(600, shift=0.3)
    found = judged(new_case, {"demographic_parity": 0.05}, y, p, group)[0]
    assert found.gap.interval[0] <= 0.05 < found.gap.gap
    told = fairness.rule(found, 600)
    assert (told.passed, told.decides) == (False, "hold")
    assert "more labelled rows would decide it" in told.reason


def test_small_groups_are_named_and_not_judged(new_case: Any) -> None:
    y, p, group = people()
    names = np.array(["ann", "bob", "cleo"])[group].astype(object)
    names[:40] = "rare"
    names[40:240] = None
    found = judged(new_case, {"error": 0.5, "min_rows": 100}, y, p, names)[2].gap
    assert found.skipped == {"rare": 40}
    assert found.rows["(missing)"] == 200


def test_odds_need_rows_of_both_labels(new_case: Any) -> None:
    y, p, group = people()
    y[group == 2] = 0.0
    y[np.flatnonzero(group == 2)[:5]] = 1.0  # five positives say nothing of a rate
    found = {f.gap.measure: f.gap for f in judged(new_case, {"equalized_odds": 0.5}, y, p, group)}
    assert "2" in found["equalized_odds"].skipped
    assert "2" in found["demographic_parity"].groups


def test_one_group_alone_holds(new_case: Any) -> None:
    y, p, _ = people()
    found = judged(new_case, {"error": 0.1}, y, p, np.full(N, "all"))
    told = fairness.rule(found[2], N)
    assert (told.passed, told.decides) == (False, "hold")
    assert "Fewer than two groups of who" in told.reason
    assert found[0].gap.passed  # no limit is set for it


def test_a_protected_column_that_the_rows_lack_is_an_error(new_case: Any) -> None:
    y, p, group = people()
    case = new_case(pd.DataFrame({"who": group}), y, {"fairness": {"columns": ["age"]}})
    with pytest.raises(KeyError, match="age"):
        fairness.measure(case, case.gate.fairness, Answers(p, None), plan(N))
