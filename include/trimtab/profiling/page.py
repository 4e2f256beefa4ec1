"""The page of a profile: what was found first, then every column, then the pictures."""

import functools
from typing import Any

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from trimtab.association import MEASURES
from trimtab.profiling import figures, findings, pictures
from trimtab.profiling.columns import Column
from trimtab.profiling.profile import Profile

FIRST, PLOTS, RANKED = 5, 6, 20  # findings shown first, courses drawn, features ranked


@functools.cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("trimtab.profiling", "templates"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def html(profile: Profile, name: str) -> str:
    """Return the page of ``profile``; every text of the file is escaped in it."""
    rows = figures.sample(profile.rows)
    found = findings.find(profile)
    return (
        _templates()
        .get_template("profile.html.j2")
        .render(
            name=name,
            profile=profile,
            sampled=rows.height,
            first=found[:FIRST],
            others=found[FIRST:],
            columns=[_line(column, rows, profile) for column in profile.columns],
            target=_target(profile, rows),
            ranking=_ranking(profile),
            measure=MEASURES[profile.target.task],
            correlation=_correlation(profile, rows),
            gaps=_gaps(profile),
            courses=_courses(profile),
            problems=_problems(profile),
        )
    )


def _line(column: Column, rows: pl.DataFrame, profile: Profile) -> dict[str, Any]:
    values = rows[column.name]
    roles = [
        ("target", column.name == profile.target.column.name),
        ("key", column.name in profile.keys.chosen),
        ("time", column.name == profile.time),
        ("no feature", column.name in profile.excluded),
    ]
    return {
        "name": column.name,
        "type": column.type,
        "roles": [role for role, holds in roles if holds],
        "missing": column.missing / column.rows,
        "distinct": column.distinct,
        "spread": figures.spread(column, profile.rows[column.name]),
        "outliers": figures.outliers(column, profile.rows[column.name]),
        "picture": pictures.spark(figures.counts(column, values)) if column.type != "text" else "",
    }


def _target(profile: Profile, rows: pl.DataFrame) -> Any:
    target = profile.target
    positive = str(target.positive) if target.task == "binary" else None
    counts = figures.counts(target.column, rows[target.column.name], bins=30)
    if positive is not None and target.column.type == "bool":
        positive = next((text for text, _ in counts if text.lower() in ("true", "yes")), None)
    return pictures.columns(counts, positive)


def _ranking(profile: Profile) -> Any:
    leaks = {leak.column for leak in profile.leaks}
    low = 0.5 if profile.target.task == "binary" else 0.0
    shown = [
        (found.column, found.score, f"{found.score:.3f}", found.column in leaks)
        for found in profile.ranked[:RANKED]
    ]
    return pictures.ranking(shown, low=low) if shown else None


def _correlation(profile: Profile, rows: pl.DataFrame) -> Any:
    names, values = figures.correlations(rows, profile)
    return pictures.matrix(names, values) if names else None


def _gaps(profile: Profile) -> Any:
    names, patterns = figures.gaps(profile.rows, profile.columns)
    return pictures.grid(names, patterns) if names else None


def _courses(profile: Profile) -> list[dict[str, Any]]:
    first = str(profile.since)[:10] if profile.since else "first rows"
    last = str(profile.until)[:10] if profile.until else "last rows"
    return [
        {
            "drift": drift,
            "what": f"share of {drift.level}" if drift.level else "mean",
            "picture": pictures.course(drift.course, first, last),
        }
        for i, drift in enumerate(profile.drifts[:PLOTS])
        if drift.moved or i < 2
    ]


def _problems(profile: Profile) -> list[tuple[str, str, str]]:
    """Rows that will be set aside: position, column, what stands there."""
    table = profile.table
    lines = [(f"{at:,}", "(row)", what) for at, what in table.ragged]
    for column in profile.columns:
        texts = list(column.odd)
        if texts:
            there = table.rows[column.name].is_in(texts)
            positions = there.arg_true().head(len(texts)).to_list()
            cells = table.rows[column.name]
            told = f"no {column.type}"
            lines += [(f"{i + 1:,}", column.name, f"{cells[i]!r}: {told}") for i in positions]
    return lines[:30]
