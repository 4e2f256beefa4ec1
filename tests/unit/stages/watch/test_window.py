"""Quality, KPI and service of a window, through the stage's families, on files that are there."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.unit.published import publish

from trimtab.environment import Environment, open_environment
from trimtab.errors import DataError
from trimtab.monitoring import joint, profile
from trimtab.monitoring.detect import Comparison
from trimtab.monitoring.distance import distance
from trimtab.monitoring.profile import ReferenceProfile
from trimtab.stages.watch import expected, kpi, quality, service, shape
from trimtab.stages.watch.before import Before
from trimtab.stages.watch.look import PREDICTION, Look
from trimtab.types import ROLE, TARGET, Candidate, FeatureSet, Scoring
from trimtab.watch import Finding, Observation

DATASET = """
dataset: trips
owner: tests
source: {kind: files, uri: landing/trips}
key: [id]
time: at
columns:
  id: {type: int}
  at: {type: time}
  km: {type: float, nullable: true}
  kind: {type: category}
  late: {type: bool, known_after: arrival}
"""
MODEL = """
model: delay
purpose: Say which trips will be late, for the tests.
owner: tests
data: {from: trips}
target: {column: late}
features: {exclude: [at]}
monitor:
  kpi:
    - {name: warned, sql: "SELECT avg(prediction) FROM scored", max: 0.9}
    - {name: nothing, sql: "SELECT avg(prediction) FROM scored WHERE km < -1"}
    - {name: own, function: longest}
    - {name: wild, function: broken}
"""
KPI_MODULE = """
from trimtab.monitoring.registry import kpi

@kpi("longest")
def longest(frame):
    return frame["km"].max()

@kpi("broken")
def broken(frame):
    return frame["nix"].sum()
