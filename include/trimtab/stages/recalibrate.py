"""Another calibration of the champion: what it says is put right, what it knows stays.

A recalibration goes the way of a training: a request, feature rows, a version, the gate. Only the
fit is another one: the champion's own model, and a calibration learnt on rows it has not seen.
"""

from datetime import datetime
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
from trimtab.watch import RetrainDecision, Triage

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
    wanted = RetrainDecision(
        model=model,
        partition="",
        retrain=True,
        causes=("recalibrate",),
        reason=reason,
        helps_from=_began(env, model, key),
    )
    env.ledger.append("retrain_request", model, name, wanted.to_json(), actor=actor)
    return name


def asked(env: Environment, found: Triage) -> bool:
    """Whether what triage found has been asked for."""
    name = f"{PREFIX}{found.key}"
    return env.ledger.find("retrain_request", found.model, name) is not None


def _began(env: Environment, model: str, key: str) -> datetime | None:
    """When the champion's chances went wrong, as triage has said; None when it has not."""
    now = champion.current(env.ledger, model)
    said = [
        Triage.model_validate(event.payload)
        for event in env.ledger.events("triage", model)
        if key in ("", event.key) and event.payload["action"] == "recalibrate"
    ]
    return next((t.helps_from for t in reversed(said) if now and t.version == now.version), None)


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
    """Rows that are newer than all the version was fitted on and its chances were right for.

    In the order of time.

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
    began = _changed(env, features)
    until = max(before.train_until, began) if began else before.train_until
    fresh = np.flatnonzero(data.time >= np.datetime64(until.replace(tzinfo=None)))
    if len(fresh) < _LEAST:
        since = f" and from {began:%Y-%m-%d} on, when its chances went wrong" if began else ""
        raise NotReadyError(
            f"{spec.model}: {len(fresh)} labelled rows are newer than what version {version} "
            f"learnt from{since}; {_LEAST} are needed to calibrate it again"
        )
    return fresh[np.argsort(data.time[fresh], kind="stable")]


def _changed(env: Environment, features: FeatureSet) -> datetime | None:
    """From when on the rows are those the chances are wrong for, as the requests say."""
    found = [env.ledger.find("retrain_request", features.model, key) for key in features.requests]
    said = [RetrainDecision.model_validate(event.payload).helps_from for event in found if event]
    return max((moment for moment in said if moment), default=None)
