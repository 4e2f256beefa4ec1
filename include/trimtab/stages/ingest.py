"""Judge what has landed, each content once.

>>> from trimtab.environment import open_environment
>>> from trimtab.stages import ingest
>>> env = open_environment()  # doctest: +SKIP
>>> [ingest.ingest(env, file) for file in ingest.discover(env, "flights")]  # doctest: +SKIP
"""

import logging
import tempfile
from pathlib import Path

from trimtab.data import copying, quarantine, staging
from trimtab.data.judge import Judgement, judge
from trimtab.data.reasons import AcceptReason, FileReason
from trimtab.data.sources import open_source
from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.types import PARTITION, FileVerdict, LandedFile

log = logging.getLogger(__name__)


def discover(env: Environment, dataset: str) -> list[LandedFile]:
    """Return the complete files nobody has judged yet, by name; opens none of them."""
    seen = {event.key for event in env.ledger.events("sighting", dataset)}
    return [file for file in open_source(env, dataset).files() if file.sighting not in seen]


def ingest(env: Environment, file: LandedFile) -> FileVerdict:
    """Judge one file by its content and put its rows where they belong.

    Bad data is a verdict, not an exception.

    Raises:
        NotReadyError: the file is gone, or changed while it was being read.
    """
    if sighting := env.ledger.find("sighting", file.dataset, file.sighting):
        return _told(env, file, sighting.payload["sha256"], sighting.payload["verdict"])
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "source"
        sha256 = open_source(env, file.dataset).fetch(file, copy)
        return _ingested(env, file, copy, sha256)


def ingest_path(env: Environment, dataset: str, path: Path) -> FileVerdict:
    """Judge any local file by hand and put its rows where they belong.

    What can be said without opening it (a link, a bad name) is a verdict, too.
    """
    path = path.absolute()
    try:
        stat = path.lstat()
        file = LandedFile(
            dataset=dataset,
            name=path.name,
            uri=str(path),
            size=stat.st_size,
            mtime_ns=stat.st_mtime_ns,
        )
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "source"
            return _ingested(env, file, copy, copying.copy(path, copy).sha256)
    except (OSError, NotReadyError) as error:
        return FileVerdict(
            dataset=dataset,
            name=path.name,
            sha256="",
            verdict="rejected",
            reason=str(FileReason.UNREADABLE),
            detail=str(error),
        )


def _ingested(env: Environment, file: LandedFile, copy: Path, sha256: str) -> FileVerdict:
    data = copy.read_bytes()
    first = env.ledger.find("file", file.dataset, sha256)
    if first is None:
        verdict = _judged(env, file, data, sha256)
    elif _finished(env, file, sha256):
        verdict = _told(env, file, sha256, "duplicate")
    else:  # an earlier attempt judged it and ended before it noted the sighting
        verdict = FileVerdict.model_validate(first.payload)
    note = {"sha256": sha256, "verdict": verdict.verdict}
    event = env.ledger.append("sighting", file.dataset, file.sighting, note)
    if event.payload["verdict"] != verdict.verdict:  # another copy of this task was first
        verdict = _told(env, file, sha256, event.payload["verdict"])
    _log(verdict)
    return verdict


def _judged(env: Environment, file: LandedFile, data: bytes, sha256: str) -> FileVerdict:
    spec = env.project.dataset(file.dataset)
    judgement = judge(data, spec, name=file.name, sha256=sha256)
    verdict = _verdict(env, file, sha256, judgement)
    _write(env, verdict, judgement, data)
    event = env.ledger.append("file", file.dataset, sha256, verdict.to_json())
    if verdict.verdict == "rejected":
        title = f"{file.dataset}: {file.name} is refused"
        env.notifier.send("warning", title, f"{verdict.reason}: {verdict.detail}")
    return FileVerdict.model_validate(event.payload)


def _verdict(env: Environment, file: LandedFile, sha256: str, judgement: Judgement) -> FileVerdict:
    seen = FileVerdict(
        dataset=file.dataset,
        name=file.name,
        sha256=sha256,
        verdict="accepted" if judgement.accepted else "rejected",
        reason=judgement.reason,
        detail=judgement.detail,
        rows_read=judgement.rows_read,
        quarantined=judgement.quarantined,
    )
    if not judgement.accepted:
        return seen
    good, time = judgement.good, env.project.dataset(file.dataset).time
    staged = staging.put_frame(env, file.dataset, sha256, good)
    return seen.model_copy(
        update={
            "rows_accepted": good.height,
            "staged": staged,
            "partitions": tuple(good[PARTITION].unique().sort()),
            "newest": good[time].max() if time else None,
        }
    )


def _write(env: Environment, verdict: FileVerdict, judgement: Judgement, data: bytes) -> None:
    dataset, name, sha256 = verdict.dataset, verdict.name, verdict.sha256
    if judgement.accepted:
        env.store.write(staging.source_key(dataset, sha256), data)
        rows = quarantine.rows_key(dataset, sha256)
    else:
        why, detail = verdict.reason, verdict.detail
        quarantine.keep_file(env, dataset, sha256, data, name=name, reason=why, detail=detail)
        rows = quarantine.rows_key(dataset, sha256, step="refused")
    quarantine.keep_rows(env, rows, judgement.bad, name=name, sha256=sha256)


def _finished(env: Environment, file: LandedFile, sha256: str) -> bool:
    return any(
        event.payload["sha256"] == sha256 and event.payload["verdict"] != "duplicate"
        for event in env.ledger.events("sighting", file.dataset)
    )


def _told(env: Environment, file: LandedFile, sha256: str, verdict: str) -> FileVerdict:
    first = env.ledger.find("file", file.dataset, sha256)
    if verdict != "duplicate" and first is not None:
        return FileVerdict.model_validate(first.payload)
    return FileVerdict(
        dataset=file.dataset,
        name=file.name,
        sha256=sha256,
        verdict="duplicate",
        reason=str(AcceptReason.DUPLICATE_NOOP),
        detail=f"the same bytes came before as {first.payload['name']}" if first else "",
    )


def _log(verdict: FileVerdict) -> None:
    log.info(
        "%s/%s %s (%s): read %d, accepted %d, set aside %s %s",
        verdict.dataset,
        verdict.name,
        verdict.verdict,
        verdict.reason,
        verdict.rows_read,
        verdict.rows_accepted,
        verdict.quarantined or 0,
        verdict.detail,
    )
