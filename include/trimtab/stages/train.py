"""Search, train, package and record one candidate; then mirror it to MLflow."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trimtab.config import ModelSpec
from trimtab.environment import Environment
from trimtab.errors import IntegrityError
from trimtab.features.view import carried
from trimtab.ledger import versions
from trimtab.ledger.chain import digest
from trimtab.serving import loader
from trimtab.stages import recalibrate
from trimtab.stages.describe import BASELINES, description, told
from trimtab.stages.importance import explained
from trimtab.stages.mirror import catch_up
from trimtab.stages.provenance import keep_lock
from trimtab.stages.recorded import recorded
from trimtab.stages.search import feature_set, logged, prepare
from trimtab.training import package, record, registry
from trimtab.training.fit import fit
from trimtab.training.machine import Meter
from trimtab.training.search import Found, Search
from trimtab.training.walk import walk
from trimtab.types import Candidate, FeatureSet

log = logging.getLogger(__name__)


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
    features = feature_set(env, model, features_key)
    key = record.candidate_key(features_key, spec)
    done = env.ledger.find("training", model, key)
    if done is None:
        with env.ledger.lock(f"training:{model}:{key[:16]}"):
            candidate = _candidate(env, spec, features, key, progress or logged(model))
            done = env.ledger.append("training", model, key, candidate.to_json(), actor=env.actor)
    found = versions.trained_as(env.ledger, done)
    if found.run_id is None:
        catch_up(env, model)
        found = versions.trained_as(env.ledger, done)
    for request in features.requests:
        closing = {"version": found.version, "reason": f"answered by version {found.version}"}
        env.ledger.append("retrain_closed", model, request, closing)
    return found


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
    if not folder.exists():
        begun = {"features": features.key, "cause": features.cause, "rows": features.train_rows}
        env.ledger.append("training_started", spec.model, key, begun)
        _train(env, spec, features, key, folder, progress)
    candidate = _from_folder(env, spec, features, key, folder)
    progress(f"{candidate.estimator} is version {candidate.version}")
    return candidate


def _train(
    env: Environment,
    spec: ModelSpec,
    features: FeatureSet,
    key: str,
    folder: Path,
    progress: Callable[[str], None],
) -> None:
    place, dataset = env.project.environment, env.project.dataset(spec.data.from_)
    with Meter() as meter:
        search = prepare(env, spec, features, key, progress)
        data, again = search.data, features.recalibrates is not None
        found = recalibrate.found(env, spec, features, search) if again else search.run()
        progress(f"refitting {found.family} on {len(data.y)} rows, and the baselines")
        winner = recalibrate.model(env, spec, features, data) if again else None
        models = _models(features, search, found, winner)
        where = "the model as it is packaged"
        packaged = loader.built(models["model"], features, where, found.family)
        files = explained(env, spec, features, search, found, packaged.pipeline)
        files[package.RECORDED] = recorded(env, features, carried(dataset), packaged)
        made = description(env, spec, features, key, search, found)
        if spec.split.folds:
            made["walk_forward"] = _walked(spec, search, found, progress)
        made["resources"] = meter.usage().to_json(place.cost_per_hour, place.currency)
    keep_lock(env)
    example = data.frame.head(5).to_json(orient="records", date_format="iso", date_unit="us")
    package.write(folder, models, made, example, files)


def _models(
    features: FeatureSet, search: Search, found: Found, winner: Any = None
) -> dict[str, bytes]:
    """Fit the winner, unless it is fitted, and the baselines on every row, as packaged bytes."""
    params = {name: dict(registry.get(name, features.task).defaults) for name in BASELINES}
    wanted = {"model": (found.family, found.params)}
    wanted |= {f"baseline_{name}": (name, params[name]) for name in BASELINES}
    made = {} if winner is None else {"model": winner}
    for name, (family, chosen) in wanted.items():
        if name not in made:
            how = registry.get(family, features.task)
            made[name] = fit(how, chosen, search.how, search.data)
    return {name: package.dumped(name, made[name], wanted[name][0]) for name in wanted}


def _walked(
    spec: ModelSpec, search: Search, found: Found, progress: Callable[[str], None]
) -> dict[str, Any]:
    winner, folds = registry.get(found.family, search.how.task), spec.split.folds
    done = walk(winner, found.params, search.how, search.data, search.metric, folds)
    progress(f"walk-forward {done}")
    return done.description()


def _from_folder(
    env: Environment, spec: ModelSpec, features: FeatureSet, key: str, folder: Path
) -> Candidate:
    """Read the candidate back from its finished folder, also one a killed run left behind."""
    manifest, made = _manifest(env, spec.model, key, folder), package.describe(folder)
    return Candidate(
        model=spec.model,
        version=_version(env, spec.model, key),
        key=key,
        features=features,
        uri=str(folder.relative_to(env.lake)),
        manifest=manifest,
        **told(made),
    )


def _manifest(env: Environment, model: str, key: str, folder: Path) -> dict[str, str]:
    """Read what the folder holds; a folder that may not become a version is put on record."""
    try:
        return package.read_manifest(folder)
    except IntegrityError as error:
        reason = str(error)
        seen = f"{key[:16]}:{digest(reason)[:16]}"
        env.ledger.append("registration_refused", model, seen, {"key": key, "reason": reason})
        raise


def _version(env: Environment, model: str, key: str) -> int:
    """Take the next free version number for this key; the insert itself decides who gets it."""
    while True:
        taken = env.ledger.events("version_number", model)
        mine = [int(event.key) for event in taken if event.payload["key"] == key]
        number = mine[0] if mine else len(taken) + 1
        event = env.ledger.append("version_number", model, str(number), {"key": key})
        if event.payload["key"] == key:
            return number
