"""What is refused of feature views, their use, and derived columns: with line, reason and fix."""

from pathlib import Path

import pytest

from trimtab.config import load_project
from trimtab.config.registered import Registered

DATASETS = {
    "datasets/trips.yaml": """\
dataset: trips
owner: me
source: {kind: files, uri: landing/trips}
key: [id]
time: at
columns:
  id: {type: int}
  at: {type: time}
  landed: {type: time, nullable: true, known_after: arrival}
  place: {type: category}
  km: {type: float}
  seat: {type: int}
  taxi: {type: float, nullable: true, known_after: arrival}
  minutes: {type: float, nullable: true}
  late: {type: bool, nullable: true, consequence_of: [minutes]}
  refund: {type: float, nullable: true, consequence_of: [late]}
""",
    "datasets/air.yaml": """\
dataset: air
owner: me
source: {kind: files, uri: landing/air}
key: [place, hour]
time: hour
columns:
  place: {type: category}
  hour: {type: time}
  told: {type: time}
  rain: {type: float}
  damage: {type: float, known_after: survey}
""",
    "datasets/places.yaml": """\
dataset: places
owner: me
source: {kind: files, uri: landing/places}
key: [place]
columns:
  place: {type: category}
  size: {type: int}
""",
}
VIEW = """\
view: sky
owner: me
from: air
entity: [place]
columns: [rain]
"""
MODEL = """\
model: duration
purpose: Say how long a trip takes.
owner: me
data: {from: trips, views: [{view: sky}]}
target: {column: minutes}
"""
FUNCTIONS = {"peek": ("km", "taxi"), "fine": ("km",), "odd": ("nothing",), "all": None}


def problems(folder: Path, files: dict[str, str]) -> list[str]:
    for name, text in {
        **DATASETS,
        "features/sky.yaml": VIEW,
        "models/duration.yaml": MODEL,
        **files,
    }.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    found = load_project(
        folder, registered=Registered(("linear", "boosted_trees"), features=FUNCTIONS)
    ).problems
    return [str(p).replace(f"{folder}/", "") for p in found]


