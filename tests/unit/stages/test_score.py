"""score: pending files once each, by the champion, and any file by hand."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trimtab.environment import Environment
from trimtab.errors import DataError, NotReadyError
from trimtab.ledger import Ledger, champion, versions
from trimtab.stages.features import build_features
from trimtab.stages.revert import revert
from trimtab.stages.score import score, score_file
from trimtab.stages.train import train


@pytest.fixture
def env(open_env: Any, rides: Any, publish: Any) -> Environment:
    opened: Environment = open_env(rides.FILES)
    rides.publish_all(opened, publish)
    return opened


def promoted(env: Environment, model: str) -> None:
    candidate = train(env, model, build_features(env, model).key)
    champion.swap(
        env.ledger,
        model,
        candidate.version,
        expected=None,
        action="promote",
        actor="me",
        reason="first",
    )


def table(env: Environment, model: str) -> pl.DataFrame:
    rows = pl.read_delta(str(env.predictions(model)))
    return rows.sort("_file", "_row")


def test_no_champion(env: Environment, tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match="no champion yet"):
        score(env, "late")
    with pytest.raises(NotReadyError, match="no champion yet"):
        score_file(env, "late", tmp_path / "x.csv", tmp_path / "o.parquet")


def test_new_files_are_scored_once(env: Environment, rides: Any, publish: Any) -> None:
    promoted(env, "late")
    with pytest.raises(NotReadyError, match="every published file of rides is scored"):
        score(env, "late")  # the training file itself is never scored
    new = publish(env, "rides", rides.rides(30, first=900, day=20, days=1), "rides_2.csv")
    done = score(env, "late")
    assert [(s.sha256, s.rows, s.version) for s in done] == [(new.sha256, 30, 1)]
    rows = table(env, "late")
    assert rows["ride"].to_list() == list(range(900, 930))
    assert {"at", "_file", "_partition", "version", "generation"} <= set(rows.columns)
    assert rows["prediction"].is_between(0, 1).all()
    with pytest.raises(NotReadyError):
        score(env, "late")


def test_killed_before_the_ledger_gives_the_same_table(
    env: Environment, rides: Any, publish: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    promoted(env, "minutes")
    publish(env, "rides", rides.rides(30, first=900, day=20, days=1), "rides_2.csv")
    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "append", lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            score(env, "minutes")
    before = table(env, "minutes")
    assert len(score(env, "minutes")) == 1
    assert table(env, "minutes").equals(before)
    assert before.height == 30


def test_a_file_waits_for_its_join(env: Environment, rides: Any, publish: Any) -> None:
    promoted(env, "late")
    publish(env, "rides", rides.rides(30, first=900, day=20, days=5), "rides_2.csv")
    with pytest.raises(NotReadyError, match="waiting for air until"):
        score(env, "late")
    publish(env, "air", rides.air(day=20, days=5), "air_2.csv")
    assert len(score(env, "late")) == 1


def test_multiclass_brings_its_chances(env: Environment, rides: Any, publish: Any) -> None:
    promoted(env, "kind")
    publish(env, "plants", rides.plants(20), "plants_2.csv")
    score(env, "kind")
    rows = table(env, "kind")
    assert set(rows["prediction"]) <= {"fern", "moss", "oak"}
    assert rows["probabilities"].list.sum().is_between(0.999, 1.001).all()


def test_any_file_by_hand(env: Environment, rides: Any, tmp_path: Path) -> None:
    promoted(env, "late")
    rows = rides.rides(20).drop("minutes")
    rows.with_columns(pl.col("at").dt.to_string("iso:strict")).write_csv(tmp_path / "x.csv")
    rows.write_parquet(tmp_path / "x.parquet")
    answers = []
    for name in ("x.csv", "x.parquet"):
        out = tmp_path / "out" / name
        said = score_file(env, "late", tmp_path / name, out)
        assert said == {"model": "late", "version": 1, "rows": 20, "out": str(out)}
        answers.append(pl.read_parquet(out)["prediction"].to_list())
    assert answers[0] == answers[1]


def test_words_of_truth_and_columns_nobody_needs(
    env: Environment, rides: Any, tmp_path: Path
) -> None:
    promoted(env, "late")
    rows = rides.rides(20).with_columns(pl.col("at").dt.to_string("iso:strict"))
    rows = rows.with_columns(minutes=pl.lit("not known yet"))  # the target
    answers = []
    for true, false in (("true", "false"), ("Yes", "no")):
        shared = (
            pl.when(pl.col("shared")).then(pl.lit(true)).otherwise(pl.lit(false)).alias("shared")
        )
        rows.with_columns(shared).write_csv(tmp_path / "x.csv")
        score_file(env, "late", tmp_path / "x.csv", tmp_path / "o.parquet")
        answers.append(pl.read_parquet(tmp_path / "o.parquet")["prediction"].to_list())
    assert answers[0] == answers[1]


def test_every_missing_column_is_named(env: Environment, rides: Any, tmp_path: Path) -> None:
    promoted(env, "late")
    rides.rides(20).select("ride", "zone", "at").write_parquet(tmp_path / "x.parquet")
    text = r"3 feature column\(s\) are missing: km, shared, cars_seats \(or plate to look it up\)"
    with pytest.raises(DataError, match=text):
        score_file(env, "late", tmp_path / "x.parquet", tmp_path / "o.parquet")


def test_wrong_values_are_named(env: Environment, tmp_path: Path) -> None:
    promoted(env, "late")
    (tmp_path / "x.csv").write_text("km,shared,at\n1,true,2026-01-01T00:00:00Z\nfar,perhaps,soon\n")
    text = r"at \(1 value.*km \(1 value.*no float: 'far' in row 2\); shared \(1 value"
    with pytest.raises(DataError, match=text):
        score_file(env, "late", tmp_path / "x.csv", tmp_path / "o.parquet")


def test_what_cannot_be_read(env: Environment, tmp_path: Path) -> None:
    promoted(env, "kind")
    with pytest.raises(DataError, match="cannot be read"):
        score_file(env, "kind", tmp_path / "none.csv", tmp_path / "o.parquet")
    with pytest.raises(NotReadyError, match="version 9 is not trained; trained versions: 1"):
        versions.candidate(env.ledger, "kind", 9)


def test_rows_that_were_reverted_before_are_not_scored(
    env: Environment, rides: Any, publish: Any
) -> None:
    promoted(env, "late")
    publish(env, "rides", rides.rides(30, first=900, day=20, days=1), "rides_2.csv")
    revert(env, "rides", 0, reason="wrong feed", actor="ann")
    with pytest.raises(NotReadyError, match="replaced since"):
        score(env, "late")
    third = publish(env, "rides", rides.rides(20, first=950, day=20, days=1), "rides_3.csv")
    assert [(s.sha256, s.rows) for s in score(env, "late")] == [(third.sha256, 20)]
