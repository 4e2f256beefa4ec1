"""Ingest by the landing folder and by hand: what is kept, recorded and said."""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from trimtab.clock import FixedClock
from trimtab.data import quarantine
from trimtab.environment import Environment
from trimtab.stages.ingest import discover, ingest, ingest_path

YAML = """
dataset: shop
owner: me
source: {uri: landing/shop}
key: [id]
max_bad_rows: 0.5
limits: {max_bytes: 1KB}
columns: {id: {type: text}, n: {type: int}}
"""
GOOD = "id,n\n1,1\n2,2\n3,3\n"


@pytest.fixture
def env(open_env: Callable[[dict[str, str]], Environment]) -> Environment:
    return open_env({"datasets/shop.yaml": YAML})


@pytest.fixture
def land(env: Environment, clock: FixedClock) -> Callable[[str, str | bytes], Path]:
    folder = env.landing("shop")
    folder.mkdir(parents=True)

    def landed(name: str, content: str | bytes) -> Path:
        file = folder / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        moment = (clock.now() - timedelta(hours=1)).timestamp()
        os.utime(file, (moment, moment))
        return file

    return landed


def test_a_file_by_hand_is_judged_like_one_that_landed(env: Environment, tmp_path: Path) -> None:
    file = tmp_path / "hand.csv"
    file.write_text(GOOD + "4,x\n")
    verdict = ingest_path(env, "shop", file)
    assert (verdict.verdict, verdict.rows_read, verdict.rows_accepted) == ("accepted", 4, 3)
    assert verdict.quarantined == {"bad_type": 1}
    assert pl.read_parquet(env.store.location(str(verdict.staged))).height == 3
    bad = pl.read_parquet(env.store.location(quarantine.rows_key("shop", verdict.sha256)))
    assert bad.select("_row", "_column", "n", "_name").row(0) == (4, "n", "x", "hand.csv")
    assert ingest_path(env, "shop", file) == verdict
    other = file.rename(tmp_path / "other.csv")
    assert ingest_path(env, "shop", other).reason == "duplicate_noop"


def test_other_bytes_under_the_same_name_are_a_revision(env: Environment, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(GOOD)
    assert ingest_path(env, "shop", file).reason == "ok"
    file.write_text(GOOD.replace("3,3", "3,4"))
    assert ingest_path(env, "shop", file).reason == "revision"


def test_what_is_refused_unopened_by_hand_leaves_no_trace(env: Environment, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    verdict = ingest_path(env, "shop", tmp_path / "pipe.csv")
    assert (verdict.verdict, verdict.reason, verdict.sha256) == ("rejected", "not_regular_file", "")
    assert not env.ledger.events("file", "shop")
    assert list(env.store.keys("quarantine/")) == []


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", "id,n\n" + "1,1\n" * 300, "too_large"),
        ("$(id).csv", GOOD, "bad_filename"),
    ],
)
def test_what_landed_and_is_not_read_is_refused_once(
    env: Environment, land: Callable[..., Path], name: str, content: str, reason: str
) -> None:
    land(name, content)
    (file,) = discover(env, "shop")
    verdict = ingest(env, file)
    assert (verdict.verdict, verdict.reason) == ("rejected", reason)
    assert discover(env, "shop") == []
    assert ingest(env, file) == verdict
    told = env.store.location(quarantine.files_prefix("shop", verdict.sha256) + "reason.json")
    assert json.loads(Path(told).read_text())["reason"] == reason


def test_a_checksum_beside_the_file_is_checked(env: Environment, land: Callable[..., Path]) -> None:
    path = land("a.csv", GOOD)
    path.with_name("a.csv.sha256").write_text("0" * 64)
    (file,) = discover(env, "shop")
    verdict = ingest(env, file)
    assert verdict.reason == "manifest_mismatch"
    kept = env.store.location(quarantine.files_prefix("shop", verdict.sha256) + "a.csv")
    assert Path(kept).read_text() == GOOD


def test_what_is_wrong_at_the_end_of_a_file_leaves_nothing_staged(
    env: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trimtab.data.pieces.SIZE", 4)  # many blocks were written by then
    file = tmp_path / "late.csv"
    file.write_bytes(GOOD.encode() + b"4,\xff\n")
    verdict = ingest_path(env, "shop", file)
    assert (verdict.reason, verdict.rows_read, verdict.staged) == ("bad_encoding", 0, None)
    assert list(env.store.keys("datasets/")) == list(env.store.keys("staging/")) == []
