"""The rows a version is compared with: those it learnt from, or was judged on, and their like.

A window has rows whose label never comes, such as flights that are cancelled. They may differ from
the others, so that a comparison with labelled rows alone finds a change where there is none.
"""

import logging
from collections.abc import Sequence
from typing import Literal

import polars as pl

from trimtab.environment import Environment
from trimtab.errors import TrimtabError
from trimtab.features import store
from trimtab.stages.features import unlabelled_at
from trimtab.stages.watch.kept import place
from trimtab.types import FILE, ROLE, ROW, Candidate

log = logging.getLogger(__name__)


def rows(
    env: Environment,
    candidate: Candidate,
    role: Literal["train", "holdout"],
    columns: Sequence[str] | None = None,
) -> pl.LazyFrame:
    """Return the rows of a side of the version's split, with those that had no label.

    Args:
        env: where things live.
        candidate: the version.
        role: the side.
        columns: to keep, by default the features; those that are not stored are left out.
    """
    stored = pl.scan_parquet(env.lake / candidate.features.uri)
    there = stored.collect_schema().names()
    wanted = candidate.features.features if columns is None else columns
    names = [name for name in dict.fromkeys(wanted) if name in there]
    mine = pl.col(ROLE) == role
    if (others := _unlabelled(env, candidate, names)) is None:
        return stored.filter(mine).select(names)
    kept = list(dict.fromkeys([*names, FILE, ROW]))
    both = pl.concat([side.filter(mine).select(kept) for side in (stored, others)])
    return both.sort(FILE, ROW).select(names)  # side by side, as in the file


def _unlabelled(
    env: Environment, candidate: Candidate, names: Sequence[str]
) -> pl.LazyFrame | None:
    """The rows without a label; built once per version, then a file."""
    if not candidate.features.unlabelled:
        return None
    path = place(env, candidate, "unlabelled.parquet")
    if not path.exists():
        spec = env.project.model(candidate.model)
        try:
            store.write(unlabelled_at(env, spec, candidate.features), path)
        except TrimtabError as error:  # retention has removed the state of a dataset, for example
            log.warning("%s: rows without a label are left out: %s", candidate.model, error)
            return None
    found = pl.scan_parquet(path)
    return found if {*names} <= {*found.collect_schema().names()} else None
