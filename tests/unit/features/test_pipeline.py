"""Preprocessing: times become the clock, unknown and missing values never stop a prediction."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io

from trimtab.config.model import Task
from trimtab.features.categories import Categories, Style
from trimtab.features.pipeline import DateParts, origins, preprocessor
from trimtab.features.text import TextParts
from trimtab.trusted import ALLOWED_TYPES

TIMES = pd.to_datetime(["2026-01-05T13:45:00Z", None], utc=True)


def test_date_parts_are_hour_weekday_and_minute() -> None:
    parts = DateParts().fit(pd.DataFrame({"at": TIMES}))
    out = parts.transform(pd.DataFrame({"at": TIMES}))
    assert out[0].tolist() == [13, 0, 13 * 60 + 45]
    assert np.isnan(out[1]).all()
    assert parts.get_feature_names_out().tolist() == ["at_hour", "at_weekday", "at_minute_of_day"]


def test_date_parts_know_no_calendar() -> None:
    later = pd.DataFrame({"at": TIMES[:1] + pd.Timedelta(weeks=60)})
    parts = DateParts().fit(pd.DataFrame({"at": TIMES[:1]}))
    assert np.array_equal(parts.transform(later), parts.transform(pd.DataFrame({"at": TIMES[:1]})))


@pytest.mark.parametrize("style", ["linear", "tree"])
def test_unknown_and_missing_values_pass(style: Style) -> None:
    frame = pd.DataFrame({"n": [1.0, None] * 30, "c": ["a", None] * 30, "at": list(TIMES) * 30})
    step = preprocessor(["n"], ["c"], ["at"], style=style).fit(frame)
    new = pd.DataFrame({"n": [None], "c": ["never seen"], "at": TIMES[:1]}).astype({"n": float})
    out = step.transform(new)
    out = out.toarray() if hasattr(out, "toarray") else out
    assert out.shape[0] == 1
    assert np.isnan(out).any() == (style == "tree")  # trees take missing numbers as they are
    if style == "tree":
        assert out[0, 1] == -1


N = 300
KINDS = {
    "numeric": ["n", "no_number", "one"],
    "categorical": ["c", "many", "no_value", "one_value"],
    "temporal": ["t", "no_time"],
    "textual": ["words", "no_text", "empty"],
}


def table() -> pd.DataFrame:
    """Every kind of column, and of every kind one that is empty and one that never changes."""
    rng = np.random.default_rng(0)
    nothing = pd.Series([None] * N, dtype="str")
    return pd.DataFrame(
        {
            "n": rng.normal(size=N),
            "no_number": np.nan,
            "one": 1.0,
            "c": pd.Series(rng.choice(["a", "b"], N), dtype="str"),
            "many": pd.Series([f"v{i % 150}" for i in range(N)], dtype="str").where(
                pd.Series(rng.random(N) > 0.1)
            ),
            "no_value": nothing,
            "one_value": pd.Series(["x"] * N, dtype="str"),
            "t": pd.date_range("2026-01-01", periods=N, freq="h", tz="UTC"),
            "no_time": pd.Series([pd.NaT] * N).dt.tz_localize("UTC"),
            "words": pd.Series(rng.choice(["big red dog", "small cat", "fish"], N), dtype="str"),
            "no_text": nothing,
            "empty": pd.Series([""] * N, dtype="str"),
        }
    )


TARGETS: dict[str, tuple[Task, Any]] = {
    "binary": ("binary", np.arange(N) % 2),
    "one class": ("binary", np.zeros(N, dtype=int)),
    "multiclass": ("multiclass", np.array(["x", "y", "z"])[np.arange(N) % 3]),
    "two classes": ("multiclass", np.array(["x", "y"])[np.arange(N) % 2]),
    "whole numbers": ("regression", np.arange(N) % 5.0),
}


def dense(made: Any) -> np.ndarray:
    return made.toarray() if hasattr(made, "toarray") else made


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("style", ["linear", "tree"])
def test_odd_columns_work_and_every_number_has_its_origin(style: Style, target: str) -> None:
    (task, y), rows = TARGETS[target], table()
    step = preprocessor(**KINDS, style=style, task=task, seed=1)
    made = step.fit_transform(rows, y)
    names, raw = step.get_feature_names_out(), origins(step)
    assert len(names) == len(raw) == made.shape[1] == len(set(names))
    assert set(raw) == set(rows.columns)
    for name, column in zip(names, raw, strict=True):
        assert name.removeprefix("missingindicator_").startswith(column)
    assert style == "linear" or isinstance(made, np.ndarray)
    assert np.isnan(dense(made)).any() == (style == "tree")
    back = loads(skops.io.dumps(step))
    assert np.array_equal(dense(back.transform(rows)), dense(step.transform(rows)), equal_nan=True)
    again = preprocessor(**KINDS, style=style, task=task, seed=1).fit_transform(rows, y)
    assert np.array_equal(dense(again), dense(made), equal_nan=True)
    new = rows.head(3).assign(many="never seen", c="neither", words="of other words")
    assert step.transform(new).shape == (3, made.shape[1])


def loads(data: bytes) -> Any:
    types = skops.io.get_untrusted_types(data=data)
    assert set(types) <= set(ALLOWED_TYPES)
    return skops.io.loads(data, trusted=types)


def test_many_categories_become_what_the_target_did(shapes: Any) -> None:
    rows = shapes.tickets(2000).to_pandas().astype({"customer": "str"})
    y = rows["team"].to_numpy().astype(str)
    step = Categories("tree", "multiclass").fit(rows[["channel", "customer"]].iloc[:1500], y[:1500])
    assert (step.few_, step.many_) == (["channel"], ["customer"])
    names = step.get_feature_names_out().tolist()
    assert names == ["channel", *(f"customer_{team}" for team in shapes.TEAMS)]
    made = step.transform(rows[["channel", "customer"]].iloc[1500:])
    guess = np.array(shapes.TEAMS)[made[:, 1:].argmax(axis=1)]
    assert (guess == y[1500:]).mean() > 0.6  # customers have a usual team; a guess has 1 in 3


def test_no_row_sees_its_own_label() -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"id": pd.Series(np.arange(400) // 2, dtype="str")})
    y = rng.integers(0, 2, 400)
    learnt = Categories("tree", "binary").fit_transform(rows, y)[:, 0]
    assert abs(np.corrcoef(learnt, y)[0, 1]) < 0.2
    naive = Categories("tree", "binary").fit(rows, y).transform(rows)[:, 0]
    assert np.corrcoef(naive, y)[0, 1] > 0.6  # what it would be without cross-fitting


def test_text_counts_words_and_trees_see_themes() -> None:
    rows = pd.DataFrame({"s": ["invoice wrong", "no connection", None, "invoice late"] * 20})
    words = TextParts().fit_transform(rows).toarray()
    assert words.shape == (80, 4096)
    assert not words[2].any()
    alike = words @ words.T
    assert alike[0, 3] > 0
    assert alike[0, 1] == 0
    themes = TextParts(themes=2).fit(rows)
    assert themes.transform(rows).shape == (80, 2)
    assert themes.get_feature_names_out().tolist() == ["s_theme_0", "s_theme_1"]
