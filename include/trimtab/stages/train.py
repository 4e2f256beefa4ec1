"""Search, train and package one candidate, mirror it to MLflow, and record it."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from trimtab.config import ModelSpec
from trimtab.config.columns import primary_metric
from trimtab.config.model import METRICS
from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.features.pipeline import preprocessor
from trimtab.serving import loader
from trimtab.serving.frame import Schema, coerce
from trimtab.training import figures, package, record, registry
from trimtab.training.search import Found, Search, fit, fitted_rows
from trimtab.training.split import Data
from trimtab.types import ROLE, TARGET, Candidate, FeatureSet

log = logging.getLogger(__name__)
BASELINES = ("dummy", "linear")


def train(
    env: Environment,
    model: str,
    features_key: str,
    *,
    progress: Callable[[str], None] | None = None,
) -> Candidate:
    """Train the best of the model's candidates on a feature set; the same set gives one version.

    Raises:
        NotReadyError: there is no feature set of this key.
    """
    spec = env.project.model(model)
    event = env.ledger.find("features", model, features_key)
    if event is None:
        raise NotReadyError(
            f"{model}: no feature set {features_key[:16]}; build the features first"
        )
    features = FeatureSet.model_validate(event.payload)
    key = record.candidate_key(features_key, spec)
    done = env.ledger.find("training", model, key)
    if done is None:
        with env.ledger.lock(f"training:{model}:{key[:16]}"):
            candidate = _candidate(env, spec, features, key, progress or _logged(model))
            done = env.ledger.append("training", model, key, candidate.to_json())
    found = Candidate.model_validate(done.payload)
    for request in features.requests:
        closing = {"version": found.version, "reason": f"answered by version {found.version}"}
        env.ledger.append("retrain_closed", model, request, closing)
    return found


def _logged(model: str) -> Callable[[str], None]:
    return lambda text: log.info("%s: %s", model, text)


def _candidate(
    env: Environment,
    spec: ModelSpec,
    features: FeatureSet,
    key: str,
    progress: Callable[[str], None],
) -> Candidate:
    if event := env.ledger.find("training", spec.model, key):  # the other copy was faster
        return Candidate.model_validate(event.payload)
    folder = package.folder(env.lake, spec.model, key)
    pictures: dict[str, bytes] = {}
    if not folder.exists():
        pictures = _train(env, spec, features, key, folder, progress)
    candidate = _from_folder(env, spec, features, key, folder)
    progress(f"{candidate.estimator} is version {candidate.version}; logging it to MLflow")
    run_id = _mirror(env, candidate, folder, pictures)
    return candidate.model_copy(update={"run_id": run_id})


def _train(
    env: Environment,
    spec: ModelSpec,
    features: FeatureSet,
    key: str,
    folder: Path,
    progress: Callable[[str], None],
) -> dict[str, bytes]:
    began = time.monotonic()
    data = _data(env, features, env.project.dataset(spec.data.from_).time)
    search = _search(spec, features, data, progress)
    found = search.run()
    progress(f"refitting {found.family} on {len(data.y)} rows, and the baselines")
    winner = registry.get(found.family, features.task)
    models = {"model": fit(winner, found.params, search)}
    for name in BASELINES:
        family = registry.get(name, features.task)
        models[f"baseline_{name}"] = fit(family, dict(family.defaults), search)
    description = _description(env, spec, features, key, search, found)
    description["seconds"] = round(time.monotonic() - began, 3)
    example = data.frame.head(5).to_json(orient="records", date_format="iso", date_unit="us")
    package.write(folder, models, description, example)
    return figures.draw(search, found)


def _data(env: Environment, features: FeatureSet, time: str | None) -> Data:
    rows = pl.read_parquet(env.lake / features.uri).filter(pl.col(ROLE) == "train")
    schema = Schema(features.numeric, features.categorical, features.temporal)
    frame = coerce(rows.select(schema.columns).to_pandas(), schema)
    y = rows[TARGET].to_numpy()
    moments = None
    if time and features.train_until is not None:
        moments = rows[time].dt.replace_time_zone(None).to_numpy()
    return Data(frame, np.asarray(y.tolist(), dtype=str) if y.dtype == object else y, moments)


def _search(
    spec: ModelSpec, features: FeatureSet, data: Data, progress: Callable[[str], None]
) -> Search:
    def preprocess(style: Any) -> Any:
        kinds = features.numeric, features.categorical, features.temporal
        return preprocessor(*kinds, style=style)

    return Search(
        data=data,
        task=features.task,
        metric=primary_metric(spec, features.task),
        train=spec.train,
        validation=spec.split.validation,
        preprocess=preprocess,
        progress=progress,
    )


def _description(
    env: Environment,
    spec: ModelSpec,
    features: FeatureSet,
    key: str,
    search: Search,
    found: Found,
) -> dict[str, Any]:
    """Everything it takes to know, and to repeat, how this model was made."""
    rows, task = len(search.data.y), features.task
    scores = {name: search.score(found.probe, found.validation, name) for name in METRICS[task]}
    classes = getattr(found.probe, "classes_", np.array([])).tolist()
    return {
        "model": spec.model,
        "key": key,
        "task": task,
        "features": features.to_json(),
        "schema": {
            **dict.fromkeys(features.numeric, "float64"),
            **dict.fromkeys(features.categorical, "text"),
            **dict.fromkeys(features.temporal, "time"),
        },
        "categories": _categories(search.data.frame, features),
        "classes": classes,
        "estimator": found.family,
        "params": found.params,
        "metric": search.metric,
        "validation": {name: value for name, value in scores.items() if np.isfinite(value)},
        "trials": [vars(trial) for trial in found.trials],
        "default_score": found.default_value,
        "baselines": list(BASELINES),
        "rows": {
            "train": rows,
            "tuning": len(search.fit_rows),
            "validation": len(found.validation),
            "refit": {
                name: fitted_rows(registry.get(name, task), rows)
                for name in dict.fromkeys([found.family, *BASELINES])
            },
        },
        "seed": spec.train.seed,
        "libraries": record.libraries(),
        "git_commit": record.git_commit(env.project.folder),
        "config": spec.model_dump(mode="json", by_alias=True),
        "config_hash": record.config_hash(spec),
    }


def _categories(frame: pd.DataFrame, features: FeatureSet, most: int = 250) -> dict[str, list[str]]:
    seen = {name: sorted(frame[name].dropna().unique().tolist()) for name in features.categorical}
    return {name: values[:most] for name, values in seen.items()}


def _from_folder(
    env: Environment, spec: ModelSpec, features: FeatureSet, key: str, folder: Path
) -> Candidate:
    """Read the candidate back from its finished folder, also one a killed run left behind."""
    manifest, made = package.read_manifest(folder), package.describe(folder)
    return Candidate(
        model=spec.model,
        version=_version(env, spec.model, key),
        key=key,
        features=features,
        uri=str(folder.relative_to(env.lake)),
        manifest=manifest,
        estimator=made["estimator"],
        params=made["params"],
        validation=made["validation"],
        trials=len(made["trials"]),
        default_score=made["default_score"],
        baselines=tuple(made["baselines"]),
        git_commit=made["git_commit"],
        config_hash=made["config_hash"],
        seconds=made["seconds"],
    )


def _version(env: Environment, model: str, key: str) -> int:
    """Take the next free version number for this key; the insert itself decides who gets it."""
    while True:
        taken = env.ledger.events("version_number", model)
        mine = [int(event.key) for event in taken if event.payload["key"] == key]
        number = mine[0] if mine else len(taken) + 1
        event = env.ledger.append("version_number", model, str(number), {"key": key})
        if event.payload["key"] == key:
            return number


def _mirror(
    env: Environment, candidate: Candidate, folder: Path, pictures: dict[str, bytes]
) -> str | None:
    loaded = loader.load(env.lake, candidate)
    made = package.describe(folder)
    example = coerce(pd.read_json((folder / package.EXAMPLE).open()), loaded.schema)
    return env.tracker.log_training(
        candidate,
        model=loaded.pipeline,
        example=example,
        prediction=loaded.pipeline.predict(example),
        trusted=loader.ALLOWED_TYPES,
        requirements=tuple(
            f"{name}=={made['libraries'][name]}"
            for name in ("scikit-learn", "pandas", "numpy", "skops")
        ),
        figures=pictures,
        families=_families(made),
        tags={f"library.{name}": version for name, version in made["libraries"].items()},
    )


def _families(made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    best = {trial["family"]: trial for trial in sorted(made["trials"], key=lambda t: t["value"])}
    return {
        name: {
            "values": {f"validation_{made['metric']}": trial["value"]},
            "params": trial["params"],
        }
        for name, trial in best.items()
    }
