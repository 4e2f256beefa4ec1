"""How far the groups of protected columns lie apart in this window: the gate's own rates, again."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from trimtab.config.model import Fairness
from trimtab.evaluation import bootstrap
from trimtab.evaluation.bootstrap import Resampling
from trimtab.evaluation.case import Answers
from trimtab.evaluation.fairness import MEASURES
from trimtab.evaluation.rates import Rates, rates, widest
from trimtab.evaluation.slices import groups
from trimtab.monitoring import gaps
from trimtab.monitoring.detect import Comparison
from trimtab.stages.watch import answers, truth
from trimtab.stages.watch.look import Look
from trimtab.types import TARGET
from trimtab.watch import Finding

CONFIDENCE, RESAMPLES = 0.95, 200


def fair(look: Look) -> list[Comparison]:
    """Compare the groups of every column of ``gate.fairness`` with its limits.

    The rate of positive answers is of all scored rows; what needs the truth is of those whose
    label is known and was not learnt.
    """
    if (spec := look.spec.gate.fairness) is None:
        return []
    scored, known = answers.given(look), truth.judged(look)
    return [
        Comparison(finding)
        for column in spec.columns
        for finding in (
            *_column(look, spec, column, scored, ("demographic_parity",)),
            *_column(look, spec, column, known, ("equalized_odds", "error")),
        )
    ]


def _column(
    look: Look, spec: Fairness, column: str, rows: pl.DataFrame, kinds: tuple[str, ...]
) -> Iterator[Finding]:
    task = look.candidate.features.task
    wanted = [
        kind for kind in kinds if kind in MEASURES and (task != "regression" or kind == "error")
    ]
    if column not in rows.columns:
        note = "the scored rows have no such column"
        for kind in wanted:
            yield Finding(
                signal="fairness", column=column, statistic=kind, status="not_computable", note=note
            )
        return
    parts = list(groups(rows[column].to_pandas())) if rows.height > 1 else []
    sizes = {label: n for label, _, n in parts}
    small = {label: n for label, n in sizes.items() if n < spec.min_rows}
    codes = np.zeros(rows.height, dtype=np.int64)
    for code, (_, mine, _) in enumerate(parts):
        codes[mine] = code
    drawn = _resampling(look, rows) if len(parts) > len(small) + 1 else None
    measured = _measured(look, rows, codes, drawn) if drawn else {}
    for kind in wanted:
        yield _finding(look, spec, column, kind, measured.get(kind, []), parts, small, drawn)


def _measured(look: Look, rows: pl.DataFrame, codes: Any, drawn: Resampling) -> dict[str, Any]:
    """Every rate of the groups; of rows whose label is not known some are not to be read."""
    task = look.candidate.features.task
    prediction, classes = answers.numbers(look, rows)
    truth = rows[TARGET]
    if truth.null_count():
        y = np.full(rows.height, classes[0] if classes else 0)
    else:
        y = truth.to_numpy() if classes else truth.to_numpy().astype(float)
    return rates(task, y, Answers(prediction, classes), codes, drawn)


def _finding(
    look: Look,
    spec: Fairness,
    column: str,
    kind: str,
    every: list[Rates],
    parts: list[Any],
    small: dict[str, int],
    drawn: Resampling | None,
) -> Finding:
    labels = [label for label, _, _ in parts]
    large = np.array([label not in small for label in labels], dtype=bool)
    kept = [np.flatnonzero(each.known & large) for each in every]
    told = [each.of(mine) for each, mine in zip(every, kept, strict=True)]
    pairs = any(len(each.value) > 1 for each in told)
    interval = widest(told, CONFIDENCE)[0] if pairs else None
    gate = look.gate.fairness if look.gate else ()
    before = next((gap for gap in gate if (gap.column, gap.measure) == (column, kind)), None)
    return gaps.finding(
        gaps.Asked(
            column=column,
            measure=kind,
            limit=getattr(spec, kind),
            before=before.gap if before and np.isfinite(before.gap) else None,
            before_rows=sum(before.rows.values()) if before else 0,
        ),
        [
            (gaps.Rate(each.name, each.value, each.draws), [labels[i] for i in mine])
            for each, mine in zip(told, kept, strict=True)
        ],
        rows=sum(n for label, _, n in parts if label not in small),
        clusters=drawn.clusters if drawn else 0,
        interval=(interval.low, interval.high) if interval else None,
        skipped=small,
        looks=1 if kind == "demographic_parity" else look.looks,
    )


def _resampling(look: Look, rows: pl.DataFrame) -> Resampling:
    times = None
    if look.time and look.time in rows.columns:
        times = rows[look.time].dt.replace_time_zone(None).to_numpy()
    group = look.spec.gate.versus_champion.group or look.candidate.features.group
    return bootstrap.plan(
        rows.height,
        times,
        rows[group].to_numpy() if group in rows.columns else None,
        resamples=RESAMPLES,
        confidence=CONFIDENCE,
        seed=look.scoring.sha256,
    )
