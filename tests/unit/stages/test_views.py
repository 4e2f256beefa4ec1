"""Feature views and derived columns in a model's life: training, scoring, monitoring, by hand."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from trimtab.environment import Environment
from trimtab.errors import DataError, NotReadyError
from trimtab.features import registry, view
from trimtab.ledger import champion
from trimtab.stages.explain import explain
from trimtab.stages.features import build_features
from trimtab.stages.lineage import lineage
from trimtab.stages.monitor import monitor
from trimtab.stages.reproduce import reproduce
from trimtab.stages.score import score, score_file
from trimtab.stages.train import train
from trimtab.types import FeatureSet

VIEWS = {
    "features/sky.yaml": """
view: sky
owner: me
from: air
entity: [zone]
delay: 1h
max_age: 4h
derive:
  wet: {type: bool, sql: rain > 2.5}
""",
    "models/late.yaml": """
model: late
purpose: Say whether a ride will take twenty minutes or more.
owner: me
data:
  from: rides
  join: [{dataset: cars, on: [plate]}]
  views: [{view: sky, allowed_lag: 1d}]
features:
  derive:
    per_seat: {type: float, sql: km / cars_seats}
    rainy_km: {type: float, function: rainy_km}
target: {column: minutes, at_least: 20, delay: 1d}
split: {holdout: 5d}
train: {min_rows: 50, candidates: [linear], tune: {trials: 1, sample: 400}}
gate: {min_rows: 20, slices: [zone]}
""",
}
BROUGHT = {"sky_rain", "sky_wet", "cars_seats", "per_seat", "rainy_km"}


def rainy_km(rows: pd.DataFrame) -> pd.Series:
    return rows["km"] * rows["sky_rain"]


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_REGISTRY", {})
    registry.feature("rainy_km", reads=("km", "sky_rain"))(rainy_km)


@pytest.fixture
def env(open_env: Any, rides: Any, publish: Any) -> Environment:
    opened: Environment = open_env(rides.FILES | VIEWS)
    assert not opened.project.problems
    rides.publish_all(opened, publish)
    return opened


def promoted(env: Environment) -> FeatureSet:
    features = build_features(env, "late")
    version = train(env, "late", features.key).version
    champion.swap(
        env.ledger, "late", version, expected=None, action="promote", actor="me", reason="first"
    )
    return features


def rows_of(env: Environment, features: FeatureSet) -> pl.DataFrame:
    return pl.read_parquet(env.lake / features.uri)


def test_the_set_holds_what_the_view_and_the_expressions_say(env: Environment, rides: Any) -> None:
    features = build_features(env, "late")
    rows = rows_of(env, features)
    assert set(features.features) >= BROUGHT
    assert features.views == ("sky",)
    assert features.versions == {"rides": 0, "cars": 0, "air": 0}
    air = {(r["zone"], r["hour"]): r["rain"] for r in rides.air().to_dicts()}
    hour = rides.START.replace(minute=0)
    for row in rows.head(100).to_dicts():
        known = (row["at"] - timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
        rain = air.get((row["zone"], known)) if known >= hour else None
        assert row["sky_rain"] == rain
        assert row["sky_wet"] == (None if rain is None else rain > 2.5)
        km = row["km"]
        assert row["per_seat"] == (km / row["cars_seats"] if km and row["cars_seats"] else None)
        assert row["rainy_km"] == (km * rain if km and rain is not None else None)


def test_every_feature_has_a_cost(env: Environment) -> None:
    features = build_features(env, "late")
    rows = rows_of(env, features)
    assert set(features.costs) == set(features.features)
    assert features.costs["km"].seconds == 0
    assert features.costs["sky_rain"].seconds == features.costs["sky_wet"].seconds > 0
    assert features.costs["per_seat"].seconds > 0
    for name, cost in features.costs.items():
        assert cost.null_rate == rows[name].null_count() / rows.height
        assert cost.bytes > 0


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("features/sky.yaml", "delay: 1h", "delay: 2h"),
        ("features/sky.yaml", "rain > 2.5", "rain > 2.6"),
        ("models/late.yaml", "km / cars_seats", "km / cars_seats + 1"),
    ],
)
def test_another_definition_is_another_set(
    env: Environment, open_env: Any, rides: Any, file: str, old: str, new: str
) -> None:
    first = build_features(env, "late")
    changed = open_env(rides.FILES | VIEWS | {file: VIEWS[file].replace(old, new)})
    second = build_features(changed, "late")
    assert second.key != first.key
    assert second.sha256 != first.sha256


def test_another_text_of_a_function_is_another_key(env: Environment) -> None:
    first = build_features(env, "late").key

    def other(rows: pd.DataFrame) -> pd.Series:
        return rows["km"] * 2

    registry._REGISTRY.clear()
    registry.feature("rainy_km", reads=("km",))(other)
    assert build_features(env, "late").key != first


def test_a_view_that_ends_too_early_is_waited_for(open_env: Any, rides: Any, publish: Any) -> None:
    env = open_env(rides.FILES | VIEWS)
    publish(env, "rides", rides.rides(), "rides_1.csv")
    publish(env, "cars", rides.cars(), "cars_1.csv")
    with pytest.raises(NotReadyError, match="first published file of air"):
        build_features(env, "late")
    publish(env, "air", rides.air(days=18), "air_1.csv")
    with pytest.raises(NotReadyError, match="waiting for air until 2026-01-20"):
        build_features(env, "late")


def test_scoring_and_by_hand_see_what_training_sees(
    env: Environment, rides: Any, publish: Any, tmp_path: Path
) -> None:
    features = promoted(env)
    publish(env, "air", rides.air(day=20, days=5), "air_2.csv")
    ours = rides.rides(30, first=900, day=20, days=4)
    new = publish(env, "rides", ours, "rides_2.csv")
    assert [(s.sha256, s.rows) for s in score(env, "late")] == [(new.sha256, 30)]
    scored = pl.read_delta(str(env.predictions("late"))).sort("ride")["prediction"]
    ours.drop("minutes").write_parquet(tmp_path / "x.parquet")
    score_file(env, "late", tmp_path / "x.parquet", tmp_path / "o.parquet")
    by_hand = pl.read_parquet(tmp_path / "o.parquet")["prediction"]
    assert by_hand.to_list() == pytest.approx(scored.to_list(), abs=0)
    whole = view.rows_of_files(env, "late", [new.sha256], extra=["minutes"])
    assert set(whole.columns) >= BROUGHT
    whole.select(features.features).write_parquet(tmp_path / "y.parquet")  # nothing to look up
    score_file(env, "late", tmp_path / "y.parquet", tmp_path / "o.parquet")
    assert pl.read_parquet(tmp_path / "o.parquet")["prediction"].equals(by_hand)
    assert monitor(env, "late")


def test_what_a_file_lacks_is_named_by_what_would_bring_it(
    env: Environment, rides: Any, tmp_path: Path
) -> None:
    promoted(env)
    rides.rides(20).select("ride", "plate", "at", "shared").write_parquet(tmp_path / "x.parquet")
    text = (
        r"4 feature column\(s\) are missing: km, zone, sky_rain \(or zone to look it up\), "
        r"sky_wet \(or zone to look it up\)"
    )
    with pytest.raises(DataError, match=text):
        score_file(env, "late", tmp_path / "x.parquet", tmp_path / "o.parquet")


def test_lineage_names_the_versions_behind_the_views(env: Environment) -> None:
    promoted(env)
    told = lineage(env, "late")
    assert {child.name for child in told.children} >= {"rides@0", "air@0", "cars@0"}
    assert "late@1" in {child.name for child in lineage(env, "air@0").children}


def test_a_name_that_the_rows_have_already_is_refused(env: Environment) -> None:
    spec, catalog = env.project.model("late"), env.project.catalog
    rows = pl.LazyFrame({"plate": ["A"], "cars_seats": [1]})
    with pytest.raises(DataError, match=r"join of cars: the rows have \['cars_seats'\] already"):
        view.joined(rows, spec, catalog, {}, ["cars_seats"])


def test_a_function_that_looks_at_other_rows_is_refused(env: Environment) -> None:
    registry._REGISTRY.clear()
    registry.feature("rainy_km", reads=("km",))(lambda rows: rows["km"] - rows["km"].mean())
    with pytest.raises(DataError, match="late: the derived column rainy_km gives other values"):
        build_features(env, "late")


def test_a_function_that_reads_what_is_known_later_is_refused(env: Environment) -> None:
    registry._REGISTRY.clear()
    registry.feature("rainy_km", reads=("km", "minutes"))(rainy_km)
    with pytest.raises(DataError, match=r"rainy_km reads \['minutes'\], not known at prediction"):
        build_features(env, "late")


def test_a_calibrated_version_with_views_is_rebuilt_and_explained(
    open_env: Any, rides: Any, publish: Any
) -> None:
    pytest.importorskip("lightgbm")
    model = VIEWS["models/late.yaml"].replace(
        "candidates: [linear]", "candidates: [lightgbm], calibrate: sigmoid"
    )
    env: Environment = open_env(rides.FILES | VIEWS | {"models/late.yaml": model})
    rides.publish_all(env, publish)
    features = promoted(env)
    (env.lake / features.uri).rename(env.lake / "away")  # nothing comes from the cached rows
    certificate = reproduce(env, "late", 1)
    assert certificate.differences == ()
    assert certificate.equal
    (env.lake / "away").rename(env.lake / features.uri)
    ride = rows_of(env, features).row(0, named=True)["ride"]
    told = explain(env, "late", {"ride": str(ride)})
    assert told.base + sum(told.contributions.values()) == pytest.approx(told.score, abs=1e-6)
    assert set(told.contributions) >= BROUGHT
    assert "before calibration" in told.method
