"""Check a staged file against its contract with Great Expectations.

>>> from trimtab.environment import open_environment
>>> from trimtab.stages.validate import validate
>>> env = open_environment()  # doctest: +SKIP
>>> validate(env, "flights", sha256).passed  # doctest: +SKIP
"""

import logging
import tempfile
from pathlib import Path

import polars as pl

from trimtab.adapters import gx
from trimtab.data import quarantine, staging
from trimtab.data.cast import COLUMN, REASON
from trimtab.data.reasons import FileReason, RowReason
from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.types import ROW, FileVerdict, Validation
from trimtab.validation import contract, docs
from trimtab.validation.verdict import Verdict, decide

log = logging.getLogger(__name__)
CHECK = "_check"


def validate(env: Environment, dataset: str, sha256: str) -> Validation:
    """Judge the accepted rows of one file: block it, set rows aside, or warn.

    Raises:
        NotReadyError: the file was not ingested, or was rejected then.
    """
    if done := env.ledger.find("validation", dataset, sha256):
        return Validation.model_validate(done.payload)
    file = _accepted(env, dataset, sha256)
    spec = env.project.dataset(dataset)
    rows = staging.scan(env, str(file.staged)).collect()
    checked = gx.check(rows.select(*spec.columns), contract.expectations(spec), name=dataset)
    verdict = decide(
        checked,
        rows=rows.height,
        bad_before=sum(file.quarantined.values()),
        max_bad_rows=spec.max_bad_rows,
    )
    staged = _write(env, file, rows, verdict)
    validation = Validation(
        dataset=dataset,
        sha256=sha256,
        passed=verdict.passed,
        blocked=verdict.blocked,
        warned=verdict.warned,
        quarantined=len(verdict.aside),
        staged=staged,
        results=checked.results,
        docs=docs.write(
            checked, verdict, env.reports, dataset=dataset, name=file.name, sha256=sha256
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


def _write(env: Environment, file: FileVerdict, rows: pl.DataFrame, verdict: Verdict) -> str | None:
    """Write aside what does not go on; return the key of the rows that do."""
    dataset, sha256 = file.dataset, file.sha256
    if not verdict.passed:
        detail = "; ".join(verdict.blocked)
        with tempfile.TemporaryDirectory() as folder:
            data = env.store.fetch(staging.source_key(dataset, sha256), Path(folder)).read_bytes()
        why = FileReason.CHECK_FAILED
        quarantine.keep_file(env, dataset, sha256, data, name=file.name, reason=why, detail=detail)
        return None
    if not verdict.aside:
        return file.staged
    aside = rows.with_row_index("_position").filter(pl.col("_position").is_in([*verdict.aside]))
    bad = quarantine.with_text(env, dataset, sha256, _findings(aside, verdict))
    key = quarantine.rows_key(dataset, sha256, step="checks")
    quarantine.keep_rows(env, key, bad, name=file.name, sha256=sha256)
    left = rows.join(aside, on=ROW, how="anti", maintain_order="left")
    return staging.put_frame(env, dataset, sha256, left)


def _findings(aside: pl.DataFrame, verdict: Verdict) -> pl.DataFrame:
    checks = [verdict.aside[position] for position in aside["_position"]]
    return aside.select(ROW).with_columns(
        pl.lit(str(RowReason.CHECK_FAILED)).alias(REASON),
        pl.Series(COLUMN, [check.column for check in checks], pl.String),
        pl.Series(CHECK, [check.expectation for check in checks], pl.String),
    )


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
