"""The mirror of a training in MLflow, from its finished folder alone."""

from pathlib import Path
from typing import Any

import pandas as pd

from trimtab import trusted
from trimtab.environment import Environment
from trimtab.serving import loader
from trimtab.serving.frame import coerce
from trimtab.training import package
from trimtab.types import Candidate


def mirror_training(
    env: Environment, candidate: Candidate, folder: Path, pictures: dict[str, bytes]
) -> str | None:
    """Log a version to MLflow; return its run id, None when MLflow did not answer."""
    loaded = loader.load(env.lake, candidate)
    made = package.describe(folder)
    example = coerce(pd.read_json((folder / package.EXAMPLE).open()), loaded.schema)
    return env.tracker.log_training(
        candidate,
        model=loaded.pipeline,
        example=example,
        prediction=loaded.pipeline.predict(example),
        trusted=trusted.allowed(),
        requirements=tuple(
            f"{name}=={made['libraries'][name]}"
            for name in ("scikit-learn", "pandas", "numpy", "skops")
        ),
        figures=pictures,
        families=_families(made),
        tags={f"library.{name}": version for name, version in made["libraries"].items()},
    )


def _families(made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    complete = [trial for trial in made["trials"] if trial["state"] == "complete"]
    best = {trial["family"]: trial for trial in sorted(complete, key=lambda t: t["value"])}
    return {
        name: {
            "values": {f"validation_{made['metric']}": trial["value"]},
            "params": trial["params"],
        }
        for name, trial in best.items()
    }
