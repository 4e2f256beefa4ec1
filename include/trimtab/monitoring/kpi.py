"""A number of the business: by a person's limits, or by its own history. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from trimtab.config.monitor import Kpi, Monitor
from trimtab.monitoring import chance
from trimtab.watch import Finding, Observation

_USUAL_SPREAD = 0.001  # of the usual value: a number that never changed may, by so little


def judge(
    kpi: Kpi,
    value: float,
    rows: int,
    newest: datetime | None,
    history: Sequence[Observation],
    settings: Monitor,
    looks: int = 1,
) -> Finding:
    """Judge one number; limits are a person's own word, so they need no chance.

    Of a number that is looked at again as labels come, the chance answers for all ``looks``.
    """
    plain = Finding(
        signal="kpi", column=kpi.name, statistic="value", value=value, current_rows=rows,
        status="ok",
    )  # fmt: skip
    if rows < settings.min_rows:
        few = f"{rows:,} rows, {settings.min_rows:,} wanted"
        return plain.model_copy(update={"status": "not_enough_data", "note": few})
    if kpi.min is not None or kpi.max is not None:
        return plain.model_copy(update=_limited(kpi, value))
    past = list(earlier(kpi.name, history, settings))
    return plain.model_copy(update=_usual(value, newest, past, settings, looks))


def earlier(
    name: str, history: Sequence[Observation], settings: Monitor
) -> Iterator[tuple[datetime | None, float]]:
    """The values of one number in earlier windows of enough rows, with their newest event times."""
    for seen in history:
        mine = [f for f in seen.findings if f.signal == "kpi" and f.column == name]
        for f in mine:
            if f.value is not None and f.current_rows >= settings.min_rows:
                yield seen.newest, f.value


def _limited(kpi: Kpi, value: float) -> dict[str, object]:
    low, high = kpi.min, kpi.max
    below = low is not None and (value < low or high is None)
    crossed = (low is not None and value < low) or (high is not None and value > high)
    kept = " to ".join(f"{limit:g}" for limit in (low, high) if limit is not None)
    word = "from" if high is None else "up to" if low is None else ""
    return {
        "threshold": low if below else high,
        "beyond": "below" if below else "above",
        "status": "moved" if crossed else "ok",
        "note": f"{value:.4g}; allowed is {word} {kept}".replace("  ", " "),
    }


def _usual(
    value: float,
    newest: datetime | None,
    past: Sequence[tuple[datetime | None, float]],
    settings: Monitor,
    looks: int,
) -> dict[str, object]:
    middle = sorted(abs(v) for _, v in past)[len(past) // 2] if past else 0.0
    usual = chance.seasonal(value, newest, past, least=_USUAL_SPREAD * middle)
    if usual is None:
        few = f"{value:.4g}; {len(past)} earlier values, {chance.FEWEST} wanted"
        return {"status": "not_enough_data", "note": few}
    limit, less = settings.watch("kpi").limit, value < usual.value
    signed = None if limit is None else usual.value + (-limit if less else limit)
    return {
        "expected": usual.value,
        "threshold": signed,
        "beyond": "below" if less else "above",
        "p_value": min(usual.p_value * looks, 1.0),
        "reference_rows": len(past),
        "note": f"{usual.value:.4g} → {value:.4g}",
    }
