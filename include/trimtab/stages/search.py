"""Take trials of a model's search, beside other workers that do the same."""

import logging
import time
from collections.abc import Callable
from typing import Any

from trimtab.config import ModelSpec
from trimtab.config.columns import primary_metric
from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.stages.rows import fitting, training_rows
from trimtab.training import package, record, registry, warm
from trimtab.training.search import Progress, Search
from trimtab.training.studies import Memory, Place, Shared
from trimtab.types import FeatureSet, SearchShare

log = logging.getLogger(__name__)


def search(
    env: Environment,
    model: str,
    features_key: str,
    worker: int = 1,
    *,
    progress: Progress | None = None,
) -> SearchShare:
    """Run trials of the model's shared search until its budget, common to all workers, is used.

    Every worker of one feature set and configuration joins the same study, also a second attempt
    of one that was killed. ``train`` makes the version out of it.

    Raises:
        NotReadyError: there is no feature set of this key.
        DependencyError: the database of the studies does not answer.
    """
    began, spec = time.monotonic(), env.project.model(model)
    features = feature_set(env, model, features_key)
    key = record.candidate_key(features_key, spec)
    trials = 0
    if not _trained(env, model, key):
        trials = prepare(env, spec, features, key, progress or logged(model), worker).work()
    seconds = round(time.monotonic() - began, 3)
    return SearchShare(model=model, key=key, worker=worker, trials=trials, seconds=seconds)


def feature_set(env: Environment, model: str, key: str) -> FeatureSet:
    """Return the feature set of this key.

    Raises:
        NotReadyError: there is none.
    """
    event = env.ledger.find("features", model, key)
    if event is None:
        raise NotReadyError(f"{model}: no feature set {key[:16]}; build the features first")
    return FeatureSet.model_validate(event.payload)


def logged(model: str) -> Progress:
    """Tell how far a training is to the log."""
    return lambda text: log.info("%s: %s", model, text)


def prepare(
    env: Environment,
    spec: ModelSpec,
    features: FeatureSet,
    key: str,
    progress: Callable[[str], None],
    worker: int = 0,
) -> Search:
    """Return the search of candidate ``key`` with its rows; joined when others work on it."""
    shared = spec.train.tune.parallel > 1
    place: Place = Shared(env.studies) if shared else Memory()
    return Search(
        data=training_rows(env, features, env.project.dataset(spec.data.from_).time),
        how=fitting(spec, features),
        metric=primary_metric(spec, features.task),
        validation=spec.split.validation,
        margin=spec.gate.versus_champion.margin,
        progress=progress,
        place=place,
        name=f"{spec.model}:{key[:32]}",
        worker=worker,
        known=_known(env, spec, features, key),
        now=(lambda: env.clock.now().timestamp()) if shared else time.monotonic,
    )


def _trained(env: Environment, model: str, key: str) -> bool:
    recorded = env.ledger.find("training", model, key) is not None
    return recorded or package.folder(env.lake, model, key).exists()


def earlier(env: Environment, model: str, key: str) -> dict[str, Any] | None:
    """Return the record of the newest other training, which a search warms itself at."""
    found = [e.payload for e in env.ledger.events("training", model) if e.key != key]
    return found[-1] if found else None


def _known(
    env: Environment, spec: ModelSpec, features: FeatureSet, key: str
) -> dict[str, dict[str, Any]]:
    """Return the best parameters of the model's last training, where today's spaces hold them."""
    last = earlier(env, spec.model, key)
    if not spec.train.tune.warm_start or last is None:
        return {}
    try:
        trials = package.describe(env.lake / last["uri"])["trials"]
    except (OSError, ValueError, KeyError) as error:
        log.warning("%s: the search starts cold, the last record is gone: %s", spec.model, error)
        return {}
    names = dict.fromkeys(spec.train.families)
    return warm.best_params(trials, [registry.get(name, features.task) for name in names])
