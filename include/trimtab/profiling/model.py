"""Write the model file: what to learn from the dataset, with bounds that fit its size."""

import math
from collections.abc import Iterator
from datetime import timedelta

import polars as pl

from trimtab.profiling.contract import comment, quoted
from trimtab.profiling.profile import Profile

HOLDOUT = 0.2


def model(profile: Profile, name: str, dataset: str, owner: str) -> str:
    """Return the text of ``config/models/<name>.yaml``."""
    return "\n".join(_lines(profile, name, dataset, owner)) + "\n"


def _lines(profile: Profile, name: str, dataset: str, owner: str) -> Iterator[str]:
    target = profile.target
    known = profile.rows.height - profile.rows[target.column.name].null_count()
    yield "# yaml-language-server: $schema=../schema/model.json"
    yield f"# Learned from {profile.rows.height:,} rows; correct it where you know better."
    yield f"model: {name}"
    yield f"purpose: {quoted(f'Predict {target.column.name} of a row of {dataset}; say for whom.')}"
    yield f"owner: {quoted(owner)}"
    yield "# limits: say where it must not be relied on; production: true asks for it"
    yield "# oversight: say who watches it, and what they can do about it; likewise"
    yield f"# {comment(f'{target.column.name}: {target.why}')}"
    if target.column.type == "int" and target.task == "multiclass":
        yield "# For a number on a scale, say task: regression."
    yield f"task: {target.task}"
    yield f"data: {{from: {dataset}}}"
    yield f"target: {{{', '.join(_target(profile))}}}"
    yield from _features(profile)
    if holdout := duration(profile):
        yield f"split: {{holdout: {holdout}}}  # about the newest {HOLDOUT:.0%} of the rows"
    least = max(10, min(1_000, int(known * (1 - HOLDOUT) / 2)))
    yield f"train: {{min_rows: {least}}}"
    yield f"gate: {{{', '.join(_gate(profile, known))}}}"
    watched = max(1, min(500, known // 10))
    if watched < 500:
        yield f"monitor: {{min_rows: {watched}}}"


def _target(profile: Profile) -> Iterator[str]:
    target = profile.target
    yield f"column: {quoted(target.column.name)}"
    if target.positive is not None and target.column.type != "bool":
        value = target.positive
        yield f"positive: {quoted(value) if isinstance(value, str) else int(value)}"


def _features(profile: Profile) -> Iterator[str]:
    """Name what is left out, each with its reason, so that a person can let it in again."""
    if not profile.excluded:
        return
    yield "features:"
    yield "  exclude:"
    for name, why in profile.excluded.items():
        yield f"    - {quoted(name)}  # {comment(why)}"


def _gate(profile: Profile, known: int) -> Iterator[str]:
    if profile.target.rare:
        yield "primary: average_precision"
    yield f"min_rows: {max(1, min(500, int(known * HOLDOUT / 2)))}"
    if slices := _slices(profile):
        yield f"slices: [{', '.join(map(quoted, slices))}]"


def _slices(profile: Profile) -> list[str]:
    """Up to two categories of few values that are large enough to be judged alone."""
    few = [
        c.name
        for c in profile.columns
        if c.type == "category"
        and 2 <= c.distinct <= 6
        and c.name != profile.target.column.name
        and c.name not in profile.excluded
    ]
    told = {found.column: found.score for found in profile.ranked}
    return sorted(few, key=lambda name: -told.get(name, 0.0))[:2]


def duration(profile: Profile) -> str | None:
    """Return the time that holds the newest fifth of the rows; None when no round one does."""
    if profile.time is None or profile.since is None or profile.until is None:
        return None
    times = profile.rows[profile.time]
    cut = times.cast(pl.Int64).quantile(1 - HOLDOUT)
    seconds = profile.until.timestamp() - float(cut or 0) / 1e6
    unit, letter = (86_400, "d") if seconds >= 2 * 86_400 else (3_600, "h")
    count = math.ceil(seconds / unit)
    since = profile.until - timedelta(seconds=count * unit)
    held = int((times >= since).sum()) / profile.rows.height
    return f"{count}{letter}" if count and 0.05 <= held <= 0.5 else None
