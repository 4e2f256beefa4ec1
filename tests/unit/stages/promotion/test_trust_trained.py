"""A protected column that is no feature, and behaviour tests, on a model that was really trained."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trimtab.evaluation import registry
from trimtab.stages.evaluate import evaluate
from trimtab.stages.features import build_features
from trimtab.stages.train import train

TESTS = """
from trimtab.evaluation.registry import behaviour_test

@behaviour_test("further_takes_longer", kind="direction", expect="up")
def further(rows):
    return rows[rows["km"].notna()].assign(km=lambda r: r["km"] + 5)

@behaviour_test("zone_is_nothing", kind="invariance", tolerance=0.2)
def zone(rows):
    return rows.assign(zone="south")
"""
GATE = """\
gate: {min_rows: 20, behaviour: [further_takes_longer, zone_is_nothing], fairness: {columns: [plate],
  error: 0.6, min_rows: 20}, robustness: {missing: 0.5}}
"""


@pytest.fixture
def tests_of_mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_REGISTRY", {})
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / f"{registry.USER_MODULE}.py").write_text(TESTS)
    importlib.invalidate_caches()
    yield
    sys.modules.pop(registry.USER_MODULE, None)


@pytest.mark.usefixtures("tests_of_mine")
def test_a_trained_version_is_judged_by_groups_it_does_not_see(
    open_env: Any, rides: Any, publish: Any
) -> None:
    model = rides.FILES["models/late.yaml"].replace("gate: {min_rows: 20, slices: [zone]}\n", GATE)
    model = model.replace("[linear, boosted_trees]", "[linear]")
    env = open_env({**rides.FILES, "models/late.yaml": model})
    rides.publish_all(env, publish)
    features = build_features(env, "late")
    assert "plate" not in features.features
    assert "plate" in pl.read_parquet(env.lake / features.uri).columns
    candidate = train(env, "late", features.key)
    verdict = evaluate(env, "late", candidate.version)
    rules = {rule.name: rule for rule in verdict.rules}
    assert {gap.column for gap in verdict.fairness} == {"plate"}
    assert set(verdict.fairness[2].groups) | set(verdict.fairness[2].skipped) == {
        "A",
        "B",
        "unknown",
    }
    assert rules["fairness_plate_error"].passed
    assert rules["behaviour_further_takes_longer"].passed, rules["behaviour_further_takes_longer"]
    assert rules["numerical_health"].passed
    assert {each.name for each in verdict.robustness if each.passed} == {
        "noise",
        "missing",
        "unseen",
        "extreme",
        "shuffled",
    }
