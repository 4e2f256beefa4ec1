"""Another calibration of the champion: what it says is put right, what it knows stays.

A recalibration goes the way of a training: a request, feature rows, a version, the gate. Only the
fit is another one: the champion's own model, and a calibration learnt on rows it has not seen.
"""

from typing import Any, Literal

import numpy as np

from trimtab.config import ModelSpec
from trimtab.config.columns import primary_metric, task_of
from trimtab.environment import Environment
from trimtab.errors import DataError, NotReadyError
from trimtab.ledger import champion, versions
from trimtab.ledger.chain import digest
from trimtab.stages import loading
from trimtab.training import weights
from trimtab.training.calibrate import recalibrated
from trimtab.training.search import Found, Search
from trimtab.training.split import Data, Rows
from trimtab.types import FeatureSet
from trimtab.watch import RetrainDecision

PREFIX = "recalibrate:"  # of the request's key
_LEAST = 100  # rows that calibrate
_KEPT = 0.8  # of them calibrate the probe, which the rest judges


def request(env: Environment, model: str, *, actor: str, reason: str, key: str = "") -> str:
    """Ask for another calibration of the champion; return the request's key.

    Args:
        env: the environment.
        model: name of the model.
        actor: who asks.
        reason: why, for the ledger.
        key: what asks: asked again it is the same request.

    Raises:
        DataError: no reason, or the model has no chances, no champion, or its rows no time.
    """
    spec = env.project.model(model)
    if not reason.strip():
        raise DataError(f"another calibration of {model} needs a reason; say why")
    if problem := hindrance(env, spec):
        raise DataError(f"{model} cannot be calibrated again: {problem}")
    answered = len(env.ledger.events("retrain_closed", model))
    name = f"{PREFIX}{key or digest([model, actor, reason, answered])[:32]}"
    asked = RetrainDecision(
        model=model, partition="", retrain=True, causes=("recalibrate",), reason=reason
    )
    env.ledger.append("retrain_request", model, name, asked.to_json(), actor=actor)
    return name


def hindrance(env: Environment, spec: ModelSpec) -> str:
    """Say why the champion cannot be calibrated again; empty when it can."""
    if task_of(spec, env.project.catalog) == "regression":
        return "it predicts numbers, not chances"
    if env.project.dataset(spec.data.from_).time is None:
        return f"no time says which rows of {spec.data.from_} it has not seen; train it anew"
    if champion.current(env.ledger, spec.model) is None:
        return "there is no champion yet"
    return ""


def found(env: Environment, spec: ModelSpec, features: FeatureSet, search: Search) -> Found:
    """Return what stands in the place of a search; its gain is over the calibration of before."""
    before = versions.candidate(env.ledger, spec.model, features.recalibrates or 0)
    data, fresh = search.data, _fresh(env, spec, features, search.data)
    cut = int(len(fresh) * _KEPT)
    probe = _fitted(env, spec, features, data, fresh[:cut])
    metric, validation = primary_metric(spec, features.task), fresh[cut:]
    old = loading.load(env, before).pipeline
    now, then = (search.scores(m, validation, [metric])[metric] for m in (probe, old))
    search.progress(f"calibration of version {before.version} refitted on {len(fresh)} rows")
    return Found(before.estimator, before.params, now, then, (), probe, validation)


def model(env: Environment, spec: ModelSpec, features: FeatureSet, data: Data) -> Any:
    """Return the champion's model, calibrated on all rows it was not fitted on."""
    return _fitted(env, spec, features, data, _fresh(env, spec, features, data))


def _fitted(env: Environment, spec: ModelSpec, features: FeatureSet, data: Data, rows: Rows) -> Any:
    before = versions.candidate(env.ledger, spec.model, features.recalibrates or 0)
    chosen = spec.train.calibrate
    method: Literal["sigmoid", "isotonic"] = "sigmoid" if chosen == "none" else chosen
    pipeline = loading.load(env, before).pipeline
    own = weights.own(spec.train, data, rows)
    return recalibrated(pipeline, method, data.frame.iloc[rows], data.y[rows], own)


def _fresh(env: Environment, spec: ModelSpec, features: FeatureSet, data: Data) -> Rows:
    """Rows that are newer than everything the version was fitted on, in time.

    Raises:
        NotReadyError: there are too few yet.
        DataError: the features are not those of the version any more.
    """
    version = features.recalibrates or 0
    before = versions.candidate(env.ledger, spec.model, version).features
    if features.features != before.features:
        raise DataError(
            f"{spec.model}: the features have changed since version {version}; train it anew"
        )
    if data.time is None or before.train_until is None:
        raise DataError(f"{spec.model}: no time says which rows version {version} has not seen")
    until = np.datetime64(before.train_until.replace(tzinfo=None))
    fresh = np.flatnonzero(data.time >= until)
    if len(fresh) < _LEAST:
        raise NotReadyError(
            f"{spec.model}: {len(fresh)} labelled rows are newer than what version {version} "
            f"learnt from; {_LEAST} are needed to calibrate it again"
        )
    return fresh[np.argsort(data.time[fresh], kind="stable")]
