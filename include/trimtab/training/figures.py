"""Pictures of the winner's trial on the validation rows, as PNG bytes for the tracker."""

import io
from typing import Any

import numpy as np
import pandas as pd

from trimtab.training.fit import predict
from trimtab.training.search import Found, Search

_IMPORTANCE_ROWS = 1000
_POINTS = 4000


def draw(search: Search, found: Found) -> dict[str, bytes]:
    """Draw ROC and calibration (or residuals), and permutation importance."""
    rows = found.validation
    frame, truth = search.data.frame.iloc[rows], search.data.y[rows]
    prediction = predict(found.probe, frame, search.how.task)
    quality = {
        "binary": ("roc_calibration.png", _roc_calibration),
        "multiclass": ("confusion.png", _confusion),
        "regression": ("residuals.png", _residuals),
    }
    name, draw_quality = quality[search.how.task]
    return {
        name: draw_quality(truth, prediction, getattr(found.probe, "classes_", None)),
        "importance.png": _bars(importance(search, found)),
    }


def importance(search: Search, found: Found) -> pd.Series:
    """Loss of the primary metric when one column is shuffled, largest last."""
    rows, seed = found.validation[-_IMPORTANCE_ROWS:], search.how.train.seed
    frame = search.data.frame.iloc[rows]
    order = np.random.default_rng(seed).permutation(len(rows))
    whole = _score(search, found.probe, frame, rows)
    drops = {}
    for name in frame.columns:
        shuffled = frame.assign(**{name: frame[name].array.take(order)})
        drops[name] = whole - _score(search, found.probe, shuffled, rows)
    return pd.Series(drops, dtype=float).sort_values()


def _score(search: Search, model: Any, frame: pd.DataFrame, rows: Any) -> float:
    from trimtab import metrics

    prediction = predict(model, frame, search.how.task)
    classes = getattr(model, "classes_", None)
    return metrics.score(search.metric, search.data.y[rows], prediction, classes)


def _figure(columns: int = 1, *, height: float = 4.0) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure  # not pyplot: no global state between stages

    figure = Figure(figsize=(4.5 * columns, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(1, columns)


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=90)
    return buffer.getvalue()


def _roc_calibration(truth: Any, chance: Any, _: Any) -> bytes:
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import roc_curve

    figure, (left, right) = _figure(2)
    if 0 < truth.mean() < 1:
        falsely, rightly, _cuts = roc_curve(truth, chance)
        left.plot(falsely, rightly)
        seen, said = calibration_curve(truth, chance, n_bins=10, strategy="quantile")
        right.plot(said, seen, marker="o")
    for axis in (left, right):
        axis.plot([0, 1], [0, 1], linewidth=0.8, linestyle="--", color="grey")
    left.set(title="ROC", xlabel="false positive rate", ylabel="true positive rate")
    right.set(title="Calibration", xlabel="predicted", ylabel="observed")
    return _png(figure)


def _confusion(truth: Any, chances: Any, classes: Any) -> bytes:
    from sklearn.metrics import confusion_matrix

    chosen = np.asarray(classes)[chances.argmax(axis=1)]
    counts = confusion_matrix(truth, chosen, labels=classes, normalize="true")
    figure, axis = _figure()
    axis.imshow(counts, cmap="Blues", vmin=0, vmax=1)
    places = range(len(classes))
    axis.set(title="Confusion (share of the true class)", xlabel="predicted", ylabel="true")
    axis.set(xticks=places, yticks=places, xticklabels=classes, yticklabels=classes)
    return _png(figure)


def _residuals(truth: Any, prediction: Any, _: Any) -> bytes:
    figure, (left, right) = _figure(2)
    residual = truth - prediction
    left.scatter(prediction[-_POINTS:], residual[-_POINTS:], s=3, alpha=0.4)
    left.axhline(0, linewidth=0.8, color="grey")
    left.set(title="Residuals", xlabel="predicted", ylabel="true - predicted")
    right.hist(residual, bins=60)
    right.set(title="Distribution", xlabel="true - predicted")
    return _png(figure)


def _bars(values: pd.Series) -> bytes:
    values = values.tail(25)
    figure, axis = _figure(height=1 + 0.22 * len(values))
    axis.barh([str(name) for name in values.index], values.to_numpy())
    axis.set(title="Permutation importance", xlabel="loss of the primary metric")
    return _png(figure)
