"""The rows a window is compared with once more: those learnt from, those of the file before."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from trimtab.features import view
from trimtab.monitoring import faults
from trimtab.stages.watch.look import Look
from trimtab.types import ROLE
from trimtab.watch import Observation

MOST = 100_000  # rows that say enough of what a column was like
PART_VALUES, PART_COLUMNS = 12, 6  # parts of one column, and columns, that are looked at


@dataclass(frozen=True)
class Earlier:
    """Rows, and whether the window follows on them."""

    rows: pl.DataFrame
    just_before: bool


class Before:
    """Earlier rows of a model, read when somebody asks for them."""

    def __init__(self, look: Look) -> None:
        self.look = look

    def of(self, column: str) -> Iterator[Earlier]:
        """Rows that have the column: the version's training rows, then the last sound window.

        What is sudden is told from what has come by and by: a season, a price that rises.
        """
        for rows, just_before in ((self.trained, False), (self._last(column), True)):
            if column in rows.columns and rows[column].count() >= self.look.settings.min_rows:
                yield Earlier(rows, just_before)

    @functools.cached_property
    def trained(self) -> pl.DataFrame:
        """The newest rows the version learnt from."""
        stored = pl.scan_parquet(self.look.env.lake / self.look.candidate.features.uri)
        return stored.filter(pl.col(ROLE) == "train").tail(MOST).collect()

    @functools.cached_property
    def parts(self) -> tuple[str, ...]:
        """Columns of names or few values whose rows may come from sources of their own."""
        features = self.look.candidate.features.categorical
        wanted = dict.fromkeys([*view.looked_at(self.look.spec), *features])
        there = [n for n in wanted if n in self.trained.columns and n in self.look.rows.columns]
        small = [n for n in there if 1 < self.trained[n].n_unique() <= PART_VALUES]
        return tuple(small[:PART_COLUMNS])

    def _last(self, column: str) -> pl.DataFrame:
        """The last sound window; before there is one, as many of the newest training rows."""
        for window in reversed(self.look.history):
            if not _faulty(window, column):
                return self._rows(window.sha256)
        return self._newest

    @functools.cached_property
    def _newest(self) -> pl.DataFrame:
        time, trained = self.look.time, self.trained
        ordered = trained.sort(time) if time in trained.columns else trained
        return ordered.tail(self.look.rows.height)

    @functools.cache  # noqa: B019 - lives as long as the look at one window
    def _rows(self, sha256: str) -> pl.DataFrame:
        spec, env = self.look.spec, self.look.env
        dataset = env.project.dataset(spec.scored_on)
        extra = [name for name in view.looked_at(spec) if name in dataset.columns]
        name = dataset.dataset
        rows = view.rows_of_files(env, spec.model, [sha256], dataset=name, extra=extra)
        return rows.gather_every(rows.height // MOST + 1)


def _faulty(window: Observation, column: str) -> bool:
    return any(f.column == column and f.change in faults.WORDS for f in window.findings)
