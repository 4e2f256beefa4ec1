"""A broken file names file, line, key, problem and fix – all at once – and takes down only itself."""

from pathlib import Path

import pytest

from trimtab.config import load_project
from trimtab.config.columns import feature_columns, primary_metric, task_of
from trimtab.config.registered import Registered
from trimtab.errors import ConfigError

DATASET = """\
dataset: trips
owner: me
source: {kind: files, uri: landing/trips}
key: [id]
time: at
columns:
  id: {type: int}
  at: {type: time}
  place: {type: category, values: [NO, SE]}
  note: {type: text, nullable: true}
  minutes: {type: float, nullable: true, known_after: arrival}
"""
MODEL = """\
model: duration
purpose: Say how long a trip takes.
owner: me
data: {from: trips}
target: {column: minutes}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "datasets/trips.yaml", DATASET)
    write(tmp_path, "models/duration.yaml", MODEL)
    return tmp_path


def write(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def problems(folder: Path) -> list[str]:
    return [
        str(p).replace(f"{folder}/", "")
        for p in load_project(
            folder, registered=Registered(estimators=("linear", "boosted_trees"))
        ).problems
    ]


def test_a_good_folder_has_no_problems_and_the_defaults_fill_in(folder: Path) -> None:
    write(folder, "defaults.yaml", "train: {tune: {trials: 3}}\napprove: manual\n")
    project = load_project(folder)
    model = project.model("duration")
    assert project.problems == ()
    assert (model.train.tune.trials, model.train.tune.sample) == (3, 50_000)
    assert model.approve.mode == "manual"


def test_words_that_yaml_1_1_takes_for_booleans_stay_words(folder: Path) -> None:
    assert load_project(folder).dataset("trips").columns["place"].values == ("NO", "SE")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("owner: me", "owner: me\nonwer: you", "models/duration.yaml:4: onwer: unknown key Fix: did you mean owner?"),
        ("owner: me\n", "", "models/duration.yaml:1: owner: is required Fix: add it, for example 'owner: …'"),
        ("{column: minutes}", "{column: hours}", "models/duration.yaml:5: target.column: trips has no column 'hours' Fix: known are ['at', 'id', 'minutes', 'note', 'place']"),
        ("{column: minutes}", "{column: minuts}", "models/duration.yaml:5: target.column: trips has no column 'minuts' Fix: did you mean minutes?"),
        ("{from: trips}", "{from: tripps}", "models/duration.yaml:4: data.from: there is no usable dataset 'tripps' Fix: known are ['trips']; correct the name, or the dataset's own file first"),
        ("owner: me", "owner: me\ntrain: {candidates: [linear, magic]}", "models/duration.yaml:4: train.candidates.1: there is no estimator 'magic' Fix: choose from ['boosted_trees', 'linear'], or register it"),
        ("owner: me", "owner: me\ngate: {primary: roc_auc}", "models/duration.yaml:4: gate.primary: roc_auc is no metric of a regression model Fix: choose from ['r2', 'neg_mean_absolute_error', 'neg_root_mean_squared_error']"),
        ("owner: me", "owner: me\nsplit: {holdout: 2 moons}", "models/duration.yaml:4: split.holdout"),
        ("owner: me", "owner: me\nfeatures: {include: [minutes]}", "models/duration.yaml:4: features.include.0: minutes is the target itself Fix: take it out of include"),
        ("model: duration", "model: length", "models/duration.yaml:1: model: the file is named duration, the model length Fix: rename the file to length.yaml or the model to duration"),
        ("owner: me", "owner: me\nowner: you", "models/duration.yaml:4: (file): key 'owner' stands twice Fix: keep one of them"),
        ("owner: me", "owner: !!python/object/apply:os.system [ls]", "models/duration.yaml:3: (file)"),
        ("owner: me", "owner: [me", "models/duration.yaml:4: (file): is not YAML"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_line_key_and_fix(
    folder: Path, old: str, new: str, expected: str
) -> None:
    write(folder, "models/duration.yaml", MODEL.replace(old, new))
    assert any(problem.startswith(expected) for problem in problems(folder)), problems(folder)


def test_a_leaking_feature_is_refused(folder: Path) -> None:
    write(folder, "datasets/trips.yaml", DATASET + "  paid: {type: float, known_after: payment}\n")
    write(folder, "models/duration.yaml", MODEL + "features: {include: [place, paid]}\n")
    assert problems(folder) == [
        "models/duration.yaml:6: features.include.1: paid leaks the future: it is known only after "
        "payment Fix: take it out of include; at prediction time it has no value"
    ]


def test_all_problems_of_all_files_at_once_and_the_good_ones_go_on(folder: Path) -> None:
    write(folder, "models/other.yaml", MODEL.replace("duration", "other"))
    write(folder, "models/bad.yaml", "model: bad\npurpose: x\ndata: {from: trips, to: x}\n")
    write(folder, "datasets/worse.yaml", "dataset: worse\ncolumns: 3\n")
    project = load_project(folder)
    assert sorted(project.models) == ["duration", "other"]
    assert sorted(project.datasets) == ["trips"]
    by_file = {Path(p.file).name for p in project.problems}
    keys = {p.key for p in project.problems}
    assert by_file == {"bad.yaml", "worse.yaml"}
    assert {"purpose", "owner", "data.to", "target", "source", "key", "columns"} <= keys
    with pytest.raises(ConfigError, match="unknown key"):
        project.model("bad")


def test_a_broken_dataset_takes_its_models_down_by_name(folder: Path) -> None:
    write(folder, "datasets/trips.yaml", DATASET.replace("type: int", "type: integer"))
    project = load_project(folder)
    assert not project.datasets
    assert not project.models
    assert {p.key for p in project.problems} == {"columns.id.type", "data.from"}


def test_features_are_what_is_known_before(folder: Path) -> None:
    project = load_project(folder)
    model = project.model("duration")
    assert list(feature_columns(model, project.catalog)) == ["at", "place"]
    assert task_of(model, project.catalog) == "regression"
    assert primary_metric(model, "regression") == "r2"


def test_an_alias_bomb_and_a_huge_file_are_refused(folder: Path) -> None:
    layers = "\n".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30))
    write(folder, "models/bomb.yaml", f"a0: &a0 [x]\n{layers}\n")
    write(folder, "models/huge.yaml", "model: huge\n" + "# padding\n" * 200_000)
    named = {Path(p.file).name: p.message for p in load_project(folder).problems}
    assert "alias" in named["bomb.yaml"]
    assert "bytes" in named["huge.yaml"]
