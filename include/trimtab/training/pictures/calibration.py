"""Whether probabilities mean what they say."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from trimtab.training.pictures.canvas import (
    CLASSES,
    FAINT,
    MAIN,
    dress,
    legend,
    png,
    sheet,
    short,
)

_BINS, _PER_BIN = 10, 15  # at most so many bins; rows that make one worth a point
_MOST_CLASSES = len(CLASSES)
_Z = 1.96  # of a 95 % interval


def binary(truth: Any, chance: Any) -> bytes:
    """Observed against predicted share in bins of equal size, over where predictions lie."""
    brier = float(np.mean((chance - truth) ** 2))
    return _draw([(f"model: Brier score {brier:.3f}", MAIN, truth, chance)], len(truth))


def multiclass(truth: Any, chances: Any, classes: Sequence[Any]) -> bytes:
    """The same for each class against the others; the commonest classes."""
    sizes = [int(np.sum(truth == name)) for name in classes]
    order = np.argsort(sizes, kind="stable")[::-1][:_MOST_CLASSES]
    curves = [
        (f"{short(classes[i])} ({sizes[i]:,})", CLASSES[place], truth == classes[i], chances[:, i])
        for place, i in enumerate(order)
    ]
    return _draw(curves, len(truth))


def _draw(curves: Sequence[tuple[str, str, Any, Any]], rows: int) -> bytes:
    figure, (above, below) = sheet(6.4, 6, 3.4, 1)
    above.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle="--", label="says what it means")
    for name, colour, truth, chance in curves:
        said, seen, wide = _bins(np.asarray(truth, dtype=float), np.asarray(chance))
        above.errorbar(
            said, seen, yerr=wide, color=colour, marker="o", markersize=4, linewidth=1.6,
            elinewidth=1, label=name,
        )  # fmt: skip
        below.hist(chance, bins=40, range=(0, 1), color=colour, histtype="step", linewidth=1.4)
    title = f"Calibration on {rows:,} rows (bars: 95 % interval of each bin)"
    dress(above, title=title, y="observed share")
    above.set(xlim=(-0.01, 1.01), ylim=(-0.02, 1.02))
    legend(above, loc="best")
    dress(below, x="predicted probability", y="rows", grid="y")
    return png(figure)


def _bins(truth: Any, chance: Any) -> tuple[Any, Any, Any]:
    """Mean prediction, share of positives and Wilson's half widths (2, bins) of each bin."""
    bins = max(2, min(_BINS, len(truth) // _PER_BIN))
    parts = [p for p in np.array_split(np.argsort(chance, kind="stable"), bins) if len(p)]
    n = np.array([len(part) for part in parts])
    said = np.array([chance[part].mean() for part in parts])
    seen = np.array([truth[part].mean() for part in parts])
    middle = (seen + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z * np.sqrt(seen * (1 - seen) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
    return said, seen, np.clip([seen - (middle - half), middle + half - seen], 0, None)
