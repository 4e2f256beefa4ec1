"""From one prediction back to the version, its data, the files, and who let it pass."""

from collections.abc import Iterator
from typing import Any

import polars as pl

from trimtab.adapters import delta
from trimtab.environment import Environment
from trimtab.errors import DataError, IntegrityError
from trimtab.ledger import Event, champion, versions
from trimtab.ledger.prediction import PredictionId
from trimtab.serving import loader
from trimtab.stages import history
from trimtab.stages.lineage import made_of
from trimtab.types import FILE, PARTITION, ROW, Candidate, Lineage


def explain_prediction(env: Environment, prediction_id: str) -> Lineage:
    """Tell how a prediction came about; every fact names its entry of the ledger.

    Raises:
        DataError: it is no prediction's name, or nothing was predicted under it.
    """
    asked = PredictionId.of(prediction_id)
    scoring, row = _found(env, asked)
    version, generation = int(row["version"]), int(row["generation"])
    candidate = versions.candidate(env.ledger, asked.model, version)
    main = env.project.model(asked.model)
    dataset = main.scored_on
    return Lineage(
        kind="prediction",
        name=prediction_id,
        facts={
            "predicted": row["prediction"],
            "of": _key(env, dataset, row),
            **_place(scoring),
            "ledger": _chain(env),
        },
        children=(
            _row(env, dataset, scoring, row),
            _served(env, asked.model, generation, scoring),
            _version(env, candidate),
        ),
    )


def _found(env: Environment, asked: PredictionId) -> tuple[Event, dict[str, Any]]:
    """The scoring of the file and the row of the table; both must tell of it."""
    env.project.model(asked.model)
    scored = env.ledger.events("scoring", asked.model)
    mine = [event for event in scored if event.key.startswith(asked.file)]
    path = env.predictions(asked.model)
    if mine and delta.exists(path):
        here = (pl.col(FILE) == mine[0].key) & (pl.col(ROW) == asked.row)
        rows = delta.scan(path).filter(here).collect()
        if rows.height == 1:
            return mine[0], rows.row(0, named=True)
    why = f"its file has no row {asked.row}" if mine else "it has scored no such file"
    raise DataError(f"{asked.model} has predicted nothing under this name: {why}")


def _key(env: Environment, dataset: str, row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in env.project.dataset(dataset).key if name in row}


def _place(event: Event) -> dict[str, Any]:
    return {"entry": event.seq, "at": event.at.isoformat(timespec="seconds")}


def _chain(env: Environment) -> str:
    state = env.ledger.verify()
    if state.bad:
        return f"NOT what was written from entry {state.bad} on; see 'trimtab ledger verify'"
    return f"{state.entries} entries fit"


def _row(env: Environment, dataset: str, scoring: Event, row: dict[str, Any]) -> Lineage:
    """The row that was scored, in the file as it was delivered."""
    facts = {"row": row[ROW], "sha256": row[FILE], "partition": row[PARTITION]}
    file = env.ledger.find("file", dataset, row[FILE])
    where = {"dataset version": f"{dataset}@{scoring.payload['dataset_version']}"}
    if file is None:
        return Lineage(kind="row of file", name=row[FILE][:12], facts={**facts, **where})
    told = {"verdict": file.payload["verdict"], **_place(file)}
    return Lineage(kind="row of file", name=file.payload["name"], facts={**facts, **where, **told})


def _served(env: Environment, model: str, generation: int, scoring: Event) -> Lineage:
    """Why this version served when the row was scored."""
    event = env.ledger.find(champion.KIND, model, str(generation))
    if event is None:
        raise IntegrityError(
            f"{model}: the row was scored by champion generation {generation}, which the ledger "
            "does not know; see 'trimtab ledger verify'"
        )
    facts = {"by": event.actor, "reason": event.payload["reason"], **_place(event)}
    name = f"{model}@{event.payload['version']} ({event.payload['action']})"
    evidence = history.evidence(env, model, int(event.payload["version"]), before=event.seq)
    return Lineage(kind="champion", name=name, facts=facts, children=tuple(evidence))


def _version(env: Environment, candidate: Candidate) -> Lineage:
    """The model's files as they are now, and the data it learnt from, file by file."""
    return Lineage(
        kind="model version",
        name=f"{candidate.model}@{candidate.version}",
        facts={"estimator": candidate.estimator, "files": _intact(env, candidate)},
        children=tuple(_learnt(env, candidate)),
    )


def _intact(env: Environment, candidate: Candidate) -> str:
    try:
        loader.verify(env.lake, candidate)
    except IntegrityError as error:
        return f"NOT as the ledger says: {error}"
    return f"{len(candidate.manifest)} files as the ledger says"


def _learnt(env: Environment, candidate: Candidate) -> Iterator[Lineage]:
    for dataset, version in candidate.features.versions.items():
        files = tuple(made_of(env, dataset, version))
        yield Lineage(kind="learnt from", name=f"{dataset}@{version}", children=files)