def test_a_good_view_is_usable(tmp_path: Path) -> None:
    assert problems(tmp_path, {}) == []
    project = load_project(tmp_path)
    assert list(project.views) == ["sky"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("from: air", "from: aire", "features/sky.yaml:3: from: there is no usable dataset 'aire'"),
        ("[place]", "[plaice]", "features/sky.yaml:4: entity.0: air has no column 'plaice' Fix: did you mean place?"),
        ("[place]", "[place, place]", "features/sky.yaml:4: entity.1: place stands twice"),
        ("[place]", "[rain]", "features/sky.yaml:4: entity.0: rain is float, which names no entity"),
        ("[place]", "[hour]", "features/sky.yaml:4: entity.0: hour is time, which names no entity"),
        ("from: air", "from: places", "features/sky.yaml:1: time: places has no event time"),
        ("[rain]", "[rian]", "features/sky.yaml:5: columns.0: air has no column 'rian' Fix: did you mean rain?"),
        ("[rain]", "[damage]", "features/sky.yaml:5: columns.0: damage leaks the future: it is known only after survey"),
        ("[rain]", "[]", "features/sky.yaml:5: columns: sky brings no column"),
        ("[rain]", "[rain]\ntime: rain", "features/sky.yaml:6: time: rain is float, not a time Fix: times are ['hour', 'told']"),
        ("[rain]", "[rain]\nknown: tald", "features/sky.yaml:6: known: air has no column 'tald' Fix: did you mean told?"),
        ("[rain]", "[rain]\nknown: told\ndelay: 1h", "features/sky.yaml:1: (file): known and delay both say when a row is known"),
        ("[rain]", "[rain]\nderive: {wet: {type: bool, sql: rian > 1}}", "features/sky.yaml:6: derive.wet.sql: wet reads 'rian', which is no column before it Fix: did you mean rain?"),
        ("[rain]", "[rain]\nderive: {wet: {type: bool, sql: 'rain >'}}", "features/sky.yaml:6: derive.wet.sql: wet is no SQL expression: syntax error"),
        ("[rain]", "[rain]\nderive: {wet: {type: bool, sql: damage > 1}}", "features/sky.yaml:6: derive.wet.sql: wet leaks the future: it reads damage, known only after survey"),
        ("[rain]", "[rain]\nderive: {wet: {type: float, sql: rain - avg(rain) OVER ()}}", "features/sky.yaml:6: derive.wet.sql: wet has a window function"),
        ("[rain]", "[rain]\nderive: {wet: {type: time, sql: rain * 2}}", "features/sky.yaml:6: derive.wet.sql: wet does not work on its columns"),
        ("[rain]", "[rain]\nderive: {rain: {type: float, sql: rain * 2}}", "features/sky.yaml:6: derive.rain: the rows have a column 'rain' already"),
        ("[rain]", "[rain]\nderive: {wet: {type: bool, function: fin}}", "features/sky.yaml:6: derive.wet.function: wet is made by a function 'fin' that nobody registered"),
        ("[rain]", "[rain]\nderive: {wet: {type: bool, function: odd}}", "features/sky.yaml:6: derive.wet.function: wet reads 'nothing', which is no column before it"),
        ("[rain]", "[rain]\nderive: {wet: {type: bool}}", "features/sky.yaml:6: derive.wet: a derived column has either sql or function"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_view_is_named(tmp_path: Path, old: str, new: str, expected: str) -> None:
    found = problems(tmp_path, {"features/sky.yaml": VIEW.replace(old, new)})
    assert any(problem.startswith(expected) for problem in found), found
    assert any("no usable feature view 'sky'" in problem for problem in found)


def test_a_column_known_later_is_fine_with_the_time_it_became_known(tmp_path: Path) -> None:
    view = VIEW.replace(
        "[rain]", "[rain, damage]\nknown: told\nderive: {loss: {type: float, sql: damage * 2}}"
    )
    model = MODEL + "features: {include: [sky_damage, sky_loss]}\n"
    assert problems(tmp_path, {"features/sky.yaml": view, "models/duration.yaml": model}) == []


OWN = VIEW.replace("sky", "trace").replace("from: air", "from: trips")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("view: sky}", "view: ski}", "models/duration.yaml:4: data.views.0.view: there is no usable feature view 'ski'"),
        ("view: sky}", "view: sky, columns: [snow]}", "models/duration.yaml:4: data.views.0.columns.0: sky has no column 'snow'"),
        ("view: sky}", "view: sky, on: {plaice: place}}", "models/duration.yaml:4: data.views.0.on: trips has no column 'plaice' Fix: did you mean place"),
        ("view: sky}", "view: sky, on: {place: zone}}", "models/duration.yaml:4: data.views.0.on: on names ['zone']; sky is of ['place']"),
        ("view: sky}", "view: sky, on: {seat: place}}", "models/duration.yaml:4: data.views.0.on: seat is int in trips, place is category in air"),
        ("view: sky}", "view: sky, as_of: km}", "models/duration.yaml:4: data.views.0.as_of: 'km' is no time column of trips Fix: name one of ['at', 'landed']"),
        ("view: sky}", "view: sky, as_of: landed}", "models/duration.yaml:4: data.views.0.as_of: landed leaks the future: it is known only after arrival"),
        ("view: sky}", "view: sky}, {view: sky}", "models/duration.yaml:4: data.views.1: the rows have a column 'sky_rain' already"),
        ("view: sky}", "view: trace}", "models/duration.yaml:4: data.views.0: feature view trace leaks the target of a row into itself: refund"),
        ("owner: me", "owner: me\nfeatures: {include: [refund]}", "models/duration.yaml:4: features.include.0: refund leaks the target: it follows from minutes"),
        ("owner: me", "owner: me\nfeatures: {exclude: [rfund]}", "models/duration.yaml:4: features.exclude.0: the rows have no column 'rfund' Fix: did you mean refund?"),
        ("owner: me", "owner: me\nfeatures: {trust: [sky_rian]}", "models/duration.yaml:4: features.trust.0: the rows have no column 'sky_rian' Fix: did you mean sky_rain?"),
        ("owner: me", "owner: me\nfeatures: {derive: {x: {type: float, sql: minutes * 2}}}", "models/duration.yaml:4: features.derive.x.sql: x leaks the future: it reads minutes, the target itself"),
        ("owner: me", "owner: me\nfeatures: {derive: {x: {type: float, sql: refund * 2}}}", "models/duration.yaml:4: features.derive.x.sql: x leaks the future: it reads refund, which follows from the target"),
        ("owner: me", "owner: me\nfeatures: {derive: {x: {type: float, sql: taxi * 2}}}", "models/duration.yaml:4: features.derive.x.sql: x leaks the future: it reads taxi, known only after arrival"),
        ("owner: me", "owner: me\nfeatures: {derive: {x: {type: float, function: peek}}}", "models/duration.yaml:4: features.derive.x.function: x leaks the future: it reads taxi, known only after arrival"),
        ("owner: me", "owner: me\nfeatures: {derive: {x: {type: float, sql: y}, y: {type: float, sql: km}}}", "models/duration.yaml:4: features.derive.x.sql: x reads 'y', which is no column before it"),
        ("owner: me", "owner: me\nfeatures: {derive: {km: {type: float, sql: '1'}}}", "models/duration.yaml:4: features.derive.km: the rows have a column 'km' already"),
        ("owner: me", "owner: me\nsplit: {group: plaice}", "models/duration.yaml:4: split.group: the rows have no column 'plaice' Fix: did you mean place"),
        ("owner: me", "owner: me\nmonitor: {signals: {data: {columns: [plaice]}}}", "models/duration.yaml:4: monitor.signals.data.columns.0: the rows have no column 'plaice' Fix: did you mean place"),
        ("owner: me", "owner: me\nsplit: {by: group}", "models/duration.yaml:4: split.group: a split by group needs its column"),
        ("owner: me", "owner: me\nsplit: {by: random, holdout: 5d}", "models/duration.yaml:4: split.holdout: a duration needs a split by time, this one is by random"),
        ("owner: me", "owner: me\ntrain: {weight: wait}", "models/duration.yaml:4: train.weight: the rows have no column 'wait'"),
        ("owner: me", "owner: me\ntrain: {weight: place}", "models/duration.yaml:4: train.weight: place is category, no weight"),
        ("owner: me", "owner: me\ntrain: {weight: minutes}", "models/duration.yaml:4: train.weight: minutes is the target itself"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_model_is_named(tmp_path: Path, old: str, new: str, expected: str) -> None:
    files = {
        "features/trace.yaml": OWN.replace("[rain]", "[refund, km]"),
        "models/duration.yaml": MODEL.replace(old, new),
    }
    found = problems(tmp_path, files)
    assert any(problem.startswith(expected) for problem in found), found


def test_all_problems_at_once(tmp_path: Path) -> None:
    text = MODEL.replace("view: sky}", "view: sky, as_of: km, columns: [snow]}") + (
        "features:\n  include: [refund, nothing]\n  derive:\n    x: {type: int, sql: minutes}\n"
        "split: {by: group}\n"
    )
    found = problems(tmp_path, {"models/duration.yaml": text})
    assert [problem.split(" ")[1] for problem in found] == [
        "data.views.0.as_of:",
        "data.views.0.columns.0:",
        "features.derive.x.sql:",
        "features.include.0:",
        "features.include.1:",
        "split.group:",
    ]


def test_a_timeless_dataset_needs_a_moment(tmp_path: Path) -> None:
    text = MODEL.replace("from: trips", "from: places").replace("minutes", "size")
    found = problems(tmp_path, {"models/duration.yaml": text + "split: {by: time}\n"})
    assert [problem.split(" ", 2)[2].split(" Fix")[0] for problem in found] == [
        "places has no event time to look at sky",
        "places has no time column to split by",
    ]


def test_consequences_name_columns(tmp_path: Path) -> None:
    broken = DATASETS["datasets/trips.yaml"].replace("[late]", "[lat]")
    found = problems(tmp_path, {"datasets/trips.yaml": broken})
    assert "consequence_of of refund names ['lat'], not among columns" in found[0]
