"""Random histories of sensors: late corrections, ties, rows nobody may see yet. For parity tests."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from trimtab.clock import FixedClock
from trimtab.environment import Environment
from trimtab.stages.materialize import materialize
from trimtab.stages.online import get, get_offline

START = datetime(2026, 1, 1, tzinfo=UTC)
FILES = {
    "datasets/readings.yaml": """
dataset: readings
owner: me
source: {kind: files, uri: landing/readings}
key: [id]
time: at
columns:
  id: {type: int}
  sensor: {type: category}
  line: {type: int}
  at: {type: time}
  told: {type: time}
  big: {type: int, nullable: true}
  heat: {type: float, nullable: true}
  good: {type: bool, nullable: true}
  note: {type: text, nullable: true}
  since: {type: time, nullable: true}
""",
    "features/sensor.yaml": """
view: sensor
owner: me
from: readings
entity: [sensor, line]
known: told
columns: [big, heat, good, note, since]
derive: {twice: {type: float, sql: heat * 2}}
max_age: 2d
online: true
""",
    "features/slow.yaml": """
view: slow
owner: me
from: readings
entity: [sensor, line]
delay: 30h
columns: [heat]
online: true
""",
}
KEYS = [{"sensor": sensor, "line": line} for sensor in ("a", "b", "c") for line in (1, 2)]


def hours(count: float) -> datetime:
    """Return the moment so many hours after the start."""
    return START + timedelta(hours=float(count))


def rows(*told: dict[str, Any], first: int = 0) -> pl.DataFrame:
    """Return readings of sensor a unless told otherwise, known when they happen."""
    base = {"sensor": "a", "line": 1, "big": None, "heat": 1.0, "good": None, "note": None}
    made = [
        {**base, "since": None, "id": first + i, "told": one["at"], **one}
        for i, one in enumerate(told)
    ]
    return pl.DataFrame(made, infer_schema_length=None)


def history(seed: int, files: int = 4, size: int = 30) -> Iterator[pl.DataFrame]:
    """Yield files of readings, the later ones later in time, with corrections of earlier ones.

    Times lie on a coarse grid, so that they tie; some rows become known after the newest event.
    """
    rng = np.random.default_rng(seed)
    for file in range(files):
        at = rng.integers(12 * file, 12 * (file + 2), size)
        late = rng.choice([0, 0, 1, 5, 40], size)
        told = [
            {
                "sensor": str(rng.choice(["a", "b"])),  # nothing is ever known of c
                "line": int(rng.integers(1, 3)),
                "at": hours(at[i]),
                "told": hours(at[i] + late[i]),
                "heat": None if rng.random() < 0.1 else float(rng.normal()),
                "big": int(rng.integers(2**53, 2**63 - 1)),
                "good": bool(rng.random() < 0.5),
                "note": f"{file}.{i}",
            }
            for i in range(size)
        ]
        yield rows(*told, first=file * size)


def disagreements(
    env: Environment,
    publish: Callable[..., Any],
    clock: FixedClock,
    seed: int,
    answer: Callable[..., Any] = get,
) -> int:
    """Publish a history file by file; count where ``answer`` and the table differ.

    Asks after each file for every key at random moments from the newest event on.
    """
    rng = np.random.default_rng(seed + 1000)
    differ = 0
    for number, file in enumerate(history(seed)):
        published = publish(env, "readings", file, f"{seed}_{number}.csv")
        clock.time = published.newest
        for view in ("sensor", "slow"):
            made = materialize(env, view)
            assert made.incremental == (number > 0)
            assert made.since
            for wait in (0, *rng.integers(0, 70, 4)):
                at = made.since + timedelta(hours=int(wait))
                mine, theirs = answer(env, view, KEYS, at=at), get_offline(env, view, KEYS, at=at)
                differ += sum(one != other for one, other in zip(mine, theirs, strict=True))
    return differ
