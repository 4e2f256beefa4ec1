"""Take back rows from quarantine that a person has corrected.

>>> from pathlib import Path
>>> from trimtab.environment import open_environment
>>> from trimtab.stages.release import release
>>> env = open_environment()  # doctest: +SKIP
>>> release(env, "flights", Path("fixed.csv"), actor="ann", reason="typo")  # doctest: +SKIP
"""

import hashlib
import logging
import re
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from trimtab.config import DatasetSpec
from trimtab.config.source import FilesSource
from trimtab.data import handed, quarantine
from trimtab.data.handed import Handed
from trimtab.environment import Environment
from trimtab.errors import DataError
from trimtab.stages import quarantine as lying
from trimtab.stages.intake import take
from trimtab.types import FILE, ROW, FileVerdict, Intake, Release

log = logging.getLogger(__name__)


def release(env: Environment, dataset: str, file: Path, *, actor: str, reason: str) -> Release:
    """Judge corrected rows like any file and publish them in the place of the quarantined ones.

    Rows of several files are judged apart, each under the partition of the file it came from.
    Rules about a whole delivery (its size, its classes, ``expect_table_*``) do not speak about a
    handful of rows and are not asked; every rule about a row is. Rows that are bad again go to
    quarantine again, now under the corrected file. Calling it twice releases once.

    Raises:
        DataError: the file cannot be used, or the contract refused all of its rows; nothing
            counts as released then.
    """
    spec = env.project.dataset(dataset)
    _allowed(spec, reason)
    sha256 = _digest(file)
    if done := env.ledger.find("release", dataset, sha256):
        return Release.model_validate(done.payload)
    given = handed.read(file, spec, _waiting(env, dataset))
    taken = {origin: _take(env, spec, origin, rows) for origin, rows in given.rows.items()}
    good = {origin: intake for origin, intake in taken.items() if intake.published}
    refused = [f"{each.reason}: {each.detail}" for each in taken.values() if not each.published]
    if not good:
        told = "\n  ".join(refused)
        raise DataError(f"{file}: the contract refuses it, nothing was released:\n  {told}")
    event = env.ledger.append(
        "release",
        dataset,
        sha256,
        _record(given, taken, good, actor, reason).to_json(),
        actor=actor,
    )
    log.info("%s: %s released %d row(s)", dataset, actor, sum(map(len, given.rows.values())))
    return Release.model_validate(event.payload)


def _allowed(spec: DatasetSpec, reason: str) -> None:
    if not reason.strip():
        raise DataError("a release needs a reason; say what was corrected and why")
    if spec.write == "replace_partition":
        fix = "deliver the whole corrected file instead"
        raise DataError(
            f"{spec.dataset}: a file replaces its partitions, rows would be lost; {fix}"
        )


def _waiting(env: Environment, dataset: str) -> dict[str, set[int]]:
    found = lying.rows(env, dataset).filter(pl.col(lying.STATUS) == lying.OPEN)
    waiting: dict[str, set[int]] = {}
    for sha256, position in found.select(FILE, ROW).collect().iter_rows():
        waiting.setdefault(sha256, set()).add(position)
    return waiting


def _take(
    env: Environment, spec: DatasetSpec, origin: str, rows: Mapping[int, list[str]]
) -> Intake:
    """Give corrected rows of one file to the dataset, as a file of their own."""
    event = env.ledger.find("file", spec.dataset, origin)
    before = FileVerdict.model_validate(event.payload) if event else None
    data = handed.as_csv(rows, spec)
    identity = hashlib.sha256(origin.encode() + data).hexdigest()[:12]
    partition = _partition(spec, before.name if before else "")
    name = "-".join(filter(None, [quarantine.RELEASED.rstrip("-"), partition, identity])) + ".csv"
    mine = _spec(spec, partition)
    project = replace(env.project, datasets={**env.project.datasets, spec.dataset: mine})
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_bytes(data)
        return take(replace(env, project=project), spec.dataset, file)


def _partition(spec: DatasetSpec, name: str) -> str:
    """The partition that the name of the original file promised, if it did."""
    named = spec.source.named if spec.source.kind == "files" else None
    if not named:
        return ""
    again = rf"{quarantine.RELEASED}(.+)-\w+[.]csv"  # corrected rows that were bad once more
    found = re.fullmatch(named, name) or re.fullmatch(again, name)
    return found[1] if found else ""


def _spec(spec: DatasetSpec, partition: str) -> DatasetSpec:
    """The contract for corrected rows: CSV, and without the rules about a whole delivery."""
    reading = spec.source.reading
    source = FilesSource(
        uri="released",
        pattern="*",
        null_values=reading.null_values,
        named=rf"{quarantine.RELEASED}({re.escape(partition)})-\w+[.]csv" if partition else None,
    )
    columns = {
        name: column.model_copy(update={"min_distinct": 1, "max_distinct": None, "max_missing": 1})
        for name, column in spec.columns.items()
    }
    return spec.model_copy(
        update={
            "source": source,
            "columns": columns,
            "label": None,
            "history": None,
            "limits": spec.limits.model_copy(update={"min_rows": 1}),
            "checks": tuple(c for c in spec.checks if not c.expect.startswith("expect_table_")),
        }
    )


def _record(
    given: Handed,
    taken: Mapping[str, Intake],
    good: Mapping[str, Intake],
    actor: str,
    reason: str,
) -> Release:
    return Release(
        dataset=next(iter(taken.values())).dataset,
        actor=actor,
        reason=reason,
        handed=given.sha256,
        rows={origin: tuple(given.rows[origin]) for origin in good},
        intakes=tuple(taken.values()),
    )


def _digest(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}") from error
