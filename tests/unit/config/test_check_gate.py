"""What the gate is asked for is judged before anything runs."""

from pathlib import Path

import pytest

from trimtab.config import load_project

DATASET = """
dataset: trips
owner: me
source: {kind: files, uri: landing/x}
key: [id]
columns:
  id: {type: int}
  who: {type: category}
  size: {type: float}
  late: {type: bool}
"""
MODEL = "model: m\npurpose: Say something useful.\nowner: me\ndata: {from: trips}\n"


@pytest.mark.parametrize(
    ("target", "gate", "said"),
    [
        ("late", "versus_champion: {group: whom}", "no column 'whom'"),
        ("late", "versus_champion: {group: late}", "late is the target itself"),
        ("late", "versus_champion: {group: who}, calibration: 0.05", ""),
        ("late", "slice_floor: 0.6", "no slice the floor could be judged in"),
        ("late", "slice_floor: 0.6, discover_slices: 3", ""),
        ("size", "calibration: 0.1", "a regression has no probabilities"),
        ("late", "versus_linear: -1", "versus_linear"),
    ],
)
def test_gate(tmp_path: Path, target: str, gate: str, said: str) -> None:
    text = f"{MODEL}target: {{column: {target}}}\ngate: {{{gate}}}\n"
    for name, content in {"datasets/trips.yaml": DATASET, "models/m.yaml": text}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    problems = [str(problem) for problem in load_project(tmp_path).problems]
    assert len(problems) == bool(said)
    assert said in " ".join(problems)
