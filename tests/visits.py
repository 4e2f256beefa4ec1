"""Visits of a shop: a project, versions whose answers are known, and one that is really trained.

``World`` is the one place that knows how a version comes about and how it is loaded.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from trimtab.environment import Environment
from trimtab.evaluation import fingerprints
from trimtab.ledger.chain import digest
from trimtab.serving.trial import Trial
from trimtab.stages.approve import approve
from trimtab.stages.evaluate import evaluate
from trimtab.stages.features import build_features
from trimtab.stages.promote import promote
from trimtab.stages.train import train
from trimtab.types import (
    FILE,
    PARTITION,
    ROLE,
    ROW,
    TARGET,
    Candidate,
    Champion,
    DatasetVersion,
    FeatureSet,
    GateVerdict,
)

DATASET = """\
dataset: visits
owner: shop
source: {kind: files, uri: landing/visits}
key: [visit]
time: at
partition: month
columns:
  visit: {type: int}
  at: {type: time}
  signal: {type: float}
  shop: {type: category}
  bought: {type: int, known_after: later}
"""
MODEL = """\
model: buys
purpose: Tell the shop which visit ends with a purchase.
owner: shop
limits: Knows one shop chain only.
oversight: The shop's analyst reads the weekly report and can roll it back.
data: {from: visits}
target: {column: bought, at_least: 1}
split: {holdout: 14d}
gate:
  primary: roc_auc
  min: 0.6
  min_rows: 300
  slice_min_rows: 200
  slices: [shop]
  versus_champion: {mode: MODE, margin: 0.01, resamples: 200}
approve: APPROVE
"""
TRAINING = "train: {min_rows: 500, candidates: [linear], tune: {trials: 1, sample: 2000}}\n"
FAIR = "fairness: {columns: [shop], demographic_parity: 0.1, equalized_odds: 0.15, error: 0.1}"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
TRIAL = Trial(
    rows=100, difference=0, rounding=1e-9, size=10**6, latency=0.01, memory=10**7, seconds=0.5
)


def files(mode: str = "non_inferior", approving: str = "auto", **replaced: str) -> dict[str, str]:
    """The config folder, with words of the model file replaced."""
    model = MODEL.replace("MODE", mode).replace("APPROVE", approving)
    for old, new in replaced.items():
        model = model.replace(old, new)
    return {"datasets/visits.yaml": DATASET, "models/buys.yaml": model}


def rows(n: int = 12_000, *, seed: int = 0, days: int = 60) -> pl.DataFrame:
    """Visits whose ``signal`` says something about ``bought``."""
    rng = np.random.default_rng(seed)
    bought = (rng.random(n) < 0.4).astype(np.int8)
    hours = np.sort(rng.integers(0, days * 24, n))
    return pl.DataFrame(
        {
            "visit": np.arange(n),
            "at": [BEGIN + timedelta(hours=int(h)) for h in hours],
            "signal": bought + rng.normal(0, 1.0, n),
            "shop": rng.choice(["north", "south", "<script>alert(1)</script>"], n),
            TARGET: bought,
        },
        schema_overrides={"at": pl.Datetime("us", "UTC")},
    )


@dataclass
class Fake:
    """What ``serving.loader.load`` would return: answers by a function of the frame."""

    scale: float = 1.0
    noise: float = 0.0
    seed: int = 0
    classes: tuple[int, ...] = (0, 1)
    answer: str = ""
    bad_shop: str = ""
    favoured: str = ""  # a shop whose visits all score higher
    broken_by: str = ""  # a shop name this model does not stand
    weights: Any = None  # what it has learnt, for those who look inside

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        if self.answer == "nan":
            return np.full(len(frame), np.nan)
        if self.answer == "crash":
            raise RuntimeError("the estimator fell over")
        if self.answer == "constant":
            return np.full(len(frame), 0.4)
        rng = np.random.default_rng(self.seed)
        if self.broken_by and (frame["shop"] == self.broken_by).any():
            raise KeyError(self.broken_by)
        signal = frame["signal"].fillna(0.0).to_numpy().clip(-30, 30)
        score = self.scale * signal + rng.normal(0, self.noise, len(frame))
        if self.favoured:
            score = score + 2.0 * (frame["shop"] == self.favoured).to_numpy()
        if self.bad_shop:
            bad = (frame["shop"] == self.bad_shop).to_numpy()
            score = np.where(bad, rng.normal(0, 1, len(frame)), score)
        return 1 / (1 + np.exp(-(score - 0.5)))


@dataclass
class World:
    """An environment with versions of ``buys`` in it; ``models`` is what the loader loads."""

    env: Environment
    models: dict[tuple[int, str], Fake | Exception] = field(default_factory=dict)
    trials: dict[int, Trial | Exception] = field(default_factory=dict)  # other than the usual one

    def load(self, lake: object, candidate: Candidate, name: str = "model") -> Fake:
        """Stand in for ``serving.loader.load``."""
        found = self.models[candidate.version, name]
        if isinstance(found, Exception):
            raise found
        return found

    def trial(self, lake: object, candidate: Candidate, recorded: str) -> Trial:
        """Stand in for ``serving.fresh.trial``: there are no packages here to try."""
        found = self.trials.get(candidate.version, TRIAL)
        if isinstance(found, Exception):
            raise found
        return found

    def train(
        self,
        version: int,
        *,
        broken: Exception | None = None,
        data: pl.DataFrame | None = None,
        holdout_days: int = 14,
        until: datetime | None = None,
        **answers: Any,
    ) -> Candidate:
        """Leave behind what ``train`` leaves behind for one version."""
        data = rows() if data is None else data
        newest = data["at"].max()
        assert isinstance(newest, datetime)
        cut = until or newest - timedelta(days=holdout_days)
        role = pl.when(pl.col("at") >= cut).then(pl.lit("holdout")).otherwise(pl.lit("train"))
        data = data.with_columns(role.alias(ROLE))
        key = hashlib.sha256(f"{version}".encode()).hexdigest()
        uri = f"features/buys/{key}.parquet"
        (self.env.lake / uri).parent.mkdir(parents=True, exist_ok=True)
        data.write_parquet(self.env.lake / uri)
        frozen = fingerprints.listed(data.filter(pl.col(ROLE) == "holdout"))
        candidate = Candidate(
            model="buys",
            version=version,
            key=digest(["candidate", version]),
            features=FeatureSet(
                model="buys",
                key=key,
                uri=uri,
                holdout_sha256=fingerprints.sha256(frozen),
                task="binary",
                numeric=("signal",),
                categorical=("shop",),
                train_rows=data.filter(pl.col(ROLE) == "train").height,
                holdout_rows=data.filter(pl.col(ROLE) == "holdout").height,
                train_until=cut,
                holdout_until=newest,
                versions={"visits": version},
                cause="initial",
            ),
            uri=f"models/buys/{key}",
            manifest={},
            estimator="boosted_trees",
            params={"learning_rate": 0.1, "note": "<b>bold</b>"},
            validation={"roc_auc": 0.7},
            trials=3,
            config_hash=digest("config"),
        )
        ledger = self.env.ledger
        ledger.append("version_number", "buys", str(version), {"key": candidate.key})
        ledger.append("training", "buys", candidate.key, candidate.to_json())
        self.models[version, "model"] = broken or Fake(**answers)
        self.models[version, "baseline_dummy"] = Fake(answer="constant")
        self.models[version, "baseline_linear"] = Fake(noise=1.5, seed=99)
        return candidate

    def judged(self, version: int, **answers: Any) -> GateVerdict:
        """Train a version and judge it."""
        self.train(version, **answers)
        return evaluate(self.env, "buys", version)

    def champion(self, version: int, **answers: Any) -> Champion:
        """Train, judge, approve and promote a version."""
        self.judged(version, **answers)
        approve(self.env, "buys", version)
        return promote(self.env, "buys", version)


def stand_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the world's models be loaded and tried where packages would be."""
    monkeypatch.setattr("trimtab.serving.loader.load", world.load)
    monkeypatch.setattr("trimtab.stages.trial.trial", world.trial)
    for facts in ("_package", "_data"):  # of files and tables that are not there
        monkeypatch.setattr(f"trimtab.stages.evidence.{facts}", lambda *_: iter(()))


