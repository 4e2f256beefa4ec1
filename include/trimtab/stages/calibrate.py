"""What a model's monitoring promises on its own history, before anybody relies on it."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from statistics import median

from trimtab.environment import Environment
from trimtab.errors import NotReadyError
from trimtab.ledger import champion, versions
from trimtab.monitoring import budget, calibrate, visible
from trimtab.monitoring.calibrate import Simulated
from trimtab.monitoring.joint import ERROR
from trimtab.monitoring.null import LEAST_RUNS
from trimtab.monitoring.unchanged import Column, Volume
from trimtab.stages.watch import expected
from trimtab.stages.watch.look import PREDICTION, reference_profile
from trimtab.types import Candidate, Scoring
from trimtab.watch import Calibration, Observation, Signal, Visible

WINDOWS = 1000
_DAY = timedelta(days=1)


def calibration(
    env: Environment,
    model: str,
    *,
    rows: int | None = None,
    every: timedelta | None = None,
    windows: int = WINDOWS,
) -> Calibration:
    """Say how often the champion's monitoring would cry for nothing, and what it would see.

    Nothing is written but the reference's artefacts.

    Args:
        env: where things live.
        model: its name.
        rows: of a window; by default as many as the scored files had.
        every: time from one window to the next; by default that of the scored files.
        windows: how many are simulated.

    Raises:
        NotReadyError: there is no champion, or nothing was scored yet and no volume is given.
    """
    settings = env.project.model(model).monitor
    now = champion.current(env.ledger, model)
    if now is None:
        raise NotReadyError(f"{model} has no champion yet; its reference comes with the first one")
    candidate = versions.candidate(env.ledger, model, now.version)
    seen = [Observation.model_validate(e.payload) for e in env.ledger.events("observation", model)]
    volume = _volume(env, model, seen, rows, every)
    columns = list(_columns(env, candidate))
    found = calibrate.simulate(columns, settings, volume, windows=windows, others=seen)
    simulated = list(dict.fromkeys(c.signal for c in columns))
    recent = [f for o in seen[-budget.RECENT :] for f in o.findings if f.p_value is not None]
    heard: list[Signal] = [*simulated, "performance", *(f.signal for f in recent)]
    shared = [signal for signal in dict.fromkeys(heard) if settings.watch(signal).alarm]
    each = found.level / max(len(shared), 1)
    shares = {signal: each * budget.of_whole(recent, signal) for signal in heard}
    seen_from = visible.smallest(columns, settings, volume, shares)
    gate = versions.newest_verdict(env.ledger, model, now.version)
    loss = visible.loss(gate, settings, volume.rows, shares["performance"])
    count, span = settings.budget
    return Calibration(
        model=model,
        version=candidate.version,
        rows=volume.rows,
        every=volume.every / _DAY if volume.every else None,
        windows=found.windows,
        moved=found.moved,
        alarms=found.alarms,
        false_alarms=found.alarms / found.windows * (span / volume.every) if volume.every else None,
        allowed=count,
        budget=settings.max_false_alarms,
        level=found.level,
        signals=tuple(simulated),
        shared=tuple(signal for signal in shared if signal not in simulated),
        visible=(*seen_from, *([loss] if loss else [])),
        notes=tuple(_notes(columns, volume, found, settings.min_rows, loss)),
    )


def _columns(env: Environment, candidate: Candidate) -> Iterator[Column]:
    reference = reference_profile(env, candidate)
    settings = env.project.model(candidate.model).monitor
    watched = expected.watched(env, candidate, reference, settings)
    if settings.watch("data").enabled:
        blocks = expected.features(env, candidate, reference)
        for name, before in watched.items():
            if name in blocks.counts and any(before.counts) and not before.constant:
                yield Column("data", name, before, blocks)
    if settings.watch("joint").enabled:
        joint = expected.together(env, candidate, watched)
        if joint.error and joint.blocks:
            yield Column("joint", ERROR, joint.error, joint.blocks)
    if settings.watch("prediction").enabled and reference.prediction:
        before = reference.prediction
        yield Column("prediction", PREDICTION, before, expected.predictions(env, candidate, before))


def _volume(
    env: Environment,
    model: str,
    seen: Sequence[Observation],
    rows: int | None,
    every: timedelta | None,
) -> Volume:
    """What was asked for, else what the newest windows were like."""
    last = seen[-budget.RECENT :]
    scored = [Scoring.model_validate(e.payload) for e in env.ledger.events("scoring", model)]
    rows = rows or (round(median(s.rows for s in scored[-budget.RECENT :])) if scored else None)
    if rows is None:
        raise NotReadyError(
            f"{model}: nothing was scored yet, so its windows are not known; "
            "say how they will be: --rows 5000 --every 1d"
        )
    spans = [(o.newest - o.since).total_seconds() for o in last if o.newest and o.since]
    given = every or budget.pace(last)
    span = median(spans) if spans and every is None else None
    return Volume(rows, span or (given.total_seconds() if given else None), given)


def _notes(
    columns: Sequence[Column],
    volume: Volume,
    found: Simulated,
    least: int,
    loss: Visible | None,
) -> Iterator[str]:
    """What a reader must know before relying on the numbers."""
    if volume.rows < least:
        yield f"windows of {volume.rows:,} rows are below min_rows ({least:,}): nothing is said"
    if volume.every is None:
        yield "no event time: alarms are per window, not per time"
    long = [c for c in columns if c.runs.length(volume.rows, volume.span) < LEAST_RUNS]
    if long:
        names = ", ".join(dict.fromkeys(c.signal for c in long))
        yield (
            f"{names}: the reference is less than {LEAST_RUNS} windows long; shorter "
            "runs stand for them, and a season longer than the reference is not known"
        )
    if loss is None:
        yield "no gate verdict with an interval: what the metric would show is not known"
    if not found.windows:
        yield "no column could be simulated"
