"""From a landed file to a dataset version: ingest, validate, publish, each killed and run again."""

import hashlib
import json
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trimtab.adapters import delta
from trimtab.clock import FixedClock
from trimtab.environment import Environment
from trimtab.errors import DataError, NotReadyError
from trimtab.stages.ingest import discover, ingest
from trimtab.stages.publish import publish
from trimtab.stages.validate import validate
from trimtab.types import FileVerdict

YAML = """
dataset: shop
owner: me
source: {uri: landing/shop}
key: [id]
time: at
partition: month
max_bad_rows: 0.2
columns:
  id: {type: text}
  at: {type: time}
  n: {type: int, min: 0, max: 1000}
checks:
"""
OpenEnv = Callable[[dict[str, str]], Environment]
Land = Callable[..., str]


def text(first: int, count: int, n: str = "5") -> str:
    lines = [f"{i:03d},2013-01-{i % 28 + 1:02d}T00:00:00Z,{n}" for i in range(first, first + count)]
    return "\n".join(["id,at,n", *lines]) + "\n"


@pytest.fixture
def opened(open_env: OpenEnv) -> Callable[..., Environment]:
    def with_checks(*checks: str, **changes: str) -> Environment:
        yaml = YAML + ("".join(f"  - {check}\n" for check in checks) or "  []\n")
        for old, new in changes.items():
            yaml = yaml.replace(f"{old}: {{type: int, min: 0, max: 1000}}", f"{old}: {new}")
        return open_env({"datasets/shop.yaml": yaml})

    return with_checks


@pytest.fixture
def env(opened: Callable[..., Environment]) -> Environment:
    return opened()


@pytest.fixture
def land(tmp_path: Path, clock: FixedClock) -> Land:
    ticks = iter(range(1000))

    def landed(name: str, content: str) -> str:
        """Drop a complete file, each a second later than the one before; return its hash."""
        file = tmp_path / "home/landing/shop" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        moment = (clock.now() - timedelta(hours=1) + timedelta(seconds=next(ticks))).timestamp()
        os.utime(file, (moment, moment))
        return hashlib.sha256(content.encode()).hexdigest()

    return landed


def ingest_all(env: Environment) -> list[FileVerdict]:
    return [ingest(env, file) for file in discover(env, "shop")]


def through(env: Environment, *shas: str) -> list[Any]:
    for sha in shas:
        validate(env, "shop", sha)
    return publish(env, "shop", shas)


def lifecycle(env: Environment, *shas: str) -> list[Any]:
    ingest_all(env)
    return through(env, *shas)


def table(env: Environment) -> pl.DataFrame:
    return delta.scan(env.table("shop")).collect()


def kinds(env: Environment) -> list[str]:
    """What became of files; that the contract is new is told elsewhere."""
    events = env.ledger.events(subject="shop")
    return [event.kind for event in events if event.kind != "contract_change"]


class KilledError(BaseException):
    """Stands for SIGKILL: nothing catches it."""


