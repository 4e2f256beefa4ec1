"""How the search is told on the model card."""

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
