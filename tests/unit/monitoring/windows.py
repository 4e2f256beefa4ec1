"""Windows of a model as monitoring would have recorded them, for tests of the pure decisions."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from trimtab.config import ModelSpec
from trimtab.monitoring import detect
from trimtab.monitoring.history import History
from trimtab.types import Champion
from trimtab.watch import Finding, Observation

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SPEC = ModelSpec.model_validate(
    {
        "model": "m", "purpose": "For the tests.", "owner": "me", "data": {"from": "d"},
        "target": {"column": "y", "positive": True, "delay": "3d"},
    }
)  # fmt: skip


def finding(signal: Any, statistic: str = "psi", **more: Any) -> Finding:
    told = {"status": "moved", "p_value": 1e-9, "note": f"{signal} is off", **more}
    return Finding(signal=signal, statistic=statistic, **told)


def data(column: str = "a", **more: Any) -> Finding:
    return finding("data", column=column, **{"change": "shift", **more})


def performance(status: str = "moved", **more: Any) -> Finding:
    return finding("performance", "roc_auc", status=status, **more)


GOOD = performance("ok", note="roc_auc 0.8 against 0.8 at the gate")


def windows(
    *findings: Sequence[Finding], spec: ModelSpec = SPEC, labelled: int = 1000, version: int = 2
) -> tuple[Observation, ...]:
    """Ten days each; with the alarms that are due at every one of them."""
    seen: list[Observation] = []
    for i, found in enumerate(findings):
        window = Observation(
            model="m", version=version, sha256=f"{i:064d}", partition=f"w{i}", rows=1000,
            since=START + 10 * i * DAY, newest=START + (10 * i + 10) * DAY,
            findings=tuple(found), labelled=labelled,
        )  # fmt: skip
        alarm = detect.alarms(seen, window, spec.monitor)
        seen.append(window.model_copy(update={"alarm": alarm}))
    return tuple(seen)


def history(observations: Sequence[Observation], **more: Any) -> History:
    champion = Champion(
        model="m", version=2, generation=2, action="promote", actor="a", reason="r", previous=1
    )
    labelled = {seen.sha256: seen.labelled for seen in observations}
    now = observations[-1].newest
    told = {
        "champions": (champion,), "labelled": labelled, "now": now, "rows": 9000,
        "clock": {seen.sha256: seen.newest for seen in observations}, **more,
    }  # fmt: skip
    return History(tuple(observations), **told)
