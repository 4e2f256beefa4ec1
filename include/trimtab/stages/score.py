"""Batch scoring: every published file after the first champion's, with the current one."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from trimtab.adapters import delta
from trimtab.config import ModelSpec
from trimtab.config.catalog import Catalog
from trimtab.config.columns import available
from trimtab.environment import Environment
from trimtab.errors import DataError, NotReadyError
from trimtab.features import sources, view
from trimtab.features.sources import Source
from trimtab.features.steps import Step, steps
from trimtab.ledger import champion, datasets, prediction, versions
from trimtab.serving import reader
from trimtab.serving.loader import LoadedModel
from trimtab.stages import loading
from trimtab.types import FILE, ROW, Champion, DatasetVersion, FileVerdict, Scoring

log = logging.getLogger(__name__)


def score(env: Environment, model: str) -> list[Scoring]:
    """Score every pending file with the champion; each file's predictions are replaced whole.

    Raises:
        NotReadyError: there is no champion, nothing to score, or a joined dataset does not reach
            far enough for any of the files.
    """
    spec = env.project.model(model)
    serving = _champion(env, model)
    main = spec.scored_on
    pending = _pending(env, spec, main)
    if not pending:
        raise NotReadyError(f"{model}: every published file of {main} is scored")
    found = sources.open_all(env, spec, main)
    pending = _present(model, pending, found[main])
    texts = {item.sha256: _waits(env, spec, item, found) for item in pending}
    ready = [item for item in pending if not texts[item.sha256]]
    if not ready:
        raise NotReadyError(f"{model}: {texts[pending[0].sha256]}")
    loaded = loading.load(env, versions.candidate(env.ledger, model, serving.version))
    return [_score_one(env, spec, main, item, loaded, serving, found) for item in ready]


def score_file(env: Environment, model: str, source: Path, out: Path) -> dict[str, Any]:
    """Score any CSV or Parquet file with the champion and write Parquet to ``out``.

    Joined columns and those of feature views that are not in the file are looked up in the
    published tables when the columns to look them up by are there; derived ones are computed.

    Raises:
        DataError: names every column that is missing or holds another type.
        NotReadyError: there is no champion, or a dataset to look up is not published.
    """
    spec, catalog = env.project.model(model), env.project.catalog
    serving = _champion(env, model)
    main = catalog.datasets[spec.data.from_]
    loaded = loading.load(env, versions.candidate(env.ledger, model, serving.version))
    todo = steps(spec, catalog, loaded.schema.columns)
    read = [name for step in todo for name in (*step.reads, *step.brings)]
    used = {*loaded.schema.columns, *read, *main.key, main.time}  # the rest may hold anything
    columns = available(spec, catalog).items()
    types = {name: column.type for name, column in columns if name in used}
    rows = reader.read(source, main, types)
    rows = _looked_up(env, spec, rows, loaded.schema.columns)
    key = [
        name for name in (*main.key, *([main.time] if main.time else ())) if name in rows.columns
    ]
    result = rows.select(list(dict.fromkeys(key))).with_columns(_predicted(loaded, rows, serving))
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_name(f".{out.name}.tmp")
    result.write_parquet(aside)
    aside.replace(out)
    return {"model": model, "version": serving.version, "rows": rows.height, "out": str(out)}


def _champion(env: Environment, model: str) -> Champion:
    serving = champion.current(env.ledger, model)
    if serving is None:
        raise NotReadyError(f"{model}: there is no champion yet; train and promote a version first")
    return serving


def _pending(env: Environment, spec: ModelSpec, main: str) -> list[DatasetVersion]:
    first = champion.history(env.ledger, spec.model)[0]
    seen = versions.candidate(env.ledger, spec.model, first.version).features.versions.get(main, -1)
    done = {event.key for event in env.ledger.events("scoring", spec.model)}
    published = datasets.versions(env.ledger, main)
    return [
        item for item in published if item.version > seen and item.rows and item.sha256 not in done
    ]


def _present(model: str, pending: list[DatasetVersion], source: Source) -> list[DatasetVersion]:
    """Leave out files whose rows are gone: replaced by a later file, or reverted."""
    mine = pl.col(FILE).is_in([item.sha256 for item in pending])
    there = source.table.filter(mine).select(pl.col(FILE).unique()).collect()[FILE].to_list()
    for item in pending:
        if item.sha256 not in there:
            log.info("%s: the rows of %s were replaced since; not scored", model, item.name)
    if not there:
        raise NotReadyError(
            f"{model}: every published file of {source.dataset} is scored, or its rows were "
            "replaced since"
        )
    return [item for item in pending if item.sha256 in there]


def _waits(
    env: Environment, spec: ModelSpec, item: DatasetVersion, found: dict[str, Source]
) -> str:
    return sources.waiting(spec, env.project.catalog, _newest(env, item), found)


def _newest(env: Environment, item: DatasetVersion) -> Any:
    event = env.ledger.find("file", item.dataset, item.sha256)
    return FileVerdict.model_validate(event.payload).newest if event else item.newest


def _score_one(
    env: Environment,
    spec: ModelSpec,
    main: str,
    item: DatasetVersion,
    loaded: LoadedModel,
    serving: Champion,
    found: dict[str, Source],
) -> Scoring:
    model, sha = spec.model, item.sha256
    rows = view.rows_of_files(env, model, [sha], dataset=main, sources=found)
    kept = view.carried(env.project.dataset(main))
    table = rows.select(kept).with_columns(_named(model), *_predicted(loaded, rows, serving))
    with env.ledger.lock(f"predictions:{model}"):
        if event := env.ledger.find("scoring", model, sha):
            return Scoring.model_validate(event.payload)
        note = {"model": model, "version": str(serving.version), "file": sha}
        version = delta.replace_where(
            env.predictions(model), table.to_arrow(), f"{FILE} = '{sha}'", note
        )
        scoring = Scoring(
            model=model,
            version=serving.version,
            dataset_version=item.version,
            sha256=sha,
            partitions=item.partitions,
            rows=table.height,
            newest=_newest(env, item),
            table_version=version,
        )
        event = env.ledger.append("scoring", model, sha, scoring.to_json())
    log.info("%s: version %s scored %s rows of %s", model, serving.version, table.height, item.name)
    return Scoring.model_validate(event.payload)


def _named(model: str) -> pl.Expr:
    """The name of each prediction, see `trimtab.ledger.prediction`."""
    file = pl.col(FILE).str.slice(0, prediction.LETTERS)
    return pl.format("{}:{}:{}", pl.lit(model), file, pl.col(ROW)).alias(prediction.COLUMN)


def _predicted(loaded: LoadedModel, rows: pl.DataFrame, serving: Champion) -> list[pl.Series]:
    """The columns predictions add: P(positive), the number, or the class with all its chances."""
    given = loaded.predict(rows.to_pandas())
    stamps = [
        pl.Series("version", np.full(rows.height, serving.version, dtype=np.int64)),
        pl.Series("generation", np.full(rows.height, serving.generation, dtype=np.int64)),
    ]
    if loaded.task != "multiclass":
        return [pl.Series("prediction", given, dtype=pl.Float64), *stamps]
    chosen = np.asarray(loaded.classes, dtype=object)[given.argmax(axis=1)]
    chances = pl.Series("probabilities", given.tolist(), dtype=pl.List(pl.Float64))
    return [pl.Series("prediction", chosen.tolist(), dtype=pl.String), chances, *stamps]


def _looked_up(
    env: Environment, spec: ModelSpec, rows: pl.DataFrame, wanted: tuple[str, ...]
) -> pl.DataFrame:
    """Add the features the file does not bring; every missing column is named at once."""
    catalog = env.project.catalog
    todo = _todo(spec, catalog, rows.columns, wanted)
    made = {name for step in todo for name in step.brings}
    lookups = [(step, [n for n in step.reads if n not in {*rows.columns, *made}]) for step in todo]
    missing = [name for name in wanted if name not in {*rows.columns, *made}]
    for step, lacking in lookups:
        if step.dataset is None:
            missing += [name for name in lacking if name not in missing]
        elif lacking:
            by = ", ".join(lacking)
            missing += [
                f"{n} (or {by} to look it up)" for n in step.brings if n not in rows.columns
            ]
    if missing:
        raise DataError(f"{len(missing)} feature column(s) are missing: {', '.join(missing)}")
    rows = rows.drop(made, strict=False)
    tables = {
        name: sources.published(env, name).table
        for name in dict.fromkeys(step.dataset for step in todo)
        if name is not None
    }
    names = [*rows.columns, *wanted]
    given = [name for name in rows.columns if name not in made]
    return view.joined(rows.lazy(), spec, catalog, tables, names, given=given)


def _todo(
    spec: ModelSpec, catalog: Catalog, there: list[str], wanted: tuple[str, ...]
) -> list[Step]:
    """The steps that bring something the file lacks, each with all that it brings.

    A join of which one column is missing is looked up as a whole, so that its columns fit.
    """
    lacking = {s.name for s in steps(spec, catalog, wanted, there)}
    return [step for step in steps(spec, catalog, wanted) if step.name in lacking]
