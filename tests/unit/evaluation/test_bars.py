"""Bars of importance on the pages: one axis with zero on it, costs where they are known."""

import pytest

from trimtab.evaluation import pages
from trimtab.evaluation.bars import MOST, WIDTH, Bars
from trimtab.types import ColumnImportance, FeatureCost, Importance


def importance(means: list[float], cost: FeatureCost | None = None) -> Importance:
    columns = tuple(
        ColumnImportance(
            column=f"f<{i}>", permutation=mean, spread=0.1, useless=mean < 0.2, cost=cost
        )
        for i, mean in enumerate(means)
    )
    return Importance(
        model="m", metric="roc_auc", rows=2000, repeats=10, columns=columns, shap_method="why not"
    )


def drawn(worth: Importance) -> str:
    text = "{% import 'parts.html.j2' as parts with context %}{{ parts.worth_section(worth) }}"
    return pages._templates().from_string(text).render(worth=Bars.of(worth))


def test_bars_begin_at_zero_and_end_at_the_mean() -> None:
    bars = Bars.of(importance([0.9, 0.0, -0.1]))
    assert bars.zero == pytest.approx(WIDTH * 0.2 / 1.2, abs=0.1)
    first, _, last = bars.bars
    assert (first.left, first.high) == (bars.zero, WIDTH)
    assert first.left + first.length == pytest.approx(WIDTH * 1.1 / 1.2, abs=0.2)
    assert last.left + last.length == pytest.approx(bars.zero, abs=0.1)
    assert last.low == 0.0


def test_nothing_measured_is_no_bar() -> None:
    bars = Bars.of(importance([float("nan"), float("nan")]))
    assert [bar.length for bar in bars.bars] == [0.0, 0.0]


def test_the_page_says_what_is_useless_left_out_and_why_there_is_no_shap() -> None:
    page = drawn(importance([1.0] * (MOST + 2) + [0.0]))
    assert "3 more, all worth less" in page
    assert f"1 of {MOST + 3} features could probably go: f&lt;{MOST + 2}&gt;" in page
    assert "SHAP: none, why not" in page
    assert "Missing" not in page


def test_costs_are_shown_when_they_are_known() -> None:
    page = drawn(importance([1.0], FeatureCost(seconds=0.25, null_rate=0.125, bytes=1_230_000)))
    for told in ("12.5 %", "0.25", "1.23 MB"):
        assert told in page
