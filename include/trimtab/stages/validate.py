"""Check a staged file against its contract, in one pass over its rows.

>>> from trimtab.environment import open_environment
>>> from trimtab.stages.validate import validate
>>> env = open_environment()  # doctest: +SKIP
>>> validate(env, "flights", sha256).passed  # doctest: +SKIP
"""

import logging
import tempfile
from pathlib import Path

import polars as pl

from trimtab.data import quarantine, staging
from trimtab.data.reasons import FileReason, RowReason
from trimtab.data.text import COLUMN, REASON
from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.types import ROW, FileVerdict, Validation
from trimtab.validation import aside, contract, docs
from trimtab.validation.check import Checked, check
from trimtab.validation.verdict import Verdict, decide

log = logging.getLogger(__name__)


def validate(env: Environment, dataset: str, sha256: str) -> Validation:
    """Judge the accepted rows of one file: block it, set rows aside, or warn.

    Raises:
        NotReadyError: the file was not ingested, or was rejected then.
    """
    if done := env.ledger.find("validation", dataset, sha256):
        return Validation.model_validate(done.payload)
    file = _accepted(env, dataset, sha256)
    checked = _checked(env, file)
    verdict = _verdict(env, file, checked)
    staged = _write(env, file, checked, verdict)
    validation = Validation(
        dataset=dataset,
        sha256=sha256,
        passed=verdict.passed,
        blocked=verdict.blocked,
        warned=verdict.warned,
        quarantined=verdict.aside,
        staged=staged,
        results=checked.results,
        docs=docs.write(
            checked.suite, verdict, env.reports, dataset=dataset, name=file.name, sha256=sha256
        ),
    )
    event = env.ledger.append("validation", dataset, sha256, validation.to_json())
    _log(file, validation)
    if not validation.passed:
        title = f"{dataset}: {file.name} breaks its contract and is not published"
        env.notifier.send("warning", title, "; ".join(validation.blocked))
    return Validation.model_validate(event.payload)


def _accepted(env: Environment, dataset: str, sha256: str) -> FileVerdict:
    event = env.ledger.find("file", dataset, sha256)
    if event is None:
        raise NotReadyError(f"{dataset}: no file {sha256[:12]} was ingested; ingest it first")
    file = FileVerdict.model_validate(event.payload)
    if file.verdict != "accepted":
        raise NotReadyError(f"{dataset}/{file.name} was {file.verdict} ({file.reason})")
    return file


def _checked(env: Environment, file: FileVerdict) -> Checked:
    spec = env.project.dataset(file.dataset)
    return check(
        env.store.location(str(file.staged)),
        contract.expectations(spec),
        list(spec.columns),
        name=file.dataset,
        engine=spec.engine,
    )


def _verdict(env: Environment, file: FileVerdict, checked: Checked) -> Verdict:
    return decide(
        checked.results,
        rows=checked.rows,
        aside=checked.aside.height,
        located=checked.located,
        bad_before=sum(file.quarantined.values()),
        max_bad_rows=env.project.dataset(file.dataset).max_bad_rows,
    )


def _write(env: Environment, file: FileVerdict, checked: Checked, verdict: Verdict) -> str | None:
    """Write aside what does not go on; return the key of the rows that do."""
    dataset, sha256 = file.dataset, file.sha256
    if not verdict.passed:
        why, detail = FileReason.CHECK_FAILED, "; ".join(verdict.blocked)
        with tempfile.TemporaryDirectory() as folder:
            own = env.store.fetch(staging.source_key(dataset, sha256), Path(folder))
            quarantine.keep_file(
                env, dataset, sha256, own, name=file.name, reason=why, detail=detail
            )
        return None
    if not verdict.aside:
        return file.staged
    bad = quarantine.with_text(env, dataset, sha256, _findings(checked))
    key = quarantine.rows_key(dataset, sha256, step="checks")
    quarantine.keep_rows(env, key, bad, name=file.name, sha256=sha256)
    with tempfile.TemporaryDirectory() as folder:
        left = Path(folder) / "rows.parquet"
        kept = aside.without(env.store.location(str(file.staged)), checked.aside)
        kept.sink_parquet(left, compression=staging.COMPRESSION)
        return staging.put_rows(env, dataset, sha256, left)


def _findings(checked: Checked) -> pl.DataFrame:
    """Name the check each row broke, and its column."""
    checks = pl.DataFrame(
        [(i, item.column, item.expectation) for i, item in enumerate(checked.results)],
        schema={aside.CHECK: pl.Int32, COLUMN: pl.String, "name": pl.String},
        orient="row",
    )
    named = checked.aside.join(checks, on=aside.CHECK, how="left", maintain_order="left")
    reason = pl.lit(str(RowReason.CHECK_FAILED)).alias(REASON)
    return named.select(ROW, reason, COLUMN, pl.col("name").alias(aside.CHECK))


def _log(file: FileVerdict, validation: Validation) -> None:
    log.info(
        "%s/%s %s: %d checks, blocked by %s, warned by %s, %d rows set aside",
        file.dataset,
        file.name,
        "passed" if validation.passed else "failed",
        len(validation.results),
        list(validation.blocked) or "none",
        list(validation.warned) or "none",
        validation.quarantined,
    )
