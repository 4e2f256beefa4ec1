"""Train a version again from its record alone, and prove that it predicts the same."""

import dataclasses
import hashlib
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from trimtab.config import DatasetSpec, ModelSpec
from trimtab.config.view import FeatureView
from trimtab.environment import Environment
from trimtab.errors import DependencyError, IntegrityError, TrimtabError
from trimtab.evaluation import card
from trimtab.evaluation import certificate as page
from trimtab.features import store
from trimtab.ledger import versions
from trimtab.ledger.chain import digest
from trimtab.serving import answers, loader
from trimtab.stages import conditions, recalibrate
from trimtab.stages.card import write_card
from trimtab.stages.features import rows_at
from trimtab.stages.rows import as_data, fitting
from trimtab.training import machine, package, record, registry
from trimtab.training.fit import fit
from trimtab.types import ROLE, Candidate, Certificate

log = logging.getLogger(__name__)
KIND = "certificate"
_UNKNOWN = float("nan")


@dataclasses.dataclass
class _Proof:
    """What was found so far."""

    differences: list[str]
    rows: int = 0
    apart: float = _UNKNOWN
    sha256: dict[str, str] = dataclasses.field(default_factory=dict)


def reproduce(
    env: Environment,
    model: str,
    version: int,
    progress: Callable[[str], None] | None = None,
    *,
    anyway: bool = False,
) -> Certificate:
    """Rebuild rows and model of a version and compare the predictions of its recorded rows.

    Nothing of the present configuration or of cached rows is used. When data, seed, parameters,
    libraries or user code are other than recorded, that is named and nothing is trained, unless
    ``anyway``; then the certificate says that the conditions were not equal.

    Raises:
        NotReadyError: the version is not trained.
        IntegrityError: its record cannot be read, or is older than rebuilding.
    """
    tell = progress or (lambda text: log.info("%s@%d: %s", model, version, text))
    began, candidate = time.monotonic(), versions.candidate(env.ledger, model, version)
    made = _record(env, candidate)
    spec = ModelSpec.model_validate(made["config"])
    tell("comparing data, configuration, libraries and code with the record")
    found = conditions.compare(env, candidate, made, spec)
    proof = _Proof(list(found.differences))
    if anyway or not proof.differences:
        _rebuild(_as_recorded(env, made, spec), candidate, spec, proof, tell, anyway=anyway)
    certificate = Certificate(
        model=model,
        version=version,
        equal=not proof.differences and proof.apart == 0,
        differences=tuple(proof.differences),
        notes=found.notes,
        rows=proof.rows,
        max_difference=proof.apart,
        sha256={"configuration": record.config_hash(spec), **proof.sha256},
        hardware=machine.hardware(),
        report=page.path(model, version),
    )
    return _written(env, certificate, candidate, time.monotonic() - began)


def _record(env: Environment, candidate: Candidate) -> dict[str, Any]:
    """Read the record even when its hash is wrong: what was changed in it shall be named."""
    folder = env.lake / candidate.uri
    try:
        made = package.describe(folder)
    except (OSError, ValueError) as error:
        raise IntegrityError(f"{folder / package.DESCRIPTION} cannot be read: {error}") from error
    if missing := [name for name in ("catalog", "data", "code", "installed") if name not in made]:
        raise IntegrityError(
            f"{candidate.model} version {candidate.version} was recorded by an older release "
            f"without {', '.join(missing)}; train it again to be able to rebuild it"
        )
    return made


def _as_recorded(env: Environment, made: dict[str, Any], spec: ModelSpec) -> Environment:
    """The same places with the recorded definitions in the configuration's stead."""
    catalog = made["catalog"]
    datasets = {n: DatasetSpec.model_validate(d) for n, d in catalog["datasets"].items()}
    views = {n: FeatureView.model_validate(v) for n, v in catalog["views"].items()}
    project = dataclasses.replace(
        env.project, datasets=datasets, views=views, models={spec.model: spec}, problems=()
    )
    return dataclasses.replace(env, project=project)


def _rebuild(
    env: Environment,
    candidate: Candidate,
    spec: ModelSpec,
    proof: _Proof,
    tell: Callable[[str], None],
    *,
    anyway: bool,
) -> None:
    """Build the rows and the model again; what goes wrong or differs goes into ``proof``."""
    try:
        tell("building the feature rows")
        rows = _rows(env, candidate, spec, proof)
        if proof.differences and not anyway:
            return
        tell(f"fitting {candidate.estimator} on {candidate.features.train_rows} rows")
        data = _fitted(env, candidate, spec, rows)
        _predict(env, candidate, data, proof)
    except DependencyError:
        raise  # a store that does not answer proves nothing
    except TrimtabError as error:
        proof.differences.append(f"rebuild: {error}")
    except Exception as error:  # rows or parameters that were tampered with raise anything
        log.debug("rebuilding failed", exc_info=True)
        proof.differences.append(f"rebuild: {type(error).__name__}: {error}")


def _rows(env: Environment, candidate: Candidate, spec: ModelSpec, proof: _Proof) -> pl.DataFrame:
    features = candidate.features
    rows = rows_at(env, spec, features)
    with tempfile.TemporaryDirectory(dir=env.scratch) as folder:
        found = store.write(rows, Path(folder) / "rows.parquet")
    proof.sha256["rows"] = found
    if found != features.sha256:
        proof.differences.append(
            f"feature rows: recorded SHA-256 {features.sha256[:12]}, rebuilt {found[:12]}"
        )
    return rows


def _fitted(env: Environment, candidate: Candidate, spec: ModelSpec, rows: pl.DataFrame) -> bytes:
    features = candidate.features
    time_column = env.project.dataset(spec.data.from_).time
    data = as_data(rows.filter(pl.col(ROLE) == "train"), features, time_column)
    if features.recalibrates is not None:
        again = recalibrate.model(env, spec, features, data)
        return package.dumped("model", again, candidate.estimator)
    family = registry.get(candidate.estimator, features.task)
    model = fit(family, candidate.params, fitting(spec, features), data)
    return package.dumped("model", model, family.name)


def _predict(env: Environment, candidate: Candidate, data: bytes, proof: _Proof) -> None:
    kept = pl.read_parquet(env.lake / candidate.uri / package.RECORDED)
    model = loader.built(data, candidate.features, "the rebuilt model", candidate.estimator)
    proof.rows = kept.height
    now = answers.predictions(model, kept)
    proof.apart = answers.difference(answers.remembered(kept), now)
    numbers = b"".join(column.to_numpy().tobytes() for column in now)
    proof.sha256["predictions"] = hashlib.sha256(numbers).hexdigest()
    if proof.apart != 0:
        proof.differences.append(
            f"predictions: the largest difference on {kept.height} recorded rows is {proof.apart:g}"
        )


def _written(
    env: Environment, certificate: Certificate, candidate: Candidate, seconds: float
) -> Certificate:
    """Record it once; the same finding again is the same certificate."""
    key = f"{certificate.version}:{digest(certificate.to_json())}"
    timed = certificate.model_copy(update={"seconds": round(seconds, 3)})
    if found := env.ledger.find(KIND, certificate.model, key):
        timed = Certificate.model_validate(found.payload)
    page.write(env.reports, timed, candidate)
    event = env.ledger.append(KIND, certificate.model, key, timed.to_json())
    model, version = certificate.model, certificate.version
    if model in env.project.models and (env.reports / card.path(model, version)).exists():
        write_card(env, model, version)
    return Certificate.model_validate(event.payload)