def asking(text: str) -> dict[str, str]:
    """What ``files`` is to change, so that the gate asks for one thing more."""
    return {"min_rows: 300\n": f"min_rows: 300\n  {text}\n"}


def leaking(rows: pl.DataFrame) -> pl.DataFrame:
    """Put a second copy of the answer in place of the signal."""
    return rows.with_columns(signal=pl.col(TARGET) + pl.col("signal") / 1000)


def publish(env: Environment, data: pl.DataFrame | None = None) -> None:
    """Publish visits as a delivery does, so that a model can really be trained on them."""
    from trimtab.adapters import delta

    found = (rows(4000) if data is None else data).rename({TARGET: "bought"})
    found = found.with_columns(
        pl.col("bought").cast(pl.Int64),
        pl.lit("sha").alias(FILE),
        pl.Series(ROW, np.arange(1, found.height + 1)),
        pl.lit("2026-01").alias(PARTITION),
    )
    version = delta.replace_where(env.table("visits"), found.to_arrow(), "_file = 'sha'", {})
    record = DatasetVersion(
        dataset="visits",
        version=version,
        sha256="sha",
        name="a.csv",
        rows=found.height,
        total_rows=found.height,
        newest=found["at"].max(),
    )
    env.ledger.append("dataset_version", "visits", "sha", record.to_json())


def serve_first(env: Environment) -> None:
    """Train version 1 on what is published, judge it, and make it champion."""
    candidate = train(env, "buys", build_features(env, "buys").key)
    verdict = evaluate(env, "buys", candidate.version)
    assert verdict.verdict == "PROMOTE", verdict.reasons
    approve(env, "buys", candidate.version)
    promote(env, "buys", candidate.version)
