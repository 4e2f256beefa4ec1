"""Folds and the validation part: by time they look forward, groups and moments stay whole."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.training import split
from trimtab.training.split import Data


def data(n: int, *, time: Any = None, group: Any = None) -> Data:
    moments = None if time is None else np.asarray(time).astype("datetime64[h]")
    return Data(
        pd.DataFrame({"x": np.arange(n)}),
        np.zeros(n),
        moments,
        None if group is None else np.asarray(group),
    )


@given(st.lists(st.integers(0, 12), min_size=2, max_size=60), st.integers(1, 6))
def test_by_time_every_fold_looks_forward_and_they_expand(hours: list[int], count: int) -> None:
    made = data(len(hours), time=hours)
    assert made.time is not None
    before: set[int] = set()
    for fitted, judged in split.folds(made, count, 0):
        assert made.time[fitted].max() < made.time[judged].min()
        assert before <= set(fitted.tolist())
        before = set(fitted.tolist()) | set(judged.tolist())
    fitted, judged = split.validation_tail(made, 0.2, 0)
    assert sorted([*fitted, *judged]) == list(range(len(hours)))
    if len(set(hours)) > 1 and len(fitted):
        assert made.time[fitted].max() < made.time[judged].min()


@given(st.lists(st.integers(0, 9), min_size=2, max_size=60), st.integers(2, 6), st.integers(0, 9))
def test_by_group_no_group_is_on_both_sides(group: list[int], count: int, seed: int) -> None:
    made, names = data(len(group), group=group), np.asarray(group)
    judged_rows: list[int] = []
    for fitted, judged in split.folds(made, count, seed):
        assert not set(names[fitted]) & set(names[judged])
        judged_rows += judged.tolist()
    assert len(judged_rows) == len(set(judged_rows))
    if len(set(group)) > 1:
        fitted, judged = split.validation_tail(made, 0.2, seed)
        assert len(fitted) == 0 or not set(names[fitted]) & set(names[judged])


def test_at_random_every_row_is_judged_once_and_the_seed_decides() -> None:
    one, two, other = (split.folds(data(100), 4, seed) for seed in (3, 3, 4))
    assert sorted(np.concatenate([judged for _, judged in one]).tolist()) == list(range(100))
    assert [len(judged) for _, judged in one] == [25] * 4
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(one, two, strict=True))
    assert not np.array_equal(one[0][1], other[0][1])


def test_folds_of_some_rows_are_positions_in_all() -> None:
    rows = np.arange(50, 100)
    for fitted, judged in split.folds(data(100), 5, 0, rows):
        assert sorted([*fitted, *judged]) == rows.tolist()


def test_one_moment_or_group_gives_no_fold() -> None:
    assert split.folds(data(9, time=np.ones(9)), 3, 0) == []
    assert split.folds(data(9, group=np.ones(9)), 3, 0) == []
    for made in (data(10, time=np.ones(10)), data(10, group=np.ones(10))):
        fitted, judged = split.validation_tail(made, 0.2, 0)
        assert (len(fitted), len(judged)) == (8, 2)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_groups_make_up_the_share(share: float) -> None:
    made = data(1000, group=np.arange(1000) // 10)
    assert len(split.validation_tail(made, share, 1)[1]) == pytest.approx(1000 * share, abs=10)