def killed_before(env: Environment, kind: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    append = env.ledger.append

    def dying(at: str, *args: Any, **kwargs: Any) -> Any:
        if at == kind:
            raise KilledError
        return append(at, *args, **kwargs)

    context = monkeypatch.context()
    patch = context.__enter__()
    patch.setattr(env.ledger, "append", dying)
    return context


def test_a_good_file_becomes_a_version(env: Environment, land: Land) -> None:
    sha = land("a.csv", text(0, 30))
    (verdict,) = ingest_all(env)
    assert (verdict.verdict, verdict.rows_accepted, verdict.partitions) == (
        "accepted",
        30,
        ("2013-01",),
    )
    assert verdict.newest == datetime(2013, 1, 28, tzinfo=UTC)
    (version,) = through(env, sha)
    assert (version.version, version.rows, version.total_rows) == (0, 30, 30)
    assert version.newest == verdict.newest
    assert table(env)["id"].to_list() == [f"{i:03d}" for i in range(30)]
    assert kinds(env) == ["file", "sighting", "validation", "dataset_version"]


def test_discover_finds_what_was_not_judged_without_reading_it(
    env: Environment, land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    land("b.csv", text(0, 3))
    land("a.csv", text(3, 3))
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", lambda *_: pytest.fail("discover opened a file"))
        files = discover(env, "shop")
    assert [file.name for file in files] == ["a.csv", "b.csv"]
    ingest(env, files[0])
    assert [file.name for file in discover(env, "shop")] == ["b.csv"]


def test_the_same_bytes_are_a_duplicate_under_any_name(env: Environment, land: Land) -> None:
    sha = land("a.csv", text(0, 30))
    ingest_all(env)
    land("again.csv", text(0, 30))
    land("a.csv", text(0, 30))
    verdicts = ingest_all(env)
    assert [v.verdict for v in verdicts] == ["duplicate", "duplicate"]
    assert [v.reason for v in verdicts] == ["duplicate_noop", "duplicate_noop"]
    assert kinds(env).count("file") == 1
    assert discover(env, "shop") == []
    through(env, sha)
    assert table(env).height == 30


def test_a_second_call_tells_the_first_verdict(env: Environment, land: Land) -> None:
    land("a.csv", text(0, 3))
    (file,) = discover(env, "shop")
    first = ingest(env, file)
    land("b.csv", text(0, 3))
    (repeated,) = discover(env, "shop")
    duplicate = ingest(env, repeated)
    assert (ingest(env, file), ingest(env, repeated)) == (first, duplicate)
    assert kinds(env) == ["file", "sighting", "sighting"]


def test_copies_of_a_task_at_once_tell_the_same(env: Environment, land: Land) -> None:
    land("a.csv", text(0, 30) + "x,2013-01-01T00:00:00Z,five\n")
    (file,) = discover(env, "shop")
    with ThreadPoolExecutor(4) as pool:
        verdicts = list(pool.map(lambda _: ingest(env, file), range(4)))
    assert verdicts == verdicts[:1] * 4
    assert verdicts[0].verdict == "accepted"
    assert kinds(env) == ["file", "sighting"]


def test_a_copy_that_comes_late_tells_what_the_first_one_found(
    env: Environment, land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    land("a.csv", text(0, 30))
    (file,) = discover(env, "shop")
    first = ingest(env, file)
    find = env.ledger.find
    with monkeypatch.context() as patch:  # it looked before the first one had noted the sighting
        patch.setattr(env.ledger, "find", lambda k, *a: None if k == "sighting" else find(k, *a))
        assert ingest(env, file) == first


def test_a_refused_file_is_kept_byte_for_byte(
    env: Environment, land: Land, caplog: pytest.LogCaptureFixture
) -> None:
    content = "id,when,n\n1,2,3\n"
    sha = land("a.csv", content)
    (verdict,) = ingest_all(env)
    assert "shop: a.csv is refused missing_column" in caplog.text  # people are told
    assert (verdict.verdict, verdict.reason) == ("rejected", "missing_column")
    assert "unexpected_column: when" in verdict.detail
    folder = env.lake / "quarantine/shop/files" / sha
    assert (folder / "a.csv").read_text() == content
    told = json.loads((folder / "reason.json").read_text())
    assert told == {"name": "a.csv", "reason": "missing_column", "detail": verdict.detail}
    with pytest.raises(NotReadyError, match="was rejected"):
        validate(env, "shop", sha)
    assert publish(env, "shop", [sha]) == []


def test_bad_rows_are_set_aside_with_their_text(env: Environment, land: Land) -> None:
    sha = land("a.csv", text(0, 28) + "x,2013-01-01T00:00:00Z,five\ny,2013-01-01,5\nz\n")
    (verdict,) = ingest_all(env)
    assert verdict.quarantined == {"bad_type": 1, "naive_timestamp": 1, "ragged_row": 1}
    assert verdict.rows_read == verdict.rows_accepted + sum(verdict.quarantined.values()) == 31
    bad = pl.read_parquet(env.lake / f"quarantine/shop/rows/{sha}.parquet")
    assert bad.select("_row", "_reason", "_column", "id", "n", "_line", "_name").rows() == [
        (29, "bad_type", "n", "x", "five", None, "a.csv"),
        (30, "naive_timestamp", "at", "y", "5", None, "a.csv"),
        (31, "ragged_row", None, None, None, "z", "a.csv"),
    ]
    assert bad["_file"].unique().to_list() == [sha]


def test_a_file_with_too_many_bad_rows_is_refused_whole(env: Environment, land: Land) -> None:
    sha = land("a.csv", text(0, 5) + text(5, 5, n="five").split("\n", 1)[1])
    (verdict,) = ingest_all(env)
    assert (verdict.reason, verdict.staged) == ("too_many_bad_rows", None)
    assert verdict.quarantined == {"bad_type": 5, "too_many_bad_rows": 5}
    assert (env.lake / f"quarantine/shop/files/{sha}/a.csv").exists()
    assert pl.read_parquet(env.lake / f"quarantine/shop/rows/{sha}.refused.parquet").height == 5


def test_a_growing_file_is_not_judged(env: Environment, land: Land) -> None:
    land("a.csv", text(0, 3))
    (file,) = discover(env, "shop")
    land("a.csv", text(0, 4))
    with pytest.raises(NotReadyError, match="changed"):
        ingest(env, file)
    assert kinds(env) == []


def test_rows_that_contradict_published_ones_are_set_aside(env: Environment, land: Land) -> None:
    through_first = land("a.csv", text(0, 20))
    ingest_all(env)
    through(env, through_first)
    sha = land(
        "b.csv", text(18, 1) + text(19, 1, n="6").split("\n", 1)[1] + text(20, 18).split("\n", 1)[1]
    )
    (verdict,) = ingest_all(env)
    assert verdict.quarantined == {}  # a verdict is about the file alone
    (version,) = through(env, sha)
    assert version.set_aside == {"conflicting_key": 1, "duplicate_key": 1}
    assert version.rows == version.rows_added == verdict.rows_accepted - 2
    bad = pl.read_parquet(env.lake / f"quarantine/shop/rows/{sha}.publish.parquet")
    assert bad.select("id", "n", "_row", "_reason").rows() == [
        ("018", "5", 1, "duplicate_key"),
        ("019", "6", 2, "conflicting_key"),
    ]
    assert table(env)["id"].is_unique().all()
    assert table(env).height == 38


@pytest.mark.parametrize("kind", ["file", "sighting", "validation", "dataset_version"])
def test_killed_before_any_record_and_run_again_gives_the_same(
    env: Environment, land: Land, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    checks_text = text(0, 28) + "x,2013-01-01T00:00:00Z,five\n"
    sha = land("a.csv", checks_text)
    context = killed_before(env, kind, monkeypatch)
    with pytest.raises(KilledError):
        lifecycle(env, sha)
    context.__exit__(None, None, None)
    for verdict in ingest_all(env):
        assert (verdict.verdict, verdict.rows_accepted) == ("accepted", 28)
        assert verdict.quarantined == {"bad_type": 1}
    (version,) = through(env, sha)
    assert (version.version, version.total_rows) == (0, 28)
    assert kinds(env) == ["file", "sighting", "validation", "dataset_version"]
    assert table(env).height == 28
    assert not list(env.lake.rglob("*.tmp"))


def test_published_twice_is_one_commit(env: Environment, land: Land) -> None:
    sha = land("a.csv", text(0, 30))
    ingest_all(env)
    first = through(env, sha)
    assert publish(env, "shop", [sha, sha]) == first
    assert delta.version(env.table("shop")) == 0


def test_a_publication_interrupted_keeps_its_own_version(
    env: Environment, land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = land("a.csv", text(0, 30)), land("b.csv", text(30, 10))
    ingest_all(env)
    context = killed_before(env, "dataset_version", monkeypatch)
    with pytest.raises(KilledError):
        through(env, one)
    context.__exit__(None, None, None)
    (second,) = through(env, two)
    (first,) = publish(env, "shop", [one])
    assert [(v.version, v.rows, v.total_rows) for v in (first, second)] == [
        (0, 30, 30),
        (1, 10, 40),
    ]


def test_two_files_judged_at_once_do_not_publish_a_key_twice(env: Environment, land: Land) -> None:
    one, two = land("a.csv", text(0, 30)), land("b.csv", text(29, 30))
    ingest_all(env)
    first, second = through(env, one, two)
    assert (first.rows, second.rows, second.total_rows) == (30, 29, 59)
    late = pl.read_parquet(env.lake / f"quarantine/shop/rows/{two}.publish.parquet")
    assert late.select("id", "_reason", "_row").rows() == [("029", "duplicate_key", 1)]


def test_an_append_that_would_cast_is_refused(
    opened: Callable[..., Environment], land: Land
) -> None:
    one, two = land("a.csv", text(0, 3, n="5.5")), land("b.csv", text(3, 3))
    env = opened(n="{type: float}")
    ingest(env, discover(env, "shop")[0])
    through(env, one)
    env = opened()
    ingest_all(env)
    validate(env, "shop", two)
    with pytest.raises(DataError, match="n is double in the table and int64 by the contract"):
        publish(env, "shop", [two])
    assert table(env).height == 3


BLOCK = "{expect: expect_table_row_count_to_be_between, min_value: 100, severity: block}"
ASIDE = (
    "{expect: expect_column_values_to_be_between, column: n, max_value: 9, severity: quarantine}"
)
WARN = "{expect: expect_column_values_to_be_between, column: n, max_value: 1, severity: warn}"


def test_a_block_check_refuses_the_file(
    opened: Callable[..., Environment], land: Land, caplog: pytest.LogCaptureFixture
) -> None:
    env, sha = opened(BLOCK, WARN), land("a.csv", text(0, 30))
    ingest_all(env)
    validation = validate(env, "shop", sha)
    assert "shop: a.csv breaks its contract and is not published" in caplog.text  # people are told
    assert (validation.passed, validation.blocked) == (
        False,
        ("expect_table_row_count_to_be_between",),
    )
    folder = env.lake / "quarantine/shop/files" / sha
    assert (folder / "a.csv").read_text() == text(0, 30)
    assert json.loads((folder / "reason.json").read_text())["reason"] == "check_failed"
    with caplog.at_level(logging.WARNING):
        assert publish(env, "shop", [sha]) == []
    assert "a.csv is not published" in caplog.text
    assert not delta.exists(env.table("shop"))


def test_a_quarantine_check_moves_its_rows(opened: Callable[..., Environment], land: Land) -> None:
    env = opened(ASIDE)
    sha = land("a.csv", text(0, 28) + "x,2013-01-01T00:00:00Z,0010\ny,2013-01-01T00:00:00Z,z\n")
    (verdict,) = ingest_all(env)
    validation = validate(env, "shop", sha)
    assert (validation.passed, validation.quarantined) == (True, 1)
    bad = pl.read_parquet(env.lake / f"quarantine/shop/rows/{sha}.checks.parquet")
    assert bad.select("_row", "_reason", "_column", "_check", "id", "n").rows() == [
        (29, "check_failed", "n", "expect_column_values_to_be_between", "x", "0010")
    ]
    (version,) = publish(env, "shop", [sha])
    assert version.rows == verdict.rows_accepted - validation.quarantined == 28
    assert "x" not in table(env)["id"]


def test_checks_that_set_too_many_rows_aside_refuse_the_file(
    opened: Callable[..., Environment], land: Land
) -> None:
    env = opened(ASIDE)
    sha = land("a.csv", text(0, 20) + text(20, 6, n="10").split("\n", 1)[1])
    ingest_all(env)
    validation = validate(env, "shop", sha)
    assert not validation.passed
    assert validation.blocked == ("too_many_bad_rows: 6 of 26 rows are bad, 20.0% are allowed",)
    assert validation.quarantined == 0


def test_a_warning_is_recorded_and_passes(opened: Callable[..., Environment], land: Land) -> None:
    env, sha = opened(WARN), land("a.csv", text(0, 30))
    ingest_all(env)
    validation = validate(env, "shop", sha)
    assert validation.passed
    assert validation.warned == ("expect_column_values_to_be_between(n)",)
    assert validation.results[-1].unexpected == 30
    page = (env.reports / str(validation.docs)).read_text()
    assert "Verdict: passed; warned by" in page
    assert "http" not in page
    assert len(publish(env, "shop", [sha])) == 1


def test_what_was_not_ingested_or_validated_is_not_ready(env: Environment, land: Land) -> None:
    sha = land("a.csv", text(0, 3))
    with pytest.raises(NotReadyError, match="ingest it first"):
        validate(env, "shop", sha)
    ingest_all(env)
    assert publish(env, "shop", [sha]) == []
