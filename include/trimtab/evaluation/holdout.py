"""The rows a version is judged on, and the proof that no model was trained on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from trimtab.errors import IntegrityError
from trimtab.types import ROLE, TARGET, FeatureSet, Rule

RULE = "unseen_rows"


@dataclass(frozen=True)
class Holdout:
    """Rows kept from training: features and keys in ``frame``, labels in ``y``."""

    frame: pd.DataFrame
    y: np.ndarray
    times: np.ndarray | None

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.y)

    def columns(self, features: FeatureSet) -> pd.DataFrame:
        """Return the features a model takes.

        Raises:
            IntegrityError: this hold-out does not have a column the model was trained on.
        """
        missing = [name for name in features.features if name not in self.frame.columns]
        if missing:
            raise IntegrityError(
                f"the hold-out rows have no column {', '.join(missing)}, which the model takes; "
                "keep the column as a feature until a version without it is champion"
            )
        return self.frame[list(features.features)]


def read(lake: Path, features: FeatureSet, time: str | None) -> Holdout:
    """Read the hold-out rows of a feature set, in their stored order."""
    rows = pl.read_parquet(lake / features.uri).filter(pl.col(ROLE) == "holdout")
    times = rows[time].dt.replace_time_zone(None).to_numpy() if time in rows.columns else None
    y = rows[TARGET].to_numpy()
    if features.task != "multiclass":
        y = y.astype(float)
    return Holdout(rows.drop(ROLE, TARGET).to_pandas(), y, times)


def overlap(
    lake: Path, challenger: FeatureSet, champion: FeatureSet | None, key: Sequence[str]
) -> Rule:
    """Refuse rows that either model was trained on, by their key, their time and their group."""
    if seen := _shared(lake, challenger, challenger, _identity(challenger, key)):
        return _refused(seen, "the challenger itself was trained on them")
    if champion is None:
        return Rule(name=RULE, passed=True, value=0, limit=0, reason="No row was trained on.")
    ours, theirs = _kind(challenger), _kind(champion)
    if ours != theirs:
        return _refused(0, f"the challenger was split {ours} and the champion {theirs}")
    seen = _shared(lake, challenger, champion, _identity(challenger, key))
    starts, until = challenger.train_until, champion.train_until
    if starts and until and until > starts:
        begin, end = (t.astimezone(UTC).strftime("%Y-%m-%d %H:%M") for t in (starts, until))
        detail = f"the champion was trained until {end}, the hold-out begins at {begin}"
        return _refused(seen, detail)
    if seen:
        what = f"rows of their {challenger.group}" if challenger.group else "them"
        return _refused(seen, f"the champion was trained on {what}")
    reason = "None of the rows was trained on by the challenger or the champion."
    return Rule(name=RULE, passed=True, value=0, limit=0, reason=reason)


def _kind(features: FeatureSet) -> str:
    if features.group:
        return f"by {features.group}"
    return "by time" if features.train_until else "by a share of the rows"


def _identity(features: FeatureSet, key: Sequence[str]) -> list[str]:
    """What makes a row known to a model: its key, or the group it was split by."""
    return [features.group] if features.group else list(key)


def _shared(lake: Path, judged: FeatureSet, trained: FeatureSet, key: Sequence[str]) -> int:
    """Count hold-out rows of one feature set whose key the training rows of another have."""
    ours = pl.scan_parquet(lake / judged.uri).filter(pl.col(ROLE) == "holdout").select(key)
    theirs = pl.scan_parquet(lake / trained.uri).filter(pl.col(ROLE) == "train").select(key)
    both = ours.join(theirs, on=list(key), how="semi", nulls_equal=True)
    return int(both.select(pl.len()).collect().item())


def _refused(rows: int, why: str) -> Rule:
    reason = (
        f"{rows:,} of the judged rows are not unseen: {why}. "
        "Judge on newer rows, or train with the same split as the champion."
    )
    return Rule(name=RULE, passed=False, value=rows, limit=0, reason=reason)
