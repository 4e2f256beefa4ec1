"""The learning curve of the winner: the same fit on parts of the rows its trial had."""

from dataclasses import dataclass, replace

import numpy as np

from trimtab.training import registry, split
from trimtab.training.fit import fit
from trimtab.training.search import Found, Search

_PARTS = (8, 4, 2)  # of the trial's rows; together less work than the trial was
_LEAST = 40  # rows worth a fit
_JUDGED = 10_000  # rows learnt from that are scored


@dataclass(frozen=True)
class Curve:
    """Scores by how many rows were learnt from, fewest first."""

    rows: tuple[int, ...]
    seen: tuple[float, ...]
    unseen: tuple[float, ...]


def learning_curve(search: Search, found: Found) -> Curve:
    """Measure the winner on an eighth, a quarter, a half and all of the tuning rows."""
    how, data = search.how, search.data
    plain = replace(how, train=how.train.model_copy(update={"calibrate": "none"}))
    family, seed = registry.get(found.family, how.task), how.train.seed
    points = []
    for part in (*_PARTS, 1):
        rows = split.sample(search.fit_rows, len(search.fit_rows) // part, seed)
        if len(rows) < _LEAST or (how.task != "regression" and len(np.unique(data.y[rows])) < 2):
            continue
        model = found.probe if part == 1 else fit(family, found.params, plain, data, rows)
        scored = split.sample(rows, _JUDGED, seed)
        scores = search.score(model, scored), search.score(model, found.validation)
        if np.isfinite(scores).all():
            points.append((len(rows), *scores))
    columns = [tuple(column) for column in zip(*points, strict=True)] or [(), (), ()]
    return Curve(*columns)
