"""The monitoring plan: what is watched, how loud it must be, and what follows."""

from typing import Any

from trimtab.config.model import ModelSpec
from trimtab.config.spec import format_duration
from trimtab.evaluation.papers.facts import Facts


def plan(facts: Facts) -> dict[str, Any]:
    """Return the plan as it is in force: that of the model file of now."""
    spec = facts.spec
    return {
        "model": facts.candidate.model,
        "version": facts.candidate.version,
        "responsible": spec.owner,
        "oversight": spec.oversight or None,
        "schedule": spec.monitor.schedule,
        "watched": _watched(spec, facts.primary),
        "alarm_budget": spec.monitor.max_false_alarms,
        "told": "the log, and the channels of the environment",
        "labels_after": format_duration(spec.target.delay),
        "reference": f"the training rows of version {facts.candidate.version}",
        "follows": _follows(spec),
        "records": ["observation", "retrain_decision", "retrain_request", "champion"],
    }


def _watched(spec: ModelSpec, primary: str) -> list[dict[str, Any]]:
    watch = spec.monitor
    drift = {"statistic": "population stability index", "threshold": watch.drift}
    return [
        {"signal": "data", "what": "every feature", **drift, "min_rows": watch.min_rows},
        {"signal": "prediction", "what": "the score", **drift, "min_rows": watch.min_rows},
        {
            "signal": "performance",
            "what": "rows whose label is known",
            "statistic": f"loss of {primary}",
            "threshold": watch.performance_drop,
            "min_rows": watch.min_rows,
        },
    ]


def _follows(spec: ModelSpec) -> dict[str, Any]:
    again = spec.retrain
    return {
        "retrain_when": list(again.when),
        "not_before": format_duration(again.cooldown),
        "min_new_rows": again.min_new_rows,
        "then": "a new version goes through the gate and the approval before it serves",
        "way_back": f"trimtab rollback {spec.model} --reason WHY",
    }
