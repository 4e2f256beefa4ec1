"""Preprocessing: times become the clock, unknown and missing values never stop a prediction."""

import numpy as np
import pandas as pd
import pytest

from trimtab.features.pipeline import DateParts, Style, preprocessor

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
