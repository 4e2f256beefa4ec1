"""How requests were answered in one window: latency, errors, volume, by earlier windows. Pure."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime

from trimtab.config.monitor import Monitor
from trimtab.monitoring import chance
from trimtab.types import Record
from trimtab.watch import Finding, Observation

SLOWER = 1.5  # times the usual latency matters
FAILED = 0.01  # more of the requests than usual
VOLUME = 2.0  # times as many requests, or so many times fewer
_USUAL_SPREAD = 0.1  # of the logarithm of latency and volume


class Served(Record):
    """The requests of one window."""

    requests: int
    p95: float | None = None  # seconds
    errors: int = 0  # status 500 and above


def judge(
    served: Served, newest: datetime | None, history: Sequence[Observation], settings: Monitor
) -> Iterator[Finding]:
    """Judge latency, errors and volume; a window without requests has a volume only."""
    if served.requests >= settings.min_rows and served.p95 is not None:
        yield _latency(served.p95, served.requests, newest, history, settings)
        yield _errors(served, history, settings)
    yield _volume(served.requests, newest, history)


def _latency(
    p95: float,
    requests: int,
    newest: datetime | None,
    history: Sequence[Observation],
    settings: Monitor,
) -> Finding:
    past = [(f, t) for f, t in _earlier("latency", history) if f.value]
    logs = [(t, math.log(f.value or 1.0)) for f, t in past]
    usual = chance.seasonal(math.log(max(p95, 1e-9)), newest, logs, least=_USUAL_SPREAD)
    if usual is None:
        return _young("latency", p95, requests, len(past))
    wanted = math.exp(usual.value)
    slower = settings.watch("service").limit or SLOWER
    return Finding(
        signal="service",
        statistic="latency",
        value=p95,
        expected=wanted,
        threshold=wanted * slower,
        p_value=usual.p_value if p95 > wanted else 1.0,
        reference_rows=sum(f.current_rows for f, _ in past),
        current_rows=requests,
        status="ok",
        note=f"95 % within {p95:.3g} s, usual is {wanted:.3g} s",
    )


def _errors(served: Served, history: Sequence[Observation], settings: Monitor) -> Finding:
    past = [f for f, _ in _earlier("errors", history)]
    share = served.errors / served.requests
    if len(past) < chance.FEWEST:
        return _young("errors", share, served.requests, len(past))
    runs = [(round((f.value or 0.0) * f.current_rows), f.current_rows) for f in past]
    usual = chance.count(served.errors, served.requests, runs[-chance.REMEMBERED :])
    return Finding(
        signal="service",
        statistic="errors",
        value=share,
        expected=usual.value,
        threshold=usual.value + FAILED,
        p_value=usual.p_value if share > usual.value else 1.0,
        reference_rows=sum(n for _, n in runs),
        current_rows=served.requests,
        status="ok",
        note=f"{usual.value:.2%} → {share:.2%} of the requests failed",
    )


def _volume(requests: int, newest: datetime | None, history: Sequence[Observation]) -> Finding:
    past = list(_earlier("volume", history))
    logs = [(t, math.log(max(f.value or 0.0, 1.0))) for f, t in past]
    usual = chance.seasonal(math.log(max(requests, 1)), newest, logs, least=_USUAL_SPREAD)
    if usual is None:
        return _young("volume", requests, requests, len(past))
    wanted = math.exp(usual.value)
    fewer = requests < wanted
    return Finding(
        signal="service",
        statistic="volume",
        value=requests,
        expected=wanted,
        threshold=wanted / VOLUME if fewer else wanted * VOLUME,
        beyond="below" if fewer else "above",
        p_value=usual.p_value,
        reference_rows=len(past),
        current_rows=requests,
        status="ok",
        note=f"{requests:,} requests, about {wanted:,.0f} are usual",
    )


def _earlier(
    statistic: str, history: Sequence[Observation]
) -> Iterator[tuple[Finding, datetime | None]]:
    for seen in history:
        for f in seen.findings:
            if f.signal == "service" and f.statistic == statistic and f.value is not None:
                yield f, seen.newest


def _young(statistic: str, value: float, requests: int, windows: int) -> Finding:
    return Finding(
        signal="service",
        statistic=statistic,
        value=value,
        reference_rows=windows,
        current_rows=requests,
        status="not_enough_data",
        note=f"{windows} earlier windows with requests, {chance.FEWEST} wanted",
    )
