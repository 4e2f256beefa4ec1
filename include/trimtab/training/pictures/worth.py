"""What features are worth: bars of permutation importance, and every SHAP value as a dot."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from trimtab.training.pictures.canvas import (
    CLASSES,
    FAINT,
    INK,
    LINE,
    MAIN,
    OTHER,
    dress,
    legend,
    png,
    sheet,
    short,
)
from trimtab.training.shapley import Contributions
from trimtab.types import Importance

_MOST_BARS, _MOST_SWARMS = 40, 20
_DOTS = 800  # of one column
_CELLS, _HIGH = 90, 0.4  # columns of dots across the picture; half the height of a row


def bars(worth: Importance, metric: str) -> bytes:
    """Bars of permutation importance with their spread; useless features in grey."""
    shown = worth.columns[:_MOST_BARS][::-1]
    figure, axis = sheet(7.5, 1.5 + 0.24 * len(shown))
    colours = [FAINT if column.useless else MAIN for column in shown]
    axis.barh(
        range(len(shown)),
        [column.permutation for column in shown],
        xerr=[column.spread for column in shown],
        color=colours,
        height=0.66,
        error_kw={"ecolor": INK, "elinewidth": 1, "capsize": 2},
    )
    axis.set_yticks(range(len(shown)), [short(column.column) for column in shown])
    some = f", {len(shown)} of {len(worth.columns)}" if len(shown) < len(worth.columns) else ""
    dress(
        axis,
        title=f"What features are worth{some} (grey: no more than noise)",
        x=f"loss of {metric} when shuffled; mean and spread of {worth.repeats} repeats on "
        f"{worth.rows:,} rows",
        grid="x",
    )
    axis.axvline(0, color=INK, linewidth=0.8)
    axis.margins(y=0.01)
    axis.tick_params(axis="y", colors=INK)
    return png(figure)


def swarm(told: Contributions) -> bytes:
    """Every contribution as a dot, coloured by the feature's value; of several classes bars."""
    means = np.abs(told.values).mean(axis=0)
    order = np.argsort(means.sum(axis=1), kind="stable")[::-1][:_MOST_SWARMS][::-1]
    names = [short(told.frame.columns[i]) for i in order]
    figure, axis = sheet(7.5, 1.7 + 0.33 * len(order))
    title = f"SHAP: contributions on {len(told.values):,} rows"
    if told.values.shape[2] == 1:
        for place, i in enumerate(order):
            _dots(axis, place, told.values[:, i, 0], told.frame.iloc[:, i])
        axis.axvline(0, color=INK, linewidth=0.8)
        dress(axis, title=title, x=f"contribution to the score ({told.scale})", grid="y")
        _scale(figure, axis)
    else:
        _stacked(axis, means[order], told.outputs)
        dress(axis, title=title, x=f"mean absolute contribution ({told.scale})", grid="x")
        legend(axis, loc="lower right")
    axis.set_yticks(range(len(order)), names)
    axis.tick_params(axis="y", colors=INK)
    axis.set_ylim(-0.6, len(order) - 0.4)
    return png(figure)


def _dots(axis: Any, place: int, values: Any, column: pd.Series) -> None:
    values, shade = values[:_DOTS], _shade(column.iloc[:_DOTS])
    known = np.isfinite(shade)
    height = place + _spread(values)
    axis.scatter(values[~known], height[~known], s=6, color=FAINT, linewidths=0)
    axis.scatter(
        values[known], height[known], s=6, c=shade[known], cmap=_map(), vmin=0, vmax=1, linewidths=0
    )


def _shade(column: pd.Series) -> Any:
    """Rank of each value among the numbers or times; NaN of categories and missing values."""
    if not (pd.api.types.is_numeric_dtype(column) or str(column.dtype).startswith("datetime")):
        return np.full(len(column), np.nan)
    return column.rank(pct=True).to_numpy(dtype=float)


def _spread(values: Any) -> Any:
    """Heights that lay dots of one place side by side: middle first, then above and below."""
    low, high = float(values.min()), float(values.max())
    cells = np.floor((values - low) / ((high - low) or 1.0) * _CELLS).astype(int)
    order = np.argsort(cells, kind="stable")
    first = np.searchsorted(cells[order], cells[order], side="left")
    within = np.empty(len(values), dtype=int)
    within[order] = np.arange(len(values)) - first
    side = np.where(within % 2, 1, -1) * ((within + 1) // 2)
    return side * min(0.05, _HIGH / max(int(np.abs(side).max()), 1))


def _scale(figure: Any, axis: Any) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    bar = figure.colorbar(ScalarMappable(Normalize(0, 1), _map()), ax=axis, aspect=40, pad=0.01)
    bar.set_ticks([0, 1], labels=["low", "high"])
    bar.set_label("value of the feature (grey: category or missing)", fontsize=8.5, color=INK)
    bar.outline.set_edgecolor(LINE)
    bar.ax.tick_params(labelsize=8.5, length=0)


def _map() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("low to high", [MAIN, "#b9a5c9", OTHER])


def _stacked(axis: Any, means: Any, names: Sequence[str]) -> None:
    """Bars of the classes one after another; of many the largest, and the others together."""
    largest = np.argsort(-means.sum(axis=0), kind="stable")
    shown, rest = largest[: len(CLASSES)], largest[len(CLASSES) :]
    parts = [(short(names[k]), means[:, k], CLASSES[i]) for i, k in enumerate(shown)]
    if len(rest):
        parts.append((f"{len(rest)} others", means[:, rest].sum(axis=1), FAINT))
    begin = np.zeros(len(means))
    for name, width, colour in parts:
        axis.barh(range(len(means)), width, left=begin, color=colour, height=0.66, label=name)
        begin = begin + width
