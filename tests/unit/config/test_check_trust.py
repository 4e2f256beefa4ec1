"""What is asked of fairness and behaviour is judged before anything runs."""

from pathlib import Path

import pytest

from trimtab.config import load_project
from trimtab.config.registered import Registered

DATASET = """
dataset: people
owner: me
source: {kind: files, uri: landing/people}
key: [id]
time: at
columns:
  id: {type: int}
  at: {type: time}
  age: {type: int}
  origin: {type: category}
  late: {type: bool}
  hours: {type: float}
"""
MODEL = "model: m\npurpose: Say something useful.\nowner: me\ndata: {from: people}\n"


def problems(folder: Path, text: str) -> list[str]:
    files = {"datasets/people.yaml": DATASET, "models/m.yaml": MODEL + text}
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    return [
        str(each)
        for each in load_project(folder, registered=Registered(behaviour=("rises",))).problems
    ]


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("fairness: {columns: [agee]}", "no column 'agee' Fix: did you mean age?"),
        ("fairness: {columns: [late]}", "late is the target itself"),
        ("fairness: {columns: [at]}", "at is a time, which makes no groups"),
        ("fairness: {columns: []}", "at least 1"),
        ("fairness: {columns: [age], equalized_odds: 2}", "less than or equal to 1"),
        ("behaviour: [falls]", "no behaviour test 'falls' Fix: registered are ['rises']"),
        ("robustness: {noise: -1}", "greater than 0"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, gate: str, said: str) -> None:
    (found,) = problems(tmp_path, f"target: {{column: late}}\ngate: {{{gate}}}\n")
    assert said in found


def test_both_kinds_of_mistakes_are_told_at_once(tmp_path: Path) -> None:
    gate = "gate: {fairness: {columns: [agee]}, behaviour: [falls]}\n"
    found = problems(tmp_path, f"target: {{column: late}}\n{gate}")
    assert len(found) == 2


def test_a_regression_has_no_positive_answers(tmp_path: Path) -> None:
    text = "target: {column: hours}\ngate: {fairness: {columns: [age], demographic_parity: 0.1, error: 2}}\n"
    (found,) = problems(tmp_path, text)
    assert "gate.fairness.demographic_parity: a regression has no positive answers" in found


def test_what_fits_is_fine(tmp_path: Path) -> None:
    text = "target: {column: late}\ngate: {fairness: {columns: [age, origin], error: 0.1}, behaviour: [rises]}\n"
    assert problems(tmp_path, text) == []
