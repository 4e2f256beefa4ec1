"""build_features: causes, readiness, labels, roles, and one file per key."""

import contextlib
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from trimtab.environment import Environment
from trimtab.errors import DataError, NotReadyError
from trimtab.evaluation import fingerprints
from trimtab.features import view
from trimtab.ledger import champion
from trimtab.stages.advice import advise, dismiss
from trimtab.stages.features import build_features, rows_at
from trimtab.stages.scope import open_requests
from trimtab.training.record import candidate_key, config_hash
from trimtab.types import ROLE, TARGET, Candidate, FeatureSet
from trimtab.watch import RetrainDecision


@pytest.fixture
def env(open_env: Any, rides: Any, publish: Any) -> Environment:
    opened: Environment = open_env(rides.FILES)
    assert not opened.project.problems
    rides.publish_all(opened, publish)
    return opened


def rows_of(env: Environment, features: FeatureSet) -> pl.DataFrame:
    return pl.read_parquet(env.lake / features.uri)


def record(env: Environment, features: FeatureSet, version: int = 1) -> None:
    """Leave behind what a training of ``features`` would."""
    spec = env.project.model(features.model)
    key = candidate_key(features.key, spec)
    candidate = Candidate(
        model=features.model,
        version=version,
        key=key,
        features=features,
        uri="u",
        manifest={},
        estimator="dummy",
        params={},
        validation={},
        trials=1,
        config_hash=config_hash(spec),
    )
    env.ledger.append("training", features.model, key, candidate.to_json())


def judge(env: Environment, model: str, version: int = 1) -> None:
    env.ledger.append("gate", model, f"{version}:0", {"version": version, "verdict": "REJECT"})


def serve(env: Environment, model: str) -> None:
    champion.swap(env.ledger, model, 1, expected=None, action="promote", actor="me", reason="first")


def ask(env: Environment, model: str, key: str = "sha", cause: str = "drift") -> None:
    asked = RetrainDecision(
        model=model,
        partition="p",
        retrain=True,
        causes=(cause,),
        reason="r",  # type: ignore[arg-type]
    )
    env.ledger.append("retrain_request", model, key, asked.to_json())


def test_the_file_holds_what_the_record_says(env: Environment, rides: Any) -> None:
    features = build_features(env, "late")
    rows = rows_of(env, features)
    assert features.cause == "initial"
    assert features.versions == {"rides": 0, "air": 0, "cars": 0}
    assert features.numeric == ("km", "shared", "air_rain", "cars_seats")
    assert (features.categorical, features.temporal) == (("zone",), ("at",))
    assert dict(rows[ROLE].value_counts().iter_rows()) == {
        "train": features.train_rows,
        "holdout": features.holdout_rows,
    }
    assert rows.height + features.unlabelled == rides.rides().height
    assert {*features.features, "ride", "at", "_file", "_partition", TARGET} <= {*rows.columns}
    assert rows["at"].is_sorted()


def test_what_is_known_later_never_appears(env: Environment) -> None:
    for model in ("late", "minutes"):
        features = build_features(env, model)
        assert "minutes" not in rows_of(env, features).columns
        assert "minutes" not in features.features


def test_the_split_follows_the_data_time(env: Environment, rides: Any) -> None:
    features = build_features(env, "late")
    newest = rides.START + timedelta(days=20)
    assert features.holdout_until == newest
    assert features.train_until == newest - timedelta(days=5)
    rows = rows_of(env, features)
    assert rows.filter(pl.col(ROLE) == "train")["at"].max() < features.train_until
    assert rows.filter(pl.col(ROLE) == "holdout")["at"].min() >= features.train_until
    assert rows["at"].max() <= newest - timedelta(days=1)  # label delay


def test_twice_gives_the_same_file_and_event(env: Environment) -> None:
    first = build_features(env, "late")
    data = (env.lake / first.uri).read_bytes()
    assert build_features(env, "late") == first
    (env.lake / first.uri).unlink()  # a lost file is built again, byte for byte
    assert build_features(env, "late") == first
    assert (env.lake / first.uri).read_bytes() == data
    assert len(env.ledger.events("features", "late")) == 1


