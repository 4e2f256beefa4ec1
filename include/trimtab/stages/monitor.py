"""Look at every scored file once: against training, against the gate, for people and for guards."""

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl

from trimtab.adapters import evidently
from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.monitoring import budget, detect, report
from trimtab.monitoring.detect import Comparison
from trimtab.stages.watch import drift, kpi, quality, realised, service
from trimtab.stages.watch.look import Look, look_at
from trimtab.types import ROLE, TARGET, Scoring
from trimtab.watch import Finding, Observation, Signal

log = logging.getLogger(__name__)
FAMILIES: dict[Signal, Callable[[Look], list[Comparison]]] = {
    "quality": quality.whole,
    "data": drift.data,
    "joint": drift.joint,
    "prediction": drift.prediction,
    "performance": realised.realised,
    "kpi": kpi.business,
    "service": service.served,
}


def monitor(env: Environment, model: str) -> list[Observation]:
    """Observe every scored file that was not observed yet, in the order of scoring.

    Raises:
        NotReadyError: every scored file was observed before.
    """
    env.project.model(model)
    scored = [Scoring.model_validate(e.payload) for e in env.ledger.events("scoring", model)]
    seen = {event.key for event in env.ledger.events("observation", model)}
    pending = [scoring for scoring in scored if scoring.sha256 not in seen]
    if not pending:
        raise NotReadyError(f"{model}: nothing to observe; every scored file was observed")
    return [observe(env, scoring) for scoring in pending]


def observe(env: Environment, scoring: Scoring) -> Observation:
    """Observe one scored file: numbers first, then the pages, the ledger last."""
    look = look_at(env, scoring)
    compared = [each for signal in FAMILIES for each in _asked(signal, look)]
    seen = _judged(look, compared)
    seen = _pages(look, seen, compared)
    event = env.ledger.append("observation", scoring.model, seen.key, seen.to_json())
    seen = Observation.model_validate(event.payload)
    if event.new and seen.alarm:
        alarm = " and ".join(alarm.signal for alarm in seen.alarm)
        env.notifier.send("warning", f"{seen.model} {seen.partition}: {alarm}", seen.summary)
    return seen


def _asked(signal: Signal, look: Look) -> list[Comparison]:
    """Ask one family; whatever happens to it, the others are heard."""
    if not look.settings.watch(signal).enabled:
        return []
    try:
        return FAMILIES[signal](look)
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
        since=look.rows[look.time].min() if look.time and look.time in look.rows.columns else None,
        newest=scoring.newest,
        findings=tuple(each.finding for each in compared),
        performance=next(
            (c.finding.value for c in compared if c.finding.signal == "performance"), None
        ),
        labelled=look.rows[TARGET].count(),
    )
    level = budget.level(settings, look.history, seen)
    findings = budget.judged(seen.findings, settings, level)
    seen = seen.model_copy(
        update={"findings": findings, "level": level, "summary": detect.summary(findings)}
    )
    alarm = detect.alarms(look.history, seen, settings)
    return seen.model_copy(update={"alarm": alarm})


def _pages(look: Look, seen: Observation, compared: list[Comparison]) -> Observation:
    """Write Evidently's page, ours and the JSON; return the observation with the page's path."""
    env, features = look.env, look.candidate.features
    folder = _folder(seen, look.history)
    place = env.reports / folder
    stored = pl.scan_parquet(env.lake / features.uri).filter(pl.col(ROLE) == "train")
    page = evidently.write_drift_page(
        stored,
        look.rows,
        place / "evidently.html",
        numeric=features.numeric,
        categorical=features.categorical,
        threshold=look.settings.drift,
    )
    seen = seen.model_copy(update={"report": str(folder / "index.html")})
    story = report.Story(
        observation=seen,
        purpose=look.spec.purpose,
        compared=[
            Comparison(f, c.reference, c.current, c.distance)
            for f, c in zip(seen.findings, compared, strict=True)
        ],
        history=[*look.history, seen],
        gate=look.gate,
        trained_until=f"{features.train_until:%Y-%m-%d}" if features.train_until else "",
        evidently=page.note or "a sample of {:,} and {:,} rows".format(*page.sample),
        evidently_file="evidently.html" if page.status == "written" else None,
        left_out=page.left_out,
    )
    report.write(report.render(story), place / "index.html")
    report.write(json.dumps(seen.to_json(), indent=1), place / "observation.json")
    return seen


def _folder(seen: Observation, history: tuple[Observation, ...]) -> Path:
    """The partition names the folder, unless another file of the same partition has it."""
    name = re.sub(r"[^\w.-]+", "_", seen.partition).strip(".")[:80]
    taken = any(o.partition == seen.partition for o in history)
    return Path("models", seen.model, "monitor", seen.sha256[:12] if taken or not name else name)


def _partition(scoring: Scoring) -> str:
    names = sorted(scoring.partitions)
    if not names:
        return scoring.sha256[:12]
    return names[0] if len(names) == 1 else f"{names[0]}..{names[-1]}"
