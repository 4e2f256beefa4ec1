"""A number of the business that cannot work is told before anything runs."""

from pathlib import Path

import pytest

from trimtab.config import load_project
from trimtab.config.registered import Registered

DATASET = """
dataset: orders
owner: me
source: {kind: files, uri: landing/orders}
key: [id]
columns:
  id: {type: int}
  price: {type: float}
  place: {type: category}
  late: {type: bool, known_after: delivery}
"""
MODEL = """
model: lateness
purpose: Say which order will be late, for the tests.
owner: me
data: {from: orders}
target: {column: late}
"""


def problems(folder: Path, kpi: str) -> list[str]:
    for name, text in (
        ("datasets/orders.yaml", DATASET),
        ("models/lateness.yaml", f"{MODEL}monitor: {{kpi: [{kpi}]}}\n"),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    found = load_project(folder, registered=Registered(kpis=("margin",))).problems
    return [str(each).split(": ", 1)[1] for each in found]


@pytest.mark.parametrize(
    "kpi",
    [
        "{name: a, sql: 'SELECT avg(prediction) FROM scored'}",
        "{name: a, sql: \"SELECT sum(price) FILTER (place = 'x' AND prediction > 0.5) FROM scored\"}",
        "{name: a, sql: 'SELECT count(*) / 2 FROM scored WHERE target = 1', min: 1, max: 2}",
        "{name: a, function: margin}",
    ],
)
def test_what_works_is_no_problem(tmp_path: Path, kpi: str) -> None:
    assert problems(tmp_path, kpi) == []


@pytest.mark.parametrize(
    ("kpi", "key", "said"),
    [
        ("{name: a, sql: 'SELECT foo FROM scored'}", "kpi.0.sql", '"foo" not found'),
        ("{name: a, sql: 'SELECT 1 FROM elsewhere'}", "kpi.0.sql", "elsewhere does not exist"),
        ("{name: a, sql: 'avg(price)'}", "kpi.0.sql", "write one number of the table scored"),
        ("{name: a, sql: 'SELECT id, price FROM scored'}", "kpi.0.sql", "gives 2 columns"),
        ("{name: a, sql: 'SELECT max(place) FROM scored'}", "kpi.0.sql", "gives VARCHAR"),
        ("{name: a, sql: \"SELECT * FROM read_csv('/etc/passwd')\"}", "kpi.0.sql", "disabled"),
        ("{name: a, function: nix}", "kpi.0.function", "registered are ['margin']"),
        ("{name: a, function: margin, min: 2, max: 1}", "kpi.0", "min 2 is above max 1"),
        ("{name: a}", "kpi.0", "either sql or function"),
        (
            "{name: a, function: margin}, {name: a, function: margin}",
            "kpi.1.name",
            "stands twice",
        ),
    ],
)
def test_what_cannot_work_is_told(tmp_path: Path, kpi: str, key: str, said: str) -> None:
    [found] = problems(tmp_path, kpi)
    assert found.startswith(f"monitor.{key}")
    assert said in found


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    kpis = "{name: a, sql: 'SELECT foo FROM scored'}, {name: a, function: nix}"
    assert len(problems(tmp_path, kpis)) == 3
