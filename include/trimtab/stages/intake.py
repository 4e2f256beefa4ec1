"""Take in one file that somebody brought by hand: judge, check and publish it.

>>> from pathlib import Path
>>> from trimtab.environment import open_environment
>>> from trimtab.stages.intake import take
>>> env = open_environment()  # doctest: +SKIP
>>> take(env, "flights", Path("2013-02.csv")).version  # doctest: +SKIP
"""

from pathlib import Path

from trimtab.data.reasons import FileReason
from trimtab.environment import Environment
from trimtab.errors import DataError
from trimtab.ledger import datasets
from trimtab.stages import ingest, publish, validate
from trimtab.types import FileVerdict, Intake, Validation


def take(env: Environment, dataset: str, file: Path) -> Intake:
    """Give a file to the dataset by the stages that landed files go through.

    It finishes what an earlier call that was killed left half way; a second call changes nothing.
    """
    verdict = ingest.ingest_path(env, dataset, file)
    first = env.ledger.find("file", dataset, verdict.sha256)
    judged = FileVerdict.model_validate(first.payload) if first else verdict
    if judged.verdict != "accepted":
        return _told(verdict, judged)
    validation = validate.validate(env, dataset, verdict.sha256)
    if not validation.passed:
        return _told(verdict, judged, validation)
    try:
        publish.publish(env, dataset, [verdict.sha256])
    except DataError as error:  # good rows that this table cannot take
        told = _told(verdict, judged, validation)
        return told.model_copy(update={"detail": str(error)})
    return _published(env, verdict, judged, validation)


def _published(
    env: Environment, verdict: FileVerdict, judged: FileVerdict, validation: Validation
) -> Intake:
    made = env.ledger.find(datasets.KIND, judged.dataset, judged.sha256)
    told = _told(verdict, judged, validation)
    aside = datasets.set_aside(env.ledger, judged.dataset, judged.sha256)
    return told.model_copy(
        update={
            "accepted": judged.rows_read - sum(aside.values()),
            "quarantined": aside,
            "version": made.payload["version"] if made else None,
        }
    )


def _told(
    verdict: FileVerdict, judged: FileVerdict, validation: Validation | None = None
) -> Intake:
    """Tell the verdict on this delivery with the facts of the first one of the same bytes."""
    blocked = validation is not None and not validation.passed
    detail = verdict.detail
    if blocked and validation:
        detail = "; ".join(validation.blocked)
    elif verdict is not judged and judged.verdict == "rejected":
        detail = f"{verdict.detail}; it was refused then: {judged.reason}, {judged.detail}"
    return Intake(
        dataset=verdict.dataset,
        name=verdict.name,
        sha256=verdict.sha256,
        verdict="rejected" if blocked else verdict.verdict,
        reason=str(FileReason.CHECK_FAILED) if blocked else verdict.reason,
        detail=detail,
        rows_read=judged.rows_read,
        accepted=0 if blocked else judged.rows_accepted,
        quarantined=judged.quarantined,
        docs=validation.docs if validation else None,
    )
