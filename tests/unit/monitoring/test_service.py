from datetime import UTC, datetime, timedelta

import numpy as np

from trimtab.config.monitor import Monitor
from trimtab.monitoring import budget, service
from trimtab.monitoring.service import Served
from trimtab.watch import Finding, Observation

START = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = Monitor()


def after(days: int, *, seed: int = 0) -> list[Observation]:
    """Windows of a service that answers a thousand requests a day, one in a thousand wrongly."""
    draw, history = np.random.default_rng(seed), list[Observation]()
    for day in range(days):
        requests = int(draw.normal(1_000, 30))
        ordinary = Served(
            requests=requests,
            p95=float(np.exp(draw.normal(-3, 0.05))),
            errors=int(draw.binomial(requests, 0.001)),
        )
        history.append(observed(day, ordinary, history))
    return history


def observed(day: int, served: Served, history: list[Observation]) -> Observation:
    newest = START + timedelta(days=day)
    found = service.judge(served, newest, history, SETTINGS)
    return Observation(
        model="m", version=1, sha256=f"{day}", partition=f"{day}", rows=10, newest=newest,
        findings=budget.judged(found, SETTINGS, 0.01),
    )  # fmt: skip


def moved(seen: Observation) -> set[str]:
    return {finding.statistic for finding in seen.findings if finding.status == "moved"}


def test_ordinary_days_are_quiet() -> None:
    history = after(60)
    assert [moved(seen) for seen in history] == [set()] * 60
    young = {f.status for f in history[0].findings}
    assert young == {"not_enough_data"}


def test_what_went_wrong_is_named() -> None:
    history = after(21)
    for served, named in (
        (Served(requests=1_000, p95=0.05, errors=1), set()),
        (Served(requests=1_000, p95=0.5, errors=1), {"latency"}),
        (Served(requests=1_000, p95=0.005, errors=0), set()),
        (Served(requests=1_000, p95=0.05, errors=60), {"errors"}),
        (Served(requests=200, p95=0.05, errors=0), {"volume"}),
        (Served(requests=9_000, p95=0.05, errors=9), {"volume"}),
        (Served(requests=0), {"volume"}),
    ):
        assert moved(observed(21, served, history)) == named, served


def test_a_finding_says_what_was_usual() -> None:
    seen = observed(21, Served(requests=1_000, p95=0.5, errors=0), after(21))
    found: dict[str, Finding] = {f.statistic: f for f in seen.findings}
    assert found["latency"].note.startswith("95 % within 0.5 s, usual is 0.0")
