"""What MLflow is told of a version, read from its finished folder alone."""

from datetime import datetime
from typing import Any

import pandas as pd

from trimtab import trusted
from trimtab.adapters.tracking import Family, Input, ModelFiles, Training
from trimtab.environment import Environment
from trimtab.ledger.chain import digest
from trimtab.serving import loader
from trimtab.serving.frame import coerce
from trimtab.stages import loading
from trimtab.training import package
from trimtab.types import Candidate

_REQUIRED = ("mlflow", "scikit-learn", "pandas", "numpy", "scipy", "skops", "lightgbm", "xgboost")
_SHOWN = (package.DESCRIPTION, package.IMPORTANCE, f"{package.FIGURES}/")


def training_entry(env: Environment, candidate: Candidate, at: datetime) -> Training:
    """Return everything that is shown of a version; ``at`` is when its training ended.

    Raises:
        IntegrityError: a file of the version is not what the ledger says.
        FileNotFoundError: its folder is gone.
    """
    made = loader.description(env.lake, candidate)
    loaded = loading.load(env, candidate)
    folder = env.lake / candidate.uri
    example = coerce(pd.read_json((folder / package.EXAMPLE).open()), loaded.schema)
    files = ModelFiles(
        file=folder / "model.skops",
        example=_naive(example, loaded.schema.temporal),
        prediction=loaded.pipeline.predict(example),
        trusted=trusted.allowed(candidate.estimator),
        requirements=_requirements(made),
    )
    return Training(
        candidate=candidate,
        ended=at,
        metrics=_metrics(candidate, made),
        params={"estimator": candidate.estimator, "seed": made.get("seed"), **candidate.params},
        tags=_tags(candidate, made),
        families=_families(made),
        inputs=_inputs(candidate, made),
        folder=folder,
        files=tuple(name for name in candidate.manifest if name.startswith(_SHOWN)),
        model=files,
    )


def _naive(example: pd.DataFrame, times: tuple[str, ...]) -> pd.DataFrame:
    """Times in UTC without saying so: MLflow's schemas know no zones, and our models take UTC."""
    return example.assign(**{name: example[name].dt.tz_localize(None) for name in times})


def _requirements(made: dict[str, Any]) -> tuple[str, ...]:
    there = made["libraries"]
    return tuple(f"{name}=={there[name]}" for name in _REQUIRED if name in there)


def _metrics(candidate: Candidate, made: dict[str, Any]) -> dict[str, float]:
    values = {f"validation_{name}": value for name, value in candidate.validation.items()}
    values |= {"trials": candidate.trials, "seconds": candidate.seconds}
    values |= {f"walk_forward_{name}": value for name, value in candidate.walk_forward.items()}
    values["train_rows"] = candidate.features.train_rows
    if candidate.default_score is not None:
        values["default_score"] = candidate.default_score
        values["search_gain"] = made["search_gain"]
    taken = made.get("resources", {})
    numbers = {name: taken.get(name) for name in ("cpu_seconds", "peak_memory", "cost")}
    return {**values, **{name: value for name, value in numbers.items() if value is not None}}


def _tags(candidate: Candidate, made: dict[str, Any]) -> dict[str, str]:
    features, code = candidate.features, made.get("code", {})
    tags = {
        "trimtab.key": candidate.key,
        "trimtab.version": str(candidate.version),
        "trimtab.features": features.key,
        "trimtab.rows_sha256": features.sha256,
        "trimtab.config_hash": candidate.config_hash,
        "trimtab.git_commit": candidate.git_commit or "unknown",
        "trimtab.dirty": str(candidate.dirty).lower(),
        "trimtab.lock_sha256": made.get("lock", {}).get("sha256", "unknown"),
    }
    tags |= {f"dataset.{name}": str(at) for name, at in features.versions.items()}
    tags |= {f"library.{name}": at for name, at in made["libraries"].items()}
    return tags | {f"code.{name}": sha for name, sha in code.get("modules", {}).items()}


def _families(made: dict[str, Any]) -> dict[str, Family]:
    """One nested run for each family: its best trial, and how many there were."""
    complete = [trial for trial in made["trials"] if trial["state"] == "complete"]
    best = {trial["family"]: trial for trial in sorted(complete, key=lambda t: t["value"])}
    trials = {name: [t for t in made["trials"] if t["family"] == name] for name in best}
    return {
        name: Family(
            metrics={
                f"validation_{made['metric']}": trial["value"],
                "trials": len(trials[name]),
                "seconds": sum(each["seconds"] for each in trials[name]),
            },
            params={**trial["params"], "winner": name == made["estimator"]},
        )
        for name, trial in best.items()
    }


def _inputs(candidate: Candidate, made: dict[str, Any]) -> tuple[Input, ...]:
    features, data = candidate.features, made.get("data", {})
    used = [
        Input(
            name,
            digest(data[name]["files"]) if name in data else f"v{version}",
            "delta",
            f"datasets/{name}@{version}",
            _profile(data.get(name, {})),
        )
        for name, version in features.versions.items()
    ]
    rows = {"rows": features.train_rows, "holdout_rows": features.holdout_rows}
    whole = {**rows, "sha256": features.sha256}
    name = f"{features.model}_features"
    return (*used, Input(name, features.sha256 or features.key, "parquet", features.uri, whole))


def _profile(data: dict[str, Any]) -> dict[str, Any]:
    if not data:
        return {}
    told = {name: data[name] for name in ("version", "rows", "newest", "content")}
    return {**told, "sha256": digest(data["files"]), "files": len(data["files"])}