def test_tables_are_read_at_the_recorded_versions(
    env: Environment, rides: Any, publish: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build_features(env, "late")
    before = rows_of(env, first)
    (env.lake / first.uri).unlink()
    with monkeypatch.context() as patched:  # a Delta commit the ledger does not know yet
        patched.setattr(type(env.ledger), "append", lambda *a, **k: None)
        publish(env, "rides", rides.rides(50, first=900, day=3), "unknown.csv")
    assert rows_of(env, build_features(env, "late")).equals(before)


def test_versions_are_read_while_nobody_publishes(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[str] = []
    monkeypatch.setattr(
        type(env.ledger), "lock", lambda self, name: held.append(name) or contextlib.nullcontext()
    )
    build_features(env, "late")
    assert held[:3] == ["publish:air", "publish:cars", "publish:rides"]


def test_new_data_make_a_new_key(env: Environment, rides: Any, publish: Any) -> None:
    first = build_features(env, "minutes")
    publish(env, "rides", rides.rides(100, first=500, day=20, days=5), "rides_2.csv")
    assert build_features(env, "minutes").key != first.key


def test_a_share_is_split_by_key(env: Environment) -> None:
    features = build_features(env, "kind")
    assert (features.task, features.train_until, features.holdout_until) == (
        "multiclass",
        None,
        None,
    )
    assert features.train_rows + features.holdout_rows == 400
    assert 50 < features.holdout_rows < 110


def test_no_dataset_yet(open_env: Any, rides: Any, publish: Any) -> None:
    env = open_env(rides.FILES)
    publish(env, "rides", rides.rides(), "rides_1.csv")
    with pytest.raises(NotReadyError, match="first published file of air, cars"):
        build_features(env, "late")


def test_a_join_that_ends_too_early_is_waited_for(open_env: Any, rides: Any, publish: Any) -> None:
    env = open_env(rides.FILES)
    publish(env, "rides", rides.rides(), "rides_1.csv")
    publish(env, "cars", rides.cars(), "cars_1.csv")
    publish(env, "air", rides.air(days=18), "air_1.csv")
    with pytest.raises(NotReadyError, match="waiting for air until 2026-01-20"):
        build_features(env, "late")
    publish(env, "air", rides.air(day=18, days=1), "air_2.csv")
    assert build_features(env, "late").train_rows


def test_too_few_rows(open_env: Any, rides: Any, publish: Any) -> None:
    env = open_env(rides.FILES)
    rides.publish_all(env, lambda *a: None)
    publish(env, "cars", rides.cars(), "cars_1.csv")
    publish(env, "rides", rides.rides(60), "rides_1.csv")
    with pytest.raises(NotReadyError, match=r"of 50 training rows and 1\d of 20 hold-out rows"):
        build_features(env, "minutes")
    assert not env.ledger.events("features")


def test_no_cause(env: Environment) -> None:
    serve(env, "late")
    with pytest.raises(NotReadyError, match="no cause to train"):
        build_features(env, "late")
    assert build_features(env, "late", force=True).cause == "manual"


def test_requests_are_the_cause(env: Environment) -> None:
    serve(env, "late")
    ask(env, "late", "one", "new_data")
    ask(env, "late", "two", "drift")
    ask(env, "late", "old")
    env.ledger.append("retrain_closed", "late", "old", {"version": 1, "reason": "done"})
    features = build_features(env, "late")
    assert (features.cause, features.requests) == ("drift+new_data", ("one", "two"))


def test_a_trained_set_without_a_verdict_goes_on(env: Environment) -> None:
    features = build_features(env, "late")
    record(env, features)
    assert build_features(env, "late") == features


def test_a_judged_set_closes_requests_and_is_not_trained_again(env: Environment) -> None:
    record(env, build_features(env, "late"))
    judge(env, "late")
    ask(env, "late")
    with pytest.raises(NotReadyError, match="same data and configuration as version 1"):
        build_features(env, "late", force=True)
    assert not open_requests(env, "late")
    closed = env.ledger.find("retrain_closed", "late", "sha")
    assert closed is not None
    assert closed.payload["version"] == 1


def test_a_joined_table_that_changes_no_row_is_nothing_new(
    env: Environment, rides: Any, publish: Any
) -> None:
    first = build_features(env, "late")
    record(env, first)
    publish(env, "air", rides.air(day=21, days=2), "air_2.csv")  # air after the last ride
    assert build_features(env, "late") == first  # not judged yet: the same candidate goes on
    judge(env, "late")
    ask(env, "late")
    with pytest.raises(NotReadyError, match="same data and configuration as version 1"):
        build_features(env, "late")
    assert not open_requests(env, "late")
    assert len(list((env.lake / first.uri).parent.iterdir())) == 2  # its rows, the judged listed
    publish(env, "rides", rides.rides(100, first=500, day=20, days=3), "rides_2.csv")
    assert build_features(env, "late").versions["air"] == 1


def test_rows_of_files_keeps_every_row_without_a_label(
    env: Environment, rides: Any, publish: Any
) -> None:
    new = publish(env, "rides", rides.rides(30, first=900, day=19, days=1), "rides_2.csv")
    rows = view.rows_of_files(env, "late", [new.sha256], extra=["minutes"])
    assert rows["ride"].to_list() == list(range(900, 930))
    assert {"air_rain", "cars_seats", "minutes", "_partition"} <= set(rows.columns)


def test_the_holdout_is_listed_before_anybody_trains(env: Environment) -> None:
    features = build_features(env, "late")
    held = rows_of(env, features).filter(pl.col(ROLE) == "holdout")
    listed = fingerprints.read(fingerprints.path(env.lake / features.uri))
    assert len(listed) == held.height == features.holdout_rows
    assert features.holdout_sha256 == fingerprints.sha256(fingerprints.listed(held))
    assert not env.ledger.events("training")


def test_rows_carry_the_group_they_are_drawn_by(open_env: Any, rides: Any, publish: Any) -> None:
    name = "models/late.yaml"
    text = rides.FILES[name].replace(
        "slices: [zone]", "slices: [zone], versus_champion: {group: plate}"
    )
    found = []
    for files in (rides.FILES, {**rides.FILES, name: text}):
        env = open_env(files)
        assert not env.project.problems
        if not env.ledger.events("dataset_version"):
            rides.publish_all(env, publish)
        found.append(build_features(env, "late"))
    without, with_group = found
    assert "plate" in rows_of(env, with_group).columns
    assert "plate" not in with_group.features
    assert with_group.key != without.key


def wants(env: Environment, since: datetime, key: str = "sha") -> None:
    """Ask for a training on what came after a change of concept."""
    asked = RetrainDecision(
        model="late", partition="p", retrain=True, causes=("performance",), reason="loss",
        helps_from=since,
    )  # fmt: skip
    env.ledger.append("retrain_request", "late", key, asked.to_json())


def test_rows_before_a_change_of_concept_are_left_out(env: Environment, rides: Any) -> None:
    everything = build_features(env, "late")
    since = rides.START + timedelta(days=4)
    wants(env, since)
    features = build_features(env, "late")
    assert features.key != everything.key
    assert features.since == since
    assert rows_of(env, features)["at"].min() >= since
    assert features.train_rows < everything.train_rows
    assert features.holdout_rows == everything.holdout_rows
    assert rows_at(env, env.project.model("late"), features).equals(rows_of(env, features))


def test_what_the_champion_left_out_stays_left_out(env: Environment, rides: Any) -> None:
    since = rides.START + timedelta(days=4)
    wants(env, since)
    record(env, build_features(env, "late"))
    env.ledger.append("retrain_closed", "late", "sha", {"version": 1, "reason": "done"})
    assert build_features(env, "late").since == since, "on its way to the gate: the same rows"
    serve(env, "late")
    ask(env, "late", "later", "new_data")
    with pytest.raises(NotReadyError, match="same data and configuration"):
        build_features(env, "late")


def test_with_too_few_rows_of_the_new_concept_all_are_taken(env: Environment, rides: Any) -> None:
    since = rides.START + timedelta(days=14)
    wants(env, since)
    features = build_features(env, "late")
    assert (features.since, features.asked_since) == (None, since)
    assert rows_of(env, features)["at"].min() < since


def test_a_file_that_is_advised_against_is_not_learnt_from(
    env: Environment, rides: Any, publish: Any
) -> None:
    whole = build_features(env, "late")
    broken = rides.rides(100, first=500, day=20, days=3).with_columns(km=pl.lit(0.0))
    file = publish(env, "rides", broken, "rides_2.csv")
    publish(env, "air", rides.air(day=20, days=4), "air_2.csv")
    advise(env, "rides", "rides_2.csv", reason="the meter was off", actor="ana")
    without = build_features(env, "late")
    assert without.left_out == (file.sha256,)
    assert file.sha256 not in rows_of(env, without)["_file"]
    assert without.holdout_until == whole.holdout_until, "as if it had never come"
    dismiss(env, "rides", file.sha256[:12], reason="it was not", actor="ben")
    with_it = build_features(env, "late")
    assert with_it.left_out == ()
    assert file.sha256 in rows_of(env, with_it)["_file"]
    with pytest.raises(DataError, match="rides has no published file"):
        advise(env, "rides", "rides_9.csv", reason="x", actor="ana")


def test_a_doubled_or_lost_ring_changes_nothing(env: Environment, rides: Any) -> None:
    """The ledger says what is asked for; whoever wakes the run, and how often, does not matter."""
    serve(env, "late")
    with pytest.raises(NotReadyError, match="no cause"):
        build_features(env, "late")  # a ring that nothing asked for
    wants(env, rides.START + timedelta(days=4))
    found = [build_features(env, "late") for _ in range(2)]  # a sweep, and a ring that came late
    assert found[0] == found[1]
    assert found[0].requests == ("sha",)
    assert len(env.ledger.events("features", "late")) == 1
