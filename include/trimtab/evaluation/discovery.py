"""Look for parts of the rows where the challenger does badly, which nobody has named.

Every value of every feature, and every pair of them, is a candidate; its mean loss comes from one
product of sparse matrices, as in SliceLine (Sagadeeva and Boehm, SIGMOD 2021). One half of the days
(or groups, or rows) is searched and only the other half judges: the worst of many looks bad on the
rows it was found on, whatever the truth.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from trimtab.config.model import Task
from trimtab.evaluation.case import Answers
from trimtab.evaluation.slices import Scored, Slice, groups
from trimtab.evaluation.weighted import losses

SEARCHED = 50_000  # rows at most
MOST_VALUES = 20  # of a column of categories: the rarer ones are no candidates
ALIKE = 0.5  # share of the smaller slice in another one, from which both are one finding
_RARE = "(rare)"
_LOOKS = 500  # candidates that are looked at for one that is not like an earlier one


@dataclass(frozen=True)
class _Level:
    """One value of one column, and the rows that have it."""

    column: str
    value: str
    rows: np.ndarray


def worst(
    scored: Scored,
    task: Task,
    frame: pd.DataFrame,
    columns: Sequence[str],
    *,
    most: int,
    least: int,
) -> list[Slice]:
    """Return up to ``most`` slices of at least ``least`` rows, measured on the other half's rows.

    Where there is a champion, what is looked for is loss beyond the champion's.
    """
    searched = scored.resampling.half
    loss = _excess(scored, task)
    every = list(_levels(frame, columns, least))
    found = []
    for parts in _ranked(every, loss, searched, least):
        rows = np.logical_and.reduce([level.rows for level in parts])
        part = _part(scored, parts, rows & ~searched, least)
        if part is not None:
            found.append(part)
        if len(found) == most:
            break
    return found


def _excess(scored: Scored, task: Task) -> np.ndarray:
    def of(answers: Answers) -> np.ndarray:
        return losses(task, scored.y, answers.prediction, answers.classes)

    ours = of(scored.challenger)
    return ours - of(scored.champion) if scored.champion else ours


def _levels(frame: pd.DataFrame, columns: Sequence[str], least: int) -> Iterator[_Level]:
    for column in columns:
        for value, rows, n in groups(_common(frame[column])):
            if least <= n < len(frame) and value != _RARE:
                yield _Level(column, value, rows)


def _common(values: pd.Series) -> pd.Series:
    """Put all but the most frequent categories into one: the rarer ones are no candidates."""
    if pd.api.types.is_numeric_dtype(values):
        return values
    often = values.value_counts().index[:MOST_VALUES]
    return values.astype(str).where(values.isin(often), _RARE).where(values.notna(), None)


def _ranked(
    every: list[_Level], loss: np.ndarray, searched: np.ndarray, least: int
) -> Iterator[tuple[_Level, ...]]:
    """Levels and pairs of levels, worst first; what is mostly inside an earlier one is left out."""
    rows = np.flatnonzero(searched)
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), SEARCHED)).astype(int)]
    taken: list[np.ndarray] = []
    for one, other in _candidates(every, loss[rows], rows, least):
        parts = (every[one],) if one == other else (every[one], every[other])
        mine = np.logical_and.reduce([level.rows[rows] for level in parts])
        if all((mine & theirs).sum() < ALIKE * min(mine.sum(), theirs.sum()) for theirs in taken):
            taken.append(mine)
            yield parts


def _candidates(
    every: list[_Level], loss: np.ndarray, rows: np.ndarray, least: int
) -> list[tuple[int, int]]:
    """Index pairs (twice the same for a level alone) by how far their mean loss stands out."""
    from scipy import sparse

    if not every or len(rows) < 2:
        return []
    inside: Any = sparse.csr_array(np.stack([level.rows[rows] for level in every]).astype(float))
    counts = (inside @ inside.T).toarray()
    sums = ((inside * (loss - loss.mean())) @ inside.T).toarray()
    ones = np.array([[a.column != b.column or a is b for b in every] for a in every])
    enough = np.triu(ones & (counts >= least / 2) & (counts < len(rows)))
    with np.errstate(divide="ignore", invalid="ignore"):
        strength = np.where(enough, sums / np.sqrt(counts), -np.inf)
    order = np.argsort(-strength, axis=None)[:_LOOKS]
    pairs = np.column_stack(np.unravel_index(order, strength.shape))
    return [(int(i), int(j)) for i, j in pairs if strength[i, j] > 0]


def _part(scored: Scored, parts: tuple[_Level, ...], rows: np.ndarray, least: int) -> Slice | None:
    if rows.sum() < least:
        return None
    columns = " and ".join(level.column for level in parts)
    values = " and ".join(level.value for level in parts)
    return scored.part(columns, values, rows, discovered=True)
