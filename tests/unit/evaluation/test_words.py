"""How searches and rules are told on pages that people read."""

import math

import pytest

from trimtab.evaluation import words


@pytest.mark.parametrize(
    ("trials", "gain", "text"),
    [
        (12, 0.0043, "12 trials brought +0.0043 ROC AUC over the best defaults"),
        (1, 0.0, "1 trial brought 0 ROC AUC over the best defaults"),
        (4, None, "4 trials"),
        (4, math.nan, "4 trials"),
    ],
)
def test_the_search_is_told_in_words(trials: int, gain: float | None, text: str) -> None:
    assert words.search(trials, gain, "roc_auc") == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("threshold", "Absolute threshold"),
        ("fairness", "Groups compared"),
        ("fairness_home_town_demographic_parity", "Groups of home_town get alike answers"),
        ("fairness_sex_equalized_odds", "Groups of sex get alike hits and false alarms"),
        ("fairness_error_error", "Groups of error get alike errors"),
        ("behaviour_signal_raises", "Behaves: signal raises"),
        ("a_rule_of_tomorrow", "a rule of tomorrow"),
    ],
)
def test_a_rule_is_named_with_its_column_or_test(name: str, text: str) -> None:
    assert words.rule(name) == text
