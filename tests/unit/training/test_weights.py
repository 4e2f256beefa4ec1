"""Weights: the user's column, classes alike, both; and refused when they are none."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from trimtab.config.model import Train
from trimtab.errors import DataError
from trimtab.training import weights
from trimtab.training.split import Data

ALL = np.arange(6)


def data(weight: Any = None, y: Any = (0, 0, 0, 0, 1, 1)) -> Data:
    made = None if weight is None else np.asarray(weight, dtype=float)
    return Data(pd.DataFrame({"x": ALL}), np.asarray(y), weight=made)


def test_all_count_alike_by_default() -> None:
    assert weights.total(Train(), data([1, 2, 3, 4, 5, 6]), ALL) is None
    assert weights.total(Train(weight="w"), data(), ALL) is None


def test_the_users_weights_are_one_on_average() -> None:
    found = weights.total(Train(weight="w"), data([0, 1, 1, 2, 2, 6]), ALL)
    assert found is not None
    assert found.tolist() == [0, 0.5, 0.5, 1, 1, 3]
    some = weights.total(Train(weight="w"), data([0, 1, 1, 2, 2, 6]), ALL[3:])
    assert some is not None
    assert some.mean() == pytest.approx(1)


@pytest.mark.parametrize("weight", [None, [0, 1, 1, 2, 2, 6]])
def test_balance_gives_every_class_one_sum(weight: Any) -> None:
    train = Train(balance=True, weight="w" if weight else None)
    found = weights.total(train, data(weight), ALL)
    assert found is not None
    assert found[:4].sum() == pytest.approx(found[4:].sum())
    assert found.mean() == pytest.approx(1)
    if weight:
        assert found[5] == pytest.approx(3 * found[4])


def test_a_class_without_weight_stays_without() -> None:
    found = weights.total(Train(balance=True, weight="w"), data([1, 1, 1, 1, 0, 0]), ALL)
    assert found is not None
    assert found[4:].tolist() == [0, 0]


@pytest.mark.parametrize("bad", [np.nan, -1, np.inf])
def test_a_weight_that_is_none_is_named(bad: float) -> None:
    with pytest.raises(DataError, match=r"column w must hold numbers .* 1 of 6 are not"):
        weights.total(Train(weight="w"), data([bad, 1, 1, 1, 1, 1]), ALL)


def test_nothing_but_zeros() -> None:
    with pytest.raises(DataError, match="all are zero"):
        weights.total(Train(weight="w"), data(np.zeros(6)), ALL)
