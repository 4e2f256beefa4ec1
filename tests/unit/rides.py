"""A small world: rides (by time), the air of each hour, the cars, and plants without any time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

START = datetime(2026, 1, 1, tzinfo=UTC)
FILES = {
    "datasets/rides.yaml": """
dataset: rides
owner: me
source: {kind: files, uri: landing/rides}
key: [ride]
time: at
columns:
  ride: {type: int}
  at: {type: time}
  zone: {type: category}
  plate: {type: text, nullable: true}
  km: {type: float, nullable: true}
  shared: {type: bool, nullable: true}
  minutes: {type: float, nullable: true, known_after: arrival}
""",
    "datasets/air.yaml": """
dataset: air
owner: me
source: {kind: files, uri: landing/air}
key: [zone, hour]
time: hour
columns:
  zone: {type: category}
  hour: {type: time}
  rain: {type: float, nullable: true}
""",
    "datasets/cars.yaml": """
dataset: cars
owner: me
source: {kind: files, uri: landing/cars}
key: [plate]
columns:
  plate: {type: text}
  seats: {type: int}
""",
    "datasets/plants.yaml": """
dataset: plants
owner: me
source: {kind: files, uri: landing/plants}
key: [plant]
columns:
  plant: {type: text}
  height: {type: float}
  soil: {type: category}
  kind: {type: category}
""",
    "models/late.yaml": """
model: late
purpose: Say whether a ride will take twenty minutes or more.
owner: me
data:
  from: rides
  join:
    - {dataset: air, on: [zone], as_of: at, max_age: 3h, allowed_lag: 1d}
    - {dataset: cars, on: [plate]}
target: {column: minutes, at_least: 20, delay: 1d}
split: {holdout: 5d}
train: {min_rows: 50, candidates: [linear, boosted_trees], tune: {trials: 2, sample: 400}}
gate: {min_rows: 20, slices: [zone]}
""",
    "models/minutes.yaml": """
model: minutes
purpose: Say how many minutes a ride will take.
owner: me
data: {from: rides, join: [{dataset: cars, on: [plate]}]}
target: {column: minutes}
split: {holdout: 5d}
train: {min_rows: 50, candidates: [random_forest], tune: {trials: 1, sample: 400}}
gate: {min_rows: 20}
""",
    "models/kind.yaml": """
model: kind
purpose: Say which kind of plant it is.
owner: me
data: {from: plants}
target: {column: kind}
train: {min_rows: 50, candidates: [boosted_trees], tune: {trials: 1, sample: 400}}
gate: {min_rows: 20}
""",
}


def rides(n: int = 400, *, first: int = 0, day: int = 0, days: int = 20) -> pl.DataFrame:
    """Rides spread evenly over ``days`` from ``day`` on; rain and distance make them long."""
    rng = np.random.default_rng(first + 1)
    at = [START + timedelta(days=day, seconds=int(s)) for s in np.linspace(0, days * 86_400, n)]
    km = rng.uniform(1, 20, n)
    return pl.DataFrame(
        {
            "ride": np.arange(first, first + n),
            "at": at,
            "zone": rng.choice(["north", "south"], n),
            "plate": rng.choice(["A", "B", "unknown"], n),
            "km": [None if i % 17 == 0 else float(v) for i, v in enumerate(km)],
            "shared": rng.choice([True, False], n),
            "minutes": [
                None if i % 23 == 0 else float(v)
                for i, v in enumerate(km * 2 + rng.normal(0, 4, n))
            ],
        }
    )


def air(day: int = 0, days: int = 20) -> pl.DataFrame:
    hours = [START + timedelta(days=day, hours=h) for h in range(days * 24 + 1)]
    rain = np.random.default_rng(day).uniform(0, 5, len(hours))
    one = pl.DataFrame({"hour": hours, "rain": rain})
    return pl.concat([one.with_columns(zone=pl.lit(zone)) for zone in ("north", "south")])


def cars() -> pl.DataFrame:
    return pl.DataFrame({"plate": ["A", "B"], "seats": [4, 6]})


def plants(n: int = 400) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    kind = rng.choice(["fern", "moss", "oak"], n)
    size = {"fern": 1.0, "moss": 0.1, "oak": 9.0}
    return pl.DataFrame(
        {
            "plant": [f"p{i}" for i in range(n)],
            "height": [size[k] + rng.normal(0, 0.8) for k in kind],
            "soil": rng.choice(["sand", "clay"], n),
            "kind": kind,
        }
    )


def publish_all(env: Any, publish: Any) -> None:
    publish(env, "rides", rides(), "rides_1.csv")
    publish(env, "air", air(), "air_1.csv")
    publish(env, "cars", cars(), "cars_1.csv")
    publish(env, "plants", plants(), "plants_1.csv")
