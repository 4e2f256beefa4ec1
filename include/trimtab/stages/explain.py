"""Why a model says what it says: of all rows, what features are worth; of one, what each adds."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pandas as pd
import polars as pl

from trimtab.adapters import delta
from trimtab.config import ModelSpec
from trimtab.environment import Environment
from trimtab.errors import AdditivityError, DataError, NotReadyError
from trimtab.features import sources, view
from trimtab.features.sources import Source
from trimtab.ledger import champion, versions
from trimtab.ledger.prediction import COLUMN
from trimtab.serving import loader, reader
from trimtab.serving.frame import coerce
from trimtab.serving.loader import LoadedModel
from trimtab.stages import importance, loading
from trimtab.stages.rows import training_rows
from trimtab.training import shapley
from trimtab.training.shapley import Contributions
from trimtab.types import FILE, Candidate, Explanation, Importance, Scoring

log = logging.getLogger(__name__)


def explain(
    env: Environment, model: str, key: Mapping[str, str], *, version: int | None = None
) -> Explanation:
    """Explain the score of the row with this key (key column: value as text).

    A row that was scored is read from the dataset version it was scored at, and explained by the
    version that scored it unless another is named; any other row from the newest version, by the
    champion.

    Raises:
        DataError: no row has this key, or several have; names the key columns.
        NotReadyError: there is no such version, or no champion.
    """
    spec = env.project.model(model)
    main = spec.scored_on
    wanted = _typed(env, main, key)
    scored = _scored(env, model, wanted)
    number = version or (scored.version if scored else None)
    candidate = _candidate(env, model, number)
    if scored and scored.version != candidate.version:
        scored = replace(scored, generation=None, at=None, prediction=None, name=None)
    row, taken = _row(env, spec, main, wanted, scored)
    loaded = loading.load(env, candidate)
    frame = coerce(row.to_pandas(), loaded.schema)
    told = _contributions(env, candidate, loaded, frame)
    features = row.select(loaded.schema.columns).row(0, named=True)
    found = Explanation(
        model=model,
        version=candidate.version,
        versions={name: source.version for name, source in taken.items()},
        generation=scored.generation if scored else None,
        scored=scored.at if scored else None,
        key=dict(row.select(env.project.dataset(main).key).row(0, named=True)),
        features=features,
        recorded=scored.prediction if scored else None,
        prediction_id=scored.name if scored else None,
        **_outcome(loaded, frame, told),
    )
    log.info("%s version %s: explained %s", model, candidate.version, found.key)
    return found


def overview(
    env: Environment, model: str, version: int | None = None
) -> tuple[Candidate, Importance]:
    """Return a version (the champion, else the newest) and what its features are worth and cost.

    Raises:
        NotReadyError: there is no such version, or it was trained before this was measured.
    """
    env.project.model(model)
    candidate = _candidate(env, model, version, newest=True)
    found = importance.of(env, candidate)
    if found is None:
        raise NotReadyError(
            f"{model} version {candidate.version} was trained before importance was measured; "
            "train a new version"
        )
    return candidate, found


@dataclass(frozen=True)
class _Scored:
    """What the predictions table and the ledger say about a row."""

    sha256: str
    dataset_version: int
    version: int
    generation: int | None
    at: datetime | None
    prediction: Any
    name: str | None  # predictions of before had none


def _candidate(
    env: Environment, model: str, version: int | None, *, newest: bool = False
) -> Candidate:
    if version is None and (serving := champion.current(env.ledger, model)):
        version = serving.version
    if version is None and newest and (last := env.ledger.latest("training", model)):
        version = int(last.payload["version"])
    if version is None:
        raise NotReadyError(f"{model}: there is no champion yet; name a version, or promote one")
    return versions.candidate(env.ledger, model, version)


def _typed(env: Environment, dataset: str, key: Mapping[str, str]) -> dict[str, Any]:
    """Return the key's values in their types."""
    spec = env.project.dataset(dataset)
    types = {name: spec.columns[name].type for name in spec.key}
    if not key or set(key) - set(types):
        odd = ", ".join(sorted(set(key) - set(types))) or "nothing"
        raise DataError(f"{odd} is no key column of {dataset}; {_told(types)}")
    texts = pl.DataFrame({name: [str(value)] for name, value in key.items()})
    return reader.typed(texts, types, "the key").row(0, named=True)


