"""What happened in the year, and whether everything that was expected did."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trimtab.environment import Environment
from trimtab.ledger import champion
from trimtab.platform.demo.watch import Task, refused, to_score
from trimtab.types import Candidate, Champion, FileVerdict, GateVerdict
from trimtab.watch import Observation


def versions(env: Environment, model: str) -> list[dict[str, Any]]:
    """One row per verdict: version, data, estimator, metric with interval, verdict, reason."""
    changes = {
        change.version: change
        for change in champion.history(env.ledger, model)
        if change.action == "promote"
    }
    trained = {
        found.version: found
        for event in env.ledger.events("training", model)
        for found in [Candidate.model_validate(event.payload)]
    }
    judged = [GateVerdict.model_validate(e.payload) for e in env.ledger.events("gate", model)]
    dataset = env.project.model(model).data.from_
    return [
        _row(verdict, trained[verdict.version], changes.get(verdict.version), dataset)
        for verdict in judged
        if verdict.version in trained
    ]


def _row(
    verdict: GateVerdict, candidate: Candidate, change: Champion | None, dataset: str
) -> dict[str, Any]:
    return {
        "model": verdict.model,
        "version": verdict.version,
        "data_version": candidate.features.versions.get(dataset),
        "cause": candidate.features.cause,
        "estimator": candidate.estimator,
        "primary": verdict.primary,
        "value": verdict.value,
        "interval": list(verdict.interval),
        "verdict": verdict.verdict,
        "reason": verdict.reasons[0] if verdict.reasons else "",
        "champion_since": change.since.isoformat() if change and change.since else None,
        "report": verdict.report,
    }


def findings(env: Environment, model: str) -> list[dict[str, Any]]:
    """One row per observed month: what drifted, performance, alarm."""
    seen = [Observation.model_validate(e.payload) for e in env.ledger.events("observation", model)]
    return [
        {
            "model": model,
            "partition": one.partition,
            "version": one.version,
            "alarm": [alarm.signal for alarm in one.alarm],
            "findings": sorted({f.column or f.signal for f in one.findings if f.status == "moved"}),
            "performance": one.performance,
            "report": one.report,
        }
        for one in sorted(seen, key=lambda one: one.partition)
    ]


def missing(
    env: Environment, delivered: Mapping[tuple[str, str], int], later: Iterable[str]
) -> list[str]:
    """Everything that was expected and did not happen; empty when the year went well.

    Args:
        env: where the year took place.
        delivered: rows in the source file of every ``(dataset, name)`` that was delivered.
        later: names of the flights files delivered after the first champion.
    """
    wrong = [
        why
        for (dataset, name), rows in delivered.items()
        for why in _file(env, dataset, name, rows)
    ]
    for model in env.project.models:
        wrong += _model(env, model, later)
    if not env.ledger.events(champion.KIND):
        wrong.append("no model has a champion")
    verdicts = [
        event.payload for model in env.project.models for event in env.ledger.events("gate", model)
    ]
    if not any(verdict["verdict"] == "REJECT" for verdict in verdicts):
        wrong.append("no challenger was refused")
    if not any(row["findings"] for model in env.project.models for row in findings(env, model)):
        wrong.append("no month raised a finding")
    if (bad := env.ledger.first_bad()) is not None:
        wrong.append(f"the ledger's chain is broken at entry {bad}")
    return wrong


def rows(env: Environment, dataset: str) -> dict[str, Any]:
    """Where every row of a dataset's files went: read = published + quarantined, by reason."""
    verdicts = [FileVerdict.model_validate(e.payload) for e in env.ledger.events("file", dataset)]
    reasons: dict[str, int] = {}
    for verdict in verdicts:
        for reason, count in verdict.quarantined.items():
            reasons[reason] = reasons.get(reason, 0) + count
    published = env.ledger.events("dataset_version", dataset)
    return {
        "dataset": dataset,
        "files": len(verdicts),
        "read": sum(verdict.rows_read for verdict in verdicts),
        "published": sum(event.payload["rows"] for event in published),
        "quarantined": reasons,
    }


def orchestration(tasks: Iterable[Task], wall: float) -> dict[str, float]:
    """Split wall seconds: some task was running (work), or none was (orchestration, waiting).

    Work counts overlapping tasks once, so it cannot exceed the wall; ``task_seconds`` adds them up.
    A task's own start-up (about 0.3 s) counts as work here.
    """
    spans = sorted((t.start, t.end) for t in tasks if t.start and t.end)
    busy, until = 0.0, None
    for start, end in spans:
        begin = start if until is None or start > until else until
        busy += max(0.0, (end - begin).total_seconds())
        until = end if until is None or end > until else until
    total = sum((end - start).total_seconds() for start, end in spans)
    return {
        "tasks": len(spans),
        "task_seconds": round(total, 1),
        "work_seconds": round(busy, 1),
        "orchestration_seconds": round(max(0.0, wall - busy), 1),
    }


def _file(env: Environment, dataset: str, name: str, rows_in_source: int) -> Iterator[str]:
    mine = [e for e in env.ledger.events("file", dataset) if e.payload["name"] == name]
    if len(mine) != 1:
        yield f"{name} was judged {len(mine)} times, not once"
        return
    verdict = FileVerdict.model_validate(mine[0].payload)
    published = env.ledger.find("dataset_version", dataset, mine[0].key)
    judged = env.ledger.find("validation", dataset, mine[0].key)
    if verdict.rows_read != rows_in_source:
        yield f"{name}: {verdict.rows_read} rows read, {rows_in_source} in the source"
    if published is None:
        yield f"{name} was not published: {verdict.verdict} {verdict.reason} {verdict.detail}"
        return
    aside = sum(verdict.quarantined.values()) + (judged.payload["quarantined"] if judged else 0)
    if published.payload["rows"] + aside != rows_in_source:
        kept = published.payload["rows"]
        yield f"{name}: {kept} published + {aside} in quarantine are not {rows_in_source}"


def _model(env: Environment, model: str, later: Iterable[str]) -> Iterator[str]:
    if champion.current(env.ledger, model) is None:
        if not refused(env, model):  # the gate's no to the newest data is an outcome, no failure
            yield f"{model} has no champion"
        return
    dataset, due = env.project.model(model).data.from_, to_score(env, model)
    files = env.ledger.events("file", dataset)
    hashes = {e.payload["name"]: e.key for e in files if e.key in due}
    for name in later:
        for kind, word in (("scoring", "scored"), ("observation", "observed")):
            if name in hashes and env.ledger.find(kind, model, hashes[name]) is None:
                yield f"{model}: {name} was not {word}"
