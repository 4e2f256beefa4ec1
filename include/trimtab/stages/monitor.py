"""Look at every scored file once: against training, against the gate, for people and for guards."""

import logging
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from trimtab.adapters import evidently
from trimtab.adapters.evidently import DriftPage
from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.monitoring import budget, detect, looks
from trimtab.monitoring.detect import Comparison
from trimtab.stages.decide import decide
from trimtab.stages.watch import (
    arrivals,
    attribution,
    drift,
    estimated,
    fairness,
    kpi,
    labels,
    predecessor,
    quality,
    realised,
    reference,
    service,
    shape,
    slices,
)
from trimtab.stages.watch import page as pages
from trimtab.stages.watch.look import Look, look_at
from trimtab.types import TARGET, Scoring
from trimtab.watch import Finding, Observation, Signal

log = logging.getLogger(__name__)
FAMILIES: dict[Signal, Callable[[Look], list[Comparison]]] = {
    "quality": quality.whole,
    "data": drift.data,
    "joint": drift.joint,
    "prediction": drift.prediction,
    "performance": lambda look: [*realised.performance(look), *predecessor.versus(look)],
    "estimated": estimated.estimated,
    "concept": realised.concept,
    "calibration": realised.calibration,
    "attribution": attribution.attributed,
    "fairness": fairness.fair,
    "kpi": kpi.business,
    "service": service.served,
}
SLICED: dict[Signal, Callable[[Look], list[Comparison]]] = {  # the same, in parts of the rows
    "data": slices.data,
    "performance": slices.realised,
}


def monitor(env: Environment, model: str) -> list[Observation]:
    """Observe every scored file that was not observed yet, then labels that have come since.

    Both in the order of scoring.

    Raises:
        NotReadyError: every scored file was observed before, and no labels have come since.
    """
    spec = env.project.model(model)
    scored = [Scoring.model_validate(e.payload) for e in env.ledger.events("scoring", model)]
    seen = {event.key for event in env.ledger.events("observation", model)}
    pending = [scoring for scoring in scored if scoring.sha256 not in seen]
    pages.tell_last(env, model, "triage")
    _decided(env, model)  # what a run that was killed has left
    found = [_decided_on(env, scoring, None) for scoring in pending]
    found += [_decided_on(env, scoring, moment) for scoring, moment in arrivals.due(env, spec)]
    if not found:
        raise NotReadyError(f"{model}: nothing to observe; every scored file was observed")
    return found


def _decided_on(env: Environment, scoring: Scoring, later: labels.Moment | None) -> Observation:
    """Observe and decide before the next one is looked at: it belongs to its history."""
    seen = observe(env, scoring, later)
    _decided(env, scoring.model)
    return seen


def observe(env: Environment, scoring: Scoring, later: labels.Moment | None = None) -> Observation:
    """Observe one scored file: numbers first, then the pages, the ledger last.

    With ``later`` only what labels tell, as they are known at that moment.
    """
    look = look_at(env, scoring, later)
    families = [*FAMILIES.items(), *SLICED.items()]
    asked = [each for each in families if later is None or each[0] in looks.BY_LABELS]
    compared = [each for signal, family in asked for each in _asked(signal, family, look)]
    seen = _judged(look, compared)
    seen = _pages(look, seen, compared)
    event = env.ledger.append("observation", scoring.model, seen.key, seen.to_json())
    if not event.new:  # a copy was faster, and this page has come after what it has told since
        pages.tell(env, scoring.model, seen.key)
    return Observation.model_validate(event.payload)


def _decided(env: Environment, model: str) -> None:
    with suppress(NotReadyError):  # another copy was faster, or there is nothing
        for found in decide(env, model):
            pages.tell(env, model, found.key)


def _asked(
    signal: Signal, family: Callable[[Look], list[Comparison]], look: Look
) -> list[Comparison]:
    """Ask one family; whatever happens to it, the others are heard."""
    if not look.settings.watch(signal).enabled:
        return []
    try:
        return family(look)
    except Exception as error:
        log.exception("%s: %s could not be looked at", look.spec.model, signal)
        note = f"{type(error).__name__}: {error}"
        broken = Finding(signal=signal, statistic=signal, status="not_computable", note=note)
        return [Comparison(broken)]


def _judged(look: Look, compared: list[Comparison]) -> Observation:
    """Judge the findings within the budget of false alarms; pure but for the look."""
    scoring, settings = look.scoring, look.settings
    seen = Observation(
        model=scoring.model,
        version=scoring.version,
        sha256=scoring.sha256,
        partition=_partition(scoring),
        rows=look.rows.height,
        since=look.oldest,
        newest=scoring.newest,
        findings=tuple(each.finding for each in compared),
        performance=next(
            (
                c.finding.value
                for c in compared
                if c.finding.signal == "performance" and c.finding.slice is None
            ),
            None,
        ),
        labelled=look.rows[TARGET].count(),
        labels_at=look.labels_at,
    )
    level = budget.level(settings, look.history, seen)
    findings = budget.judged(seen.findings, settings, level, look.history)
    findings = shape.told(look, findings, compared)
    seen = seen.model_copy(
        update={"findings": findings, "level": level, "summary": detect.summary(findings)}
    )
    alarm = detect.alarms(look.history, seen, settings)
    return seen.model_copy(update={"alarm": alarm})


def _pages(look: Look, seen: Observation, compared: list[Comparison]) -> Observation:
    """Write Evidently's page, ours and the JSON; return the observation with the page's path."""
    env = look.env
    folder = _folder(seen, look.history)
    place = env.reports / folder
    page = _evidently(look, place / "evidently.html")
    seen = seen.model_copy(update={"report": str(folder / "index.html")})
    pages.publish(env, seen, detect.concluded(compared, seen.findings), page)
    return seen


def _evidently(look: Look, path: Path) -> DriftPage:
    """Evidently's page of the columns; a later look at labels has no new ones."""
    if look.labels_at is not None:
        return DriftPage("empty", note="only the labels were looked at again")
    features = look.candidate.features
    return evidently.write_drift_page(
        reference.rows(look.env, look.candidate, "train"),
        look.rows,
        path,
        numeric=features.numeric,
        categorical=features.categorical,
        threshold=look.settings.drift,
    )


def _folder(seen: Observation, history: tuple[Observation, ...]) -> Path:
    """The partition names the folder, unless another file of the same partition has it."""
    name = re.sub(r"[^\w.-]+", "_", seen.partition).strip(".")[:80]
    taken = any(o.partition == seen.partition for o in history)
    name = seen.sha256[:12] if taken or not name else name
    later = "" if seen.labels_at is None else f"-labels-{seen.labels_at}"
    return Path("models", seen.model, "monitor", name + later)


def _partition(scoring: Scoring) -> str:
    names = sorted(scoring.partitions)
    if not names:
        return scoring.sha256[:12]
    return names[0] if len(names) == 1 else f"{names[0]}..{names[-1]}"
