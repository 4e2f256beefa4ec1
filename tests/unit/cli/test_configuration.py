import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from trimtab.cli.configuration import schemas

ROOT = Path(__file__).parents[3]
Call = Callable[..., Result]


def test_a_sound_project_passes(call: Call) -> None:
    result = call("check")
    assert result.exit_code == 0, result.output
    assert "1 datasets, 0 views, 1 models" in result.stdout
    assert "all fine" in result.stdout


def test_every_problem_of_every_file_with_its_line(
    call: Call, document: Callable[..., dict[str, Any]], project: Path
) -> None:
    config = project / "config"
    sales = config / "datasets/sales.yaml"
    sales.write_text(sales.read_text() + "colour: red\npartition: year\n")
    (config / "models/twice.yaml").write_text("model: twice\nmodel: twice\n")
    (config / "environments").mkdir()
    (config / "environments/prod.yaml").write_text("environment: prod\nlacke: s3\n")
    (config / "defaults.yaml").write_text("train: [\n")
    result = call("check")
    assert result.exit_code == 1
    for place in (
        "sales.yaml:9: colour: unknown key",
        "sales.yaml:10: partition",
        "twice.yaml:2: (file): key 'model' stands twice",
        "prod.yaml:2: lacke: unknown key Fix: did you mean lake?",
        "defaults.yaml:",
        "lateness.yaml:4: data.from: there is no usable dataset 'sales'",
    ):
        assert place in result.stdout.replace("\n", " ").replace(". Fix", " Fix"), place
    found = document("check")
    assert not found["ok"]
    assert {Path(problem["file"]).name for problem in found["problems"]} == {
        "sales.yaml",
        "twice.yaml",
        "prod.yaml",
        "defaults.yaml",
        "lateness.yaml",
    }


def test_an_unknown_estimator_is_named(call: Call, project: Path) -> None:
    model = project / "config/models/lateness.yaml"
    model.write_text(model.read_text() + "train: {candidates: [linaer]}\n")
    result = call("check")
    assert result.exit_code == 1
    assert "lateness.yaml:6: train.candidates.0: there is no estimator 'linaer'" in result.stdout


def test_what_only_the_libraries_know(
    call: Call, document: Callable[..., dict[str, Any]], project: Path
) -> None:
    sales = project / "config/datasets/sales.yaml"
    check = "checks: [{expect: expect_column_value_to_be_unique, column: nothing}]\n"
    sales.write_text(sales.read_text() + check)
    assert call("check", "--quick").exit_code == 0
    (found,) = document("check")["problems"]
    assert (found["line"], found["key"]) == (9, "checks.0")
    assert "there is no column 'nothing'" in found["message"]


def test_a_config_folder_that_is_not_there(call: Call, project: Path) -> None:
    result = call("check", "--config", project / "nowhere")
    assert result.exit_code == 1
    assert "there is no such folder" in result.stderr
    assert "Traceback" not in result.output


def test_schemas_are_written_and_checked(call: Call, project: Path) -> None:
    assert call("schema", "--check").exit_code == 1
    assert call("schema").exit_code == 0
    assert call("schema", "--check").exit_code == 0
    (project / "config/schema/model.json").write_text("{}")
    result = call("schema", "--check")
    assert result.exit_code == 1
    assert "model.json" in result.stderr


@pytest.mark.parametrize("name", ["dataset", "model", "environment", "gate"])
def test_the_committed_schemas_are_those_of_the_code(name: str) -> None:
    file = ROOT / "config/schema" / f"{name}.json"
    assert file.read_text() == schemas()[name], "run: uv run trimtab schema"


def test_help_and_the_quick_check_import_nothing_heavy(project: Path) -> None:
    heavy = "mlflow sklearn polars pandas sqlalchemy airflow great_expectations evidently optuna"
    code = (
        "import sys; from trimtab.cli import app\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        f"print('heavy:', sorted(set({heavy!r}.split()) & set(sys.modules)))"
    )
    for verb in (["--help"], ["check", "--quick"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *verb], capture_output=True, text=True, check=True
        )
        assert done.stdout.endswith("heavy: []\n"), (verb, done.stdout)
