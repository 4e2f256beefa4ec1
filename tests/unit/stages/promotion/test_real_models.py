"""The same road with models that were really trained, packaged and loaded."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from trimtab.environment import Environment
from trimtab.stages.approve import approve
from trimtab.stages.evaluate import evaluate
from trimtab.stages.features import build_features
from trimtab.stages.promote import promote
from trimtab.stages.train import train
from trimtab.types import FILE, PARTITION, ROW, DatasetVersion


@pytest.fixture
def env(
    open_env: Callable[[dict[str, str]], Environment],
    make_files: Callable[..., dict[str, str]],
    make_rows: Callable[..., pl.DataFrame],
) -> Environment:
    from trimtab.adapters import delta

    files = make_files()
    files["models/buys.yaml"] += (
        "train: {min_rows: 500, candidates: [linear], tune: {trials: 1, sample: 2000}}\n"
    )
    env = open_env(files)
    rows = make_rows(4000).rename({"_target": "bought"})
    rows = rows.with_columns(
        pl.col("bought").cast(pl.Int64),
        pl.lit("sha").alias(FILE),
        pl.Series(ROW, np.arange(1, 4001)),
        pl.lit("2026-01").alias(PARTITION),
    )
    version = delta.replace_where(env.table("visits"), rows.to_arrow(), "_file = 'sha'", {})
    newest = rows["at"].max()
    record = DatasetVersion(
        dataset="visits",
        version=version,
        sha256="sha",
        name="a.csv",
        rows=4000,
        total_rows=4000,
        newest=newest,  # type: ignore[arg-type]
    )
    env.ledger.append("dataset_version", "visits", "sha", record.to_json())
    return env


def test_a_trained_model_becomes_champion_and_a_changed_one_does_not(env: Environment) -> None:
    candidate = train(env, "buys", build_features(env, "buys").key)
    verdict = evaluate(env, "buys", candidate.version)
    assert verdict.verdict == "PROMOTE", verdict.reasons
    approve(env, "buys", candidate.version)
    assert promote(env, "buys", candidate.version).version == candidate.version

    file = env.lake / candidate.uri / "model.skops"
    file.write_bytes(file.read_bytes() + b"x")
    changed = candidate.model_copy(update={"version": 2, "key": "other"})
    env.ledger.append("version_number", "buys", "2", {"key": "other"})
    env.ledger.append("training", "buys", "other", changed.to_json())
    refused = evaluate(env, "buys", 2)
    assert refused.verdict == "REJECT"
    assert any("SHA-256" in reason for reason in refused.reasons)
    assert {rule.name for rule in refused.rules if not rule.passed} == {
        "package_as_recorded",
        "serves_as_recorded",
    }
