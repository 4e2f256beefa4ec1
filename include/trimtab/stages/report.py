"""The gate report of a version, from what the ledger says at this moment."""

import logging
from collections.abc import Iterator
from urllib.parse import quote

from trimtab.environment import Environment
from trimtab.errors import TrimtabError
from trimtab.evaluation import report, story
from trimtab.evaluation.story import Link, Standing
from trimtab.ledger import approvals, champion, datasets, versions
from trimtab.stages import importance
from trimtab.types import Candidate, GateVerdict

log = logging.getLogger(__name__)
_ROOT = "../../../"  # from a version's folder to the reports
_CARD = Link("Model card", "card.html", "card.html")  # written when a version becomes champion


def write_report(env: Environment, verdict: GateVerdict) -> None:
    """Write the page and its JSON; it can be done again at any time."""
    model, against = verdict.model, verdict.champion
    candidate = versions.candidate(env.ledger, model, verdict.version)
    report.write(
        env.reports,
        verdict,
        env.project.model(model),
        candidate,
        versions.candidate(env.ledger, model, against) if against else None,
        importance.shown(env, candidate),
        _standing(env, candidate),
    )


def tell_report(env: Environment, model: str, version: int) -> None:
    """Write the page of the newest verdict again, with what was decided since.

    The decision is in the ledger already: a page that cannot be written does not stand in its way.
    """
    try:
        if verdict := versions.newest_verdict(env.ledger, model, version):
            write_report(env, verdict)
    except (TrimtabError, OSError):
        log.exception("the gate report of %s version %d was not written again", model, version)


def _standing(env: Environment, candidate: Candidate) -> Standing:
    model, version = candidate.model, candidate.version
    promotion = story.promotion(champion.history(env.ledger, model), version)
    first = approvals.first_yes(env.ledger, model, version)
    return Standing(
        approval=versions.approval(env.ledger, model, version),
        question=approvals.question(env.ledger, model, version),
        first=first.actor if first else None,
        promotion=promotion,
        links=(*_links(env, candidate), *([_CARD] if promotion else [])),
    )


def _links(env: Environment, candidate: Candidate) -> Iterator[Link]:
    for dataset, version in sorted(candidate.features.versions.items()):
        yield _data(env, dataset, version)
    if candidate.run_id:
        yield Link("MLflow", f"run {candidate.run_id}", env.run_page(candidate.run_id))


def _data(env: Environment, dataset: str, version: int) -> Link:
    """A dataset version, and the page of the checks of the file that made it."""
    label, name = "Data version", f"{dataset}@{version}"
    made = [v for v in datasets.versions(env.ledger, dataset) if v.version == version]
    if not made:
        return Link(label, name)
    checked = env.ledger.find("validation", dataset, made[0].sha256)
    docs = checked.payload["docs"] if checked else None
    text = f"{name}: {made[0].total_rows:,} rows, made by {made[0].name}"
    return Link(label, text, f"{_ROOT}{quote(docs)}" if docs else None)
