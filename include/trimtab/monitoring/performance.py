"""The primary metric on rows whose label is known, against what the gate saw."""

from collections.abc import Callable, Hashable, Sequence
from math import hypot, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np

from trimtab.config.monitor import Monitor
from trimtab.types import GateVerdict
from trimtab.watch import Finding, Status

Metric = Callable[[Any, Any], float]
MIN_BLOCKS = 5


def measure(
    truth: Any,
    prediction: Any,
    blocks: Sequence[Hashable],
    *,
    metric: Metric,
    name: str,
    rows: int,
    gate: GateVerdict | None,
    settings: Monitor,
    trained: int = 0,
) -> Finding:
    """Compare realised with promised performance.

    Args:
        truth: labels that are known by now.
        prediction: what was predicted for the same rows.
        blocks: the day of each row; rows of one day are alike, so days are left out together.
        metric: higher is better; NaN where it does not exist.
        name: the metric's name.
        rows: scored rows, labelled or not; for the coverage.
        gate: the verdict that promoted the version; None leaves nothing to compare with.
        settings: ``performance_drop`` and ``min_rows``.
        trained: rows left out since the version was trained on them.
    """
    labelled, promised = len(truth), gate.value if gate and np.isfinite(gate.value) else 0.0
    coverage = f"{labelled:,} of {rows:,} rows with a known label"
    if trained:
        coverage += f", {trained:,} more were trained on"

    def found(
        status: Status,
        note: str,
        value: float | None = None,
        p_value: float | None = None,
    ) -> Finding:
        return Finding(
            signal="performance",
            statistic=name,
            value=value,
            expected=promised,
            threshold=promised - settings.performance_drop,
            beyond="below",
            p_value=p_value,
            reference_rows=gate.rows if gate else 0,
            current_rows=labelled,
            status=status,
            note=note,
        )

    if labelled < settings.min_rows:
        return found("not_enough_data", f"{name} not judged: {coverage}")
    value = float(metric(truth, prediction))
    if not np.isfinite(value):  # one class only, for example
        return found("not_computable", f"{name} does not exist on {coverage}")
    if gate is None or not np.isfinite(gate.value):
        return found("ok", f"{name} {value:.3g}, with no gate value to compare with", value)
    unsure = half_width(truth, prediction, blocks, metric, gate)
    drop = gate.value - value
    note = f"{name} {value:.3g} against {gate.value:.3g} at the gate ({coverage})"
    chance = NormalDist().cdf(-drop / (unsure / 1.96)) if unsure else float(drop <= 0)
    return found("ok", note, value, chance)


def half_width(
    truth: Any, prediction: Any, blocks: Sequence[Hashable], metric: Metric, gate: GateVerdict
) -> float:
    """Half the 95 % interval of the difference to the gate's value.

    The gate's own interval and the window's are independent. The window's comes from leaving out
    one block at a time (the delete-a-group jackknife: Efron and Tibshirani 1993, chapter 11): it
    needs as many metric values as there are days, where a bootstrap needs hundreds. With too few
    blocks it is the gate's, scaled by the square root of the rows.
    """
    promised = float(np.nan_to_num((gate.interval[1] - gate.interval[0]) / 2))
    _, block = np.unique(np.asarray(blocks, dtype=str), return_inverse=True)
    values = _without_each(np.asarray(truth), np.asarray(prediction), block, metric)
    if len(values) < MIN_BLOCKS:
        return hypot(promised, promised * sqrt(gate.rows / max(len(truth), 1)))
    spread = (len(values) - 1) / len(values) * float(np.sum((values - values.mean()) ** 2))
    return hypot(promised, 1.96 * sqrt(spread))


def _without_each(truth: Any, prediction: Any, block: Any, metric: Metric) -> Any:
    count = int(block.max()) + 1 if len(block) else 0
    if count < MIN_BLOCKS:
        return np.empty(0)
    values = [metric(truth[block != i], prediction[block != i]) for i in range(count)]
    return np.asarray([value for value in values if np.isfinite(value)])
