"""A broken YAML takes down only itself, and Airflow shows every problem of every file."""

import shutil
import sys
from pathlib import Path

import pytest

from trimtab.errors import ConfigError
from trimtab_airflow.factory import datasets, models, raise_problems


@pytest.fixture
def config(root: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    shutil.copytree(root / "config", folder)
    return folder


def ids(config: Path) -> set[str]:
    return {dag.dag_id for dag in [*datasets(config=config), *models(config=config)]}


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_good_files_raise_nothing(config: Path) -> None:
    raise_problems(config)


def test_a_broken_model_leaves_the_other_alone(config: Path) -> None:
    whole = ids(config)
    change(config / "models" / "air_time.yaml", "purpose:", "porpuse:")
    assert whole - ids(config) == {"air_time.train", "air_time.score", "air_time.monitor"}


def test_a_broken_dataset_takes_its_models_but_no_dataset(config: Path) -> None:
    change(config / "datasets" / "planes.yaml", "key: [tailnum]", "key: [tail]")
    left = ids(config)
    assert "planes.ingest" not in left
    assert {"flights.ingest", "weather.ingest", "airports.ingest"} <= left


def test_a_cron_that_is_none_takes_down_only_its_file(config: Path) -> None:
    whole = ids(config)
    (config / "models" / "air_time.yaml").open("a").write("score: {schedule: sometimes}\n")
    assert whole - ids(config) == {"air_time.train", "air_time.score", "air_time.monitor"}
    with pytest.raises(ConfigError, match=r"air_time.yaml:1: score.schedule: 'sometimes'"):
        raise_problems(config)


def test_one_error_lists_all_problems_of_all_files(config: Path) -> None:
    change(config / "models" / "air_time.yaml", "purpose:", "porpuse:")
    change(config / "models" / "flight_delay.yaml", "at_least: 15", "at_least: soon")
    change(config / "datasets" / "planes.yaml", "key: [tailnum]", "key: [tail]")
    change(config / "datasets" / "airports.yaml", "key: [faa]", "key: [faa]\nkey: [faa]")
    with pytest.raises(ConfigError) as caught:
        raise_problems(config)
    text = str(caught.value)
    for part in ("air_time.yaml:3: porpuse", "flight_delay.yaml", "planes.yaml", "airports.yaml"):
        assert part in text, part


def test_an_estimator_that_is_not_there_is_found_when_parsed(config: Path) -> None:
    whole = ids(config)
    change(config / "models" / "air_time.yaml", "min_rows: 40000", "candidates: [linaer]")
    assert whole - ids(config) == {"air_time.train", "air_time.score", "air_time.monitor"}
    with pytest.raises(ConfigError, match=r"train.candidates.0: there is no estimator 'linaer'"):
        raise_problems(config)


def test_a_broken_module_of_estimators_takes_no_dag_down(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ids(config)
    (tmp_path / "trimtab_estimators.py").write_text("1 / 0\n")
    monkeypatch.delitem(sys.modules, "trimtab_estimators", raising=False)  # of another test
    monkeypatch.syspath_prepend(tmp_path)
    assert ids(config) == whole
    with pytest.raises(ConfigError, match=r"trimtab_estimators cannot be imported: ZeroDiv"):
        raise_problems(config)


def test_shards_are_a_partition(config: Path) -> None:
    parts = [{dag.dag_id for dag in models(config=config, shard=(i, 3))} for i in range(3)]
    assert set.union(*parts) == {dag.dag_id for dag in models(config=config)}
    assert sum(map(len, parts)) == len(set.union(*parts))
