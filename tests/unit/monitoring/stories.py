"""Windows of every state a page must tell, with hostile names among them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from trimtab.config.monitor import Monitor
from trimtab.monitoring import budget, detect, profile
from trimtab.monitoring.detect import Comparison
from trimtab.monitoring.report import Link, Story
from trimtab.types import GateVerdict
from trimtab.watch import Acted, Finding, Incident, Observation, RetrainDecision, Triage

BAD = "<script>alert('x')</script>"
START = datetime(2026, 1, 31, tzinfo=UTC)
SETTINGS = Monitor(slices=("region",))
GATE = GateVerdict(
    model="delay", version=1, verdict="PROMOTE", reasons=(), rules=(), primary="roc_auc",
    value=0.81, interval=(0.79, 0.83), rows=4000,
)  # fmt: skip


def quiet() -> Story:
    return _story([_window(i) for i in range(10)], [], _triage("nothing", "nothing", "info"))


def few() -> Story:
    window = _window(0, rows=40, labelled=0, performance=None)
    few = [_finding(s, status="not_enough_data", note="40 rows, 100 wanted", value=None, p=None)
           for s in ("data", "prediction", "performance")]  # fmt: skip
    window = window.model_copy(update={"findings": tuple(few)})
    return _story([window], [], _triage("not_enough_data", "wait", "info"), compared=[])


def fault() -> Story:
    history = [_window(i) for i in range(9)]
    null = _finding(
        "quality", "km", "missing", value=0.61, expected=0.02, threshold=0.1, p=1e-30,
        status="moved", note="2.0% → 61.0% without a value",
    )  # fmt: skip
    triage = _triage(
        "upstream_fault", "quarantine", "error", evidence=("quality:km", f"data:{BAD}")
    )
    acted = Acted(
        model="delay", key="k", partition="2026-10", cause="upstream_fault", action="quarantine",
        outcome="asked", what="The file's rows are left out of trainings until somebody answers.",
        command="trimtab quarantine dismiss trips 3f2a", incident="1a2b3c4d5e6f70",
    )  # fmt: skip
    incident = Incident(
        id="1a2b3c4d5e6f70", opened_by="delay", dataset="trips", cause="upstream_fault",
        severity="error", title="trips: km is missing", models=("delay", "fares"),
    )  # fmt: skip
    return _story([*history, _window(9, shift=8.0, more=[null])], ["quality", "data"], triage,
                  acted=acted, incident=incident)  # fmt: skip


def concept() -> Story:
    history = [_window(i) for i in range(4)] + [_window(i, version=2) for i in range(4, 9)]
    history.append(_window(9, version=2, performance=0.71))
    drift = _finding("concept", None, "error_beyond_expected", value=0.09, expected=0.0,
                     threshold=0.02, p=3e-7, status="moved",
                     note="error 0.29 where these very inputs let expect 0.20")  # fmt: skip
    last = _window(10, version=2, performance=0.69, more=[drift])
    triage = _triage("concept_drift", "retrain", "error", helps_from=START + timedelta(days=270))
    decided = RetrainDecision(model="delay", partition="2026-11", retrain=True,
                              reason="performance: 3,000 new rows since version 2")  # fmt: skip
    return _story([*history, last], ["concept", "performance"], triage, retrain=decided)


def unlabelled() -> Story:
    history = [_window(i) for i in range(7)]
    history += [_window(i, labelled=0, performance=None) for i in range(7, 10)]
    return _story(history, [], _triage("label_delay", "wait", "warning"))


def hostile() -> Story:
    triage = _triage("upstream_fault", "quarantine", "error", reason=BAD, evidence=(BAD,))
    seen = _window(0, shift=8.0, more=[
        _finding("fairness", BAD, "error", slice=BAD, note=BAD, status="moved", value=0.4,
                 interval=(0.3, 0.5))])  # fmt: skip
    seen = seen.model_copy(update={"partition": BAD, "model": BAD, "summary": BAD})
    return _story([seen, seen.model_copy(update={"sha256": "b" * 64})], ["data"], triage,
                  links=[Link(BAD, BAD, "x.html")], left_out={BAD: BAD}, evidently=BAD)  # fmt: skip


STATES = {
    "quiet": quiet, "few": few, "fault": fault, "concept": concept, "unlabelled": unlabelled,
    "hostile": hostile,
}  # fmt: skip


def columns(shift: float = 0.0) -> list[Comparison]:
    draw = np.random.default_rng(0)
    before = pl.DataFrame(
        {"km": draw.gamma(2, 8, 3000), "hour": draw.integers(0, 24, 3000),
         BAD: draw.choice(["north", "south", BAD], 3000)}
    )  # fmt: skip
    now = before.sample(2000, with_replacement=True, seed=1).with_columns(pl.col("km") + shift)
    bins = profile.build(before, {"km": "numeric", "hour": "numeric", BAD: "categorical"})
    return detect.compare(bins, profile.measure(now, bins), SETTINGS)


def _finding(
    signal: Any, column: str | None = None, statistic: str = "psi", **more: Any
) -> Finding:
    known = {"status": "ok", "value": 0.01, "p_value": more.pop("p", 0.4), "reference_rows": 3000,
             "current_rows": 2000}  # fmt: skip
    return Finding(signal=signal, column=column, statistic=statistic, **{**known, **more})


def _window(
    i: int, *, version: int = 1, rows: int = 2000, labelled: int | None = None,
    performance: float | None = 0.8, shift: float = 0.0, more: list[Finding] | None = None,
) -> Observation:  # fmt: skip
    value = None if performance is None else performance + 0.006 * (i % 3)
    known = rows if labelled is None else labelled
    guess = _finding("estimated", None, "roc_auc", value=0.802 - 0.004 * (i % 4), p=None,
                     interval=(0.77, 0.83), expected=0.81, note="by the answers' own chances")  # fmt: skip
    told = _finding(
        "performance", None, "roc_auc", value=value, expected=0.81, threshold=0.79, beyond="below",
        p=None if value is None else (1e-5 if value < 0.75 else 0.5),
        status="ok" if value is not None else "not_enough_data",
        note=f"{known:,} of {rows:,} rows with a known label",
    )  # fmt: skip
    share = _finding("attribution", "km", "share", value=0.55, expected=0.5, threshold=0.6)
    found = [*(c.finding for c in columns(shift)), told, guess, share, *(more or [])]
    level = 1 / 90
    return Observation(
        model="delay", version=version, sha256=f"{i:064d}", partition=f"2026-{i + 1:02d}",
        rows=rows, newest=START + timedelta(days=30 * i), performance=value, labelled=known,
        findings=budget.judged(found, SETTINGS, level), level=level,
    )  # fmt: skip


def _triage(cause: Any, action: Any, severity: Any, **more: Any) -> Triage:
    reason = more.pop("reason", f"What the rules of {cause} say, with the numbers they rest on")
    return Triage(model="delay", version=1, key="k", partition="2026-10", cause=cause,
                  action=action, severity=severity, reason=reason, since="2026-09", **more)  # fmt: skip


def _story(
    history: list[Observation], alarms: list[str], triage: Triage | None, **more: Any
) -> Story:
    last = history[-1]
    loud = [
        {"signal": s, "since": history[max(-2, -len(history))].partition, "windows": 2,
         "findings": tuple(f.name for f in last.findings if f.signal == s)} for s in alarms
    ]  # fmt: skip
    summary = last.summary or detect.summary(last.findings)
    last = Observation.model_validate({**last.model_dump(), "alarm": loud, "summary": summary})
    shift = 8.0 if "data" in alarms else 0.0
    sides = {c.finding.name: c for c in columns(shift)}
    compared = [
        Comparison(f, c.reference, c.current) if (c := sides.get(f.name)) else Comparison(f)
        for f in last.findings
    ]
    given = {
        "observation": last, "purpose": "Say which trips will be late.", "compared": compared,
        "history": [*history[:-1], last], "gate": GATE, "trained_until": "2025-12-31",
        "settings": SETTINGS, "triage": triage,
        "links": [Link("Gate page", "delay version 1", "../../v1/gate.html")], **more,
    }  # fmt: skip
    return Story(**given)
