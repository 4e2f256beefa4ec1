"""The leak rule: a planted leak is named, an honest strong feature passes, trust is said."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from trimtab.evaluation import leaks
from trimtab.types import ROLE, TARGET, FeatureSet, Rule

N = 3000
TASKS = ("binary", "multiclass", "regression")


def table(task: str, n: int = N) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    signal = rng.normal(size=n)
    y: Any = {
        "binary": (signal > 1).astype(np.int8),
        "multiclass": np.where(signal < -0.5, "low", np.where(signal < 0.5, "mid", "top")),
        "regression": signal,
    }[task]
    code = y if task == "regression" else np.unique(y, return_inverse=True)[1].astype(float)
    return pl.DataFrame(
        {
            "honest": signal + rng.normal(0, 0.2, n),
            "noise": rng.normal(size=n),
            "row": [f"r{i}" for i in range(n)],
            "outcome": code + rng.normal(0, 0.01, n),
            TARGET: y,
            ROLE: np.where(np.arange(n) < n * 0.8, "train", "holdout"),
        }
    )


def judged(
    lake: Path, rows: pl.DataFrame, task: Any, *trusted: str, leak: bool = True, **more: Any
) -> Rule:
    rows.write_parquet(lake / "set.parquet")
    told: dict[str, Any] = {
        "numeric": ("honest", "noise", *(["outcome"] if leak else [])),
        "textual": ("row",),
        **more,
    }
    features = FeatureSet(
        model="m", key="k", uri="set.parquet", task=task, train_rows=0, holdout_rows=0, **told
    )
    return leaks.rule(lake, features, trusted)


@pytest.mark.parametrize("task", TASKS)
def test_a_planted_leak_is_refused_by_name(tmp_path: Path, task: str) -> None:
    rule = judged(tmp_path, table(task), task)
    assert not rule.passed
    assert rule.decides == "reject"
    assert "Leak suspected: outcome (" in rule.reason
    assert not any(name in rule.reason for name in ("honest", "noise", "row ("))
    assert rule.value is not None
    assert rule.limit is not None
    assert rule.value >= rule.limit


@pytest.mark.parametrize("task", TASKS)
def test_a_strong_honest_feature_passes(tmp_path: Path, task: str) -> None:
    rule = judged(tmp_path, table(task), task, leak=False)
    assert rule.passed
    assert "the strongest is honest with 0." in rule.reason
    assert rule.value is not None
    assert rule.value > 0.7


def test_a_trusted_feature_passes_and_it_is_said(tmp_path: Path) -> None:
    rule = judged(tmp_path, table("binary"), "binary", "outcome")
    assert rule.passed
    assert "Trusted by the model file" in rule.reason
    assert "outcome (" in rule.reason
    second = table("binary").with_columns(twice=pl.col("outcome") * 2)
    other = judged(tmp_path, second, "binary", "outcome", numeric=("outcome", "twice"))
    assert not other.passed
    assert "Leak suspected: twice (" in other.reason


def test_a_leak_among_few_positives_is_found(tmp_path: Path) -> None:
    many = table("binary", 60_000)
    rare = pl.concat([many.filter(pl.col(TARGET) == 0), many.filter(pl.col(TARGET) == 1)[:40]])
    assert "outcome (" in judged(tmp_path, rare, "binary").reason
    assert judged(tmp_path, rare, "binary", leak=False).passed


def test_groups_that_are_kept_together_cannot_be_memorised(tmp_path: Path) -> None:
    group = np.arange(N) % 60
    label = np.random.default_rng(1).permutation(np.arange(60) % 2)[group].astype(np.int8)
    rows = table("binary").with_columns(
        pl.Series(TARGET, label), pl.Series("who", [f"g{g}" for g in group])
    )
    told = {"categorical": ("who",), "numeric": ("noise",)}
    assert not judged(tmp_path, rows, "binary", **told).passed  # rows of one group on both sides
    assert judged(tmp_path, rows, "binary", group="who", **told).passed


def test_too_few_rows_hold(tmp_path: Path) -> None:
    for task in TASKS:
        rule = judged(tmp_path, table(task, 30), task)
        assert (rule.passed, rule.decides) == (False, "hold")
        assert "Too few rows" in rule.reason


def test_a_score_that_is_no_number_never_passes() -> None:
    assert not leaks.judged({"x": float("nan")}, "binary", (), 100).passed
