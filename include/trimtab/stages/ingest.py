"""Judge what has landed, each content once.

>>> from trimtab.environment import open_environment
>>> from trimtab.stages import ingest
>>> env = open_environment()  # doctest: +SKIP
>>> [ingest.ingest(env, file) for file in ingest.discover(env, "flights")]  # doctest: +SKIP
"""

import functools
import logging
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from trimtab.data import copying, look, names, quarantine, staging
from trimtab.data.judge import Judgement, judge
from trimtab.data.reasons import AcceptReason, FileReason, RefusedFileError
from trimtab.data.sources import open_source
from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.stages.configured import note_dataset
from trimtab.types import FileVerdict, LandedFile

log = logging.getLogger(__name__)


def discover(env: Environment, dataset: str) -> list[LandedFile]:
    """Return the complete files nobody has judged yet, by name; opens none of them."""
    return unjudged(env, dataset, open_source(env, dataset).files())


def unjudged(env: Environment, dataset: str, files: Iterable[LandedFile]) -> list[LandedFile]:
    """Return those of the listed files that nobody has judged."""
    seen = {event.key for event in env.ledger.events("sighting", dataset)}
    return [file for file in files if file.sighting not in seen]


def ingest(env: Environment, file: LandedFile) -> FileVerdict:
    """Judge one file by its content and put its rows where they belong.

    Bad data is a verdict, not an exception.

    Raises:
        NotReadyError: the file is gone, or changed while it was being read.
    """
    if sighting := env.ledger.find("sighting", file.dataset, file.sighting):
        return _told(env, file, sighting.payload["sha256"], sighting.payload["verdict"])
    source = open_source(env, file.dataset)
    return _taken(env, file, functools.partial(source.fetch, file))


def ingest_path(env: Environment, dataset: str, path: Path) -> FileVerdict:
    """Judge any local file by hand and put its rows where they belong.

    What can be said without opening it (a link, a bad name) is a verdict, too, but leaves no trace.
    """
    path = path.absolute()
    source = env.project.dataset(dataset).source
    landing = env.landing(dataset) if source.opener == "folder" else None
    try:
        seen = look.look(path, env.project.dataset(dataset), landing=landing)
        file = LandedFile(
            dataset=dataset,
            name=path.name,
            uri=str(path),
            size=seen.st_size,
            mtime_ns=seen.st_mtime_ns,
        )
        return _taken(env, file, functools.partial(_copied, path))
    except (RefusedFileError, NotReadyError) as error:
        reason = getattr(error, "reason", FileReason.INCOMPLETE_UPLOAD)
        verdict = _refused(dataset, path.name, "", reason, getattr(error, "detail", str(error)))
        _log(verdict)
        return verdict


def _copied(path: Path, into: Path) -> str:
    sha256 = copying.copy(path, into).sha256
    look.check_hash(path, sha256)
    return sha256


def _taken(env: Environment, file: LandedFile, fetch: Callable[[Path], str]) -> FileVerdict:
    """Fetch a file into a folder of its own, judge it there, note that it was seen."""
    note_dataset(env, file.dataset)
    with tempfile.TemporaryDirectory(dir=env.scratch) as folder:
        copy = Path(folder) / "source"
        try:
            look.check_size(file.size, env.project.dataset(file.dataset))
            names.check(file.name)
            sha256 = fetch(copy)
        except RefusedFileError as refused:
            verdict = _unread(env, file, copy, refused)
        else:
            verdict = _by_content(env, file, copy, sha256)
    note = {"sha256": verdict.sha256, "verdict": verdict.verdict}
    event = env.ledger.append("sighting", file.dataset, file.sighting, note)
    if event.payload["verdict"] != verdict.verdict:  # another copy of this task was first
        verdict = _told(env, file, verdict.sha256, event.payload["verdict"])
    _log(verdict)
    return verdict


