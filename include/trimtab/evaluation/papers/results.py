"""What the gate measured, each family in a file of its own."""

from typing import Any

from trimtab.evaluation.papers.facts import Facts
from trimtab.types import GateVerdict

_UNJUDGED = {"measured": False, "reason": "the version has not been judged"}


def results(facts: Facts) -> dict[str, Any]:
    """Return file name -> plain values. A family without measurements says so in its file."""
    found = facts.verdict
    if found is None:
        names = ("metrics", "slices", "fairness", "robustness", "behaviour", "gate")
        return {f"{name}.json": _UNJUDGED for name in names}
    told = found.to_json()
    return {
        "metrics.json": _metrics(facts, found, told),
        "slices.json": _family(told["slices"], "no columns are named under gate.slices"),
        "fairness.json": _family(told["fairness"], "no columns are named under gate.fairness"),
        "robustness.json": _family(told["robustness"], "no disturbed rows were measured"),
        "behaviour.json": _family(told["behaviour"], "no tests are named under gate.behaviour"),
        "gate.json": told,
    }


def _metrics(facts: Facts, found: GateVerdict, told: dict[str, Any]) -> dict[str, Any]:
    """All numbers of the hold-out; higher is better for every metric."""
    names = ("primary", "value", "interval", "difference", "metrics", "calibration", "operation")
    return {
        "measured": bool(found.metrics),
        "rows": found.rows,
        "holdout_sha256": found.holdout_sha256,
        "resampling": found.resampling,
        "against": {"champion": found.champion, "value": told["champion_value"]},
        **{name: told[name] for name in names},
        "validation": facts.candidate.to_json(include={"validation"})["validation"],
        "walk_forward": facts.candidate.to_json(include={"walk_forward"})["walk_forward"],
    }


def _family(measured: list[Any], otherwise: str) -> dict[str, Any]:
    if not measured:
        return {"measured": False, "reason": otherwise}
    return {"measured": True, "results": measured}