def _told(types: Mapping[str, str]) -> str:
    return "its key is " + ", ".join(f"{name} ({kind})" for name, kind in types.items())


def _same(wanted: Mapping[str, Any]) -> list[pl.Expr]:
    return [pl.col(name) == value for name, value in wanted.items()]


def _scored(env: Environment, model: str, wanted: Mapping[str, Any]) -> _Scored | None:
    path = env.predictions(model)
    if not delta.exists(path):
        return None
    rows = delta.scan(path).filter(_same(wanted)).collect()
    if rows.height != 1:  # several: the dataset says so, with its key
        return None
    row = rows.row(0, named=True)
    event = env.ledger.find("scoring", model, row[FILE])
    if event is None:
        return None
    scoring = Scoring.model_validate(event.payload)
    return _Scored(
        sha256=row[FILE],
        dataset_version=scoring.dataset_version,
        version=row["version"],
        generation=row["generation"],
        at=event.at,
        prediction=row["prediction"],
        name=row.get(COLUMN),
    )


def _row(
    env: Environment,
    spec: ModelSpec,
    main: str,
    wanted: Mapping[str, Any],
    scored: _Scored | None,
) -> tuple[pl.DataFrame, dict[str, Source]]:
    """Return the one row with its features, and the tables it was built from."""
    at = scored.dataset_version if scored else None
    found = sources.open_all(env, spec, main, version=at)
    there = found[main].table.filter(_same(wanted))
    files = there.select(FILE).collect()[FILE].to_list()
    if len(files) != 1:
        asked = ", ".join(f"{name} = {value}" for name, value in wanted.items())
        many = f"{len(files)} rows" if files else "no row"
        types = env.project.dataset(main)
        told = _told({name: types.columns[name].type for name in types.key})
        raise DataError(f"{many} of {main} version {found[main].version} with {asked}; {told}")
    narrowed = {**found, main: replace(found[main], table=there)}
    return view.rows_of_files(env, spec.model, files, dataset=main, sources=narrowed), found


def _contributions(
    env: Environment, candidate: Candidate, loaded: LoadedModel, frame: pd.DataFrame
) -> Contributions:
    seed = int(loader.description(env.lake, candidate)["seed"])

    def others() -> pd.DataFrame:
        return importance.background(training_rows(env, candidate.features, None).frame, seed)

    model, task = loaded.pipeline, candidate.features.task
    try:
        told = shapley.fast(model, frame, task, importance.traced(model), others)
    except AdditivityError as error:
        log.warning("%s version %s: %s", candidate.model, candidate.version, error)
        told = str(error)
    if isinstance(told, str):
        return shapley.sampled(model, frame, task, others(), seed=seed)
    return told


def _outcome(loaded: LoadedModel, frame: pd.DataFrame, told: Contributions) -> dict[str, Any]:
    """Prediction, and the contributions of the one output that is explained."""
    answer = loaded.predict(frame)[0]
    output, prediction, explains, probability = 0, answer, None, None
    if loaded.task == "multiclass":
        output = int(answer.argmax())
        explains = str(loaded.classes[output])
        prediction, probability = explains, float(answer[output])
    elif loaded.task == "binary":
        prediction = probability = float(answer)
    values = dict(zip(told.frame.columns, told.values[0, :, output].tolist(), strict=True))
    base = float(told.base[output])
    return {
        "prediction": prediction,
        "explains": explains,
        "probability": probability,
        "scale": told.scale,
        "base": base,
        "contributions": dict(sorted(values.items(), key=lambda item: -abs(item[1]))),
        "score": base + sum(values.values()),
        "method": told.method,
    }
