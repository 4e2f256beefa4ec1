"""What split and train ask for is judged before anything runs, every problem with its fix."""

from pathlib import Path

import pytest

from trimtab.config import Project, load_project
from trimtab.config.columns import feature_columns, split_by
from trimtab.config.registered import Registered

DATASET = """
owner: me
source: {kind: files, uri: landing/x}
key: [id]
columns:
  id: {type: int}
  at: {type: time}
  who: {type: category}
  kind: {type: category}
  size: {type: float}
"""
MODEL = "model: m\npurpose: Say something useful.\nowner: me\n"


def project(folder: Path, text: str, defaults: str = "train: {seed: 1}\n") -> Project:
    files = {
        "datasets/timed.yaml": f"dataset: timed\ntime: at\n{DATASET}",
        "datasets/still.yaml": f"dataset: still\n{DATASET}",
        "models/m.yaml": MODEL + text,
        "defaults.yaml": defaults,
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    return load_project(folder, registered=Registered(("linear", "boosted_trees"), ("mine",)))


NUMBER = "data: {from: timed}\ntarget: {column: size}\ntrain: {candidates: [linear]}\n"
CLASSES = "data: {from: still}\ntarget: {column: kind}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            NUMBER.replace("[linear]", "[linear], calibrate: sigmoid, balance: true"),
            ["a regression has no probabilities", "a regression has no classes"],
        ),
        (NUMBER.replace("[linear]", "[xgboost]"), ["pip install 'trimtab[xgboost]'"]),
        (NUMBER.replace("[linear]", "[forest]"), ["no estimator 'forest'"]),
        (NUMBER.replace("[linear]", "[]"), ["no estimator is left"]),
        (NUMBER.replace("[linear]", "[linear], function: mine"), ["takes the place of candidates"]),
        (CLASSES + "train: {function: yours}\n", ["no training function 'yours'"]),
        (CLASSES + "split: {by: time}\n", ["still has no time column to split by"]),
        (CLASSES + "split: {by: group}\n", ["a split by group needs its column"]),
        (CLASSES + "split: {by: random, group: who}\n", ["a split by random keeps no group"]),
        (CLASSES + "split: {holdout: 3d}\n", ["a duration needs event time"]),
        (NUMBER + "split: {group: who, holdout: 3d}\n", ["a duration needs a split by time"]),
    ],
)
def test_a_contradiction_is_named(tmp_path: Path, text: str, said: list[str]) -> None:
    found = [str(problem) for problem in project(tmp_path, text).problems]
    assert len(found) == len(said)
    for problem, words in zip(sorted(found), sorted(said), strict=True):
        assert words in problem


@pytest.mark.parametrize(
    ("text", "by"),
    [
        (NUMBER, "time"),
        (NUMBER + "split: {holdout: 3d}\n", "time"),
        (NUMBER + "split: {by: random}\n", "random"),
        (NUMBER + "split: {group: who}\n", "group"),
        (CLASSES + "train: {candidates: [linear]}\n", "random"),
        (CLASSES + "train: {function: mine, calibrate: isotonic, balance: true}\n", "random"),
    ],
)
def test_what_fits_has_its_split(tmp_path: Path, text: str, by: str) -> None:
    found = project(tmp_path, text)
    assert found.problems == ()
    model = found.model("m")
    assert split_by(model, found.catalog) == by
    assert ("who" in feature_columns(model, found.catalog)) == (by != "group")


def test_defaults_with_candidates_are_overruled(tmp_path: Path) -> None:
    defaults = "train: {candidates: [linear]}\n"
    clash = project(tmp_path, CLASSES + "train: {function: mine}\n", defaults)
    assert "candidates: []" in str(clash.problems[0])
    fine = project(tmp_path, CLASSES + "train: {function: mine, candidates: []}\n", defaults)
    assert fine.model("m").train.families == ("mine",)
