"""The rows a version is judged on: frozen before it was trained, unseen by whoever is judged."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from trimtab.errors import IntegrityError
from trimtab.evaluation import copies, fingerprints
from trimtab.types import ROLE, TARGET, FeatureSet, Rule

FROZEN, RULE = "frozen_holdout", "unseen_rows"


@dataclass(frozen=True)
class Holdout:
    """Rows kept from training: features and keys in ``frame``, labels in ``y``."""

    frame: pd.DataFrame
    y: np.ndarray
    times: np.ndarray | None
    groups: np.ndarray | None = None  # rows of one group depend on each other

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


def read(lake: Path, features: FeatureSet, time: str | None, group: str | None = None) -> Holdout:
    """Read the hold-out rows of a feature set, in their stored order."""
    rows = pl.read_parquet(lake / features.uri).filter(pl.col(ROLE) == "holdout")
    times = rows[time].dt.replace_time_zone(None).to_numpy() if time in rows.columns else None
    y = rows[TARGET].to_numpy()
    if features.task != "multiclass":
        y = y.astype(float)
    groups = rows[group].to_numpy() if group in rows.columns else None
    return Holdout(rows.drop(ROLE, TARGET).to_pandas(), y, times, groups)


def frozen(lake: Path, features: FeatureSet) -> Rule:
    """Refuse rows that are not, one by one, those listed before the training began."""
    file = lake / features.uri
    if not features.holdout_sha256:
        return _thawed("no list was made before the training", "Train this version again.")
    rows = pl.scan_parquet(file).filter(pl.col(ROLE) == "holdout").collect()
    found = fingerprints.listed(rows)
    if fingerprints.sha256(found) != features.holdout_sha256:
        return _thawed(_changed(fingerprints.path(file), found), "Build the features again.")
    reason = (
        f"The {rows.height:,} judged rows are those listed before the training "
        f"(SHA-256 {features.holdout_sha256[:12]})."
    )
    return Rule(name=FROZEN, passed=True, reason=reason, about="rows")


def overlap(
    lake: Path, judged: FeatureSet, learners: Mapping[str, FeatureSet], key: Sequence[str]
) -> Rule:
    """Refuse rows that somebody has learnt from: by key, time, group, and by what they say.

    Args:
        lake: where the feature files lie.
        judged: the challenger's feature set; its hold-out is what is judged on.
        learners: who was trained or tuned on which feature set, ``the challenger`` among them.
        key: columns that identify a row.
    """
    for who, trained in learners.items():
        for seen, why in _seen(lake, who, judged, trained, key):
            return _refused(seen, why)
    told = " or ".join(learners)
    reason = f"None of the rows, nor a copy of one, was trained or tuned on by {told}."
    return Rule(name=RULE, passed=True, value=0, limit=0, reason=reason, about="rows")


def _seen(
    lake: Path, who: str, judged: FeatureSet, trained: FeatureSet, key: Sequence[str]
) -> Iterator[tuple[int, str]]:
    """What of the judged rows ``who`` has seen, and how that is known; cheap looks first."""
    ours, theirs = _kind(judged), _kind(trained)
    if ours != theirs:
        yield 0, f"the challenger was split {ours} and {who} {theirs}"
        return
    seen = _shared(lake, judged, trained, _identity(judged, key))
    starts, until = judged.train_until, trained.train_until
    if starts and until and until > starts:
        begin, end = (t.astimezone(UTC).strftime("%Y-%m-%d %H:%M") for t in (starts, until))
        yield seen, f"{who} was trained until {end}, the hold-out begins at {begin}"
    if seen:
        what = f"rows of their {judged.group}" if judged.group else "them"
        yield seen, f"{who} was trained on {what}"
    found = copies.count(lake, judged, trained)
    if found.too_many:
        yield found.rows, f"{who} was trained on copies of them under other keys"


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


def _changed(file: Path, found: fingerprints.Prints) -> str:
    """How many rows are others than listed, as far as the list itself is still there."""
    if not file.exists():
        return "they are others than listed, and the list is gone"
    listed = fingerprints.read(file)
    new = len(found) - fingerprints.twins(found, listed)
    return f"{new:,} of {len(found):,} rows are not on the list of {len(listed):,}"


def _thawed(why: str, advice: str) -> Rule:
    reason = f"The judged rows are not frozen: {why}. {advice}"
    return Rule(name=FROZEN, passed=False, reason=reason, about="rows")


def _refused(rows: int, why: str) -> Rule:
    reason = (
        f"{rows:,} of the judged rows are not unseen: {why}. "
        "Judge on newer rows, or train with the same split as the champion."
    )
    return Rule(name=RULE, passed=False, value=rows, limit=0, reason=reason, about="rows")