"""
START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = 1_440


def trips(day: int) -> pl.DataFrame:
    draw = np.random.default_rng(1_000 + day)
    return pl.DataFrame(
        {
            "id": np.arange(ROWS) + day * ROWS,
            "at": [START + timedelta(days=day, minutes=i) for i in range(ROWS)],
            "km": draw.gamma(2, 3, ROWS),
            "kind": draw.choice(["bus", "tram"], ROWS),
            "late": draw.random(ROWS) < 0.3,
        }
    )


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    for name, text in (("datasets/trips", DATASET), ("models/delay", MODEL)):
        (tmp_path / "config" / f"{name}.yaml").parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "config" / f"{name}.yaml").write_text(text)
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "trimtab_kpi.py").write_text(KPI_MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("TRIMTAB_LEDGER", f"sqlite:///{home / 'ledger.db'}")
    monkeypatch.setenv("TRIMTAB_TRACKING", f"sqlite:///{home / 'mlflow.db'}")
    return open_environment(home=home, config=tmp_path / "config")


@pytest.fixture
def look(env: Environment) -> Callable[..., Look]:
    """The look at a day after a fortnight of files; the version learnt from five other days."""
    learnt = pl.concat([trips(day) for day in range(-5, 0)])
    stored = learnt.with_columns(pl.lit("train").alias(ROLE))
    (env.lake / "features").mkdir(parents=True)
    stored.write_parquet(env.lake / "features" / "set.parquet")
    features = FeatureSet(
        model="delay", key="f", uri="features/set.parquet", task="binary", numeric=("km",),
        categorical=("kind",), train_rows=stored.height, holdout_rows=0,
    )  # fmt: skip
    candidate = Candidate(
        model="delay", version=1, key="c" * 20, features=features, uri="", manifest={},
        estimator="", params={}, validation={}, trials=0, config_hash="",
    )  # fmt: skip
    for day in range(14):
        publish(env, "trips", trips(day), f"{day}.csv")

    def at(rows: pl.DataFrame, *, history: tuple[Observation, ...] = ()) -> Look:
        made = publish(env, "trips", rows, "now.csv")
        scoring = Scoring(
            model="delay", version=1, dataset_version=made.version, sha256=made.sha256,
            rows=rows.height, newest=rows["at"].max(), table_version=0,
        )  # fmt: skip
        scored = rows.with_columns(
            pl.lit(0.5).alias(PREDICTION), pl.col("late").cast(pl.Float64).alias(TARGET)
        )
        reference = ReferenceProfile(model="delay", version=1, key="c", rows=0, columns={})
        spec = env.project.model("delay")
        return Look(env, spec, scoring, candidate, reference, scored, None, history)

    return at


def found(compared: list[Any]) -> dict[str, Finding]:
    return {c.finding.name.split(":")[1]: c.finding for c in compared}


def test_a_whole_day_has_nothing_unlikely(look: Callable[..., Look]) -> None:
    day = look(trips(14))
    told = found(quality.whole(day))
    assert set(told) == {
        "km missing", "km range", "kind missing", "kind new_categories", "duplicates", "volume",
        "gap", "age",
    }  # fmt: skip
    assert {f.status for f in told.values()} == {"ok"}
    assert min(f.p_value or 0 for name, f in told.items() if name != "age") > 0.001
    kept = day.env.lake / "profiles" / "delay" / f"{'c' * 16}.quality.json"
    before = kept.read_bytes()
    (day.env.lake / "features" / "set.parquet").unlink()
    assert found(quality.whole(day)) == told, "the reference is a file of its own"
    assert kept.read_bytes() == before


def test_a_fault_is_unlikely_and_large(look: Callable[..., Look]) -> None:
    wrong = trips(15).head(200).with_columns(km=pl.lit(None, dtype=pl.Float64))
    told = found(quality.whole(look(wrong)))
    for name in ("km missing", "volume", "gap"):
        assert (told[name].p_value or 1) < 1e-4, name
    assert told["volume"].note == "200 rows, about 1,440 are usual"
    assert told["gap"].note.startswith("newest row 27.3 h after")


def shaped(look: Look) -> Finding:
    """What the kilometres look like that have moved for certain."""
    finding = Finding(
        signal="data", column="km", statistic="psi", value=1.0, threshold=0.1, p_value=1e-9,
        status="moved",
    )  # fmt: skip
    usual = profile.build(Before(look).trained, {"km": "numeric"})["km"]
    now = profile.measure(look.rows, {"km": usual})["km"]
    return shape.told(look, [finding], [Comparison(finding, usual, now)])[0]


def test_a_fault_of_one_source_is_told_with_its_name(look: Callable[..., Look]) -> None:
    tram = pl.col("kind") == "tram"
    for factor in (1.609344, 1000.0):
        wrong = trips(15).with_columns(km=pl.when(tram).then(pl.col("km") * factor).otherwise("km"))
        told = shaped(look(wrong))
        assert (told.change, told.note) == ("scale", "where kind=tram"), factor
        assert told.factor == pytest.approx(factor)


def test_a_fault_of_some_rows_is_told(look: Callable[..., Look]) -> None:
    some = pl.int_range(pl.len()) % 7 == 0
    wrong = trips(15).with_columns(km=pl.when(some).then(pl.col("km") * 1000).otherwise("km"))
    told = shaped(look(wrong))
    assert (told.change, told.factor) == ("scale", 1000.0)
    assert told.note.endswith("in some of the rows")


def test_a_world_that_moves_in_one_source_is_no_fault(look: Callable[..., Look]) -> None:
    tram = pl.col("kind") == "tram"
    for longer in (pl.col("km") + 8, pl.col("km") * 1.3, pl.col("km") / 2 + 4):
        moved = trips(15).with_columns(km=pl.when(tram).then(longer).otherwise("km"))
        assert shaped(look(moved)).change == "shift"


def test_a_shape_that_cannot_be_told_stops_nothing(
    look: Callable[..., Look], monkeypatch: pytest.MonkeyPatch
) -> None:
    day = look(trips(15).with_columns(pl.col("km") + 8))
    before = shaped(day)

    def broken(*_: Any, **__: Any) -> None:
        raise ValueError("no")

    monkeypatch.setattr("trimtab.monitoring.likeness.mixed", broken)
    assert shaped(day) == before.model_copy(update={"change": None})


def test_many_columns_fit_new_rows_as_well_as_those_of_the_reference(
    look: Callable[..., Look],
) -> None:
    """The rows that a basis was fitted on fit it best: they are no measure of others."""
    day = look(trips(14))
    draw = np.random.default_rng(3)
    names = [f"c{i}" for i in range(40)]
    learnt, now = (pl.DataFrame(draw.normal(size=(n, 40)), schema=names) for n in (1_000, 600))
    stored = learnt.with_columns(pl.lit("train").alias(ROLE))
    stored.write_parquet(day.env.lake / "features" / "wide.parquet")
    features = day.candidate.features.model_copy(update={"uri": "features/wide.parquet"})
    candidate = day.candidate.model_copy(update={"features": features, "key": "w" * 20})
    columns = profile.build(learnt, dict.fromkeys(names, "numeric"))
    usual = expected.together(day.env, candidate, columns)
    assert usual.basis is not None
    assert usual.error is not None
    off = joint.errors(now, usual.basis).to_frame()
    seen = profile.measure(off, {joint.ERROR: usual.error})[joint.ERROR]
    assert distance(usual.error, seen).p_value > 0.001


def test_numbers_of_the_business(look: Callable[..., Look]) -> None:
    day = look(trips(14))
    told = found(kpi.business(day))
    assert (told["warned"].value, told["warned"].status) == (0.5, "ok")
    assert told["own"].value == trips(14)["km"].max()
    assert told["own"].status == "not_enough_data", "it has no history yet"
    assert told["nothing"].status == told["wild"].status == "not_computable"
    assert told["nothing"].note == "KPI nothing gave None, which is no number"
    assert "nix" in told["wild"].note


def test_what_sql_and_functions_see(look: Callable[..., Look]) -> None:
    seen = kpi.frame(look(trips(14)).rows)
    assert set(seen.columns) == {"id", "at", "km", "kind", "late", "prediction", "target"}


def requests(day: int, *, seconds: float = 0.05, failed: int = 0) -> pl.DataFrame:
    at = [START + timedelta(days=day, minutes=i) for i in range(ROWS)]
    status = [503 if i < failed else 200 for i in range(ROWS)]
    return pl.DataFrame({"at": at, "seconds": seconds, "status": status})


def write(env: Environment, name: str, frame: pl.DataFrame) -> None:
    folder = env.lake / "requests" / "delay"
    folder.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(folder / f"{name}.parquet")


def test_the_requests_of_the_window_are_judged(look: Callable[..., Look]) -> None:
    day = look(trips(14))
    assert service.served(day) == [], "no server logs here"
    for i in (13, 14, 15):
        write(day.env, f"{i}", requests(i, failed=100 if i == 14 else 0))
    history = [
        Observation(
            model="delay", version=1, sha256=f"{i}", partition=f"{i}", rows=ROWS,
            newest=START + timedelta(days=i + 1, minutes=-1),
            findings=tuple(
                Finding(
                    signal="service", statistic=statistic, value=value, current_rows=ROWS,
                    status="ok",
                )
                for statistic, value in (("latency", 0.05), ("errors", 0.0), ("volume", 1440.0))
            ),
        )
        for i in range(14)
    ]  # fmt: skip
    told = found(service.served(replace(day, history=tuple(history))))
    assert told["volume"].value == ROWS, "neither those before nor those after"
    assert (told["errors"].value or 0) == pytest.approx(100 / ROWS)
    assert (told["errors"].p_value or 1) < 1e-6
    assert (told["latency"].p_value or 0) > 0.1


def test_a_log_of_another_shape_says_what_it_lacks(look: Callable[..., Look]) -> None:
    day = look(trips(14))
    write(day.env, "one", pl.DataFrame({"at": ["now"], "status": [200]}))
    with pytest.raises(DataError, match=r"at \(a time in UTC\), seconds \(a number\)$"):
        service.served(day)
