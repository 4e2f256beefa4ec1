"""How good predictions are: ROC, precision and recall, confusion, residuals."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from trimtab.training.pictures.canvas import (
    FAINT,
    INK,
    MAIN,
    OTHER,
    SOFT,
    dress,
    legend,
    png,
    sheet,
    short,
)

_POINTS = 4000
_MOST_CLASSES = 15


def roc(truth: Any, chance: Any) -> bytes:
    """ROC curve of two classes, with its area."""
    from sklearn.metrics import roc_auc_score, roc_curve

    figure, axis = sheet(6, 5)
    falsely, rightly, _ = roc_curve(truth, chance)
    area = f"model: area {roc_auc_score(truth, chance):.3f}"
    axis.plot(falsely, rightly, color=MAIN, linewidth=2, label=area)
    axis.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle="--", label="guessing: 0.500")
    dress(
        axis,
        title=f"ROC on {_rows(truth)}",
        x="false alarms: share of the negatives called positive",
        y="found: share of the positives called positive",
    )
    axis.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    legend(axis, loc="lower right")
    return png(figure)


def precision_recall(truth: Any, chance: Any) -> bytes:
    """Precision against recall, with the average precision and the share of positives."""
    from sklearn.metrics import average_precision_score, precision_recall_curve

    figure, axis = sheet(6, 5)
    precision, recall, _ = precision_recall_curve(truth, chance)
    mean = f"model: average precision {average_precision_score(truth, chance):.3f}"
    axis.step(recall, precision, where="post", color=MAIN, linewidth=2, label=mean)
    share = float(np.mean(truth))
    axis.axhline(share, color=FAINT, linewidth=1, linestyle="--", label=f"guessing: {share:.3f}")
    dress(
        axis,
        title=f"Precision and recall on {_rows(truth)}",
        x="recall: share of the positives found",
        y="precision: share of the alarms that are right",
    )
    axis.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.03))
    legend(axis, loc="best")
    return png(figure)


def confusion(truth: Any, chances: Any, classes: Sequence[Any]) -> bytes:
    """Which class is taken for which, in shares of the true class; the commonest classes."""
    from sklearn.metrics import confusion_matrix

    names, sizes = np.unique(truth, return_counts=True)
    order = names[np.argsort(-sizes, kind="stable")][:_MOST_CLASSES].tolist()
    said = np.asarray(classes)[chances.argmax(axis=1)]
    counts = confusion_matrix(truth, said, labels=order) if order else np.zeros((0, 0))
    totals = np.array([max(int((truth == name).sum()), 1) for name in order])
    shares = counts / totals[:, None]
    side = 3.2 + 0.5 * len(order)
    figure, axis = sheet(side + 0.8, side)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    some = (
        f", the {len(order)} commonest of {len(names)} classes" if len(names) > len(order) else ""
    )
    dress(axis, title=f"Confusion on {len(truth):,} rows{some}", grid="none")
    axis.set_xlabel("predicted", fontsize=9, color=SOFT)
    axis.set_ylabel("true (rows)", fontsize=9, color=SOFT)
    places = range(len(order))
    axis.set_xticks(places, [short(name, 18) for name in order], rotation=35, ha="right")
    axis.set_yticks(places, [f"{short(n, 18)} ({t:,})" for n, t in zip(order, totals, strict=True)])
    for i, j in np.ndindex(shares.shape):
        colour = "white" if shares[i, j] > 0.55 else INK
        text = f"{shares[i, j]:.0%}" if counts[i, j] else ""
        axis.text(j, i, text, ha="center", va="center", fontsize=9, color=colour)
    return png(figure)


def residuals(truth: Any, prediction: Any, target: str) -> bytes:
    """Predicted against true, and what is missing: true minus predicted."""
    figure, (left, right) = _pair()
    some = np.linspace(0, len(truth) - 1, min(len(truth), _POINTS)).astype(int)
    left.scatter(prediction[some], truth[some], s=7, alpha=0.35, color=MAIN, linewidths=0)
    ends = [
        float(min(prediction[some].min(), truth[some].min())),
        float(max(prediction[some].max(), truth[some].max())),
    ]
    left.plot(ends, ends, color=OTHER, linewidth=1, linestyle="--", label="right on")
    shown = "" if len(some) == len(truth) else f", {len(some):,} shown"
    dress(left, title=f"{len(truth):,} rows{shown}", x=f"predicted {target}", y=f"true {target}")
    legend(left, loc="upper left")
    residual = truth - prediction
    low, high = np.quantile(residual, [0.005, 0.995])
    right.hist(
        np.clip(residual, low, high), bins=int(np.clip(2 * len(truth) ** 0.4, 8, 50)), color=MAIN
    )
    right.axvline(0, color=INK, linewidth=1)
    median = float(np.median(residual))
    right.axvline(median, color=OTHER, linewidth=1.5, label=f"median {median:+.3g}")
    dress(
        right,
        title=f"Error: middle half {_half(residual)}",
        x=f"true - predicted {target} (outermost 1 % at the edges)",
        y="rows",
        grid="y",
    )
    legend(right, loc="upper right")
    return png(figure)


def _pair() -> tuple[Any, Any]:
    figure, whole = sheet(10.5, 4.6)
    whole.remove()
    return figure, figure.subplots(1, 2)


def _half(residual: Any) -> str:
    low, high = np.quantile(residual, [0.25, 0.75])
    return f"{low:+.3g} to {high:+.3g}"


def _rows(truth: Any) -> str:
    return f"{len(truth):,} rows, {int(np.sum(truth)):,} positive"
