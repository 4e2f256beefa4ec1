"""Issue the papers of a version: from the ledger and its package, into a folder that stays."""

import logging

from trimtab.environment import Environment
from trimtab.evaluation import pages
from trimtab.stages.papers import gather
from trimtab.types import Dossier

log = logging.getLogger(__name__)
KIND = "dossier"


def dossier(env: Environment, model: str, version: int) -> Dossier:
    """Issue the papers of a version as of this moment; the same state gives the same papers.

    Raises:
        NotReadyError: the version is not trained.
        IntegrityError: a file of the version, or of a dossier that is there, has been changed.
    """
    facts = gather(env, model, version)
    from trimtab.evaluation.papers import annex, bundle, page
    from trimtab.evaluation.papers.compose import compose

    answers = annex.answers(facts)
    papers = compose(facts, answers)
    manifest = bundle.hashed(papers)
    key = bundle.key(manifest)
    archive = bundle.zipped(papers, f"{model}-v{version}")
    uri = f"dossiers/{model}/v{version}/{key[:16]}"
    bundle.write(env.lake / uri, papers, archive)
    made = Dossier(
        model=model,
        version=version,
        key=key,
        uri=uri,
        manifest=manifest,
        zip_sha256=bundle.sha256(archive),
        completeness=annex.completeness(answers),
    )
    event = env.ledger.append(KIND, model, f"{version}:{key}", made.to_json())
    readable = page.html(facts, answers, sorted(set(papers) - {"index.html"}), alone=True)
    pages.write(env.reports / path(model, version), readable)
    return Dossier.model_validate(event.payload)


def issue(env: Environment, model: str, version: int) -> None:
    """Issue the papers where a decision has been made; what fails is said and undoes nothing."""
    try:
        made = dossier(env, model, version)
    except Exception as error:  # the decision stands, whatever goes wrong with its papers
        log.debug("issuing the dossier failed", exc_info=True)
        told = f"{type(error).__name__}: {error}"
        log.warning("%s@%d: its dossier was not issued: %s", model, version, told)
        return
    done = made.completeness
    answered = done.fields - len(done.missing)
    log.info("%s@%d: dossier, %d of %d clauses", model, version, answered, done.fields)


def path(model: str, version: int) -> str:
    """Where the readable page of a version is, relative to the reports."""
    return f"models/{model}/v{version}/dossier.html"


def issued(env: Environment, model: str, version: int) -> list[Dossier]:
    """Return every dossier of a version, the newest last."""
    found = [e for e in env.ledger.events(KIND, model) if e.payload["version"] == version]
    return [Dossier.model_validate(event.payload) for event in found]