def _by_content(env: Environment, file: LandedFile, copy: Path, sha256: str) -> FileVerdict:
    first = env.ledger.find("file", file.dataset, sha256)
    if first is None:
        return _judged(env, file, copy, sha256)
    if _finished(env, file, sha256):
        return _told(env, file, sha256, "duplicate")
    # an earlier attempt judged it and ended before it noted the sighting
    return FileVerdict.model_validate(first.payload)


def _unread(
    env: Environment, file: LandedFile, copy: Path, refused: RefusedFileError
) -> FileVerdict:
    """Keep a file that may not be read as rows; its place and time stand for its content."""
    identity = look.unread(file.name, file.size, file.mtime_ns)
    name = file.name if "/" not in file.name else "file"
    quarantine.keep_file(
        env,
        file.dataset,
        identity,
        copy if copy.exists() else None,
        name=name,
        reason=refused.reason,
        detail=refused.detail,
    )
    verdict = _refused(file.dataset, file.name, identity, refused.reason, refused.detail)
    return _recorded(env, verdict)


def _judged(env: Environment, file: LandedFile, copy: Path, sha256: str) -> FileVerdict:
    spec = env.project.dataset(file.dataset)
    folder = copy.with_name("rows")
    folder.mkdir()
    judgement = judge(
        copy,
        spec,
        name=file.name,
        sha256=sha256,
        folder=folder,
        arrived=look.arrival(file.mtime_ns),
        earlier=_earlier(env, file.dataset) if spec.history else (),
    )
    verdict = _verdict(env, file, sha256, judgement)
    _keep(env, verdict, judgement, copy)
    return _recorded(env, verdict)


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
    if not judgement.accepted or judgement.rows is None:
        return seen
    return seen.model_copy(
        update={
            "reason": _accepted_as(env, file, sha256),
            "rows_accepted": judgement.rows_good,
            "staged": staging.put_rows(env, file.dataset, sha256, judgement.rows),
            "partitions": judgement.partitions,
            "newest": judgement.newest,
            "medians": dict(judgement.medians),
        }
    )


def _accepted_as(env: Environment, file: LandedFile, sha256: str) -> str:
    """A file whose name was accepted with other bytes is a revision of it."""
    before = any(
        event.payload["name"] == file.name and event.payload["verdict"] == "accepted"
        for event in env.ledger.events("file", file.dataset)
        if event.key != sha256
    )
    return str(AcceptReason.REVISION if before else AcceptReason.OK)


def _keep(env: Environment, verdict: FileVerdict, judgement: Judgement, copy: Path) -> None:
    dataset, name, sha256 = verdict.dataset, verdict.name, verdict.sha256
    if judgement.accepted:
        env.store.put(staging.source_key(dataset, sha256), copy)
        rows = quarantine.rows_key(dataset, sha256)
    else:
        why, detail = verdict.reason, verdict.detail
        quarantine.keep_file(env, dataset, sha256, copy, name=name, reason=why, detail=detail)
        rows = quarantine.rows_key(dataset, sha256, step="refused")
    if judgement.bad is not None and judgement.counts:
        quarantine.keep_rows(env, rows, judgement.bad, name=name, sha256=sha256)


def _recorded(env: Environment, verdict: FileVerdict) -> FileVerdict:
    event = env.ledger.append("file", verdict.dataset, verdict.sha256, verdict.to_json())
    if verdict.verdict == "rejected":
        title = f"{verdict.dataset}: {verdict.name} is refused"
        env.notifier.send("warning", title, f"{verdict.reason}: {verdict.detail}")
    return FileVerdict.model_validate(event.payload)


def _earlier(env: Environment, dataset: str) -> list[FileVerdict]:
    return [FileVerdict.model_validate(e.payload) for e in env.ledger.events("file", dataset)]


def _refused(dataset: str, name: str, sha256: str, reason: str, detail: str) -> FileVerdict:
    return FileVerdict(
        dataset=dataset,
        name=name,
        sha256=sha256,
        verdict="rejected",
        reason=str(reason),
        detail=detail,
    )


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
